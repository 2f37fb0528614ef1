"""JSON and YAML documents as one kind of tree in which every key and every value knows where it was written.

JSON is read by RFC 8259 to the letter, YAML by the core schema of YAML 1.2.2 (section 10.3) and only as far
as it says what JSON can say: no tags that build objects, no merge keys, one document. Input is untrusted:
size, depth and number of nodes are bounded, and whatever is wrong ends in a `DiagnosticError` with one
diagnostic that gives the place, the reason and the way out.
"""

import codecs
import json
import re
import stat
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from math import isfinite
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final
from urllib.parse import quote

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, shown, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml import events

MAX_BYTES = 16 * 1024 * 1024
"""Size of a document."""

MAX_DEPTH = 128
"""Objects and arrays inside one another."""

MAX_NODES = 500_000
"""Values of a document, a YAML alias counting as all that it stands for."""

MAX_DIGITS = 4300
"""Characters of a number; Python itself refuses to convert longer integers."""

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
        return _refusal(code, self.position(offset), message, hint, pointer)


def _refusal(code: str, position: Position, message: str, hint: str, pointer: str | None = None) -> DiagnosticError:
    return DiagnosticError([Diagnostic(code, message, position=position, pointer=pointer, hint=hint)])


def _pointer(path: NodePath) -> str:
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

    def __init__(self, value: "Value", text: Text, offset: int, key_offset: int, path: NodePath) -> None:
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
        return _pointer(self.path)

    def get(self, key: str) -> "Node | None":
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

    def with_value(self, value: "Value") -> "Node":
        """Return a node that says it was written where this one was and has another value.

        Nodes inside `value` keep their own places, so that a document merged from two files points into both.
        """
        return Node(value, self.text, self.offset, self.key_offset, self.path)

    def plain(self) -> "Plain":
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


def load(path: Path) -> Node:
    """Read the JSON or YAML file at `path`, as `parse` does.

    Raises DiagnosticError as `parse` and `read` do.
    """
    return parse(read(path), str(path))


