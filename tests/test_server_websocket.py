"""The server over WebSockets, with real connections to a real uvicorn: handshakes, turns, refusals."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest
from openresponses_kit import ResponseAccumulator, parse_event
from openresponses_kit.server.app import ResponsesApp, create_app
from openresponses_kit.server.requests import Limits
from openresponses_kit.server.settings import ServerSettings
from running_server import RunningServer, running
from scripted_service import ScriptedService
from websocket_service import websocket_service
from websocket_talk import Talk, error_of, talking, text_of
from websockets.exceptions import InvalidStatus


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    return websocket_service()


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    settings = ServerSettings(max_body_bytes=100_000, limits=Limits(elements=50))
    with running(create_app(service, store="memory:", settings=settings)) as server:
        yield server


@pytest.fixture
def talk(server: RunningServer) -> Iterator[Talk]:
    with talking(server) as talk:
        yield talk


def test_w1_w2_a_turn_is_answered_with_events(talk: Talk) -> None:
    """Each turn is the events of one response, one JSON text per frame, numbered from 0, without `[DONE]`."""
    for _ in range(2):
        talk.create(input="hi")
        frames = talk.turn()
        assert [each["sequence_number"] for each in frames] == list(range(len(frames)))
        assert [each["type"] for each in frames] == [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
        accumulator = ResponseAccumulator(strict=True)
        for each in frames:
            accumulator.add(parse_event(json.dumps(each).encode()))
        assert accumulator.close().output_text == "Hello world"


def test_w1_the_service_gets_the_request_of_http(service: ScriptedService, talk: Talk) -> None:
    """The mark of the frame is not a part of the request that a service sees, and could pass on; unknown fields are."""
    got: list[dict[str, Any]] = []

    @service.script
    async def curious(request: Any, out: Any) -> None:
        got.append(request.model_dump())
        async with out.message() as message:
            await message.text("seen")

    talk.response("curious", input="hi", vendor_field={"a": [1.5]})
    assert got == [{"model": "curious", "input": "hi", "vendor_field": {"a": [1.5]}}]


CREATE = '{"type": "response.create", '
REFUSED: Mapping[str, tuple[str | bytes, int, str | None]] = {
    "W1-no-type": ('{"model": "hello"}', 400, "type"),
    "W1-unknown-type": ('{"type": "session.update"}', 400, "type"),
    "W1-null-type": ('{"type": null}', 400, "type"),
    "W1-stream": (CREATE + '"stream": true}', 400, "stream"),
    "W1-stream-options": (CREATE + '"stream_options": {"include_obfuscation": false}}', 400, "stream_options"),
    "W1-background": (CREATE + '"background": false}', 400, "background"),
    "E4-no-json": ('{"type": "response.create", "input": "a', 400, None),
    "E4-empty": ("", 400, None),
    "E4-no-object": ("[1]", 400, None),
    "E4-string": ('"response.create"', 400, None),
    "E4-nested": ("[" * 50_000, 400, None),
    "E4-binary": (b'{"type": "response.create"}', 400, None),
    "E4-too-large": (CREATE + f'"input": "{"x" * 100_001}"}}', 413, None),
    "E4-too-many": (
        json.dumps({"type": "response.create", "input": [{"role": "user", "content": "a"}] * 51}),
        400,
        "input",
    ),
    "E4-value": (CREATE + '"temperature": "hot"}', 400, "temperature"),
    "E4-enum": (CREATE + '"truncation": "some"}', 400, "truncation"),
    "E3-path": (
        CREATE + '"input": [{"role": "user", "content": [{"type": "input_text"}]}]}',
        400,
        "input[0].content[0].text",
    ),
    "P2-unknown": (CREATE + '"previous_response_id": "resp_0"}', 400, "previous_response_id"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_w6_what_is_refused_is_one_frame_and_the_connection_goes_on(talk: Talk, case: str) -> None:
    """Whatever is wrong with a frame is told in one frame, with the place of its cause, and the next turn is served."""
    frame, status, param = REFUSED[case]
    talk.send(frame)
    code = "previous_response_not_found" if case == "P2-unknown" else "invalid_request"
    assert error_of(talk.receive()) == (status, code, param)
    assert text_of(talk.response()) == "Hello world"


FAILURES: Mapping[str, tuple[int, str, str | None]] = {
    "refused": (400, "impolite", "input"),
    "limited": (429, "too_many_requests", None),
    "broken": (500, "server_error", None),
    "failing": (500, "model_crashed", None),
    "unheard_of": (404, "model_not_found", "model"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_w6_z10_a_failure_is_one_frame_in_place_of_the_end(talk: Talk, name: str) -> None:
    """The frame ends the turn, no `response.failed` comes; its code is a string; it tells nothing internal (E3)."""
    talk.create(name)
    frames = talk.turn()
    assert error_of(frames[-1]) == FAILURES[name]
    assert all(each["type"] != "response.failed" for each in frames)
    assert "secret" not in json.dumps(frames)
    talk.create("hello")
    assert [each["type"] for each in talk.turn()][:1] == ["response.created"]


def test_w6_l6_the_items_of_a_turn_that_fails_are_closed_first(talk: Talk) -> None:
    """What came of the response is whole: its open part and item are closed, as incomplete, before the error frame."""
    talk.create("failing")
    frames = talk.turn()
    assert [each["type"] for each in frames[-4:]] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "error",
    ]
    item = frames[-2]["item"]
    assert (item["status"], item["content"][0]["text"]) == ("incomplete", "half a sen")


HANDSHAKES: Mapping[str, tuple[str, Mapping[str, str], int, str]] = {
    "T2-no-key": ("/v1/responses", {}, 401, "unauthorized"),
    "T2-wrong-key": ("/v1/responses", {"authorization": "Bearer three"}, 401, "unauthorized"),
    "T2-no-bearer": ("/v1/responses", {"authorization": "Basic one"}, 401, "unauthorized"),
    "W1-path": ("/v1/elsewhere", {"authorization": "Bearer one"}, 404, "not_found"),
    "foreign-page": (
        "/v1/responses",
        {"authorization": "Bearer one", "origin": "https://evil.test"},
        403,
        "invalid_request",
    ),
    "no-page": ("/v1/responses", {"authorization": "Bearer one", "origin": "null"}, 403, "invalid_request"),
}


@pytest.fixture(scope="module")
def locked(service: ScriptedService) -> Iterator[RunningServer]:
    settings = ServerSettings(cors_origins=("https://a.test",))
    with running(create_app(service, store="memory:", api_keys=["one", "two"], settings=settings)) as server:
        yield server


@pytest.mark.parametrize("case", HANDSHAKES)
def test_e2_a_handshake_is_refused_as_a_request_would_be(locked: RunningServer, case: str) -> None:
    """Who may not call, or calls what is not there, is told so in the handshake, in the shape of E1."""
    path, headers, status, kind = HANDSHAKES[case]
    with (
        pytest.raises(InvalidStatus) as refused,
        talking(locked, path=path, headers={**headers, "x-request-id": "req_mine"}),
    ):
        pass
    answer = refused.value.response
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "req_mine"
    assert answer.headers["openresponses-version"] == "2026-04-24"
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert answer.body is not None
    error = json.loads(answer.body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == kind


@pytest.mark.parametrize("origin", ["https://a.test", "same", None])
def test_pages_may_connect_from_here_and_from_configured_origins(locked: RunningServer, origin: str | None) -> None:
    """A page of the server itself, one of a configured origin, and whoever is no page may open a WebSocket."""
    headers = {"authorization": "Bearer one"}
    if origin is not None:
        headers["origin"] = locked.url if origin == "same" else origin
    with talking(locked, headers=headers) as talk:
        assert text_of(talk.response()) == "Hello world"


def test_pages_may_not_connect_to_a_server_without_configured_origins(server: RunningServer) -> None:
    """A browser lets any page open a WebSocket to a server on the same machine; the server does not."""
    with pytest.raises(InvalidStatus) as refused, talking(server, headers={"origin": "https://evil.test"}):
        pass
    assert refused.value.response.status_code == 403


def test_t2_what_one_caller_stores_is_not_found_by_another(locked: RunningServer) -> None:
    """The caller is who opened the connection."""
    with talking(locked, headers={"authorization": "Bearer one"}) as talk:
        response = talk.response(input="hi")
    with talking(locked, headers={"authorization": "Bearer two"}) as talk:
        assert error_of(talk.failure(previous_response_id=response["id"]))[1] == "previous_response_not_found"
    with talking(locked, headers={"authorization": "Bearer one"}) as talk:
        assert text_of(talk.response("counted", input="x", previous_response_id=response["id"])) == "3"


def test_t3_the_handshake_names_the_release_and_the_connection(talk: Talk) -> None:
    """The answer to the handshake has the headers of any other answer."""
    answer = talk.websocket.response
    assert answer is not None
    assert answer.headers["openresponses-version"] == "2026-04-24"
    assert answer.headers["x-request-id"].startswith("req_")


def test_each_turn_has_a_request_id_in_the_log(server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log names the connection and the turn, and what became of it; none has what was said."""
    caplog.set_level(logging.INFO, "openresponses_kit.server")
    with talking(server, headers={"x-request-id": "req_mine"}) as talk:
        talk.response(input="private")
        talk.failure("failing", input="private")
        talk.send("private")
        talk.receive()
    lines = [each.getMessage() for each in caplog.records]
    assert lines == ["req_mine-1: 200", "req_mine-2: 500", "req_mine-3: 400"]


