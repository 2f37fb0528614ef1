"""What passes through a gateway unchanged: bytes of an upstream that speaks Open Responses, and its events.

Rules: M2, Z19 (requests), N3, S8 (answers), T2 (keys), S5, S7, L9 (streams that break off), Z16 (leaving), P2.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit import OpenResponses, parse_event
from openresponses_kit.accumulate import ResponseAccumulator
from openresponses_kit.gateway import AgenticLoop, ResponsesUpstream, hosted_tool
from openresponses_kit.server import ServerSettings, create_app
from openresponses_kit.server._slices import replaced
from openresponses_kit.server.relaying import EventBlocks
from openresponses_kit.sse import SSEDecoder
from relayed_upstream import Upstream
from running_server import RunningServer, running
from streams import events_of, message, response_of, sse, text

REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "In short."}],
    "content": [{"type": "reasoning_text", "text": "At length."}],
    "encrypted_content": "opaque==",
}
UNKNOWN = {"type": "acme:search", "id": "as_1", "status": "completed", "hits": [1.0, {"a": None}], "big": 2**70}
RESPONSE = response_of(REASONING, UNKNOWN, message(text("Hello there.")))
PROGRESS = {"type": "acme:progress", "percent": 1e2, "more": [None]}
EVENTS = events_of(RESPONSE)
REQUEST = b'{ "input":"Hi", "stream" : true,"temperature":1.0,"model":"m", "acme:x":{"b":1,"a":[1e2]} }'


@contextmanager
def gateway(upstream: Upstream, **options: Any) -> Iterator[RunningServer]:
    """A gateway before an upstream, both on sockets."""
    with running(upstream, log_level="critical") as there:
        model = ResponsesUpstream(f"{there.url}/v1", api_key="sk-of-the-gateway")
        with running(create_app(AgenticLoop(model, **options), store="memory:")) as here:
            yield here


def post(server: RunningServer, body: bytes = REQUEST, **headers: str) -> httpx2.Response:
    given_headers = {"content-type": "application/json", "authorization": "Bearer sk-of-the-caller", **headers}
    return httpx2.post(f"{server.url}/v1/responses", content=body, headers=given_headers, trust_env=False, timeout=20)


def read(content: bytes) -> list[dict[str, Any]]:
    """The events of a stream; the last one has to be followed by `[DONE]` (rule S2)."""
    *events, (_, done) = SSEDecoder().feed(content)
    assert done == b"[DONE]"
    return [json.loads(data) for _, data in events]


@pytest.mark.parametrize("size", [1, 7, 100, 10**6])
def test_s8_n3_a_stream_comes_as_it_was_sent(size: int) -> None:
    """To the byte, unknown items, events and forms of numbers among it, however it is cut on the way."""
    content = sse([*EVENTS[:4], PROGRESS, *EVENTS[4:]])
    upstream = Upstream([content[start : start + size] for start in range(0, len(content), size)])
    with gateway(upstream) as server:
        answer = post(server)
    assert answer.content == content
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_t4_an_answer_in_one_piece_comes_as_it_was_sent() -> None:
    content = json.dumps({**RESPONSE, "acme:more": [1.0, 1e5]}, indent=1).encode()
    with gateway(Upstream([content], kind="application/json")) as server:
        assert post(server, b'{"model":"m","input":"Hi"}').content == content


def test_z19_t2_a_request_goes_on_as_it_was_sent_with_the_key_of_the_gateway() -> None:
    upstream = Upstream([sse(EVENTS)])
    with gateway(upstream) as server:
        post(server, cookie="a=b", **{"x-caller": "secret"})
    assert upstream.bodies == [REQUEST]
    (headers,) = upstream.sent
    assert headers["authorization"] == "Bearer sk-of-the-gateway"
    assert "sk-of-the-caller" not in str(headers)
    assert not {"cookie", "x-caller"} & headers.keys()
    assert headers["openresponses-version"] == "2026-04-24"


REFUSALS = {
    "the request": (400, {"type": "invalid_request", "message": "too hot", "param": "temperature", "code": "hot"}, 400),
    "the key of the gateway": (401, {"message": "bad key sk-abcdefgh", "type": "unauthorized"}, 502),
    "the key, repeated": (400, {"message": "sk-of-the-gateway", "param": "sk-of-the-gateway", "code": None}, 400),
    "for now": (429, {"message": "slow down", "type": "too_many_requests"}, 429),
    "a failure": (500, {"message": "at http://10.0.0.7/x", "type": "server_error"}, 502),
    "no error at all": (503, "gone", 502),
}


@pytest.mark.parametrize(("status", "error", "told"), REFUSALS.values(), ids=REFUSALS)
def test_e2_e3_refusals_are_told_as_the_callers_own_or_not_at_all(status: int, error: Any, told: int) -> None:
    """The place and the code of what the caller did wrong go on; nothing of keys and addresses does."""
    body = json.dumps({"error": error}).encode()
    upstream = Upstream([body], status=status, kind="application/json", headers=[(b"retry-after", b"7")])
    with gateway(upstream) as server:
        answer = post(server)
    assert answer.status_code == told
    found = answer.json()["error"]
    assert "sk-" not in answer.text
    assert "10.0.0.7" not in answer.text
    if "hot" in str(error):
        assert (found["param"], found["code"]) == ("temperature", "hot")
    if status == 429:
        assert answer.headers["retry-after"] == "7"


NO_ANSWERS = {
    "a page": ("text/html", []),
    "something compressed": ("text/event-stream", [(b"content-encoding", b"gzip")]),
}


@pytest.mark.parametrize(("kind", "headers"), NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("tools", [[], [{"type": "acme:shout"}]], ids=["relayed", "sampled"])
def test_m3_what_is_no_answer_counts_as_a_failure(kind: str, headers: Any, tools: list[Any]) -> None:
    """It is told before the first byte, so that a router could go elsewhere."""
    upstream = Upstream([sse(EVENTS)], kind=kind, headers=headers)
    with gateway(upstream, tools=[shout]) as server:
        answer = post(server, json.dumps({"model": "m", "input": "Hi", "stream": True, "tools": tools}).encode())
    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "server_error"


def test_e5_an_upstream_that_is_not_there_is_told_before_the_first_byte() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        model = ResponsesUpstream(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1")
        with running(create_app(AgenticLoop(model), store=None)) as server:
            answer = post(server)
    assert answer.status_code == 502
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize("count", range(1, len(EVENTS)))
def test_s5_l9_a_stream_that_breaks_off_ends_by_the_rules(count: int) -> None:
    """After every event: an `error`, `response.failed` with what came, `[DONE]`; numbers rise by one."""
    sent = sse(EVENTS[:count], done=False)
    with gateway(Upstream([sent + b"event: response.output"], breaks_off=True)) as server:
        content = post(server).content
    assert content.startswith(sent)
    events = read(content)
    assert [event["type"] for event in events[count:]] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(count + 2))
    failed = events[-1]["response"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "model_error")
    folding = ResponseAccumulator()
    for event in events[:count]:
        folding.add(parse_event(json.dumps(event)))
    partial = folding.partial(status="failed")
    assert partial is not None
    assert failed["output"] == json.loads(partial.model_dump_json())["output"]


@pytest.mark.parametrize(
    "last",
    [
        {"type": "acme:progress"},
        {"type": "acme:progress", "sequence_number": "x"},
        {**EVENTS[2], "type": "acme:said", "text": "\ndata: [DONE]", "more": "data: [DONE]"},
    ],
    ids=["no number", "a number that is none", "the end in a text"],
)
def test_s5_odd_events_do_not_hide_a_break(last: dict[str, Any]) -> None:
    sent = sse([*EVENTS[:3], last], done=False)
    with gateway(Upstream([sent], breaks_off=True)) as server:
        content = post(server).content
    assert content.startswith(sent)
    assert [event["type"] for event in read(content)[-2:]] == ["error", "response.failed"]


def test_s7_a_long_stream_that_breaks_off_visibly_does() -> None:
    """Beyond what is kept to end it well, it ends where it broke off: nobody takes that for an end."""
    delta = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0}
    many = [{**delta, "delta": "x" * 10_000, "logprobs": [], "sequence_number": number} for number in range(200)]
    sent = sse([*EVENTS[:2], *many], done=False)
    with gateway(Upstream([sent], breaks_off=True)) as server:
        assert post(server).content == sent


def test_s2_a_stream_without_its_done_gets_it() -> None:
    sent = sse(EVENTS, done=False)
    with gateway(Upstream([sent])) as server:
        assert post(server).content == sent + b"data: [DONE]\n\n"


def test_z16_the_upstream_is_left_with_the_caller() -> None:
    upstream = Upstream([sse(EVENTS[:3], done=False)], stays=True)
    with gateway(upstream) as server:
        head = f"POST /v1/responses HTTP/1.1\r\nhost: a\r\ncontent-length: {len(REQUEST)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(head.encode() + REQUEST)
            received = b""
            while b"response.output_item.added" not in received:
                received += connection.recv(65536)
        while {"left": "yes"} not in upstream.sent:
            asyncio.run(asyncio.sleep(0.01))


def test_s5_a_server_that_stops_ends_what_it_passes_on() -> None:
    """The caller is told why, by the same events as of any other response."""

    async def story() -> bytes:
        upstream = Upstream([sse(EVENTS[:3], done=False)], stays=True)
        with running(upstream) as there:
            app = create_app(AgenticLoop(ResponsesUpstream(f"{there.url}/v1")), store=None)
            sent: asyncio.Queue[Any] = asyncio.Queue()
            body = [{"type": "http.request", "body": REQUEST}]

            async def receive() -> Any:
                return body.pop() if body else await asyncio.get_running_loop().create_future()

            scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}
            serving = asyncio.ensure_future(app(scope, receive, sent.put))
            content = b""
            while b"response.output_item.added" not in content:
                content += (await sent.get()).get("body", b"")
            await app.drain(0)
            await serving
            while not sent.empty():
                content += sent.get_nowait().get("body", b"")
            await app.close()
            return content

    events = read(asyncio.run(story()))
    assert [event["type"] for event in events[3:]] == ["error", "response.failed"]
    assert "shutting down" in events[-1]["response"]["error"]["message"]


def test_s7_an_answer_in_one_piece_that_is_stopped_is_cut_off() -> None:
    """Half of a JSON text must not look like a whole one: the answer never ends properly."""

    async def story() -> list[Any]:
        upstream = Upstream([b'{"id":"resp_1",'], kind="application/json", stays=True)
        with running(upstream) as there:
            app = create_app(AgenticLoop(ResponsesUpstream(f"{there.url}/v1")), store=None)
            sent: asyncio.Queue[Any] = asyncio.Queue()
            body = [{"type": "http.request", "body": b'{"model":"m","input":"Hi"}'}]

            async def receive() -> Any:
                return body.pop() if body else await asyncio.get_running_loop().create_future()

            scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}
            serving = asyncio.ensure_future(app(scope, receive, sent.put))
            told = [await sent.get(), await sent.get()]
            await app.drain(0)
            await serving
            await app.close()
            return [*told, *(sent.get_nowait() for _ in range(sent.qsize()))]

    start, *pieces = asyncio.run(story())
    assert start["status"] == 200
    assert all(piece["more_body"] for piece in pieces)


def test_s1_a_stream_that_is_silent_gets_comments() -> None:
    """Between whole events, so that nothing on the way gives up on it."""
    upstream = Upstream([sse(EVENTS[:3], done=False)], stays=True)
    with running(upstream) as there:
        app = create_app(
            AgenticLoop(ResponsesUpstream(f"{there.url}/v1")), store=None, settings=ServerSettings(ping_seconds=0.05)
        )
        with running(app) as server, socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            head = f"POST /v1/responses HTTP/1.1\r\nhost: a\r\ncontent-length: {len(REQUEST)}\r\n\r\n"
            connection.sendall(head.encode() + REQUEST)
            received = b""
            while received.count(b": ping\n\n") < 2:
                received += connection.recv(65536)
    assert sse(EVENTS[:3], done=False) in received


def test_n3_on_a_websocket_events_are_passed_on_with_numbers_of_their_own() -> None:
    """Items come as they were, whatever is in them; the response is the gateway's."""
    upstream = Upstream([sse([*EVENTS[:4], PROGRESS, *EVENTS[4:]])])
    with (
        gateway(upstream) as server,
        OpenResponses(base_url=f"{server.url}/v1", api_key="k") as client,
        client.responses.connect() as connection,
    ):
        events = [json.loads(event.model_dump_json()) for event in connection.create(model="m", input="Hi")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    own = ("response.created", "response.in_progress", "response.completed")
    passed = [event for event in events if event["type"] not in own]
    wanted = [event for event in [*EVENTS[:4], PROGRESS, *EVENTS[4:]] if event["type"] not in own]
    for event, was in zip(passed, wanted, strict=True):
        assert {**event, "sequence_number": 0} == {**was, "sequence_number": 0}
    assert events[-1]["response"]["output"] == RESPONSE["output"]
    assert events[-1]["response"]["id"] != RESPONSE["id"]
    assert upstream.last["store"] is False


@hosted_tool("acme:shout")
async def shout(word: str) -> str:
    """Say it loudly."""
    return word.upper()


def test_x2_calls_of_hosted_tools_are_run_and_the_next_round_goes_on() -> None:
    """The call is hidden, its receipt shown, and the items of the next round come behind it (rule L7)."""
    call = {"type": "function_call", "id": "fc_1", "call_id": "c_1", "name": "shout", "status": "completed"}
    called = response_of(REASONING, {**call, "arguments": '{"word":"hey"}'})
    rounds = [sse(events_of(called)), sse(events_of(response_of(message(text("It said HEY.")))))]

    class Rounds(Upstream):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.pieces = [rounds[len(self.bodies)]]
            await super().__call__(scope, receive, send)

    upstream = Rounds([])
    with (
        gateway(upstream, tools=[shout]) as server,
        OpenResponses(base_url=f"{server.url}/v1", api_key="k") as client,
        client.responses.stream(model="m", input="Hi", tools=[{"type": "acme:shout"}]) as stream,
    ):
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "acme:shout_call", "message"]
    assert "response.function_call_arguments.delta" not in kinds
    assert json.loads(response.model_dump_json())["output"][1]["output"] == "HEY"
    told = upstream.last["input"]
    assert [(each["type"], each.get("output")) for each in told[-2:]] == [
        ("function_call", None),
        ("function_call_output", "HEY"),
    ]
    assert [tool["name"] for tool in upstream.last["tools"]] == ["shout"]


