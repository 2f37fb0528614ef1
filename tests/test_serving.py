"""`python -m <package> serve` in real processes: what it tells, what it refuses, and how it stops (rules S5, T2)."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from serving_process import GENERATED, PATIENCE, ServingProcess, refusal, serving, without
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

KEY = "a-key-for-tests"
BODY = {"input": "My name is Ada."}
STOPS = pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


def answer_of(url: str, **arguments: Any) -> httpx2.Response:
    return httpx2.post(f"{url}/responses", json=BODY, timeout=PATIENCE, trust_env=False, **arguments)


def text_of(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    text: str = response.json()["output"][-1]["content"][0]["text"]
    return text


def events_of(response: httpx2.Response) -> Iterator[dict[str, Any] | str]:
    """The data of each event as it comes, `[DONE]` as it is."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
            yield data if data == "[DONE]" else json.loads(data)


def test_it_tells_where_it_is_and_how_to_call_it(tmp_path: Path) -> None:
    """The command that it shows works as it stands, and nothing else is written."""
    with serving(tmp_path, "--store", "memory:") as server:
        assert server.url == f"http://127.0.0.1:{server.port}/v1"
        assert server.told[2] == "A key is not needed"
        command = server.told[-1].removeprefix("Try: ")
        if shutil.which("curl"):
            done = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=PATIENCE)
            assert json.loads(done.stdout)["output"][0]["content"][0]["text"] == "You said: “My name is Ada.”"
        assert text_of(answer_of(server.url)) == "You said: “My name is Ada.”"
        server.stop(signal.SIGTERM)
        assert server.end() == (0, "")


STORES = {
    "by default a file": ((), (), "in {folder}/openresponses.db"),
    "a file": (("--store", "sqlite:///mine.db"), (), "in {folder}/mine.db"),
    "memory": (("--store", "memory:"), (), "in memory"),
    "by default, without SQLAlchemy, memory": ((), ("sqlalchemy",), "in memory"),
    "by default, without aiosqlite, memory": ((), ("aiosqlite",), "in memory"),
}


@pytest.mark.parametrize(("arguments", "missing", "told"), STORES.values(), ids=STORES)
def test_it_tells_what_it_keeps(
    tmp_path: Path, arguments: tuple[str, ...], missing: tuple[str, ...], told: str
) -> None:
    """The second line says where responses are kept; that a file is, holds: another process goes on from there."""
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    environment = without(hiding, *missing)
    with serving(tmp_path, *arguments, environment=environment) as server:
        assert server.told[1].startswith(f"Responses are kept {told.format(folder=tmp_path)}")
        first = answer_of(server.url).json()["id"]
    with serving(tmp_path, *arguments, environment=environment) as server:
        kept = httpx2.get(f"{server.url}/responses/{first}", timeout=PATIENCE, trust_env=False)
        assert kept.status_code == (404 if "memory" in told else 200)


@pytest.mark.parametrize("way", ["argument", "variable"])
def test_t2_it_asks_for_the_key_that_it_was_given(tmp_path: Path, way: str) -> None:
    """By argument or variable: nobody else gets in, and the key is not told; by variable no process list has it."""
    arguments = ("--api-key", KEY) if way == "argument" else ()
    environment = {"OPENRESPONSES_API_KEY": KEY} if way == "variable" else {}
    with serving(tmp_path, *arguments, "--store", "memory:", environment=environment) as server:
        assert server.told[2] == "A key is needed"
        assert answer_of(server.url).status_code == 401
        assert answer_of(server.url, headers={"authorization": f"Bearer {KEY}"}).status_code == 200
        listed = Path(f"/proc/{server.process.pid}/cmdline")
        if way == "variable" and listed.exists():
            assert KEY.encode() not in listed.read_bytes()
        server.stop(signal.SIGTERM)
        assert KEY not in "".join([*server.told, server.end()[1]])


def test_t2_an_empty_variable_is_no_key(tmp_path: Path) -> None:
    """As an unset variable."""
    with serving(tmp_path, "--store", "memory:", environment={"OPENRESPONSES_API_KEY": ""}) as server:
        assert server.told[2] == "A key is not needed"
        assert answer_of(server.url).status_code == 200


