"""Function tools: the schema says what the function takes, and every call ends in something that the model can be told.

Functions stand at module level, as those of a user do, where their annotations are resolved.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import enum
import functools
import json
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.client.schemas import UnsupportedSchemaError
from openresponses_kit.client.signatures import ToolArgumentsError
from openresponses_kit.client.tools import Toolbox, ToolContent, ToolError, ToolFunction, ToolOutcome, tool
from openresponses_kit.models import (
    FunctionCallOutputItemParam,
    FunctionToolParam,
    InputTextContentParam,
)
from pydantic import BaseModel, Field
from strict_schemas import answers, assert_strict

if TYPE_CHECKING:
    from nowhere import Unknown


class Unit(enum.StrEnum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Place(BaseModel):
    """A place on earth."""

    name: str
    height: float | None = None


MARK = object()
EMPTY: dict[str, int] = {}

# The functions that the tests make tools of.


def forecast(
    city: str, days: Annotated[int, Field(ge=1, le=7)] = 3, unit: Unit = Unit.CELSIUS, place: Place | None = None
) -> Unknown:
    """Tells the weather.

    Knows a week.

    Args:
        city: Where, as people there
            call it.
        days (int, optional): How many days.
        place: Never shown: the type says nothing of it.
        gone: No such parameter.

    Returns:
        What comes.
    """
    return {"city": city, "days": days, "unit": unit, "place": place}


def anything(value: Any, rows: dict[str, int] = EMPTY, untyped=None) -> Any:
    return [value, rows, untyped]


def nothing() -> None:
    """Does nothing."""


async def later(city: str) -> str:
    await asyncio.sleep(0)
    return f"later in {city}"


def odd_names(_hidden: int, model_config: int, copy: int, schema: int, self_: int, json: int = 1) -> list[int]:
    return [_hidden, model_config, copy, schema, self_, json]


def with_defaults_of_python(name: str, key: bytes = b"\xff", mark: Any = MARK) -> list[Any]:
    return [name, key == b"\xff", mark is MARK]


def place_name(place: Annotated[Place, Field(description="Of the field.")]) -> str:
    """Names it.

    Args:
        place: Of the docstring.
    """
    return place.name


def keyword_only(*, a: int, b: int = 2) -> int:
    return a + b


class Shop:
    adder = tool(keyword_only)

    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock

    def count(self, item: str) -> int:
        """Counts an item."""
        return self.stock[item]

    @tool
    def sell(self, item: str, number: int = 1) -> int:
        """Sells an item."""
        self.stock[item] -= number
        return self.stock[item]

    @tool(name="restock", strict=False)
    async def fill(self, /, item: str) -> int:
        self.stock[item] += 10
        return self.stock[item]

    @classmethod
    def open(cls, name: str) -> str:
        return f"{cls.__name__} {name}"

    @staticmethod
    def close(name: str) -> str:
        return f"closed {name}"


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


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


@pytest.mark.parametrize(("function", "error", "message"), REFUSED, ids=repr)
def test_what_can_be_no_tool_is_refused_with_the_reason(function: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tool(function)


@pytest.mark.parametrize("name", ["a b", "a.b", "é", "x" * 65])
def test_a_name_that_no_tool_may_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a tool"):
        tool(forecast, name=name)


# Calls.


@pytest.mark.parametrize("function", [forecast, nothing, keyword_only, odd_names], ids=lambda each: each.__name__)
@given(data=st.data())
def test_whatever_follows_the_schema_is_called_with(function: Callable[..., Any], data: st.DataObject) -> None:
    """X1: a model that is held to the schema cannot write arguments that the tool does not take."""
    made = tool(function, strict=True)
    parameters: Any = made.param()["parameters"]
    assert_strict(parameters)
    arguments = data.draw(answers(parameters))
    outcome = made.run(json.dumps(arguments))
    assert outcome.error is None
    assert isinstance(outcome.output, str)
    if function is forecast:
        assert json.loads(outcome.output) == arguments


CALLS: list[tuple[Callable[..., Any], str, Any]] = [
    (forecast, '{"city": "Bonn"}', {"city": "Bonn", "days": 3, "unit": "c", "place": None}),
    (forecast, '{"city": "Bonn", "days": "5", "unit": "f"}', {"city": "Bonn", "days": 5, "unit": "f", "place": None}),
    (with_defaults_of_python, '{"name": "n"}', ["n", True, True]),
    (place_name, '{"place": {"name": "n"}}', "n"),
    (anything, '{"value": [1, {"a": null}]}', [[1, {"a": None}], {}, None]),
    (nothing, "", None),
    (nothing, " \n", None),
    (nothing, "{}", None),
    (odd_names, '{"_hidden": 1, "model_config": 2, "copy": 3, "schema": 4, "self_": 5}', [1, 2, 3, 4, 5, 1]),
    (keyword_only, '{"a": 1}', 3),
    (Shop({"nut": 3}).count, '{"item": "nut"}', 3),
    (Shop.close, '{"name": "door"}', "closed door"),
    (Shop.open, '{"name": "door"}', "Shop door"),
    (functools.partial(forecast, days=1), '{"city": "Bonn"}', {"city": "Bonn", "days": 1, "unit": "c", "place": None}),
    (functools.partial(forecast, "Bonn", 2), '{"unit": "f"}', {"city": "Bonn", "days": 2, "unit": "f", "place": None}),
    (logged(keyword_only), '{"a": 1, "b": 1}', 2),
]  # fmt: skip


def value_of(output: object) -> Any:
    assert isinstance(output, str)
    try:
        return json.loads(output)
    except ValueError:
        return output


@pytest.mark.parametrize(("function", "arguments", "result"), CALLS, ids=repr)
def test_a_function_is_called_with_what_the_model_wrote(
    function: Callable[..., Any], arguments: str, result: Any
) -> None:
    """X1, both ways of calling, and as a decorator."""
    for made in (tool(function), tool()(function), tool(name="n")(function)):
        assert value_of(made.call(arguments)) == result
        assert value_of(asyncio.run(made.acall(arguments))) == result
        assert value_of(made.run(arguments).output) == result


def test_a_partial_hides_what_it_binds() -> None:
    parameters: Any = tool(functools.partial(forecast, "Bonn", days=1)).param()["parameters"]
    assert list(parameters["properties"]) == ["unit", "place"]
    assert tool(functools.partial(forecast, days=1)).name == "forecast"
    outcome = tool(functools.partial(forecast, days=1)).run('{"city": "Bonn", "days": 2}')
    assert outcome.output == "the arguments do not fit forecast:\ndays: Unexpected keyword argument"


def test_a_tool_is_still_the_function() -> None:
    made = tool(keyword_only)
    assert made(a=1, b=1) == 2
    assert asyncio.run(tool(later)("Bonn")) == "later in Bonn"
    assert tool(forecast).__doc__ == forecast.__doc__


def test_a_method_takes_its_instance() -> None:
    """`self` has no place in the schema."""
    one, other = Shop({"nut": 9}), Shop({"nut": 5})
    parameters: Any = one.sell.param()["parameters"]
    assert list(parameters["properties"]) == ["item", "number"]
    assert one.sell.call('{"item": "nut", "number": 2}') == "7"
    assert one.sell("nut", 3) == 4
    assert other.sell.call('{"item": "nut"}') == "4"
    assert one.stock == {"nut": 4}
    assert asyncio.run(other.fill.acall('{"item": "nut"}')) == "14"
    assert (other.fill.name, other.fill.strict) == ("restock", False)


def test_a_function_that_is_no_method_takes_no_instance() -> None:
    assert Shop({}).adder.call('{"a": 1}') == "3"


def test_a_method_without_its_instance_says_so() -> None:
    for call in (Shop.sell.call, Shop.sell.run):
        with pytest.raises(TypeError, match="sell is a method: take it from an instance"):
            call('{"item": "nut"}')


BAD_ARGUMENTS: list[tuple[str, list[str]]] = [
    ("{}", ["city: Field required"]),
    ("[]", ["Input should be an object"]),
    ("null", ["Input should be an object"]),
    ('{"city": "B"', ["Invalid JSON: EOF"]),
    ('{"city": 1, "days": 9}', ["city: Input should be a valid string", "days: Input should be less than"]),
    ('{"city": "B", "place": {"height": "x"}}', ["place.name: Field required", "place.height: Input should be"]),
    ('{"city": "B", "town": "C"}', ["town: Unexpected keyword argument"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "errors"), BAD_ARGUMENTS, ids=str)
def test_arguments_that_do_not_fit_are_told_place_by_place(arguments: str, errors: list[str]) -> None:
    """The function is not called; the model reads which argument was wrong, and why."""
    calls: list[str] = []

    def spied(**given: Any) -> None:
        calls.append(str(given))

    made = tool(functools.wraps(forecast)(spied))
    for outcome in (made.run(arguments), asyncio.run(made.arun(arguments))):
        assert outcome.is_error
        assert isinstance(outcome.error, ToolArgumentsError)
        first, *lines = str(outcome.output).splitlines()
        assert first == "the arguments do not fit forecast:"
        assert len(lines) == len(errors)
        assert all(line.startswith(wanted) for line, wanted in zip(lines, errors, strict=True))
    with pytest.raises(ToolArgumentsError):
        made.call(arguments)
    assert calls == []


class Strange:
    pass


@dataclasses.dataclass
class Row:
    x: int


RESULTS: list[tuple[Any, str]] = [
    ("as it is: {", "as it is: {"),
    ("", ""),
    (Unit.CELSIUS, "c"),
    (None, "null"),
    (True, "true"),
    (1.5, "1.5"),
    (float("inf"), '"Infinity"'),
    ({"a": [1, None]}, '{"a":[1,null]}'),
    ([Place(name="é")], '[{"name":"é","height":null}]'),
    (Place(name="n"), '{"name":"n","height":null}'),
    (InputTextContentParam(text="t"), '{"type":"input_text","text":"t"}'),
    (Row(1), '{"x":1}'),
    (datetime.date(2026, 1, 2), '"2026-01-02"'),
    (b"bytes", '"bytes"'),
    ((each for each in range(3)), "[0,1,2]"),
]


@pytest.mark.parametrize(("result", "output"), RESULTS, ids=repr)
def test_results_become_text(result: Any, output: str) -> None:
    def give() -> Any:
        return result

    found = tool(give).call("{}")
    assert found == output
    assert type(found) is str


def test_content_parts_go_on_as_they_are() -> None:
    """Z19: they fit the output of a `function_call_output` item."""
    parts = [InputTextContentParam(text="t"), {"type": "input_image", "image_url": "https://a.example/i.png"}]

    def show() -> ToolContent:
        return ToolContent(parts)

    output = tool(show).call("{}")
    assert isinstance(output, list)
    assert all(found is given for found, given in zip(output, parts, strict=True))
    item = FunctionCallOutputItemParam(call_id="c", output=output)
    assert item.model_dump()["output"] == [{"type": "input_text", "text": "t"}, parts[1]]


def failing(error: BaseException) -> ToolFunction[[], None]:
    @tool(name="failing")
    def fail() -> None:
        raise error

    return fail


def failing_later(error: BaseException) -> ToolFunction[[], Any]:
    @tool(name="failing")
    async def fail() -> None:
        raise error

    return fail


FAILURES: list[tuple[Exception, str, str]] = [
    (KeyError("nut"), "KeyError: 'nut'", "Tool failing failed"),
    (ValueError("no such\ncity"), "ValueError: no such\ncity", "Tool failing failed"),
    (TimeoutError(), "TimeoutError: ", "Tool failing failed"),
    (ToolError("There is no such city."), "There is no such city.", "Tool failing refused a call"),
]


@pytest.mark.parametrize(("error", "output", "record"), FAILURES, ids=repr)
@pytest.mark.parametrize("way", ["sync", "thread", "async"])
def test_what_a_function_raises_is_told_to_the_model(
    error: Exception, output: str, record: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No traceback reaches the model; the log of the package has it."""
    match way:
        case "sync":
            outcome = failing(error).run("{}")
        case "thread":
            outcome = asyncio.run(failing(error).arun("{}"))
        case _:
            outcome = asyncio.run(failing_later(error).arun("{}"))
    assert outcome == ToolOutcome(output, error)
    assert outcome.is_error
    (line,) = caplog.records
    assert line.name == "openresponses_kit"
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith(record)
    assert bool(line.exc_info) is not isinstance(error, ToolError)


