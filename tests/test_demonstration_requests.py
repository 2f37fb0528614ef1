"""Requests that the demonstration finds fault with before it writes, and what it makes of the user's words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from openresponses_kit import BadRequestError, OpenResponses
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from running_server import running

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells how warm it is in a city",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
            "unit": {"enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
}
TIME = {"type": "function", "name": "current_time", "parameters": {"type": "object"}}


def user(text: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(create_app(DemonstrationService(), store="memory:")) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def client(url: str) -> Iterator[OpenResponses]:
    with OpenResponses(base_url=url, max_retries=0, strict=True) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("request_fields", "param"),
    [
        ({"tools": [TIME, {**WEATHER, "parameters": {"type": "string"}}]}, "tools[1].parameters"),
        ({"tools": [{**WEATHER, "parameters": {"$ref": "#/$defs/no"}}]}, "tools[0].parameters"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"not": {}}}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": 5}}}}, "text.format.schema"),
    ],
)
def test_e4_schemas_that_cannot_be_met_are_refused_before_anything_is_written(
    client: OpenResponses, stream: bool, request_fields: dict[str, Any], param: str
) -> None:
    """Also when reasoning comes first, and in a stream: the answer is an HTTP 400 with the place."""
    with pytest.raises(BadRequestError) as caught:
        client.responses.create(
            model="m", input="The weather", reasoning={"effort": "low"}, stream=stream, **request_fields
        )
    assert caught.value.param == param


def test_c1_a_compaction_keeps_guidance_and_can_be_compacted_again(client: OpenResponses) -> None:
    """Messages of system and developer are kept as they are, and what was sealed stays known."""
    system = {"type": "message", "role": "system", "content": "Be brief."}
    once = client.responses.compact(model="m", input=[system, user("My name is Ada.")])
    twice = client.responses.compact(model="m", input=[*once.output, user("My cat is Tom.")])
    assert [item.type for item in twice.output] == ["message", "compaction"]
    assert "Be brief." in twice.output[0].model_dump_json()
    text = client.responses.create(model="m", input=[*twice.output, user("What do you remember?")]).output_text
    assert "your name is Ada" in text
    assert "your cat is Tom" in text


def test_x5_a_tool_is_called_when_the_user_speaks_of_it(client: OpenResponses) -> None:
    """Its arguments are made of the user's words; what it gives is the answer, and then it is not called again."""
    asked = user("How warm is the weather in New York for 3 days, in Fahrenheit?")
    first = client.responses.create(model="m", input=[asked], tools=[WEATHER, TIME])
    (call,) = first.function_calls
    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {"city": "New York", "days": 3, "unit": "fahrenheit"}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
    second = client.responses.create(model="m", input=[output], tools=[WEATHER], previous_response_id=first.id)
    assert second.function_calls == []
    assert "get_weather returned “sunny, 21 degrees”" in second.output_text


def test_structured_answers_hold_what_was_told(client: OpenResponses) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "person", "schema": schema, "strict": True}
    text = "My name is Ada. I am 36 years old."
    response = client.responses.create(model="m", input=text, text={"format": form})
    assert json.loads(response.output_text) == {"name": "Ada", "age": 36}


def test_numbers_that_are_no_numbers_of_json_are_left_alone(client: OpenResponses) -> None:
    form = {"type": "json_schema", "name": "n", "schema": {"type": "number"}}
    response = client.responses.create(model="m", input="9" * 400 + ".5 and 1.2.3", text={"format": form})
    assert math.isfinite(json.loads(response.output_text))


@pytest.mark.parametrize("summary", [None, "auto"])
def test_r1_no_effort_is_no_reasoning(client: OpenResponses, summary: str | None) -> None:
    """Also where a summary is asked for, of which there is nothing to be made."""
    response = client.responses.create(model="m", input="Hi", reasoning={"effort": "none", "summary": summary})
    assert [item.type for item in response.output] == ["message"]