def test_it_listens_on_an_ipv6_address(tmp_path: Path) -> None:
    """The address that it tells is one that can be called."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(tmp_path, "--store", "memory:", "--host", "::1", "--prefix", "/api") as server:
        assert server.url == f"http://[::1]:{server.port}/api"
        assert text_of(answer_of(server.url))


REFUSALS = {
    "a port that is none": (("--port", "99999"), 1, "there is no such port"),
    "a host that is none": (("--host", "a..b"), 1, "there is no such host"),
    "an address of another machine": (("--host", "192.0.2.1"), 1, "choose another --host or --port"),
    "a store of no kind": (("--store", "mysql://me:s3cret@h/x"), 1, "this one begins with none of these"),
    "a store that cannot be read": (("--store", "postgresql://me:s3c@ret@h:p/x"), 1, "Percent-encode"),
    "a store that is not there": (("--store", "postgresql://me:s3cret@127.0.0.1:1/x"), 1, "Check that the server runs"),
    "a store in no folder": (("--store", "sqlite:///no/such/folder/x.db"), 1, "there is no folder"),
    "a prefix without a slash": (("--prefix", "v1"), 2, "it has to begin with a slash"),
    "an empty key": (("--api-key", ""), 2, "has to be printable ASCII and not empty"),
}


@pytest.mark.parametrize(("arguments", "exit_code", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_it_says_in_one_line_why_it_cannot_start(
    tmp_path: Path, arguments: tuple[str, ...], exit_code: int, reason: str
) -> None:
    """One line, an exit code, no address of a server that is not there, and no password."""
    ended, output, errors = refusal(tmp_path, "serve", "--port", "0", *arguments)
    assert (ended, output) == (exit_code, "")
    assert errors.startswith("The server cannot start: ")
    assert reason in errors
    assert errors.count("\n") == 1
    assert not any(secret in errors for secret in ("s3c", "ret@", "Traceback"))


@pytest.mark.parametrize("arguments", [("--grace", "0"), ("--grace", "nan"), ("--delay", "-1"), ("--delay", "x")])
def test_it_takes_no_times_that_make_no_sense(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The argument is named, and there is no traceback."""
    ended, _, errors = refusal(tmp_path, "serve", *arguments)
    assert ended == 2
    assert f"argument {arguments[0]}: " in errors
    assert "Traceback" not in errors