@pytest.mark.parametrize("error", [KeyError("nut"), ToolError("no")], ids=repr)
def test_call_raises_what_the_function_raises(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        failing(error).call("{}")
    assert caught.value is error
    with pytest.raises(type(error)):
        asyncio.run(failing(error).acall("{}"))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError()], ids=repr)
def test_what_is_no_exception_passes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        failing(error).run("{}")


def test_cancelling_passes_through() -> None:
    started = asyncio.Event()

    @tool
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(wait.arun("{}"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_stop_iteration_in_a_thread_ends_the_waiting() -> None:
    """No future takes a StopIteration; without care the caller waits for ever."""
    outcome = asyncio.run(asyncio.wait_for(failing(StopIteration(3)).arun("{}"), timeout=30))
    assert outcome.output == "RuntimeError: coroutine raised StopIteration"


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize("result", [Strange(), CIRCLE, b"\xff", [Strange]], ids=["object", "circle", "bytes", "class"])
def test_a_result_that_is_not_json_is_an_error(result: Any) -> None:
    def strange() -> Any:
        return result

    with pytest.raises(TypeError, match="the result of strange cannot be said in JSON"):
        tool(strange).call("{}")
    assert tool(strange).run("{}").is_error


# Sync and async.

WHERE = contextvars.ContextVar("WHERE", default="nowhere")


def test_a_function_that_is_not_asynchronous_runs_in_a_thread_of_its_own() -> None:
    """The loop goes on meanwhile; context variables are there."""

    @tool
    def look() -> list[Any]:
        return [threading.get_ident(), WHERE.get()]

    async def main() -> None:
        WHERE.set("here")
        assert value_of(await look.acall("{}")) != [threading.get_ident(), "here"]
        assert value_of(await look.acall("{}"))[1] == "here"
        assert value_of(look.call("{}")) == [threading.get_ident(), "here"]

    asyncio.run(main())


def test_two_slow_functions_run_at_once() -> None:
    both = threading.Barrier(2, timeout=30)

    @tool
    def meet() -> int:
        return int(both.wait() >= 0)

    async def main() -> list[ToolOutcome]:
        return await asyncio.gather(meet.arun("{}"), meet.arun("{}"))

    assert [outcome.output for outcome in asyncio.run(main())] == ["1", "1"]


def test_an_asynchronous_function_refuses_to_be_called_synchronously() -> None:
    made = tool(later)
    assert made.is_async
    for call in (made.call, made.run):
        with pytest.raises(TypeError, match="later is asynchronous: use acall or arun"):
            call('{"city": "Bonn"}')
    assert asyncio.run(made.acall('{"city": "Bonn"}')) == "later in Bonn"
    assert asyncio.run(made.arun('{"city": "Bonn"}')) == ToolOutcome("later in Bonn")


def test_a_coroutine_that_a_plain_function_gives_is_awaited() -> None:
    wrapped = tool(logged(later))
    assert not wrapped.is_async
    assert asyncio.run(wrapped.acall('{"city": "Bonn"}')) == "later in Bonn"
    with pytest.raises(TypeError, match="later gave something to await"):
        wrapped.call('{"city": "Bonn"}')


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
    "other", [forecast, PLAIN | {"name": "forecast"}, FunctionToolParam(name="forecast")], ids=repr
)
def test_two_functions_of_one_name_are_refused(other: Any) -> None:
    for tools in ([forecast, other], [other, forecast]):
        with pytest.raises(ValueError, match="two tools are called forecast"):
            Toolbox(tools)


@pytest.mark.parametrize("other", [3, "forecast", Place, None], ids=repr)
def test_what_is_no_tool_is_refused(other: Any) -> None:
    with pytest.raises(TypeError, match="is no function"):
        Toolbox([forecast, other])
