"""Chat Completions as an upstream: what comes of the streams of real servers, odd ones and hostile ones.

Protects: R1, X1 and S7 where answers are read, E2, E3 and E5 where they fail, and Z16. The server is a real process
(`chat_server`); what is written is recorded by a writer of the round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from chat_oddities import ODDITIES
from chat_server import PATIENCE, SECRET, Server, serving
from chat_shapes import SHAPES
from openresponses_kit import AsyncOpenResponses
from openresponses_kit.gateway import ChatCompletionsUpstream, Sampling, UpstreamError
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.models import CreateResponseBody, FunctionCall
from openresponses_kit.server.app import create_app
from running_server import running

TOOLS: list[Any] = [
    {"type": "function", "name": name, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    for name in ("weather", "time")
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


@dataclass
class Heard:
    """What a round was told; neighbours of one kind are joined."""

    told: list[list[str]] = field(default_factory=list[list[str]])
    is_told: bool = False

    def _add(self, kind: str, delta: str) -> None:
        if self.told and self.told[-1][0] == kind and len(self.told[-1]) == 2:
            self.told[-1][1] += delta
        else:
            self.told.append([kind, delta])

    async def text(self, delta: str, logprobs: Sequence[Any] = ()) -> None:
        if logprobs:
            self.told.append(["text", delta, *(str(each.logprob) for each in logprobs)])
        else:
            self._add("text", delta)

    async def annotate(self, annotation: Any) -> None:
        raise AssertionError(annotation)

    async def refuse(self, delta: str) -> None:
        self._add("refuse", delta)

    async def reason(self, delta: str) -> None:
        self._add("reason", delta)

    async def summarise(self, delta: str) -> None:
        raise AssertionError(delta)

    async def call(self, name: str, call_id: str | None = None) -> Call:
        made = ["call", name, call_id or "", ""]
        self.told.append(made)
        return Call(made)

    async def forward(self, event: str, data: bytes) -> None:
        raise AssertionError(event)

    def usage(self, input_tokens: int, output_tokens: int, **_more: int) -> None:
        self.told.append(["usage", str(input_tokens), str(output_tokens)])


@dataclass
class Call:
    made: list[str]

    async def arguments(self, delta: str) -> None:
        self.made[3] += delta

    async def done(self) -> None:
        return


def sample(url: str, heard: Heard, **settings: Any) -> str | None:
    """Sample an upstream once."""
    given: dict[str, Any] = {"timeout": PATIENCE, **settings}

    async def sampled() -> str | None:
        model = ChatCompletionsUpstream(url, **given)
        request = CreateResponseBody.model_validate({"model": "m", "input": "Hi"})
        try:
            return await model.sample(Sampling(request=request, model="m", items=[]), heard)
        finally:
            await model.close()

    return asyncio.run(asyncio.wait_for(sampled(), PATIENCE))


@pytest.mark.parametrize("how", ["odd", "split"])
@pytest.mark.parametrize("name", ODDITIES)
def test_r1_x1_s7_what_an_odd_stream_tells(server: Server, name: str, how: str) -> None:
    oddity, heard = ODDITIES[name], Heard()
    if oddity.error:
        with pytest.raises(UpstreamError) as failed:
            sample(server.at(f"{how}/{name}"), heard)
        assert oddity.error in failed.value.error.message
    else:
        assert sample(server.at(f"{how}/{name}"), heard) == oddity.reason
    assert [tuple(each) for each in heard.told] == list(oddity.told)


REFUSALS: Mapping[int, tuple[str, int, bool]] = {
    400: ("invalid_request", 400, False),
    401: ("server_error", 502, True),
    402: ("server_error", 502, True),
    403: ("server_error", 502, True),
    404: ("not_found", 404, True),
    413: ("invalid_request", 400, False),
    422: ("invalid_request", 400, False),
    429: ("too_many_requests", 429, True),
    500: ("server_error", 502, True),
    503: ("server_error", 502, True),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_e2_e3_e5_what_callers_are_told_of_a_refusal(server: Server, status: int) -> None:
    with pytest.raises(UpstreamError) as failed:
        sample(server.at(f"status/{status}"), Heard(), api_key=SECRET)
    told = failed.value
    assert (told.error.type, told.error.status, told.is_transient) == REFUSALS[status]
    assert told.retry_after == 7
    for text in (told.error.message, str(told)):
        assert SECRET not in text
        assert "10.0.0.7" not in text
        assert "127.0.0.1" not in text
    if status == 429:
        assert told.error.headers["retry-after"] == "7"
    if status == 413:
        assert told.error.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("path", "settings", "message"),
    [
        ("silent/x", {"timeout": 0.2}, "did not answer in time"),
        ("stall/x", {"timeout": 0.2}, "did not answer in time"),
        ("endless/x", {"max_answer_bytes": 1_000_000}, "more than this gateway reads"),
        ("line/x", {}, "more than this gateway reads"),
    ],
)
def test_hostile_upstreams_are_left(server: Server, path: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UpstreamError) as failed:
        sample(server.at(path), Heard(), **settings)
    assert message in failed.value.error.message


def test_e3_an_upstream_that_is_not_there() -> None:
    with pytest.raises(UpstreamError) as failed:
        sample("http://127.0.0.1:9/v1", Heard())
    assert failed.value.is_transient
    assert failed.value.error.message == "the upstream was not reached"


@pytest.mark.parametrize("shape", SHAPES)
def test_x1_a_conversation_with_a_call_over_each_shape(server: Server, shape: str) -> None:
    model = ChatCompletionsUpstream(server.at(shape), reasoning_field="reasoning_content")

    async def talk(url: str) -> None:
        async with AsyncOpenResponses(base_url=url) as client:
            first = await client.responses.create(model="m", input="Weather?", tools=TOOLS)
            calls = [each for each in first.output if isinstance(each, FunctionCall)]
            assert [(each.name, each.arguments) for each in calls] == [
                ("weather", '{"city": "x"}'),
                ("time", '{"city": "x"}'),
            ]
            thoughts = [each for each in first.output if each.type == "reasoning"]
            assert bool(thoughts) == (SHAPES[shape].reasoning is not None)
            outputs: list[Any] = [
                {"type": "function_call_output", "call_id": each.call_id, "output": each.name}
                for each in reversed(calls)
            ]
            again = await client.responses.create(model="m", input=outputs, tools=TOOLS, previous_response_id=first.id)
            assert again.status == "completed"
            assert again.output_text == 'I was told: ["Weather?", null, "weather", "time"]'
            assert (again.usage is not None) or SHAPES[shape].usage == "none"

    with running(create_app(AgenticLoop(model), store="memory:")) as gateway:
        asyncio.run(asyncio.wait_for(talk(f"{gateway.url}/v1"), PATIENCE))
