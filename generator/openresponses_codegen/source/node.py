"""What a document is read into: its text, and values that know where in it they were written.

A place is a line and column of the text and an RFC 6901 pointer to the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeAlias, final
from urllib.parse import quote

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position

NodePath: TypeAlias = "tuple[NodePath, str | int] | None"
"""Where a node is in its document: the way to its parent, and its key or index there; None is the root."""

_BLOCK = 4096  # characters between two known line numbers


@final
class Text:
    """The characters of a document and the file name that they are known by."""

    __slots__ = ("_lines_before", "characters", "file")

    def __init__(self, characters: str, file: str) -> None:
        """Take the characters without a byte order mark, and the name to show."""
        self.characters: Final = characters
        self.file: Final = file
        self._lines_before: list[int] | None = None  # each block; a table of all lines could fill the memory

    def position(self, offset: int) -> Position:
        """Return the line and column of the character at `offset`; lines end with LF or CR LF."""
        text = self.characters
        if self._lines_before is None:
            starts = range(0, len(text) + 1, _BLOCK)
            counts = (text.count("\n", at, at + _BLOCK) for at in starts)
            self._lines_before = list(accumulate(counts, initial=0))
        block = offset // _BLOCK
        line = self._lines_before[block] + text.count("\n", block * _BLOCK, offset) + 1
        return Position(self.file, line, offset - text.rfind("\n", 0, offset))

    def refusal(self, code: str, offset: int, message: str, hint: str, pointer: str | None = None) -> DiagnosticError:
        """Return an error at `offset`, to be raised."""
        return refusal(code, self.position(offset), message, hint, pointer)


def refusal(code: str, position: Position, message: str, hint: str, pointer: str | None = None) -> DiagnosticError:
    """Return an error at `position`, to be raised: one diagnostic."""
    return DiagnosticError([Diagnostic(code, message, position=position, pointer=pointer, hint=hint)])


def pointer_to(path: NodePath) -> str:
    """Return the path as an RFC 6901 pointer in its URI fragment form (section 6), which is plain ASCII."""
    segments: list[str] = []
    while path is not None:
        path, key = path
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        segments.append("/" + quote(escaped, safe="!$&'()*+,;=:@?~"))
    return "#" + "".join(reversed(segments))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key of an object was written, and the pointer to its value."""

    position: Position
    pointer: str


@final
class Node:
    """One value of a document with the place where it was written; `load` and `parse` make them.

    `value` is what JSON has: an object is a dict in the order of the document, an array a tuple. It is not to
    be modified; `with_value` gives a changed node.

    `offset` is where the value begins in `text`, and `key_offset` where its key does, counted in characters;
    what is no member of an object has its own offset for both.
    """

    __slots__ = ("key_offset", "offset", "path", "text", "value")

    def __init__(self, value: Value, text: Text, offset: int, key_offset: int, path: NodePath) -> None:
        """Take the value, the text it stands in, its offset there, that of its key, and its path."""
        self.value: Final = value
        self.text: Final = text
        self.offset: Final = offset
        self.key_offset: Final = key_offset
        self.path: Final = path

    def __repr__(self) -> str:
        """Return the kind of value and the place, for debugging."""
        return f"<{self.kind} at {self.position} {self.pointer}>"

    @property
    def kind(self) -> str:
        """The JSON Schema type: `object`, `array`, `string`, `number`, `integer`, `boolean` or `null`.

        A number written with a fraction or an exponent is a `number`, whatever its value.
        """
        return _KINDS[type(self.value)]

    @property
    def position(self) -> Position:
        """Where the value begins; what a YAML alias stands for was written at its anchor."""
        return self.text.position(self.offset)

    @property
    def pointer(self) -> str:
        """The RFC 6901 pointer to the value as URI fragment; `#` is the whole document."""
        return pointer_to(self.path)

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, or None if it is absent or this is no object."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def key_position(self, key: str) -> Position:
        """Return where `key` of this object was written; raise KeyError if it has no such key."""
        return self.at_key(key).position

    def at_key(self, key: str) -> Place:
        """Return the place of `key` of this object for a diagnostic; raise KeyError if it has no such key."""
        child = self.get(key)
        if child is None:
            raise KeyError(key)
        return Place(child.text.position(child.key_offset), child.pointer)

    def with_value(self, value: Value) -> Node:
        """Return a node that says it was written where this one was and has another value.

        Nodes inside `value` keep their own places, so that a document merged from two files points into both.
        """
        return Node(value, self.text, self.offset, self.key_offset, self.path)

    def plain(self) -> Plain:
        """Return the value as fresh dicts, lists, strings, numbers, booleans and None."""
        value = self.value
        if isinstance(value, dict):
            return {key: child.plain() for key, child in value.items()}
        if isinstance(value, tuple):
            return [child.plain() for child in value]
        return value


Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = dict[str, Node] | tuple[Node, ...] | Scalar
Plain: TypeAlias = "dict[str, Plain] | list[Plain] | Scalar"

_KINDS: Final[dict[type, str]] = {
    dict: "object",
    tuple: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
