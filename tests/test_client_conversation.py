"""The memory of a conversation, without a network, against a server that is no more than the rules.

Protects: whatever goes wrong in whatever order, the model sees what was said, all of it and once; nothing is sent again
once an event was handed over; and the whole conversation is sent again only when the server does not know it any more.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit import StreamEvent
from openresponses_kit.client.conversation import NOT_FOUND, Conversation, TurnState
from openresponses_kit.client.failures import read_failure
from openresponses_kit.client.handshake import ConnectionSettings
from openresponses_kit.errors import StreamFailedError, StreamInterruptedError
from payloads import bounded
from websocket_events import events, failure
from websockets.exceptions import ConnectionClosedError

LOST = "lost"
"""Stands for the end of the connection among what a server sends."""


@dataclass
class Server:
    """Keeps responses by rules P1, P2, W4 and W5: what the model saw and said, by id."""

    store: dict[str, list[str]] = field(default_factory=dict)
    memory: dict[str, list[str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """What the model saw in the last turn that it worked on."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def answer(self, frame: dict[str, Any], fault: str) -> Iterator[dict[str, Any] | str]:
        """What is sent for a frame, with a fault."""
        if fault == "restarted":
            self.store.clear()
            self.memory.clear()
        if fault == "lost":
            yield LOST
            return
        if fault == "limit":
            yield failure(400, "websocket_connection_limit_reached")
            return
        before = frame.get("previous_response_id")
        if before is not None and before not in self.knows:
            self.memory.clear()
            yield failure(400, NOT_FOUND)
            return
        if fault == "failure":
            self.memory.clear()
            yield failure(500)
            return
        name = f"r{next(self._numbers)}"
        self.seen = [*self.knows.get(before or "", []), *_texts(frame["input"])]
        frames = events(
            name, (f"to {name}",), store=frame["store"], status="failed" if fault == "failed" else "completed"
        )
        if fault == "cut":
            yield from (*frames[:5], LOST)
            return
        self.memory.clear()
        if fault != "failed":
            self.memory[name] = [*self.seen, f"to {name}"]
            if frame["store"]:
                self.store[name] = self.memory[name]
        yield from [LOST] if fault == "unheard" else frames

    @property
    def knows(self) -> dict[str, list[str]]:
        return self.store | self.memory


def _texts(given: str | list[dict[str, Any]]) -> list[str]:
    if isinstance(given, str):
        return [given]
    contents = (item["content"] for item in given)
    return [each if isinstance(each, str) else each[0]["text"] for each in contents]


@dataclass
class Client:
    """Does what the shells do, without waiting, and notes what it sends."""

    server: Server
    conversation: Conversation
    is_connected: bool = False
    again: bool = False
    """Whether something was sent although an event had been handed over."""

    def run(self, state: TurnState, faults: list[str]) -> list[StreamEvent]:
        """The events of a turn; each time that it is sent a fault happens, if one is left."""
        handed: list[StreamEvent] = []
        while not state.is_over:
            if not self.is_connected or state.is_spent:
                state.reopen()
                self.server.memory.clear()
                self.is_connected = True
            self.again |= bool(handed)
            frame = json.loads(state.frame())
            self._check(frame)
            state.is_sent = True
            for sent in self.server.answer(frame, faults.pop(0) if faults else "none"):
                if isinstance(sent, str):
                    self.is_connected = False
                    state.lose(ConnectionClosedError(None, None))
                    break
                event = state.read(json.dumps(sent).encode())
                if event is not None:
                    handed.append(event)
        return handed

    def _check(self, frame: dict[str, Any]) -> None:
        """Nothing is repeated that the server knows."""
        last = self.conversation.last
        if last is not None and last.id in self.server.knows and "previous_response_id" not in frame:
            raise AssertionError(f"the conversation is not continued: {frame}")
        if isinstance(frame["input"], list) and len(frame["input"]) > 1:
            assert last is not None
            assert last.id not in self.server.knows, "the window was sent although the id was enough"


def new_client(**settings: Any) -> Client:
    told = ConnectionSettings("ws://x", max_retries=20, backoff=lambda _tries, _headers: 0.0, **settings)
    return Client(Server(), Conversation(told))


