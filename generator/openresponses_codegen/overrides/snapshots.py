"""What a user's templates were made from, so that an upgrade can show what changed of it since.

`DIR/.base/NAME` holds our template as it was when the user's file was made, or when its changes were last accepted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, Severity, suggest
from openresponses_codegen.overrides.catalogue import CONTEXT_VERSION, Original, blocks_of, catalogue
from openresponses_codegen.overrides.folder import Override, Overrides

BASE = ".base"


@dataclass(frozen=True, slots=True)
class Outdated:
    """A template of ours that changed since a user's file was made from it."""

    name: str
    blocks: tuple[str, ...]
    """The changed ones among those that the user's file extends; none where it replaces the whole."""
    diff: str
    """What changed, as a unified diff: of these blocks, or of the whole."""


def outdated(overrides: Overrides, templates: Path) -> tuple[tuple[Outdated, ...], tuple[Diagnostic, ...]]:
    """What changed of ours since, and a note for each file of which nobody can tell."""
    ours = catalogue(templates)
    changed: list[Outdated] = []
    notes: list[Diagnostic] = []
    for name, override in overrides.files.items():
        if name not in ours:
            continue
        base = _read(Path(overrides.folder), name)
        if base is None:
            position = Position(overrides.path(name), 1, 1)
            hint = f"run `openresponses-codegen templates accept {name}` once it fits ours"
            message = "nothing tells which version of ours this was made from"
            notes.append(Diagnostic("no-snapshot", message, Severity.NOTE, position, hint=hint))
        else:
            changed += _changes(override, base, ours[name])
    return tuple(changed), tuple(notes)


def _changes(override: Override, base: str, original: Original) -> Iterator[Outdated]:
    now = original.text
    if base == now:
        return
    if not override.extends:
        yield Outdated(override.name, (), _diff(base, now, override.name))
        return
    was, becomes = blocks_of(base), original.blocks
    blocks = tuple(name for name in override.blocks if was.get(name) != becomes[name])
    if blocks:
        diffs = (_diff(was.get(each, ""), becomes[each], f"{override.name}, block {each}") for each in blocks)
        yield Outdated(override.name, blocks, "".join(diffs))


def _diff(base: str, now: str, name: str) -> str:
    lines = difflib.unified_diff(
        base.splitlines(), now.splitlines(), f"{name} (when yours was made)", f"{name} (now)", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def eject(folder: Path, templates: Path, name: str, blocks: Sequence[str] = ()) -> Path:
    """Write a file of the user's own for a template: a copy of ours, or one that extends blocks of it.

    Returns its path. Raises `DiagnosticError` when there is no such template or block, or the file is there already.
    """
    original = find(templates, name)
    available = original.blocks
    for block in blocks:
        if block not in available:
            hint = suggest(block, available) or (f"there are {', '.join(available)}" if available else None)
            raise _refusal("unknown-block", f"{name} has no block `{block}`", hint)
    text = _skeleton(name, blocks) if blocks else original.text
    path = _place(folder, name)
    if path.exists():
        hint = "edit it by hand; `templates show` prints ours and its blocks"
        raise _refusal("template-exists", f"{path} is there already", hint)
    mark = f"{{# context: {CONTEXT_VERSION} -#}}\n" if original.is_template else ""
    _write(path, mark + text)
    _write(_place(folder, f"{BASE}/{name}"), original.text)
    return path


def _skeleton(name: str, blocks: Sequence[str]) -> str:
    parts = (f"\n{{% block {each} -%}}\n{{{{ super() }}}}\n{{%- endblock %}}\n" for each in blocks)
    return f'{{% extends "{name}" %}}\n' + "".join(parts)


def accept(overrides: Overrides, templates: Path, names: Sequence[str] = ()) -> tuple[str, ...]:
    """Take ours as they are now for what the user's files were made from: all of them, or those of these names.

    Returns the names. Raises `DiagnosticError` when the user has no file of a name.
    """
    ours = catalogue(templates)
    mine: Mapping[str, Override] = {name: each for name, each in overrides.files.items() if name in ours}
    for name in names:
        if name not in mine:
            raise _refusal("unknown-template", f"{overrides.folder} has no `{name}`", suggest(name, mine))
    accepted = tuple(names or mine)
    for name in accepted:
        _write(_place(Path(overrides.folder), f"{BASE}/{name}"), ours[name].text)
    return accepted


def find(templates: Path, name: str) -> Original:
    """Our template of a name. Raises `DiagnosticError` when there is none."""
    ours = catalogue(templates)
    if name not in ours:
        hint = suggest(name, ours) or "`templates list` prints all names"
        raise _refusal("unknown-template", f"there is no template `{name}`", hint)
    return ours[name]


def _read(folder: Path, name: str) -> str | None:
    path = _place(folder, f"{BASE}/{name}")
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        hint = f"delete it, and run `openresponses-codegen templates accept {name}`"
        raise _refusal("bad-snapshot", f"{path} cannot be read", hint) from None


def _place(folder: Path, name: str) -> Path:
    """A path in the folder, through no symbolic link."""
    path = folder
    for part in name.split("/"):
        path /= part
        if path.is_symlink():
            raise _refusal("bad-template", f"{path} is a symbolic link", "remove the link")
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise _refusal("not-writable", f"{path} cannot be written: {error.strerror}", None) from None


def _refusal(code: str, message: str, hint: str | None) -> DiagnosticError:
    return DiagnosticError([Diagnostic(code, message, hint=hint)])
