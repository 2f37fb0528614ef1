"""The input and output of a WebSocket, each frame recorded (rules W1 to W6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from openresponses_codegen.conform.exchange import TERMINAL, Conversation, Turn
from openresponses_codegen.conform.framing import parse_json
from openresponses_codegen.conform.reading import as_object
from openresponses_codegen.conform.redaction import Redaction
from openresponses_codegen.conform.settings import Settings

_LAST = (*TERMINAL, "error")


class _RefusedError(Exception):
    """The handshake was answered with a status of its own."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the handshake was answered with {status}")
        self.status = status


class _Connection(ClientConnection):
    """Reports a redirect as a refusal; the library would follow it, and the key with it."""

    async def handshake(self, *arguments: Any, **options: Any) -> None:
        try:
            await super().handshake(*arguments, **options)
        except InvalidStatus as error:
            raise _RefusedError(error.response.status_code) from None


class Socket:
    """A WebSocket on which turns are taken; nothing that a server does raises here."""

    def __init__(
        self,
        settings: Settings,
        api_key: str | None,
        conversation: Conversation,
        redaction: Redaction,
        slots: asyncio.Semaphore,
    ) -> None:
        self.conversation = conversation
        self._settings = settings
        self._limits = settings.limits
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._redaction = redaction
        self._slots = slots
        self._connection: ClientConnection | None = None
        self._bytes_left = settings.limits.answer_bytes

    async def __aenter__(self) -> Self:
        url = "ws" + self._settings.url.removeprefix("http") + "/responses"
        try:
            async with self._slots:
                self._connection = await connect(
                    url,
                    additional_headers=self._headers,
                    compression=None,
                    open_timeout=self._limits.seconds,
                    close_timeout=self._limits.closing_seconds,
                    ping_interval=None,
                    max_size=self._limits.answer_bytes,
                    create_connection=_Connection,
                )
            self.conversation.status = 101
        except _RefusedError as error:
            self.conversation.status = error.status
            self.conversation.problem = str(error)
        except (OSError, TimeoutError, WebSocketException, ValueError) as error:
            self._broken(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def create(self, **fields: Any) -> Turn | None:
        """A turn that starts with `response.create` with these fields and the model; None, where it cannot be sent."""
        return await self.turn(self.frame(fields))

    def frame(self, fields: Mapping[str, Any]) -> str:
        """A `response.create` frame (rule W1)."""
        model = self._settings.model
        named = {"model": model} if model is not None else {}
        return json.dumps({"type": "response.create", **named, **fields}, ensure_ascii=False)

    async def turn(self, frame: str) -> Turn | None:
        """Send a frame and receive until the turn is over."""
        turn = await self.send(frame)
        if turn is not None:
            await self.receive(turn)
        return turn

    async def send(self, frame: str) -> Turn | None:
        """Send a frame, and receive nothing yet."""
        if self._connection is None:
            return None
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._connection.send(frame)
        except (TimeoutError, OSError, WebSocketException) as error:
            self._broken(error)
            return None
        turn = Turn(f"{self.conversation.ask}, turn {len(self.conversation.turns) + 1}", frame)
        self.conversation.turns.append(turn)
        return turn

    async def receive(self, turn: Turn) -> None:
        """Receive frames up to the event that ends a turn."""
        if self._connection is None:
            return
        try:
            async with self._slots, asyncio.timeout(self._limits.seconds):
                while not turn.messages or _kind(turn.messages[-1]) not in _LAST:
                    message = await self._connection.recv()
                    self._bytes_left -= len(message)
                    if self._bytes_left < 0:
                        turn.problem = f"it went on after {self._limits.answer_bytes:,} bytes"
                        return
                    shown = self._redaction
                    turn.messages.append(shown.text(message) if isinstance(message, str) else shown.data(message))
        except TimeoutError:
            turn.problem = "nothing more came in time"
        except ConnectionClosed as error:
            turn.problem = "the connection was closed"
            self._broken(error)
        except (OSError, WebSocketException) as error:
            turn.problem = "the connection broke"
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        self.conversation.problem = self._redaction.text(f"{type(error).__name__}: {error}")


def _kind(message: str | bytes) -> object:
    return as_object(parse_json(message)).get("type")
