"""A broken server for every case: one small fault each, which is to make this case fail and no other.

A fault is laid over a sound server and recognises the exchange that it is meant for by what was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from conform_wire import DONE, Exchange, Fault, Frame, Json, sse

Change = Callable[[Json], Any]
KEY = "conform-test-key"
NEVER = "\0"
"""A text that no request holds."""

TEXT = "one short sentence"
SEA = "what the sea is like"
SETTINGS = "conform-user"
NULLS = '"temperature": null'
REASONS = "how much is 17 times 23"
DOZEN = "3 dozen or 40?"
LIGHTHOUSE = '"max_output_tokens": 16'
UNKNOWN_ID = "resp_conform_there_is_no_such_response"
QUESTION = "What is my name?"
STRAY = "call_conform_never_made"
HOT = '"temperature": "hot"'


# --- what faults are made of ---


def _refuse(exchange: Exchange, status: int = 400) -> None:
    exchange.answer({"error": {"message": "no", "type": "invalid_request", "param": None, "code": None}}, status)


def _is_meant(exchange: Exchange, *markers: str, but: str = NEVER) -> bool:
    """Whether a request holds all the markers, and not the other text."""
    text = f"{exchange.method} {exchange.path} {exchange.headers}\n{exchange.sent}\n"
    return all(each in text for each in markers) and but not in text


def refusing(*markers: str, but: str = NEVER, status: int = 400) -> Fault:
    """Refuses requests."""

    def answer(exchange: Exchange) -> None:
        if _is_meant(exchange, *markers, but=but):
            _refuse(exchange, status)

    return Fault(answer=answer)


def accepting(*markers: str, but: str = NEVER, path: str = "/v1/responses") -> Fault:
    """Answers bad requests as if they were good ones."""

    def request(exchange: Exchange) -> None:
        if _is_meant(exchange, *markers, but=but) and exchange.path == path:
            stream = '"stream": true' in exchange.sent
            exchange.body = json.dumps({"input": "Say hello.", "model": "m", "stream": stream}).encode()

    return Fault(request=request)


def answering(marker: str, change: Change, *, but: str = NEVER, status: int = 200) -> Fault:
    """Changes the JSON of answers with this status."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_json and exchange.status == status and _is_meant(exchange, marker, but=but):
            value = exchange.json
            exchange.answer(change(value) or value, status)

    return Fault(answer=answer)


def output(marker: str, change: Callable[[list[Json]], Any], *, but: str = NEVER) -> Fault:
    """Changes the output of whole answers."""
    return answering(marker, lambda response: change(response["output"]), but=but)


def message_text(marker: str, text: str) -> Fault:
    """Makes whole answers say something else."""
    return output(marker, lambda items: items[-1]["content"][0].update(text=text))


def erring(marker: str, status: int = 400, **fields: Any) -> Fault:
    """Changes the error in answers, but for those about compaction."""
    return answering(marker, lambda body: body["error"].update(fields), but="compact", status=status)


def streaming(marker: str, change: Callable[[list[Json]], Any], *, renumber: bool = True) -> Fault:
    """Changes the events of streams that answer requests with the marker."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_stream and marker in exchange.sent:
            events = exchange.events
            events = change(events) or events
            if renumber:
                for number, event in enumerate(events):
                    event["sequence_number"] = number
            exchange.pieces = [*map(sse, events), DONE]

    return Fault(answer=answer)


def framing(change: Callable[[list[bytes]], list[bytes]]) -> Fault:
    """Changes the writes of one stream."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_stream and SEA in exchange.sent:
            exchange.pieces = change([*map(sse, exchange.events), DONE])

    return Fault(answer=answer)


def turning(marker: str, change: Callable[[list[Json]], Sequence[Json] | Sequence[Frame] | None]) -> Fault:
    """Changes the events that answer frames with the marker."""

    def turn(frame: str, events: list[Json]) -> Any:
        return (change(events) or events) if marker in frame else events

    return Fault(turn=turn)


def hearing(marker: str, *without: str, **fields: Any) -> Fault:
    """Reads frames with the marker as if fields were not in them, or others were."""

    def frame(text: str) -> str:
        if marker not in text:
            return text
        kept = {name: value for name, value in json.loads(text).items() if name not in without}
        return json.dumps({**kept, **fields}, ensure_ascii=False)

    return Fault(frame=frame)


