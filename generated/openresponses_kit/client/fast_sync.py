"""A lean sync transport for httpx2, to read streams at a fraction of the cost of its own.

    client = OpenResponses(..., http_client=FastClient())

It speaks HTTP/1.1 over plain sockets and TLS, directly or through an HTTP proxy, and hands over
whatever arrived together as one block of bytes. Request bodies are sent whole.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- S7: a body that is cut off raises `httpx2.RemoteProtocolError` after what arrived of it.
- E5: a request is sent a second time only over a connection that had been idle, when the server did
  not take the whole of it or its method is idempotent; never once a byte of the answer has arrived.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Unpack

import httpx2

from ._fast_http1 import (
    Body,
    Head,
    Headers,
    HeadReader,
    body_of,
    request_head,
    request_headers,
)
from ._fast_options import (
    DEFAULT_LIMITS,
    ClientOptions,
    http_proxy,
    is_http,
    proxies,
    proxy_headers,
)
from ._fast_pool import Connection, Origin, Pool

__all__ = ["FastClient", "FastTransport"]

_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
_PORTS = {"http": 80, "https": 443}


class FastTransport(httpx2.BaseTransport):
    """Sends requests over HTTP/1.1, and keeps connections for the next ones; thread-safe.

    Errors and timeouts are those of httpx2: `ConnectTimeout`, `ReadTimeout`, `ConnectError`,
    `ReadError`, `RemoteProtocolError` and so on.

    Args:
        verify: Whether to verify certificates, or the TLS context to use. The default context is
            that of httpx2, and is made with the first TLS connection.
        proxy: An HTTP proxy, `http://user:password@host:port`.
        limits: How many connections there may be, how many of them idle, and for how long.
        trust_env: Whether `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: httpx2.Proxy | httpx2.URL | str | None = None,
        limits: httpx2.Limits = DEFAULT_LIMITS,
        trust_env: bool = True,
    ) -> None:
        self._verify = verify
        self._trust_env = trust_env
        self._proxy = http_proxy(proxy)
        self._pool = Pool(limits)
        self._context: ssl.SSLContext | None = None
        self._context_made = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer, its body still to be read."""
        exchange = _Exchange(request, self._proxy)
        try:
            return self._attempt(exchange)
        except _StaleConnectionError:
            return self._attempt(exchange, new=True)

    def close(self) -> None:
        """Close all connections; answers that are being read end with an error."""
        self._pool.close()

    def _attempt(self, exchange: _Exchange, *, new: bool = False) -> httpx2.Response:
        connection = self._pool.take(exchange.origin, exchange.timeouts.get("pool"), new=new)
        try:
            if not connection.is_open:
                self._open(connection, exchange)
            head, body, first = exchange.run(connection)
        except BaseException:
            self._pool.give_back(connection, reusable=False)
            raise
        return httpx2.Response(
            head.status,
            headers=head.headers,
            stream=_BodyStream(connection, self._pool, body, first),
            extensions={"http_version": head.version, "reason_phrase": head.reason},
        )

    def _open(self, connection: Connection, exchange: _Exchange) -> None:
        timeout = exchange.timeouts.get("connect")
        origin = connection.origin
        via = self._proxy.url if self._proxy else None
        host = via.raw_host.decode() if via else origin.host
        connection.connect(host, (via.port or 80) if via else origin.port, timeout)
        if origin.scheme == "https":
            if self._proxy:
                exchange.tunnel(connection, proxy_headers(self._proxy))
            connection.secure(self._tls(), origin.host, timeout)

    def _tls(self) -> ssl.SSLContext:
        with self._context_made:
            if self._context is None:
                verify, trust_env = self._verify, self._trust_env
                self._context = httpx2.create_ssl_context(verify=verify, trust_env=trust_env)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


class _StaleConnectionError(Exception):
    """The server had closed an idle connection, and the request may be sent on another."""


class _Exchange:
    """One request, ready to be sent, and the way to its answer."""

    def __init__(self, request: httpx2.Request, proxy: httpx2.Proxy | None) -> None:
        url = request.url
        if url.scheme not in _PORTS or not url.host:
            raise httpx2.UnsupportedProtocol(f"{url.scheme!r} is neither http nor https")
        port = url.port or _PORTS[url.scheme]
        self.origin = Origin(url.scheme, url.raw_host.decode(), port)
        self.timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        self._method = request.method
        self._wants_close = request.headers.get("connection", "").lower() == "close"
        body = request.read()
        headers, target = request_headers(request, body), url.raw_path
        if proxy and url.scheme == "http":
            headers = [*proxy_headers(proxy), *headers]
            target = b"http://" + url.netloc + target
        self._data = request_head(request.method, target, headers) + body

    def run(self, connection: Connection) -> tuple[Head, Body, bytes]:
        """Send the request; the head of the answer, its body, and what arrived of the body."""
        unsent: httpx2.WriteError | None = None
        try:
            connection.send(self._data, self.timeouts.get("write"))
        except httpx2.WriteError as error:
            # The server may have answered before it took the whole request.
            unsent = error
        connection.wait_at_most(self.timeouts.get("read"))
        try:
            first = _received(connection)
        except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
            if connection.was_used and (unsent or self._method in _IDEMPOTENT):
                raise _StaleConnectionError from error
            raise unsent or error from error
        head, rest = _read_head(connection, first)
        body = body_of(head, self._method)
        if unsent or self._wants_close:
            body.is_last = True
        return head, body, rest

    def tunnel(self, connection: Connection, headers: Headers) -> None:
        """Have a proxy connect to the origin; raises `httpx2.ProxyError` if it does not."""
        _, host, port = self.origin
        target = f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()
        request = request_head("CONNECT", target, [(b"Host", target), *headers])
        connection.send(request, self.timeouts.get("write"))
        connection.wait_at_most(self.timeouts.get("read"))
        head, rest = _read_head(connection, _received(connection))
        if not 200 <= head.status < 300:
            reason = head.reason.decode("latin-1")
            raise httpx2.ProxyError(f"The proxy answered CONNECT with {head.status} {reason}")
        if rest:
            raise httpx2.ProxyError("The proxy sent more than its answer to CONNECT")


def _received(connection: Connection) -> bytes:
    data = connection.receive()
    if not data:
        raise httpx2.RemoteProtocolError("The server closed the connection without an answer")
    return data


def _read_head(connection: Connection, data: bytes) -> tuple[Head, bytes]:
    """The head, of which some bytes are there, and what came after it."""
    reader = HeadReader()
    while (head := reader.feed(data)) is None:
        data = _received(connection)
    return head, reader.rest


class _BodyStream(httpx2.SyncByteStream):
    """The body of an answer; each block is what arrived together."""

    def __init__(self, connection: Connection, pool: Pool, body: Body, first: bytes) -> None:
        self._connection = connection
        self._pool = pool
        self._body = body
        self._first = first
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        if self._is_closed:
            raise httpx2.StreamClosed
        body, receive = self._body, self._connection.receive
        try:
            payload = body.feed(self._first)
            while True:
                if payload:
                    yield payload
                if body.is_complete:
                    return
                if data := receive():
                    payload = body.feed(data)
                else:
                    body.end()
                    payload = b""
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back: for the next request if the body was read to its end."""
        if not self._is_closed:
            self._is_closed = True
            self._pool.give_back(self._connection, reusable=self._body.leaves_connection)


class FastClient(httpx2.Client):
    """An `httpx2.Client` whose requests go through `FastTransport`.

    Proxies are found as `httpx2.Client` finds them: the given one, or with `trust_env` those of the
    environment. One that is not of plain HTTP is served by the transport of httpx2.

    Args:
        verify: As for `FastTransport`.
        proxy: A proxy for all requests.
        limits: As for `FastTransport`; for each proxy anew.
        mounts: Transports of your own, by the patterns of httpx2.
        trust_env: Whether the environment counts, for proxies and for TLS.
        options: Further options of `httpx2.Client`.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: httpx2.Proxy | httpx2.URL | str | None = None,
        limits: httpx2.Limits = DEFAULT_LIMITS,
        mounts: Mapping[str, httpx2.BaseTransport | None] | None = None,
        trust_env: bool = True,
        **options: Unpack[ClientOptions],
    ) -> None:
        def transport(via: httpx2.Proxy | None) -> httpx2.BaseTransport:
            kind = FastTransport if via is None or is_http(via) else httpx2.HTTPTransport
            return kind(verify=verify, proxy=via, limits=limits, trust_env=trust_env)

        ways = proxies(proxy, trust_env=trust_env)
        found = {each: transport(via) if via else None for each, via in ways.items()}
        super().__init__(
            transport=transport(None),
            mounts={**found, **(mounts or {})},
            trust_env=trust_env,
            **options,
        )
