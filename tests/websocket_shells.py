"""One way to drive both connections, so that a test is written once.

A scenario is an asynchronous function. The synchronous connection is driven from it, too: its calls block, and what it
talks to is in other threads.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, Self

import pytest
from openresponses_kit import AsyncOpenResponses, OpenResponses
from openresponses_kit.client.aio.connection import AsyncConnection, AsyncTurn
from openresponses_kit.client.handshake import ConnectionSettings, connection_settings
from openresponses_kit.client.settings import Settings
from openresponses_kit.client.sync.connection import Connection, Turn
from openresponses_kit.events import StreamEvent, parse_event
from openresponses_kit.models import ResponseResource
from websocket_server import PATIENCE, WebSocketServer

P = ParamSpec("P")

KEY = "sk-very-secret"

Connect = Callable[[ConnectionSettings], "BlockingConnection | AsyncConnection"]


class BlockingTurn:
    """A synchronous turn in asynchronous clothes."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        try:
            return next(self._turn)
        except StopIteration:
            raise StopAsyncIteration from None

    async def get_final_response(self) -> ResponseResource:
        return self._turn.get_final_response()

    async def close(self) -> None:
        self._turn.close()

    async def __aenter__(self) -> Self:
        assert self._turn.__enter__() is self._turn
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._turn.__exit__(*error)


class BlockingConnection:
    """A synchronous connection in asynchronous clothes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def last_response_id(self) -> str | None:
        return self._connection.last_response_id

    async def open(self) -> Self:
        self._connection.open()
        return self

    def create(self, **arguments: Any) -> BlockingTurn:
        return BlockingTurn(self._connection.create(**arguments))

    async def close(self) -> None:
        self._connection.close()

    async def __aenter__(self) -> Self:
        assert self._connection.__enter__() is self._connection
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._connection.__exit__(*error)


@dataclass(frozen=True)
class Shell:
    """The synchronous or the asynchronous half of the client."""

    client: type[OpenResponses] | type[AsyncOpenResponses]
    connection: type[Connection] | type[AsyncConnection]

    def dressed(self, connection: Connection | AsyncConnection) -> BlockingConnection | AsyncConnection:
        """A connection to be used from a scenario."""
        return BlockingConnection(connection) if isinstance(connection, Connection) else connection

    def connect(self, settings: ConnectionSettings) -> BlockingConnection | AsyncConnection:
        """A connection with settings of a test."""
        return self.dressed(self.connection(settings))


SHELLS = {
    "sync": Shell(OpenResponses, Connection),
    "async": Shell(AsyncOpenResponses, AsyncConnection),
}


def scenario(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that runs a scenario in an event loop of its own, and once for each shell if it has an argument for it:
    `shell`, or `connect`, which is its method.

    What was left open shows as a `ResourceWarning`.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            await test(*args, **kwargs)

        try:
            asyncio.run(main())
        finally:
            gc.collect()

    arguments = inspect.signature(test).parameters
    if "shell" in arguments:
        return pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)(run)
    if "connect" in arguments:
        return pytest.mark.parametrize("connect", [each.connect for each in SHELLS.values()], ids=SHELLS)(run)
    return run


def settings_for(server: WebSocketServer, **changes: Any) -> ConnectionSettings:
    """Settings for a server, as those of a client become them; they wait for nothing between tries."""
    settings = connection_settings(Settings(server.base_url, KEY, timeout=PATIENCE), None, {})
    return replace(replace(settings, read_event=parse_event, backoff=_without_waiting), **changes)


def _without_waiting(_tries: int, _headers: Any) -> float:
    return 0.0


async def all_gone(server: WebSocketServer) -> bool:
    """Whether the client closed all connections; the event loop goes on meanwhile."""
    return all([await asyncio.to_thread(session.gone.wait, PATIENCE) for session in server.sessions])


async def read(turn: BlockingTurn | AsyncTurn, got: list[StreamEvent] | None = None) -> list[StreamEvent]:
    """All events of a turn; in `got`, if it is given, is what came before an error."""
    got = [] if got is None else got
    while (event := await anext(turn, None)) is not None:
        got.append(event)
    return got


def text_in(events: list[StreamEvent]) -> str:
    """The text that the deltas among some events say."""
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")
