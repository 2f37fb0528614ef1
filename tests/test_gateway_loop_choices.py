"""What a model may call, whatever it does (rules X1, X5 to X8), and how it is told of what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from openresponses_kit.server.errors import InvalidRequestError
from scripted_model import Answer, ScriptedModel, ScriptedTool, ask, calls, gives, says

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
FIND = {"type": "function", "name": "find", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}
PLAY = {"type": "acme:play"}


def hosted() -> list[ScriptedTool]:
    return [
        ScriptedTool(gives("worked")),
        ScriptedTool(gives("played"), name="play", type="acme:play", item_type="acme:play_call"),
    ]


def asked(model: ScriptedModel, choice: Any, *tools: dict[str, Any], **body: Any) -> Answer:
    return ask(model, *hosted(), tools=list(tools), tool_choice=choice, **body)


def only(*names: str, mode: str = "auto") -> dict[str, Any]:
    functions = {"look", "find"}
    tools = [{"type": "function", "name": each} if each in functions else {"type": f"acme:{each}"} for each in names]
    return {"type": "allowed_tools", "mode": mode, "tools": tools}


@pytest.mark.parametrize(
    ("choice", "offered", "mode"),
    [
        ("auto", ["look", "find", "work", "play"], "auto"),
        ("none", [], "none"),
        ("required", ["look", "find", "work", "play"], "required"),
        ({"type": "function", "name": "find"}, ["find"], "required"),
        ({"type": "acme:play"}, ["play"], "required"),
        (only("look", "work"), ["look", "work"], "auto"),
        (only("work", mode="required"), ["work"], "required"),
        (only("look", mode="none"), [], "none"),
        ({"type": "acme:upstream"}, ["look", "find", "work", "play"], "auto"),
    ],
)
def test_x5_x6_the_model_is_offered_what_the_choice_leaves(choice: Any, offered: list[str], mode: str) -> None:
    """What is excluded is not offered; a choice that only the upstream knows excludes nothing."""
    model = ScriptedModel(calls((offered[0], "{}")) if mode == "required" else says("ok"), says("ok"))
    asked(model, choice, LOOK, FIND, WORK, PLAY, {"type": "acme:upstream"})
    assert [each.name for each in model.samplings[0].tools] == offered
    assert model.samplings[0].mode == mode


@pytest.mark.parametrize("called", ["look", "work", "made_up", "", "a b", "x" * 70])
@pytest.mark.parametrize("choice", ["none", only("find"), only("play"), {"type": "function", "name": "find"}])
def test_x5_x6_a_call_that_is_not_allowed_is_never_shown(called: str, choice: Any) -> None:
    """The caller sees nothing of it, no tool runs; the model is told, and goes on."""
    model = ScriptedModel(calls((called, '{"secret": 1}')), calls(("find", "{}")) if "name" in choice else says("ok"))
    answer = asked(model, choice, LOOK, FIND, WORK, PLAY)
    assert "secret" not in str(answer.events)
    assert answer.kinds == (["function_call"] if "name" in choice else ["message"])
    call, output = model.told[1][-2:]
    assert (call["type"], output["type"]) == ("function_call", "function_call_output")
    assert call["call_id"] == output["call_id"]
    assert output["output"].startswith("This call was not made")


def test_x7_one_call_per_round_where_calls_are_not_parallel() -> None:
    """The first of a round counts; the model is told of the others, and may call again in the next."""
    first = calls(("work", '{"n":1}'), ("work", '{"n":2}'), ("look", "{}"))
    model = ScriptedModel(first, calls(("work", '{"n":3}')), says("ok"))
    answer = asked(model, "auto", LOOK, WORK, parallel_tool_calls=False)
    assert [each.get("arguments") for each in answer.output] == ['{"n":1}', '{"n":3}', None]
    outputs = [each["output"] for each in model.told[1] if each["type"] == "function_call_output"]
    assert outputs[0] == "worked"
    assert all("one call at a time" in each for each in outputs[1:])
    assert not model.samplings[0].parallel


def test_x7_of_parallel_external_calls_only_the_first_is_shown() -> None:
    """The caller gets one call, as it asked."""
    answer = asked(ScriptedModel(calls(("look", "{}"), ("look", "{}"))), "auto", LOOK, parallel_tool_calls=False)
    assert answer.kinds == ["function_call"]


@pytest.mark.parametrize("choice", ["required", {"type": "acme:work"}, only("look", "work", mode="required")])
def test_x5_required_without_a_call_is_a_model_error(choice: Any) -> None:
    """What the model said stands, and the response has failed."""
    answer = asked(ScriptedModel(says("no")), choice, LOOK, WORK)
    assert answer.response["status"] == "failed"
    assert answer.response["error"]["code"] == "model_error"


@pytest.mark.parametrize("called", ["work", "look"])
def test_x5_required_is_met_by_one_call_of_any_of_the_tools(called: str) -> None:
    """Once a call was made, nothing is required of the next round."""
    model = ScriptedModel(calls((called, "{}")), says("ok"))
    answer = asked(model, "required", LOOK, WORK)
    assert answer.response["status"] == "completed"
    assert [each.mode for each in model.samplings] == ["required", "auto"][: len(model.samplings)]


def test_x5_a_refused_call_does_not_meet_what_is_required() -> None:
    """A call that may not be made is none."""
    answer = asked(ScriptedModel(calls(("play", "{}")), says("no")), only("work", mode="required"), WORK, PLAY)
    assert answer.response["error"]["code"] == "model_error"


def test_x5_a_tool_that_is_always_offered_does_not_meet_what_is_required() -> None:
    """What is required is a call of the tools of the request."""
    model = ScriptedModel(calls(("work", "{}")), calls(("look", "{}")))
    answer = ask(model, *hosted(), always=["work"], tools=[LOOK], tool_choice="required")
    assert answer.kinds == ["acme:work_call", "function_call"]
    assert [each.mode for each in model.samplings] == ["required", "required"]


def test_a_tool_is_offered_if_it_is_asked_for_or_always() -> None:
    """A hosted tool that nobody asks for is not there."""
    model = ScriptedModel(says("ok"))
    ask(model, *hosted(), always=["play"])
    assert [each.name for each in model.samplings[0].tools] == ["play"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": [WORK, {"type": "function", "name": "work"}]}, "tools[1].name"),
        ({"tools": [LOOK], "tool_choice": {"type": "acme:work"}}, "tool_choice"),
    ],
)
def test_e3_a_request_that_no_loop_can_serve_is_told_so(body: dict[str, Any], param: str) -> None:
    """A name that two tools have, a choice that means none: `invalid_request`, before any event."""
    answer = ask(ScriptedModel(says("ok")), *hosted(), **body)
    assert answer.named("error")[0]["error"]["type"] == "invalid_request"
    assert answer.named("error")[0]["error"]["param"] == param


def test_x8_an_output_without_its_call_is_refused() -> None:
    """The server says so before the loop begins."""
    stray = {"type": "function_call_output", "call_id": "nowhere", "output": "x"}
    with pytest.raises(InvalidRequestError, match="no call of this id"):
        ask(ScriptedModel(says("ok")), input=[stray])


@pytest.mark.parametrize("arguments", ["", "  "])
def test_l4_a_call_without_arguments_has_an_empty_object(arguments: str) -> None:
    """Models leave them out where a function has no parameters."""
    model = ScriptedModel(calls(("work", arguments)), calls(("look", arguments)))
    answer = asked(model, "auto", LOOK, WORK)
    assert [each["arguments"].strip() for each in answer.output] == ["{}", "{}"]


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", '{"a":NaN}', "{} {}", "no"])
def test_l4_arguments_that_are_no_object(arguments: str) -> None:
    """A hosted tool is not run, and the model is told; a caller's call is the model's failure."""
    model = ScriptedModel(calls(("work", arguments)), calls(("look", arguments)))
    answer = asked(model, "auto", LOOK, WORK)
    assert "no JSON object" in model.told[1][-1]["output"]
    assert answer.kinds == ["function_call"]
    assert answer.response["status"] == "failed"
    assert answer.response["error"]["code"] == "model_error"


@pytest.mark.parametrize("call_id", ["same", "x" * 65, ""])
def test_x1_ids_of_calls_are_made_unique(call_id: str) -> None:
    """Models count their calls from 0 in each round, or give none, or longer ones than a request may hold."""
    model = ScriptedModel(
        calls(("work", "{}"), ("work", "{}"), ids=[call_id, call_id]),
        calls(("work", "{}"), ids=[call_id]),
        calls(("look", "{}"), ids=[call_id]),
    )
    answer = asked(model, "auto", LOOK, WORK)
    ids = [each["call_id"] for each in answer.output]
    assert len(set(ids)) == 4
    assert all(0 < len(each) <= 64 for each in ids)