FAULTS = st.lists(st.sampled_from(["lost", "unheard", "limit", "restarted", "failure", "failed", "cut"]), max_size=3)
TURNS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["on", "on", "on", "afresh", "by id"]), FAULTS), min_size=1, max_size=8
)


@bounded(400)
@given(turns=TURNS)
def test_p1_w4_w5_w7_the_model_sees_what_was_said_all_of_it_and_once(
    turns: list[tuple[bool, str, list[str]]],
) -> None:
    client = new_client()
    said: list[str] = []
    codes: set[str | None] = set()
    for number, (store, way, faults) in enumerate(turns):
        arguments: dict[str, Any] = {"model": "m", "input": f"turn {number}", "store": store}
        last = client.conversation.last
        if way == "afresh" or (way == "by id" and last is not None):
            arguments["previous_response_id"] = None if way == "afresh" or last is None else last.id
        before = [] if way == "afresh" else said
        state = client.conversation.turn(arguments)
        try:
            client.run(state, faults)
        except StreamFailedError as error:
            codes.add(error.code)
            continue
        except StreamInterruptedError:
            continue
        assert client.server.seen == [*before, f"turn {number}"]
        response = state.close()
        if response.status == "completed":
            said = [*before, f"turn {number}", f"to {response.id}"]
            assert client.conversation.last is not None
            assert client.conversation.last.id == response.id
    assert not client.again
    assert NOT_FOUND not in codes, "the window makes up for it"


@given(store=st.booleans(), count=st.integers(1, 6), kept=st.integers(0, 8))
@bounded(100)
def test_w7_the_window_is_bounded(store: bool, count: int, kept: int) -> None:
    """Beyond the bound nothing is kept; then the id is all there is, and it is named."""
    client = new_client(max_window_items=kept)
    for number in range(count):
        client.run(client.conversation.turn({"model": "m", "input": f"{number}", "store": store}), [])
    last = client.conversation.last
    assert last is not None
    assert last.window is None or len(last.window) == 2 * count
    assert (last.window is not None) == (2 * count <= kept)
    client.conversation.forget()
    frame = json.loads(client.conversation.turn({"model": "m", "input": "next"}).frame())
    assert frame["previous_response_id"] == (last.id if store or last.window is None else None)


def test_p1_a_response_of_elsewhere_is_gone_on_from() -> None:
    """What was said before it is not known here, so that only ids can be named from then on."""
    client = new_client()
    client.server.store["elsewhere"] = ["a", "b"]
    arguments: dict[str, Any] = {"model": "m", "input": "c", "previous_response_id": "elsewhere", "store": False}
    client.run(client.conversation.turn(arguments), [])
    assert client.server.seen == ["a", "b", "c"]
    client.run(client.conversation.turn({"model": "m", "input": "d", "store": False}), [])
    assert client.server.seen == ["a", "b", "c", "to r0", "d"]
    client.is_connected = False
    with pytest.raises(StreamFailedError) as caught:
        client.run(client.conversation.turn({"model": "m", "input": "e", "store": False}), [])
    assert caught.value.code == NOT_FOUND


def test_p1_the_items_of_a_turn_are_kept_as_they_were_when_it_was_made() -> None:
    """A caller may go on using the list that was given."""
    client = new_client()
    items: list[Any] = [{"type": "message", "role": "user", "content": "before"}]
    state = client.conversation.turn({"model": "m", "input": items, "store": False})
    items[0]["content"] = "after"
    items.append(items[0])
    client.run(state, ["lost"])
    client.is_connected = False
    client.run(client.conversation.turn({"model": "m", "input": "next", "store": False}), [])
    assert client.server.seen == ["before", "to r0", "next"]


def test_z10_no_event_is_taken_for_a_failure() -> None:
    """Also where what it says holds the words of one."""
    for frame in events("error", ('{"type": "error", "status": 500}', '"error"')):
        assert read_failure(json.dumps(frame).encode()) is None
        assert read_failure(json.dumps({**frame, "error": {"type": "error"}}).encode()) is None


@pytest.mark.parametrize(
    "data", [b'"type":"error"', b'[{"type":"error"}]', b'{"type":"error"', b'{"a":{"type":"error"}}']
)
def test_z10_what_only_looks_like_a_failure_is_none(data: bytes) -> None:
    assert read_failure(data) is None
