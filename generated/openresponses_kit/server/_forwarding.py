"""Items and events of another server that go into a response as they were told there.

Rules kept here: S3 and L7 (numbers are this response's own), N3 and Z19 (nothing else of an event
is changed), L1 and L6 (order), L8 and L9 (an item that broke off closes with what was told of it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pydantic_core import from_json

from ._items import Item
from ._json import quoted, to_text
from .errors import ModelError, WriterError

if TYPE_CHECKING:
    from ._draft import Draft

__all__ = ["Forwarding"]

Json: TypeAlias = dict[str, Any]

_ADDED = "response.output_item.added"
_DONE = "response.output_item.done"
_ARGUMENTS = "response.function_call_arguments.delta"
_PARTS: Mapping[str, tuple[str, str]] = {
    "response.content_part.added": ("content", "content_index"),
    "response.content_part.done": ("content", "content_index"),
    "response.reasoning_summary_part.added": ("summary", "summary_index"),
    "response.reasoning_summary_part.done": ("summary", "summary_index"),
}
"""Where a part goes that an event holds, and by which field it is counted."""


class _ForwardedItem(Item):
    """An item as another server told it."""

    def __init__(self, draft: Draft, value: Json) -> None:
        super().__init__(draft, value["type"], value["id"], {})
        self._value = value
        self.events: list[Json] = []
        """What was told of it since it opened."""

    def open(self) -> None:
        """Open the item. Raises `WriterError` for a call that may not be made (rules X5 to X7)."""
        self.check()
        if self.kind == "function_call":
            self.draft.admit(self._value["name"], self._value["call_id"])
        super().open()

    def json(self) -> str:
        """The item as it was told last."""
        return to_text(self._value, self.name, "N3")

    def finish(self, value: Json) -> None:
        """Close it as the other server does. Raises `WriterError`."""
        self.check_open()
        self.events.clear()
        self._value = value
        if value.get("status") == "incomplete":
            self.interrupt()
        else:
            self.close()

    def settle(self, status: str) -> None:
        """Take in what was told, where the item breaks off."""
        if status == "incomplete":
            self._value = _folded(self._value, self.events)
            if "status" in self._value:
                self._value["status"] = status
            self.events.clear()


class Forwarding:
    """The events of one answer of another server.

    Args:
        draft: The response that they go into.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._items: dict[int, _ForwardedItem] = {}

    def put(self, event_type: str, data: bytes) -> None:
        """Take an event; it waits to be sent.

        Raises `ModelError` for one that is out of order, or none.
        """
        try:
            self._put(event_type, _object(from_json(data)))
        except (WriterError, ValueError, TypeError, KeyError) as error:
            raise ModelError("the upstream sent events that break the protocol") from error

    def _put(self, event_type: str, event: Json) -> None:
        index = event.get("output_index")
        if event_type == _ADDED:
            item = _ForwardedItem(self._draft, _object(event["item"]))
            item.open()
            self._items[event["output_index"]] = item
        elif event_type == _DONE:
            self._items[event["output_index"]].finish(_object(event["item"]))
        else:
            if index is not None:
                item = self._items[index]
                item.check_open()
                item.events.append(event)
                event = {**event, "output_index": item.index}
            self._tell(event_type, event)

    def _tell(self, event_type: str, event: Json) -> None:
        self._draft.check_writable()
        self._draft.start()
        if self._draft.stream is None:
            return
        others = {name: each for name, each in event.items() if name not in _NUMBERED}
        members = to_text(others, f"the event {event_type!r}", "N3")[1:-1]
        self._draft.stream.put(event_type, members)


_NUMBERED = frozenset({"type", "sequence_number"})


def _folded(value: Json, events: list[Json]) -> Json:
    """An item with what events told of it."""
    item = dict(value)
    texts: dict[tuple[str, int], list[str]] = {}
    for event in events:
        kind = event.get("type", "")
        place, counted = _PARTS.get(kind, ("", ""))
        if place:
            parts = [*item.get(place, ())]
            parts[event[counted] : event[counted] + 1] = [event["part"]]
            item[place] = parts
            texts.pop((place, event[counted]), None)
        elif kind == _ARGUMENTS:
            item["arguments"] = item.get("arguments", "") + event["delta"]
        elif kind.endswith(".delta") and isinstance(event.get("delta"), str):
            place = "summary" if "summary_index" in event else "content"
            index = event.get("summary_index", event.get("content_index"))
            if isinstance(index, int):
                texts.setdefault((place, index), []).append(event["delta"])
    for (place, index), pieces in texts.items():
        parts = [*item.get(place, ())]
        if index < len(parts):
            part = dict(parts[index])
            field = "refusal" if part.get("type") == "refusal" else "text"
            parts[index] = {**part, field: "".join([part.get(field) or "", *pieces])}
            item[place] = parts
    return item


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise TypeError(f"{quoted(str(type(value).__name__))} is no object")
    return cast("Json", value)
