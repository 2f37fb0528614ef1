"""How the fast transports reach a server: over TLS, through proxies, and by what the environment says.

The proxy is a real one, with CONNECT; certificates are made by the openssl command.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from byte_server import ByteServer, Peer, answering, chunked, sized
from httpx2._utils import get_environment_proxies
from openresponses_kit.client._fast_options import proxies
from openresponses_kit.client.fast_async import AsyncFastClient, AsyncFastTransport
from openresponses_kit.client.fast_sync import FastClient, FastTransport
from transports import ALL, FAST, SYNC, Ask, ask, get

OK = sized(b"ok")
SECRET = "p@ss word"
AUTHORIZATION = b"Proxy-Authorization: Basic " + base64.b64encode(f"user:{SECRET}".encode())
PROXY_VARIABLES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY".split()


# TLS.


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("is_verified", [True, False])
def test_tls_connection_is_kept_and_read_in_any_pieces(
    is_verified: bool, kind: str, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    body = b"x" * 100_000
    sent = chunked(body, body[:1], body)
    pieces = [sent[start : start + 7001] for start in range(0, len(sent), 7001)]
    with ByteServer(answering(*pieces), server_tls) as server:
        answers = ask(kind, [Ask(server.url)] * 3, verify=trusting if is_verified else False)
        assert [(answer.error, len(answer.body)) for answer in answers] == [(None, 200_001)] * 3
        assert server.connections == 1


@pytest.mark.parametrize("kind", ALL)
def test_certificate_that_nobody_vouches_for_is_refused(kind: str, server_tls: ssl.SSLContext) -> None:
    """By default; and nothing is sent."""
    with ByteServer(answering(OK), server_tls) as server:
        assert isinstance(get(kind, server.url).error, httpx2.ConnectError)
        assert server.requests == []


@pytest.mark.parametrize("kind", ALL)
def test_certificate_of_another_host_is_refused(
    kind: str, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with ByteServer(answering(OK), server_tls) as server:
        answer = get(kind, server.url.replace("127.0.0.1", "localhost"), verify=trusting)
        assert isinstance(answer.error, httpx2.ConnectError)
        assert server.requests == []


@pytest.mark.parametrize("kind", ALL)
def test_server_without_tls_is_a_connect_error(kind: str) -> None:
    def talk(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.wait_for_end()

    with ByteServer(talk) as server:
        assert isinstance(get(kind, server.url.replace("http", "https")).error, httpx2.ConnectError)


@pytest.mark.parametrize("kind", ALL)
def test_handshake_that_stalls_times_out(kind: str) -> None:
    with ByteServer(Peer.wait_for_end) as server:
        timeout = httpx2.Timeout(10, connect=0.15)
        answer = get(kind, server.url.replace("http", "https"), timeout=timeout)
        assert server.ended.acquire(timeout=10)
    assert isinstance(answer.error, httpx2.ConnectTimeout)


@pytest.mark.parametrize("kind", ALL)
def test_cut_body_over_tls_is_an_error(kind: str, server_tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """S7."""
    with ByteServer(answering(chunked(b"abc")[:-5], closing=True), server_tls) as server:
        answer = get(kind, server.url, verify=trusting)
    assert answer.body == b"abc"
    assert isinstance(answer.error, httpx2.RemoteProtocolError | httpx2.ReadError)


def test_closing_wakes_the_thread_that_reads_tls(server_tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """S7: and what is still encrypted never passes for the body."""

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nfirst")
        peer.send(b"x" * 100_000)
        peer.wait_for_end()

    with ByteServer(talk, server_tls) as server:
        transport = FastTransport(verify=trusting)
        blocks = transport.handle_request(httpx2.Request("GET", server.url)).iter_raw()
        assert next(blocks).strip(b"x") in {b"first", b""}
        transport.close()
        with pytest.raises(httpx2.ReadError):
            assert set(b"".join(blocks)) <= set(b"x")


# Proxies.


def proxying(peer: Peer) -> None:
    """A proxy that wants credentials, for one connection to one server."""
    request = peer.request()
    if request is None:
        return
    if AUTHORIZATION not in request.split(b"\r\n"):
        peer.send(sized(b"", status=b"407 Proxy Authentication Required"))
        return
    method, target, rest = request.split(b" ", 2)
    if method == b"CONNECT":
        host, _, port = target.decode().rpartition(":")
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        peer.tunnel(host, int(port))
        return
    url = urlsplit(target.decode())
    assert url.hostname
    assert url.port
    peer.give_back(
        b"%b %b %b" % (method, (url.path + "?" + url.query).encode(), rest.replace(AUTHORIZATION + b"\r\n", b""))
    )
    peer.tunnel(url.hostname, url.port)


@pytest.fixture
def proxy() -> Iterator[ByteServer]:
    with ByteServer(proxying) as server:
        yield server


def with_credentials(proxy: ByteServer) -> str:
    return proxy.url.replace("//", "//user:p%40ss%20word@")


@pytest.mark.parametrize("kind", ALL)
def test_http_proxy_is_asked_for_the_whole_url(kind: str, proxy: ByteServer) -> None:
    """The credentials are for the proxy; connections through it are kept."""
    with ByteServer(answering(OK)) as server:
        each = Ask(f"{server.url}a?b=c", "POST", {"content": b"{}"})
        answers = ask(kind, [each] * 2, proxy=with_credentials(proxy))
        assert [answer.body for answer in answers] == [b"ok"] * 2
        assert (proxy.connections, server.connections, len(server.requests)) == (1, 1, 2)
        assert proxy.requests[0].startswith(b"POST %ba?b=c HTTP/1.1\r\n" % server.url.encode())
        assert server.requests[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
        assert f"\r\nhost: 127.0.0.1:{server.port}\r\n".encode() in server.requests[0].lower()
        assert AUTHORIZATION not in server.requests[0]


@pytest.mark.parametrize("kind", ALL)
def test_https_goes_through_a_tunnel(
    kind: str, proxy: ByteServer, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """The proxy sees where it goes, and the server never sees the credentials."""
    with ByteServer(answering(OK), server_tls) as server:
        answers = ask(kind, [Ask(server.url)] * 2, proxy=with_credentials(proxy), verify=trusting)
        assert [(answer.error, answer.body) for answer in answers] == [(None, b"ok")] * 2
        assert (proxy.connections, server.connections) == (1, 1)
        assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
        assert b"proxy-authorization" not in b"".join(server.requests).lower()


@pytest.mark.parametrize("kind", ALL)
def test_tunnel_is_verified_for_the_server(
    kind: str, proxy: ByteServer, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with ByteServer(answering(OK), server_tls) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        assert isinstance(get(kind, url, proxy=with_credentials(proxy), verify=trusting).error, httpx2.ConnectError)
        assert server.requests == []


@pytest.mark.parametrize("kind", ALL)
def test_proxy_that_refuses_is_a_proxy_error(kind: str, proxy: ByteServer) -> None:
    """For a tunnel; for a plain request its answer is the answer."""
    answer = get(kind, "https://127.0.0.1:1/", proxy=proxy.url.replace("//", f"//user:wrong-{SECRET[:1]}@"))
    assert isinstance(answer.error, httpx2.ProxyError)
    assert "407" in str(answer.error)
    assert get(kind, "http://127.0.0.1:1/", proxy=proxy.url).status == 407


def test_bytes_before_the_tunnel_are_refused() -> None:
    """They could be taken for the server's."""
    with ByteServer(answering(b"HTTP/1.1 200 OK\r\n\r\nearly")) as server:
        assert isinstance(get("fast", "https://127.0.0.1:1/", proxy=server.url).error, httpx2.ProxyError)


