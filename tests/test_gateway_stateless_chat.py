"""Sealed state and long contexts over a real Chat Completions server: what arrives at the model in the end.

Protects: rules R2, C2 and P4 where they meet an upstream. What a caller hands back sealed reaches the model in clear,
and a context that the upstream calls too long is shortened, with what it itself says about it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from chat_model import ChatModel
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.gateway.sealing import KEY_BYTES, Sealer
from openresponses_kit.gateway.upstreams.chat import ChatCompletionsUpstream
from openresponses_kit.server.app import create_app
from running_server import running

PATIENCE = 30.0
SEALER = Sealer({"k1": secrets.token_bytes(KEY_BYTES)}, "k1")


@contextmanager
def gateway(model: ChatModel) -> Iterator[str]:
    with running(model, lifespan="off") as upstream:
        chat = ChatCompletionsUpstream(f"{upstream.url}/v1", reasoning_field="reasoning_content")
        loop = AgenticLoop(chat, sealer=SEALER, settings=LoopSettings(reasoning="hidden"))
        with running(create_app(loop, store=None)) as server:
            yield f"{server.url}/v1/responses"


def post(url: str, given: Any, **members: Any) -> Any:
    body = {"model": "m", "input": given, **members}
    response = httpx2.post(url, json=body, timeout=PATIENCE, trust_env=False)
    assert response.status_code == 200, response.text
    return response.json()


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def test_r2_the_model_has_its_trace_again_and_nobody_else_had_it() -> None:
    model = ChatModel()
    with gateway(model) as url:
        first = post(url, "Hi", store=False, include=["reasoning.encrypted_content"])
        assert "secret thought" not in json.dumps(first)
        again = post(url, [message("Hi"), *first["output"], message("Again")], store=False)
    assert again["status"] == "completed"
    [mine] = [each for each in model.told if each["role"] == "assistant"]
    assert mine["reasoning_content"] == "A secret thought."
    assert [each["role"] for each in model.told] == ["user", "assistant", "user"]
    assert not any("gateway.1." in json.dumps(body) for body in model.bodies)


def test_c2_the_summary_of_a_chat_model_is_what_it_goes_on_from() -> None:
    model = ChatModel()
    with gateway(model) as url:
        window = post(f"{url}/compact", [message("Be kind.", "developer"), message("I am Ada.")])
        assert "tools" not in model.bodies[0]
        post(url, [*window["output"], message("Who am I?")])
    summary = model.told[1]
    assert (summary["role"], model.told[2]["content"]) == ("user", "Who am I?")
    assert str(summary["content"]).endswith("Hello.")


def test_p4_what_the_upstream_calls_too_long_is_shortened() -> None:
    """The words are vLLM's; the status alone would not tell."""
    model = ChatModel(most=5)
    given = [message("Be kind.", "developer"), *(message(str(number)) for number in range(12))]
    with gateway(model) as url:
        response = post(url, given, truncation="auto")
        assert response["status"] == "completed"
        refused = httpx2.post(url, json={"model": "m", "input": given}, timeout=PATIENCE, trust_env=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")
    told = next(body["messages"] for body in model.bodies if len(body["messages"]) <= 5)
    first, *_, last = (each["content"] for each in told)
    assert (first, last) == ("Be kind.", "11")
