"""A user's folder of templates: read whole, and checked before anything is rendered."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from jinja2 import nodes

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, Severity, suggest
from openresponses_codegen.overrides.catalogue import CONTEXT_VERSION, SUFFIX, Original, catalogue

EXTRA = "extra/"
"""Files below it are rendered, or copied, to the same path in the package."""
MACROS = "macros/"
"""Files below it are there to be imported or included by others."""
MAX_FILES = 500
MAX_BYTES = 1024 * 1024
_CONTEXT = re.compile(r"\s*\{#-?\s*context:\s*(?P<version>\d{1,6})\s*-?#\}")
_TARGET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z", re.ASCII)
_NOT_OURS = {"README.md"}


@dataclass(frozen=True, slots=True)
class Override:
    """A file of the user's folder, under the name of the template that it stands for."""

    name: str
    text: str
    extends: bool = False
    """Whether it extends ours, and so changes blocks only."""
    blocks: tuple[str, ...] = ()
    """The blocks of ours that it changes."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """The templates of a user, by name."""

    folder: str
    files: Mapping[str, Override] = field(default_factory=dict[str, Override])
    findings: tuple[Diagnostic, ...] = ()
    """What is to be said about them, none of it an error."""

    @property
    def digest(self) -> str:
        """The digest of all of them, by name and content."""
        parts = (f"{name} {hashlib.sha256(each.text.encode()).hexdigest()}\n" for name, each in self.files.items())
        return f"sha256:{hashlib.sha256(''.join(parts).encode()).hexdigest()}"

    @property
    def summary(self) -> dict[str, tuple[str, ...]]:
        """The name of each, and the blocks that it changes; none where it replaces the whole."""
        return {name: each.blocks for name, each in self.files.items()}

    def path(self, name: str) -> str:
        """Where a file of the user lies."""
        return str(Path(self.folder, name))


NONE = Overrides("")


def read_overrides(folder: Path, templates: Path) -> Overrides:
    """The templates in a user's folder. Raises `DiagnosticError` with everything that is wrong with them."""
    ours = catalogue(templates)
    found: dict[str, Override] = {}
    findings: list[Diagnostic] = []
    for name, path in _paths(folder):
        try:
            findings += _check_name(folder, name, ours)
            override = _override(folder, name, _text(path), ours)
            found[name] = override
            findings += _context_findings(folder, override)
        except DiagnosticError as error:
            findings += error.diagnostics
    if any(each.severity is Severity.ERROR for each in findings):
        raise DiagnosticError(findings)
    return Overrides(str(folder), dict(sorted(found.items())), tuple(findings))


def _paths(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file of the folder by its name, hidden ones left out. No link is followed."""
    if not folder.is_dir():
        raise _refusal("no-templates", str(folder), "there is no such folder of templates")
    count = 0
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for entry in [*folders, *sorted(each for each in files if not each.startswith("."))]:
            path = Path(base, entry)
            if path.is_symlink():
                raise _refusal("bad-template", str(path), "it is a symbolic link", "put the file itself there")
            count += 1
            if count > MAX_FILES:
                raise _refusal("bad-template", str(folder), f"it has more than {MAX_FILES} files and folders")
            if path.is_file() and path.relative_to(folder).as_posix() not in _NOT_OURS:
                yield path.relative_to(folder).as_posix(), path


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal("bad-template", str(path), f"it is larger than {MAX_BYTES:,} bytes")
        return path.read_bytes().decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _refusal("bad-template", str(path), "it is not UTF-8") from None
    except OSError as error:
        raise _refusal("bad-template", str(path), f"it cannot be read: {error.strerror}") from None


def _check_name(folder: Path, name: str, ours: Mapping[str, Original]) -> Iterator[Diagnostic]:
    place = Position(str(folder / name), 1, 1)
    if name in ours:
        return
    if name.startswith("models/"):
        message = f"`{name}` is a template of datamodel-code-generator's, which no sandbox holds"
        hint = "extend the blocks `definition` and `class_body` of core/models.py.jinja in its place"
        yield Diagnostic("fixed-template", message, position=place, hint=hint)
    elif name.startswith((EXTRA, MACROS)):
        if not _TARGET.match(name):
            yield Diagnostic("bad-template", f"`{name}` is no path that a package can have", position=place)
    else:
        other = name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else f"{name}{SUFFIX}"
        similar = f"did you mean `{other}`?" if other in ours else suggest(name, ours)
        hint = similar or f"see `templates list`; files of your own go below {EXTRA} or {MACROS}"
        yield Diagnostic("unknown-template", f"`{name}` is no template of ours", position=place, hint=hint)


def _override(folder: Path, name: str, text: str, ours: Mapping[str, Original]) -> Override:
    """What a file changes of ours. Raises `DiagnosticError` when it is no template, or changes what is not there."""
    if not name.endswith(SUFFIX):
        return Override(name, text)
    path = str(folder / name)
    try:
        tree = jinja2.Environment(autoescape=jinja2.select_autoescape()).parse(text)
    except jinja2.TemplateSyntaxError as error:
        raise _refusal("template-syntax", path, error.message or "it is no template", line=error.lineno) from None
    parents = list(tree.find_all(nodes.Extends))
    if not parents or name not in ours:
        return Override(name, text)
    parent = parents[0].template
    if len(parents) > 1 or not isinstance(parent, nodes.Const) or parent.value != name:
        hint = f'write {{% extends "{name}" %}}'
        raise _refusal("bad-extends", path, "a template extends ours of the same name only", hint, parents[0].lineno)
    findings = [*_block_findings(path, tree, ours[name]), *_stray_text(path, tree)]
    if findings:
        raise DiagnosticError(findings)
    return Override(name, text, True, tuple(block.name for block in tree.find_all(nodes.Block)))


def _block_findings(path: str, tree: nodes.Template, original: Original) -> Iterator[Diagnostic]:
    blocks = original.blocks
    for block in tree.find_all(nodes.Block):
        if block.name not in blocks:
            hint = suggest(block.name, blocks) or f"there are {', '.join(blocks)}"
            message = f"{original.name} has no block `{block.name}`"
            yield Diagnostic("unknown-block", message, position=Position(path, block.lineno, 1), hint=hint)


def _stray_text(path: str, tree: nodes.Template) -> Iterator[Diagnostic]:
    """Jinja drops what stands between the blocks of a template that extends another, without a word."""
    for node in tree.body:
        if isinstance(node, nodes.Output) and not all(
            isinstance(each, nodes.TemplateData) and not each.data.strip() for each in node.nodes
        ):
            message = "this stands outside of every block, and would never be printed"
            yield Diagnostic("stray-text", message, position=Position(path, node.lineno, 1), hint="put it in a block")


def _context_findings(folder: Path, override: Override) -> Iterator[Diagnostic]:
    stated = _CONTEXT.match(override.text) if override.name.endswith(SUFFIX) else None
    version = int(stated["version"]) if stated else CONTEXT_VERSION
    if version == CONTEXT_VERSION:
        return
    position = Position(str(folder / override.name), 1, 1)
    message = f"the template was written for context {version}; this generator gives context {CONTEXT_VERSION}"
    if version > CONTEXT_VERSION:
        yield Diagnostic("template-context", message, position=position, hint="use a newer generator")
        return
    hint = "read in templates/README.md what changed, then state the new number"
    yield Diagnostic("template-context", message, Severity.WARNING, position, hint=hint)


def _refusal(code: str, path: str, reason: str, hint: str | None = None, line: int = 1) -> DiagnosticError:
    return DiagnosticError([Diagnostic(code, reason, position=Position(path, line, 1), hint=hint)])
