"""Reading JSON: what RFC 8259 allows keeps its value and its places, all else is refused where it stands."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NoReturn

import pytest
from documents import INDENTS, check_places, exactly, place, refusal, values
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.source import MAX_DIGITS, Plain, parse

ANY_VALUE = values(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
WORDS = ('"a":', '"b":', '"\\n"', "\\u00e9", "\\ud83d\\ude00", "true", "null", "1.5e3", "NaN")
JSON_TOKENS = st.sampled_from([*'{}[],:"\\-+.01eEx \n\t', *WORDS])


@given(ANY_VALUE, INDENTS, st.booleans())
def test_json_values_and_their_places_survive(value: Plain, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    root = parse(text.encode(), "x.json")
    assert exactly(root.plain()) == exactly(value)
    check_places(text, root)


def refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def refuse_duplicates(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError(pairs)
    return dict(pairs)


@given(st.lists(JSON_TOKENS, max_size=12).map("".join))
def test_json_is_accepted_exactly_when_the_standard_library_accepts_it(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=refuse_constant, object_pairs_hook=refuse_duplicates)
    except ValueError:
        refusal(text)
    else:
        assert exactly(parse(text.encode(), "x.json").plain()) == exactly(expected)


@pytest.mark.parametrize(
    ("text", "code", "where", "hint"),
    [
        ("", "empty", "1:1", "write"),
        (" \r\n\t", "empty", "1:1", "write"),
        ("[1,\n]", "bad-json", "2:1", "comma"),
        ('{"a": 1,}', "bad-json", "1:9", "comma"),
        ('{"a": 1,, "b": 2}', "bad-json", "1:9", "comma"),
        ("[,]", "bad-json", "1:2", "comma"),
        ('{"a": 1 "b": 2}', "bad-json", "1:9", "comma"),
        ("[1 2]", "bad-json", "1:4", "comma"),
        ("[1}", "bad-json", "1:3", "bracket"),
        ('{"a" 1}', "bad-json", "1:6", "colon"),
        ("{a: 1}", "bad-json", "1:2", "double quotes"),
        ("{'a': 1}", "bad-json", "1:2", "double quotes"),
        ("['a']", "bad-json", "1:2", "double quotes"),
        ("// note\n{}", "bad-json", "1:1", "comments"),
        ("{\n  # note\n}", "bad-json", "2:3", "comments"),
        ("[1 /* note */]", "bad-json", "1:4", "comments"),
        ('{"é😀": x}', "bad-json", "1:8", "true, false and null"),
        ("[True]", "bad-json", "1:2", "true, false and null"),
        ("[NaN]", "bad-json", "1:2", "null"),
        ("[-Infinity]", "bad-json", "1:2", "null"),
        ("[012]", "bad-json", "1:2", "zero"),
        ("[+1]", "bad-json", "1:2", "plus"),
        ("[1.]", "bad-json", "1:2", "digits"),
        ("[0x10]", "bad-json", "1:2", "digits"),
        ("[1e999]", "bad-number", "1:2", "string"),
        ("[-" + "1" * MAX_DIGITS + "]", "bad-number", "1:2", "string"),
        ("[1] [2]", "bad-json", "1:5", "remove"),
        ("[[1]", "bad-json", "1:5", "not closed"),
        ('{"a":', "bad-json", "1:6", "not closed"),
        ('["abc', "bad-json", "1:2", "close"),
        ('["a\nb"]', "bad-json", "1:2", "line break"),
        ('["a\tb"]', "bad-json", "1:4", r"\u0009"),
        (r'["a\xb"]', "bad-json", "1:4", r"\\"),
        (r'["\u12g4"]', "bad-json", "1:3", "four digits"),
        (r'["a\ud800"]', "lone-surrogate", "1:4", "character"),
        (r'["\udc00\ud800"]', "lone-surrogate", "1:3", "character"),
        ('{"a": 1,\n "\\u0061": 2}', "duplicate-key", "2:2", "x.json:1:2"),
        ("\x00[]", "bad-encoding", "1:1", "UTF-8"),
        ("[1, 2]\x00", "bad-json", "1:7", "remove"),
        ("\ufeff\ufeff[]", "bad-json", "1:1", "text"),
    ],
)
def test_what_json_forbids_is_refused_where_it_stands(text: str, code: str, where: str, hint: str) -> None:
    diagnostic = refusal(text)
    assert (diagnostic.code, place(diagnostic)) == (code, where)
    assert hint in str(diagnostic.hint)


def test_json_is_read_without_loading_yaml() -> None:
    script = """
import sys
from openresponses_codegen.source import parse
for text, name in ((b"{}", "x.json"), (b"a: 1", "x.yaml")):
    parse(text, name)
    print(name, "yaml" in sys.modules)
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.splitlines() == ["x.json False", "x.yaml True"]
