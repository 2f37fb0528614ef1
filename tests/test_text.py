"""Text of a spec stays text, whatever it says: the properties that the whole of rendering rests on."""

from __future__ import annotations

import ast
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.text import LINE_WIDTH, SpecText, docstring, literal, visible

QUOTES = ['"', '"""', "'''", "\\"]
PIECES = [*QUOTES, "\n", "\r\n", "\t", "{", "}", "{{ x }}", "# ", "- item", "```", "\\N{DASH}", "\u202e", "\x00", " "]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=12).map("".join)


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), TEXTS))
def test_a_literal_is_its_value(value: str | int | bool | None) -> None:
    text = literal(value)
    assert ast.literal_eval(text) == value
    assert "\n" not in text
    assert text.isprintable() or isinstance(value, str)


@given(TEXTS, st.sampled_from([0, 4]))
def test_a_docstring_says_the_words_of_its_text_and_nothing_else(text: str, indent: int) -> None:
    source = docstring(text, indent)
    module = ast.parse(source)
    assert len(module.body) == 1
    expression = module.body[0]
    assert isinstance(expression, ast.Expr)
    assert isinstance(expression.value, ast.Constant)
    shown = visible(unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")))
    assert str(expression.value.value).split() == shown.split()


@given(TEXTS)
def test_a_docstring_holds_no_character_that_hides_or_reorders_text(text: str) -> None:
    for character in docstring(text):
        assert character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.lists(st.text(alphabet="abcdefgh .`", min_size=1, max_size=30), max_size=30).map(" ".join))
def test_a_docstring_of_prose_keeps_to_the_width(text: str) -> None:
    for line in docstring(text, 4).splitlines():
        assert len(line) <= LINE_WIDTH or " " not in line.strip()


def test_a_list_and_fenced_code_keep_their_lines() -> None:
    text = "One of:\n- a first\n- a second\n\n```\nif x:\n    y\n```\nand\nprose"
    assert docstring(text) == ('"""One of:\n- a first\n- a second\n\n```\nif x:\n    y\n```\nand prose\n"""')


@pytest.mark.parametrize("use", [str, "{}".format, lambda text: f"{text}", lambda text: f"{text:>5}"])
def test_text_of_a_spec_has_no_plain_form(use) -> None:
    with pytest.raises(TypeError, match="choose"):
        use(SpecText("x"))


@given(TEXTS)
def test_a_comment_stays_in_its_lines(text: str) -> None:
    for line in SpecText(text).comment().split("\n"):
        assert line.startswith("#")
        assert not re.search(r"[\r\x0b\x0c\x85\u2028\u2029]", line)


@given(TEXTS, TEXTS)
def test_texts_join_without_loss(first: str, second: str) -> None:
    joined = (SpecText(first) + SpecText(second)).as_json()
    assert first.strip() in joined
    assert second.strip() in joined
