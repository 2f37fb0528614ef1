"""Tools that come from a source, and calls that the caller has to approve (rules X2, X3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from openresponses_kit.gateway import HostedTool, Offering, Receipt, RoundWriter, Sampling, ToolCall, ToolSource
from openresponses_kit.gateway.loop import AgenticLoop
from scripted_model import Answer, ScriptedModel, ScriptedTool, answer_of, calls, core_of_loop, gives, says

REMOTE = {"type": "acme:remote"}
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}


class Careful(ScriptedTool):
    """A tool whose calls are to be approved."""

    def approval(self, call: ToolCall) -> Mapping[str, Any] | None:
        if "safe" in call.arguments:
            return None
        fields = {"call_id": call.call_id, "name": call.name, "arguments": call.arguments}
        return {"type": "acme:approval_request", "id": f"ask_{call.call_id}", "status": "completed", **fields}


class Remote(ToolSource):
    """A source with one tool; its calls are approved by items of the input."""

    def __init__(self) -> None:
        self.tool = Careful(gives("done"), name="act", type="acme:remote", item_type="acme:remote_call")
        self.is_closed = False

    async def offer(self, offering: Offering) -> Sequence[HostedTool]:
        if REMOTE["type"] not in {each.type for each in offering.request.tools or ()}:
            return ()
        await offering.item({"type": "acme:list", "id": "list_1", "status": "completed", "for": offering.caller})
        return [self.tool]

    def replay(self, item: Mapping[str, Any]) -> Receipt | None:
        return self.tool.receipt(item) if item["type"] == self.tool.item_type else None

    async def due(self, offering: Offering) -> Sequence[ToolCall | Receipt]:
        items = [item.model_dump(mode="json") for item in offering.context]
        asked = {item["id"]: item for item in items if item["type"] == "acme:approval_request"}
        due: list[ToolCall | Receipt] = []
        for answer in (item for item in items if item["type"] == "acme:approval"):
            request = asked[answer["for"]]
            call = ToolCall(call_id=request["call_id"], name=request["name"], arguments=request["arguments"])
            due.append(call if answer["approve"] else Receipt(call=call, output="The user said no."))
        return due

    async def close(self) -> None:
        self.is_closed = True


def answers(approve: bool, call: str = "c1") -> dict[str, Any]:
    return {
        "type": "acme:approval",
        "id": f"answer_{call}",
        "status": "completed",
        "for": f"ask_{call}",
        "approve": approve,
    }


def converse(model: ScriptedModel, *turns: dict[str, Any]) -> list[Answer]:
    """Answer requests one after the other, each over all that was said before."""

    async def run() -> list[Answer]:
        core = core_of_loop(AgenticLoop(model, tools=[Remote()]))
        told: list[Answer] = []
        for turn in turns:
            before = {"previous_response_id": told[-1].response["id"]} if told else {}
            told.append(await answer_of(core, **before, **turn))
        return told

    return asyncio.run(run())


def test_x2_a_source_offers_tools_for_a_response() -> None:
    """It may show an item first; its tools are called and chosen as any other."""
    model = ScriptedModel(calls(("act", '{"safe":1}')), says("ok"))
    (answer,) = converse(model, {"tools": [REMOTE], "tool_choice": REMOTE})
    assert answer.kinds == ["acme:list", "acme:remote_call", "message"]
    assert answer.output[0]["for"] == "key:1"
    assert [each.name for each in model.samplings[0].tools] == ["act"]
    assert [item["type"] for item in model.told[1]] == ["message", "function_call", "function_call_output"]


def test_a_source_that_is_not_asked_offers_nothing() -> None:
    """Whatever a request does not name costs it nothing."""
    model = ScriptedModel(says("ok"))
    (answer,) = converse(model, {})
    assert answer.kinds == ["message"]
    assert not model.samplings[0].tools


def test_x3_a_call_that_needs_approval_ends_the_response() -> None:
    """What needs none is run; the caller is asked for the rest; the call is run first when approved."""
    model = ScriptedModel(calls(("act", '{"n":1}'), ("act", '{"safe":2}'), ids=["c1", "c2"]), says("ok"))
    first, second = converse(model, {"tools": [REMOTE]}, {"tools": [REMOTE], "input": [answers(approve=True)]})
    assert first.kinds == ["acme:list", "acme:remote_call", "acme:approval_request"]
    assert first.response["status"] == "completed"
    assert second.kinds == ["acme:list", "acme:remote_call", "message"]
    assert second.output[1]["arguments"] == '{"n":1}'
    assert [item.get("output") for item in model.told[1]][-1] == "done"
    assert [item.get("call_id") for item in model.told[1]][-2:] == ["c1", "c1"]


def test_x3_a_call_that_is_not_approved_is_told_to_the_model() -> None:
    """As an output, and nothing is run."""
    model = ScriptedModel(calls(("act", '{"n":1}'), ids=["c1"]), says("ok"))
    _, second = converse(model, {"tools": [REMOTE]}, {"tools": [REMOTE], "input": [answers(approve=False)]})
    assert second.kinds == ["acme:list", "message"]
    assert model.told[1][-1]["output"] == "The user said no."


def test_x3_an_approved_call_of_a_tool_that_is_gone() -> None:
    """The model is told so."""
    model = ScriptedModel(calls(("act", '{"n":1}'), ids=["c1"]), says("ok"))
    _, second = converse(model, {"tools": [REMOTE]}, {"input": [answers(approve=True)]})
    assert second.kinds == ["message"]
    assert "not offered any more" in model.told[1][-1]["output"]


def test_x1_calls_of_the_caller_beside_one_that_needs_approval() -> None:
    """Both are the caller's to answer."""
    model = ScriptedModel(calls(("look", "{}"), ("act", "{}")))
    (answer,) = converse(model, {"tools": [REMOTE, LOOK]})
    assert answer.kinds == ["acme:list", "function_call", "acme:approval_request"]


def test_the_loop_closes_what_it_was_given() -> None:
    """Sources and the model, when the server has stopped."""
    source = Remote()
    asyncio.run(AgenticLoop(ScriptedModel(says("ok")), tools=[source]).close())
    assert source.is_closed


def test_m3_what_a_round_tells_of_itself() -> None:
    """An upstream may be tried again as long as nothing came of the round, and never in a later one."""
    told: list[bool] = []

    async def first(_: Sampling, out: RoundWriter) -> None:
        told.append(out.is_told)
        await (await out.call("act")).arguments('{"safe":1}')
        told.append(out.is_told)

    async def second(_: Sampling, out: RoundWriter) -> None:
        told.append(out.is_told)
        await out.text("ok")

    source = AgenticLoop(ScriptedModel(first, second), tools=[Remote().tool])
    asyncio.run(answer_of(core_of_loop(source), tools=[REMOTE]))
    assert told == [False, True, True]
