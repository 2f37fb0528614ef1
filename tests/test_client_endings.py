"""How streams end before their end, and how many go on at a time, against a real server on loopback.

Protects rule Z16: whoever stops reading, in whatever way, hangs up on the server, leaks no connection and warns of
nothing. Also: connections are used again after a stream that ended, and streams side by side do not mix.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openresponses_kit as kit
import pytest
from either_client import Clients
from scripted_answers import (
    DONE,
    all_families,
    cut_answer,
    json_answer,
    message,
    response,
    sse,
    stream_answer,
    text_events,
)
from scripted_server import WAIT, Answer, Script, ScriptedServer

ARGUMENTS: dict[str, Any] = {"model": "m", "input": "hi"}
EVENTS = text_events("Hel", "lo")
GOES_ON = cut_answer(*map(sse, EVENTS[:5]), WAIT)
"""The beginning of a stream, after which the server says nothing more."""


@pytest.fixture(autouse=True)
def no_leaks() -> Any:
    """Have what a test dropped collected while its warnings are still errors."""
    yield
    gc.collect()


class OwnError(Exception):
    """Raised by the code that reads a stream."""


def read_some(stream: Any) -> None:
    for _ in range(3):
        next(stream)


def leave_the_loop(client: Any) -> None:
    for event in client.responses.create(**ARGUMENTS, stream=True):
        if event.is_delta:
            break


def leave_the_loop_over_texts(client: Any) -> None:
    with client.responses.stream(**ARGUMENTS) as stream:
        for _ in stream.text_deltas():
            break


def raise_in_the_loop(client: Any) -> None:
    def read() -> None:
        for _ in client.responses.create(**ARGUMENTS, stream=True):
            raise OwnError

    with pytest.raises(OwnError):
        read()


def raise_in_the_context(client: Any) -> None:
    def read() -> None:
        with client.responses.stream(**ARGUMENTS) as stream:
            read_some(stream)
            raise OwnError

    with pytest.raises(OwnError):
        read()


def leave_the_context(client: Any) -> None:
    with client.responses.create(**ARGUMENTS, stream=True) as stream:
        read_some(stream)


def leave_the_folding_context(client: Any) -> None:
    with client.responses.stream(**ARGUMENTS) as stream:
        read_some(stream)


def leave_the_context_unread(client: Any) -> None:
    with client.responses.stream(**ARGUMENTS):
        pass


def close_the_stream(client: Any) -> None:
    stream = client.responses.create(**ARGUMENTS, stream=True)
    read_some(stream)
    stream.close()
    assert list(stream) == []
    stream.close()


def close_the_stream_unread(client: Any) -> None:
    client.responses.create(**ARGUMENTS, stream=True).close()


def drop_the_stream(client: Any) -> None:
    stream = client.responses.create(**ARGUMENTS, stream=True)
    read_some(stream)
    del stream


def close_the_client(client: Any) -> None:
    stream = client.responses.create(**ARGUMENTS, stream=True)
    read_some(stream)
    client.close()
    with pytest.raises(kit.StreamInterruptedError) as caught:
        list(stream)
    assert caught.value.response is not None


ENDINGS = [
    leave_the_loop,
    leave_the_loop_over_texts,
    raise_in_the_loop,
    raise_in_the_context,
    leave_the_context,
    leave_the_folding_context,
    leave_the_context_unread,
    close_the_stream,
    close_the_stream_unread,
    drop_the_stream,
    close_the_client,
]


@pytest.mark.parametrize("end", ENDINGS)
def test_z16_whoever_stops_reading_hangs_up(
    server: ScriptedServer, connect: Clients, end: Callable[[Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    script = server.script(GOES_ON)
    client = connect(script.base_url)
    caplog.set_level(logging.INFO, "openresponses_kit")
    gc.disable()  # hanging up must not wait until garbage is collected
    try:
        end(client)
        assert connect.while_running(script.wait_for_closing) == "client"
    finally:
        gc.enable()
    lines = [each.getMessage() for each in caplog.records if each.name == "openresponses_kit"]
    assert len(lines) == 1, "a call is told of once, when it is over"


def asynchronously(script: Script, work: Callable[[kit.AsyncOpenResponses], Awaitable[None]]) -> None:
    """Run asynchronous work, and see that the server was hung up on while its loop still ran."""

    async def run() -> None:
        async with kit.AsyncOpenResponses(base_url=script.base_url, timeout=10) as client:
            await work(client)
            assert await asyncio.to_thread(script.wait_for_closing) == "client"

    asyncio.run(run())


async def events_of(client: kit.AsyncOpenResponses, *, folds: bool) -> AsyncIterator[kit.StreamEvent]:
    """The events of a stream, had by either way."""
    if folds:
        async with client.responses.stream(**ARGUMENTS) as stream:
            async for event in stream:
                yield event
    else:
        async for event in await client.responses.create(**ARGUMENTS, stream=True):
            yield event


ANSWERS: dict[str, Answer] = {"before the answer": [WAIT], "in the stream": GOES_ON}


@pytest.mark.parametrize("folds", [False, True], ids=["create", "stream"])
@pytest.mark.parametrize("moment", ANSWERS)
def test_z16_a_task_that_is_cancelled_hangs_up(server: ScriptedServer, moment: str, folds: bool) -> None:
    script = server.script(ANSWERS[moment])

    async def work(client: kit.AsyncOpenResponses) -> None:
        came = asyncio.Event()

        async def read() -> None:
            async for event in events_of(client, folds=folds):
                if event.is_delta:
                    came.set()

        task = asyncio.create_task(read())
        await (asyncio.to_thread(script.wait_for_requests, 1) if moment == "before the answer" else came.wait())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asynchronously(script, work)


@pytest.mark.parametrize("folds", [False, True], ids=["create", "stream"])
@pytest.mark.parametrize("moment", ANSWERS)
def test_z16_a_timeout_of_the_caller_hangs_up(server: ScriptedServer, moment: str, folds: bool) -> None:
    script = server.script(ANSWERS[moment])

    async def work(client: kit.AsyncOpenResponses) -> None:
        async def read() -> None:
            async with asyncio.timeout(0.2):
                async for _ in events_of(client, folds=folds):
                    pass

        with pytest.raises(TimeoutError) as caught:
            await read()
        assert not isinstance(caught.value, kit.OpenResponsesError)

    asynchronously(script, work)


def test_z16_a_call_that_is_cancelled_hangs_up(server: ScriptedServer) -> None:
    script = server.script([WAIT])

    async def work(client: kit.AsyncOpenResponses) -> None:
        task = asyncio.create_task(client.responses.create(**ARGUMENTS))
        await asyncio.to_thread(script.wait_for_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asynchronously(script, work)


def test_z16_a_loop_that_ends_in_mid_stream_leaves_nothing(server: ScriptedServer) -> None:
    script = server.script(GOES_ON)

    async def run() -> None:
        client = kit.AsyncOpenResponses(base_url=script.base_url, timeout=10)
        stream = await client.responses.create(**ARGUMENTS, stream=True)
        async for event in stream:
            if event.is_delta:
                break
        await client.close()

    asyncio.run(run())
    assert script.wait_for_closing() == "client"


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "identity"}], ids=["plain", "encoded"])
@pytest.mark.parametrize("api", ["create", "stream"])
def test_a_connection_is_used_again_after_a_stream_that_ended(
    server: ScriptedServer, connect: Clients, api: str, encoding: dict[str, str]
) -> None:
    whole = stream_answer(*map(sse, EVENTS), DONE, headers=encoding)
    script = server.script(whole, json_answer(response()), whole, json_answer(response()))
    client = connect(script.base_url)
    for _ in range(2):
        if api == "create":
            assert len(list(client.responses.create(**ARGUMENTS, stream=True))) == len(EVENTS)
        else:
            with client.responses.stream(**ARGUMENTS) as stream:
                assert stream.get_final_response().output_text == "Hello"
        client.responses.create(**ARGUMENTS)
    assert len(script.requests) == 4
    assert len({each.connection for each in script.requests}) == 1


def own_text(number: int) -> list[str]:
    """The pieces of a text like no other's."""
    return [f"{number}-{piece} " * 20 for piece in range(30)]


