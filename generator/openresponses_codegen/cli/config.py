"""The table `[tool.openresponses-codegen]` of the user's `pyproject.toml`.

Keys at its top are defaults; each table in `packages` is a package. Paths are relative to the file.
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from openresponses_codegen.cli import toml_places
from openresponses_codegen.components import COMPONENTS, with_foundations
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, suggest
from openresponses_codegen.diff.rules import Severity, check_severities
from openresponses_codegen.output import MANIFEST
from openresponses_codegen.pipeline import (
    STUBS,
    Distribution,
    Options,
)

Given = TypeVar("Given")
Checked = TypeVar("Checked")
TABLE = "openresponses-codegen"
FILE = "pyproject.toml"
MAX_BYTES = 1024 * 1024
PACKAGINGS = ("module", "distribution")
_KEYS = (
    *("spec", "output", "package", "components", "lenient", "extensions", "overlays", "templates", "own", "stubs"),
    *("packaging", "distribution", "revision", "licence", "severities", "base"),
)
_PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "distribution": (
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z"),
        "letters, digits, `.`, `_` and `-`, such as `acme-openresponses`",
    ),
    "licence": (
        re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*\Z"),
        "an SPDX expression, such as `MIT` or `LicenseRef-Acme`",
    ),
}
"""What a text has to look like, and how to say it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One package to make: from what, into which folder, and how. None stands for the default."""

    spec: str | None = None
    output: Path | None = None
    package: str | None = None
    components: tuple[str, ...] | None = None
    lenient: bool | None = None
    extensions: tuple[str, ...] | None = None
    overlays: tuple[str, ...] | None = None
    templates: Path | None = None
    own: tuple[str, ...] | None = None
    stubs: tuple[str, ...] | None = None
    packaging: str | None = None
    distribution: str | None = None
    revision: int | None = None
    licence: str | None = None
    severities: Mapping[str, Severity] | None = None
    """Those of rules of `diff`, by id."""
    base: str | None = None
    """The installed package that only what extensions add is wanted for."""

    def over(self, base: Target) -> Target:
        """This target, with another's values where it has none."""
        values = {name: getattr(self, name) for name in _KEYS}
        return replace(base, **{name: value for name, value in values.items() if value is not None})

    def options(self) -> Options:
        """What to make. Raises `DiagnosticError` when the package has no usable name."""
        components = self.components or tuple(COMPONENTS)
        return Options(
            self.package_name(),
            tuple(name for name in COMPONENTS if name in components),
            self.lenient or False,
            self.templates,
            self.own or (),
            self.stubs or (),
            self._distribution(),
            self._base(),
        )

    def _base(self) -> str:
        if self.base is None:
            return ""
        if self.templates is not None or self.stubs or self.packaging == "distribution":
            message = "an add-on is a folder of our own files: it has no templates of yours, no stubs, no distribution"
            hint = "leave out these options with `--extension-only`"
            raise DiagnosticError([Diagnostic("no-addon", message, hint=hint)])
        if is_import_name(self.base):
            return self.base
        hint = "give the one of the installed package, such as `openresponses_kit`"
        raise DiagnosticError([Diagnostic("bad-base", f"`{self.base}` is no import name", hint=hint)])

    def _distribution(self) -> Distribution | None:
        if self.packaging != "distribution":
            return None
        name = self.distribution or re.sub(r"[._]+", "-", self.package_name().strip("_"))
        packed = Distribution(name, self.revision or 0)
        return packed if self.licence is None else replace(packed, licence=self.licence)

    def folder(self) -> Path:
        """Where to make it. Raises `DiagnosticError` when nothing says so."""
        if self.output is None:
            hint = f"give `--output DIR`, or set `output` in [tool.{TABLE}] of {FILE}"
            raise DiagnosticError([Diagnostic("no-output", "no output folder is given", hint=hint)])
        if "\0" in str(self.output):
            raise DiagnosticError([Diagnostic("bad-output", "the output folder's name holds a null byte")])
        return self.output

    def package_name(self) -> str:
        """The import name. Raises `DiagnosticError` when the folder's name, which is the default, is none."""
        if self.package is not None and is_import_name(self.package):
            return self.package
        name = self.package or self.folder().absolute().name
        name = name.replace("-", "_") if self.package is None and self.packaging == "distribution" else name
        if is_import_name(name):
            return name
        hint = "give one with `--package`, such as `myapp.openresponses`"
        raise DiagnosticError([Diagnostic("bad-package", f"`{name}` is no import name", hint=hint)])


