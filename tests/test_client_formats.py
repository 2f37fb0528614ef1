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
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openresponses_kit.client.formats import OutputFormat, OutputParseError
from openresponses_kit.models import CreateResponseBody, JsonSchemaResponseFormatParam
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    RootModel,
    TypeAdapter,
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


def test_a_default_stands_in_for_a_field_that_an_answer_leaves_out() -> None:
    assert OutputFormat.of(Step).parse('{"title": "t", "default": 1}') == Step(title="t", default=1)


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
