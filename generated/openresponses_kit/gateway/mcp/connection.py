"""A server that is connected to when it is needed, and again after it was lost.

Rules kept here: X2 (the gateway calls, nobody waits for the client), Z16 (a call that is cancelled
is cancelled at the server).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final

import anyio
from mcp import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    HEADER_MISMATCH,
    REQUEST_TIMEOUT,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    PaginatedRequestParams,
    Tool,
)
from pydantic import TypeAdapter, ValidationError

from .link import Link, MCPServerError
from .servers import HTTPServer, MCPSettings, StdioServer

__all__ = ["Connection"]

_FIRST_DELAY: Final = 0.5
_MOST_PAGES: Final = 100
_MOST_LISTED: Final = 10_000
_LONGEST_REASON: Final = 2000
_results: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(
    CallToolResult | InputRequiredResult
)


class Connection:
    """A server.

    Args:
        server: How it is reached.
        settings: Limits.
        public_only: Whether it has to have a public address.
        idle_seconds: How long it stays connected while nobody needs it; None is for ever.
    """

    def __init__(
        self,
        server: StdioServer | HTTPServer,
        settings: MCPSettings,
        *,
        public_only: bool = False,
        idle_seconds: float | None = None,
    ) -> None:
        self.server = server
        self.settings = settings
        self._public_only = public_only
        self._idle_seconds = idle_seconds
        self._link: Link | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listing = asyncio.Lock()
        self._failures = 0
        self._not_before = 0.0
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether somebody needs it now."""
        return self._link is not None and self._link.busy > 0

    async def tools(self) -> Sequence[Tool]:
        """The tools of the server: listed once, and again when they changed or it reconnected.

        Raises `MCPServerError`.
        """
        async with self._listing:
            link = await self._linked()
            with _in_use(link):
                if link.listed is None or link.listed[0] != link.changes:
                    link.listed = link.changes, await self._list(link)
                return link.listed[1]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Call a tool. To cancel it cancels the call at the server.

        Raises `MCPServerError`, also when the server is lost meanwhile: nobody knows then what it
        did, so the call is not made again.

        Args:
            name: Name of the tool, as the server says it.
            arguments: Arguments by name.
        """
        params = CallToolRequestParams(name=name, arguments=dict(arguments))
        request = CallToolRequest(params=params)
        try:
            result = await self._ask(await self._linked(), request)
        except _UnknownSessionError:
            # The server refused it unseen, so it can be asked in a new session.
            result = await self._ask(await self._linked(), request)
        if isinstance(result, InputRequiredResult):
            raise MCPServerError("the tool asks for more input, which nobody can give here")
        return result

    async def close(self) -> None:
        """Let go of the server; what is under way fails."""
        self._is_closed = True
        if self._link is not None:
            self._link.leave()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _linked(self) -> Link:
        """A link that is open. Raises `MCPServerError`, at once when it is too early to try."""
        if self._is_closed:
            raise MCPServerError("the connection to the MCP server is closed")
        if self._link is None or self._link.is_left:
            if asyncio.get_running_loop().time() < self._not_before:
                raise MCPServerError("the MCP server cannot be reached at the moment")
            self._link = Link(
                self.server,
                self.settings,
                public_only=self._public_only,
                idle_seconds=self._idle_seconds,
                on_over=self._over,
            )
            self._tasks.add(self._link.task)
            self._link.task.add_done_callback(self._tasks.discard)
        link = self._link
        await asyncio.shield(link.opened)
        return link

    async def _list(self, link: Link) -> Sequence[Tool]:
        tools: list[Tool] = []
        session = link.opened.result().session
        cursor: str | None = None
        try:
            with anyio.fail_after(self.server.connect_seconds):
                for _ in range(_MOST_PAGES):
                    page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                    tools += page.tools
                    cursor = page.next_cursor
                    if cursor is None:
                        return tools
                    if len(tools) > _MOST_LISTED:
                        break
        except MCPError as error:
            link.leave()
            raise _failure(error, self.server.connect_seconds) from None
        except ValidationError:
            link.leave()
            raise MCPServerError("the MCP server answered with what is no list of tools") from None
        except TimeoutError:
            link.leave()
            raise MCPServerError("the MCP server did not list its tools in time") from None
        link.leave()
        raise MCPServerError("the MCP server lists tools without an end")

    async def _ask(
        self, link: Link, request: CallToolRequest
    ) -> CallToolResult | InputRequiredResult:
        seconds = self.server.call_seconds
        session = link.opened.result().session
        with _in_use(link):
            try:
                result = await session.send_request(
                    request, _results, request_read_timeout_seconds=seconds
                )
            except MCPError as error:
                if link.is_forgotten and error.code not in {CONNECTION_CLOSED, REQUEST_TIMEOUT}:
                    link.leave()
                    raise _UnknownSessionError("the MCP server forgot the session") from None
                if error.code == CONNECTION_CLOSED:
                    link.leave()
                if error.code == HEADER_MISMATCH:
                    link.changes += 1
                raise _failure(error, seconds) from None
            except ValidationError:
                message = "the MCP server answered with what is no result of a tool"
                raise MCPServerError(message) from None
        link.has_served = True
        return result

    def _over(self, link: Link) -> None:
        """Decide when to try again: at once after a first loss, later after each further one."""
        now = asyncio.get_running_loop().time()
        longest = self.settings.max_backoff_seconds
        if link.has_served or now - link.began_at > longest:
            self._failures = 0
        is_first = self._failures == 0 and link.opened.exception() is None
        delay = 0.0 if is_first else min(longest, _FIRST_DELAY * 2**self._failures)
        self._failures = min(self._failures + 1, 20)
        self._not_before = now + delay


class _UnknownSessionError(MCPServerError):
    """The server does not know the session any more."""


@contextlib.contextmanager
def _in_use(link: Link) -> Generator[None]:
    link.busy += 1
    try:
        yield
    finally:
        link.busy -= 1
        link.used_at = asyncio.get_running_loop().time()


def _failure(error: MCPError, seconds: float) -> MCPServerError:
    """What a model may be told of an error of a server."""
    match error.code:
        case code if code == CONNECTION_CLOSED:
            return MCPServerError("the MCP server was lost; what it did is not known")
        case code if code == REQUEST_TIMEOUT:
            return MCPServerError(f"the MCP server did not answer within {seconds:g} seconds")
        case _:
            return MCPServerError(error.message[:_LONGEST_REASON])