def is_import_name(name: str) -> bool:
    """Whether a package can be imported by the name."""
    parts = name.split(".")
    return all(part.isidentifier() and part.isascii() and not keyword.iskeyword(part) for part in parts)


def check_components(names: list[str], where: str) -> tuple[str, ...]:
    """The names of components, each of which has to exist, and of those that they build on."""
    for name in names:
        if name not in COMPONENTS:
            hint = suggest(name, COMPONENTS) or f"there are {', '.join(COMPONENTS)}"
            message = f"{where}: `{name}` is no component"
            raise DiagnosticError([Diagnostic("unknown-component", message, hint=hint)])
    return with_foundations(names)


def check_stubs(names: list[str], where: str) -> tuple[str, ...]:
    """The names of stubs, each of which has to exist."""
    for name in names:
        if name not in STUBS:
            hint = suggest(name, STUBS) or f"there are {', '.join(STUBS)}"
            raise DiagnosticError([Diagnostic("unknown-stub", f"{where}: `{name}` is no stub", hint=hint)])
    return tuple(dict.fromkeys(names))


def check_own(patterns: list[str], where: str) -> tuple[str, ...]:
    """Patterns of files in the package's folder; none may lead out of it."""
    for pattern in patterns:
        if pattern.startswith("/") or "\\" in pattern or ".." in pattern.split("/") or pattern == MANIFEST:
            message = f"{where}: `{pattern}` is no file that can be yours in the package's folder"
            hint = "give paths relative to `output`, such as `service.py` or `tools/*.py`"
            raise DiagnosticError([Diagnostic("bad-own", message, hint=hint)])
    return tuple(dict.fromkeys(patterns))


def find_config(start: Path) -> Path | None:
    """The nearest `pyproject.toml` with our table, in a folder or above it."""
    for folder in [start, *start.parents]:
        path = folder / FILE
        if path.is_file() and _has_table(_read(path)):
            return path
    return None


def _has_table(content: bytes) -> bool:
    """Whether a file has our table; one that is no TOML has it where it looks so, and is refused when it is read."""
    if TABLE.encode() not in content:
        return False
    try:
        document: dict[str, Any] = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return f"tool.{TABLE}".encode() in content
    tools: object = document.get("tool")
    return isinstance(tools, dict) and TABLE in cast("dict[str, object]", tools)


def load_config(path: Path) -> tuple[Target, ...]:
    """The targets of a file. Raises `DiagnosticError` for what is wrong in it."""
    top = _Key(_File(path, _read(path)), ())
    tools: object = top.file.document().get("tool", {})
    table: object = cast("dict[str, Any]", tools).get(TABLE, {}) if isinstance(tools, dict) else None
    content = _table(top, table)
    packages: object = content.get("packages")
    defaults = _target(top, {key: value for key, value in content.items() if key != "packages"})
    if packages is None:
        return (defaults,)
    listed = top.below("packages")
    if not isinstance(packages, list) or not packages:
        listed.refuse("a list of tables is needed")
    return tuple(
        _target(listed.below(index), each).over(defaults) for index, each in enumerate(cast("list[object]", packages))
    )


