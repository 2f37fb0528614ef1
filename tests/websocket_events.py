"""Responses, their events and the frames that report failures, as a server sends them on a WebSocket."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PIECES = ("Hel", "lo, ", "wor", "ld \u2028\u00e9")


def response(name: str = "resp_1", text: str | None = None, **fields: Any) -> Json:
    """A whole response; without `text` it has no output yet."""
    return {
        "id": name,
        "object": "response",
        "created_at": 1,
        "completed_at": None if text is None else 2,
        "status": "in_progress" if text is None else "completed",
        "incomplete_details": None,
        "model": "m",
        "previous_response_id": None,
        "instructions": None,
        "output": [] if text is None else [message(text)],
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
        "reasoning": None,
        "usage": None,
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


def message(text: str, status: str = "completed") -> Json:
    """A message of the model."""
    return {"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": [part(text)]}


def part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def events(name: str = "resp_1", pieces: tuple[str, ...] = PIECES, **fields: Any) -> list[Json]:
    """The events of a response that is one message."""
    text = "".join(pieces)
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    opened = {**message(""), "status": "in_progress", "content": []}
    status = fields.get("status", "completed")
    begun = response(name, **{**fields, "status": "in_progress"})
    frames: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **at, "part": part("")},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in pieces),
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part(text)},
        {"type": "response.output_item.done", "output_index": 0, "item": message(text)},
        {"type": f"response.{status}", "response": response(name, text, **fields)},
    ]
    return [{**frame, "sequence_number": number} for number, frame in enumerate(frames)]


def failure(status: int | None = 500, code: str | None = "server_error", **fields: Any) -> Json:
    """A frame that reports a failure (rule W6)."""
    frame: Json = {"type": "error", "error": {"code": code, "message": "It failed.", "param": None, **fields}}
    return frame if status is None else {**frame, "status": status}


def text_of(frames: list[Json]) -> str:
    """The text that the deltas among some events say."""
    return "".join(frame["delta"] for frame in frames if frame["type"] == "response.output_text.delta")


def user(text: str) -> Json:
    """A message of the user, as the client sends it."""
    return {"type": "message", "role": "user", "content": text}


def said(name: str = "resp_1") -> Json:
    """The message in a response, as the client hands it back."""
    item: Json = events(name)[-1]["response"]["output"][0]
    return item
