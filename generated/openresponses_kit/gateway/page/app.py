"""The page at `/` of a server, as an ASGI application around that of the server.

Rules kept here: T2 (with keys, the server sends nothing for who has none), E1 and E2 (what is
refused is told in one shape), Z16 (who leaves stops what was begun for them).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import aclosing
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from pydantic_core import to_json

from ...server._asgi import ASGIApp, Receive, Scope, Send, path_of
from ...server.errors import InvalidRequestError, ServiceError, TooManyRequestsError
from ...server.http import ClientLeftError, Exchange
from ...server.keys import APIKeys, Keyring, bearer
from ...sse import encode_event
from .addresses import AddressGuard, Target, target_of
from .conforming import command_of, conforming, run_of
from .forwarding import forwarded
from .origins import check_host, check_origin

__all__ = ["PageApp"]

_PACKAGE = __name__.rpartition(".gateway.")[0]
_MOST_BODY_BYTES = 32 * 1024 * 1024
_MOST_AT_ONCE = 32
"""How many requests are forwarded at a time."""
_MOST_RUNS = 2
"""How many runs of the conformance cases there may be at a time."""
_KINDS = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    b" require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = [
    (b"cache-control", b"no-cache"),
    (b"content-security-policy", _POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
_EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
_Work: TypeAlias = Callable[[Exchange, Target, bytes, Send], Coroutine[Any, Any, None]]
_Found: TypeAlias = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body of an answer."""
_ANSWER_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
]
"""Of what is passed on, which must not be taken for a page of this server."""


class PageApp:
    """A server's application with a page to try it, and others, at `/`.

        app = PageApp(create_app(AgenticLoop(model)))

    `/`, `/assets/…` and `/page/…` are answered here, everything else by the application.

    Args:
        app: The application of the server.
        prefix: Where its routes of the protocol begin.
        allow_private: Whether the page may have requests sent to addresses that are not public,
            such as those of this machine and its network.
        api_keys: The keys of the server. With keys, those alone who have one may have requests sent
            to other servers.
        hosts: The names by which this server is reached. They count where private addresses are
            allowed: by other names nothing is sent then.
        conform_command: The command of the generator; by default `openresponses-codegen`, where it
            is installed.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str = "/v1",
        allow_private: bool = False,
        api_keys: APIKeys | None = None,
        hosts: Collection[str] = (),
        conform_command: Sequence[str] | None = None,
    ) -> None:
        self._app = app
        self._keyring = Keyring(api_keys)
        self._guard = AddressGuard(allow_private=allow_private)
        self._hosts = frozenset(each.lower() for each in hosts)
        self._conform_command = conform_command
        self._release: str = import_module(_PACKAGE).SPEC_RELEASE
        self._works: Mapping[str, tuple[_Work, asyncio.Semaphore]] = {
            "/page/forward": (self._forward, asyncio.Semaphore(_MOST_AT_ONCE)),
            "/page/conform": (self._conform, asyncio.Semaphore(_MOST_RUNS)),
        }
        self._settings = to_json(
            {
                "package": _PACKAGE,
                "release": self._release,
                "prefix": prefix,
                "allows_private": allow_private,
                "needs_key": not self._keyring.is_open,
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, method = path_of(scope), scope["method"]
        if method in {"GET", "HEAD"}:
            answer = self._found(path, scope)
            if answer is not None:
                await _send_whole(send, *answer)
                return
        elif method == "POST" and path in self._works:
            await self._serve(Exchange(scope, receive, send, _ANSWER_HEADERS), send, path)
            return
        await self._app(scope, receive, send)

    def _found(self, path: str, scope: Scope) -> _Found | None:
        """What is read of the page."""
        if not path:
            # The page names what it needs by relative paths.
            return 307, [(b"location", f"{scope.get('root_path', '')}/".encode())], b""
        name = "index.html" if path == "/" else path.removeprefix("/assets/")
        if name in _assets() and (path == "/" or path.startswith("/assets/")):
            kind = _KINDS[Path(name).suffix]
            return 200, [(b"content-type", kind), *_HEADERS], _assets()[name]
        if path == "/page/settings":
            return 200, [(b"content-type", b"application/json"), *_HEADERS], self._settings
        return None

    async def _serve(self, exchange: Exchange, send: Send, path: str) -> None:
        """Answer a request of the page; every error is told by rule E1."""
        work, slots = self._works[path]
        try:
            check_origin(exchange.headers)
            if self._guard.allows_private:
                check_host(exchange.headers, self._hosts)
            await self._keyring.check(exchange.headers.get("x-page-key"))
            content = await exchange.read(_MOST_BODY_BYTES)
            if "x-forward-to" not in exchange.headers:
                raise InvalidRequestError("the header x-forward-to has to name a base URL")
            target = target_of(exchange.headers["x-forward-to"])
            if slots.locked():
                raise TooManyRequestsError("others do the same just now; try again")
            async with slots:
                await _while_there(exchange, work(exchange, target, content, send))
        except ClientLeftError:
            pass
        except ServiceError as error:
            await exchange.refuse(error)

    async def _forward(
        self, exchange: Exchange, target: Target, content: bytes, send: Send
    ) -> None:
        """Send a request to another server, and pass on its answer."""
        given = exchange.headers
        passed = {name: given[name] for name in ("authorization",) if name in given}
        own = _own(exchange.scope)
        async with forwarded(self._guard, target, content, passed, own) as answer:
            await _start(send, answer.status, answer.headers)
            async for chunk in answer.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _conform(
        self, exchange: Exchange, target: Target, content: bytes, send: Send
    ) -> None:
        """Run the conformance cases, and tell of it in events."""
        key = bearer(exchange.headers.get("authorization"))
        run = run_of(target, key, self._release, content)
        command = command_of(self._conform_command)
        is_begun = False
        async with aclosing(conforming(run, command, self._guard, _own(exchange.scope))) as events:
            async for name, value in events:
                if not is_begun:
                    await _start(send, 200, _EVENTS)
                    is_begun = True
                event = encode_event(name, to_json(value))
                await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    head = {"type": "http.response.start", "status": status}
    await send({**head, "headers": [*headers, *_ANSWER_HEADERS]})


@cache
def _assets() -> Mapping[str, bytes]:
    """The files of the page, by name."""
    folder = Path(__file__).parent / "assets"
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix in _KINDS}


def _own(scope: Scope) -> frozenset[tuple[str, int]]:
    """Where this server listens, as far as it is known."""
    match scope.get("server"):
        case (str(host), int(port)):
            return frozenset({(host, port)})
        case _:
            return frozenset()


async def _send_whole(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _while_there(exchange: Exchange, work: Coroutine[Any, Any, None]) -> None:
    """Do work until it is done or the client leaves, which raises `ClientLeftError`."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(exchange.wait_for_leaving())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeftError
        working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
