"""A fast async transport for httpx2, over aiohttp; an extra: `pip install aiohttp`.

    client = AsyncOpenResponses(..., http_client=AsyncFastClient())

It hands over whatever arrived together as one block of bytes. Request bodies are sent whole.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- S7: a body that is cut off raises `httpx2.RemoteProtocolError` after what arrived of it.
- E5: a request whose method is not idempotent is never sent a second time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Unpack

import httpx2

from ._fast_http1 import MOST_HEAD_BYTES, Headers, request_headers
from ._fast_options import (
    DEFAULT_LIMITS,
    ClientOptions,
    http_proxy,
    is_http,
    proxies,
    proxy_headers,
)

if TYPE_CHECKING:
    import aiohttp

__all__ = ["AsyncFastClient", "AsyncFastTransport"]

_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add."""
_READ_BYTES = 256 * 1024


class AsyncFastTransport(httpx2.AsyncBaseTransport):
    """Sends requests through a session of aiohttp, made with the first request in its event loop.

    Errors and timeouts are those of httpx2: `ConnectTimeout`, `ReadTimeout`, `ConnectError`,
    `ReadError`, `RemoteProtocolError` and so on. The connect timeout covers everything until the
    request can be sent; there is no write timeout.

    Args:
        verify: Whether to verify certificates, or the TLS context to use. The default context is
            that of httpx2, and is made with the first request to an https URL.
        proxy: An HTTP proxy, `http://user:password@host:port`.
        limits: How many connections may be busy, and for how long one is kept idle.
        trust_env: Whether `SSL_CERT_FILE` and `SSL_CERT_DIR` count.

    Raises ImportError when aiohttp is not installed.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: httpx2.Proxy | httpx2.URL | str | None = None,
        limits: httpx2.Limits = DEFAULT_LIMITS,
        trust_env: bool = True,
    ) -> None:
        if find_spec("aiohttp") is None:
            raise ImportError("The fast async transport needs aiohttp: pip install aiohttp")
        self._verify = verify
        self._trust_env = trust_env
        self._proxy = http_proxy(proxy)
        self._limits = limits
        self._context: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        most = limits.max_connections
        self._free = None if most is None else asyncio.Semaphore(most)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer, its body still to be read."""
        if request.url.scheme not in {"http", "https"} or not request.url.host:
            scheme = request.url.scheme
            raise httpx2.UnsupportedProtocol(f"{scheme!r} is neither http nor https")
        body = await request.aread()
        session = self._running_session()
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        await self._wait_for_room(timeouts.get("pool"))
        try:
            with _mapped_errors():
                response = await self._send(session, request, body, timeouts)
        except BaseException:
            self._leave_room()
            raise
        extensions: dict[str, bytes] = {"reason_phrase": (response.reason or "").encode()}
        if response.version:
            extensions["http_version"] = b"HTTP/%d.%d" % response.version
        return httpx2.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_BodyStream(response, self._leave_room),
            extensions=extensions,
        )

    async def aclose(self) -> None:
        """Close all connections; answers that are being read end with an error."""
        self._is_closed = True
        if self._session:
            await self._session.close()

    async def _send(
        self,
        session: aiohttp.ClientSession,
        request: httpx2.Request,
        body: bytes,
        timeouts: Mapping[str, float | None],
    ) -> aiohttp.ClientResponse:
        from aiohttp import ClientTimeout
        from yarl import URL

        headers = request_headers(request, body)
        is_secure = request.url.scheme == "https"
        for_proxy = proxy_headers(self._proxy) if self._proxy else []
        url = request.url.copy_with(username=None, password=None)
        return await session.request(
            request.method,
            URL(str(url), encoded=True),
            data=body or None,
            headers=_text(headers if is_secure else [*for_proxy, *headers]),
            proxy=str(self._proxy.url) if self._proxy else None,
            proxy_headers=_text(for_proxy) if is_secure else None,
            ssl=self._tls() if is_secure else True,
            timeout=ClientTimeout(connect=timeouts.get("connect"), sock_read=timeouts.get("read")),
            allow_redirects=False,
        )

    def _running_session(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise RuntimeError("The transport was closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._session is None:
            from aiohttp import ClientSession, DummyCookieJar, TCPConnector

            expiry = self._limits.keepalive_expiry
            self._loop = loop
            self._session = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=expiry),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_OWN_HEADERS,
                read_bufsize=_READ_BYTES,
                max_line_size=MOST_HEAD_BYTES,
                max_field_size=MOST_HEAD_BYTES,
            )
        if self._loop is not loop:
            raise RuntimeError("The transport was used in another event loop; make one for each")
        return self._session

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            verify, trust_env = self._verify, self._trust_env
            self._context = httpx2.create_ssl_context(verify=verify, trust_env=trust_env)
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context

    async def _wait_for_room(self, timeout: float | None) -> None:
        if self._free is None:
            return
        try:
            async with asyncio.timeout(timeout):
                await self._free.acquire()
        except TimeoutError as error:
            raise httpx2.PoolTimeout(f"All connections were busy for {timeout} s") from error

    def _leave_room(self) -> None:
        if self._free is not None:
            self._free.release()


