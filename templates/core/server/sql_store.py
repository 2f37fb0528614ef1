"""A store in a database, through SQLAlchemy: SQLite as it comes, PostgreSQL for many replicas.

Rules kept here: P1, P2, P3, P5, as in `store`. The truth is in the database alone, so any number of
processes may share it. A response is written in one transaction: if that is cut off, nothing of it
is there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Executable, Row, func, select
from sqlalchemy.schema import CreateTable

from ._sql_engine import Database
from ._sql_tables import (
    CHAIN,
    DELETE_BATCH,
    FIND,
    FIND_BY_ITEMS,
    FIND_SURPLUS,
    FORGET_ITEMS,
    VERSION,
    inserts_for,
    metadata,
    versions,
)
from .store import StoredResponse, StoreError

__all__ = ["SQLStore"]

_log = logging.getLogger(__name__)

_PURGE_SECONDS = 600
"""How often, at least, what is too old is removed in a process that saves."""
_PURGE_SHARE = 0.1
"""The part of a limit after whose saving the limits are checked."""
_PURGE_BATCH = 500
"""How many responses are removed in one transaction."""
_ITEMS_AT_ONCE = 10_000
"""How many items a query asks for; a database has a limit of some thirty thousand parameters."""
_LONGEST_ID = 512
"""In bytes; an index of PostgreSQL has a limit of 2,700 for all columns together."""
_LOCK = 0x6F70656E
"""Names the making of the tables among the advisory locks of a PostgreSQL database."""
_NO_LIMIT = 2**62


class SQLStore:
    """Keeps responses in a database.

    What is older than `keep_seconds` is not found. When there are too many or they are too large,
    the oldest go first, counted from when they were saved last. They are removed from time to time
    after a save, so that there may be a tenth more than the limits for each process that writes.
    With a response, the chains through it are gone (rule P2).

    Raises `StoreError` when the URL names no database, or a package that it needs is not installed.

    Args:
        url: As in `open_store`.
        keep_seconds: For how long a response is kept; None for ever.
        max_responses: How many are kept; None for any number.
        max_bytes: How many bytes of JSON they may have, all together; None for any number. The
            database needs somewhat more.
        clock: Gives the time in seconds of Unix time.
    """

    def __init__(
        self,
        url: str,
        *,
        keep_seconds: float | None = 30 * 24 * 3600,
        max_responses: int | None = 1_000_000,
        max_bytes: int | None = 8 * 2**30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(url)
        engine = self._database.engine
        self._engine = engine
        self._inserts = inserts_for(engine.dialect.name)
        if self._database.is_sqlite:
            self._reading = engine
            # SQLite has one writer. Who waits here waits in order, and does not poll the file.
            self._turn: AbstractAsyncContextManager[None] = asyncio.Lock()
        else:
            # A query is one round trip, not three.
            self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
            self._turn = nullcontext()
        self._keep = _NO_LIMIT if keep_seconds is None else int(keep_seconds * 1_000_000)
        self._max_responses = _NO_LIMIT if max_responses is None else max_responses
        self._max_bytes = _NO_LIMIT if max_bytes is None else max_bytes
        self._clock = clock
        self._saved_at = 0
        self._purge_at = 0
        self._saved = self._saved_bytes = 0
        """Since the limits were checked."""
        self._purge_turn = asyncio.Lock()
        self._purging: asyncio.Task[None] | None = None
        self._is_closing = False

    def __str__(self) -> str:
        return str(self._database)

    def __repr__(self) -> str:
        return f"SQLStore({str(self)!r})"

    async def open(self) -> None:
        """Make the tables, unless they are there.

        Raises `StoreError` when the database cannot be reached or written, or was made by a newer
        version of this package.
        """
        if self._database.is_sqlite:
            self._database.check_file()
        try:
            with self._database.telling():
                await self._make_tables()
        except BaseException:
            await self._engine.dispose()
            raise

    async def save(self, record: StoredResponse) -> None:
        """Keep a response, in place of an earlier state of the same id of the same owner.

        Once this returns, the record is kept; when it raises or is cancelled, it is kept as a whole
        or not at all.

        Raises `StoreError`, also when an id is no text that every database can have in an index.
        """
        names = (record.owner, record.id, record.previous_id or "", *record.item_ids)
        if not all(map(_is_storable, names)):
            raise StoreError(
                f"The store {self._database} cannot keep a response with an id that is no text, has"
                f" a null character in it or more than {_LONGEST_ID} bytes. Give simpler ids."
            )
        self._saved_at = max(self._now(), self._saved_at + 1)
        row = _row(record, self._saved_at)
        with self._database.telling():
            async with self._turn, self._engine.begin() as connection:
                await connection.execute(self._inserts.response, row)
                await connection.execute(FORGET_ITEMS, {"owner": record.owner, "id": record.id})
                if record.item_ids:
                    await connection.execute(self._inserts.items, _item_rows(record))
        self._purge_when_due(row["size"])

    async def get(self, owner: str, response_id: str) -> StoredResponse | None:
        """A response by id; None when the owner has none of that id."""
        records = await self._find(FIND, owner, response_id)
        return records[0] if records else None

    async def chain(self, owner: str, response_id: str) -> list[StoredResponse]:
        """A response and all that it continues, the oldest first (rule P1).

        Empty when the response, or any that it continues, is not kept (rule P2).
        """
        kept = {record.id: record for record in await self._find(CHAIN, owner, response_id)}
        links: list[StoredResponse] = []
        link: str | None = response_id
        while link is not None:
            # What was taken is not met again: a circle is as a link that is missing.
            record = kept.pop(link, None)
            if record is None:
                return []
            links.append(record)
            link = record.previous_id
        links.reverse()
        return links

    async def with_items(self, owner: str, item_ids: Sequence[str]) -> list[StoredResponse]:
        """The responses whose output has any of these items, each once (rule P3)."""
        wanted = list(filter(_is_storable, dict.fromkeys(item_ids)))
        found: dict[str, StoredResponse] = {}
        for start in range(0, len(wanted), _ITEMS_AT_ONCE):
            ids = wanted[start : start + _ITEMS_AT_ONCE]
            records = await self._read(FIND_BY_ITEMS, {"owner": owner, "ids": ids})
            found |= {record.id: record for record in records}
        return list(found.values())

    async def purge(self) -> int:
        """Remove what is over the limits; this is done from time to time by itself.

        Returns how many responses were removed. Other processes may do the same at the same time.
        """
        async with self._purge_turn:
            self._purge_at = self._now() + _PURGE_SECONDS * 1_000_000
            self._saved = self._saved_bytes = 0
            with self._database.telling():
                return await self._remove(until=max(self._expired(), await self._surplus()))

    async def close(self) -> None:
        """Close all connections."""
        self._is_closing = True
        if self._purging is not None:
            await self._purging
        await self._engine.dispose()

    async def _make_tables(self) -> None:
        async with self._engine.begin() as connection:
            if self._database.is_sqlite:
                await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            else:
                await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            await connection.execute(CreateTable(versions, if_not_exists=True))
            # In SQLite, this takes the turn of the one writer until the tables are made.
            await connection.execute(self._inserts.version, {"id": 1, "version": VERSION})
            version = (await connection.execute(select(versions.c.version))).scalar_one()
            if version > VERSION:
                raise StoreError(
                    f"The store {self._database} was made by a newer version of this package (its"
                    f" tables are version {version}, known are those up to {VERSION}). Use that"
                    " version, or another store."
                )
            await connection.run_sync(metadata.create_all)

    async def _find(self, query: Executable, owner: str, id_: str) -> list[StoredResponse]:
        if not _is_storable(id_):
            return []
        return await self._read(query, {"owner": owner, "id": id_})

    async def _read(self, query: Executable, names: Mapping[str, Any]) -> list[StoredResponse]:
        parameters = {**names, "expired": self._expired()}
        with self._database.telling():
            async with self._reading.connect() as connection:
                rows = (await connection.execute(query, parameters)).all()
        return list(map(_record, rows))

    async def _surplus(self) -> int:
        """When the newest of the responses was saved that there is no room for; 0 for never."""
        if self._max_responses == self._max_bytes == _NO_LIMIT:
            return 0
        limits = {"max_responses": self._max_responses, "max_bytes": self._max_bytes}
        async with self._reading.connect() as connection:
            return (await connection.execute(FIND_SURPLUS, limits)).scalar_one() or 0

    async def _remove(self, until: int) -> int:
        removed = 0
        batch = {"until": until, "most": _PURGE_BATCH}
        while not self._is_closing:
            async with self._turn, self._engine.begin() as connection:
                count = (await connection.execute(DELETE_BATCH, batch)).rowcount
            removed += count
            if count < _PURGE_BATCH:
                break
        return removed

    def _purge_when_due(self, size: int) -> None:
        """Start a purge beside what goes on, unless there is one."""
        self._saved += 1
        self._saved_bytes += size
        is_due = (
            self._saved >= self._max_responses * _PURGE_SHARE
            or self._saved_bytes >= self._max_bytes * _PURGE_SHARE
            or self._saved_at >= self._purge_at
        )
        if is_due and (self._purging is None or self._purging.done()):
            self._purging = asyncio.create_task(self._purge_quietly())

    async def _purge_quietly(self) -> None:
        try:
            await self.purge()
        except StoreError as error:
            _log.warning("What is over the limits was not removed. %s", error)

    def _now(self) -> int:
        """In microseconds of Unix time."""
        return int(self._clock() * 1_000_000)

    def _expired(self) -> int:
        """What was saved then or before is too old."""
        return self._now() - self._keep


def _is_storable(name: str) -> bool:
    """Whether it can be in an index of any of the databases; an id that cannot is never found."""
    try:
        return "\0" not in name and len(name.encode()) <= _LONGEST_ID
    except UnicodeEncodeError:
        return False


def _row(record: StoredResponse, saved_at: int) -> dict[str, Any]:
    return {
        "id": record.id,
        "owner": record.owner,
        "previous_id": record.previous_id,
        "saved_at": saved_at,
        "size": len(record.input) + len(record.response),
        "created_at": record.created_at,
        "status": record.status,
        "item_ids": to_json(record.item_ids).decode(),
        "input": record.input,
        "response": record.response,
    }


def _item_rows(record: StoredResponse) -> list[dict[str, str]]:
    of_response = {"owner": record.owner, "response_id": record.id}
    return [{"id": each, **of_response} for each in record.item_ids]


def _record(row: Row[Any]) -> StoredResponse:
    return StoredResponse(
        id=row.id,
        owner=row.owner,
        previous_id=row.previous_id,
        created_at=row.created_at,
        status=row.status,
        input=row.input,
        response=row.response,
        item_ids=tuple(from_json(row.item_ids)),
    )
