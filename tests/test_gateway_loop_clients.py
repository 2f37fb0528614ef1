"""The loop behind a server on a socket, to the client of this package: receipts, continuation, going away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from openresponses_kit import OpenResponses
from openresponses_kit.events import ResponseOutputTextDoneStreamingEvent
from openresponses_kit.gateway import HostedTool, Model, RoundWriter, Sampling, ToolCall, ToolRun
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.models import ResponseResource
from openresponses_kit.server.app import create_app
from running_server import running
from scripted_model import ScriptedModel, ScriptedTool, ask, calls, gives, says

PATIENCE = 20.0
LOOK: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK: Any = {"type": "acme:work"}


def client_of(model: Model, *tools: HostedTool) -> Iterator[OpenResponses]:
    app = create_app(AgenticLoop(model, tools=tools), store="memory:")
    with (
        running(app) as server,
        OpenResponses(base_url=f"{server.url}/v1", api_key="any", max_retries=0, strict=True) as client,
    ):
        yield client


def in_rounds() -> tuple[ScriptedModel, ScriptedTool]:
    model = ScriptedModel(
        calls(("work", '{"n":1}'), ("work", '{"n":2}'), ids=["c1", "c2"], text="Let me see."),
        says("It is 42."),
        says("As I said."),
    )
    return model, ScriptedTool(gives("42"))


TOLD = ["message", "message", "function_call", "function_call_output", "function_call", "function_call_output"]


@pytest.mark.parametrize("way", ["by id", "by items"])
@pytest.mark.parametrize("streamed", [True, False])
def test_x3_receipts_come_back(way: str, streamed: bool) -> None:
    """A conversation goes on over what tools did, whichever way it is continued; strictly read, nothing is to mend."""
    model, tool = in_rounds()
    for client in client_of(model, tool):
        if streamed:
            with client.responses.stream(model="m", input="hi", tools=[WORK]) as stream:
                names = [event.type for event in stream]
                first: ResponseResource = stream.get_final_response()
            assert "response.output_item.added" in names
        else:
            first = client.responses.create(model="m", input="hi", tools=[WORK])
        assert first.output_text == "Let me see.It is 42. "
        assert first.deviations == ()
        items: list[Any] = [{"type": "message", "role": "user", "content": "hi"}, *first.output]
        again: Any = {"type": "message", "role": "user", "content": "Again?"}
        if way == "by id":
            second = client.responses.create(model="m", input="Again?", previous_response_id=first.id)
        else:
            second = client.responses.create(model="m", input=[*items, again])
        assert second.output_text == "As I said. "
    assert [item["type"] for item in model.told[2]] == [*TOLD, "message", "message"]
    outputs = [item["output"] for item in model.told[2] if item["type"] == "function_call_output"]
    assert outputs == ["42", "42"]


def test_x3_receipts_between_a_call_and_its_output() -> None:
    """Where both kinds of calls were made in one round, the outputs of all follow the calls of all."""
    model = ScriptedModel(calls(("look", "{}"), ("work", "{}"), ("work", "{}"), ids=["a", "b", "c"]), says("ok"))
    tool = ScriptedTool(gives("42"))
    first = ask(model, tool, tools=[LOOK, WORK])
    assert first.kinds == ["function_call", "acme:work_call", "acme:work_call"]
    assert len(model.samplings) == 1
    items = [*first.output, {"type": "function_call_output", "call_id": "a", "output": "seen"}]
    second = ScriptedModel(says("ok"))
    ask(second, tool, tools=[LOOK, WORK], input=items)
    told = [(item["type"].removeprefix("function_call"), item["call_id"]) for item in second.told[0]]
    assert told == [("", "a"), ("", "b"), ("", "c"), ("_output", "b"), ("_output", "c"), ("_output", "a")]


@pytest.mark.parametrize(("field", "told"), [("output", "42"), ("error", "No.")])
def test_x3_a_receipt_is_read_though_the_tool_is_not_offered(field: str, told: str) -> None:
    """What was done before counts, whatever may be done now; an item that is no receipt goes on as it is."""
    model = ScriptedModel(says("ok"))
    item = {"type": "acme:work_call", "id": "i1", "status": "completed", "call_id": "c", "arguments": "{}", field: told}
    other = {"type": "acme:other", "id": "i2", "status": "completed"}
    strange = {"type": "acme:work_call", "id": "i3", "status": "completed"}
    ask(model, ScriptedTool(gives("new")), input=[item, other, strange])
    assert [each["type"] for each in model.told[0]] == [
        "function_call", "function_call_output", "acme:other", "acme:work_call",
    ]  # fmt: skip
    assert model.told[0][1]["output"] == told


@pytest.mark.parametrize("point", ["sampling", "tools"])
def test_z16_a_client_that_goes_away_stops_everything(point: str) -> None:
    """The socket is closed in mid-stream: the sampling, or all tools, are cancelled."""
    stopped: list[threading.Event] = [threading.Event() for _ in range(3)]

    def waits(event: threading.Event) -> Callable[[ToolCall, ToolRun], Awaitable[str]]:
        async def does(call: ToolCall, run: ToolRun) -> str:
            await run.status("waiting")
            try:
                await asyncio.Event().wait()
            finally:
                event.set()
            return "never"

        return does

    async def forever(_: Sampling, out: RoundWriter) -> None:
        await out.text("begun")
        try:
            await asyncio.Event().wait()
        finally:
            for event in stopped:
                event.set()

    names = ["a", "b", "c"]
    tools = [ScriptedTool(waits(event), name=name) for name, event in zip(names, stopped, strict=True)]
    model = ScriptedModel(forever if point == "sampling" else calls(*((name, "{}") for name in names)))
    last = {"sampling": "response.output_text.delta", "tools": "acme:work_call.waiting"}[point]
    for client in client_of(model, *tools):
        with client.responses.stream(model="m", input="hi", tools=[WORK]) as stream:
            awaited = 1 if point == "sampling" else 3
            for event in stream:
                awaited -= event.type == last
                if not awaited:
                    break
        assert all(event.wait(PATIENCE) for event in stopped)


def test_x2_statuses_of_tools_that_run_side_by_side_are_interleaved() -> None:
    """Each event says which item it is about, and the client folds them all."""
    meeting = asyncio.Barrier(2)

    async def turns(call: ToolCall, run: ToolRun) -> str:
        for state in ("first", "second"):
            await run.status(state)
            await meeting.wait()
        return call.name

    tools = [ScriptedTool(turns, name=f"t{index}") for index in range(2)]
    answer = ask(ScriptedModel(calls(("t0", "{}"), ("t1", "{}")), says("ok")), *tools, tools=[WORK])
    states = [(each["output_index"], each["type"].rpartition(".")[2]) for each in answer.events if "item_id" in each]
    states = [each for each in states if each[1] in {"first", "second"}]
    assert sorted(states[:2]) == [(0, "first"), (1, "first")]
    assert sorted(states[2:]) == [(0, "second"), (1, "second")]
    assert [each.get("output") for each in answer.output] == ["t0", "t1", None]


def test_w1_turns_of_a_websocket_go_through_their_rounds() -> None:
    """The same events, and the second turn is sampled over what the first one did."""
    model, tool = in_rounds()
    said: list[str] = []
    for client in client_of(model, tool):
        with client.responses.connect() as connection:
            for turn in ("hi", "Again?"):
                events = list(connection.create(model="m", input=turn, tools=[WORK]))
                said += [event.text for event in events if isinstance(event, ResponseOutputTextDoneStreamingEvent)]
    assert said == ["Let me see.", "It is 42. ", "As I said. "]
    assert [item["type"] for item in model.told[2]][: len(TOLD)] == TOLD
