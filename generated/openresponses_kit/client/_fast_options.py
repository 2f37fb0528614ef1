"""The options of the fast transports, and of the clients that are made with them."""

from __future__ import annotations

import codecs
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypedDict
from urllib.request import getproxies

import httpx2

DEFAULT_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20)
"""Those of httpx2: 100 connections, 20 of them idle, for at most 5 seconds."""


class ClientOptions(TypedDict, total=False):
    """The options of `httpx2.Client` and `httpx2.AsyncClient` that do not concern the transport."""

    auth: httpx2.Auth | tuple[str, str]
    base_url: httpx2.URL | str
    cookies: dict[str, str]
    event_hooks: Mapping[str, list[Callable[..., Any]]]
    follow_redirects: bool
    headers: Mapping[str, str]
    max_redirects: int
    params: Mapping[str, str]
    timeout: float | httpx2.Timeout | None


def is_http(proxy: httpx2.Proxy) -> bool:
    """Whether a proxy is spoken to in plain HTTP, the only kind that the fast transports know."""
    return proxy.url.scheme == "http"


def http_proxy(proxy: httpx2.Proxy | httpx2.URL | str | None) -> httpx2.Proxy | None:
    """The proxy that a transport is given; raises ValueError if it is not one of plain HTTP."""
    if proxy is None:
        return None
    proxy = proxy if isinstance(proxy, httpx2.Proxy) else httpx2.Proxy(proxy)
    if not is_http(proxy):
        kind = proxy.url.scheme
        message = f"the fast transports know no {kind} proxies; httpx2's own transports do"
        raise ValueError(message)
    return proxy


def proxy_headers(proxy: httpx2.Proxy) -> list[tuple[bytes, bytes]]:
    """The header lines for the proxy itself, credentials among them."""
    if proxy.raw_auth is None:
        return proxy.headers.raw
    credentials = codecs.encode(b"%b:%b" % proxy.raw_auth, "base64").replace(b"\n", b"")
    return [(b"Proxy-Authorization", b"Basic " + credentials), *proxy.headers.raw]


def proxies(
    proxy: httpx2.Proxy | httpx2.URL | str | None, *, trust_env: bool
) -> dict[str, httpx2.Proxy | None]:
    """Which proxy serves which URLs, by the patterns of httpx2's mounts; None is a direct way.

    A given proxy serves all. Otherwise it is what `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
    `NO_PROXY` say, read as httpx2 reads them, if the environment is trusted.
    """
    if proxy is not None:
        return {"all://": proxy if isinstance(proxy, httpx2.Proxy) else httpx2.Proxy(proxy)}
    found = getproxies() if trust_env else {}
    direct = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    if "*" in direct:
        return {}
    served = {
        f"{scheme}://": httpx2.Proxy(url if "://" in url else f"http://{url}")
        for scheme in ("http", "https", "all")
        if (url := found.get(scheme))
    }
    patterns = [_pattern(host) for host in direct] if served else []
    return served | {pattern: None for pattern in patterns if pattern is not None}


def _pattern(host: str) -> str | None:
    """The URLs that an entry of `NO_PROXY` means; None if it means none."""
    scheme, _, rest = host.rpartition("://")
    address, slash, size = rest.partition("/")
    version = _ip_version(rest)
    if slash and not (version and size.isdigit()):
        return None
    if scheme:
        pattern = host
    elif version == 6 and not address.startswith("["):
        pattern = f"all://[{address}]{slash}{size}"
    elif version or host.lower() == "localhost" or host.startswith(("[", "*.")):
        pattern = f"all://{host}"
    else:
        pattern = f"all://*{host}"
    try:
        httpx2.URL(pattern)
    except httpx2.InvalidURL:
        return None
    return pattern


def _ip_version(network: str) -> int | None:
    """Which version of IP a network or an address is of; None if it is neither."""
    try:
        address = network.replace("[", "").replace("]", "")
        return ipaddress.ip_network(address, strict=False).version
    except ValueError:
        return None
