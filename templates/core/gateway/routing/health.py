"""Whether a provider is fit to be asked. No IO, and no clock of its own.

A circuit breaker. *Closed*: requests go through; so many failures in a row open it. *Open*: nothing
goes through for a while. *Half-open*: after that while, one request goes through; its success
closes the breaker, its failure opens it for longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Breaker", "HealthSettings"]


_EARLY = 0.05
"""Seconds by which a wait may end early: who waited for a provider is let through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """When a provider counts as failing. Raises `ValueError` for a value that makes no sense."""

    failures: int = 5
    """How many failures in a row open the breaker."""
    open_seconds: float = 10.0
    """How long it stays open the first time; that doubles with every trial that fails."""
    longest_open_seconds: float = 120.0
    """How long it stays open at most."""

    def __post_init__(self) -> None:
        if self.failures < 1:
            raise ValueError(f"failures is {self.failures}; it has to be at least 1")
        if not 0 < self.open_seconds <= self.longest_open_seconds:
            raise ValueError("open_seconds has to be more than 0, and at most longest_open_seconds")


class Breaker:
    """The health of one provider.

    Args:
        settings: When it counts as failing.
        clock: Gives seconds that never go back.
    """

    def __init__(self, settings: HealthSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self._clock = clock
        self._failures = 0
        self._openings = 0
        """How often it opened since it was last well."""
        self._until: float | None = None
        """When a trial may be made; None while it is closed."""
        self._rests_until = 0.0
        """Until when the provider asked to be left alone."""
        self._is_on_trial = False

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """How it stands now."""
        if self._until is None:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    @property
    def wait(self) -> float:
        """Seconds until a request may go through; 0 when one may now."""
        now = self._clock()
        rest = self._rests_until - now
        rest = rest if rest > _EARLY else 0.0
        if self._until is None:
            return rest
        if self._is_on_trial:
            return max(rest, self.settings.open_seconds)
        return max(rest, self._until - now, 0.0)

    def admit(self) -> bool:
        """Whether a request may go through now; if so, it has to be told how it went."""
        if self.wait > 0:
            return False
        self._is_on_trial = self._until is not None
        return True

    def succeed(self) -> None:
        """A request went well."""
        self._failures = 0
        self._openings = 0
        self._until = None
        self._is_on_trial = False

    def fail(self) -> None:
        """A request failed by a fault of the provider."""
        was_on_trial, self._is_on_trial = self._is_on_trial, False
        self._failures += 1
        if self._until is not None and not was_on_trial:
            return  # It began before the breaker opened: that is known by now.
        if was_on_trial or self._failures >= self.settings.failures:
            longest = self.settings.longest_open_seconds
            seconds = min(longest, self.settings.open_seconds * 2.0 ** min(self._openings, 32))
            self._openings += 1
            self._until = self._clock() + seconds

    def release(self) -> None:
        """A request ended in a way that says nothing of the provider, such as by its caller."""
        self._is_on_trial = False

    def rest(self, seconds: float) -> None:
        """The provider asks to be left alone for so long: it is not ill, but it is not asked."""
        self._is_on_trial = False
        until = self._clock() + min(seconds, self.settings.longest_open_seconds)
        self._rests_until = max(self._rests_until, until)
