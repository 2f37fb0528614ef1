"""How a database is reached, and how its errors are told.

No password is in anything that is told, nor is anything of what is kept.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from .store import StoreError
from .store_urls import driver_for

__all__ = ["Database"]

_BUSY_SECONDS = 30
"""For how long a SQLite file may be held by another process before that is an error."""
_UNREADABLE = (
    "The URL of the store cannot be read. Percent-encode what is special in its user name and"
    " password, and give the port as a number."
)


class Database:
    """A database, by its URL. Nothing is opened before it is used.

    Raises `StoreError` when the URL names none, or a package that it needs is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = _read(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        with self.telling():
            self.engine = self._new_engine()

    def __str__(self) -> str:
        """Where it is, for a person to read."""
        if self.is_sqlite:
            return str(Path(self._url.database or "").absolute())
        url = self._url
        return str(URL.create("postgresql", host=url.host, port=url.port, database=url.database))

    def check_file(self) -> None:
        """Raise `StoreError` where SQLite could only say that a file cannot be opened."""
        path = Path(str(self))
        if path.is_dir():
            raise StoreError(f"The store {path} cannot be opened: it is a folder. Name a file.")
        if not path.parent.is_dir():
            raise StoreError(
                f"The store {path} cannot be opened: there is no folder {path.parent}."
                " Make it, or name a file in another one."
            )

    @contextmanager
    def telling(self) -> Generator[None]:
        """Make a `StoreError` of whatever a database, its driver or the network raise."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            told = _reason(error)
            reason = self._without_passwords(told)
            way_out = (
                "Name a file that is a store or not there yet, in a folder that can be written"
                if self.is_sqlite
                else "Check that the server runs, and that the URL has its address and credentials"
            )
            message = f"The store {self} failed: {reason}. {way_out}."
            raise StoreError(message) from (error if reason == told else None)

    def _new_engine(self) -> AsyncEngine:
        if self.is_sqlite:
            arguments = {"timeout": _BUSY_SECONDS}
            engine = create_async_engine(self._url, hide_parameters=True, connect_args=arguments)
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        else:
            # A server that was started again is noticed before a connection to it is used.
            engine = create_async_engine(self._url, hide_parameters=True, pool_pre_ping=True)
            event.listen(engine.sync_engine, "connect", _prepare_postgresql)
        return engine

    def _without_passwords(self, text: str) -> str:
        for secret in (self._url.password, self._url.query.get("password")):
            if secret:
                text = text.replace(str(secret), "***")
        return text


def _read(text: str) -> URL:
    try:
        url = make_url(text)
    except Exception:
        # There may be a password anywhere in it, and in what is told of it.
        raise StoreError(_UNREADABLE) from None
    if url.get_backend_name() != "sqlite" and "@" in f"{url.host}{url.database}":
        # The end of a password was taken for a name.
        raise StoreError(_UNREADABLE)
    url = url.set(drivername=driver_for(url.drivername))
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise StoreError("A store in SQLite needs a file: sqlite:///file.db. In memory is memory:.")
    mode = url.query.get("sslmode")
    if mode is not None and url.get_driver_name() == "asyncpg":
        # The name that all tools of PostgreSQL know is another in asyncpg.
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Set up a new connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log this is safe when the process is killed; when the machine loses power,
    # the last transactions may be missing, and the file is whole.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _prepare_postgresql(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Set up a new connection."""
    cursor = connection.cursor()
    # A plan that is kept since a table was small would read all of it when it is large.
    cursor.execute("SET plan_cache_mode = force_custom_plan")
    cursor.close()
    connection.commit()


def _reason(error: Exception) -> str:
    """What a driver said, in one line and without what SQLAlchemy adds to it."""
    told: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        told = error.orig.__cause__ or error.orig
    return " ".join(str(told).split()).rstrip(".") or type(told).__name__
