"""Faults of a WebSocket, against a real server that has them, synchronous and asynchronous.

Protects: no byte of an answer is lost, nothing is sent again once an event was handed over, what can be mended goes
unnoticed, and the connection can be used afterwards.
"""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import Any

import pytest
from openresponses_kit import DeviationWarning, ResponseResource
from openresponses_kit._tolerance import Warner
from openresponses_kit.client.reading import read_event
from openresponses_kit.errors import (
    StreamDecodeError,
    StreamFailedError,
    StreamInterruptedError,
    StreamOrderError,
)
from openresponses_kit.events import StreamEvent, parse_event
from websocket_events import PIECES, events, failure, message, response, said, text_of, user
from websocket_server import (
    Script,
    WebSocketServer,
    answer,
    close,
    cut,
    cut_inside,
    deaf_until,
    send,
    until_gone,
)
from websocket_shells import Connect, all_gone, read, scenario, settings_for, text_in

TEXT = "".join(PIECES)
WHOLE = len(events())


FAULTS: dict[str, Any] = {
    "cut": cut,
    "inside-a-header": cut_inside(events()[0], 0.0),
    "inside-a-frame": cut_inside(events()[0], 0.5),
    "normal": close(1000),
    "going-away": close(1001, "restart"),
    "internal-error": close(1011),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("count", range(WHOLE + 1))
@scenario
async def test_e5_s7_w7_wherever_a_connection_breaks_no_text_is_lost(connect: Connect, count: int, fault: str) -> None:
    """Before the first event the turn is sent again; later the text so far is in the error, to the letter."""
    whole = events("r1")
    first = Script([[send(*whole[:count]), FAULTS[fault]]])
    with WebSocketServer(first, Script([answer("r1" if count == 0 else "r2")])) as server:
        async with connect(settings_for(server)) as connection:
            got: list[StreamEvent] = []
            turn = connection.create(model="m", input="one")
            if count in {0, WHOLE}:
                await read(turn, got)
                assert text_in(got) == TEXT
            else:
                with pytest.raises(StreamInterruptedError) as caught:
                    await read(turn, got)
                partial = caught.value.response
                assert partial is not None
                assert (partial.status, partial.output_text) == ("in_progress", text_in(got))
                assert text_in(got) == text_of(whole[: len(got)])
            if count > 0:
                await read(connection.create(model="m", input="two"))
        assert await all_gone(server)
    if count == 0:
        assert server.frames[0] == server.frames[1]
    elif count < WHOLE:
        assert server.frames[1] == {"type": "response.create", "model": "m", "input": "two"}
    else:
        assert server.frames[1]["previous_response_id"] == "r1"


@pytest.mark.parametrize("stored", [True, False])
@scenario
async def test_w4_w7_what_is_sent_again_depends_on_the_store(connect: Connect, stored: bool) -> None:
    """A stored response is named by its id; of another one all items are sent again, as they came."""
    reasoning = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "abc", "acme:x": 1.50}
    output = [reasoning, message("One.")]
    turns = [[send(events("r1")[0], {**events("r1")[-1], "response": response("r1", "", output=output, store=stored)})]]
    turns += [answer("r2", store=stored), [cut]]
    after = Script([[cut]])
    with WebSocketServer(Script(turns), after, Script([answer("r3", store=stored), answer("r4")])) as server:
        async with connect(settings_for(server)) as connection:
            for text in ("one", "two", "three", "four"):
                final = await connection.create(
                    model="m", input=text, store=stored, instructions=text
                ).get_final_response()
            assert final.id == "r4"
    again, fourth = server.frames[3:5], server.frames[5]
    base = {"type": "response.create", "model": "m", "store": stored}
    if stored:
        expected: dict[str, Any] = {"previous_response_id": "r2", "input": "three"}
    else:
        window = [user("one"), *output, user("two"), said("r2"), user("three")]
        expected = {"previous_response_id": None, "input": window}
    assert server.frames[2]["previous_response_id"] == "r2"
    assert again == [{**base, "instructions": "three", **expected}] * 2
    assert fourth == {**base, "instructions": "four", "input": "four", "previous_response_id": "r3"}


