"""Responses that tests write: a sink that records, terms, and what has to hold of every stream that comes out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from payloads import component, document
from streams import Event, response_of

Program = Callable[[Any], Awaitable[None]]
"""Writes a response, as `respond` of a service does."""

_OWN = "id object created_at completed_at status incomplete_details output error usage".split()
ECHO = json.dumps({name: value for name, value in response_of().items() if name not in _OWN})[1:-1].encode()
CITATION = {"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 4, "title": "A"}
TOKEN = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
_MADE_ID = re.compile(r"\b(msg|rs|fc|call|item|cmp)_[0-9a-f]{32}\b")


class Recorder:
    """A sink that keeps what it was given, and fails where it is told to.

    Args:
        cancels_at: At which event the task is cancelled, as the event is taken already.
        breaks_at: From which event on nothing can be sent.
        pauses: Whether other tasks get their turn with every event.
    """

    def __init__(self, *, cancels_at: int = -1, breaks_at: int | None = None, pauses: bool = False) -> None:
        self.sent: list[bytes] = []
        self.cancels_at = cancels_at
        self._breaks_at = breaks_at
        self._pauses = pauses

    def frame(self, event_type: str) -> tuple[bytes, bytes]:
        return f"event: {event_type}\ndata: ".encode(), b"\n\n"

    async def send(self, event: bytes) -> None:
        if self._breaks_at is not None and len(self.sent) >= self._breaks_at:
            raise ConnectionResetError("the client is gone")
        self.sent.append(event)
        if len(self.sent) - 1 == self.cancels_at:
            raise asyncio.CancelledError
        if self._pauses:
            await asyncio.sleep(0)


@dataclass
class Limits:
    """Which calls a request allows: any but those of `forbidden`."""

    required: bool = False
    error: type[Exception] | None = None

    def check(self, name: str) -> None:
        if name == "forbidden" and self.error is not None:
            raise self.error(f"{name!r} may not be called", "X6")


@dataclass
class Kit:
    """The server half of a package, and what is asked of what it writes."""

    package: ModuleType
    release: str
    writer: ModuleType = field(init=False)
    errors: ModuleType = field(init=False)

    def __post_init__(self) -> None:
        self.writer = import_module(f"{self.package.__name__}.server.writer")
        self.errors = import_module(f"{self.package.__name__}.server.errors")

    def out(self, sink: Recorder | None, *, required: bool = False, **terms: Any) -> Any:
        limits = Limits(required, self.errors.WriterError)
        opening = self.writer.Opening(id="resp_1", created_at=1767225600, echo=ECHO, context=[], calls=limits, **terms)
        return self.writer.ResponseWriter(opening, sink)

    async def run(self, out: Any, program: Program) -> Exception | None:
        """Do what the core of a server does. Returns the error that the program failed with."""
        failure = None
        try:
            await program(out)
            await out.finish()
        except Exception as error:
            failure = error
            await out.abandon()
        await out.end(self.errors.ServerError("it broke") if failure is not None else None)
        return failure

    def written(self, program: Program, **terms: Any) -> list[Event]:
        """The events of a program that is legal; the answer in one piece is the same."""
        sink = Recorder()
        whole = self.out(None, **terms)
        for out in (self.out(sink, **terms), whole):
            assert asyncio.run(self.run(out, program)) is None
        events = self.checked(sink.sent)
        assert normal(json.loads(whole.body())) == normal(events[-1]["response"])
        return events

    def checked(self, sent: Iterable[bytes]) -> list[Event]:
        """The events of a stream that was written to its end, once they keep every rule of S and L."""
        events = self.begun(sent)
        *others, terminal = events
        accumulator = self.package.ResponseAccumulator(strict=True)
        for event in others:
            accumulator.add(self.package.parse_event(json.dumps(event)))
        folded = [item.model_dump(mode="json") for item in accumulator.items()]
        assert folded == terminal["response"]["output"], "L9"
        accumulator.add(self.package.parse_event(json.dumps(terminal)))
        assert accumulator.close().model_dump(mode="json") == terminal["response"]
        assert not accumulator.deviations
        self._check_end(events)
        return events

    def begun(self, sent: Iterable[bytes]) -> list[Event]:
        """The events of a stream as far as it came, once each of them keeps the rules."""
        events = [_framed(each) for each in sent]
        assert [event["sequence_number"] for event in events] == list(range(len(events))), "S3"
        for event in events:
            self._check_schema(event)
        _check_nesting(events)
        return events

    def _check_end(self, events: list[Event]) -> None:
        *others, terminal = events
        response = terminal["response"]
        assert terminal["type"] == f"response.{response['status']}", "S4"
        assert events[0]["type"] == "response.created", "S4"
        assert [event["type"] for event in others].count("response.in_progress") == 1, "S4"
        errors = [at for at, event in enumerate(events) if event["type"] == "error"]
        assert errors == ([len(events) - 2] if response["status"] == "failed" else []), "S5"
        assert (response["error"] is not None) == (response["status"] == "failed"), "S5"
        opened = [event["type"] for event in events].count("response.output_item.added")
        assert opened == len(response["output"]), "L6"
        statuses = [item.get("status") for item in response["output"]]
        assert set(statuses) <= {"completed", "incomplete", None}, "L6"
        assert "incomplete" not in statuses[:-1], "L8"
        if "incomplete" in statuses:
            assert response["status"] in {"incomplete", "failed"}, "L8"
        assert (response["incomplete_details"] is not None) == (response["status"] == "incomplete"), "L8"
        assert isinstance(response["completed_at"], int) == (response["status"] == "completed"), "Z2"

    def _check_schema(self, event: Event) -> None:
        name = _schemas(self.release).get(event["type"])
        if name is None:
            assert ":" in event["type"], f"{event['type']} is no event of the standard"
            return
        errors = [error.message for error in component(name, self.release).validator.iter_errors(_core(event))]
        assert not errors, (event, errors)


def _framed(sent: bytes) -> Event:
    """The event in one write (rules S1, S8)."""
    head, data, *rest = sent.decode().split("\n")
    assert rest == ["", ""], "S8"
    assert data.startswith("data: "), "S1"
    event: Event = json.loads(data.removeprefix("data: "), parse_constant=_refuse)
    assert head == f"event: {event['type']}", "S1"
    return event


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@cache
def _schemas(release: str) -> dict[str, str]:
    """The components of events, by the name of the event."""
    schemas = document(release).schemas.items()
    return {each["properties"]["type"]["enum"][0]: name for name, each in schemas if name.endswith("StreamingEvent")}


_CORE_PARTS: dict[str, Any] = {"part": {"type": "refusal", "refusal": ""}, "tool_choice": "auto"}
"""What stands for what a vendor adds where nothing cannot be."""


def _core(value: Any) -> Any:
    """A value without what vendors add to the unions of the spec, which the spec's own schemas are closed to."""
    if isinstance(value, dict):
        return {name: _CORE_PARTS.get(name) if _is_added(each) else _core(each) for name, each in value.items()}
    return [_core(each) for each in value if not _is_added(each)] if isinstance(value, list) else value


