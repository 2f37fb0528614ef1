"""Events on their way to the client: numbered, framed, sent one by one.

Rules kept here: S1 and S8 (an event is one write), S3 (numbers start at 0 and rise by one), L10
(padding is random, in content and length).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Iterator
from itertools import chain, repeat
from secrets import token_bytes, token_urlsafe
from typing import Protocol

__all__ = ["EventSink", "Stream"]


class EventSink(Protocol):
    """Where the events of a response go."""

    def frame(self, event_type: str, /) -> tuple[bytes, bytes]:
        """What goes before and after the JSON of an event of this type (rule S1)."""
        ...

    def send(self, event: bytes) -> Awaitable[None]:
        """Send a whole event, frame and all, in one write (rule S8).

        The event is taken before anything is waited for: who is cancelled while waiting has sent it
        all the same. Events go out in the order in which they are taken.
        """
        ...


class Stream:
    """The events of one response.

    What is put here waits until it is flushed. So several events can follow from one step, and a
    cancellation between them loses none: they go out before the next one.

    Args:
        sink: Where events go.
        padding: Whether deltas are padded (rule L10).
    """

    __slots__ = ("frame", "is_padded", "number", "paddings", "send", "waiting")

    def __init__(self, sink: EventSink, *, padding: bool) -> None:
        self.frame = sink.frame
        self.send = sink.send
        self.is_padded = padding
        self.paddings = _paddings()
        self.number = 0
        """The `sequence_number` of the next event."""
        self.waiting = deque[bytes]()
        """Events that have a number and were not sent yet."""

    def put(self, event_type: str, members: str) -> None:
        """Number an event.

        Args:
            event_type: Name of the event, which needs no escapes in JSON.
            members: Its other members, as JSON without the braces.
        """
        before, after = self.frame(event_type)
        more = f",{members}" if members else ""
        text = f'{{"type":"{event_type}","sequence_number":{self.number}{more}}}'
        self.number += 1
        self.waiting.append(before + text.encode() + after)

    async def flush(self) -> None:
        """Send what waits. Raises what the sink raises."""
        while self.waiting:
            await self.send(self.waiting.popleft())


_CHARACTERS = token_urlsafe(256 * 24)
_POOL = tuple(_CHARACTERS[32 * number :][: number % 32] for number in range(256))
"""Random paddings, as many of each length."""


def _paddings() -> Iterator[str]:
    """Random padding, 0 to 31 characters long, without end."""
    return chain.from_iterable(map(_POOL.__getitem__, token_bytes(128)) for _ in repeat(None))
