"""The order of turns on one WebSocket: one at a time, as they were sent, whatever becomes of them (rule W3)."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openresponses_kit.server._frame_queue import FrameQueue
from openresponses_kit.server.app import create_app
from openresponses_kit.server.errors import InvalidRequestError, ModelError, ServiceError
from openresponses_kit.server.settings import ServerSettings
from payloads import bounded
from running_server import RunningServer, running
from scripted_service import ScriptedService
from websocket_service import opened_gate, websocket_service
from websocket_talk import PATIENCE, TERMINAL, Frame, Talk, error_of, talking, text_of, until


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    return websocket_service()


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    with running(create_app(service, store="memory:")) as server:
        yield server


@pytest.fixture
def talk(server: RunningServer) -> Iterator[Talk]:
    with talking(server) as talk:
        yield talk


def test_w3_turns_are_run_one_after_the_other_in_order(service: ScriptedService, talk: Talk) -> None:
    """While one turn runs, later frames wait, bad ones too, and are answered in their order without mixing."""
    open_gate = opened_gate(service, "gated")
    begun = len(service.begun)
    talk.create("gated")
    talk.create("counted")
    talk.send("no JSON")
    talk.create("failing")
    talk.send(b"binary")
    talk.create("hello")
    assert talk.receive()["type"] == "response.created"
    open_gate()
    turns = [talk.turn() for _ in range(6)]
    assert [turn[-1]["type"] for turn in turns] == [
        "response.completed",
        "response.completed",
        "error",
        "error",
        "error",
        "response.completed",
    ]
    assert service.begun[begun:] == ["gated", "counted", "failing", "hello"]
    names = [{each["response"]["id"] for each in turn if "response" in each} for turn in turns]
    assert [len(each) for each in names] == [1, 1, 0, 1, 0, 1]
    assert len(set().union(*names)) == 4


def test_w3_beyond_the_queue_a_turn_is_refused_in_its_place(service: ScriptedService) -> None:
    """Turns that find the queue full are refused one by one, after those that wait; later ones are served again."""
    open_gate = opened_gate(service, "gated")
    app = create_app(service, store=None, settings=ServerSettings(websocket_queue=2))
    with running(app) as server, talking(server) as talk:
        talk.create("gated")
        for _ in range(5):
            talk.create("hello")
        # A pong shows that the server's side has read them all.
        talk.send("the sixth, too")
        talk.receive()
        assert talk.websocket.ping().wait(PATIENCE)
        open_gate()
        turns = [talk.turn() for _ in range(7)]
        assert [turn[-1]["type"] for turn in turns] == ["response.completed"] * 3 + ["error"] * 4
        assert [error_of(turn[-1]) for turn in turns[3:]] == [(429, "too_many_requests", None)] * 4
        assert text_of(talk.response()) == "Hello world"


def test_w3_the_queue_is_bounded_in_bytes(service: ScriptedService) -> None:
    """Frames that wait hold at most twice what one may be large; the next large one is refused in its place."""
    open_gate = opened_gate(service, "gated")
    app = create_app(service, store=None, settings=ServerSettings(max_body_bytes=10_000))
    with running(app) as server, talking(server) as talk:
        talk.create("gated")
        for _ in range(3):
            talk.create("hello", input="x" * 9_000)
        talk.create("hello")
        open_gate()
        kinds = [talk.turn()[-1]["type"] for _ in range(5)]
    assert kinds == ["response.completed"] * 3 + ["error", "response.completed"]


ENDS = ("end", "short", "fail", "refuse", "bad frame", "binary")
TURNS = st.tuples(st.sampled_from(ENDS), st.integers(0, 3), st.integers(0, 2))
"""How a turn ends, how many pieces it says before, and how often it waits between two of them."""


@pytest.fixture(scope="module")
def program(service: ScriptedService) -> dict[str, list[int]]:
    """A script that does what the input says; the numbers of the turns that it began, by connection."""
    begun: dict[str, list[int]] = {}

    @service.script
    async def program(request: Any, out: Any) -> None:
        connection, number, end, pieces, pauses = json.loads(request.input)
        begun.setdefault(connection, []).append(number)
        if end == "refuse":
            raise InvalidRequestError("not this one", code=f"refused_{number}")
        async with out.message() as message:
            for piece in range(pieces):
                await message.text(f"{number}.{piece} ")
                for _ in range(pauses):
                    await asyncio.sleep(0)
            if end == "fail":
                raise ModelError("not to the end", code=f"failed_{number}")
            if end == "short":
                await out.incomplete("max_output_tokens")

    return begun


def send(talk: Talk, number: int, turn: tuple[str, int, int]) -> None:
    """Send a turn; the connection is known by its id."""
    if turn[0] == "bad frame":
        talk.send(f"[{number}]")
    elif turn[0] == "binary":
        talk.send(b"{}")
    else:
        talk.create("program", input=json.dumps([str(talk.websocket.id), number, *turn]), store=False)


def check(frames: list[Frame], number: int, turn: tuple[str, int, int]) -> None:
    """The frames of a turn have to be all of that turn and nothing of another."""
    end, pieces, _ = turn
    last = frames[-1]
    if end in {"bad frame", "binary", "refuse"}:
        assert len(frames) == 1
        assert error_of(last)[1] == (f"refused_{number}" if end == "refuse" else "invalid_request")
        return
    deltas = [each["delta"] for each in frames if each["type"] == "response.output_text.delta"]
    assert deltas == [f"{number}.{piece} " for piece in range(pieces)]
    assert last["type"] == {"end": "response.completed", "short": "response.incomplete", "fail": "error"}[end]
    if end == "fail":
        assert error_of(last)[1] == f"failed_{number}"
    events = frames[:-1] if end == "fail" else frames
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert len({each["response"]["id"] for each in events if "response" in each}) == 1


@bounded(100)
@given(st.lists(st.tuples(TURNS, st.booleans()), min_size=1, max_size=12))
@example([((end, 1, 0), False) for end in ENDS])
def test_w3_turns_keep_their_order_and_never_mix(
    server: RunningServer, program: dict[str, list[int]], turns: list[tuple[tuple[str, int, int], bool]]
) -> None:
    """Whatever turns are sent, at once or one by one, each is answered whole, in the order in which they were sent."""
    waiting: list[int] = []
    with talking(server) as talk:
        for number, (turn, is_awaited) in enumerate(turns):
            send(talk, number, turn)
            waiting.append(number)
            while is_awaited and waiting:
                first = waiting.pop(0)
                check(talk.turn(), first, turns[first][0])
        for number in waiting:
            check(talk.turn(), number, turns[number][0])
    begun = program.pop(str(talk.websocket.id), [])
    assert begun == [number for number, (turn, _) in enumerate(turns) if turn[0] not in {"bad frame", "binary"}]


@bounded(50)
@given(st.lists(TURNS, min_size=1, max_size=8), st.integers(0, 30))
def test_z16_whatever_runs_a_client_may_leave(
    service: ScriptedService,
    server: RunningServer,
    program: dict[str, list[int]],
    turns: list[tuple[str, int, int]],
    read: int,
) -> None:
    """A client that leaves between any two frames has what was begun ended, and the frames it read are in order."""
    got: list[Frame] = []
    with talking(server) as talk:
        for number, turn in enumerate(turns):
            send(talk, number, turn)
        ended = 0
        while len(got) < read and ended < len(turns):
            got.append(talk.receive())
            ended += got[-1]["type"] in TERMINAL
        talk.websocket.close_socket()
    until(lambda: len(service.begun) == len(service.ended))
    for number, turn in enumerate(turns[:ended]):
        end = next(at for at, frame in enumerate(got) if frame["type"] in TERMINAL) + 1
        check(got[:end], number, turn)
        got = got[end:]
    begun = program.pop(str(talk.websocket.id), [])
    assert begun == sorted(begun)


@bounded(200)
@given(st.lists(st.none() | st.integers(0, 12), max_size=40), st.integers(1, 3))
def test_w3_the_queue_gives_back_each_frame_or_its_refusal_in_its_place(sizes: list[int | None], most: int) -> None:
    """Frames of some sizes come in, None takes one out: what comes out is in order, and only what was too much is
    refused.
    """
    queue = FrameQueue(most, 10)
    expected: list[bytes | None] = []
    held: list[bytes] = []

    def take() -> None:
        frame, awaited = queue.first(), expected.pop(0)
        if awaited is None:
            assert isinstance(frame, ServiceError)
            assert frame.status == 429
        else:
            assert frame is awaited
            held.remove(awaited)
        queue.drop_first()

    for number, size in enumerate(sizes):
        if size is None:
            if expected:
                take()
            continue
        frame = bytes([number]) * size
        fits = len(held) <= most and sum(map(len, held)) + size <= 20
        queue.add(frame)
        expected.append(frame if fits else None)
        held += [frame] if fits else []
    while expected:
        take()
    assert queue.first() is None


def test_w3_what_is_refused_takes_no_room() -> None:
    """A client that goes on sending to a full queue costs no memory."""
    queue = FrameQueue(1, 10)
    queue.add(b"running")
    queue.add(b"waiting")
    queue.add(b"refused")
    tracemalloc.start()
    try:
        for _ in range(50_000):
            queue.add(b"refused")
        assert tracemalloc.get_traced_memory()[0] < 4096
    finally:
        tracemalloc.stop()
