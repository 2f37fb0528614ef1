"""What goes wrong between a call and its answer, with both clients, against a real server on loopback.

Protects the rules E1 and E2 (error bodies, types, statuses), E5 (what is tried again, how often, and what never is), T2
(the key goes to the configured server alone, and into no error, log line or repr), and T1 (what makes no request is
refused before anything is sent).
"""

from __future__ import annotations

import gzip
import json
import logging
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import openresponses_kit as kit
import pytest
from either_client import Clients
from openresponses_kit.errors import status_error
from scripted_answers import (
    DONE,
    EVENT_STREAM,
    answer,
    cut_answer,
    json_answer,
    response,
    sse,
    stream_answer,
    text_events,
)
from scripted_server import CLOSE, RESET, WAIT, Answer, ScriptedServer, Step, send

KEY = "sk-very-secret"
AT_ONCE = {"Retry-After": "0"}
STATUSES = (400, 401, 403, 404, 405, 409, 413, 415, 418, 422, 429, 500, 502, 503, 529)
BY_RULE = {"error": {"message": "no", "type": "invalid_request", "code": "overloaded", "param": "input[2]"}}


def described(message: str, kind: str | None = None, code: str | None = None, param: str | None = None) -> Any:
    return (message, kind, code, param)


SHAPES: dict[str, tuple[bytes, dict[str, str], Any]] = {
    "by rule": (json.dumps(BY_RULE).encode(), {}, described("no", "invalid_request", "overloaded", "input[2]")),
    "number code": (b'{"error": {"message": "no", "code": 13, "param": null}}', {}, described("no", None, "13")),
    "no message": (b'{"error": {"type": "not_found"}}', {}, described("{'error': {'type': 'not_found'}}", "not_found")),
    "bare object": (b'{"message": "no", "type": "t", "code": "c"}', {}, described("no", "t", "c")),
    "text in error": (b'{"error": "no", "status": 1}', {}, described("no")),
    "FastAPI": (b'{"detail": "no"}', {}, described("no")),
    "FastAPI list": (b'{"detail": [{"loc": ["a"]}]}', {}, described("{'detail': [{'loc': ['a']}]}")),
    "null error": (b'{"error": null}', {}, described("{'error': None}")),
    "list": (b'["no"]', {}, described("['no']")),
    "plain text": (b"no", {"Content-Type": "text/plain"}, described("no")),
    "HTML": (b"<h1>no</h1>", {"Content-Type": "text/html"}, described("<h1>no</h1>")),
    "long text": (b"x" * 5000, {}, described("x" * 200)),
    "not UTF-8": (b"n\xf6", {}, described("n\ufffd")),
    "empty": (b"", {}, described("the server gave no reason")),
    "broken JSON": (b'{"error": ', {}, described('{"error": ')),
    "gzip": (gzip.compress(json.dumps(BY_RULE).encode()), {"Content-Encoding": "gzip"}, None),
    "broken gzip": (b"no gzip", {"Content-Encoding": "gzip"}, described("the server gave no reason")),
}


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("shape", SHAPES)
def test_e1_e2_an_error_of_any_shape_is_told_by_its_body_and_its_status(
    server: ScriptedServer, connect: Clients, shape: str, streams: bool
) -> None:
    body, headers, expected = SHAPES[shape]
    message, kind, code, param = expected or SHAPES["by rule"][2]
    scripts = {
        status: server.script(answer(status, body, {**headers, "X-Request-Id": f"req_{status}"})) for status in STATUSES
    }
    client = connect("http://unused.example", api_key=KEY, max_retries=0)
    for status, script in scripts.items():
        with pytest.raises(kit.APIStatusError) as caught:
            client.with_options(base_url=script.base_url).responses.create(model="m", input="hi", stream=streams)
        error = caught.value
        assert type(error) is status_error(status, kind)
        assert str(error) == error.message == f"{status}: {message}"
        assert (error.status_code, error.request_id) == (status, f"req_{status}")
        assert (error.type, error.code, error.param) == (kind, code, param)
        assert error.headers["x-request-id"] == f"req_{status}"


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request", kit.BadRequestError),
        (400, "invalid_request_error", kit.BadRequestError),
        (400, "acme:odd", kit.BadRequestError),
        (400, "not_found", kit.NotFoundError),
        (401, None, kit.AuthenticationError),
        (401, "invalid_request_error", kit.AuthenticationError),
        (403, "permission", kit.PermissionDeniedError),
        (404, "not_found", kit.NotFoundError),
        (404, "invalid_request_error", kit.NotFoundError),
        (405, "invalid_request", kit.BadRequestError),
        (405, None, kit.APIStatusError),
        (409, None, kit.ConflictError),
        (422, "invalid_request", kit.UnprocessableEntityError),
        (429, "too_many_requests", kit.RateLimitError),
        (429, "insufficient_quota", kit.RateLimitError),
        (500, "server_error", kit.InternalServerError),
        (500, "model_error", kit.ModelError),
        (500, "acme:odd", kit.InternalServerError),
        (503, None, kit.InternalServerError),
        (502, "model_error", kit.ModelError),
    ],
)
def test_e2_the_class_follows_the_status_else_the_type(status: int, kind: str | None, expected: type) -> None:
    assert status_error(status, kind) is expected


