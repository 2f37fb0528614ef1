"""Which addresses a page may make the server connect to.

A URL that a user names could lead to what only the server can reach: its own machine, its network,
the metadata service of a cloud. So names are resolved here, every address that a name has is looked
at, and connections are made to addresses that were looked at, never to the name once more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from ..server.errors import InvalidRequestError

__all__ = ["AddressGuard", "Target", "is_public", "target_of"]

_RESOLVING_SECONDS = 10
_MOST_URL = 2000
_NEVER_WRITTEN = frozenset(' \\"<>')
_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 hosts in a network of IPv6 alone (RFC 6052)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request is to go."""

    scheme: str
    host: str
    """A name or an address, without brackets."""
    port: int
    path: str
    """The path of the base URL, without a slash at its end."""

    @property
    def authority(self) -> str:
        """What the header `host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL, to which `/responses` is added."""
        return f"{self.scheme}://{self.authority}{self.path}"


def target_of(url: str) -> Target:
    """Read a base URL; a `/responses` at its end is taken off.

    Raises `InvalidRequestError` for what is no URL of HTTP, holds credentials, a query or a
    fragment.
    """
    is_written = url.isascii() and url.isprintable() and not set(url) & _NEVER_WRITTEN
    if len(url) > _MOST_URL or not is_written:
        raise InvalidRequestError("the URL has to be printable ASCII, as a browser writes it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError(f"the URL cannot be read: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise InvalidRequestError("the URL has to begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError("the URL must not hold credentials; give the key on its own")
    if parts.query or parts.fragment:
        raise InvalidRequestError("the URL is a base URL: it has no query and no fragment")
    path = parts.path.rstrip("/").removesuffix("/responses").rstrip("/")
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet, however it is wrapped."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    inner = address.ipv4_mapped or address.sixtofour
    if address in _TRANSLATED:
        inner = IPv4Address(address.packed[-4:])
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL_UNICAST and address.is_global and not address.is_reserved


class AddressGuard:
    """Resolves names, and refuses those that lead to addresses which are not public.

    Args:
        allow_private: Whether every address will do.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allows_private = allow_private

    async def addresses(
        self, host: str, port: int, own: Collection[tuple[str, int]] = ()
    ) -> list[str]:
        """The addresses of a host that may be connected to, in the order of the system.

        Raises `InvalidRequestError` when there are none, or one of them is not public.

        Args:
            host: A name or an address.
            port: The port to connect to.
            own: Addresses and ports that will do though they are not public: those of this server.
        """
        found = await _resolved(host, port)
        for each in found:
            if self.allows_private or (each.partition("%")[0], port) in own:
                continue
            if not is_public(ip_address(each)):
                raise InvalidRequestError(
                    f"{host[:200]} leads to {each}, which is no public address; the server"
                    " forwards there only if it was started with private addresses allowed",
                    code="private_address",
                )
        return found


async def _resolved(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVING_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise InvalidRequestError(f"there is no host {host[:200]!r}", code="unknown_host") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
