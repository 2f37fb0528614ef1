"""Whatever a model and its tools do, in whatever order, the stream of a loop is legal (rules S, L, X)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openresponses_kit.client.tools import ToolError
from openresponses_kit.gateway import CallWriter, RoundWriter, Sampling, ToolCall, ToolRun
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.gateway.sealing import Sealer
from scripted_model import Answer, ScriptedModel, ScriptedTool, answer_of, core_of_loop, says

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}
PLAY = {"type": "acme:play"}

KINDS = {"function": "function_call", "acme:work": "acme:work_call", "acme:play": "acme:play_call"}
SEALER = Sealer({"k1": bytes(range(32))}, "k1")
VIEWS = ["raw", "summary", "hidden"]

Step = tuple[str, str]
deltas = st.text(alphabet='aé\u2028\n{}"1', max_size=4)
steps = st.one_of(
    st.tuples(st.sampled_from(["text", "reason", "summarise", "refuse"]), deltas),
    st.tuples(st.just("call"), st.sampled_from(["work", "play", "look", "nope"])),
    st.tuples(st.sampled_from(["arguments", "broken", "done"]), st.sampled_from("012")),
)
rounds = st.tuples(st.lists(steps, max_size=12), st.sampled_from([None, None, None, "max_output_tokens"]))
runs = st.lists(st.sampled_from(["status", "event", "wait", "wait", "fail", "tell"]), max_size=5)
bodies = st.fixed_dictionaries(
    {
        "parallel_tool_calls": st.booleans(),
        "tool_choice": st.sampled_from(["auto", "none", "required", WORK]),
        "tools": st.sampled_from([[LOOK, WORK, PLAY], [WORK], [WORK, PLAY]]),
        "include": st.sampled_from([[], ["reasoning.encrypted_content"]]),
    },
    optional={"max_tool_calls": st.integers(1, 4)},
)


def played(script: list[Step], reason: str | None) -> Callable[[Sampling, RoundWriter], Awaitable[str | None]]:
    """A round that goes through a script."""

    async def round_(_: Sampling, out: RoundWriter) -> str | None:
        made: list[CallWriter] = []
        for kind, what in script:
            if kind == "call":
                made.append(await out.call(what, "same"))
            elif kind in {"arguments", "broken", "done"}:
                call = made[int(what)] if int(what) < len(made) else None
                if call is not None:
                    await (call.done() if kind == "done" else call.arguments("{}" if kind == "arguments" else "{"))
            else:
                await getattr(out, kind)(what)
        out.usage(2, 1)
        return reason

    return round_


def does(script: list[str]) -> Callable[[ToolCall, ToolRun], Awaitable[str]]:
    """A tool that goes through a script."""

    async def run_(call: ToolCall, run: ToolRun) -> str:
        for step in script:
            match step:
                case "status":
                    await run.status("busy")
                case "event":
                    await run.event("acme:note", number=1)
                case "wait":
                    await asyncio.sleep(0)
                case "tell":
                    raise ToolError("no")
                case _:
                    raise RuntimeError("broken")
        return "ok"

    return run_


@settings(max_examples=300, deadline=None)
@given(st.lists(rounds, max_size=4), st.tuples(runs, runs), bodies, st.sampled_from(VIEWS), st.booleans())
def test_l9_what_is_streamed_folds_to_the_output(
    script: list[tuple[list[Step], str | None]],
    runs: tuple[list[str], list[str]],
    body: dict[str, Any],
    reasoning: Any,
    pauses: bool,
) -> None:
    """Every rule of S and L is checked by `answer_of`; and nothing that may not be called is shown (X5 to X7)."""
    work, play = runs
    model = ScriptedModel(*(played(*each) for each in script), says("The end."))
    tools = [
        ScriptedTool(does(work)),
        ScriptedTool(does(play), name="play", type="acme:play", item_type="acme:play_call"),
    ]
    loop = AgenticLoop(model, tools=tools, settings=LoopSettings(reasoning=reasoning), sealer=SEALER)
    answer = asyncio.run(answer_of(core_of_loop(loop), pauses=pauses, **body))
    check_calls(answer, body, len(model.samplings))
    thoughts = [each for each in answer.output if each["type"] == "reasoning"]
    assert reasoning == "raw" or not any(each.get("content") for each in thoughts)
    assert reasoning != "hidden" or not any(each["summary"] for each in thoughts)
    for told in model.told:
        called = [each["call_id"] for each in told if each["type"] == "function_call"]
        assert called == [each["call_id"] for each in told if each["type"] == "function_call_output"]


def check_calls(answer: Answer, body: dict[str, Any], samplings: int) -> None:
    """Nothing is shown that the request does not let be called (rules X4 to X7)."""
    shown = [each for each in answer.kinds if each not in {"message", "reasoning"}]
    asked = {KINDS[each["type"]] for each in body["tools"]}
    allowed = {"auto": asked, "required": asked, "none": set[str]()}.get(str(body["tool_choice"]), {"acme:work_call"})
    assert allowed.issuperset(shown)
    assert len(shown) - shown.count("function_call") <= body.get("max_tool_calls", len(shown))
    ids = [each["call_id"] for each in answer.output if "call_id" in each]
    assert len(ids) == len(set(ids))
    assert body["parallel_tool_calls"] or len(shown) <= samplings
