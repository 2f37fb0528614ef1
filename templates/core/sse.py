"""Server-sent events: from bytes to events and back, with no IO of its own.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- S1, S8: an event is written as one `event:` line, one `data:` line and a blank line, all with LF.
- S2: `[DONE]` comes last; to the decoder it is an event like any other.
- S6: any legal stream is read, wherever it is split. What is legal, and what it means, is said in
  https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

__all__ = [
    "DONE",
    "MAX_EVENT_BYTES",
    "SSEDecoder",
    "SSELimitError",
    "ServerSentEvent",
    "encode_comment",
    "encode_event",
]

DONE = b"data: [DONE]\n\n"
"""What follows the terminal event of every stream (rule S2)."""

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""How large an event may be, in bytes, where nothing else is said."""

ServerSentEvent: TypeAlias = tuple[str, bytes]
"""An event's name, `message` where it has none, and its data as they came, lines joined by LF."""

Block: TypeAlias = tuple[bytes, bytes, bytes]
"""Name and data of an event that is written as servers write it, and nothing; or, where the last
is not empty, lines of any other kind.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STEP_BYTES = 64 * 1024
_MAX_RETRY_DIGITS = 18
_MAX_NAMES = 64
_MAX_NAME_BYTES = 64
_find_blocks = re.compile(
    rb"(?:event: (.*)\n)?data: (.*)\n\n"  # an ordinary event: its name, its data
    rb"|((?:.+\n)*\n|(?s:.+))"  # anything else up to a blank line, or what is left over
).findall


class SSELimitError(ValueError):
    """An event, or a line of any kind, is larger than the decoder was told to accept."""


class SSEDecoder:
    """Reads a stream of server-sent events, in pieces of any size (rule S6).

    The data of an event are bytes as the server sent them: whether they are UTF-8, and JSON, is for
    their reader to say. Names and ids are decoded with replacement characters.

    Args:
        max_event_bytes: Largest event to read: its name, the lines of data read so far and the line
            that is being read, together. So no line is longer either, whatever kind it is of.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        if max_event_bytes < 1:
            raise ValueError(f"max_event_bytes is {max_event_bytes}; it has to be at least 1")
        self._max = max_event_bytes
        # A step never holds more than an event may, so what is whole within it needs no check.
        self._step = min(_STEP_BYTES, max_event_bytes)
        self._names = {b"": "message"}
        self._skip = _BYTE_ORDER_MARK
        self._skipping = b""
        self._line = bytearray()
        self._in_event = False
        self._name = b""
        self._data = bytearray()
        self._id = ""
        self._last_event_id = ""
        self._retry: int | None = None
        self._failed = False

    @property
    def pending(self) -> bool:
        """Whether the stream, if it ends here, ends inside an event or inside a line."""
        return self._in_event or bool(self._line or self._skipping)

    @property
    def last_event_id(self) -> str:
        """The id in force after the last event that was read; empty when the server gave none."""
        return self._last_event_id

    @property
    def retry(self) -> int | None:
        """Milliseconds that the server asks to wait before connecting again, if it does.

        A number of more than 18 digits is passed over.
        """
        return self._retry

    def feed(self, chunk: bytes) -> Iterable[ServerSentEvent]:
        """Read the next bytes of the stream.

        Returns the events that are complete with them, in order. Iterating raises `SSELimitError`
        where an event is larger than allowed, after those before it; from then on, so does `feed`.
        """
        if self._failed:
            raise self._limit_error()
        events: list[ServerSentEvent] = []
        names = self._names
        try:
            for name, data, lines in self.split(chunk):
                if lines:
                    events += self.read_lines(lines)
                elif name in names:
                    events.append((names[name], data))
                else:
                    events.append((self._decoded(name), data))
        except SSELimitError as error:
            return _then_raise(events, error)
        return events

    def split(self, chunk: bytes) -> Iterable[Block]:
        """Split the next bytes of the stream, for readers to whom every microsecond counts.

        Returns blocks, in order. Ask for the next one only when `read_lines` was given the lines of
        the one before. Raises what `feed` raises.
        """
        if self._failed:
            raise self._limit_error()
        if self._skip or len(chunk) > self._step or chunk.find(b"\r") >= 0:
            return self._split_steps(chunk)
        if self._in_event or self._line:
            return self._split_on(chunk)
        return _find_blocks(chunk)

    def read_lines(self, text: bytes) -> list[ServerSentEvent]:
        """Read lines that `split` gave, the last of which may go on in the next chunk.

        Returns the events that are complete with them. Raises `SSELimitError`, from then on always.
        """
        events: list[ServerSentEvent] = []
        start = 0
        while (end := text.find(b"\n", start)) >= 0:
            self._extend_line(text[start:end])
            start = end + 1
            if self._line:
                line = bytes(self._line)
                self._line.clear()
                self._read_field(line)
            else:
                self._end_event(events)
        self._extend_line(text[start:])
        return events

    def _split_steps(self, chunk: bytes) -> Iterator[Block]:
        """Split bytes of any size, whatever came before them."""
        for first in range(0, len(chunk), self._step):
            text = chunk[first : first + self._step]
            if self._skip:
                text = self._skipped(text)
            if text.find(b"\r") >= 0:
                self._skip = b"\n" if text.endswith(b"\r") else b""
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield from self._split_on(text)

    def _split_on(self, text: bytes) -> list[Block]:
        """Split bytes with LF alone that may go on with an event or a line."""
        if not text or not (self._in_event or self._line):
            return _find_blocks(text)
        end = text.find(b"\n\n")
        start = len(text) if end < 0 else end + 2
        return [(b"", b"", text[:start]), *_find_blocks(text, start)]

    def _skipped(self, chunk: bytes) -> bytes:
        """Pass over a byte order mark, which may come in parts, or over the LF of a CRLF."""
        chunk = self._skipping + chunk
        if len(chunk) < len(self._skip) and self._skip.startswith(chunk):
            self._skipping = chunk
            return b""
        chunk = chunk.removeprefix(self._skip)
        self._skip = self._skipping = b""
        return chunk

    def _extend_line(self, more: bytes) -> None:
        held = len(self._name) + len(self._data) + len(self._line)
        if held + len(more) > self._max:
            self._failed = True
            raise self._limit_error()
        self._line += more

    def _read_field(self, line: bytes) -> None:
        """Take in one line that is not empty; a comment is a field without a name."""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"retry":
            if value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
                self._retry = int(value)
            return
        if field == b"data":
            self._data += value
            self._data += b"\n"
        elif field == b"event":
            self._name = value
        elif field == b"id":
            if b"\0" not in value:
                self._id = value.decode(errors="replace")
        else:
            return
        self._in_event = True

    def _end_event(self, events: list[ServerSentEvent]) -> None:
        self._last_event_id = self._id
        if self._data:
            del self._data[-1]
            events.append((self._decoded(self._name), bytes(self._data)))
        self._name = b""
        self._data.clear()
        self._in_event = False

    def _decoded(self, name: bytes) -> str:
        """The name as text; a bounded number of short ones are remembered."""
        text = self._names.get(name)
        if text is None:
            text = name.decode(errors="replace")
            if len(name) <= _MAX_NAME_BYTES and len(self._names) < _MAX_NAMES:
                self._names[name] = text
        return text

    def _limit_error(self) -> SSELimitError:
        return SSELimitError(
            f"an event or a line of the stream is larger than the limit of {self._max} bytes; "
            "give SSEDecoder a higher max_event_bytes to read it"
        )


def _then_raise(
    events: Iterable[ServerSentEvent], error: SSELimitError
) -> Iterator[ServerSentEvent]:
    yield from events
    raise error


def encode_event(name: str, data: bytes | str) -> bytes:
    """Write one event; the bytes are meant to be sent in one write (rules S1, S8).

    Raises `ValueError` when the name is empty, or when the name or the data hold a line break: the
    stream could carry data of several lines, but this protocol has one line, and JSON needs none.
    """
    line = name.encode()
    value = data.encode() if isinstance(data, str) else data
    if not line:
        raise ValueError("the event has no name; it has to be the type in its data (rule S1)")
    _check_line("name of an event", line)
    _check_line("data of an event", value)
    return b"event: %b\ndata: %b\n\n" % (line, value)


def encode_comment(text: str) -> bytes:
    """Write a comment, which readers pass over: a sign of life between two events (rule S1).

    Raises `ValueError` when the text holds a line break.
    """
    line = text.encode()
    _check_line("text of a comment", line)
    return b": %b\n\n" % line


def _check_line(what: str, line: bytes) -> None:
    if line.find(b"\n") >= 0 or line.find(b"\r") >= 0:
        raise ValueError(f"the {what} holds a line break; it has to be one line (rule S8)")
