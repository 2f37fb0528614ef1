"""What calls put on the wire and make of answers, with both clients, against a real server on loopback.

Protects the rules T1 to T4 (requests, key, release), M2 (a provider's own options), R2, N3, N4, P6, Z6, Z18 and Z19
(items go back as they came), the deviations of real servers, and what users of the OpenAI SDK are used to: raw answers,
options, closing.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import httpx2
import openresponses_kit as kit
import pytest
from either_client import Clients
from openresponses_kit._tolerance import DeviationWarning
from payloads import same_json
from scripted_answers import answer, json_answer, message, response, stream_answer
from scripted_server import ScriptedServer

KEY = "sk-very-secret"
MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi 漢字 😀"}]}
TOOL = {"type": "function", "name": "look", "parameters": {"b": 1, "a": {"$ref": "#"}}, "strict": True}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, free of what the client and its HTTP library look at."""
    for name in ("OPENRESPONSES_BASE_URL", "OPENRESPONSES_API_KEY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_t1_t2_t3_a_request_is_one_json_object_with_the_key_and_the_release(
    server: ScriptedServer, connect: Clients
) -> None:
    script = server.script(json_answer(response(), headers={"X-Request-Id": "req_7"}))
    result = connect(script.base_url, api_key=KEY).responses.create(model="m", input="hi", temperature=0.5)
    sent = script.request
    assert (sent.method, sent.target) == ("POST", f"{script.path}/responses")
    assert sent.json == {"model": "m", "input": "hi", "temperature": 0.5}
    expected = {
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "accept": "application/json",
        "openresponses-version": kit.SPEC_RELEASE,
        "user-agent": f"openresponses_kit/{kit.__version__}",
        "content-length": str(len(sent.body)),
    }
    assert expected.items() <= sent.headers.items()
    assert "idempotency-key" not in sent.headers
    assert isinstance(result, kit.ResponseResource)
    assert (result.request_id, result.output_text, result.deviations) == ("req_7", "Hello", ())


def test_c1_compact_has_a_route_of_its_own(server: ScriptedServer, connect: Clients) -> None:
    window = {"id": "cmp_1", "object": "response.compaction", "created_at": 1, "usage": response()["usage"]}
    item = {"type": "compaction", "id": "c_1", "encrypted_content": "opaque"}
    script = server.script(json_answer({**window, "output": [item]}, headers={"Request-Id": "req_8"}), repeat=True)
    client = connect(script.base_url)
    result = client.responses.compact(model="m", input=[MESSAGE], previous_response_id="resp_0")
    raw = client.responses.with_raw_response.compact(model="m")
    assert [each.target for each in script.requests] == [f"{script.path}/responses/compact"] * 2
    assert script.requests[0].json == {"model": "m", "input": [MESSAGE], "previous_response_id": "resp_0"}
    assert isinstance(result, kit.CompactResource)
    assert result.request_id == raw.request_id == raw.parse().request_id == "req_8"


@pytest.mark.parametrize(
    ("settings", "options", "headers"),
    [
        ({}, {}, {"authorization": None, "x-one": None}),
        ({"default_headers": {"X-One": "1"}}, {}, {"x-one": "1"}),
        ({"default_headers": {"X-One": "1"}}, {"extra_headers": {"x-ONE": "2"}}, {"x-one": "2"}),
        ({"default_headers": {"X-One": "1"}}, {"extra_headers": {"x-one": None}}, {"x-one": None}),
        ({"default_headers": {"X-One": None}}, {"extra_headers": {"x-one": "3"}}, {"x-one": "3"}),
        ({"api_key": KEY}, {"extra_headers": {"Authorization": None}}, {"authorization": None}),
        ({"api_key": KEY, "default_headers": {"authorization": "Basic x"}}, {}, {"authorization": "Basic x"}),
        ({"default_headers": {"OpenResponses-Version": "latest"}}, {}, {"openresponses-version": "latest"}),
        ({}, {"extra_headers": {"OpenResponses-Version": None}}, {"openresponses-version": None}),
        ({}, {"extra_headers": {"User-Agent": "mine"}}, {"user-agent": "mine"}),
        ({}, {"idempotency_key": "once"}, {"idempotency-key": "once"}),
        ({}, {"extra_headers": {"Idempotency-Key": "twice"}}, {"idempotency-key": "twice"}),
    ],
)
def test_t3_headers_of_a_call_win_over_those_of_the_client_and_none_leaves_one_out(
    server: ScriptedServer,
    connect: Clients,
    settings: dict[str, Any],
    options: dict[str, Any],
    headers: dict[str, str | None],
) -> None:
    script = server.script(json_answer(response()))
    connect(script.base_url, **settings).responses.create(model="m", input="hi", **options)
    assert {name: script.request.headers.get(name) for name in headers} == headers


