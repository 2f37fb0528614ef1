"""How a loop ends when something fails or is cancelled, at every point of it (rules L8, S5, E3, Z16)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from openresponses_kit.client.tools import ToolError
from openresponses_kit.gateway import (
    HostedTool,
    Offering,
    RoundWriter,
    Sampling,
    ToolCall,
    ToolRun,
    ToolSource,
    UpstreamError,
)
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.server.errors import InvalidRequestError, ModelError, ServerError, TooManyRequestsError
from scripted_model import (
    KIT,
    Answer,
    ScriptedModel,
    ScriptedTool,
    answer_of,
    ask,
    begin,
    calls,
    core_of_loop,
    gives,
    says,
)
from writing import Recorder

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}
ONE = ("work", "{}")
TOLD = "the upstream is busy"


def breaks(point: str, error: Exception) -> Callable[[Sampling, RoundWriter], Awaitable[None]]:
    """A round that fails where it is told to."""

    async def round_(_: Sampling, out: RoundWriter) -> None:
        if point == "at once":
            raise error
        await out.reason("Hm")
        if point == "in reasoning":
            raise error
        await out.text("The answer")
        if point == "in text":
            raise error
        shown = await out.call("look")
        await shown.arguments('{"a"')
        if point == "in a call":
            raise error
        await shown.arguments(":1}")
        await shown.done()
        await (await out.call("work")).arguments("{")
        raise error

    return round_


POINTS = ["at once", "in reasoning", "in text", "in a call", "in a hosted call"]
OPEN = {"in text": "message", "in a call": "function_call"}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("earlier", [0, 2])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            UpstreamError(TooManyRequestsError(TOLD), is_transient=True, reason="429 of secret.host"),
            "too_many_requests",
        ),
        (ModelError(TOLD), "model_error"),
        (RuntimeError("secret.host"), "server_error"),
    ],
)
def test_s5_a_model_that_fails_at_any_point(
    point: str, earlier: int, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream stays legal, what was open is incomplete and last, no tool runs, and the log has the cause."""
    model = ScriptedModel(*[calls(ONE)] * earlier, breaks(point, error))
    tool = ScriptedTool(gives("ok"))
    with caplog.at_level(logging.WARNING):
        answer = ask(model, tool, tools=[LOOK, WORK])
    assert answer.response["status"] == "failed"
    assert answer.response["error"]["code"] == code
    assert len(tool.runs) == earlier
    assert answer.kinds[:earlier] == ["acme:work_call"] * earlier
    incomplete = [each["type"] for each in answer.output if each.get("status") == "incomplete"]
    assert incomplete == ([OPEN[point]] if point in OPEN else [])
    assert "secret" not in str(answer.events)
    assert isinstance(error, ModelError) or "secret.host" in caplog.text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ToolError("Give a number."), "Give a number."),
        (ToolError(""), "The tool failed."),
        (ValueError("secret"), "The tool failed."),
        (TimeoutError("secret"), "The tool failed."),
        (InvalidRequestError("secret"), "The tool failed."),
        (UpstreamError(ServerError("secret"), is_transient=False), "The tool failed."),
    ],
)
def test_a_tool_that_fails_is_a_result_for_the_model(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The response goes on; of errors that are not the model's to know, the log has the text (rule E3)."""

    async def fails(call: ToolCall, run: ToolRun) -> str:
        await run.status("trying")
        raise error

    model = ScriptedModel(calls(ONE), says("Sorry."))
    answer = ask(model, ScriptedTool(fails), tools=[WORK])
    assert answer.response["status"] == "completed"
    assert model.told[1][-1]["output"] == answer.output[0]["error"] == told
    assert answer.output[0]["status"] == "completed"
    assert "secret" not in str(answer.events)
    assert isinstance(error, ToolError) or "secret" in caplog.text


@pytest.mark.parametrize("given", [None, 7, [{"type": "input_text"}], [object()], ["text"], {"a": 1}])
def test_a_tool_that_gives_what_no_model_can_read_has_failed(given: Any) -> None:
    """What it gave is checked before anything is shown or told."""
    model = ScriptedModel(calls(ONE), says("Sorry."))
    answer = ask(model, ScriptedTool(gives(given)), tools=[WORK])
    assert model.told[1][-1]["output"] == answer.output[0]["error"] == "The tool failed."


@pytest.mark.parametrize(
    ("misused", "given", "fields"),
    [
        ("status", ["completed"], {}),
        ("status", [""], {}),
        ("update", [], {"type": "acme:other"}),
        ("update", [], {"value": object()}),
        ("event", ["no_vendor"], {}),
        ("event", ["acme:x"], {"item_id": "other"}),
    ],
)
def test_a_tool_that_misuses_its_item_has_failed(misused: str, given: list[str], fields: dict[str, Any]) -> None:
    """A mistake in a tool never breaks the response, nor its stream."""

    async def does(call: ToolCall, run: ToolRun) -> str:
        await getattr(run, misused)(*given, **fields)
        return "ok"

    answer = ask(ScriptedModel(calls(ONE), says("ok")), ScriptedTool(does), tools=[WORK])
    assert answer.output[0]["error"] == "The tool failed."
    assert answer.response["status"] == "completed"


def test_a_tool_that_cannot_be_shown_as_it_wants_is_shown_plainly() -> None:
    """`shown` of a tool is its author's code, too."""

    class Broken(ScriptedTool):
        def shown(self, call: ToolCall) -> dict[str, Any]:
            raise KeyError("fields")

    answer = ask(ScriptedModel(calls(ONE), says("ok")), Broken(gives("ok")), tools=[WORK])
    assert answer.output[0]["output"] == "ok"


def side_by_side(*names: str) -> tuple[ScriptedModel, list[HostedTool], list[str], asyncio.Event]:
    """A model that calls tools at once, each of which waits for ever; and what became of them."""
    log: list[str] = []
    all_begun = asyncio.Event()

    def waits(name: str) -> Callable[[ToolCall, ToolRun], Awaitable[str]]:
        async def does(call: ToolCall, run: ToolRun) -> str:
            log.append(f"{name} begun")
            if len(log) == len(names):
                all_begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                log.append(f"{name} stopped")
            return "never"

        return does

    tools = [ScriptedTool(waits(name), name=name) for name in names]
    return ScriptedModel(calls(*((name, "{}") for name in names))), [*tools], log, all_begun


async def stopped(how: str) -> tuple[Answer | None, list[str]]:
    """Stop a loop while three tools run; what was streamed, and what the tools saw."""
    model, tools, log, all_begun = side_by_side("a", "b", "c")
    core = core_of_loop(AgenticLoop(model, tools=tools))
    sink = Recorder()
    turn = await begin(core, sink, {"tools": [WORK]})
    task = asyncio.create_task(core.run(turn))
    await all_begun.wait()
    if how == "left":
        turn.is_left = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return None, log
    turn.stop(ServerError("stopping", status=503))
    await turn.out.end(await task)
    return Answer(KIT.checked(sink.sent)), log


@pytest.mark.parametrize("how", ["left", "shut down"])
def test_z16_to_cancel_stops_all_tools_at_once(how: str) -> None:
    """When the client goes away, or the server stops, nothing of the loop is left running."""
    _, log = asyncio.run(stopped(how))
    assert sorted(log[3:]) == ["a stopped", "b stopped", "c stopped"]


def test_l8_items_that_are_open_side_by_side_when_a_response_fails() -> None:
    """Only the last may be incomplete: the others say by their error that they were stopped."""
    answer, _ = asyncio.run(stopped("shut down"))
    assert answer is not None
    assert answer.response["status"] == "failed"
    assert [each["status"] for each in answer.output] == ["completed", "completed", "incomplete"]
    assert [each["error"] for each in answer.output] == ["The run was stopped."] * 3


def test_z16_to_cancel_stops_the_sampling_at_once() -> None:
    """The upstream is told by the cancellation of `sample`."""

    async def run() -> list[str]:
        log: list[str] = []
        begun = asyncio.Event()

        async def forever(_: Sampling, out: RoundWriter) -> None:
            await out.text("begun")
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                log.append("stopped")

        core = core_of_loop(AgenticLoop(ScriptedModel(forever)))
        turn = await begin(core, Recorder(), {})
        task = asyncio.create_task(core.run(turn))
        await begun.wait()
        turn.is_left = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return log

    assert asyncio.run(run()) == ["stopped"]


@pytest.mark.parametrize("event", range(0, 36, 3))
def test_z16_to_cancel_at_any_event_leaves_nothing_running(event: int) -> None:
    """Whichever event is being sent when the client goes away: no task is left, and no tool."""

    async def run() -> None:
        async def does(call: ToolCall, run: ToolRun) -> str:
            for _ in range(3):
                await run.status("busy")
            return "ok"

        model = ScriptedModel(calls(ONE, ONE, ONE, thought="Hm", text="So"), says("It is done."))
        core = core_of_loop(AgenticLoop(model, tools=[ScriptedTool(does)]))
        turn = await begin(core, Recorder(cancels_at=event, pauses=True), {"tools": [WORK]})
        turn.is_left = True
        task = asyncio.create_task(core.run(turn))
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others

    asyncio.run(run())


@pytest.mark.parametrize("event", range(0, 36, 3))
def test_a_connection_that_breaks_at_any_event_ends_the_loop(event: int) -> None:
    """What cannot be sent ends the response, and no tool is left running."""

    async def run() -> None:
        model = ScriptedModel(calls(ONE, ONE, ONE, thought="Hm", text="So"), says("It is done. " * 5))
        core = core_of_loop(AgenticLoop(model, tools=[ScriptedTool(gives("ok"))]))
        sink = Recorder(breaks_at=event)
        turn = await begin(core, sink, {"tools": [WORK]})
        with pytest.raises(ConnectionResetError):
            await core.run(turn)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others

    asyncio.run(run())


def test_the_next_request_is_answered_after_one_that_failed() -> None:
    """A loop keeps nothing of a response."""

    async def run() -> list[str]:
        model = ScriptedModel(breaks("in text", RuntimeError("no")), says("ok"))
        core = core_of_loop(AgenticLoop(model, settings=LoopSettings()))
        return [(await answer_of(core)).response["status"] for _ in range(2)]

    assert asyncio.run(run()) == ["failed", "completed"]


def test_a_source_of_tools_that_never_answers_is_given_up() -> None:
    """Before the model is asked for anything."""

    class Silent(ToolSource):
        async def offer(self, offering: Offering) -> Sequence[HostedTool]:
            await asyncio.Event().wait()
            return ()

    model = ScriptedModel(says("ok"))
    loop = AgenticLoop(model, tools=[Silent()], settings=LoopSettings(tool_seconds=0.01))
    answer = asyncio.run(answer_of(core_of_loop(loop)))
    assert answer.response["error"]["code"] == "server_error"
    assert not model.samplings


def test_p5_a_response_in_the_background_goes_through_its_rounds() -> None:
    """Nobody listens, and the tools run all the same."""

    async def run() -> dict[str, Any]:
        model = ScriptedModel(calls(ONE), says("ok"))
        core = core_of_loop(AgenticLoop(model, tools=[ScriptedTool(gives("ok"))]))
        turn = await begin(core, None, {"tools": [WORK], "background": True})
        await (await core.enqueue(turn))
        told: dict[str, Any] = json.loads(await core.retrieve(turn.out.id, turn.caller))
        return told

    response = asyncio.run(run())
    assert response["status"] == "completed"
    assert [item["type"] for item in response["output"]] == ["acme:work_call", "message"]


async def adds_to_a_whole_call(_: Sampling, out: RoundWriter) -> None:
    call = await out.call("look")
    await call.arguments("{}")
    await call.done()
    await call.done()
    await call.arguments("{}")


async def annotates_nothing(_: Sampling, out: RoundWriter) -> None:
    await out.annotate({"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1})


async def annotates_wrongly(_: Sampling, out: RoundWriter) -> None:
    await out.text("so")
    await out.annotate({"type": "url_citation", "url": 7})


@pytest.mark.parametrize("hostile", [adds_to_a_whole_call, annotates_nothing, annotates_wrongly])
def test_a_model_that_keeps_no_order_has_failed(hostile: Any) -> None:
    """It is the model's failure, and what it did before stands."""
    answer = ask(ScriptedModel(hostile), tools=[LOOK])
    assert answer.response["error"]["code"] == "model_error"


def test_tokens_of_a_round_that_failed_are_counted() -> None:
    """They were used all the same."""

    async def fails(_: Sampling, out: RoundWriter) -> None:
        out.usage(7, 3)
        raise UpstreamError(ServerError(TOLD), is_transient=False)

    answer = ask(ScriptedModel(fails))
    assert answer.response["usage"]["total_tokens"] == 10
