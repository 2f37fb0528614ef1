"""Clients of many kinds for one server, well behaved and not; each fails when an answer is not its own or not right.

Every client tells a fact of its own and asks for it later, so an answer that is mixed up with another's shows.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2
from openresponses_kit.sse import SSEDecoder
from served_process import ServedProcess
from server_answers import check_error, check_events, check_response, check_stream
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0
TERMINAL = {"response.completed", "response.incomplete", "response.failed", "error"}
SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)]
WORDS = "ab " * 5000
LONG = {
    "tools": [
        {
            "type": "function",
            "name": "say",
            "parameters": {"type": "object", "properties": {"words": {"const": WORDS}}, "required": ["words"]},
        }
    ],
    "tool_choice": "required",
}
"""Makes an answer of so many events that they do not fit into the buffers of a slow connection."""
SLOW = 4
"""How many slow readers there are, whose answers take the longest to check."""
BAD: tuple[bytes, ...] = (b"", b"{", b'{"temperature": "x"}', b'{"previous_response_id": "resp_0"}', b"[" * 9999)

Client: TypeAlias = Callable[["Clients", int], Awaitable[None]]
KINDS: list[Client] = []


def kind(client: Client) -> Client:
    KINDS.append(client)
    return client


@dataclass
class Clients:
    """What all clients of a round share."""

    server: ServedProcess
    http: httpx2.AsyncClient
    slow: httpx2.AsyncClient
    """Whose connections hold little that was not read yet."""
    others_done: asyncio.Event
    """Is set once all clients but the slow ones are done."""

    async def whole(self, **body: Any) -> dict[str, Any]:
        answer = await self.http.post("/v1/responses", json=body)
        assert answer.status_code == 200, answer.text
        return check_response(answer.content)

    async def streamed(self, **body: Any) -> dict[str, Any]:
        answer = await self.http.post("/v1/responses", json={**body, "stream": True})
        assert answer.status_code == 200, answer.text
        return check_stream(answer.content)


def told(number: int) -> str:
    return f"My code is secret{number}."


def check_recall(response: dict[str, Any], number: int) -> None:
    """Fails unless a response tells the fact of this client, and of no other."""
    texts = [part["text"] for item in response["output"] for part in item.get("content", ())]
    assert re.findall(r"secret\d+", "".join(texts)) == [f"secret{number}"], texts


async def run_all(server: ServedProcess, count: int, seed: int) -> None:
    """Run this many clients of every kind, and a few slow ones, all at once; fails with the first that fails."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    options: dict[str, Any] = {"base_url": server.url, "timeout": PATIENCE, "trust_env": False}
    small = httpx2.AsyncHTTPTransport(limits=limits, socket_options=SMALL_BUFFER)
    async with (
        httpx2.AsyncClient(limits=limits, **options) as http,
        httpx2.AsyncClient(transport=small, **options) as slow,
        asyncio.TaskGroup() as everybody,
    ):
        clients = Clients(server, http, slow, asyncio.Event())
        some = [client for client in KINDS for _ in range(SLOW if client is slow_reader else count)]
        random.Random(seed).shuffle(some)
        async with asyncio.TaskGroup() as others:
            for number, client in enumerate(some, seed * 10_000):
                group = everybody if client is slow_reader else others
                group.create_task(client(clients, number))
        clients.others_done.set()


@kind
async def whole_chain(clients: Clients, number: int) -> None:
    """Three answers in one piece, each continuing the one before (P1)."""
    first = await clients.whole(input=told(number))
    second = await clients.whole(input="Good.", previous_response_id=first["id"])
    check_recall(await clients.whole(input="What is my code?", previous_response_id=second["id"]), number)


@kind
async def streamed_chain(clients: Clients, number: int) -> None:
    """The same with streams that are read to the end."""
    first = await clients.streamed(input=told(number))
    second = await clients.streamed(input="Good.", previous_response_id=first["id"])
    check_recall(await clients.streamed(input="What is my code?", previous_response_id=second["id"]), number)


