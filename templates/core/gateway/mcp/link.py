"""One life of a connection to an MCP server: from connecting until it is lost or left.

The `mcp` package enters and leaves its contexts in one task, so each link has a task of its own.
Calls are made from the tasks of those who need them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeGuard

import anyio
from anyio.abc import TaskStatus
from mcp import Client, MCPError
from mcp.client import IncomingMessage, Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp_types import Implementation, Tool, ToolListChangedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from .servers import HTTPServer, MCPSettings, StdioServer
from .stdio import stdio_transport
from .web import bounded_client

__all__ = ["Link", "MCPServerError"]

_logger = logging.getLogger(__name__)
_CLOSING_SECONDS: Final = 10.0
_LISTEN_AGAIN_SECONDS: Final = 5.0
_ME: Final = Implementation(name="openresponses-gateway", version="1")


class MCPServerError(Exception):
    """A server cannot be reached, or does not do as asked. The text may be told to a model."""


class Link:
    """A server that is being connected to, or is connected.

    Args:
        server: The server.
        settings: Limits.
        public_only: Whether it has to have a public address.
        idle_seconds: How long it stays connected while nobody needs it; None is for ever.
        on_over: Told when the link is over.
    """

    def __init__(
        self,
        server: StdioServer | HTTPServer,
        settings: MCPSettings,
        *,
        public_only: bool,
        idle_seconds: float | None,
        on_over: Callable[[Link], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[Client] = loop.create_future()
        """The client, when it is connected; fails as `MCPServerError`."""
        self.began_at = self.used_at = loop.time()
        self.busy = 0
        """How many uses are under way."""
        self.has_served = False
        """Whether a call had an answer."""
        self.is_forgotten = False
        """Whether the server said that it does not know the session any more."""
        self.changes = 0
        """How often the server said that its tools changed."""
        self.listed: tuple[int, Sequence[Tool]] | None = None
        """How many changes there were when its tools were listed, and the tools."""
        self._server = server
        self._settings = settings
        self._public_only = public_only
        self._idle_seconds = idle_seconds
        self._on_over = on_over
        self._leaving = asyncio.Event()
        self._scope = anyio.CancelScope()
        self.task = loop.create_task(self._run())

    @property
    def is_left(self) -> bool:
        """Whether it is of no use any more."""
        return self._leaving.is_set()

    def leave(self) -> None:
        """Have it end; what is under way fails."""
        self._leaving.set()
        if not self.opened.done():
            self._scope.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            with self._scope as scope:
                timer = loop.call_later(self._server.connect_seconds, scope.cancel)
                try:
                    async with self._client() as client, anyio.create_task_group() as tasks:
                        if _can_listen(client):
                            await tasks.start(self._listen, client)
                        timer.cancel()
                        self.opened.set_result(client)
                        await self._until_left()
                        timer = loop.call_later(_CLOSING_SECONDS, scope.cancel)
                        tasks.cancel_scope.cancel()
                finally:
                    timer.cancel()
        except Exception as error:
            _logger.warning("MCP server %s: lost (%s)", self._server.label, _cause(error))
        finally:
            self._leaving.set()
            if not self.opened.done():
                self.opened.set_exception(MCPServerError("the MCP server cannot be reached"))
                # Nobody may be waiting for it any more.
                self.opened.exception()
            self._on_over(self)

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[Client]:
        limit = self._settings.max_message_bytes
        if isinstance(self._server, StdioServer):
            pipes = stdio_transport(self._server, max_message_bytes=limit, on_end=self._leaving.set)
            async with self._connected(pipes) as client:
                yield client
            return
        web = bounded_client(
            self._server,
            max_message_bytes=limit,
            public_only=self._public_only,
            on_unknown_session=self._forgotten,
        )
        async with web:
            streams = streamable_http_client(
                self._server.url, http_client=web, max_sse_event_size=limit
            )
            async with self._connected(streams) as client:
                yield client

    def _forgotten(self) -> None:
        self.is_forgotten = True

    def _connected(self, transport: Transport) -> Client:
        return Client(
            transport,
            cache=None,
            client_info=_ME,
            message_handler=self._told,
            read_timeout_seconds=self._server.connect_seconds,
        )

    async def _until_left(self) -> None:
        """Wait until it is lost or left, or has been idle for too long."""
        while not self.is_left:
            with anyio.move_on_after(self._idle_seconds):
                await self._leaving.wait()
            idle = asyncio.get_running_loop().time() - self.used_at
            if self._idle_seconds is not None and not self.busy and idle >= self._idle_seconds:
                self._leaving.set()

    async def _told(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self.changes += 1

    async def _listen(self, client: Client, *, task_status: TaskStatus[None]) -> None:
        """Have a server of the newer protocol, which says nothing unasked, tell of changes."""
        is_first = True
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    if is_first:
                        task_status.started()
                    is_first = False
                    async for _ in changes:
                        self.changes += 1
            except SubscriptionLost:
                _logger.debug("MCP server %s: the stream of changes was lost", self._server.label)
            except (MCPError, TimeoutError):
                _logger.debug("MCP server %s: does not tell of changes", self._server.label)
                if is_first:
                    task_status.started()
                return
            # What changed meanwhile was not told.
            self.changes += 1
            await anyio.sleep(_LISTEN_AGAIN_SECONDS)


def _can_listen(client: Client) -> bool:
    """Whether a server tells of changes, and only when it is asked to."""
    tools = client.server_capabilities.tools
    is_modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
    return is_modern and tools is not None and bool(tools.list_changed)


def _cause(error: BaseException) -> str:
    """What a log may know of an error; texts of errors of HTTP may quote headers."""
    while _is_group(error):
        error = error.exceptions[0]
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, OSError | MCPError) else name


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)
