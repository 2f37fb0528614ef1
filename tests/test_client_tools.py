"""Function tools: the schema says what a function takes, what can be no tool is refused, a request takes them all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from openresponses_kit.client.schemas import UnsupportedSchemaError
from openresponses_kit.client.tools import Toolbox, tool
from openresponses_kit.models import (
    FunctionToolParam,
)
from pydantic import Field
from tool_functions import (
    Place,
    Shop,
    anything,
    forecast,
    keyword_only,
    later,
    named,
    nothing,
    odd_names,
    place_name,
)

if TYPE_CHECKING:
    from nowhere import Unknown


# What the model is told.


def test_a_signature_and_its_docstring_make_a_function_tool() -> None:
    place = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "height": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
        "required": ["name", "height"],
        "additionalProperties": False,
        "description": "A place on earth.",
    }
    assert tool(forecast).param() == {
        "type": "function",
        "name": "forecast",
        "description": "Tells the weather.\n\nKnows a week.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where, as people there call it."},
                "days": {"type": "integer", "minimum": 1, "maximum": 7, "description": "How many days.\nDefault: 3."},
                "unit": {"anyOf": [{"$ref": "#/$defs/Unit"}], "description": 'Default: "c".'},
                "place": {
                    "anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}],
                    "description": "Never shown: the type says nothing of it.",
                },
            },
            "required": ["city", "days", "unit", "place"],
            "additionalProperties": False,
            "$defs": {"Unit": {"type": "string", "enum": ["c", "f"]}, "Place": place},
        },
        "strict": True,
    }


def test_a_signature_that_has_no_strict_schema_is_said_loosely() -> None:
    made = tool(anything)
    assert made.strict is False
    assert made.param() == {
        "type": "function",
        "name": "anything",
        "parameters": {
            "type": "object",
            "properties": {
                "value": {"title": "Value"},
                "rows": {
                    "title": "Rows",
                    "type": "object",
                    "additionalProperties": {"type": "integer"},
                    "default": {},
                },
                "untyped": {"title": "Untyped", "default": None},
            },
            "required": ["value"],
            "additionalProperties": False,
        },
        "strict": False,
    }


def test_strictness_that_was_asked_for_is_not_given_up() -> None:
    with pytest.raises(UnsupportedSchemaError, match=r"anything\.rows: .*not declared") as caught:
        tool(anything, strict=True)
    assert [path for path, _ in caught.value.problems] == ["anything.value", "anything.rows", "anything.untyped"]


def test_strictness_can_be_declined() -> None:
    parameters: Any = tool(forecast, strict=False).param()["parameters"]
    assert parameters["required"] == ["city"]
    assert parameters["properties"]["days"]["default"] == 3
    assert parameters["properties"]["days"]["description"] == "How many days."


def test_what_a_type_says_of_a_parameter_goes_before_the_docstring() -> None:
    parameters: Any = tool(place_name).param()["parameters"]
    assert parameters["properties"]["place"]["description"] == "Of the field."


def test_name_and_description_can_be_given() -> None:
    made = tool(forecast, name="look-up_2", description="Looks it up.")
    assert (made.param()["name"], made.param()["description"]) == ("look-up_2", "Looks it up.")


def test_a_tool_can_be_made_again_under_another_name() -> None:
    made = tool(tool(keyword_only), name="add")
    assert made.name == "add"
    assert made.call('{"a": 1}') == "3"


def test_a_description_is_left_out_where_there_is_none() -> None:
    assert "description" not in tool(anything).param()


FUNCTIONS: list[Callable[..., Any]] = [forecast, anything, nothing, later, odd_names, keyword_only, Shop({}).count]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_a_param_is_one_of_the_request(function: Callable[..., Any]) -> None:
    param = tool(function).param()
    assert FunctionToolParam.model_validate(param).model_dump() == param


def test_changing_a_param_changes_no_other() -> None:
    made = tool(forecast)
    changed: Any = made.param()
    changed["parameters"]["properties"].clear()
    assert made.param()["parameters"] != changed["parameters"]


# What is refused.


def with_list(*args: int) -> None: ...
def with_free_keywords(**options: int) -> None: ...
def with_positional(x: int, /) -> None: ...
def with_field(x: int = Field(3)) -> None: ...
def with_unknown(x: Unknown) -> None: ...
def with_class(x: Caller) -> None: ...


class Caller:
    def __call__(self, x: int) -> int:
        return x


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (with_list, TypeError, r"with_list cannot be a tool: \*args: .* no names"),
    (with_free_keywords, TypeError, r"with_free_keywords cannot be a tool: \*\*options: free keywords"),
    (with_positional, TypeError, r"with_positional cannot be a tool: x: .*positional-only"),
    (with_field, TypeError, r"with_field .*x has a Field as its default"),
    (with_unknown, TypeError, r"with_unknown .*cannot be resolved.*Unknown"),
    (with_class, UnsupportedSchemaError, r"with_class: .*Caller"),
    (lambda: 1, ValueError, r"'<lambda>' cannot be the name of a tool.*name="),
    (Place, TypeError, r"Place.* is no function"),
    (3, TypeError, r"3 is no function"),
    (Shop, TypeError, r"Shop.* is no function"),
    (functools.partial(Place, name="x"), TypeError, r"Place.* is no function"),
    (Caller(), TypeError, r"an instance of Caller is no function: give its method"),
]


@pytest.mark.parametrize(("function", "error", "message"), REFUSED, ids=named)
def test_what_can_be_no_tool_is_refused_with_the_reason(function: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tool(function)


@pytest.mark.parametrize("name", ["a b", "a.b", "é", "x" * 65])
def test_a_name_that_no_tool_may_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a tool"):
        tool(forecast, name=name)


# Toolboxes.

HOSTED = {"type": "acme:search", "name": "forecast"}
PLAIN = {"type": "function", "name": "plain", "parameters": None}
MODEL = FunctionToolParam(name="model")


def test_a_toolbox_keeps_the_order_and_finds_what_the_client_runs() -> None:
    made = tool(nothing)
    box = Toolbox([forecast, HOSTED, made, PLAIN, MODEL])
    assert box.params() == [tool(forecast).param(), HOSTED, made.param(), PLAIN, MODEL]
    assert box.find("nothing") is made
    found = box.find("forecast")
    assert found is not None
    assert found.name == "forecast"
    assert [box.find(name) for name in ("plain", "model", "gone")] == [None, None, None]


def test_an_empty_toolbox_has_nothing() -> None:
    assert Toolbox().params() == []
    assert Toolbox([]).find("forecast") is None


@pytest.mark.parametrize(
    "other", [forecast, PLAIN | {"name": "forecast"}, FunctionToolParam(name="forecast")], ids=named
)
def test_two_functions_of_one_name_are_refused(other: Any) -> None:
    for tools in ([forecast, other], [other, forecast]):
        with pytest.raises(ValueError, match="two tools are called forecast"):
            Toolbox(tools)


@pytest.mark.parametrize("other", [3, "forecast", Place, None], ids=named)
def test_what_is_no_tool_is_refused(other: Any) -> None:
    with pytest.raises(TypeError, match="is no function"):
        Toolbox([forecast, other])
