"""A raw client of the server's WebSocket: sends what it is told, and reads turns frame by frame."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from openresponses_kit.models import WebSocketErrorEvent
from running_server import RunningServer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PATIENCE = 20.0
TERMINAL = {"response.completed", "response.incomplete", "response.failed", "error"}
Frame = dict[str, Any]


class Talk:
    """One connection."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    def send(self, frame: Frame | str | bytes) -> None:
        """Send a frame: an object as JSON, text and bytes as they are."""
        self.websocket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    def create(self, model: str = "hello", **body: Any) -> None:
        """Send the frame that starts a turn."""
        self.send({"type": "response.create", "model": model, **body})

    def receive(self) -> Frame:
        """The next frame; it has to be text."""
        frame = self.websocket.recv(PATIENCE)
        assert isinstance(frame, str)
        content: Frame = json.loads(frame)
        return content

    def turn(self) -> list[Frame]:
        """The frames up to one that ends a turn."""
        frames = [self.receive()]
        while frames[-1]["type"] not in TERMINAL:
            frames.append(self.receive())
        return frames

    def response(self, model: str = "hello", **body: Any) -> Frame:
        """The response of a turn that has to succeed."""
        self.create(model, **body)
        last = self.turn()[-1]
        assert last["type"] in {"response.completed", "response.incomplete"}, last
        response: Frame = last["response"]
        return response

    def failure(self, model: str = "hello", **body: Any) -> Frame:
        """The frame that tells of the failure of a turn."""
        self.create(model, **body)
        last = self.turn()[-1]
        assert last["type"] == "error", last
        return last

    def close_code(self) -> int | None:
        """The code that the server closes with; no frame may come before."""
        try:
            frame = self.websocket.recv(PATIENCE)
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd is not None else None
        raise AssertionError(f"a frame came: {frame!r}")


@contextmanager
def talking(
    server: RunningServer,
    *,
    path: str = "/v1/responses",
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[Talk]:
    """A connection to the server. Raises what `websockets` raises when the handshake is refused."""
    with connect(
        server.websocket_url + path,
        additional_headers=headers,
        compression=None,
        max_size=None,
        proxy=None,
        **options,
    ) as websocket:
        yield Talk(websocket)


def text_of(response: Frame) -> str:
    """What the messages of a response say."""
    return "".join(part["text"] for item in response["output"] for part in item["content"])


def error_of(frame: Frame) -> tuple[int, str, str | None]:
    """Status, code and param of the frame of a failure, which has to have the shape of W6 and Z10."""
    assert frame.keys() == {"type", "status", "error"}
    assert frame["error"].keys() == {"code", "message", "param"}
    assert frame["error"]["message"]
    WebSocketErrorEvent.model_validate_json(json.dumps(frame))
    return frame["status"], frame["error"]["code"], frame["error"]["param"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the thread of the server."""
    for _ in range(4000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not happen")
