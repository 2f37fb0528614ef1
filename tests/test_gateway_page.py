"""The page as an ASGI application: what it serves, whom it answers, and where it sends nothing."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import select
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browser import Scripted, events, response
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from openresponses_kit.gateway.addresses import AddressGuard, is_public, target_of
from openresponses_kit.gateway.page import PageApp, forwarding
from openresponses_kit.gateway.page.checking_proxy import checking_proxy
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from openresponses_kit.server.errors import InvalidRequestError
from running_server import running

CONFORM = [sys.executable, "-m", "openresponses_codegen"]
PLAIN_LOOP = "asyncio"
"""uvloop resolves names by itself, so that no test could give them addresses."""
ASSETS = Path(__file__).parents[1] / "generated/openresponses_kit/gateway/page/assets"
Resolve = Callable[..., None]

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "2002:808:808::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_known_however_they_are_wrapped(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.com", "file:///etc/passwd", "example.com/v1", "http://", "http://:80/", "//example.com/v1",
        "javascript:alert(1)", "http://user@example.com/v1", "http://user:key@example.com/v1", "http://example.com:0/",
        "http://example.com:99999/", "http://example.com/v1?x=1", "http://example.com/v1#x", "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/", "http://example.com/\r\nhost: x", "http://ex\u0430mple.com/", "http://[::1/",
        "http://" + "a" * 3000,
    ],
)  # fmt: skip
def test_urls_that_are_no_base_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError):
        target_of(url)


@pytest.mark.parametrize(
    ("url", "base", "authority"),
    [
        ("https://example.com/v1", "https://example.com/v1", "example.com"),
        ("https://example.com/v1/responses", "https://example.com/v1", "example.com"),
        ("http://example.com:8080/", "http://example.com:8080", "example.com:8080"),
        ("https://example.com:443/v1/", "https://example.com/v1", "example.com"),
        ("http://[2001:db8::1]:81/v1", "http://[2001:db8::1]:81/v1", "[2001:db8::1]:81"),
    ],
)
def test_base_urls_are_read(url: str, base: str, authority: str) -> None:
    target = target_of(url)
    assert (target.url, target.authority) == (base, authority)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Give names addresses: those of each time that they are asked for, the last ones for ever."""
    real = socket.getaddrinfo

    def give(name: str, *answers: list[str]) -> None:
        times = iter(range(1000))

        def fake(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
            if host not in {name, name.encode()}:
                return real(host, port, *arguments, **options)
            found = answers[min(next(times), len(answers) - 1)]
            family = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
            return [(kind, socket.SOCK_STREAM, 6, "", (each, port)) for kind, each in zip(family, found, strict=True)]

        monkeypatch.setattr(socket, "getaddrinfo", fake)

    return give


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[Scripted, int]]:
    """Another server on this machine."""
    app = Scripted()
    with running(app, lifespan="off") as server:
        yield app, server.port


def page_of(**options: Any) -> PageApp:
    return PageApp(create_app(DemonstrationService(), store="memory:"), **options)


@pytest.fixture(scope="module")
def careful() -> Iterator[str]:
    """A page that sends nothing to private addresses."""
    with running(page_of(conform_command=CONFORM), loop=PLAIN_LOOP) as server:
        yield server.url


@pytest.fixture(scope="module")
def free() -> Iterator[str]:
    """A page that may send to any address."""
    with running(page_of(allow_private=True, conform_command=CONFORM), loop=PLAIN_LOOP) as server:
        yield server.url


def post(url: str, path: str, to: str | None, body: bytes = b"{}", **headers: str | None) -> httpx2.Response:
    """A POST as the page makes it; a header that is None is left out."""
    given: dict[str, str | None] = {"origin": url, "content-type": "application/json", "x-forward-to": to}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in given.items() if value is not None}
    return httpx2.post(f"{url}{path}", content=body, headers=kept, trust_env=False, timeout=60)


