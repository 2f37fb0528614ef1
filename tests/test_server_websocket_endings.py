"""How a WebSocket of the server ends: its limit (rule W7), the server stopping, the client leaving (rule Z16)."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from openresponses_kit.server.app import ResponsesApp, create_app
from openresponses_kit.server.running import server_of
from openresponses_kit.server.settings import ServerSettings
from running_server import RunningServer, running
from scripted_service import ScriptedService
from websocket_service import opened_gate, websocket_service
from websocket_talk import PATIENCE, error_of, talking, text_of, until
from websockets.exceptions import InvalidStatus


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    return websocket_service()


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    with running(create_app(service, store="memory:")) as server:
        yield server


LIMIT = (400, "websocket_connection_limit_reached", None)


def test_w7_a_connection_that_is_idle_is_closed_at_its_limit(service: ScriptedService) -> None:
    """When the time is over, the error frame is sent and the connection is closed."""
    app = create_app(service, store=None, settings=ServerSettings(websocket_seconds=0.05))
    with running(app) as server, talking(server) as talk:
        assert error_of(talk.receive()) == LIMIT
        assert talk.close_code() == 1001


def test_w7_a_turn_in_flight_may_finish_within_the_grace(service: ScriptedService) -> None:
    """A turn that runs at the limit is let finish; one that waits is answered with the error, and no other begins."""
    seconds = 1.0

    @service.script
    async def lasting(_request: Any, out: Any) -> None:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, over.set)
        async with out.message() as message:
            await message.text("before ")
            await over.wait()
            await message.text("after")

    app = create_app(service, store=None, settings=ServerSettings(websocket_seconds=seconds))
    with running(app) as server, talking(server) as talk:
        begun = len(service.begun)
        talk.create("lasting")
        talk.create("hello")
        talk.create("hello")
        assert text_of(talk.turn()[-1]["response"]) == "before after"
        assert error_of(talk.receive()) == LIMIT
        assert talk.close_code() == 1001
    assert service.begun[begun:] == ["lasting"]


@pytest.mark.parametrize("name", ["endless", "silent"])
def test_w7_a_turn_that_outlasts_the_grace_is_ended_by_the_error(service: ScriptedService, name: str) -> None:
    """A turn that does not finish is stopped; the error frame is its end, once, and the connection is closed."""
    settings = ServerSettings(websocket_seconds=1.0, websocket_grace_seconds=0.1)
    with running(create_app(service, store=None, settings=settings)) as server, talking(server) as talk:
        talk.create(name)
        talk.create("hello")
        frames = talk.turn()
        assert error_of(frames[-1]) == LIMIT
        assert all(each["type"] != "response.failed" for each in frames)
        if name == "endless":
            assert frames[-2]["item"]["status"] == "incomplete"
        assert talk.close_code() == 1001
    assert service.ended[-1] == (name, asyncio.CancelledError)


def drain(server: RunningServer, app: ResponsesApp, seconds: float) -> None:
    """Have the server stop its work, from another thread; returns when it did."""
    loop = server.uvicorn.servers[0].get_loop()
    asyncio.run_coroutine_threadsafe(app.drain(seconds), loop).result(PATIENCE)


def test_a_server_that_stops_closes_idle_connections(service: ScriptedService) -> None:
    """An idle connection is closed without a frame, that a later turn would be taken for; new ones are refused."""
    app = create_app(service, store=None)
    with running(app) as server, talking(server) as talk:
        assert text_of(talk.response()) == "Hello world"
        drain(server, app, PATIENCE)
        assert talk.close_code() == 1001
        with pytest.raises(InvalidStatus) as refused, talking(server):
            pass
        assert refused.value.response.status_code == 503


@pytest.mark.parametrize("finishes", [True, False])
def test_s5_w6_a_server_that_stops_lets_a_turn_finish_within_a_limit(
    service: ScriptedService, *, finishes: bool
) -> None:
    """The turn in flight ends by itself or by an error frame; one that waits is told; then the connection is closed."""
    open_gate = opened_gate(service, "gated")
    app = create_app(service, store=None)
    with running(app) as server, talking(server) as talk:
        talk.create("gated" if finishes else "endless")
        talk.create("hello")
        while talk.receive()["type"] != "response.output_text.delta":
            pass
        stopping = threading.Thread(target=drain, args=(server, app, PATIENCE if finishes else 0.05))
        stopping.start()
        until(lambda: app.core.is_draining)
        if finishes:
            open_gate()
            assert text_of(talk.turn()[-1]["response"]) == "begun"
        else:
            assert error_of(talk.turn()[-1]) == (503, "server_error", None)
        assert error_of(talk.receive()) == (503, "server_error", None)
        assert talk.close_code() == 1001
        stopping.join(PATIENCE)
        assert not stopping.is_alive()


@pytest.mark.parametrize("is_forced", [False, True])
def test_s5_uvicorn_leaves_a_turn_its_time_when_it_is_told_to_stop(
    service: ScriptedService, *, is_forced: bool
) -> None:
    """Told once, the server lets the turn in flight finish before it closes WebSockets; told twice, it does not."""
    open_gate = opened_gate(service, "gated")
    app = create_app(service, store=None)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = server_of(uvicorn.Config(app, log_level="error", ws_per_message_deflate=False), app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        until(lambda: server.started)
        with talking(RunningServer(listener.getsockname()[1], server)) as talk:
            talk.create("gated")
            while talk.receive()["type"] != "response.output_text.delta":
                pass
            server.should_exit = True
            until(lambda: app.core.is_draining)
            if is_forced:
                server.force_exit = True
                assert error_of(talk.turn()[-1]) == (503, "server_error", None)
            else:
                open_gate()
                assert text_of(talk.turn()[-1]["response"]) == "begun"
            assert talk.close_code() == 1001
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("way", ["close", "cut", "garbage"])
@pytest.mark.parametrize("name", ["endless", "silent", "busy"])
def test_z16_the_leaving_of_a_client_stops_the_service(
    service: ScriptedService, server: RunningServer, name: str, way: str
) -> None:
    """A client that closes, breaks off or sends what is no frame has its turn cancelled, and no other begun."""
    ended, begun = len(service.ended), len(service.begun)
    with talking(server) as talk:
        talk.create(name)
        talk.create("hello")
        until(lambda: len(service.begun) > begun)
        if way == "close":
            with talk.websocket.protocol_mutex:
                talk.websocket.protocol.send_close(1000)
                talk.websocket.send_data()
        elif way == "cut":
            talk.websocket.close_socket()
        else:
            talk.websocket.socket.sendall(b"\xff" * 64)
        until(lambda: len(service.ended) > ended)
        talk.websocket.close_socket()
    assert service.ended[ended:] == [(name, asyncio.CancelledError)]
    assert service.begun[begun:] == [name]
    with talking(server) as talk:
        assert text_of(talk.response()) == "Hello world"


@pytest.mark.parametrize("after", range(12))
def test_z16_a_turn_can_be_left_after_any_frame(service: ScriptedService, server: RunningServer, after: int) -> None:
    """Whichever frame a client leaves after, the service is cancelled."""
    ended = len(service.ended)
    go = asyncio.Event()

    @service.script
    async def stepwise(_request: Any, out: Any) -> None:
        for number in range(2):
            async with out.message() as message:
                await message.text(str(number))
        await go.wait()

    with talking(server) as talk:
        talk.create("stepwise")
        for _ in range(after):
            talk.receive()
        talk.websocket.close_socket()
    until(lambda: len(service.ended) > ended)
    assert service.ended[-1] == ("stepwise", asyncio.CancelledError)


def test_a_client_that_does_not_read_holds_a_bounded_buffer(service: ScriptedService, server: RunningServer) -> None:
    """Writing waits for a client that does not read, however much there is to write."""
    written: list[int] = []
    stuck = threading.Event()

    @service.script
    async def flood(_request: Any, out: Any) -> None:
        piece = "x" * 65536
        async with out.message() as message:
            try:
                for number in range(2000):
                    written.append(number)
                    async with asyncio.timeout(1.0):
                        await message.text(piece)
            finally:
                stuck.set()

    with talking(server) as talk:
        with talk.websocket.recv_flow_control:
            talk.create("flood")
            assert stuck.wait(PATIENCE)
        talk.websocket.close_socket()
    # What the system's socket buffers take is some megabytes; 125 MB would have been written.
    assert len(written) < 400


def test_s3_l9_a_turn_that_is_stopped_loses_nothing_though_its_client_did_not_read(service: ScriptedService) -> None:
    """What was written while the client did not read, it reads later, all of it and once, up to the error frame."""

    @service.script
    async def flooding(_request: Any, out: Any) -> None:
        async with out.message() as message:
            for number in itertools.count():
                await message.text(f"{number} " * 8192)

    app = create_app(service, store=None)
    with running(app) as server, talking(server) as talk:
        with talk.websocket.recv_flow_control:
            talk.create("flooding")
            until(lambda: "flooding" in service.begun)
            drain(server, app, 0.5)
        frames = talk.turn()
        assert error_of(frames[-1]) == (503, "server_error", None)
        assert [each["sequence_number"] for each in frames[:-1]] == list(range(len(frames) - 1))
        deltas = [each["delta"] for each in frames if each["type"] == "response.output_text.delta"]
        assert frames[-2]["item"]["content"][0]["text"] == "".join(deltas)
        assert talk.close_code() == 1001