def of(events: Iterable[Json], kind: str) -> list[Json]:
    """The events of a type."""
    return [event for event in events if event["type"] == kind]


def setting(kind: str, *path: str, **fields: Any) -> Callable[[list[Json]], None]:
    """Sets fields in the events of a type, or in an object within them."""

    def change(events: list[Json]) -> None:
        for event in of(events, kind):
            target = event
            for name in path:
                target = target[name]
            target.update(fields)

    return change


def dropping(kind: str) -> Callable[[list[Json]], list[Json]]:
    """Leaves out the events of a type."""
    return lambda events: [event for event in events if event["type"] != kind]


def without(field: str, kind: str, *path: str) -> Callable[[list[Json]], None]:
    """Leaves out a field of the events of a type, or of an object within them."""

    def change(events: list[Json]) -> None:
        for event in of(events, kind):
            target = event
            for name in path:
                target = target[name]
            target.pop(field, None)

    return change


def inserting(after: str, event: Json) -> Callable[[list[Json]], list[Json]]:
    """Puts an event after the first one of a type."""

    def change(events: list[Json]) -> list[Json]:
        at = events.index(of(events, after)[0]) + 1
        return [*events[:at], dict(event), *events[at:]]

    return change


def replacing(old: str, new: str) -> Callable[[list[Json]], list[Json]]:
    """Replaces a text in the JSON of all events."""
    return lambda events: json.loads(json.dumps(events).replace(old, new))


def finally_(change: Change) -> Callable[[list[Json]], None]:
    """Changes the last message, both as it was closed and in the terminal event."""

    def changed(events: list[Json]) -> None:
        for item in (of(events, "response.output_item.done")[-1]["item"], events[-1]["response"]["output"][-1]):
            change(item)

    return changed


def after_the_fact(events: list[Json]) -> None:
    """The text differs once its part is closed, and stays so."""
    text = {"text": "something else"}
    of(events, "response.content_part.done")[0]["part"].update(text)
    finally_(lambda item: item["content"][0].update(text))(events)


def _delta(events: list[Json], **fields: Any) -> Json:
    return {**of(events, "response.output_text.delta")[0], **fields}


def both(*faults: Fault) -> Fault:
    """Several faults in one."""

    def each(name: str) -> Callable[[Exchange], None]:
        hooks = [getattr(fault, name) for fault in faults]
        return lambda exchange: [hook(exchange) for hook in hooks if hook is not None] and None

    return Fault(request=each("request"), answer=each("answer"))


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
        if marker in exchange.sent:
            exchange.answer_headers[b"content-type"] = media_type

    return Fault(answer=answer)


def _never_closes(exchange: Exchange) -> None:
    exchange.is_kept_open = SEA in exchange.sent


def _forgetful(*, first: bool) -> Fault:
    """Does not know the name after one response, or after two."""
    told: set[str] = set()

    def answer(exchange: Exchange) -> None:
        if "My name is Ada" in exchange.sent and "Be brief." in exchange.sent:
            told.add(exchange.json["id"])
        if exchange.is_json and QUESTION in exchange.sent and "previous_response_id" in exchange.sent:
            response = exchange.json
            if (response["previous_response_id"] in told) is first:
                response["output"][0]["content"][0]["text"] = "I do not know."
                exchange.answer(response, 200)

    return Fault(answer=answer)


def _keeping(exchange: Exchange) -> None:
    exchange.body = exchange.body.replace(b'"Say hello.", "store": false', b'"Say hello.", "store": true')


def _route(method: str, prefix: str, status: int, body: Json) -> Fault:
    def answer(exchange: Exchange) -> None:
        if exchange.method == method and exchange.path.startswith(prefix):
            exchange.answer(body, status)

    return Fault(answer=answer)


def _too_many() -> Fault:
    refused: list[Exchange] = []

    def answer(exchange: Exchange) -> None:
        if SETTINGS in exchange.sent and not refused:
            refused.append(exchange)
            _refuse(exchange, 429)

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
            for event in events:
                if "response" in event:
                    event["response"]["id"] = ids[0]
        return events

    return Fault(turn=turn)


