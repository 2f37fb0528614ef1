"""The agentic loop: rounds, calls of the caller's functions, runs of hosted tools (rules X1 to X3)."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any, ClassVar

from openresponses_kit.gateway import RoundWriter, Sampling, ToolCall, ToolRun
from scripted_model import ScriptedModel, ScriptedTool, ask, calls, gives, says
from writing import Kit, Recorder

FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}


def test_x2_text_of_one_round_is_a_message() -> None:
    """The smallest loop: what the model says is a message, and the response is completed."""
    model = ScriptedModel(says("Hello there"))
    answer = ask(model)
    assert answer.kinds == ["message"]
    assert answer.output[0]["content"][0]["text"] == "Hello there "
    assert answer.response["status"] == "completed"
    assert len(answer.named("response.output_text.delta")) == 2


def test_x1_calls_of_functions_end_the_response() -> None:
    """The caller's functions are the caller's to run; parallel calls come one after the other."""
    model = ScriptedModel(calls(("look", '{"a":1}'), ("look", "{}"), thought="Which?"))
    answer = ask(model, tools=[FUNCTION])
    assert answer.kinds == ["reasoning", "function_call", "function_call"]
    assert [each["arguments"] for each in answer.output[1:]] == ['{"a":1}', "{}"]
    assert answer.response["status"] == "completed"
    assert [each.name for each in model.samplings[0].tools] == ["look"]


def test_x1_calls_that_come_interleaved_are_shown_one_after_the_other() -> None:
    """Deltas of several calls may come mixed, with text between: items stay whole (rules L1, L4)."""

    async def mixed(_: Sampling, out: RoundWriter) -> None:
        first = await out.call("look", "a")
        await first.arguments('{"n"')
        second = await out.call("look", "b")
        await second.arguments('{"m"')
        await out.text("between")
        await first.arguments(":1}")
        await second.arguments(":2}")
        await first.done()

    answer = ask(ScriptedModel(mixed), tools=[FUNCTION])
    assert answer.kinds == ["function_call", "function_call", "message"]
    assert [each.get("arguments") for each in answer.output] == ['{"n":1}', '{"m":2}', None]


def test_x2_a_hosted_tool_is_run_and_its_result_fed_back() -> None:
    """All rounds are one response: reasoning, text, the receipt, and what follows from it."""
    model = ScriptedModel(calls(("work", '{"n":1}'), ids=["c1"], text="Let me see.", thought="Hm"), says("It is 42."))
    tool = ScriptedTool(gives("42"))
    answer = ask(model, tool, tools=[WORK])
    assert answer.kinds == ["reasoning", "message", "acme:work_call", "message"]
    receipt = answer.output[2]
    given: dict[str, Any] = {"call_id": "c1", "name": "work", "arguments": '{"n":1}', "output": "42", "error": None}
    assert receipt == {"type": "acme:work_call", "id": receipt["id"], "status": "completed", **given}
    told = model.told[1]
    assert [item["type"] for item in told] == [
        "message", "reasoning", "message", "function_call", "function_call_output",
    ]  # fmt: skip
    assert told[1]["content"][0]["text"] == "Hm"
    assert told[3]["arguments"] == '{"n":1}'
    assert told[4]["output"] == "42"
    assert told[3]["call_id"] == told[4]["call_id"] == "c1"


def test_x3_states_of_a_run_are_streamed() -> None:
    """A tool shows states of its own while it runs, each by an event of its name."""

    async def does(call: ToolCall, run: ToolRun) -> str:
        await run.status("interpreting")
        await run.event("acme:work_call.line", text="1")
        await run.update(exit_code=0)
        return "done"

    answer = ask(ScriptedModel(calls(("work", "{}")), says("ok")), ScriptedTool(does), tools=[WORK])
    (state,) = answer.named("acme:work_call.interpreting")
    (line,) = answer.named("acme:work_call.line")
    assert state["item_id"] == line["item_id"] == answer.output[0]["id"]
    assert answer.output[0]["exit_code"] == 0
    assert answer.output[0]["status"] == "completed"


def test_x2_the_loop_of_each_release_runs_tools(kit: Kit) -> None:
    """A package of an older release has the same loop."""
    gateway = import_module(f"{kit.package.__name__}.gateway")
    loop_module = import_module(f"{kit.package.__name__}.gateway.loop")
    core_module = import_module(f"{kit.package.__name__}.server.core")
    models = import_module(f"{kit.package.__name__}.models")
    settings = import_module(f"{kit.package.__name__}.server.settings").ServerSettings()

    class Work(gateway.HostedTool):
        name, type, item_type = "work", "acme:work", "acme:work_call"
        parameters: ClassVar = {"type": "object"}

        async def run(self, call: Any, run: Any) -> str:
            return "42"

    class Calls(gateway.Model):
        async def sample(self, sampling: Any, out: Any) -> None:
            if sampling.items[-1].type == "function_call_output":
                await out.text(f"It is {sampling.items[-1].output}.")
            else:
                await out.call("work")

    async def answer() -> list[bytes]:
        sink = Recorder()
        loop = loop_module.AgenticLoop(Calls(), tools=[Work()])
        core = core_module.Core(loop, store=None, api_keys=None, settings=settings)
        content = b'{"model":"m","input":"hi","tools":[{"type":"acme:work"}]}'
        request = models.CreateResponseBody.model_validate_json(content)
        turn = await core.begin(request, content, core_module.Caller("key:1", "req_1"), sink)
        await turn.out.end(await core.run(turn))
        return sink.sent

    response = kit.checked(asyncio.run(answer()))[-1]["response"]
    assert [item["type"] for item in response["output"]] == ["acme:work_call", "message"]
    assert response["output"][1]["content"][0]["text"] == "It is 42."
