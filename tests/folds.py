"""Streams of items of all kinds, and what tests ask of their fold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from openresponses_kit import ResponseAccumulator, StreamEvent, parse_event
from streams import Event, message, response_of, text

CITATION = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 3}
LOGPROBS = [{"token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": []} for token in ("To ", "day ", "sun")]
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Look it up."}, {"type": "summary_text", "text": "Then say it."}],
    "content": [
        {"type": "reasoning_text", "text": "What is the weather?"},
        {"type": "reasoning_text", "text": "Sunny."},
    ],
    "encrypted_content": "gAAA==",
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city": "Paris", "days": 2}',
    "status": "completed",
}
SEARCH = {"type": "acme:search", "id": "as_1", "status": "completed", "results": [{"url": "https://a.example"}]}
ITEMS: dict[str, dict[str, Any]] = {
    "output-text": message(text("Today it is sunny.")),
    "several-parts": message(text("Today."), text(""), text("Tomorrow, too.")),
    "annotations": message(text("Says A.", annotations=[CITATION, {"type": "acme:note", "line": 3}])),
    "logprobs": message(text("To day sun and rain", logprobs=LOGPROBS)),
    "refusal": message({"type": "refusal", "refusal": "I will not say."}),
    "phase": message(text("Let me see."), phase="commentary"),
    "image-part": message({"type": "input_image", "image_url": None, "detail": "auto"}),
    "unknown-part": message({"type": "acme:chart", "text": 5, "annotations": 1}, text("A chart.")),
    "reasoning": REASONING,
    "encrypted-reasoning": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA=="},
    "function-call": CALL,
    "function-call-output": {
        "type": "function_call_output", "id": "fo_1", "call_id": "call_1", "output": "18", "status": "completed"
    },
    "compaction": {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA=="},
    "unknown-item": {**SEARCH, "content": [1], "arguments": "", "summary": "x"},
}  # fmt: skip
_TEXT_IN = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text", "summary_text": "text"}
OTHER = {**SEARCH, "id": "as_2"}
EVERYTHING = response_of(
    REASONING,
    message(
        text("To day sun says A.", annotations=[CITATION, CITATION], logprobs=LOGPROBS),
        {"type": "refusal", "refusal": "No more."},
    ),
    CALL,
    SEARCH,
    {**CALL, "id": "fc_2", "call_id": "call_2"},
)


def read(events: Iterable[Event]) -> list[StreamEvent]:
    return [parse_event(json.dumps(event)) for event in events]


def folded(events: Iterable[Event], *, strict: bool = False) -> ResponseAccumulator:
    accumulator = ResponseAccumulator(strict=strict)
    for event in read(events):
        accumulator.add(event)
    return accumulator


def dumped(items: Iterable[Any]) -> list[Any]:
    return [item.model_dump(mode="json") for item in items]


def ended(output: list[dict[str, Any]]) -> dict[str, Any]:
    """The response of the stream of everything, with another output."""
    return {**EVERYTHING, "output": output}


def texts(items: Iterable[dict[str, Any]]) -> Counter[str]:
    """Everything that models said in these items; empty texts say nothing."""
    found = Counter[str]()
    for item in items:
        parts = [*item.get("content", []), *item.get("summary", [])] if item["type"] in {"message", "reasoning"} else []
        found.update(part[_TEXT_IN[part["type"]]] for part in parts if part["type"] in _TEXT_IN)
        found.update([item["arguments"]] if item["type"] == "function_call" else [])
    del found[""]
    return found


def position(events: list[Event], name: str, nth: int = 0) -> int:
    return [at for at, event in enumerate(events) if event["type"] == name][nth]


def until(events: list[Event], *names: str) -> list[Event]:
    """The events as far as the first of one of these types."""
    return events[: next(at for at, event in enumerate(events) if event["type"] in names)]
