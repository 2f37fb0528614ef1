"""Cases and asks: what is judged, and what is asked of the server to have something to judge.

An *ask* does the input and output: a request, or a few that belong together. It is carried out once in a run, however
many cases look at it. A *case* looks at what came and does nothing else: it is a function that raises when the server
breaks the rule, and one rule only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from openresponses_codegen.conform.probe import Probe
    from openresponses_codegen.conform.record import Record

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, eq=False)
class Ask(Generic[T]):
    """Something to ask of a server; `carry_out` raises a `SkipError` where it cannot be asked."""

    name: str
    carry_out: Callable[[Probe], Awaitable[T]]


@dataclass(frozen=True, eq=False)
class Case:
    """One thing that a rule demands."""

    id: str
    rule: str
    title: str
    """What has to be so, as a sentence."""
    is_advice: bool
    """Whether the rule, or what is asked here beyond it, is ours: breaking it is no failure."""
    asks: tuple[Ask[Any], ...]
    judge: Callable[..., None]
    """Takes what came of each ask, in order."""

    @property
    def section(self) -> str:
        """The letter of the rule."""
        return self.rule[0]


SECTIONS: Mapping[str, str] = {
    "T": "HTTP",
    "S": "Server-sent events",
    "L": "Life of an item",
    "R": "Reasoning",
    "P": "Conversation state",
    "X": "Tools",
    "E": "Errors",
    "W": "WebSocket",
    "C": "Compaction",
    "N": "Extensions",
    "Z": "Where implementations go wrong",
}

_cases: dict[str, Case] = {}


def case(case_id: str, *asks: Ask[Any], advice: bool = False) -> Callable[[F], F]:
    """Register a function as a case, which takes what comes of these asks.

    The id starts with that of the rule, as in `S2-done-after-terminal`; the docstring is the title.
    """

    def register(judge: F) -> F:
        if case_id in _cases:
            raise ValueError(f"there are two cases {case_id}")
        title = " ".join((judge.__doc__ or case_id).split())
        _cases[case_id] = Case(case_id, case_id.partition("-")[0], title, advice, asks, judge)
        return judge

    return register


def ask(carry_out: Callable[[Probe], Awaitable[T]]) -> Ask[T]:
    """Make an ask of a function."""
    return Ask(getattr(carry_out, "__name__", "").replace("_", " "), carry_out)


def registered() -> list[Case]:
    """The cases registered so far, in the order of sections, rules and registration."""
    order = list(SECTIONS)
    return sorted(_cases.values(), key=lambda each: (order.index(each.section), int(each.rule[1:])))


async def _whole_record(probe: Probe) -> Record:
    return await probe.whole_record()


RECORD = Ask("everything", _whole_record)
"""What all other asks of the run brought; carried out after them."""
