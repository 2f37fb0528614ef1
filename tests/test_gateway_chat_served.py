"""Chat Completions behind a served gateway: what callers see over HTTP, and what upstreams are sent.

Protects: S5 and S7 (an error after the first token), E2 and E3 (an upstream's refusal is not the caller's, and tells no
key), Z16 (who leaves takes the upstream's work along), M3 (what is told is told at once), X5, X7 and Z11 in the body
that the upstream is sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from chat_model import ChatModel
from chat_server import PATIENCE, SECRET, Server, serving
from openresponses_kit import AsyncOpenResponses
from openresponses_kit.events import ResponseOutputTextDeltaStreamingEvent
from openresponses_kit.gateway import ChatCompletionsUpstream
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.server.app import create_app
from running_server import running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


@contextmanager
def gateway(url: str, *, api_key: str | None = None) -> Generator[str]:
    """The base URL of a gateway in front of an upstream."""
    model = ChatCompletionsUpstream(url, api_key=api_key, timeout=PATIENCE)
    with running(create_app(AgenticLoop(model), store=None), log_level="critical") as served:
        yield f"{served.url}/v1"


def post(url: str, **members: Any) -> httpx2.Response:
    body = {"model": "m", "input": "Hi", **members}
    return httpx2.post(f"{url}/responses", json=body, timeout=PATIENCE, trust_env=False)


def test_z16_m3_the_first_token_is_there_at_once_and_who_leaves_takes_the_upstream_along(server: Server) -> None:
    """The upstream sends one token and goes on when it is left, never before."""

    async def read_one(url: str) -> str:
        async with AsyncOpenResponses(base_url=url) as client, client.responses.stream(model="m", input="Hi") as stream:
            async for event in stream:
                if isinstance(event, ResponseOutputTextDeltaStreamingEvent):
                    return event.delta
        raise AssertionError

    with gateway(server.at("stall/first")) as url:
        assert asyncio.run(asyncio.wait_for(read_one(url), PATIENCE)) == "Hi"
        assert server.was_left() == "/stall/first/v1/chat/completions"


def test_z16_who_gives_up_before_the_first_token_takes_the_upstream_along(server: Server) -> None:
    async def give_up(url: str) -> None:
        async with AsyncOpenResponses(base_url=url, max_retries=0) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.responses.create(model="m", input="Hi"), 0.3)

    with gateway(server.at("silent/given-up")) as url:
        asyncio.run(give_up(url))
        assert server.was_left() == "/silent/given-up/v1/chat/completions"


@pytest.mark.parametrize("name", ["error_chunk", "broken_off"])
def test_s5_s7_an_error_after_the_first_token_ends_the_stream_as_it_has_to(server: Server, name: str) -> None:
    with gateway(server.at(f"odd/{name}")) as url:
        streamed = post(url, stream=True)
    assert streamed.status_code == 200
    lines = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    events = [json.loads(line) for line in lines]
    assert [each["type"] for each in events][-2:] == ["error", "response.failed"]
    assert any(each.get("delta") == "Hi" for each in events)
    failed = events[-1]["response"]
    assert (failed["status"], failed["output"][0]["content"][0]["text"]) == ("failed", "Hi")


STATUSES: Mapping[int, int] = {400: 400, 401: 502, 403: 502, 404: 404, 413: 400, 422: 400, 429: 429, 500: 502}


@pytest.mark.parametrize("status", STATUSES)
def test_e2_e3_refusals_over_http_and_no_key_in_answers_or_logs(
    server: Server, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with gateway(server.at(f"status/{status}"), api_key=SECRET) as url:
        refused = post(url)
    assert refused.status_code == STATUSES[status]
    assert refused.headers.get("retry-after") == ("7" if status == 429 else None)
    if status == 413:
        assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert SECRET not in refused.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("path", ["odd/key_in_an_error", "status/400"])
def test_e3_a_key_of_any_form_is_not_repeated(server: Server, path: str) -> None:
    """The servers name a part of their message that looks like no key, which is the key here."""
    with gateway(server.at(path), api_key="request") as url:
        refused = post(url)
    assert refused.status_code == 400
    assert "bad … for" in refused.json()["error"]["message"]


FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
}
BODIES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "bare": ({}, {"stream": True, "stream_options": {"include_usage": True}}),
    "sampling": (
        {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1.0, "frequency_penalty": -1.0},
        {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1.0, "frequency_penalty": -1.0},
    ),
    "limits": ({"max_output_tokens": 99}, {"max_tokens": 99}),
    "effort": ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
    "verbosity": ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
    "logprobs": ({"top_logprobs": 3}, {"top_logprobs": 3, "logprobs": True}),
    "logprobs asked for": ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
    "schema": (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
            }
        },
    ),
    "plain text": ({"text": {"format": {"type": "text"}}}, {}),
    "tools": ({"tools": [FUNCTION]}, {"tools": [TOOL], "tool_choice": "auto"}),
    "x5 none": ({"tools": [FUNCTION], "tool_choice": "none"}, {}),
    "x7 one": (
        {"tools": [FUNCTION], "parallel_tool_calls": False},
        {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
    ),
}


@pytest.fixture(scope="module")
def model() -> Iterator[tuple[ChatModel, str]]:
    told = ChatModel()
    with running(told, lifespan="off") as upstream, gateway(f"{upstream.url}/v1") as url:
        yield told, url


@pytest.mark.parametrize("name", BODIES)
def test_x5_x7_what_a_request_becomes(model: tuple[ChatModel, str], name: str) -> None:
    told, url = model
    given, members = BODIES[name]
    answer = post(url, **given)
    assert answer.json()["status"] == "completed", answer.text
    always = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert told.bodies[-1] == {**always, **members}
