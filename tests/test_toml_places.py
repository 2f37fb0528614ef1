"""Places of keys: found for every key that `tomllib` finds, and where the key is written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.cli.toml_places import Path, Place, nearest, places

keys = st.one_of(st.sampled_from(["a", "b", "c-1", "2"]), st.sampled_from(['x"y', "d.e", "[", "#", "ö", "'"]))
scalars = st.one_of(
    st.integers(),
    st.booleans(),
    st.text("ab\"'[]{}#=,.\n\\ ", max_size=6),
    st.sampled_from([1.5, float("inf")]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=6,
)


class Writer:
    """Writes a document in one of the ways in which it can be written, as the drawn choices have it."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw

    def chooses(self) -> bool:
        return self.draw.draw(st.booleans())

    def key(self, key: str) -> str:
        return key if key.replace("-", "").isalnum() and key.isascii() and self.chooses() else json.dumps(key)

    def value(self, value: Any, *, inline: bool = False) -> str:
        match value:
            case dict():
                pairs = [f"{self.key(key)} = {self.value(each, inline=True)}" for key, each in value.items()]
                return "{ " + ", ".join(pairs) + " }"
            case list():
                gap = "" if inline or not self.chooses() else '\n  # a [comment] with "marks"\n  '
                return f"[{gap}" + f",{gap or ' '}".join(self.value(each, inline=inline) for each in value) + f"{gap}]"
            case str() if not inline and self.chooses():
                return '"""\n' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
            case str() if "'" not in value and "\n" not in value and self.chooses():
                return f"'{value}'"
            case float():
                return "inf" if value == float("inf") else str(value)
            case _:
                return json.dumps(value)

    def table(self, table: dict[str, Any], header: str = "") -> Iterator[str]:
        """The lines of a table: values first, then the tables in it, under headers of their own or not."""
        later: list[tuple[str, Any]] = []
        for key, value in table.items():
            is_tables = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
            if (isinstance(value, dict) or is_tables) and self.chooses():
                later.append((key, value))
            else:
                yield f"{'  ' if self.chooses() else ''}{self.key(key)}={self.value(value)} # end"
        for key, value in later:
            name = f"{header}.{self.key(key)}" if header else self.key(key)
            for each in value if isinstance(value, list) else [value]:
                yield f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
                yield from self.table(each, name)


def within(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every key and element."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in below:
        yield (*path, key)
        yield from within(each, (*path, key))


@given(st.dictionaries(keys, values, max_size=4), st.data())
def test_every_key_has_its_place(content: dict[str, Any], draw: st.DataObject) -> None:
    """However a document is written, each key is found where it stands, and nothing is found that is not there."""
    text = "\n".join(Writer(draw).table(content)) + "\n"
    assert tomllib.loads(text) == content
    found = places(text)
    lines = text.split("\n")
    expected = set(within(content))
    assert set(found) <= expected
    for path, place in found.items():
        written = lines[place.line - 1][place.column - 1 :]
        if isinstance(path[-1], str):
            assert any(each in written for each in (path[-1], json.dumps(path[-1]))), path
    for path in expected - set(found):
        assert isinstance(path[-1], str), "an array of tables, which has the place of its first"
        assert nearest(found, path) == found[*path, 0]


def test_dotted_keys_and_tables_below_arrays_of_tables() -> None:
    text = 'a.b = 1\n[[t]]\nx = 1\n[t.sub]\ny = 2\n[[t]]\n"q.r".s = [1,\n 2]\n[[t.u]]\nz = 3\n'
    assert places(text) == {
        ("a", "b"): Place(1, 1),
        ("t", 0): Place(2, 3),
        ("t", 0, "x"): Place(3, 1),
        ("t", 0, "sub"): Place(4, 2),
        ("t", 0, "sub", "y"): Place(5, 1),
        ("t", 1): Place(6, 3),
        ("t", 1, "q.r", "s"): Place(7, 1),
        ("t", 1, "q.r", "s", 0): Place(7, 12),
        ("t", 1, "q.r", "s", 1): Place(8, 2),
        ("t", 1, "u", 0): Place(9, 3),
        ("t", 1, "u", 0, "z"): Place(10, 1),
    }


@given(st.text("ab\"'[]{}#=,.\n\\ ", max_size=30))
def test_what_is_no_toml_ends_too(text: str) -> None:
    """The scan always gets on, and gives places that are in the text."""
    lines = text.count("\n") + 1
    assert all(place.line <= lines for place in places(text).values())
