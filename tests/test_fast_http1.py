"""HTTP/1.1 in bytes: what is read does not depend on where the bytes are split, and a cut is never missed (S7)."""

from __future__ import annotations

from itertools import pairwise

import httpx2
import pytest
from byte_server import chunked
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.client._fast_http1 import (
    MOST_HEAD_BYTES,
    Body,
    ChunkedBody,
    Head,
    HeadReader,
    body_of,
    request_head,
    request_headers,
)

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = [
    (b"0\r\n\r\n", b""),
    (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"5;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b'5 ; a="b c"\r\nhello\r\n1\r\n!\r\n0;x\r\n\r\n', b"hello!"),
    (b"0000A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (b"4\r\n\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n0\r\n\r\n"),
    (b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n000\r\nA: 1\r\nB: 2\r\n\r\n", b"abc"),
]
MALFORMED = [
    b"\r\n",
    b"x\r\n",
    b"-1\r\n",
    b"0x5\r\nhello",
    b"1_0\r\n",
    b" 5\r\nhello",
    b"5\nhello",
    b"5\rhello",
    b";a\r\n",
    b"5 5\r\n",
    b"FFFFFFFFFFFFFFFF\r\n",
    b"5\r\nhelloX",
    b"5\r\nhello\rX",
    b"5\r\nhello\r\n\r\n",
    b"5\r\nhello5\r\nhello",
    b"5;" + b"a" * 9000,
    b"0\r\n" + b"A: 1\r\n" * 2000,
]


def fed(body: Body, pieces: list[bytes]) -> bytes:
    return b"".join(map(body.feed, pieces))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize(("sent", "expected"), CHUNKED)
def test_chunks_are_read_at_every_split(sent: bytes, expected: bytes) -> None:
    """At every two places, and byte by byte."""
    pairs = [[one, other] for one in range(len(sent) + 1) for other in range(one, len(sent) + 1)]
    for cuts in [*pairs, list(range(len(sent)))]:
        body = ChunkedBody()
        assert fed(body, split(sent, cuts)) == expected
        assert body.leaves_connection, cuts


@pytest.mark.parametrize(("sent", "expected"), CHUNKED)
def test_cut_chunks_are_an_error_at_every_byte(sent: bytes, expected: bytes) -> None:
    """S7."""
    for cut in range(len(sent)):
        body = ChunkedBody()
        assert expected.startswith(body.feed(sent[:cut]))
        assert not body.is_complete
        with pytest.raises(httpx2.RemoteProtocolError, match="middle"):
            body.end()


@pytest.mark.parametrize(("sent", "expected"), CHUNKED)
def test_bytes_after_the_last_chunk_are_no_part_of_it(sent: bytes, expected: bytes) -> None:
    body = ChunkedBody()
    assert body.feed(sent + b"H") == expected
    assert body.is_complete
    assert not body.leaves_connection


@pytest.mark.parametrize("sent", MALFORMED)
def test_malformed_chunks_are_refused_as_soon_as_they_are_seen(sent: bytes) -> None:
    for pieces in ([sent], split(sent, list(range(len(sent))))):
        with pytest.raises(httpx2.RemoteProtocolError):
            fed(ChunkedBody(), pieces)


@given(chunks=st.lists(st.binary(min_size=1, max_size=300)), cuts=st.lists(st.integers(0, 5000)))
def test_any_chunks_are_read_at_any_split(chunks: list[bytes], cuts: list[int]) -> None:
    body = ChunkedBody()
    assert fed(body, split(chunked(*chunks).removeprefix(HEAD), cuts)) == b"".join(chunks)
    assert body.leaves_connection


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)))
def test_any_bytes_are_chunks_or_an_error_whatever_the_split(sent: bytes, cuts: list[int]) -> None:
    """And nothing else is raised."""
    outcomes: list[object] = []
    for pieces in ([sent], split(sent, cuts)):
        body = ChunkedBody()
        try:
            outcomes.append((fed(body, pieces), body.is_complete))
        except httpx2.RemoteProtocolError:
            outcomes.append("error")
    assert outcomes[0] == outcomes[1] or "error" in outcomes


# Heads.

