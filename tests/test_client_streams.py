"""Streams of events with both clients, against a real server on loopback that sends them byte for byte as told.

Protects the rules S1, S2, S4 and S6 (any legal stream is read), S5, W6 and Z10 (errors in a stream), S7 and Z15 (a cut
is never silent, and loses nothing that came), N3 and Z3 (unknown events, both spellings), and strict reading.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openresponses_kit as kit
import pytest
from either_client import Clients
from openresponses_kit._tolerance import DeviationWarning
from payloads import same_json
from scripted_answers import (
    DONE,
    LAST_CHUNK,
    Event,
    all_families,
    answer,
    cut_answer,
    numbered,
    response,
    sse,
    stream_answer,
    text_events,
)
from scripted_server import CLOSE, RESET, WAIT, ScriptedServer, Step, send

ARGUMENTS: dict[str, Any] = {"model": "m", "input": "hi"}
INCOMPLETE = text_events("Hel", "lo", final="response.incomplete", incomplete_details={"reason": "max_output_tokens"})
FAILED = text_events("Hel", final="response.failed", error={"code": "server_error", "message": "no"})
STREAMS = {"completed": all_families(), "incomplete": INCOMPLETE, "failed": FAILED}
tolerant = pytest.mark.filterwarnings("ignore::openresponses_kit._tolerance.DeviationWarning")


@contextmanager
def opened(client: Any, api: str, **options: Any) -> Iterator[Any]:
    """A stream, by either of the two ways to have one."""
    how = client.responses.stream if api == "stream" else client.responses.create
    with how(**ARGUMENTS, **options, **({} if api == "stream" else {"stream": True})) as stream:
        yield stream


@pytest.fixture(params=["create", "stream"])
def api(request: pytest.FixtureRequest) -> str:
    """Which way streams are had: plain events, or folded on the way."""
    return str(request.param)


def as_json(model: Any) -> Any:
    return json.loads(model.model_dump_json())


def folded(found: kit.ResponseResource | None) -> dict[str, str] | None:
    """All text of a response, by family."""
    if found is None:
        return None
    items = [as_json(item) for item in found.output]
    parts = [part for item in items for part in [*(item.get("content") or ()), *(item.get("summary") or ())]]
    texts = {"arguments": "".join(item["arguments"] for item in items if item["type"] == "function_call")}
    for kind in ("output_text", "refusal", "reasoning_text", "summary_text"):
        texts[kind] = "".join(part.get("text", part.get("refusal")) for part in parts if part["type"] == kind)
    return texts


DELTAS = {
    "response.function_call_arguments.delta": "arguments",
    "response.output_text.delta": "output_text",
    "response.refusal.delta": "refusal",
    "response.reasoning.delta": "reasoning_text",
    "response.reasoning_summary_text.delta": "summary_text",
}


def told(events: list[Event]) -> dict[str, str] | None:
    """The text that events add up to, by family; None before the first."""
    if not events:
        return None
    texts = dict.fromkeys(DELTAS.values(), "")
    for event in events:
        if event["type"] in DELTAS:
            texts[DELTAS[event["type"]]] += event["delta"]
    return texts


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", STREAMS)
def test_s1_s4_n3_z15_every_event_is_delivered_in_order_as_its_class(
    server: ScriptedServer, connect: Clients, api: str, kind: str, strict: bool
) -> None:
    events = STREAMS[kind]
    script = server.script(stream_answer(*map(sse, events), DONE, headers={"X-Request-Id": "req_1"}))
    with opened(connect(script.base_url, strict=strict), api) as stream:
        delivered = list(stream)
        assert stream.request_id == "req_1"
        if api == "stream":
            final = stream.get_final_response()
            assert (final.request_id, final.status, final.deviations) == ("req_1", kind, ())
            assert same_json(as_json(final), events[-1]["response"])
            assert same_json(as_json(stream.snapshot), events[-1]["response"])
    for event, sent in zip(delivered, events, strict=True):
        assert type(event) is kit.EVENT_TYPES.get(sent["type"], kit.UnknownEvent)
        assert same_json(as_json(event), sent)
    assert script.request.headers["accept"] == "text/event-stream"
    assert script.request.json == ARGUMENTS | {"stream": True}


def test_s1_each_event_is_delivered_before_the_next_one_comes(
    server: ScriptedServer, connect: Clients, api: str
) -> None:
    events = all_families()
    script = server.script(stream_answer(*(each for event in events for each in (sse(event), WAIT)), DONE))
    with opened(connect(script.base_url), api) as stream:
        for count, event in enumerate(stream):
            assert event.type == events[count]["type"]
            script.release()
        assert count == len(events) - 1


def crammed(data: bytes) -> list[bytes]:
    return [data]


def dribbled(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


SHORT = text_events("H\u00e9", "llo")


def rewritten(write: Callable[[Event], bytes]) -> bytes:
    return b"".join(write(event) for event in SHORT) + DONE


def spread(event: Event) -> bytes:
    """An event with its JSON on many lines."""
    lines = json.dumps(event, indent=1).splitlines()
    return f"event: {event['type']}\n".encode() + b"".join(f"data: {line}\n".encode() for line in lines) + b"\n"


PLAIN = rewritten(sse)
FRAMINGS: dict[str, tuple[bytes, dict[str, str]]] = {
    "as told": (PLAIN, {}),
    "CRLF": (PLAIN.replace(b"\n", b"\r\n"), {}),
    "CR": (PLAIN.replace(b"\n", b"\r"), {}),
    "comments": (b": hi\n\n" + PLAIN.replace(b"\n\n", b"\n: ping\n\n:\n\n"), {}),
    "byte order mark": (b"\xef\xbb\xbf" + PLAIN, {}),
    "no space": (PLAIN.replace(b"event: ", b"event:").replace(b"data: ", b"data:"), {}),
    "other fields": (PLAIN.replace(b"event:", b"id: 7\nretry: 10\nacme: x\nevent:"), {}),
    "many lines": (rewritten(spread), {}),
    "no names": (rewritten(lambda event: b"data: " + json.dumps(event).encode() + b"\n\n"), {}),
    "names that are no types": (PLAIN.replace(b"event: response.", b"event: "), {}),
    "no DONE": (PLAIN.removesuffix(DONE), {}),
    "DONE with a name": (PLAIN.replace(DONE, b"event: done\n" + DONE), {}),
    "media type with a parameter": (PLAIN, {"Content-Type": "Text/Event-Stream; charset=utf-8"}),
    "gzip": (gzip.compress(PLAIN), {"Content-Encoding": "gzip"}),
    "deflate": (zlib.compress(PLAIN), {"Content-Encoding": "deflate"}),
}


@pytest.mark.parametrize("pieces", [crammed, dribbled])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_s2_s6_any_legal_stream_is_read_however_it_is_split(
    server: ScriptedServer, connect: Clients, api: str, framing: str, pieces: Callable[[bytes], list[bytes]]
) -> None:
    data, headers = FRAMINGS[framing]
    script = server.script(stream_answer(*pieces(data), headers=headers))
    with opened(connect(script.base_url, strict=True), api) as stream:
        delivered = [as_json(event) for event in stream]
    assert same_json(delivered, SHORT)


def test_z3_both_spellings_of_raw_reasoning_are_the_same_events(
    server: ScriptedServer, connect: Clients, api: str
) -> None:
    other = [{**each, "type": each["type"].replace(".reasoning.", ".reasoning_text.")} for each in all_families()]
    script = server.script(stream_answer(*map(sse, other), DONE))
    with opened(connect(script.base_url), api) as stream:
        delivered = list(stream)
    assert sum(isinstance(each, kit.ResponseReasoningDeltaStreamingEvent) for each in delivered) == 2
    assert same_json([as_json(event) for event in delivered], all_families())


CUTS = {"broken chunks": CLOSE, "clean end": LAST_CHUNK, "reset": RESET}


@pytest.mark.parametrize("inside", [False, True], ids=["between events", "inside an event"])
@pytest.mark.parametrize("cut", CUTS)
def test_s7_a_cut_anywhere_is_an_error_that_holds_exactly_what_came(
    server: ScriptedServer, connect: Clients, api: str, cut: str, inside: bool
) -> None:
    events = all_families()
    client = connect("http://unused.example")
    for count, next_event in enumerate(events):
        half = sse(next_event)[: len(sse(next_event)) // 2] if inside else b""
        sent = [*map(sse, events[:count]), *([half] if half else ())]
        script = server.script([*cut_answer(*sent), WAIT, CUTS[cut]])
        with opened(client.with_options(base_url=script.base_url), api) as stream:
            delivered = [next(stream) for _ in range(count)]
            script.release()
            with pytest.raises(kit.StreamInterruptedError) as caught:
                next(stream)
        assert [each.type for each in delivered] == [each["type"] for each in events[:count]]
        assert folded(caught.value.response) == told(events[:count])
        assert not isinstance(caught.value, kit.APITimeoutError)
        assert len(script.requests) == 1


def test_s7_a_long_stream_keeps_what_came_as_well(server: ScriptedServer, connect: Clients, api: str) -> None:
    deltas = [f"{number} ".rjust(4000) for number in range(2500)]
    events = text_events(*deltas)
    script = server.script(cut_answer(b"".join(map(sse, events[:-4])), CLOSE))
    with (
        pytest.raises(kit.StreamInterruptedError) as caught,
        opened(connect(script.base_url), api) as stream,
    ):
        list(stream)
    assert caught.value.response is not None
    assert caught.value.response.output_text == "".join(deltas)


def test_s4_nothing_after_the_terminal_event_is_missed(server: ScriptedServer, connect: Clients, api: str) -> None:
    for end in (CLOSE, RESET):
        script = server.script([*cut_answer(PLAIN.removesuffix(DONE), WAIT), end])
        with opened(connect(script.base_url), api) as stream:
            for event in stream:
                if event.is_terminal:
                    script.release()
        assert event.type == "response.completed"


def test_s7_silence_is_a_timeout_that_holds_what_came(server: ScriptedServer, connect: Clients, api: str) -> None:
    events = text_events("Hel", "lo")[:5]
    script = server.script(cut_answer(*map(sse, events), b"event: resp", WAIT))
    with (
        pytest.raises(kit.StreamTimeoutError) as caught,
        opened(connect(script.base_url), api, timeout=0.1, idempotency_key="once") as stream,
    ):
        list(stream)
    assert folded(caught.value.response) == told(events)
    assert script.wait_for_closing() == "client"
    assert len(script.requests) == 1


def event_of(data: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


BY_RULE = {"type": "server_error", "code": "overloaded", "message": "no", "param": "input[0]"}
BARE = {"code": "overloaded", "message": "no", "param": "input[0]"}
ERRORS: dict[str, tuple[bytes, str | None]] = {
    "by rule": (event_of({"type": "error", "sequence_number": 5, "error": BY_RULE}, "error"), "server_error"),
    "OpenAI": (event_of({"type": "error", "sequence_number": 5, **BARE}, "error"), None),
    "WebSocket": (event_of({"type": "error", "status": 500, "error": BARE}, "error"), None),
    "body of an error": (event_of({"error": BY_RULE}), "server_error"),
    "named by its line": (event_of({"error": BY_RULE}, "error"), "server_error"),
    "flat, named by its line": (event_of(BARE, "error"), None),
}


@tolerant
@pytest.mark.parametrize("end", [CLOSE, RESET, LAST_CHUNK, WAIT], ids=["close", "reset", "clean end", "silence"])
@pytest.mark.parametrize("shape", ERRORS)
def test_s5_z10_an_error_in_the_stream_is_raised_at_its_end_with_what_came(
    server: ScriptedServer, connect: Clients, api: str, shape: str, end: Step
) -> None:
    events, (error, kind) = text_events("Hel", "lo")[:5], ERRORS[shape]
    script = server.script([*cut_answer(*map(sse, events), error, *([WAIT] if end != WAIT else [])), end])
    with opened(connect(script.base_url), api, timeout=10 if end != WAIT else 0.1) as stream:
        *_, last = (next(stream) for _ in range(6))
        assert isinstance(last, kit.ErrorStreamingEvent)
        script.release(end != WAIT)
        with pytest.raises(kit.StreamFailedError, match="no") as caught:
            next(stream)
    found = caught.value
    assert (found.type or None, found.code, found.param) == (kind, "overloaded", "input[0]")
    assert found.response is not None
    assert (found.response.status, found.response.output_text) == ("failed", "Hel")


def test_s5_z15_an_error_that_response_failed_follows_is_returned(
    server: ScriptedServer, connect: Clients, api: str
) -> None:
    *begun, ended = FAILED
    error = {"type": "error", "error": BY_RULE}
    script = server.script(stream_answer(*map(sse, numbered(*begun, error, ended)), DONE))
    with opened(connect(script.base_url), api) as stream:
        assert [event.type for event in stream][-2:] == ["error", "response.failed"]
        if api == "stream":
            final = stream.get_final_response()
            assert (final.status, final.output_text) == ("failed", "Hel")


UNREADABLE = {
    "no JSON": b'{"type": "response.output_text.delta", ',
    "a list": b"[1]",
    "text": b'"hi"',
    "not UTF-8": b'{"type": "acme:x", "text": "\xff"}',
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_s6_an_event_that_cannot_be_read_loses_nothing_before_it(
    server: ScriptedServer, connect: Clients, api: str, unreadable: str, strict: bool
) -> None:
    events, data = text_events("Hel", "lo")[:5], UNREADABLE[unreadable]
    script = server.script(stream_answer(*map(sse, events), b"data: " + data + b"\n\n", sse(text_events("x")[-1])))
    delivered: list[Any] = []
    with (
        pytest.raises(kit.StreamDecodeError) as caught,
        opened(connect(script.base_url, strict=strict), api) as stream,
    ):
        delivered.extend(stream)  # keeps what came before the error
    assert len(delivered) == 5
    assert caught.value.data == data
    assert folded(caught.value.response) == told(events)
    assert script.wait_for_closing() == "client"


@pytest.mark.parametrize("body", [json.dumps(response()).encode(), b"<html>", b""])
@pytest.mark.parametrize("media_type", ["application/json", "text/html", "text/plain"])
def test_s1_an_answer_that_is_no_stream_is_an_error_with_its_body(
    server: ScriptedServer, connect: Clients, api: str, body: bytes, media_type: str
) -> None:
    script = server.script(answer(200, body, {"Content-Type": media_type, "X-Request-Id": "req_1"}))
    with (
        pytest.raises(kit.APIResponseValidationError, match=media_type) as caught,
        opened(connect(script.base_url), api),
    ):
        pytest.fail("there is no stream")
    assert (caught.value.body, caught.value.request_id) == (body, "req_1")


def test_s1_an_answer_that_is_no_stream_and_breaks_off_is_a_connection_error(
    server: ScriptedServer, connect: Clients, api: str
) -> None:
    script = server.script([send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), CLOSE])
    with pytest.raises(kit.APIConnectionError), opened(connect(script.base_url), api):
        pytest.fail("there is no stream")


def test_t4_an_event_that_deviates_is_delivered_and_listed_unless_strict(
    server: ScriptedServer, connect: Clients, api: str
) -> None:
    events = text_events("Hi")
    del events[4]["output_index"], events[4]["sequence_number"], events[-1]["response"]["store"]
    script = server.script(stream_answer(*map(sse, events), DONE), repeat=True)
    client = connect(script.base_url)
    with opened(client, api) as stream, pytest.warns(DeviationWarning) as warned:
        delivered = list(stream)
    assert len(delivered) == len(events)
    assert len(warned) == 2
    places = {"events[4].sequence_number", "events[4].output_index", "events[8].response.store"}
    assert {each.path for each in stream.deviations} >= places
    if api == "stream":
        assert stream.get_final_response().deviations == stream.deviations
    with (
        pytest.raises(kit.StreamDecodeError, match="sequence_number"),
        opened(connect(script.base_url, strict=True), api) as stream,
    ):
        list(stream)


def swapped(events: list[Event], first: int, second: int) -> list[Event]:
    changed = list(events)
    changed[first], changed[second] = changed[second], changed[first]
    return changed


TEXT = text_events("Hel", "lo", "!")
DISORDERS = {
    "S3 a number twice": [*TEXT[:5], {**TEXT[5], "sequence_number": 4}, *TEXT[6:]],
    "S3 a gap": [*TEXT[:5], *TEXT[6:]],
    "S4 no beginning": TEXT[2:],
    "L1 an item that nothing opened": numbered(*TEXT[:2], *TEXT[3:]),
    "L6 after the end of its item": numbered(*TEXT[:8], TEXT[9], TEXT[8], *TEXT[10:]),
}


@pytest.mark.parametrize("disorder", DISORDERS)
def test_s3_l1_disorder_is_an_error_if_strict_and_listed_otherwise(
    server: ScriptedServer, connect: Clients, api: str, disorder: str
) -> None:
    events = [{**each} for each in DISORDERS[disorder]]
    script = server.script(stream_answer(*map(sse, events), DONE), repeat=True)
    with opened(connect(script.base_url), api) as stream:
        assert len(list(stream)) == len(events)
        if api == "stream":
            with pytest.warns(DeviationWarning):
                final = stream.get_final_response()
            assert final.output_text == "Hello!"
            assert final.deviations
    with (
        pytest.raises(kit.StreamOrderError),
        opened(connect(script.base_url, strict=True), api) as stream,
    ):
        list(stream)
