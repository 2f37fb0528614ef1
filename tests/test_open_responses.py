"""What a server sends is open (N3, N4, Z18): whatever this package does not know is kept, at any depth.

What it does know is checked, and refused with the errors of that one thing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import openresponses_kit as kit
import pytest
from changes import Unknown, at, replaced, sample, unknowns, with_unknown
from hypothesis import given
from hypothesis import strategies as st
from payloads import ANY_JSON, NEWEST, RELEASES, TEXTS, Component, bounded, component, components, same_json
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from conftest import Reader

Readers = Callable[..., "Reader"]
Packages = Callable[[str], ModuleType]

EVENTS = [component(each.__name__) for each in kit.EVENT_TYPES.values()]
WHOLE = [each for each in components(NEWEST) if each.side == "response" and not each.is_enum]
TYPES = ("acme:thing", "web_search_call", "Message", "", "neu:größe")
"""Types that no union knows: a vendor's, an unprefixed one as in the field (Z18), and odd ones."""
THING = {"type": "acme:thing", "id": "x_1", "status": "searching", "acme:query": {"b": [1, None, {"c": 0.5}], "a": ""}}
UNIONS = {
    "ItemField": "UnknownItem",
    "MessageContent": "UnknownContentPart",
    "ContentPart": "UnknownContentPart",
    "FunctionOutputContent": "UnknownContentPart",
    "Annotation": "UnknownAnnotation",
    "Tool": "UnknownTool",
    "ToolChoice": "UnknownToolChoice",
    "StructuredToolChoice": "UnknownToolChoice",
    "AllowedTool": "UnknownToolChoice",
    "TextFormat": "UnknownTextFormat",
    "StreamEvent": "UnknownEvent",
}
ERROR = {"type": "server_error", "code": None, "message": "no", "param": None}


def wire(event: Any) -> Any:
    return json.loads(event.model_dump_json())


