"""What an MCP server is called with is seen by nobody else: not in answers, the store, logs or errors (rule E3)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp_talk import http
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.mcp import HTTPServer, MCPServers, MCPSettings
from openresponses_kit.server import create_app
from running_server import RunningServer, running
from scripted_model import ScriptedModel, calls, says
from websocket_talk import Talk
from websockets.sync.client import connect

SECRET = "s3cret-0f-the-caller"
OTHER = "an0ther-s3cret"
OPEN = MCPSettings(allow_request_servers=True, allow_private=True)
CREDENTIALS: list[dict[str, Any]] = [
    {"authorization": SECRET},
    {"authorization": f"Bearer {SECRET}", "headers": {"X-Other": OTHER}},
    {"headers": {"Authorization": f"Bearer {SECRET}", "X-Other": OTHER}},
]


@contextmanager
def gateway(folder: Path) -> Iterator[RunningServer]:
    model = ScriptedModel(calls(("far__headers", "{}")), says("Done."))
    loop = AgenticLoop(model, tools=[MCPServers(settings=OPEN)])
    with running(create_app(loop, store=f"sqlite:///{folder}/store.db"), log_level="debug") as server:
        yield server


def body(url: str, credentials: dict[str, Any], **fields: Any) -> dict[str, Any]:
    tool = {"type": "gateway:mcp", "server_label": "far", "server_url": url, "require_approval": "never"}
    return {"model": "m", "input": "hi", "tools": [{**tool, **credentials, "allowed_tools": ["headers"]}], **fields}


def over_json(server: RunningServer, request: dict[str, Any]) -> str:
    return httpx2.post(f"{server.url}/v1/responses", json=request, timeout=30, trust_env=False).text


def over_sse(server: RunningServer, request: dict[str, Any]) -> str:
    return over_json(server, {**request, "stream": True})


def over_websocket(server: RunningServer, request: dict[str, Any]) -> str:
    with connect(f"{server.websocket_url}/v1/responses") as websocket:
        talk = Talk(websocket)
        talk.send({"type": "response.create", **request})
        return json.dumps(talk.turn())


def in_background(server: RunningServer, request: dict[str, Any]) -> str:
    first = json.loads(over_json(server, {**request, "background": True}))
    kept = ""
    while '"completed"' not in kept:
        kept = httpx2.get(f"{server.url}/v1/responses/{first['id']}", timeout=30, trust_env=False).text
    return json.dumps(first) + kept


@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize("send", [over_json, over_sse, over_websocket, in_background])
def test_e3_headers_reach_the_server_and_nobody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, send: Any, credentials: dict[str, Any]
) -> None:
    """E3: whatever way a request comes, its credentials are in no answer, not in the store, and not in a log."""
    caplog.set_level(logging.DEBUG)
    # These two write down each frame as it comes; the test's own client is one of them.
    caplog.set_level(logging.INFO, "websockets.client")
    caplog.set_level(logging.INFO, "uvicorn.error")
    with http(tmp_path / "record.txt") as far, gateway(tmp_path) as server:
        answer = send(server, body(f"http://127.0.0.1:{far.port}/mcp", credentials))
    assert sha256(f"Bearer {SECRET}".encode()).hexdigest() in answer
    assert "server_label" in answer
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert b"server_label" in stored
    logged = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records)])
    for secret in (SECRET, OTHER):
        assert secret not in answer
        assert secret.encode() not in stored
        assert secret not in logged


def test_e3_a_failing_server_tells_no_headers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """E3: neither the answer nor the log of a connection that fails has what it would have been made with."""
    caplog.set_level(logging.DEBUG)
    with gateway(tmp_path) as server:
        answer = json.loads(over_json(server, body("http://127.0.0.1:9/mcp", CREDENTIALS[1])))
    assert answer["output"][0]["error"] == "the MCP server cannot be reached"
    for text in (json.dumps(answer), caplog.text):
        assert SECRET not in text
        assert OTHER not in text


def test_e3_configurations_do_not_show_secrets() -> None:
    """E3: printing a configuration, as logs do, shows no header and no address."""
    server = HTTPServer(label="far", url=f"http://h/{SECRET}", headers={"Authorization": SECRET})
    assert SECRET not in repr(server)


def test_t2_what_one_caller_reaches_another_does_not(tmp_path: Path) -> None:
    """T2: a connection that was made with the headers of one caller is not used for a request with others."""
    with http(tmp_path / "record.txt") as far, gateway(tmp_path) as server:
        url = f"http://127.0.0.1:{far.port}/mcp"
        for token in ("first", "second", "first"):
            answer = over_json(server, body(url, {"authorization": token}, store=False))
            assert "Done" in answer or sha256(f"Bearer {token}".encode()).hexdigest() in answer
    assert (tmp_path / "record.txt").read_text().count("list") == 2
