"""A WebSocket server on loopback that does what a script says, and remembers what it was sent.

A script is made of connections, in the order in which they are opened; a connection is made of turns, one for each
frame that it receives; a turn is made of actions. It is the server of the library, so that what is tested are real
handshakes, frames and sockets; where a fault has to go below it, an action writes to the socket itself.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websocket_events import Json, events
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import ServerConnection, serve

PATIENCE = 20.0
"""Seconds after which whatever is waited for counts as never coming."""

Action = Callable[["Session"], None]
Turn = Iterable[Action]


@dataclass(frozen=True)
class Refusal:
    """An answer to the handshake that opens no WebSocket."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """What happens on one connection: for each frame a turn, which may depend on the frame."""

    turns: Sequence[Turn | Callable[[Json], Turn]] = ()


@dataclass
class Session:
    """A connection, or a try to open one, and what was received on it."""

    path: str
    headers: Headers
    websocket: ServerConnection
    frames: list[Json] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class WebSocketServer:
    """Serves a script. `base_url` is where, `sessions` are the connections so far."""

    def __init__(self, *connections: Script | Refusal, tls: ssl.SSLContext | None = None) -> None:
        self.sessions: list[Session] = []
        self.surprises: list[str] = []
        self._connections = iter(connections)
        self._lock = threading.Lock()
        self._scripts: dict[int, Script] = {}
        self._server = serve(
            self._handle,
            "127.0.0.1",
            0,
            ssl=tls,
            compression=None,
            process_request=self._admit,
            ping_interval=None,
            max_size=None,
            close_timeout=PATIENCE,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self.base_url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def frames(self) -> list[Json]:
        """All frames of all connections, in the order of the connections."""
        return [frame for session in self.sessions for frame in session.frames]

    def __enter__(self) -> WebSocketServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for session in self.sessions:
            session.websocket.close_socket()
        self._server.shutdown()
        self._thread.join(PATIENCE)
        for session in self.sessions:
            if session.thread is not None:
                session.thread.join(PATIENCE)
        for end in (self._server.shutdown_watcher, self._server.shutdown_notifier):
            if isinstance(end, int):  # in releases that leave it open
                os.close(end)
        assert not self.surprises, self.surprises

    def _admit(self, websocket: ServerConnection, request: Request) -> Response | None:
        with self._lock:
            session = Session(request.path, request.headers, websocket)
            self.sessions.append(session)
            script = next(self._connections, None)
            if script is None:
                self.surprises.append(f"connection {len(self.sessions)} is not in the script")
                script = Refusal(500)
            if isinstance(script, Script):
                self._scripts[id(websocket)] = script
                return None
        session.gone.set()
        headers = Headers({"Content-Length": str(len(script.body)), "Connection": "close", **script.headers})
        return Response(script.status, HTTPStatus(script.status).phrase, headers, script.body)

    def _handle(self, websocket: ServerConnection) -> None:
        session = next(each for each in self.sessions if each.websocket is websocket)
        session.thread = threading.current_thread()
        turns = iter(self._scripts[id(websocket)].turns)
        try:
            while websocket.state is State.OPEN:
                frame = json.loads(websocket.recv())
                session.frames.append(frame)
                turn = next(turns, None)
                if turn is None:
                    self.surprises.append(f"a frame that is not in the script: {frame}")
                    return
                for action in turn(frame) if callable(turn) else turn:
                    action(session)
        except (ConnectionClosed, OSError):
            pass
        except AssertionError as error:
            self.surprises.append(str(error))
        finally:
            session.gone.set()


def send(*frames: Json | str | bytes) -> Action:
    """Send frames: objects as JSON text, text and bytes as they are."""

    def action(session: Session) -> None:
        for frame in frames:
            session.websocket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    return action


def answer(name: str = "resp_1", **fields: Any) -> list[Action]:
    """Send all events of a response."""
    return [send(*events(name, **fields))]


def send_slowly(frame: Json) -> Action:
    """Send a frame byte by byte, each in a packet of its own."""

    def action(session: Session) -> None:
        for byte in _raw(frame):
            session.websocket.socket.sendall(bytes([byte]))

    return action


def send_in_fragments(frame: Json, size: int = 7) -> Action:
    """Send one message as many frames, each a few characters."""

    def action(session: Session) -> None:
        text = json.dumps(frame)
        session.websocket.send(text[start : start + size] for start in range(0, len(text), size))

    return action


def cut(session: Session) -> None:
    """Break the connection off, without a word."""
    session.websocket.close_socket()


def cut_inside(frame: Json, share: float) -> Action:
    """Send a part of a frame, at least one byte, and break off."""

    def action(session: Session) -> None:
        raw = _raw(frame)
        session.websocket.socket.sendall(raw[: max(1, int(len(raw) * share))])
        session.websocket.close_socket()

    return action


def close(code: int, reason: str = "") -> Action:
    """Close the connection with a handshake."""
    return lambda session: session.websocket.close(code, reason)


def tell(event: threading.Event) -> Action:
    """Set an event."""
    return lambda _: event.set()


def until_gone(session: Session) -> None:
    """Go on when the client has gone away. Raises `ConnectionClosed` then."""
    session.websocket.recv(PATIENCE)


def deaf_until(event: threading.Event) -> Action:
    """Read nothing more from the socket, so that no ping is answered, until an event is set."""

    def action(session: Session) -> None:
        with session.websocket.recv_flow_control:
            assert event.wait(PATIENCE), "what the server waited for did not come"

    return action


def _raw(frame: Json) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(frame).encode()).serialize(mask=False)