def errors(read: Callable[[Any], Any], payload: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """The errors of a payload that is refused, each by its path and kind."""
    with pytest.raises(ValidationError) as refusal:
        read(payload)
    return [(line["loc"], line["type"]) for line in refusal.value.errors(include_url=False)]


# What is unknown is kept.


@pytest.mark.parametrize("type_", TYPES[:2])
@pytest.mark.parametrize("each", WHOLE, ids=str)
def test_n3_n4_unknown_things_survive_at_each_place(each: Component, type_: str, reader: Readers) -> None:
    """One unknown thing at a time, at every place of a payload that has every property and every variant."""
    read = reader(each.symbol)
    payload = sample(each, deep=True)
    for thing in unknowns(each, payload, {**THING, "type": type_}, "new value"):
        changed = with_unknown(payload, [thing])
        parsed = read.parse_json(json.dumps(changed))
        assert same_json(read.dump_json(parsed), changed), thing.pointer
        assert same_json(read.dump(parsed), changed), thing.pointer


@pytest.mark.parametrize("release", RELEASES)
def test_n3_n4_unknown_things_survive_everywhere_at_once(release: str, reader: Readers) -> None:
    for each in components(release):
        if each.side == "response" and not each.is_enum:
            read = reader(each.symbol, release)
            payload = sample(each, deep=True)
            found = [thing for thing in unknowns(each, payload, THING, "new value") if thing.kind != "variant"]
            changed = with_unknown(payload, found)
            assert same_json(read.dump_json(read.parse_json(json.dumps(changed))), changed), each.name


@st.composite
def payloads_with_unknown_things(draw: st.DrawFn, each: Component) -> Any:
    payload = draw(each.payloads)
    types = TEXTS.filter(lambda text: text not in KNOWN_TYPES)
    thing = draw(st.dictionaries(TEXTS, ANY_JSON, max_size=3)) | {"type": draw(st.sampled_from(TYPES) | types)}
    every = list(unknowns(each, payload, thing, draw(TEXTS)))
    chosen = draw(st.lists(st.sampled_from(every), max_size=6, unique_by=lambda each: each.pointer)) if every else []
    if type(payload) is dict and each.name.endswith("Event"):
        chosen = [thing for thing in chosen if thing.pointer]
    return with_unknown(payload, chosen)


KNOWN_TYPES = {
    option.constants.get("type")
    for release in RELEASES
    for each in components(release)
    for option in each.options
}  # fmt: skip


@bounded(150)
@given(payloads_with_unknown_things(component("ResponseResource")))
def test_n3_n4_unknown_things_survive_in_a_response(payload: Any) -> None:
    parsed = kit.ResponseResource.model_validate_json(json.dumps(payload))
    assert same_json(wire(parsed), payload)
    assert same_json(kit.ResponseResource.model_validate(payload).model_dump(mode="json"), payload)


@bounded(250)
@given(st.sampled_from(EVENTS).flatmap(payloads_with_unknown_things))
def test_n3_n4_unknown_things_survive_in_known_events(payload: Any) -> None:
    parsed = kit.parse_event(json.dumps(payload))
    assert type(parsed) is kit.EVENT_TYPES[payload["type"]]
    assert same_json(wire(parsed), payload)
    assert same_json(parsed.model_dump(mode="json"), payload)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(("union", "unknown"), UNIONS.items())
def test_n3_each_union_keeps_unknown_variants_as_such(union: str, unknown: str, type_: str) -> None:
    """A variant that is not known is an object with a type, whose fields can be read."""
    parsed: Any = TypeAdapter(getattr(kit, union)).validate_python({**THING, "type": type_})
    assert type(parsed).__name__ == unknown
    assert parsed.type == type_
    assert parsed.status == THING["status"]
    assert parsed.model_extra == {key: value for key, value in THING.items() if key != "type"}


def test_n3_unknown_json_is_kept_at_a_hundred_levels() -> None:
    deep: Any = 1
    for level in range(100):
        deep = {"a": deep} if level % 2 else [deep]
    for payload in ({"type": "acme:deep", "value": deep}, {**sample(component("ErrorStreamingEvent")), "x": deep}):
        assert wire(kit.parse_event(json.dumps(payload))) == payload


@pytest.mark.parametrize("number", ["1e400", '{"a": [-1e400]}'])
def test_n3_a_number_beyond_a_double_never_becomes_null(number: str) -> None:
    """It is legal JSON: kept or refused, but not another value."""
    try:
        parsed = kit.parse_event(f'{{"type": "acme:n", "value": {number}}}')
    except ValidationError:
        return
    assert "null" not in parsed.model_dump_json()


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
def test_n3_what_is_dumped_is_json(number: str) -> None:
    """`Infinity` and `NaN` are no JSON: what reads as one of them is refused, or kept in another way."""
    try:
        parsed = kit.parse_event(f'{{"type": "acme:n", "value": [{number}]}}')
    except ValidationError:
        return
    json.loads(parsed.model_dump_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("each", WHOLE, ids=str)
def test_n4_a_field_named_like_a_python_attribute_is_unknown(each: Component, package: Packages) -> None:
    """The name that a field has in Python is no name on the wire: `object_` is a new field, and is not `object`."""
    model = getattr(package(NEWEST), each.symbol)
    for name, info in getattr(model, "model_fields", {}).items():
        if info.alias is not None:
            payload = sample(each)
            added = {**payload, name: THING}
            assert wire(model.model_validate_json(json.dumps(added))) == added
            renamed = {(name if key == info.alias else key): value for key, value in payload.items()}
            assert errors(model.model_validate_json, json.dumps(renamed)) == [((info.alias,), "missing")]


# Events.


@pytest.mark.parametrize("each", EVENTS, ids=lambda each: each.name)
def test_parse_event_reads_bytes_and_text(each: Component) -> None:
    payload = sample(each)
    text = json.dumps(payload, ensure_ascii=False)
    for parsed in (kit.parse_event(text), kit.parse_event(text.encode()), kit.parse_event(f" {text}\n")):
        assert type(parsed).__name__ == each.name
        assert wire(parsed) == payload


def test_z3_event_types_are_those_of_the_schema() -> None:
    stream = component("ResponseResource").document.root["paths"]["/responses"]["post"]["responses"]["200"]["content"]
    names = [member["$ref"].rpartition("/")[2] for member in stream["text/event-stream"]["schema"]["oneOf"]]
    types = {component(name).options[0].constants["type"]: name for name in names}
    assert {type_: event.__name__ for type_, event in kit.EVENT_TYPES.items()} == types
    assert {"response.reasoning.delta", "response.reasoning_summary_text.delta"} <= types.keys()


def test_s4_which_events_are_terminal_and_which_are_deltas() -> None:
    terminal = {type_ for type_, event in kit.EVENT_TYPES.items() if event.is_terminal}
    deltas = {type_ for type_, event in kit.EVENT_TYPES.items() if event.is_delta}
    assert terminal == {"response.completed", "response.incomplete", "response.failed"}
    assert deltas == {type_ for type_ in kit.EVENT_TYPES if type_.endswith(".delta")}
    assert len(deltas) == 5
    assert "response" in kit.EVENT_TYPES["response.failed"].model_fields
    unknown = kit.parse_event('{"type": "acme:text.delta", "is_terminal": true}')
    assert (unknown.is_delta, unknown.is_terminal) == (False, False)
    assert wire(unknown) == {"type": "acme:text.delta", "is_terminal": True}


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"sequence_number": 7}, 7),
        ({"sequence_number": 0}, 0),
        ({}, None),
        ({"sequence_number": None}, None),
        ({"sequence_number": "7"}, None),
        ({"sequence_number": 7.5}, None),
        ({"sequence_number": True}, None),
    ],
)
def test_s3_unknown_events_have_the_sequence_number_that_they_were_given(fields: dict[str, Any], number: int) -> None:
    payload = {"type": "acme:progress", "percent": 12.5, **fields}
    event = kit.parse_event(json.dumps(payload))
    assert isinstance(event, kit.UnknownEvent)
    assert event.sequence_number == number
    assert not isinstance(event.sequence_number, bool)
    assert wire(event) == payload


