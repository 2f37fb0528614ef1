"""Many streams through one gateway at once, and clients that leave: nothing is lost, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest
from chat_server import Server
from chat_server import serving as serving_models
from openresponses_kit import AsyncOpenResponses
from openresponses_kit.gateway import AgenticLoop, ChatCompletionsUpstream
from openresponses_kit.server import create_app
from running_server import RunningServer, running

STREAMS = 300


@pytest.fixture(scope="module")
def models() -> Iterator[Server]:
    with serving_models() as server:
        yield server


def gateway(models: Server, path: str) -> AgenticLoop:
    return AgenticLoop(ChatCompletionsUpstream(models.at(path)))


def test_three_hundred_streams_at_once(models: Server) -> None:
    """Each of them ends as it should, with the text of its own request."""

    async def ask(client: AsyncOpenResponses, number: int) -> tuple[str, bool]:
        async with client.responses.stream(model="m", input=f"Number {number}.") as stream:
            async for _ in stream:
                pass
            response = await stream.get_final_response()
        return response.status, bool(response.output_text)

    async def all_of_them(url: str) -> Counter[tuple[str, bool]]:
        limits = httpx2.Limits(max_connections=STREAMS)
        http_client = httpx2.AsyncClient(limits=limits, trust_env=False)
        async with AsyncOpenResponses(base_url=url, api_key="none", max_retries=0, http_client=http_client) as client:
            return Counter(await asyncio.gather(*(ask(client, number) for number in range(STREAMS))))

    app = create_app(gateway(models, "vllm"), store=None)
    with running(app, backlog=1024) as server:
        assert asyncio.run(all_of_them(f"{server.url}/v1")) == {("completed", True): STREAMS}


@pytest.mark.parametrize("path", ["endless/x", "stall/x"])
def test_z16_the_upstream_is_left_with_the_client(models: Server, path: str) -> None:
    """Whether text comes or nothing does: the connection to the model closes when the caller is gone."""
    with running(create_app(gateway(models, path), store=None)) as server:
        leave(server)
        assert models.was_left().startswith(f"/{path}")


def leave(server: RunningServer) -> None:
    """Send a request, and go away once its stream has begun."""
    body = json.dumps({"model": "m", "input": "Hi", "stream": True}).encode()
    lines = ("POST /v1/responses HTTP/1.1", "host: a", "content-type: application/json", f"content-length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while b"response.output_text.delta" not in received:
            received += connection.recv(65536)
