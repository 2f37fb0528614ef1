"""A model behind Chat Completions, as an application for a server of ASGI."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


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