def test_e1_the_body_is_kept_as_json_values_else_as_text(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(json_answer(BY_RULE, 400), answer(400, b"<p>"))
    client = connect(script.base_url)
    for expected in (BY_RULE, "<p>"):
        with pytest.raises(kit.BadRequestError) as caught:
            client.responses.create(model="m", input="hi")
        assert caught.value.body == expected


CREATED = stream_answer(*map(sse, text_events("Hi")), DONE)


@pytest.mark.parametrize("options", [{}, {"stream": True, "idempotency_key": "once"}], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("first", "tries"),
    [
        (answer(408, headers=AT_ONCE), 3),
        (answer(409, headers=AT_ONCE), 3),
        (answer(429, headers={"Retry-After": "0.001"}), 3),
        (answer(429, headers={"retry-after-ms": "1", "Retry-After": "3600"}), 3),
        (answer(429, headers={"Retry-After": format_datetime(datetime.now(UTC) - timedelta(hours=1))}), 3),
        (answer(500, headers=AT_ONCE), 3),
        (answer(503, headers=AT_ONCE), 3),
        (answer(500, b"no gzip", {**AT_ONCE, "Content-Encoding": "gzip"}), 3),
        (json_answer({"error": {"type": "server_error"}}, 500, AT_ONCE), 3),
        (json_answer({"error": {"type": "model_error"}}, 500, AT_ONCE), 1),
        (answer(429, headers={"Retry-After": "61"}), 1),
        (answer(429, headers={"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1))}), 1),
        (answer(503, headers={"retry-after-ms": "60001"}), 1),
        (answer(400, headers=AT_ONCE), 1),
        (answer(400, b"no gzip", {**AT_ONCE, "Content-Encoding": "gzip"}), 1),
        (answer(401, headers=AT_ONCE), 1),
        (answer(404, headers=AT_ONCE), 1),
        (answer(422, headers=AT_ONCE), 1),
    ],
)
def test_e5_statuses_are_tried_again_where_the_server_did_nothing(
    server: ScriptedServer, connect: Clients, first: Answer, tries: int, options: dict[str, Any]
) -> None:
    script = server.script(first, first, CREATED if options else json_answer(response()))
    client = connect(script.base_url, max_retries=2)
    if tries == 1:
        with pytest.raises(kit.APIStatusError):
            client.responses.create(model="m", input="hi", **options)
    else:
        result = client.responses.create(model="m", input="hi", **options)
        assert [each.type for each in result][-1] == "response.completed" if options else result.output_text == "Hello"
    sent = script.requests
    assert len(sent) == tries
    assert {each.body for each in sent} == {sent[0].body}
    assert [each.headers.get("idempotency-key") for each in sent] == [options.get("idempotency_key")] * tries


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_e5_there_are_as_many_retries_as_the_client_was_told(
    server: ScriptedServer, connect: Clients, max_retries: int
) -> None:
    script = server.script(answer(500, b'{"error": {"code": "last"}}', AT_ONCE), repeat=True)
    with pytest.raises(kit.InternalServerError) as caught:
        connect(script.base_url, max_retries=max_retries).responses.create(model="m", input="hi")
    assert caught.value.code == "last"
    assert len(script.requests) == max_retries + 1


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
BROKEN: dict[str, list[Step]] = {
    "reset": [RESET],
    "closed": [CLOSE],
    "reset in the head": [send(HEAD[:30]), RESET],
    "closed in the head": [send(HEAD[:30]), CLOSE],
    "no HTTP": [send(b"\x16\x03\x01 nonsense\r\n\r\n"), CLOSE],
}


@pytest.mark.parametrize("fault", BROKEN)
def test_e5_a_connection_that_breaks_before_an_answer_is_tried_again(
    server: ScriptedServer, connect: Clients, fault: str
) -> None:
    script = server.script(BROKEN[fault], json_answer(response()))
    assert connect(script.base_url, max_retries=1).responses.create(model="m", input="hi").output_text == "Hello"
    assert len(script.requests) == 2
    script = server.script(BROKEN[fault])
    with pytest.raises(kit.APIConnectionError, match="broke before it answered") as caught:
        connect(script.base_url, max_retries=0).responses.create(model="m", input="hi")
    assert not isinstance(caught.value, kit.APITimeoutError)


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("end", [CLOSE, RESET], ids=["closed", "reset"])
def test_e5_an_answer_that_has_begun_is_not_asked_for_again(
    server: ScriptedServer, connect: Clients, end: Step, streams: bool
) -> None:
    head = HEAD.replace(b"application/json", EVENT_STREAM["Content-Type"].encode()) if streams else HEAD
    script = server.script([send(head + b'{"id": "resp_1",'), end])
    client = connect(script.base_url, max_retries=2)
    with pytest.raises(kit.APIConnectionError, match="broke") as caught:
        list(client.responses.create(model="m", input="hi", stream=streams, idempotency_key="once"))
    assert "before it answered" not in str(caught.value)
    assert len(script.requests) == 1


@pytest.mark.parametrize("end", [CLOSE, RESET, WAIT], ids=["closed", "reset", "silent"])
def test_e2_an_error_whose_body_breaks_off_is_reported_by_its_status(
    server: ScriptedServer, connect: Clients, end: Step
) -> None:
    script = server.script([send(b'HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{"error"'), end])
    with pytest.raises(kit.BadRequestError, match="400: the server gave no reason"):
        connect(script.base_url, timeout=0.1).responses.create(model="m", input="hi")


def test_e5_a_server_that_is_silent_is_asked_again_only_under_an_idempotency_key(
    server: ScriptedServer, connect: Clients
) -> None:
    silent = server.script([WAIT], json_answer(response()))
    with pytest.raises(kit.APITimeoutError, match="did not answer in time"):
        connect(silent.base_url).responses.create(model="m", input="hi", timeout=0.05)
    assert silent.wait_for_closing() == "client"
    assert len(silent.requests) == 1
    silent = server.script([WAIT], json_answer(response()))
    client = connect(silent.base_url, timeout=0.3, default_headers={"Idempotency-Key": "once"})
    assert client.responses.create(model="m", input="hi").output_text == "Hello"
    assert len(silent.requests) == 2


def test_e5_a_server_that_is_not_there_is_a_connection_error_that_names_it(connect: Clients) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(kit.APIConnectionError, match=f"{url}/responses was not reached after 2 tries"):
            connect(url, max_retries=1, default_query={"key": KEY}).responses.create(model="m", input="hi")


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("location", ["{path}/b?x=1", "b", "http://127.0.0.1:{port}{path}/b"])
def test_t2_a_redirect_within_the_server_is_followed_with_the_key(
    server: ScriptedServer, connect: Clients, location: str, status: int, streams: bool
) -> None:
    there = server.script(CREATED if streams else json_answer(response()))
    target = location.format(path=there.path, port=server.port)
    script = server.script(
        answer(status, headers={"Location": target}), CREATED if streams else json_answer(response())
    )
    list(connect(script.base_url, api_key=KEY, max_retries=0).responses.create(model="m", input="hi", stream=streams))
    first, second = [*script.requests, *there.requests]
    assert second.target == (f"{script.path}/b" if location == "b" else f"{there.path}/{target.rpartition('/')[2]}")
    assert (second.method, second.body, second.headers) == ("POST", first.body, first.headers)


@pytest.mark.parametrize(
    ("status", "location", "reason"),
    [
        (307, "http://127.0.0.1:{other_port}/{n}/v1/responses", "another server"),
        (308, "http://localhost:{port}/{n}/v1/responses", "another server"),
        (307, "https://127.0.0.1:{port}/{n}/v1/responses", "another server"),
        (307, "//127.0.0.1:{other_port}/{n}/v1/responses", "another server"),
        (307, "http://127.0.0.1:{port}@127.0.0.1:{other_port}/{n}/v1/responses", "another server"),
        (307, "file:///etc/passwd", "another server"),
        (307, "http://[::1/", "no URL"),
        (307, "http://127.0.0.1:99999/", "another server"),
        (307, "http://127.0.0.1:{port}/\x7f", "no URL"),
        (307, None, "no URL"),
        (308, "", "no URL"),
        (301, "/{n}/v1/responses", "another one"),
        (302, "/{n}/v1/responses", "another one"),
        (303, "/{n}/v1/responses", "another one"),
    ],
)
def test_t2_a_redirect_elsewhere_is_refused_and_nothing_is_sent_there(
    server: ScriptedServer, connect: Clients, status: int, location: str | None, reason: str
) -> None:
    aim = server.script(json_answer(response()), repeat=True)
    ports = {"port": server.port, "other_port": server.other_port, "n": aim.path.split("/")[1]}
    headers = {"X-Request-Id": "req_3"} | ({} if location is None else {"Location": location.format(**ports)})
    script = server.script(answer(status, headers=headers))
    with pytest.raises(kit.APIStatusError, match=reason) as caught:
        connect(script.base_url, api_key=KEY).responses.create(model="m", input="hi")
    assert (caught.value.status_code, caught.value.request_id) == (status, "req_3")
    assert len(script.requests) == 1
    assert aim.requests == []


def test_t2_redirects_end_somewhere(server: ScriptedServer, connect: Clients) -> None:
    script = server.script(answer(307, headers={"Location": "responses"}), repeat=True)
    with pytest.raises(kit.APIStatusError, match="again and again"):
        connect(script.base_url).responses.create(model="m", input="hi")
    assert len(script.requests) == 6


# An error of each kind, with the answers that lead to it.
FAILURES: dict[str, tuple[list[Answer], dict[str, Any]]] = {
    "status": ([json_answer(BY_RULE, 400)], {}),
    "echoed key": ([json_answer({"error": {"message": f"wrong key {KEY}", "code": KEY}}, 401)], {}),
    "no answer": ([[RESET]], {}),
    "silence": ([[WAIT]], {"timeout": 0.05}),
    "cut body": ([[send(HEAD), RESET]], {}),
    "no response": ([answer(200, b"<html>")], {}),
    "redirect": ([answer(307, headers={"Location": "http://127.0.0.1:1/"})], {}),
    "cut stream": ([cut_answer(sse(text_events("Hi")[0]), RESET)], {"stream": True}),
    "silent stream": ([cut_answer(sse(text_events("Hi")[0]), WAIT)], {"stream": True, "timeout": 0.05}),
    "broken event": ([stream_answer(b"data: {\n\n")], {"stream": True}),
    "no stream": ([json_answer(response())], {"stream": True}),
    "arguments": ([], {"temperature": "hot"}),
    "header": ([], {"extra_headers": {"X-One": "a\nb"}}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_t2_the_key_is_in_no_error_log_line_or_repr(
    server: ScriptedServer, connect: Clients, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    answers, options = FAILURES[failure]
    script = server.script(*answers)
    client = connect(script.base_url, api_key=KEY, default_headers={"X-Key": KEY}, max_retries=0)
    with caplog.at_level(logging.DEBUG), pytest.raises(kit.OpenResponsesError) as caught:
        list(client.responses.create(**{"model": "m", "input": "hi", **options}))
    assert list(secrets_in(caught.value)) == []
    assert KEY not in caplog.text
    assert KEY not in repr(client) + repr(client.responses) + repr(client._settings) + repr(client._transport)


def secrets_in(value: object, path: str = "error", seen: set[int] | None = None) -> Any:
    """Where in an object, in what it holds and in what caused it, the key is found."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (str, bytes)):
        if KEY in (value if isinstance(value, str) else value.decode("latin-1")):
            yield path
        return
    if isinstance(value, BaseException):
        yield from secrets_in([str(value), repr(value), value.args, value.__cause__, value.__context__], path, seen)
    if isinstance(value, dict):
        inner = {**{f"key {key!r}": key for key in value}, **{str(key): each for key, each in value.items()}}
    elif isinstance(value, (list, tuple)):
        inner = {str(index): each for index, each in enumerate(value)}
    else:
        inner = dict(getattr(value, "__dict__", {}))
    for name, each in inner.items():
        yield from secrets_in(each, f"{path}.{name}", seen)
