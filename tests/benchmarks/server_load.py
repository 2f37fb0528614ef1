"""Requests to a server over sockets, with as little work for each byte as can be, so that the server sets the pace."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

_END = b"\r\n0\r\n\r\n"
"""Where a chunked answer ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as bytes on the wire, and whether its answer is a stream."""

    content: bytes
    is_stream: bool


def post(path: str, body: bytes, *, is_stream: bool) -> Request:
    """A POST request of JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return Request(head.encode() + body, is_stream)


@dataclass(slots=True)
class Answers:
    """What came of many requests."""

    seconds: float
    """From the first request to the end of the last answer."""
    waits: list[float]
    """Seconds from each request to the first data of its answer."""
    contents: list[bytes]
    """The last answer of each connection, with its head and framing."""


async def load(port: int, request: Request, connections: int, requests: int, *, is_awake: bool = False) -> Answers:
    """Send a request over each of many connections, so many times, one after the other.

    Who is awake looks for data again and again. Anybody else is woken by the system when some are there, which takes
    time of the sender's processor, here the server's: about as much as all else that is done for a small event.
    """
    async with _connected(port, request, connections) as clients, _awake(is_awake):
        start = time.perf_counter()
        await asyncio.gather(*(client.ask(requests) for client in clients))
        seconds = time.perf_counter() - start
        waits = [wait for client in clients for wait in client.waits]
        return Answers(seconds, waits, [client.content for client in clients])


@asynccontextmanager
async def held(port: int, request: Request, connections: int) -> AsyncIterator[None]:
    """Streams that have begun and do not end while this is entered."""
    async with _connected(port, request, connections) as clients:
        asking = [asyncio.ensure_future(client.ask(1)) for client in clients]
        await asyncio.gather(*(client.begun.wait() for client in clients))
        try:
            yield
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


@asynccontextmanager
async def _awake(is_awake: bool) -> AsyncIterator[None]:
    """Has the loop not wait for anything while this is entered."""
    loop = asyncio.get_running_loop()

    def go_on() -> None:
        if is_awake:
            loop.call_soon(go_on)

    go_on()
    try:
        yield
    finally:
        is_awake = False


@asynccontextmanager
async def _connected(port: int, request: Request, count: int) -> AsyncIterator[list[_Client]]:
    loop = asyncio.get_running_loop()
    clients: list[_Client] = []
    try:
        for _ in range(count):
            _, client = await loop.create_connection(lambda: _Client(request), "127.0.0.1", port)
            clients.append(client)
        yield clients
    finally:
        for client in clients:
            await client.close()


class _Client(asyncio.Protocol):
    """Sends a request again and again over one connection."""

    def __init__(self, request: Request) -> None:
        self.begun = asyncio.Event()
        self.waits: list[float] = []
        self._request = request
        self._transport: asyncio.WriteTransport | None = None
        self._blocks: list[bytes] = []
        self._asked = 0.0
        self._tail = b""
        self._left = 0
        """How many bytes of a whole answer are to come."""
        self._done: asyncio.Future[None] | None = None
        self._closed = asyncio.get_running_loop().create_future()

    async def ask(self, times: int) -> None:
        """Send the request so many times, each when the answer before is there."""
        assert self._transport is not None
        for _ in range(times):
            self._blocks = []
            self._tail = b""
            self.begun.clear()
            self._done = asyncio.get_running_loop().create_future()
            self._asked = time.perf_counter()
            self._transport.write(self._request.content)
            await self._done

    @property
    def content(self) -> bytes:
        """The last answer."""
        return b"".join(self._blocks)

    async def close(self) -> None:
        assert self._transport is not None
        self._transport.abort()
        await self._closed

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server hung up"))
        self._closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._blocks.append(data)
        if not self.begun.is_set():
            self._begin()
        elif self._request.is_stream:
            self._tail = (self._tail + data)[-len(_END) :]
        else:
            self._left -= len(data)
        if self.begun.is_set() and (self._tail == _END if self._request.is_stream else self._left == 0):
            assert self._done is not None
            self._done.set_result(None)

    def _begin(self) -> None:
        """See whether the first data is there."""
        head, mark, body = self.content.partition(b"\r\n\r\n")
        if not mark or not body or (self._request.is_stream and b"data: " not in body):
            return
        self.waits.append(time.perf_counter() - self._asked)
        self.begun.set()
        self._tail = body[-len(_END) :]
        found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        self._left = int(found[1]) - len(body) if found else 0
