"""Writing a package: into its folder and nowhere else, all of it or nothing.

What is written is staged beside the folder first. Only then files are moved into place; when that fails, what was
there before is put back. A file that somebody edited is never overwritten or deleted unless that was asked for.
"""

from __future__ import annotations

import glob
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

KEPT = "kept"
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


@dataclass(frozen=True, slots=True)
class _Move:
    """One step: what was staged takes its place, and what is there is set aside."""

    target: Path
    new: Path | None
    """Where it is staged; None for what is to be deleted."""
    old: Path
    """Where to set aside what is there."""
    staging: Path


def write(*plans: Plan, documents: Mapping[Path, bytes] | None = None) -> None:
    """Carry out plans, and write documents of the user's beside them: all of it, or nothing.

    Raises `DiagnosticError`, with everything as it was, when the system refuses.
    """
    moves: list[_Move] = []
    stagings: list[Path] = []
    made: list[Path] = []
    try:
        for plan in plans:
            if not plan.is_empty:
                _make(plan.folder.parent, made)
                moves += _staged(plan, _staging(plan.folder, plan.folder.parent, stagings))
        for path, content in (documents or {}).items():
            moves.append(_staged_document(path, content, stagings, made))
        for move in moves:
            _make(move.target.parent, made)
        _carry_out(moves)
    except BaseException as error:
        _remove(stagings, made)
        if isinstance(error, OSError):
            place = Path(str(error.filename2 or error.filename or plans[0].folder))
            raise _refusal("not-writable", place, f"nothing was changed: {error.strerror}") from None
        raise
    _remove(stagings, [])


def _make(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, and note those that were not there."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        made.append(path)


def _staging_prefix(folder: Path) -> str:
    return f".{folder.name[:40]}-"


def staging_folders(folder: Path) -> tuple[Path, ...]:
    """What writing into a folder left beside it when the process was ended, or could not put something back."""
    found = folder.absolute().parent.glob(f"{glob.escape(_staging_prefix(folder))}????????")
    parts = {"new", "old", KEPT}
    return tuple(
        sorted(path for path in found if path.is_dir() and parts.issuperset(each.name for each in path.iterdir()))
    )


def _staging(target: Path, folder: Path, stagings: list[Path]) -> Path:
    staging = Path(tempfile.mkdtemp(prefix=_staging_prefix(target), dir=folder))
    stagings.append(staging)
    return staging


def _staged(plan: Plan, staging: Path) -> list[_Move]:
    """Stage the files of a package. The manifest is the last to move: it vouches for the others."""
    moves: list[_Move] = []
    names = sorted([*plan.added, *plan.changed], key=lambda name: name == MANIFEST)
    for name in [*plan.deleted, *names]:
        new = None if name in plan.deleted else staging / "new" / name
        moves.append(_Move(plan.folder / name, new, staging / "old" / name, staging))
        if new is not None:
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(plan.files[name].encode())
    return moves


def _staged_document(path: Path, content: bytes, stagings: list[Path], made: list[Path]) -> _Move:
    """Stage a document beside its place; it keeps the permissions that it has."""
    if path.is_symlink():
        raise _refusal("output-behind-link", path, "it is a symbolic link", "name the file itself")
    _make(path.parent, made)
    staging = _staging(path, path.parent, stagings)
    move = _Move(path, staging / "new" / path.name, staging / "old" / path.name, staging)
    (staging / "new").mkdir()
    (staging / "new" / path.name).write_bytes(content)
    if path.exists():
        shutil.copymode(path, staging / "new" / path.name)
    return move


def _carry_out(moves: list[_Move]) -> None:
    """Make the moves, one after the other; undo all of them when one fails."""
    done: list[tuple[_Move, bool]] = []
    try:
        for move in moves:
            was_there = os.path.lexists(move.target)
            done.append((move, was_there))
            if was_there:
                move.old.parent.mkdir(parents=True, exist_ok=True)
                move.target.replace(move.old)
            if move.new is not None:
                move.new.replace(move.target)
    except BaseException:
        for move, was_there in reversed(done):
            try:
                if not was_there:
                    move.target.unlink(missing_ok=True)
                elif move.old.exists():
                    move.old.replace(move.target)
            except OSError:
                (move.staging / KEPT).touch()
        raise


def _remove(stagings: list[Path], made: list[Path]) -> None:
    """Remove what a run leaves: staging folders, unless something in one could not be put back, and new folders."""
    for staging in stagings:
        if not (staging / KEPT).exists():
            shutil.rmtree(staging, ignore_errors=True)
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()


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
