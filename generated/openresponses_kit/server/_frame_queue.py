"""Frames of a WebSocket that wait to be answered, and the one that is being answered.

Rule kept here: W3 (a bounded queue, in order).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .errors import ServiceError, TooManyRequestsError


@dataclass(slots=True)
class _TooMany:
    """Frames one after the other that are only counted."""

    count: int


class FrameQueue:
    """A queue that is bounded in number and bytes, and keeps the order even of what it refuses.

    A frame that finds the queue full is forgotten but for its place: that is where its sender is
    told of it.

    Args:
        most: How many frames may wait while one is being answered.
        most_bytes: How large a frame may be; twice that may be held.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = 2 * most_bytes
        self._frames: deque[bytes | ServiceError | _TooMany] = deque()
        self._count = 0
        self._bytes = 0
        self._full = TooManyRequestsError(
            f"too much waits on this connection: at most {most} turns may, and "
            f"{self._most_bytes} bytes in all"
        )

    def add(self, frame: bytes | ServiceError) -> None:
        """Put a frame at the end: its content, or what is wrong with it."""
        size = _size(frame)
        if self._count <= self._most and self._bytes + size <= self._most_bytes:
            self._frames.append(frame)
            self._count += 1
            self._bytes += size
            return
        last = self._frames[-1]
        if isinstance(last, _TooMany):
            last.count += 1
        else:
            self._frames.append(_TooMany(1))

    def first(self) -> bytes | ServiceError | None:
        """The frame to be answered; it stays until `drop_first`. None when there is none."""
        frame = self._frames[0] if self._frames else None
        return self._full if isinstance(frame, _TooMany) else frame

    def drop_first(self) -> None:
        """Take out the frame that was answered."""
        frame = self._frames[0]
        if isinstance(frame, _TooMany):
            frame.count -= 1
            if frame.count:
                return
        else:
            self._count -= 1
            self._bytes -= _size(frame)
        self._frames.popleft()


def _size(frame: bytes | ServiceError) -> int:
    return len(frame) if isinstance(frame, bytes) else 0
