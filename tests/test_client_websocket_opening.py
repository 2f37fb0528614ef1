"""Opening a WebSocket, against a real server, synchronous and asynchronous.

Protects: the key goes to the configured server and nowhere else, a refusal is the error that it says it is, and it is
tried again when that is safe.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from openresponses_codegen import pipeline
from openresponses_kit import SPEC_RELEASE, __version__
from openresponses_kit.client.aio.connection import AsyncResponseConnection
from openresponses_kit.client.handshake import ConnectionSettings, websocket_url
from openresponses_kit.client.settings import Settings
from openresponses_kit.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StreamInterruptedError,
    StreamTimeoutError,
)
from websocket_events import events
from websocket_server import (
    PATIENCE,
    Refusal,
    Script,
    WebSocketServer,
    answer,
    close,
    cut,
    send,
    until_gone,
)
from websocket_shells import KEY, Connect, Shell, all_gone, read, scenario, settings_for


@scenario
async def test_w1_t2_t3_a_client_opens_a_connection_with_its_settings(shell: Shell) -> None:
    """The key and the release go with the handshake; headers and parameters are those of the client and the call."""
    with WebSocketServer(Script(), Script([answer()])) as server:
        first, second = (
            shell.client(
                base_url=server.base_url + "/",
                api_key=KEY,
                default_headers={"X-Tenant": "a", "X-Other": "b"},
                default_query={"api-version": "1 2"},
            ).responses.connect(**options)
            for options in ({}, {"extra_headers": {"x-tenant": "c", "OpenResponses-Version": None}, "timeout": 5.0})
        )
        async with shell.dressed(first):
            pass
        async with shell.dressed(second) as connection:
            assert (await connection.create(model="m", input="hi").get_final_response()).id == "resp_1"
    assert [session.path for session in server.sessions] == ["/v1/responses?api-version=1+2"] * 2
    headers, others = (session.headers for session in server.sessions)
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["OpenResponses-Version"] == SPEC_RELEASE
    assert headers.get_all("User-Agent") == [f"openresponses_kit/{__version__}"]
    assert (headers["X-Tenant"], headers["X-Other"]) == ("a", "b")
    assert "Sec-WebSocket-Extensions" not in headers, "frames are not compressed"
    assert (others["X-Tenant"], others["X-Other"]) == ("c", "b")
    assert "OpenResponses-Version" not in others


@scenario
async def test_e5_timeouts_and_tries_are_those_of_the_client(shell: Shell) -> None:
    """Of a timeout with parts it is the one for reading. One try is what the client says."""
    silent = Script([[until_gone]])
    with WebSocketServer(silent, silent, Script([[cut]])) as server:
        timeout = httpx2.Timeout(PATIENCE, read=0.05)
        client = shell.client(base_url=server.base_url, timeout=timeout, max_retries=0)
        for options in ({}, {"timeout": 0.05}):
            async with shell.dressed(client.responses.connect(**options)) as connection:
                with pytest.raises(StreamTimeoutError):
                    await read(connection.create(model="m", input="hi"))
        async with shell.dressed(client.responses.connect(timeout=PATIENCE)) as connection:
            with pytest.raises(StreamInterruptedError):
                await read(connection.create(model="m", input="hi"))
    assert len(server.sessions) == 3


@pytest.mark.parametrize("timeout", [0, -1.0, "1"])
@scenario
async def test_a_timeout_that_is_none_is_refused(shell: Shell, timeout: Any) -> None:
    responses = shell.client(base_url="http://127.0.0.1:1").responses
    with pytest.raises(InvalidRequestError, match="timeout"):
        responses.connect(timeout=timeout)
    with pytest.raises(InvalidRequestError, match="timeout"):
        responses.connect().create(model="m", timeout=timeout)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://example.com/v1", "wss://example.com/v1/responses"),
        ("https://example.com", "wss://example.com/responses"),
        ("http://[::1]:8000/a/b/", "ws://[::1]:8000/a/b/responses"),
    ],
)
def test_w1_the_url_is_that_of_responses(base_url: str, url: str) -> None:
    assert websocket_url(Settings(base_url)) == url


@pytest.mark.parametrize("way", ["end", "break", "cut"])
@scenario
async def test_tls(shell: Shell, way: str, server_tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """A connection over TLS ends like any other, whatever ends it."""
    turn = {"end": answer(), "break": [send(events()[0]), until_gone], "cut": [cut]}[way]
    with WebSocketServer(Script([turn]), Script([answer("r2")]), tls=server_tls) as server:
        client = shell.client(base_url=server.base_url)
        async with shell.dressed(client.responses.connect(tls=trusting)) as connection:
            async for _ in connection.create(model="m", input="hi"):
                if way == "break":
                    break
            if way != "cut":
                assert await connection.create(model="m", input="hi").get_final_response() if way == "break" else True
        assert await all_gone(server)
    assert len(server.sessions) == (1 if way == "end" else 2)


@scenario
async def test_tls_a_certificate_that_is_not_trusted(connect: Connect, server_tls: ssl.SSLContext) -> None:
    with WebSocketServer(tls=server_tls) as server:
        settings = settings_for(server, max_retries=0)
        with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await connect(settings).open()
    assert server.sessions == []


def test_w1_a_release_without_a_websocket_has_none_of_this() -> None:
    spec = pipeline.load_spec("2026-01-15")
    files = pipeline.generate(spec, pipeline.Options(package="kit")).files
    assert "client/sync/client.py" in files
    assert not [path for path, text in files.items() if path.endswith(".py") and "websockets" in text]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request", BadRequestError),
        (401, "unauthorized", AuthenticationError),
        (403, None, PermissionDeniedError),
        (404, "not_found", NotFoundError),
        (429, "too_many_requests", RateLimitError),
        (500, "server_error", InternalServerError),
        (503, None, InternalServerError),
    ],
)
@scenario
async def test_e1_e2_a_refused_handshake_is_the_error_that_its_body_says(
    connect: Connect, status: int, kind: str | None, error: type[APIStatusError]
) -> None:
    body = json.dumps({"error": {"type": kind, "message": f"No to {KEY}.", "code": "c", "param": None}}).encode()
    refusal = Refusal(status, body if kind else b"<html>", {"X-Request-Id": "req_1"})
    with WebSocketServer(refusal) as server:
        with pytest.raises(error) as caught:
            async with connect(settings_for(server, max_retries=0)):
                pass
        assert await all_gone(server)
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.request_id) == (status, "req_1")
    assert caught.value.code == ("c" if kind else None)
    assert KEY not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("opened", [True, False], ids=["in-a-turn", "on-entering"])
@scenario
async def test_e5_a_handshake_that_may_be_repeated_is(connect: Connect, status: int, opened: bool) -> None:
    waits: list[tuple[int, str | None]] = []

    def backoff(tries: int, headers: Any) -> float:
        waits.append((tries, headers.get("retry-after")))
        return 0.0

    refusals = [Refusal(status, headers={"Retry-After": "7"})] * 2
    first = [Script([[cut]])] if opened else []
    settings = {"backoff": backoff, "max_retries": 3 if opened else 2}
    with WebSocketServer(*first, *refusals, Script([answer()])) as server:
        async with connect(settings_for(server, **settings)) as connection:
            await read(connection.create(model="m", input="hi"))
    expected = [(1, "7"), (2, "7")]
    assert waits == ([(1, None), (2, "7"), (3, "7")] if opened else expected)


@scenario
async def test_e5_a_server_that_asks_for_too_long_a_wait_is_not_asked_again(connect: Connect) -> None:
    with WebSocketServer(Refusal(429, headers={"Retry-After": "3600"})) as server, pytest.raises(RateLimitError):
        await connect(ConnectionSettings(websocket_url(Settings(server.base_url)))).open()
    assert len(server.sessions) == 1


@scenario
async def test_e5_a_key_that_became_invalid_is_reported_and_not_tried_again(connect: Connect) -> None:
    with WebSocketServer(Script([[*answer("r1"), close(1001)]]), Refusal(401), Script([answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one"))
            assert await all_gone(server)
            with pytest.raises(AuthenticationError):
                await read(connection.create(model="m", input="two"))
            assert (await connection.create(model="m", input="three").get_final_response()).id == "r2"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@scenario
async def test_t2_a_redirect_is_not_followed(connect: Connect, status: int) -> None:
    """Neither to another server nor to the same one: the other sees no handshake, and no key."""
    with WebSocketServer() as other:
        location = f"ws://127.0.0.1:{other.port}/elsewhere?token=secret"
        with WebSocketServer(Refusal(status, headers={"Location": location})) as server:
            with pytest.raises(APIStatusError, match=f"{status} and redirects .*elsewhere,") as caught:
                await connect(settings_for(server)).open()
            assert caught.value.status_code == status
        assert other.sessions == []


@scenario
async def test_an_answer_that_is_no_websocket(connect: Connect) -> None:
    with WebSocketServer(Refusal(200, b"hello")) as server, pytest.raises(APIConnectionError, match="no WebSocket"):
        await connect(settings_for(server, max_retries=0)).open()


@scenario
async def test_a_server_that_is_not_there(connect: Connect) -> None:
    with WebSocketServer() as server:
        settings = settings_for(server)
    with pytest.raises(APIConnectionError, match="was not reached") as caught:
        await connect(settings).open()
    assert not isinstance(caught.value, APITimeoutError)


@scenario
async def test_a_handshake_that_does_not_end_in_time(connect: Connect) -> None:
    """Within a turn, too, it is the error of opening and none of the stream."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/v1/responses"
        settings = ConnectionSettings(url, open_timeout=0.05, max_retries=0)
        with pytest.raises(APITimeoutError, match="in time") as caught:
            await connect(settings).open()
        assert not isinstance(caught.value, StreamTimeoutError)
        with pytest.raises(APITimeoutError) as caught:
            await read(connect(settings).create(model="m", input="hi"))
        assert not isinstance(caught.value, StreamTimeoutError)