def test_the_page_and_its_parts_are_served_under_a_strict_policy(careful: str) -> None:
    """Nothing inline, nothing of another host, in no frame, with no cookie."""
    for path, kind in {
        "/": "text/html; charset=utf-8",
        "/assets/page.js": "text/javascript; charset=utf-8",
        "/assets/style.css": "text/css; charset=utf-8",
        "/assets/icon.svg": "image/svg+xml",
        "/page/settings": "application/json",
    }.items():
        for method in ("GET", "HEAD"):
            answer = httpx2.request(method, careful + path, trust_env=False)
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            policy = answer.headers["content-security-policy"].split("; ")
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "set-cookie" not in answer.headers


def test_the_page_holds_no_inline_script_or_style_and_names_no_other_host() -> None:
    html = (ASSETS / "index.html").read_text()
    assert html.count("<script") == html.count('<script type="module" src=')
    assert "<style" not in html
    for forbidden in (" style=", " onclick", " onload", "javascript:", "http://", "https://"):
        assert forbidden not in html.replace("https://example.com", ""), forbidden
    script = (ASSETS / "page.js").read_text()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "cookie"):
        assert forbidden not in script, forbidden


@pytest.mark.parametrize(
    "path", ["/assets/", "/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/none.js", "/page/"]
)
def test_other_paths_are_those_of_the_server(careful: str, path: str) -> None:
    with socket.create_connection(("127.0.0.1", httpx2.URL(careful).port or 0)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        content = b"".join(iter(lambda: connection.recv(65536), b""))
    assert content.startswith(b"HTTP/1.1 404")
    assert json.loads(content.partition(b"\r\n\r\n")[2])["error"]["type"] == "not_found"


def test_the_server_answers_as_without_a_page(careful: str) -> None:
    answer = httpx2.post(f"{careful}/v1/responses", json={"input": "hi"}, trust_env=False)
    assert answer.json()["status"] == "completed"
    assert httpx2.get(f"{careful}/health", trust_env=False).json() == {"status": "ok"}


def test_a_page_that_is_mounted_finds_what_it_needs() -> None:
    """The page names everything by relative paths, so its own path has to end in a slash."""
    app = page_of()

    async def asked(path: str) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "GET", "path": path, "root_path": "/try", "headers": []}
        await app(scope, receive, send)
        return sent

    assert dict(asyncio.run(asked("/try"))[0]["headers"])[b"location"] == b"/try/"
    assert asyncio.run(asked("/try/"))[0]["status"] == 200
    assert asyncio.run(asked("/try/assets/page.js"))[0]["status"] == 200


@pytest.mark.parametrize("path", ["/page/forward", "/page/conform"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": None, "sec_fetch_site": "same-origin"},
    ],
    ids=str,
)
def test_posts_of_other_origins_are_refused(free: str, path: str, headers: dict[str, str | None]) -> None:
    answer = post(free, path, f"{free}/v1", **headers)
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["type"] == "invalid_request"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/page/forward", "/page/conform"])
def test_a_name_that_was_bound_to_this_server_by_somebody_else_opens_no_private_network(free: str, path: str) -> None:
    """DNS rebinding makes a page of another name same-origin: where private addresses will do, names are checked."""
    headers = {"host": "evil.example", "origin": "http://evil.example"}
    assert post(free, path, f"{free}/v1", **headers).status_code == 403
    localhost = {"host": "localhost:1", "origin": "http://localhost:1", "sec_fetch_site": "same-origin"}
    assert post(free, "/page/forward", f"{free}/v1", b'{"input": "hi"}', **localhost).status_code == 200


def test_a_name_of_the_server_can_be_made_known(upstream: tuple[Scripted, int]) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [b"{}"], "application/json", 200
    with running(page_of(allow_private=True, hosts=["Gateway.example"])) as server:
        headers = {"host": "gateway.example", "origin": "http://gateway.example"}
        assert post(server.url, "/page/forward", f"http://127.0.0.1:{port}/v1", **headers).status_code == 200


SPELLINGS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "localhost", "[::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "169.254.169.254", "10.0.0.1", "[fe80::1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "LOCALHOST.",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/page/forward", "/page/conform"])
@pytest.mark.parametrize("host", SPELLINGS)
def test_private_addresses_are_refused_in_every_spelling(
    careful: str, upstream: tuple[Scripted, int], path: str, host: str
) -> None:
    app, port = upstream
    seen = len(app.bodies)
    answer = post(careful, path, f"http://{host}:{port}/v1")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] in {"private_address", "unknown_host"}
    assert len(app.bodies) == seen


