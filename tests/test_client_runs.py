"""The client-side loop of model and tools (X1), synchronous and asynchronous, over the in-process script."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from openresponses_kit import InvalidRequestError, RunResult, tool
from openresponses_kit.testing import (
    function_call,
    response_of,
    scripted,
    scripted_async,
    text_response,
)

Run = Callable[..., tuple[RunResult, list[Any]]]


def run_sync(*script: Any, **arguments: Any) -> tuple[RunResult, list[Any]]:
    with scripted(*script) as client:
        return client.responses.run(model="m", **arguments), client.requests


def run_async(*script: Any, **arguments: Any) -> tuple[RunResult, list[Any]]:
    async def main() -> tuple[RunResult, list[Any]]:
        async with scripted_async(*script) as client:
            return await client.responses.run(model="m", **arguments), client.requests

    return asyncio.run(main())


def run_streamed(*script: Any, **arguments: Any) -> tuple[RunResult, list[Any]]:
    with scripted(*script) as client, client.responses.run(model="m", stream=True, **arguments) as run:
        events = list(run)
        assert [event.type for event in events].count("response.completed") == len(client.requests)
        return run.result(), client.requests


def run_streamed_async(*script: Any, **arguments: Any) -> tuple[RunResult, list[Any]]:
    async def main() -> tuple[RunResult, list[Any]]:
        async with scripted_async(*script) as client:
            async with await client.responses.run(model="m", stream=True, **arguments) as run:
                events = [event async for event in run]
            assert [event.type for event in events].count("response.completed") == len(client.requests)
            return await run.result(), client.requests

    return asyncio.run(main())


every_run = pytest.mark.parametrize("run", [run_sync, run_async, run_streamed, run_streamed_async])


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def calls(*given: tuple[str, dict[str, object], str]) -> Any:
    return response_of(*(function_call(name, arguments, call_id) for name, arguments, call_id in given))


@every_run
def test_x1_results_go_back_under_their_call_ids_after_the_items_as_they_came(run: Run) -> None:
    script = calls(("add", {"a": 1, "b": 2}, "c1"), ("add", {"a": 3, "b": 4}, "c2")), text_response("3 and 7")
    result, requests = run(*script, input="Add.", tools=[add])
    assert (result.output_text, result.stopped, len(result.responses)) == ("3 and 7", "done", 2)
    sent = requests[1].body["input"]
    assert sent[0] == {"type": "message", "role": "user", "content": "Add."}
    assert sent[1:3] == script[0].model_dump()["output"]
    assert [(item["call_id"], item["output"]) for item in sent[3:]] == [("c1", "3"), ("c2", "7")]
    assert [tool["name"] for tool in requests[0].body["tools"]] == ["add"]


@every_run
def test_the_window_of_a_result_is_the_head_of_the_next_input(run: Run) -> None:
    result, _ = run(calls(("add", {"a": 1, "b": 2}, "c1")), text_response("3"), input="Add.", tools=[add])
    again, requests = run(
        text_response("ok"), input=[*result.as_input(), {"role": "user", "content": "And?"}], tools=[]
    )
    assert again.stopped == "done"
    kinds = [item.get("type", "message") for item in requests[0].body["input"]]
    assert kinds == ["message", "function_call", "function_call_output", "message", "message"]


@every_run
@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("add", {"a": 1}, "b"),
        ("add", {"a": "x", "b": 1}, "a"),
        ("divide", {"a": 1, "b": 0}, "ZeroDivisionError"),
        ("nothing", {}, "There is no tool called nothing."),
    ],
)
def test_errors_of_a_tool_are_told_to_the_model(run: Run, name: str, arguments: dict[str, object], said: str) -> None:
    def divide(a: int, b: int) -> float:
        return a / b

    result, requests = run(calls((name, arguments, "c1")), text_response("Sorry."), input="Go.", tools=[add, divide])
    assert result.output_text == "Sorry."
    assert said in requests[1].body["input"][-1]["output"]


@every_run
def test_a_tool_that_is_not_ours_to_run_ends_the_run_with_the_call_due(run: Run) -> None:
    others = {"type": "function", "name": "search", "parameters": {}}
    result, requests = run(
        calls(("search", {}, "c1"), ("add", {"a": 1, "b": 1}, "c2")), input="Go.", tools=[add, others]
    )
    assert (result.stopped, len(requests)) == ("call_due", 1)
    assert [call.name for call in result.response.function_calls] == ["search", "add"]


@every_run
@pytest.mark.parametrize("rounds", [1, 3])
def test_rounds_are_bounded_and_the_last_response_reaches_the_caller(run: Run, rounds: int) -> None:
    script = [calls(("add", {"a": 1, "b": 2}, f"c{number}")) for number in range(rounds)]
    result, requests = run(*script, input="Go.", tools=[add], max_rounds=rounds)
    assert (result.stopped, len(requests), len(result.responses)) == ("max_rounds", rounds, rounds)
    assert result.response.function_calls


@pytest.mark.parametrize("run", [run_sync, run_async])
@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_z15_a_response_that_is_not_whole_is_given_and_its_calls_are_not_run(run: Run, status: str) -> None:
    cut = response_of(function_call("add", {"a": 1, "b": 2}), status=status)
    result, requests = run(cut, input="Go.", tools=[add])
    assert (result.stopped, result.response.status, len(requests)) == ("done", status, 1)


@every_run
@pytest.mark.parametrize(
    ("choice", "then"),
    [
        ("required", "auto"),
        ({"type": "function", "name": "add"}, "auto"),
        ("auto", "auto"),
        ("none", "none"),
    ],
)
def test_a_demanded_call_is_demanded_once(run: Run, choice: object, then: object) -> None:
    """A run whose model has to call a tool in every round would never end."""
    script = calls(("add", {"a": 1, "b": 2}, "c1")), text_response("3")
    _, requests = run(*script, input="Go.", tools=[add], tool_choice=choice)
    assert [request.body["tool_choice"] for request in requests] == [choice, then]


def test_calls_of_a_round_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=10)

    def meet(name: str) -> str:
        barrier.wait()
        return name

    script = calls(*(("meet", {"name": name}, name) for name in "abc")), text_response("met")
    _, requests = run_sync(*script, input="Go.", tools=[meet])
    assert [item["output"] for item in requests[1].body["input"][-3:]] == ["a", "b", "c"]


def test_calls_of_a_round_run_at_the_same_time_asynchronously() -> None:
    waiting: list[str] = []
    everybody = asyncio.Event()

    async def meet(name: str) -> str:
        waiting.append(name)
        if len(waiting) == 3:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 10)
        return name

    script = calls(*(("meet", {"name": name}, name) for name in "abc")), text_response("met")
    _, requests = run_async(*script, input="Go.", tools=[meet])
    assert [item["output"] for item in requests[1].body["input"][-3:]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_rounds": 0, "tools": []}, "max_rounds"),
        ({"tools": [add, add]}, "two tools are called add"),
        ({"tools": [3]}, "tools"),
    ],
)
def test_what_makes_no_run_is_refused_before_anything_is_sent(arguments: dict[str, Any], said: str) -> None:
    with scripted() as client:
        with pytest.raises(InvalidRequestError, match=said):
            client.responses.run(model="m", input="hi", **arguments)
        assert client.requests == []


def test_an_asynchronous_tool_in_a_synchronous_run_is_the_programmers_error() -> None:
    async def wait() -> None: ...

    with scripted(calls(("wait", {}, "c1"))) as client, pytest.raises(TypeError, match="wait"):
        client.responses.run(model="m", input="hi", tools=[wait])
