"""Items as messages of Chat Completions.

Protects: X1 (outputs follow their calls), R2, N3 (nothing is lost silently), E3 (a refusal names the place).
"""

from __future__ import annotations

from typing import Any

import pytest
from openresponses_kit.gateway.upstreams._messages import messages_of
from openresponses_kit.server.errors import InvalidRequestError


def call(name: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": name, "name": name, "arguments": "{}"}


def output(name: str, told: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": name, "output": told}


def test_x1_outputs_follow_their_calls_in_the_order_of_the_calls() -> None:
    told = messages_of([call("a"), call("b"), output("b"), {"role": "user", "content": "Hi"}, output("a")])
    assert [(each["role"], each.get("tool_call_id")) for each in told] == [
        ("assistant", None),
        ("tool", "a"),
        ("tool", "b"),
        ("user", None),
    ]


def test_x1_a_call_without_an_output_is_answered_all_the_same() -> None:
    [_, told] = messages_of([call("a")])
    assert told["tool_call_id"] == "a"


def test_n3_an_item_that_nobody_knows_goes_to_the_model_whole() -> None:
    [told] = messages_of([{"type": "acme:note", "id": "1", "text": "kept"}])
    assert told == {"role": "user", "content": '{"type":"acme:note","id":"1","text":"kept"}'}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", None])
def test_r2_reasoning_goes_back_in_the_field_that_is_set(field: str | None) -> None:
    thought = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]}
    [told] = messages_of([thought, {"role": "assistant", "content": "Hi"}], reasoning_field=field)
    assert told == {"role": "assistant", "content": "Hi", **({field: "Hm"} if field else {})}


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"type": "input_file", "file_url": "https://a.example/b"}, "input[1].content[0].file_data"),
        ({"type": "input_image"}, "input[1].content[0].image_url"),
        ({"type": "acme:smell"}, "input[1].content[0].type"),
    ],
)
def test_e3_what_cannot_be_said_is_refused_by_its_place(part: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        messages_of([{"role": "user", "content": "Hi"}, {"role": "user", "content": [part]}])
    assert refused.value.param == place