@pytest.mark.parametrize("path", ["/page/forward", "/page/conform"])
@pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1", "8.8.8.8"]], ids=str)
def test_a_name_is_refused_if_one_of_its_addresses_is_private(
    careful: str, resolve: Resolve, path: str, found: list[str]
) -> None:
    resolve("inside.example", found)
    answer = post(careful, path, "http://inside.example/v1")
    assert answer.json()["error"]["code"] == "private_address"


def test_a_name_that_changes_its_address_after_the_check_leads_nowhere_else(
    free: str, resolve: Resolve, upstream: tuple[Scripted, int]
) -> None:
    """The connection is made to the address that was checked: the name is not looked up once more."""
    app, port = upstream
    app.pieces, app.kind, app.status = [b'{"ok": true}'], "application/json", 200
    resolve("changing.example", ["127.0.0.1"], ["127.0.0.9"])
    answer = post(free, "/page/forward", f"http://changing.example:{port}/v1")
    assert answer.json() == {"ok": True}
    assert app.headers[-1]["host"] == f"changing.example:{port}"


def test_the_next_address_of_a_name_is_tried(free: str, resolve: Resolve, upstream: tuple[Scripted, int]) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [b"{}"], "application/json", 200
    resolve("two.example", ["127.0.0.77", "127.0.0.1"])
    assert post(free, "/page/forward", f"http://two.example:{port}/v1").status_code == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(free: str, upstream: tuple[Scripted, int], status: int) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [b""], "text/plain", status
    seen = len(app.bodies)
    answer = post(free, "/page/forward", f"http://127.0.0.1:{port}/v1")
    assert answer.status_code == 400
    assert "redirects to 'http://127.0.0.1:1/v1/responses'" in answer.json()["error"]["message"]
    assert len(app.bodies) == seen + 1


def test_the_server_itself_may_be_named_by_its_address(careful: str) -> None:
    answer = post(careful, "/page/forward", f"{careful}/v1", b'{"input": "hi"}')
    assert answer.json()["status"] == "completed"


def test_a_stream_is_passed_on_byte_by_byte(free: str, upstream: tuple[Scripted, int]) -> None:
    """Body and answer stay as they are; of the headers the key alone goes on (rule Z19)."""
    app, port = upstream
    stream = b'\xef\xbb\xbfevent: x\r\ndata: {"type":"x"}\r\n\r\n: ping\n\n' + events({"type": "acme:odd"})
    app.pieces, app.kind, app.status = [stream[:10], stream[10:]], "text/event-stream; charset=utf-8", 200
    body = b'{ "input":"h\\u0069", "temperature": 1.0e0 }'
    headers = {"authorization": "Bearer other", "cookie": "session=1", "referer": "http://inside/"}
    answer = post(free, "/page/forward", f"http://127.0.0.1:{port}/v1/responses", body, **headers)
    assert answer.content == stream
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert app.bodies[-1] == {"input": "hi", "temperature": 1.0}
    assert app.headers[-1]["authorization"] == "Bearer other"
    assert app.headers[-1]["content-length"] == str(len(body))
    assert not {"cookie", "referer", "origin", "x-forward-to"} & app.headers[-1].keys()


def test_what_another_server_answers_is_never_a_page_of_this_one(free: str, upstream: tuple[Scripted, int]) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [b"<script>alert(1)</script>"], "text/html", 404
    answer = post(free, "/page/forward", f"http://127.0.0.1:{port}/v1")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


