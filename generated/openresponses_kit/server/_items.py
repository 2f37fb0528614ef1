"""Items of a response that is being written.

Rules kept here: L1 (how an item opens), L2 and L3 (one part after the other), L4 (arguments are one
JSON object), L6 (how an item closes, and that nothing touches it afterwards), Z9 (who has a
status), Z13 (indices count from 0 in every item).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic_core import from_json

from ._deltas import Family, GrowingText
from ._json import check_text, joined, quoted
from ._parts import Part
from .errors import WriterError

if TYPE_CHECKING:
    from ._draft import Draft
    from ._stream import Stream

__all__ = ["CallItem", "Item", "PartedItem", "check_object", "check_own_status"]


class Item:
    """An item that is whole but for its status.

    Args:
        draft: The response that it belongs to.
        kind: Its `type`.
        item_id: Its `id`.
        fields: Its other members by name, each as JSON; without those that grow.
    """

    def __init__(self, draft: Draft, kind: str, item_id: str, fields: dict[str, str]) -> None:
        self.draft = draft
        self.kind = kind
        self.id = item_id
        self.fields = fields
        self.index = -1
        """Its `output_index`; -1 until it opens."""
        self.is_closed = False
        self.is_of_vendor = ":" in kind
        """Whether it may be open beside others that are a vendor's, too."""

    def open(self) -> None:
        """Open the item (rule L1). Raises `WriterError`."""
        self.check()
        self._take_status("in_progress")
        self.draft.enter(self)
        if self.draft.stream is not None:
            self._put(self.draft.stream, "response.output_item.added", self.json())

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"the {self.kind} {self.id!r}"

    def check(self) -> None:
        """Raise `WriterError` unless it may be opened now."""
        if self.index >= 0:
            raise WriterError(f"{self.name} was opened before", "L6")
        self.draft.check_free(self)

    def check_open(self) -> None:
        """Raise `WriterError` unless it may be written to."""
        if self.is_closed:
            self.draft.check_writable()
            raise WriterError(f"{self.name} is closed", "L6")
        if self.index < 0:
            raise WriterError(f"{self.name} is not open: enter its context first", "L1")

    def close(self) -> None:
        """Close the item and what is open in it as completed (rule L6).

        Raises `WriterError` when it cannot be closed so; it is interrupted then.
        """
        try:
            self.settle("completed")
        except WriterError:
            self.interrupt()
            raise
        self._end("completed")

    def interrupt(self) -> None:
        """Close the item as it stands; nothing may follow it (rule L8)."""
        self.stop()
        self.draft.interrupt(self.name)

    def stop(self) -> None:
        """Close the item as it stands: incomplete if it is the last one (rule L8)."""
        self.settle("incomplete")
        self._end("incomplete" if self.draft.is_last(self) else "completed")

    def _end(self, status: str) -> None:
        self._take_status(status)
        self.is_closed = True
        final = self.json()
        if self.draft.stream is not None:
            self._put(self.draft.stream, "response.output_item.done", final)
        self.draft.leave(self, final)

    def settle(self, status: str) -> None:
        """Close what is open in the item. Raises `WriterError`."""

    def json(self) -> str:
        """The item as it stands."""
        head = f'{{"type":{quoted(self.kind)},"id":{quoted(self.id)}'
        return f"{head}{joined(self.fields)}{self.members()}}}"

    def members(self) -> str:
        """The members that grow, as JSON, each after a comma."""
        return ""

    def _take_status(self, status: str) -> None:
        if "status" in self.fields:
            self.fields["status"] = f'"{status}"'

    def _put(self, stream: Stream, event_type: str, item: str) -> None:
        stream.put(event_type, f'"output_index":{self.index},"item":{item}')


