"""Folding the events of a stream: every family, and every way a stream can end.

They protect that the fold makes what the server said, in memory and time that do not depend on how it was cut into
deltas, and that a stream that was cut is never taken for a whole answer.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import streams
from folds import CALL, CITATION, EVERYTHING, ITEMS, LOGPROBS, REASONING, SEARCH, dumped, folded, position, read, until
from openresponses_kit import (
    ResponseAccumulator,
    ResponseReasoningDeltaStreamingEvent,
    ResponseResource,
    StreamFailedError,
    StreamInterruptedError,
    UnknownEvent,
    fold,
)
from openresponses_kit._families import normalised
from streams import Event, events_of, message, numbered, response_of, text


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


def test_z3_reasoning_parts_of_vllm_are_content_parts() -> None:
    """As vLLM sends them since its pull request 24938."""
    events = events_of(response_of(REASONING), reasoning=streams.OPENAI)
    for event in events:
        event["type"] = event["type"].replace("content_part", "reasoning_part")
    accumulator = folded(events, strict=True)
    assert dumped(accumulator.items()) == [REASONING]


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


def test_n3_parts_of_an_item_of_a_vendor_are_folded_into_it() -> None:
    events = events_of(response_of(message(text("Found A."), id="as_1")))
    opened = {**SEARCH, "status": "searching"}
    filling = [{**events[2], "item": opened}, *until(events[3:], "response.output_item.done")]
    accumulator = folded(numbered([*events[:2], *filling]), strict=True)
    assert dumped(accumulator.items()) == [{**opened, "content": [text("Found A.")]}]


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


def test_l2_log_probabilities_may_come_with_the_whole_text_only() -> None:
    events = events_of(response_of(message(text("To day", logprobs=LOGPROBS[:2]))))
    for event in events:
        if event["type"] == "response.output_text.delta":
            del event["logprobs"]
    (item,) = dumped(folded(until(events, "response.content_part.done"), strict=True).items())
    assert item["content"] == [text("To day", logprobs=LOGPROBS[:2])]


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
