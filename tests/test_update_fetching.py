"""Fetching a document: what may be connected to, and what a server may do to the one who asks it.

The servers are real ones with TLS on loopback, which a test has to allow; names are resolved by a table.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from byte_server import ByteServer, Peer, Talk, answering, chunked, sized
from openresponses_codegen import source
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.update import Limits, fetch, networks
from openresponses_codegen.update.addresses import is_public

LOOPBACK = networks(["127.0.0.0/8"])
DOCUMENT = b'{"openapi": "3.1.0"}'
JSON = b"Content-Type: application/json"
Serve = Callable[..., ByteServer]


@pytest.fixture(autouse=True)
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's authority is trusted as a user would have it trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def serve(server_tls: ssl.SSLContext) -> Iterator[Serve]:
    running: list[ByteServer] = []

    def serve(talk: Talk, *, tls: ssl.SSLContext | None = server_tls) -> ByteServer:
        running.append(ByteServer(talk, tls).__enter__())
        return running[-1]

    yield serve
    for each in running:
        each.__exit__(None, None, None)


def refusal(url: str, *allowed: str, limits: Limits | None = None) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        fetch(url, networks(allowed), limits)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.hint
    return diagnostic


def failure(server: ByteServer, path: str = "openapi.json", **limits: Any) -> Diagnostic:
    return refusal(f"{server.url}{path}", "127.0.0.0/8", limits=Limits(**limits) if limits else None)


# What is fetched -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        sized(DOCUMENT, JSON),
        sized(DOCUMENT, b"Content-Type: application/vnd.oai.openapi+json;version=3.1; charset=utf-8"),
        sized(DOCUMENT, b"Content-Type: Application/YAML"),
        sized(DOCUMENT, b"content-type: text/plain; charset=utf-8"),
        sized(DOCUMENT, b"Content-Encoding: identity"),
        sized(DOCUMENT),
        chunked(DOCUMENT[:5], DOCUMENT[5:]),
    ],
)
def test_a_document_is_fetched(answer: bytes, serve: Serve) -> None:
    server = serve(answering(answer))
    assert fetch(f"{server.url}openapi.json?v=2", LOOPBACK) == DOCUMENT
    (request,) = server.requests
    head = request.decode().lower()
    assert head.startswith("get /openapi.json?v=2 http/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n" in head
    assert "authorization" not in head
    assert "cookie" not in head


def test_a_redirect_on_the_same_host_is_followed(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        if (peer.request() or b"").startswith(b"GET /old "):
            peer.send(sized(b"", b"Location: ../new?x=1", status=b"302 Found"))
        else:
            peer.send(sized(DOCUMENT))

    server = serve(talk)
    assert fetch(f"{server.url}old", LOOPBACK) == DOCUMENT
    assert server.requests[1].startswith(b"GET /new?x=1 ")


def test_the_environments_proxy_is_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name once more, and connect to what it likes."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert fetch(serve(answering(sized(DOCUMENT))).url, LOOPBACK) == DOCUMENT


# URLs ------------------------------------------------------------------------------------------------------------

BAD_URLS = """
http://example.com/openapi.json file:///etc/passwd ftp://example.com/ javascript:alert(1) example.com/openapi.json
//example.com/ https:example.com https:///openapi.json https:// https://user@example.com/ https://user:pass@example.com/
https://@example.com/ https://:@example.com/ https://example.com:port/ https://example.com:99999/ https://example.com:-1/
https://0x7f.1/ https://0x7f000001/ https://2130706433/ https://127.1/ https://0177.0.0.1/ https://127.0.0.1.0x1/
https://127.0.0/ https://[::1/ https://[::1%25lo]/ https://[fe80::1%eth0]/ https://[v1.x]/ https://[127.0.0.1]/
https://exämple.com/ https://\uff45xample.com/ https://example。com/ https://example.com/ä https://-a.example/ https://a..b/
https://example.com\\@127.0.0.1/ https://exa%6dple.com/ https://example.com,127.0.0.1/ https://a_b!c/ https://*.example/
""".split()


@pytest.mark.parametrize(
    "url", [*BAD_URLS, "", " https://example.com/", "https://example.com/\r\nHost:x", "\0", "https://example.com/\ta"]
)
def test_what_is_no_https_url_is_refused_before_anything_is_resolved(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = resolving(monkeypatch, "93.184.216.34")
    assert refusal(url).code == "bad-url"
    assert names == []


def test_a_url_of_any_length_is_refused_at_once() -> None:
    assert refusal(f"https://example.com/{'a' * 10_000_000}").code == "bad-url"


def test_credentials_in_a_url_are_not_repeated() -> None:
    assert "secret" not in str(refusal("https://user:secret@example.com/"))


# Addresses -------------------------------------------------------------------------------------------------------

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1
192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 fe80::1 febf::1 fc00::1 fd12:3456::1 ff02::1 fec0::1 2001:db8::1 100::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::127.0.0.1 ::10.0.0.1 2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe:: 64:ff9b::7f00:1 64:ff9b::a00:1
64:ff9b:1::1 ::ffff:0:127.0.0.1 2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe
""".split()
PUBLIC = "1.1.1.1 8.8.8.8 93.184.216.34 2606:4700:4700::1111 2a00:1450:4001:800::200e".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_told(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_told(address: str) -> None:
    assert is_public(ip_address(address))


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names resolve to these addresses: to all of them, or, where an answer holds several, one answer after another.

    Gives the names that are asked for; addresses resolve to themselves.
    """
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *arguments: Any, **more: Any) -> Any:
        with suppress(ValueError):
            ip_address(host)
            return real(host, port, *arguments, **more)
        asked.append(host)
        found = answers[0].split() if len(asked) == 1 or len(answers) == 1 else answers[1].split()
        return [entry for each in found for entry in real(each, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def connecting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to; none is."""
    tried: list[str] = []

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return tried


@pytest.mark.parametrize("address", [each for each in PRIVATE if not each.startswith(("::ffff:0:",))])
def test_a_name_or_an_address_that_is_private_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, address)
    tried = connecting(monkeypatch)
    assert refusal("https://docs.example/").code == "address-refused"
    literal = f"[{address}]" if ":" in address else address
    assert refusal(f"https://{literal}/").code == "address-refused"
    assert tried == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.216.34 127.0.0.1")
    tried = connecting(monkeypatch)
    assert refusal("https://docs.example/").code == "address-refused"
    assert tried == []


