"""Applications under test, each below a path of its own of one real server."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from conform_faults import KEY
from openresponses_codegen.conform.cases import CASES
from openresponses_codegen.conform.outcome import Outcome
from openresponses_codegen.conform.report import Report
from openresponses_codegen.conform.run import run
from openresponses_codegen.conform.settings import Limits, Settings
from running_server import running

if TYPE_CHECKING:
    from types import ModuleType

NEWEST = "2026-04-24"
LIMITS = Limits(seconds=10, closing_seconds=0.3, retry_seconds=0.01)


def demonstration(package: ModuleType | None = None, *, api_key: str | None = KEY) -> Any:
    """The demonstration service of a package, which keeps every rule, as an application of its own."""
    name = "openresponses_kit" if package is None else package.__name__
    service = import_module(f"{name}.server.demonstration").DemonstrationService()
    keys = [api_key] if api_key is not None else None
    return import_module(f"{name}.server.app").create_app(service, store="memory:", api_keys=keys)


class Host:
    """Hands each request to the application that its path begins with."""

    def __init__(self) -> None:
        self.apps: dict[str, Any] = {}
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name, _, rest = scope["path"].removeprefix("/").partition("/")
        await self.apps[name]({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)

    def serve(self, name: str, app: Any) -> str:
        """The base URL of an application from now on."""
        self.apps[name] = app
        return f"{self.url}/{name}/v1"


@contextmanager
def hosting() -> Generator[Host]:
    """A host that runs."""
    host = Host()
    with running(host, log_level="critical", lifespan="off", ws="websockets-sansio") as server:
        host.url = server.url
        yield host


def report_on(
    url: str, release: str = NEWEST, *, limits: Limits = LIMITS, api_key: str | None = KEY, parallel: int = 4
) -> Report:
    """The report on the server at a URL."""
    return asyncio.run(run(Settings(url, release, api_key, None, parallel, limits), CASES))


def broken(report: Report) -> dict[str, str | None]:
    """The cases that failed, or would have if they were no advice, and why."""
    return {each.id: each.reason for each in (*report.of(Outcome.FAILED), *report.of(Outcome.ADVICE))}