@scenario
async def test_w7_an_idle_connection_that_was_closed_is_opened_again(connect: Connect) -> None:
    """Even without retries: nothing was sent on the old one."""
    with WebSocketServer(Script([[*answer("r1"), close(1001)]]), Script([answer("r2")])) as server:
        async with connect(settings_for(server, max_retries=0)) as connection:
            await read(connection.create(model="m", input="one"))
            assert await all_gone(server)
            await read(connection.create(model="m", input="two"))
    assert server.frames[1]["previous_response_id"] == "r1"


@scenario
async def test_w4_w7_opening_again_by_hand_is_noticed_as_well(connect: Connect) -> None:
    """What was not stored is gone with the old connection."""
    with WebSocketServer(Script([[*answer("r1", store=False), close(1001)]]), Script([answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one", store=False))
            assert await all_gone(server)
            await connection.open()
            await read(connection.create(model="m", input="two", store=False))
    assert server.frames[1]["input"] == [user("one"), said(), user("two")]


@pytest.mark.parametrize("place", ["idle", "first", "later"])
@pytest.mark.parametrize("stored", [True, False])
@scenario
async def test_w7_the_limit_of_a_connection_goes_unnoticed(connect: Connect, place: str, stored: bool) -> None:
    limit = [send(failure(400, "websocket_connection_limit_reached")), close(1000)]
    one = answer("r1", store=stored)
    first = {
        "idle": [[*one, *limit]],
        "first": [one, limit],
        "later": [one, [send(*events("r2")[:6]), *limit]],
    }[place]
    with WebSocketServer(Script(first), Script([answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one", store=stored))
            turn = connection.create(model="m", input="two")
            if place == "later":
                with pytest.raises(StreamFailedError) as caught:
                    await read(turn)
                assert caught.value.code == "websocket_connection_limit_reached"
                assert caught.value.response is not None
                assert caught.value.response.output_text == "Hello, "
                turn = connection.create(model="m", input="two")
            assert (await turn.get_final_response()).id == "r2"
        assert len(server.sessions) == 2
    last = server.frames[-1]
    assert last["input"] == ("two" if stored else [user("one"), said(), user("two")])
    assert last["previous_response_id"] == ("r1" if stored else None)


@scenario
async def test_w7_a_limit_that_is_always_reached_is_reported(connect: Connect) -> None:
    limit = Script([[send(failure(400, "websocket_connection_limit_reached"))]])
    with WebSocketServer(limit, limit, limit) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamFailedError, match="400: It failed"):
                await read(connection.create(model="m", input="hi"))
        assert len(server.sessions) == 3


@scenario
async def test_e5_a_turn_is_not_sent_again_for_ever(connect: Connect) -> None:
    with WebSocketServer(*[Script([[cut]])] * 3) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamInterruptedError) as caught:
                await read(connection.create(model="m", input="hi"))
            assert caught.value.response is None
    assert len(server.frames) == 3


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010])
@scenario
async def test_e5_what_a_server_refuses_is_not_sent_again(connect: Connect, code: int) -> None:
    with WebSocketServer(Script([[close(code, "no")]])) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamInterruptedError, match="no"):
                await read(connection.create(model="m", input="hi"))
    assert len(server.frames) == 1


@scenario
async def test_w7_a_heartbeat_finds_out_that_the_server_is_gone(connect: Connect) -> None:
    over = threading.Event()
    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "close_timeout": 0.05}
    with WebSocketServer(Script([[send(*events()[:5]), deaf_until(over)]])) as server:
        async with connect(settings_for(server, **settings)) as connection:
            with pytest.raises(StreamInterruptedError, match="keepalive") as caught:
                await read(connection.create(model="m", input="hi"))
            assert caught.value.response is not None
            assert caught.value.response.output_text == "Hel"
            over.set()


