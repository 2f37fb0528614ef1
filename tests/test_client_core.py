"""What the client decides without a network: what makes a request, when to try again, how bytes become events.

Protects the rules T1 and N4 (a request is checked before it leaves, and the error names the field, as E3 writes it), E1
and E2 (no body of an error breaks its reader), E5 (how long to wait, how often to try), S6 and S7 (events in any
pieces, limits, what came before a cut).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, pairwise
from typing import Any

import httpx2
import openresponses_kit as kit
import pytest
from either_client import Clients
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit._tolerance import Warner
from openresponses_kit.client import retries
from openresponses_kit.client.answers import read_error
from openresponses_kit.client.attempts import Attempts, broken_answer, failure_of
from openresponses_kit.client.reading import EventReader
from openresponses_kit.client.requests import HTTPRequest, create_request, without_key
from openresponses_kit.client.retries import Failure
from openresponses_kit.client.settings import Settings
from payloads import ANY_JSON
from pydantic import BaseModel
from scripted_answers import DONE, all_families, json_answer, response, sse, text_events
from scripted_server import ScriptedServer

NOW = datetime(2026, 4, 24, 12, tzinfo=UTC)
URL = "http://server.example/v1/responses"


class Answer(BaseModel):
    """What a model is to write."""

    value: int


# --- what makes a request ---

SETTINGS = [
    ({"base_url": "ftp://server.example"}, "base_url"),
    ({"base_url": "server.example/v1"}, "base_url"),
    ({"base_url": "http://"}, "base_url"),
    ({"base_url": "http://[::1"}, "base_url"),
    ({"base_url": "http://server.example:99999/v1"}, "base_url"),
    ({"base_url": "http://server.example:port/v1"}, "base_url"),
    ({"base_url": "http://server.example/v1\n"}, "base_url"),
    ({"base_url": "http://server example/v1"}, "base_url"),
    ({"base_url": "http://user:password@server.example"}, "base_url: it holds more"),
    ({"base_url": "http://server.example?key=1"}, "base_url: it holds more"),
    ({"base_url": "http://server.example#key"}, "base_url: it holds more"),
    ({"base_url": " "}, "base_url"),
    ({"base_url": ""}, "base_url: none was given"),
    ({"base_url": 7}, "base_url: 7"),
    ({"max_retries": -1}, "max_retries: -1"),
    ({"max_retries": "2"}, "max_retries: '2'"),
    ({"max_retries": None}, "max_retries: None"),
    ({"timeout": -1}, "timeout: -1"),
    ({"timeout": 0}, "timeout: 0"),
    ({"timeout": float("nan")}, "timeout: nan"),
    ({"timeout": "5"}, "timeout: '5'"),
]


@pytest.mark.parametrize(("settings", "reason"), SETTINGS)
def test_settings_that_are_none_are_refused_by_name(connect: Clients, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(kit.InvalidRequestError, match=reason):
        connect(**{"base_url": "http://server.example", **settings})
    if settings.get("base_url") != "":
        client = connect("http://server.example")
        with pytest.raises(kit.InvalidRequestError, match=reason):
            client.with_options(**settings)


@pytest.mark.parametrize("url", ["http://h", "https://h:8443/a/b", "http://[::1]:80/v1", "http://bücher.example/ü"])
@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_base_urls_may_end_in_slashes(url: str, slashes: str) -> None:
    assert create_request(Settings(url + slashes), {"model": "m"}).url == f"{url}/responses"


@pytest.mark.parametrize("timeout", [0.5, 3, None, httpx2.Timeout(5, read=None)])
def test_timeouts_are_those_of_the_call_else_those_of_the_client(timeout: Any) -> None:
    settings = Settings("http://h", timeout=7.0)
    assert create_request(settings, {"timeout": timeout}).timeout == timeout
    assert create_request(settings, {}).timeout == 7.0


def user(content: Any) -> Any:
    return [{"type": "message", "role": "user", "content": content}]


FUNCTION = {"type": "function", "name": "f"}
ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    # wrong types, and values that the schema does not have
    ({"temperature": "hot"}, "temperature: "),
    ({"temperature": float("nan")}, "temperature: "),
    ({"model": 3}, "model: "),
    ({"input": 3}, "input: "),
    ({"input": "\ud800"}, "input: "),
    ({"input": [object()]}, "input[0]: "),
    ({"metadata": {"a": 1}}, "metadata.a: "),
    ({"max_output_tokens": 1}, "max_output_tokens: "),
    ({"reasoning": {"effort": "huge"}}, "reasoning.effort: "),
    ({"include": ["reasoning.encrypted_content", "all"]}, "include[1]: "),
    ({"tools": FUNCTION}, "tools: "),
    ({"temperature": "hot", "top_p": "high"}, "temperature: Input should be a valid number; top_p: "),
    # names of union members are no part of a path
    ({"input": [{"role": "user", "content": 3}]}, "input[0].content: "),
    ({"input": [{"type": "message", "role": "nobody", "content": "x"}]}, "input[0].role: "),
    ({"input": [{"type": "telepathy"}]}, "input[0].type: "),
    ({"input": [{"type": "item_reference"}]}, "input[0].id: "),
    ({"input": user([{"type": "input_text"}])}, "input[0].content[0].text: "),
    ({"input": user([{"type": "input_image", "detail": "x"}])}, "input[0].content[0].detail: "),
    ({"input": [*user("a"), *user([{"type": "input_text", "text": 1}])]}, "input[1].content[0].text: "),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name: "),
    ({"tools": [{**FUNCTION, "parameters": 3}]}, "tools[0].parameters: "),
    ({"tool_choice": "sometimes"}, "tool_choice: "),
    ({"tool_choice": {"type": "function"}}, "tool_choice.name: "),
    ({"tool_choice": {"type": "allowed_tools", "tools": [{"type": "function"}]}}, "tool_choice.tools[0].name: "),
    ({"text": {"format": {"type": "json_schema", "name": 3}}}, "text.format.name: "),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type: "),
    # fields that there are not
    ({"modle": "m"}, "modle: there is no such field; a provider's own fields go into extra_body"),
    ({"max_retries": 3}, "max_retries: there is no such field"),
    # options
    ({"extra_headers": {"X": "é"}}, "header 'x': "),
    ({"extra_headers": {"X": "a\r\nHost: b"}}, "header 'x': "),
    ({"extra_headers": {"X Y": "1"}}, "header 'x y': "),
    ({"extra_headers": {"": "1"}}, "header '': "),
    ({"extra_headers": {"X": 1}}, "header 'x': "),
    ({"extra_headers": "X"}, "extra_headers: "),
    ({"idempotency_key": "a\n"}, "header 'idempotency-key': "),
    ({"idempotency_key": 7}, "header 'idempotency-key': "),
    ({"extra_query": "a=1"}, "extra_query: "),
    ({"extra_query": {"a": "\ud800"}}, "extra_query: "),
    ({"extra_body": [1]}, "extra_body: "),
    ({"extra_body": {1: 2}}, "extra_body: "),
    ({"extra_body": {"a": object()}}, "extra_body: it is no JSON"),
    ({"extra_body": {"a": "\ud800"}}, "extra_body: it is no JSON"),
    ({"timeout": -1}, "timeout: "),
    ({"timeout": "5"}, "timeout: "),
    ({"text_format": Answer, "text": {"format": {"type": "text"}}}, "text.format: "),
    ({"text_format": Answer, "text": 3}, "text: "),
]


@pytest.mark.parametrize(("arguments", "reason"), ARGUMENTS)
def test_t1_n4_what_makes_no_request_is_refused_by_field_and_nothing_is_sent(
    server: ScriptedServer, connect: Clients, arguments: dict[str, Any], reason: str
) -> None:
    script = server.script(json_answer(response()), repeat=True)
    responses = connect(script.base_url).responses
    given = {"model": "m", "input": "hi", **arguments}
    ways: list[Callable[[], Any]] = [
        lambda: responses.create(**given),
        lambda: responses.create(**given, stream=True),
        lambda: responses.stream(**given),
    ]
    if "text_format" not in given:
        ways.append(lambda: responses.with_raw_response.create(**given))
    for call in ways:
        with pytest.raises(kit.InvalidRequestError) as caught:
            call()
        assert str(caught.value).startswith(reason)
        assert "\n" not in str(caught.value)
    assert script.requests == []


def test_t1_only_create_takes_stream(connect: Clients) -> None:
    responses = connect("http://unused.example").responses
    for call in (responses.stream, responses.with_raw_response.create):
        with pytest.raises(kit.InvalidRequestError, match="stream: it belongs to `create`"):
            call(model="m", input="hi", stream=True)


@pytest.mark.parametrize("name", ["extra_headers", "extra_query", "extra_body", "idempotency_key", "timeout"])
def test_an_option_that_is_none_says_nothing(name: str) -> None:
    settings = Settings("http://h", timeout=None)
    assert create_request(settings, {"model": "m", name: None}) == create_request(settings, {"model": "m"})


# --- when to try again ---

TRIES = st.integers(1, 10_000)
CHANCES = st.floats(0, 1)


@given(TRIES, TRIES, CHANCES, CHANCES)
def test_e5_waits_are_a_chance_below_a_bound_that_doubles_up_to_a_cap(
    tries: int, more: int, chance: float, greater: float
) -> None:
    wait = retries.delay(tries, chance)
    assert wait is not None
    assert 0 <= wait <= min(retries.LONGEST_DELAY, retries.FIRST_DELAY * 2 ** min(tries - 1, 60))
    assert wait == chance * (retries.delay(tries, 1.0) or 0)
    assert wait <= (retries.delay(tries + more, max(chance, greater)) or 0)
    assert retries.delay(tries, 1.0) == min(retries.LONGEST_DELAY, retries.FIRST_DELAY * 2 ** min(tries - 1, 60))


@given(TRIES, CHANCES, st.floats(0, 1e6))
def test_e5_a_wait_that_the_server_asks_for_is_kept_or_given_up(tries: int, chance: float, wanted: float) -> None:
    assert retries.delay(tries, chance, wanted) == (wanted if wanted <= retries.LONGEST_RETRY_AFTER else None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "7", "retry-after-ms": "soon"}, 7.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30))}, 0.0),
        ({"retry-after": "Fri, 24 Apr 2026 14:00:10 +0200"}, 10.0),
        ({"retry-after": "Friday, 24-Apr-26 12:00:20 GMT"}, 20.0),
        ({"retry-after": "Fri, 24 Apr 2026 12:00:40"}, 40.0),
        ({"retry-after": "Fri, 24 Apr 2026 12:00:50 -0000"}, 50.0),
        *(({"retry-after": text}, None) for text in ("", "-1", "nan", "inf", "soon", "1e999", "24 Foo 2026", "٣x")),
    ],
)
def test_e5_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retries.retry_after(headers, NOW) == seconds


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d\d \w{3} \d{1,9} \d\d:\d\d:\d\d [+-]?\w{1,9}", fullmatch=True))
def test_e5_any_retry_after_is_a_time_or_nothing(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        seconds = retries.retry_after({name: text}, NOW)
        assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx2.ConnectError, Failure.UNREACHED),
        (httpx2.ConnectTimeout, Failure.UNREACHED),
        (httpx2.PoolTimeout, Failure.UNREACHED),
        (httpx2.ProxyError, Failure.UNREACHED),
        (httpx2.ReadTimeout, Failure.SILENT),
        (httpx2.WriteTimeout, Failure.SILENT),
        (httpx2.ReadError, Failure.BROKEN),
        (httpx2.WriteError, Failure.BROKEN),
        (httpx2.RemoteProtocolError, Failure.BROKEN),
    ],
)
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "once"}], ids=["no key", "key"])
def test_e5_what_may_have_been_worked_on_is_repeated_under_a_key_only(
    error: type[httpx2.HTTPError], failure: Failure, key: dict[str, str]
) -> None:
    assert failure_of(error("no")) is failure
    attempts = Attempts(HTTPRequest(URL, key, b"", timeout=None, max_retries=1))
    if failure is Failure.SILENT and not key:
        with pytest.raises(kit.APITimeoutError):
            attempts.after_failure(error("no"))
    else:
        assert 0 <= attempts.after_failure(error("no")) <= retries.FIRST_DELAY
        with pytest.raises(kit.APIConnectionError, match="after 2 tries"):
            attempts.after_failure(error("no"))


@given(
    st.lists(st.sampled_from([307, 308, 408, 409, 429, 500, 503, httpx2.ConnectError, httpx2.ReadError]), min_size=40),
    st.integers(0, 5),
)
def test_e5_tries_and_redirects_end_whatever_happens(happenings: list[Any], max_retries: int) -> None:
    attempts = Attempts(HTTPRequest(URL, {}, b"", timeout=None, max_retries=max_retries))
    happened = iter(happenings)

    def go_on() -> None:
        for each in happened:
            if isinstance(each, int):
                attempts.after_refusal(read_error(each, {"location": "?again", "retry-after": "0"}, b""))
            else:
                attempts.after_failure(each("no"))

    with pytest.raises(kit.OpenResponsesError):
        go_on()
    assert len(happenings) - len(list(happened)) <= max_retries + 6


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from([400, 500]))
def test_e1_any_body_makes_an_error(body: bytes, status: int) -> None:
    error = read_error(status, {}, body)
    assert str(error).startswith(f"{status}: ")
    assert all(value is None or isinstance(value, str) for value in (error.type, error.code, error.param))


def test_t2_connection_errors_show_no_parameters_and_hold_no_request() -> None:
    error = httpx2.ReadError("no", request=httpx2.Request("POST", URL, headers={"authorization": "Bearer secret"}))
    found = broken_answer(error, "http://user:secret@server.example/v1?key=secret")
    assert str(found) == "the answer of http://server.example/v1 broke off: no"
    assert "authorization" not in error.request.headers


# --- how bytes become events ---

STREAM = b"".join(map(sse, all_families())) + DONE
SMALL = text_events("Hel", "lo")


@given(st.lists(st.integers(1, len(STREAM)), max_size=30), st.booleans())
def test_s6_events_are_the_same_in_any_pieces(cuts: list[int], folds: bool) -> None:
    reader = EventReader(None, 1 << 20, kit.ResponseAccumulator(strict=True) if folds else None)
    places = sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[start:end] for start, end in pairwise(places)]
    events = [event for piece in pieces for event in reader.feed(piece)]
    reader.finish()
    assert [event.type for event in events] == [each["type"] for each in all_families()]


@pytest.mark.parametrize("folds", [False, True])
@given(cut=st.integers(0, len(STREAM.removesuffix(DONE)) - 1))
def test_s7_a_stream_that_ends_anywhere_is_an_error(folds: bool, cut: int) -> None:
    reader = EventReader(None, 1 << 20, kit.ResponseAccumulator() if folds else None)
    events = list(reader.feed(STREAM[:cut]))
    with pytest.raises(kit.StreamInterruptedError) as caught:
        reader.finish()
    assert (caught.value.response is None) == (events == [])


@pytest.mark.parametrize("folds", [False, True])
def test_s6_an_event_over_the_limit_is_an_error_after_those_before_it(folds: bool) -> None:
    sizes = [len(sse(each)) for each in SMALL]
    limit = max(sizes)
    huge = b"event: acme:huge\ndata: " + b"x" * limit
    stream = b"".join(map(sse, SMALL[:6])) + huge
    for size in (len(stream), 7):
        reader = EventReader(Warner(), limit, kit.ResponseAccumulator() if folds else None)
        pieces = (stream[start : start + size] for start in range(0, len(stream), size))
        events: list[Any] = []
        with pytest.raises(kit.StreamDecodeError) as caught:
            events.extend(chain.from_iterable(map(reader.feed, pieces)))
        assert [event.type for event in events] == [each["type"] for each in SMALL[:6]]
        assert caught.value.response is not None
        assert caught.value.response.output_text == "Hello"


@pytest.mark.parametrize(
    ("key", "told"),
    [("sk-123456", b"no ***, none"), ("none", b"no sk-123456, none"), ("", b"no sk-123456, none")],
)
def test_t2_a_key_is_taken_out_of_errors_and_a_word_is_not(key: str, told: bytes) -> None:
    """`none` and the like are given to local servers that want some key; they are no secrets."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    assert without_key(b"no sk-123456, none", headers) == told
