"""What a router knows of its providers and callers; it outlasts a change of the configuration.

It is kept in the process, and it is a cache: nothing is lost with it but what was measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .health import Breaker, HealthSettings
from .limits import Limiter, Limits
from .recent import Recent

__all__ = ["ProviderState", "RouterMemory"]

_MOST_ORIGINS = 20_000
_NEW_SHARE = 0.3
"""How much the latest measurement counts in the figure of a latency."""
_FRESH_SECONDS = 60.0
"""How long a measurement holds; then a provider counts as not measured, and gets another chance."""


class ProviderState:
    """How one provider does.

    Args:
        health: When it counts as failing.
        limits: How much it may be asked.
        clock: Gives seconds that never go back.
    """

    def __init__(self, health: HealthSettings, limits: Limits, clock: Callable[[], float]) -> None:
        self.breaker = Breaker(health, clock)
        self.limiter = Limiter(limits, clock)
        self._clock = clock
        self._latency: float | None = None
        self._measured_at = 0.0

    @property
    def latency(self) -> float | None:
        """Seconds to the first event, the latest counting most; None where that is not known.

        An old figure holds as long as a request is under way that may give a new one.
        """
        is_old = self._clock() - self._measured_at > _FRESH_SECONDS
        return None if is_old and not self.limiter.in_flight else self._latency

    def measure(self, seconds: float) -> None:
        """A request had its first event after so many seconds."""
        old = self.latency
        share = 1.0 if old is None else _NEW_SHARE
        self._latency = share * seconds + (1.0 - share) * (old or 0.0)
        self._measured_at = self._clock()

    def begin(self) -> float:
        """Begin a request where health and limits let it.

        Returns the seconds to wait: 0 when it has begun. What has begun has to `limiter.end`.
        """
        wait = self.breaker.wait
        if wait > 0:
            return wait
        wait = self.limiter.begin()
        if wait == 0:
            self.breaker.admit()
        return wait


class RouterMemory:
    """What is known of providers and callers by name.

    Args:
        clock: Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.origins: Recent[tuple[str, str], str] = Recent(_MOST_ORIGINS)
        """Which provider made a response, by caller and id."""
        self.rounds: Recent[tuple[str, str], str] = Recent(_MOST_ORIGINS)
        """Which provider sampled the latest round, by caller and request."""
        self._providers: dict[str, ProviderState] = {}
        self._callers: dict[str, Limiter] = {}

    def provider(self, name: str, health: HealthSettings, limits: Limits) -> ProviderState:
        """The state of a provider, held to these settings from now on."""
        state = self._providers.get(name)
        if state is None:
            state = self._providers[name] = ProviderState(health, limits, self.clock)
        state.breaker.settings = health
        state.limiter.limits = limits
        return state

    def caller(self, name: str, limits: Limits) -> Limiter:
        """What a caller has used, held to these limits from now on."""
        limiter = self._callers.get(name)
        if limiter is None:
            limiter = self._callers[name] = Limiter(limits, self.clock)
        limiter.limits = limits
        return limiter

    def spend(self, caller: str, tokens: int) -> None:
        """A caller used so many tokens."""
        limiter = self._callers.get(caller)
        if limiter is not None:
            limiter.spend(tokens)