def _is_added(value: Any) -> bool:
    return isinstance(value, dict) and ":" in str(value.get("type"))


_OPENS = {"response.content_part.added": "content_index", "response.reasoning_summary_part.added": "summary_index"}
_CLOSES = {"response.content_part.done": "content_index", "response.reasoning_summary_part.done": "summary_index"}
_WHOLE = {"response.output_text.done", "response.refusal.done", "response.reasoning.done"}


def _check_nesting(events: list[Event]) -> None:
    """One item at a time, one part in it, every event where it belongs (rules L1 to L7).

    Items of vendors may be open side by side.
    """
    item: Event | None = None
    beside: dict[int, str] = {}
    part: tuple[str, int] | None = None
    count, counts = 0, dict[str, int]()
    for event in events:
        kind = event["type"]
        if kind == "response.output_item.added":
            assert item is None, "L1"
            assert event["output_index"] == count, "L7"
            if ":" in event["item"]["type"]:
                beside[count] = event["item"]["id"]
            else:
                assert not beside, "L1"
                item = event["item"]
            count, counts = count + 1, {}
        elif kind == "response.output_item.done" and event["output_index"] in beside:
            assert event["item"]["id"] == beside.pop(event["output_index"]), "L6"
        elif kind == "response.output_item.done":
            assert item is not None, "L6"
            assert part is None, "L2"
            assert event["item"]["id"] == item["id"], "L6"
            assert event["output_index"] == count - 1, "L7"
            item = None
        elif kind in _OPENS:
            index = _OPENS[kind]
            assert part is None, "L2"
            assert event[index] == counts.get(index, 0), "L7"
            part, counts[index] = (index, event[index]), event[index] + 1
        elif "item_id" in event and ":" not in kind:
            assert item is not None, "L6"
            assert (event["item_id"], event["output_index"]) == (item["id"], count - 1), "L7"
            index = next((name for name in ("content_index", "summary_index") if name in event), None)
            assert part == (index and (index, event[index])), "L2"
            part = None if kind in _CLOSES else part


def names(events: Iterable[Event]) -> list[str]:
    """The types of events, those of the standard without `response.`."""
    return [event["type"].removeprefix("response.") for event in events]


def normal(response: Event) -> Any:
    """A response with ids and dates that two runs of a program share."""
    ids: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        return ids.setdefault(match[0], f"{match[1]}_{len(ids)}")

    dated = {**response, "completed_at": response["completed_at"] is not None}
    return json.loads(_MADE_ID.sub(renamed, json.dumps(dated)))
