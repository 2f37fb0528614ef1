"""One way to use the transports that ought to behave alike: httpx2's own, and the fast ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openresponses_kit.client.fast_async import AsyncFastTransport
from openresponses_kit.client.fast_sync import FastTransport

SYNC = {"httpx2": httpx2.HTTPTransport, "fast": FastTransport}
ASYNC = {"httpx2 async": httpx2.AsyncHTTPTransport, "fast async": AsyncFastTransport}
ALL = [*SYNC, *ASYNC]
FAST = ["fast", "fast async"]


@dataclass
class Ask:
    """A request."""

    url: str
    method: str = "GET"
    options: dict[str, Any] = field(default_factory=dict)
    is_read: bool = True
    """Whether the answer is read to the end, or dropped after its head."""


@dataclass
class Answer:
    """What came back: an answer as far as it arrived, and the error that ended it."""

    status: int | None = None
    reason: str = ""
    version: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    error: Exception | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.blocks)

    def note(self, response: httpx2.Response) -> None:
        self.status, self.reason = response.status_code, response.reason_phrase
        self.version, self.headers = response.http_version, response.headers.multi_items()


def ask(kind: str, asks: Sequence[Ask], *, timeout: Any = 10, **options: Any) -> list[Answer]:
    """Make requests one after the other over one transport, and read what comes as bytes."""
    if kind in SYNC:
        with httpx2.Client(transport=SYNC[kind](**options), timeout=timeout) as client:
            return [ask_with(client, each) for each in asks]

    async def run() -> list[Answer]:
        async with httpx2.AsyncClient(transport=ASYNC[kind](**options), timeout=timeout) as client:
            return [await ask_with_async(client, each) for each in asks]

    return asyncio.run(run())


def get(kind: str, url: str, *, timeout: Any = 10, **options: Any) -> Answer:
    """Make one request."""
    (answer,) = ask(kind, [Ask(url)], timeout=timeout, **options)
    return answer


def ask_with(client: httpx2.Client, each: Ask) -> Answer:
    """Make a request with a client, and read what comes as bytes."""
    answer = Answer()
    try:
        with client.stream(each.method, each.url, **each.options) as response:
            answer.note(response)
            if each.is_read:
                for block in response.stream:
                    answer.blocks.append(block)
    except httpx2.TransportError as error:
        answer.error = error
    return answer


async def ask_with_async(client: httpx2.AsyncClient, each: Ask) -> Answer:
    """Make a request with a client, and read what comes as bytes."""
    answer = Answer()
    try:
        async with client.stream(each.method, each.url, **each.options) as response:
            answer.note(response)
            if each.is_read:
                async for block in response.stream:
                    answer.blocks.append(block)
    except httpx2.TransportError as error:
        answer.error = error
    return answer
