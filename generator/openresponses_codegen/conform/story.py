"""The story of a stream: its events, sorted by the item and the part that they are about (rules L1 to L9).

Nothing is refused here. What is out of place is kept as a stray, with what is wrong about its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any

from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.reading import Json, as_object
from openresponses_codegen.conform.schema import Schemas

ARGUMENTS = "response.function_call_arguments"
SUMMARY_TEXT = "response.reasoning_summary_text"
ANNOTATION = "response.output_text.annotation.added"
TEXTS = {
    "output_text": ("response.output_text", "text"),
    "refusal": ("response.refusal", "refusal"),
    "reasoning_text": ("response.reasoning", "text"),
    "summary_text": (SUMMARY_TEXT, "text"),
}
"""For each type of part, the family of its events and the field of its text (rules L2 and L3)."""

_OPENING = {"response.content_part.added": "content_index", "response.reasoning_summary_part.added": "summary_index"}
_CLOSING = {"response.content_part.done", "response.reasoning_summary_part.done"}


class Misplaced(StrEnum):
    """What is wrong about the place of an event."""

    ITEM_NOT_OPENED = "no item was opened at this output_index"
    ITEM_CLOSED = "the item was closed before"
    PART_NOT_OPENED = "no part was opened at this index"
    PART_CLOSED = "the part was closed before"


@dataclass
class Part:
    """A part of content or of a summary, or the arguments of a call."""

    index: object = None
    opened: Json = field(default_factory=dict[str, Any])
    deltas: list[Json] = field(default_factory=list[Json])
    dones: list[Json] = field(default_factory=list[Json])
    annotations: list[Json] = field(default_factory=list[Json])
    closed: Json | None = None
    late: list[Json] = field(default_factory=list[Json])
    """Deltas that came after the `.done` event."""

    @property
    def kind(self) -> str:
        """The type of the part, as it was opened."""
        return str(as_object(self.opened.get("part")).get("type"))

    def joined(self) -> str:
        """What the deltas come to."""
        return "".join(str(each.get("delta", "")) for each in self.deltas)


@dataclass
class Item:
    """An output item."""

    opened: Json
    closed: Json | None = None
    content: list[Part] = field(default_factory=list[Part])
    summary: list[Part] = field(default_factory=list[Part])
    arguments: Part = field(default_factory=Part)
    events: list[Json] = field(default_factory=list[Json])
    """All events about it but the one that opened it."""
    places: dict[tuple[str, str], Part] = field(default_factory=dict[tuple[str, str], Part])
    """Its parts by the name and the value of their index."""

    @property
    def index(self) -> object:
        """Its `output_index`."""
        return self.opened.get("output_index")

    @property
    def first(self) -> Json:
        """Its shape when it was opened."""
        return as_object(self.opened.get("item"))

    @property
    def last(self) -> Json:
        """Its shape when it was closed."""
        return as_object(as_object(self.closed).get("item"))

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.first.get("type"))

    def parts(self) -> list[Part]:
        """Its parts, of content and of summary."""
        return [*self.content, *self.summary]


@dataclass(frozen=True)
class Stray:
    """An event that is out of place."""

    event: Json
    why: Misplaced

    def __str__(self) -> str:
        """Event and reason."""
        return f"{self.event.get('type')} (sequence_number {self.event.get('sequence_number')}): {self.why}"


class Story:
    """The items of a stream, in the order in which they were opened, and the strays."""

    def __init__(self, answer: Answer, schemas: Schemas) -> None:
        self.answer = answer
        self.name = answer.ask
        self.events = answer.raw_events
        self.schemas = schemas
        self.items: list[Item] = []
        self.strays: list[Stray] = []
        self._items: dict[str, Item] = {}
        for event in self.events:
            if "output_index" in event and str(event.get("type")).startswith("response."):
                self._take(event)

    @property
    def terminal(self) -> Json:
        """The last event's response."""
        return as_object(self.events[-1].get("response")) if self.events else {}

    def folded(self) -> list[Json]:
        """The output that the item events alone come to (rule L9)."""
        closed = [each for each in self.items if each.closed is not None]
        return [each.last for each in sorted(closed, key=lambda each: _order(each.index))]

    def _take(self, event: Json) -> None:
        kind, index = str(event["type"]), repr(event["output_index"])
        if kind == "response.output_item.added":
            opened = Item(event)
            self.items.append(opened)
            self._items[index] = opened
            return
        item = self._items.get(index)
        if item is None:
            self.strays.append(Stray(event, Misplaced.ITEM_NOT_OPENED))
        elif item.closed is not None:
            self.strays.append(Stray(event, Misplaced.ITEM_CLOSED))
        else:
            item.events.append(event)
            if kind == "response.output_item.done":
                item.closed = event
            elif kind.startswith(ARGUMENTS):
                self._fill(item.arguments, event)
            else:
                self._take_part(item, event)

    def _take_part(self, item: Item, event: Json) -> None:
        kind = str(event["type"])
        names = [name for name in ("summary_index", "content_index") if name in event]
        if not names:
            return
        key = (names[0], repr(event[names[0]]))
        if _OPENING.get(kind) == names[0]:
            opened = Part(event[names[0]], opened=event)
            (item.content if names[0] == "content_index" else item.summary).append(opened)
            item.places[key] = opened
            return
        part = item.places.get(key)
        if part is None:
            self.strays.append(Stray(event, Misplaced.PART_NOT_OPENED))
        elif part.closed is not None:
            self.strays.append(Stray(event, Misplaced.PART_CLOSED))
        elif kind in _CLOSING:
            part.closed = event
        else:
            self._fill(part, event)

    def _fill(self, part: Part, event: Json) -> None:
        kind = str(event["type"])
        if kind == ANNOTATION:
            part.annotations.append(event)
        elif kind.endswith(".done"):
            part.dones.append(event)
        elif kind.endswith(".delta"):
            (part.late if part.dones else part.deltas).append(event)


def items_in(stories: Iterable[Story], kind: str | None = None) -> Iterator[Item]:
    """The items of some stories, or those of a type."""
    for item in chain.from_iterable(story.items for story in stories):
        if kind is None or item.kind == kind:
            yield item


def _order(index: object) -> int:
    return index if isinstance(index, int) else 0
