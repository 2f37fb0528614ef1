"""A broken server for every case: one small fault each, which is to make this case fail and no other.

A fault is laid over a sound server, and recognises the exchanges that it is meant for by what was sent.
"""

from __future__ import annotations

import json
import re
from typing import Any

from conform_changes import (
    accepting,
    add,
    answering,
    become,
    closing,
    deaf_to,
    drop,
    framing,
    having,
    insert,
    is_meant,
    like,
    of,
    on,
    put,
    refuse,
    refusing,
    replace,
    streaming,
    turning,
    without,
)
from conform_wire import DONE, Exchange, Fault, Json, sse

KEY = "conform-test-key"

# What stands in the requests of the asks.
TEXT = "one short sentence"
SEA = "what the sea is like"
SETTINGS = "conform-user"
NULLS = '"temperature": null'
REASONS = "how much is 17 times 23"
DOZEN = "3 dozen or 40?"
LIGHTHOUSE = '"max_output_tokens": 16'
UNKNOWN_ID = "resp_conform_there_is_no_such_response"
TOLD = "Please remember it"
QUESTION = "What is my name?"
STRAY = "call_conform_never_made"
HOT = '"temperature": "hot"'
COMPACT = "POST /v1/responses/compact"

DELTA = "response.output_text.delta"
DETAIL = {"detail": "no"}
PART = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
MESSAGE = {"type": "message", "id": "msg_x", "status": "completed", "role": "assistant", "content": []}
CALL = {"type": "function_call", "id": "fc_x", "call_id": "call_x", "arguments": "{}", "status": "completed"}
CITATION = {"type": "url_citation", "url": "https://a.test/", "start_index": 0, "end_index": 1, "title": "A"}
FAILED = {"type": "response.failed", "sequence_number": 9, "response": {"status": "failed"}}


# --- the faults that need more than a line ---


def _any_key(wrong: bytes | None) -> Fault:
    def request(exchange: Exchange) -> None:
        if exchange.headers.get(b"authorization") == wrong:
            exchange.headers[b"authorization"] = f"Bearer {KEY}".encode()

    return Fault(request=request)


def _no_version(exchange: Exchange) -> None:
    exchange.answer_headers.pop(b"openresponses-version", None)


def _media_type(marker: str, media_type: bytes) -> Fault:
    def answer(exchange: Exchange) -> None:
        if is_meant(exchange, marker):
            exchange.answer_headers[b"content-type"] = media_type

    return Fault(answer=answer)


def _cut(write: bytes) -> tuple[bytes, bytes]:
    """What stands before the data of an event, and the rest."""
    at = write.find(b"data:")
    return write[:at], write[at:]


def _never_closes(exchange: Exchange) -> None:
    exchange.is_kept_open = is_meant(exchange, SEA)


def _as_refusal(event: Json) -> None:
    event["type"] = "response.refusal.delta"
    event.pop("obfuscation", None)


def _changed_when_done(events: list[Json]) -> None:
    """The text differs once its part is closed, and stays so."""
    on("response.content_part.done", put("part", text="else"))(events)
    closing(put("content", 0, text="else"))(events)


def _no_json(events: list[Json]) -> None:
    """The arguments of a call are the same everywhere, and no JSON."""
    on("response.function_call_arguments.delta", put(delta=""))(events)
    on("response.function_call_arguments.delta", put(delta="{city"), only=0)(events)
    on("response.function_call_arguments.done", put(arguments="{city"))(events)
    closing(put(arguments="{city"))(events)


def _annotation(events: list[Json]) -> Json:
    done = of(events, "response.output_text.done")[0]
    where = {name: done[name] for name in ("item_id", "output_index", "content_index")}
    return {**where, "type": "response.output_text.annotation.added", "annotation_index": 1, "annotation": CITATION}


def _risen(field: str) -> Any:
    """Counts from 1."""
    return lambda event: event.update({field: event[field] + 1})


