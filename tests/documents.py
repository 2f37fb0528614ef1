"""What the tests of the document readers share: values to write, reading or a refusal, and a look at every place."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import strategies as st
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.source import Node, Plain, parse

INDENTS = st.sampled_from([None, 0, 2])
LIBYAML = yaml.__with_libyaml__
PARSERS = pytest.mark.parametrize("libyaml", [True, False] if LIBYAML else [False])
PATIENCE = 2.0  # seconds: far more than a refusal takes, far less than what it protects from


def values(strings: st.SearchStrategy[str]) -> st.SearchStrategy[Plain]:
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    scalars: st.SearchStrategy[Plain] = st.none() | st.booleans() | numbers | strings
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(strings, inner, max_size=5),
        max_leaves=20,
    )


@contextmanager
def yaml_parser(*, libyaml: bool) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not libyaml:
            patch.setattr(yaml, "__with_libyaml__", False)
            patch.delattr(yaml, "CSafeLoader", raising=False)
        yield


def read_yaml(text: str, *, libyaml: bool = LIBYAML) -> Node:
    with yaml_parser(libyaml=libyaml):
        return parse(text.encode(), "x.yaml")


def only_diagnostic(error: DiagnosticError) -> Diagnostic:
    (diagnostic,) = error.diagnostics
    assert diagnostic.position is not None, "a refusal says where"
    assert diagnostic.hint, "a refusal says what to do"
    return diagnostic


def refusal(text: str | bytes, name: str = "x.json", *, libyaml: bool = LIBYAML) -> Diagnostic:
    data = text.encode() if isinstance(text, str) else text
    with yaml_parser(libyaml=libyaml), pytest.raises(DiagnosticError) as caught:
        parse(data, name)
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