@pytest.mark.parametrize(
    "text", ["", "x", "{", "null", "[]", '"response.created"', "{}", '{"type": null}', '{"type": 5}']
)
def test_what_is_no_event_is_refused(text: str) -> None:
    assert len(errors(kit.parse_event, text)) == 1
    assert len(errors(kit.parse_event, text.encode())) == 1


@pytest.mark.parametrize("data", [b"\xff", b'{"type": "acme:x", "v": "\xff"}', b'\xef\xbb\xbf{"type": "acme:x"}'])
def test_text_that_is_no_utf_8_json_is_refused(data: bytes) -> None:
    """A byte order mark belongs to the stream, not to an event (S6)."""
    errors(kit.parse_event, data)


def test_z10_errors_of_a_stream_and_of_a_websocket_are_told_apart() -> None:
    """Both have the type `error`; `sequence_number` is the stream's, `status` the WebSocket's."""
    streamed = {"type": "error", "sequence_number": 3, "error": ERROR}
    frame = {"type": "error", "status": 400, "error": {"code": "x", "message": "no", "param": None}}
    assert isinstance(kit.parse_event(json.dumps(streamed)), kit.ErrorStreamingEvent)
    assert wire(kit.WebSocketErrorEvent.model_validate(frame)) == frame
    assert ((("status",), "missing")) in errors(kit.WebSocketErrorEvent.model_validate, streamed)
    assert ((("sequence_number",), "missing")) in errors(kit.ErrorStreamingEvent.model_validate, frame)
    with_status = {**streamed, "status": 500}
    assert wire(kit.parse_event(json.dumps(with_status))) == with_status
    errors(kit.parse_event, json.dumps(frame))


def stream() -> list[dict[str, Any]]:
    """A legal stream (S4): each event with every property, and events of vendors in between."""
    order = sorted(EVENTS, key=lambda each: (kit.EVENT_TYPES[tag(each)].is_terminal, tag(each) != "response.created"))
    events = [sample(each, deep=True) for each in order if tag(each) not in {"response.failed", "response.incomplete"}]
    vendors = [{"type": "acme:progress", "percent": 1}, {**THING, "sequence_number": 0}, {"type": "response.new.delta"}]
    events = [events[0], *vendors, *events[1:-1], *vendors, events[-1]]
    return [{**event, "sequence_number": n} if "sequence_number" in event else event for n, event in enumerate(events)]


def tag(each: Component) -> str:
    return each.options[0].constants["type"]


def test_n3_a_stream_with_unknown_things_at_every_depth_is_read_event_by_event() -> None:
    read: list[Any] = []
    for payload in stream():
        known = kit.EVENT_TYPES.get(payload["type"])
        things: list[Unknown] = []
        if known is not None:
            things = list(unknowns(component(known.__name__), payload, THING, "new value"))
            # An item takes the place of another one only where nothing was put into that one.
            things = [thing for thing in things if thing.kind != "variant"]
        changed = with_unknown(payload, things)
        event = kit.parse_event(json.dumps(changed).encode())
        assert type(event) is (known or kit.UnknownEvent)
        assert same_json(wire(event), changed)
        read.append(event)
    assert [event.is_terminal for event in read] == [False] * (len(read) - 1) + [True]
    numbers = [event.sequence_number for event in read if event.sequence_number is not None]
    assert len(read) - len(numbers) == 4
    assert sorted(numbers) == numbers


def test_n3_items_of_a_stream_are_what_they_are() -> None:
    """An item of a vendor inside a known event is an `UnknownItem`, its neighbours are what they were."""
    payload = sample(component("ResponseCompletedStreamingEvent"), deep=True)
    output = at(payload, ("response", "output"))
    changed = replaced(payload, ("response", "output"), [THING, *output, THING])
    event = kit.parse_event(json.dumps(changed))
    assert isinstance(event, kit.ResponseCompletedStreamingEvent)
    kinds = [type(item) for item in event.response.output]
    assert kinds[0] is kinds[-1] is kit.UnknownItem
    assert kinds[1:-1] == [kit.Message, kit.FunctionCall, kit.FunctionCallOutput, kit.ReasoningBody, kit.CompactionBody]
