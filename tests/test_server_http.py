"""The server over HTTP, with real requests to a real uvicorn: answers, streams, errors, and how work on them ends."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from openresponses_kit import ResponseAccumulator, parse_event
from openresponses_kit.models import ResponseResource
from openresponses_kit.server.app import create_app
from openresponses_kit.server.errors import (
    InvalidRequestError,
    ModelError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openresponses_kit.server.requests import Limits
from openresponses_kit.server.settings import ServerSettings
from openresponses_kit.sse import SSEDecoder
from payloads import NEWEST, document
from running_server import RunningServer, running
from scripted_service import ScriptedService, plain_service

PATIENCE = 20.0
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def service() -> ScriptedService:
    service = plain_service()

    @service.script
    async def refused(request: Any, out: Any) -> None:
        raise InvalidRequestError("say please", param="input", code="impolite")

    @service.script
    async def limited(request: Any, out: Any) -> None:
        raise TooManyRequestsError("slow down", retry_after=7)

    @service.script
    async def broken(request: Any, out: Any) -> None:
        raise RuntimeError("secret of the house: /etc/passwd")

    @service.script
    async def illegal(request: Any, out: Any) -> None:
        await out.function_call("no_such_tool").__aenter__()

    @service.script
    async def failing(request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("half a sen")
            raise ModelError("the model fell over", code="model_crashed")

    return service


@pytest.fixture(scope="module")
def server(service: ScriptedService) -> Iterator[RunningServer]:
    settings = ServerSettings(max_body_bytes=100_000, limits=Limits(elements=50), default_model="hello")
    with running(create_app(service, store="memory:", settings=settings)) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: RunningServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as client:
        yield client


def create(http: httpx2.Client, **body: Any) -> httpx2.Response:
    return http.post("/v1/responses", json=body)


def events(content: bytes) -> list[dict[str, Any]]:
    """The events of a stream; the last has to be `[DONE]`."""
    decoder = SSEDecoder()
    found = list(decoder.feed(content))
    assert not decoder.pending
    assert found[-1] == ("message", b"[DONE]")
    return [json.loads(data) for _, data in found[:-1]]


def test_t4_an_answer_is_the_whole_response(http: httpx2.Client) -> None:
    """An answer without a stream has every field, the message that was written, and the tokens that were counted."""
    answer = create(http, input="hi", store=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    response = ResponseResource.model_validate_json(answer.content)
    assert response.output_text == "Hello world"
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == 5
    required = {name for name, field in ResponseResource.model_fields.items() if field.is_required()}
    assert required <= answer.json().keys()


def test_s1_s2_s3_s4_s8_a_stream_is_framed_numbered_and_ended(http: httpx2.Client) -> None:
    """Each event has its two lines and its number; they come in the order of S4, and `[DONE]` is last."""
    answer = create(http, input="hi", stream=True, stream_options={"include_obfuscation": False})
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.content.decode().split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    for block in blocks[:-2]:
        name, data = block.split("\n")
        assert name == f"event: {json.loads(data.removeprefix('data: '))['type']}"
    sent = events(answer.content)
    assert [each["sequence_number"] for each in sent] == list(range(len(sent)))
    assert [each["type"] for each in sent] == [
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
    for each in sent:
        accumulator.add(parse_event(json.dumps(each).encode()))
    assert accumulator.close().output_text == "Hello world"


@pytest.mark.parametrize("stream", [False, True])
def test_t3_every_answer_names_the_release_and_the_request(http: httpx2.Client, *, stream: bool) -> None:
    """The release that was served and the name of the request are headers, whatever release the client asks for."""
    headers = {"OpenResponses-Version": "1999-01-01", "X-Request-Id": "req_mine"}
    answer = http.post("/v1/responses", json={"stream": stream, "store": False}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["openresponses-version"] == "2026-04-24"
    assert answer.headers["x-request-id"] == "req_mine"
    assert create(http).headers["x-request-id"].startswith("req_")


REFUSED: Mapping[str, tuple[str, str, Mapping[str, str], bytes, int, str, str | None]] = {
    "E4-no-json": ("POST", "/v1/responses", JSON, b'{"input": "a', 400, "invalid_request", None),
    "E4-no-object": ("POST", "/v1/responses", JSON, b"[]", 400, "invalid_request", None),
    "E4-empty": ("POST", "/v1/responses", JSON, b"", 400, "invalid_request", None),
    "E4-no-utf8": ("POST", "/v1/responses", JSON, b'{"input": "\xff"}', 400, "invalid_request", None),
    "E4-type": ("POST", "/v1/responses", JSON, b'{"temperature": "x"}', 400, "invalid_request", "temperature"),
    "E4-enum": ("POST", "/v1/responses", JSON, b'{"truncation": "x"}', 400, "invalid_request", "truncation"),
    "E3-path": (
        "POST",
        "/v1/responses",
        JSON,
        b'{"input": [{"role": "user", "content": [{"type": "input_text"}]}]}',
        400,
        "invalid_request",
        "input[0].content[0].text",
    ),
    "E4-too-large": ("POST", "/v1/responses", JSON, b" " * 100_001, 413, "invalid_request", None),
    "E4-too-many": (
        "POST",
        "/v1/responses",
        JSON,
        json.dumps({"input": [{"role": "user", "content": "a"}] * 51}).encode(),
        400,
        "invalid_request",
        "input",
    ),
    "E2-404": ("POST", "/v1/nowhere", JSON, b"{}", 404, "not_found", None),
    "E2-405": ("GET", "/v1/responses", {}, b"", 405, "invalid_request", None),
    "E2-415": ("POST", "/v1/responses", {"content-type": "text/plain"}, b"{}", 415, "invalid_request", None),
    "E2-415-gzip": (
        "POST",
        "/v1/responses",
        {**JSON, "content-encoding": "gzip"},
        b"{}",
        415,
        "invalid_request",
        None,
    ),
    "P2-unknown": (
        "POST",
        "/v1/responses",
        JSON,
        b'{"previous_response_id": "resp_0"}',
        404,
        "not_found",
        "previous_response_id",
    ),
    "P5-not-stored": (
        "POST",
        "/v1/responses",
        JSON,
        b'{"background": true, "store": false}',
        400,
        "invalid_request",
        "background",
    ),
    "X8-no-call": (
        "POST",
        "/v1/responses",
        JSON,
        b'{"input": [{"type": "function_call_output", "call_id": "c", "output": "1"}]}',
        400,
        "invalid_request",
        "input[0].call_id",
    ),
    "no-such-response": ("GET", "/v1/responses/resp_0", {}, b"", 404, "not_found", "response_id"),
    "no-compaction": ("POST", "/v1/responses/compact", JSON, b'{"model": "m"}', 404, "not_found", None),
    "E4-compact": ("POST", "/v1/responses/compact", JSON, b"{}", 400, "invalid_request", "model"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_e1_e2_what_is_refused_is_told_in_one_shape(http: httpx2.Client, case: str) -> None:
    """Every refusal has the body of E1, with the status, the type and the place of its cause."""
    method, path, headers, body, status, kind, param = REFUSED[case]
    answer = http.request(method, path, headers=headers, content=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == (kind, param)
    assert error["message"]
    assert answer.headers["x-request-id"]


def test_e2_405_names_what_is_allowed(http: httpx2.Client) -> None:
    """A method that is not allowed is answered with those that are."""
    assert http.delete("/v1/responses").headers["allow"] == "POST"
    assert http.post("/health").headers["allow"] == "GET"


def test_e4_bad_json_is_told_with_its_line_and_column(http: httpx2.Client) -> None:
    """The message says where the JSON breaks."""
    answer = http.post("/v1/responses", content=b'{"input": "a",\n  "model": }', headers=JSON)
    assert "line 2" in answer.json()["error"]["message"]


FAILURES: Mapping[str, tuple[int, str, str | None, str | None]] = {
    "refused": (400, "invalid_request", "impolite", "input"),
    "limited": (429, "too_many_requests", None, None),
    "broken": (500, "server_error", None, None),
    "illegal": (500, "server_error", None, None),
    "unheard_of": (404, "not_found", "model_not_found", "model"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", FAILURES)
def test_e4_a_failure_before_the_first_event_is_an_answer(http: httpx2.Client, name: str, *, stream: bool) -> None:
    """What fails before anything was written is an HTTP error, streamed or not, and tells nothing internal (E3)."""
    status, kind, code, param = FAILURES[name]
    answer = create(http, model=name, stream=stream)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == (kind, code, param)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers.get("retry-after") == ("7" if name == "limited" else None)


def test_s5_a_failure_in_a_stream_is_an_error_event_and_a_failed_response(http: httpx2.Client) -> None:
    """What fails later ends the stream by the rules: the item is closed, then `error`, `response.failed`, `[DONE]`."""
    sent = events(create(http, model="failing", stream=True).content)
    assert [each["type"] for each in sent[-2:]] == ["error", "response.failed"]
    assert sent[-2]["error"] == {
        "type": "model_error",
        "code": "model_crashed",
        "message": "the model fell over",
        "param": None,
    }
    response = sent[-1]["response"]
    assert response["status"] == "failed"
    assert response["error"] == {"code": "model_crashed", "message": "the model fell over"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["text"] == "half a sen"


def test_p1_a_chain_is_sampled_over_from_its_start(http: httpx2.Client) -> None:
    """A response is continued from the input and output of all before it."""
    previous = None
    for length in (1, 3, 5, 7):
        answer = create(http, model="counted", input="next", previous_response_id=previous).json()
        assert answer["output"][0]["content"][0]["text"] == str(length)
        assert answer["previous_response_id"] == previous
        previous = answer["id"]


def test_r3_what_is_not_stored_is_not_found(http: httpx2.Client) -> None:
    """With `store: false` a response cannot be continued, nor fetched."""
    answer = create(http, input="hi", store=False).json()
    assert answer["store"] is False
    refused = create(http, previous_response_id=answer["id"]).json()["error"]
    assert refused["code"] == "previous_response_not_found"
    assert http.get(f"/v1/responses/{answer['id']}").status_code == 404


def test_p5_a_response_in_the_background_is_fetched_when_it_is_done(
    service: ScriptedService, http: httpx2.Client
) -> None:
    """It is answered at once as queued, and is there when the work is done; one that failed says so."""
    go = threading.Event()

    @service.script
    async def later(request: Any, out: Any) -> None:
        assert await asyncio.to_thread(go.wait, PATIENCE)
        async with out.message() as message:
            await message.text("done")

    queued = create(http, model="later", background=True).json()
    assert (queued["status"], queued["background"], queued["output"]) == ("queued", True, [])
    assert http.get(f"/v1/responses/{queued['id']}").json() == queued
    go.set()
    done = fetch_until_done(http, queued["id"])
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["text"] == "done"

    failed = fetch_until_done(http, create(http, model="failing", background=True).json()["id"])
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "model_crashed"


def fetch_until_done(http: httpx2.Client, response_id: str) -> dict[str, Any]:
    for _ in range(5000):
        response: dict[str, Any] = http.get(f"/v1/responses/{response_id}").json()
        if response["status"] not in {"queued", "in_progress"}:
            return response
    raise AssertionError("the response was not done in time")


def test_p5_a_stream_of_a_response_in_the_background_says_queued(http: httpx2.Client) -> None:
    """With a stream, `response.queued` comes between created and in progress (S4)."""
    sent = events(create(http, input="hi", background=True, stream=True).content)
    names = [each["type"] for each in sent]
    assert names[:3] == ["response.created", "response.queued", "response.in_progress"]
    assert names[-1] == "response.completed"
    assert http.get(f"/v1/responses/{sent[-1]['response']['id']}").json() == sent[-1]["response"]


def wait_for_end(service: ScriptedService, count: int) -> None:
    for _ in range(2000):
        if len(service.ended) >= count:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the service was not stopped")


@pytest.mark.parametrize("model", ["endless", "silent"])
@pytest.mark.parametrize("stream", [False, True])
def test_z16_the_leaving_of_a_client_stops_the_service(
    service: ScriptedService, server: RunningServer, model: str, *, stream: bool
) -> None:
    """A client that closes its connection has the work on its response cancelled."""
    ended, begun = len(service.ended), len(service.begun)
    body = json.dumps({"model": model, "stream": stream}).encode()
    head = (
        f"POST /v1/responses HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)
        for _ in range(2000):
            if len(service.begun) > begun:
                break
            threading.Event().wait(0.005)
        if stream and model == "endless":
            assert connection.recv(100)
    wait_for_end(service, ended + 1)
    assert service.ended[-1] == (model, asyncio.CancelledError)


@pytest.mark.parametrize("after", range(8))
def test_z16_a_stream_can_be_left_after_any_event(service: ScriptedService, http: httpx2.Client, after: int) -> None:
    """Whichever event a client leaves after, the service is cancelled and the server goes on."""
    go = asyncio.Event()

    @service.script
    async def stepwise(request: Any, out: Any) -> None:
        async with out.message() as message:
            for number in range(after):
                await message.text(str(number))
            await go.wait()

    ended = len(service.ended)
    with http.stream("POST", "/v1/responses", json={"model": "stepwise", "stream": True}) as answer:
        decoder, seen = SSEDecoder(), 0
        if after:
            for chunk in answer.iter_raw():
                seen += sum(name == "response.output_text.delta" for name, _ in decoder.feed(chunk))
                if seen == after:
                    break
    wait_for_end(service, ended + 1)
    assert service.ended[-1] == ("stepwise", asyncio.CancelledError)
    assert create(http, input="still there?").status_code == 200


def test_s1_a_silent_stream_is_kept_up_by_comments(service: ScriptedService) -> None:
    """While nothing is written, comments show that the server is there; then the stream goes on."""
    go = threading.Event()

    @service.script
    async def slow(request: Any, out: Any) -> None:
        await asyncio.to_thread(go.wait, PATIENCE)
        async with out.message() as message:
            await message.text("at last")

    settings = ServerSettings(ping_seconds=0.02)
    with (
        running(create_app(service, store=None, settings=settings)) as server,
        httpx2.stream(
            "POST",
            f"{server.url}/v1/responses",
            json={"model": "slow", "stream": True},
            timeout=PATIENCE,
            trust_env=False,
        ) as answer,
    ):
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if content.count(b": ping\n\n") == 2:
                go.set()
    assert content.startswith(b": ping\n\n: ping\n\n")
    assert events(content)[-1]["response"]["status"] == "completed"


def test_a_slow_reader_holds_a_bounded_buffer(service: ScriptedService, server: RunningServer) -> None:
    """Writing waits for a client that does not read: what is held for it is bounded, however much is written."""
    written: list[int] = []
    stuck = threading.Event()

    @service.script
    async def flood(request: Any, out: Any) -> None:
        piece = "x" * 65536
        async with out.message() as message:
            try:
                for number in range(2000):
                    written.append(number)
                    async with asyncio.timeout(1.0):
                        await message.text(piece)
            finally:
                stuck.set()

    body = json.dumps({"model": "flood", "stream": True}).encode()
    head = (
        f"POST /v1/responses HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)
        assert stuck.wait(PATIENCE)
    # What the system's socket buffers take is some megabytes; 125 MB would have been written.
    assert len(written) < 400


def test_s5_a_server_that_stops_lets_streams_finish_within_a_limit_then_ends_them(
    service: ScriptedService,
) -> None:
    """Streams that are not done when the time is over get `error` and `response.failed`; new requests are refused."""
    app = create_app(service, store=None, settings=ServerSettings(shutdown_seconds=0.2))
    with running(app) as server:
        with httpx2.stream(
            "POST",
            f"{server.url}/v1/responses",
            json={"model": "endless", "stream": True},
            timeout=PATIENCE,
            trust_env=False,
        ) as answer:
            chunks = answer.iter_raw()
            content = next(chunks)
            threading.Thread(target=lambda: asyncio.run_coroutine_threadsafe(app.drain(0.1), loop_of(server))).start()
            content += b"".join(chunks)
        sent = events(content)
        assert [each["type"] for each in sent[-2:]] == ["error", "response.failed"]
        assert sent[-2]["error"]["type"] == "server_error"
        refused = httpx2.post(f"{server.url}/v1/responses", json={}, trust_env=False)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]


def loop_of(server: RunningServer) -> asyncio.AbstractEventLoop:
    loop = server.uvicorn.servers[0].get_loop()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    return loop


KEYS: Mapping[str, Any] = {
    "a list": ["one", "two"],
    "a function": lambda key: key in {"one", "two"},
}


@pytest.mark.parametrize("keys", KEYS)
def test_t2_a_key_is_needed_where_keys_are_configured(service: ScriptedService, keys: str) -> None:
    """Without a valid key the answer is 401; what one caller stores is not found by another."""
    with (
        running(create_app(service, store="memory:", api_keys=KEYS[keys])) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        for headers in ({}, {"authorization": "Bearer three"}, {"authorization": "Basic one"}):
            answer = http.post("/v1/responses", json={"model": "hello"}, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["type"] == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"
        one, two = ({"authorization": f"Bearer {key}"} for key in ("one", "two"))
        answer = http.post("/v1/responses", json={"model": "hello"}, headers=one)
        path = f"/v1/responses/{answer.json()['id']}"
        assert http.get(path, headers=one).status_code == 200
        assert http.get(path, headers=two).status_code == 404
        assert http.get("/health").json() == {"status": "ok"}


def test_t2_a_service_can_say_who_calls() -> None:
    """The hook of the service gets key and headers, names the caller, and can turn it away."""

    class Guarded(ScriptedService):
        async def authenticate(self, key: str | None, headers: Mapping[str, str]) -> str | None:
            if headers.get("x-tenant") is None:
                raise UnauthorizedError("no tenant")
            return headers["x-tenant"]

    service = Guarded()
    service.scripts = plain_service().scripts
    with (
        running(create_app(service, store="memory:")) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        assert http.post("/v1/responses", json={"model": "hello"}).status_code == 401
        answer = http.post("/v1/responses", json={"model": "hello"}, headers={"x-tenant": "a"})
        path = f"/v1/responses/{answer.json()['id']}"
        assert http.get(path, headers={"x-tenant": "a"}).status_code == 200
        assert http.get(path, headers={"x-tenant": "b"}).status_code == 404


def test_e2_429_a_busy_server_says_so(service: ScriptedService) -> None:
    """Beyond the most responses at once, requests are refused, and served again later."""
    app = create_app(service, store=None, settings=ServerSettings(max_active=1))
    with (
        running(app) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        with http.stream("POST", "/v1/responses", json={"model": "endless", "stream": True}) as answer:
            chunks = answer.iter_raw()
            next(chunks)
            refused = http.post("/v1/responses", json={"model": "hello"})
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "1"
        wait_for_end(service, len(service.begun))
        for _ in range(1000):
            if http.post("/v1/responses", json={"model": "hello"}).status_code == 200:
                return
        raise AssertionError("the server stayed busy")


def test_pages_may_call_only_from_origins_that_are_configured(service: ScriptedService) -> None:
    """Without configuration there are no headers for pages of other origins; with it, only for those."""
    ask = {"origin": "https://a.test", "access-control-request-method": "POST"}
    for origins, allowed in (((), None), (("https://a.test",), "https://a.test"), (("https://b.test",), None)):
        app = create_app(service, store=None, settings=ServerSettings(cors_origins=origins))
        with (
            running(app) as server,
            httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
        ):
            preflight = http.options("/v1/responses", headers=ask)
            answer = http.post("/v1/responses", json={"model": "hello"}, headers={"origin": "https://a.test"})
        assert preflight.headers.get("access-control-allow-origin") == allowed
        assert preflight.status_code == (204 if origins else 405)
        assert answer.headers.get("access-control-allow-origin") == allowed


def test_the_document_is_served(http: httpx2.Client) -> None:
    """`/openapi.json` is the document that the package came from."""
    assert http.get("/openapi.json").json() == document(NEWEST).root


def test_a_failure_of_the_store_is_a_server_error(service: ScriptedService) -> None:
    """When the response cannot be kept, the client is not told that it was completed."""

    class Full:
        async def open(self) -> None: ...
        async def close(self) -> None: ...
        async def save(self, record: object) -> None:
            raise OSError("disk full at /var/secret")

    with (
        running(create_app(service, store=Full())) as server,  # type: ignore[arg-type]
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        answer = http.post("/v1/responses", json={"model": "hello"})
        assert answer.status_code == 500
        assert "secret" not in answer.text
        sent = events(http.post("/v1/responses", json={"model": "hello", "stream": True}).content)
        assert sent[-1]["type"] == "response.failed"


def test_a_log_line_names_the_request_and_nothing_secret(
    service: ScriptedService, caplog: pytest.LogCaptureFixture
) -> None:
    """Each answer has a line with its id, method, path and status; paths cannot forge lines, keys are in none."""
    caplog.set_level("INFO", logger="openresponses_kit")
    headers = {"x-request-id": "req_mine", "authorization": "Bearer the-key"}
    app = create_app(service, store=None, api_keys=["the-key"])
    with running(app, log_config=None) as server, httpx2.Client(base_url=server.url, trust_env=False) as http:
        http.post("/v1/responses", json={"model": "hello"}, headers=headers)
        http.get("/v1/responses/a%0Ab", headers=headers)
        http.post("/v1/responses", json={"model": "broken"}, headers=headers)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("openresponses_kit")]
    assert lines == [
        "req_mine: POST '/v1/responses' 200",
        "req_mine: GET '/v1/responses/a\\nb' 404",
        "req_mine: the service failed",
        "req_mine: POST '/v1/responses' 500",
    ]
    assert "the-key" not in caplog.text


@pytest.mark.parametrize(
    "settings",
    [{"max_body_bytes": 0}, {"ping_seconds": -1.0}, {"cors_origins": "https://a.test"}, {"max_active": 0}],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    """A setting out of range is an error that names it."""
    with pytest.raises((TypeError, ValueError), match=next(iter(settings))):
        ServerSettings(**settings)


def test_a_service_error_keeps_its_status() -> None:
    """The status of an error can be another one than that of its class."""
    assert ServerError("stopping", status=503).status == 503
    assert ServerError("failed").status == 500