def _forgetful(*, first: bool) -> Fault:
    """Does not know the name after one response, or after two."""
    told: set[str] = set()

    def answer(exchange: Exchange) -> None:
        if is_meant(exchange, TOLD, "Be brief."):
            told.add(exchange.json["id"])
        if exchange.is_json and is_meant(exchange, QUESTION, "previous_response_id"):
            response = exchange.json
            if (response["previous_response_id"] in told) is first:
                response["output"][0]["content"][0]["text"] = "I do not know."
                exchange.answer(response, 200)

    return Fault(answer=answer)


def _carried_over(exchange: Exchange) -> None:
    if is_meant(exchange, QUESTION, "previous_response_id"):
        exchange.answer({**exchange.json, "instructions": "Be brief."}, 200)


def _keeping(exchange: Exchange) -> None:
    exchange.body = exchange.body.replace(b'"Say hello.", "store": false', b'"Say hello.", "store": true')


def _too_many() -> Fault:
    refused: list[Exchange] = []

    def answer(exchange: Exchange) -> None:
        if is_meant(exchange, SETTINGS) and not refused:
            refused.append(exchange)
            refuse(exchange, 429)

    return Fault(answer=answer)


def _interleaved() -> Fault:
    held: list[Json] = []

    def turn(frame: str, events: list[Json]) -> list[Json]:
        if '"One."' in frame:
            held.extend(events)
            return []
        if '"Two."' in frame:
            return [held[0], events[0], *held[1:], *events[1:]]
        return events

    return Fault(turn=turn)


def _same_id() -> Fault:
    ids: list[str] = []

    def turn(frame: str, events: list[Json]) -> list[Json]:
        if '"One."' in frame or '"Two."' in frame:
            ids.append(events[-1]["response"]["id"])
            having("response", put("response", id=ids[0]))(events)
        return events

    return Fault(turn=turn)


def _not_found(_: list[Json]) -> list[Json]:
    error = {"type": "not_found", "code": "previous_response_not_found", "message": "no", "param": None}
    return [{"type": "error", "status": 400, "error": error}]


def _without_item(kind: str) -> Any:
    return lambda value: value.update(output=[item for item in value["output"] if item["type"] != kind])


def _named_model(exchange: Exchange) -> None:
    if exchange.path.endswith("/compact"):
        exchange.body = json.dumps({"model": "m", **json.loads(exchange.body)}, ensure_ascii=False).encode()


def _other_numbers(exchange: Exchange) -> None:
    exchange.pieces = [each.replace(b"1e2", b"100.0") for each in exchange.pieces]


def _sorted_keys(exchange: Exchange) -> None:
    if exchange.is_json and is_meant(exchange, '"measure"'):
        body = json.loads(exchange.pieces[0], parse_float=lambda text: f"<{text}>")
        exchange.answer(_sorted(body), 200)
        exchange.pieces = [re.sub(rb'"<([^>]+)>"', rb"\1", exchange.pieces[0])]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


