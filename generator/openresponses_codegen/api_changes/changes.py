"""The words of a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Impact(StrEnum):
    """What a change means to code that uses a package; worst first."""

    BREAKING = "breaking"
    """Code that was right may fail, or be refused by a type checker."""
    CHANGED = "changed"
    """Code goes on working, and may meet values that it did not meet before."""
    ADDED = "added"
    """There is more to use."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what it means, its kind in kebab-case, the name that users import or call, and a sentence."""

    impact: Impact
    kind: str
    symbol: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"impact": self.impact.value, "kind": self.kind, "symbol": self.symbol, "text": self.text}


@dataclass(frozen=True, slots=True)
class Report:
    """All changes, breaking ones first, then by name."""

    changes: tuple[Change, ...]

    def of(self, impact: Impact) -> tuple[Change, ...]:
        """The changes of one impact."""
        return tuple(each for each in self.changes if each.impact is impact)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"counts": self.counts(), "changes": [each.as_dict() for each in self.changes]}

    def counts(self) -> dict[str, int]:
        """How many there are of each impact."""
        counted = Counter(each.impact for each in self.changes)
        return {impact.value: counted[impact] for impact in Impact}
