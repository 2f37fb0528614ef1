"""Sealed state and long contexts over a real Chat Completions server: what arrives at the model in the end.

Protects: rules R2, C2 and P4 where they meet an upstream. What a caller hands back sealed reaches the model in clear,
and a context that the upstream calls too long is shortened, with what it itself says about it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.gateway.sealing import KEY_BYTES, Sealer
from openresponses_kit.gateway.upstreams.chat import ChatCompletionsUpstream
from openresponses_kit.server.app import create_app
from running_server import running

PATIENCE = 30.0
SEALER = Sealer({"k1": secrets.token_bytes(KEY_BYTES)}, "k1")


@dataclass
class ChatModel:
    """An application that speaks Chat Completions, takes so many messages and no more, and keeps what it was sent."""

    most: int = 1000
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content, is_more = b"", True
        while is_more:
            message = await receive()
            content += message["body"]
            is_more = message["more_body"]
        body = json.loads(content)
        self.bodies.append(body)
        if len(body["messages"]) > self.most:
            told = "This model's maximum context length is 100 tokens. Please reduce the length of the messages."
            answer = json.dumps({"error": {"message": told, "type": "invalid_request_error", "code": 400}}).encode()
            await self._send(send, 400, b"application/json", answer)
            return
        deltas = [{"role": "assistant", "reasoning_content": "A secret thought."}, {"content": "Hello."}, {}]
        chunks = [
            {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
            for delta in deltas
        ]
        events = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
        await self._send(send, 200, b"text/event-stream", events + b"data: [DONE]\n\n")

    async def _send(self, send: Any, status: int, kind: bytes, content: bytes) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": content})

    @property
    def told(self) -> list[dict[str, Any]]:
        """The messages that it was sent last."""
        messages: list[dict[str, Any]] = self.bodies[-1]["messages"]
        return messages


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
