"""What the scripted server answers with: HTTP answers to the byte, a response, and a stream of every event family."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scripted_server import Answer, Step, send

Event = dict[str, Any]
DONE = b"data: [DONE]\n\n"
EVENT_STREAM = {"Content-Type": "text/event-stream"}


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """A whole answer, after which the connection stays open."""
    return [send(_head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)]


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def stream_answer(*parts: bytes | Step, headers: Mapping[str, str] | None = None) -> Answer:
    """A chunked answer: each part of bytes is one chunk, steps stand in between; it ends as it should."""
    return [*cut_answer(*parts, headers=headers), LAST_CHUNK]


def cut_answer(*parts: bytes | Step, headers: Mapping[str, str] | None = None) -> Answer:
    """A chunked answer as `stream_answer` gives, without its end."""
    head = send(_head(200, {**EVENT_STREAM, "Transfer-Encoding": "chunked", **(headers or {})}))
    return [head, *(send(_chunk(each)) if isinstance(each, bytes) else each for each in parts)]


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = send(b"0\r\n\r\n")


def sse(event: Event) -> bytes:
    """An event as servers frame it (rules S1, S8)."""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def response(**fields: Any) -> Event:
    """A response by the schema, with these fields in place of others."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "completed_at": 1700000001,
        "status": "completed",
        "incomplete_details": None,
        "model": "m",
        "previous_response_id": None,
        "instructions": None,
        "output": [message("Hello")],
        "error": None,
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
        "usage": {
            "input_tokens": 3,
            "output_tokens": 2,
            "total_tokens": 5,
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
        **fields,
    }


def message(text: str, *, status: str = "completed", item_id: str = "msg_1") -> Event:
    return {
        "type": "message",
        "id": item_id,
        "status": status,
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def text_events(*deltas: str, final: str = "response.completed", **fields: Any) -> list[Event]:
    """A stream that tells these pieces of one text, up to the terminal event."""
    text, status = "".join(deltas), final.removeprefix("response.")
    item_status = "completed" if status == "completed" else "incomplete"
    part = {"type": "output_text", "text": text, "annotations": []}
    here = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    opened = message("", status="in_progress") | {"content": []}
    closed = message(text, status=item_status)
    begun = response(status="in_progress", output=[], completed_at=None, usage=None)
    ended = response(status=status, output=[closed], **fields)
    return numbered(
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **here, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **here, "delta": each, "logprobs": []} for each in deltas),
        {"type": "response.output_text.done", **here, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **here, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": closed},
        {"type": final, "response": ended},
    )


def all_families() -> list[Event]:
    """A stream that has every event of the standard that can stand in one stream, and a vendor's."""
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    summary = {"type": "summary_text", "text": "In short"}
    thought = {"type": "reasoning_text", "text": "Let me see"}
    whole_reasoning = {**reasoning, "summary": [summary], "content": [thought]}
    source = {"type": "url_citation", "url": "https://example.com", "start_index": 0, "end_index": 5, "title": "A"}
    text = {"type": "output_text", "text": "Hello 漢字", "annotations": [source]}
    refusal = {"type": "refusal", "refusal": "Not that"}
    opened = message("", status="in_progress") | {"content": []}
    closed = opened | {"status": "completed", "content": [text, refusal]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": '{"a": 1}'}
    whole_call = {**call, "status": "completed"}
    vendor_item = {"type": "acme:search", "id": "se_1", "status": "completed", "hits": [1, 2]}
    begun = response(status="queued", output=[], completed_at=None, usage=None)
    running = {**begun, "status": "in_progress"}
    thinking = {"item_id": "rs_1", "output_index": 0}
    first = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    second = {**first, "content_index": 1}
    calling = {"item_id": "fc_1", "output_index": 2}
    return numbered(
        {"type": "response.created", "response": begun},
        {"type": "response.queued", "response": begun},
        {"type": "response.in_progress", "response": running},
        {"type": "response.output_item.added", "output_index": 0, "item": reasoning},
        {
            "type": "response.reasoning_summary_part.added",
            **thinking,
            "summary_index": 0,
            "part": {**summary, "text": ""},
        },
        {"type": "response.reasoning_summary_text.delta", **thinking, "summary_index": 0, "delta": "In "},
        {"type": "response.reasoning_summary_text.delta", **thinking, "summary_index": 0, "delta": "short"},
        {"type": "response.reasoning_summary_text.done", **thinking, "summary_index": 0, "text": "In short"},
        {"type": "response.reasoning_summary_part.done", **thinking, "summary_index": 0, "part": summary},
        {"type": "response.content_part.added", **thinking, "content_index": 0, "part": {**thought, "text": ""}},
        {"type": "response.reasoning.delta", **thinking, "content_index": 0, "delta": "Let me "},
        {"type": "response.reasoning.delta", **thinking, "content_index": 0, "delta": "see"},
        {"type": "response.reasoning.done", **thinking, "content_index": 0, "text": "Let me see"},
        {"type": "response.content_part.done", **thinking, "content_index": 0, "part": thought},
        {"type": "response.output_item.done", "output_index": 0, "item": whole_reasoning},
        {"type": "response.output_item.added", "output_index": 1, "item": opened},
        {"type": "response.content_part.added", **first, "part": {**text, "text": "", "annotations": []}},
        {"type": "response.output_text.delta", **first, "delta": "Hello ", "logprobs": [], "obfuscation": "x9"},
        {"type": "acme:progress", "percent": 40},
        {"type": "response.output_text.delta", **first, "delta": "漢字", "logprobs": []},
        {
            "type": "response.output_text.annotation.added",
            **first,
            "annotation_index": 0,
            "annotation": source,
        },
        {"type": "response.output_text.done", **first, "text": "Hello 漢字", "logprobs": []},
        {"type": "response.content_part.done", **first, "part": text},
        {"type": "response.content_part.added", **second, "part": {**refusal, "refusal": ""}},
        {"type": "response.refusal.delta", **second, "delta": "Not that"},
        {"type": "response.refusal.done", **second, "refusal": "Not that"},
        {"type": "response.content_part.done", **second, "part": refusal},
        {"type": "response.output_item.done", "output_index": 1, "item": closed},
        {
            "type": "response.output_item.added",
            "output_index": 2,
            "item": {**call, "arguments": "", "status": "in_progress"},
        },
        {"type": "response.function_call_arguments.delta", **calling, "delta": '{"a":'},
        {"type": "response.function_call_arguments.delta", **calling, "delta": " 1}"},
        {"type": "response.function_call_arguments.done", **calling, "arguments": '{"a": 1}'},
        {"type": "response.output_item.done", "output_index": 2, "item": whole_call},
        {"type": "response.output_item.added", "output_index": 3, "item": vendor_item},
        {"type": "response.output_item.done", "output_index": 3, "item": vendor_item},
        {
            "type": "response.completed",
            "response": response(output=[whole_reasoning, closed, whole_call, vendor_item]),
        },
    )


def numbered(*events: Event) -> list[Event]:
    """The events with the numbers of their places (rule S3)."""
    return [{**each, "sequence_number": index} for index, each in enumerate(events)]
