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
from dataclasses import replace
from typing import Any, ParamSpec, Self

import pytest
from openresponses_kit.client.aio.connection import AsyncConnection, AsyncTurn
from openresponses_kit.client.handshake import ConnectionSettings, websocket_url
from openresponses_kit.client.sync.connection import Connection, Turn
from openresponses_kit.events import StreamEvent
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

    def __init__(self, settings: ConnectionSettings) -> None:
        self._connection = Connection(settings)

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


SHELLS: dict[str, Connect] = {"sync": BlockingConnection, "async": AsyncConnection}
"""How to connect, synchronously and asynchronously."""


def scenario(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that runs a scenario in an event loop of its own; with an argument `connect`, once with each connection.

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

    if "connect" not in inspect.signature(test).parameters:
        return run
    return pytest.mark.parametrize("connect", list(SHELLS.values()), ids=list(SHELLS))(run)


def settings_for(server: WebSocketServer, **changes: Any) -> ConnectionSettings:
    """Settings for a server, which wait for nothing between tries."""
    settings = ConnectionSettings(
        websocket_url(server.base_url), api_key=KEY, read_timeout=PATIENCE, backoff=_without_waiting
    )
    return replace(settings, **changes)


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