def test_m2_parameters_and_options_of_a_provider_are_sent_as_they_are_and_win(
    server: ScriptedServer, connect: Clients
) -> None:
    script = server.script(json_answer(response()))
    client = connect(f"{script.base_url}/", default_query={"api-version": "1", "a": "ü &="})
    body = {"temperature": "hot", "acme:route": {"z": 1, "a": [None, 1.5, 2**70]}, "stream_options": None}
    client.responses.create(
        model="m",
        input="hi",
        temperature="cold",
        extra_query={"api-version": "2"},
        extra_body=body,
        metadata={"k": "v"},
    )
    assert script.request.target == f"{script.path}/responses?api-version=2&a=%C3%BC+%26%3D"
    assert same_json(script.request.json, {"model": "m", "input": "hi", "metadata": {"k": "v"}, **body})


@pytest.mark.parametrize("options", [{}, {"extra_body": {"acme:x": 1}}], ids=["plain", "extra_body"])
def test_t1_z19_models_go_out_as_the_dicts_that_they_stand_for(
    server: ScriptedServer, connect: Clients, options: dict[str, Any]
) -> None:
    script = server.script(json_answer(response()), repeat=True)
    client = connect(script.base_url)
    client.responses.create(model="m", input=[MESSAGE], tools=[TOOL], reasoning={"effort": "low"}, **options)
    client.responses.create(
        model="m",
        input=[kit.UserMessageItemParam.model_validate(MESSAGE)],
        tools=[kit.FunctionToolParam.model_validate(TOOL)],
        reasoning=kit.ReasoningParam(effort="low"),
        **options,
    )
    first, second = (each.json for each in script.requests)
    wanted = {"model": "m", "input": [MESSAGE], "tools": [TOOL], "reasoning": {"effort": "low"}}
    assert first == second == wanted | options.get("extra_body", {})
    for each in script.requests:
        assert json.dumps(each.json["tools"][0]["parameters"]) == json.dumps(TOOL["parameters"])


ITEMS = [
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "s"}],
        "content": [{"type": "reasoning_text", "text": "r"}],
        "encrypted_content": "b64==",
        "acme:signature": {"n": 12345678901234567890123, "f": 1.25, "z": None},
    },
    message("Hello\u2028😀") | {"phase": "commentary", "acme:x": [1, {"b": 1, "a": 2}]},
    {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "c",
        "name": "f",
        "arguments": '{ "b":1 ,"a":1.0}',
        "status": "completed",
    },
    {"type": "acme:receipt", "id": "r_1", "status": "odd", "big": 2**80, "nested": {"": []}},
]
UNPREFIXED = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "q": None}}


@pytest.mark.parametrize("options", [{}, {"extra_body": {"acme:x": 1}}], ids=["plain", "extra_body"])
@pytest.mark.parametrize("hand_back", ["as_input", "output", "dicts"])
def test_r2_n3_n4_p6_z6_z18_items_go_back_as_they_came(
    server: ScriptedServer, connect: Clients, hand_back: str, options: dict[str, Any]
) -> None:
    # Only as an object is an unprefixed type known to be a server's (rule N1).
    sent = ITEMS if hand_back == "dicts" else [*ITEMS, UNPREFIXED]
    script = server.script(json_answer(response(output=sent)), repeat=True)
    client = connect(script.base_url)
    result = client.responses.create(model="m", input="hi")
    items = {
        "as_input": result.as_input,
        "output": lambda: result.output,
        "dicts": lambda: [each.model_dump(mode="json") for each in result.output],
    }[hand_back]()
    client.responses.create(model="m", input=[*items, MESSAGE], **options)
    assert same_json(script.requests[1].json["input"], [*sent, MESSAGE])


