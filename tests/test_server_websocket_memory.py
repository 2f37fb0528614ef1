"""What a WebSocket remembers of its responses, when it forgets them, and that it writes nothing (rules W4, W5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.server.app import create_app
from openresponses_kit.server.settings import ServerSettings
from payloads import bounded
from running_server import RunningServer, running
from scripted_service import ScriptedService
from websocket_service import websocket_service
from websocket_talk import Frame, Talk, error_of, talking, text_of


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    return websocket_service()


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    with running(create_app(service, store="memory:")) as server:
        yield server


@pytest.fixture(scope="module")
def servers(service: ScriptedService) -> Iterator[Mapping[int, RunningServer]]:
    """Servers by how many responses a connection remembers."""
    with ExitStack() as stack:
        yield {
            kept: stack.enter_context(
                running(create_app(service, store="memory:", settings=ServerSettings(websocket_responses=kept)))
            )
            for kept in (1, 2)
        }


@pytest.fixture
def talk(server: RunningServer) -> Iterator[Talk]:
    with talking(server) as talk:
        yield talk


def test_w4_a_connection_remembers_what_is_not_stored(server: RunningServer, talk: Talk) -> None:
    """With `store: false` the last response can be continued on its connection, through any number of turns, and it is
    written nowhere: neither by HTTP nor on another connection is it found.
    """
    previous = None
    for length in (1, 3, 5, 7):
        response = talk.response("counted", input="next", store=False, previous_response_id=previous)
        assert (response["store"], text_of(response)) == (False, str(length))
        assert response["previous_response_id"] == previous
        previous = response["id"]
    assert httpx2.get(f"{server.url}/v1/responses/{previous}", trust_env=False).status_code == 404
    with talking(server) as other:
        frame = other.failure("counted", previous_response_id=previous)
    assert error_of(frame) == (400, "previous_response_not_found", "previous_response_id")


def test_w4_a_stored_response_is_continued_on_any_connection(server: RunningServer, talk: Talk) -> None:
    """What is stored is found by id on another connection and by HTTP, and a stored chain goes on unstored."""
    first = talk.response("counted", input="one")
    with talking(server) as other:
        second = other.response("counted", input="two", previous_response_id=first["id"], store=False)
        third = other.response("counted", input="three", previous_response_id=second["id"], store=False)
    assert [text_of(each) for each in (first, second, third)] == ["1", "3", "5"]
    assert httpx2.get(f"{server.url}/v1/responses/{first['id']}", trust_env=False).status_code == 200


@pytest.mark.parametrize("kept", [1, 3])
def test_w4_as_many_responses_are_remembered_as_configured(service: ScriptedService, kept: int) -> None:
    """The most recent responses are remembered, one by default, and no older ones; without a store as well."""
    settings = ServerSettings(websocket_responses=kept)
    with running(create_app(service, store=None, settings=settings)) as server, talking(server) as talk:
        names = [talk.response("hello", input="hi")["id"] for _ in range(4)]
        assert text_of(talk.response("counted", input="x", previous_response_id=names[-kept])) == "3"
        frame = talk.failure("counted", previous_response_id=names[-kept - 1])
    assert error_of(frame)[1] == "previous_response_not_found"


def test_w4_a_window_larger_than_a_request_may_be_is_not_remembered(service: ScriptedService) -> None:
    """What a connection remembers is bounded: a conversation that outgrows the largest request has to be sent anew."""
    settings = ServerSettings(max_body_bytes=6_000)
    with running(create_app(service, store=None, settings=settings)) as server, talking(server) as talk:
        previous = None
        ends: list[Frame] = []
        for _ in range(12):
            talk.create("counted", input="x" * 500, previous_response_id=previous)
            ends.append(talk.turn()[-1])
            if ends[-1]["type"] == "error":
                break
            previous = ends[-1]["response"]["id"]
        assert error_of(ends[-1])[1] == "previous_response_not_found"
        assert len(ends) > 2
        assert text_of(talk.response("counted", input="hi")) == "1"


def test_w4_an_incomplete_response_is_remembered_a_failed_one_is_not(talk: Talk) -> None:
    """A response that was cut short can be continued, one that failed cannot."""
    response = talk.response("short", store=False, input="hi")
    assert response["status"] == "incomplete"
    assert text_of(talk.response("counted", input="x", previous_response_id=response["id"])) == "3"
    talk.create("failing", store=False)
    failed = talk.turn()[0]["response"]["id"]
    assert error_of(talk.failure(previous_response_id=failed))[1] == "previous_response_not_found"


FAILING_TURNS: Mapping[str, Mapping[str, Any]] = {
    "validation": {"temperature": "hot"},
    "forbidden": {"stream": True},
    "service-400": {"model": "refused"},
    "service-404": {"model": "unheard_of"},
    "service-429": {"model": "limited"},
    "server-500": {"model": "broken"},
    "model-500": {"model": "failing"},
    "X8": {"input": [{"type": "function_call_output", "call_id": "call_0", "output": "1"}]},
}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("case", FAILING_TURNS)
def test_w5_a_turn_that_fails_has_what_it_continued_forgotten(talk: Talk, case: str, *, stored: bool) -> None:
    """However a turn fails, the response it continues from is forgotten, and found again only if it is stored."""
    response = talk.response("hello", input="hi", store=stored)
    fields = {"model": "hello", **FAILING_TURNS[case]}
    talk.failure(**fields, previous_response_id=response["id"])
    if stored:
        assert text_of(talk.response("counted", input="x", previous_response_id=response["id"])) == "3"
    else:
        frame = talk.failure("counted", input="x", previous_response_id=response["id"])
        assert error_of(frame) == (400, "previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize("case", FAILING_TURNS)
def test_w5_a_turn_that_fails_leaves_alone_what_it_did_not_continue(talk: Talk, case: str) -> None:
    """A failure that continues nothing has nothing forgotten."""
    response = talk.response("hello", input="hi", store=False)
    talk.failure(**{"model": "hello", **FAILING_TURNS[case]})
    talk.send("no JSON")
    talk.receive()
    assert text_of(talk.response("counted", input="x", previous_response_id=response["id"])) == "3"


@dataclass
class Known:
    """What a reference server knows of one response."""

    id: str
    items: int
    """How many items a model is sampled over that continues from it."""
    is_whole: bool
    """Whether it and all that it continues are stored."""


OPERATIONS = st.tuples(st.none() | st.integers(0, 5), st.booleans(), st.sampled_from(["counted", "short", "refused"]))
"""Which of the latest responses is continued, whether it is stored, and the script."""


@bounded(100)
@given(st.lists(OPERATIONS, min_size=1, max_size=10), st.integers(1, 2))
def test_w4_w5_memory_and_store_together_know_what_they_should(
    servers: Mapping[int, RunningServer], operations: list[tuple[int | None, bool, str]], kept: int
) -> None:
    """Any program of turns finds the responses that a simple model of the rules finds, with the whole conversation."""
    responses: list[Known] = []
    remembered: list[Known] = []
    with talking(servers[kept]) as talk:
        for back, store, model in operations:
            before = responses[-1 - back] if back is not None and back < len(responses) else None
            is_found = before is None or before.is_whole or before in remembered
            talk.create(model, input="x", store=store, previous_response_id=before.id if before else None)
            last = talk.turn()[-1]
            if last["type"] == "error":
                assert error_of(last)[1] == ("impolite" if is_found else "previous_response_not_found")
                assert model == "refused" or not is_found
                remembered = [each for each in remembered if each is not before]
                continue
            assert is_found
            items = before.items + 1 if before is not None else 1
            if model == "counted":
                assert text_of(last["response"]) == str(items)
            is_whole = store and (before is None or before.is_whole)
            responses.append(Known(last["response"]["id"], items + 1, is_whole))
            remembered = [*remembered, responses[-1]][-kept:]
