"""The acceptance test for servers: it passes a sound server, and every case fails for a fault of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from conform_faults import FAULTS, KEY
from conform_server import Server
from conform_wire import Fault, Faulty
from openresponses_codegen.conform.cases import CASES
from openresponses_codegen.conform.outcome import Outcome
from openresponses_codegen.conform.report import Report
from openresponses_codegen.conform.run import run
from openresponses_codegen.conform.settings import Limits, Settings

NEWEST = "2026-04-24"
LIMITS = Limits(seconds=10, closing_seconds=0.3, retry_seconds=0.01)


class Host:
    """Serves an application for every path that begins with its name."""

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name, _, rest = scope["path"].removeprefix("/").partition("/")
        await self.apps[name]({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)


@contextmanager
def hosting(host: Host) -> Generator[str]:
    """The URL of a running host."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(host, log_level="critical", lifespan="off", ws="websockets-sansio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


HOST = Host()


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with hosting(HOST) as url:
        yield url


def report_on(url: str, name: str, app: Any, release: str = NEWEST) -> Report:
    """The report on an application."""
    HOST.apps[name] = app
    settings = Settings(f"{url}/{name}/v1", release, KEY, limits=LIMITS)
    return asyncio.run(run(settings, CASES))


def broken(report: Report) -> dict[str, str | None]:
    """The cases that failed, or would have if they were no advice, and why."""
    return {each.id: each.reason for each in (*report.of(Outcome.FAILED), *report.of(Outcome.ADVICE))}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_makes_its_case_fail_and_no_other(url: str, name: str) -> None:
    report = report_on(url, name, Faulty(Server(KEY), FAULTS[name], KEY))
    assert list(broken(report)) == [name], broken(report)


def test_every_case_has_a_fault_and_every_fault_a_case() -> None:
    assert set(FAULTS) == {each.id for each in CASES}


def test_a_sound_server_passes(url: str) -> None:
    report = report_on(url, "sound", Faulty(Server(KEY), Fault(), KEY))
    assert broken(report) == {}