FAULTS: dict[str, Fault] = {
    "T1-content-type-parameter": refusing("charset", status=415),
    "T2-missing-key": _any_key(None),
    "T2-wrong-key": _any_key(b"Bearer conform-wrong-key"),
    "T3-version-header": Fault(answer=_no_version),
    "T3-unknown-version": refusing("1999-12-31"),
    "T4-answered": refusing("conform_unknown_field", status=500),
    "T4-media-type": _media_type(TEXT, b"text/plain"),
    "T4-response": answering(TEXT, put(object="text")),
    "T4-required-fields": answering(TEXT, drop("usage")),
    "T4-field-types": answering(TEXT, put("usage", total_tokens="many")),
    "T4-output-shape": answering(TEXT, drop("output", 0, "status")),
    "T4-final-status": answering(TEXT, put(status="in_progress")),
    "T5-unknown-field": refusing("conform_unknown_field"),
    "T5-echo-sampling": answering(SETTINGS, put(temperature=0.7)),
    "T5-echo-limits": answering(SETTINGS, put(max_tool_calls=None)),
    "T5-echo-words": answering(SETTINGS, put(metadata={})),
    "T5-echo-tools": answering(SETTINGS, drop("tools", 0)),
    "T6-default-sampling": answering(TEXT, put(temperature=0.7)),
    "T6-default-tools": answering(TEXT, put(parallel_tool_calls=False)),
    "T6-default-handling": answering(TEXT, put(truncation="auto")),
    "T6-default-words": answering(TEXT, put(metadata=None)),
    "T6-null-is-default": answering(NULLS, put(temperature=0)),
    "T6-allowed-tools-mode": answering(
        '{"type": "allowed_tools", "tools": [{"type": "function", "name": "get_time"}]}',
        put("tool_choice", mode="required"),
    ),
    "S1-streamed": _media_type(SEA, b"application/json"),
    "S1-event-line": framing(SEA, lambda writes: [_cut(each)[1] for each in writes]),
    "S1-json-data": framing(SEA, lambda writes: [*writes[:3], b"event: noise\ndata: noise\n\n", *writes[3:]]),
    "S1-no-id-line": framing(SEA, lambda writes: [*(b"id: 1\n" + each for each in writes[:-1]), DONE]),
    "S2-done-after-terminal": framing(SEA, lambda writes: writes[:-1]),
    "S2-done-is-last": framing(SEA, lambda writes: [*writes, DONE]),
    "S2-closes": Fault(answer=_never_closes),
    "S3-rises": streaming(SEA, put(4, sequence_number=3), renumber=False),
    "S3-from-zero-by-one": streaming(SEA, put(-1, sequence_number=999), renumber=False),
    "S4-created-first": streaming(SEA, lambda events: [events[1], events[0], *events[2:]]),
    "S4-in-progress": streaming(SEA, without("response.in_progress")),
    "S4-terminal-last": streaming(SEA, lambda events: [*events, dict(events[-1])]),
    "S4-whole-response": streaming(SEA, on("response.created", drop("response", "tools"))),
    "S4-status": streaming(SEA, on("response.in_progress", put("response", status="queued"))),
    "S4-same-response": streaming(SEA, on("response.created", put("response", id="resp_other"))),
    "S5-error-then-failed": streaming(
        SEA,
        insert(
            "response.output_item.done",
            {"type": "error", "error": {"type": "server_error", "code": None, "message": "broke", "param": None}},
        ),
    ),
    "S8-line-feeds": framing(SEA, lambda writes: [each.replace(b"\n", b"\r\n") for each in writes]),
    "S8-one-data-line": framing(
        SEA, lambda writes: [*(each.replace(b", ", b",\ndata: ", 1) for each in writes[:-1]), DONE]
    ),
    "S8-one-write": framing(SEA, lambda writes: [piece for each in writes for piece in _cut(each)]),
    "L1-opened-first": streaming(SEA, insert("response.in_progress", like(DELTA, output_index=9))),
    "L1-full-shape": streaming(SEA, on("response.output_item.added", drop("item", "role"))),
    "L1-in-progress": streaming(SEA, on("response.output_item.added", put("item", status="completed"))),
    "L1-empty": streaming(SEA, on("response.output_item.added", put("item", content=[PART]))),
    "L1-item-id": streaming(SEA, on("response.output_text.done", put(item_id="msg_other"))),
    "L2-part-opened-first": streaming(SEA, insert("response.output_item.added", like(DELTA, content_index=7))),
    "L2-part-shape": streaming(SEA, on("response.content_part.added", drop("part", "annotations"))),
    "L2-part-opened-empty": streaming(SEA, on("response.content_part.added", put("part", text="This"))),
    "L2-family": streaming(SEA, on(DELTA, _as_refusal)),
    "L2-deltas-join": streaming(SEA, on(DELTA, put(delta=" not"), only=1)),
    "L2-text-done": streaming(SEA, insert("response.output_text.done", like("response.output_text.done"))),
    "L2-part-done": streaming(SEA, _changed_when_done),
    "L2-part-stays-closed": streaming(
        SEA,
        insert(
            "response.content_part.done",
            like(
                DELTA,
            ),
        ),
    ),
    "L3-summary-deltas-join": streaming(REASONS, on("response.reasoning_summary_text.delta", put(delta="Not"), only=0)),
    "L3-summary-done": streaming(REASONS, without("response.reasoning_summary_text.done")),
    "L4-deltas-join": streaming("get_weather", on("response.function_call_arguments.delta", put(delta="{"))),
    "L4-arguments-done": streaming("get_weather", without("response.function_call_arguments.done")),
    "L4-arguments-are-json": streaming("get_weather", _no_json),
    "L5-annotations": streaming(SEA, insert("response.content_part.added", _annotation)),
    "L6-closed": streaming(SEA, without("response.output_item.done")),
    "L6-stays-closed": streaming(
        SEA,
        insert(
            "response.output_item.done",
            like(
                DELTA,
            ),
        ),
    ),
    "L6-final-shape": streaming(SEA, closing(drop("role"))),
    "L6-final-status": streaming(SEA, closing(put(status="in_progress"))),
    "L6-same-item": streaming(SEA, closing(put(id="msg_other"))),
    "L6-final-content": streaming(SEA, closing(put("content", 0, text="else"))),
    "L7-output-index": streaming(SEA, having("output_index", put(output_index=1))),
    "L7-summary-index": streaming(REASONS, having("summary_index", _risen("summary_index"))),
    "L8-reason": streaming(LIGHTHOUSE, put(-1, "response", incomplete_details={"reason": "length"})),
    "L8-incomplete-is-last": streaming(SEA, closing(put(status="incomplete"))),
    "L9-fold": streaming(SEA, put(-1, "response", "output", 0, "content", 0, text="else")),
    "L10-padding": streaming(SEA, on(DELTA, drop("obfuscation"))),
    "L10-random": streaming(SEA, on(DELTA, put(obfuscation="xxxx"))),
    "L10-no-padding": streaming('"include_obfuscation": false', on(DELTA, put(obfuscation="x"))),
    "L10-deltas-only": streaming(SEA, on("response.output_text.done", put(obfuscation="x"))),
    "R1-parts": streaming(REASONS, replace('"summary_text"', '"text"')),
    "R2-encrypted-on-request": streaming(REASONS, replace('"encrypted_content"', '"encrypted"')),
    "R2-encrypted-content": answering(DOZEN, put("output", 0, encrypted_content="")),
    "R2-returned": refusing("Are you sure?"),
    "R3-not-kept": Fault(request=_keeping),
    "P1-continued": refusing("previous_response_id", QUESTION),
    "P1-echo": answering(QUESTION, put(previous_response_id=None)),
    "P1-recall": _forgetful(first=True),
    "P1-recall-chain": _forgetful(first=False),
    "P1-instructions": Fault(answer=_carried_over),
    "P2-code": answering(UNKNOWN_ID, put("error", code="not_found"), but="compact", status=404),
    "P2-status": answering(UNKNOWN_ID, put("error", type="invalid_request"), status=404),
    "P2-param": answering(UNKNOWN_ID, put("error", param=None), but="compact", status=404),
    "P2-websocket": turning(UNKNOWN_ID, put(-1, "error", code="invalid_request")),
    "P3-reference": refusing("item_reference", but="no_such_item"),
    "P3-unknown-reference": accepting("no_such_item"),
    "P5-queued": answering('"background": true', put(status="in_progress")),
    "P5-fetched": refusing("GET", status=404),
    "P6-phase": refusing('"phase": "commentary"'),
    "X1-ends-with-call": answering('"tool_choice": "required"', add("output", element=MESSAGE)),
    "X1-call-ids": answering('"tool_choice": "required"', put("output", -1, call_id="")),
    "X1-result": refusing("function_call_output", '"function_call"', but=STRAY),
    "X1-result-by-chain": refusing("function_call_output", "previous_response_id"),
    "X5-required": answering('"tool_choice": "required"', _without_item("function_call")),
    "X5-function": answering('"tool_choice": {"type": "function"', put("output", 0, name="get_weather")),
    "X5-none": answering(
        "Use the tool get_weather.", add("output", element={**CALL, "name": "get_weather"}), but="allowed_tools"
    ),
    "X6-limit": answering(
        '"tool_choice": {"type": "allowed_tools", "mode": "required"', put("output", 0, name="get_weather")
    ),
    "X6-tools-unchanged": answering('"mode": "required"', drop("tools", 0)),
    "X7-one-call": answering('"parallel_tool_calls": false', add("output", element={**CALL, "name": "get_weather"})),
    "X8-stray-result": accepting(STRAY),
    "E1-body": answering(HOT, become(DETAIL), status=400),
    "E2-unauthorized-body": answering("", become(DETAIL), status=401),
    "E2-unauthorized-type": answering("", put("error", type="forbidden"), status=401),
    "E2-websocket-key": Fault(admits_all=True),
    "E2-not-found": answering("conform-no-such-route", become(DETAIL), status=404),
    "E2-method": answering("PUT", become(DETAIL), status=405),
    "E2-media-type": answering("", become(DETAIL), status=415),
    "E2-status": refusing('"top_logprobs": 21', status=422),
    "E2-type": answering('"top_logprobs": 21', put("error", type="bad_request"), status=400),
    "E2-retry-after": _too_many(),
    "E3-param": answering(HOT, put("error", param=None), status=400),
    "E3-param-path": answering('"text": 7', put("error", param="input"), status=400),
    "E3-message": answering('"top_logprobs": 21', put("error", message=""), status=400),
    "E3-no-internals": answering(
        HOT, put("error", message='File "/usr/lib/python3/server.py", line 3, in respond'), status=400
    ),
    "E4-bad-json": accepting('"Say hello.", \n'),
    "E4-no-object": accepting("\n["),
    "E4-wrong-type": accepting(HOT, but='"stream"'),
    "E4-wrong-type-in-input": accepting('"text": 7'),
    "E4-missing-field": accepting('"tools": [{', but='"name"'),
    "E4-unknown-value": accepting("sometimes"),
    "E4-over-limit": accepting('"top_logprobs": 21'),
    "E4-unknown-role": accepting("narrator"),
    "E4-before-stream": accepting('"temperature": "hot", "stream": true'),
    "W1-turn": turning(TOLD, _not_found),
    "W1-no-stream": deaf_to("stream", '"stream"'),
    "W1-no-stream-options": deaf_to("stream_options", '"stream_options"'),
    "W1-no-background": deaf_to("background", '"background"'),
    "W2-text-frames": turning(TOLD, lambda events: [json.dumps(each).encode() for each in events]),
    "W2-no-done": turning(TOLD, lambda events: [*map(json.dumps, events), "[DONE]"]),
    "W2-order": turning(TOLD, without("response.in_progress")),
    "W2-sequence": turning(TOLD, put(4, sequence_number=3)),
    "W2-shape": turning(TOLD, on("response.output_text.done", drop("item_id"))),
    "W2-fold": turning(TOLD, put(-1, "response", "output", 0, "content", 0, text="else")),
    "W3-in-order": _interleaved(),
    "W3-own-response": _same_id(),
    "W4-continued": turning(QUESTION, _not_found),
    "W4-recall": turning(QUESTION, replace("Ada", "unknown to me")),
    "W4-not-over-http": accepting("Go on over HTTP."),
    "W4-not-elsewhere": deaf_to("previous_response_id", "Go on elsewhere."),
    "W5-evicted": deaf_to("previous_response_id", '"Go on all the same."}], "store": false'),
    "W5-stored": turning('"Go on all the same."}], "store": true', _not_found),
    "W6-error-frame": turning(HOT, lambda events: [{"type": "response.in_progress", "sequence_number": 0}, *events]),
    "W6-status": turning(HOT, put(-1, status=500)),
    "W6-code": turning(HOT, put(-1, "error", code=None)),
    "W6-message": turning(HOT, put(-1, "error", message="")),
    "W6-param": turning(HOT, put(-1, "error", param=None)),
    "W6-ends-turn": turning(HOT, lambda events: [*events, FAILED]),
    "W6-stays-open": turning(HOT, lambda events: [*map(json.dumps, events), None]),
    "W6-bad-json": Fault(frame=lambda text: text if text.endswith("}") else None),
    "W7-reconnect": turning("Go on where we were.", _not_found),
    "C1-compaction": answering(COMPACT, put(object="compaction")),
    "C1-shape": answering(COMPACT, drop("created_at")),
    "C1-item": answering(COMPACT, _without_item("compaction")),
    "C1-kept": answering(COMPACT, add("output", element={**CALL, "name": "get_weather"})),
    "C1-next-to-nothing": refusing('"Hi."'),
    "C1-cache-key": refusing("/compact", "conform-cache"),
    "C1-model": Fault(request=_named_model),
    "C1-chain": refusing("/compact", "previous_response_id", but=UNKNOWN_ID),
    "C1-unknown-chain": accepting(UNKNOWN_ID, path="/v1/responses/compact"),
    "C1-no-response": accepting("Go on from the compaction."),
    "C2-returned": refusing('"type": "compaction"'),
    "C2-recall": answering('"type": "compaction"', put("output", -1, "content", 0, text="I do not know.")),
    "N1-event-types": streaming(SEA, insert(DELTA, {"type": "heartbeat"})),
    "N1-item-types": answering(
        TEXT, add("output", element={"type": "web_search_call", "id": "ws_1", "status": "completed"}, first=True)
    ),
    "N1-slug": streaming(SEA, insert(DELTA, {"type": "Acme:ping"})),
    "N1-vendor-item": refusing("conform:note"),
    "N2-events": framing(SEA, lambda writes: [*writes[:5], sse({"type": "acme:ping"}), *writes[5:]]),
    "N2-items": answering(TEXT, add("output", element={"type": "acme:search"}, first=True)),
    "Z1-nulls": answering(TEXT, put("output", 0, phase=None)),
    "Z1-event-fields": streaming(SEA, on("response.output_text.done", drop("item_id"))),
    "Z2-integer-times": answering(TEXT, put(created_at=1700000000.0)),
    "Z3-event-names": streaming(REASONS, replace('"response.reasoning.delta"', '"response.reasoning_text.delta"')),
    "Z4-format": answering('"json_schema"', drop("text", "format", "description")),
    "Z5-tools": answering('"noop"', drop("tools", 0, "strict")),
    "Z5-mode": answering('"mode": "auto"', drop("tool_choice", "mode")),
    "Z6-raw-reasoning": refusing("rs_conform"),
    "Z7-untyped-message": refusing('"input": [{"role"'),
    "Z8-untyped-reference": refusing('"input": [{"id"'),
    "Z8-roles": refusing("developer"),
    "Z9-no-status": answering(DOZEN, put("output", 0, status="completed")),
    "Z10-error-frame": turning(HOT, put(-1, sequence_number=0)),
    "Z11-usage": answering(COMPACT, put(usage=None)),
    "Z12-empty-arguments": streaming("get_weather", on("response.output_item.added", put("item", arguments="{"))),
    "Z12-annotations": streaming(SEA, on("response.content_part.added", put("part", annotations=[CITATION]))),
    "Z13-content-index": streaming(SEA, having("content_index", _risen("content_index"))),
    "Z17-free-object": answering('"measure"', drop("tools", 0, "parameters", "$comment")),
    "Z19-key-order": Fault(answer=_sorted_keys),
    "Z19-number-forms": Fault(answer=_other_numbers),
}
"""By the id of the case."""
