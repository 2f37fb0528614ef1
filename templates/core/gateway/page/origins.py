"""Whether a request comes from the page itself, and not from another site in the same browser."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from ...server.errors import InvalidRequestError

__all__ = ["check_host", "check_origin"]


def check_origin(headers: Mapping[str, str]) -> None:
    """Raise `InvalidRequestError` (403) unless a browser says that the page itself asks.

    `Sec-Fetch-Site` is what a browser says of every request to a trustworthy address, `Origin` what
    it says of every POST. A request with neither was not sent by a page.

    Args:
        headers: Those of the request, by lower-case name.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    host = headers.get("host", "")
    is_same = origin is not None and bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    if not is_same or site not in {None, "same-origin"}:
        raise _refusal("this is for the page of this server alone: its origin is another one")


def check_host(headers: Mapping[str, str], hosts: Collection[str]) -> None:
    """Raise `InvalidRequestError` (403) unless the page was reached by a name of this server.

    A name of somebody else's that leads to this server makes the pages of that name same-origin
    with it (DNS rebinding). Addresses and `localhost` cannot be such names.

    Args:
        headers: Those of the request, by lower-case name.
        hosts: Names of this server.
    """
    host = (urlsplit(f"//{headers.get('host', '')}").hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost") or host in hosts:
        return
    try:
        ip_address(host)
    except ValueError:
        raise _refusal(f"{host[:200]!r} is not known as a name of this server") from None


def _refusal(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, status=403)
