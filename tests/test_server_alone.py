"""The server without anything but pydantic: no client half, no framework, no database, no ASGI server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openresponses_codegen.components import with_foundations
from openresponses_codegen.pipeline import Options, generate, load_spec
from payloads import RELEASES

PROGRAM = """
import asyncio, json, sys
from importlib.machinery import PathFinder

ABSENT = {"aiosqlite", "fastapi", "httpx2", "sqlalchemy", "starlette", "uvicorn", "websockets", "openresponses_codegen"}

class Present(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else super().find_spec(name, path, target)

sys.meta_path[:] = [Present if each is PathFinder else each for each in sys.meta_path]

from alone.server import MemoryStore, ResponsesService, StoreError, create_app, open_store

class Hello(ResponsesService):
    async def respond(self, request, out):
        async with out.message() as message:
            await message.text("Hello")

async def main():
    app = create_app(Hello())
    assert isinstance(app.core.store, MemoryStore)
    body = json.dumps({"input": "hi", "stream": sys.argv[1] == "stream"}).encode()
    received = [{"type": "http.request", "body": body}]
    sent = []
    async def receive():
        return received.pop() if received else await asyncio.Event().wait()
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}
    await app(scope, receive, send)
    await app.close()
    assert sent[0]["status"] == 200
    return b"".join(message.get("body", b"") for message in sent)

try:
    open_store("sqlite:///x.db")
except StoreError as error:
    assert "SQLAlchemy" in str(error)
else:
    raise AssertionError("a store was made of nothing")
sys.stdout.write(asyncio.run(main()).decode())
"""


@pytest.fixture(scope="module", params=RELEASES)
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the server and what it builds on, in a folder of its own."""
    folder = tmp_path_factory.mktemp("alone")
    options = Options("alone", with_foundations(["server"]))
    for name, text in generate(load_spec(request.param), options).files.items():
        path = folder / "alone" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_the_server_needs_pydantic_alone(alone: Path, mode: str) -> None:
    """It answers whole and as a stream, keeps responses in memory, and says what a database needs."""
    program = [sys.executable, "-c", PROGRAM, mode]
    run = subprocess.run(program, cwd=alone, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert '"text":"Hello"' in run.stdout
    assert run.stdout.endswith("data: [DONE]\n\n") is (mode == "stream")


def test_a_package_without_the_client_has_none_of_it(alone: Path) -> None:
    """What only the client needs is left out."""
    names = {path.name for path in (alone / "alone").iterdir()}
    assert not names & {"client", "errors.py", "accumulate.py", "testing.py", "params.py"}
    assert {"server", "sse.py", "openapi.json", "__main__.py"} <= names


def test_a_release_without_websockets_refuses_a_handshake(package: Callable[[str], ModuleType]) -> None:
    """A package of a release that has none closes the connection, and does not fail."""
    kit = package("2026-01-15")
    server = import_module(f"{kit.__name__}.server")
    app = server.create_app(None, store=None)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/v1/responses", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close"}]
