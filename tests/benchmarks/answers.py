"""Answers as servers send them: a long stream of text deltas, a response of a megabyte, and a brief one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundled_spec import DELTA, encoded, event_examples

DELTAS = 5000
ANSWER_BYTES = 1_000_000

_WORDS = (
    'In Paris it is 18 °C with a clear sky , says weather.example . Tomorrow will be "warmer" \n and drier .'.split(" ")
)
_PADDING = "w0LzRb81mXcY2e5Q"


def event_data() -> list[bytes]:
    """The data of a streamed message of 5,000 deltas, event by event.

    Legal for every reader that takes part: numbered, with `logprobs` on the events of output text, and with the
    padding of deltas in `obfuscation`, as servers send it unless they are told not to (rule L10).
    """
    return [encoded(event | {"sequence_number": number}) for number, event in enumerate(_events())]


def text_stream() -> list[bytes]:
    """The same as server-sent bytes, event by event, `[DONE]` last."""
    pairs = zip((event["type"].encode() for event in _events()), event_data(), strict=True)
    return [*(b"event: %b\ndata: %b\n\n" % pair for pair in pairs), b"data: [DONE]\n\n"]


def brief_answer() -> bytes:
    """JSON of the response in the document's example."""
    return encoded(_response("response.completed"))


def long_answer() -> bytes:
    """JSON of a response of one megabyte: rounds of reasoning, a function call and a message with its sources."""
    response = _response("response.completed")
    output: list[dict[str, Any]] = []
    size, number = len(encoded(response)), 0
    while size < ANSWER_BYTES:
        items = _round(number)
        size += sum(len(encoded(item)) + 1 for item in items)
        output += items
        number += 1
    return encoded(response | {"output": output})


def _events() -> Iterator[dict[str, Any]]:
    place = {"item_id": "msg_001", "output_index": 0, "content_index": 0}
    pieces = [f"{_WORDS[number % len(_WORDS)]} " for number in range(DELTAS)]
    part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    item: dict[str, Any] = {"type": "message", "id": "msg_001", "status": "in_progress", "role": "assistant"}
    whole = part | {"text": "".join(pieces)}
    done = item | {"status": "completed", "content": [whole]}
    for name in ("response.created", "response.in_progress"):
        yield {"type": name, "response": _response(name)}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item | {"content": []}}
    yield {"type": "response.content_part.added", **place, "part": part}
    for piece in pieces:
        padding = _PADDING[: 16 - len(piece)]
        yield {"type": DELTA, **place, "delta": piece, "logprobs": [], "obfuscation": padding}
    yield {"type": "response.output_text.done", **place, "text": whole["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": whole}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    yield {"type": "response.completed", "response": _response("response.completed") | {"output": [done]}}


def _response(event: str) -> dict[str, Any]:
    """The response in the document's example of an event."""
    response: dict[str, Any] = event_examples()[event]["response"]
    return response


def _round(number: int) -> list[dict[str, Any]]:
    text = " ".join(_WORDS[(number + at) % len(_WORDS)] for at in range(300))
    source = {
        "type": "url_citation",
        "url": f"https://weather.example/paris/{number}",
        "start_index": 15,
        "end_index": 37,
        "title": "Weather in Paris",
    }
    return [
        {
            "type": "reasoning",
            "id": f"rs_{number:04}",
            "content": [{"type": "reasoning_text", "text": text[:400]}],
            "summary": [{"type": "summary_text", "text": text[:120]}],
        },
        {
            "type": "function_call",
            "id": f"fc_{number:04}",
            "call_id": f"call_{number:04}",
            "name": "get_weather",
            "arguments": '{"city": "Paris", "days": 3, "units": "celsius"}',
            "status": "completed",
        },
        {
            "type": "message",
            "id": f"msg_{number:04}",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": [source, source], "logprobs": []}],
        },
    ]
