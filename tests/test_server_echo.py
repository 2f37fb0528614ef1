"""The settings in force, as a response repeats them.

Protects T4 (every required field), T5 and T6 (defaults, and null for them), Z4 and Z5 (formats, tools and choices),
Z19 and N1 (what was sent stands as it was sent, on one line: S8), and the reader of pieces of JSON under it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import openresponses_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.server._slices import elements_of, member_of
from openresponses_kit.server.echo import echo_of
from openresponses_kit.server.errors import InvalidRequestError
from openresponses_kit.server.requests import Limits, read_body
from payloads import RELEASES, bounded, component, same_json

OURS = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "completed_at": None,
    "status": "in_progress",
    "incomplete_details": None,
    "output": [],
    "error": None,
    "usage": None,
}
"""What is not echoed: the response's own fields."""
DEFAULTS = {
    "model": "small",
    "previous_response_id": None,
    "instructions": None,
    "tools": [],
    "tool_choice": "auto",
    "truncation": "disabled",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}},
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "temperature": 1,
    "reasoning": {"effort": None, "summary": None},
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": True,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}
"""Of the settings in force when a request states none (T6)."""
FUNCTION = {"type": "function", "name": "f"}
WHOLE = {**FUNCTION, "description": None, "parameters": None, "strict": None}
ALLOWED = {"type": "allowed_tools", "tools": [FUNCTION]}
SCHEMA = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
NO_SCHEMA = {"type": "json_schema", "name": "n", "description": None, "schema": None, "strict": False}


def raw_echo(content: bytes, kind: Any = kit.CreateResponseBody, *, stored: bool = True) -> bytes:
    request = read_body(kind, content, Limits())
    return echo_of(request, content, default_model="small", stored=stored)


def echo(payload: Any, kind: Any = kit.CreateResponseBody, *, stored: bool = True) -> Any:
    return json.loads(b"{%b}" % raw_echo(json.dumps(payload).encode(), kind, stored=stored))


@pytest.mark.parametrize("release", RELEASES)
def test_t4_every_field_that_a_response_requires_is_there(release: str, package: Callable[[str], ModuleType]) -> None:
    """The response's own fields and the echo are all that the schema requires, each once, in both releases."""
    kit = package(release)
    module = importlib.import_module(f"{kit.__name__}.server.echo")
    echoed = module.echo_of(
        kit.CreateResponseBody.model_validate_json(b"{}"), b"{}", default_model="small", stored=True
    )
    names: list[str] = []
    json.loads(b"{%b}" % echoed, object_pairs_hook=lambda pairs: names.extend(name for name, _ in pairs))
    names = [name for name in names if name in DEFAULTS]
    response = component("ResponseResource", release)
    assert sorted([*names, *OURS]) == sorted(response.schema["required"])
    body = {**OURS, **json.loads(b"{%b}" % echoed)}
    assert response.validator.is_valid(body)
    kit.ResponseResource.model_validate_json(json.dumps(body))


def test_t6_defaults_are_filled_in_for_what_is_left_out_or_null() -> None:
    assert echo({}) == DEFAULTS
    nullable = [name for name in DEFAULTS if name not in ("truncation", "store", "background", "service_tier")]
    assert echo(dict.fromkeys(nullable)) == DEFAULTS
    assert echo({"text": {"format": None}, "reasoning": {"effort": None}}) == DEFAULTS
    assert echo({"text": {}, "reasoning": {}, "metadata": {}, "tools": []}) == DEFAULTS


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "large"},
        {"model": ""},
        {"instructions": 'say "hi"\n\u2028 é \x00'},
        {"temperature": 0.5, "top_p": 0.25, "presence_penalty": -1.5, "frequency_penalty": 1e-7},
        {"temperature": 0},
        {"parallel_tool_calls": False},
        {"truncation": "auto", "service_tier": "flex", "background": True},
        {"reasoning": {"effort": "high", "summary": "auto"}},
        {"metadata": {"a": "b", "ü": "\u2028"}},
        {"max_output_tokens": 16, "max_tool_calls": 2**63 - 1, "top_logprobs": 20},
        {"safety_identifier": "u", "prompt_cache_key": "", "previous_response_id": "resp_0"},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"tool_choice": "required", "tools": [{**WHOLE, "strict": True}]},
    ],
    ids=str,
)
def test_t5_settings_of_the_request_are_in_force(settings: dict[str, Any]) -> None:
    assert echo(settings) == {**DEFAULTS, **settings}


def test_t5_what_is_no_setting_is_not_repeated() -> None:
    others = {"input": "hi", "include": ["reasoning.encrypted_content"], "stream": True, "acme:x": 1, "user": "u"}
    assert echo({**others, "stream_options": {"include_obfuscation": False}}) == DEFAULTS
    assert echo({"store": False}, stored=False) == {**DEFAULTS, "store": False}
    assert echo({"store": True}, stored=False) == {**DEFAULTS, "store": False}  # in force is what the server can do


