"""What happens with the files of a package: the manifest, writing them, and finding out why they differ."""

from openresponses_codegen.output.drift import Cause, Drift, FileDrift, changed_inputs, find_drift, is_current
from openresponses_codegen.output.edited import Edits, keep_edits, unmerged
from openresponses_codegen.output.manifest import MANIFEST, Inputs, Manifest, digest, read_manifest
from openresponses_codegen.output.own import changed_below, is_own
from openresponses_codegen.output.writing import Plan, check_folder, new_stubs, plan, write

__all__ = [
    "MANIFEST",
    "Cause",
    "Drift",
    "Edits",
    "FileDrift",
    "Inputs",
    "Manifest",
    "Plan",
    "changed_below",
    "changed_inputs",
    "check_folder",
    "digest",
    "find_drift",
    "is_current",
    "is_own",
    "keep_edits",
    "new_stubs",
    "plan",
    "read_manifest",
    "unmerged",
    "write",
]
