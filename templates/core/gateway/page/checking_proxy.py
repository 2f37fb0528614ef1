"""A proxy on loopback which connects to addresses that a guard lets through, and to no others.

A program that resolves names for itself is run behind it, so that no name can lead it elsewhere
between the check and the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from ...server.errors import InvalidRequestError, ServiceError
from ..addresses import AddressGuard

__all__ = ["checking_proxy"]

_HEAD_SECONDS = 30
_CONNECT_SECONDS = 10
_MOST_HEAD_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
_HOP_HEADER = re.compile(rb"(?i)\r\n(?:proxy-[a-z-]+|connection|keep-alive):[^\r\n]*")


@asynccontextmanager
async def checking_proxy(
    guard: AddressGuard, own: Collection[tuple[str, int]]
) -> AsyncGenerator[str, None]:
    """Run a proxy while entered; gives its URL.

    Args:
        guard: What says which addresses are allowed.
        own: Addresses and ports of this server, which are allowed.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await _serve(guard, own, reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_MOST_HEAD_BYTES)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(
    guard: AddressGuard,
    own: Collection[tuple[str, int]],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Serve one connection, which is to one place: what follows its first head goes there, too."""
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        host, port, first = _read(head)
        there, out = await _connected(await guard.addresses(host, port, own), port)
    except ServiceError as error:
        body = error.message.encode()
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n" % len(body))
        writer.write(b"connection: close\r\n\r\n" + body)
        await writer.drain()
        return
    except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        return
    try:
        if first:
            out.write(first)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _both_ways(_pipe(reader, out), _pipe(there, writer))
    finally:
        out.close()


def _read(head: bytes) -> tuple[str, int, bytes]:
    """Host, port, and the head to send there; none for a tunnel. Raises `InvalidRequestError`."""
    line, _, rest = head.partition(b"\r\n")
    try:
        method, asked, version = line.decode("ascii").split(" ")
        parts = urlsplit(f"//{asked}" if method == "CONNECT" else asked)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequestError("the request line cannot be read") from None
    if method == "CONNECT" and host and port:
        return host, port, b""
    if parts.scheme != "http" or not host:
        raise InvalidRequestError("the request line names no URL of HTTP")
    query = f"?{parts.query}" if parts.query else ""
    target = f"{method} {parts.path or '/'}{query} {version}".encode()
    kept = _HOP_HEADER.sub(b"", b"\r\n" + rest.removesuffix(b"\r\n\r\n"))
    # The next request of the program may be for somebody else: it comes on another connection.
    return host, port or 80, target + kept + b"\r\nconnection: close\r\n\r\n"


async def _connected(
    addresses: list[str], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that takes one. Raises `OSError`."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await asyncio.open_connection(address, port)
    async with asyncio.timeout(_CONNECT_SECONDS):
        return await asyncio.open_connection(addresses[-1], port)


async def _both_ways(there: Coroutine[Any, Any, None], back: Coroutine[Any, Any, None]) -> None:
    """Pass bytes in both directions until the answer ends."""
    going = asyncio.ensure_future(there)
    try:
        await back
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_READ_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
