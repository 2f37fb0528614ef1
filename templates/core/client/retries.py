"""Whether to try again, and when. No IO, no clock and no chance of its own.

Rules kept here: E5. A try is repeated when the server says that it did nothing (429, 408, 409), or
that it failed (500 and above), and when the connection failed before the first byte of an answer.
A failure of the model (`model_error`) is none of these: it may have cost as much as an answer.
A server that keeps silent may be at work, and may charge for it: such a request is repeated only
under an idempotency key. Nothing is repeated once an event was handed over; callers see to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

FIRST_DELAY = 0.5
"""Upper bound of the wait before the second try, in seconds; it doubles with every try."""
LONGEST_DELAY = 8.0
"""Upper bound of a wait that we choose ourselves, in seconds."""
LONGEST_RETRY_AFTER = 60.0
"""The longest wait that a server may ask for, in seconds; after that its error is reported."""

_STATUSES = frozenset({408, 409, 429})


class Failure(Enum):
    """How a try failed that brought no answer."""

    UNREACHED = "unreached"
    """No connection came about: the server saw nothing."""
    BROKEN = "broken"
    """The connection broke before the first byte of an answer."""
    SILENT = "silent"
    """The request was sent, and no answer came in time."""


def may_repeat(failure: Failure, *, idempotent: bool) -> bool:
    """Whether a request without an answer may be sent again."""
    return failure is not Failure.SILENT or idempotent


def may_repeat_status(status_code: int, error_type: str | None = None) -> bool:
    """Whether a request may be sent again after an error of this status and type (rule E2)."""
    return status_code in _STATUSES or (status_code >= 500 and error_type != "model_error")


def delay(tries: int, chance: float, wanted: float | None = None) -> float | None:
    """Seconds to wait after so many tries; None when the server asks for more than we wait.

    `chance` is a random number from 0 to 1 (full jitter: callers that failed together do not come
    back together), `wanted` what the server asked for.
    """
    if wanted is not None:
        return wanted if wanted <= LONGEST_RETRY_AFTER else None
    return chance * min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to wait, never negative; None when it does not say.

    Takes `retry-after-ms`, which is in use beside the standard header, and both of the standard's
    forms: seconds and a date (RFC 9110, 10.2.3).
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # without a zone it is in UTC, as all dates of HTTP are
            date = date.replace(tzinfo=UTC)
        return max(0.0, (date - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
