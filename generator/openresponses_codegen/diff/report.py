"""What `diff` reports: changes, each with its rule, its severities and its places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from openresponses_codegen.diagnostics import Position
from openresponses_codegen.diff.rules import Party, Severity, worst
from openresponses_codegen.ir import Side


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a document."""

    pointer: str
    """RFC 6901, as URI fragment."""
    position: Position


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents. Its texts quote the documents, which nobody has vetted."""

    rule: str
    """The id of the rule with the worst severity among `rules`."""
    title: str
    """What that rule is called."""
    rules: tuple[str, ...]
    """The rules that the change falls under: one for each side that it concerns."""
    subject: str
    """The component and the way into it, or the operation."""
    message: str
    advice: str
    severity: Mapping[Party, Severity]
    sides: tuple[Side, ...]
    """Who writes what changed; none for what is in no request and no response."""
    old: Place | None
    """None for what is not there in the old document."""
    new: Place | None
    symbols: tuple[str, ...]
    """The names in the generated package that the change touches."""

    @property
    def overall(self) -> Severity:
        """The worst severity for any party."""
        return worst(self.severity.values())

    def severity_for(self, parties: tuple[Party, ...]) -> Severity:
        """The worst severity for some parties."""
        return worst(self.severity[party] for party in parties)


@dataclass(frozen=True, slots=True)
class Origin:
    """One of the two documents."""

    name: str
    """The name that the user gave it."""
    release: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Report:
    """The differences between two documents, the worst first, then in the order of the documents."""

    old: Origin
    new: Origin
    changes: tuple[Change, ...]
    parties: tuple[Party, ...] = tuple(Party)
    """Those for whom the changes are judged."""

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many changes there are of each severity, for the parties of the report."""
        found = Counter(each.severity_for(self.parties) for each in self.changes)
        return {severity: found[severity] for severity in Severity}

    def at_least(self, severity: Severity) -> tuple[Change, ...]:
        """The changes that are as bad as that, or worse, for the parties of the report."""
        return tuple(each for each in self.changes if each.severity_for(self.parties).rank <= severity.rank)
