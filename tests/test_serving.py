"""`python -m openresponses_kit serve` as a process: what it prints, how it ends, and with which exit code."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

GENERATED = Path(__file__).parent.parent / "generated"
KEY = "a-key-that-is-shown-nowhere"
PATIENCE = 30.0


@dataclass
class Served:
    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def url(self) -> str:
        return self.lines[0].split()[-1]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code, and all that was printed and logged."""
        self.process.send_signal(number)
        out, log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, "".join([*self.lines, out, log])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "openresponses_kit", "serve", *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "OPENRESPONSES_API_KEY"}
    return {**kept, "PYTHONPATH": str(GENERATED), **(more or {})}


@contextmanager
def serving(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> Iterator[Served]:
    process = subprocess.Popen(
        command("--port", "0", *arguments),
        cwd=folder,
        env=environment(more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Served(process, [process.stdout.readline() for _ in range(4)])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def run(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_well(tmp_path: Path, number: int) -> None:
    """The first line is printed once it answers, with the port that was free; told to stop it exits with 0."""
    with serving(tmp_path, "--store", "memory:", "--prefix", "/api") as served:
        assert served.url.endswith("/api")
        answer = httpx2.post(f"{served.url}/responses", json={"input": "Hi"})
        assert answer.status_code == 200
        code, printed = served.stop(number)
    assert code == 0
    assert "kept in memory, bounded" in printed
    assert "No key is needed" in printed
    assert "Traceback" not in printed


def test_the_line_to_try_works(tmp_path: Path) -> None:
    """What it prints as an example is a command that gets an answer."""
    with serving(tmp_path, "--store", "memory:") as served:
        words = shlex.split(served.lines[3].removeprefix("Try: "))
        assert words[0] == "curl"
        headers = [words[index + 1].split(": ") for index, word in enumerate(words) if word == "-H"]
        body = words[words.index("-d") + 1]
        answer = httpx2.post(words[1], content=body, headers=[(name, value) for name, value in headers])
        assert answer.status_code == 200
        assert "Ada" in answer.text


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_t2_a_key_is_asked_for_and_never_shown(tmp_path: Path, way: str) -> None:
    arguments = ["--api-key", KEY] if way == "argument" else []
    more = {"OPENRESPONSES_API_KEY": KEY} if way == "environment" else {}
    with serving(tmp_path, "--store", "memory:", "--log-level", "debug", *arguments, more=more) as served:
        url = f"{served.url}/responses"
        assert httpx2.post(url, json={"input": "Hi"}).status_code == 401
        headers = {"authorization": f"Bearer {KEY}"}
        assert httpx2.post(url, json={"input": "Hi"}, headers=headers).status_code == 200
        _, printed = served.stop()
    assert "A key is needed" in printed
    assert KEY not in printed


def test_by_default_responses_outlive_the_process(tmp_path: Path) -> None:
    """They are kept in a file of the working directory, and it says so."""
    with serving(tmp_path) as served:
        assert "openresponses.db" in served.lines[1]
        first = httpx2.post(f"{served.url}/responses", json={"input": "My name is Ada."}).json()
        served.stop()
    with serving(tmp_path) as served:
        body = {"input": "What is my name?", "previous_response_id": first["id"]}
        assert "Ada" in httpx2.post(f"{served.url}/responses", json=body).text


def ask_for_ever(url: str) -> None:
    while True:
        httpx2.get(url, timeout=PATIENCE)


def long_turn() -> dict[str, Any]:
    """A request whose answer is far more than what fits between a server and a client that does not read."""
    call = {"type": "function_call", "call_id": "c", "name": "read", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "word " * 90_000}
    return {"input": [call, output], "stream": True}


@pytest.mark.parametrize(("grace", "ending"), [("20", "response.completed"), ("0.2", "response.failed")])
def test_s5_streams_finish_within_the_limit_or_fail_by_the_rules(tmp_path: Path, grace: str, ending: str) -> None:
    """Told to stop while it streams, it lets the stream go on; one that takes too long gets an error and its end."""
    with serving(tmp_path, "--store", "memory:", "--grace", grace) as served:
        with httpx2.stream("POST", f"{served.url}/responses", json=long_turn(), timeout=PATIENCE) as answer:
            chunks = answer.iter_bytes()
            begun = next(chunks)
            served.process.send_signal(signal.SIGTERM)
            if ending == "response.failed":
                # Not read until the port is closed: by then the time of the stream is over.
                with pytest.raises(httpx2.TransportError):
                    ask_for_ever(f"{served.url.removesuffix('/v1')}/health")
            content = b"".join([begun, *chunks])
        assert served.process.wait(PATIENCE) == 0
    events = [line.removeprefix("event: ") for line in content.decode().splitlines() if line.startswith("event: ")]
    assert events[-1] == ending
    assert content.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--port", "99999"], 1, "there is no such port"),
        (["--host", "203.0.113.1"], 1, "choose another --host or --port"),
        (["--store", "mysql://user:secret@host/name"], 1, "The URL of a store is"),
        (["--store", "sqlite:////nowhere/at/all.db"], 1, "there is no folder"),
        (["--prefix", "v1"], 2, "the prefix is 'v1'"),
        (["--grace", "-1"], 2, "has to be more than 0"),
        (["--api-key", ""], 2, "the key is empty"),
        (["--log-level", "loud"], 2, "--log-level"),
        (["--port", "many"], 2, "--port"),
    ],
)
def test_what_cannot_be_served_is_told(tmp_path: Path, arguments: list[str], code: int, reason: str) -> None:
    """Exit code 1 when it cannot start, 2 for wrong use; nothing claims to be served, and no password is shown."""
    first = [] if "--port" in arguments else ["--port", "0"]
    store = [] if "--store" in arguments else ["--store", "memory:"]
    done = run(tmp_path, *first, *store, *arguments)
    assert done.returncode == code
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert "Serving" not in done.stdout


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with serving(tmp_path, "--store", "memory:") as served:
        port = str(httpx2.URL(served.url).port)
        done = run(tmp_path, "--port", port, "--store", "memory:")
    assert done.returncode == 1
    assert "in use" in done.stderr


def test_without_uvicorn_it_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError\n")
    path = os.pathsep.join([str(tmp_path), str(GENERATED)])
    done = run(tmp_path, "--port", "0", more={"PYTHONPATH": path})
    assert done.returncode == 1
    assert "extra `server`" in done.stderr


def test_a_store_with_a_password_does_not_show_it(tmp_path: Path) -> None:
    """Nothing listens there: the failure names the place, and neither user nor password."""
    done = run(tmp_path, "--port", "0", "--store", "postgresql://user:secret@127.0.0.1:1/name")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "secret" not in done.stdout + done.stderr
