"""Strict schemas: how each limit is said, what is refused, with its place and reason, and how much is too much.

The schemas are held against a check of their own (`strict_schemas`), written from the guide and not from the code.
"""

from __future__ import annotations

import datetime
import enum
import re
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from openresponses_kit.client.formats import OutputFormat
from openresponses_kit.client.schemas import LIMITS, UnsupportedSchemaError, strict_schema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, WithJsonSchema, create_model
from strict_schemas import assert_strict

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Page(BaseModel, Generic[T]):
    items: list[T]


def schema_of(kind: Any) -> dict[str, Any]:
    schema = OutputFormat.of(kind).param()["schema"]
    assert isinstance(schema, dict)
    return schema


# How it is said.


def saying(schema: dict[str, Any]) -> Any:
    """A type whose schema is that."""
    return Annotated[int, WithJsonSchema(schema)]


def noted(note: str, kind: str = "string") -> dict[str, Any]:
    return {"type": kind, "description": note}


INTEGER, NULL, GREATER = {"type": "integer"}, {"type": "null"}, {"description": "Limits: gt 3."}
SAID: list[tuple[Any, dict[str, Any]]] = [
    (Annotated[int, Field(ge=1, le=5)], {"type": "integer", "minimum": 1, "maximum": 5}),
    (Annotated[float, Field(multiple_of=0.5)], {"type": "number", "multipleOf": 0.5}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (Annotated[str, Field(min_length=1, max_length=9)], noted("Limits: maxLength 9, minLength 1.")),
    (frozenset[int], noted("Limits: uniqueItems true.", "array") | {"items": INTEGER}),
    (bytes, noted('Limits: format "binary".')),
    (saying({"type": "string", "pattern": "^(?!x)"}), noted('Limits: pattern "^(?!x)".')),
    (saying({"type": "string", "pattern": r"^\(?!"}), {"type": "string", "pattern": r"^\(?!"}),
    (Literal["a", None], {"type": ["string", "null"], "enum": ["a", None]}),
    (saying(INTEGER | {"title": "t", "x-vendor": 1, "examples": [1], "deprecated": True}), INTEGER),
    (saying({"allOf": [INTEGER | {"minimum": 1}, {"maximum": 5}]}), INTEGER | {"minimum": 1, "maximum": 5}),
    (saying({"allOf": [noted("first", "integer")], "description": "last"}), noted("last", "integer")),
    (
        Annotated[int | None, AfterValidator(abs), Field(gt=3)],
        {"anyOf": [INTEGER, NULL], "description": "Limits: gt 3."},
    ),
    (saying({"oneOf": [INTEGER, NULL]}), {"anyOf": [INTEGER, NULL]}),
    (saying({"anyOf": [INTEGER, NULL], "minimum": 1}), {"anyOf": [INTEGER, NULL], "description": "Limits: minimum 1."}),
]


@pytest.mark.parametrize(("kind", "said"), SAID, ids=str)
def test_what_has_no_keyword_is_written_into_the_description(kind: Any, said: dict[str, Any]) -> None:
    schema = schema_of(create_model("M", x=(kind, ...)))
    assert schema["properties"]["x"] == said
    assert_strict(schema)


def test_a_field_with_a_default_is_required_and_its_default_named() -> None:
    schema = schema_of(
        create_model("M", x=(int, 3), y=(str | None, None), z=(Colour, Field(Colour.RED, description="d")))
    )
    assert schema["required"] == ["x", "y", "z"]
    assert schema["properties"]["x"] == {"type": "integer", "description": "Default: 3."}
    assert schema["properties"]["y"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema["properties"]["z"] == {"anyOf": [{"$ref": "#/$defs/Colour"}], "description": 'd\nDefault: "red".'}


def test_fields_may_bear_the_names_of_keywords() -> None:
    names = ["title", "default", "required", "properties", "type", "items", "anyOf", "$ref", "$defs", "description"]
    wanted = {name: {"type": "integer"} for name in names}
    given = {"type": "object", "properties": wanted}
    assert strict_schema(given, "M")["properties"] == wanted


def test_members_of_all_of_become_one_object() -> None:
    parts = [{"type": "object", "properties": {name: {"type": "string"}}, "required": [name]} for name in "ab"]
    merged = strict_schema({"allOf": parts, "properties": {"c": {"type": "null"}}}, "M")
    assert merged["properties"] == {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "null"}}
    assert_strict(merged)


def test_definitions_that_nothing_needs_are_left_out() -> None:
    schema = {"type": "object", "properties": {}, "$defs": {"Unused": {"type": "string"}}}
    assert "$defs" not in strict_schema(schema, "M")


# What is refused.


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int


class Pair(NamedTuple):
    a: int
    b: str


CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}
REFUSED: list[tuple[Any, str, str]] = [
    (dict[str, int], "M.x", "keys that are not declared"),
    (dict, "M.x", "keys that are not declared"),
    (list[dict[str, int]], "M.x[]", "keys that are not declared"),
    (dict[Annotated[str, Field(pattern="^a")], int], "M.x", "keys that are not declared"),
    (Open, "Open", "keys that are not declared"),
    (Page[Any], "Page_Any_.items[]", "any value"),
    (Any, "M.x", "any value"),
    (object, "M.x", "any value"),
    (list, "M.x[]", "any value"),
    (Any | None, "M.x", "any value"),
    (tuple[int, str], "M.x", "tuple"),
    (Pair, "Pair", "tuple"),
    (Json[int], "M.x", "'contentSchema'"),
    (saying({"type": "integer", "not": {"const": 1}}), "M.x", "'not'"),
    (
        saying(CLOSED | {"if": {}, "then": {}}),
        "M.x",
        "'then'",
    ),
    (saying({"type": "array", "items": {"type": "integer"}, "contains": {"const": 1}}), "M.x", "'contains'"),
    (saying({"allOf": [{"type": "integer"}, {"type": "string"}]}), "M.x", "differ in 'type'"),
    (saying({"type": "object"}), "M.x", "keys that are not declared"),
    (saying({"type": ["object", "null"]}), "M.x", "type"),
    (saying({"minLength": 3}), "M.x", "type"),
    (saying({"enum": [[1]]}), "M.x", "type"),
]