def test_who_cannot_be_reached_is_told_of(free: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = post(free, "/page/forward", f"http://127.0.0.1:{port}/v1")
    assert answer.status_code == 502
    assert "cannot be reached" in answer.json()["error"]["message"]


def test_a_request_that_names_no_server_is_refused(free: str) -> None:
    assert "x-forward-to" in post(free, "/page/forward", None).json()["error"]["message"]


def test_z16_the_upstream_is_let_go_when_the_page_is_left(free: str, upstream: tuple[Scripted, int]) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [events({"type": "response.created"}), None], "text/event-stream", 200
    app.left.clear()
    headers = {"origin": free, "x-forward-to": f"http://127.0.0.1:{port}/v1"}
    with httpx2.stream("POST", f"{free}/page/forward", json={}, headers=headers, trust_env=False) as answer:
        assert next(answer.iter_raw())
    assert app.left.wait(20)


def test_t2_with_keys_nothing_is_sent_for_who_has_none(upstream: tuple[Scripted, int]) -> None:
    app, port = upstream
    app.pieces, app.kind, app.status = [b"{}"], "application/json", 200
    with running(page_of(allow_private=True, api_keys=["right"])) as server:
        to = f"http://127.0.0.1:{port}/v1"
        for headers in ({}, {"x_page_key": "wrong"}, {"authorization": "Bearer right"}):
            assert post(server.url, "/page/forward", to, **headers).status_code == 401
        answer = post(server.url, "/page/forward", to, x_page_key="right", authorization="Bearer theirs")
        assert answer.status_code == 200
        assert app.headers[-1]["authorization"] == "Bearer theirs"
        assert "x-page-key" not in app.headers[-1]
        assert httpx2.get(f"{server.url}/page/settings", trust_env=False).json()["needs_key"] is True


def certificate(folder: Path, name: str) -> Path:
    """A certificate for a name, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path = folder / "certificate.pem"
    path.write_bytes(
        made.public_bytes(encoding) + key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


def test_certificates_are_checked_by_name_though_the_connection_is_to_an_address(
    free: str, resolve: Resolve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(certificate(tmp_path, "secure.example"))
    monkeypatch.setattr(forwarding, "_tls", lambda: ssl.create_default_context(cafile=path))
    app = Scripted()
    app.pieces, app.kind = [b"{}"], "application/json"
    with running(app, lifespan="off", ssl_certfile=path, ssl_keyfile=path) as server:
        resolve("secure.example", ["127.0.0.1"])
        assert post(free, "/page/forward", f"https://secure.example:{server.port}/v1").status_code == 200
        resolve("other.example", ["127.0.0.1"])
        refused = post(free, "/page/forward", f"https://other.example:{server.port}/v1")
    assert refused.status_code == 502
    assert "CERTIFICATE_VERIFY_FAILED" in refused.json()["error"]["message"]
    assert len(app.bodies) == 1


def told(answer: httpx2.Response) -> list[tuple[str, Any]]:
    """The events of a run."""
    blocks = [block.splitlines() for block in answer.text.split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


@pytest.mark.parametrize("page", ["careful", "free"])
def test_a_run_of_the_cases_tells_its_progress_and_its_report(request: pytest.FixtureRequest, page: str) -> None:
    """Where private addresses are refused the command runs behind a proxy, its WebSockets, too."""
    url: str = request.getfixturevalue(page)
    answer = post(url, "/page/conform", f"{url}/v1", json.dumps({"cases": ["S2", "W1", "L9-*"]}).encode())
    assert answer.status_code == 200, answer.text
    *progress, (last, report) = told(answer)
    assert progress
    assert {name for name, _ in progress} == {"progress"}
    assert progress[-1][1]["done"] == progress[-1][1]["total"]
    assert last == "report", report
    assert {each["rule"] for each in report["cases"]} == {"S2", "W1", "L9"}
    assert {each["outcome"] for each in report["cases"]} == {"passed"}


def test_a_run_keeps_the_key_and_the_environment_to_itself(
    free: str, upstream: tuple[Scripted, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of the server's own environment is not sent to whom the user names; that of the user is."""
    app, port = upstream
    app.pieces, app.kind, app.status = [b"{}"], "application/json", 401
    monkeypatch.setenv("OPENRESPONSES_API_KEY", "of-the-server-alone")
    for key in (None, "Bearer of-the-user-alone"):
        del app.headers[:]
        post(free, "/page/conform", f"http://127.0.0.1:{port}/v1", b'{"cases": ["S2"]}', authorization=key)
        assert {each.get("authorization") for each in app.headers} == {key}


def test_a_run_that_cannot_begin_says_why(free: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ((name, value),) = told(post(free, "/page/conform", f"http://127.0.0.1:{port}/v1"))[-1:]
    assert name == "error"
    assert "cannot be reached" in value["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"cases": "S"}', b'{"cases": ["--output=x"]}', b'{"cases": ["-o"]}', b'{"model": 1}',
     b'{"model": "a\\u0000b"}', b'{"cases": ["S2;ls"]}'],
)  # fmt: skip
def test_a_run_takes_no_other_options_of_the_command(free: str, body: bytes) -> None:
    answer = post(free, "/page/conform", f"{free}/v1", body)
    assert answer.status_code == 400, answer.text


def test_where_the_command_is_missing_the_answer_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with running(page_of()) as server:
        answer = post(server.url, "/page/conform", f"{server.url}/v1")
    assert answer.status_code == 501
    assert "pip install 'openresponses-codegen[conform]'" in answer.json()["error"]["message"]


def test_z16_a_run_ends_when_the_page_is_left(tmp_path: Path) -> None:
    """The command would go on for ever, and does not end when it is only asked to."""
    script = tmp_path / "endless.py"
    script.write_text(
        "import json, os, signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(json.dumps({'doing': str(os.getpid()), 'done': 0, 'total': 1}), file=sys.stderr, flush=True)\n"
        "while True: signal.pause()\n"
    )
    with running(page_of(conform_command=[sys.executable, str(script)])) as server:
        headers = {"origin": server.url, "x-forward-to": f"{server.url}/v1"}
        options: Any = {"json": {}, "headers": headers, "trust_env": False, "timeout": 60}
        with httpx2.stream("POST", f"{server.url}/page/conform", **options) as answer:
            texts = answer.iter_text()  # kept: to let go of it is to leave
            pid = int(json.loads(next(texts).splitlines()[1].removeprefix("data: "))["doing"])
            process = os.pidfd_open(pid)
        try:
            assert select.select([process], [], [], 20)[0]
        finally:
            os.close(process)


@pytest.mark.parametrize(
    ("code", "output", "told_of"),
    [
        (2, "print('Usage: x', 'Error: no such option', sep='\\n', file=sys.stderr)", "no such option"),
        (1, "pass", "ended with the exit code 1"),
        (2, "print('x' * 10_000_000, file=sys.stderr)", "ended with the exit code 2"),
    ],
)
def test_a_command_that_goes_wrong_is_told_of(tmp_path: Path, code: int, output: str, told_of: str) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(f"import sys\n{output}\nsys.exit({code})\n")
    with running(page_of(conform_command=[sys.executable, str(script)])) as server:
        ((name, value),) = told(post(server.url, "/page/conform", f"{server.url}/v1"))
    assert name == "error"
    assert told_of in value["message"]


def test_the_proxy_connects_to_nothing_private(upstream: tuple[Scripted, int], resolve: Resolve) -> None:
    """Neither by a tunnel nor by a plain request, whatever the program behind it is told by names."""
    app, port = upstream
    resolve("inside.example", ["127.0.0.1"])
    seen = len(app.bodies)

    async def asked(line: str, own: set[tuple[str, int]]) -> bytes:
        async with checking_proxy(AddressGuard(), own) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", httpx2.URL(url).port)
            writer.write(f"{line} HTTP/1.1\r\nhost: x\r\nproxy-authorization: y\r\n\r\n".encode())
            status = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return status

    for host in ("127.0.0.1", "localhost", "[::1]", "inside.example", "[::ffff:127.0.0.1]"):
        for line in (f"CONNECT {host}:{port}", f"POST http://{host}:{port}/v1/responses"):
            assert b" 403 " in asyncio.run(asked(line, set())), line
    for line in ("CONNECT x", "GET /", "GET ftp://x/", "nonsense"):
        assert b" 403 " in asyncio.run(asked(line, set())), line
    assert len(app.bodies) == seen
    assert b" 200 " in asyncio.run(asked(f"CONNECT 127.0.0.1:{port}", {("127.0.0.1", port)}))


def test_the_scripted_response_is_one(upstream: tuple[Scripted, int]) -> None:
    """The support of these tests answers what it is told to."""
    app, port = upstream
    app.pieces, app.kind, app.status = [json.dumps(response("completed")).encode()], "application/json", 200
    assert httpx2.post(f"http://127.0.0.1:{port}/", json={}, trust_env=False).json()["status"] == "completed"
