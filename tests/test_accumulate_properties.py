"""What holds for the fold of any stream: random responses, written as streams, whole, cut and disordered."""

from __future__ import annotations

from typing import Any

import pytest
from folds import dumped, folded, read, texts
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit import (
    ResponseAccumulator,
    ResponseResource,
    StreamInterruptedError,
    StreamOrderError,
)
from payloads import ANY_JSON, TEXTS, VENDOR_FIELDS, bounded
from streams import OPENAI, STANDARD, Event, events_of, numbered, response_of

LONG_TEXTS = st.lists(TEXTS, max_size=4).map("".join)
EXTRAS = st.dictionaries(VENDOR_FIELDS, ANY_JSON, max_size=1)
HOSTILE = st.dictionaries(
    st.sampled_from("content summary arguments annotations logprobs text refusal role item".split()),
    ANY_JSON,
    max_size=3,
)
"""Fields of vendors' objects that bear the names of fields of other objects."""


def objects(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    fixed = st.fixed_dictionaries({"type": st.just(kind), **fields})
    return st.builds(lambda extras, values: extras | values, EXTRAS, fixed)


def vendors(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    types = st.sampled_from(["acme:thing", "web_search_call"])
    return st.builds(
        lambda hostile, values: hostile | values, HOSTILE, st.fixed_dictionaries({"type": types, **fields})
    )


def optional(values: st.SearchStrategy[dict[str, Any]], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda given, more: given | more, values, st.fixed_dictionaries({}, optional=fields))


CITATIONS = objects("url_citation", url=TEXTS, title=TEXTS, start_index=st.integers(0, 9), end_index=st.integers(0, 9))
TOKENS = st.fixed_dictionaries(
    {
        "token": TEXTS,
        "logprob": st.floats(-20, 0),
        "bytes": st.lists(st.integers(0, 255), max_size=2),
        "top_logprobs": st.just([]),
    }
)
OUTPUT_TEXTS = optional(
    objects("output_text", text=LONG_TEXTS, annotations=st.lists(CITATIONS | vendors(), max_size=3)),
    logprobs=st.lists(TOKENS, min_size=1, max_size=4),
)
PARTS = (
    OUTPUT_TEXTS
    | objects("refusal", refusal=LONG_TEXTS)
    | objects("input_text", text=TEXTS)
    | objects("input_image", image_url=st.none(), detail=st.just("auto"))
    | vendors()
)
TRACES = st.lists(objects("reasoning_text", text=LONG_TEXTS), min_size=1, max_size=2)
DONE = st.just("completed")
ITEMS = st.one_of(
    optional(
        objects("message", status=DONE, role=st.just("assistant"), content=st.lists(PARTS, max_size=3)),
        phase=st.sampled_from(["commentary", "final_answer"]),
    ),
    optional(
        objects("reasoning", summary=st.lists(objects("summary_text", text=LONG_TEXTS), max_size=2)),
        content=TRACES,
        encrypted_content=TEXTS,
    ),
    objects("function_call", call_id=TEXTS, name=TEXTS, arguments=LONG_TEXTS, status=DONE),
    objects("function_call_output", call_id=TEXTS, output=TEXTS, status=DONE),
    objects("compaction", encrypted_content=TEXTS),
    vendors(status=st.sampled_from(["completed", "searching"])),
)
VENDORS = ("acme:progress", "keepalive", "response.acme")
UNKNOWN = st.builds(
    lambda hostile, name: hostile | {"type": name},
    st.dictionaries(st.sampled_from("item_id output_index content_index delta item response".split()), ANY_JSON),
    st.sampled_from(VENDORS),
)


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any]:
    output = [{**item, "id": f"item_{at}"} for at, item in enumerate(draw(st.lists(ITEMS, max_size=4)))]
    status = draw(st.sampled_from(["completed", "incomplete", "failed"]))
    if status == "incomplete" and output and output[-1]["type"] in {"message", "function_call"}:
        output[-1]["status"] = "incomplete"
    return response_of(*output, status=status, **draw(EXTRAS))


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Legal streams, with events of vendors in between."""
    size = draw(st.integers(1, 4))
    events = events_of(
        draw(responses()),
        cut=lambda text: [text[at : at + size] for at in range(0, len(text), size)],
        reasoning=draw(st.sampled_from([STANDARD, OPENAI])),
        is_queued=draw(st.booleans()),
    )
    for event in draw(st.lists(UNKNOWN, max_size=3)):
        events.insert(draw(st.integers(1, len(events) - 1)), event)
    return numbered(events, draw(st.integers(0, 1)))


@given(streams())
@bounded(150)
def test_l9_item_events_alone_make_the_output_of_the_terminal_event(events: list[Event]) -> None:
    response = events[-1]["response"]
    accumulator = folded(events[:-1], strict=True)
    assert dumped(accumulator.items()) == response["output"]
    for event in read(events[-1:]):
        accumulator.add(event)
    assert accumulator.deviations == []
    assert accumulator.close().model_dump(mode="json") == response


@given(streams())
@bounded(50)
def test_s7_every_beginning_of_a_stream_is_a_valid_response_and_is_not_taken_for_a_whole_one(
    events: list[Event],
) -> None:
    accumulator = ResponseAccumulator(strict=True)
    snapshots: list[tuple[ResponseResource, str]] = []
    for event in read(events[:-1]):
        accumulator.add(event)
        snapshot = accumulator.snapshot()
        assert snapshot is not None
        text = snapshot.model_dump_json()
        assert ResponseResource.model_validate_json(text) == snapshot
        snapshots.append((snapshot, text))
        if accumulator.error is None:
            with pytest.raises(StreamInterruptedError) as raised:
                accumulator.close()
            assert raised.value.response == snapshot
    assert [snapshot.model_dump_json() for snapshot, _ in snapshots] == [text for _, text in snapshots]


INDICES = ("output_index", "content_index", "summary_index", "annotation_index")


@st.composite
def disordered(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """A legal stream, and the same with one thing out of order."""
    events = draw(streams().filter(lambda events: events[-1]["response"]["output"]))
    at = draw(st.integers(0, len(events) - 2))
    other = [dict(event) for event in events]
    match draw(st.sampled_from(["drop", "repeat", "swap", "index", "number"])):
        case "drop":
            del other[at]
        case "repeat":
            other.insert(at, other[at])
        case "swap":
            other[at : at + 2] = reversed(other[at : at + 2])
        case "index":
            known = [event for event in other if event["type"] not in VENDORS]
            event, name = draw(st.sampled_from([(event, name) for event in known for name in INDICES if name in event]))
            event[name] = draw(st.integers(0, 6).filter(lambda index: index != event[name]))
        case _:
            number = other[at]["sequence_number"]
            other[at]["sequence_number"] = draw(st.integers(-3, 200).filter(lambda other: other != number))
    return events, other


@given(disordered())
@bounded(300)
def test_disorder_is_a_deviation_and_loses_nothing(both: tuple[list[Event], list[Event]]) -> None:
    events, other = both
    assert folded(other).deviations
    end, nothing = events[-1], {**events[-1]["response"], "output": []}
    emptied = [{**event, "response": nothing} if event["type"] == end["type"] else event for event in other]
    accumulator = folded(emptied)
    said = texts(events[-1]["response"]["output"])
    if accumulator.is_done:
        assert texts(dumped(accumulator.close().output)) >= said
    assert texts(dumped(accumulator.items())) >= said


@given(disordered())
@bounded(150)
def test_disorder_is_an_error_with_strict(both: tuple[list[Event], list[Event]]) -> None:
    _, other = both
    with pytest.raises(StreamOrderError, match=r"^(events|output)\[\d+\].* \(rule [LSZ]\d+\)$"):
        folded(other, strict=True)
