"""Folding the events of a stream: every family, every rule of order, every way a stream can end.

They protect that the fold makes what the server said, that what a server does out of order is listed and loses
nothing, and that a stream that was cut is never taken for a whole answer.
"""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import streams
from openresponses_kit import (
    ResponseAccumulator,
    ResponseReasoningDeltaStreamingEvent,
    ResponseResource,
    StreamEvent,
    StreamFailedError,
    StreamInterruptedError,
    StreamOrderError,
    UnknownEvent,
    fold,
    parse_event,
)
from openresponses_kit._families import normalised
from streams import Event, events_of, message, numbered, response_of, text

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
    """Everything that models said in these items."""
    found = Counter[str]()
    for item in items:
        parts = [*item.get("content", []), *item.get("summary", [])] if item["type"] in {"message", "reasoning"} else []
        found.update(part.get("text", part.get("refusal")) for part in parts)
        if item["type"] == "function_call":
            found[item["arguments"]] += 1
    return found


def position(events: list[Event], name: str, nth: int = 0) -> int:
    return [at for at, event in enumerate(events) if event["type"] == name][nth]


@pytest.mark.parametrize("reasoning", [streams.STANDARD, streams.OPENAI])
@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_l9_item_events_alone_make_the_item(item: dict[str, Any], reasoning: str) -> None:
    events = events_of(response_of(item), reasoning=reasoning)
    accumulator = folded(events[:-1], strict=True)
    assert dumped(accumulator.items()) == [item]
    assert accumulator.deviations == []


def test_l9_items_of_all_kinds_come_in_order() -> None:
    accumulator = folded(events_of(EVERYTHING, is_queued=True), strict=True)
    assert dumped(accumulator.items()) == EVERYTHING["output"]
    assert accumulator.close().model_dump(mode="json") == EVERYTHING
    assert accumulator.is_done
    assert accumulator.terminal is not None


def test_l7_items_that_are_open_together() -> None:
    other = {**CALL, "id": "fc_2", "call_id": "call_2", "arguments": '{"city": "Rome"}'}
    events = events_of(response_of(CALL, other))
    head, tail = events[:2], events[-1:]
    one = [event for event in events[2:-1] if event["output_index"] == 0]
    two = [event for event in events[2:-1] if event["output_index"] == 1]
    both: list[Event] = []
    while one or two:
        both += [each.pop(0) for each in (one, two) if each]
    accumulator = folded(numbered([*head, *both, *tail]), strict=True)
    assert dumped(accumulator.items()) == [CALL, other]


