"""The table `[tool.openresponses-codegen]` of the user's `pyproject.toml`.

Keys at its top are defaults; each table in `packages` is a package. Paths are relative to the file.
"""

from __future__ import annotations

import keyword
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, suggest
from openresponses_codegen.diff.rules import Severity, check_severities
from openresponses_codegen.output import MANIFEST
from openresponses_codegen.pipeline import COMPONENTS, STUBS, Options, with_foundations

TABLE = "openresponses-codegen"
FILE = "pyproject.toml"
MAX_BYTES = 1024 * 1024
_KEYS = (
    "spec", "output", "package", "components", "lenient", "extensions", "overlays", "templates", "own", "stubs",
    "severities",
)  # fmt: skip


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
    severities: Mapping[str, Severity] | None = None
    """Those of rules of `diff`, by id."""

    def over(self, base: Target) -> Target:
        """This target, with another's values where it has none."""
        values = {name: getattr(self, name) for name in _KEYS}
        return replace(base, **{name: value for name, value in values.items() if value is not None})

    def options(self) -> Options:
        """What to make. Raises `DiagnosticError` when the package has no usable name."""
        components = self.components or tuple(COMPONENTS)
        return Options(
            self._package(),
            tuple(name for name in COMPONENTS if name in components),
            self.lenient or False,
            self.templates,
            self.own or (),
            self.stubs or (),
        )

    def folder(self) -> Path:
        """Where to make it. Raises `DiagnosticError` when nothing says so."""
        if self.output is None:
            hint = f"give `--output DIR`, or set `output` in [tool.{TABLE}] of {FILE}"
            raise DiagnosticError([Diagnostic("no-output", "no output folder is given", hint=hint)])
        if "\0" in str(self.output):
            raise DiagnosticError([Diagnostic("bad-output", "the output folder's name holds a null byte")])
        return self.output

    def _package(self) -> str:
        name = self.package or self.folder().absolute().name
        parts = name.split(".")
        if all(part.isidentifier() and part.isascii() and not keyword.iskeyword(part) for part in parts):
            return name
        raise DiagnosticError(
            [
                Diagnostic(
                    "bad-package",
                    f"`{name}` is no import name",
                    hint="give one with `--package`, such as `myapp.openresponses`",
                )
            ]
        )


def check_components(names: list[str], where: str, position: Position | None = None) -> tuple[str, ...]:
    """The names of components, each of which has to exist, and of those that they build on."""
    for name in names:
        if name not in COMPONENTS:
            hint = suggest(name, COMPONENTS) or f"there are {', '.join(COMPONENTS)}"
            message = f"{where}: `{name}` is no component"
            raise DiagnosticError([Diagnostic("unknown-component", message, position=position, hint=hint)])
    return with_foundations(names)


def check_stubs(names: list[str], where: str, position: Position | None = None) -> tuple[str, ...]:
    """The names of stubs, each of which has to exist."""
    for name in names:
        if name not in STUBS:
            hint = suggest(name, STUBS) or f"there are {', '.join(STUBS)}"
            raise DiagnosticError(
                [Diagnostic("unknown-stub", f"{where}: `{name}` is no stub", position=position, hint=hint)]
            )
    return tuple(dict.fromkeys(names))


def check_own(patterns: list[str], where: str, position: Position) -> tuple[str, ...]:
    """Patterns of files in the package's folder; none may lead out of it."""
    for pattern in patterns:
        if pattern.startswith("/") or "\\" in pattern or ".." in pattern.split("/") or pattern == MANIFEST:
            message = f"{where}: `{pattern}` is no file that can be yours in the package's folder"
            hint = "give paths relative to `output`, such as `service.py` or `tools/*.py`"
            raise DiagnosticError([Diagnostic("bad-own", message, position=position, hint=hint)])
    return tuple(dict.fromkeys(patterns))


_CHECKS: Mapping[str, Callable[[list[str], str, Position], tuple[str, ...]]] = {
    "components": check_components,
    "own": check_own,
    "stubs": check_stubs,
}


def find_config(start: Path) -> Path | None:
    """The nearest `pyproject.toml` with our table, in a folder or above it."""
    for folder in [start, *start.parents]:
        path = folder / FILE
        if path.is_file() and f"tool.{TABLE}".encode() in _read(path):
            return path
    return None


def load_config(path: Path) -> tuple[Target, ...]:
    """The targets of a file. Raises `DiagnosticError` for what is wrong in it."""
    try:
        document = tomllib.loads(_read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(path, "", str(error), None) from None
    tools: object = document.get("tool", {})
    table: object = cast("dict[str, Any]", tools).get(TABLE, {}) if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        raise _refusal(path, "", "a table is needed", None)
    content = cast("dict[str, Any]", table)
    packages: object = content.get("packages")
    defaults = _target(path, {key: value for key, value in content.items() if key != "packages"}, "")
    if packages is None:
        return (defaults,)
    if not isinstance(packages, list) or not packages:
        raise _refusal(path, "packages", "a list of tables is needed", None)
    return tuple(
        _target(path, each, f"packages[{index}]").over(defaults)
        for index, each in enumerate(cast("list[object]", packages))
    )


def _target(path: Path, table: object, where: str) -> Target:
    if not isinstance(table, dict):
        raise _refusal(path, where, "a table is needed", None)
    values: dict[str, Any] = {}
    for key, value in cast("dict[str, object]", table).items():
        place = f"{where}.{key}" if where else key
        if key not in _KEYS:
            hint = suggest(key, [*_KEYS, "packages"]) or f"known here: {', '.join(_KEYS)}"
            raise _refusal(path, place, "this key is not known", hint)
        values[key] = _value(path, place, key, value)
    return Target(**values)


def _value(path: Path, place: str, key: str, value: object) -> object:
    match key:
        case "components" | "own" | "stubs":
            return _CHECKS[key](_strings(path, place, value), place, Position(str(path), 1, 1))
        case "severities":
            if isinstance(value, dict):
                return check_severities(cast("dict[str, object]", value), place, Position(str(path), 1, 1))
            raise _refusal(path, place, "a table is needed", None)
        case "extensions" | "overlays":
            return tuple(_spec(path, each) for each in _strings(path, place, value))
        case "lenient":
            if isinstance(value, bool):
                return value
            raise _refusal(path, place, "true or false is needed", None)
        case _ if not isinstance(value, str) or not value:
            raise _refusal(path, place, "a string is needed", None)
        case "output" | "templates":
            return path.parent / value
        case "spec":
            return _spec(path, value)
        case _:
            return value


def _strings(path: Path, place: str, value: object) -> list[str]:
    if isinstance(value, list) and all(isinstance(each, str) and each for each in cast("list[object]", value)):
        return cast("list[str]", value)
    raise _refusal(path, place, "a list of names is needed", None)


def _spec(path: Path, value: str) -> str:
    """A document that the file names: a path relative to the file, or a bundled name as it is."""
    is_path = "/" in value or "\\" in value or value.endswith((".json", ".yaml", ".yml"))
    return str(path.parent / value) if is_path else value


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(path, "", f"it is larger than {MAX_BYTES:,} bytes", None)
        return path.read_bytes()
    except OSError as error:
        raise _refusal(path, "", f"it cannot be read: {error.strerror}", None) from None


def _refusal(path: Path, place: str, reason: str, hint: str | None) -> DiagnosticError:
    where = f"[tool.{TABLE}] {place}".rstrip()
    return DiagnosticError(
        [Diagnostic("bad-config", f"{where}: {reason}", position=Position(str(path), 1, 1), hint=hint)]
    )
