"""The limits of a loop (rules X4 and L8), and what its work grows with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openresponses_kit.gateway import RoundWriter, Sampling, ToolCall, ToolRun
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from scripted_model import ScriptedModel, ScriptedTool, answer_of, ask, begin, calls, core_of_loop, gives, says

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}
ONE = ("work", "{}")


@pytest.mark.parametrize(
    ("of_request", "of_settings", "rounds", "runs"),
    [
        (1, None, [[ONE], [ONE]], 1),
        (2, None, [[ONE, ONE, ONE]], 2),
        (3, None, [[ONE, ONE], [ONE, ONE]], 3),
        (5, 2, [[ONE], [ONE], [ONE]], 2),
        (None, 1, [[ONE, ONE]], 1),
    ],
)
def test_x4_calls_of_hosted_tools_are_capped(
    of_request: int | None, of_settings: int | None, rounds: list[list[tuple[str, str]]], runs: int
) -> None:
    """Over the whole response; what is beyond is neither run nor shown, and the response says why it ends."""
    model = ScriptedModel(*(calls(*each) for each in rounds))
    tool = ScriptedTool(gives("ok"))
    body: dict[str, Any] = {"max_tool_calls": of_request} if of_request is not None else {}
    answer = ask(model, tool, tools=[WORK], settings={"max_tool_calls": of_settings}, **body)
    assert answer.response["status"] == "incomplete"
    assert answer.response["incomplete_details"] == {"reason": "max_tool_calls"}
    assert len(tool.runs) == len(answer.output) == runs


def test_x4_a_response_that_keeps_to_the_limit_is_completed() -> None:
    """The last call that is allowed is no reason to stop: the model may say what came of it."""
    answer = ask(ScriptedModel(calls(ONE), says("ok")), ScriptedTool(gives("ok")), tools=[WORK], max_tool_calls=1)
    assert answer.response["status"] == "completed"


def test_x4_calls_of_functions_do_not_count() -> None:
    """They are the caller's."""
    model = ScriptedModel(calls(("look", "{}"), ("look", "{}")))
    assert ask(model, tools=[LOOK], max_tool_calls=1).response["status"] == "completed"


@pytest.mark.parametrize("called", ["work", "made_up"])
def test_l8_rounds_are_bounded(called: str) -> None:
    """A model that goes on for ever is stopped, also where nothing that it calls may be called."""
    model = ScriptedModel(calls((called, "{}")))
    answer = ask(model, ScriptedTool(gives("ok")), tools=[WORK], settings={"max_rounds": 3})
    assert len(model.samplings) == 3
    assert answer.response["incomplete_details"] == {"reason": "max_rounds"}


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter", "odd"])
@pytest.mark.parametrize("begun", ["text", "reason", "call", "nothing", "hosted"])
def test_l8_a_round_that_is_cut_short_ends_the_response(reason: str, begun: str) -> None:
    """What the model was writing is incomplete, and the last item; nothing is run any more."""

    async def cut(_: Sampling, out: RoundWriter) -> str:
        match begun:
            case "text":
                await out.text("The an")
            case "reason":
                await out.reason("Hm")
            case "call":
                await (await out.call("look")).arguments('{"a":')
            case "hosted":
                await (await out.call("work")).arguments("{}")
            case _:
                pass
        return reason

    tool = ScriptedTool(gives("ok"))
    answer = ask(ScriptedModel(cut), tool, tools=[LOOK, WORK])
    assert answer.response["incomplete_details"] == {"reason": reason}
    assert [each.get("status") for each in answer.output if each["type"] != "reasoning"] == (
        ["incomplete"] if begun in {"text", "call"} else []
    )
    assert not tool.runs


def test_l8_calls_that_are_whole_are_shown_before_the_one_that_is_cut() -> None:
    """Of parallel calls, those that were made are whole items; the last is incomplete."""

    async def cut(_: Sampling, out: RoundWriter) -> str:
        for arguments in ('{"n":1}', '{"n":2}', '{"n":'):
            await (await out.call("look")).arguments(arguments)
        return "max_output_tokens"

    answer = ask(ScriptedModel(cut), tools=[LOOK])
    assert [each["status"] for each in answer.output] == ["completed", "completed", "incomplete"]


