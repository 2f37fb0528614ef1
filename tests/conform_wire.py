"""What lies between a sound server and the wire, and changes what passes: the place where faults are made."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Frame = str | bytes | None
"""A frame that is sent; None closes the connection."""

ENDS = {"response.completed", "response.incomplete", "response.failed", "error"}


@dataclass
class Exchange:
    """A request and its answer, to be changed."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes
    status: int = 0
    answer_headers: dict[bytes, bytes] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    """What is written, each with a write of its own."""
    is_kept_open: bool = False

    @property
    def sent(self) -> str:
        """The body of the request."""
        return self.body.decode()

    @property
    def is_json(self) -> bool:
        return self.answer_headers.get(b"content-type", b"").startswith(b"application/json")

    @property
    def is_stream(self) -> bool:
        return self.answer_headers.get(b"content-type", b"").startswith(b"text/event-stream")

    @property
    def json(self) -> Json:
        return json.loads(b"".join(self.pieces))

    def answer(self, value: Any, status: int) -> None:
        """Answer with JSON."""
        self.status, self.pieces = status, [json.dumps(value, ensure_ascii=False).encode()]
        self.answer_headers = {**self.answer_headers, b"content-type": b"application/json"}

    @property
    def events(self) -> list[Json]:
        """The events of a stream, without its end."""
        blocks = b"".join(self.pieces).decode().split("\n\n")
        data = [
            line.removeprefix("data: ") for block in blocks for line in block.split("\n") if line.startswith("data:")
        ]
        return [json.loads(each) for each in data if each != "[DONE]"]


@dataclass(frozen=True)
class Fault:
    """What is done to requests and answers, and to the frames and the turns of a WebSocket."""

    request: Callable[[Exchange], None] | None = None
    answer: Callable[[Exchange], None] | None = None
    frame: Callable[[str], str | None] | None = None
    """Changes a frame of the client; None closes the connection."""
    turn: Callable[[str, list[Json]], list[Json] | list[Frame]] | None = None
    """Changes the events that answer a frame."""
    admits_all: bool = False
    """Whether a handshake needs no key."""


class Faulty:
    """An application with a fault."""

    def __init__(self, app: Any, fault: Fault, api_key: str) -> None:
        self._app = app
        self._fault = fault
        self._api_key = api_key

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        exchange = Exchange(scope["method"], scope["path"], dict(scope["headers"]), body)
        if self._fault.request is not None:
            self._fault.request(exchange)
        await self._ask(scope, exchange)
        if self._fault.answer is not None:
            self._fault.answer(exchange)
        headers = [each for each in exchange.answer_headers.items() if each[0] != b"content-length"]
        await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
        for piece in exchange.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        while exchange.is_kept_open and (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.body"})

    async def _ask(self, scope: Any, exchange: Exchange) -> None:
        """Let the sound server answer."""
        given = [{"type": "http.request", "body": exchange.body}]

        async def receive() -> Any:
            if not given:
                # The client is there until it has its answer: to say otherwise would stop the work on it.
                await asyncio.Event().wait()
            return given.pop()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.answer_headers = {name.lower(): value for name, value in message["headers"]}
            elif message.get("body"):
                exchange.pieces.append(message["body"])

        headers = {**exchange.headers, b"content-length": str(len(exchange.body)).encode()}
        await self._app({**scope, "path": exchange.path, "headers": list(headers.items())}, receive, send)

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if self._fault.admits_all:
            headers[b"authorization"] = f"Bearer {self._api_key}".encode()
        turns: deque[str] = deque()
        events: list[Json] = []

        async def changed_receive() -> Any:
            message = await receive()
            if message["type"] == "websocket.receive":
                frame = self._fault.frame(message["text"]) if self._fault.frame is not None else message["text"]
                if frame is None:
                    await send({"type": "websocket.close", "code": 1011})
                    return {"type": "websocket.disconnect", "code": 1011}
                turns.append(frame)
                return {"type": "websocket.receive", "text": frame}
            return message

        async def changed_send(message: Any) -> None:
            if message["type"] != "websocket.send" or self._fault.turn is None:
                await send(message)
                return
            events.append(json.loads(message["text"]))
            if events[-1]["type"] not in ENDS:
                return
            changed = self._fault.turn(turns.popleft(), events[:])
            events.clear()
            for each in changed:
                frame = json.dumps(each, ensure_ascii=False) if isinstance(each, dict) else each
                if frame is None:
                    await send({"type": "websocket.close", "code": 1011})
                    return
                await send({"type": "websocket.send", "bytes" if isinstance(frame, bytes) else "text": frame})

        await self._app({**scope, "headers": list(headers.items())}, changed_receive, changed_send)


def sse(event: Json) -> bytes:
    """An event as servers frame it."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
