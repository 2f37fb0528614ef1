"""A report for people at a terminal: counts first, then groups of like changes, the worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from openresponses_codegen.diff.report import Report
from openresponses_codegen.diff.rules import Severity
from openresponses_codegen.diff.wording import Group, counted, groups, heading, judged, placed

Paint = Callable[[str, str], str]
"""Takes a text and a style (a severity, `title` or `dim`); gives the text, coloured where colours are wanted."""
_NARROWEST, _WIDEST = 40, 120


def text(report: Report, width: int, paint: Paint = lambda each, _: each) -> str:
    """The report as lines of at most `width` columns, but for places, which are kept whole to be clicked on."""
    width = max(_NARROWEST, min(width, _WIDEST))
    return "\n".join(_lines(report, width, paint)) + "\n"


def _lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    yield paint(heading(report), "title")
    yield from _filled(counted(report), width, "")
    last: Severity | None = None
    for group in groups(report):
        if group.severity is not last:
            yield from ("", paint(group.severity.upper(), group.severity))
            last = group.severity
        yield from _group(group, width, paint)


def _group(group: Group, width: int, paint: Paint) -> Iterator[str]:
    yield ""
    yield from _filled(f"{group.title} [{group.rule}]", width, "  ", lambda line: paint(line, "title"))
    if group.severity is not Severity.DOCUMENTATION:
        yield from _filled(f"{judged(group).capitalize()}. {group.advice}", width, "  ")
    for change in group.changes:
        yield from _filled(f"- {change.message}", width, "    ")
        if change.symbols:
            yield from _filled(f"Python: {', '.join(change.symbols)}", width, "      ", lambda line: paint(line, "dim"))
        for part in placed(change).split("  "):
            yield paint(f"      {part}", "dim")


def _filled(line: str, width: int, margin: str, paint: Callable[[str], str] = str) -> Iterator[str]:
    hanging = f"{margin}  " if line.startswith("- ") else margin
    for part in textwrap.wrap(
        line,
        width,
        initial_indent=margin,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield paint(part)