class PartedItem(Item):
    """An item that is made of parts: a message, or reasoning.

    Args:
        draft: The response that it belongs to.
        kind: Its `type`.
        item_id: Its `id`.
        fields: Its other members by name, each as JSON.
        places: The members that hold parts.
        optional: Those of them that are left out while they are empty.
    """

    def __init__(
        self,
        draft: Draft,
        kind: str,
        item_id: str,
        fields: dict[str, str],
        *,
        places: Sequence[str],
        optional: Sequence[str] = (),
    ) -> None:
        super().__init__(draft, kind, item_id, fields)
        self._closed: dict[str, list[str]] = {place: [] for place in places}
        self._optional = optional
        self._part: Part | None = None
        self.flowing: Part | None = None
        """The open part, unless a context holds it."""

    def open_part(self, family: Family, *, is_held: bool, more: str = "") -> Part:
        """Open a part, and close the one before (rules L2, L3). Raises `WriterError`."""
        self.check_open()
        self._check_released(family)
        self.close_part()
        index = len(self._closed[family.place])
        stream = self.draft.stream
        part = Part(family, self.id, self.index, index, stream, is_held=is_held, more=more)
        self._part = part
        self.flowing = None if is_held else part
        return part

    def turn_to(self, family: Family) -> Part:
        """The open part of a family that no context holds; a new one if there is none."""
        part = self.flowing
        if part is None or part.family is not family:
            part = self.open_part(family, is_held=False)
        return part

    def add_part(self, family: Family, part: str) -> None:
        """Add a part of a type that no deltas fill, as JSON: it comes whole."""
        self.check_open()
        self._check_released(family)
        self.close_part()
        closed, stream = self._closed[family.place], self.draft.stream
        if stream is not None:
            place = f'"item_id":{quoted(self.id)},"output_index":{self.index}'
            members = f'{place},"{family.index}":{len(closed)},"part":{part}'
            stream.put(family.added, members)
            stream.put(family.closed, members)
        closed.append(part)

    def close_part(self) -> None:
        """Close the open part, if there is one."""
        part = self._part
        if part is not None:
            self._part = self.flowing = None
            self._closed[part.family.place].append(part.close())

    def settle(self, status: str) -> None:
        """Close the open part, if there is one. Raises `WriterError` when a context holds it."""
        if status == "completed" and self._part is not None:
            self._check_released(self._part.family)
        self.close_part()

    def members(self) -> str:
        """The parts, by where they are."""
        members = ""
        for place, closed in self._closed.items():
            part = self._part
            is_growing = part is not None and part.family.place == place
            parts = [*closed, part.json()] if part is not None and is_growing else closed
            if parts or place not in self._optional:
                members += f',"{place}":[{",".join(parts)}]'
        return members

    def _check_released(self, family: Family) -> None:
        part = self._part
        if part is not None and part.is_held:
            reason = f"a {part.family.part} part of {self.name} is open: leave its context first"
            raise WriterError(reason, family.rule)


class CallItem(Item):
    """A function call: its arguments grow.

    Args:
        draft: The response that it belongs to.
        item_id: Its `id`.
        call_id: By which the client answers it.
        name: The function.
        fields: Its other members by name, each as JSON.
        family: By which events the arguments grow.
    """

    def __init__(
        self,
        draft: Draft,
        item_id: str,
        fields: dict[str, str],
        *,
        call_id: str,
        name: str,
        family: Family,
    ) -> None:
        named = {"call_id": quoted(call_id), "name": quoted(name)}
        super().__init__(draft, "function_call", item_id, {**named, **fields})
        self.call_id = call_id
        self._function = name
        self._family = family
        self._text: GrowingText | None = None
        self._whole = quoted("")

    def open(self) -> None:
        """Open the call, if the request lets it be made (rules X1, X5 to X7)."""
        self.check()
        self.draft.admit(self._function, self.call_id)
        super().open()
        place = f'"item_id":{quoted(self.id)},"output_index":{self.index}'
        self._text = GrowingText(self._family, place, self.draft.stream)

    def add(self, delta: str) -> bytes | None:
        """Add to the arguments, as `GrowingText.add` does."""
        if self._text is None:
            self.check_open()
        return self._text.add(delta) if delta and self._text is not None else None

    def settle(self, status: str) -> None:
        """Tell the whole arguments. Raises `WriterError` when they are no JSON object (rule L4)."""
        text = self._text
        if text is None:
            return
        if status == "completed":
            check_object("".join(text.pieces), self.name)
        self._text, self._whole = None, text.json()
        text.finish(self._whole)

    def members(self) -> str:
        """The arguments so far."""
        text = self._text
        return f',"arguments":{text.json() if text is not None else self._whole}'


def check_object(arguments: str, name: str) -> None:
    """Raise `WriterError` unless the arguments of a call are one JSON object (rule L4)."""
    try:
        is_object = isinstance(from_json(arguments, allow_inf_nan=False), dict)
    except ValueError as error:
        reason = f"the arguments of {name} are no JSON: {error}; a call without any has {{}}"
        raise WriterError(reason, "L4") from error
    if not is_object:
        raise WriterError(f"the arguments of {name} are no JSON object", "L4")


def check_own_status(status: object) -> None:
    """Raise `WriterError` for a status that no vendor has of its own (rules L6, X3)."""
    check_text(status, "the status", "X3")
    if status in {"in_progress", "completed", "incomplete"}:
        raise WriterError(
            f"the status becomes {status!r} by entering and leaving the context", "L6"
        )
