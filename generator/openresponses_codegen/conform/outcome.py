"""What can come of a case."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NoReturn, TypeVar

T = TypeVar("T")


class Outcome(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ADVICE = "advice"
    """It would have failed, but its rule is one of ours and no part of the standard."""
    SKIPPED = "skipped"


class FailureError(Exception):
    """The server breaks the rule of the case; the message says how, `ask` where, if that has to be said."""

    def __init__(self, why: str, ask: str | None = None) -> None:
        super().__init__(why)
        self.ask = ask


class SkipError(Exception):
    """The case cannot be judged; the message says why."""


def fail(why: str, ask: str | None = None) -> NoReturn:
    """End a case: the rule is broken, in what came of this ask."""
    raise FailureError(why, ask)


def skip(reason: str) -> NoReturn:
    """End a case, or an ask with all its cases: there is nothing to judge."""
    raise SkipError(reason)


def require(holds: object, why: str, ask: str | None = None) -> None:
    """Fail unless something is true."""
    if not holds:
        raise FailureError(why, ask)


def some(found: Iterable[T], reason: str) -> list[T]:
    """What was found, in a list; where nothing was found, the case is skipped for this reason."""
    listed = list(found)
    if not listed:
        raise SkipError(reason)
    return listed
