"""The server under requests that nobody would write: never a failure of its own, never an undocumented shape.

What is sent is drawn over the schemas of the specification, to a real uvicorn with the demonstration behind it.
With `HYPOTHESIS_PROFILE=long` it is thirty times as much, and takes some minutes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fuzzed_bodies import COMPACT, CREATE, GARBAGE, damaged, encoded, invalid, likely, odd
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from payloads import Component, bounded
from running_server import RunningServer, running
from server_answers import NO_JSON, check_compaction, check_error, check_response, check_stream, check_turn
from websocket_talk import TERMINAL, Talk, talking

PATIENCE = 60.0
NOT_IN_FRAMES = {"stream", "stream_options", "background"}
"""What a frame of a WebSocket must not have (rule W1)."""


class Asker:
    """Sends bodies in every way that the protocol has, and fails when an answer breaks a rule."""

    def __init__(self, http: httpx2.Client, talk: Talk) -> None:
        self.http = http
        self.talk = talk
        self.outcomes: Counter[bool] = Counter()
        """How many requests were served, and how many were refused."""
        known = self.json(encoded({"input": "My name is Ada."}))
        assert known is not None
        self._known = {"KNOWN_RESPONSE": known["id"], "KNOWN_ITEM": known["output"][0]["id"]}

    def ask(self, way: str, content: bytes) -> dict[str, Any] | None:
        """The answer to a request; None where it was refused."""
        for name, value in self._known.items():
            content = content.replace(name.encode(), value.encode())
        asking: Callable[[bytes], dict[str, Any] | None] = getattr(self, way)
        answer = asking(content)
        self.outcomes[answer is not None] += 1
        return answer

    def json(self, content: bytes) -> dict[str, Any] | None:
        answer = self._post("/v1/responses", content)
        if answer.status_code != 200:
            return None
        if answer.headers["content-type"].startswith("text/event-stream"):
            return check_stream(answer.content)
        response = check_response(answer.content)
        if response["status"] == "queued":
            check_response(self.http.get(f"/v1/responses/{response['id']}").content)
        return response

    def stream(self, content: bytes) -> dict[str, Any] | None:
        return self.json(_with(content, stream=True))

    def compact(self, content: bytes) -> dict[str, Any] | None:
        answer = self._post("/v1/responses/compact", content)
        return check_compaction(answer.content) if answer.status_code == 200 else None

    def websocket(self, content: bytes) -> dict[str, Any] | None:
        content = _with(content, type="response.create")
        try:
            self.talk.send(content.decode())
        except UnicodeDecodeError:
            self.talk.send(content)
        frames: list[str] = []
        while not frames or json.loads(frames[-1])["type"] not in TERMINAL:
            frames.append(str(self.talk.websocket.recv(PATIENCE)))
        return check_turn(frames, _read(content))

    def _post(self, path: str, content: bytes) -> httpx2.Response:
        answer = self.http.post(path, content=content, headers={"content-type": "application/json"})
        assert answer.headers["openresponses-version"] == "2026-04-24"
        if answer.status_code != 200:
            check_error(answer.status_code, answer.content, _read(content))
        return answer


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return NO_JSON


def _with(content: bytes, **fields: Any) -> bytes:
    """The body with more fields, where it is an object; fields that a frame must not have are taken off it."""
    body = _read(content)
    if not isinstance(body, dict):
        return content
    if "type" in fields:
        body = {name: value for name, value in body.items() if name not in NOT_IN_FRAMES}
    return encoded({**body, **fields})


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(create_app(DemonstrationService(), store="memory:")) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: RunningServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as client:
        yield client


@pytest.fixture
def asker(server: RunningServer, http: httpx2.Client) -> Iterator[Asker]:
    with talking(server) as talk:
        yield Asker(http, talk)


WAYS = (("json", CREATE), ("stream", CREATE), ("websocket", CREATE), ("compact", COMPACT))
every_way = pytest.mark.parametrize(("way", "each"), WAYS, ids=[way for way, _ in WAYS])


@every_way
def test_t4_s1_w2_c1_valid_requests_are_answered_by_the_rules(asker: Asker, way: str, each: Component) -> None:
    """What the schema allows is served in a valid shape, or refused with a reason; most of it is served."""

    @bounded(50)
    @given(likely(each))
    def check(body: Any) -> None:
        asker.ask(way, encoded(body))

    check()
    assert asker.outcomes[True] > asker.outcomes[False]


@every_way
def test_e1_e4_one_wrong_value_is_refused(asker: Asker, way: str, each: Component) -> None:
    """A request that one value makes invalid is refused, and the refusal says where it is wrong."""

    @bounded(50)
    @given(invalid(each))
    def check(body: Any) -> None:
        content = encoded(body)
        # A frame gets the right `type`, and loses what may not be in it; what is left may be valid.
        valid = way in {"websocket", "stream"} and each.validator.is_valid(_read(_with(content, type="x")))
        assert asker.ask(way, content) is None or valid

    check()


@every_way
def test_e4_odd_values_do_no_harm(asker: Asker, way: str, each: Component) -> None:
    """Whatever stands at a place, be it huge, deep, no Unicode or no number, the answer is by the rules."""

    @bounded(50)
    @given(odd(each))
    def check(body: Any) -> None:
        asker.ask(way, encoded(body))

    check()


@every_way
def test_e4_what_is_no_json_is_refused(asker: Asker, way: str, each: Component) -> None:
    """Bytes of any kind, and JSON that was cut or damaged, get an answer by the rules."""

    @bounded(50)
    @given(GARBAGE | damaged(each))
    def check(content: bytes) -> None:
        answer = asker.ask(way, content)
        assert answer is None or isinstance(_read(content), dict)

    check()


METHODS = st.sampled_from("GET POST PUT PATCH DELETE HEAD OPTIONS TRACE PROPFIND".split())
STEPS = st.sampled_from(
    "v1 responses compact health openapi.json resp_0 .. . %2e%2e %00 %ff %2f ? # a;b".split()
) | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#%"), max_size=8)
PATHS = st.lists(STEPS, max_size=4).map(lambda steps: "/" + "/".join(steps).lstrip("/"))
VALUES = st.binary(max_size=30).map(lambda value: bytes(each for each in value if each > 31 and each != 127).strip())
HEADERS = st.dictionaries(
    st.sampled_from(
        "content-type content-encoding authorization accept origin x-request-id openresponses-version expect upgrade"
        " sec-websocket-key cookie x-forwarded-for".split()
    ),
    VALUES
    | st.sampled_from(
        [b"application/json; charset=utf-16", b"text/plain", b"gzip", b"Bearer x", b"null", b"application/x+json", b"*"]
    ),
    max_size=3,
)


def test_e2_any_route_method_and_header_is_answered_by_the_rules(http: httpx2.Client) -> None:
    """404, 405, 415 and the like have the body of every error; what is refused has the release and a name."""

    @bounded(150)
    @given(METHODS, PATHS | st.sampled_from(["/v1/responses", "/v1/responses/compact"]), HEADERS)
    def check(method: str, path: str, headers: dict[str, bytes]) -> None:
        headers.pop("upgrade", None)
        request = http.build_request(method, path, content=b'{"model": "m", "input": "hi"}', headers=headers)
        answer = http.send(request)
        assert answer.status_code < 500
        if method == "HEAD":
            return
        if answer.status_code != 200:
            check_error(answer.status_code, answer.content, {"response_id": None})
        assert answer.headers["openresponses-version"] == "2026-04-24"
        assert answer.headers["x-request-id"].isprintable()

    check()


def test_w6_binary_and_odd_frames_leave_the_connection_open(asker: Asker) -> None:
    """Frames of any kind get one frame of error each, and the connection goes on."""

    @bounded(50)
    @given(st.text(max_size=30) | st.binary(max_size=30))
    def check(frame: str | bytes) -> None:
        asker.talk.send(frame)
        assert check_turn([str(asker.talk.websocket.recv(PATIENCE))], NO_JSON) is None

    check()
    assert asker.ask("websocket", b'{"input": "hi"}') is not None
