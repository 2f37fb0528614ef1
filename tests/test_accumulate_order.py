"""What breaks a rule of order: it is listed, or an error with `strict`, and loses nothing of what the server told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import streams
from folds import (
    CALL,
    CITATION,
    EVERYTHING,
    LOGPROBS,
    OTHER,
    REASONING,
    dumped,
    ended,
    folded,
    position,
    texts,
    until,
)
from openresponses_kit import StreamOrderError, parse_event
from streams import Event, events_of, message, numbered, response_of, text

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
OTHER_DELTA = {"type": TEXT, "output_index": 1, "item_id": "msg_1", "content_index": 0, "delta": "x"}
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
        "delta after text.done": lambda events: events.insert(position(events, TEXT_DONE) + 1, OTHER_DELTA),
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
        "delta right after the item": lambda events: events.insert(
            position(events, DONE, 1) + 1, {**OTHER_DELTA, "content_index": 1, "type": "response.refusal.delta"}
        ),
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


def swapped(events: list[Event], name: str, nth: int = 0) -> list[Event]:
    """The events, the nth of a type after the one that follows it."""
    at = position(events, name, nth)
    return [*events[:at], events[at + 1], events[at], *events[at + 2 :]]


NOTES = [CITATION, {**CITATION, "title": "B"}]
TWO_NOTES = message(text("To day", annotations=NOTES, logprobs=LOGPROBS[:2], **{"acme:trace": 1}), phase="commentary")
TWO_CALLS = [{**CALL, "id": name, "arguments": ""} for name in ("fc_1", "fc_2")]
OPEN_NOTES, OPEN_CALLS = events_of(response_of(TWO_NOTES)), events_of(response_of(*TWO_CALLS))
NOTED = position(OPEN_NOTES, NOTE)
CUT: dict[str, tuple[list[Event], list[dict[str, Any]]]] = {
    "a part after its delta": (until(swapped(OPEN_NOTES, PART), TEXT_DONE), [TWO_NOTES]),
    "an item after its part": (until(swapped(OPEN_NOTES, ADDED), TEXT_DONE), [TWO_NOTES]),
    "a part with a text of its own after its delta": (
        [
            event | ({"part": text("Hm. ", annotations=NOTES[:1])} if event["type"] == PART else {})
            for event in until(swapped(OPEN_NOTES, PART), NOTE)
        ],
        [{**TWO_NOTES, "content": [text("Hm. To day", annotations=NOTES[:1], logprobs=LOGPROBS[:2])]}],
    ),
    "a delta after the whole text": (
        [*until(OPEN_NOTES, PART_DONE), OPEN_NOTES[position(OPEN_NOTES, TEXT)]], [TWO_NOTES]
    ),
    "annotations the other way round": (until(swapped(OPEN_NOTES, NOTE), TEXT_DONE), [TWO_NOTES]),
    "null in place of an annotation": (
        [*OPEN_NOTES[:NOTED], OPEN_NOTES[NOTED] | {"annotation": None}, OPEN_NOTES[NOTED + 1]],
        [{**TWO_NOTES, "content": [{**TWO_NOTES["content"][0], "annotations": NOTES[1:]}]}],
    ),
    "annotations with one index": (
        [event | ({"annotation_index": 0} if event["type"] == NOTE else {}) for event in until(OPEN_NOTES, TEXT_DONE)],
        [TWO_NOTES],
    ),
    "part.done with a wrong index": (
        [event | ({"content_index": 4} if event["type"] == PART_DONE else {}) for event in until(OPEN_NOTES, DONE)],
        [TWO_NOTES],
    ),
    "items the other way round": (
        [*OPEN_CALLS[:2], *(OPEN_CALLS[position(OPEN_CALLS, ADDED, nth)] for nth in (1, 0))], TWO_CALLS
    ),
    "an item at the index of one that is closed": (
        [*events_of(response_of(TWO_NOTES))[:-1], {**OPEN_CALLS[3], "item_id": "fc_2", "arguments": ""}],
        [TWO_NOTES, {**TWO_CALLS[1], "call_id": "", "name": ""}],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "output"), CUT.values(), ids=CUT)
def test_disorder_before_a_cut_loses_nothing(events: list[Event], output: list[dict[str, Any]]) -> None:
    accumulator = folded(numbered(events))
    assert accumulator.deviations
    assert [{**item, "status": ""} for item in dumped(accumulator.items())] == [
        {**item, "status": ""} for item in output
    ]


def test_l6_a_delta_after_an_item_is_a_deviation_where_it_stands() -> None:
    events = events_of(response_of(CALL))
    at = position(events, DONE)
    accumulator = folded(numbered([*events[: at - 1], events[at], events[at - 2]]))
    assert accumulator.deviations[-1].path == f"events[{at}]"
    assert "(rule L6)" in accumulator.deviations[-1].reason
    assert dumped(accumulator.items()) == [CALL]


def test_a_deviation_holds_what_the_server_told() -> None:
    accumulator = folded(broken(setting_in(DONE, "item", 1, content=[])))
    (deviation,) = accumulator.deviations
    assert deviation.path.endswith("].item.content")
    assert deviation.value == []


def test_s4_the_first_end_counts() -> None:
    events = events_of(EVERYTHING)
    accumulator = folded(numbered([*events, {**events[-1], "response": {**EVERYTHING, "id": "resp_2"}}]))
    assert accumulator.close().model_dump(mode="json") == EVERYTHING


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