Sent = list[Mapping[str, Any]]


def asgi(app: ResponsesApp, scope: Mapping[str, Any], incoming: Callable[[], Awaitable[Any]]) -> Sent:
    """What the application sends on one WebSocket."""
    sent: Sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/v1/responses", "headers": [], **scope}, incoming, send))
    return sent


def test_e2_a_server_that_cannot_tell_why_closes_before_it_accepts() -> None:
    """Without the extension of ASGI for it, a handshake is refused by closing."""

    async def incoming() -> Mapping[str, Any]:
        return {"type": "websocket.connect"}

    sent = asgi(create_app(websocket_service(), store=None, api_keys=["one"]), {}, incoming)
    assert sent == [{"type": "websocket.close"}]


def test_a_client_that_is_gone_before_the_handshake_is_no_error() -> None:
    """Nothing is sent to a client that left before it was accepted."""

    async def incoming() -> Mapping[str, Any]:
        return {"type": "websocket.disconnect", "code": 1006}

    assert asgi(create_app(websocket_service(), store=None), {}, incoming) == []


def test_a_release_without_websockets_has_no_code_for_them(package: Callable[[str], ModuleType]) -> None:
    """The server of the older release is there without them."""
    name = f"{package('2026-01-15').__name__}.server"
    for module in ("websocket", "_frame_queue", "_recent_responses"):
        assert importlib.util.find_spec(f"{name}.{module}") is None
