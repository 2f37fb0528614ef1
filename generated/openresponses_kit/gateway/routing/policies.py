"""In which order providers are tried. No IO, no clock and no chance of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

__all__ = ["POLICIES", "Policy", "Standing", "ordered"]

Policy: TypeAlias = Literal["first", "weighted", "least_in_flight", "price", "latency"]
"""How a provider is chosen among several that could serve a request."""
POLICIES: tuple[Policy, ...] = get_args(Policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a provider stands when it is to be chosen."""

    weight: float = 1.0
    """Its share under `weighted`; 0 leaves it for when all others fail."""
    in_flight: int = 0
    """How many requests it works on."""
    price: float | None = None
    """What it asks; None is not known."""
    latency: float | None = None
    """Seconds to the first event, as measured lately; None where nothing was."""


def ordered(
    policy: Policy, standings: Sequence[Standing], chance: Callable[[], float]
) -> list[int]:
    """The places of providers in the order in which they are to be tried.

    Those that a policy holds equal stay in the order in which they are given.

    Args:
        policy: How to choose.
        standings: The providers, in order of preference.
        chance: Gives random numbers from 0 up to 1.
    """
    places = range(len(standings))
    if policy == "first":
        return list(places)
    if policy == "weighted":
        # Exponential keys: the order is that of drawing without putting back, by weight.
        keys = [_drawn(each.weight, chance()) for each in standings]
        return sorted(places, key=keys.__getitem__)
    if policy == "least_in_flight":
        return sorted(places, key=lambda place: standings[place].in_flight)
    if policy == "price":
        return sorted(places, key=lambda place: _known(standings[place].price))
    return sorted(places, key=lambda place: _latency(standings[place]))


def _drawn(weight: float, chance: float) -> float:
    return -math.log(1.0 - chance) / weight if weight > 0 else math.inf


def _known(figure: float | None) -> float:
    return math.inf if figure is None else figure


def _latency(standing: Standing) -> tuple[float, int]:
    """What was never measured comes first, once: others wait until that one has answered."""
    if standing.latency is None:
        return (math.inf if standing.in_flight else -1.0, standing.in_flight)
    return standing.latency, standing.in_flight