@kind
async def stateless(clients: Clients, number: int) -> None:
    """All that was said in one request, of which nothing is kept (R3)."""
    items = [{"role": "user", "content": each} for each in (told(number), "What is my code?")]
    response = await clients.whole(input=items, store=False)
    check_recall(response, number)
    assert (await clients.http.get(f"/v1/responses/{response['id']}")).status_code == 404


@kind
async def cut_stream(clients: Clients, number: int) -> None:
    """A stream that is left after some event (Z16); its response was never told of as completed."""
    left = random.Random(number).randrange(1, 60)
    body = {"input": told(number), "stream": True, **LONG}
    decoder = SSEDecoder()
    seen = 0
    async with clients.slow.stream("POST", "/v1/responses", json=body) as answer:
        assert answer.status_code == 200
        async for chunk in answer.aiter_raw():
            seen += len(list(decoder.feed(chunk)))
            if seen >= left:
                break


@kind
async def slow_reader(clients: Clients, number: int) -> None:
    """Reads the beginning, and the rest when all others are done; nothing is missing then."""
    body = {"input": told(number), "stream": True, **LONG}
    async with clients.slow.stream("POST", "/v1/responses", json=body) as answer:
        chunks = answer.aiter_raw()
        content = bytearray(await anext(chunks))
        await clients.others_done.wait()
        async for chunk in chunks:
            content += chunk
    *events, done = [data for _, data in SSEDecoder().feed(bytes(content))]
    assert done == b"[DONE]"
    sent = [json.loads(event) for event in events]
    assert [event["sequence_number"] for event in sent] == list(range(len(sent)))
    arguments = "".join(event.get("delta", "") for event in sent)
    assert json.loads(arguments) == {"words": WORDS}
    assert sent[-1]["response"]["output"][0]["arguments"] == arguments


@kind
async def bad_bodies(clients: Clients, number: int) -> None:
    """Requests that are refused, one after the other."""
    for content in BAD:
        answer = await clients.http.post("/v1/responses", content=content)
        check_error(answer.status_code, answer.content, {"temperature": "x", "previous_response_id": "resp_0"})


@kind
async def websocket_turns(clients: Clients, number: int) -> None:
    """Turns on one connection that remembers what nothing else keeps, with a refusal between them (W3, W4)."""
    async with connect(clients.server.websocket_url, compression=None, proxy=None) as websocket:
        first = check_events(await turn(websocket, input=told(number), store=False))
        refused = await turn(websocket, input=7)
        assert [json.loads(frame)["status"] for frame in refused] == [400]
        body = {"input": "What is my code?", "previous_response_id": first["id"], "store": False}
        check_recall(check_events(await turn(websocket, **body)), number)


@kind
async def websocket_cut(clients: Clients, number: int) -> None:
    """A connection that is cut in the middle of a turn while another one waits (Z16)."""
    left = random.Random(number).randrange(1, 60)
    async with connect(clients.server.websocket_url, compression=None, proxy=None) as websocket:
        for _ in range(2):
            await websocket.send(json.dumps({"type": "response.create", "input": told(number), **LONG}))
        for _ in range(left):
            await websocket.recv()
        websocket.transport.abort()


@kind
async def background(clients: Clients, number: int) -> None:
    """A response that is fetched once it is done, and then continued (P5)."""
    response = await clients.whole(input=told(number), background=True)
    assert response["status"] == "queued"
    while response["status"] in {"queued", "in_progress"}:
        answer = await clients.http.get(f"/v1/responses/{response['id']}")
        response = check_response(answer.content)
    check_recall(await clients.streamed(input="What is my code?", previous_response_id=response["id"]), number)


async def turn(websocket: ClientConnection, **body: Any) -> list[str]:
    """The frames of a turn."""
    await websocket.send(json.dumps({"type": "response.create", **body}))
    frames: list[str] = []
    while not frames or json.loads(frames[-1])["type"] not in TERMINAL:
        frames.append(str(await websocket.recv()))
    return frames
