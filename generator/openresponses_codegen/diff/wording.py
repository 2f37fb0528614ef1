"""What the readable forms of a report share: groups of like changes, counts and places in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openresponses_codegen.diagnostics import shown
from openresponses_codegen.diff import words
from openresponses_codegen.diff.report import Change, Report
from openresponses_codegen.diff.rules import Party, Severity


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that fall under the same rules and are as bad for the same parties."""

    severity: Severity
    rule: str
    title: str
    parties: Mapping[Party, Severity]
    advice: str
    changes: tuple[Change, ...]


def groups(report: Report) -> Iterator[Group]:
    """The changes of a report in groups, the worst first."""
    found: dict[tuple[object, ...], list[Change]] = {}
    for change in report.changes:
        severities = tuple(change.severity[party] for party in report.parties)
        found.setdefault((change.rules, severities), []).append(change)
    for changes in sorted(found.values(), key=lambda changes: changes[0].severity_for(report.parties).rank):
        first = changes[0]
        parties = {party: first.severity[party] for party in report.parties}
        severity = first.severity_for(report.parties)
        yield Group(severity, first.rule, first.title, parties, first.advice, tuple(changes))


def heading(report: Report) -> str:
    """The two documents, by release where the releases differ, else by the names that the user gave them."""
    old, new = report.old, report.new
    names = (old.release, new.release) if old.release != new.release else (old.name, new.name)
    return " → ".join(map(words.clean, names))


def counted(report: Report) -> str:
    """How many changes there are of each severity."""
    found = [f"{count} {severity}" for severity, count in report.counts.items() if count]
    return ", ".join(found) if found else "no difference"


def judged(group: Group) -> str:
    """How bad it is for whom."""
    if len(set(group.parties.values())) == 1:
        return f"{group.severity} for {'all' if len(group.parties) > 1 else next(iter(group.parties))}"
    by_severity: dict[Severity, list[str]] = {}
    for party, severity in group.parties.items():
        by_severity.setdefault(severity, []).append(party.value)
    ordered = sorted(by_severity.items(), key=lambda entry: entry[0].rank)
    return "; ".join(f"{severity} for {', '.join(parties)}" for severity, parties in ordered)


def placed(change: Change) -> str:
    """Where it is, in both documents: the pointer, and file, line and column."""
    places = [each for each in (change.old, change.new) if each is not None]
    pointers = dict.fromkeys(shown(each.pointer) for each in places)
    lines = " → ".join(str(each.position) for each in places)
    if len(places) == 1:
        lines = f"{'old' if change.old is not None else 'new'} only: {lines}"
    return f"{' → '.join(pointers)}  {lines}"
