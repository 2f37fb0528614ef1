"""Turning Chat Completions into Open Responses with the generated gateway, and with what a user would run instead.

All gateways stand before the same model in a process of its own. What is measured is the time of the gateway's
processor, unless a row says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from bundled_spec import encoded
from gateway_processes import (
    BRIEF,
    COMMANDS,
    PIECES,
    Gateway,
    command_of,
    kit,
    litellm,
    open_responses_server,
    own,
    proxy,
    relay,
)
from server_load import Answers, Request, load, post
from side_by_side import Figure, PeerMissingError, Skipped, figure, in_turns

ROUNDS = 11

T = TypeVar("T")

_PEERS = ("uvicorn", "uvloop", "httptools", "starlette")
_OTHERS: dict[str, Callable[[int], AbstractContextManager[Gateway]]] = {
    "LiteLLM": litellm,
    "open-responses-server": open_responses_server,
}
_WORK = "chat chunks to events"
_PASSED, _PLAIN = "passed through", "proxy of bytes, Starlette and httpx2"
_ADDED = "added to the first byte"
_MANY = 300
"""How many streams have to go at once."""
_STREAM_BYTES = 200_000
"""The memory that each of them may take."""
_FIRST_SECONDS = 0.002


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """Streams through each gateway in turns."""
    for peer in _PEERS:
        if find_spec(peer) is None:
            raise PeerMissingError(f"{peer} is not installed: pip install -e .[benchmarks]")
    if not Path("/proc/self/schedstat").is_file():
        yield Skipped(_WORK, "any", "the processor time of a process is read from /proc, which this system has not")
        return
    with own("upstream") as (model, _):
        yield from _side_by_side(model, rounds)
        yield from _pass_through(model, rounds)
        yield from _first(model, max(1, rounds // 2))
        yield from _many(model, max(1, rounds // 3))


def _side_by_side(model: int, rounds: int) -> Iterator[Figure | Skipped]:
    with ExitStack() as stack:
        loads = {_WORK: _Load(stack.enter_context(kit(model)))}
        for name, start in _OTHERS.items():
            if command_of(name) is None:
                reason = f"there is no command {COMMANDS[name]!r}: install it, and put it on the PATH"
                yield Skipped(_WORK, name, reason)
            else:
                loads[name] = _Load(stack.enter_context(start(model)))
        seconds = in_turns({name: each.processor for name, each in loads.items()}, rounds)
    for name in loads.keys() - {_WORK}:
        yield figure(seconds, _WORK, name, 0.2)


def _pass_through(model: int, rounds: int) -> Iterator[Figure]:
    """What speaks Open Responses already, through the gateway and through a proxy of bytes."""
    with relay(model) as gateway, proxy(model) as plain:
        loads = {_PASSED: _Load(gateway), _PLAIN: _Load(plain)}
        seconds = in_turns({name: each.processor for name, each in loads.items()}, rounds)
        waits = {_PASSED: lambda: _wait(gateway.port, _request(gateway, BRIEF))}
        waits[_PLAIN] = lambda: _wait(plain.port, _request(plain, BRIEF))
        first = in_turns(waits, max(1, rounds // 2))
    yield figure(seconds, _PASSED, _PLAIN, 2.0)
    yield replace(figure(first, _PASSED, _PLAIN, None), work=f"{_PASSED}, to the first byte")


def _first(model: int, rounds: int) -> Iterator[Figure]:
    """What the gateway adds to the time from a request to the first data, one stream at a time."""
    direct = post("/v1/chat/completions", encoded({"model": BRIEF, "messages": [], "stream": True}), is_stream=True)
    with kit(model) as gateway:
        through = _request(gateway, BRIEF)

        def added() -> float:
            return _wait(gateway.port, through) - _wait(model, direct)

        ratios = [each / _FIRST_SECONDS for each in in_turns({_ADDED: added}, rounds)[_ADDED]]
    yield Figure(_ADDED, "2 ms", 1.0, tuple(ratios))


def _many(model: int, rounds: int) -> Iterator[Figure]:
    """Many streams at once over few, as often one after the other; every one of them has to be whole."""
    many, few = f"{_MANY} streams at once", f"{_MANY} streams, 10 at once"
    with kit(model) as gateway:
        loads = {many: _Load(gateway, _MANY), few: _Load(gateway, 10, _MANY // 10)}
        seconds = in_turns({name: each.processor for name, each in loads.items()}, rounds)
        yield figure(seconds, many, few, None)
    with kit(model) as gateway:
        _Load(gateway, 10).processor()
        before = gateway.memory()
        _Load(gateway, _MANY).processor()
        taken = (gateway.memory() - before) / _MANY
    yield Figure(f"memory of a stream among {_MANY}", f"{_STREAM_BYTES} bytes", 1.0, (taken / _STREAM_BYTES,))


@dataclass(frozen=True)
class _Load:
    """So many streams through a gateway, each time."""

    gateway: Gateway
    connections: int = 4
    requests: int = 1

    def processor(self) -> float:
        """Seconds of the gateway's processor."""
        before = self.gateway.seconds()
        request = _request(self.gateway, "m")
        answers = _run(load(self.gateway.port, request, self.connections, self.requests))
        for content in answers.contents:
            if b" 200 OK\r\n" not in content or content.count(b"response.output_text.delta") < PIECES:
                raise RuntimeError(f"the gateway answers {content[:300]!r}")
        return self.gateway.seconds() - before


def _request(gateway: Gateway, model: str) -> Request:
    body = {"model": model, "input": "Hi", "stream": True, "store": False}
    return post(gateway.path, encoded(body), is_stream=True)


def _wait(port: int, request: Request) -> float:
    answers: Answers = _run(load(port, request, 1, 50))
    return median(answers.waits)


def _run(work: Coroutine[Any, Any, T]) -> T:
    uvloop: Any = import_module("uvloop")  # not there until everybody is known to be installed
    result: T = uvloop.run(work)
    return result