def read(path: Path) -> bytes:
    """The content of a document at `path`, at most `MAX_BYTES` of it.

    Raises DiagnosticError if there is no such file, it cannot be read, it is too large, or it is not a regular
    file (a pipe or a device might never end).
    """
    start = Position(str(path), 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
            raise _refusal("not-a-file", start, f"this is {what}, not a file", "name a JSON or YAML file")
        if status.st_size > MAX_BYTES:
            raise _too_large(start)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _refusal("not-found", start, "there is no such file", "check the path") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"the file cannot be read: {reason or error}"
        raise _refusal("not-readable", start, message, "check the path and its permissions") from None


def _too_large(start: Position) -> DiagnosticError:
    message = f"the document is larger than {MAX_BYTES // 1024**2} MiB"
    return _refusal("too-large", start, message, "split the document, or check that it is the right file")


def parse(text: bytes, name: str) -> Node:
    """Read a JSON or YAML document, UTF-8 with or without a byte order mark.

    `name` stands in diagnostics as the file. It decides the format, too: `.json` is JSON, `.yaml` and `.yml`
    are YAML; under any other name a document that begins with `{` or `[` is JSON.

    Raises DiagnosticError with the one problem that was met first.
    """
    start = Position(name, 1, 1)
    if len(text) > MAX_BYTES:
        raise _too_large(start)
    characters = _decoded(text, start)
    if not characters.strip(" \t\r\n"):
        raise _refusal("empty", start, "the document is empty", "write a JSON or YAML document into it")
    suffix = PurePath(name).suffix.lower()
    looks_like_json = characters.lstrip(" \t\r\n")[0] in "{["
    is_json = suffix == ".json" or (looks_like_json and suffix not in (".yaml", ".yml"))
    reader = _JsonReader if is_json else _YamlReader
    return reader(Text(characters, name)).document()


def _decoded(data: bytes, start: Position) -> str:
    hint = "save the document as UTF-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        raise _refusal("bad-encoding", start, "the document is UTF-16, UTF-32 or binary, not UTF-8", hint)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = Text(data[: error.start].decode(), start.file)
        message = f"the byte 0x{data[error.start]:02X} at offset {error.start} is not UTF-8"
        raise before.refusal("bad-encoding", len(before.characters), message, hint) from None


def _number(digits: str, base: int = 10) -> int | float | None:
    """Return the number, or None if it is infinite or longer than Python would read or, later, print."""
    if len(digits) > MAX_DIGITS:
        return None
    try:
        if base == _DECIMAL and not digits.lstrip("+-").isdecimal():
            number = float(digits)
            return number if isfinite(number) else None
        whole = int(digits, base)
        str(whole)  # a hexadecimal number may be short enough to read and too long to print
    except ValueError:
        return None
    return whole


def _bad_number(text: Text, offset: int) -> DiagnosticError:
    message = f"the number is infinite, not a number, or longer than {MAX_DIGITS} digits"
    return text.refusal("bad-number", offset, message, "write a smaller number, or a string")


def _lone_surrogate(text: Text, offset: int) -> DiagnosticError:
    message = "half of a surrogate pair is no character and cannot be written as UTF-8"
    return text.refusal("lone-surrogate", offset, message, "write the character itself")


@dataclass(slots=True)
class _Collection:
    """An object or array that is still open; `child_key` is the key whose value comes next."""

    children: dict[str, Node] | list[Node]
    offset: int
    key_offset: int
    path: NodePath
    anchor: str | None
    nodes_before: int
    height: int = 1
    child_key: str | None = None
    child_key_offset: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What a YAML anchor names: a node, how many nodes that is, and how many collections deep."""

    node: Node
    nodes: int
    height: int


class _Tree:
    """Makes nodes of what a reader meets, on a stack of its own, and keeps the limits of a document."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._root: Node | None = None
        self._nodes = 0
        self._open: list[_Collection] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._has_aliases = False

    def document(self) -> Node | None:
        """Return the root, once it is complete; no two places of it share a node."""
        if self._root is None or not self._has_aliases:
            return self._root
        return _unshared(self._root, self._root.key_offset, None)

    @property
    def inside(self) -> type | None:
        """What is open and takes the next value: `dict`, `list`, or None."""
        return type(self._open[-1].children) if self._open else None

    @property
    def awaits_key(self) -> bool:
        return self.inside is dict and self._open[-1].child_key is None

    def key(self, key: str, offset: int) -> None:
        parent = self._open[-1]
        if isinstance(parent.children, dict) and key in parent.children:
            first = self._text.position(parent.children[key].key_offset)
            message = f"the key `{shown(key, 80)}` stands twice in one object"
            hint = f"remove or rename one; the first is at {first}"
            pointer = _pointer((parent.path, key))
            raise self._text.refusal("duplicate-key", offset, message, hint, pointer)
        parent.child_key, parent.child_key_offset = key, offset

    def scalar(self, value: Scalar, offset: int, anchor: str | None = None) -> None:
        self._count(1, offset)
        node = Node(value, self._text, offset, *self._place(offset))
        self._add(node, 0)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, 1, 0)

    def open(self, children: dict[str, Node] | list[Node], offset: int, anchor: str | None = None) -> None:
        self._check_depth(1, offset)
        self._open.append(_Collection(children, offset, *self._place(offset), anchor, self._nodes))
        self._count(1, offset)
        if anchor is not None:
            self._anchors[anchor] = None  # until it is complete, an alias to it would be a circle

    def close(self) -> None:
        closed = self._open.pop()
        value = closed.children if isinstance(closed.children, dict) else tuple(closed.children)
        node = Node(value, self._text, closed.offset, closed.key_offset, closed.path)
        self._add(node, closed.height)
        if closed.anchor is not None:
            self._anchors[closed.anchor] = _Anchored(node, self._nodes - closed.nodes_before, closed.height)

    def alias(self, name: str, offset: int) -> None:
        """Add what `name` stands for once more.

        What is inside stays shared until the whole document is known to keep the limits: an alias bomb
        is refused before anything of it is copied.
        """
        if name not in self._anchors:
            hint = suggest(name, self._anchors) or "write the anchor before its first alias"
            raise self._text.refusal("yaml-alias", offset, f"there is no anchor `{shown(name, 80)}`", hint)
        anchored = self._anchors[name]
        if anchored is None:
            message = f"the alias `{shown(name, 80)}` stands inside what it stands for"
            raise self._text.refusal("yaml-alias", offset, message, "break the circle with a $ref")
        self._count(anchored.nodes, offset, "alias-bomb")
        self._check_depth(anchored.height, offset)
        self._has_aliases = True
        node = anchored.node
        self._add(Node(node.value, node.text, node.offset, *self._place(offset)), anchored.height)

    def _place(self, offset: int) -> tuple[int, NodePath]:
        """Return the key's offset, if there is a key, and the path of the value that begins at `offset`."""
        if not self._open:
            return offset, None
        parent = self._open[-1]
        if parent.child_key is not None:
            return parent.child_key_offset, (parent.path, parent.child_key)
        return offset, (parent.path, len(parent.children))

    def _add(self, node: Node, height: int) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if height >= parent.height:
            parent.height = height + 1
        if isinstance(parent.children, list):
            parent.children.append(node)
        elif parent.child_key is not None:
            parent.children[parent.child_key] = node
            parent.child_key = None

    def _count(self, nodes: int, offset: int, code: str = "too-large") -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"the document has more than {MAX_NODES:,} values"
            hint = "split the document; an alias counts as all that it stands for"
            raise self._text.refusal(code, offset, message, hint)

    def _check_depth(self, more: int, offset: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} objects and arrays stand inside one another"
            hint = "flatten the document, or move a part behind a $ref"
            raise self._text.refusal("too-deep", offset, message, hint)


