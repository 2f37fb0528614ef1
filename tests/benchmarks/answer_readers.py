"""How each client reads the answers of `answer_server`: a table of works, by name, made for the time of a context."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Read: TypeAlias = Callable[[], int]
"""Reads an answer to its end, and says of how many events or items it was."""

EVENTS, FOLDED, ASYNC = "create(stream=True)", "stream()", "async create(stream=True)"
FAST, FAST_FOLDED = "create(stream=True) with FastClient", "stream() with FastClient"
OPENAI, OPENAI_FOLDED, OPENAI_ASYNC = "openai", "openai stream()", "openai async"
OTHER = "openresponses-py"
LEAST, SOCKET = "httpx2 and parse_event alone", "bare socket"
CREATE = "create, 1 MB"

_REQUEST: Mapping[str, Any] = {"model": "m", "input": "hi"}


def stream_readers(url: str, stack: ExitStack) -> dict[str, Read]:
    """Works that read a stream and count its events, of our client and those installed; `stack` closes the clients."""
    kit, runner = import_module("openresponses_kit"), stack.enter_context(asyncio.Runner())
    client = stack.enter_context(kit.OpenResponses(base_url=url))
    fast = stack.enter_context(kit.OpenResponses(base_url=url, http_client=kit.FastClient()))
    waiting = kit.AsyncOpenResponses(base_url=url)
    stack.callback(lambda: runner.run(waiting.close()))
    readers = {
        EVENTS: lambda: sum(1 for _ in client.responses.create(**_REQUEST, stream=True)),
        FOLDED: lambda: _folded(client),
        FAST: lambda: sum(1 for _ in fast.responses.create(**_REQUEST, stream=True)),
        FAST_FOLDED: lambda: _folded(fast),
        ASYNC: lambda: runner.run(_awaited(waiting)),
    }
    if find_spec("openai") is not None:
        openai = import_module("openai")
        peer = stack.enter_context(openai.OpenAI(base_url=url, api_key="unused"))
        waiting_peer = openai.AsyncOpenAI(base_url=url, api_key="unused")
        stack.callback(lambda: runner.run(waiting_peer.close()))
        readers |= {
            OPENAI: lambda: sum(1 for _ in peer.responses.create(**_REQUEST, stream=True)),
            OPENAI_FOLDED: lambda: _folded(peer),
            OPENAI_ASYNC: lambda: runner.run(_awaited(waiting_peer)),
        }
    if find_spec("openresponses") is not None:
        other = stack.enter_context(import_module("openresponses").OpenResponses(base_url=url))
        readers[OTHER] = lambda: sum(1 for _ in other.responses.create({**_REQUEST, "stream": True}))
    return readers


def answer_readers(url: str, stack: ExitStack) -> dict[str, Read]:
    """Works that read a whole response, and count its items; `stack` closes the clients."""
    client = stack.enter_context(import_module("openresponses_kit").OpenResponses(base_url=url))
    readers = {CREATE: lambda: len(client.responses.create(**_REQUEST).output)}
    if find_spec("openai") is not None:
        peer = stack.enter_context(import_module("openai").OpenAI(base_url=url, api_key="unused"))
        readers[OPENAI] = lambda: len(peer.responses.create(**_REQUEST).output)
    if find_spec("openresponses") is not None:
        other = stack.enter_context(import_module("openresponses").OpenResponses(base_url=url))
        readers[OTHER] = lambda: len(other.responses.create(_REQUEST).output)
    return readers


def bare_readers(url: str, data: list[bytes], stack: ExitStack) -> dict[str, Read]:
    """Works that no client can do without, so that one sees how far any can go.

    One receives what the server sends, and counts the pieces. The other takes the body of the answer from httpx2, then
    parses the data of the events, which nobody had to look for, and counts the chunks.
    """
    httpx2, parse = import_module("httpx2"), import_module("openresponses_kit").parse_event
    client = stack.enter_context(httpx2.Client())
    parts = urlsplit(url)

    def receive() -> int:
        pieces, last = 0, b""
        with closing(socket.create_connection((parts.hostname, parts.port))) as connection:
            connection.sendall(f"POST {parts.path} HTTP/1.1\r\n\r\n".encode())
            while not last.endswith(b"0\r\n\r\n"):
                last = connection.recv(65536)
                pieces += 1
        return pieces

    def take() -> int:
        with client.stream("POST", url, json=_REQUEST) as response:
            chunks = sum(1 for _ in response.stream)
        for each in data:
            parse(each)
        return chunks

    return {SOCKET: receive, LEAST: take}


def _folded(client: Any) -> int:
    with client.responses.stream(**_REQUEST) as stream:
        count = sum(1 for _ in stream)
        assert stream.get_final_response().output_text
    return count


async def _awaited(client: Any) -> int:
    count = 0
    async for _ in await client.responses.create(**_REQUEST, stream=True):
        count += 1
    return count
