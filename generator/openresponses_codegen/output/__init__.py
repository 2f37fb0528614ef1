"""What happens with the files of a package: the manifest, writing them, and finding out why they differ."""

from openresponses_codegen.output.drift import Cause, Drift, FileDrift, changed_inputs, find_drift, is_current
from openresponses_codegen.output.manifest import MANIFEST, Inputs, Manifest, digest, read_manifest
from openresponses_codegen.output.writing import Plan, check_folder, plan, write

__all__ = [
    "MANIFEST",
    "Cause",
    "Drift",
    "FileDrift",
    "Inputs",
    "Manifest",
    "Plan",
    "changed_inputs",
    "check_folder",
    "digest",
    "find_drift",
    "is_current",
    "plan",
    "read_manifest",
    "write",
]
