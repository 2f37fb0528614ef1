"""HTTP/1.1 in bytes: the head of a request, the head of an answer, and where its body ends.

Nothing here does IO. What breaks RFC 9112 is refused with an `httpx2.RemoteProtocolError`.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- S7: a body that is cut off is an error, never a shorter body.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import httpx2

MOST_HEAD_BYTES = 64 * 1024
"""How long the head of an answer may be, in bytes."""
_MOST_HEADERS = 256
_MOST_INTERIM_ANSWERS = 100
_MOST_LINE_BYTES = 4 * 1024
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAK = re.compile(rb"[\x00\r\n]")
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\x00\r]*))?")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FOLDED_LINE = re.compile(rb"\r?\n[ \t]+")
_FIRST_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_NEXT_CHUNK = re.compile(rb"\r\n" + _FIRST_CHUNK.pattern)
_OPEN_CHUNK_LINE = re.compile(rb"[0-9A-Fa-f]{0,15}[ \t]*(?:;[^\r\n]*)?\r?")

Headers = list[tuple[bytes, bytes]]
"""Header lines in their order, names as they were written."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer."""

    version: bytes
    status: int
    reason: bytes
    headers: Headers

    def values(self, name: bytes) -> list[bytes]:
        """The comma-separated values under a name (in lower case), of all lines, in lower case."""
        lines = [value for each, value in self.headers if each.lower() == name]
        parts = [part.strip(b" \t").lower() for line in lines for part in line.split(b",")]
        return [part for part in parts if part]


def request_headers(request: httpx2.Request, body: bytes) -> Headers:
    """The header lines to send with a body that is sent whole, whatever it was made from.

    Raises `httpx2.LocalProtocolError` for a name or a value that would break the head; it never
    shows the value, which may be a secret.
    """
    headers = request.headers.raw
    if "transfer-encoding" in request.headers:
        chunked = {b"transfer-encoding", b"content-length"}
        headers = [line for line in headers if line[0].lower() not in chunked]
        headers.append((b"Content-Length", b"%d" % len(body)))
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise httpx2.LocalProtocolError(f"{name!r} cannot be the name of a header")
        if _BREAK.search(value):
            reason = "its value holds a line break or a null byte"
            raise httpx2.LocalProtocolError(f"The header {name.decode()} cannot be sent: {reason}")
    return headers


