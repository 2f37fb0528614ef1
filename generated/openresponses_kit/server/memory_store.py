"""A store in the memory of the process, bounded: for trying things out, and without a database.

Rules kept here: P1, P2, P3, as in `store`. It is gone when the process ends, and no other process
sees it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from .store import StoredResponse

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps the responses that were used last.

    Saving or finding a response uses it, alone or in a chain. When there are too many or they are
    too large, those that were not used for longest go first.

    Args:
        max_responses: How many responses are kept at most.
        max_bytes: How many bytes of JSON they may have, all together.
    """

    def __init__(self, *, max_responses: int = 10_000, max_bytes: int = 256 * 2**20) -> None:
        self._max_responses = max_responses
        self._max_bytes = max_bytes
        self._bytes = 0
        self._records: OrderedDict[tuple[str, str], StoredResponse] = OrderedDict()
        """By owner and id, what was used last at the end."""
        self._holders: dict[tuple[str, str], dict[str, None]] = {}
        """The ids of the responses that have an item, by owner and id of the item."""

    async def open(self) -> None:
        """Nothing is needed."""

    async def save(self, record: StoredResponse) -> None:
        """Keep a response, in place of an earlier state of the same id of the same owner."""
        key = record.owner, record.id
        if key in self._records:
            self._remove(key)
        self._records[key] = record
        self._bytes += _size(record)
        for item_id in record.item_ids:
            self._holders.setdefault((record.owner, item_id), {})[record.id] = None
        while len(self._records) > self._max_responses or self._bytes > self._max_bytes:
            self._remove(next(iter(self._records)))

    async def get(self, owner: str, response_id: str) -> StoredResponse | None:
        """A response by id; None when the owner has none of that id."""
        return self._use(owner, response_id)

    async def chain(self, owner: str, response_id: str) -> list[StoredResponse]:
        """A response and all that it continues, the oldest first (rule P1).

        Empty when the response, or any that it continues, is not kept (rule P2).
        """
        keys: dict[tuple[str, str], None] = {}
        link: str | None = response_id
        while link is not None:
            key = owner, link
            if key in keys or key not in self._records:
                return []
            keys[key] = None
            link = self._records[key].previous_id
        for key in keys:
            self._records.move_to_end(key)
        return [self._records[key] for key in reversed(keys)]

    async def with_items(self, owner: str, item_ids: Sequence[str]) -> list[StoredResponse]:
        """The responses whose output has any of these items, each once (rule P3)."""
        found = (self._holders.get((owner, item_id), ()) for item_id in item_ids)
        ids = dict.fromkeys(each for holders in found for each in holders)
        return [record for each in ids if (record := self._use(owner, each)) is not None]

    async def close(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._holders.clear()
        self._bytes = 0

    def _use(self, owner: str, response_id: str) -> StoredResponse | None:
        record = self._records.get((owner, response_id))
        if record is not None:
            self._records.move_to_end((owner, response_id))
        return record

    def _remove(self, key: tuple[str, str]) -> None:
        record = self._records.pop(key)
        self._bytes -= _size(record)
        for item_id in dict.fromkeys(record.item_ids):
            holders = self._holders[record.owner, item_id]
            del holders[record.id]
            if not holders:
                del self._holders[record.owner, item_id]


def _size(record: StoredResponse) -> int:
    return len(record.input) + len(record.response)
