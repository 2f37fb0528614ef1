"""Requests that the page has the server send to a URL which its user names.

The body goes on as it came, and so does the answer (rule Z19). Addresses are checked, redirects
are not followed, and neither cookies nor proxies of the environment are used.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ...server.errors import InvalidRequestError, ServerError
from ..addresses import AddressGuard, Target

if TYPE_CHECKING:
    import httpx2

__all__ = ["Forwarded", "forwarded"]

_CONNECT_SECONDS = 10.0
_SILENT_SECONDS = 600.0
"""How long an upstream may say nothing: models think for minutes before their first byte."""
_PASSED_ON = ("content-encoding", "openresponses-version", "retry-after", "x-request-id")
_SHOWN_AS = {"application/json": "application/json", "text/event-stream": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An answer that is being passed on."""

    status: int
    headers: list[tuple[bytes, bytes]]
    chunks: AsyncIterator[bytes]


@asynccontextmanager
async def forwarded(
    guard: AddressGuard,
    target: Target,
    content: bytes,
    headers: Mapping[str, str],
    own: Collection[tuple[str, int]],
) -> AsyncGenerator[Forwarded, None]:
    """Send a request to `/responses` below a base URL, and give its answer while entered.

    Raises `InvalidRequestError` for an address that is not allowed or a redirect, `ServerError`
    (502) where no answer comes.

    Args:
        guard: What says which addresses are allowed.
        target: The base URL.
        content: The body, which is sent as it is.
        headers: Headers to send beside those of any such request.
        own: Addresses of this server, which are allowed.
    """
    import httpx2

    addresses = await guard.addresses(target.host, target.port, own)
    timeout = httpx2.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS)
    async with httpx2.AsyncClient(verify=_tls(), trust_env=False, timeout=timeout) as client:
        answer = await _sent(client, target, addresses, content, headers)
        try:
            if 300 <= answer.status_code < 400:
                where = answer.headers.get("location", "")[:200]
                message = f"{target.url}/responses redirects to {where!r}, which is not followed"
                raise InvalidRequestError(f"{message}: give the URL that it leads to")
            yield Forwarded(answer.status_code, _headers(answer), answer.aiter_raw())
        finally:
            await answer.aclose()


async def _sent(
    client: httpx2.AsyncClient,
    target: Target,
    addresses: list[str],
    content: bytes,
    headers: Mapping[str, str],
) -> httpx2.Response:
    """The head of the answer of the first address that can be connected to."""
    import httpx2

    given = {
        "host": target.authority,
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        **headers,
    }
    reason = "its name has no address"
    for address in addresses:
        host = f"[{address}]" if ":" in address else address
        request = client.build_request(
            "POST",
            f"{target.scheme}://{host}:{target.port}{target.path}/responses",
            content=content,
            headers=given,
            extensions={"sni_hostname": target.host},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            reason = str(error) or "the connection took too long"
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            break
    raise ServerError(f"{target.url} cannot be reached: {reason}", status=502)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _headers(answer: httpx2.Response) -> list[tuple[bytes, bytes]]:
    """The headers to pass on; what is neither JSON nor events is shown as text."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    passed = [(name, answer.headers[name]) for name in _PASSED_ON if name in answer.headers]
    shown = _SHOWN_AS.get(kind, "text/plain") + "; charset=utf-8"
    named = [("content-type", shown), ("cache-control", "no-store"), *passed]
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in named]
