"""An upstream that speaks Open Responses: an application that sends bytes made before, and keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Upstream:
    """Answers every request with the same, in these pieces."""

    pieces: Sequence[bytes]
    status: int = 200
    kind: str = "text/event-stream"
    headers: Sequence[tuple[bytes, bytes]] = ()
    breaks_off: bool = False
    """Whether the connection breaks after the last piece."""
    stays: bool = False
    """Whether nothing more comes after the last piece, and nothing ends."""
    bodies: list[bytes] = field(default_factory=list[bytes])
    sent: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """The headers of requests."""

    @property
    def last(self) -> dict[str, Any]:
        """The last request."""
        body: dict[str, Any] = json.loads(self.bodies[-1])
        return body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content, is_more = b"", True
        while is_more:
            message = await receive()
            content += message["body"]
            is_more = message["more_body"]
        self.bodies.append(content)
        self.sent.append({name.decode(): value.decode() for name, value in scope["headers"]})
        headers = [(b"content-type", self.kind.encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.stays:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.sent.append({"left": "yes"})
            return
        if self.breaks_off:
            raise ConnectionResetError("the upstream breaks off")
        await send({"type": "http.response.body", "body": b""})
