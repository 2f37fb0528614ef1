"""The server to clients that people have: the one of this package, and the openai SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import openai
import pytest
from openresponses_kit import AsyncOpenResponses, BadRequestError, NotFoundError, OpenResponses, StreamFailedError
from openresponses_kit.server.app import create_app
from running_server import RunningServer, running
from scripted_service import plain_service

PATIENCE = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(create_app(plain_service(), store="memory:", api_keys=["a-key-for-tests"])) as server:
        yield server


@pytest.fixture
def ours(server: RunningServer) -> Iterator[OpenResponses]:
    with OpenResponses(base_url=f"{server.url}/v1", api_key="a-key-for-tests", max_retries=0, strict=True) as client:
        yield client


@pytest.fixture
def theirs(server: RunningServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="a-key-for-tests", max_retries=0) as client:
        yield client


def test_our_client_finds_nothing_to_mend(ours: OpenResponses) -> None:
    """Read strictly, an answer and a stream are as the specification says, and say the same."""
    whole = ours.responses.create(model="hello", input="hi")
    assert whole.deviations == ()
    assert whole.output_text == "Hello world"
    with ours.responses.stream(model="hello", input="hi", previous_response_id=whole.id) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        streamed = stream.get_final_response()
    assert deltas == ["Hello ", "world"]
    assert streamed.deviations == ()
    assert streamed.output_text == whole.output_text
    assert streamed.previous_response_id == whole.id


def test_our_client_gets_errors_with_their_place(ours: OpenResponses) -> None:
    """Errors have type, code, place and the name of the request."""
    with pytest.raises(NotFoundError) as unknown:
        ours.responses.create(model="hello", previous_response_id="resp_0")
    assert unknown.value.code == "previous_response_not_found"
    assert unknown.value.param == "previous_response_id"
    assert unknown.value.request_id
    with pytest.raises(BadRequestError) as refused:
        ours.responses.create(model="hello", input="hi", extra_body={"temperature": "hot"})
    assert refused.value.param == "temperature"


def test_our_client_talks_over_a_websocket(ours: OpenResponses) -> None:
    """Turns on one connection continue each other, also when nothing is stored (W4)."""
    with ours.responses.connect() as connection:
        first = connection.create(model="counted", input="a", store=False).get_final_response()
        again = connection.create(model="counted", input="b", store=False, previous_response_id=first.id)
        assert again.get_final_response().output_text == "3"
        with pytest.raises(StreamFailedError) as unknown:
            connection.create(model="counted", input="c", previous_response_id="resp_0").get_final_response()
        assert (unknown.value.status_code, unknown.value.code) == (400, "previous_response_not_found")


def test_many_requests_at_once_do_not_mix(server: RunningServer) -> None:
    """Two hundred streams of one client each get their own response."""

    async def all_of_them() -> list[str]:
        async with AsyncOpenResponses(base_url=f"{server.url}/v1", api_key="a-key-for-tests") as client:

            async def one(number: int) -> str:
                window = [{"role": "user", "content": "x"} for _ in range(number + 1)]
                async with client.responses.stream(model="counted", input=window) as stream:
                    return (await stream.get_final_response()).output_text

            return await asyncio.gather(*(one(number) for number in range(200)))

    assert asyncio.run(all_of_them()) == [str(number + 1) for number in range(200)]


def test_the_openai_sdk_reads_an_answer(theirs: openai.OpenAI) -> None:
    """The SDK of OpenAI reads a whole response, and continues it."""
    response = theirs.responses.create(model="hello", input="hi")
    assert response.output_text == "Hello world"
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 5
    counted = theirs.responses.create(model="counted", input="more", previous_response_id=response.id)
    assert counted.output_text == "3"
    assert theirs.responses.retrieve(response.id).output_text == "Hello world"


def test_the_openai_sdk_reads_a_stream(theirs: openai.OpenAI) -> None:
    """Its plain stream gives the events, and its helper folds them to the same response."""
    plain = theirs.responses.create(model="hello", input="hi", stream=True)
    text = "".join(event.delta for event in plain if event.type == "response.output_text.delta")
    assert text == "Hello world"
    with theirs.responses.stream(model="hello", input="hi") as stream:
        assert stream.get_final_response().output_text == "Hello world"


def test_the_openai_sdk_raises_its_errors(server: RunningServer, theirs: openai.OpenAI) -> None:
    """Statuses and bodies become the SDK's own errors, with code and place."""
    with pytest.raises(openai.NotFoundError) as unknown:
        theirs.responses.create(model="nobody", input="hi")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as refused:
        theirs.responses.create(model="hello", input="hi", temperature="hot")  # type: ignore[call-overload]
    assert refused.value.param == "temperature"
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.responses.create(model="hello", input="hi")
