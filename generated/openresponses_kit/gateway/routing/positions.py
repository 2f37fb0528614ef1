"""YAML with positions: every value, and every key, knows its line and column.

Safe by what it reads: plain data only, and bounded in size, depth, values and aliases. Values are
never shown in an error: any of them may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import yaml

__all__ = ["ConfigError", "Document", "Fault", "Path", "compose"]

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: the keys and places that lead to it."""

_MOST_BYTES = 1024 * 1024
_MOST_DEPTH = 24
_MOST_VALUES = 50_000
_MOST_ALIASES = 200
_REFERENCE = re.compile(r"\$(?:\$\{|\{(?P<name>[^}]*)\})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "null"))
_TEXT = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "timestamp", "value"))


_COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_NO_TAG = "a tag of this kind is not read; write plain YAML"
_QUOTED = re.compile(r"'[^'<]{2,}'")
"""What a message of the library quotes: names of aliases, which may be values gone wrong."""
_TRUE = frozenset({"yes", "true", "on"})


class _Mark(Protocol):
    """A place in a file, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with a file, and where; lines and columns count from 1."""

    line: int
    column: int
    message: str


class ConfigError(ValueError):
    """A configuration cannot be used. The message has all that is wrong, one line each.

    Args:
        name: Name of the file.
        faults: What is wrong with it.
    """

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        lines = (f"{name}:{each.line}:{each.column}: {each.message}" for each in self.faults)
        super().__init__("\n".join(lines))


@dataclass(slots=True)
class Document:
    """A file as plain data, and where everything in it is."""

    data: Any = None
    faults: list[Fault] = field(default_factory=list[Fault])
    _values: dict[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])
    _keys: dict[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])
    _settled: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def fault(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Note what is wrong with a value, or with its key; else with what holds it."""
        places = (self._keys, self._values) if at_key else (self._values, self._keys)
        known = (where.get(path[:end]) for end in range(len(path), -1, -1) for where in places)
        line, column = next((place for place in known if place is not None), (1, 1))
        if (line, column) not in self._settled:
            self.faults.append(Fault(line, column, message))

    def settle(self) -> None:
        """Take nothing more where there is a fault by now: it would only come of that one."""
        self._settled = {(each.line, each.column) for each in self.faults}

    def mark(self, path: Path, mark: _Mark | None, *, is_key: bool = False) -> None:
        """Note where a value or its key is."""
        place = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        (self._keys if is_key else self._values)[path] = place


def compose(content: bytes, environment: Mapping[str, str]) -> Document:
    """Read YAML. What is wrong is among the faults of the document.

    Args:
        content: The file.
        environment: What `${NAME}` in a text stands for; `$${` is a `${` as it is.
    """
    document = Document()
    if len(content) > _MOST_BYTES:
        document.fault((), f"the file is larger than {_MOST_BYTES} bytes")
        return document
    try:
        node = _compose(content)
    except _BoundError as error:
        document.faults.append(_fault(error.mark, str(error)))
    except yaml.MarkedYAMLError as error:
        # The message of the library shows the line, which may hold a secret.
        reason = _QUOTED.sub("'…'", error.problem or "it cannot be read")
        document.faults.append(_fault(error.problem_mark, f"this is no YAML: {reason}"))
    except (yaml.YAMLError, UnicodeError):
        document.fault((), "this is no YAML in UTF-8")
    else:
        if node is not None:
            document.data = _Reader(document, environment).value(node, ())
    document.settle()
    return document


class _BoundError(Exception):
    """A file goes beyond a bound."""

    def __init__(self, message: str, mark: _Mark | None) -> None:
        super().__init__(message)
        self.mark = mark


def _fault(mark: _Mark | None, message: str) -> Fault:
    return Fault(1, 1, message) if mark is None else Fault(mark.line + 1, mark.column + 1, message)


def _compose(content: bytes) -> yaml.Node | None:
    """The nodes of a file. Its events are counted first: nothing is nested that is too deep."""
    depth = aliases = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > _MOST_DEPTH:
            raise _BoundError(f"it is nested deeper than {_MOST_DEPTH}", event.start_mark)
        if aliases > _MOST_ALIASES:
            raise _BoundError(f"it has more than {_MOST_ALIASES} aliases", event.start_mark)
    return yaml.compose(content, Loader=yaml.SafeLoader)


class _Reader:
    """Makes plain data of nodes."""

    def __init__(self, document: Document, environment: Mapping[str, str]) -> None:
        self._document = document
        self._environment = environment
        self._values = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of a node; None where it has none."""
        document = self._document
        self._values += 1
        document.mark(path, node.start_mark)
        if self._values > _MOST_VALUES or len(path) > _MOST_DEPTH:
            # Aliases may stand for more than the file has, and for what holds them.
            if self._values <= _MOST_VALUES + 1:
                document.fault(path, "its aliases stand for too much")
                self._values = _MOST_VALUES + 1
            return None
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            document.fault(path, _NO_TAG)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, place)) for place, each in enumerate(node.value)]
        return self._plain(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                self._document.faults.append(_fault(key.start_mark, "a key has to be a plain text"))
                continue
            name = str(key.value)
            below = (*path, name)
            if name in found:
                message = f"the key {name[:80]!r} is there twice"
                self._document.faults.append(_fault(key.start_mark, message))
                continue
            self._document.mark(below, key.start_mark, is_key=True)
            found[name] = self.value(value, below)
        return found

    def _plain(self, node: yaml.Node, path: Path) -> Any:
        if node.tag in _TEXT:
            return self._text(str(node.value), path)
        if node.tag in _PLAIN:
            try:
                return _constant(node.tag.rpartition(":")[2], str(node.value))
            except ValueError:
                self._document.fault(path, "this is no number; write it in decimal")
                return None
        self._document.fault(path, _NO_TAG)
        return None

    def _text(self, text: str, path: Path) -> str:
        """A text with what its references stand for."""

        def resolved(match: re.Match[str]) -> str:
            name = match["name"]
            if name is None:
                return "${"
            if not _NAME.fullmatch(name):
                message = "`${` has to be followed by the name of an environment variable and `}`"
                self._document.fault(path, message)
            elif name not in self._environment:
                message = f"the environment variable {name} is not set"
                self._document.fault(path, message)
            else:
                return self._environment[name]
            return ""

        return _REFERENCE.sub(resolved, text)


def _constant(kind: str, text: str) -> bool | int | float | None:
    """What is no text. Raises `ValueError` for forms of numbers that are not for people."""
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    return int(text) if kind == "int" else float(text)