@contextmanager
def _mapped_errors() -> Generator[None]:
    try:
        yield
    except Exception as error:
        for kind, other in _errors():
            if isinstance(error, kind):
                raise other(str(error)) from error
        raise


@cache
def _errors() -> tuple[tuple[type[Exception], type[httpx2.TransportError]], ...]:
    """What the errors of aiohttp are in httpx2; the first that fits.

    Python raises UnicodeError for what cannot be a host, aiohttp RuntimeError for what is read
    after its session was closed.
    """
    import aiohttp

    return (
        (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
        (TimeoutError, httpx2.ReadTimeout),
        (aiohttp.ClientHttpProxyError, httpx2.ProxyError),
        (aiohttp.ClientConnectorError, httpx2.ConnectError),
        (aiohttp.InvalidURL, httpx2.LocalProtocolError),
        (aiohttp.ServerDisconnectedError, httpx2.RemoteProtocolError),
        (aiohttp.ClientPayloadError, httpx2.RemoteProtocolError),
        (aiohttp.ClientResponseError, httpx2.RemoteProtocolError),
        (aiohttp.ClientError, httpx2.ReadError),
        (OSError, httpx2.ReadError),
        (UnicodeError, httpx2.ConnectError),
        (RuntimeError, httpx2.ReadError),
    )


def _text(headers: Headers) -> list[tuple[str, str]]:
    """Header lines as aiohttp takes them; it sends them in UTF-8."""
    try:
        return [(name.decode(), value.decode()) for name, value in headers]
    except UnicodeDecodeError as error:
        raise httpx2.LocalProtocolError("aiohttp sends headers in UTF-8 only") from error


class _BodyStream(httpx2.AsyncByteStream):
    """The body of an answer; each block is what arrived together."""

    def __init__(self, response: aiohttp.ClientResponse, leave: Callable[[], None]) -> None:
        self._response = response
        self._leave = leave
        self._is_closed = False
        connection, headers = response.connection, response.headers
        has_end = "Content-Length" in headers or "Transfer-Encoding" in headers
        self._protocol = None if has_end or connection is None else connection.protocol

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._is_closed:
            raise httpx2.StreamClosed
        read = self._response.content.readany
        try:
            with _mapped_errors():
                while block := await read():
                    yield block
                self._check_end()
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if not self._is_closed:
            self._is_closed = True
            self._response.close()
            self._leave()

    def _check_end(self) -> None:
        """Raise what broke a connection whose end ends the body; aiohttp takes any end for good."""
        reason = None if self._protocol is None else self._protocol.exception()
        if isinstance(reason, OSError):
            raise reason


class AsyncFastClient(httpx2.AsyncClient):
    """An `httpx2.AsyncClient` whose requests go through `AsyncFastTransport`.

    Proxies are found as `httpx2.AsyncClient` finds them: the given one, or with `trust_env` those
    of the environment. One that is not of plain HTTP is served by the transport of httpx2.

    Args:
        verify: As for `AsyncFastTransport`.
        proxy: A proxy for all requests.
        limits: As for `AsyncFastTransport`; for each proxy anew.
        mounts: Transports of your own, by the patterns of httpx2.
        trust_env: Whether the environment counts, for proxies and for TLS.
        options: Further options of `httpx2.AsyncClient`.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: httpx2.Proxy | httpx2.URL | str | None = None,
        limits: httpx2.Limits = DEFAULT_LIMITS,
        mounts: Mapping[str, httpx2.AsyncBaseTransport | None] | None = None,
        trust_env: bool = True,
        **options: Unpack[ClientOptions],
    ) -> None:
        def transport(via: httpx2.Proxy | None) -> httpx2.AsyncBaseTransport:
            is_fast = via is None or is_http(via)
            kind = AsyncFastTransport if is_fast else httpx2.AsyncHTTPTransport
            return kind(verify=verify, proxy=via, limits=limits, trust_env=trust_env)

        ways = proxies(proxy, trust_env=trust_env)
        found = {each: transport(via) if via else None for each, via in ways.items()}
        super().__init__(
            transport=transport(None),
            mounts={**found, **(mounts or {})},
            trust_env=trust_env,
            **options,
        )
