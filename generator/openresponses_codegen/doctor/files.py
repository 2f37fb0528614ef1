"""The files of a package: edited, missing, linked, open to others, or left from a write that did not end."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, Position, Severity
from openresponses_codegen.output import MANIFEST, Manifest, digest
from openresponses_codegen.output.edited import NEW, unmerged
from openresponses_codegen.output.writing import KEPT, staging_folders


def file_finding(code: str, path: Path, message: str, severity: Severity, hint: str) -> Diagnostic:
    """A finding about a file as a whole."""
    return Diagnostic(code, message, severity, Position(str(path), 1, 1), hint=hint)


def examine_files(folder: Path, manifest: Manifest) -> Iterator[Diagnostic]:
    """What is wrong with the files that a manifest lists.

    Files that `--keep-edited` left as they are count as they were left.

    Codes: `edited-file`, `unmerged-file`, `missing-file`, `symlinked-file`, `unreadable-file`, `world-writable`,
    `interrupted-write`.
    """
    if folder.is_symlink():
        yield _linked(folder)
    for name in manifest.files:
        yield from _examine_file(folder, name, manifest.files[name], manifest.edited.get(name))
    for name in unmerged(folder, tuple(manifest.edited)):
        message = "this is what the generator would write in place of a file that you keep"
        hint = f"take from it what you need into {name.removesuffix(NEW)}, then remove it"
        yield file_finding("unmerged-file", folder / name, message, Severity.WARNING, hint)
    yield from _open_to_others(folder, manifest)
    for left in staging_folders(folder):
        yield file_finding(
            "interrupted-write",
            left,
            "a write of this package was interrupted, and left this folder",
            Severity.WARNING,
            "it holds files that could not be put back, in `old`: compare them, then remove it"
            if (left / KEPT).exists()
            else "run `check`, then remove it",
        )


def _examine_file(folder: Path, name: str, expected: str, kept: str | None) -> Iterator[Diagnostic]:
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            yield _linked(path)
            return
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        yield file_finding("missing-file", path, "the file is missing", Severity.ERROR, "run `generate` to renew it")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        yield file_finding("unreadable-file", path, message, Severity.ERROR, "check what it is, and its permissions")
    else:
        if digest(content) not in {expected, kept}:
            yield file_finding(
                "edited-file",
                path,
                "the file was edited by hand",
                Severity.WARNING,
                "`check` shows the difference; move it into code of your own, then run `generate --force`",
            )


def _linked(path: Path) -> Diagnostic:
    hint = "put the file itself there: nothing is written through a link"
    return file_finding("symlinked-file", path, "this is a symbolic link", Severity.ERROR, hint)


def _open_to_others(folder: Path, manifest: Manifest) -> Iterator[Diagnostic]:
    """Files and folders that any user of the system may change: they run with the rights of whoever imports them."""
    if os.name != "posix":
        return
    folders = {(folder / name).parent for name in manifest.files} | {folder}
    for path in [*sorted(folders), folder / MANIFEST, *(folder / name for name in manifest.files)]:
        if not path.is_symlink() and path.exists() and path.stat().st_mode & stat.S_IWOTH:
            message = "every user of this system may change it, and what is in it runs with your rights"
            yield file_finding("world-writable", path, message, Severity.WARNING, f"run `chmod o-w {path}`")
