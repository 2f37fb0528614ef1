"""What faults are made of: changes to JSON, to events, to requests and answers.

A fault recognises the exchanges that it is meant for by markers: texts that stand in what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from conform_wire import DONE, Exchange, Fault, Json, sse

Change = Callable[[Any], None]
"""Changes a JSON value in place."""
EventsChange = Callable[[list[Json]], list[Any] | None]
"""Changes events in place, or gives others, or frames, in their stead."""

NEVER = "\0"
"""A text that no request holds."""


# --- JSON ---


def put(*path: str | int, **fields: Any) -> Change:
    """Sets fields of the object at a path."""
    return lambda value: _at(value, path).update(fields)


def drop(*path: str | int) -> Change:
    """Takes away what is at a path."""

    def change(value: Any) -> None:
        del _at(value, path[:-1])[path[-1]]

    return change


def add(*path: str | int, element: Any, first: bool = False) -> Change:
    """Puts an element at the end of the list at a path, or at its beginning."""

    def change(value: Any) -> None:
        found = _at(value, path)
        found.insert(0 if first else len(found), element)

    return change


def become(other: Any) -> Change:
    """Makes an object another one."""

    def change(value: Json) -> None:
        value.clear()
        value.update(other)

    return change


def _at(value: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


# --- events ---


def of(events: Iterable[Json], kind: str) -> list[Json]:
    """The events of a type."""
    return [event for event in events if event["type"] == kind]


def on(kind: str, change: Change, *, only: int | None = None) -> EventsChange:
    """Changes all events of a type, or only one of them."""

    def changed(events: list[Json]) -> None:
        found = of(events, kind)
        for event in found if only is None else [found[only]]:
            change(event)

    return changed


def having(field: str, change: Change) -> EventsChange:
    """Changes all events that have a field."""

    def changed(events: list[Json]) -> None:
        for event in events:
            if field in event:
                change(event)

    return changed


def closing(change: Change) -> EventsChange:
    """Changes the last item, both as it was closed and in the terminal event."""

    def changed(events: list[Json]) -> None:
        for item in (of(events, "response.output_item.done")[-1]["item"], events[-1]["response"]["output"][-1]):
            change(item)

    return changed


def without(kind: str) -> EventsChange:
    """Leaves out the events of a type."""
    return lambda events: [event for event in events if event["type"] != kind]


def insert(after: str, event: Json | Callable[[list[Json]], Json]) -> EventsChange:
    """Puts an event after the first one of a type."""

    def changed(events: list[Json]) -> list[Json]:
        at = events.index(of(events, after)[0]) + 1
        return [*events[:at], dict(event(events) if callable(event) else event), *events[at:]]

    return changed


def like(kind: str, **fields: Any) -> Callable[[list[Json]], Json]:
    """An event like the first one of a type."""
    return lambda events: {**of(events, kind)[0], **fields}


def replace(old: str, new: str) -> EventsChange:
    """Replaces a text in the JSON of all events."""
    return lambda events: json.loads(json.dumps(events).replace(old, new))


# --- requests and answers ---


def is_meant(exchange: Exchange, *markers: str, but: str = NEVER) -> bool:
    """Whether a request holds all the markers, and not the other text."""
    text = f"{exchange.method} {exchange.path} {exchange.headers}\n{exchange.sent}\n"
    return all(each in text for each in markers) and but not in text


def refuse(exchange: Exchange, status: int = 400) -> None:
    """Answer with an error by the rules."""
    kind = "not_found" if status == 404 else "invalid_request"
    exchange.answer({"error": {"message": "no", "type": kind, "param": None, "code": None}}, status)


def refusing(*markers: str, but: str = NEVER, status: int = 400) -> Fault:
    """Refuses requests."""

    def answer(exchange: Exchange) -> None:
        if is_meant(exchange, *markers, but=but):
            refuse(exchange, status)

    return Fault(answer=answer)


def accepting(*markers: str, but: str = NEVER, path: str = "/v1/responses") -> Fault:
    """Answers bad requests as if they were good ones."""

    def request(exchange: Exchange) -> None:
        if is_meant(exchange, *markers, but=but) and exchange.path == path:
            stream = '"stream": true' in exchange.sent
            exchange.body = json.dumps({"input": "Say hello.", "model": "m", "stream": stream}).encode()

    return Fault(request=request)


def answering(marker: str, change: Change, *, but: str = NEVER, status: int = 200) -> Fault:
    """Changes the JSON of answers with a status."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_json and exchange.status == status and is_meant(exchange, marker, but=but):
            value = exchange.json
            change(value)
            exchange.answer(value, status)

    return Fault(answer=answer)


def streaming(marker: str, change: EventsChange, *, renumber: bool = True) -> Fault:
    """Changes the events of streams."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_stream and is_meant(exchange, marker):
            given = exchange.events
            events = change(given) or given
            for number, event in enumerate(events if renumber else ()):
                event["sequence_number"] = number
            exchange.pieces = [*map(sse, events), DONE]

    return Fault(answer=answer)


def framing(marker: str, change: Callable[[list[bytes]], list[bytes]]) -> Fault:
    """Changes the writes of streams."""

    def answer(exchange: Exchange) -> None:
        if exchange.is_stream and is_meant(exchange, marker):
            exchange.pieces = change([*map(sse, exchange.events), DONE])

    return Fault(answer=answer)


def turning(marker: str, change: EventsChange) -> Fault:
    """Changes the events that answer frames."""

    def turn(frame: str, events: list[Json]) -> Any:
        return (change(events) or events) if marker in frame else events

    return Fault(turn=turn)


def deaf_to(field: str, marker: str) -> Fault:
    """Reads frames as if a field were not in them."""

    def frame(text: str) -> str:
        if marker not in text:
            return text
        kept = {name: value for name, value in json.loads(text).items() if name != field}
        return json.dumps(kept, ensure_ascii=False)

    return Fault(frame=frame)