def _unshared(node: Node, key_offset: int, path: NodePath) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {key: _unshared(child, child.key_offset, (path, key)) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_unshared(child, child.offset, (path, index)) for index, child in enumerate(value))
    return Node(value, node.text, node.offset, key_offset, path)


_BLANKS = re.compile(r"[ \t\n\r]*+")
_COLON = re.compile(r"[ \t\n\r]*+(:?)[ \t\n\r]*+")
_AFTER_VALUE = re.compile(r"[ \t\n\r]*+([,\]}]?)")
_SIMPLE_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_STRING_SO_FAR = re.compile(
    r"""(?x) " (?: [^"\\\x00-\x1f]++ | \\["\\/bfnrt] | \\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} )*+"""
)
_LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_JSON_SCALAR = re.compile(
    r"(?:(?P<word>true|false|null)|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)(?![\w$.+-])"
)
_JSON_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_FOUND_WORD = re.compile(r"[\w$.+-]+|.", re.DOTALL)
_NO_COMMENTS = "JSON has no comments: remove it, or write the document as YAML"
_JSON_HINTS: Final = {"'": "JSON takes double quotes only", "/": _NO_COMMENTS, "#": _NO_COMMENTS}
_SURPLUS_COMMA = "remove the surplus comma, or write what is missing"
_VALUE_HINTS: Final = (
    (re.compile(r"[,\]}]"), _SURPLUS_COMMA),
    (re.compile("[-+]?(NaN|Infinity)"), "JSON has no such number: write null, or a string"),
    (re.compile("[-+.]*[0-9]"), "a number has no plus, no needless zero, and digits around its point"),
    (re.compile(""), "write text in double quotes; the only words are true, false and null"),
)


