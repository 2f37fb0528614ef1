"""A report as plain data, for JSON."""

from __future__ import annotations

from typing import Any

from openresponses_codegen.diagnostics import shown
from openresponses_codegen.diff.report import Change, Origin, Place, Report


def plain(report: Report) -> dict[str, Any]:
    """The report; always the same keys, null where there is nothing to say. Severities are by party."""
    return {
        "old": _origin(report.old),
        "new": _origin(report.new),
        "parties": [party.value for party in report.parties],
        "counts": {severity.value: count for severity, count in report.counts.items()},
        "changes": [_change(each, report) for each in report.changes],
    }


def _origin(origin: Origin) -> dict[str, str]:
    return {"name": shown(origin.name), "release": shown(origin.release), "fingerprint": origin.fingerprint}


def _change(change: Change, report: Report) -> dict[str, Any]:
    return {
        "rule": change.rule,
        "rules": list(change.rules),
        "severity": change.severity_for(report.parties).value,
        "parties": {party.value: change.severity[party].value for party in report.parties},
        "subject": change.subject,
        "message": change.message,
        "advice": change.advice,
        "sides": [side.value for side in change.sides],
        "old": _place(change.old),
        "new": _place(change.new),
        "symbols": list(change.symbols),
    }


def _place(place: Place | None) -> dict[str, str | int] | None:
    if place is None:
        return None
    return {
        "pointer": place.pointer,
        "file": shown(place.position.file),
        "line": place.position.line,
        "column": place.position.column,
    }
