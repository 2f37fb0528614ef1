"""One server process under many clients with faults, and one that is killed: nothing is mixed up, lost or left over."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from load_clients import PATIENCE, check_recall, run_all, told, turn
from openresponses_kit.sse import SSEDecoder
from served_process import ServedProcess, served
from server_answers import check_response
from websocket_talk import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ROUNDS = 3
OF_EACH_KIND = 15
MOST_GROWTH = 24 * 2**20
"""Bytes that the process may have more after the last round than after the first, when it is warm."""
CHAINS = 12
COMPLETED_BEFORE_THE_KILL = 80


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServedProcess]:
    with served(tmp_path, "--store", "sqlite:///responses.db") as server:
        yield server


def sockets(server: ServedProcess) -> int:
    return sum(each.startswith("socket:") for each in server.open_files)


def is_healthy(server: ServedProcess) -> bool:
    """Whether it answers; the connection is closed afterwards."""
    return httpx2.get(f"{server.url}/health", trust_env=False).json() == {"status": "ok"}


def test_load_with_faults_leaves_nothing_behind(server: ServedProcess) -> None:
    """P1, Z16: every client of hundreds gets its own answers, and what the clients leave is let go of.

    Streams and connections that are cut, slow readers and bad bodies are among them. The process does not grow from
    round to round, writes nothing into its log, and ends in order when it is told to.
    """
    assert is_healthy(server)
    idle = sockets(server)
    resident: list[int] = []
    files: list[int] = []
    for number in range(ROUNDS):
        asyncio.run(run_all(server, OF_EACH_KIND, number))
        until(lambda: sockets(server) <= idle)  # the connection of the first question may still count in `idle`
        resident.append(server.resident_bytes)
        files.append(len(server.open_files))
    assert resident[-1] - resident[0] < MOST_GROWTH, resident
    assert files[-1] <= files[0], files
    assert is_healthy(server)
    assert server.stop() == 0
    assert server.log.read_text() == ""


class Chain:
    """A client that continues its own chain for as long as there is a server, and notes what it saw completed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen: list[dict[str, Any]] = []

    def next_body(self) -> dict[str, Any]:
        if not self.seen:
            return {"input": told(self.number)}
        return {"input": "Go on.", "previous_response_id": self.seen[-1]["id"]}

    async def run(self, server: ServedProcess, http: httpx2.AsyncClient, enough: asyncio.Semaphore) -> None:
        try:
            if self.number % 2:
                await self._stream(http, enough)
            else:
                await self._talk(server, enough)
        except (httpx2.TransportError, ConnectionClosed, OSError):
            pass

    async def _stream(self, http: httpx2.AsyncClient, enough: asyncio.Semaphore) -> None:
        while True:
            decoder = SSEDecoder()
            async with http.stream("POST", "/v1/responses", json={**self.next_body(), "stream": True}) as answer:
                async for chunk in answer.aiter_raw():
                    for _, data in decoder.feed(chunk):
                        if data != b"[DONE]":
                            self._note(json.loads(data), enough)

    async def _talk(self, server: ServedProcess, enough: asyncio.Semaphore) -> None:
        async with connect(server.websocket_url, compression=None, proxy=None) as websocket:
            while True:
                self._note(json.loads((await turn(websocket, **self.next_body()))[-1]), enough)

    def _note(self, event: dict[str, Any], enough: asyncio.Semaphore) -> None:
        if event["type"] == "response.completed":
            self.seen.append(event["response"])
            enough.release()


async def run_chains(server: ServedProcess, chains: list[Chain]) -> None:
    """Run the chains, and kill the server in the middle of it."""
    enough = asyncio.Semaphore(0)
    limits = httpx2.Limits(max_connections=None)
    async with (
        httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE, trust_env=False, limits=limits) as http,
        asyncio.TaskGroup() as group,
    ):
        for chain in chains:
            group.create_task(chain.run(server, http, enough))
        for _ in range(COMPLETED_BEFORE_THE_KILL):
            await enough.acquire()
        server.kill()


def test_p1_what_was_seen_completed_outlives_a_kill(tmp_path: Path) -> None:
    """A server that is killed while it streams and stores loses no response whose end a client saw.

    Started again on the same file, it has each of them whole, and continues it with all that came before.
    """
    chains = [Chain(number) for number in range(CHAINS)]
    with served(tmp_path, "--store", "sqlite:///responses.db") as server:
        asyncio.run(run_chains(server, chains))
    assert sum(len(chain.seen) for chain in chains) >= COMPLETED_BEFORE_THE_KILL
    with (
        served(tmp_path, "--store", "sqlite:///responses.db") as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        for chain in chains:
            for length, response in enumerate(chain.seen, 1):
                kept = http.get(f"/v1/responses/{response['id']}")
                assert kept.json() == response
                body = {"input": "What is my code?", "previous_response_id": response["id"], "store": False}
                answer = check_response(http.post("/v1/responses", json=body).content)
                check_recall(answer, chain.number)
                said = answer["output"][0]["content"][0]["text"]
                assert re.search(rf"\b{2 * length + 1}\b", said), said
        assert server.stop() == 0
        assert server.log.read_text() == ""
    with closing(sqlite3.connect(tmp_path / "responses.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