def test_two_hundred_streams_go_on_at_a_time_and_do_not_mix(server: ScriptedServer) -> None:
    scripts = [
        server.script(stream_answer(*(sse(each) for each in text_events(*own_text(number))[:4]), WAIT, *rest(number)))
        for number in range(200)
    ]

    async def read(client: kit.AsyncOpenResponses, script: Script, begun: asyncio.Barrier) -> str:
        async with client.with_options(base_url=script.base_url).responses.stream(**ARGUMENTS) as stream:
            await anext(stream)
            await begun.wait()  # all of them have begun, and none can have ended
            script.release()
            pieces = [each async for each in stream.text_deltas()]
            assert "".join(pieces) == (await stream.get_final_response()).output_text
        return "".join(pieces)

    async def run() -> list[str]:
        async with kit.AsyncOpenResponses(base_url="http://unused.example", timeout=30) as client:
            begun = asyncio.Barrier(len(scripts))
            return await asyncio.gather(*(read(client, script, begun) for script in scripts))

    assert asyncio.run(run()) == ["".join(own_text(number)) for number in range(200)]


def rest(number: int) -> list[bytes]:
    return [*(sse(each) for each in text_events(*own_text(number))[4:]), DONE]


def test_a_client_serves_many_threads(server: ScriptedServer) -> None:
    together = threading.Barrier(32)

    def work(number: int) -> None:
        texts = own_text(number)
        streamed = stream_answer(*map(sse, text_events(*texts)), DONE)
        script = server.script(json_answer(response(output=[message(f"{number}")])), streamed, streamed)
        together.wait()  # so that they all need the first connection at the same time
        own = client.with_options(base_url=script.base_url)
        assert own.responses.create(**ARGUMENTS).output_text == f"{number}"
        *_, last = own.responses.create(**ARGUMENTS, stream=True)
        assert isinstance(last, kit.ResponseCompletedStreamingEvent)
        assert last.response.output_text == "".join(texts)
        with own.responses.stream(**ARGUMENTS) as stream:
            assert stream.get_final_response().output_text == "".join(texts)

    with kit.OpenResponses(base_url="http://unused.example", timeout=30) as client, ThreadPoolExecutor(32) as threads:
        assert list(threads.map(work, range(32))) == [None] * 32


def test_no_stream_is_read_twice(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(stream_answer(*map(sse, all_families()), DONE))
    stream = connect(script.base_url).responses.create(**ARGUMENTS, stream=True)
    assert len(list(stream)) == len(all_families())
    assert list(stream) == []
