"""What a connection remembers of its latest responses.

Rules kept here: W4 (the most recent response can be continued, kept or not), W5 (one that a turn
failed to continue is forgotten), R3 (nothing is written), Z19 (items stand as they were).
"""

from __future__ import annotations

from dataclasses import replace

from ._slices import member_of
from .store import StoredResponse


class RecentResponses:
    """The latest responses of a connection, bounded in number and bytes.

    A response that continues one that is remembered is remembered with all of that one's window,
    because that one will be forgotten before it.

    Args:
        most: How many responses are remembered.
        most_bytes: How large they may be, with their windows; a larger one has to be stored, or
            sent whole by the client.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self.records: dict[str, StoredResponse] = {}
        """The responses by id, the oldest first."""
        self._most = most
        self._most_bytes = most_bytes

    def keep(self, record: StoredResponse) -> None:
        """Remember a response, and forget those for which there is no room any more."""
        before = self.records.get(record.previous_id or "")
        if before is not None:
            record = replace(record, previous_id=before.previous_id, input=_joined(before, record))
        self.records[record.id] = record
        size = sum(map(_size, self.records.values()))
        while self.records and (len(self.records) > self._most or size > self._most_bytes):
            size -= _size(self.records.pop(next(iter(self.records))))

    def evict(self, response_id: str | None) -> None:
        """Forget a response, if it is remembered (rule W5)."""
        self.records.pop(response_id or "", None)


def _joined(before: StoredResponse, record: StoredResponse) -> bytes:
    """The window of a response: that of the one before, its output, and the new input (P1)."""
    arrays = (before.input, member_of(before.response, "output"), record.input)
    return b"[%b]" % b",".join(filter(None, (array.strip()[1:-1].strip() for array in arrays)))


def _size(record: StoredResponse) -> int:
    return len(record.input) + len(record.response)
