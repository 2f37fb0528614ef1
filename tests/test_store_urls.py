"""Which store a URL names, and how it is told that a store cannot be used.

Protects: one clear message with place, reason and way out, in which there is never a password.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from socket import create_server

import pytest
from openresponses_kit.server.memory_store import MemoryStore
from openresponses_kit.server.sql_store import SQLStore
from openresponses_kit.server.store import StoreError
from openresponses_kit.server.store_urls import default_store, open_store
from postgres_server import PASSWORD, USER, PostgresServer
from stores import MINE, Closing, record, scenario

SECRET = "hunter2/very%secret"


async def failure(url: str) -> StoreError:
    """What is raised for a URL, when the store is made or opened."""
    with pytest.raises(StoreError) as caught:
        await open_store(url).open()
    return caught.value


def assert_tells(error: StoreError, *parts: str) -> None:
    shown = f"{error}{error!r}{''.join(traceback.format_exception(error))}"
    for secret in (PASSWORD, SECRET, "hunter2", "very%25secret"):
        assert secret not in shown
    for part in parts:
        assert part in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory:", MemoryStore),
        ("sqlite:///some.db", SQLStore),
        ("sqlite+aiosqlite:////tmp/some.db", SQLStore),
        ("postgresql://host/name", SQLStore),
        ("postgres://user:word@host:1/name", SQLStore),
        ("postgresql+asyncpg://host/name", SQLStore),
        ("postgresql+psycopg://host/name", SQLStore),
    ],
)
def test_a_url_names_a_store_and_nothing_is_opened(
    url: str, kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert type(open_store(url)) is kind
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file.db",
        "redis://host",
        f"mysql://me:{SECRET}@host/name",
        f"postgresql+psycopg2://me:{SECRET}@host/name",
        "sqlite+pysqlite:///file.db",
        f"http://me:{SECRET}@host/",
        f"sqlite:{SECRET}",
    ],
)
@scenario
async def test_a_url_of_no_store_is_refused(url: str) -> None:
    assert_tells(await failure(url), "memory:", "sqlite:///", "postgresql://")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host:port/name",
        f"postgresql://me:1@{SECRET}@host/name",
        f"postgresql://me:1@hunter2@host:{SECRET}/name",
    ],
)
@scenario
async def test_a_url_that_cannot_be_read_is_not_shown(url: str) -> None:
    assert_tells(await failure(url), "cannot be read", "Percent-encode")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
@scenario
async def test_sqlite_needs_a_file(url: str) -> None:
    assert_tells(await failure(url), "needs a file", "memory:")


@scenario
async def test_a_file_that_cannot_be_a_store_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "no-database.db").write_text("some text, " * 1000)
    (tmp_path / "taken.db-wal").mkdir()
    for name, reason in {
        "missing/folder/store.db": f"there is no folder {tmp_path / 'missing' / 'folder'}. Make it",
        "": "it is a folder. Name a file",
        "no-database.db": "file is not a database. Name a file",
        "taken.db": "disk I/O error. Name a file that is a store or not there yet, in a folder that can be written",
    }.items():
        assert_tells(await failure(f"sqlite:///{tmp_path / name}"), str(tmp_path / name), reason)


@scenario
async def test_a_relative_path_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_tells(await failure("sqlite:///missing/store.db"), str(tmp_path / "missing" / "store.db"))


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@scenario
async def test_no_password_is_told_when_postgresql_cannot_be_used(
    driver: str, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    secret = SECRET.replace("%", "%25")
    host = f"127.0.0.1:{postgres.port}"
    for rest, reason in {
        f"{USER}:{secret}@{host}/postgres": "password authentication failed",
        f"{USER}:{PASSWORD}@{host}/nowhere": 'database "nowhere" does not exist',
        f"{USER}:{PASSWORD}@127.0.0.1:{closed}/postgres": "",
        f"{USER}@{host}/postgres?password={secret}": "password authentication failed",
        f"{USER}:{PASSWORD}@{host}/postgres?{PASSWORD}=1": "***",
        f"{USER}:{PASSWORD}@{host}/postgres?sslmode={PASSWORD}": "sslmode",
    }.items():
        error = await failure(f"postgresql+{driver}://{rest}")
        place = rest.partition("@")[2].partition("?")[0]
        assert_tells(error, f"The store postgresql://{place} failed: ", reason, "Check that the server runs")
        store = SQLStore(f"postgresql+{driver}://{rest}")
        assert PASSWORD not in repr(store)
        assert SECRET not in repr(store)
    assert PASSWORD not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@scenario
async def test_sslmode_means_the_same_to_both_drivers(driver: str, postgres: PostgresServer) -> None:
    url = f"postgresql+{driver}://{postgres.empty_database()}"
    async with Closing(open_store(f"{url}?sslmode=disable")) as store:
        await store.open()
        await store.save(record("r0"))
    with postgres.connect() as connection:
        assert connection.execute("SHOW ssl").fetchone() == ("off",)
    assert_tells(await failure(f"{url}?sslmode=require"), "SSL")


@scenario
async def test_a_failure_later_is_told_in_the_same_way(postgres: PostgresServer, tmp_path: Path) -> None:
    urls = [f"postgresql+{driver}://{postgres.empty_database(driver)}" for driver in ("asyncpg", "psycopg")]
    for url in [*urls, f"sqlite:///{tmp_path / 'store.db'}"]:
        async with Closing(SQLStore(url)) as store:
            await store.open()
            await store.save(record("r0"))
            await store._purging
            async with store._engine.begin() as connection:
                await connection.exec_driver_sql("DROP TABLE openresponses_items")
            for failing in (store.save(record("r1", response=SECRET.encode())), store.with_items(MINE, ["i0"])):
                with pytest.raises(StoreError) as caught:
                    await failing
                assert_tells(caught.value, "openresponses_items")
            assert await store.get(MINE, "r1") is None


@pytest.mark.parametrize(
    ("url", "missing", "parts"),
    [
        ("sqlite:///x.db", ["sqlalchemy"], ["SQLAlchemy[asyncio]", "extra `server`"]),
        (
            "sqlite:///x.db",
            ["sqlalchemy", "greenlet", "aiosqlite"],
            ["SQLAlchemy[asyncio], aiosqlite.", "extra `server`"],
        ),
        ("sqlite:///x.db", ["greenlet"], ["SQLAlchemy[asyncio].", "extra `server`"]),
        ("postgresql://h/d", ["asyncpg", "psycopg"], ["asyncpg", "extra `postgres`"]),
        ("postgresql://h/d", ["sqlalchemy", "asyncpg", "psycopg"], ["extra `server` and `postgres`"]),
        ("postgresql+psycopg://h/d", ["psycopg"], ["psycopg[binary]", "extra `postgres`"]),
    ],
)
def test_a_missing_package_is_told_with_its_extra(
    url: str, missing: list[str], parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(StoreError, match="not installed") as caught:
        open_store(url)
    assert_tells(caught.value, *parts)


def test_postgresql_is_reached_with_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def driver(url: str) -> str:
        store = open_store(url)
        assert isinstance(store, SQLStore)
        return store._engine.dialect.driver

    assert driver("postgresql://h/d") == "asyncpg"
    assert driver("postgresql+psycopg://h/d") == "psycopg"
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    assert driver("postgresql://h/d") == "psycopg"


@scenario
async def test_the_default_is_a_file_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = default_store()
    assert list(tmp_path.iterdir()) == []
    async with Closing(store):
        await store.open()
        await store.save(record("r0"))
    assert (tmp_path / "openresponses.db").is_file()


@pytest.mark.parametrize("missing", ["sqlalchemy", "greenlet", "aiosqlite"])
def test_the_default_is_in_memory_without_the_packages(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert isinstance(default_store(), MemoryStore)
