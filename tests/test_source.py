"""Reading JSON and YAML: the values are right, every place is right, and no document can do harm."""

import codecs
import importlib.util
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen import source
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.source import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, Node, Plain, load, parse


def values(strings: st.SearchStrategy[str]) -> st.SearchStrategy[Plain]:
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    scalars: st.SearchStrategy[Plain] = st.none() | st.booleans() | numbers | strings
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(strings, inner, max_size=5),
        max_leaves=20,
    )


ANY_VALUE = values(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
NOT_IN_YAML = "\u2028\u2029\ufeff\ufffe\uffff"
YAML_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=NOT_IN_YAML)
YAML_VALUE = values(st.text(YAML_CHARACTERS | st.sampled_from("\t\n\r\x00\x1b"), max_size=20))
INDENTS = st.sampled_from([None, 0, 2])
WORDS = ('"a":', '"b":', '"\\n"', "\\u00e9", "\\ud83d\\ude00", "true", "null", "1.5e3", "NaN")
JSON_TOKENS = st.sampled_from([*'{}[],:"\\-+.01eEx \n\t', *WORDS])
PARSERS = pytest.mark.parametrize("libyaml", [True, False], ids=["libyaml", "pure"])
PATIENCE = 2.0  # seconds: far more than a refusal takes, far less than what it protects from


def read_yaml(text: str, *, libyaml: bool = True) -> Node:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", libyaml)
        return parse(text.encode(), "x.yaml")


def only_diagnostic(error: DiagnosticError) -> Diagnostic:
    (diagnostic,) = error.diagnostics
    assert diagnostic.position is not None, "a refusal says where"
    assert diagnostic.hint, "a refusal says what to do"
    return diagnostic


def refusal(text: str | bytes, name: str = "x.json", *, libyaml: bool = True) -> Diagnostic:
    data = text.encode() if isinstance(text, str) else text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", libyaml)
        with pytest.raises(DiagnosticError) as caught:
            parse(data, name)
    return only_diagnostic(caught.value)


def load_refusal(path: Path) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        load(path)
    return only_diagnostic(caught.value)


def place(diagnostic: Diagnostic) -> str:
    assert diagnostic.position is not None
    return f"{diagnostic.position.line}:{diagnostic.position.column}"


def exactly(value: Plain) -> str:
    """Tell 1 from 1.0 and True, and one order of keys from another."""
    return json.dumps(value)


def walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node.value, dict):
        for child in node.value.values():
            yield from walk(child)
    elif isinstance(node.value, tuple):
        for child in node.value:
            yield from walk(child)


def written_at(text: str, position: Position) -> Plain:
    lines = text.split("\n")
    rest = "\n".join([lines[position.line - 1][position.column - 1 :], *lines[position.line :]])
    value: Plain = json.JSONDecoder().raw_decode(rest)[0]
    return value


def follow(document: Plain, pointer: str) -> Plain:
    assert pointer.isascii()
    for segment in pointer.split("/")[1:]:
        key = unquote(segment).replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document[key]
        else:
            assert isinstance(document, list)
            document = document[int(key)]
    return document


def check_places(text: str, root: Node) -> None:
    document = root.plain()
    for node in walk(root):
        assert exactly(written_at(text, node.position)) == exactly(node.plain())
        assert exactly(follow(document, node.pointer)) == exactly(node.plain())
        for key, child in node.value.items() if isinstance(node.value, dict) else ():
            assert written_at(text, node.key_position(key)) == key
            assert node.at_key(key).position == node.key_position(key)
            assert node.at_key(key).pointer == child.pointer