WRONG = {
    "an item twice": [EVENTS[2], EVENTS[2]],
    "a delta without an item": [next(each for each in EVENTS if each["type"].endswith(".delta"))],
    "the end of no item": [next(each for each in EVENTS if each["type"] == "response.output_item.done")],
    "no object": [{"type": "response.output_item.added", "output_index": 0, "item": 3}],
    "tokens that are none": [{"type": "response.completed", "response": {**RESPONSE, "usage": {"input_tokens": -1}}}],
    "a response that is none": [{"type": "response.completed", "response": []}],
}


@pytest.mark.parametrize("events", WRONG.values(), ids=WRONG)
def test_l1_l6_an_upstream_that_breaks_the_order_fails_the_response(events: list[dict[str, Any]]) -> None:
    """Nothing illegal reaches a caller of the gateway's own response; it fails by the rules."""
    with gateway(Upstream([sse(events)]), tools=[shout]) as server:
        answer = post(server, b'{"model":"m","input":"Hi","stream":true,"tools":[{"type":"acme:shout"}]}')
    if answer.status_code != 200:
        assert answer.json()["error"]["type"] == "model_error"
        return
    told = read(answer.content)
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    folding = ResponseAccumulator(strict=True)
    for event in told:
        folding.add(parse_event(json.dumps(event)))


