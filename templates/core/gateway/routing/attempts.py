"""What is tried next when a provider failed. No IO, no clock and no chance of its own.

Rules kept here: M3 (nothing is tried again once the caller was told anything), E5 (only what may
succeed is repeated).

Each candidate is tried once, one right after the other; then, after a wait, those that may succeed
later are tried again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields

from ...client.retries import delay

__all__ = ["Attempts", "RetrySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How long a request is tried for. Raises `ValueError` for a value that makes no sense."""

    attempts: int = 4
    """Most tries of a request, at all providers together."""
    longest_wait_seconds: float = 10.0
    """The longest that is waited before another try; a provider that asks for more is not waited
    for.
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            value: float = getattr(self, each.name)
            if value < (1 if each.name == "attempts" else 0):
                raise ValueError(f"{each.name} is {value}; that is too small")


class Attempts:
    """The tries of one request.

    Args:
        candidates: Places of candidates, in the order in which they are to be tried.
        settings: How long to try.
    """

    def __init__(self, candidates: Sequence[int], settings: RetrySettings) -> None:
        self._settings = settings
        self._due = deque(candidates)
        self._later: list[int] = []
        self._rounds = 0
        self._tried = 0
        self._wanted: float | None = None

    def next(self, chance: float) -> tuple[int, float] | None:
        """Which candidate to try, and how many seconds to wait before; None to give up.

        Args:
            chance: A random number from 0 to 1.
        """
        if self._tried >= self._settings.attempts:
            return None
        wait = 0.0
        if not self._due:
            if not self._later:
                return None
            self._rounds += 1
            seconds = delay(self._rounds, chance, self._wanted)
            if seconds is None or seconds > self._settings.longest_wait_seconds:
                return None
            wait = seconds
            self._due.extend(self._later)
            self._later.clear()
            self._wanted = None
        self._tried += 1
        return self._due.popleft(), wait

    def failed(self, candidate: int, retry_after: float | None) -> None:
        """A try failed in a way that may pass, and nothing was told to the caller.

        Args:
            candidate: What was tried.
            retry_after: Seconds that the provider asks to wait.
        """
        self._later.append(candidate)
        if retry_after is not None:
            least = retry_after if self._wanted is None else min(self._wanted, retry_after)
            self._wanted = least

    def skipped(self) -> None:
        """The latest candidate was not tried after all: its limits or its health forbid it."""
        self._tried -= 1