def request_head(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of a request, with the blank line after it; the headers are checked already."""
    verb = method.encode()
    if not _TOKEN.fullmatch(verb) or re.search(rb"[\x00-\x20\x7f]", target):
        raise httpx2.LocalProtocolError(f"{method} {target!r} is no request line")
    lines = [b"%b: %b" % line for line in headers]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (verb, target), *lines, b"", b""])


class HeadReader:
    """Reads the head of the final answer from bytes as they arrive; interim answers are skipped."""

    def __init__(self) -> None:
        self.rest = b""
        """What was given after the head."""
        self._received = b""
        self._interim_answers = 0

    def feed(self, data: bytes) -> Head | None:
        """The head, once it is complete."""
        searched = max(0, len(self._received) - 2)
        self._received += data
        while end := _BLANK_LINE.search(self._received, searched):
            block, self._received = self._received[: end.start()], self._received[end.end() :]
            head = _parsed(block)
            if head.status >= 200:
                self.rest = self._received
                return head
            self._count_interim(head)
            searched = 0
        if len(self._received) > MOST_HEAD_BYTES:
            raise _too_long()
        if not self._received.startswith(b"HTTP/1."[: len(self._received)]):
            raise httpx2.RemoteProtocolError("The server answers with something other than HTTP/1")
        return None

    def _count_interim(self, head: Head) -> None:
        self._interim_answers += 1
        if head.status == 101:
            raise httpx2.RemoteProtocolError("The server switches protocols without being asked to")
        if self._interim_answers > _MOST_INTERIM_ANSWERS:
            raise httpx2.RemoteProtocolError("The server sends interim answers without end")


def _parsed(block: bytes) -> Head:
    if len(block) > MOST_HEAD_BYTES:
        raise _too_long()
    first, *lines = _LINE_END.split(_FOLDED_LINE.sub(b" ", block.removesuffix(b"\r")))
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        raise httpx2.RemoteProtocolError(f"The server's status line is malformed: {first[:80]!r}")
    if len(lines) > _MOST_HEADERS:
        raise httpx2.RemoteProtocolError(f"The answer has more than {_MOST_HEADERS} headers")
    return Head(status[1], int(status[2]), status[3] or b"", [_header(line) for line in lines])


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name) or _BREAK.search(value):
        raise httpx2.RemoteProtocolError(f"A header line of the answer is malformed: {name[:80]!r}")
    return name, value.strip(b" \t")


def _too_long() -> httpx2.RemoteProtocolError:
    message = f"The head of the answer is longer than {MOST_HEAD_BYTES} bytes"
    return httpx2.RemoteProtocolError(message)


class Body(ABC):
    """Takes the body of an answer out of the bytes that arrive."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_last = False
        """Whether the connection is of no further use after it."""

    @property
    def leaves_connection(self) -> bool:
        """Whether the connection can take another request now."""
        return self.is_complete and not self.is_last

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """The part of the body that is in what arrived; may be empty."""

    def end(self) -> None:
        """The connection has ended; raises `httpx2.RemoteProtocolError` if that cuts the body."""
        message = "The server closed the connection in the middle of the body"
        raise httpx2.RemoteProtocolError(message)


class OpenBody(Body):
    """A body that ends with the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.is_last = True

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.is_complete = True


class SizedBody(Body):
    """A body of a known length, in bytes."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length

    def feed(self, data: bytes) -> bytes:
        payload = data[: self._left]
        self._left -= len(payload)
        self.is_complete = not self._left
        self.is_last |= len(payload) < len(data)
        return payload


class ChunkedBody(Body):
    """A body in chunks: all chunks in what arrives at once come out as one; trailers are dropped.

    This is the hot path of streaming: per chunk two matches and a slice.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held = b""
        self._left = 0
        self._line = _FIRST_CHUNK
        self._is_in_trailer = False

    def feed(self, data: bytes) -> bytes:
        data, self._held = self._held + data, b""
        if self._is_in_trailer:
            self._read_trailer(data)
            return b""
        pieces: list[bytes] = []
        start = 0
        while True:
            if self._left:
                piece = data[start : start + self._left]
                pieces.append(piece)
                start += len(piece)
                self._left -= len(piece)
            line = None if self._left else self._line.match(data, start)
            if line is None:
                break
            start = line.end()
            self._line = _NEXT_CHUNK
            self._left = int(line[1], 16)
            if not self._left:
                self._read_trailer(data[start:])
                return b"".join(pieces)
        self._hold(data[start:])
        return b"".join(pieces)

    def _hold(self, rest: bytes) -> None:
        """Keep the start of a line between chunks until the rest of it comes."""
        self._held = rest
        if self._line is _NEXT_CHUNK:
            if b"\r\n".startswith(rest):
                return
            if not rest.startswith(b"\r\n"):
                raise httpx2.RemoteProtocolError("A chunk of the body is longer than it says")
            rest = rest[2:]
        if len(rest) > _MOST_LINE_BYTES or not _OPEN_CHUNK_LINE.fullmatch(rest):
            message = f"The size of a chunk of the body is malformed: {rest[:40]!r}"
            raise httpx2.RemoteProtocolError(message)

    def _read_trailer(self, data: bytes) -> None:
        self._is_in_trailer = True
        end = 0 if data.startswith(b"\r\n") else data.find(b"\r\n\r\n") + 2
        if end == 1:
            if len(data) > _MOST_LINE_BYTES:
                raise httpx2.RemoteProtocolError("The trailer after the body is too long")
            self._held = data
        else:
            self.is_complete = True
            self.is_last |= len(data) > end + 2


def body_of(head: Head, method: str) -> Body:
    """What reads the body after a head (RFC 9112, section 6.3)."""
    codings, lengths = head.values(b"transfer-encoding"), head.values(b"content-length")
    if method == "HEAD" or head.status in {204, 304}:
        body: Body = SizedBody(0)
    elif codings == [b"chunked"]:
        body = ChunkedBody()
    elif codings:
        names = b", ".join(codings).decode("latin-1")
        message = f"The body has a transfer coding that was not asked for: {names}"
        raise httpx2.RemoteProtocolError(message)
    elif lengths:
        body = SizedBody(_length(lengths))
    else:
        body = OpenBody()
    # With both framings at once, what comes after the body may be somebody's second answer.
    body.is_last |= bool(codings and lengths)
    body.is_last |= head.version != b"HTTP/1.1" or b"close" in head.values(b"connection")
    return body


def _length(values: list[bytes]) -> int:
    length = values[0]
    if set(values) != {length} or not length.isdigit() or len(length) > 18:
        raise httpx2.RemoteProtocolError("The length of the body is malformed or contradictory")
    return int(length)
