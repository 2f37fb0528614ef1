"""What the demonstration answers, asked by the client of this package over a socket."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openresponses_kit import BadRequestError, OpenResponses
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from openresponses_kit.server.demonstration.tokens import count, pieces
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
LIMIT = 200


def user(text: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(create_app(DemonstrationService(context_limit=LIMIT), store="memory:")) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def client(url: str) -> Iterator[OpenResponses]:
    with OpenResponses(base_url=url, max_retries=0, strict=True) as client:
        yield client


def test_it_says_what_it_got(client: OpenResponses) -> None:
    """Text, images and files come up in the answer; a file that is sent inline is not repeated."""
    parts = [
        {"type": "input_text", "text": "Look at these."},
        {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "high"},
        {"type": "input_file", "filename": "report.pdf", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0"},
    ]
    text = client.responses.create(model="m", input=[user(parts)]).output_text
    for expected in ("Look at these.", "https://example.com/cat.png, detail high", "report.pdf", "image/png"):
        assert expected in text
    assert "iVBORw0" not in text


def test_the_same_request_gets_the_same_answer(client: OpenResponses) -> None:
    """Ids differ, what is said does not; any model is served under its own name."""
    first, second = (client.responses.create(model="any-model", input="Hello there") for _ in range(2))
    assert (first.output_text, first.model) == (second.output_text, "any-model")
    assert first.id != second.id


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [
        ("My name is Ada", "What is my name?", "your name is Ada"),
        ("Remember that my favourite colour is green.", "Which colour do I like?", "your favourite colour is green"),
        ("My name's Ada.", "Who am I?", "your name is Ada"),
        ("My name is Ada and my cat is Tom.", "Tell me: who is my cat?", "your cat is Tom"),
        ("The code is 3.14, keep it.", "What was the code?", "the code is 3.14"),
        ("Remember the word: xylophone.", "What do you remember?", "the word: xylophone"),
    ],
)
@pytest.mark.parametrize("way", ["stored", "connection", "input", "compaction"])
def test_p1_c2_w4_it_recalls_what_it_was_told(
    client: OpenResponses, way: str, told: str, asked: str, expected: str
) -> None:
    """By a stored response, by what a connection remembers, by items handed back, and across a compaction."""
    if way == "connection":
        with client.responses.connect() as connection:
            first = connection.create(model="m", input=told, store=False).get_final_response()
            turn = connection.create(model="m", input=asked, store=False, previous_response_id=first.id)
            assert expected in turn.get_final_response().output_text
        return
    first = client.responses.create(model="m", input=told)
    if way == "stored":
        second = client.responses.create(model="m", input=asked, previous_response_id=first.id)
    elif way == "input":
        second = client.responses.create(model="m", input=[user(told), *first.as_input(), user(asked)])
    else:
        window = client.responses.compact(model="m", previous_response_id=first.id)
        assert not any(item.type == "message" and item.role == "user" for item in window.output)
        second = client.responses.create(model="m", input=[*window.output, user(asked)])
    assert expected in second.output_text


def test_it_recalls_the_latest_and_nothing_that_was_only_asked(client: OpenResponses) -> None:
    turns = ["My name is Ada.", "My name is Eve now.", "Is my name is Bob a sentence?", "What is my name?"]
    text = client.responses.create(model="m", input=[user(turn) for turn in turns]).output_text
    assert "your name is Eve now" in text
    assert "Bob" not in text


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


@pytest.mark.parametrize(
    "damage", ["nonsense", "demonstration-1.e30=.0000000000000000", "demonstration-1.é.x", "", "changed"]
)
def test_e3_a_compaction_of_somebody_else_is_refused_with_its_place(client: OpenResponses, damage: str) -> None:
    ours = client.responses.compact(model="m", input="My name is Ada.").output[-1]
    if damage == "changed":
        mark, _, checksum = ours.encrypted_content.split(".")
        damage = f"{mark}.eyJzYWlkIjpbXX0=.{checksum}"
    items = [user("a"), ours, {"type": "compaction", "encrypted_content": damage}]
    for refused in (client.responses.create, client.responses.compact):
        with pytest.raises(BadRequestError) as caught:
            refused(model="m", input=items)
        assert caught.value.param == "input[2].encrypted_content"


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


@pytest.mark.parametrize(
    ("text", "choice", "parallel", "called"),
    [
        ("Hello", "auto", True, []),
        ("The weather and the time", "auto", True, ["get_weather", "current_time"]),
        ("The weather and the time", None, False, ["get_weather"]),
        ("The weather and the time", "none", True, []),
        ("Hello", "required", True, ["get_weather"]),
        ("What time is it", "required", True, ["current_time"]),
        ("The weather", {"type": "function", "name": "current_time"}, True, ["current_time"]),
        ("The weather", {"type": "allowed_tools", "tools": [{"type": "function", "name": "current_time"}]}, True, []),
        (
            "The weather",
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "current_time"}]},
            True,
            ["current_time"],
        ),
        (
            "The time",
            {"type": "allowed_tools", "mode": "none", "tools": [{"type": "function", "name": "current_time"}]},
            True,
            [],
        ),
    ],
)
def test_x5_x6_x7_no_call_is_made_that_may_not_be(
    client: OpenResponses, text: str, choice: Any, parallel: bool, called: list[str]
) -> None:
    response = client.responses.create(
        model="m", input=text, tools=[WEATHER, TIME], tool_choice=choice, parallel_tool_calls=parallel
    )
    assert [call.name for call in response.function_calls] == called
    assert bool(response.output_text) is not bool(called)
    for call in response.function_calls:
        Draft202012Validator((WEATHER if call.name == "get_weather" else TIME)["parameters"]).validate(
            json.loads(call.arguments)
        )


def test_it_stops_at_the_limit_of_calls(client: OpenResponses) -> None:
    tools = [WEATHER, TIME]
    response = client.responses.create(model="m", input="weather, time", tools=tools, max_tool_calls=1)
    assert [call.status for call in response.function_calls] == ["completed"]
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_tool_calls"


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


@pytest.mark.parametrize("effort", [None, "none", "low", "xhigh"])
@pytest.mark.parametrize("summary", [None, "auto"])
def test_r1_it_reasons_when_asked(client: OpenResponses, effort: str | None, summary: str | None) -> None:
    """The reasoning comes first, its tokens are counted, and a summary is there where one was asked for."""
    response = client.responses.create(
        model="m",
        input="Hi",
        reasoning={"effort": effort, "summary": summary},
        include=["reasoning.encrypted_content"],
    )
    assert response.usage is not None
    spent = response.usage.output_tokens_details.reasoning_tokens
    if effort == "none" or (effort, summary) == (None, None):
        assert [item.type for item in response.output] == ["message"]
        assert spent == 0
        return
    reasoning, message = response.output
    assert (reasoning.type, message.type) == ("reasoning", "message")
    assert bool(reasoning.summary) is (summary is not None)
    assert reasoning.encrypted_content
    written = "".join(part.text for part in [*reasoning.summary, *(reasoning.content or ())])
    assert 0 < spent <= response.usage.output_tokens
    assert spent >= count(written) - 1


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"reasoning": {"effort": "high", "summary": "auto"}},
        {"tools": [WEATHER], "tool_choice": "required"},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "string", "minLength": 300}}}},
    ],
    ids=["text", "reasoning", "call", "schema"],
)
def test_l8_it_stops_at_the_limit_of_tokens(client: OpenResponses, more: dict[str, Any]) -> None:
    """Whatever is being written, exactly so many tokens are; one more than is needed cuts nothing."""
    asked = {"model": "m", "input": "Say it again and again and again, sam, for a city of the north of York.", **more}
    whole = client.responses.create(**asked)
    assert whole.status == "completed"
    assert whole.usage is not None
    needed = whole.usage.output_tokens
    assert needed > 16, "the case is about nothing"
    for limit in (16, needed - 1, needed, needed + 1):
        response = client.responses.create(**asked, max_output_tokens=limit)
        assert response.usage is not None
        assert response.usage.output_tokens == min(limit, needed)
        if limit >= needed:
            assert response.status == "completed"
        else:
            assert response.incomplete_details is not None
            assert response.incomplete_details.reason == "max_output_tokens"


def test_it_refuses_when_asked_to(client: OpenResponses) -> None:
    response = client.responses.create(model="m", input="Please refuse this.")
    assert response.refusal
    assert response.output_text == ""


def test_l5_it_cites_addresses(client: OpenResponses) -> None:
    response = client.responses.create(model="m", input="Read https://example.com/a?b=c, will you?")
    (part,) = response.output[0].content
    (citation,) = part.annotations
    assert citation.url == "https://example.com/a?b=c"
    assert part.text[citation.start_index : citation.end_index] == citation.url


def test_p6_the_answer_is_labelled(client: OpenResponses) -> None:
    assert client.responses.create(model="m", input="Hi").output[0].phase == "final_answer"


def test_it_streams_word_by_word(client: OpenResponses) -> None:
    with client.responses.stream(model="m", input="one two three") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        text = stream.get_final_response().output_text
    assert deltas == pieces(text)
    assert len(deltas) > 3


def test_p4_a_context_that_is_too_long(client: OpenResponses) -> None:
    """It is refused, or the oldest goes: not the guidance, however old."""
    system = {"type": "message", "role": "system", "content": "Guidance. " * 20}
    items = [system, user("My name is Ada."), user("word " * 150), user("word " * 50), user("What is my name?")]
    with pytest.raises(BadRequestError) as caught:
        client.responses.create(model="m", input=items)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")
    response = client.responses.create(model="m", input=items, truncation="auto")
    assert response.usage is not None
    assert 40 < response.usage.input_tokens <= LIMIT
    assert "Ada" not in response.output_text
    with pytest.raises(BadRequestError) as too_much:
        client.responses.create(
            model="m", input=[{**system, "content": "word " * LIMIT}, user("Hi")], truncation="auto"
        )
    assert too_much.value.code == "context_length_exceeded"
