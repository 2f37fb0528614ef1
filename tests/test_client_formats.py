"""Structured output: what a request asks for is what strict mode takes, and every answer to it can be read.

The schemas are held against a check of their own (`strict_schemas`), written from the guide and not from the code.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import ipaddress
import json
import pathlib
import re
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openresponses_kit.client.formats import OutputFormat, OutputParseError
from openresponses_kit.client.schemas import LIMITS, UnsupportedSchemaError, strict_schema
from openresponses_kit.models import CreateResponseBody, JsonSchemaResponseFormatParam
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    RootModel,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from strict_schemas import answers, assert_strict, schemas
from typing_extensions import TypeAliasType, TypedDict

T = TypeVar("T")


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    GREEN = "green"


class Step(BaseModel):
    """One step of a solution."""

    title: str = Field(description="What is done.")
    default: int
    colour: Colour = Colour.RED


class Solution(BaseModel):
    """A solution, step by step."""

    steps: list[Step] = Field(min_length=1, max_length=3)
    first: Step = Field(description="The first one again.")
    answer: int | None = None
    share: Annotated[float, Field(ge=0, lt=1)]
    code: Annotated[str, Field(pattern="^[a-z]{2}-[0-9]")]
    day: datetime.date


class Node(BaseModel):
    value: int
    left: Node | None = None
    others: list[Node] = Field(default=[], description="The others.")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Owner(BaseModel):
    pet: Pet
    former: list[Pet | None]


class Page(BaseModel, Generic[T]):
    items: list[T]


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    kind: str = Field(alias="$type")


class Nothing(BaseModel):
    pass


class Names(RootModel[list[str]]):
    """Names."""


@dataclass
class Point:
    """A place."""

    x: float
    labels: list[str] = field(default_factory=list)


class Movie(TypedDict):
    """A film."""

    title: str
    year: NotRequired[int]


class Sized(BaseModel):
    tags: set[int]
    name: str = Field(min_length=2)
    page: HttpUrl
    path: pathlib.Path
    at: datetime.datetime
    key: uuid.UUID
    price: decimal.Decimal
    net: ipaddress.IPv4Network
    host: ipaddress.IPv4Address


Alias = TypeAliasType("Alias", list[Step])

STEP = Step(title="a", default=1)
VALUES: list[tuple[Any, Any]] = [
    (Solution, Solution(steps=[STEP], first=STEP, share=0.5, code="ab-1", day=datetime.date(2026, 1, 2))),
    (Step, STEP),
    (Owner, Owner(pet=Cat(lives=9), former=[Dog(name="d"), None])),
    (Page[Step], Page[Step](items=[STEP])),
    (Aliased, Aliased(kind="k")),
    (Nothing, Nothing()),
    (Point, Point(x=1.5, labels=["a"])),
    (Movie, {"title": "t", "year": 1999}),
    (Names, Names(["a"])),
    (Alias, [STEP]),
    (list[Step], [STEP]),
    (Cat | Dog, Dog(name="d")),
    (Pet, Cat(lives=1)),
    (Step | int | None, None),
    (Literal["a", 1, None], 1),
    (Literal[True], True),
    (Colour, Colour.GREEN),
    (int, 3),
    (tuple[int, ...], (1, 2)),
]
"""Types whose strict schema says everything that parsing checks, each with a value."""

LOOSE: list[tuple[Any, Any]] = [
    (Node, Node(value=1, left=Node(value=2, others=[Node(value=3)]))),
    (
        Sized,
        Sized(
            tags={1},
            name="ab",
            page=HttpUrl("https://a.example/"),
            path=pathlib.Path("p"),
            at=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            key=uuid.UUID(int=7),
            price=decimal.Decimal("1.5"),
            net=ipaddress.IPv4Network("10.0.0.0/8"),
            host=ipaddress.IPv4Address("10.0.0.1"),
        ),
    ),
]
"""Types whose strict schema says less, or is recursive."""


def schema_of(kind: Any) -> dict[str, Any]:
    schema = OutputFormat.of(kind).param()["schema"]
    assert isinstance(schema, dict)
    return schema


def is_wrapped(kind: Any) -> bool:
    """Whether the values of a type are no JSON objects, and so stand under `value`."""
    schema = TypeAdapter(kind).json_schema()
    while "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema.get("type") != "object"


# What is asked for, and what is read.


@pytest.mark.parametrize(("kind", "value"), VALUES + LOOSE, ids=lambda each: str(each)[:40])
def test_schemas_are_strict_and_values_of_the_type_follow_them(kind: Any, value: Any) -> None:
    """What the type takes, the schema admits: the model can write any such value, and it is read back as it was."""
    schema = schema_of(kind)
    assert_strict(schema)
    written = TypeAdapter(kind).dump_python(value, mode="json", by_alias=True)
    written = {"value": written} if is_wrapped(kind) else written
    Draft202012Validator(schema).validate(written)
    assert OutputFormat.of(kind).parse(json.dumps(written)) == value


@pytest.mark.parametrize("kind", [*(kind for kind, _ in VALUES), Node], ids=str)
@given(data=st.data())
def test_whatever_follows_the_schema_is_parsed(kind: Any, data: st.DataObject) -> None:
    """What the schema admits, the type takes: a model that is held to the schema cannot write what is not read."""
    answer = data.draw(answers(schema_of(kind)))
    OutputFormat.of(kind).parse(json.dumps(answer))


@pytest.mark.parametrize(("kind", "value"), VALUES + LOOSE, ids=lambda each: str(each)[:40])
def test_without_strictness_the_schema_is_that_of_pydantic(kind: Any, value: Any) -> None:
    loose = OutputFormat.of(kind, strict=False)
    assert loose.param()["schema"] == TypeAdapter(kind).json_schema()
    assert loose.param()["strict"] is False
    assert loose.parse(TypeAdapter(kind).dump_json(value, by_alias=True).decode()) == value


def test_the_param_is_one_of_the_request() -> None:
    param = OutputFormat.of(Solution).param()
    assert param.keys() == {"type", "name", "description", "schema", "strict"}
    assert param["name"] == "Solution"
    assert param["description"] == "A solution, step by step."
    assert JsonSchemaResponseFormatParam.model_validate(param).model_dump(by_alias=True) == param
    body = CreateResponseBody.model_validate({"model": "m", "input": "i", "text": {"format": param}})
    assert body.model_dump(by_alias=True)["text"]["format"] == param


DESCRIBED: list[tuple[Any, str | None]] = [
    (Point, "A place."),
    (Names, "Names."),
    (Colour, "A colour."),
    (Annotated[Node, Field(description="A tree.")], "A tree."),
    (Owner, None),
    (int, None),
]


@pytest.mark.parametrize(("kind", "description"), DESCRIBED, ids=str)
def test_the_description_is_that_of_the_type(kind: Any, description: str | None) -> None:
    assert OutputFormat.of(kind).description == description
    assert OutputFormat.of(kind).param().get("description") == description


def test_changing_a_param_changes_no_other() -> None:
    changed: Any = OutputFormat.of(Solution).param()
    changed["schema"]["properties"].clear()
    assert schema_of(Solution)["properties"]


def test_the_format_of_a_type_is_made_once() -> None:
    assert OutputFormat.of(Solution) is OutputFormat.of(Solution)
    assert OutputFormat.of(Solution) is not OutputFormat.of(Solution, strict=False)


NAMES: list[tuple[Any, str]] = [
    (Solution, "Solution"),
    (Page[int], "Page_int"),
    (create_model("Größe Ω", x=(int, ...)), "Gr_e"),
    (create_model("Ω", x=(int, ...)), "output"),
    (create_model("x" * 99, x=(int, ...)), "x" * 64),
    (Alias, "Alias"),
    (list[Step], "output"),
    (Cat | Dog, "output"),
]


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=str)
def test_names_are_made_to_fit(kind: Any, name: str) -> None:
    assert OutputFormat.of(kind).name == name
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", name)


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


def test_a_default_stands_in_for_a_field_that_an_answer_leaves_out() -> None:
    assert OutputFormat.of(Step).parse('{"title": "t", "default": 1}') == Step(title="t", default=1)


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


def test_a_recursive_type_has_as_many_levels_as_definitions() -> None:
    assert_strict(schema_of(Node))
    assert {"$ref": "#/$defs/Node"} in list(schemas(schema_of(Node)))


# Answers that are not what was asked for.

BROKEN: list[tuple[Any, str, list[str]]] = [
    (Solution, "", ["Invalid JSON: EOF"]),
    (Solution, '{"steps": [', ["Invalid JSON: EOF"]),
    (Solution, "[]", ["Input should be an object"]),
    (Step, '{"title": 1}', ["title: Input should be a valid string", "default: Field required"]),
    (Page[Step], '{"items": [{"title": "t", "default": "x"}]}', ["items[0].default: Input should be a valid integer"]),
    (list[int], "[1]", ["Input should be an object"]),
    (list[int], '{"value": [1, null]}', ["value[1]: Input should be a valid integer"]),
]


@pytest.mark.parametrize(("kind", "text", "errors"), BROKEN, ids=str)
def test_an_answer_that_does_not_fit_is_told_place_by_place(kind: Any, text: str, errors: list[str]) -> None:
    with pytest.raises(OutputParseError) as caught:
        OutputFormat.of(kind).parse(text)
    assert caught.value.text == text
    assert len(caught.value.errors) == len(errors)
    for found, wanted in zip(caught.value.errors, errors, strict=True):
        assert found.startswith(wanted)
        assert found in str(caught.value)


def test_what_a_validator_of_the_type_says_is_told() -> None:
    def odd(value: int) -> int:
        if value % 2 == 0:
            raise ValueError("must be odd")
        return value

    model = create_model("M", x=(Annotated[int, AfterValidator(odd)], ...))
    with pytest.raises(OutputParseError, match="x: Value error, must be odd"):
        OutputFormat.of(model).parse('{"x": 2}')
