"""Timing in turns, and ratios of what was timed.

Absolute times drift with whatever else the machine does. So all works of a benchmark run in turns, every round has
one run of each, and what counts is the ratio within a round: its median over the rounds, and its quartiles.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

Work: TypeAlias = Callable[[], float]
"""Does something once and says how many seconds it took, by its own clock."""


class PeerMissingError(Exception):
    """What is compared with is not installed."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio, and the figure that it has to reach; None when it only says how far any such figure can go."""

    work: str
    over: str
    limit: float | None
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """The ratio, in the middle round."""
        return statistics.median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between these lies the middle half of the ratios."""
        if len(self.ratios) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high

    @property
    def is_reached(self) -> bool | None:
        """Whether the median is at most the figure to reach."""
        return None if self.limit is None else self.median <= self.limit

    def as_dict(self) -> dict[str, object]:
        """The figure as plain values."""
        return {
            "work": self.work,
            "over": self.over,
            "ratio": self.median,
            "quartiles": self.quartiles,
            "limit": self.limit,
            "reached": self.is_reached,
            "rounds": len(self.ratios),
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """A ratio that was not measured, and why."""

    work: str
    over: str
    reason: str

    def as_dict(self) -> dict[str, object]:
        """What was skipped as plain values."""
        return {"work": self.work, "over": self.over, "reason": self.reason}


@contextmanager
def collector_off() -> Iterator[None]:
    """No garbage collection within, so that it does not strike one work for what another left."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_turns(works: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Run each work once per round, every second round in reverse order.

    A run of each goes before, uncounted: it writes bytecode and fills caches. With one round it is left out, which
    is enough to see that everything works.
    """
    if rounds > 1:
        for work in works.values():
            work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds):
        for name in list(works) if turn % 2 == 0 else reversed(list(works)):
            seconds[name].append(works[name]())
    return seconds


def figure(seconds: Mapping[str, list[float]], work: str, over: str, limit: float | None) -> Figure:
    """The ratio of two works that ran in turns."""
    pairs = zip(seconds[work], seconds[over], strict=True)
    return Figure(work, over, limit, tuple(one / other for one, other in pairs))


def table(found: Iterable[Figure | Skipped]) -> str:
    """A Markdown table of ratios."""
    rows = [("work", "over", "ratio", "middle half", "to reach", "reached"), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "-|-".join("-" * width for width in widths)
    return "\n".join([f"| {lines[0]} |", f"|-{rule}-|", *(f"| {line} |" for line in lines[1:])])


def _row(each: Figure | Skipped) -> tuple[str, ...]:
    if isinstance(each, Skipped):
        return each.work, each.over, "", each.reason, "", "skipped"
    low, high = each.quartiles
    limit, reached = (f"{each.limit}", "yes" if each.is_reached else "no") if each.limit is not None else ("", "")
    return each.work, each.over, f"{each.median:.3f}", f"{low:.3f} to {high:.3f}", limit, reached