def test_raw_answers_have_headers_and_body_and_are_read_on_demand(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(json_answer(response(id="resp_9"), headers={"X-Request-Id": "req_9", "X-Limit": "3"}))
    raw = connect(script.base_url).responses.with_raw_response.create(model="m", input="hi")
    assert raw.status_code == 200
    assert (raw.headers["x-limit"], raw.headers["X-LIMIT"], raw.request_id) == ("3", "3", "req_9")
    assert json.loads(raw.content) == response(id="resp_9")
    parsed = raw.parse()
    assert (parsed.id, parsed.request_id) == ("resp_9", "req_9")


@pytest.mark.parametrize(
    ("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)]
)
def test_answers_are_unpacked(server: ScriptedServer, connect: Clients, encoding: str, packed: Any) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    script = server.script(answer(200, packed(json.dumps(response()).encode()), headers))
    assert connect(script.base_url).responses.create(model="m", input="hi").output_text == "Hello"


def test_an_answer_may_come_in_chunks_and_under_any_media_type(server: ScriptedServer, connect: Clients) -> None:
    body = json.dumps(response()).encode()
    parts = (body[i : i + 7] for i in range(0, len(body), 7))
    script = server.script(stream_answer(*parts, headers={"Content-Type": "text/plain"}))
    assert connect(script.base_url).responses.create(model="m", input="hi").output_text == "Hello"


BODIES = {
    "HTML": (b"<html>It works</html>", "text/html"),
    "empty": (b"", "application/json"),
    "broken JSON": (b'{"id": "resp_1", ', "application/json"),
    "a list": (b"[]", "application/json"),
    "no UTF-8": (b'{"id": "\xff"}', "application/json"),
    "events": (b"event: x\ndata: {}\n\n", "text/event-stream"),
}


@pytest.mark.parametrize(("body", "media_type"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("strict", [False, True])
def test_t4_an_answer_that_is_no_response_is_an_error_with_its_body(
    server: ScriptedServer, connect: Clients, body: bytes, media_type: str, strict: bool
) -> None:
    script = server.script(answer(200, body, {"Content-Type": media_type, "X-Request-Id": "req_1"}))
    with pytest.raises(kit.APIResponseValidationError, match=f"({media_type})") as caught:
        connect(script.base_url, strict=strict).responses.create(model="m", input="hi")
    assert (caught.value.body, caught.value.request_id) == (body, "req_1")


def test_t4_what_deviates_is_delivered_listed_and_warned_about_once_per_place(
    server: ScriptedServer, connect: Clients
) -> None:
    deviating = response(output=[{**message("Hi"), "id": 7}, message("you")], created_at=1.5)
    del deviating["store"]
    script = server.script(json_answer(deviating), json_answer(deviating), json_answer({**deviating, "top_p": None}))
    client = connect(script.base_url)
    with pytest.warns(DeviationWarning) as warned:
        first = client.responses.create(model="m", input="hi")
    second = client.responses.create(model="m", input="hi")  # a warning here would be an error
    assert len(warned) == 1
    assert (first.output_text, first.store) == ("Hiyou", False)
    for each in (first, second):
        assert {found.path for found in each.deviations} == {"store", "created_at", "output[0].id"}
    with pytest.warns(DeviationWarning, match="top_p"):
        client.responses.create(model="m", input="hi")


def test_t4_with_strict_what_deviates_is_an_error_that_lists_it(server: ScriptedServer, connect: Clients) -> None:
    deviating = response(created_at=1.5)
    del deviating["store"]
    script = server.script(json_answer(deviating, headers={"X-Request-Id": "req_2"}), repeat=True)
    client = connect(script.base_url, strict=True)
    with pytest.raises(kit.APIResponseValidationError) as caught:
        client.responses.create(model="m", input="hi")
    assert {each.path for each in caught.value.deviations} == {"store", "created_at"}
    assert caught.value.request_id == "req_2"
    with pytest.raises(kit.APIResponseValidationError):
        client.responses.with_raw_response.create(model="m", input="hi").parse()


@pytest.mark.parametrize("status", ["incomplete", "failed", "queued", "acme:paused"])
def test_z15_a_response_of_any_status_is_returned(server: ScriptedServer, connect: Clients, status: str) -> None:
    reason = {"reason": "max_output_tokens"} if status == "incomplete" else None
    error = {"code": "server_error", "message": "no"} if status == "failed" else None
    script = server.script(json_answer(response(status=status, incomplete_details=reason, error=error)))
    result = connect(script.base_url).responses.create(model="m", input="hi")
    assert (result.status, result.output_text) == (status, "Hello")


def test_with_options_gives_other_settings_over_the_same_connections(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(json_answer(response()), repeat=True)
    client = connect(script.base_url, api_key=KEY, default_headers={"X-One": "1"})
    client.responses.create(model="m", input="hi")
    other = client.with_options(api_key="sk-other", default_headers={"X-Two": "2"}, base_url=f"{script.base_url}/a/")
    with other:
        other.responses.create(model="m", input="hi")
    client.responses.create(model="m", input="hi")
    first, second, third = script.requests
    assert [each.headers["authorization"] for each in script.requests] == [
        f"Bearer {KEY}",
        "Bearer sk-other",
        f"Bearer {KEY}",
    ]
    assert ("x-one" in second.headers, second.headers["x-two"]) == (True, "2")
    assert second.target == f"{script.path}/a/responses"
    assert first.connection == second.connection == third.connection


def test_closing_a_client_closes_its_connections(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(json_answer(response()))
    with connect(script.base_url) as client:
        client.responses.create(model="m", input="hi")
        assert script.request.closed_by == ""
    assert script.wait_for_closing() == "client"


def test_a_client_of_ones_own_is_used_as_it_is_and_closed(server: ScriptedServer, connect: Clients) -> None:
    elsewhere = server.url("/0/v1/responses", other=True)
    script = server.script(json_answer(response()), answer(307, headers={"Location": elsewhere}))
    kind = httpx2.AsyncClient if connect.is_async else httpx2.Client
    own = kind(headers={"X-Own": "1"}, auth=("user", "password"), follow_redirects=True)
    client = connect(script.base_url, http_client=own, max_retries=0)
    client.responses.create(model="m", input="hi")
    assert script.request.headers["x-own"] == "1"
    assert "authorization" not in script.request.headers
    with pytest.raises(kit.APIStatusError, match="neither the key nor the request goes to another server"):
        client.responses.create(model="m", input="hi")
    client.close()
    assert own.is_closed


def test_t2_base_url_and_key_come_from_the_environment_unless_given(
    server: ScriptedServer, connect: Clients, variables: pytest.MonkeyPatch
) -> None:
    with pytest.raises(kit.InvalidRequestError, match="OPENRESPONSES_BASE_URL"):
        connect(None)
    script = server.script(json_answer(response()), repeat=True)
    variables.setenv("OPENRESPONSES_BASE_URL", f"{script.base_url}/env/")
    variables.setenv("OPENRESPONSES_API_KEY", KEY)
    connect(None).responses.create(model="m", input="hi")
    connect(script.base_url, api_key="sk-given").responses.create(model="m", input="hi")
    connect(script.base_url, api_key="").responses.create(model="m", input="hi")
    assert [each.target.removeprefix(script.path) for each in script.requests] == [
        "/env/responses",
        *["/responses"] * 2,
    ]
    assert [each.headers.get("authorization") for each in script.requests] == [f"Bearer {KEY}", "Bearer sk-given", None]


@pytest.mark.parametrize("way", ["http_client", "environment"])
def test_t2_requests_go_through_a_proxy_that_is_configured(
    server: ScriptedServer, connect: Clients, variables: pytest.MonkeyPatch, way: str
) -> None:
    script = server.script(json_answer(response()), stream_answer(b": nothing\n\n"))
    server.proxied()
    settings: dict[str, Any] = {}
    if way == "environment":
        variables.setenv("HTTP_PROXY", server.proxy_url)
    else:
        kind = httpx2.AsyncClient if connect.is_async else httpx2.Client
        settings["http_client"] = kind(proxy=server.proxy_url)
    result = connect(script.base_url, api_key=KEY, **settings).responses.create(model="m", input="hi")
    ((line, headers),) = server.proxied()
    assert (line, headers["authorization"]) == (f"POST {script.base_url}/responses", f"Bearer {KEY}")
    assert result.output_text == "Hello"


def test_t2_a_proxy_that_makes_no_tunnel_is_a_connection_error_and_does_not_see_the_key(
    server: ScriptedServer, connect: Clients
) -> None:
    server.proxied()
    kind = httpx2.AsyncClient if connect.is_async else httpx2.Client
    client = connect("https://example.com/v1", api_key=KEY, http_client=kind(proxy=server.proxy_url), max_retries=0)
    with pytest.raises(kit.APIConnectionError, match=r"example\.com/v1/responses was not reached: 502"):
        client.responses.create(model="m", input="hi")
    ((line, headers),) = server.proxied()
    assert line == "CONNECT example.com:443"
    assert "authorization" not in headers


def test_a_closed_client_says_so(server: ScriptedServer, connect: Clients) -> None:
    """Also one that was never used, and one that shared its connections."""
    script = server.script(json_answer(response()), repeat=True)
    for is_used in (False, True):
        client = connect(script.base_url)
        other = client.with_options(timeout=5)
        if is_used:
            client.responses.create(model="m", input="hi")
        client.close()
        client.close()
        for each in (client, other):
            with pytest.raises(kit.OpenResponsesError, match="the client is closed"):
                each.responses.create(model="m", input="hi")
