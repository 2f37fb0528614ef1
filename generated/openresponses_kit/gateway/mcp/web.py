"""How MCP servers are reached over HTTP.

Rules kept here: E3 (no headers in logs or errors). What a server sends is bounded, redirects are
those that stay with the server, and an address that a request named leads to no private network:
it is resolved once, checked, and connected to as it was checked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

import httpx2

from ...server.errors import InvalidRequestError
from ..addresses import AddressGuard

if TYPE_CHECKING:
    from .servers import HTTPServer

__all__ = ["bounded_client"]

_STREAMED: Final = 8
"""How many times the size of a message a stream of events may have before it is begun anew."""
_READ_SECONDS: Final = 300.0
_guard: Final = AddressGuard()


def bounded_client(
    server: HTTPServer,
    *,
    max_message_bytes: int,
    public_only: bool,
    on_unknown_session: Callable[[], None],
) -> httpx2.AsyncClient:
    """A client for one server.

    Args:
        server: The server.
        max_message_bytes: Size of an answer; what is larger fails as `httpx2.StreamError`.
        public_only: Whether private addresses are refused, as `httpx2.ConnectError`.
        on_unknown_session: Told when the server says that it does not know the session.
    """
    # A proxy would resolve names by itself, so one is used for servers of the operator only.
    inner: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(trust_env=not public_only)
    if public_only:
        inner = _Public(inner)
    read = max(_READ_SECONDS, server.call_seconds)
    return httpx2.AsyncClient(
        transport=_Bounded(inner, max_message_bytes, on_unknown_session),
        headers=dict(server.headers),
        timeout=httpx2.Timeout(server.connect_seconds, read=read),
        follow_redirects=False,
    )


class _Bounded(httpx2.AsyncBaseTransport):
    """Bounds what answers hold, and tells of a session that is lost.

    The status tells that; the words that go with it are each server's own.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        limit: int,
        on_unknown_session: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._limit = limit
        self._on_unknown_session = on_unknown_session

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # What is compressed has no bound that can be told by its size.
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        is_call = request.method == "POST" and "mcp-session-id" in request.headers
        if is_call and response.status_code == 404:
            self._on_unknown_session()
        kind = response.headers.get("content-type", "").lower()
        limit = self._limit * (_STREAMED if kind.startswith("text/event-stream") else 1)
        if "content-encoding" in response.headers:
            await response.aclose()
            raise httpx2.ReadError("the answer is compressed, which was not asked for")
        stream = response.stream
        if isinstance(stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(stream, limit)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    """A body that fails where it is too long."""

    def __init__(self, inner: httpx2.AsyncByteStream, limit: int) -> None:
        self._inner = inner
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise httpx2.StreamError(f"the answer has more than {self._limit} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Public(httpx2.AsyncBaseTransport):
    """Connects to public addresses only."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        try:
            address, *_ = await _guard.addresses(host, request.url.port or 443)
        except InvalidRequestError as error:
            raise httpx2.ConnectError("the address of the server is no public one") from error
        # The certificate is still that of the name, and so is the `Host` header.
        extensions = {**request.extensions, "sni_hostname": host}
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()
