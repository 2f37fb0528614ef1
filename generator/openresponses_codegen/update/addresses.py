"""Which URLs a document may be fetched from, and which addresses may be connected to.

Only HTTPS, only the usual port, and only addresses of the public internet, unless the user names a network. A name is
resolved once; every address that it has is looked at, and just these are connected to, so that nothing can be swapped
between the look and the connection.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

PORT = 443
MAX_URL = 2000
MAX_ADDRESSES = 32
"""A name with more addresses than these is refused."""
_PRINTABLE = re.compile(r"[!-~]+\Z")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_EMBEDDING = ip_network("64:ff9b::/96"), ip_network("::ffff:0:0:0/96"), ip_network("::/96")
"""IPv6 networks whose addresses end in an IPv4 address."""
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class Location:
    """A URL, taken apart and found to be one that may be fetched."""

    url: str
    host: str
    port: int
    path: str
    """The path with its query, as it is sent."""

    def redirected(self, target: str) -> Location:
        """Where a redirect leads. Raises `DiagnosticError` when that is another host, or no URL to fetch."""
        _check_characters(target)
        try:
            joined = urljoin(self.url, target)
        except ValueError as error:
            raise _bad_url(f"the server sends you on to what is no URL: {error}") from None
        following = location(joined)
        if (following.host, following.port) != (self.host, self.port):
            message = f"the server of {self.host} sends you on to {following.host}"
            hint = "if you trust that host, give the URL there"
            raise DiagnosticError([Diagnostic("redirect-refused", message, hint=hint)])
        return following


def location(url: str) -> Location:
    """The parts of a URL. Raises `DiagnosticError` unless it is one that may be fetched."""
    _check_characters(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_url(f"this is no URL: {error}") from None
    if parts.scheme != "https":
        raise _bad_url(f"`{parts.scheme or url}` is not HTTPS", "documents are fetched over HTTPS only")
    if parts.username is not None or parts.password is not None:
        raise _bad_url("the URL holds credentials", "fetch it yourself, and give the file with `--from FILE`")
    host = _host(parts)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Location(url, host, PORT if port is None else port, path)


def _check_characters(url: str) -> None:
    if len(url) > MAX_URL:
        raise _bad_url(f"the URL is longer than {MAX_URL:,} characters")
    if not _PRINTABLE.match(url) or "\\" in url:
        hint = "write a host as punycode (xn--…), and anything else that is not ASCII percent-encoded"
        raise _bad_url("the URL holds a character that does not belong into one", hint)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if parts.netloc.startswith("["):
        try:
            return str(IPv6Address(host)) if "%" not in host else _no_host(host)
        except ValueError:
            return _no_host(host)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        return _no_host(host)
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            return str(IPv4Address(host))
        except ValueError:  # 127.1, 0x7f.1 and 2130706433 are addresses to some, and names to others
            return _no_host(host)
    return host


def _no_host(host: str) -> str:
    raise _bad_url(f"`{host}` is no host name, and no address in its usual form")


def _bad_url(message: str, hint: str = "give a URL such as https://example.com/openapi.json") -> DiagnosticError:
    return DiagnosticError([Diagnostic("bad-url", message, hint=hint)])


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that a user allows: addresses, or ranges such as `10.1.0.0/16`. Raises `DiagnosticError`."""
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        hint = "give an address or a range, such as 10.1.2.3 or 10.1.0.0/16"
        raise DiagnosticError([Diagnostic("bad-address", f"`{text}` names no network: {error}", hint=hint)]) from None


def resolved(place: Location, allowed: Sequence[Network], seconds: float) -> tuple[Address, ...]:
    """The addresses of a host, each of which may be connected to.

    Raises `DiagnosticError` when one of them may not, when there is none, or when the answer takes longer.
    """
    found = tuple(dict.fromkeys(_looked_up(place.host, seconds)))
    if not found:
        raise _unknown(place.host, "it has no address")
    if len(found) > MAX_ADDRESSES:
        raise _refused(place.host, f"has more than {MAX_ADDRESSES} addresses")
    for address in found:
        if any(address in network for network in allowed):
            continue
        if not is_public(address):
            raise _refused(place.host, f"is at {address}, which is no address of the public internet")
        if place.port != PORT:
            raise _refused(place.host, f"is asked for at port {place.port}; documents are fetched from port {PORT}")
    return found


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and so is any other that is embedded in it."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, IPv4Address):
        return True
    is_local = address.is_site_local or address in _LOCAL_NAT64
    return not is_local and all(is_public(each) for each in _embedded(address))


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may end at: mapped, 6to4, Teredo, NAT64."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _EMBEDDING):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _looked_up(host: str, seconds: float) -> Iterator[Address]:
    """The addresses of a host. The system's resolver takes no time limit, so it is asked in a thread of its own."""
    answer: list[Address] = []
    failure: list[OSError] = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
            answer.extend(ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries)
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise _unknown(host, f"no answer within {seconds:g} seconds")
    if failure:
        raise _unknown(host, failure[0].strerror or str(failure[0]))
    yield from answer


def _unknown(host: str, reason: str) -> DiagnosticError:
    hint = "check the name, and that this machine is online"
    return DiagnosticError([Diagnostic("host-unknown", f"`{host}` cannot be looked up: {reason}", hint=hint)])


def _refused(host: str, reason: str) -> DiagnosticError:
    hint = "if that is meant, allow its address with `--allow-address`, or fetch it yourself and give `--from FILE`"
    return DiagnosticError([Diagnostic("address-refused", f"`{host}` {reason}", hint=hint)])
