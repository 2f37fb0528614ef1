"""How a server behaves, beside what its service does."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from .requests import Limits

__all__ = ["ServerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Settings of a server. Times are in seconds.

    Raises `ValueError` or `TypeError` for a value that makes no sense, naming it.
    """

    default_model: str = "default"
    """Name that a response gives its model when the request named none."""
    max_body_bytes: int = 32 * 1024 * 1024
    """Largest body of a request, and largest frame of a WebSocket; beyond it the answer is 413."""
    limits: Limits = field(default_factory=Limits)
    """How much may be in a body."""
    max_active: int | None = None
    """Most responses at once; beyond it the answer is 429. None sets no limit."""
    ping_seconds: float = 15.0
    """How long a stream may be silent before a comment is sent, so that nothing on the way gives
    up on it (rule S1).
    """
    background_seconds: float = 3600.0
    """How long work on a response in the background may take (rule P5)."""
    shutdown_seconds: float = 20.0
    """How long running responses may go on once the server is to stop; then they fail (rule S5)."""
    websocket_seconds: float = 3600.0
    """How long a WebSocket lives (rule W7)."""
    websocket_grace_seconds: float = 10.0
    """How long a turn may go on when the time of its WebSocket is over (rule W7)."""
    websocket_queue: int = 16
    """Most turns that wait on one WebSocket (rule W3)."""
    websocket_responses: int = 1
    """How many responses a WebSocket remembers; the protocol asks for the latest (rule W4)."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the server from a browser; `*` is any. None by default."""
    openai_event_names: bool = False
    """Whether raw reasoning is sent as `response.reasoning_text.delta` and `.done`, as OpenAI does,
    in place of the standard's `response.reasoning.delta` and `.done` (rule Z3).
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            value: object = getattr(self, each.name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"{each.name} is {value}; it has to be more than 0")
        if isinstance(self.cors_origins, str):
            raise TypeError("cors_origins is a string; it has to be a tuple of origins")