@pytest.mark.parametrize("kind", ALL)
def test_proxy_that_is_not_there_is_a_connect_error(kind: str) -> None:
    for scheme in ("http", "https"):
        answer = get(kind, f"{scheme}://127.0.0.1:2/", proxy="http://127.0.0.1:1/")
        assert isinstance(answer.error, httpx2.ConnectError)


@pytest.mark.parametrize("kind", [FastTransport, AsyncFastTransport])
@pytest.mark.parametrize("url", ["https://proxy:1", "socks5://proxy:1"])
def test_other_kinds_of_proxies_are_refused(kind: type[FastTransport], url: str) -> None:
    with pytest.raises(ValueError, match=f"{url.partition(':')[0]} prox"):
        kind(proxy=url)


def test_no_secret_is_shown() -> None:
    url = "http://user:hidden@127.0.0.1:1"
    for each in (FastTransport(proxy=url), AsyncFastTransport(proxy=url), FastClient(proxy=url)):
        assert "hidden" not in repr(each) + repr(vars(each))
    for kind in FAST:
        for target in ("http://user:hidden@127.0.0.1:2/", "https://127.0.0.1:2/"):
            assert "hidden" not in str(get(kind, target, proxy=url).error)


# The environment.


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def content(kind: str, url: str, **options: object) -> bytes:
    if kind in SYNC:
        with {"httpx2": httpx2.Client, "fast": FastClient}[kind](**options) as client:
            return client.get(url).content

    async def run() -> bytes:
        async with {"httpx2 async": httpx2.AsyncClient, "fast async": AsyncFastClient}[kind](**options) as client:
            return (await client.get(url)).content

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ALL)
def test_client_takes_proxies_from_the_environment(
    kind: str, proxy: ByteServer, environment: pytest.MonkeyPatch
) -> None:
    """Unless it is told not to; a given one goes first."""
    with ByteServer(answering(OK)) as server, ByteServer(answering(sized(b"other"))) as other:
        environment.setenv("HTTP_PROXY", with_credentials(proxy))
        assert (content(kind, server.url), proxy.connections) == (b"ok", 1)
        assert (content(kind, server.url, trust_env=False), proxy.connections) == (b"ok", 1)
        assert (content(kind, server.url, proxy=other.url), proxy.connections) == (b"other", 1)
        environment.setenv("NO_PROXY", "example.com,127.0.0.0/8")
        assert (content(kind, server.url), proxy.connections) == (b"ok", 1)
        environment.setenv("NO_PROXY", "example.com")
        assert (content(kind, server.url), proxy.connections) == (b"ok", 2)


