"""A provider of Chat Completions on a socket of its own that does what it is told, for tests of the router."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 30.0


@dataclass
class ScriptedProvider:
    """Says its name, or does what is set."""

    name: str
    port: int = 0
    does: str = "answer"
    """`answer`; a status to refuse with; `hang` (no answer), `cut` (breaks off), `hold` (waits in mid-answer)."""
    retry_after: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str] = field(default_factory=list[str])
    release: threading.Event = field(default_factory=threading.Event)
    """Ends what is held or hangs."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def scripted(*names: str) -> Iterator[list[ScriptedProvider]]:
    """Providers that run while entered."""
    providers = [ScriptedProvider(name) for name in names]
    servers = [_serve(provider) for provider in providers]
    try:
        yield providers
    finally:
        for provider, (server, thread) in zip(providers, servers, strict=True):
            provider.release.set()
            server.shutdown()
            server.server_close()
            thread.join(PATIENCE)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, provider: ScriptedProvider, *given: Any) -> None:
        self.provider = provider
        super().__init__(*given)

    def do_POST(self) -> None:
        self.provider.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.provider.keys.append(self.headers.get("authorization", ""))
        self.close_connection = True
        if self.provider.does.isdigit():
            self._refuse(int(self.provider.does))
            return
        if self.provider.does == "hang":
            self.provider.release.wait(PATIENCE)
            return
        self._stream()

    def _refuse(self, status: int) -> None:
        body = json.dumps({"error": {"message": f"no, says {self.provider.name}", "type": "x"}}).encode()
        self.send_response(status)
        if self.provider.retry_after:
            self.send_header("retry-after", self.provider.retry_after)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self._chunk({"content": self.provider.name})
        if self.provider.does == "cut":
            return
        if self.provider.does == "hold":
            self.provider.release.wait(PATIENCE)
        self._chunk({"content": "!"}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def _serve(provider: ScriptedProvider) -> tuple[ThreadingHTTPServer, threading.Thread]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, provider))
    server.daemon_threads = False
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    return server, thread
