"""How the client is called, as type checkers see it: `.ci/run` passes this file through mypy and pyright, both strict.

Nothing here runs. Each `assert_type` is what a user's editor shows; each line must need no cast.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

import httpx2
from openresponses_kit import (
    AsyncOpenResponses,
    AsyncStream,
    CompactResource,
    FunctionCall,
    ItemField,
    OpenResponses,
    ParsedResponse,
    ReasoningBody,
    ResponseResource,
    RunResult,
    Stream,
    StreamEvent,
    UserMessageItemParam,
    tool,
)
from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    name: str


@tool
def population(city: str, year: int = 2026) -> int:
    """How many live in a city."""
    return len(city) * year


def synchronous(client: OpenResponses, stream: bool) -> None:
    response = client.responses.create(model="m", input="Explain the theory of life.")
    assert_type(response, ResponseResource)
    assert_type(response.output_text, str)
    assert_type(response.refusal, str | None)
    assert_type(response.request_id, str | None)
    assert_type(response.function_calls, list[FunctionCall])
    assert_type(response.reasoning_items, list[ReasoningBody])
    assert_type(response.as_input(), list[ItemField])
    client.responses.create(
        model="m",
        input=[
            *response.as_input(),
            {"type": "function_call_output", "call_id": "c", "output": "3"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            UserMessageItemParam(content="hi"),
        ],
        tools=[population.param()],
        tool_choice="auto",
        reasoning={"effort": "low"},
        temperature=None,
        extra_headers={"x-one": "1", "user-agent": None},
        extra_query={"a": "b"},
        extra_body={"provider": {"only": ["a"]}},
        timeout=httpx2.Timeout(5, read=None),
        idempotency_key="k",
    )
    assert_type(client.responses.create(model="m", input="hi", stream=True), Stream)
    assert_type(client.responses.create(model="m", input="hi", stream=stream), ResponseResource | Stream)
    parsed = client.responses.create(model="m", input="hi", text_format=City)
    assert_type(parsed, ParsedResponse[City])
    assert_type(client.responses.parse(model="m", input="hi", text_format=City).output_parsed, City | None)
    for event in client.responses.create(model="m", input="hi", stream=True):
        assert_type(event, StreamEvent)
        if event.type == "response.output_text.delta":
            assert_type(event.sequence_number, int | None)
    with client.responses.stream(model="m", input="hi", text_format=City) as opened:
        assert_type(iter(opened), Iterator[StreamEvent])
        assert_type(opened.get_final_response().output_parsed, City | None)
    run = client.responses.run(model="m", input="hi", tools=[population, {"type": "acme:search"}], max_rounds=3)
    assert_type(run, RunResult)
    for event in client.responses.run(model="m", input="hi", tools=[population], stream=True):
        assert_type(event, StreamEvent)
    assert_type(client.responses.compact(model="m", input=[*response.output]), CompactResource)
    assert_type(client.responses.with_raw_response.create(model="m", input="hi").parse(), ResponseResource)
    assert_type(client.with_options(timeout=None, max_retries=0), OpenResponses)
    with client.responses.connect(ping_interval=5) as connection:
        for event in connection.create(model="m", input="hi"):
            assert_type(event, StreamEvent)
    assert_type(population("Paris"), int)


async def asynchronous(client: AsyncOpenResponses) -> Any:
    assert_type(await client.responses.create(model="m", input="hi"), ResponseResource)
    assert_type(await client.responses.create(model="m", input="hi", stream=True), AsyncStream)
    async for event in await client.responses.create(model="m", input="hi", stream=True):
        assert_type(event, StreamEvent)
    async with client.responses.stream(model="m", input="hi", text_format=City) as opened:
        assert_type(aiter(opened), AsyncIterator[StreamEvent])
        assert_type((await opened.get_final_response()).output_parsed, City | None)
    assert_type(await client.responses.run(model="m", input="hi", tools=[population]), RunResult)
    async with client.responses.connect() as connection:
        async for event in connection.create(model="m", input="hi"):
            assert_type(event, StreamEvent)
