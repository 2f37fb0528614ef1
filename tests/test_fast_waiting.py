"""The fast transports while they wait: timeouts, many at once, being closed and being cancelled.

Warnings are errors here, so a socket that is left open fails the test that left it.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from byte_server import ByteServer, Peer, answering, chunked, sized
from openresponses_kit.client.fast_async import AsyncFastClient, AsyncFastTransport
from openresponses_kit.client.fast_sync import FastClient, FastTransport
from transports import ALL, ASYNC, FAST, SYNC, Ask, ask, get

GENERATED = Path(__file__).resolve().parents[1] / "generated"
SHORT = 0.15
FIRST = chunked(b"first")[:-5]
"""An answer that goes on after its first chunk."""


def stalling(peer: Peer) -> None:
    """Begins an answer, and waits until the client has had enough."""
    peer.request()
    peer.send(FIRST)
    peer.wait_for_end()


# Timeouts.


@pytest.mark.parametrize("kind", ALL)
def test_server_that_falls_silent_is_a_read_timeout(kind: str) -> None:
    """S7: after what arrived, and the connection is closed."""
    with ByteServer(stalling) as server:
        answer = get(kind, server.url, timeout=httpx2.Timeout(10, read=SHORT))
        assert server.ended.acquire(timeout=10)
    assert answer.body == b"first"
    assert isinstance(answer.error, httpx2.ReadTimeout)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-"], ids=["no answer", "half a head"])
def test_server_that_does_not_answer_is_a_read_timeout(sent: bytes, kind: str) -> None:
    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(sent)
        peer.wait_for_end()

    with ByteServer(talk) as server:
        answers = ask(kind, [Ask(server.url)] * 2, timeout=httpx2.Timeout(10, read=SHORT))
        assert [type(answer.error) for answer in answers] == [httpx2.ReadTimeout] * 2
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize("kind", ALL)
def test_read_timeout_is_that_of_each_wait(kind: str) -> None:
    """A reader that takes its time between two blocks does not use it up."""
    with ByteServer(answering(chunked(*[b"x" * 200_000] * 5))) as server:
        timeout = httpx2.Timeout(10, read=SHORT)
        if kind in SYNC:
            client = httpx2.Client(transport=SYNC[kind](), timeout=timeout)
            with client, client.stream("GET", server.url) as response:
                body = b"".join(paused(response.stream))
        else:
            body = asyncio.run(read_with_pauses(kind, server.url, timeout))
    assert body == b"x" * 1_000_000


def paused(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The first blocks, each longer than the read timeout after the one before; then the rest."""
    for number, block in enumerate(blocks):
        yield block
        if number < 2:
            threading.Event().wait(2 * SHORT)


async def read_with_pauses(kind: str, url: str, timeout: httpx2.Timeout) -> bytes:
    blocks: list[bytes] = []
    client = httpx2.AsyncClient(transport=ASYNC[kind](), timeout=timeout)
    async with client, client.stream("GET", url) as response:
        async for block in response.stream:
            blocks.append(block)
            if len(blocks) < 2:
                await asyncio.sleep(2 * SHORT)
    return b"".join(blocks)


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full: connecting to it takes for ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


@pytest.mark.parametrize("kind", ALL)
def test_connecting_times_out(kind: str) -> None:
    with deaf_port() as port:
        answer = get(kind, f"http://127.0.0.1:{port}/", timeout=httpx2.Timeout(10, connect=SHORT))
    assert isinstance(answer.error, httpx2.ConnectTimeout)


