"""What was sent and what came, as it was recorded.

The methods with a plain noun for a name give what a case looks at. Where that is not there because something went wrong
before, they skip the case: that is the subject of another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openresponses_codegen.conform.framing import INVALID, Frame, frames_of, parse_json
from openresponses_codegen.conform.outcome import skip, some
from openresponses_codegen.conform.reading import Json, as_object, objects, quoted

TERMINAL = ("response.completed", "response.incomplete", "response.failed")


@dataclass
class Answer:
    """A request over HTTP and its answer."""

    ask: str
    method: str
    path: str
    sent: str
    """The body of the request, as text."""
    status: int | None = None
    """None where no answer came."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """By lower-case name."""
    body: bytes = b""
    pieces: list[int] = field(default_factory=list[int])
    """Where in the body each piece ended that arrived on its own."""
    problem: str | None = None
    """Why the answer is not whole: it was cut, too long, or time ran out."""
    reveals_key: bool = False
    """Whether the key stood in it; it has been taken out."""

    @property
    def media_type(self) -> str:
        """The media type of the answer, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_streamed(self) -> bool:
        """Whether events came."""
        return self.status == 200 and self.media_type == "text/event-stream"

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or `INVALID`."""
        return parse_json(self.body)

    @cached_property
    def frames(self) -> list[Frame]:
        """The blocks of a stream."""
        return frames_of(self.body)

    @cached_property
    def raw_events(self) -> list[Json]:
        """The events of a stream, whatever they are worth."""
        return [frame.event for frame in self.frames if frame.event is not None]

    @property
    def has_ended(self) -> bool:
        """Whether a stream came with a terminal event at its end."""
        return self.is_streamed and bool(self.raw_events) and _ends(self.raw_events)

    @property
    def found(self) -> Json:
        """The response object, if there is one, else an empty one."""
        return as_object(self.raw_events[-1].get("response")) if self.has_ended else as_object(self.json)

    def outline(self) -> str:
        """In a few words what came."""
        if self.status is None:
            return f"no answer: {self.problem}"
        cut = f", then {self.problem}" if self.problem else ""
        if self.is_streamed:
            return f"a stream of {len(self.raw_events)} events{cut}"
        said = quoted(self.json) if self.json is not INVALID else quoted(self.body.decode("utf-8", "replace"))
        return f"{self.status} {said}{cut}"

    def response(self) -> Json:
        """The response object: that of the answer, or that of the terminal event."""
        if self.is_streamed:
            return as_object(self.events()[-1]["response"])
        found = as_object(self.json)
        if self.status != 200 or not isinstance(found.get("output"), list):
            skip(f"the request was not answered with a response but with {self.outline()}")
        return found

    def events(self) -> list[Json]:
        """The events of a stream that ended as it should."""
        if not self.is_streamed:
            skip(f"the request was not answered with a stream but with {self.outline()}")
        return whole_turn(self.raw_events, self.outline())

    def error(self) -> Json:
        """What the body of an error holds (rule E1)."""
        found = as_object(as_object(self.json).get("error"))
        if self.status is None or self.status < 400 or not found:
            skip(f"the request was not answered with an error that can be read but with {self.outline()}")
        return found

    @property
    def is_refused(self) -> bool:
        """Whether the request was refused as the client's mistake, before any event (rule E4)."""
        return self.status is not None and 400 <= self.status < 500


def whole_turn(events: list[Json], outline: str) -> list[Json]:
    """Events that end as they should; the case is skipped where they do not."""
    if not events or not _ends(events):
        skip(f"the stream has no terminal event with a response: {outline}")
    return events


def _ends(events: list[Json]) -> bool:
    return events[-1].get("type") in TERMINAL and isinstance(events[-1].get("response"), dict)


@dataclass
class Turn:
    """A frame that was sent on a WebSocket, and the frames that came before the turn was over."""

    name: str
    """The ask and the number of the turn."""
    sent: str
    messages: list[str | bytes] = field(default_factory=list[str | bytes])
    problem: str | None = None
    """Why the turn is not whole."""

    @cached_property
    def raw_events(self) -> list[Json]:
        """The events, whatever they are worth. To be asked for when the turn is over."""
        return objects([parse_json(each) for each in self.messages])

    def outline(self) -> str:
        """In a few words what came."""
        types = ", ".join(str(each.get("type")) for each in self.raw_events)
        cut = f", then {self.problem}" if self.problem else ""
        return f"{len(self.messages)} frames ({quoted(types)}){cut}"

    def events(self) -> list[Json]:
        """The events of a turn that was answered with a response."""
        return whole_turn(self.raw_events, self.outline())

    def response(self) -> Json:
        """The response object of the terminal event."""
        return as_object(self.events()[-1]["response"])

    @property
    def found(self) -> Json:
        """The response at the end of the turn, if there is one, else an empty object."""
        return as_object(self.raw_events[-1].get("response")) if self.raw_events else {}

    @property
    def error_frame(self) -> Json | None:
        """The error frame that ended the turn (rule W6)."""
        found = self.raw_events
        return found[-1] if found and found[-1].get("type") == "error" else None

    def error(self) -> Json:
        """What the error frame holds as `error`."""
        found = as_object((self.error_frame or {}).get("error"))
        if not found:
            skip(f"the turn did not end with an error frame but with {self.outline()}")
        return found


@dataclass
class Conversation:
    """A WebSocket and what was said on it."""

    ask: str
    status: int | None = None
    """The status of the handshake: 101 where it was opened, None where no answer came."""
    turns: list[Turn] = field(default_factory=list[Turn])
    problem: str | None = None
    """Why it could not be opened, or that it broke."""

    @property
    def is_open(self) -> bool:
        """Whether the handshake was accepted."""
        return self.status == 101

    def check_offered(self) -> None:
        """Skip where the server has no WebSocket."""
        if not self.is_open:
            skip(f"the server offers no WebSocket: {self.problem}")

    def answered(self) -> list[Turn]:
        """The turns that were answered with responses."""
        self.check_offered()
        found = [each for each in self.turns if each.raw_events and each.raw_events[-1].get("type") in TERMINAL]
        return some(found, "no turn was answered with a response")

    def turn(self, number: int) -> Turn:
        """A turn, from 0."""
        if len(self.turns) <= number:
            skip(f"the WebSocket was not open any more: {self.problem}")
        return self.turns[number]
