"""Events of an upstream that speaks Open Responses: which of its calls are shown (rules X1, X2, X5 to X7)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openresponses_kit.gateway import RoundWriter, Sampling
from openresponses_kit.server.writer import ResponseWriter
from scripted_model import Round as Script
from scripted_model import ScriptedModel, ScriptedTool, ask, gives, says

LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}}
WORK = {"type": "acme:work"}


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the events that are passed on, and not written."""
    names: list[str] = []

    async def pass_on(_: ResponseWriter, event: str, data: bytes) -> None:
        names.append(event.removeprefix("response."))

    monkeypatch.setattr(ResponseWriter, "forward", pass_on)
    return names


def sends(*events: tuple[str, dict[str, Any]]) -> Script:
    async def round_(_: Sampling, out: RoundWriter) -> None:
        for name, fields in events:
            await out.forward(f"response.{name}", json.dumps({"type": f"response.{name}", **fields}).encode())

    return round_


def call_of(index: int, name: str, arguments: str) -> list[tuple[str, dict[str, Any]]]:
    item = {"type": "function_call", "id": f"fc{index}", "call_id": f"c{index}", "name": name}
    return [
        ("output_item.added", {"output_index": index, "item": {**item, "arguments": ""}}),
        ("function_call_arguments.delta", {"output_index": index, "delta": arguments}),
        ("function_call_arguments.done", {"output_index": index, "arguments": arguments}),
        ("output_item.done", {"output_index": index, "item": {**item, "arguments": arguments}}),
    ]


TEXT = ("output_text.delta", {"output_index": 7, "delta": "x"})
SHOWN = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]


def test_x2_calls_of_hosted_tools_are_run_and_not_passed_on(passed: list[str]) -> None:
    """Whatever stands around them is."""
    mixed = [a for pair in zip(call_of(0, "work", '{"n":1}'), [TEXT] * 4, strict=True) for a in pair]
    model = ScriptedModel(sends(*mixed), says("ok"))
    tool = ScriptedTool(gives("42"))
    answer = ask(model, tool, tools=[WORK])
    assert passed == ["output_text.delta"] * 4
    assert [call.arguments for call in tool.runs] == ['{"n":1}']
    assert answer.kinds == ["acme:work_call", "message"]


def test_x1_calls_of_the_caller_are_passed_on_and_end_the_response(passed: list[str]) -> None:
    """As they came."""
    model = ScriptedModel(sends(*call_of(0, "look", "{}")))
    ask(model, tools=[LOOK])
    assert passed == SHOWN
    assert len(model.samplings) == 1


@pytest.mark.parametrize("name", ["look", "made_up"])
def test_x6_calls_that_are_not_allowed_are_not_passed_on(passed: list[str], name: str) -> None:
    """The model is told."""
    model = ScriptedModel(sends(*call_of(0, name, "{}")), says("ok"))
    ask(model, ScriptedTool(gives("42")), tools=[LOOK, WORK], tool_choice={"type": "allowed_tools", "tools": [WORK]})
    assert passed == []
    assert model.told[1][-1]["output"].startswith("This call was not made")


def test_x7_one_call_per_round_where_calls_are_not_parallel(passed: list[str]) -> None:
    """The others are not passed on."""
    ask(
        ScriptedModel(sends(*call_of(0, "look", "{}"), *call_of(1, "look", "{}"))),
        tools=[LOOK],
        parallel_tool_calls=False,
    )
    assert passed == SHOWN


@pytest.mark.parametrize(
    "hostile",
    [
        call_of(0, "work", "{}")[:3],
        [("output_item.added", {"output_index": "no"})],
        [("output_item.added", {"output_index": [0], "item": {"type": "acme:x"}})],
        [("output_item.added", {"output_index": 0, "item": {"type": "function_call", "name": 7}})],
    ],
)
@pytest.mark.usefixtures("passed")
def test_an_upstream_that_breaks_off_or_sends_what_is_no_event(hostile: Any) -> None:
    """It is the model's failure, and nothing is run."""
    tool = ScriptedTool(gives("42"))
    answer = ask(ScriptedModel(sends(*hostile), says("ok")), tool, tools=[WORK])
    assert answer.response["error"]["code"] == "model_error"
    assert not tool.runs


def test_n3_items_of_other_types_are_passed_on_whatever_is_in_them(passed: list[str]) -> None:
    """Their fields are the vendor's own."""
    item = {"type": "acme:x", "id": "1", "name": 5, "arguments": {"a": 1}}
    ask(ScriptedModel(sends(("output_item.added", {"output_index": 0, "item": item}))), tools=[WORK])
    assert passed == ["output_item.added"]
