"""Reading a stream of events that a server sends one by one, over the transports of httpx2 itself.

The server sends as fast as it can, so a reader that waits for it finds several events at once. It can also pause after
each event, so that each arrives alone: what counts then is mostly the waking of the reader, which costs all the same.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

from bundled_spec import DELTA, GENERATED, encoded, event_examples
from side_by_side import Figure, Skipped, Work, figure, in_turns

ROUNDS = 21

EVENTS = 5_000
PAUSE = 50e-6
"""How long the server pauses after each event when it is asked for them apart, in seconds."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

Take: TypeAlias = Callable[[bytes], None]
"""What is done with each block of bytes that is read."""
Read: TypeAlias = Callable[[str, Take], None]
"""Asks for the stream at a path, and reads it."""


def stream() -> list[bytes]:
    """Events of text as a server writes them, about 250 bytes each."""
    example = event_examples()[DELTA] | {"obfuscation": "w0LzRb81mXcY2e5Q"}
    numbered = (example | {"sequence_number": number, "delta": f"word {number} "} for number in range(EVENTS))
    return [b"event: %b\ndata: %b\n\n" % (DELTA.encode(), encoded(event)) for event in numbered]


def serve() -> None:
    """Answer each request with the stream, an event per chunk and per call to the system, until the input ends."""
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in stream()]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, chunks), daemon=True).start()
        print(listener.getsockname()[1], flush=True)
        sys.stdin.read()


def _accept(listener: socket.socket, chunks: list[bytes]) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection, chunks), daemon=True).start()


def _answer(connection: socket.socket, chunks: list[bytes]) -> None:
    with connection:
        while request := connection.recv(65536):
            pause = PAUSE if request.startswith(b"GET /apart") else None
            for data in (_HEAD, *chunks, b"0\r\n\r\n"):
                connection.sendall(data)
                if pause:
                    time.sleep(pause)


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """CPU time of the client alone, for the bytes and for the bytes as event objects."""
    sys.path.insert(0, str(GENERATED))
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/"
        yield from _sync(url, rounds)
        if find_spec("aiohttp") is None:
            yield Skipped("AsyncFastClient", "httpx2.AsyncClient", "not installed: pip install aiohttp")
        else:
            yield from _async(url, rounds)
        server.communicate()


def _sync(url: str, rounds: int) -> Iterator[Figure]:
    httpx2 = import_module("httpx2")
    fast = import_module("openresponses_kit.client.fast_sync")
    options = {"base_url": url, "trust_env": False}
    with httpx2.Client(**options) as default, fast.FastClient(**options) as other:

        def read(client: Any, path: str, take: Take) -> None:
            with client.stream("GET", path) as response:
                for block in response.stream:
                    take(block)

        works = {"FastClient": partial(read, other), "httpx2.Client": partial(read, default)}
        yield from _figures(works, 0.6, rounds)


def _async(url: str, rounds: int) -> Iterator[Figure]:
    httpx2 = import_module("httpx2")
    fast = import_module("openresponses_kit.client.fast_async")

    options = {"base_url": url, "trust_env": False}

    async def read(client: Any, path: str, take: Take) -> None:
        async with client.stream("GET", path) as response:
            async for block in response.stream:
                take(block)

    with asyncio.Runner() as runner:
        default, other = httpx2.AsyncClient(**options), fast.AsyncFastClient(**options)

        def run(client: Any, path: str, take: Take) -> None:
            runner.run(read(client, path, take))

        works = {"AsyncFastClient": partial(run, other), "httpx2.AsyncClient": partial(run, default)}
        yield from _figures(works, 0.45, rounds)
        runner.run(default.aclose())
        runner.run(other.aclose())


def _figures(works: Mapping[str, Read], limit: float, rounds: int) -> Iterator[Figure]:
    ours, default = works
    for result, path, reader, most in (
        ("bytes", "/", _Bytes, None),
        ("events", "/", _Events, limit),
        ("events apart", "/apart", _Events, None),
    ):
        timed = {f"{name}, {result}": _timed(read, path, reader) for name, read in works.items()}
        yield figure(in_turns(timed, rounds), f"{ours}, {result}", f"{default}, {result}", most)


class _Bytes:
    """Reads the stream and drops it."""

    expected = sum(map(len, stream()))

    def __init__(self) -> None:
        self.found = 0

    def take(self, block: bytes) -> None:
        self.found += len(block)


class _Events:
    """Reads the stream to objects."""

    expected = EVENTS

    def __init__(self) -> None:
        self.found = 0
        self._feed = import_module("openresponses_kit.sse").SSEDecoder().feed
        self._parse: Callable[[bytes], object] = import_module("openresponses_kit").parse_event

    def take(self, block: bytes) -> None:
        for _, data in self._feed(block):
            self._parse(data)
            self.found += 1


def _timed(read: Read, path: str, reader: type[_Bytes | _Events]) -> Work:
    def work() -> float:
        each = reader()
        with _collector_off():
            start = time.process_time()
            read(path, each.take)
            seconds = time.process_time() - start
        if each.found != each.expected:
            raise RuntimeError(f"{each.found} of {each.expected} were read")
        return seconds

    return work


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    serve()