@pytest.mark.parametrize("count", [0, 1, 5, WHOLE - 1])
@scenario
async def test_w6_a_failure_holds_what_came_and_leaves_the_connection_usable(connect: Connect, count: int) -> None:
    frame = failure(429, "rate_limited", type="too_many_requests", param="input")
    with WebSocketServer(Script([[send(*events("r1")[:count], frame)], answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            got: list[StreamEvent] = []
            turn = connection.create(model="m", input="hi")
            with pytest.raises(StreamFailedError) as caught:
                await read(turn, got)
            error = caught.value
            assert (error.status_code, error.type, error.code, error.param) == (
                429,
                "too_many_requests",
                "rate_limited",
                "input",
            )
            assert len(got) == count
            if count:
                assert error.response is not None
                assert (error.response.status, error.response.output_text) == ("failed", text_in(got))
            else:
                assert error.response is None
            assert await read(turn) == []
            assert (await connection.create(model="m", input="hi").get_final_response()).id == "r2"
    assert len(server.sessions) == 1


@pytest.mark.parametrize(
    ("frame", "status", "code", "words"),
    [
        (failure(400, "x"), 400, "x", "400: It failed."),
        (failure(None, "x"), None, "x", "It failed."),
        (failure(500, None), 500, None, "500: It failed."),
        ({"type": "error", "status": 500, "error": "Boom."}, 500, None, "500: Boom."),
        ({"type": "error", "status": 500}, 500, None, "500: the server gave no reason"),
        ({"status": 418, "error": {"message": "M", "code": 7}, "type": "error"}, 418, "7", "418: M"),
    ],
)
@scenario
async def test_z10_a_failure_is_told_by_its_status_or_the_missing_number(
    connect: Connect, frame: dict[str, Any], status: int | None, code: str | None, words: str
) -> None:
    with WebSocketServer(Script([[send(json.dumps(frame, indent=1))]])) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamFailedError) as caught:
                await read(connection.create(model="m", input="hi"))
    assert (caught.value.status_code, caught.value.code, str(caught.value)) == (status, code, words)


@scenario
async def test_z10_s5_an_error_event_is_an_event(connect: Connect) -> None:
    """It bears a number, and the terminal event follows."""
    error = {"type": "server_error", "code": "x", "message": "It failed.", "param": None}
    event = {"type": "error", "sequence_number": 1, "error": error}
    last = {**events("r1", status="failed")[-1], "sequence_number": 2}
    with WebSocketServer(Script([[send(events("r1")[0], event, last)]])) as server:
        async with connect(settings_for(server)) as connection:
            got = await read(connection.create(model="m", input="hi"))
    assert [each.type for each in got] == ["response.created", "error", "response.failed"]


@scenario
async def test_w6_a_terminal_event_after_a_failure_does_not_end_the_next_turn(connect: Connect) -> None:
    late = events("r1", status="failed")[-1]
    turns = [[send(*events("r1")[:5], failure(), late)], answer("r2")]
    with WebSocketServer(Script(turns)) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamFailedError):
                await read(connection.create(model="m", input="hi"))
            got = await read(connection.create(model="m", input="hi"))
    assert len(got) == WHOLE
    assert {each.response.id for each in got if hasattr(each, "response")} == {"r2"}


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("ending", ["failure", "response.failed"])
@scenario
async def test_w5_after_a_failure_the_server_no_longer_knows_what_was_not_stored(
    connect: Connect, stored: bool, ending: str
) -> None:
    broken = [send(failure(500))] if ending == "failure" else answer("r2", status="failed")
    with WebSocketServer(Script([answer("r1", store=stored), broken, answer("r3")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one", store=stored))
            try:
                await read(connection.create(model="m", input="two"))
            except StreamFailedError:
                assert ending == "failure"
            await read(connection.create(model="m", input="three"))
    last = server.frames[-1]
    assert last["previous_response_id"] == ("r1" if stored else None)
    assert last["input"] == ("three" if stored else [user("one"), said(), user("three")])


NOT_FOUND = failure(400, "previous_response_not_found", param="previous_response_id")


@pytest.mark.parametrize("named", [True, False])
@scenario
async def test_p2_a_response_that_is_not_found_is_made_up_for_with_the_window(connect: Connect, named: bool) -> None:
    """Also when the caller names the id: it is that of the conversation. From then on the id is not used."""
    turns = [answer("r1"), [send(NOT_FOUND)], [send(failure(500))], answer("r2")]
    with WebSocketServer(Script(turns)) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one"))
            name: dict[str, Any] = {"previous_response_id": "r1"} if named else {}
            with pytest.raises(StreamFailedError, match="500"):
                await read(connection.create(model="m", input="two", **name))
            await read(connection.create(model="m", input="three", **name))
    assert server.frames[1]["previous_response_id"] == "r1"
    window = [user("one"), said()]
    for frame, text in zip(server.frames[2:], ("two", "three"), strict=True):
        assert frame["previous_response_id"] is None
        assert frame["input"] == [*window, user(text)]


@scenario
async def test_p2_a_response_of_elsewhere_that_is_not_found_is_reported(connect: Connect) -> None:
    with WebSocketServer(Script([[send(NOT_FOUND)]])) as server:
        async with connect(settings_for(server)) as connection:
            with pytest.raises(StreamFailedError) as caught:
                await read(connection.create(model="m", input="hi", previous_response_id="elsewhere"))
            assert caught.value.code == "previous_response_not_found"
            assert caught.value.param == "previous_response_id"
    assert len(server.frames) == 1


@scenario
async def test_e5_a_response_not_found_after_an_event_is_reported(connect: Connect) -> None:
    with WebSocketServer(Script([answer("r1"), [send(events("r2")[0], NOT_FOUND)]])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one"))
            with pytest.raises(StreamFailedError):
                await read(connection.create(model="m", input="two"))
    assert len(server.frames) == 2


@pytest.mark.parametrize("kept", [3, 4])
@scenario
async def test_w7_a_window_that_is_too_long_is_not_kept(connect: Connect, kept: int) -> None:
    """Then only the id is left, and that it is not known is reported."""
    turns = [answer("r1", store=False), answer("r2", store=False), [send(NOT_FOUND)], answer("r3")]
    with WebSocketServer(Script(turns)) as server:
        async with connect(settings_for(server, max_window_items=kept)) as connection:
            for text in ("one", "two"):
                await read(connection.create(model="m", input=text, store=False))
            turn = connection.create(model="m", input="three")
            if kept == 4:
                await read(turn)
            else:
                with pytest.raises(StreamFailedError):
                    await read(turn)
    assert len(server.frames) == kept


@scenario
async def test_c2_a_compacted_window_starts_a_conversation(connect: Connect) -> None:
    compacted = [message("Kept."), {"type": "compaction", "id": "cmp", "encrypted_content": "abc", "acme:x": [1]}]
    kept = ResponseResource.model_validate(response("r", "", output=compacted)).output
    turns = [answer("r1"), answer("r2", store=False), [cut]]
    with WebSocketServer(Script(turns), Script([answer("r3")])) as server:
        async with connect(settings_for(server)) as connection:
            await read(connection.create(model="m", input="one"))
            await read(connection.create(model="m", input=[*kept, user("two")], previous_response_id=None, store=False))
            await read(connection.create(model="m", input="three"))
    assert server.frames[1]["input"] == [*compacted, user("two")]
    assert server.frames[-1]["input"] == [*compacted, user("two"), said(), user("three")]


GARBAGE: dict[str, str | bytes] = {
    "no-json": "{",
    "no-object": "[]",
    "no-type": "{}",
    "a-broken-event": '{"type": "response.output_text.delta"}',
    "no-utf-8": b'{"type": "\xff"}',
    "empty": "",
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("count", [0, 6])
@scenario
async def test_s6_a_frame_that_is_no_event_is_an_error_with_what_came(
    connect: Connect, count: int, garbage: str
) -> None:
    data = GARBAGE[garbage]
    turn = [send(*events("r1")[:count], data), until_gone]
    with WebSocketServer(Script([turn]), Script([answer("r2")])) as server:
        async with connect(settings_for(server)) as connection:
            got: list[StreamEvent] = []
            with pytest.raises(StreamDecodeError) as caught:
                await read(connection.create(model="m", input="hi"), got)
            assert caught.value.data == (data.encode() if isinstance(data, str) else data)
            assert len(got) == count
            assert (caught.value.response is None) == (count == 0)
            if caught.value.response is not None:
                assert caught.value.response.output_text == "Hello, "
            await read(connection.create(model="m", input="hi"))


@scenario
async def test_s6_a_frame_over_the_limit_is_an_error_with_what_came(connect: Connect) -> None:
    big = {**events()[5], "delta": "x" * 5000}
    with WebSocketServer(Script([[send(*events()[:5], big)]]), Script([answer()])) as server:
        async with connect(settings_for(server, max_message_bytes=4000)) as connection:
            with pytest.raises(StreamDecodeError, match="4000 bytes") as caught:
                await read(connection.create(model="m", input="hi"))
            assert caught.value.response is not None
            assert caught.value.response.output_text == "Hel"
            await read(connection.create(model="m", input="hi"))


@scenario
async def test_a_reader_of_events_can_be_given(connect: Connect) -> None:
    """Failures are not events and never reach it; its own errors get the partial response."""
    seen: list[bytes] = []

    def read_event(data: bytes) -> StreamEvent:
        seen.append(data)
        if len(seen) == 4:
            raise StreamDecodeError("mine", data=data)
        return parse_event(data)

    turns = [[send(*events("r1")[:2], failure(500))], [send(*events("r2")[:2])]]
    with WebSocketServer(Script(turns)) as server:
        async with connect(settings_for(server, read_event=read_event)) as connection:
            with pytest.raises(StreamFailedError):
                await read(connection.create(model="m", input="hi"))
            with pytest.raises(StreamDecodeError, match="mine") as caught:
                await read(connection.create(model="m", input="hi"))
    assert caught.value.response is not None
    assert caught.value.response.id == "r2"
    assert len(seen) == 4


@scenario
async def test_n4_deviations_are_listed_on_the_response_and_warned_about_once(connect: Connect) -> None:
    """Those of events, which the reader mends, and those of their order."""
    warner = Warner()
    broken = [{**each, "sequence_number": each["sequence_number"] * 2} for each in events()]
    del broken[5]["item_id"]
    with WebSocketServer(Script([[send(*broken)]] * 2)) as server:
        reader = partial(read_event, name=None, warner=warner)
        async with connect(settings_for(server, read_event=reader, warner=warner)) as connection:
            with pytest.warns(DeviationWarning) as warned:
                final = await connection.create(model="m", input="hi").get_final_response()
            assert len(warned) == 2
            assert [each.path for each in final.deviations] == ["events[5].item_id", "events[1].sequence_number"]
            again = await connection.create(model="m", input="hi").get_final_response()
            assert len(again.deviations) == 2


@scenario
async def test_s3_disorder_is_an_error_when_strict(connect: Connect) -> None:
    frames = events()
    turn = [send(frames[0], frames[2], frames[1]), until_gone]
    with WebSocketServer(Script([turn])) as server:
        async with connect(settings_for(server, strict=True)) as connection:
            with pytest.raises(StreamOrderError):
                await read(connection.create(model="m", input="hi"))