def test_max_output_tokens_hold_for_the_whole_response() -> None:
    """Each round is told what is left; when nothing is, the response ends."""

    def spends(tokens: int) -> Any:
        async def round_(_: Sampling, out: RoundWriter) -> None:
            out.usage(10, tokens, cached_tokens=4, reasoning_tokens=1)
            await out.call("work")

        return round_

    model = ScriptedModel(spends(60), spends(30), spends(20))
    answer = ask(model, ScriptedTool(gives("ok")), tools=[WORK], max_output_tokens=100)
    assert [each.max_output_tokens for each in model.samplings] == [100, 40, 10]
    assert answer.response["incomplete_details"] == {"reason": "max_output_tokens"}
    usage = answer.response["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (30, 110, 140)
    assert usage["input_tokens_details"] == {"cached_tokens": 12}
    assert usage["output_tokens_details"] == {"reasoning_tokens": 3}


def test_a_tool_that_takes_too_long_is_stopped_and_the_model_told() -> None:
    """The lesser of its own limit and that of the loop."""

    async def forever(call: ToolCall, run: ToolRun) -> str:
        await asyncio.Event().wait()
        return "never"

    for settings, timeout in (({"tool_seconds": 0.01}, 60.0), ({}, 0.01), ({"tool_seconds": 0.01}, None)):
        model = ScriptedModel(calls(ONE), says("ok"))
        answer = ask(model, ScriptedTool(forever, timeout=timeout), tools=[WORK], settings=settings)
        assert model.told[1][-1]["output"] == answer.output[0]["error"] == "The tool was stopped after 0.01 seconds."
        assert answer.output[0]["output"] is None
        assert answer.response["status"] == "completed"


def test_a_model_that_never_answers_is_given_up() -> None:
    """What it said stands, incomplete, and the response has failed."""

    async def forever(_: Sampling, out: RoundWriter) -> None:
        await out.text("begun")
        await asyncio.Event().wait()

    answer = ask(ScriptedModel(forever), settings={"round_seconds": 0.01})
    assert answer.response["error"]["code"] == "model_error"
    assert answer.output[0]["status"] == "incomplete"


@pytest.mark.parametrize("way", ["text", "reason", "summarise", "refuse", "look", "work", "nope"])
def test_a_model_that_writes_without_end_is_stopped(way: str) -> None:
    """Whatever it writes, also where nobody sees it: memory is bounded."""
    written = 0

    async def floods(_: Sampling, out: RoundWriter) -> None:
        nonlocal written
        write = (await out.call(way)).arguments if way in {"look", "work", "nope"} else getattr(out, way)
        while True:
            await write("x" * 100)
            written += 100

    answer = ask(ScriptedModel(floods), tools=[LOOK, WORK], settings={"max_round_characters": 10_000})
    assert answer.response["error"]["code"] == "model_error"
    assert 9_000 < written <= 10_000


@pytest.mark.parametrize("name", ["look", "work", "nope", ""])
def test_a_model_that_calls_without_end_is_stopped(name: str) -> None:
    """Calls count though nothing is in them."""

    async def floods(_: Sampling, out: RoundWriter) -> None:
        while True:
            await out.call(name)

    answer = ask(ScriptedModel(floods), tools=[LOOK, WORK], settings={"max_round_characters": 10_000})
    assert answer.response["error"]["code"] == "model_error"


@pytest.mark.parametrize("given", ["x" * 5000, "é" * 5000, [{"type": "input_text", "text": "x" * 5000}]])
def test_the_output_of_a_tool_is_bounded(given: Any) -> None:
    """Text is cut and says so; parts cannot be cut, and are an error."""
    model = ScriptedModel(calls(ONE), says("ok"))
    answer = ask(model, ScriptedTool(gives(given)), tools=[WORK], settings={"max_tool_output_bytes": 999})
    told = model.told[1][-1]["output"]
    assert len(told.encode()) < 1100
    assert "bytes" in told
    assert told == answer.output[0]["output" if isinstance(given, str) else "error"]


@pytest.mark.parametrize("parallel", [1, 3])
def test_runs_at_once_are_bounded(parallel: int) -> None:
    """Never more than the bound, and not less where there are so many."""
    running, most = 0, 0

    async def does(call: ToolCall, run: ToolRun) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(5):
            await asyncio.sleep(0)
        running -= 1
        return "ok"

    model = ScriptedModel(calls(*[ONE] * 7), says("ok"))
    answer = ask(model, ScriptedTool(does), tools=[WORK], settings={"max_parallel_tools": parallel})
    assert most == parallel
    assert answer.kinds == ["acme:work_call"] * 7 + ["message"]


@pytest.mark.parametrize("name", ["max_rounds", "max_tool_calls", "tool_seconds", "max_parallel_tools"])
def test_settings_that_make_no_sense_are_refused(name: str) -> None:
    """Where they are made, by name."""
    with pytest.raises(ValueError, match=name):
        LoopSettings(**dict[str, Any]({name: 0}))


def test_a_thousand_rounds_cost_as_much_as_twice_five_hundred() -> None:
    """What a round costs does not grow with those before it: counted in lines of Python that are run."""
    short, long = lines_of(500), lines_of(1000)
    assert long < 2.05 * short


def lines_of(rounds: int) -> int:
    """Lines of the package that are run for so many rounds."""
    import sys

    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if "openresponses_kit" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    class Model(ScriptedModel):
        async def sample(self, sampling: Sampling, out: RoundWriter) -> str | None:
            self.samplings.append(sampling)
            await out.text("Again. ")
            if len(self.samplings) < rounds:
                await (await out.call("work")).arguments("{}")
            return None

    limits = LoopSettings(max_rounds=rounds, max_tool_calls=None)
    loop = AgenticLoop(Model(), tools=[ScriptedTool(gives("ok"))], settings=limits)

    async def run() -> int:
        core = core_of_loop(loop)
        turn = await begin(core, None, {"tools": [WORK]})
        sys.settrace(trace)
        try:
            assert await core.run(turn) is None
        finally:
            sys.settrace(None)
        return len(turn.out.item_ids)

    asyncio.run(answer_of(core_of_loop(AgenticLoop(ScriptedModel(says("warm"))))))
    assert asyncio.run(run()) == 2 * rounds - 1
    return count