class _JsonReader:
    """Reads one JSON text from left to right; `_at` is where it has come to."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._characters = text.characters
        self._at = 0
        self._tree = _Tree(text)

    def document(self) -> Node:
        self._step(_BLANKS)
        while (root := self._tree.document()) is None:
            if self._tree.awaits_key:
                self._key()
            opened = self._value()
            if not opened or self._next() in ("]", "}"):
                self._after_value()
        if self._at < len(self._characters):
            raise self._unexpected("the end of the document", "remove what follows the first value")
        return root

    def _next(self) -> str:
        return self._characters[self._at : self._at + 1]

    def _step(self, pattern: re.Pattern[str]) -> str:
        """Go behind what `pattern` finds here and return its last group, or nothing if it finds nothing."""
        found = pattern.match(self._characters, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[found.lastindex or 0]

    def _key(self) -> None:
        at = self._at
        found = self._next()
        if found != '"':
            hint = _SURPLUS_COMMA if found in (",", "]", "}") else "write the key in double quotes"
            raise self._unexpected("a key", hint)
        self._tree.key(self._string(), at)
        if not self._step(_COLON):
            raise self._unexpected("`:`", "write a colon between key and value")

    def _value(self) -> bool:
        """Read a scalar, or go into an object or array; return whether the latter."""
        at = self._at
        found = self._next()
        if found == '"':
            self._tree.scalar(self._string(), at)
        elif found in ("{", "["):
            self._tree.open({} if found == "{" else [], at)
            self._at += 1
            self._step(_BLANKS)
            return True
        else:
            self._tree.scalar(self._word_or_number(), at)
        return False

    def _after_value(self) -> None:
        """Go out of all that ends here; return behind the comma after which one more value must come."""
        while (inside := self._tree.inside) is not None:
            bracket = "}" if inside is dict else "]"
            found = self._step(_AFTER_VALUE)
            if found not in (",", bracket):
                self._at -= len(found)
                raise self._unexpected(f"`,` or `{bracket}`", "a comma or a closing bracket is missing")
            if found == ",":
                break
            self._tree.close()
        self._step(_BLANKS)

    def _string(self) -> str:
        found = _SIMPLE_STRING.match(self._characters, self._at)
        if found is None:
            return self._escaped_string()
        self._at = found.end()
        return found[1]

    def _escaped_string(self) -> str:
        found = _STRING_SO_FAR.match(self._characters, self._at)
        end = found.end() if found else self._at
        if self._characters[end : end + 1] != '"':
            raise self._broken_string(end)
        string: str = json.loads(self._characters[self._at : end + 1])
        self._at = end + 1
        return string

    def _broken_string(self, at: int) -> DiagnosticError:
        if _LONE_SURROGATE.match(self._characters, at):
            return _lone_surrogate(self._text, at)
        match self._characters[at : at + 1]:
            case "" | "\n" | "\r":
                at, message = self._at, "the string is not closed"
                hint = r"close it with a quote; a line break is written `\n`"
            case "\\":
                message = f"`{shown(self._characters[at : at + 2])}` is no escape of JSON"
                hint = r"write a backslash as `\\`, any other character as itself or as `\u` with four digits"
            case control:
                message = f"the control character U+{ord(control):04X} stands in a string"
                hint = rf"write it as `\u{ord(control):04x}`"
        return self._text.refusal("bad-json", at, message, hint)

    def _word_or_number(self) -> Scalar:
        at = self._at
        found = _JSON_SCALAR.match(self._characters, at)
        if found is None:
            hint = next(hint for pattern, hint in _VALUE_HINTS if pattern.match(self._characters, at))
            raise self._unexpected("a value", hint)
        self._at = found.end()
        if found.lastgroup:
            return _JSON_WORDS[found["word"]]
        number = _number(found[0])
        if number is None:
            raise _bad_number(self._text, at)
        return number

    def _unexpected(self, wanted: str, hint: str) -> DiagnosticError:
        found = _FOUND_WORD.match(self._characters, self._at)
        if found is None:
            message = f"expected {wanted}, but the document ends"
            hint = "the document is cut off, or a bracket is not closed"
        else:
            message = f"expected {wanted}, found `{shown(found[0], 40)}`"
            hint = _JSON_HINTS.get(found[0], hint)
        return self._text.refusal("bad-json", self._at, message, hint)


_NOT_YAML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Not printable (YAML 1.2.2, 5.1), or a line break or byte order mark to a parser of YAML 1.1 only."""