HEADS = [
    (HEAD, 200, [(b"Transfer-Encoding", b"chunked")]),
    (b"HTTP/1.1 204\r\n\r\n", 204, []),
    (b"HTTP/1.1 200 OK\nA: 1\nB:2\n\n", 200, [(b"A", b"1"), (b"B", b"2")]),
    (b"HTTP/1.0 404 Not: Found\r\nA:\t b c \t\r\nA:\r\n\r\n", 404, [(b"A", b"b c"), (b"A", b"")]),
    (b"HTTP/1.1 200 OK\r\nA: 1,\r\n  2\r\n\t3\r\nB: \xff\r\n\r\n", 200, [(b"A", b"1, 2 3"), (b"B", b"\xff")]),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n", 200, [(b"A", b"1")]),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "headers"), HEADS)
def test_head_is_read_at_every_split(sent: bytes, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    for cut in range(len(sent)):
        reader = HeadReader()
        assert reader.feed(sent[:cut]) is None
        head = reader.feed(sent[cut:] + b"body")
        assert head is not None
        assert (head.status, head.headers, reader.rest) == (status, headers, b"body")
    reader = HeadReader()
    *first, last = (reader.feed(bytes([byte])) for byte in sent)
    assert set(first) == {None}
    assert last is not None


@pytest.mark.parametrize(
    "sent",
    [
        b"\x15\x03\x01",
        b"220 ready\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 0200 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
        b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b" " * MOST_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n",
    ],
    ids=lambda sent: repr(sent[:50]),
)
def test_malformed_or_oversized_head_is_refused(sent: bytes) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        HeadReader().feed(sent)


@given(
    st.lists(
        st.sampled_from([b"HTTP/1.1 200 OK", b"\r\n", b"\n", b"A: 1", b" ", b":", b"\0", b"\r", b"HTTP/1.1 100 x"])
    )
)
def test_any_bytes_are_a_head_or_an_error(tokens: list[bytes]) -> None:
    reader = HeadReader()
    try:
        for token in tokens:
            if reader.feed(token):
                break
    except httpx2.RemoteProtocolError:
        pass


# Bodies.


def head(*lines: str, version: bytes = b"HTTP/1.1", status: int = 200) -> Head:
    parts = [line.encode().partition(b": ") for line in lines]
    return Head(version, status, b"", [(name, value) for name, _, value in parts])


@pytest.mark.parametrize(
    ("given", "method", "sent", "expected", "is_kept"),
    [
        (head("Content-Length: 5"), "GET", b"hello", b"hello", True),
        (head("Content-Length: 5", "content-length: 5"), "GET", b"hello", b"hello", True),
        (head("Content-Length: 5, 5"), "GET", b"hello", b"hello", True),
        (head("Content-Length: 5"), "GET", b"hello!", b"hello", False),
        (head("Content-Length: 5"), "HEAD", b"", b"", True),
        (head("Content-Length: 5"), "HEAD", b"hello", b"", False),
        (head("Content-Length: 5", status=304), "GET", b"", b"", True),
        (head(status=204), "POST", b"", b"", True),
        (head("Content-Length: 5", "Connection: close"), "GET", b"hello", b"hello", False),
        (head("Content-Length: 5", "Connection: a, CLOSE"), "GET", b"hello", b"hello", False),
        (head("Content-Length: 5", version=b"HTTP/1.0"), "GET", b"hello", b"hello", False),
        (head("Transfer-Encoding: Chunked"), "GET", b"1\r\na\r\n0\r\n\r\n", b"a", True),
        (head("Transfer-Encoding: chunked", "Content-Length: 3"), "GET", b"1\r\na\r\n0\r\n\r\n", b"a", False),
    ],
)
def test_end_of_a_body_is_found(given: Head, method: str, sent: bytes, expected: bytes, is_kept: bool) -> None:
    """RFC 9112, section 6.3; and whether the connection can be used again."""
    body = body_of(given, method)
    assert body.feed(sent) == expected
    assert (body.is_complete, body.leaves_connection) == (True, is_kept)


def test_body_without_a_length_ends_with_the_connection() -> None:
    body = body_of(head(), "GET")
    assert body.feed(b"hello") == b"hello"
    assert not body.is_complete
    body.end()
    assert body.is_complete
    assert not body.leaves_connection


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: -1"],
        ["Content-Length: +1"],
        ["Content-Length: 0x1"],
        ["Content-Length: 1_0"],
        ["Content-Length: ٣"],
        ["Content-Length: 1, 2"],
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: " + "9" * 30],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: identity", "Content-Length: 1"],
    ],
    ids=lambda lines: lines[0][:40],
)
def test_body_whose_end_is_not_known_is_refused(lines: list[str]) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        body_of(head(*lines), "GET")


# Requests.


def test_request_line_that_is_none_is_refused() -> None:
    for method, target in (
        ("GET /x", b"/"),
        ("", b"/"),
        ("GET", b"/ HTTP/1.1\r\nA: b"),
        ("GET", b"/\r\n"),
        ("GET", b"/\0"),
    ):
        with pytest.raises(httpx2.LocalProtocolError):
            request_head(method, target, [])


def test_length_replaces_the_transfer_coding_of_a_request() -> None:
    request = httpx2.Request("POST", "http://h/", content=iter([b"a", b"b"]))
    assert request_headers(request, request.read()) == [(b"Host", b"h"), (b"Content-Length", b"2")]