class _File:
    """A configuration file, and where things stand in it."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self._content = content

    def document(self) -> dict[str, Any]:
        """What the file says."""
        try:
            return tomllib.loads(self._content.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            stated = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line, column = map(int, stated.groups()) if stated else (1, 1)
            raise _refusal(Position(str(self.path), line, column), "", str(error), None) from None

    @cached_property
    def places(self) -> Mapping[toml_places.Path, toml_places.Place]:
        """Where each key stands; looked up only for errors."""
        try:
            return toml_places.places(self._content.decode())
        except RecursionError:
            return {}


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of our table, by its path in it."""

    file: _File
    path: toml_places.Path

    def below(self, part: str | int) -> _Key:
        """A key or an element in it."""
        return _Key(self.file, (*self.path, part))

    def __str__(self) -> str:
        """The key as it is spoken of: `packages[0].lenient`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).removeprefix(".")

    @property
    def position(self) -> Position:
        """Where it stands, or the table around it where that cannot be told."""
        line, column = toml_places.nearest(self.file.places, ("tool", TABLE, *self.path))
        return Position(str(self.file.path), line, column)

    def checked(self, check: Callable[[Given, str], Checked], value: Given) -> Checked:
        """The value after a check, whose errors get the key's place."""
        try:
            return check(value, str(self))
        except DiagnosticError as error:
            raise DiagnosticError([replace(each, position=self.position) for each in error.diagnostics]) from None

    def refuse(self, reason: str, hint: str | None = None) -> NoReturn:
        """Raise `DiagnosticError`: the key cannot be used."""
        raise _refusal(self.position, str(self), reason, hint)


def _table(key: _Key, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        key.refuse("a table is needed")
    return cast("dict[str, object]", value)


def _target(where: _Key, table: object) -> Target:
    values: dict[str, Any] = {}
    for name, value in _table(where, table).items():
        key = where.below(name)
        if name not in _KEYS:
            key.refuse(
                "this key is not known", suggest(name, [*_KEYS, "packages"]) or f"known here: {', '.join(_KEYS)}"
            )
        values[name] = _value(key, name, value)
    return Target(**values)


def _value(key: _Key, name: str, value: object) -> object:
    folder = key.file.path.parent
    match name:
        case "components":
            return key.checked(check_components, _strings(key, value))
        case "own":
            return key.checked(check_own, _strings(key, value))
        case "stubs":
            return key.checked(check_stubs, _strings(key, value))
        case "severities":
            return key.checked(check_severities, _table(key, value))
        case "extensions" | "overlays":
            return tuple(_spec(folder, each) for each in _strings(key, value))
        case "lenient":
            return value if isinstance(value, bool) else key.refuse("true or false is needed")
        case "revision":
            is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            return value if is_number else key.refuse("a whole number is needed, from 0")
        case _:
            return _text(key, name, value)


def _text(key: _Key, name: str, value: object) -> object:
    """The value of a key that is a text."""
    if not isinstance(value, str) or not value:
        key.refuse("a string is needed")
    match name:
        case "output" | "templates":
            return key.file.path.parent / value if "\0" not in value else key.refuse("it holds a null byte")
        case "spec":
            return _spec(key.file.path.parent, value)
        case "package" | "base":
            hint = "give an import name, such as `myapp.openresponses`"
            return value if is_import_name(value) else key.refuse(f"`{value}` is no import name", hint)
        case "packaging":
            hint = suggest(value, PACKAGINGS) or f"there are {', '.join(PACKAGINGS)}"
            return value if value in PACKAGINGS else key.refuse(f"`{value}` is no packaging", hint)
        case _:
            pattern, needed = _PATTERNS[name]
            return value if pattern.match(value) else key.refuse(f"`{value}` cannot be used", f"it takes {needed}")


def _strings(key: _Key, value: object) -> list[str]:
    if not isinstance(value, list):
        key.refuse("a list of names is needed")
    for index, each in enumerate(cast("list[object]", value)):
        if not isinstance(each, str) or not each:
            key.below(index).refuse("a list of names is needed")
    return cast("list[str]", value)


def _spec(folder: Path, value: str) -> str:
    """A document that the file names: a path relative to the file, or a bundled name as it is."""
    is_path = "/" in value or "\\" in value or value.endswith((".json", ".yaml", ".yml"))
    return str(folder / value) if is_path else value


def _read(path: Path) -> bytes:
    start = Position(str(path), 1, 1)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(start, "", f"it is larger than {MAX_BYTES:,} bytes", None)
        return path.read_bytes()
    except OSError as error:
        raise _refusal(start, "", f"it cannot be read: {error.strerror}", None) from None


def _refusal(position: Position, key: str, reason: str, hint: str | None) -> DiagnosticError:
    where = f"[tool.{TABLE}] {key}".rstrip()
    return DiagnosticError([Diagnostic("bad-config", f"{where}: {reason}", position=position, hint=hint)])
