"""A report as an entry of a changelog."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openresponses_codegen.diff.report import Change, Report
from openresponses_codegen.diff.rules import Severity
from openresponses_codegen.diff.wording import counted, groups, heading, judged

_CODE = re.compile(r"(`[^`]*`)")
_SPECIAL = re.compile(r"([\\*_{}\[\]<>#|~!])")


def markdown(report: Report) -> str:
    """The report under a heading of the second level.

    Whatever the documents say stands between backticks, which it cannot end, or is escaped.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## Open Responses {_escaped(heading(report))}"
    counts = _escaped(counted(report))
    yield from ("", f"{counts[0].upper()}{counts[1:]}.")
    last: Severity | None = None
    for group in groups(report):
        if group.severity is not last:
            yield from ("", f"### {group.severity.capitalize()}")
            last = group.severity
        words = f"**{group.title}** (`{group.rule}`)"
        if group.severity is not Severity.DOCUMENTATION:
            words = f"{words}, {judged(group)}. {_escaped(group.advice)}"
        yield from ("", words, "")
        for change in group.changes:
            yield f"- {_escaped(change.message)} {_where(change)}"


def _where(change: Change) -> str:
    names = ", ".join(f"`{each}`" for each in change.symbols)
    places = [each for each in (change.old, change.new) if each is not None]
    pointers = " → ".join(dict.fromkeys(f"`{each.pointer}`" for each in places))
    lines = " → ".join(str(each.position.line) for each in places)
    only = "" if len(places) > 1 else f" of the {'old' if change.old is not None else 'new'} document"
    where = f"{pointers}, line{'s' if len(places) > 1 else ''} {lines}{only}"
    return f"({names}; {where})" if names else f"({where})"


def _escaped(text: str) -> str:
    """Text with what Markdown would read outside of backticks escaped."""
    parts = _CODE.split(text)
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in parts)
