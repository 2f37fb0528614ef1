"""What an upstream refuses, as the gateway's callers are told of it.

Rules kept here: E2 (types and statuses), E3 (no key and no address leaks; what concerns the gateway
and its upstream alone is not told), E5 and M3 (what may be tried elsewhere), P4 (a context that is
too long has a code).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json, to_json

from ...server.errors import (
    InvalidRequestError,
    NotFoundError,
    ServerError,
    ServiceError,
    TooManyRequestsError,
)
from ..failures import UpstreamError

if TYPE_CHECKING:
    import httpx2

__all__ = ["check_media", "message_of", "refusal", "unreached"]

_LONGEST = 500
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum context|too many tokens|input is too long"
    r"|exceeds? the (available|model)",
    re.IGNORECASE,
)
_SECRET = re.compile(r"(?i)\b(bearer\s+|sk-|key[=:]\s*)[\w.~+/=*-]{4,}|https?://\S+")


def refusal(
    status: int | None,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    model: str = "",
    secret: str | None = None,
) -> UpstreamError:
    """The error for an answer that is none.

    Args:
        status: Its HTTP status; None where an answer failed in mid-stream without one.
        message: What the upstream said.
        headers: Its headers, by lower-case name.
        model: The model that was asked for.
        secret: What is not repeated in whatever form: the key that the upstream was sent.
    """
    if secret:
        message = message.replace(secret, "…")
    said = _SECRET.sub("…", message)[:_LONGEST]
    reason = f"the upstream answered {status or 'an error'}: {said}"
    wait = _seconds((headers or {}).get("retry-after", ""))
    error, is_transient = _told(status, said, model, wait)
    return UpstreamError(error, is_transient=is_transient, retry_after=wait, reason=reason)


def _told(
    status: int | None, said: str, model: str, wait: float | None
) -> tuple[ServiceError, bool]:
    if _TOO_LONG.search(said) and status in {None, 400, 413, 422, 500}:
        code = "context_length_exceeded"
        return InvalidRequestError(f"input: {said}", param="input", code=code), False
    match status:
        case 400 | 413 | 422:
            return InvalidRequestError(f"the model refused the request: {said}"), False
        case 404:
            message = f"model: the upstream has no model {model!r}"
            return NotFoundError(message, param="model", code="model_not_found"), True
        case 429:
            message = "the upstream takes no more requests for now"
            return TooManyRequestsError(message, retry_after=max(1, round(wait or 1))), True
        case 401 | 402 | 403:
            # The key is the gateway's: to its callers it is not theirs that was refused.
            return ServerError("the upstream refused to serve this gateway", status=502), True
        case _:
            return ServerError("the upstream failed", status=502), True


def unreached(reason: str, *, is_silent: bool) -> UpstreamError:
    """The error for an upstream that gave no answer, or whose answer broke off."""
    message = "the upstream did not answer in time" if is_silent else "the upstream was not reached"
    error = ServerError(message, status=504 if is_silent else 502)
    return UpstreamError(error, is_transient=True, reason=reason)


def check_media(response: httpx2.Response, kinds: Sequence[str]) -> None:
    """Raise `UpstreamError` unless an answer is of one of these media types, and not compressed."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if kind in kinds and coding == "identity":
        return
    error = ServerError("the upstream answered with what is no response", status=502)
    reason = f"the upstream answered {kind[:80]!r}, {coding[:80]!r}-encoded"
    raise UpstreamError(error, is_transient=True, reason=reason)


def message_of(body: bytes) -> str:
    """What an error says, in any of the shapes in use."""
    try:
        value: Any = from_json(body)
    except ValueError:
        return body[:_LONGEST].decode(errors="replace")
    for name in ("error", "message", "detail"):
        inner: Any = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
        if inner:
            value = inner
    return value if isinstance(value, str) else to_json(value)[:_LONGEST].decode(errors="ignore")


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
