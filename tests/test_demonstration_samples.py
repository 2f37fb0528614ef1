"""The demonstration writes values for any JSON Schema: they validate, and no schema keeps it busy.

What judges a value is jsonschema, which shares no code with the search.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openresponses_kit.server.demonstration._languages import Budget, Languages
from openresponses_kit.server.demonstration._patterns import UnsupportedPatternError, language_of
from openresponses_kit.server.demonstration.samples import (
    InvalidSchemaError,
    Material,
    UnsatisfiableSchemaError,
    sample,
)
from satisfiable_schemas import schemas

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(schemas())
def test_a_value_is_found_for_schemas_that_have_one(schema: dict[str, Any]) -> None:
    """Each schema was written about a value that satisfies it."""
    Draft202012Validator(schema).validate(sample(schema))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(schemas(depth=2))
def test_what_is_found_is_never_wrong(schema: dict[str, Any]) -> None:
    """Where keywords are combined within combined ones the search may give up, and says so."""
    try:
        found = sample(schema)
    except UnsatisfiableSchemaError:
        return
    Draft202012Validator(schema).validate(found)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
        {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
        {"$id": "https://example.com/a", "$ref": "b", "$defs": {"b": {"$id": "b", "const": 1}}},
        {"$dynamicRef": "#item", "$defs": {"item": {"$dynamicAnchor": "item", "type": "boolean"}}},
        {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "null"}}},
        {"$ref": "#/examples/0", "examples": [{"type": "boolean"}]},
        {"oneOf": [{"type": "number"}, {"type": "integer"}]},
        {"not": {"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "integer"}]}},
        {"type": "string", "pattern": "^[a-c]+$", "not": {"pattern": "a"}, "minLength": 3},
        {"type": "string", "format": "uuid", "pattern": "^a"},
        {"type": "string", "minLength": 3000},
        {"type": "string", "maxLength": 0},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.1},
        {"type": "number", "minimum": 1e308},
        {"type": "integer", "multipleOf": 7, "minimum": 10**30},
        {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2}$"}, "minItems": 10, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"enum": [1, 2]}, {"const": 1}], "minItems": 2, "uniqueItems": True},
        {"type": "array", "contains": {"const": 5}, "minContains": 2, "maxContains": 3},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
        {"type": "object", "patternProperties": {"^x-[0-9]+$": {}}, "additionalProperties": False, "minProperties": 2},
        {"type": "object", "propertyNames": {"pattern": "^[A-Z]{2}$"}, "minProperties": 3},
        {"type": "object", "dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {"type": "null"}}},
        {"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}, "required": ["a"]},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}, "type": "object"},
        {"type": "object", "allOf": [{"properties": {"a": {"type": "null"}}}], "unevaluatedProperties": False},
        {"type": "object", "properties": {f"p{n}": {"oneOf": [{"const": 1}, {"const": 2}]} for n in range(50)}},
    ],
    ids=json.dumps,
)
def test_a_value_is_found(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(sample(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"$ref": "#"},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "string", "pattern": "^a$", "maxLength": 0},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 10**9},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": list(range(29))}, "minItems": 30, "uniqueItems": True},
        {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"enum": []},
        {"type": "string", "pattern": "^(a|aa)*b(a|aa)*$", "not": {"pattern": "b"}},
        {"allOf": [{"anyOf": [{"minimum": n}, {"maximum": -n}]} for n in range(40)] + [{"const": "x"}, {"const": "y"}]},
        {"type": "string", "pattern": "^(((a{100}){100}){100}){100}$"},
    ],
    ids=json.dumps,
)
def test_what_cannot_be_satisfied_is_told_within_bounds(schema: dict[str, Any]) -> None:
    """Each of these has no value, or none of a reasonable size; that the test ends is what it is about."""
    with pytest.raises(UnsatisfiableSchemaError, match="no value was found"):
        sample(schema)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "text"}, "/type"),
        ({"properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum"),
        ({"properties": {"a": 5}}, "/properties/a"),
        ({"anyOf": []}, "/anyOf"),
        ({"items": [{}]}, "/items"),
        ({"required": True}, "/required"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"minLength": -1}, "/minLength"),
        ({"$ref": "https://example.com/schema"}, "https://example.com/schema"),
        ({"$ref": "#/$defs/missing"}, "#/$defs/missing"),
        ({"$id": "https://example.com/a", "items": {"$ref": "http://[bad"}}, "http://[bad"),
        ({"type": "string", "pattern": "("}, "parenthesis"),
        ({"type": "string", "pattern": r"(a)\1"}, r"\\1"),
        ({"type": "string", "pattern": "(?<=a)b"}, "group"),
        ({"maximum": float("inf")}, "/maximum"),
    ],
    ids=str,
)
def test_what_is_no_schema_is_refused_with_its_place(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidSchemaError) as caught:
        sample(schema)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("wrap", "depth"),
    [
        (lambda inner: {"not": inner}, 150),
        (lambda inner: {"allOf": [inner, inner]}, 150),
        (lambda inner: {"oneOf": [inner, {"not": inner}]}, 40),
        (lambda inner: {"type": "array", "items": inner, "minItems": 2}, 40),
        (lambda inner: {"if": inner, "then": inner, "else": inner}, 30),
    ],
    ids=["not", "allOf", "oneOf", "items", "if"],
)
def test_deep_schemas_end(wrap: Callable[[Any], Any], depth: int) -> None:
    """Nested combinations double with every level; the search gives up, and nothing else is raised."""
    schema: Any = {"type": "integer"}
    for _ in range(depth):
        schema = wrap(schema)
    with suppress(UnsatisfiableSchemaError):
        sample(schema)


def test_optional_members_are_left_out_further_down() -> None:
    """A recursive schema gives something to look at, and not a tower."""
    found = sample({"$defs": {"node": NODE}, "$ref": "#/$defs/node"})
    assert len(json.dumps(found)) < 200


def test_values_are_made_of_the_material() -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer"},
            "name": {"type": "string"},
        },
    }
    material = Material(("Paris", "Fahrenheit"), (3,), {"name": "Ada"})
    assert sample(schema, material) == {"city": "Paris", "unit": "fahrenheit", "days": 3, "name": "Ada"}


def test_material_that_does_not_fit_is_not_used() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 1}, "s": {"pattern": "^x$"}}}
    found = sample(schema, Material(("Paris",), (7,), {"s": "Ada"}))
    Draft202012Validator(schema).validate(found)


def test_the_same_schema_gives_the_same_value() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^[a-z]{5}-\\d$"}, "b": NODE | {}}}
    del schema["properties"]["b"]["properties"]["next"]
    assert sample(schema) == sample(json.loads(json.dumps(schema)))


PIECES = [
    "a",
    "b",
    "ab",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    "(a|b)",
    "(?:ab)",
    "a*",
    "b+",
    "(ab)?",
    "a{2}",
    "b{1,2}",
    "^",
    "$",
]
LOOKAHEADS = ["(?=a)", "(?!b)", "(?=.*b)"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*PIECES, *LOOKAHEADS, "|"]), max_size=6).map("".join), st.text("ab1", max_size=6))
def test_patterns_are_read_as_regular_expressions(pattern: str, text: str) -> None:
    """Whether a pattern is found in a text is what `re` says, and what is made for a pattern has it."""
    languages = Languages(Budget(200_000))
    language = language_of(pattern, languages)
    assert languages.holds(language, text) == bool(re.search(pattern, text))
    for made in islice(languages.texts(language), 3):
        assert re.search(pattern, made), made


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(.*a){12}$", "(x+x+)+y"])
def test_patterns_that_blow_up_elsewhere_are_matched_in_bounds(pattern: str) -> None:
    """Backtracking takes ages on these; the work here is counted, and stays below the bound."""
    languages = Languages(Budget(200_000))
    assert languages.holds(language_of(pattern, languages), "a" * 2000 + "!") is False


@pytest.mark.parametrize(
    "pattern", ["a**", "*a", "a)", "(a", "[a", "[b-a]", "a{3,2}", "\\", r"\p{L}", "\\u{110000}", "a" * 3000]
)
def test_patterns_that_are_not_read_are_named(pattern: str) -> None:
    with pytest.raises(UnsupportedPatternError):
        language_of(pattern, Languages(Budget(200_000)))
