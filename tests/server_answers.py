"""What an answer of a server has to be, whatever it was asked: documented shapes, and nothing of the inside.

The shapes are those of the raw specification, held against by `jsonschema`; our own reader is a second check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from openresponses_kit import ResponseAccumulator, parse_event
from openresponses_kit.models import CompactResource, ResponseResource
from payloads import NEWEST, component, document

Body = Any
"""What was sent, as JSON; `NO_JSON` where it was none."""
NO_JSON = object()

STATUSES = {
    "invalid_request": {400, 403, 405, 413, 415},
    "unauthorized": {401},
    "not_found": {404},
    "too_many_requests": {429},
}
"""The statuses that an error of each type may have here (rule E2); those of failures are not among them."""
NULLABLE_TEXT = {"type": ["string", "null"]}
ERROR = Draft202012Validator(
    {
        "type": "object",
        "required": ["error"],
        "additionalProperties": False,
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string", "minLength": 1, "maxLength": 2000},
                    "type": {"enum": sorted(STATUSES)},
                    "param": NULLABLE_TEXT,
                    "code": NULLABLE_TEXT,
                },
            }
        },
    }
)
"""The body of an error (rule E1)."""
INSIDE = re.compile(
    r"pydantic|Traceback|/tmp|/home|site-packages|\.py\b|openresponses_kit|0x[0-9a-f]{6}|sqlite|\b[A-Z]\w*Param\b"
    r"|\b[A-Z]\w*(Error|Exception|Body|Model)\b|validat(or|ion error)|<class"
)
"""What no message may say (rule E3)."""
STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")
BLOCK = re.compile(rb"event: ([a-z0-9_.:]+)\ndata: ([^\r\n]+)\n\n")
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def check_error(status: int, content: bytes, body: Body = NO_JSON) -> None:
    """Fails unless an answer by HTTP is a refusal by the rules E1 to E3: never a failure of the server."""
    assert 400 <= status < 500, (status, content)
    told = json.loads(content)
    ERROR.validate(told)
    error = told["error"]
    assert status in STATUSES[error["type"]], (status, error)
    _check_words(error, body)


def _check_words(error: dict[str, Any], body: Body) -> None:
    assert not INSIDE.search(error["message"]), error
    assert error["param"] is None or leads_into(error["param"], body), (error, body)


def leads_into(path: str, body: Body) -> bool:
    """Whether a path names a field of what was sent, or one that is missing from an object there (rule E3)."""
    if path.endswith("..."):  # One that is too long to be told whole leads as far as it goes.
        path = path.removesuffix("...").rpartition(".")[0]
    value, rest = body, path
    while rest:
        if isinstance(value, dict):
            # Names may have dots in them: the longest that is there counts.
            rest = rest.removeprefix(".")
            names = [
                name for name in value if rest.startswith(name) and rest[len(name) : len(name) + 1] in {"", ".", "["}
            ]
            if not names:
                return STEP.fullmatch(rest) is not None
            name = max(names, key=len)
            value, rest = value[name], rest[len(name) :]
        elif isinstance(value, list) and (step := STEP.match(rest)) and step[2] and int(step[2]) < len(value):
            value, rest = value[int(step[2])], rest[step.end() :]
        else:
            return False
    return True


def check_response(content: bytes) -> dict[str, Any]:
    """The response of an answer in one piece; fails unless it is valid (rule T4)."""
    response: dict[str, Any] = json.loads(content)
    component("ResponseResource").validator.validate(response)
    ResponseResource.model_validate_json(content)
    assert response["error"] is None, response["error"]
    return response


def check_compaction(content: bytes) -> dict[str, Any]:
    """The answer to a compaction; fails unless it is valid, and has an item that stands for the rest (rule C1)."""
    compaction: dict[str, Any] = json.loads(content)
    component("CompactResource").validator.validate(compaction)
    CompactResource.model_validate_json(content)
    assert "compaction" in {item["type"] for item in compaction["output"]}
    return compaction


def check_stream(content: bytes) -> dict[str, Any]:
    """The response that a stream tells; fails unless it keeps S1 to S5 and L9 and is of valid events."""
    *blocks, done, rest = content.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b""), content[-200:]
    events: list[bytes] = []
    for block in blocks:
        if block == b": ping":
            continue
        match = BLOCK.fullmatch(block + b"\n\n")
        assert match, block
        assert json.loads(match[2])["type"] == match[1].decode()
        events.append(match[2])
    return check_events(events)


def check_events(events: Sequence[bytes | str]) -> dict[str, Any]:
    """The response that the events of one turn tell."""
    accumulator = ResponseAccumulator(strict=True)
    told = [json.loads(event) for event in events]
    for event, content in zip(told, events, strict=True):
        _event_validator(event["type"])(event)
        accumulator.add(parse_event(content if isinstance(content, bytes) else content.encode()))
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[0]["type"] == "response.created"
    assert [event["type"] for event in told if event["type"] in TERMINAL] == [told[-1]["type"]]
    assert told[-1]["type"] != "response.failed", told[-2:]
    accumulator.close()
    last = told[-1]["response"]
    check_response(json.dumps(last).encode())
    return last


@cache
def _event_validator(kind: str) -> Callable[[Any], None]:
    """What holds an event against the schema that its type has in the specification."""
    root = document(NEWEST).root
    schema = root["paths"]["/responses"]["post"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    for member in schema["oneOf"]:
        name = member["$ref"].rpartition("/")[2]
        properties = root["components"]["schemas"][name]["properties"]
        if kind in properties["type"]["enum"]:
            return component(name).validator.validate
    raise AssertionError(f"the specification has no event {kind}")


def check_turn(frames: Sequence[str], body: Body) -> dict[str, Any] | None:
    """The response that the frames of one turn on a WebSocket tell; None where it was refused (rules W2, W6)."""
    *events, last = frames
    frame = json.loads(last)
    if frame["type"] != "error":
        return check_events(frames)
    assert not events, frames
    component("WebSocketErrorEvent").validator.validate(frame)
    assert 400 <= frame["status"] < 500, frame
    assert frame["error"]["code"]
    _check_words(frame["error"], body)
    return None
