"""Runs an ASGI application with uvicorn on a free port of loopback, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

_STARTING_SECONDS = 20


@dataclass(frozen=True)
class RunningServer:
    port: int
    uvicorn: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def running(app: Any, **options: Any) -> Iterator[RunningServer]:
    """Serve an application while entered; `options` are those of `uvicorn.Config`."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings: dict[str, Any] = {"log_level": "error", "ws_per_message_deflate": False, **options}
        server = Server(uvicorn.Config(app, **settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            assert started.wait(_STARTING_SECONDS), "the server did not start"
            yield RunningServer(listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(_STARTING_SECONDS)
            assert not thread.is_alive(), "the server did not stop"
