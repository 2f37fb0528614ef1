"""A store by its URL, and the one that is used when none is named."""

from __future__ import annotations

from importlib.util import find_spec

from .memory_store import MemoryStore
from .store import ResponseStore, StoreError

__all__ = ["default_store", "driver_for", "open_store"]

_DRIVERS = {"sqlite": ("aiosqlite",), "postgresql": ("asyncpg", "psycopg")}
"""What reaches a kind of database; the first that is installed is taken."""
_EXTRAS = {
    "sqlalchemy": ("SQLAlchemy[asyncio]", "server"),
    "greenlet": ("SQLAlchemy[asyncio]", "server"),
    "aiosqlite": ("aiosqlite", "server"),
    "asyncpg": ("asyncpg", "postgres"),
    "psycopg": ("psycopg[binary]", "postgres"),
}
"""What to install for a module, and the extra that it is in."""


def open_store(url: str) -> ResponseStore:
    """The store that a URL names; nothing is opened before its `open()`.

    Raises `StoreError` when there is no such store, or a package that it needs is not installed.

    Args:
        url: `memory:`, `sqlite:///file.db` below the working directory, `sqlite:////folder/file.db`
            anywhere, or `postgresql://user:password@host/database`. What is special in a user name
            or a password is percent-encoded.
    """
    if url == "memory:":
        return MemoryStore()
    driver_for(url.partition("://")[0])
    from .sql_store import SQLStore

    return SQLStore(url)


def default_store() -> ResponseStore:
    """The file `openresponses.db` in the working directory; without SQLAlchemy, a `MemoryStore`."""
    if _missing("aiosqlite"):
        return MemoryStore()
    return open_store("sqlite:///openresponses.db")


def driver_for(scheme: str) -> str:
    """The scheme of a URL with the driver to use, such as `sqlite+aiosqlite` for `sqlite`.

    Raises `StoreError` when nothing reaches such a database, or what does is not installed.
    """
    kind, _, driver = scheme.partition("+")
    kind = "postgresql" if kind == "postgres" else kind
    drivers = _DRIVERS.get(kind, ())
    if not drivers or (driver and driver not in drivers):
        raise StoreError(
            "The URL of a store is memory:, sqlite:///file.db or"
            " postgresql://user:password@host/database, and this one begins with none of these."
        )
    wanted = [driver] if driver else drivers
    found = next((each for each in wanted if find_spec(each) is not None), wanted[0])
    if missing := _missing(found):
        packages = dict.fromkeys(_EXTRAS[each][0] for each in missing)
        extras = dict.fromkeys(f"`{_EXTRAS[each][1]}`" for each in missing)
        raise StoreError(
            f"A store in {kind} needs packages that are not installed: {', '.join(packages)}."
            f" Install them, or the extra {' and '.join(extras)}."
        )
    return f"{kind}+{found}"


def _missing(driver: str) -> list[str]:
    return [each for each in ("sqlalchemy", "greenlet", driver) if find_spec(each) is None]