@given(
    st.lists(st.sampled_from([b"a", b"data: x", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b": ping\n\n"]), max_size=40),
    st.data(),
)
def test_s8_pieces_end_where_events_end_and_nothing_is_lost(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    blocks = EventBlocks()
    whole: list[bytes] = []
    start = 0
    while start < len(content):
        size = data.draw(st.integers(1, len(content) - start))
        whole.append(blocks.cut(content[start : start + size]))
        start += size
    assert b"".join([*whole, blocks.rest()]) == content
    for piece in filter(None, whole):
        assert piece.endswith((b"\n\n", b"\n\r\n"))


@given(
    st.dictionaries(st.sampled_from(["model", "input", "a", "b"]), st.integers() | st.text(max_size=3)),
    st.dictionaries(st.sampled_from(["model", "b", "new"]), st.none() | st.integers()),
)
def test_z19_replacing_members_leaves_the_others_as_they_are(members: dict[str, Any], changes: dict[str, Any]) -> None:
    content = json.dumps(members, indent=1).encode()
    given_changes = {name: None if value is None else json.dumps(value).encode() for name, value in changes.items()}
    found = replaced(content, given_changes)
    wanted = {**members, **changes}
    assert json.loads(found) == {name: value for name, value in wanted.items() if changes.get(name, 0) is not None}
    if not changes:
        assert found is content
