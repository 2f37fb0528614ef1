"""A report as workflow commands of GitHub Actions, which shows them beside the changed lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openresponses_codegen.diagnostics import shown
from openresponses_codegen.diff.report import Change, Report
from openresponses_codegen.diff.rules import Severity
from openresponses_codegen.diff.wording import counted, heading

_LEVELS: Mapping[Severity, str] = {
    Severity.BREAKING: "error",
    Severity.RISKY: "warning",
    Severity.SAFE: "notice",
}
"""Of each severity that is annotated; changes of documentation are only counted."""


def github(report: Report) -> str:
    """One command for each change, and one that counts them."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    for change in report.changes:
        level = _LEVELS.get(change.severity_for(report.parties))
        if level is not None:
            yield f"::{level} {_properties(change)}::{_data(f'{change.message} {change.advice}')}"
    yield f"::notice title=openresponses-codegen diff::{_data(f'{heading(report)}: {counted(report)}')}"


def _properties(change: Change) -> str:
    place = change.new or change.old
    properties = {"title": f"{change.rule}: {change.title}"}
    if place is not None:
        position = place.position
        properties = {
            "file": shown(position.file),
            "line": str(position.line),
            "col": str(position.column),
        } | properties
    return ",".join(f"{key}={_property(value)}" for key, value in properties.items())


def _data(text: str) -> str:
    """Text as the message of a command, which ends with the line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text as a property of a command, which also ends with a colon or a comma."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