@pytest.mark.parametrize("kind", ALL)
def test_mounts_go_before_proxies(kind: str, proxy: ByteServer, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", proxy.url)
    with ByteServer(answering(OK)) as server:
        assert content(kind, server.url, mounts={"http://127.0.0.1": None}) == b"ok"
        assert proxy.connections == 0


def test_proxies_of_other_kinds_are_left_to_httpx2() -> None:
    """TLS to the proxy itself."""
    with FastClient(proxy="https://127.0.0.1:1") as client, pytest.raises(httpx2.ConnectError):
        client.get("http://127.0.0.1:2/")


HOSTS = """
    example.com .example.com *.example.com localhost LocalHost 10.0.0.1 192.168.0.0/16 ::1 [::1] fe80::/10 10.0.0.0/x
    http://example.com https://10.0.0.1 example.com:8080 a/b 1.2.3.4/255.0.0.0 http://1.2.3.4/8 http://[::1]/64 [::1]/64
    [fe80 bad\x7fhost *
""".split()


@pytest.mark.parametrize("host", HOSTS)
def test_environment_is_read_as_httpx2_reads_it(host: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://one:1")
    environment.setenv("HTTPS_PROXY", "two:2")
    environment.setenv("ALL_PROXY", "socks5://three:3")
    environment.setenv("NO_PROXY", f" {host} , last.example")
    expected = {pattern: url and str(httpx2.Proxy(url).url) for pattern, url in get_environment_proxies().items()}
    found = {pattern: way and str(way.url) for pattern, way in proxies(None, trust_env=True).items()}
    assert found == expected
    assert proxies(None, trust_env=False) == {}