@given(ANY_VALUE, INDENTS, st.booleans())
def test_json_values_and_their_places_survive(value: Plain, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    root = parse(text.encode(), "x.json")
    assert exactly(root.plain()) == exactly(value)
    check_places(text, root)


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


@PARSERS
@given(st.text(st.sampled_from("ab01 \n\t-:?,[]{}&*!|>'\"%@`#<~.\\"), max_size=30))
def test_yaml_is_read_or_refused_with_one_diagnostic(libyaml: bool, text: str) -> None:
    try:
        exactly(read_yaml(text, libyaml=libyaml).plain())
    except DiagnosticError as error:
        only_diagnostic(error)


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


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"a": ', "}")])
def test_depth_is_bounded_before_anything_recurses(name: str, before: str, after: str) -> None:
    deepest = before * MAX_DEPTH + "1" + after * MAX_DEPTH
    assert len(list(walk(parse(deepest.encode(), name)))) == MAX_DEPTH + 1
    assert exactly(parse(deepest.encode(), name).plain()) == exactly(json.loads(deepest))
    for levels in (MAX_DEPTH + 1, 800, 100_000):
        start = time.perf_counter()
        diagnostic = refusal(before * levels + after * levels, name)
        assert (diagnostic.code, place(diagnostic)) == ("too-deep", f"1:{len(before) * MAX_DEPTH + 1}")
        assert time.perf_counter() - start < PATIENCE


@pytest.mark.parametrize("text", ["- " * 100_000, "\n".join(" " * n + "a:" for n in range(800))])
@PARSERS
def test_depth_of_block_style_is_bounded(libyaml: bool, text: str) -> None:
    assert refusal(text, "x.yaml", libyaml=libyaml).code == "too-deep"


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_the_number_of_nodes_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_NODES", 5)
    assert parse(b"[1, [2], 3]", name).plain() == [1, [2], 3]
    diagnostic = refusal("[1, [2], 3, 4]", name)
    assert (diagnostic.code, place(diagnostic)) == ("too-large", "1:13")


def test_numbers_are_read_to_the_last_digit_allowed() -> None:
    digits = "9" * MAX_DIGITS
    assert parse(f"[{digits}]".encode(), "x.json").plain() == [int(digits)]
    assert read_yaml(digits).plain() == int(digits)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (codecs.BOM_UTF16_LE + "{}".encode("utf-16-le"), "1:1"),
        (codecs.BOM_UTF16_BE + "{}".encode("utf-16-be"), "1:1"),
        (codecs.BOM_UTF32_BE + "{}".encode("utf-32-be"), "1:1"),
        ("{}".encode("utf-16-le"), "1:1"),
        ('["é\n😀'.encode() + b'\xff"]', "2:2"),
        (codecs.BOM_UTF8 + b'["\xed\xa0\x80"]', "1:3"),
        (b'["\xc0\x80"]', "1:3"),
        (b'["\xe2\x82', "1:3"),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_anything_but_utf_8_is_refused_where_it_stands(data: bytes, where: str, name: str) -> None:
    diagnostic = refusal(data, name)
    assert (diagnostic.code, place(diagnostic)) == ("bad-encoding", where)


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_a_byte_order_mark_is_no_part_of_the_document(name: str) -> None:
    root = parse(codecs.BOM_UTF8 + b'{"a":\r\n  1}', name)
    assert (str(root.position), str(root.key_position("a"))) == (f"{name}:1:1", f"{name}:1:2")
    assert [str(node.position) for node in walk(root)] == [f"{name}:1:1", f"{name}:2:3"]


@pytest.mark.parametrize(
    ("name", "text", "is_json"),
    [
        ("a.json", "a: 1", True),
        ("A.JSON", "a: 1", True),
        ("a.yaml", "{a: 1}", False),
        ("a.YML", "[a, b]", False),
        ("-", " \n{a: 1}", True),
        ("-", "[a]", True),
        ("-", "a: 1", False),
        ("spec.txt", "a: 1", False),
        ("", "a: 1", False),
        ("json", "a: 1", False),
    ],
)
def test_name_then_first_character_decide_the_format(name: str, text: str, is_json: bool) -> None:
    if is_json:
        diagnostic = refusal(text, name)
        assert diagnostic.code == "bad-json"
        assert diagnostic.position is not None
        assert diagnostic.position.file == name
    else:
        assert isinstance(parse(text.encode(), name).plain(), dict | list)


def test_too_many_bytes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(b" " * (MAX_BYTES + 1)).code == "too-large"
    assert refusal(b" " * MAX_BYTES).code == "empty"
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(50_000_000)
    monkeypatch.delattr(Path, "open")
    assert load_refusal(huge).code == "too-large"


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing.json"
    path.write_text("{}")

    def grown(*_: object) -> io.BytesIO:
        return io.BytesIO(b" " * (MAX_BYTES + 2))

    monkeypatch.setattr(Path, "open", grown)
    assert load_refusal(path).code == "too-large"


def test_what_is_no_readable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.json").write_text("")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "dangling.json").symlink_to("missing.json")
    os.mkfifo(tmp_path / "fifo.json")
    expected = {
        "missing.json": "not-found",
        "dangling.json": "not-found",
        "file.json/inner.json": "not-found",
        "file.json": "empty",
        "loop.json": "not-readable",
        "nul\0.json": "not-readable",
        "n" * 1000: "not-readable",
        "\ud800.json": "not-readable",
        "fifo.json": "not-a-file",
        ".": "not-a-file",
        os.devnull: "not-a-file",
    }
    assert {name: load_refusal(tmp_path / name).code for name in expected} == expected

    def denied(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    diagnostic = load_refusal(tmp_path / "file.json")
    assert (diagnostic.code, "Permission denied" in diagnostic.message) == ("not-readable", True)


def test_a_file_is_named_as_the_user_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a b.yml").write_bytes(b"k:\n  - x\n")
    root = load(Path("a b.yml"))
    assert [str(node.position) for node in walk(root)] == ["a b.yml:1:1", "a b.yml:2:3", "a b.yml:2:5"]


def test_a_node_tells_kind_members_and_places() -> None:
    root = parse(b'{"a/b~ \xc3\xa9%{}": [1, 1.0, true, null, "s"], "": {}}', "x.json")
    assert [node.kind for node in walk(root)] == [
        *("object", "array", "integer", "number", "boolean", "null", "string", "object")
    ]
    items = root.get("a/b~ é%{}")
    assert items is not None
    assert items.pointer == "#/a~1b~0%20%C3%A9%25%7B%7D"
    assert [node.pointer for node in walk(root)][-2:] == [f"{items.pointer}/4", "#/"]
    assert repr(items) == f"<array at x.json:1:15 {items.pointer}>"
    assert (root.pointer, root.get("b"), items.get("0")) == ("#", None, None)
    with pytest.raises(KeyError):
        root.key_position("b")
    with pytest.raises(KeyError):
        items.at_key("0")


def test_a_changed_node_keeps_its_place_and_those_of_its_parts() -> None:
    target = parse(b'{"a": 1}', "target.json")
    overlay = parse(b"x:\n  y: 2", "overlay.yaml")
    assert isinstance(target.value, dict)
    assert isinstance(overlay.value, dict)
    merged = target.with_value({**target.value, **overlay.value})
    assert merged.plain() == {"a": 1, "x": {"y": 2}}
    assert target.plain() == {"a": 1}
    assert str(merged.position) == "target.json:1:1"
    assert str(merged.key_position("x")) == "overlay.yaml:1:1"
    assert str(merged.key_position("a")) == "target.json:1:2"


def test_plain_values_are_fresh() -> None:
    root = parse(b'{"a": [1]}', "x.json")
    first = root.plain()
    assert isinstance(first, dict)
    first["b"] = 2
    assert root.plain() == {"a": [1]}


def test_json_is_read_without_loading_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    assert source.__file__
    spec = importlib.util.spec_from_file_location("fresh_source", source.__file__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fresh_source", fresh)
    monkeypatch.setitem(sys.modules, "yaml", None)
    spec.loader.exec_module(fresh)
    assert fresh.parse(b"{}", "x.json").plain() == {}
    with pytest.raises(ImportError):
        fresh.parse(b"a: 1", "x.yaml")
