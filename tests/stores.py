"""Stores to run a test against: in memory, in SQLite and in PostgreSQL through both of its drivers."""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import pytest
from openresponses_kit.server._sql_tables import responses
from openresponses_kit.server.memory_store import MemoryStore
from openresponses_kit.server.sql_store import SQLStore, _item_rows, _row
from openresponses_kit.server.store import ResponseStore, StoredResponse
from postgres_server import PostgresServer
from sqlalchemy import delete

P = ParamSpec("P")

MINE, OTHERS = "mine", "others"


def scenario(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """A test that runs in an event loop of its own; what it leaves open shows as a `ResourceWarning`."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            await test(*args, **kwargs)

        try:
            asyncio.run(main())
        finally:
            gc.collect()

    return run


class Stores:
    """Opens stores of one kind, all in one database."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def open(self, **limits: Any) -> Any:
        store: ResponseStore = MemoryStore(**limits) if self.url == "memory:" else SQLStore(self.url, **limits)
        await store.open()
        return store


def stores_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Stores:
    """Stores of a kind; those in PostgreSQL need the server of the session."""
    if kind == "memory":
        return Stores("memory:")
    if kind == "sqlite":
        return Stores(f"sqlite:///{folder / 'store.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Stores(f"postgresql+{kind}://{server.empty_database()}")


@dataclass(frozen=True)
class Closing:
    """Closes a store at the end of a block."""

    store: ResponseStore

    async def __aenter__(self) -> Any:
        return self.store

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()


def record(
    name: str,
    previous: str | None = None,
    *,
    owner: str = MINE,
    status: str = "completed",
    items: Iterable[str] = (),
    given: bytes = b"[]",
    response: bytes | None = None,
    created_at: int = 1_750_000_000,
) -> StoredResponse:
    if response is None:
        response = f'{{"id": "{name}", "status": "{status}"}}'.encode()
    return StoredResponse(name, owner, previous, created_at, status, given, response, tuple(items))


def line(length: int, **fields: Any) -> list[StoredResponse]:
    """A chain, the oldest first."""
    return [record(f"r{number}", f"r{number - 1}" if number else None, **fields) for number in range(length)]


async def fill(store: ResponseStore, records: Iterable[StoredResponse]) -> None:
    """Save many records at once."""
    if not isinstance(store, SQLStore):
        for each in records:
            await store.save(each)
        return
    now = store._now()
    records = list(records)
    async with store._engine.begin() as connection:
        rows = [_row(each, now + place) for place, each in enumerate(records)]
        await connection.execute(store._inserts.response, rows)
        if rows := [row for each in records for row in _item_rows(each)]:
            await connection.execute(store._inserts.items, rows)


async def purge(store: ResponseStore) -> None:
    """Have a store keep to its limits now."""
    if isinstance(store, SQLStore):
        await store.purge()


async def forget_all(store: ResponseStore) -> None:
    if not isinstance(store, SQLStore):
        await store.close()
        return
    async with store._engine.begin() as connection:
        await connection.execute(delete(responses))
