"""The connections to upstreams.

Over aiohttp, where it is installed: it takes a third of the time that httpx2 takes for an event.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

__all__ = ["new_client"]


def new_client() -> httpx2.AsyncClient:
    """A client of the HTTP library, for as many requests at once as there are callers."""
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    if find_spec("aiohttp") is None:
        return httpx2.AsyncClient(limits=limits)
    from ...client.fast_async import AsyncFastClient

    return AsyncFastClient(limits=limits)
