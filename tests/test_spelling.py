"""Newer drafts spell the same content differently: one fingerprint, and the same code but for its order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen import pipeline
from payloads import NEWEST, RELEASES, bounded
from schemas import Document, Schema, document, fingerprint, recorded, rewritten, spec
from spellings import SPELLINGS, annotated, mixed, shuffled

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
MODULES = ("__init__.py", "models.py", "params.py", "events.py")


def respelled(content: Document, name: str) -> Document:
    for step in SPELLINGS[name]:
        before, content = content, rewritten(content, step)
        if content == before:
            pytest.skip("there is nothing to respell in this release")
    return content


def generate(given: pipeline.Spec) -> Mapping[str, frozenset[Defined]]:
    """What the modules made of a document define, whatever the order."""
    files = pipeline.generate(given, pipeline.Options(package="kit")).files
    return {name: frozenset(documented(ast.parse(files[name]).body)) for name in MODULES}


@cache
def original(release: str) -> Mapping[str, frozenset[Defined]]:
    return generate(spec(document(release)))


@dataclass(frozen=True)
class Defined:
    """A statement of a module or of a class, and the docstring behind it."""

    content: object
    text: frozenset[str] | None
    source: str = field(compare=False)


def documented(body: list[ast.stmt]) -> Iterator[Defined]:
    for node, behind in zip(body, [*body[1:], ast.Pass()], strict=True):
        text = docstring(behind) if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(node, ast.ClassDef):
            yield Defined((node.name, plain(node.bases), frozenset(documented(node.body))), None, ast.unparse(node))
        elif docstring(node) is None:
            yield Defined(plain(node), text, ast.unparse(node))
        elif node is body[0]:
            yield Defined("docstring", docstring(node), ast.unparse(node))


def docstring(node: ast.AST) -> frozenset[str] | None:
    """The paragraphs and list items of a docstring."""
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return frozenset(" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\s*- )", text))
        case _:
            return None


def plain(node: object) -> object:
    """A syntax tree as a value, with sets for what has no order: unions, literals, dicts and lists of names."""
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return "|", frozenset(plain(member) for member in alternatives(node))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=values)):
            return "Literal", frozenset(map(plain, values))
        case ast.Dict(keys=keys, values=values):
            return "dict", frozenset(zip(map(plain, keys), map(plain, values), strict=True))
        case ast.List(elts=values) | ast.Set(elts=values):
            return "names", frozenset(map(plain, values))
        case ast.AST():
            return type(node).__name__, *(plain(getattr(node, name, None)) for name in node._fields)
        case list():
            return tuple(map(plain, node))
        case _:
            return type(node).__name__, node


def alternatives(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from alternatives(left)
            yield from alternatives(right)
        case _:
            yield node


def assert_same_code(now: Mapping[str, frozenset[Defined]], release: str) -> None:
    """Fail with what differs: each definition as it was, and as it is."""
    for name, wanted in original(release).items():
        missing, surplus = (
            "\n".join(sorted(f"{each.source}\n    {each.text}" for each in some))
            for some in (wanted - now[name], now[name] - wanted)
        )
        assert surplus == missing, f"{name} differs"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelling_changes_nothing(name, release):
    content = respelled(document(release), name)
    assert fingerprint(content) == recorded(release)
    if release == NEWEST:
        assert_same_code(generate(spec(content)), release)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("seed", range(2))
def test_orders_change_nothing_but_the_order(seed, release):
    content = shuffled(document(release), Random(seed))
    assert fingerprint(content) == recorded(release)
    assert_same_code(generate(spec(content)), release)


@bounded(15)
@given(release=st.sampled_from(RELEASES), seed=st.integers(0, 2**32))
def test_mixed_spellings_have_the_same_fingerprint(release, seed):
    assert fingerprint(mixed(document(release), Random(seed))) == recorded(release)


@bounded(4)
@given(release=st.sampled_from(RELEASES), seed=st.integers(0, 2**32))
def test_mixed_spellings_give_the_same_code(release, seed):
    assert_same_code(generate(spec(mixed(document(release), Random(seed)))), release)


@pytest.mark.parametrize("release", RELEASES)
def test_yaml_gives_the_same_files_as_json(release):
    text = yaml.dump(document(release), Dumper=DUMPER, sort_keys=False, allow_unicode=True)
    of_yaml = pipeline.generate(pipeline.Spec("spec.yaml", text.encode()), pipeline.Options(package="kit"))
    of_json = pipeline.generate(spec(document(release)), pipeline.Options(package="kit"))
    assert of_yaml.manifest.fingerprint == of_json.manifest.fingerprint == recorded(release)
    assert {**of_yaml.files, "generation.json": ""} == {**of_json.files, "generation.json": ""}


@pytest.mark.parametrize("release", RELEASES)
def test_what_tools_add_changes_nothing(release):
    content = annotated(document(release))
    assert fingerprint(content) == recorded(release)
    assert_same_code(generate(spec(content)), release)


def tagged(name: str) -> Schema:
    return {
        "type": "object",
        "required": ["type", "role"],
        "properties": {"type": {"const": name}, "role": {"const": name}},
    }


FIELD = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
UNION = {"oneOf": [{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}]}
PAIRS: Mapping[str, tuple[Schema, Schema]] = {
    "further fields invited": (FIELD, {**FIELD, "additionalProperties": True}),
    "null as default": (FIELD, {**FIELD, "properties": {"a": {"type": ["string", "null"], "default": None}}}),
    "list as default": ({"type": "array"}, {"type": "array", "default": []}),
    "format": ({"type": "string"}, {"type": "string", "format": "uri"}),
    "other discriminator": (UNION, {**UNION, "discriminator": {"propertyName": "role"}}),
    "discriminator": (UNION, {**UNION, "discriminator": {"propertyName": "type"}}),
    "title": ({"type": "string"}, {"type": "string", "title": "A string"}),
}
"""Schemas that differ in what says nothing about which values are valid."""


@pytest.mark.parametrize("kind", PAIRS)
def test_one_fingerprint_means_one_code(kind):
    """Documents with one fingerprint generate the same code but for docstrings and order."""

    def made(schema: Schema) -> tuple[str, frozenset[object]]:
        schemas = {"One": tagged("one"), "Two": tagged("two"), "Changed": schema}
        info = {"title": "One of a pair", "version": "1"}
        content = {"openapi": "3.1.0", "info": info, "components": {"schemas": schemas}}
        files = pipeline.generate(spec(content), pipeline.Options(package="kit")).files
        code = (each.source for each in documented(ast.parse(files["models.py"]).body) if each.content != "docstring")
        return fingerprint(content), frozenset(re.sub(r'(?m)^ *""".*"""$', "", each) for each in code)

    (one, code), (other, other_code) = map(made, PAIRS[kind])
    if one == other:
        assert code == other_code
