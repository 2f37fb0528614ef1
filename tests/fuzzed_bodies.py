"""Bodies of requests, drawn over the specification: valid ones, wrong ones, and what is no JSON at all.

`KNOWN_RESPONSE` and `KNOWN_ITEM` in them stand for ids that the server knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from changes import candidate_changes, places, replaced, tolerated
from hypothesis import strategies as st
from payloads import ANY_JSON, DELETED, Component, component

CREATE, COMPACT = component("CreateResponseBody"), component("CompactResponseMethodPublicBody")
ODD_TEXTS = (
    "\ud800",
    "\udfff\ud800",
    "\x00",
    "\u202e\ufeff\u2028",
    "\U0010ffff",
    "e" + "\u0301" * 300,
    "x" * 70_000,
    "%s{}${7*7}",
    "NaN",
    "../../etc/passwd",
    "' OR 1=1 --",
)
ODD_NUMBERS = (float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324, -1, 2**31, 2**63, 2**64, 10**400)
LARGE = (
    json.loads("[" * 150 + "]" * 150),
    json.loads('{"a":' * 150 + "1" + "}" * 150),
    {str(number): number for number in range(300)},
    [0] * 1000,
)
ODD = st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, *LARGE]) | ANY_JSON
GARBAGE = st.sampled_from(
    [
        b"",
        b" ",
        b"\x00",
        b"null",
        b"true",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{}{}",
        b"{'input': 1}",
        b'{"input": 01}',
        b'{"input": "\\ud800"}',
        b'{"input": "\xff\xfe"}',
        b'{"input": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"input": "a"}',
        '{"input": "a"}'.encode("utf-16"),
        b'{"input": "a", "input": 7}',
        b'{"a": NaN}',
        b'{"temperature": 1e999}',
        b'{"max_output_tokens": %b}' % (b"9" * 5000),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"input": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"input=hi&model=m",
    ]
) | st.binary(max_size=40)
"""What is no request, and most of it no JSON."""


def encoded(body: Any) -> bytes:
    """The JSON of a body. What Python's own JSON has beyond the standard's is sent, too."""
    return json.dumps(body).encode()


def _likely(body: dict[str, Any], continued: bool) -> dict[str, Any]:
    """The request with what it refers to: drawn alone, nearly every one names something that is not there."""
    body = {**body}
    body.pop("previous_response_id", None)
    if continued:
        body["previous_response_id"] = "KNOWN_RESPONSE"
    if isinstance(body.get("input"), list):
        body["input"] = [each for item in body["input"] for each in _with_reference(item)]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        named = choice.get("tools", [choice])
        tools = [{"type": "function", "name": each["name"]} for each in named if "name" in each]
        body["tools"] = [*(body.get("tools") or ()), *tools]
    elif choice == "required":
        body["tools"] = [*(body.get("tools") or ()), {"type": "function", "name": "look_up"}]
    return body


def _with_reference(item: Any) -> list[Any]:
    match item:
        case {"type": "function_call_output", "call_id": call_id}:
            return [{"type": "function_call", "call_id": call_id, "name": "look_up", "arguments": "{}"}, item]
        case {"type": "compaction"}:  # The server takes only what it made itself.
            return []
        case {"type": "item_reference" | None}:
            return [{**item, "id": "KNOWN_ITEM"}]
        case {"id": _} if not {"type", "role"} & item.keys():
            return [{**item, "id": "KNOWN_ITEM"}]
        case _:
            return [item]


def likely(each: Component) -> st.SearchStrategy[dict[str, Any]]:
    """Valid requests that a server has most likely no reason to refuse."""
    return st.builds(_likely, each.payloads, st.booleans())


@st.composite
def invalid(draw: Callable[..., Any], each: Component) -> Any:
    """Requests that are valid but for one value, which the server has to refuse."""
    payload = draw(likely(each))
    candidates = list(candidate_changes(payload, each))
    start = draw(st.integers(0, 10**6))
    for index in range(len(candidates)):
        change = candidates[(start + index) % len(candidates)]
        if tolerated(change, each) is None and not each.validator.is_valid(change.payload):
            return change.payload
    return []


@st.composite
def odd(draw: Callable[..., Any], each: Component) -> Any:
    """Requests with something odd at one place or under a name of its own, whatever the server makes of it."""
    payload = draw(likely(each))
    place = draw(st.sampled_from(list(places(each, payload))))
    value = draw(ODD)
    if isinstance(place.value, dict):
        name = draw(st.sampled_from([*place.chosen.properties, *ODD_TEXTS[:6], "type", "id", "acme:x"]))
        return replaced(payload, (*place.pointer, name), value)
    if place.parent is not None and isinstance(place.pointer[-1], str) and draw(st.booleans()):
        return replaced(payload, place.pointer, DELETED)
    return replaced(payload, place.pointer, value) if place.pointer else value


@st.composite
def damaged(draw: Callable[..., Any], each: Component) -> bytes:
    """The JSON of requests, cut or with a few bytes of it changed."""
    content = encoded(draw(likely(each)))
    start = draw(st.integers(0, len(content)))
    match draw(st.sampled_from(["cut", "replace", "insert", "double"])):
        case "cut":
            return content[:start]
        case "replace":
            return content[:start] + draw(st.binary(min_size=1, max_size=3)) + content[start + 1 :]
        case "insert":
            return content[:start] + draw(st.sampled_from([b",", b'"', b"\\", b"}", b"\xc3", b"\n"])) + content[start:]
        case _:
            return content[:start] + content[start // 2 :]
