"""A report for people."""

from __future__ import annotations

from collections.abc import Iterator

from openresponses_codegen.api_changes.changes import Impact, Report
from openresponses_codegen.diagnostics import shown

_TITLES = {Impact.BREAKING: "Breaking", Impact.CHANGED: "Changed", Impact.ADDED: "Added"}


def summary(report: Report) -> str:
    """One line: how many changes of each kind there are."""
    said = ", ".join(f"{count} {impact}" for impact, count in report.counts().items() if count)
    return said or "none that users of the package can see"


def markdown(title: str, report: Report) -> str:
    """A section of a changelog: a heading, and a list for each impact, breaking changes first."""
    return "\n".join(_lines(title, report)) + "\n"


def _lines(title: str, report: Report) -> Iterator[str]:
    yield f"## {shown(title)}"
    yield ""
    yield f"Changes of the Python API: {summary(report)}."
    for impact in Impact:
        changes = report.of(impact)
        if changes:
            yield from ("", f"### {_TITLES[impact]}", "")
            yield from (f"- `{each.symbol}`: {shown(each.text, limit=2000)}" for each in changes)
