"""How servers of Chat Completions in the field shape their streams, as data for `chat_server`.

| shape | version | source | confirmed |
|---|---|---|---|
| vllm | 0.11 and later | docs.vllm.ai `chat_completion/stream_processor` | fields yes, order no |
| vllm-0.9 | 0.9.2 | docs.vllm.ai v0.9.2, example of reasoning with streaming | field yes, order no |
| llama.cpp | b9554 | a stream recorded in `openai-php/client#780` | text and reasoning yes, calls no |
| ollama | commit 00988753 | `ollama/ollama` `openai/openai.go` (`ToChunk`, `ToToolCalls`) | yes, read in the source |
| tgi | commit 03fe626a | `huggingface/text-generation-inference` `router/src/chat.rs` | yes, read in the source |
| tgi-1 | before 2.2 | `huggingface/text-generation-inference#2221`: no `[DONE]` | yes |
| hf-router | none told | no source found: what the providers behind it send, each its own | no |
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What sets the streams of a server apart."""

    reasoning: str | None = None
    """The field of raw reasoning."""
    role: str = "first"
    """Which deltas have the role: `first` or `every`."""
    first: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the first delta has beside the role."""
    calls: str = "split"
    """`split` (name first, arguments in pieces), `whole` (each call in one piece), `repeated` (one call, its id and
    index in every piece, a null name in the later ones)."""
    finish_apart: bool = True
    """Whether the finish reason comes with a delta of its own."""
    called_finish: str = "tool_calls"
    usage: str = "apart"
    """`apart` (a chunk without choices), `last` (with the finish reason), `none`."""
    is_ended: bool = True
    """Whether `[DONE]` comes."""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Members of every chunk that are the server's own."""


SHAPES: Mapping[str, Shape] = {
    "vllm": Shape(reasoning="reasoning", first={"content": ""}, more={"prompt_token_ids": None}),
    "vllm-0.9": Shape(reasoning="reasoning_content", first={"content": ""}),
    "llama.cpp": Shape(
        reasoning="reasoning_content",
        first={"content": None},
        usage="apart",
        more={"system_fingerprint": "b9554-d403f00ec", "timings": {"predicted_n": 1}},
    ),
    "ollama": Shape(
        reasoning="reasoning",
        role="every",
        first={"content": ""},
        calls="whole",
        more={"system_fingerprint": "fp_ollama"},
    ),
    "tgi": Shape(role="every", calls="repeated", finish_apart=False, called_finish="stop"),
    "tgi-1": Shape(
        role="every", calls="repeated", finish_apart=False, called_finish="stop", usage="none", is_ended=False
    ),
    "hf-router": Shape(reasoning="reasoning_content", usage="last", more={"service_tier": None}),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says, whatever the shape."""

    thought: str = ""
    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Names and arguments."""
    is_cut: bool = False


def chunks(shape: Shape, answer: Answer) -> Iterator[Json]:
    """The chunks of a stream."""
    deltas = list(_deltas(shape, answer))
    finish = "length" if answer.is_cut else shape.called_finish if answer.calls else "stop"
    if shape.finish_apart:
        deltas.append({})
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    for number, delta in enumerate(deltas):
        is_last = number == len(deltas) - 1
        told = {"role": "assistant", "content": "", **delta} if shape.role == "every" else delta
        choice = {"index": 0, "delta": told, "logprobs": None, "finish_reason": finish if is_last else None}
        chunk = _chunk(shape, [choice])
        if is_last and shape.usage == "last":
            chunk["usage"] = usage
        yield chunk
    if shape.usage == "apart":
        yield {**_chunk(shape, []), "usage": usage}


def stream(shape: Shape, answer: Answer) -> Iterator[bytes]:
    """The events of a stream."""
    for chunk in chunks(shape, answer):
        yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
    if shape.is_ended:
        yield b"data: [DONE]\n\n"


def _chunk(shape: Shape, choices: list[Json]) -> Json:
    known = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1781492230, "model": "m"}
    return {**known, "choices": choices, **shape.more}


def _deltas(shape: Shape, answer: Answer) -> Iterator[Json]:
    if shape.role == "first":
        yield {"role": "assistant", **shape.first}
    if shape.reasoning is not None:
        for piece in _pieces(answer.thought):
            yield {shape.reasoning: piece}
    for piece in _pieces(answer.text):
        yield {"content": piece}
    for index, (name, arguments) in enumerate(answer.calls):
        for part in _call(shape, index, name, arguments):
            yield {"tool_calls": [{"type": "function", **part}]}


def _call(shape: Shape, index: int, name: str, arguments: str) -> Iterator[Json]:
    call_id = f"call_{index}_{name}"
    if shape.calls == "whole":
        yield {"id": call_id, "index": index, "function": {"name": name, "arguments": arguments}}
        return
    if shape.calls == "repeated":
        for number, piece in enumerate(_pieces(arguments)):
            named = None if number else name
            yield {"id": call_id, "index": 0, "function": {"name": named, "arguments": piece}}
        return
    yield {"id": call_id, "index": index, "function": {"name": name, "arguments": ""}}
    for piece in _pieces(arguments):
        yield {"index": index, "function": {"arguments": piece}}


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), 4):
        yield text[start : start + 4]
