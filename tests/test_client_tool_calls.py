"""Calls of tools: arguments are checked, results become text, and every call ends in something to tell the model."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import functools
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.client.signatures import ToolArgumentsError
from openresponses_kit.client.tools import ToolContent, ToolError, ToolFunction, ToolOutcome, tool
from openresponses_kit.models import FunctionCallOutputItemParam, InputTextContentParam
from strict_schemas import answers, assert_strict
from tool_functions import (
    Place,
    Shop,
    Unit,
    anything,
    forecast,
    keyword_only,
    later,
    logged,
    named,
    nothing,
    odd_names,
    place_name,
    with_defaults_of_python,
)


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


@pytest.mark.parametrize(("function", "arguments", "result"), CALLS, ids=named)
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


@pytest.mark.parametrize(("result", "output"), RESULTS, ids=named)
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


@pytest.mark.parametrize(("error", "output", "record"), FAILURES, ids=named)
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


@pytest.mark.parametrize("error", [KeyError("nut"), ToolError("no")], ids=named)
def test_call_raises_what_the_function_raises(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        failing(error).call("{}")
    assert caught.value is error
    with pytest.raises(type(error)):
        asyncio.run(failing(error).acall("{}"))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError()], ids=named)
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
