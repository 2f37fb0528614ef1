"""What `generate` says of a package's Python API when it renews the package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openresponses_codegen import pipeline
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.output import Manifest

if TYPE_CHECKING:
    from openresponses_codegen.api_changes import Report


def changes_of(folder: Path, package: pipeline.Package, then: Manifest | None, kept: Collection[str]) -> Report | None:
    """What a renewed package changes in the Python API; None where it is made of what it was made of before.

    Files that were edited count as they are on disk, on both sides where they are kept.
    """
    if then is None or (then.inputs, then.files) == (package.manifest.inputs, package.manifest.files):
        return None
    from openresponses_codegen.api_changes import UnreadableError, compare, read  # noqa: PLC0415 - imports slowly

    old = {name: _text(folder / name) for name in then.files if (folder / name).is_file()}
    new = {name: old.get(name, text) if name in kept else text for name, text in package.files.items()}
    try:
        return compare(read(_package(old)), read(_package(new)))
    except OSError as error:
        reason = f"there is no room to compare the Python API in: {error.strerror}"
        raise DiagnosticError([Diagnostic("no-room", reason, hint="free some space, or set TMPDIR")]) from None
    except UnreadableError:
        return None  # somebody broke a file by hand, and it is about to be replaced


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _package(files: Mapping[str, str]) -> dict[str, str]:
    """The modules of the package, by path from its folder, wherever that lies in the output folder."""
    inits = sorted((name for name in files if name.endswith("__init__.py")), key=len)
    root = inits[0].removesuffix("__init__.py") if inits else ""
    return {name.removeprefix(root): text for name, text in files.items() if name.startswith(root)}


class ApiReports:
    """The reports of all packages, for one file."""

    def __init__(self) -> None:
        self._reports: list[tuple[str, Report]] = []

    def add(self, package: str, report: Report) -> None:
        """One more package that was renewed."""
        self._reports.append((package, report))

    def write(self, path: Path) -> None:
        """Write them as Markdown. Raises `DiagnosticError` when the system refuses."""
        from openresponses_codegen.api_changes import markdown  # noqa: PLC0415 - imports slowly

        text = "\n".join(markdown(package, report) for package, report in self._reports)
        try:
            path.write_text(text or "No package was renewed.\n", encoding="utf-8")
        except OSError as error:
            message = f"{path}: the report cannot be written: {error.strerror}"
            raise DiagnosticError([Diagnostic("not-writable", message)]) from None