_DIRECTIVE = re.compile(r"%(?<![^\r\n]%)(?!YAML[ \t]+1\.2[ \t]*(?:#.*)?(?:[\r\n]|\Z))")
"""A line that begins with `%` and is not `%YAML 1.2`."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TAG_PREFIX = "tag:yaml.org,2002:"
_CORE_SCHEMA = re.compile(
    r"(?P<null>null|Null|NULL|~|)|(?P<bool>true|True|TRUE|false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]++|0o[0-7]++|0x[0-9a-fA-F]++)"
    r"|(?P<float>[-+]?(?:\.[0-9]++|[0-9]++(?:\.[0-9]*+)?)(?:[eE][-+]?[0-9]++)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_BASES: Final = {"0o": 8, "0x": 16}
_DECIMAL = 10
_QUOTE_IT = "put text that begins with this character in quotes"
_YAML_HINTS: Final = {"\t": "indent with spaces; YAML takes no tab here", "@": _QUOTE_IT, "`": _QUOTE_IT}


class _YamlReader:
    """Reads one YAML document from the parser's events."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._tree = _Tree(text)
        self._started = False

    def document(self) -> Node:
        self._check_characters()
        kinds = import_module("yaml.events")
        steps: dict[type, Callable[[Any], None]] = {
            kinds.DocumentStartEvent: self._start_document,
            kinds.MappingStartEvent: self._start_mapping,
            kinds.SequenceStartEvent: self._start_sequence,
            kinds.MappingEndEvent: self._end_collection,
            kinds.SequenceEndEvent: self._end_collection,
            kinds.ScalarEvent: self._scalar,
            kinds.AliasEvent: self._alias,
        }
        for event in _yaml_events(self._text):
            step = steps.get(type(event))
            if step is not None:
                step(event)
        root = self._tree.document()
        if root is None:
            hint = "write a JSON or YAML document into it"
            raise self._text.refusal("empty", 0, "the document has nothing but comments", hint)
        return root

    def _check_characters(self) -> None:
        found = _NOT_YAML.search(self._text.characters)
        if found is not None:
            message = f"YAML cannot hold the character U+{ord(found[0]):04X} as such"
            hint = "remove it, or write it as an escape in double quotes"
            raise self._text.refusal("bad-yaml", found.start(), message, hint)
        found = _DIRECTIVE.search(self._text.characters)
        if found is not None:
            message = "a line begins with `%`, and no directive but `%YAML 1.2` is read"
            hint = "remove the directive, or indent the line if it is text"
            raise self._text.refusal("yaml-directive", found.start(), message, hint)

    def _start_document(self, event: "events.DocumentStartEvent") -> None:
        if self._started:
            message, hint = "a second document begins here", "keep one document to a file"
            raise self._text.refusal("yaml-documents", _offset(event), message, hint)
        self._started = True

    def _start_mapping(self, event: "events.MappingStartEvent") -> None:
        self._start_collection(event, "map", {})

    def _start_sequence(self, event: "events.SequenceStartEvent") -> None:
        self._start_collection(event, "seq", [])

    def _start_collection(
        self, event: "events.CollectionStartEvent", tag: str, children: dict[str, Node] | list[Node]
    ) -> None:
        offset = _offset(event)
        if self._tree.awaits_key:
            raise self._bad_key(offset, "an object or array is no key")
        if event.tag not in (None, "!", _TAG_PREFIX + tag):
            raise self._bad_tag(event.tag, offset)
        self._tree.open(children, offset, event.anchor)

    def _end_collection(self, _: "events.CollectionEndEvent") -> None:
        self._tree.close()

    def _scalar(self, event: "events.ScalarEvent") -> None:
        offset = _offset(event)
        if not event.value.isascii() and _SURROGATE.search(event.value):
            raise _lone_surrogate(self._text, offset)
        if self._tree.awaits_key:
            self._key(event, offset)
            return
        self._tree.scalar(self._resolved(event, offset), offset, event.anchor)

    def _key(self, event: "events.ScalarEvent", offset: int) -> None:
        if event.anchor is not None:
            raise self._bad_key(offset, "a key has an anchor")
        if event.tag not in (None, "!", _TAG_PREFIX + "str"):
            raise self._bad_tag(event.tag, offset)
        if event.value == "<<" and not event.style and event.tag is None:
            hint = "write the members out, or `<<` in quotes if that is the name"
            raise self._text.refusal("yaml-merge", offset, "merge keys are not part of YAML 1.2", hint)
        self._tree.key(event.value, offset)

    def _resolved(self, event: "events.ScalarEvent", offset: int) -> Scalar:
        """Return the scalar's value by the core schema (YAML 1.2.2, 10.3.2)."""
        text, tag = event.value, event.tag
        if tag in ("!", _TAG_PREFIX + "str") or (tag is None and event.style):
            return text
        found = _CORE_SCHEMA.fullmatch(text)
        kind = found.lastgroup if found else None
        as_float = tag == _TAG_PREFIX + "float" and kind == "int"
        if tag is not None and tag != f"{_TAG_PREFIX}{kind}" and not as_float:
            raise self._bad_tag(tag, offset)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind is None:
            return text
        base = _BASES.get(text[:2], _DECIMAL)
        number = _number(text if base == _DECIMAL else text[2:], base)
        if number is None:
            raise _bad_number(self._text, offset)
        return float(number) if as_float else number

    def _alias(self, event: "events.AliasEvent") -> None:
        offset = _offset(event)
        if self._tree.awaits_key:
            raise self._bad_key(offset, "an alias is no key")
        self._tree.alias(event.anchor or "", offset)

    def _bad_key(self, offset: int, message: str) -> DiagnosticError:
        return self._text.refusal("yaml-key", offset, message, "write the key as plain or quoted text")

    def _bad_tag(self, tag: str | None, offset: int) -> DiagnosticError:
        message = f"the tag `{shown(tag or '', 80)}` does not fit here, or is not of the core schema"
        hint = "remove it; only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are read"
        return self._text.refusal("yaml-tag", offset, message, hint)


def _offset(event: "events.Event") -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _yaml_events(text: Text) -> "Iterator[events.Event]":
    """Parse with libyaml where PyYAML was built with it, else in Python; both give the same events."""
    yaml = import_module("yaml")  # only here, since a JSON document need not wait for it
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    last = 0
    try:
        for event in yaml.parse(text.characters, Loader=loader):
            last = _offset(event)
            yield event
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two for characters out of range
        mark = getattr(error, "problem_mark", None)
        offset = last if mark is None else min(mark.index, len(text.characters))
        reason = getattr(error, "problem", None) or "a character or number is out of range"
        context = getattr(error, "context", None)
        hint = _yaml_hint(text.characters[offset : offset + 1], reason)
        message = f"this is not YAML: {reason}" + (f" ({context})" if context else "")
        raise text.refusal("bad-yaml", offset, message, hint) from None


def _yaml_hint(found: str, reason: str) -> str:
    if found in _YAML_HINTS:
        return _YAML_HINTS[found]
    if "escape" in reason:
        return r"write the character itself, or `\U` with its eight hexadecimal digits"
    return "check indentation, brackets and quotes here; text with `: ` or ` #` inside needs quotes"
