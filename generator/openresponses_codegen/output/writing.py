"""Writing a package: into its folder and nowhere else, all of it or nothing.

What is written is staged beside the folder first. Only then files are moved into place; when that fails, what was
there before is put back. A file that somebody edited is never overwritten or deleted unless that was asked for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.output.manifest import MANIFEST, Manifest, digest
from openresponses_codegen.output.own import is_own

_KEPT = "kept"
"""Marks a staging folder that holds something which could not be put back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What writing would do, by path relative to the folder; each tuple is sorted."""

    folder: Path
    files: Mapping[str, str]
    """Every file that belongs there, and its text."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]
    """Files that the manifest owns, that are no longer produced, and that nobody edited."""
    edited: tuple[str, ...]
    """Files in the way that were edited by hand, or that the generator did not make."""
    kept: tuple[str, ...]
    """Files no longer produced that stay because they were edited."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.deleted)

    def refusals(self) -> tuple[Diagnostic, ...]:
        """An error for each file that was edited by hand, and would be overwritten."""
        return tuple(
            Diagnostic(
                "edited-by-hand",
                "the file was edited by hand, or is not ours, and would be overwritten",
                position=Position(str(self.folder / name), 1, 1),
                hint="move your change elsewhere, keep the file with `--keep-edited`, or overwrite it with `--force`",
            )
            for name in self.edited
        )


def plan(folder: Path, files: Mapping[str, str], manifest: Manifest | None, own: Iterable[str] = ()) -> Plan:
    """What has to be done so that the folder holds exactly these files of ours.

    `own` are patterns of files that are the user's, and left alone.
    Raises `DiagnosticError` when the folder cannot be used: it is a file, or lies behind a symbolic link.
    """
    check_folder(folder)
    owned: Mapping[str, str] = manifest.files if manifest is not None else {}
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    edited: list[str] = []
    for name, text in sorted(files.items()):
        current = current_digest(folder, name)
        if current is None:
            added.append(name)
        elif current == digest(text.encode()):
            unchanged.append(name)
        else:
            changed.append(name)
            if name != MANIFEST and current != owned.get(name):
                edited.append(name)
    patterns = tuple(own)
    gone = sorted(name for name in owned.keys() - files.keys() if not is_own(name, patterns))
    stale = [name for name in gone if current_digest(folder, name) is not None]
    deleted = [name for name in stale if current_digest(folder, name) == owned[name]]
    kept = [name for name in stale if name not in deleted]
    return Plan(folder, files, *map(tuple, (added, changed, unchanged, deleted, edited, kept)))


def new_stubs(folder: Path, texts: Mapping[str, str], stubs: Iterable[str], then: Manifest | None) -> dict[str, str]:
    """The stubs that are to be written: those that are not there, and were not written before."""
    written: Mapping[str, str] = then.own if then is not None else {}
    return {name: texts[name] for name in stubs if name not in written and current_digest(folder, name) is None}


def write(plan: Plan) -> None:
    """Carry a plan out. Raises `DiagnosticError`, with everything as it was, when the system refuses."""
    names = [*plan.added, *plan.changed]
    if not names and not plan.deleted:
        return
    made = [path for path in (plan.folder, *plan.folder.parents) if not path.exists()]
    staging: Path | None = None
    try:
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{plan.folder.name[:40]}-", dir=plan.folder.parent))
        _stage(staging, plan.files, names)
        _move(plan, names, staging)
    except BaseException as error:
        _remove(staging, made)
        if isinstance(error, OSError):
            raise _refusal("not-writable", plan.folder, f"nothing was changed: {error.strerror}") from None
        raise
    _remove(staging, [])


def _remove(staging: Path | None, made: list[Path]) -> None:
    """Remove what a run leaves: its staging folder, unless something in it could not be put back, and new folders."""
    if staging is not None and not (staging / _KEPT).exists():
        shutil.rmtree(staging, ignore_errors=True)
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


def _stage(staging: Path, files: Mapping[str, str], names: list[str]) -> None:
    for name in names:
        path = staging / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name].encode())


def _move(plan: Plan, names: list[str], staging: Path) -> None:
    """Move staged files into place, the manifest last; undo all of it when one step fails."""
    done: list[tuple[Path, Path | None]] = []
    try:
        for name in [*plan.deleted, *sorted(names, key=lambda name: name == MANIFEST)]:
            target = plan.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            backup = staging / "old" / name if os.path.lexists(target) else None
            done.append((target, backup))
            if backup is not None:
                backup.parent.mkdir(parents=True, exist_ok=True)
                target.replace(backup)
            if name not in plan.deleted:
                (staging / "new" / name).replace(target)
    except BaseException:
        for target, backup in reversed(done):
            try:
                if backup is None:
                    target.unlink(missing_ok=True)
                elif backup.exists():
                    backup.replace(target)
            except OSError:
                (staging / _KEPT).touch()
        raise


def check_folder(folder: Path) -> None:
    """Raise `DiagnosticError` unless the folder is, or can become, a plain folder on a plain path."""
    try:
        _check_folder(folder)
    except (OSError, ValueError) as error:
        raise _refusal("bad-output", folder, _reason(error), "give another folder") from None


def _check_folder(folder: Path) -> None:
    if not folder.name or folder.name == "..":
        raise _refusal("bad-output", folder, "it does not name a folder", "give the package's own folder")
    absolute = folder.absolute()
    for ancestor in [absolute, *absolute.parents]:
        # Links at the root of the system, such as /tmp on some, are not somebody's trap.
        if ancestor.is_symlink() and ancestor.parent != ancestor.parent.parent:
            raise _refusal(
                "output-behind-link",
                folder,
                f"it lies behind the symbolic link {ancestor}",
                "give the real path",
            )
        if ancestor.exists() and not ancestor.is_dir():
            raise _refusal("bad-output", folder, f"{ancestor} is not a folder", "give another folder")


def current_digest(folder: Path, name: str) -> str | None:
    """The digest of what stands at a path of the folder; None when nothing does.

    Raises `DiagnosticError` when the path leads through a symbolic link, or to something that is no file.
    """
    try:
        return _current_digest(folder, name)
    except (OSError, ValueError) as error:
        raise _refusal("not-readable", folder / name, _reason(error)) from None


def _current_digest(folder: Path, name: str) -> str | None:
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            raise _refusal("output-behind-link", path, "it is a symbolic link", "remove the link")
    if not path.exists():
        return None
    if not path.is_file():
        raise _refusal("bad-output", path, "it is in the way, and is no file", "move it away")
    return digest(path.read_bytes())


def _reason(error: Exception) -> str:
    return f"the system refuses it: {(error.strerror if isinstance(error, OSError) else None) or error}"


def _refusal(code: str, path: Path, reason: str, hint: str | None = None) -> DiagnosticError:
    return DiagnosticError([Diagnostic(code, f"cannot use {path} as output: {reason}", hint=hint)])
