"""Reading YAML: the core schema of YAML 1.2.2 decides, with either parser, and only what JSON can say is read."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from documents import (
    INDENTS,
    PARSERS,
    PATIENCE,
    check_places,
    exactly,
    only_diagnostic,
    place,
    read_yaml,
    refusal,
    values,
    walk,
)
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.source import MAX_DEPTH, MAX_DIGITS, Plain

NOT_IN_YAML = "\u2028\u2029\ufeff\ufffe\uffff"
YAML_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=NOT_IN_YAML)
YAML_VALUE = values(st.text(YAML_CHARACTERS | st.sampled_from("\t\n\r\x00\x1b"), max_size=20))


@PARSERS
@given(YAML_VALUE, INDENTS)
def test_json_written_into_a_yaml_file_is_read_alike(libyaml: bool, value: Plain, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    root = read_yaml(text, libyaml=libyaml)
    assert exactly(root.plain()) == exactly(value)
    check_places(text, root)


@PARSERS
@given(YAML_VALUE)
def test_yaml_in_block_style_with_explicit_tags_is_read_alike(libyaml: bool, value: Plain) -> None:
    text = yaml.safe_dump(value, default_style='"', default_flow_style=False, sort_keys=False)
    assert exactly(read_yaml(text, libyaml=libyaml).plain()) == exactly(value)


@PARSERS
@given(st.text(st.sampled_from("ab01 \n\t-:?,[]{}&*!|>'\"%@`#<~.\\"), max_size=30))
def test_yaml_is_read_or_refused_with_one_diagnostic(libyaml: bool, text: str) -> None:
    try:
        exactly(read_yaml(text, libyaml=libyaml).plain())
    except DiagnosticError as error:
        only_diagnostic(error)


SCALARS = """
yes => "yes"
No => "No"
on => "on"
y => "y"
tRUE => "tRUE"
nULL => "nULL"
2024-01-01 => "2024-01-01"
1_000 => "1_000"
0b1 => "0b1"
1:30 => "1:30"
0o8 => "0o8"
0xg => "0xg"
. => "."
1e => "1e"
=> null
~ => null
null => null
Null => null
NULL => null
!!null '' => null
true => true
True => true
TRUE => true
false => false
False => false
FALSE => false
!!bool 'true' => true
012 => 12
-0 => 0
+3 => 3
0o17 => 15
0x1F => 31
!!int '7' => 7
1.5 => 1.5
.5 => 0.5
1. => 1.0
1e3 => 1000.0
-1E-2 => -0.01
!!float 1 => 1.0
!!float '2.5' => 2.5
'1' => "1"
"true" => "true"
'' => ""
<< => "<<"
!!str 1 => "1"
! 1 => "1"
!!str => ""
!!map {} => {}
!!seq [] => []
{a, b: 1} => {"a": null, "b": 1}
{200: x, null: y, 'on': z} => {"200": "x", "null": "y", "on": "z"}
{'<<': 1} => {"<<": 1}
"""


@PARSERS
@pytest.mark.parametrize("line", SCALARS.strip().splitlines())
def test_the_core_schema_decides_what_a_scalar_is(libyaml: bool, line: str) -> None:
    written, _, value = line.rpartition("=> ")
    assert exactly(read_yaml(f"- {written}", libyaml=libyaml).plain()) == f"[{value}]"


@PARSERS
@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("# nothing\n", "empty", "1:1"),
        ("<<: {a: 1}", "yaml-merge", "1:1"),
        ("a: !!python/object:os.system x", "yaml-tag", "1:4"),
        ("!!python/object/apply:os.system ['true']", "yaml-tag", "1:1"),
        ("a: !custom x", "yaml-tag", "1:4"),
        ("a: !!binary aGk=", "yaml-tag", "1:4"),
        ("a: !!set {}", "yaml-tag", "1:4"),
        ("a: !!seq {}", "yaml-tag", "1:4"),
        ("a: !!str []", "yaml-tag", "1:4"),
        ("a: !!int x", "yaml-tag", "1:4"),
        ("a: !!bool 1", "yaml-tag", "1:4"),
        ("!!int 1: x", "yaml-tag", "1:1"),
        ("[a, b]: x", "yaml-key", "1:1"),
        ("? {a: 1}\n: x", "yaml-key", "1:3"),
        ("&a k: x", "yaml-key", "1:1"),
        ("a: &a x\n*a : y", "yaml-key", "2:1"),
        ("a: 1\n---\nb: 2", "yaml-documents", "2:1"),
        ("a: 1\n...\n---\n", "yaml-documents", "3:1"),
        ("%TAG ! tag:x\n---\na", "yaml-directive", "1:1"),
        ("%YAML 1.1\n---\na", "yaml-directive", "1:1"),
        ("%OTHER\n---\na", "yaml-directive", "1:1"),
        ("a\n...\n%TAG ! tag:x\n---\na", "yaml-directive", "3:1"),
        ("é: 1\r\nb: 2\r\né: 3", "duplicate-key", "3:1"),
        ("200: a\n'200': b", "duplicate-key", "2:1"),
        ("a: .inf", "bad-number", "1:4"),
        ("a: -.INF", "bad-number", "1:4"),
        ("a: .NaN", "bad-number", "1:4"),
        ("a: 1e999", "bad-number", "1:4"),
        ("a: 0x" + "f" * 4000, "bad-number", "1:4"),
        ("a: " + "1" * (MAX_DIGITS + 1), "bad-number", "1:4"),
        ("a: x\x07", "bad-yaml", "1:5"),
        ("a: 'é\x85'", "bad-yaml", "1:6"),
        ("a: 'é\u2028'", "bad-yaml", "1:6"),
        ("a: \ufeff", "bad-yaml", "1:4"),
        ("a:\n\t- b", "bad-yaml", "2:1"),
        ("é: @b", "bad-yaml", "1:4"),
        ("a: b: c", "bad-yaml", "1:5"),
        ("a: [1", "bad-yaml", "1:6"),
        ("a: 1\n]", "bad-yaml", "2:1"),
        ("a: *b", "yaml-alias", "1:4"),
        ("a: &a [*a]", "yaml-alias", "1:8"),
        ("a: &a 1\nb: &a\n  c: *a", "yaml-alias", "3:6"),
    ],
)
def test_what_yaml_has_beyond_json_is_refused(libyaml: bool, text: str, code: str, where: str) -> None:
    diagnostic = refusal(text, "x.yaml", libyaml=libyaml)
    assert (diagnostic.code, place(diagnostic)) == (code, where)


@PARSERS
@pytest.mark.parametrize("escape", [r"\ud800", r"\ud83d\ude00", r"\U00110000", r"\UFFFFFFFF"])
def test_no_yaml_escape_makes_what_utf_8_cannot_hold(libyaml: bool, escape: str) -> None:
    assert refusal(f'a: "{escape}"', "x.yaml", libyaml=libyaml).code in ("bad-yaml", "lone-surrogate")


@PARSERS
@pytest.mark.parametrize("text", ["%YAML 1.2\n---\na: 1\n", "--- {a: 1}\n...\n# end\n", "a: 1\n...\n...\n"])
def test_one_document_may_be_marked_as_such(libyaml: bool, text: str) -> None:
    assert read_yaml(text, libyaml=libyaml).plain() == {"a": 1}


@PARSERS
def test_an_alias_is_a_copy_with_a_pointer_of_its_own(libyaml: bool) -> None:
    root = read_yaml("a: &x\n  k: [1, {z: 2}]\nb: [*x, *x]\nc: &x 3\nd: *x", libyaml=libyaml)
    content: Plain = {"k": [1, {"z": 2}]}
    assert root.plain() == {"a": content, "b": [content, content], "c": 3, "d": 3}
    nodes = {node.pointer: node for node in walk(root)}
    assert len({id(node) for node in nodes.values()}) == len(list(walk(root)))
    # what an alias stands for was written at its anchor
    assert str(nodes["#/b/1/k/1/z"].position) == "x.yaml:2:14"
    assert str(root.key_position("b")) == "x.yaml:3:1"
    assert str(nodes["#/b/1"].key_position("k")) == "x.yaml:2:3"


@PARSERS
def test_an_alias_bomb_is_refused_before_it_grows(libyaml: bool) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    start = time.perf_counter()
    diagnostic = refusal("\n".join(lines), "x.yaml", libyaml=libyaml)
    assert diagnostic.code == "alias-bomb"
    assert time.perf_counter() - start < PATIENCE


def test_aliases_cannot_nest_deeper_than_collections() -> None:
    lines = ["- &a0 []", *(f"- &a{level} [*a{level - 1}]" for level in range(1, MAX_DEPTH))]
    assert refusal("\n".join(lines), "x.yaml").code == "too-deep"
    assert read_yaml("\n".join(lines[:-1])).kind == "array"


@pytest.mark.parametrize("text", ["- " * 100_000, "\n".join(" " * n + "a:" for n in range(800))])
@PARSERS
def test_depth_of_block_style_is_bounded(libyaml: bool, text: str) -> None:
    assert refusal(text, "x.yaml", libyaml=libyaml).code == "too-deep"
