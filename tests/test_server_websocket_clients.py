"""Our own client on the WebSocket of our own server: conversations, failures, and connections whose time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openresponses_kit import AsyncOpenResponses, OpenResponses, StreamFailedError
from openresponses_kit.server.app import create_app
from openresponses_kit.server.settings import ServerSettings
from running_server import RunningServer, running
from scripted_service import ScriptedService
from websocket_service import websocket_service


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    return websocket_service()


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    with running(create_app(service, store=None)) as server:
        yield server


def client_of(server: RunningServer) -> OpenResponses:
    return OpenResponses(base_url=f"{server.url}/v1", api_key="any", strict=True)


def test_w4_a_conversation_goes_on_by_itself(server: RunningServer) -> None:
    """Turns that name nothing continue the last, though nothing is stored."""
    with client_of(server) as client, client.responses.connect() as connection:
        for length in (1, 3, 5):
            turn = connection.create(model="counted", input="next", store=False)
            assert turn.get_final_response().output_text == str(length)


def test_w5_w6_a_conversation_survives_a_failure(server: RunningServer) -> None:
    """A turn that fails raises with what came, and the next one has the whole conversation, though it was forgotten."""
    with client_of(server) as client, client.responses.connect() as connection:
        connection.create(model="hello", input="hi", store=False).get_final_response()
        with pytest.raises(StreamFailedError) as failed:
            connection.create(model="failing", input="and?", store=False).get_final_response()
        assert (failed.value.status_code, failed.value.code) == (500, "model_crashed")
        assert failed.value.response is not None
        assert failed.value.response.status == "failed"
        assert failed.value.response.output_text == "half a sen"
        turn = connection.create(model="counted", input="again", store=False)
        assert turn.get_final_response().output_text == "3"


def test_w7_a_conversation_outlives_its_connection(service: ScriptedService) -> None:
    """A turn that the limit cut before its first event is run on a new connection, with the whole conversation."""
    asked: list[int] = []

    @service.script
    async def slow_at_first(_request: Any, out: Any) -> None:
        asked.append(len(out.context))
        if len(asked) == 1:
            await asyncio.Event().wait()
        async with out.message() as message:
            await message.text("at last")

    settings = ServerSettings(websocket_seconds=1.0, websocket_grace_seconds=0.1)
    with (
        running(create_app(service, store=None, settings=settings)) as server,
        client_of(server) as client,
        client.responses.connect() as connection,
    ):
        connection.create(model="hello", input="hi", store=False).get_final_response()
        turn = connection.create(model="slow_at_first", input="and?", store=False)
        assert turn.get_final_response().output_text == "at last"
    assert asked == [3, 3]


def test_w7_a_turn_that_is_cut_by_the_limit_raises_with_what_came(service: ScriptedService) -> None:
    """Once events were handed over, the limit is an error with the partial response."""
    settings = ServerSettings(websocket_seconds=1.0, websocket_grace_seconds=0.1)
    with (
        running(create_app(service, store=None, settings=settings)) as server,
        client_of(server) as client,
        client.responses.connect() as connection,
        pytest.raises(StreamFailedError) as cut,
    ):
        connection.create(model="endless", input="hi", store=False).get_final_response()
    assert cut.value.code == "websocket_connection_limit_reached"
    assert cut.value.response is not None
    assert cut.value.response.output_text == "begun"


def test_connections_do_not_mix(server: RunningServer) -> None:
    """Fifty conversations at once, each with its own memory."""

    async def converse(client: AsyncOpenResponses, turns: int) -> list[str]:
        said: list[str] = []
        async with client.responses.connect() as connection:
            for _ in range(turns):
                turn = connection.create(model="counted", input="next", store=False)
                said.append((await turn.get_final_response()).output_text)
        return said

    async def main() -> list[list[str]]:
        async with AsyncOpenResponses(base_url=f"{server.url}/v1", api_key="any", strict=True) as client:
            return await asyncio.gather(*(converse(client, 1 + number % 4) for number in range(50)))

    assert asyncio.run(main()) == [["1", "3", "5", "7"][: 1 + number % 4] for number in range(50)]
