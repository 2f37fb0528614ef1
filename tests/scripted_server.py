"""A real HTTP server in a process of its own that does, byte for byte, what a test tells it to.

Run as a program it listens on loopback and is spoken to in lines of JSON on its standard input and output; it ends
when its input does. `ScriptedServer` is the test's side of that. A script is a list of answers, each a list of steps;
its requests come in below a path of its own, so that scripts and tests do not meet.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE = 15.0
"""Seconds after which a wait in the server is given up, so that a test fails and does not hang."""

Step = tuple[str, str]
Answer = Sequence[Step]

WAIT: Step = ("wait", "")
"""Go on once the test says `release()`."""
CLOSE: Step = ("close", "")
RESET: Step = ("reset", "")
"""Close in such a way that the peer sees its connection reset."""


def send(data: bytes) -> Step:
    """Write these bytes. What comes after the last step is the next request on the connection."""
    return ("send", data.decode("latin-1"))


@dataclass(frozen=True)
class Request:
    """A request as the server received it."""

    method: str
    target: str
    headers: Mapping[str, str]
    """By lower-case name; several of one name are joined by a comma."""
    body: bytes
    connection: int
    port: int
    closed_by: str
    """Who ended the connection after it: `client`, `server`, or `` while it is open."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Script:
    """A test's hold on the answers that it registered."""

    def __init__(self, server: ScriptedServer, number: int) -> None:
        self._server = server
        self._number = number
        self.path = f"/{number}/v1"
        self.base_url = server.url(self.path)

    @property
    def requests(self) -> list[Request]:
        """What was received so far, in order."""
        found = self._server.ask("requests", self._number)
        return [Request(**{**each, "body": each["body"].encode("latin-1")}) for each in found]

    @property
    def request(self) -> Request:
        """The one request that was received."""
        (request,) = self.requests
        return request

    def release(self, times: int = 1) -> None:
        """Let so many waiting steps go on, those to come included."""
        self._server.ask("release", self._number, times)

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests were received."""
        self._server.ask("wait_for_requests", self._number, count)

    def wait_for_closing(self, request: int = 0) -> str:
        """Wait until the connection of a request is closed, and say by whom (rule Z16)."""
        closed_by: str = self._server.ask("wait_for_closing", self._number, request)
        return closed_by


class ScriptedServer:
    """Starts the server's process, and ends it on leaving the context."""

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.port, self.other_port, proxy_port = self._read()
        self.proxy_url = f"http://127.0.0.1:{proxy_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, traceback)

    def url(self, path: str, *, other: bool = False) -> str:
        """The URL of a path, on the server's first port or on the other one."""
        return f"http://127.0.0.1:{self.other_port if other else self.port}{path}"

    def script(self, *answers: Answer, repeat: bool = False) -> Script:
        """Register the answers to the requests of a script, in order; the last one is repeated if so wished."""
        return Script(self, self.ask("script", [list(each) for each in answers], repeat))

    def proxied(self) -> list[tuple[str, dict[str, str]]]:
        """Method and target of what the proxy was asked for since the last call, with the headers."""
        return [(line, headers) for line, headers in self.ask("proxied")]

    def ask(self, what: str, *arguments: Any) -> Any:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
            self._process.stdin.flush()
            result, problem = self._read()
        assert problem is None, f"the scripted server: {what} {arguments[1:]}: {problem}"
        return result

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the scripted server has ended"
        return json.loads(line)


# --- what follows runs in the server's process ---


@dataclass
class _Script:
    answers: list[list[Step]]
    repeat: bool
    received: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def answer(self) -> list[Step]:
        """The steps for the request that was received last."""
        if len(self.received) > len(self.answers) and not self.repeat:
            print(f"no answer is left for {self.received[-1]['target']}", file=sys.stderr)
            return [RESET]
        return self.answers[min(len(self.received), len(self.answers)) - 1]

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


_scripts: dict[int, _Script] = {}
_proxied: list[tuple[str, dict[str, str]]] = []
_connections = itertools.count()
_tasks: set[asyncio.Task[None]] = set()


