"""Which server is tested, and how far the test goes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

RELEASE_OF_WEBSOCKETS = "2026-04-24"
"""The release that brought WebSockets, compaction and `phase`."""


@dataclass(frozen=True)
class Limits:
    """What keeps a run from hanging, or from growing without end, whatever a server does."""

    seconds: float = 60.0
    """For one exchange: a request with its whole answer, or one turn on a WebSocket."""
    closing_seconds: float = 5.0
    """For a stream to close after its end, and for a WebSocket to close."""
    answer_bytes: int = 4 * 1024 * 1024
    """For one answer, or all frames of one connection."""
    retries: int = 2
    """How often a request that is answered with 429 is sent again."""
    retry_seconds: float = 10.0
    """The longest wait before that, whatever `Retry-After` says."""


@dataclass(frozen=True)
class Settings:
    """The server under test and how to speak to it."""

    url: str
    """Its base URL, to which `/responses` is added; no credentials in it, no slash at its end."""
    release: str
    """The release of the standard that it is held to."""
    api_key: str | None = None
    model: str | None = None
    """What requests name as `model`; they name none where this is `None`."""
    parallel: int = 4
    """How many exchanges run at a time."""
    limits: Limits = Limits()

    @property
    def has_websockets(self) -> bool:
        """Whether the release knows WebSockets, compaction and `phase`."""
        return self.release >= RELEASE_OF_WEBSOCKETS


def base_url(url: str) -> str:
    """The base URL that a user means: without the route, a slash at the end, query or fragment.

    Raises:
        ValueError: It is no URL of HTTP, or it holds credentials, which reports would show.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no URL that starts with http:// or https://")
    if parts.username is not None:
        raise ValueError("the URL holds credentials, which the report would show: give a key with --api-key")
    if parts.port == 0:
        raise ValueError(f"{url!r} has no usable port")
    path = parts.path.rstrip("/").removesuffix("/responses").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