@scenario
async def test_a_task_that_is_cancelled_while_it_connects_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/v1/responses"
        task = asyncio.create_task(AsyncResponseConnection(ConnectionSettings(url)).open())
        accepted, _ = await asyncio.to_thread(silent.accept)
        with accepted:
            assert await asyncio.to_thread(accepted.recv, 3) == b"GET"
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while await asyncio.to_thread(accepted.recv, 4096):
                pass


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


@scenario
async def test_t2_the_key_is_in_no_log_and_no_repr(
    connect: Connect, everything_logged: pytest.LogCaptureFixture
) -> None:
    with WebSocketServer(Script([answer()])) as server:
        settings = settings_for(server)
        settings = replace(settings, headers={**settings.headers, "x-api-key": KEY, "x-tenant": "tenant-a"})
        async with connect(settings) as connection:
            turn = connection.create(model="m", input="hi")
            await read(turn)
            assert KEY not in repr(settings) + repr(connection) + repr(turn)
    client_lines = [each.getMessage() for each in everything_logged.records if "kit" in each.name]
    assert any("tenant-a" in line for line in client_lines), "the handshake was logged"
    assert not [line for line in client_lines if KEY in line]


@scenario
async def test_proxies_of_the_environment_are_used(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy sees where to connect to, and neither the key nor the conversation's path."""
    seen: list[bytes] = []
    with WebSocketServer(Script([answer()])) as server, socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = threading.Thread(target=_forward_one, args=(listening, seen))
        proxy.start()
        for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="hi"))
        proxy.join(PATIENCE)
    assert seen[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
    assert KEY.encode() not in seen[0]


def _forward_one(listening: Any, seen: list[bytes]) -> None:
    """A proxy for one connection: it answers `CONNECT` and passes bytes on in both ways."""
    client, _ = listening.accept()
    with client:
        seen.append(client.recv(65536))
        host, port = seen[0].split()[1].decode().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client))
            back.start()
            _pass_on(client, server)
            back.join(PATIENCE)


def _pass_on(source: Any, target: Any) -> None:
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
