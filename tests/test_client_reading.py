"""What the client's reader makes of a stream: the same as `parse_event` of each event, one event at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openresponses_kit import EVENT_TYPES, StreamEvent, UnknownEvent, parse_event
from openresponses_kit._tolerance import DeviationWarning, Warner, deviations_of
from openresponses_kit.client.reading import EventReader
from openresponses_kit.errors import StreamDecodeError
from openresponses_kit.sse import DONE
from payloads import NEWEST, SPEC

DELTA = "response.output_text.delta"
LIMIT = 1 << 20


def examples() -> dict[str, dict[str, Any]]:
    schemas = json.loads((SPEC / NEWEST / "openapi.json").read_bytes())["components"]["schemas"]
    found = (each.get("example") or each["examples"][0] for name, each in schemas.items() if name in EVENT_CLASSES)
    return {example["type"]: example for example in found}


EVENT_CLASSES = {kind.__name__ for kind in EVENT_TYPES.values()}
EXAMPLES = examples()


def framed(event: dict[str, Any], name: str | None = None) -> bytes:
    return f"event: {name or event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def read(chunks: list[bytes]) -> list[StreamEvent]:
    reader = EventReader(Warner(), LIMIT)
    return [event for chunk in chunks for event in reader.feed(chunk)]


@pytest.mark.parametrize("name", EVENT_TYPES)
@pytest.mark.parametrize("size", [1, 7, LIMIT])
def test_event_is_what_parse_event_makes_of_it_the_first_time_and_later(name: str, size: int) -> None:
    """Deltas are read by their class's validator from the second on; nothing of them may be lost or added (N4)."""
    event = EXAMPLES[name] | {"acme_field": {"kept": True}}
    stream = framed(event) * 3 + DONE
    expected = parse_event(json.dumps(event))
    for found in (events := read([stream[at : at + size] for at in range(0, len(stream), size)])):
        assert type(found) is EVENT_TYPES[name]
        assert found == expected
        assert found.model_fields_set == expected.model_fields_set
        assert found.model_extra == expected.model_extra
    assert len(events) == 3


@pytest.mark.parametrize("actual", ["response.completed", "response.refusal.delta", "acme:progress"])
def test_event_line_that_names_a_delta_does_not_make_one_of_another_event(actual: str) -> None:
    """The `type` in the data counts (S1), also when the line's class was seen and its validator is at hand."""
    event = EXAMPLES.get(actual, {"type": "acme:progress", "sequence_number": 4})
    first, found, last = read([framed(EXAMPLES[DELTA]) + framed(event, DELTA) + framed(EXAMPLES[DELTA])])
    assert type(found) is EVENT_TYPES.get(actual, UnknownEvent)
    assert found == parse_event(json.dumps(event))
    assert type(first) is type(last) is EVENT_TYPES[DELTA]


def test_event_that_cannot_be_read_loses_none_before_it() -> None:
    """Events are read when they are asked for, though they came in one chunk."""
    reader = EventReader(Warner(), LIMIT)
    good = framed(EXAMPLES[DELTA])
    events = reader.feed(good * 4 + b"event: response.output_text.delta\ndata: {\n\n" + good)
    for _ in range(4):
        assert type(next(events)) is EVENT_TYPES[DELTA]
    with pytest.raises(StreamDecodeError):
        next(events)


def test_delta_that_lacks_a_field_is_mended_each_time() -> None:
    """A validator that is at hand takes nothing from the mending of what deviates (Z1)."""
    event = {key: value for key, value in EXAMPLES[DELTA].items() if key != "content_index"}
    with pytest.warns(DeviationWarning):
        found = read([framed(EXAMPLES[DELTA]), framed(event), framed(event)])
    assert [[each.path for each in deviations_of(one)] for one in found] == [[], ["content_index"], ["content_index"]]
