"""Turns over a WebSocket, against a real server, synchronous and asynchronous.

Protects: a conversation goes on from turn to turn, nothing that the server says is lost or refused, what makes no turn
is refused before it is sent, and whatever is left early leaves nothing open.
"""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from openresponses_kit.client.aio.connection import AsyncResponseConnection
from openresponses_kit.client.handshake import ConnectionSettings
from openresponses_kit.client.sync.connection import ResponseConnection, ResponseTurn
from openresponses_kit.errors import (
    InvalidRequestError,
    OpenResponsesError,
    StreamInterruptedError,
    StreamTimeoutError,
)
from openresponses_kit.events import StreamEvent, UnknownEvent
from websocket_events import PIECES, events, response, said, user
from websocket_server import (
    PATIENCE,
    Script,
    WebSocketServer,
    answer,
    cut,
    send,
    send_in_fragments,
    send_slowly,
    tell,
    until_gone,
)
from websocket_shells import Connect, all_gone, read, scenario, settings_for

TEXT = "".join(PIECES)
WHOLE = len(events())


@scenario
async def test_w1_w2_p1_turns_go_on_from_one_another(connect: Connect) -> None:
    with WebSocketServer(Script([answer("r1"), answer("r2"), answer("r3")])) as server:
        async with connect(settings_for(server)) as connection:
            got = await read(connection.create(model="m", input="one", instructions="Be brief."))
            assert [event.type for event in got] == [each["type"] for each in events()]
            second = await connection.create(model="m", input=[user("two")]).get_final_response()
            assert (second.id, second.output_text) == ("r2", TEXT)
            assert connection.last_response_id == "r2"
            await read(connection.create(model="m", input="three", previous_response_id=None))
        assert len(server.sessions) == 1
        assert await all_gone(server)
    assert server.frames == [
        {"type": "response.create", "model": "m", "input": "one", "instructions": "Be brief."},
        {"type": "response.create", "model": "m", "input": [user("two")], "previous_response_id": "r1"},
        {"type": "response.create", "model": "m", "input": "three", "previous_response_id": None},
    ]
    assert server.sessions[0].websocket.protocol.close_rcvd.code == 1000


@scenario
async def test_w3_fifty_turns_on_one_connection(connect: Connect) -> None:
    turns = [answer(f"r{number}") for number in range(50)]
    with WebSocketServer(Script(turns)) as server:
        async with connect(settings_for(server)) as connection:
            for number in range(50):
                final = await connection.create(model="m", input=f"{number}").get_final_response()
                assert final.id == f"r{number}"
    assert len(server.sessions) == 1
    assert [frame.get("previous_response_id") for frame in server.frames] == [None, *(f"r{n}" for n in range(49))]


@scenario
async def test_w3_twenty_connections_at_once() -> None:
    """All turns are under way before any of them goes on."""
    under_way = threading.Barrier(20)

    def meet(_: Any) -> None:
        under_way.wait(PATIENCE)

    names = [f"r{number}" for number in range(20)]
    scripts = [Script([lambda frame: [meet, *answer(f"r{frame['input']}")]] * 2) for _ in names]
    with WebSocketServer(*scripts) as server:

        async def converse(number: int) -> list[str]:
            async with AsyncResponseConnection(settings_for(server)) as connection:
                return [
                    (await connection.create(model="m", input=f"{number}").get_final_response()).id for _ in range(2)
                ]

        assert await asyncio.gather(*map(converse, range(20))) == [[name] * 2 for name in names]
        assert await all_gone(server)


@scenario
async def test_w2_frames_may_be_slow_fragmented_or_binary(connect: Connect) -> None:
    frames = events()
    binary = [json.dumps(frame).encode() for frame in frames[3:-1]]
    turn = [send_slowly(frames[0]), *map(send_in_fragments, frames[1:3]), send(*binary), send_slowly(frames[-1])]
    with WebSocketServer(Script([turn])) as server:
        async with connect(settings_for(server)) as connection:
            got = await read(connection.create(model="m", input="hi"))
    assert [event.model_dump() for event in got] == frames