def _frame_error(**fields: Any) -> Callable[[list[Json]], None]:
    return lambda events: events[-1]["error"].update(fields)


def _not_found_frame(_: list[Json]) -> list[Json]:
    error = {"type": "not_found", "code": "previous_response_not_found", "message": "no", "param": None}
    return [{"type": "error", "status": 400, "error": error}]


def _without_item(kind: str) -> Change:
    return lambda value: {**value, "output": [item for item in value["output"] if item["type"] != kind]}


def _parameters(change: Change) -> Change:
    def changed(response: Json) -> None:
        tool = response["tools"][0]
        tool["parameters"] = change(tool["parameters"]) or tool["parameters"]

    return changed


def _sorted_keys(exchange: Exchange) -> None:
    if exchange.is_json and '"measure"' in exchange.sent:
        body = json.loads(exchange.pieces[0], parse_float=lambda text: f"<{text}>")
        exchange.answer(_sorted(body), 200)
        exchange.pieces = [re.sub(rb'"<([^>]+)>"', rb"\1", exchange.pieces[0])]


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


CITATION = {"type": "url_citation", "url": "https://a.test/", "start_index": 0, "end_index": 1, "title": "A"}
CALL = {"type": "function_call", "id": "fc_x", "call_id": "call_x", "arguments": "{}", "status": "completed"}
FAILED = {"type": "response.failed", "sequence_number": 9, "response": {"status": "failed"}}

