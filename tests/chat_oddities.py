"""Streams of Chat Completions that are odd, wrong or hostile, and what is to come of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """A stream, and what it tells."""

    sent: bytes
    told: Sequence[tuple[str, ...]] = ()
    """What is written, by kind: `("text", …)`, `("call", name, id, arguments)`; neighbours are joined."""
    reason: str | None = None
    """What `sample` returns."""
    error: str = ""
    """What the error says, where it raises."""
    kind: str = "text/event-stream"
    """The media type."""


def delta(finish: str | None = None, **members: Any) -> bytes:
    """An event with a delta."""
    return event({"choices": [{"index": 0, "delta": members, "finish_reason": finish}]})


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def piece(**members: Any) -> bytes:
    """An event with a piece of one call; `name` and `arguments` are those of its function."""
    function = {name: members.pop(name) for name in ("name", "arguments") if name in members}
    return delta(tool_calls=[{**members, "function": function}])


_END = delta("tool_calls") + DONE
_STOP = delta("stop") + DONE
_WEATHER = ("call", "weather", "c1", '{"a":1}')
_LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}

ODDITIES: Mapping[str, Oddity] = {
    "both_spellings_at_once": Oddity(
        sent=delta(reasoning="Hm", reasoning_content="Hm") + delta(content="Hi") + _STOP,
        told=[("reason", "Hm"), ("text", "Hi")],
    ),
    "reasoning_and_text_in_one_delta": Oddity(
        sent=delta(reasoning_content="Hm", content="Hi") + _STOP, told=[("text", "Hi"), ("reason", "Hm")]
    ),
    "text_in_parts": Oddity(sent=delta(content=[{"type": "text", "text": "Hi"}]) + _STOP, told=[("text", "Hi")]),
    "a_refusal": Oddity(sent=delta(refusal="No.") + _STOP, told=[("refuse", "No.")]),
    "logprobs": Oddity(
        sent=event({"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [_LOGPROB]}}]}) + _STOP,
        told=[("text", "Hi", "-0.5")],
    ),
    "logprobs_that_are_none": Oddity(
        sent=event({"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [7]}}]}) + _STOP,
        told=[("text", "Hi")],
    ),
    "index_missing": Oddity(
        sent=piece(id="c1", name="weather", arguments='{"a"') + piece(arguments=":1}") + _END, told=[_WEATHER]
    ),
    "id_repeated": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments='{"a"')
        + piece(index=0, id="c1", arguments=":1}")
        + _END,
        told=[_WEATHER],
    ),
    "name_in_pieces": Oddity(
        sent=piece(index=0, id="c1", name="wea")
        + piece(index=0, name="ther")
        + piece(index=0, arguments='{"a":1}')
        + _END,
        told=[_WEATHER],
    ),
    "name_repeated": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments='{"a"')
        + piece(index=0, name="weather", arguments=":1}")
        + _END,
        told=[_WEATHER],
    ),
    "arguments_an_object": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments={"a": 1}) + _END, told=[_WEATHER]
    ),
    "all_at_index_0": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments='{"a":1}')
        + piece(index=0, id="c2", name="time", arguments="{}")
        + _END,
        told=[_WEATHER, ("call", "time", "c2", "{}")],
    ),
    "two_calls_interleaved": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments='{"a"')
        + piece(index=1, id="c2", name="time", arguments="{")
        + piece(index=0, arguments=":1}")
        + piece(index=1, arguments="}")
        + _END,
        told=[_WEATHER, ("call", "time", "c2", "{}")],
    ),
    "name_after_arguments": Oddity(
        sent=piece(index=0, id="c1", arguments='{"a"') + piece(index=0, name="weather", arguments=":1}") + _END,
        told=[_WEATHER],
    ),
    "no_id": Oddity(
        sent=piece(index=0, name="weather", arguments='{"a":1}') + _END, told=[("call", "weather", "", '{"a":1}')]
    ),
    "no_arguments": Oddity(sent=piece(index=0, id="c1", name="weather") + _END, told=[("call", "weather", "c1", "")]),
    "stop_with_calls": Oddity(
        sent=piece(index=0, id="c1", name="weather", arguments='{"a":1}') + _STOP, told=[_WEATHER]
    ),
    "tool_calls_without_calls": Oddity(sent=delta(content="Hi") + _END, told=[("text", "Hi")]),
    "function_call_finish": Oddity(sent=delta("function_call", content="Hi") + DONE, told=[("text", "Hi")]),
    "unknown_finish": Oddity(sent=delta("eos", content="Hi") + DONE, told=[("text", "Hi")]),
    "null_finish_at_the_end": Oddity(sent=delta(content="Hi") + DONE, told=[("text", "Hi")]),
    "length": Oddity(sent=delta("length", content="Hi") + DONE, told=[("text", "Hi")], reason="max_output_tokens"),
    "content_filter": Oddity(
        sent=delta("content_filter", content="Hi") + DONE, told=[("text", "Hi")], reason="content_filter"
    ),
    "no_done": Oddity(sent=delta("stop", content="Hi"), told=[("text", "Hi")]),
    "crlf": Oddity(sent=(delta(content="Hi") + _STOP).replace(b"\n", b"\r\n"), told=[("text", "Hi")]),
    "comments_and_names": Oddity(sent=b": ping\n\nevent: chunk\n" + delta(content="Hi") + _STOP, told=[("text", "Hi")]),
    "choices_null_and_empty": Oddity(
        sent=event({"choices": None}) + event({"choices": []}) + delta(content="Hi") + _STOP, told=[("text", "Hi")]
    ),
    "usage_only": Oddity(
        sent=delta(content="Hi")
        + delta("stop")
        + event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})
        + DONE,
        told=[("text", "Hi"), ("usage", "5", "3")],
    ),
    "usage_of_nonsense": Oddity(
        sent=delta(content="Hi")
        + event({"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": "x"}})
        + _STOP,
        told=[("text", "Hi")],
    ),
    "an_answer_in_one_piece": Oddity(
        kind="application/json",
        sent=json.dumps(
            {
                "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 3},
            }
        ).encode(),
        told=[("usage", "5", "3"), ("text", "Hi")],
    ),
    "calls_in_one_piece": Oddity(
        kind="application/json; charset=utf-8",
        sent=json.dumps(
            {
                "choices": [
                    {
                        "finish_reason": "tool_calls",
                        "message": {
                            "content": None,
                            "tool_calls": [
                                {"id": "c1", "function": {"name": "weather", "arguments": '{"a":1}'}},
                                {"id": "c2", "function": {"name": "time", "arguments": "{}"}},
                            ],
                        },
                    }
                ]
            }
        ).encode(),
        told=[_WEATHER, ("call", "time", "c2", "{}")],
    ),
    "error_chunk": Oddity(
        sent=delta(content="Hi") + event({"error": {"message": "boom", "code": 500}}),
        told=[("text", "Hi")],
        error="the upstream failed",
    ),
    "error_event": Oddity(
        sent=b'event: error\ndata: {"error": "boom", "error_type": "generation"}\n\n', error="the upstream failed"
    ),
    "context_too_long_in_mid_stream": Oddity(
        sent=event({"error": {"message": "maximum context length is 100 tokens", "code": 400}}),
        error="maximum context length is 100 tokens",
    ),
    "key_in_an_error": Oddity(
        sent=event({"error": {"message": "bad request for you", "code": 400}}),
        error="the model refused the request: bad request for you",
    ),
    "broken_off": Oddity(sent=delta(content="Hi"), told=[("text", "Hi")], error="broke off in the middle"),
    "empty": Oddity(sent=b"", error="broke off in the middle"),
    "no_json": Oddity(sent=b"data: <html>\n\n", error="no Chat Completion"),
    "json_of_another_kind": Oddity(sent=event([1, 2]), error="no Chat Completion"),
    "choices_of_nonsense": Oddity(sent=event({"choices": [7]}), error="no Chat Completion"),
    "choices_an_object": Oddity(sent=event({"choices": {"a": 1}}), error="no Chat Completion"),
    "delta_of_nonsense": Oddity(sent=event({"choices": [{"delta": "x"}]}), error="no Chat Completion"),
    "a_call_without_a_name": Oddity(sent=piece(index=0, id="c1", arguments="{}") + _END, error="no Chat Completion"),
    "html_in_one_piece": Oddity(kind="application/json", sent=b"<html>", error="no Chat Completion"),
    "message_of_nonsense": Oddity(
        kind="application/json", sent=b'{"choices": [{"message": "x"}]}', error="no Chat Completion"
    ),
    "choices_of_nonsense_in_one_piece": Oddity(
        kind="application/json", sent=b'{"choices": [null]}', error="no Chat Completion"
    ),
}
