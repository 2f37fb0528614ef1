"""What a server reads of a request, and what it says of one that is wrong.

Protects the rules E3 and E4 (one clear error: its place, what is allowed, nothing internal), T1 and T5, W1, Z7 and Z8,
and the limits: a request is refused before anything is done with it.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
from typing import Any

import openresponses_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit._places import lines_of, place_of
from openresponses_kit.server.errors import InvalidRequestError
from openresponses_kit.server.requests import Limits, read_body
from payloads import ANY_JSON, TEXTS, bounded, component, same_json
from pydantic import BaseModel, ValidationError

Body = kit.CreateResponseBody
TYPES = "'item_reference', 'reasoning', 'compaction', 'message', 'function_call', 'function_call_output'"
IMAGE = {"type": "input_image", "image_url": 5}
USER = {"type": "message", "role": "user", "content": "hi"}

WRONG: list[tuple[Any, str | None, str]] = [
    ({"model": 5}, "model", "it has to be a string, not 5"),
    ({"model": {"secret": 1}}, "model", "it has to be a string, not an object"),
    ({"model": ["x"]}, "model", "it has to be a string, not an array"),
    ({"model": True}, "model", "it has to be a string, not true"),
    ({"temperature": "hot"}, "temperature", 'it has to be a number, not "hot"'),
    ({"top_logprobs": 30}, "top_logprobs", "it has to be at most 20, not 30"),
    ({"max_output_tokens": 3}, "max_output_tokens", "it has to be at least 16, not 3"),
    ({"max_output_tokens": 100.5}, "max_output_tokens", "it has to be an integer, not 100.5"),
    ({"stream": "yes"}, "stream", 'it has to be true or false, not "yes"'),
    ({"stream": None}, "stream", "it has to be true or false, not null"),
    ({"truncation": "some"}, "truncation", "it has to be 'auto' or 'disabled', not \"some\""),
    (
        {"include": ["all"]},
        "include[0]",
        "'reasoning.encrypted_content' or 'message.output_text.logprobs', not \"all\"",
    ),
    ({"include": "all"}, "include", 'it has to be an array, not "all"'),
    ({"safety_identifier": "x" * 65}, "safety_identifier", "its length has to be at most 64"),
    ({"metadata": {"a": 5}}, "metadata.a", "it has to be a string, not 5"),
    ({"metadata": {"a": "x" * 600}}, "metadata.a", "its length has to be at most 512"),
    ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "its length has to be at most 16"),
    ({"reasoning": {"effort": "mad"}}, "reasoning.effort", "'none', 'low', 'medium', 'high' or 'xhigh', not \"mad\""),
    ({"text": {"format": {"type": "yaml"}}}, "text.format.type", "one of 'text', 'json_schema', or a vendor's as in"),
    ({"text": {"format": {"name": 5}}}, "text.format.name", "it has to be a string, not 5"),
    ({"text": {"format": "x"}}, "text.format", 'it has to be an object, not "x"'),
    ({"tools": [{"type": "function"}]}, "tools[0].name", "it is required"),
    ({"tools": [{"type": "function", "name": "a b"}]}, "tools[0].name", 'match ^[a-zA-Z0-9_-]+$, not "a b"'),
    (
        {"tools": [{"type": "search"}]},
        "tools[0].type",
        "one of 'function', or a vendor's as in 'vendor:name', not \"sea",
    ),
    (
        {"tools": [{"type": "function", "name": "a", "parameters": "s"}]},
        "tools[0].parameters",
        "it has to be an object",
    ),
    ({"tool_choice": "maybe"}, "tool_choice", "it has to be 'none', 'auto' or 'required', not \"maybe\""),
    ({"tool_choice": 5}, "tool_choice", "it has to be a JSON object or a JSON string, not 5"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.name", "it is required"),
    ({"tool_choice": {"type": "allowed_tools", "tools": []}}, "tool_choice.tools", "its length has to be at least 1"),
    ({"input": 5}, "input", "it has to be a JSON string or a JSON array, not 5"),
    ({"input": [USER, None]}, "input[1]", "it has to be an object, not null"),
    ({"input": [{"type": "new"}]}, "input[0].type", f"one of {TYPES}, or a vendor's as in 'vendor:name', not \"new\""),
    ({"input": [{"type": "user"}]}, "input[0].type", f"one of {TYPES}"),
    ({"input": [{"content": "x"}]}, "input[0].type", f"one of {TYPES}"),
    ({"input": [{"id": 5}]}, "input[0].id", "it has to be a string, not 5"),
    ({"input": [{"type": None, "role": "user"}]}, "input[0].content", "it is required"),
    ({"input": [{"type": "message", "content": ""}]}, "input[0].role", "one of 'user', 'system', 'developer', 'assis"),
    (
        {"input": [{"role": "user", "content": 5}]},
        "input[0].content",
        "it has to be a JSON array or a JSON string, not 5",
    ),
    ({"input": [USER, {"role": "user", "content": [IMAGE]}]}, "input[1].content[0].image_url", "it has to be a string"),
    ({"input": [{**USER, "user": {"content": 1}, "content": [IMAGE]}]}, "input[0].content[0].image_url", "not 5"),
    ({"tool_choice": {"type": "function", "object": {"type": {}}, "name": 5}}, "tool_choice.name", "not 5"),
    ([], None, "the request: it has to be an object, not an array"),
    (None, None, "the request: it has to be an object, not null"),
]
BAD_JSON: list[tuple[bytes, str]] = [
    (b"", "the request is empty; it has to be a JSON object"),
    (b" \r\n", "the request is empty; it has to be a JSON object"),
    (b"{", "the request is no valid JSON: EOF while parsing an object at line 1 column 1"),
    (b'{"model":"m",\n "input":"x",}', "trailing comma at line 2 column 14"),
    (b"{'model': 1}", "at line 1 column 2"),
    (b'{"model":1} x', "trailing characters at line 1 column 13"),
    (b'{"model":"\x01"}', "control character"),
    (b'{"model":"\xff"}', "this is no UTF-8 at line 1 column 11"),
    (b'{"\xff":1}', "this is no UTF-8"),
    ("\ufeff{}".encode(), "begins with a byte order mark"),
    ('{"model":"m"}'.encode("utf-16"), "begins with a byte order mark"),
    (b'{"model":"\\ud83d"}', "half of a surrogate pair"),
    (b'{"x":"\\ude00"}', "surrogate"),
    (b'{"\\ud83d":1}', "half of a surrogate pair"),
    (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", "it is nested too deeply at line 1 column"),
    (b'{"x":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "it is nested too deeply"),
    (b'{"x":' + b"9" * 5000 + b"}", "number out of range"),
    (b'{"x":NaN}', "the request is no valid JSON: there is no NaN at line 1 column 6"),
    (b'{"a":"NaN",\n\n "x": [1, -Infinity]}', "there is no -Infinity at line 3 column 11"),
]


def refusal(content: Any, kind: type[BaseModel] = Body, limits: Limits | None = None) -> InvalidRequestError:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(InvalidRequestError) as refused:
        read_body(kind, raw, limits or Limits())
    error = refused.value
    assert (error.status, error.type) == (400, "invalid_request")
    for internal in ("pydantic", "Param", "_type", "dict", "Traceback", "openresponses_kit", "https://", "NoneType"):
        assert internal not in error.message
    return error


def at(place: str, value: Any) -> tuple[Any, str | int]:
    """What holds the field of a path, and the last step to it. Raises when there is nothing on the way."""
    steps = [int(index) if index else name for index, name in re.findall(r"\[(\d+)\]|([^.\[]+)", place)]
    for step in steps[:-1]:
        value = value[step]
    return value, steps[-1]


@pytest.mark.parametrize(("content", "param", "reason"), WRONG, ids=lambda value: repr(value)[:50])
def test_e3_e4_an_error_names_the_field_and_what_is_allowed(content: Any, param: str | None, reason: str) -> None:
    error = refusal(content)
    assert error.param == param
    assert reason in error.message
    assert error.message.startswith(f"{param}: " if param else "the request")


@pytest.mark.parametrize(("content", "reason"), BAD_JSON, ids=lambda value: repr(value)[:30])
def test_e4_bad_json_is_told_with_line_and_column(content: bytes, reason: str) -> None:
    error = refusal(content)
    assert error.param is None
    assert reason in error.message
    assert len(error.message) < 200


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400])
def test_e4_a_number_without_bound_is_no_number(number: str) -> None:
    error = refusal(f'{{"temperature": {number}}}'.encode())
    assert error.param == "temperature"
    assert "it has to be a finite number" in error.message


def test_e3_one_error_is_told_and_the_others_are_named() -> None:
    error = refusal({"model": 5, "top_p": [], "metadata": {"k": 5}, "store": 3, "text": 5})
    assert error.param == "model"
    assert error.message.endswith("not 5 (4 more to correct: metadata.k, text, top_p, ...)")
    assert refusal({"input": [{"id": 5}]}).message.endswith("not 5")  # what else a reference might be is no error


def test_e3_what_was_sent_is_cut_short() -> None:
    error = refusal({"truncation": "secret" * 1000, "metadata": {"k" * 1000: 1, "l" * 1000: 2}})
    assert len(error.message) < 600
    error = refusal({"metadata": {"k" * 1000: 1}})
    assert error.param is not None
    assert len(error.param) < 250
    assert len(refusal({"max_output_tokens": -(10**400)}).message) < 200


@pytest.mark.parametrize("field", ["stream", "stream_options", "background"])
def test_w1_a_frame_must_not_have_what_makes_no_sense_there(field: str) -> None:
    frame = {"type": "response.create", "model": "m", field: None}
    error = refusal(frame, kit.WebSocketResponseCreateEvent)
    assert (error.param, error.message) == (field, f"{field}: it has to be left out here")
    assert refusal({"model": "m"}, kit.WebSocketResponseCreateEvent).param == "type"
    assert "'response.create'" in refusal({"type": "x"}, kit.WebSocketResponseCreateEvent).message
    error = refusal(
        {"type": "response.create", "input": [{"role": "user", "content": [IMAGE]}]}, kit.WebSocketResponseCreateEvent
    )
    assert error.param == "input[0].content[0].image_url"


def test_c1_a_model_is_required_where_a_window_is_compacted() -> None:
    error = refusal({"input": "x"}, kit.CompactResponseMethodPublicBody)
    assert (error.param, error.message) == ("model", "model: it is required")


def test_t5_fields_that_are_not_known_pass() -> None:
    content = b'{"model":"m","acme:thing":{"NaN":"Infinity"},"input":[{"role":"user","content":"NaN","x":1}]}'
    request = read_body(Body, content, Limits())
    assert request.model_extra == {"acme:thing": {"NaN": "Infinity"}}
    assert json.loads(request.model_dump_json())["input"][0]["x"] == 1


def test_z7_z8_items_without_a_type_are_read() -> None:
    request = read_body(Body, b'{"input":[{"role":"user","content":"hi"},{"id":"msg_1"}]}', Limits())
    assert isinstance(request.input, list)
    assert [type(item) for item in request.input] == [kit.UserMessageItemParam, kit.ItemReferenceParam]


@pytest.mark.parametrize(
    ("field", "of", "param"),
    [
        ("input", lambda n: [USER] * n, "input"),
        ("input", lambda n: [{"id": ""}] * n, "input"),
        ("tools", lambda n: [{"type": "a:b"}] * n, "tools"),
        ("input", lambda n: [USER, {**USER, "content": [{"type": "a:b"}] * n}], "input[1].content"),
        ("input", lambda n: [{"type": "reasoning", "summary": [{"type": "a:b"}] * n}], "input[0].summary"),
    ],
    ids=["items", "smallest items", "tools", "parts", "summaries"],
)
def test_lists_are_bounded(field: str, of: Any, param: str) -> None:
    """As many elements as are allowed pass, whatever their size; one more is refused, with its place."""
    limits = Limits(elements=30)
    read_body(Body, json.dumps({field: of(30)}).encode(), limits)
    error = refusal(json.dumps({field: of(31)}, separators=(",", ":")).encode(), limits=limits)
    assert (error.param, error.message) == (param, f"{param}: its length has to be at most 30, not 31")


def test_e3_a_request_full_of_errors_is_refused_without_listing_them() -> None:
    error = refusal({"input": [5] * 50_000})
    assert error.param == "input[0]"
    assert error.message.endswith("(49999 more to correct: input[1], input[2], input[3], ...)")


VALID = component("CreateResponseBody").payloads
JUNK = ANY_JSON | st.sampled_from([USER, [USER], [IMAGE], {"type": "message"}, {"type": "text"}, {"role": "user"}])


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A valid request in which some values were replaced or taken away."""
    payload = draw(VALID)
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = payload
        holders: list[Any] = []
        while isinstance(inner, (dict, list)) and inner and (not holders or draw(st.booleans())):
            step = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
            holders.append((inner, step))
            inner = inner[step]
        if holders:
            holder, step = holders[-1]
            if isinstance(holder, dict) and draw(st.booleans()):
                del holder[step]
            else:
                holder[step] = copy.deepcopy(draw(JUNK))
    return payload


@bounded(400)
@given(spoilt())
def test_e3_a_place_leads_to_what_is_wrong(payload: Any) -> None:
    """Whatever is wrong: the path of each error leads to the value that it is about, or to where one is missing."""
    content = json.dumps(payload).encode()
    try:
        Body.model_validate_json(content)
    except ValidationError as error:
        for line in lines_of(error):
            place = place_of(line, Body)
            if place.startswith("metadata."):
                continue  # keys of any form
            holder, step = at(place, payload)
            if line["type"] == "missing":
                assert isinstance(holder, dict)
                assert step not in holder
            elif line["type"] == "unknown_tag":
                assert same_json({**line["input"], "type": None}, {**holder, "type": None})
            else:
                assert same_json(line["input"], holder[step])
        refusal(payload)


@bounded(200)
@given(st.binary(max_size=30) | TEXTS.map(str.encode) | ANY_JSON.map(json.dumps).map(str.encode))
def test_e4_no_bytes_at_all_are_more_than_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidRequestError):
        assert isinstance(read_body(Body, content, Limits()), Body)