def test_it_says_that_a_port_is_taken(tmp_path: Path) -> None:
    """Which one, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended, output, errors = refusal(tmp_path, "serve", "--port", str(port), "--store", "memory:")
    assert (ended, output) == (1, "")
    assert errors == (
        f"The server cannot start: 127.0.0.1 port {port}: Address already in use; choose another --host or --port\n"
    )


def test_it_says_that_uvicorn_is_missing(tmp_path: Path) -> None:
    """And how to get it."""
    ended, output, errors = refusal(tmp_path, "serve", environment=without(tmp_path, "uvicorn"))
    assert (ended, output) == (1, "")
    assert errors == "The server cannot start: uvicorn is not installed; install it, or the extra `server`\n"


def test_it_runs_out_of_a_package_that_was_vendored(tmp_path: Path) -> None:
    """Under another name and at another depth; the help names the command as it was given."""
    target = tmp_path / "app" / "vendor" / "kit"
    shutil.copytree(GENERATED / "openresponses_kit", target, ignore=shutil.ignore_patterns("__pycache__"))
    with serving(tmp_path, "--store", "memory:", module="app.vendor.kit", environment={"PYTHONPATH": ""}) as server:
        assert text_of(answer_of(server.url)) == "You said: “My name is Ada.”"
        server.stop(signal.SIGTERM)
        assert server.end() == (0, "")


class Streaming:
    """A stream that has begun on a server, and takes its time."""

    def __init__(self, server: ServingProcess) -> None:
        self._client = httpx2.Client(timeout=PATIENCE, trust_env=False)
        request = self._client.build_request("POST", f"{server.url}/responses", json={**BODY, "stream": True})
        self._response = self._client.send(request, stream=True)
        self._events = events_of(self._response)
        self.seen: list[Any] = []
        while not self.seen or self.seen[-1]["type"] != "response.output_text.delta":
            self.seen.append(next(self._events))

    def rest(self) -> list[Any]:
        """What else comes, up to the end."""
        return [*self._events]

    def close(self) -> None:
        self._response.close()
        self._client.close()


@STOPS
def test_s5_a_stream_may_finish_when_the_server_is_told_to_stop(tmp_path: Path, stop: int) -> None:
    """Within the time it is whole, nothing new begins meanwhile, and then the process ends with 0 and no noise."""
    with serving(tmp_path, "--delay", "0.05") as server, closing(Streaming(server)) as stream:
        server.stop(stop)
        *_, terminal, done = stream.rest()
        assert (terminal["type"], done) == ("response.completed", "[DONE]")
        assert terminal["response"]["output"][0]["content"][0]["text"] == "You said: “My name is Ada.”"
        assert server.end() == (0, "")


@pytest.mark.parametrize("why", ["the time is over", "Ctrl-C again"])
def test_s5_a_stream_that_may_not_finish_fails_by_the_rules(tmp_path: Path, why: str) -> None:
    """Its item is closed; then come the error, the failed response and `[DONE]`; the process ends with 0."""
    grace = "0.05" if why == "the time is over" else "600"
    with serving(tmp_path, "--delay", "600", "--grace", grace) as server, closing(_Slow(server)) as stream:
        server.stop(signal.SIGINT)
        if why == "Ctrl-C again":
            _wait_until_stopping(server)
            server.stop(signal.SIGINT)
        *_, error, failed, done = stream.rest()
        assert [error["type"], failed["type"], done] == ["error", "response.failed", "[DONE]"]
        assert failed["response"]["status"] == "failed"
        assert failed["response"]["error"] == {
            "code": error["error"]["code"] or error["error"]["type"],
            "message": error["error"]["message"],
        }
        assert "shutting down" in error["error"]["message"]
        assert server.end() == (0, "")


class _Slow(Streaming):
    """A stream whose first token does not come."""

    def __init__(self, server: ServingProcess) -> None:
        self._client = httpx2.Client(timeout=PATIENCE, trust_env=False)
        request = self._client.build_request("POST", f"{server.url}/responses", json={**BODY, "stream": True})
        self._response = self._client.send(request, stream=True)
        self._events = events_of(self._response)
        next(self._events)


def _wait_until_stopping(server: ServingProcess) -> None:
    root = server.url.removesuffix("/v1")
    while httpx2.get(f"{root}/health", timeout=PATIENCE, trust_env=False).json()["status"] != "stopping":
        pass


@STOPS
def test_w6_a_websocket_is_told_and_closed_when_the_server_stops(tmp_path: Path, stop: int) -> None:
    """The turn that may not finish ends by an error frame; then the connection is closed, and the process ends."""
    with (
        serving(tmp_path, "--delay", "600", "--grace", "0.05") as server,
        connect(f"{server.url.replace('http', 'ws')}/responses", proxy=None) as websocket,
    ):
        websocket.send(json.dumps({"type": "response.create", **BODY}))
        assert json.loads(websocket.recv(PATIENCE))["type"] == "response.created"
        server.stop(stop)
        frames = [json.loads(websocket.recv(PATIENCE))]
        while frames[-1]["type"] != "error":
            frames.append(json.loads(websocket.recv(PATIENCE)))
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert frames[-1]["status"] == 503
        assert not any(frame["type"] == "response.failed" for frame in frames)
        assert server.end() == (0, "")


def test_a_client_that_does_not_read_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    """A stream that nobody takes is cut, a moment after its time."""
    facts = " ".join(f"My thing {number} is {number}." for number in range(9000))
    body = json.dumps({"input": f"{facts} What do you know?", "stream": True}).encode()
    with (
        serving(tmp_path, "--grace", "0.05", "--store", "memory:") as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client,
    ):
        head = f"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        server.stop(signal.SIGTERM)
        ended, written = server.end()
        assert ended == 0
        assert "Traceback" not in written


@STOPS
@pytest.mark.parametrize("store", ["memory:", "sqlite:///x.db"])
def test_an_idle_server_stops_when_it_is_told_to(tmp_path: Path, stop: int, store: str) -> None:
    """Also with connections that are kept alive, and a WebSocket."""
    with (
        serving(tmp_path, "--store", store) as server,
        httpx2.Client(timeout=PATIENCE, trust_env=False) as client,
        connect(f"{server.url.replace('http', 'ws')}/responses", proxy=None) as websocket,
    ):
        assert client.post(f"{server.url}/responses", json=BODY).status_code == 200
        server.stop(stop)
        with pytest.raises(ConnectionClosed):
            websocket.recv(PATIENCE)
        assert server.end() == (0, "")
