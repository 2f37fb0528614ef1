"""Texts that grow by deltas, and the encoder of their events.

Rules kept here: L2 to L4 (how a text grows), L10 (padding), Z14 (pieces are joined when the text is
whole).

Most of the time that a server spends on a stream is spent on deltas. So all of an event that stays
the same while a text grows is one string, made when the text opens; only the delta is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat

from ._json import quoted
from ._stream import Stream
from .errors import WriterError

__all__ = ["Family", "GrowingText"]


@dataclass(frozen=True, slots=True)
class Family:
    """The events by which a text is streamed."""

    rule: str
    delta: str
    """Name of the event that adds to the text."""
    done: str
    """Name of the event that tells the whole text."""
    is_padded: bool
    """Whether a delta has a field for padding (rule L10)."""
    field: str = "text"
    """Where the whole text goes, in the `done` event and in the part."""
    part: str = ""
    """The `type` of the part; empty where the text stands in the item itself."""
    place: str = "content"
    """The field of the item that holds such parts."""
    index: str = "content_index"
    """The field of an event that counts them."""
    added: str = "response.content_part.added"
    """Name of the event that opens a part."""
    closed: str = "response.content_part.done"
    """Name of the event that closes a part."""
    has_notes: bool = False
    """Whether the text has annotations and log probabilities."""


_NO_PADDING = repeat("")


class GrowingText:
    """A text that grows by deltas.

    Args:
        family: By which events.
        place: The members of each event that say where the text is, as JSON without braces.
        stream: Where the events go; None for an answer in one piece.
    """

    __slots__ = (
        "_after",
        "_before",
        "_end",
        "_family",
        "_middle",
        "_paddings",
        "_place",
        "_stream",
        "pieces",
    )

    def __init__(self, family: Family, place: str, stream: Stream | None) -> None:
        self._family = family
        self._place = place
        self._stream = stream
        self.pieces: list[str] = []
        if stream is None:
            return
        before, after = stream.frame(family.delta)
        is_padded = stream.is_padded and family.is_padded
        self._paddings = stream.paddings if is_padded else _NO_PADDING
        self._before = f'{before.decode()}{{"type":"{family.delta}","sequence_number":'
        self._middle = f',{place},"delta":'
        more = ',"logprobs":[]' if family.has_notes else ""
        self._after = f'{more},"obfuscation":"' if is_padded else more
        self._end = ('"}' if is_padded else "}") + after.decode()

    def add(self, delta: str) -> bytes | None:
        """Add to the text.

        Returns the event, which is to be sent at once; None when there is none to send, or when it
        waits behind others. Raises `WriterError` for what is no text.
        """
        stream = self._stream
        try:
            if stream is None:
                delta.encode()
                self.pieces.append(delta)
                return None
            event = (
                f"{self._before}{stream.number}{self._middle}{quoted(delta)}"
                f"{self._after}{next(self._paddings)}{self._end}"
            ).encode()
        except (TypeError, AttributeError, UnicodeEncodeError) as error:
            raise self._refused(delta) from error
        stream.number += 1
        self.pieces.append(delta)
        if stream.waiting:
            stream.waiting.append(event)
            return None
        return event

    def add_scored(self, delta: str, logprobs: str) -> None:
        """Add to the text, with the log probabilities of the tokens, as JSON. The event waits."""
        try:
            delta.encode()
        except (AttributeError, UnicodeEncodeError) as error:
            raise self._refused(delta) from error
        stream = self._stream
        if stream is not None:
            members = f'{self._place},"delta":{quoted(delta)},"logprobs":{logprobs}'
            if stream.is_padded and self._family.is_padded:
                members += f',"obfuscation":"{next(stream.paddings)}"'
            stream.put(self._family.delta, members)
        self.pieces.append(delta)

    def json(self) -> str:
        """The whole text so far, as JSON."""
        return quoted("".join(self.pieces))

    def finish(self, whole: str, more: str = "") -> None:
        """Tell the whole text, given as JSON, and more members. The event waits."""
        if self._stream is not None:
            family = self._family
            members = f'{self._place},"{family.field}":{whole}{more}'
            self._stream.put(family.done, members)

    def _refused(self, delta: object) -> WriterError:
        kind = (
            "text with half of a surrogate pair" if isinstance(delta, str) else type(delta).__name__
        )
        return WriterError(f"a delta is a str that UTF-8 can hold, not {kind}", self._family.rule)