@scenario
async def test_n3_unknown_events_and_items_are_kept(connect: Connect) -> None:
    item = {"type": "acme:search_call", "id": "a", "status": "completed", "hits": [1.0, {"x": None}]}
    unknown = {"type": "acme:progress", "sequence_number": 1, "percent": 40}
    last = {"type": "response.completed", "sequence_number": 2, "response": response("r1", "", output=[item])}
    turn = [send({**events("r1")[0], "sequence_number": 0}, unknown, last)]
    with WebSocketServer(Script([turn, [cut]]), Script([answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            got = await read(connection.create(model="m", input="hi", store=False))
            assert isinstance(got[1], UnknownEvent)
            await read(connection.create(model="m", input="more"))
    assert server.frames[-1]["previous_response_id"] == "r1"


@scenario
async def test_s4_one_unknown_frame_does_not_count_as_the_end(connect: Connect) -> None:
    """A turn that has no events at all but the terminal one is a turn, too."""
    with WebSocketServer(Script([[send(events("r1")[-1])], answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            assert len(await read(connection.create(model="m", input="hi"))) == 1
            assert await connection.create(model="m", input="hi").get_final_response()


@pytest.mark.parametrize("status", ["incomplete", "failed"])
@scenario
async def test_z15_a_response_that_is_cut_short_or_failed_is_given(connect: Connect, status: str) -> None:
    """The conversation goes on from one that a limit cut short, and from before one that failed."""
    with WebSocketServer(Script([answer("r1"), answer("r2", status=status), answer("r3")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one"))
            final = await connection.create(model="m", input="two").get_final_response()
            assert (final.id, final.status, final.output_text) == ("r2", status, TEXT)
            await read(connection.create(model="m", input="three"))
    assert server.frames[2]["previous_response_id"] == ("r2" if status == "incomplete" else "r1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"stream": True}, "stream.*W1"),
        ({"background": False}, "background.*W1"),
        ({"stream_options": {}}, "stream_options.*W1"),
        ({"extra_body": {"stream": True}}, "stream.*W1"),
        ({"extra_body": {"previous_response_id": "r"}}, "extra_body.previous_response_id"),
        ({"extra_body": {"input": []}}, "extra_body.input"),
        ({"extra_body": {"type": "x"}}, "extra_body.type"),
        ({"extra_body": {"x": object()}}, "extra_body.*JSON"),
        ({"temperature": "hot"}, "temperature"),
        ({"inputs": "hi"}, "inputs"),
        ({"input": [{"type": "message", "role": "user", "content": 1}]}, r"input\[0\]"),
    ],
)
@scenario
async def test_w1_n4_what_makes_no_turn_is_refused_before_it_is_sent(
    connect: Connect, arguments: dict[str, Any], words: str
) -> None:
    with WebSocketServer(Script([answer()])) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(InvalidRequestError, match=words):
                connection.create(**{"model": "m", **arguments})
            await read(connection.create(model="m", input="hi"))
    assert len(server.frames) == 1


@scenario
async def test_m2_extra_fields_win_and_are_sent_as_they_are(connect: Connect) -> None:
    extra = {"acme": {"b": 1, "a": [1.5, None]}, "temperature": "provider's own"}
    with WebSocketServer(Script([answer(), answer()])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="hi", temperature=1.0, extra_body=extra))
            await read(connection.create(input="hi", extra_body=extra, timeout=PATIENCE))
    assert server.frames[0] == {"type": "response.create", "model": "m", "input": "hi", **extra}
    assert server.frames[1] == {"type": "response.create", "input": "hi", "previous_response_id": "resp_1", **extra}


@pytest.mark.parametrize("count", [0, 6])
@scenario
async def test_e5_a_frame_that_does_not_come_in_time(connect: Connect, count: int) -> None:
    """The turn is not sent again: the server may be at work on it. The next one opens another connection."""
    turn = [send(*events("r1")[:count]), until_gone]
    with WebSocketServer(Script([turn]), Script([answer("r2")])) as server:
        async with connect(settings_for(server, read_timeout=0.05)) as connection:
            with pytest.raises(StreamTimeoutError) as caught:
                await read(connection.create(model="m", input="hi"))
            assert isinstance(caught.value, TimeoutError)
            assert (caught.value.response is None) == (count == 0)
            assert await all_gone(server)
            await read(connection.create(model="m", input="hi", timeout=PATIENCE))
    assert len(server.frames) == 2


@pytest.mark.parametrize("way", ["break", "close", "context"])
@pytest.mark.parametrize("stored", [True, False])
@scenario
async def test_z16_w3_a_turn_that_is_left_gives_up_its_connection(connect: Connect, way: str, stored: bool) -> None:
    """The server learns of it at once; the next turn goes on from the turn before, on another connection."""
    left = [send(*events("r2")[:5]), until_gone]
    with WebSocketServer(Script([answer("r1", store=stored), left]), Script([answer("r3")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one", store=stored))
            if way == "break":
                async for _ in connection.create(model="m", input="two"):
                    break
            elif way == "close":
                turn = connection.create(model="m", input="two")
                await anext(turn)
                await turn.close()
                assert await read(turn) == []
                with pytest.raises(StreamInterruptedError):
                    await turn.get_final_response()
            else:
                async with connection.create(model="m", input="two") as turn:
                    await anext(turn)
            assert await all_gone(server)
            await read(connection.create(model="m", input="three"))
        assert await all_gone(server)
    last = server.frames[-1]
    assert last["previous_response_id"] == ("r1" if stored else None)
    assert last["input"] == ("three" if stored else [user("one"), said(), user("three")])


@scenario
async def test_w3_a_second_turn_while_one_is_read_is_refused(connect: Connect) -> None:
    with WebSocketServer(Script([answer("r1"), answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            turn = connection.create(model="m", input="one")
            with pytest.raises(OpenResponsesError, match="not over"):
                connection.create(model="m", input="two")
            await anext(turn)
            with pytest.raises(OpenResponsesError, match="not over"):
                connection.create(model="m", input="two")
            assert len(await read(turn)) == WHOLE - 1
            await read(connection.create(model="m", input="two"))
    assert len(server.frames) == 2


@scenario
async def test_a_turn_that_is_never_read_is_never_sent(connect: Connect) -> None:
    with WebSocketServer(Script([answer("r1")])) as server:
        async with connect(settings_for(server)) as connection:
            connection.create(model="m", input="one")
            await connection.create(model="m", input="two").close()
            await read(connection.create(model="m", input="three"))
    assert [frame["input"] for frame in server.frames] == ["three"]
    assert len(server.sessions) == 1


@scenario
async def test_leaving_the_context_closes_everything(connect: Connect) -> None:
    with WebSocketServer(Script([[send(*events()[:5]), until_gone]])) as server:
        async with connect(settings_for(server)) as connection:
            turn = connection.create(model="m", input="hi")
            await anext(turn)
        assert await all_gone(server)
        assert await read(turn) == []
        await connection.close()
        with pytest.raises(OpenResponsesError, match="closed"):
            connection.create(model="m", input="hi")
        with pytest.raises(OpenResponsesError, match="closed"):
            await connection.open()


@scenario
async def test_an_error_of_the_caller_closes_everything(connect: Connect) -> None:
    async def fail(settings: ConnectionSettings) -> None:
        async with connect(settings) as connection:
            async for _ in connection.create(model="m", input="hi"):
                raise ZeroDivisionError

    with WebSocketServer(Script([[send(*events()[:5]), until_gone]])) as server:
        with pytest.raises(ZeroDivisionError):
            await fail(settings_for(server))
        assert await all_gone(server)


@pytest.mark.parametrize("count", [0, 5])
def test_closing_ends_the_turn_that_another_thread_reads(count: int) -> None:
    """It is not sent again, on a connection that nobody would close."""
    asked, got_all = threading.Event(), threading.Event()
    errors: list[StreamInterruptedError] = []

    def consume(turn: ResponseTurn) -> None:
        try:
            for number, _ in enumerate(turn, 1):
                if number == count:
                    got_all.set()
        except StreamInterruptedError as error:
            errors.append(error)

    with WebSocketServer(Script([[send(*events()[:count]), tell(asked), until_gone]])) as server:
        with ResponseConnection(settings_for(server)) as connection:
            reader = threading.Thread(target=consume, args=(connection.create(model="m", input="hi"),))
            reader.start()
            assert asked.wait(PATIENCE)
            assert count == 0 or got_all.wait(PATIENCE)
        reader.join(PATIENCE)
        assert not reader.is_alive()
    assert [(error.response is None, "closed while" in str(error)) for error in errors] == [(count == 0, True)]


@scenario
async def test_closing_ends_the_turn_that_another_task_reads() -> None:
    asked = threading.Event()
    with WebSocketServer(Script([[send(*events()[:5]), tell(asked), until_gone]])) as server:
        async with AsyncResponseConnection(settings_for(server)) as connection:
            reader = asyncio.create_task(read(connection.create(model="m", input="hi")))
            assert await asyncio.to_thread(asked.wait, PATIENCE)
        with pytest.raises(StreamInterruptedError, match="closed while"):
            await reader
        assert len(server.sessions) == 1


@pytest.mark.parametrize("count", [0, 5])
@scenario
async def test_z16_a_task_that_is_cancelled_gives_up_its_connection(count: int) -> None:
    sent = threading.Event()
    turn = [send(*events()[:count]), tell(sent), until_gone]
    with WebSocketServer(Script([turn]), Script([answer("r2")])) as server:
        async with AsyncResponseConnection(settings_for(server)) as connection:
            got: list[StreamEvent] = []
            all_there = asyncio.Event()

            async def consume() -> None:
                async for event in connection.create(model="m", input="hi"):
                    got.append(event)
                    if len(got) == count:
                        all_there.set()

            task = asyncio.create_task(consume())
            assert await asyncio.to_thread(sent.wait, PATIENCE)
            if count:
                await all_there.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await all_gone(server)
            await read(connection.create(model="m", input="hi"))
    assert len(got) == count


@scenario
async def test_z16_a_timeout_of_the_caller_gives_up_the_connection() -> None:
    with WebSocketServer(Script([[send(*events()[:5]), until_gone]]), Script([answer("r2")])) as server:
        async with AsyncResponseConnection(settings_for(server)) as connection:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.05):
                    await read(connection.create(model="m", input="hi"))
            assert not isinstance(caught.value, OpenResponsesError), "it is the caller's own"
            await read(connection.create(model="m", input="hi"))
    assert len(server.sessions) == 2
