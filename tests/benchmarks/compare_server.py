"""Answering requests with the generated server, and with what a user would write with a framework in its place.

The figures to reach are told as throughput elsewhere; as everywhere here, ratios are of time, so that 0.7 times the
throughput is 1.43 times the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any, TypeAlias, TypeVar

from server_load import Answers, Request, held, load, post
from server_process import (
    BARE,
    BARE_PADDED,
    BARE_WHOLE,
    BRIEF,
    FASTAPI,
    IDLE,
    KIT,
    ROUTER,
    Serving,
    request_body,
    serving,
)
from side_by_side import Figure, PeerMissingError, Skipped, figure, in_turns

ROUNDS = 21

T = TypeVar("T")

Row: TypeAlias = tuple[str, str, float | None]
"""A work, what it is compared with, and the figure to reach."""

_PEERS = ("uvicorn", "uvloop", "httptools", "fastapi", "sse_starlette")
_FRAMEWORKS = {
    "FastAPI, StreamingResponse": f"{FASTAPI}/stream",
    "FastAPI, sse-starlette": f"{FASTAPI}/sse-starlette",
    "FastAPI, its own SSE": f"{FASTAPI}/fastapi-sse",
}
_UNPADDED = {"stream": True, "stream_options": {"include_obfuscation": False}}
_DONE = b"data: [DONE]"
_MANY = 500
"""How many streams have to go at once."""
_IDLE_BYTES = 60_000
"""The memory that each of them may take while nothing is sent."""


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """Time of the server's processor; where a row says so, time that passes for the client."""
    for peer in _PEERS:
        if find_spec(peer) is None:
            raise PeerMissingError(f"{peer} is not installed: pip install -e .[benchmarks]")
    with serving() as server:
        yield from _streams(server, rounds)
        yield from _padded(server, rounds)
        yield from _first(server, rounds)
        yield from _whole(server, rounds)
        yield from _many(server, max(1, rounds // 5))
    yield _idle(max(1, rounds // 10))


def _streams(server: Serving, rounds: int) -> Iterator[Figure]:
    """Text deltas without padding, which no other writes."""
    names = {"deltas": KIT, "deltas, router": ROUTER, "bare bytes": BARE, **_FRAMEWORKS}
    body = request_body(**_UNPADDED)
    loads = {name: _Load(server, _stream(path, body), 4) for name, path in names.items()}
    rows: list[Row] = [
        ("deltas", "bare bytes", 1.43),
        ("deltas", "FastAPI, StreamingResponse", 0.5),
        ("deltas", "FastAPI, sse-starlette", 0.286),
        ("deltas", "FastAPI, its own SSE", 0.125),
        ("deltas, router", "deltas", 1.05),
    ]
    yield from _processor(loads, rows, rounds)
    passed = {name: each.seconds[-rounds:] for name, each in loads.items()}
    for work, over, _ in rows:
        yield replace(figure(passed, work, over, None), work=f"{work}, time that passes")
    yield from _awake(loads, rows, rounds)


def _padded(server: Serving, rounds: int) -> Iterator[Figure]:
    body = request_body(stream=True)
    names = {"deltas with padding": KIT, "bare bytes with padding": BARE_PADDED}
    loads = {name: _Load(server, _stream(path, body), 4) for name, path in names.items()}
    yield from _processor(loads, [("deltas with padding", "bare bytes with padding", None)], rounds)


def _first(server: Serving, rounds: int) -> Iterator[Figure]:
    """The time that passes from a request to the first data of its stream, one stream at a time."""
    names = {"first bytes": KIT, "first bytes, router": ROUTER, **_FRAMEWORKS}
    body = request_body(**_UNPADDED, model=BRIEF)
    loads = {name: _Load(server, _stream(path, body), 1, 50) for name, path in names.items()}
    found = in_turns({name: each.wait for name, each in loads.items()}, rounds)
    yield figure(found, "first bytes", "FastAPI, StreamingResponse", 0.65)
    yield figure(found, "first bytes", "FastAPI, its own SSE", None)
    yield figure(found, "first bytes, router", "FastAPI, StreamingResponse", None)


def _whole(server: Serving, rounds: int) -> Iterator[Figure]:
    """Whole answers to many clients at once."""
    names = {
        "whole answers": KIT,
        "whole answers, router": ROUTER,
        "bare whole answers": BARE_WHOLE,
        "FastAPI, response_model": f"{FASTAPI}/whole",
    }
    body = request_body()
    loads = {name: _Load(server, post(_path(path), body, is_stream=False), 32, 20) for name, path in names.items()}
    rows: list[Row] = [
        ("whole answers", "bare whole answers", 2.63),
        ("whole answers", "FastAPI, response_model", 0.526),
        ("whole answers, router", "FastAPI, response_model", None),
    ]
    yield from _processor(loads, rows, rounds)
    yield from _awake(loads, rows[:2], rounds)


def _many(server: Serving, rounds: int) -> Iterator[Figure]:
    """Many streams at once over few, as often one after the other; every one of them has to be whole."""
    request = _stream(KIT, request_body(**_UNPADDED, model=BRIEF))
    many, few = f"{_MANY} streams at once", f"{_MANY} streams, 10 at once"
    loads = {many: _Load(server, request, _MANY), few: _Load(server, request, 10, _MANY // 10)}
    yield from _processor(loads, [(many, few, None)], rounds)


def _idle(rounds: int) -> Figure | Skipped:
    """The memory that streams take while they wait, each time in a new process."""
    request = _stream(KIT, request_body(model=IDLE, stream=True))
    ratios: list[float] = []
    for _ in range(rounds):
        with serving() as server:
            taken = _run(_memory(server, request)) / _MANY
        ratios.append(taken / _IDLE_BYTES)
    work, over = "memory of an idle stream", f"{_IDLE_BYTES} bytes"
    return Figure(work, over, 1.0, tuple(ratios)) if all(ratios) else Skipped(work, over, "not known on this system")


async def _memory(server: Serving, request: Request) -> int:
    """The bytes that many streams take; those that the first ones take for good are not counted."""
    async with held(server.port, request, 10):
        pass
    _, before = await asyncio.to_thread(server.usage)
    async with held(server.port, request, _MANY):
        _, after = await asyncio.to_thread(server.usage)
    return after - before


@dataclass
class _Load:
    """So many requests to a server, each time."""

    server: Serving
    request: Request
    connections: int
    requests: int = 1
    is_awake: bool = False
    """Whether the client looks for data all the time."""
    seconds: list[float] = field(default_factory=list)
    """The time that passed, of every time."""

    def processor(self) -> float:
        """Seconds of the server's processor."""
        before, _ = self.server.usage()
        self.seconds.append(self._run().seconds)
        after, _ = self.server.usage()
        return after - before

    def wait(self) -> float:
        """Seconds from a request to the first data, as they are in the middle."""
        return median(self._run().waits)

    def _run(self) -> Answers:
        work = load(self.server.port, self.request, self.connections, self.requests, is_awake=self.is_awake)
        answers = _run(work)
        for content in answers.contents:
            if b" 200 OK\r\n" not in content or (self.request.is_stream and _DONE not in content):
                raise RuntimeError(f"the server answers {content[:200]!r}")
        return answers


def _processor(loads: Mapping[str, _Load], rows: Iterable[Row], rounds: int) -> Iterator[Figure]:
    seconds = in_turns({name: each.processor for name, each in loads.items()}, rounds)
    for work, over, limit in rows:
        yield figure(seconds, work, over, limit)


def _run(work: Coroutine[Any, Any, T]) -> T:
    uvloop: Any = import_module("uvloop")  # not there until everybody is known to be installed
    result: T = uvloop.run(work)
    return result


def _awake(loads: Mapping[str, _Load], rows: Iterable[Row], rounds: int) -> Iterator[Figure]:
    """The same with a client that does not have to be woken."""
    awake = {name: replace(each, is_awake=True, seconds=[]) for name, each in loads.items()}
    for found in _processor(awake, rows, max(1, rounds // 3)):
        yield replace(found, work=f"{found.work}, client awake", limit=None)


def _stream(path: str, body: bytes) -> Request:
    return post(_path(path), body, is_stream=True)


def _path(name: str) -> str:
    return f"/{name}/v1/responses"