def test_a_name_is_resolved_once_and_connected_to_where_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer of the resolver (DNS rebinding) changes nothing."""
    asked = resolving(monkeypatch, "93.184.216.34 2606:4700:4700::1111", "127.0.0.1")
    tried = connecting(monkeypatch)
    assert refusal("https://docs.example/").code == "not-fetched"
    assert asked == ["docs.example"]
    assert tried == ["93.184.216.34", "2606:4700:4700::1111"]


def test_a_name_with_a_great_many_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, " ".join(f"93.184.216.{last}" for last in range(33)))
    assert refusal("https://docs.example/").code == "address-refused"


@pytest.mark.parametrize("port", [0, 22, 80, 8443])
def test_another_port_is_refused_on_the_public_internet(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.216.34")
    tried = connecting(monkeypatch)
    assert refusal(f"https://docs.example:{port}/").code == "address-refused"
    assert tried == []


def test_an_allowed_network_is_no_wider_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "10.1.2.3 10.2.0.1")
    assert refusal("https://docs.example/", "10.1.0.0/16").code == "address-refused"


@pytest.mark.parametrize("text", ["10.1.2.3/8", "example.com", "10.0.0.0/99", "", "::1/129"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        networks([text])
    assert caught.value.diagnostics[0].code == "bad-address"


def test_a_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    told = refusal("https://docs.example/")
    assert (told.code, "Name or service not known" in told.message) == ("host-unknown", True)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> Any:
        over.wait(20)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert refusal("https://docs.example/", limits=Limits(seconds=0.2)).code == "host-unknown"
    over.set()


# Redirects -------------------------------------------------------------------------------------------------------


def redirecting(target: str, status: bytes = b"302 Found") -> Talk:
    return answering(sized(b"", b"Location: " + target.encode(), status=status))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("https://localhost:{port}/", "redirect-refused"),
        ("https://127.0.0.2:{port}/", "redirect-refused"),
        ("//example.com/", "redirect-refused"),
        ("https://127.0.0.1/", "redirect-refused"),
        ("https://127.0.0.1:{other}/", "redirect-refused"),
        ("http://127.0.0.1:{port}/", "bad-url"),
        ("file:///etc/passwd", "bad-url"),
        ("https://user@127.0.0.1:{port}/", "bad-url"),
        ("https://127.1:{port}/", "bad-url"),
        ("/a b", "bad-url"),
        ("https://[::1", "bad-url"),
        ("/a\tb", "bad-url"),
        ("/" + "a" * 5000, "bad-url"),
    ],
)
def test_a_redirect_elsewhere_is_refused(target: str, code: str, serve: Serve) -> None:
    server: ByteServer | None = None

    def talk(peer: Peer) -> None:
        assert server is not None
        redirecting(target.format(port=server.port, other=server.port - 1))(peer)

    server = serve(talk)
    assert failure(server).code == code
    assert server.connections == 1


def test_redirects_in_a_circle_end(serve: Serve) -> None:
    server = serve(redirecting("/again"))
    assert failure(server).code == "redirect-refused"
    assert len(server.requests) == 4


def test_the_address_of_a_redirect_is_looked_at_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """The name may have moved meanwhile, to where nobody may go."""
    server = serve(redirecting("/again"))
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", _without_name(ssl.SSLContext.wrap_socket))
    resolving(monkeypatch, "127.0.0.1", "10.0.0.1")
    told = refusal(f"https://docs.example:{server.port}/", "127.0.0.0/8")
    assert (told.code, "10.0.0.1" in told.message) == ("address-refused", True)
    assert server.connections == 1


def _without_name(wrap: Any) -> Any:
    def wrapped(self: ssl.SSLContext, plain: socket.socket, **more: Any) -> Any:
        return wrap(self, plain, **{**more, **({"server_hostname": "127.0.0.1"} if "server_hostname" in more else {})})

    return wrapped


# Servers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sized(b"", status=b"404 Not Found"), "404 Not Found"),
        (sized(b"", status=b"500 \x1b[31mNo"), "500"),
        (sized(b"", status=b"302 Found"), "302 Found"),
        (sized(b"", status=b"304 Not Modified"), "304"),
        (sized(DOCUMENT, status=b"206 Partial Content"), "206"),
        (sized(b"<html>", b"Content-Type: text/html"), "text/html"),
        (sized(b"", b"Content-Type: image/png"), "image/png"),
        (sized(gzip.compress(DOCUMENT), b"Content-Encoding: gzip"), "gzip"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + DOCUMENT, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", ""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (b"", ""),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", "more than 16,777,216 bytes"),
    ],
)
def test_an_answer_that_is_no_document_is_refused(answer: bytes, words: str, serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    told = failure(serve(talk))
    assert told.code == "not-fetched"
    assert words in told.message
    assert "\x1b" not in str(told)


def test_an_answer_that_ends_without_a_word_is_not_taken_for_whole(serve: Serve) -> None:
    """Without a length, only the end of TLS tells a whole document from a cut one."""

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + DOCUMENT)
        peer.close()

    assert failure(serve(talk)).code == "not-fetched"


def endless(head: bytes, piece: bytes) -> Talk:
    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(head)
        while True:
            peer.send(piece)

    return talk


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", b" " * 65536),
    ],
)
def test_a_document_without_end_is_refused(head: bytes, piece: bytes, serve: Serve) -> None:
    told = failure(serve(endless(head, piece)), size=1_000_000)
    assert (told.code, "1,000,000 bytes" in told.message) == ("not-fetched", True)


def test_the_largest_document_is_as_large_as_one_may_be(serve: Serve) -> None:
    assert Limits().size == source.MAX_BYTES
    server = serve(answering(sized(b" " * 1000)))
    assert len(fetch(server.url, LOOPBACK, Limits(size=1000))) == 1000
    assert failure(server, size=999).code == "not-fetched"


def silent(peer: Peer) -> None:
    peer.wait_for_end()


def dripping(*pieces: bytes) -> Talk:
    """Sends what it has, and then a byte whenever one would think that it has ended."""

    def talk(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        pause = threading.Event()
        while not pause.wait(0.05):
            peer.send(b"x")

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        silent,
        dripping(),
        dripping(b"HTTP/1.1 200 OK\r\nX: "),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"),
    ],
)
def test_a_server_that_takes_its_time_is_left(talk: Talk, serve: Serve) -> None:
    told = failure(serve(talk), seconds=0.7)
    assert (told.code, "longer than 0.7 seconds" in told.message) == ("not-fetched", True)


def test_a_server_that_does_not_answer_the_handshake_is_left(serve: Serve) -> None:
    server = serve(silent, tls=None)
    told = refusal(server.url.replace("http:", "https:"), "127.0.0.0/8", limits=Limits(seconds=0.7))
    assert (told.code, "longer than" in told.message) == ("not-fetched", True)


def test_a_server_without_tls_is_refused(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.send(sized(DOCUMENT))
        peer.wait_for_end()

    server = serve(talk, tls=None)
    assert refusal(server.url.replace("http:", "https:"), "127.0.0.0/8").code == "not-fetched"


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    server = serve(answering(sized(DOCUMENT)))
    told = failure(server)
    assert (told.code, "is not who it says" in told.message) == ("not-fetched", True)
    assert server.requests == []


def test_a_certificate_of_another_name_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.1")
    server = serve(answering(sized(DOCUMENT)))
    told = refusal(f"https://docs.example:{server.port}/", "127.0.0.0/8")
    assert (told.code, "is not who it says" in told.message) == ("not-fetched", True)
    assert server.requests == []


def test_a_server_that_resets_the_connection_is_told(serve: Serve) -> None:
    def talk(peer: Peer) -> None:
        peer.request()
        peer.reset()

    assert failure(serve(talk)).code == "not-fetched"


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert refusal(f"https://127.0.0.1:{port}/", "127.0.0.1").code == "not-fetched"
