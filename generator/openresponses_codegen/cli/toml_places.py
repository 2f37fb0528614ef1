"""Where the keys of a TOML document stand, which `tomllib` does not tell.

Made for a document that `tomllib` has read: what is no TOML gives wrong places, and no error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and indices that lead to a value."""

_TOKEN = re.compile(
    r"""
      (?P<string>  \"{3} (?:[^\\]|\\.)*? \"{3,5} | '{3} .*? '{3,5} | " (?:[^"\\\n]|\\.)* " | ' [^'\n]* ' )
    | (?P<comment> \# [^\n]* )
    | (?P<newline> \n )
    | (?P<bare>    [A-Za-z0-9_+:-]+ )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


def places(text: str) -> Mapping[Path, Place]:
    """The place of each key, of each header of a table, and of each element of an array."""
    text = text.replace("\r\n", "\n")
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[Path, Place] = {}
    line = 0
    for path, offset in sorted(_Reader(text).offsets.items(), key=lambda each: each[1]):
        while line + 1 < len(starts) and starts[line + 1] <= offset:
            line += 1
        found[path] = Place(line + 1, offset - starts[line] + 1)
    return found


def nearest(found: Mapping[Path, Place], path: Path) -> Place:
    """The place of a value, or of the closest table or array around it; the first line where there is none.

    What has no place of its own, such as an array of tables, begins with the first of what is in it.
    """
    for length in range(len(path), 0, -1):
        inside = [place for each, place in found.items() if each[:length] == path[:length]]
        if inside:
            return min(inside)
    return Place(1, 1)


class _Reader:
    """Goes through the tokens of a document once."""

    def __init__(self, text: str) -> None:
        found = _TOKEN.finditer(text)
        tokens = (_Token(match.lastgroup or "", match.group(), match.start()) for match in found)
        self.tokens = [each for each in tokens if each.text not in {" ", "\t"} and each.kind != "comment"]
        self.at = 0
        self.offsets: dict[Path, int] = {}
        self.lengths: dict[Path, int] = {}
        table: Path = ()
        while (token := self.token) is not None:
            if token.text == "[":
                table = self.header()
            elif token.kind == "newline":
                self.at += 1
            else:
                self.pair(table)

    @property
    def token(self) -> _Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def is_at(self, *texts: str) -> bool:
        """Whether the next token is one of these."""
        return self.token is not None and self.token.text in texts

    def header(self) -> Path:
        """Read `[table]` or `[[array.of.tables]]`."""
        is_array = [each.text for each in self.tokens[self.at : self.at + 2]] == ["[", "["]
        self.at += 2 if is_array else 1
        offset = self.tokens[self.at].offset if self.token else 0
        path = self.resolved((), self.key())
        if is_array:
            path = self.element(path)
        self.offsets.setdefault(path, offset)
        while self.is_at("]"):
            self.at += 1
        return path

    def element(self, array: Path) -> Path:
        """One more element of an array of tables."""
        index = self.lengths.get(array, 0)
        self.lengths[array] = index + 1
        return (*array, index)

    def resolved(self, table: Path, key: list[str]) -> Path:
        """The path of a dotted key: below an array of tables it is in the last of them."""
        path = table
        for index, part in enumerate(key):
            path = (*path, part)
            if path in self.lengths and index + 1 < len(key):
                path = (*path, self.lengths[path] - 1)
        return path

    def key(self) -> list[str]:
        """Read a key, dotted or not."""
        parts: list[str] = []
        while (token := self.token) is not None and token.kind in {"bare", "string"}:
            parts.append(_plain(token))
            self.at += 1
            if not self.is_at("."):
                break
            self.at += 1
        return parts

    def pair(self, table: Path) -> None:
        """Read `key = value`."""
        start, offset = self.at, self.tokens[self.at].offset
        path = self.resolved(table, self.key())
        self.offsets.setdefault(path, offset)
        if self.is_at("="):
            self.at += 1
            self.value(path)
        elif self.at == start:
            self.at += 1  # nothing that a key begins with

    def value(self, path: Path) -> None:
        """Read a value: what is below an array or an inline table has places of its own."""
        if self.is_at("["):
            self.array(path)
        elif self.is_at("{"):
            self.inline_table(path)
        else:
            while (token := self.token) is not None and token.kind != "newline" and token.text not in {",", "]", "}"}:
                self.at += 1

    def array(self, path: Path) -> None:
        """Read `[value, …]`."""
        self.at += 1
        index = 0
        while (token := self.token) is not None and token.text != "]":
            if token.kind == "newline" or token.text == ",":
                self.at += 1
                continue
            self.offsets.setdefault((*path, index), token.offset)
            before = self.at
            self.value((*path, index))
            self.at = max(self.at, before + 1)
            index += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        """Read `{key = value, …}`."""
        self.at += 1
        while (token := self.token) is not None and token.text != "}":
            if token.kind == "newline" or token.text == ",":
                self.at += 1
            else:
                self.pair(path)
        self.at += 1


def _plain(token: _Token) -> str:
    """What a part of a key says."""
    if token.kind == "bare":
        return token.text
    try:
        return next(iter(tomllib.loads(f"{token.text} = 0")))
    except tomllib.TOMLDecodeError:
        return token.text