def test_z3_both_spellings_of_reasoning_are_one_event() -> None:
    event = {"sequence_number": 4, "item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "a"}
    (unknown,) = read([{**event, "type": "response.reasoning_text.delta", "acme:trace": 1}])
    assert isinstance(unknown, UnknownEvent)
    meant = normalised(unknown)
    assert isinstance(meant, ResponseReasoningDeltaStreamingEvent)
    assert meant.model_dump() == {**event, "type": "response.reasoning.delta", "acme:trace": 1}


@pytest.mark.parametrize("event", [{"type": "acme:progress"}, {"type": "response.reasoning_text.delta", "delta": 1}])
def test_n3_other_unknown_events_stay_as_they_are(event: Event) -> None:
    (unknown,) = read([event])
    assert isinstance(unknown, UnknownEvent)
    assert normalised(unknown) is unknown


def test_z3_event_of_the_other_spelling_without_its_shape_is_a_deviation() -> None:
    events = events_of(response_of(REASONING), reasoning=streams.OPENAI)
    del events[position(events, "response.reasoning_text.delta")]["item_id"]
    accumulator = folded(events)
    assert "rule Z3" in accumulator.deviations[0].reason
    assert dumped(accumulator.close().output) == [REASONING]


def test_n5_unknown_events_change_nothing() -> None:
    events = events_of(response_of(ITEMS["output-text"]))
    noise = [{"type": "acme:trace", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": "x"}]
    mixed = [events[0], *(each for event in events[1:-1] for each in [event, *noise]), events[-1]]
    accumulator = folded(numbered(mixed), strict=True)
    assert accumulator.close().model_dump(mode="json") == response_of(ITEMS["output-text"])


def test_n2_unknown_event_without_a_number_is_passed_over() -> None:
    events = events_of(response_of(ITEMS["output-text"]))
    events.insert(3, {"type": "keepalive"})
    assert folded(events, strict=True).deviations == []


def test_s3_streams_may_number_from_anywhere() -> None:
    for start in (-1, 1, 17):
        assert folded(numbered(events_of(EVERYTHING), start), strict=True).deviations == []


def test_snapshot_follows_the_stream() -> None:
    events = events_of(response_of(ITEMS["output-text"]))
    accumulator = ResponseAccumulator()
    texts: list[str] = []
    assert accumulator.snapshot() is None
    for event in read(events[:-1]):
        accumulator.add(event)
        snapshot = accumulator.snapshot()
        assert snapshot is not None
        assert snapshot.status == "in_progress"
        texts.append(snapshot.output_text)
    assert [text for at, text in enumerate(texts) if text not in texts[:at]] == [
        "", "Today", "Today it", "Today it is", "Today it is sunny.",
    ]  # fmt: skip
    (item,) = accumulator.items()
    assert item.model_dump()["status"] == "completed"


def test_snapshot_of_open_items_has_what_came_so_far() -> None:
    events = events_of(response_of(message(text("a b c", annotations=[CITATION], logprobs=LOGPROBS))))
    accumulator = folded(events[: position(events, "response.output_text.done")])
    snapshot = accumulator.snapshot()
    assert snapshot is not None
    (item,) = dumped(snapshot.output)
    assert item["status"] == "in_progress"
    assert item["content"] == [text("a b c", annotations=[CITATION], logprobs=LOGPROBS)]


def test_partial_has_the_status_it_is_asked_for() -> None:
    accumulator = ResponseAccumulator()
    assert accumulator.partial(status="failed") is None
    for event in read(events_of(EVERYTHING)[:9]):
        accumulator.add(event)
    partial, snapshot = accumulator.partial(status="failed"), accumulator.snapshot()
    assert partial is not None
    assert snapshot is not None
    assert (partial.status, snapshot.status) == ("failed", "in_progress")
    assert partial.output == snapshot.output


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_z15_close_gives_the_response_whatever_its_status(status: str) -> None:
    response = response_of(message(text("Half"), status="incomplete" if status == "incomplete" else "completed"))
    response = response_of(*response["output"], status=status)
    accumulator = folded(events_of(response), strict=True)
    assert accumulator.close().model_dump(mode="json") == response
    assert fold(read(events_of(response))).model_dump(mode="json") == response
    assert (accumulator.error is not None) == (status == "failed")


def test_s7_cut_at_every_event_raises_with_what_came() -> None:
    events = events_of(EVERYTHING)
    for end in range(len(events)):
        with pytest.raises(StreamInterruptedError, match="rule S7") as raised:
            folded(events[:end], strict=True).close()
        if end == 0:
            assert "before its first event" in raised.value.message
            assert raised.value.response is None
        else:
            assert f"after {end} events, the last of them '{events[end - 1]['type']}'" in raised.value.message
            assert raised.value.response is not None
            assert raised.value.response.status == "in_progress"


def test_s5_error_and_nothing_after_it_raises_with_the_failed_response() -> None:
    events = events_of(EVERYTHING)[:9]
    error = {"type": "server_error", "code": "overloaded", "message": "try again", "param": "model"}
    accumulator = folded(numbered([*events, {"type": "error", "error": error}]), strict=True)
    with pytest.raises(StreamFailedError, match="try again") as raised:
        accumulator.close()
    failed = raised.value
    assert (failed.type, failed.code, failed.param, failed.status_code) == ("server_error", "overloaded", "model", None)
    assert failed.response is not None
    assert failed.response.status == "failed"
    assert dumped(failed.response.output) == dumped(accumulator.items())


def test_nothing_that_came_in_is_changed() -> None:
    events = read(events_of(EVERYTHING))
    before = [event.model_dump_json() for event in events]
    accumulator = ResponseAccumulator()
    snapshots: list[tuple[ResponseResource, str]] = []
    for event in events:
        accumulator.add(event)
        snapshot = accumulator.snapshot()
        assert snapshot is not None
        snapshots.append((snapshot, snapshot.model_dump_json()))
    accumulator.close()
    assert [event.model_dump_json() for event in events] == before
    assert [snapshot.model_dump_json() for snapshot, _ in snapshots] == [dump for _, dump in snapshots]


Change = Callable[[list[Event]], object]


def setting(name: str, nth: int = 0, **values: Any) -> Change:
    """Sets fields of the nth event of a type."""
    return lambda events: events[position(events, name, nth)].update(values)


def setting_in(name: str, field: str, nth: int = 0, **values: Any) -> Change:
    """Sets fields of what the nth event of a type carries."""

    def change(events: list[Event]) -> None:
        event = events[position(events, name, nth)]
        event[field] = {**event[field], **values}

    return change


def dropping(name: str, nth: int = 0) -> Change:
    """Leaves an event out; the numbers close up."""

    def change(events: list[Event]) -> None:
        del events[position(events, name, nth)]
        events[:] = numbered(events)

    return change


def moving(name: str, to: int, nth: int = 0) -> Change:
    """Moves an event to another position; the numbers follow."""

    def change(events: list[Event]) -> None:
        events.insert(to, events.pop(position(events, name, nth)))
        events[:] = numbered(events)

    return change


def repeating(name: str, nth: int = 0) -> Change:
    """Sends an event again at the end; the numbers follow."""

    def change(events: list[Event]) -> None:
        events.insert(len(events) - 1, dict(events[position(events, name, nth)]))
        events[:] = numbered(events)

    return change


ADDED, DONE = "response.output_item.added", "response.output_item.done"
PART, PART_DONE = "response.content_part.added", "response.content_part.done"
TEXT, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
SUMMARY, SUMMARY_TEXT = "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta"
ARGUMENTS = "response.function_call_arguments"
NOTE, END = "response.output_text.annotation.added", "response.completed"
ERROR = {"type": "server_error", "code": None, "message": "it broke", "param": None}
BROKEN: dict[str, dict[str, Change]] = {
    "S3": {
        "repeats": lambda events: events[5].update(sequence_number=4),
        "falls": lambda events: events[5].update(sequence_number=3),
        "leaves some out": lambda events: events.pop(5),
    },
    "S4": {
        "no created": dropping("response.created"),
        "no in_progress": dropping("response.in_progress"),
        "created twice": repeating("response.created"),
        "in_progress before created": moving("response.in_progress", 0),
        "in_progress after an item": moving("response.in_progress", 4),
        "event after the end": lambda events: events.append({**events[3], "sequence_number": 500}),
        "unknown event after the end": lambda events: events.append({"type": "acme:late", "sequence_number": 500}),
        "two ends": lambda events: events.append({**events[-1], "sequence_number": 500}),
        "end with another status": setting_in("response.completed", "response", status="in_progress"),
    },
    "S5": {
        "completed after an error": lambda events: events.insert(-1, {"type": "error", "error": ERROR}),
        "an item after an error": lambda events: events.insert(4, {"type": "error", "error": ERROR}),
        "two errors": lambda events: (
            events.insert(-1, {"type": "error", "error": ERROR}) or events.insert(-1, events[-2])
        ),
    },
    "L1": {
        "item never opened": dropping(ADDED),
        "null in place of the item": setting(ADDED, item=None),
        "opens completed": setting_in(ADDED, "item", 1, status="completed"),
        "opens twice": repeating(ADDED),
        "closes and never opened": lambda events: events.insert(-1, {"type": DONE, "output_index": 5, "item": OTHER}),
    },
    "L2": {
        "part never opened": dropping(PART),
        "part opened twice": lambda events: events.insert(position(events, PART), events[position(events, PART)]),
        "part never closed": dropping(PART_DONE),
        "delta lost": dropping(TEXT, 1),
        "no text.done": dropping(TEXT_DONE),
        "text.done differs": setting(TEXT_DONE, text="Something else"),
        "text.done twice": lambda events: events.insert(position(events, NOTE), events[position(events, TEXT_DONE)]),
        "part.done differs": setting_in(PART_DONE, "part", 2, text="Something else"),
        "part.done without the log probabilities": setting_in(PART_DONE, "part", 2, logprobs=[]),
        "part.done of another type": setting(PART_DONE, 2, part={"type": "acme:chart"}),
        "delta of another family": setting(TEXT, type="response.refusal.delta"),
        "refusal lost": dropping("response.refusal.delta"),
        "no refusal.done": dropping("response.refusal.done"),
        "reasoning lost": dropping("response.reasoning.delta"),
        "no reasoning.done": dropping("response.reasoning.done"),
        "text for a function call": setting(f"{ARGUMENTS}.delta", type=TEXT, content_index=0),
        "content never streamed": setting_in(DONE, "item", 1, content=[text("Something else")]),
    },
    "L3": {
        "part never opened": dropping(SUMMARY),
        "part never closed": dropping("response.reasoning_summary_part.done"),
        "delta lost": dropping(SUMMARY_TEXT),
        "no text.done": dropping("response.reasoning_summary_text.done"),
        "summary never streamed": setting_in(DONE, "item", summary=[]),
    },
    "L4": {
        "delta lost": dropping(f"{ARGUMENTS}.delta"),
        "no done": dropping(f"{ARGUMENTS}.done"),
        "done differs": setting(f"{ARGUMENTS}.done", arguments="{}"),
        "delta for a message": setting(TEXT, type=f"{ARGUMENTS}.delta"),
        "arguments never streamed": setting_in(DONE, "item", 2, arguments="{}"),
    },
    "L5": {
        "annotation lost": dropping(NOTE),
        "index too high": setting(NOTE, annotation_index=1),
        "index twice": setting(NOTE, 1, annotation_index=0),
        "null in place of the annotation": setting(NOTE, annotation=None),
    },
    "L6": {
        "item never closed": dropping(DONE),
        "null in place of the item": setting(DONE, item=None),
        "closes twice": repeating(DONE),
        "delta after the item": repeating(TEXT),
        "arguments after the item": repeating(f"{ARGUMENTS}.done"),
        "part after the item": repeating(PART),
        "closes in progress": setting_in(DONE, "item", 1, status="in_progress"),
        "closes as another type": setting_in(DONE, "item", 3, type="acme:find"),
    },
    "L7": {
        "item skips an index": setting(ADDED, 1, output_index=2),
        "item takes an index again": setting(ADDED, 1, output_index=0),
        "part skips an index": setting(PART, content_index=1),
        "summary part takes an index again": setting(SUMMARY, 1, summary_index=0),
        "content_index goes on from the item before (Z13)": setting(PART, 2, content_index=2),
        "delta with a wrong content_index": setting(TEXT, content_index=7),
        "delta with a wrong output_index": setting(TEXT, output_index=7),
        "delta with a wrong item_id": setting(TEXT, item_id="msg_2"),
        "delta with a wrong summary_index": setting(SUMMARY_TEXT, summary_index=7),
        "arguments with a wrong output_index": setting(f"{ARGUMENTS}.delta", output_index=0),
        "item.done with a wrong output_index": setting(DONE, 2, output_index=3),
    },
    "L8": {
        "an item after the incomplete one": setting_in(DONE, "item", 1, status="incomplete"),
        "completed with an incomplete item": setting_in(DONE, "item", 4, status="incomplete"),
        "incomplete and no reason": lambda events: events[-1].update(
            type="response.incomplete", response={**EVERYTHING, "status": "incomplete"}
        ),
    },
    "L9": {
        "item left out": lambda events: events[-1].update(response=ended(EVERYTHING["output"][:2])),
        "all items left out": lambda events: events[-1].update(response=ended([])),
        "item differs": lambda events: events[-1].update(response=ended([{**REASONING, "encrypted_content": "x"}])),
        "item never streamed": lambda events: events[-1].update(response=ended([*EVERYTHING["output"], OTHER])),
    },
    "Z12": {"arguments when the call opens": setting_in(ADDED, "item", 2, arguments="{}")},
}
CASES = [
    pytest.param(rule, change, id=f"{rule}-{name}") for rule, cases in BROKEN.items() for name, change in cases.items()
]


def broken(change: Change) -> list[Event]:
    """The stream of everything with a change; what was put in without a number is numbered with the rest."""
    events = [dict(event) for event in events_of(EVERYTHING)]
    change(events)
    return events if all("sequence_number" in event for event in events) else numbered(events)


@pytest.mark.parametrize(("rule", "change"), CASES)
def test_what_breaks_a_rule_is_a_deviation(rule: str, change: Change) -> None:
    accumulator = folded(broken(change))
    assert any(f"(rule {rule})" in deviation.reason for deviation in accumulator.deviations), accumulator.deviations
    assert texts(dumped(accumulator.close().output)) >= texts(EVERYTHING["output"])


@pytest.mark.parametrize(("rule", "change"), CASES)
def test_what_breaks_a_rule_is_an_error_with_strict(rule: str, change: Change) -> None:
    listed = folded(broken(change)).deviations
    with pytest.raises(StreamOrderError, match=r"\(rule [LSZ]\d+\)$") as raised:
        folded(broken(change), strict=True)
    first = listed[0]
    assert raised.value.message == f"{first.path}: {first.reason}"
    assert any(rule in deviation.reason for deviation in listed)
    assert (raised.value.response is None) == first.path.startswith("events[0]")


def test_numbers_that_are_all_the_same_are_listed_once() -> None:
    accumulator = folded([{**event, "sequence_number": 0} for event in events_of(EVERYTHING)])
    assert [deviation.path for deviation in accumulator.deviations] == ["events[1].sequence_number"]


def test_s3_numbers_that_rise_in_other_steps_are_listed_once() -> None:
    events = events_of(EVERYTHING)
    accumulator = folded([{**event, "sequence_number": 10 * event["sequence_number"]} for event in events])
    assert [deviation.path for deviation in accumulator.deviations] == ["events[1].sequence_number"]


def test_deviations_are_bounded() -> None:
    events = events_of(response_of(message(text("word " * 1500))))
    for event in events:
        event["sequence_number"] *= -1
    assert len(folded(events).deviations) == 1000


def test_an_event_that_is_not_applied_is_in_its_deviation() -> None:
    events = broken(repeating(TEXT))
    (deviation,) = folded(events).deviations
    assert deviation.path == f"events[{len(events) - 2}]"
    assert deviation.value == parse_event(json.dumps(events[-2]))


def test_index_of_parts_that_counts_deltas_does_not_tear_the_text() -> None:
    """As vLLM numbered the deltas of reasoning before its pull request 35184, and opened no part."""
    events = events_of(response_of(REASONING | {"content": [REASONING["content"][0]]}), reasoning=streams.OPENAI)
    kept = [event for event in events if event["type"] not in {PART, PART_DONE, TEXT_DONE}]
    for count, event in enumerate(event for event in kept if "content_index" in event):
        event["content_index"] = count
    accumulator = folded(numbered(kept[: position(kept, DONE)]))
    (item,) = dumped(accumulator.items())
    assert item["content"] == [REASONING["content"][0]]


def test_z3_reasoning_parts_of_vllm_are_content_parts() -> None:
    """As vLLM sends them since its pull request 24938."""
    events = events_of(response_of(REASONING), reasoning=streams.OPENAI)
    for event in events:
        event["type"] = event["type"].replace("content_part", "reasoning_part")
    accumulator = folded(events, strict=True)
    assert dumped(accumulator.items()) == [REASONING]


def test_ids_that_change_from_event_to_event_do_not_tear_items() -> None:
    events = events_of(EVERYTHING)
    for count, event in enumerate(events):
        if "item_id" in event:
            event["item_id"] = f"scrambled_{count}"
        if "item" in event:
            event["item"] = {**event["item"], "id": f"scrambled_{count}"}
    told = ended([{**item, "id": f"last_{at}"} for at, item in enumerate(EVERYTHING["output"])])
    accumulator = folded([*events[:-1], {**events[-1], "response": told}])
    assert accumulator.close().model_dump(mode="json") == told
    assert texts(dumped(accumulator.items())) == texts(EVERYTHING["output"])


def test_output_index_that_is_always_0_does_not_tear_items() -> None:
    events = [event | ({"output_index": 0} if "output_index" in event else {}) for event in events_of(EVERYTHING)]
    assert dumped(folded(events).items()) == EVERYTHING["output"]


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_l9_output_that_the_terminal_event_leaves_out_is_delivered(kept: int) -> None:
    events = events_of(EVERYTHING)
    events[-1]["response"] = ended(EVERYTHING["output"][len(EVERYTHING["output"]) - kept :])
    accumulator = folded(events)
    assert accumulator.close().model_dump(mode="json") == EVERYTHING
    snapshot = accumulator.snapshot()
    assert snapshot is accumulator.close()
    assert [deviation.path for deviation in accumulator.deviations] == [f"output[{at}]" for at in range(5 - kept)]


def test_l6_what_a_closing_event_leaves_empty_is_kept() -> None:
    events = events_of(EVERYTHING)
    for event in events:
        if event["type"] == TEXT_DONE:
            event["text"] = ""
        if "part" in event and event["part"]["type"] != "refusal":
            event["part"] = {**event["part"], "text": ""}
        if event["type"] == DONE:
            emptied = {name: type(value)() for name, value in event["item"].items() if name in {"content", "arguments"}}
            event["item"] = event["item"] | emptied
    assert dumped(folded(events).items()) == EVERYTHING["output"]


def test_z14_memory_grows_with_the_text_only() -> None:
    """Short strings take ten times the room of their text, so pieces of it cannot be kept apart for long."""
    *head, delta = read(events_of(response_of(message(text("a"))))[:5])

    def held(count: int) -> int:
        """Bytes that an accumulator holds after this many deltas of nine letters."""
        accumulator = ResponseAccumulator()
        for event in head:
            accumulator.add(event)
        tracemalloc.start()
        try:
            for at in range(count):
                accumulator.add(delta.model_copy(update={"sequence_number": 4 + at, "delta": f"{at:9}"}))
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert held(1_000) < 1_000 * 9 + 100_000
    assert held(100_000) < 100_000 * 9 * 1.1 + 100_000
