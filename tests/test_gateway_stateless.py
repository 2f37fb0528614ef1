"""State that its caller carries, through a real server: encrypted reasoning and compacted conversations.

Protects: rules R2 and R3 (what was asked for comes back opened, and only to its caller), C1 and C2, and the errors that
tell of what was changed. The model of these tests answers with all that it was told.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.gateway.sealing import KEY_BYTES, Sealer
from openresponses_kit.server.app import create_app
from openresponses_kit.server.memory_store import MemoryStore
from remembering_model import CALLING, RememberingModel
from running_server import RunningServer, running
from scripted_model import ScriptedTool, gives
from websockets.sync.client import connect

OLD, NEW = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
SEALER = Sealer({"old": OLD}, "old")
ROTATED = Sealer({"old": OLD, "new": NEW}, "new")
RETIRED = Sealer({"new": NEW}, "new")
PATIENCE = 30.0
INCLUDE = ["reasoning.encrypted_content"]
FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}}


@dataclass(frozen=True)
class Gateway:
    server: RunningServer

    def post(self, path: str, body: dict[str, Any], *, key: str = "ada") -> httpx2.Response:
        headers = {"authorization": f"Bearer {key}"}
        url = f"{self.server.url}/v1/{path}"
        return httpx2.post(url, json={"model": "m", **body}, headers=headers, timeout=PATIENCE, trust_env=False)

    def create(self, given: Any, **members: Any) -> dict[str, Any]:
        response = self.post("responses", {"input": given, "store": False, "include": INCLUDE, **members})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        assert body["status"] == "completed", body["error"]
        return body

    def compact(self, given: Any, *, key: str = "ada", **members: Any) -> list[dict[str, Any]]:
        response = self.post("responses/compact", {"input": given, **members}, key=key)
        assert response.status_code == 200, response.text
        output: list[dict[str, Any]] = response.json()["output"]
        return output

    def refusal(self, given: Any, *, key: str = "ada", path: str = "responses", **members: Any) -> dict[str, Any]:
        """The error of a request that is refused before anything is sent (rule E4)."""
        response = self.post(path, {"input": given, **members}, key=key)
        assert response.status_code == 400, response.text
        assert response.headers["content-type"] == "application/json"
        error: dict[str, Any] = response.json()["error"]
        assert error["type"] == "invalid_request"
        return error


@contextmanager
def gateway(sealer: Sealer | None = SEALER, **settings: Any) -> Iterator[Gateway]:
    tool = ScriptedTool(gives("42"))
    loop = AgenticLoop(RememberingModel(), tools=[tool], sealer=sealer, settings=LoopSettings(**settings))
    with running(create_app(loop, store=MemoryStore(), api_keys=["ada", "bob"])) as server:
        yield Gateway(server)


@pytest.fixture(scope="module")
def shared() -> Iterator[Gateway]:
    """A gateway that shows nothing of reasoning in clear."""
    with gateway(reasoning="hidden") as made:
        yield made


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def said(response: dict[str, Any]) -> list[str]:
    """What the model was told, as it says."""
    texts: list[str] = json.loads(response["output"][-1]["content"][0]["text"])
    return texts


def changed(items: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """The items, one of them with a bit of its ciphertext turned."""
    text = items[place]["encrypted_content"]
    turned = {**items[place], "encrypted_content": text[:-9] + ("B" if text[-9] == "A" else "A") + text[-8:]}
    return [*items[:place], turned, *items[place + 1 :]]


def test_r3_the_state_is_in_what_the_caller_hands_back(shared: Gateway) -> None:
    """The server keeps nothing and shows nothing of the trace; the model reads it in the next turn."""
    first = shared.create("Ada")
    reasoning = first["output"][0]
    assert reasoning["encrypted_content"].startswith("gateway.1.old.")
    assert "I heard" not in json.dumps(first)
    again = shared.create([message("Ada"), *first["output"], message("Again")])
    assert said(again) == ["Ada", "(thought) I heard: Ada", '["Ada"]', "Again"]
    kept = httpx2.get(
        f"{shared.server.url}/v1/responses/{first['id']}",
        headers={"authorization": "Bearer ada"},
        timeout=PATIENCE,
        trust_env=False,
    )
    assert kept.status_code == 404


def test_r2_without_being_asked_for_nothing_is_encrypted(shared: Gateway) -> None:
    response = shared.create("Ada", include=[])
    assert not any("encrypted_content" in item for item in response["output"])


def test_r2_a_stream_tells_the_same(shared: Gateway) -> None:
    response = shared.post("responses", {"input": "Ada", "stream": True, "store": False, "include": INCLUDE})
    lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: {")]
    done = [event["item"] for event in map(json.loads, lines) if event["type"] == "response.output_item.done"]
    again = shared.create([message("Ada"), *done, message("Again")])
    assert said(again)[1] == "(thought) I heard: Ada"


@pytest.mark.parametrize("shown", ["raw", "summary", "hidden"])
def test_r1_what_is_shown_does_not_matter_for_what_is_opened(shown: str) -> None:
    with gateway(reasoning=shown) as server:
        first = server.create("Ada")
        assert ("I heard" in json.dumps(first["output"][0])) == (shown == "raw")
        again = server.create([message("Ada"), *first["output"], message("Again")])
        assert said(again)[1] == "(thought) I heard: Ada"


def test_r2_reasoning_of_a_stored_response_is_opened_too(shared: Gateway) -> None:
    first = shared.create("Ada", store=True)
    again = shared.create("Again", previous_response_id=first["id"])
    assert said(again) == ["Ada", "(thought) I heard: Ada", '["Ada"]', "Again"]


def test_r3_reasoning_before_a_call_comes_back_with_its_output(shared: Gateway) -> None:
    """The turn in which a model needs its trace most: between a call and what came of it."""
    first = shared.create(CALLING, tools=[FUNCTION])
    call = first["output"][-1]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "seen"}
    again = shared.create([message(CALLING), *first["output"], output], tools=[FUNCTION])
    assert said(again) == [CALLING, f"(thought) I heard: {CALLING}", '(call) {"where":1.0}', "(output) seen"]


@pytest.mark.parametrize("stream", [False, True])
def test_r2_changed_reasoning_is_refused(shared: Gateway, stream: bool) -> None:
    output = shared.create("Ada")["output"]
    error = shared.refusal([message("Ada"), *changed(output, 0), message("Again")], stream=stream)
    assert error["param"] == "input[1].encrypted_content"
    assert error["code"] == "invalid_encrypted_content"


@settings(max_examples=60)
@given(
    st.text(),
    st.sampled_from(["", "gateway.", "gateway.1.", "gateway.1.old."]),
    st.sampled_from(["reasoning", "compaction"]),
)
def test_r2_whatever_text_is_handed_back_is_no_failure_of_the_server(
    shared: Gateway, text: str, head: str, kind: str
) -> None:
    """It is opened by nobody: what begins as ours is refused, all else is taken for what others sealed."""
    item = {"type": kind, "encrypted_content": head + text, **({"summary": []} if kind == "reasoning" else {})}
    response = shared.post("responses", {"input": [item, message("Hi")], "store": False})
    is_ours = (head + text).startswith("gateway.")
    assert response.status_code == (400 if is_ours else 200), response.text


def test_r2_reasoning_of_another_caller_is_refused(shared: Gateway) -> None:
    output = shared.create("Ada")["output"]
    error = shared.refusal([*output, message("Again")], key="bob")
    assert error["param"] == "input[0].encrypted_content"


def test_w6_changed_reasoning_is_an_error_frame(shared: Gateway) -> None:
    """The same on a WebSocket, which stays open for the next turn."""
    items = changed(shared.create("Ada")["output"], 0)
    url = f"{shared.server.websocket_url}/v1/responses"
    with connect(url, additional_headers={"authorization": "Bearer ada"}, proxy=None) as socket:
        turn = {"type": "response.create", "model": "m", "store": False}
        socket.send(json.dumps({**turn, "input": items}))
        frame = json.loads(socket.recv(PATIENCE))
        assert (frame["type"], frame["status"]) == ("error", 400)
        assert frame["error"]["param"] == "input[0].encrypted_content"
        socket.send(json.dumps({**turn, "input": "Ada"}))
        assert json.loads(socket.recv(PATIENCE))["type"] == "response.created"


def test_keys_are_rotated_without_losing_a_conversation() -> None:
    """What the old key sealed is opened while it is kept; once it is gone, that is told."""
    with gateway() as before:
        output = before.create("Ada")["output"]
    given = [message("Ada"), *output, message("Again")]
    with gateway(ROTATED) as meanwhile:
        again = meanwhile.create(given)
        assert said(again)[1] == "(thought) I heard: Ada"
        assert again["output"][0]["encrypted_content"].startswith("gateway.1.new.")
    with gateway(RETIRED) as after:
        assert "not in use any more" in after.refusal(given)["message"]
        assert said(after.create([*given, *again["output"]][4:]))


def test_z18_what_others_encrypted_goes_through(shared: Gateway) -> None:
    foreign = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABoforeign"}
    assert said(shared.create([message("Ada"), foreign, message("Again")])) == ["Ada", "(thought) ", "Again"]


def test_c2_a_compacted_conversation_is_continued(shared: Gateway) -> None:
    """Guidance comes back in clear, all else opaque; with new items behind it the model knows what was said."""
    first = shared.create([message("Be kind.", "developer"), message("I am Ada.")])
    window = [message("Be kind.", "developer"), message("I am Ada."), *first["output"]]
    output = shared.compact(window)
    assert [item["type"] for item in output] == ["message", "compaction"]
    assert output[0]["role"] == "developer"
    assert "Ada" not in json.dumps(output)
    guidance, summary, question = said(shared.create([*output, message("Who am I?")]))
    assert (guidance, question) == ("Be kind.", "Who am I?")
    assert "I am Ada." in summary
    assert "(thought) I heard: I am Ada." in summary


def test_c1_stored_responses_are_compacted(shared: Gateway) -> None:
    first = shared.create("I am Ada.", store=True)
    output = shared.compact("And you?", previous_response_id=first["id"])
    summary, question = said(shared.create([*output, message("Who am I?")]))
    assert "I am Ada." in summary
    assert "And you?" in summary
    assert question == "Who am I?"


def test_x8_a_call_from_before_is_answered_after_the_compaction(shared: Gateway) -> None:
    first = shared.create(CALLING, tools=[FUNCTION])
    output = shared.compact([message(CALLING), *first["output"]])
    answer = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "seen"}
    summary, *rest = said(shared.create([*output, answer], tools=[FUNCTION]))
    assert CALLING in summary
    assert rest == ['(call) {"where":1.0}', "(output) seen"]


def test_x3_receipts_of_hosted_tools_are_compacted_as_what_they_tell(shared: Gateway) -> None:
    call = {"call_id": "c1", "name": "work", "arguments": "{}"}
    receipt = {"type": "acme:work_call", "id": "w1", "status": "completed", **call, "output": "42", "error": None}
    output = shared.compact([message("Work"), receipt])
    summary, _ = said(shared.create([*output, message("And?")]))
    assert '"Work", "(call) {}", "(output) 42"' in summary


def test_c1_tokens_and_an_empty_window(shared: Gateway) -> None:
    response = shared.post("responses/compact", {"input": [message("Ada")]}).json()
    assert response["usage"]["total_tokens"] == 3
    empty = shared.post("responses/compact", {})
    assert empty.status_code == 200
    assert [item["type"] for item in empty.json()["output"]] == ["compaction"]
    assert said(shared.create([*empty.json()["output"], message("Hi")])) == ["Hi"]


def test_c2_a_compaction_that_was_changed_or_is_another_callers_is_refused(shared: Gateway) -> None:
    output = shared.compact([message("I am Ada.")])
    for path in ("responses", "responses/compact"):
        error = shared.refusal([message("Hi"), *changed(output, 0)], path=path)
        assert error["param"] == "input[1].encrypted_content"
        assert shared.refusal(output, key="bob", path=path)["param"] == "input[0].encrypted_content"


def test_without_keys_nothing_is_encrypted() -> None:
    with gateway(None) as server:
        assert "encrypted_content" not in server.create("Ada")["output"][0]
        refused = server.post("responses/compact", {"input": [message("Ada")]})
        assert refused.status_code == 404
        assert "sealing keys" in refused.json()["error"]["message"]