def test_w1_a_turn_of_a_websocket_repeats_the_same() -> None:
    frame = {"type": "response.create", "temperature": 0.5, "tools": [FUNCTION]}
    assert echo(frame, kit.WebSocketResponseCreateEvent) == {**DEFAULTS, "temperature": 0.5, "tools": [WHOLE]}


@pytest.mark.parametrize(
    ("sent", "repeated"),
    [
        (SCHEMA, NO_SCHEMA),
        ({**SCHEMA, "strict": None, "x": 1}, NO_SCHEMA),
        ({**SCHEMA, "strict": True, "description": "d"}, {**NO_SCHEMA, "strict": True, "description": "d"}),
        ({"name": "n"}, NO_SCHEMA),
        ({"type": "json_schema"}, {**NO_SCHEMA, "name": ""}),
        ({"type": "acme:grammar", "rules": [1]}, {"type": "acme:grammar", "rules": [1]}),
    ],
    ids=str,
)
def test_z4_a_format_is_repeated_without_its_schema(sent: Any, repeated: Any) -> None:
    assert echo({"text": {"verbosity": "high", "format": sent}})["text"] == {"verbosity": "high", "format": repeated}


@pytest.mark.parametrize(
    ("field", "sent", "repeated"),
    [
        ("tools", [FUNCTION], [WHOLE]),
        ("tools", [{**FUNCTION, "strict": False}], [{**WHOLE, "strict": False}]),
        ("tools", [FUNCTION, {**WHOLE, "strict": True}], [WHOLE, {**WHOLE, "strict": True}]),
        ("tools", [{**FUNCTION, "acme:x": {"y": []}}], [{**WHOLE, "acme:x": {"y": []}}]),
        ("tools", [{"type": "acme:search"}, FUNCTION], [{"type": "acme:search"}, WHOLE]),
        ("tool_choice", ALLOWED, {**ALLOWED, "mode": "auto"}),
        ("tool_choice", {**ALLOWED, "mode": "required"}, {**ALLOWED, "mode": "required"}),
        ("tool_choice", FUNCTION, FUNCTION),
        ("tool_choice", {"type": "acme:search", "how": 1}, {"type": "acme:search", "how": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_z5_tools_and_choices_are_whole(field: str, sent: Any, repeated: Any) -> None:
    assert echo({field: sent}) == {**DEFAULTS, field: repeated}


PARAMETERS = rb'{ "type" : "object", "z":1e5, "a": 1.50, "t\u0079pe2":"\u00e9\/", "tools":{"tools":[]}, "n":-0 }'
VENDOR = rb'{"type":"acme:x","b":[1E+2,1.0,{"a":100000000000000000000000000}],"a":"\ud83d\ude00"}'


@pytest.mark.parametrize("after", [b"", b', "input": "the \\"tools\\": [1]"', b', "metadata": {"tools": "tools"}'])
@pytest.mark.parametrize(
    "before", [b"", b'"input": [{"type":"acme:i","tools":[1]}], ', b'"tools": 5, ', b'"tools": [], ']
)
@pytest.mark.parametrize("key", [b'"tools"', rb'"t\u006fols"'])
def test_z19_tools_stand_as_they_were_sent(before: bytes, after: bytes, key: bytes) -> None:
    """Order of keys, forms of numbers and escapes, wherever else there are words that look like the member's name."""
    function = b'{"parameters":%b,"type":"function","name":"f","strict":true}' % PARAMETERS
    content = b"{%b%b : [ %b , %b ]%b}" % (before, key, function, VENDOR, after)
    echoed = raw_echo(content)
    assert b'"tools":[%b,"description":null},%b]' % (function[:-1], VENDOR) in echoed


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b'{"type":"a:b","headers":{"K":"s"},"n":1.50}', b'{"type":"a:b","n":1.50}'),
        (b'{"headers":{"K":"}\\"]"},\n "type":"a:b", "authorization" : "s" }', b'{"type":"a:b"}'),
        (b'{"type":"a:b","\\u0068eaders":"s","x":{"headers":1}}', b'{"type":"a:b","x":{"headers":1}}'),
        (b'{"headers":1,"type":"a:b","headers":2}', b'{"type":"a:b"}'),
        (b'{"type":"a:b","header":"s"}', b'{"type":"a:b","header":"s"}'),
    ],
)
def test_e3_credentials_of_tools_are_not_repeated(sent: bytes, shown: bytes) -> None:
    """E3: what a tool is called with is left out, however its name is spelled; the rest stands as sent (Z19)."""
    assert b'"tools":[%b]' % shown in raw_echo(b'{"tools":[%b]}' % sent)


def test_z19_n1_choices_and_formats_of_vendors_stand_as_they_were_sent() -> None:
    choice = rb'{"type":"acme:x","b":1.50,"a":"\u0061"}'
    text_format = rb'{"b":1e5,"type":"acme:f","format":{"format":1}}'
    content = b'{"text":{"format":%b},"tool_choice":%b,"metadata":{"format":"x"}}' % (text_format, choice)
    echoed = raw_echo(content)
    assert b'"tool_choice":%b' % choice in echoed
    assert b'"text":{"format":%b}' % text_format in echoed


def test_s8_what_is_repeated_is_on_one_line() -> None:
    """Bodies are often indented; an event would be torn apart."""
    tools = [{**FUNCTION, "parameters": {"a": "line\nline\r"}}, {"type": "acme:x", "y": [1, 2]}]
    payload = {"tools": tools, "tool_choice": ALLOWED, "text": {"format": {"type": "acme:f", "x": 1}}}
    content = json.dumps(payload, indent=2).replace("\n", "\r\n").encode()
    echoed = raw_echo(content)
    assert b"\n" not in echoed
    assert b"\r" not in echoed
    assert json.loads(b"{%b}" % echoed) == echo(payload)


@pytest.mark.parametrize(
    "content",
    [
        b'{"tools":[{"type":"function","name":"f","parameters":{"minimum": NaN}}]}',
        b'{"tools":[{"type":"acme:x","y":[-Infinity]}]}',
        b'{"tool_choice":{"type":"acme:x","y":Infinity}}',
        b'{"text":{"format":{"type":"acme:x","y":NaN}}}',
    ],
)
def test_e4_what_no_json_is_cannot_be_repeated(content: bytes) -> None:
    with pytest.raises(InvalidRequestError, match=r"no valid JSON: there is no .* at line 1 column"):
        raw_echo(content)
    raw_echo(content.replace(b"NaN", b'"NaN"').replace(b"-Inf", b"Inf").replace(b"Infinity", b'"-Infinity"'))


@pytest.mark.parametrize("field", ["max_output_tokens", "max_tool_calls"])
def test_e4_an_integer_beyond_64_bits_is_refused(field: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        echo({field: 2**63})
    assert refusal.value.param == field


@bounded(60)
@given(component("CreateResponseBody").payloads)
def test_t4_t5_any_request_is_repeated_by_the_schema_of_a_response(payload: Any) -> None:
    """Whatever a valid request says, the echo makes a valid response, on one line."""
    for name in ("max_output_tokens", "max_tool_calls"):
        payload[name] = min(payload.get(name) or 16, 2**63 - 1)
    echoed = raw_echo(json.dumps(payload, indent=1).encode())
    assert b"\n" not in echoed
    body = {**OURS, **json.loads(b"{%b}" % echoed)}
    kit.ResponseResource.model_validate_json(json.dumps(body))
    assert [each.json_path for each in component("ResponseResource").validator.iter_errors(body)] == []
    for name in ("temperature", "instructions", "parallel_tool_calls", "max_output_tokens"):
        assert same_json(body[name], DEFAULTS[name] if payload.get(name) is None else payload[name])


NAMES = st.sampled_from(["tools", "input", "a", "", "\\", '"', 'x"tools', "tools\\", "é", "\u2028"]) | st.text(
    max_size=3
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """An object as JSON, written in any way, with the pieces of its members; names may come twice."""
    random = draw(st.randoms(use_true_random=False))
    pairs = draw(st.lists(st.tuples(NAMES, VALUES), max_size=6))

    def space() -> str:
        return "".join(random.choices(["", "", "", " ", "\n", "\t", "\r"], k=2))

    def text(value: str) -> str:
        plain = json.dumps(value, ensure_ascii=random.random() < 0.5)[1:-1]
        if random.random() < 0.3 and value.isascii():
            plain = "".join(
                f"\\u{ord(each):04x}" if random.random() < 0.5 else json.dumps(each)[1:-1] for each in value
            )
        return f'"{plain}"'

    def write(value: Any) -> str:
        match value:
            case str():
                return text(value)
            case list():
                return f"[{space()}" + ",".join(f"{space()}{write(each)}{space()}" for each in value) + "]"
            case dict():
                members = (
                    f"{space()}{text(key)}{space()}:{space()}{write(each)}{space()}" for key, each in value.items()
                )
                return "{" + space() + ",".join(members) + "}"
            case _:
                return json.dumps(value)

    pieces = [(name, write(value)) for name, value in pairs]
    members = ",".join(f"{space()}{text(name)}{space()}:{space()}{piece}{space()}" for name, piece in pieces)
    return f"{space()}{{{space()}{members}}}{space()}", pieces


@bounded(400)
@given(written(), st.sampled_from(["tools", "input", "a", "b"]))
def test_z19_pieces_are_those_that_were_written(source: tuple[str, list[tuple[str, str]]], name: str) -> None:
    """In any spelling, with members of the same name anywhere inside: the last one of the object, byte for byte."""
    text, pieces = source
    assert json.loads(text) == {key: json.loads(piece) for key, piece in pieces}
    expected = next((piece for key, piece in reversed(pieces) if key == name), None)
    content = text.encode()
    if expected is None:
        with pytest.raises(KeyError):
            member_of(content, name)
        return
    assert member_of(content, name) == expected.encode()
    elements = elements_of(content, name)
    value = json.loads(expected)
    assert [json.loads(each) for each in elements] == (value if isinstance(value, list) else [])
    assert all(each in expected.encode() and each.strip() == each for each in elements)
