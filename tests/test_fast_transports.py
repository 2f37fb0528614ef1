"""The fast transports do what httpx2's own do, over real sockets: in order, and when servers fail (S7, E5).

Where all of them ought to behave alike, the same cases run over all of them.
"""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx2
import pytest
from byte_server import ByteServer, Peer, answering, chunked, sized
from openresponses_kit import AsyncOpenResponses, OpenResponses, StreamInterruptedError
from openresponses_kit.client import _fast_pool
from openresponses_kit.client.fast_async import AsyncFastClient, AsyncFastTransport
from openresponses_kit.client.fast_sync import FastClient, FastTransport
from scripted_answers import DONE, sse, text_events
from transports import ALL, ASYNC, FAST, SYNC, Answer, Ask, ask, ask_with, ask_with_async, get

OK = sized(b"ok")


@dataclass(frozen=True)
class Case:
    """An answer of a server, and what a reader has of it."""

    sent: bytes
    body: bytes | None
    """None when the answer is an error."""
    status: int = 200
    method: str = "GET"


CASES = {
    "length": Case(sized(b"hello"), b"hello"),
    "length 0": Case(sized(b""), b""),
    "chunks": Case(chunked(b"a", b"bc" * 500, b"d\r\n"), b"a" + b"bc" * 500 + b"d\r\n"),
    "no chunks": Case(chunked(), b""),
    "chunk extensions": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=1;b\r\nabc\r\n0;last\r\n\r\n", b"abc"
    ),
    "hexadecimal sizes": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
        b"0123456789" * 2,
    ),
    "trailers": Case(chunked(b"abc", trailer=b"A: 1\r\nB: 2\r\n"), b"abc"),
    "until the end": Case(b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
    "until the end, HTTP/1.0": Case(b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    "no reason": Case(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", b"ok"),
    "no content": Case(b"HTTP/1.1 204 No Content\r\n\r\n", b"", 204),
    "not modified": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", 304),
    "HEAD with length": Case(sized(b"")[:-4] + b"0\r\n\r\n", b"", method="HEAD"),
    "HEAD with chunks": Case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"", method="HEAD"),
    "100 before": Case(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
    "103 before": Case(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"ok"),
    "several before": Case(b"HTTP/1.1 102 Processing\r\n\r\n" * 5 + chunked(b"ok"), b"ok"),
    "error status": Case(sized(b"{}", status=b"503 Busy"), b"{}", 503),
    "redirect": Case(sized(b"", b"Location: /there", status=b"302 Found"), b"", 302),
    "long header": Case(sized(b"ok", b"A: " + b"a" * 40_000), b"ok"),
    "lines end with LF": Case(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
    "no answer": Case(b"", None),
    "no HTTP": Case(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", None),
    "half a head": Case(b"HTTP/1.1 200 OK\r\nContent-Le", None),
    "only a 100": Case(b"HTTP/1.1 100 Continue\r\n\r\n", None),
    "status with letters": Case(b"HTTP/1.1 2OO OK\r\n\r\n", None),
    "header without colon": Case(b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n", None),
    "header with a null byte": Case(b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 2\r\n\r\nok", None),
    "endless head": Case(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 300_000, None),
    "length with a sign": Case(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", None),
    "contradictory lengths": Case(sized(b"hello", b"Content-Length: 4"), None),
    "chunk size with a sign": Case(chunked()[:-5] + b"+1\r\na\r\n0\r\n\r\n", None),
    "chunk size with letters": Case(chunked()[:-5] + b"xyz\r\na\r\n0\r\n\r\n", None),
    "chunk size missing": Case(chunked()[:-5] + b"\r\n\r\n", None),
    "chunk longer than it says": Case(chunked()[:-5] + b"1\r\nabc\r\n0\r\n\r\n", None),
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_answers_are_read_alike(case: Case, kind: str) -> None:
    """S7: what is whole comes out whole; what is malformed or cut is an error."""
    with ByteServer(answering(case.sent, closing=True)) as server:
        (answer,) = ask(kind, [Ask(server.url, case.method)])
    if case.body is None:
        assert isinstance(answer.error, httpx2.RemoteProtocolError)
    else:
        assert (answer.error, answer.status, answer.body) == (None, case.status, case.body)


@pytest.mark.parametrize("kind", ALL)
def test_head_comes_out_as_it_was_sent(kind: str) -> None:
    headers = [("X-One", "1"), ("x-two", "a, b"), ("X-One", "2"), ("Set-Cookie", "a=b"), ("Empty", "")]
    lines = [f"{name}:   {value}  ".encode() for name, value in headers]
    with ByteServer(answering(sized(b"", *lines, status=b"299 All is well"))) as server:
        answer = get(kind, server.url)
    assert (answer.status, answer.reason, answer.version) == (299, "All is well", "HTTP/1.1")
    expected = [("content-length", "0"), *((name.lower(), value) for name, value in headers)]
    assert sorted(answer.headers) == sorted(expected)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("length", [1, 2, 7])
def test_pieces_of_any_length_make_the_same_body(length: int, kind: str) -> None:
    """S6, S7: wherever the bytes of a chunked answer are split, on their way through real sockets."""
    body = [b"data: \xe2\x82\xac\n\n", b"x" * 300, b"\r\n", b"0\r\n\r\n"]
    sent = chunked(*body, trailer=b"A: 1\r\n")
    pieces = [sent[start : start + length] for start in range(0, len(sent), length)]
    with ByteServer(answering(*pieces)) as server:
        answers = ask(kind, [Ask(server.url)] * 2)
        assert server.connections == 1
    assert [(answer.error, answer.body) for answer in answers] == [(None, b"".join(body))] * 2


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "sent", [chunked(b"abc", b"d" * 20, trailer=b"A: 1\r\n"), sized(b"hello")], ids=["chunks", "length"]
)
def test_answer_cut_at_any_byte_is_an_error(sent: bytes, kind: str) -> None:
    """S7: never a shorter body, wherever the server closes the connection."""
    cuts = iter(range(len(sent)))

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(sent[: next(cuts)])

    with ByteServer(talk) as server:
        answers = ask(kind, [Ask(server.url, "POST")] * len(sent))
        assert server.connections == len(sent)
    for cut, answer in enumerate(answers):
        assert isinstance(answer.error, httpx2.RemoteProtocolError), sent[:cut]
        assert (b"abc" + b"d" * 20 + b"hello").find(answer.body) >= 0


@pytest.mark.parametrize("kind", ALL)
def test_reset_connection_is_an_error(kind: str) -> None:
    """S7: in the middle of a body that has no other end than that of the connection."""

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        peer.reset()

    with ByteServer(talk) as server:
        answer = get(kind, server.url)
    assert isinstance(answer.error, httpx2.ReadError | httpx2.RemoteProtocolError)


@pytest.mark.parametrize("kind", ALL)
def test_encoded_body_is_decoded_by_the_response(kind: str) -> None:
    """The transport hands over the bytes of the wire; `Response.read` decodes them."""
    body = b"hello " * 1000
    packed = gzip.compress(body)
    with ByteServer(answering(chunked(packed[:9], packed[9:], headers=b"Content-Encoding: gzip\r\n"))) as server:
        assert get(kind, server.url).body == packed
        response = whole(kind, server.url)
    assert (response.content, response.headers["content-encoding"]) == (body, "gzip")


def whole(kind: str, url: str) -> httpx2.Response:
    """An answer as `client.get` gives it."""
    if kind in SYNC:
        with httpx2.Client(transport=SYNC[kind]()) as client:
            return client.get(url)

    async def run() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=ASYNC[kind]()) as client:
            return await client.get(url)

    return asyncio.run(run())


# Requests.


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize(
    "each",
    [
        Ask("responses?a=1&b=%2F%20#part"),
        Ask("", "POST", {"json": {"model": "m", "input": "18 °C"}}),
        Ask("", "POST"),
        Ask("", "PUT", {"content": b"\0" * 100_000}),
        Ask("", "GET", {"headers": {"X-One": "a", "Cookie": "a=b"}}),
        Ask("a b/%E2%82%AC", "HEAD"),
    ],
    ids=lambda each: f"{each.method} {each.url}",
)
def test_request_is_the_same_on_the_wire(each: Ask, kind: str) -> None:
    """T1: request line, headers and body are those that httpx2 itself sends."""
    with ByteServer(answering(sized(b""))) as server:
        url = server.url.replace("//", "//user:p%40ss@") + each.url
        for used in ("httpx2", kind):
            (answer,) = ask(used, [Ask(url, each.method, each.options)])
            assert answer.error is None
        expected, found = map(dissected, server.requests)
    assert found == expected
    assert found[0].split()[0] == each.method.encode()


def dissected(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, sorted(header.partition(b":")[0].lower() + header.partition(b":")[2] for header in headers), body


@pytest.mark.parametrize("kind", FAST)
def test_streamed_request_is_sent_whole(kind: str) -> None:
    def sync_pieces() -> Iterator[bytes]:
        yield from (b"one", b"two")

    async def async_pieces() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two"):
            yield piece

    content = sync_pieces() if kind in SYNC else async_pieces()
    with ByteServer(answering(OK)) as server:
        (answer,) = ask(kind, [Ask(server.url, "POST", {"content": content})])
        line, headers, body = dissected(server.requests[0])
    assert (answer.body, line, body) == (b"ok", b"POST / HTTP/1.1", b"onetwo")
    assert b"content-length 6" in headers
    assert not any(header.startswith(b"transfer-encoding") for header in headers)


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize(
    ("name", "value"),
    [("Authorization", "Bearer secret\r\nX: 1"), ("X", "secret\0"), ("X", "secret\n"), ("a secret", "1"), ("", "1")],
)
def test_header_that_would_break_the_head_is_refused(name: str, value: str, kind: str) -> None:
    """No request is sent, and the error does not show the value."""
    with ByteServer(answering(OK)) as server:
        (answer,) = ask(kind, [Ask(server.url, options={"headers": {name: value}})])
        assert server.requests == []
    assert isinstance(answer.error, httpx2.LocalProtocolError)
    assert name == "a secret" or "secret" not in str(answer.error)


@pytest.mark.parametrize("kind", ALL)
def test_other_protocols_are_refused(kind: str) -> None:
    assert isinstance(get(kind, "ftp://127.0.0.1/").error, httpx2.UnsupportedProtocol)


# Connections.


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "sent", [OK, chunked(b"ok"), b"HTTP/1.1 204 No Content\r\n\r\n"], ids=["length", "chunks", "no content"]
)
def test_connection_is_kept_for_the_next_request(sent: bytes, kind: str) -> None:
    with ByteServer(answering(sent)) as server:
        answers = ask(kind, [Ask(server.url), Ask(server.url, "POST", {"content": b"x"}), Ask(server.url)])
        assert [answer.error for answer in answers] == [None] * 3
        assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "sent",
    [
        sized(b"ok", b"Connection: close"),
        sized(b"ok", b"connection: Keep-Alive, Close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        chunked(b"ok", headers=b"Connection: close\r\n"),
    ],
    ids=["close", "close in a list", "HTTP/1.0", "chunks"],
)
def test_connection_that_the_server_gives_up_is_not_used_again(sent: bytes, kind: str) -> None:
    with ByteServer(answering(sent)) as server:
        answers = ask(kind, [Ask(server.url)] * 3)
        assert [answer.body for answer in answers] == [b"ok"] * 3
        assert server.connections == 3


@pytest.mark.parametrize("kind", ALL)
def test_connection_whose_body_was_not_read_is_closed(kind: str) -> None:
    """Otherwise the rest of the old answer would be taken for the next."""
    with ByteServer(answering(chunked(b"a" * 500_000))) as server:
        answers = ask(kind, [Ask(server.url, is_read=False), Ask(server.url, is_read=False), Ask(server.url)])
        assert server.connections == 3
    assert (answers[2].error, len(answers[2].body)) == (None, 500_000)


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize("sent", [OK, chunked(b"ok"), b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_connection_on_which_too_much_arrived_is_closed(sent: bytes, kind: str) -> None:
    """What was not asked for is not taken for the next answer."""
    with ByteServer(answering(sent + sized(b"poison"))) as server:
        answers = ask(kind, [Ask(server.url)] * 3)
        assert server.connections == 3
    assert {answer.body for answer in answers} <= {b"ok", b""}


def test_both_framings_at_once_end_the_connection() -> None:
    """Whoever is in between may have read the other one."""
    with ByteServer(answering(chunked(b"ok", headers=b"Content-Length: 2\r\n"))) as server:
        answers = ask("fast", [Ask(server.url)] * 2)
        assert server.connections == 2
    assert [answer.body for answer in answers] == [b"ok"] * 2


@pytest.mark.parametrize("kind", ALL)
def test_idle_connection_expires(kind: str) -> None:
    with ByteServer(answering(OK)) as server:
        limits = httpx2.Limits(keepalive_expiry=1e-9)
        assert [answer.body for answer in ask(kind, [Ask(server.url)] * 3, limits=limits)] == [b"ok"] * 3
        assert server.connections == 3


@pytest.mark.parametrize("expiry", [None, 3600.0])
@pytest.mark.parametrize("kind", ALL)
def test_idle_connection_is_kept_as_long_as_wanted(expiry: float | None, kind: str) -> None:
    with ByteServer(answering(OK)) as server:
        assert len(ask(kind, [Ask(server.url)] * 3, limits=httpx2.Limits(keepalive_expiry=expiry))) == 3
        assert server.connections == 1


def test_as_many_connections_stay_idle_as_wanted() -> None:
    limits = httpx2.Limits(max_connections=10, max_keepalive_connections=2)
    with ByteServer(answering(OK)) as server, FastClient(limits=limits) as client:
        for expected in (3, 4):
            with ExitStack() as stack:
                for _ in range(3):
                    stack.enter_context(client.stream("GET", server.url)).read()
            with ExitStack() as stack:
                opened = [stack.enter_context(client.stream("GET", server.url)) for _ in range(3)]
                assert [response.read() for response in opened] == [b"ok"] * 3
            assert server.connections >= expected


def test_idle_connection_elsewhere_makes_room() -> None:
    limits = httpx2.Limits(max_connections=1)
    with ByteServer(answering(OK)) as one, ByteServer(answering(OK)) as two, FastClient(limits=limits) as client:
        assert [client.get(url).content for url in (one.url, two.url, one.url)] == [b"ok"] * 3
        assert (one.connections, two.connections) == (2, 1)


@pytest.mark.parametrize("kind", ["httpx2", "fast"])
def test_pool_that_is_full_times_out(kind: str) -> None:
    transport = SYNC[kind](limits=httpx2.Limits(max_connections=1))
    timeout = httpx2.Timeout(10, pool=0.05)
    with ByteServer(answering(OK)) as server, httpx2.Client(transport=transport, timeout=timeout) as client:
        with client.stream("GET", server.url) as response, pytest.raises(httpx2.PoolTimeout):
            client.get(server.url)
        assert response.is_closed
        assert client.get(server.url).content == b"ok"


def test_async_pool_that_is_full_times_out() -> None:
    async def run(url: str) -> None:
        limits, timeout = httpx2.Limits(max_connections=1), httpx2.Timeout(10, pool=0.05)
        async with AsyncFastClient(limits=limits, timeout=timeout) as client:
            async with client.stream("GET", url):
                with pytest.raises(httpx2.PoolTimeout):
                    await client.get(url)
            assert (await client.get(url)).content == b"ok"

    with ByteServer(answering(OK)) as server:
        asyncio.run(run(server.url))


def test_thread_that_waits_for_a_connection_gets_the_next_free_one() -> None:
    with ByteServer(answering(OK)) as server, FastClient(limits=httpx2.Limits(max_connections=1)) as client:
        with ThreadPoolExecutor(1) as pool, client.stream("GET", server.url) as response:
            waiting = pool.submit(client.get, server.url)
            response.read()
            assert waiting.result(10).content == b"ok"
        assert server.connections == 1


def test_body_read_without_a_client_leaves_its_connection_too() -> None:
    """Reading to the end is enough; a stream that was closed is not read again."""
    with ByteServer(answering(chunked(b"ok"))) as server, FastTransport() as transport:
        for _ in range(3):
            stream = transport.handle_request(httpx2.Request("GET", server.url)).stream
            assert isinstance(stream, httpx2.SyncByteStream)
            assert list(stream) == [b"ok"]
            with pytest.raises(httpx2.StreamClosed):
                list(stream)
        assert server.connections == 1


def test_body_read_without_an_async_client_leaves_its_connection_too() -> None:
    async def run(url: str) -> None:
        limits = httpx2.Limits(max_connections=1)
        async with AsyncFastTransport(limits=limits) as transport:
            for _ in range(3):
                stream = (await transport.handle_async_request(httpx2.Request("GET", url))).stream
                assert isinstance(stream, httpx2.AsyncByteStream)
                assert [block async for block in stream] == [b"ok"]
                with pytest.raises(httpx2.StreamClosed):
                    [block async for block in stream]

    with ByteServer(answering(chunked(b"ok"))) as server:
        asyncio.run(run(server.url))
        assert server.connections == 1


# Stale connections.


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
def test_connection_that_the_server_closed_while_idle_is_not_used(is_reset: bool, kind: str) -> None:
    """A server ends idle connections without a word; no request is lost to that."""
    closed = threading.Semaphore(0)

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.reset() if is_reset else peer.close()
        closed.release()

    with ByteServer(talk) as server:
        for answer in asked_after(kind, closed, Ask(server.url, "POST", {"content": b"{}"})):
            assert (answer.error, answer.body) == (None, b"ok")
        assert (server.connections, len(server.requests)) == (3, 3)


def asked_after(kind: str, ready: threading.Semaphore, each: Ask) -> list[Answer]:
    """The answers to a request that is made three times, again when the server is ready."""
    if kind in SYNC:
        with httpx2.Client(transport=SYNC[kind]()) as client:
            return [(ask_with(client, each), ready.acquire(timeout=10))[0] for _ in range(3)]

    async def run() -> list[Answer]:
        answers: list[Answer] = []
        async with httpx2.AsyncClient(transport=ASYNC[kind]()) as client:
            for _ in range(3):
                answers.append(await ask_with_async(client, each))
                await asyncio.to_thread(ready.acquire, timeout=10)
        return answers

    return asyncio.run(run())


def losing_the_second(peer: Peer) -> None:
    """Answers the first request, takes the second and closes the connection."""
    if peer.request() is not None:
        peer.send(OK)
        peer.request()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_idempotent_request_lost_on_a_kept_connection_is_sent_again(method: str) -> None:
    """E5: the server may have closed the connection while the request was on its way."""
    with ByteServer(losing_the_second) as server:
        answers = ask("fast", [Ask(server.url, method)] * 2)
        assert [answer.error for answer in answers] == [None, None]
        assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_request_that_may_have_been_acted_on_is_not_sent_again(method: str, kind: str) -> None:
    """E5: the server took the whole request; what it did with it nobody knows."""
    with ByteServer(losing_the_second) as server:
        first, second = ask(kind, [Ask(server.url, method, {"content": b"{}"})] * 2)
        assert (first.error, first.body) == (None, b"ok")
        assert isinstance(second.error, httpx2.RemoteProtocolError)
        assert (server.connections, len(server.requests)) == (1, 2)


def test_request_that_could_not_be_sent_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """E5: the server broke the connection just after it was found to be of use; nothing of the request arrived."""
    gone = threading.Semaphore(0)

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.reset()
        gone.release()

    with ByteServer(talk) as server, FastClient() as client:
        assert client.post(server.url).content == b"ok"
        assert gone.acquire(timeout=10)
        monkeypatch.setattr(_fast_pool.Connection, "is_quiet", lambda _: True)
        assert client.post(server.url).content == b"ok"
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("lost", [b"", b"H", b"HTTP/1.1 200 OK\r\n"])
def test_request_is_not_sent_again_once_its_answer_has_begun(lost: bytes) -> None:
    """E5: nor over a connection that was new."""

    def talk(peer: Peer) -> None:
        if lost:
            peer.request()
            peer.send(OK)
        peer.request()
        peer.send(lost)

    with ByteServer(talk) as server:
        *_, last = ask("fast", [Ask(server.url)] * (2 if lost else 1))
        assert isinstance(last.error, httpx2.RemoteProtocolError)
        assert (server.connections, len(server.requests)) == ((1, 2) if lost else (1, 1))


def test_answer_given_before_the_request_was_taken_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may refuse a large request early and stop reading: its answer says why."""
    send = _fast_pool.Connection.send

    def failing(self: _fast_pool.Connection, data: bytes, timeout: float | None) -> None:
        send(self, data, timeout)
        raise httpx2.WriteError("broken pipe")

    monkeypatch.setattr(_fast_pool.Connection, "send", failing)
    with ByteServer(answering(sized(b"too large", status=b"413 Too Large"))) as server:
        answers = ask("fast", [Ask(server.url, "POST")] * 2)
        assert [(answer.error, answer.status) for answer in answers] == [(None, 413)] * 2
        assert server.connections == 2


# The client.


@pytest.mark.parametrize("kind", FAST)
def test_client_streams_over_it(kind: str) -> None:
    """S6, S7: the whole client, over a stream in odd pieces; and one that is cut."""
    events = text_events("Hello", ", ", "wörld")
    stream = chunked(*map(sse, events), DONE, headers=b"Content-Type: text/event-stream\r\n")
    cut = stream[: stream.index(b"event: response.completed")]

    def talk(peer: Peer) -> None:
        for sent in (stream, cut):
            peer.request()
            peer.send(*(sent[start : start + 97] for start in range(0, len(sent), 97)))

    with ByteServer(talk) as server:
        seen, text, error = stream_twice(server.url) if kind in SYNC else asyncio.run(stream_twice_async(server.url))
        assert server.connections == 1
    assert seen == [event["type"] for event in events]
    assert text == "Hello, wörld"
    assert error.response is not None
    assert error.response.output_text == "Hello, wörld"


def stream_twice(url: str) -> tuple[list[str], str, StreamInterruptedError]:
    with OpenResponses(base_url=url, api_key="k", http_client=FastClient()) as client:
        with client.responses.stream(model="m", input="hi") as stream:
            seen = [event.type for event in stream]
            text = stream.get_final_response().output_text
        with pytest.raises(StreamInterruptedError) as caught:
            list(client.responses.create(model="m", input="hi", stream=True))
    return seen, text, caught.value


async def stream_twice_async(url: str) -> tuple[list[str], str, StreamInterruptedError]:
    async with AsyncOpenResponses(base_url=url, api_key="k", http_client=AsyncFastClient()) as client:
        async with client.responses.stream(model="m", input="hi") as stream:
            seen = [event.type async for event in stream]
            text = (await stream.get_final_response()).output_text
        with pytest.raises(StreamInterruptedError) as caught:
            [event async for event in await client.responses.create(model="m", input="hi", stream=True)]
    return seen, text, caught.value