class _Connection(asyncio.Protocol):
    """One connection: reads requests, plays the steps of their answers, and notices when the client leaves."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]
        self._number = next(_connections)
        self._buffer = bytearray()
        self._more = asyncio.Event()
        self._latest: dict[str, Any] | None = None
        self._script: _Script | None = None
        self._task = _started(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._more.set()

    def eof_received(self) -> None:
        self._left("client")

    def connection_lost(self, _: Exception | None) -> None:
        self._left("client")

    def _left(self, closed_by: str) -> None:
        self._task.cancel()
        if self._latest is not None and self._script is not None and not self._latest["closed_by"]:
            self._latest["closed_by"] = closed_by
            _started(self._script.notify())

    async def _serve(self) -> None:
        while True:
            line, headers = _parsed(await self._read_head())
            body = await self._read_bytes(int(headers.get("content-length", 0)))
            method, target, _ = line.split(" ")
            script = _scripts[int(target.split("/")[1])]
            self._script = script
            self._latest = {
                "method": method,
                "target": target,
                "headers": headers,
                "body": body.decode("latin-1"),
                "connection": self._number,
                "port": self._port,
                "closed_by": "",
            }
            script.received.append(self._latest)
            await script.notify()
            for kind, data in script.answer():
                await self._play(script, kind, data)

    async def _play(self, script: _Script, kind: str, data: str) -> None:
        if kind == "send":
            self._transport.write(data.encode("latin-1"))
            await asyncio.sleep(0)  # so that each step is a write of its own
        elif kind == "wait":
            await script.gate.acquire()
        else:
            if kind == "reset":
                sock = self._transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._transport.abort()
            self._transport.close()
            self._left("server")
            await asyncio.sleep(0)

    async def _read_head(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            await self._wait_for_more()
        return await self._read_bytes(end + 4)

    async def _read_bytes(self, count: int) -> bytes:
        while len(self._buffer) < count:
            await self._wait_for_more()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _wait_for_more(self) -> None:
        self._more.clear()
        await self._more.wait()


def _parsed(head: bytes) -> tuple[str, dict[str, str]]:
    """The first line of a request, and its headers."""
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers: dict[str, str] = {}
    for each in fields:
        name, _, value = each.partition(":")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return line, headers


async def _proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one plain HTTP request as a proxy does, and refuse tunnels."""
    line, headers = _parsed(await reader.readuntil(b"\r\n\r\n"))
    method, target, version = line.split(" ")
    _proxied.append((f"{method} {target}", headers))
    if method == "CONNECT":
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        return
    parts = urlsplit(target)
    from_server, to_server = await asyncio.open_connection(parts.hostname, parts.port)
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    path = parts._replace(scheme="", netloc="").geturl()
    to_server.write(f"{method} {path} {version}\r\n{fields}\r\n".encode("latin-1"))
    to_server.write(await reader.readexactly(int(headers.get("content-length", 0))))
    there = _started(_pipe(reader, to_server))
    await _pipe(from_server, writer)
    await there


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _started(work: Any) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def _do(what: str, arguments: list[Any]) -> Any:
    """What the test asks for."""
    if what == "script":
        answers, repeat = arguments
        _scripts[len(_scripts)] = _Script(answers, repeat)
        return len(_scripts) - 1
    if what == "proxied":
        taken = list(_proxied)
        _proxied.clear()
        return taken
    script = _scripts[arguments[0]]
    if what == "requests":
        return script.received
    if what == "release":
        for _ in range(arguments[1]):
            script.gate.release()
        return None
    index = arguments[1]
    async with asyncio.timeout(PATIENCE), script.changed:
        if what == "wait_for_requests":
            await script.changed.wait_for(lambda: len(script.received) >= index)
            return None
        await script.changed.wait_for(lambda: len(script.received) > index and script.received[index]["closed_by"])
        return script.received[index]["closed_by"]


async def _run() -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1000) for _ in range(2)]
    servers.append(await asyncio.start_server(_proxy, "127.0.0.1", 0))
    _say([each.sockets[0].getsockname()[1] for each in servers])
    orders = asyncio.StreamReader(limit=1 << 27)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        what, *arguments = json.loads(line)
        try:
            _say([await _do(what, arguments), None])
        except TimeoutError:
            _say([None, f"nothing came in {PATIENCE} seconds"])


def _say(what: Iterable[Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the test that started it ends it
    asyncio.run(_run())