FAULTS: dict[str, Fault] = {
    "T1-content-type-parameter": refusing("charset", status=415),
    "T2-missing-key": _any_key(None),
    "T2-wrong-key": _any_key(b"Bearer conform-wrong-key"),
    "T3-version-header": Fault(answer=_no_version),
    "T3-unknown-version": refusing("1999-12-31"),
    "T4-answered": refusing("conform_unknown_field", status=500),
    "T4-media-type": _media_type(TEXT, b"text/plain"),
    "T4-response": answering(TEXT, lambda response: response.update(object="text")),
    "T4-required-fields": answering(TEXT, lambda response: response.pop("usage") and None),
    "T4-field-types": answering(TEXT, lambda response: response["usage"].update(total_tokens="many")),
    "T4-output-shape": output(TEXT, lambda items: items[0].pop("status") and None),
    "T4-final-status": answering(TEXT, lambda response: response.update(status="in_progress")),
    "T5-unknown-field": refusing("conform_unknown_field"),
    "T5-echo-sampling": answering(SETTINGS, lambda response: response.update(temperature=0.7)),
    "T5-echo-limits": answering(SETTINGS, lambda response: response.update(max_tool_calls=None)),
    "T5-echo-words": answering(SETTINGS, lambda response: response.update(metadata={})),
    "T5-echo-tools": answering(SETTINGS, lambda response: response["tools"].reverse()),
    "T6-default-sampling": answering(TEXT, lambda response: response.update(temperature=0.7)),
    "T6-default-tools": answering(TEXT, lambda response: response.update(parallel_tool_calls=False)),
    "T6-default-handling": answering(TEXT, lambda response: response.update(truncation="auto")),
    "T6-default-words": answering(TEXT, lambda response: response.update(metadata=None)),
    "T6-null-is-default": answering(NULLS, lambda response: response.update(temperature=0)),
    "T6-allowed-tools-mode": answering(
        '{"type": "allowed_tools", "tools": [{"type": "function", "name": "get_time"}]}',
        lambda response: response["tool_choice"].update(mode="required"),
    ),
    "S1-streamed": _media_type(SEA, b"application/json"),
    "S1-event-line": framing(lambda writes: [each[each.find(b"data:") :] for each in writes]),
    "S1-json-data": framing(lambda writes: [*writes[:3], b"event: noise\ndata: noise\n\n", *writes[3:]]),
    "S1-no-id-line": framing(lambda writes: [*(b"id: 1\n" + each for each in writes[:-1]), DONE]),
    "S2-done-after-terminal": framing(lambda writes: writes[:-1]),
    "S2-done-is-last": framing(lambda writes: [*writes, DONE]),
    "S2-closes": Fault(answer=_never_closes),
    "S3-rises": streaming(SEA, lambda events: events[4].update(sequence_number=3), renumber=False),
    "S3-from-zero-by-one": streaming(SEA, lambda events: events[-1].update(sequence_number=999), renumber=False),
    "S4-created-first": streaming(SEA, lambda events: [events[1], events[0], *events[2:]]),
    "S4-in-progress": streaming(SEA, dropping("response.in_progress")),
    "S4-terminal-last": streaming(SEA, lambda events: [*events, dict(events[-1])]),
    "S4-whole-response": streaming(SEA, without("tools", "response.created", "response")),
    "S4-status": streaming(SEA, setting("response.in_progress", "response", status="queued")),
    "S4-same-response": streaming(SEA, setting("response.created", "response", id="resp_other")),
    "S5-error-then-failed": streaming(
        SEA,
        inserting(
            "response.output_item.done",
            {"type": "error", "error": {"type": "server_error", "code": None, "message": "broke", "param": None}},
        ),
    ),
    "S8-line-feeds": framing(lambda writes: [each.replace(b"\n", b"\r\n") for each in writes]),
    "S8-one-data-line": framing(lambda writes: [*(each.replace(b", ", b",\ndata: ", 1) for each in writes[:-1]), DONE]),
    "S8-one-write": framing(
        lambda writes: [
            piece for each in writes for piece in (each[: each.find(b"data:")], each[each.find(b"data:") :])
        ]
    ),
    "L1-opened-first": streaming(
        SEA, lambda events: inserting("response.in_progress", _delta(events, output_index=9))(events)
    ),
    "L1-full-shape": streaming(SEA, without("role", "response.output_item.added", "item")),
    "L1-in-progress": streaming(SEA, setting("response.output_item.added", "item", status="completed")),
    "L1-empty": streaming(
        SEA,
        setting(
            "response.output_item.added",
            "item",
            content=[{"type": "output_text", "text": "", "annotations": [], "logprobs": []}],
        ),
    ),
    "L1-item-id": streaming(SEA, setting("response.output_text.done", item_id="msg_other")),
    "L2-part-opened-first": streaming(
        SEA, lambda events: inserting("response.output_item.added", _delta(events, content_index=7))(events)
    ),
    "L2-part-shape": streaming(SEA, without("annotations", "response.content_part.added", "part")),
    "L2-part-opened-empty": streaming(SEA, setting("response.content_part.added", "part", text="This")),
    "L2-family": streaming(
        SEA,
        lambda events: [
            {name: value for name, value in event.items() if name != "obfuscation"} | {"type": "response.refusal.delta"}
            if event["type"] == "response.output_text.delta"
            else event
            for event in events
        ],
    ),
    "L2-deltas-join": streaming(SEA, lambda events: of(events, "response.output_text.delta")[1].update(delta=" not")),
    "L2-text-done": streaming(
        SEA, lambda events: inserting("response.output_text.done", of(events, "response.output_text.done")[0])(events)
    ),
    "L2-part-done": streaming(SEA, after_the_fact),
    "L2-part-stays-closed": streaming(
        SEA, lambda events: inserting("response.content_part.done", _delta(events))(events)
    ),
    "L3-summary-deltas-join": streaming(
        REASONS, lambda events: of(events, "response.reasoning_summary_text.delta")[0].update(delta="Not")
    ),
    "L3-summary-done": streaming(REASONS, dropping("response.reasoning_summary_text.done")),
    "L4-deltas-join": streaming(
        "",
        lambda events: (
            [each.update(delta="{") for each in of(events, "response.function_call_arguments.delta")] and None
        ),
    ),
    "L4-arguments-done": streaming("", dropping("response.function_call_arguments.done")),
    "L4-arguments-are-json": streaming("get_weather", replacing('\\"city\\"', "city")),
    "L5-annotations": streaming(
        SEA,
        lambda events: inserting(
            "response.content_part.added",
            {
                **{name: of(events, "response.output_text.done")[0][name] for name in ("item_id", "output_index")},
                "type": "response.output_text.annotation.added",
                "content_index": 0,
                "annotation_index": 1,
                "annotation": CITATION,
            },
        )(events),
    ),
    "L6-closed": streaming(SEA, dropping("response.output_item.done")),
    "L6-stays-closed": streaming(SEA, lambda events: inserting("response.output_item.done", _delta(events))(events)),
    "L6-final-shape": streaming(SEA, finally_(lambda item: item.pop("role"))),
    "L6-final-status": streaming(SEA, finally_(lambda item: item.update(status="in_progress"))),
    "L6-same-item": streaming(SEA, finally_(lambda item: item.update(id="msg_other"))),
    "L6-final-content": streaming(SEA, finally_(lambda item: item["content"][0].update(text="else"))),
    "L7-output-index": streaming(
        SEA, lambda events: [each.update(output_index=1) for each in events if "output_index" in each] and None
    ),
    "L7-summary-index": streaming(
        REASONS,
        lambda events: (
            [each.update(summary_index=each["summary_index"] + 1) for each in events if "summary_index" in each]
            and None
        ),
    ),
    "L8-reason": streaming(
        LIGHTHOUSE, lambda events: events[-1]["response"].update(incomplete_details={"reason": "length"})
    ),
    "L8-incomplete-is-last": streaming(SEA, finally_(lambda item: item.update(status="incomplete"))),
    "L9-fold": streaming(SEA, lambda events: events[-1]["response"]["output"][0]["content"][0].update(text="else")),
    "L10-padding": streaming(SEA, without("obfuscation", "response.output_text.delta")),
    "L10-random": streaming(SEA, setting("response.output_text.delta", obfuscation="xxxx")),
    "L10-no-padding": streaming('"include_obfuscation": false', setting("response.output_text.delta", obfuscation="x")),
    "L10-deltas-only": streaming(SEA, setting("response.output_text.done", obfuscation="x")),
    "R1-parts": streaming(REASONS, replacing('"summary_text"', '"text"')),
    "R2-encrypted-on-request": streaming(REASONS, replacing('"encrypted_content"', '"encrypted"')),
    "R2-encrypted-content": output(DOZEN, lambda items: items[0].update(encrypted_content="")),
    "R2-returned": refusing("Are you sure?"),
    "R3-not-kept": Fault(request=_keeping),
    "P1-continued": refusing("previous_response_id", QUESTION),
    "P1-echo": answering(QUESTION, lambda response: response.update(previous_response_id=None)),
    "P1-recall": _forgetful(first=True),
    "P1-recall-chain": _forgetful(first=False),
    "P1-instructions": answering(
        QUESTION,
        lambda response: response.update(instructions="Be brief.") if response["previous_response_id"] else None,
    ),
    "P2-code": erring(UNKNOWN_ID, 404, code="not_found"),
    "P2-status": answering(UNKNOWN_ID, lambda body: body["error"].update(type="invalid_request"), status=404),
    "P2-param": erring(UNKNOWN_ID, 404, param=None),
    "P2-websocket": turning(UNKNOWN_ID, _frame_error(code="invalid_request")),
    "P3-reference": refusing("item_reference", but="no_such_item"),
    "P3-unknown-reference": accepting("no_such_item"),
    "P5-queued": answering('"background": true', lambda response: response.update(status="in_progress")),
    "P5-fetched": _route(
        "GET", "/v1/responses/", 404, {"error": {"message": "no", "type": "not_found", "param": None, "code": None}}
    ),
    "P6-phase": refusing('"phase"'),
    "X1-ends-with-call": answering(
        '"tool_choice": "required"',
        lambda response: response["output"].append(
            {"type": "message", "id": "msg_x", "status": "completed", "role": "assistant", "content": []}
        ),
    ),
    "X1-call-ids": output(
        '"tool_choice": "required"', lambda items: [item.update(call_id="") for item in items] and None
    ),
    "X1-result": refusing("function_call_output", '"function_call"', but=STRAY),
    "X1-result-by-chain": refusing("function_call_output", "previous_response_id"),
    "X5-required": answering('"tool_choice": "required"', _without_item("function_call")),
    "X5-function": output('"tool_choice": {"type": "function"', lambda items: items[0].update(name="get_weather")),
    "X5-none": output(
        "Use the tool get_weather.", lambda items: items.append({**CALL, "name": "get_weather"}), but="allowed_tools"
    ),
    "X6-limit": output(
        '"tool_choice": {"type": "allowed_tools", "mode": "required"', lambda items: items[0].update(name="get_weather")
    ),
    "X6-tools-unchanged": answering('"mode": "required"', lambda response: response["tools"].pop(0) and None),
    "X7-one-call": output('"parallel_tool_calls": false', lambda items: items.append({**CALL, "name": "get_weather"})),
    "X8-stray-result": accepting(STRAY),
    "E1-body": answering(HOT, lambda _: {"detail": "no"}, status=400),
    "E2-unauthorized-body": answering("", lambda _: {"detail": "no"}, status=401),
    "E2-unauthorized-type": erring("", 401, type="forbidden"),
    "E2-websocket-key": Fault(admits_all=True),
    "E2-not-found": _route("POST", "/v1/conform-no-such-route", 404, {"detail": "Not Found"}),
    "E2-method": _route("PUT", "/v1/responses", 405, {"detail": "Method Not Allowed"}),
    "E2-media-type": answering("", lambda _: {"detail": "Unsupported Media Type"}, status=415),
    "E2-status": refusing('"top_logprobs": 21', status=422),
    "E2-type": erring('"top_logprobs": 21', type="bad_request"),
    "E2-retry-after": _too_many(),
    "E3-param": erring(HOT, param=None),
    "E3-param-path": erring('"text": 7', param="input"),
    "E3-message": erring('"top_logprobs": 21', message=""),
    "E3-no-internals": erring(HOT, message='File "/usr/lib/python3/server.py", line 3, in respond'),
    "E4-bad-json": accepting('"Say hello.", \n'),
    "E4-no-object": accepting("\n["),
    "E4-wrong-type": accepting(HOT, but='"stream"'),
    "E4-wrong-type-in-input": accepting('"text": 7'),
    "E4-missing-field": accepting('"tools": [{', but='"name"'),
    "E4-unknown-value": accepting("sometimes"),
    "E4-over-limit": accepting('"top_logprobs": 21'),
    "E4-unknown-role": accepting("narrator"),
    "E4-before-stream": accepting('"temperature": "hot", "stream": true'),
    "W1-turn": turning("Please remember it", _not_found_frame),
    "W1-no-stream": hearing('"stream"', "stream"),
    "W1-no-stream-options": hearing('"stream_options"', "stream_options"),
    "W1-no-background": hearing('"background"', "background"),
    "W2-text-frames": turning("Please remember it", lambda events: [json.dumps(each).encode() for each in events]),
    "W2-no-done": turning("Please remember it", lambda events: [*map(json.dumps, events), "[DONE]"]),
    "W2-order": turning("Please remember it", dropping("response.in_progress")),
    "W2-sequence": turning("Please remember it", lambda events: events[4].update(sequence_number=3)),
    "W2-fold": turning(
        "Please remember it", lambda events: events[-1]["response"]["output"][0]["content"][0].update(text="else")
    ),
    "W3-in-order": _interleaved(),
    "W3-own-response": _same_id(),
    "W4-continued": turning(QUESTION, _not_found_frame),
    "W4-recall": turning(QUESTION, replacing("Ada", "unknown to me")),
    "W4-not-over-http": accepting("Go on over HTTP."),
    "W4-not-elsewhere": hearing("Go on elsewhere.", "previous_response_id"),
    "W5-evicted": hearing('"Go on all the same."}], "store": false', "previous_response_id"),
    "W5-stored": turning('"Go on all the same."}], "store": true', _not_found_frame),
    "W6-error-frame": turning(HOT, lambda events: [{"type": "response.in_progress", "sequence_number": 0}, *events]),
    "W6-status": turning(HOT, lambda events: events[-1].update(status=500)),
    "W6-code": turning(HOT, _frame_error(code=None)),
    "W6-message": turning(HOT, _frame_error(message="")),
    "W6-param": turning(HOT, _frame_error(param=None)),
    "W6-ends-turn": turning(HOT, lambda events: [*events, FAILED]),
    "W6-stays-open": turning(HOT, lambda events: [*map(json.dumps, events), None]),
    "W6-bad-json": Fault(frame=lambda text: text if text.endswith("}") else None),
    "W7-reconnect": turning("Go on where we were.", _not_found_frame),
    "C1-compaction": answering("It is Paris.", lambda body: body.update(object="compaction")),
    "C1-shape": answering("It is Paris.", lambda body: body.pop("created_at") and None),
    "C1-item": answering("It is Paris.", _without_item("compaction")),
    "C1-kept": answering("It is Paris.", lambda body: body["output"].append({**CALL, "name": "get_weather"})),
    "C1-next-to-nothing": refusing('"Hi."'),
    "C1-cache-key": refusing("/compact", "conform-cache"),
    "C1-model": Fault(
        request=lambda exchange: (
            (
                exchange.path.endswith("compact")
                and b'"model"' not in exchange.body
                and setattr(exchange, "body", b'{"model": "m", ' + exchange.body[1:])
            )
            or None
        )
    ),
    "C1-chain": refusing("/compact", "previous_response_id", but=UNKNOWN_ID),
    "C1-unknown-chain": accepting(UNKNOWN_ID, path="/v1/responses/compact"),
    "C1-no-response": accepting("Go on from the compaction."),
    "C2-returned": refusing('"type": "compaction"'),
    "C2-recall": message_text('"type": "compaction"', "I do not know."),
    "N1-event-types": streaming(SEA, inserting("response.output_text.delta", {"type": "heartbeat"})),
    "N1-item-types": output(
        TEXT, lambda items: items.insert(0, {"type": "web_search_call", "id": "ws_1", "status": "completed"})
    ),
    "N1-slug": streaming(SEA, inserting("response.output_text.delta", {"type": "Acme:ping"})),
    "N1-vendor-item": refusing("conform:note"),
    "N2-events": framing(lambda writes: [*writes[:5], sse({"type": "acme:ping"}), *writes[5:]]),
    "N2-items": output(TEXT, lambda items: items.insert(0, {"type": "acme:search"})),
    "Z1-nulls": output(TEXT, lambda items: items[0].update(phase=None)),
    "Z1-event-fields": streaming(SEA, without("item_id", "response.output_text.done")),
    "Z2-integer-times": answering(TEXT, lambda response: response.update(created_at=1700000000.0)),
    "Z3-event-names": streaming(REASONS, replacing('"response.reasoning.delta"', '"response.reasoning_text.delta"')),
    "Z4-format": answering('"json_schema"', lambda response: response["text"]["format"].pop("description") and None),
    "Z5-tools": answering('"noop"', lambda response: response["tools"][0].pop("strict") and None),
    "Z5-mode": answering('"mode": "auto"', lambda response: response["tool_choice"].pop("mode") and None),
    "Z6-raw-reasoning": refusing("rs_conform"),
    "Z7-untyped-message": refusing('"input": [{"role"'),
    "Z8-untyped-reference": refusing('"input": [{"id"'),
    "Z8-roles": refusing("developer"),
    "Z9-no-status": output(DOZEN, lambda items: items[0].update(status="completed")),
    "Z10-error-frame": turning(HOT, lambda events: events[-1].update(sequence_number=0)),
    "Z11-usage": answering("It is Paris.", lambda body: body.update(usage=None)),
    "Z12-empty-arguments": streaming("get_weather", setting("response.output_item.added", "item", arguments="{")),
    "Z12-annotations": streaming(SEA, setting("response.content_part.added", "part", annotations=[CITATION])),
    "Z13-content-index": streaming(
        SEA, lambda events: [each.update(content_index=1) for each in events if "content_index" in each] and None
    ),
    "Z17-free-object": answering('"measure"', _parameters(lambda given: given.pop("$comment") and None)),
    "Z19-key-order": Fault(answer=_sorted_keys),
    "Z19-number-forms": Fault(
        answer=lambda exchange: setattr(
            exchange, "pieces", [each.replace(b"1e2", b"100.0") for each in exchange.pieces]
        )
    ),
}
"""By the id of the case."""
