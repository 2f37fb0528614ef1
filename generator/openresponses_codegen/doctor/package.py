"""The examination of a generated package where it lies, in a project that may have moved on since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Severity
from openresponses_codegen.doctor.environment import examine_environment
from openresponses_codegen.doctor.files import examine_files, file_finding
from openresponses_codegen.doctor.staleness import examine_inputs, examine_release
from openresponses_codegen.output import MANIFEST, Inputs, read_manifest


def examine_package(
    folder: Path, now: Inputs | None, releases: Sequence[str], python: str | None
) -> tuple[Diagnostic, ...]:
    """Every defect of the package in a folder.

    `now` is what it would be made of today, None where nothing says so; `releases` are those that can be generated,
    oldest first; `python` is the interpreter that is to import the package, None for none: then nothing of the
    package is run, and its dependencies are not looked at.
    """
    try:
        manifest = read_manifest(folder)
    except DiagnosticError as error:
        return error.diagnostics
    if manifest is None:
        hint = f"name the folder that holds {MANIFEST}, or run `generate`"
        return (file_finding("no-manifest", folder, "this is no generated package", Severity.ERROR, hint),)
    found = [*examine_files(folder, manifest)]
    found += examine_inputs(folder, manifest, now) if now is not None else ()
    found += examine_release(folder, manifest, releases)
    found += examine_environment(folder, manifest, python) if python is not None else ()
    return tuple(found)
