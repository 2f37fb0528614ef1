"""Reads JSON by RFC 8259 to the letter: no comments, no surplus commas, no NaN, no half of a surrogate pair.

It goes from left to right and does not recurse, so that no nesting exhausts Python's stack.
"""

from __future__ import annotations

import json
import re
from typing import Final, final

from openresponses_codegen.diagnostics import DiagnosticError, shown
from openresponses_codegen.source.node import Node, Scalar, Text
from openresponses_codegen.source.scalars import bad_number, lone_surrogate, number_of
from openresponses_codegen.source.tree import Tree

_BLANKS = re.compile(r"[ \t\n\r]*+")
_COLON = re.compile(r"[ \t\n\r]*+(:?)[ \t\n\r]*+")
_AFTER_VALUE = re.compile(r"[ \t\n\r]*+([,\]}]?)")
_SIMPLE_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_STRING_SO_FAR = re.compile(
    r"""(?x) " (?: [^"\\\x00-\x1f]++ | \\["\\/bfnrt] | \\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} )*+"""
)
_LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_SCALAR = re.compile(
    r"(?:(?P<word>true|false|null)|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)(?![\w$.+-])"
)
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_FOUND_WORD = re.compile(r"[\w$.+-]+|.", re.DOTALL)
_NO_COMMENTS = "JSON has no comments: remove it, or write the document as YAML"
_HINTS: Final = {"'": "JSON takes double quotes only", "/": _NO_COMMENTS, "#": _NO_COMMENTS}
_SURPLUS_COMMA = "remove the surplus comma, or write what is missing"
_VALUE_HINTS: Final = (
    (re.compile(r"[,\]}]"), _SURPLUS_COMMA),
    (re.compile("[-+]?(NaN|Infinity)"), "JSON has no such number: write null, or a string"),
    (re.compile("[-+.]*[0-9]"), "a number has no plus, no needless zero, and digits around its point"),
    (re.compile(""), "write text in double quotes; the only words are true, false and null"),
)


@final
class JsonReader:
    """Reads one JSON text from left to right; `_at` is where it has come to."""

    def __init__(self, text: Text) -> None:
        """Take the text, which is not blank."""
        self._text = text
        self._characters = text.characters
        self._at = 0
        self._tree = Tree(text)

    def document(self) -> Node:
        """Return the value that the text is; raise DiagnosticError where it is no JSON."""
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
            return lone_surrogate(self._text, at)
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
        found = _SCALAR.match(self._characters, at)
        if found is None:
            hint = next(hint for pattern, hint in _VALUE_HINTS if pattern.match(self._characters, at))
            raise self._unexpected("a value", hint)
        self._at = found.end()
        if found.lastgroup:
            return _WORDS[found["word"]]
        number = number_of(found[0])
        if number is None:
            raise bad_number(self._text, at)
        return number

    def _unexpected(self, wanted: str, hint: str) -> DiagnosticError:
        found = _FOUND_WORD.match(self._characters, self._at)
        if found is None:
            message = f"expected {wanted}, but the document ends"
            hint = "the document is cut off, or a bracket is not closed"
        else:
            message = f"expected {wanted}, found `{shown(found[0], 40)}`"
            hint = _HINTS.get(found[0], hint)
        return self._text.refusal("bad-json", self._at, message, hint)