@pytest.mark.parametrize(("kind", "path", "reason"), REFUSED, ids=str)
def test_what_strict_mode_cannot_say_is_refused_with_place_and_reason(kind: Any, path: str, reason: str) -> None:
    model = create_model("M", x=(kind, ...))
    with pytest.raises(UnsupportedSchemaError, match=re.escape(path) + ": .*" + re.escape(reason)) as caught:
        OutputFormat.of(model)
    assert path in dict(caught.value.problems)
    assert "strict=False" in str(caught.value)


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(UnsupportedSchemaError, match=r"M\.x: .* leads to no definition"):
        strict_schema({"type": "object", "properties": {"x": {"$ref": "#/$defs/Gone"}}}, "M")


def test_everything_that_is_refused_is_named_at_once() -> None:
    model = create_model("M", a=(Any, ...), b=(dict[str, int], ...), c=(list[Open], ...))
    with pytest.raises(UnsupportedSchemaError) as caught:
        OutputFormat.of(model)
    assert [path for path, _ in caught.value.problems] == ["M.a", "M.b", "Open"]


@pytest.mark.parametrize("kind", [complex | type(print), type(print)], ids=str)
@pytest.mark.parametrize("strict", [True, False])
def test_a_type_that_pydantic_has_no_schema_for_is_refused(kind: Any, strict: bool) -> None:
    with pytest.raises(UnsupportedSchemaError, match="builtin_function_or_method"):
        OutputFormat.of(kind, strict=strict)


def nested(levels: int) -> Any:
    model = create_model("Level1", x=(int, ...))
    for level in range(2, levels + 1):
        model = create_model(f"Level{level}", x=(list[model] | None, ...))
    return model


def with_fields(count: int) -> Any:
    half = create_model("Half", **{f"f{each}": (int, ...) for each in range(count // 2)})
    return create_model("M", half=(half, ...), **{f"g{each}": (int, ...) for each in range(count - count // 2 - 1)})


def with_enum(count: int, length: int) -> Any:
    return create_model("M", x=(Literal[tuple(str(each).zfill(length) for each in range(count))], ...))


def with_names(length: int) -> Any:
    """A type whose names and values are as long as that, together."""
    return create_model("M", **{"x" * (length - 5): (Literal["abcde"], ...)})


AT_THE_LIMIT: list[tuple[str, Any, Any]] = [
    ("levels", nested(10), nested(11)),
    ("properties", with_fields(5_000), with_fields(5_001)),
    ("values in enums", with_enum(1_000, 4), with_enum(1_001, 4)),
    ("characters in the names", with_names(120_000), with_names(120_001)),
    ("characters in one enum", with_enum(300, 50), with_enum(300, 51)),
]


@pytest.mark.parametrize(("what", "within", "beyond"), AT_THE_LIMIT, ids=[each[0] for each in AT_THE_LIMIT])
def test_the_documented_limits_of_strict_mode_are_kept(what: str, within: Any, beyond: Any) -> None:
    assert_strict(OutputFormat(within).param()["schema"])
    with pytest.raises(UnsupportedSchemaError, match=f"{what}.*documented limit of strict mode is") as caught:
        OutputFormat(beyond)
    assert len(caught.value.problems) == 1


def test_an_enum_of_250_strings_may_be_long() -> None:
    assert_strict(OutputFormat(with_enum(250, 400)).param()["schema"])


def test_every_limit_is_tested() -> None:
    assert all(any(each.startswith(what) for each in LIMITS) for what, _, _ in AT_THE_LIMIT)
    assert len(LIMITS) == len(AT_THE_LIMIT)
