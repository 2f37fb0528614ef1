"""Items of vendors whose types are known: what their writers build on, here and in add-ons.

Rules kept here: L1 (what is not known yet is empty), L6 (how an item closes), N1, N2 and N5 (items
and events of vendors), X3 (states of their own).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from .._places import place_of
from ._ids import new_id
from ._items import Item, check_own_status
from ._json import check_text, joined, members_of, quoted, to_text
from .errors import WriterError

if TYPE_CHECKING:
    from ._draft import Draft

__all__ = ["VendorItem", "send_event", "typed_item"]

_UNKNOWN = frozenset({'""', "0", "false"})


class VendorItem(Item):
    """An item that is never told otherwise than its class says.

    Args:
        model: The class.
        draft: The response that it belongs to.
        kind: Its `type`.
        item_id: Its `id`.
        fields: Its other members by name, each as JSON.
        unknown: Those of them that stand for what has to be given before it closes.

    Raises `WriterError` when they are not as the class says (rule N2).
    """

    def __init__(
        self,
        model: type[BaseModel],
        draft: Draft,
        kind: str,
        item_id: str,
        fields: dict[str, str],
        *,
        unknown: set[str],
    ) -> None:
        super().__init__(draft, kind, item_id, fields)
        self._model = model
        self._unknown = unknown
        self._check(fields)

    def settle(self, status: str) -> None:
        """Raise `WriterError` when it is to be completed, and something was not given (rule N2)."""
        if status == "completed" and self._unknown:
            names = ", ".join(f"`{name}`" for name in sorted(self._unknown))
            raise WriterError(f"{self.name} closes without {names}: give it by `update`", "N2")

    def set(self, fields: Mapping[str, object]) -> None:
        """Set fields by name; None leaves one as it is. Raises `WriterError`, and sets none."""
        self.check_open()
        members = members_of(_given(fields), self.name, "N2")
        self._check({**self.fields, **members})
        self.fields.update(members)
        self._unknown -= members.keys()

    def _check(self, fields: Mapping[str, str]) -> None:
        whole = f'{{"type":{quoted(self.kind)},"id":{quoted(self.id)}{joined(fields)}}}'
        _check(self._model, whole, self.name)

    def say(self, status: str) -> None:
        """Give the item a state of its own (rule X3). Raises `WriterError`."""
        self.check_open()
        check_own_status(status)
        self.fields["status"] = to_text(status, "the status", "X3")

    async def send(self, model: type[BaseModel], kind: str, fields: Mapping[str, object]) -> None:
        """Send an event about the item, as `send_event` does. Raises `WriterError`."""
        self.check_open()
        place = {"item_id": self.id, "output_index": self.index}
        await send_event(self.draft, model, kind, {**place, **fields})


def typed_item(
    draft: Draft,
    model: type[BaseModel],
    kind: str,
    *,
    item_id: str | None,
    fields: Mapping[str, object],
    zeros: Mapping[str, str],
) -> VendorItem:
    """An item that is about to open. Raises `WriterError`.

    Args:
        draft: The response that it belongs to.
        model: Its class.
        kind: Its `type`.
        item_id: Its `id`; None makes one.
        fields: What is known of it; None stands for what is not.
        zeros: What stands for what is not known, as JSON. What is no text, number or boolean may
            stay so.
    """
    item_id = item_id or new_id("item")
    check_text(item_id, "the id of an item", "N2")
    members = members_of(_given(fields), f"the {kind} {item_id!r}", "N2")
    unknown = {name for name in zeros.keys() - members.keys() if zeros[name] in _UNKNOWN}
    given = {"status": '"in_progress"', **zeros, **members}
    return VendorItem(model, draft, kind, item_id, given, unknown=unknown)


async def send_event(
    draft: Draft, model: type[BaseModel], kind: str, fields: Mapping[str, object]
) -> None:
    """Send an event of a vendor's, which has to be as its class says (rules N2, N5).

    None leaves a field out that need not be there. Raises `WriterError`.
    """
    required = {
        each.alias or name for name, each in model.model_fields.items() if each.is_required()
    }
    given = {**dict.fromkeys(required & fields.keys()), **_given(fields)}
    event = {"type": kind, "sequence_number": 0, **given}
    _check(model, to_text(event, f"the event {kind!r}", "N2"), f"the event {kind!r}")
    draft.tell(kind, given)
    await draft.flush()


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _check(model: type[BaseModel], content: str, what: str) -> None:
    """Raise `WriterError` unless JSON is as a class says."""
    try:
        model.model_validate_json(content)
    except ValidationError as error:
        line: Any = error.errors(include_url=False)[0]
        place = place_of(line, model)
        where = f"{what}: {place}" if place else what
        raise WriterError(f"{where}: {line['msg']}", "N2") from error
