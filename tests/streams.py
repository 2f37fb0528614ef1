"""Streams as a server that keeps every rule writes them: from a finished response to its events, and to bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Event = dict[str, Any]
Cut = Callable[[str], list[str]]
"""Cuts a text into the pieces of its deltas."""

STANDARD = "response.reasoning"
OPENAI = "response.reasoning_text"
"""How the events of raw reasoning are called: in the standard, and by OpenAI (rule Z3)."""

_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1767225600,
    "completed_at": 1767225609,
    "status": "completed",
    "incomplete_details": None,
    "model": "test-model",
    "previous_response_id": None,
    "instructions": None,
    "output": [],
    "error": None,
    "tools": [],
    "tool_choice": "auto",
    "truncation": "disabled",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}},
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "temperature": 1.0,
    "reasoning": {"effort": None, "summary": None},
    "usage": {
        "input_tokens": 3,
        "output_tokens": 5,
        "total_tokens": 8,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": True,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}
_UNFINISHED = {"completed_at": None, "incomplete_details": None, "error": None, "usage": None, "output": []}
_FAMILIES = {"output_text": "response.output_text", "refusal": "response.refusal"}


def response_of(*output: dict[str, Any], status: str = "completed", **changes: Any) -> dict[str, Any]:
    """A whole response with these items; what its status asks for is set as well."""
    by_status = {
        "completed": {},
        "incomplete": {"completed_at": None, "incomplete_details": {"reason": "max_output_tokens"}},
        "failed": {"completed_at": None, "error": {"code": "server_error", "message": "it broke"}},
    }
    return {**_RESPONSE, "status": status, **by_status[status], "output": list(output), **changes}


def message(*content: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A finished message."""
    fields = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant"}
    return {**fields, "content": list(content), **changes}


def text(value: str, **changes: Any) -> dict[str, Any]:
    """A part of output text."""
    return {"type": "output_text", "text": value, "annotations": [], **changes}


def words(whole: str) -> list[str]:
    """The words of a text, each with the space before it."""
    return re.findall(r" ?[^ ]+| ", whole)


def events_of(
    response: dict[str, Any], *, cut: Cut = words, reasoning: str = STANDARD, is_queued: bool = False
) -> list[Event]:
    """The events of a stream that ends with a response, numbered from 0 (rules S3 to S5, L1 to L9)."""
    started = {**response, **_UNFINISHED, "status": "in_progress"}
    events: list[Event] = [{"type": "response.created", "response": started}]
    if is_queued:
        queued = {**started, "status": "queued"}
        events = [{**events[0], "response": queued}, {"type": "response.queued", "response": queued}]
    events.append({"type": "response.in_progress", "response": started})
    for index, item in enumerate(response["output"]):
        events += [{**event, "output_index": index} for event in _item(item, cut, reasoning)]
    if response["status"] == "failed":
        error = {"type": "server_error", "code": None, "message": "it broke", "param": None}
        events.append({"type": "error", "error": error})
    events.append({"type": f"response.{response['status']}", "response": response})
    return numbered(events)


def numbered(events: Iterable[Event], start: int = 0) -> list[Event]:
    """The events with numbers that rise by one."""
    return [{**event, "sequence_number": number} for number, event in enumerate(events, start)]


def sse(events: Iterable[Event], *, done: bool = True) -> bytes:
    """The bytes of a stream of server-sent events (rules S1, S2, S8)."""
    framed = "".join(f"event: {event['type']}\ndata: {_json(event)}\n\n" for event in events)
    return (framed + ("data: [DONE]\n\n" if done else "")).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _item(item: dict[str, Any], cut: Cut, reasoning: str) -> Iterator[Event]:
    added = {**item, "status": "in_progress"} if "status" in item else dict(item)
    filling: list[Event] = []
    match item["type"]:
        case "message":
            added["content"] = []
            filling += _content(item["content"], cut, reasoning)
        case "reasoning":
            added = {"type": "reasoning", "id": item["id"], "summary": []}
            filling += _summary(item["summary"], cut)
            filling += _content(item.get("content", []), cut, reasoning)
        case "function_call":
            added["arguments"] = ""
            filling += _text("response.function_call_arguments", "arguments", item["arguments"], cut)
    yield {"type": "response.output_item.added", "item": added}
    yield from ({**event, "item_id": item["id"]} for event in filling)
    yield {"type": "response.output_item.done", "item": item}


def _content(content: list[dict[str, Any]], cut: Cut, reasoning: str) -> Iterator[Event]:
    for index, part in enumerate(content):
        for event in _part(part, cut, reasoning):
            yield {**event, "content_index": index}


def _part(part: dict[str, Any], cut: Cut, reasoning: str) -> Iterator[Event]:
    family = {**_FAMILIES, "reasoning_text": reasoning}.get(part["type"])
    if family is None:
        yield {"type": "response.content_part.added", "part": part}
        yield {"type": "response.content_part.done", "part": part}
        return
    field = "refusal" if "refusal" in part else "text"
    given = [name for name in ("annotations", "logprobs") if name in part]
    yield {"type": "response.content_part.added", "part": {**part, field: "", **{name: [] for name in given}}}
    *deltas, done = _text(family, field, part[field], cut)
    if "logprobs" in part:
        done["logprobs"] = part["logprobs"]
        for at, delta in enumerate(deltas):
            last = at == len(deltas) - 1
            delta["logprobs"] = part["logprobs"][at : None if last else at + 1]
    yield from deltas
    for index, annotation in enumerate(part.get("annotations", [])):
        added = {"annotation_index": index, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **added}
    yield done
    yield {"type": "response.content_part.done", "part": part}


def _summary(summary: list[dict[str, Any]], cut: Cut) -> Iterator[Event]:
    for index, part in enumerate(summary):
        opened = {"type": "response.reasoning_summary_part.added", "part": {**part, "text": ""}}
        closed = {"type": "response.reasoning_summary_part.done", "part": part}
        for event in (opened, *_text("response.reasoning_summary_text", "text", part["text"], cut), closed):
            yield {**event, "summary_index": index}


def _text(family: str, field: str, whole: str, cut: Cut) -> Iterator[Event]:
    for piece in cut(whole):
        yield {"type": f"{family}.delta", "delta": piece}
    yield {"type": f"{family}.done", field: whole}
