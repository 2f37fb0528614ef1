"""The connections to upstreams.

Over aiohttp, where it is installed: it takes a third of the time that httpx2 takes for an event.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

__all__ = ["beginning", "finish", "new_client"]

_END_SECONDS = 0.05
_MOST_ERROR_BYTES = 64 * 1024


def new_client() -> httpx2.AsyncClient:
    """A client of the HTTP library, for as many requests at once as there are callers."""
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    if find_spec("aiohttp") is None:
        return httpx2.AsyncClient(limits=limits)
    from ...client.fast_async import AsyncFastClient

    return AsyncFastClient(limits=limits)


async def finish(pieces: AsyncIterator[bytes]) -> None:
    """Read the end of a body, if it is there at once: the connection can be used again then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in pieces:
                pass


async def beginning(response: httpx2.Response) -> bytes:
    """The beginning of a body, whatever its size."""
    content = b""
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > _MOST_ERROR_BYTES:
            break
    return content[:_MOST_ERROR_BYTES]
