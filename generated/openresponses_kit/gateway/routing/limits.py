"""How much may be asked, of a provider or by a caller. No IO, and no clock of its own.

The limits hold in one process: of several workers each counts for itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields

__all__ = ["Limiter", "Limits"]

_WINDOW = 60.0
"""Length of the minute that is looked back over, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed; None sets no limit. Raises `ValueError` for one below 1."""

    requests_per_minute: int | None = None
    """Most requests that begin in any 60 seconds."""
    tokens_per_minute: int | None = None
    """Tokens in and out in any 60 seconds after which nothing more begins. They are known when an
    answer ends: what runs at once may go beyond it.
    """
    max_in_flight: int | None = None
    """Most requests at once."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value: int | None = getattr(self, each.name)
            if value is not None and value < 1:
                raise ValueError(f"{each.name} is {value}; it has to be at least 1")


class Limiter:
    """Counts what is asked, and says whether more may be.

    Args:
        limits: What is allowed.
        clock: Gives seconds that never go back.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.in_flight = 0
        """How many requests are under way."""
        self._clock = clock
        self._begun: deque[float] = deque()
        self._spent: deque[tuple[float, int]] = deque()
        """Tokens by second, oldest first."""
        self._tokens = 0

    def wait(self) -> float:
        """Seconds until a request may begin; 0 when one may now.

        A second where that hangs on a request under way: nobody knows when it ends.
        """
        limits = self.limits
        now = self._clock()
        self._forget(now)
        wait = 0.0
        if limits.max_in_flight is not None and self.in_flight >= limits.max_in_flight:
            wait = 1.0
        if limits.requests_per_minute is not None:
            over = len(self._begun) - limits.requests_per_minute
            if over >= 0:
                wait = max(wait, self._begun[over] + _WINDOW - now)
        if limits.tokens_per_minute is not None:
            wait = max(wait, self._wait_for_tokens(now, limits.tokens_per_minute))
        return wait

    def begin(self) -> float:
        """Begin a request, if one may begin; else nothing changes.

        Returns the seconds to wait: 0 when it has begun. What has begun has to `end`.
        """
        wait = self.wait()
        if wait > 0:
            return wait
        self.in_flight += 1
        if self.limits.requests_per_minute is not None:
            self._begun.append(self._clock())
        return 0.0

    def hold(self) -> None:
        """A request that began goes on beyond its `end`: another `end` is to follow."""
        self.in_flight += 1

    def withdraw(self) -> None:
        """The request that began latest is over, and does not count."""
        self.in_flight -= 1
        if self._begun:
            self._begun.pop()

    def end(self) -> None:
        """A request that began is over, however it went."""
        self.in_flight -= 1

    def spend(self, tokens: int) -> None:
        """So many tokens were used."""
        if self.limits.tokens_per_minute is None or tokens <= 0:
            return
        second = math.floor(self._clock())
        self._tokens += tokens
        if self._spent and self._spent[-1][0] == second:
            tokens += self._spent.pop()[1]
        self._spent.append((second, tokens))

    def _forget(self, now: float) -> None:
        while self._begun and self._begun[0] + _WINDOW <= now:
            self._begun.popleft()
        while self._spent and self._spent[0][0] + 1 + _WINDOW <= now:
            self._tokens -= self._spent.popleft()[1]

    def _wait_for_tokens(self, now: float, limit: int) -> float:
        left = self._tokens
        if left < limit:
            return 0.0
        for second, tokens in self._spent:
            left -= tokens
            if left < limit:
                return second + 1 + _WINDOW - now
        return _WINDOW