@pytest.mark.parametrize("kind", ALL)
def test_refused_connection_is_a_connect_error(kind: str) -> None:
    """And is not taken for a connection: there is room for the next request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with ByteServer(answering(sized(b"ok"))) as server:
        urls = [refusing, refusing, server.url]
        *refused, last = ask(kind, [Ask(url) for url in urls], limits=httpx2.Limits(max_connections=1))
    assert [type(answer.error) for answer in refused] == [httpx2.ConnectError] * 2
    assert last.body == b"ok"


@pytest.mark.parametrize("kind", FAST)
def test_name_that_no_host_can_have_is_a_connect_error(kind: str) -> None:
    assert isinstance(get(kind, f"http://{'a' * 70}.invalid/").error, httpx2.ConnectError)


@pytest.mark.parametrize("kind", list(SYNC))
def test_server_that_does_not_take_the_request_is_a_write_timeout(kind: str) -> None:
    done = threading.Event()

    def talk(_: Peer) -> None:
        done.wait(10)

    with ByteServer(talk) as server:
        each = Ask(server.url, "POST", {"content": b"x" * 50_000_000})
        (answer,) = ask(kind, [each], timeout=httpx2.Timeout(10, write=SHORT))
        done.set()
    assert isinstance(answer.error, httpx2.WriteTimeout)


# Many at once.


def echoing(peer: Peer) -> None:
    """Answers with the path that was asked for, many times over, in chunks."""
    while request := peer.request():
        path = request.split()[1]
        peer.send(chunked(*[path] * 50))


def test_threads_share_a_client() -> None:
    """50 threads, each gets its own answers; no more connections than allowed, and all of them are used again."""
    limits = httpx2.Limits(max_connections=8)
    with ByteServer(echoing) as server, FastClient(base_url=server.url, limits=limits, timeout=60) as client:

        def work(number: int) -> None:
            for turn in range(10):
                path = f"/{number}-{turn}"
                assert client.get(path).content == path.encode() * 50

        with ThreadPoolExecutor(50) as pool:
            list(pool.map(work, range(50)))
        assert len(server.requests) == 500
        assert server.connections <= 8


def test_tasks_share_a_client() -> None:
    async def run(url: str) -> None:
        limits = httpx2.Limits(max_connections=8)
        async with AsyncFastClient(base_url=url, limits=limits, timeout=60) as client:

            async def work(number: int) -> None:
                for turn in range(3):
                    path = f"/{number}-{turn}"
                    assert (await client.get(path)).content == path.encode() * 50

            async with asyncio.TaskGroup() as group:
                for number in range(100):
                    group.create_task(work(number))

    with ByteServer(echoing) as server:
        asyncio.run(run(server.url))
        assert len(server.requests) == 300
        assert server.connections <= 8


# Being closed.


def test_closing_wakes_the_thread_that_reads() -> None:
    """Every connection is closed, those that are being read, too."""
    with ByteServer(stalling) as server, ThreadPoolExecutor(1) as pool:
        transport = FastTransport()
        began = threading.Event()

        def read() -> None:
            for block in transport.handle_request(httpx2.Request("GET", server.url)).iter_raw():
                assert block == b"first"
                began.set()

        reading = pool.submit(read)
        assert began.wait(10)
        transport.close()
        assert isinstance(reading.exception(10), httpx2.ReadError)
        assert server.ended.acquire(timeout=10)
        with pytest.raises(RuntimeError, match="closed"):
            transport.handle_request(httpx2.Request("GET", server.url))


def test_closing_does_not_pass_for_the_end_of_a_body() -> None:
    """S7: of one that has no other end than that of the connection."""

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        peer.wait_for_end()

    with ByteServer(talk) as server:
        transport = FastTransport()
        blocks = transport.handle_request(httpx2.Request("GET", server.url)).iter_raw()
        assert next(blocks) == b"first"
        transport.close()
        with pytest.raises(httpx2.ReadError):
            next(blocks)


def test_closing_wakes_the_thread_that_waits_for_a_connection() -> None:
    with ByteServer(stalling) as server, ThreadPoolExecutor(1) as pool:
        transport = FastTransport(limits=httpx2.Limits(max_connections=1))
        response = transport.handle_request(httpx2.Request("GET", server.url))
        waiting = pool.submit(transport.handle_request, httpx2.Request("GET", server.url))
        transport.close()
        assert isinstance(waiting.exception(10), RuntimeError)
        response.close()


@pytest.mark.parametrize("is_begun", [False, True])
def test_leaving_a_stream_closes_its_connection(is_begun: bool) -> None:
    with ByteServer(stalling) as server, FastClient() as client:
        with client.stream("GET", server.url) as response:
            if is_begun:
                for _ in response.iter_raw():
                    break
        assert server.ended.acquire(timeout=10)
        with pytest.raises(httpx2.StreamError):
            list(response.iter_raw())


@pytest.mark.parametrize("is_begun", [False, True])
def test_leaving_an_async_stream_closes_its_connection(is_begun: bool) -> None:
    async def run(url: str) -> None:
        async with AsyncFastClient() as client:
            async with client.stream("GET", url) as response:
                if is_begun:
                    async for _ in response.aiter_raw():
                        break
            assert await asyncio.to_thread(server.ended.acquire, timeout=10)
            with pytest.raises(httpx2.StreamError):
                await response.aread()

    with ByteServer(stalling) as server:
        asyncio.run(run(server.url))


def test_closing_the_async_transport_closes_its_connections() -> None:
    async def run(url: str) -> None:
        transport = AsyncFastTransport()
        response = await transport.handle_async_request(httpx2.Request("GET", url))
        await transport.aclose()
        assert await asyncio.to_thread(server.ended.acquire, timeout=10)
        with pytest.raises(httpx2.TransportError):
            await response.aread()
        with pytest.raises(RuntimeError, match="closed"):
            await transport.handle_async_request(httpx2.Request("GET", url))

    with ByteServer(stalling) as server:
        asyncio.run(run(server.url))


# Being cancelled.


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("moment", ["before the head", "in the body"])
def test_cancelling_a_task_closes_its_connection(moment: str, count: int) -> None:
    """And makes room: with one connection allowed for each task, as many can be made again."""
    asked = threading.Semaphore(0)

    def talk(peer: Peer) -> None:
        peer.request()
        if moment == "in the body":
            peer.send(FIRST)
        asked.release()
        peer.wait_for_end()

    async def read(client: httpx2.AsyncClient, url: str, began: asyncio.Semaphore) -> None:
        async with client.stream("GET", url) as response:
            async for _ in response.stream:
                began.release()

    async def run(url: str) -> None:
        async with AsyncFastClient(limits=httpx2.Limits(max_connections=count)) as client:
            for _ in range(2):
                began = asyncio.Semaphore(0)
                tasks = [asyncio.create_task(read(client, url, began)) for _ in range(count)]
                for _ in range(count):
                    await (began.acquire() if moment == "in the body" else asyncio.to_thread(asked.acquire))
                for task in tasks:
                    task.cancel()
                assert {type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)} == {
                    asyncio.CancelledError
                }
                for _ in range(count):
                    assert await asyncio.to_thread(server.ended.acquire, timeout=10)

    with ByteServer(talk) as server:
        asyncio.run(run(server.url))
        assert server.connections == 2 * count


def test_timeout_around_a_stream_closes_its_connection() -> None:
    async def run(url: str) -> None:
        async with AsyncFastClient() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT), client.stream("GET", url) as response:
                    await response.aread()
            assert await asyncio.to_thread(server.ended.acquire, timeout=10)

    with ByteServer(stalling) as server:
        asyncio.run(run(server.url))


def test_second_event_loop_is_refused_clearly() -> None:
    async def use(transport: AsyncFastTransport, url: str) -> None:
        response = await transport.handle_async_request(httpx2.Request("GET", url))
        await response.aread()

    with ByteServer(answering(sized(b"ok"))) as server:
        transport = AsyncFastTransport()
        with asyncio.Runner() as runner:
            runner.run(use(transport, server.url))
            with pytest.raises(RuntimeError, match="another event loop"):
                asyncio.run(use(transport, server.url))
            runner.run(transport.aclose())


# What is loaded.


def test_aiohttp_is_loaded_with_the_first_request_and_missed_clearly() -> None:
    """Everything can be imported without it; asking for its transport says what to install."""
    code = """
import sys
import openresponses_kit.client.fast_sync
from openresponses_kit.client.fast_async import AsyncFastClient
AsyncFastClient()
print("aiohttp" in sys.modules)
sys.modules["aiohttp"] = None
try:
    AsyncFastClient()
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=GENERATED, capture_output=True, text=True, check=True)
    assert run.stdout == "False\nThe fast async transport needs aiohttp: pip install aiohttp\n"


def test_tls_context_is_made_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than everything else about a client."""

    def refuse(**_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(httpx2, "create_ssl_context", refuse)
    with ByteServer(answering(sized(b"ok"))) as server, FastClient() as client:
        assert client.get(server.url).content == b"ok"
        with pytest.raises(AssertionError):
            client.get(server.url.replace("http", "https"))
