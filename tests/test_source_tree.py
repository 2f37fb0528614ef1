"""The tree that both formats are read into: every node knows its place, and no document outgrows the limits."""

from __future__ import annotations

import json
import time

import pytest
from documents import PATIENCE, exactly, place, read_yaml, refusal, walk
from openresponses_codegen.source import MAX_DEPTH, MAX_DIGITS, parse, tree


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


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_places_are_right_far_into_a_long_document(name: str, line_end: str) -> None:
    lines = ["[", *(f'{" " * (number % 7)}"é{number}",' for number in range(2, 2000)), "0]"]
    *elements, _ = list(walk(parse(line_end.join(lines).encode(), name)))[1:]
    places = [f"{name}:{number}:{number % 7 + 1}" for number in range(2, 2000)]
    assert [str(element.position) for element in elements] == places
    assert [str(element.position) for element in reversed(elements)] == places[::-1]


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


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_the_number_of_nodes_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 5)
    assert parse(b"[1, [2], 3]", name).plain() == [1, [2], 3]
    diagnostic = refusal("[1, [2], 3, 4]", name)
    assert (diagnostic.code, place(diagnostic)) == ("too-large", "1:13")


def test_numbers_are_read_to_the_last_digit_allowed() -> None:
    digits = "9" * MAX_DIGITS
    assert parse(f"[{digits}]".encode(), "x.json").plain() == [int(digits)]
    assert read_yaml(digits).plain() == int(digits)
