"""What the stores in SQLite and PostgreSQL do beyond what every store does.

Protects: what was acknowledged outlives a `kill -9`, any number of processes share a database, limits are kept beside
the work and not in its way, and the work for a chain grows with its length and no faster.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import saving_process
from openresponses_kit.server._sql_tables import CHAIN, items, responses
from openresponses_kit.server.sql_store import SQLStore
from openresponses_kit.server.store import StoreError
from openresponses_kit.server.store_urls import open_store
from postgres_server import PostgresServer
from sqlalchemy import event, func, select, text
from stores import MINE, Closing, Stores, fill, line, record, scenario, stores_of

KINDS = ("sqlite", "asyncpg", "psycopg")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return stores_of(request.param, request, tmp_path)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The address of an empty database, without the scheme."""
    return postgres.empty_database()


async def count(store: SQLStore, table: Any = responses) -> int:
    async with store._engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


@contextmanager
def statements(store: SQLStore) -> Iterator[list[str]]:
    """What a store asks of its database meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = store._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_p5_what_was_acknowledged_outlives_a_kill(stores: Stores) -> None:
    """The process is killed while it saves, again and again; nothing is lost, and nothing is half there."""
    chance = random.Random(4)
    for attempt in range(4):
        name = f"attempt{attempt}"
        with saving_process.start(stores.url, name) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(chance.randrange(1, 40))]
            process.kill()
            told += process.stdout.read().splitlines(keepends=True)
        assert process.returncode == -9
        acknowledged = [int(each) for each in told if each.endswith(b"\n")]
        assert acknowledged == list(range(len(acknowledged)))
        asyncio.run(_look_after(stores, name, len(acknowledged)))
    if stores.url.startswith("sqlite"):
        with closing(sqlite3.connect(stores.url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def _look_after(stores: Stores, name: str, kept: int) -> None:
    owner = saving_process.OWNER
    async with Closing(await stores.open()) as store:
        chain = [saving_process.nth(name, number) for number in range(kept)]
        assert await store.chain(owner, chain[-1].id) == chain
        for number in range(kept, kept + 3):
            cut_off = saving_process.nth(name, number)
            found = await store.get(owner, cut_off.id)
            assert found in (None, cut_off)
            assert await store.with_items(owner, cut_off.item_ids) == ([found] if found else [])
        await store.save(saving_process.nth(name, kept))


def test_processes_that_start_at_once_share_a_new_database(stores: Stores) -> None:
    """They make the tables at the same time, and write at the same time."""
    processes = [saving_process.start(stores.url, f"process{number}", 15) for number in range(4)]
    for process in processes:
        with process:
            process.communicate()
    assert [process.returncode for process in processes] == [0] * 4

    async def look() -> None:
        async with Closing(await stores.open()) as store:
            for number in range(4):
                chain = [saving_process.nth(f"process{number}", place) for place in range(15)]
                assert await store.chain(saving_process.OWNER, chain[-1].id) == chain

    asyncio.run(look())


@scenario
async def test_replicas_see_what_the_others_save(postgres_url: str) -> None:
    urls = [f"postgresql+{driver}://{postgres_url}" for driver in ("asyncpg", "psycopg", "asyncpg")]
    replicas = [open_store(url) for url in urls]
    await asyncio.gather(*[each.open() for each in replicas])
    links = line(12)
    for place, link in enumerate(links):
        await replicas[place % 3].save(link)
        assert await replicas[(place + 1) % 3].chain(MINE, link.id) == links[: place + 1]
    states = [record("r0", status=f"{number}", items=[f"i{number}"]) for number in range(30)]
    await asyncio.gather(*[replicas[place % 3].save(state) for place, state in enumerate(states)])
    last = await replicas[0].get(MINE, "r0")
    assert last in states
    assert await replicas[1].with_items(MINE, [each.item_ids[0] for each in states]) == [last]
    for each in replicas:
        await each.close()


@scenario
async def test_replicas_that_remove_at_once_remove_nothing_twice(stores: Stores) -> None:
    replicas = [await stores.open(max_responses=700) for _ in range(3)]
    kept = [record(f"r{number}", items=[f"i{number}"]) for number in range(2500)]
    await fill(replicas[0], kept)
    assert sum(await asyncio.gather(*[each.purge() for each in replicas])) == 1800
    assert await replicas[0].get(MINE, "r1799") is None
    assert await replicas[0].get(MINE, "r1800") == kept[1800]
    assert await count(replicas[1]) == await count(replicas[1], items) == 700
    for each in replicas:
        await each.close()


@pytest.mark.parametrize("driver", KINDS[1:])
@scenario
async def test_rows_that_another_process_is_removing_are_left_to_it(
    driver: str, postgres: PostgresServer, postgres_url: str
) -> None:
    """Two processes that wait for the rows of one another would never end."""
    async with Closing(SQLStore(f"postgresql+{driver}://{postgres_url}", max_responses=10)) as store:
        await store.open()
        await fill(store, line(30))
        with postgres.connect(postgres_url.rpartition("/")[2]) as other, other.transaction():
            other.execute("SELECT * FROM openresponses_responses WHERE id IN ('r3', 'r7') FOR UPDATE")
            async with asyncio.timeout(60):
                assert await store.purge() == 18
        assert await store.purge() == 2


@scenario
async def test_p2_what_is_too_old_is_not_found_and_removed_later(stores: Stores) -> None:
    now = [1000.0]
    async with Closing(await stores.open(keep_seconds=100, clock=lambda: now[0])) as store:
        first, second = line(2, items=["i0"])
        await store.save(first)
        await store._purging
        now[0] += 60
        await store.save(second)
        now[0] += 39
        assert await store.chain(MINE, second.id) == [first, second]
        now[0] += 2
        assert await store.get(MINE, first.id) is None
        assert await store.chain(MINE, second.id) == []
        assert await store.with_items(MINE, ["i0"]) == [second]
        assert await count(store) == 2
        await store.save(first)
        assert await store.chain(MINE, second.id) == [first, second]
        now[0] += 60
        assert await store.purge() == 1
        assert await count(store) == await count(store, items) == 1
        now[0] += 600
        await store.save(record("r2"))
        await store._purging
        assert await count(store) == 1


@pytest.mark.parametrize("limits", [{"max_responses": 50}, {"max_bytes": 5000}], ids=["count", "bytes"])
@scenario
async def test_limits_are_kept_without_being_asked(stores: Stores, limits: dict[str, int]) -> None:
    async with Closing(await stores.open(**limits)) as store:
        with statements(store) as asked:
            for number in range(120):
                await store.save(record(f"r{number}", response=b"." * 98))
                if store._purging is not None:
                    await store._purging
                if number > 50:
                    assert 50 <= await count(store) <= 55
        assert sum("OVER" in each for each in asked) <= 120 / 5 + 1


@scenario
async def test_nothing_is_removed_on_the_way_of_a_read(stores: Stores) -> None:
    now = [1000.0]
    async with Closing(await stores.open(keep_seconds=10, clock=lambda: now[0])) as store:
        await store.save(record("r0", items=["i0"]))
        await store._purging
        now[0] += 10_000
        with statements(store) as asked:
            assert await store.get(MINE, "r0") is None
            assert await store.chain(MINE, "r0") == await store.with_items(MINE, ["i0"]) == []
        assert len(asked) == 3
        assert not any("DELETE" in each for each in asked)


@scenario
async def test_p1_a_chain_of_any_length_is_one_query(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:
        await fill(store, line(3000))
        with statements(store) as asked:
            assert len(await store.chain(MINE, "r2999")) == 3000
        assert len(asked) == 1


@scenario
async def test_p1_the_work_for_a_chain_in_sqlite_grows_with_its_length(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def prepare(connection: Any, _: Any) -> None:
        connection.run_async(lambda driver: driver.set_progress_handler(step, 100))

    store = SQLStore(f"sqlite:///{tmp_path / 'store.db'}")
    event.listen(store._engine.sync_engine, "connect", prepare)
    await store.open()
    await fill(store, line(10_000))
    taken = []
    for length in (1000, 10_000):
        steps = 0
        assert len(await store.chain(MINE, f"r{length - 1}")) == length
        taken.append(steps)
    await store.close()
    assert taken[1] < 12 * taken[0]


@pytest.mark.parametrize("driver", KINDS[1:])
@pytest.mark.parametrize("is_analyzed", [False, True], ids=["unknown", "analyzed"])
@scenario
async def test_p1_the_work_for_a_chain_in_postgresql_grows_with_its_length(
    driver: str, is_analyzed: bool, postgres_url: str
) -> None:
    """Counted in rows that are read, with the plans and the statistics of when the table was small."""
    rows_read = text("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables")
    async with Closing(SQLStore(f"postgresql+{driver}://{postgres_url}")) as store:
        await store.open()
        await store.save(record("r0"))
        async with store._engine.connect() as connection:

            async def read(length: int) -> int:
                names = {"owner": MINE, "id": f"r{length - 1}", "expired": 0}
                assert len((await connection.execute(CHAIN, names)).all()) == length
                read = (await connection.execute(rows_read)).scalar_one()
                await connection.commit()
                return int(read)

            if is_analyzed:
                await connection.execute(text("ANALYZE"))
            for _ in range(12):
                await read(1)
            await fill(store, [*line(5000), *line(5000, owner="somebody")])
            for length in (10, 5000):
                assert await read(length) < 3 * (10_000 + length)


@scenario
async def test_a_connection_that_the_server_closed_is_replaced(postgres: PostgresServer) -> None:
    url = postgres.empty_database()
    for driver in KINDS[1:]:
        async with Closing(SQLStore(f"postgresql+{driver}://{url}")) as store:
            await store.open()
            await store.save(record("r0"))
            with postgres.connect() as connection:
                ended = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [url.rpartition("/")[2]],
                ).fetchall()
            assert ended
            assert await store.get(MINE, "r0") == record("r0")
            await store.save(record("r1"))


@scenario
async def test_a_save_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with Closing(SQLStore(f"sqlite:///{path}")) as store:
        await store.open()
        await store.save(record("r0"))
        await store._purging
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            saving = asyncio.create_task(store.save(record("r1")))
            assert await store.get(MINE, "r0") == record("r0")
            assert await store.get(MINE, "r1") is None
            assert not saving.done()
            other.rollback()
        await saving
        assert await store.get(MINE, "r1") == record("r1")


@scenario
async def test_a_store_of_a_newer_version_is_refused(stores: Stores) -> None:
    async with Closing(await stores.open()) as store, store._engine.begin() as connection:
        await connection.execute(text("UPDATE openresponses_version SET version = 2"))
    newer = open_store(stores.url)
    with pytest.raises(StoreError, match=r"made by a newer version .* version 2, known are those up to 1"):
        await newer.open()


@scenario
async def test_tables_that_are_there_in_part_are_completed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE openresponses_version (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)")
    async with Closing(await Stores(f"sqlite:///{path}").open()) as store:
        await store.save(record("r0", items=["i0"]))
        assert await store.with_items(MINE, ["i0"]) == [record("r0", items=["i0"])]


@scenario
async def test_an_id_that_no_index_holds_is_refused_when_it_is_saved(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:
        for wrong in (record("a\0"), record("a" * 513), record("a", owner="\ud800"), record("a", items=["b", "c\0"])):
            with pytest.raises(StoreError, match=r"cannot keep a response with an id .* Give simpler ids"):
                await store.save(wrong)
        await store.save(longest := record("a" * 512, owner="b" * 512, items=["c" * 512]))
        assert await store.with_items("b" * 512, ["c" * 512]) == [longest]
