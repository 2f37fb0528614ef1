"""The WebSocket of the router for FastAPI, over real connections to a real uvicorn."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from fastapi import Depends, HTTPException
from fastapi_applications import HELLO, PATIENCE, PLACES, including, wait_for_end
from openresponses_kit.server.fastapi import create_router
from running_server import running
from scripted_service import ScriptedService, plain_service
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus
from websockets.sync.client import Connection, connect


@pytest.fixture
def service() -> ScriptedService:
    return plain_service()


def turn(socket: Connection, **body: Any) -> list[str]:
    """The types of the frames that answer a turn."""
    socket.send(json.dumps({"type": "response.create", **HELLO, **body}))
    found: list[str] = []
    while not found or not found[-1].startswith(("response.completed", "error")):
        found.append(json.loads(socket.recv(timeout=PATIENCE))["type"])
    return found


@pytest.mark.parametrize("place", PLACES)
def test_w1_the_websocket_is_at_the_same_path(service: ScriptedService, place: str) -> None:
    """Turns are answered by events, one after the other, wherever the router is."""
    with running(PLACES[place](service)) as server, connect(f"{server.websocket_url}/v1/responses") as socket:
        for _ in range(2):
            assert turn(socket)[-1] == "response.completed"
        assert turn(socket, model="unheard_of") == ["error"]


def test_dependencies_guard_the_websocket(service: ScriptedService) -> None:
    """A dependency that refuses has the handshake refused."""

    async def refuse(connection: HTTPConnection) -> None:
        if connection.headers.get("x-user") != "ada":
            raise HTTPException(403, "no")

    app = including(create_router(service, store=None), dependencies=[Depends(refuse)])
    with running(app) as server:
        url = f"{server.websocket_url}/v1/responses"
        with pytest.raises(InvalidStatus, match="403"):
            connect(url)
        with connect(url, additional_headers={"x-user": "ada"}) as socket:
            assert turn(socket)[-1] == "response.completed"


def test_e2_a_websocket_without_a_key_is_refused(service: ScriptedService) -> None:
    """The handshake is answered with 401, as without FastAPI."""
    with running(including(create_router(service, store=None, api_keys=["one"]))) as server:
        url = f"{server.websocket_url}/v1/responses"
        with pytest.raises(InvalidStatus, match="401"):
            connect(url)
        with connect(url, additional_headers={"authorization": "Bearer one"}) as socket:
            assert turn(socket)[-1] == "response.completed"


def test_z16_the_leaving_of_a_websocket_stops_the_service(service: ScriptedService) -> None:
    """A client that goes away in the middle of a turn has it cancelled; writing to it is no fault of the service."""
    written = threading.Event()

    @service.script
    async def persistent(_: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("begun")
            try:
                await asyncio.Event().wait()
            finally:
                await message.text("to nobody")
                written.set()

    with running(including(create_router(service, store=None))) as server:
        with connect(f"{server.websocket_url}/v1/responses") as socket:
            socket.send(json.dumps({"type": "response.create", "model": "persistent"}))
            while json.loads(socket.recv(timeout=PATIENCE))["type"] != "response.output_text.delta":
                pass
        assert written.wait(PATIENCE)
        wait_for_end(service)
    assert service.ended == [("persistent", asyncio.CancelledError)]


def test_z16_a_frame_to_a_client_that_is_gone_is_no_fault_of_the_service(
    service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """An ASGI server tells by an error that a client is gone: the turn stops, and no failure is logged."""
    frame = {"type": "websocket.receive", "text": json.dumps({"type": "response.create", **HELLO})}

    async def serve() -> None:
        is_gone = asyncio.Event()
        coming = iter([{"type": "websocket.connect"}, frame])

        async def receive() -> Any:
            message = next(coming, None)
            if message is None:
                await is_gone.wait()
            return message or {"type": "websocket.disconnect", "code": 1006}

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                is_gone.set()
                raise OSError("gone")

        scope = {"type": "websocket", "path": "/v1/responses", "query_string": b"", "headers": []}
        async with asyncio.timeout(PATIENCE):
            await including(create_router(service, store=None))(scope, receive, send)

    asyncio.run(serve())
    assert not caplog.records
