"""Where responses are kept: what every store does.

Rules kept here: P1 (chains of any length), P2 (what is not kept is not found), P3 (items by id),
P5 (a response is saved again when its state changes). A store holds JSON as bytes and never looks
into it, so nothing of an item is lost (P6, Z19). What is not to be kept is not given to it (R3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ResponseStore", "StoreError", "StoredResponse"]


class StoreError(Exception):
    """A store cannot be used: where, why, and the way out. For the log, not for callers."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as it is kept."""

    id: str
    owner: str
    """Whose it is; the responses of other callers are not found."""
    previous_id: str | None
    """The response that it continues (rule P1)."""
    created_at: int
    """In whole seconds of Unix time."""
    status: str
    """That of the response; one that is `queued` or `in_progress` is saved again later."""
    input: bytes
    """The new input items of its request, as a JSON array; references are resolved."""
    response: bytes
    """The whole response, as a JSON object."""
    item_ids: tuple[str, ...]
    """The ids of the items in its output, in their order (rule P3)."""


class ResponseStore(Protocol):
    """Keeps responses, within limits of its own. Safe to be used by many tasks at once.

    All methods raise `StoreError` when the store fails. A response that is over the limits is as
    one that was never saved.
    """

    async def open(self) -> None:
        """Get ready: called once, before anything else."""
        ...

    async def save(self, record: StoredResponse) -> None:
        """Keep a response, in place of an earlier state of the same id of the same owner.

        Once this returns, the record is kept; when it raises or is cancelled, it is kept as a whole
        or not at all.
        """
        ...

    async def get(self, owner: str, response_id: str) -> StoredResponse | None:
        """A response by id; None when the owner has none of that id."""
        ...

    async def chain(self, owner: str, response_id: str) -> list[StoredResponse]:
        """A response and all that it continues, the oldest first (rule P1).

        Empty when the response, or any that it continues, is not kept (rule P2).
        """
        ...

    async def with_items(self, owner: str, item_ids: Sequence[str]) -> list[StoredResponse]:
        """The responses whose output has any of these items, each once (rule P3)."""
        ...

    async def close(self) -> None:
        """Let go of what the store holds; called once, after everything else."""
        ...
