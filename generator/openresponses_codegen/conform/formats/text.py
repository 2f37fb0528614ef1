"""A report for people, as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from openresponses_codegen.conform.case import SECTIONS
from openresponses_codegen.conform.outcome import Outcome
from openresponses_codegen.conform.report import Report, Result
from openresponses_codegen.diagnostics import shown

MAX_LINES = 12
"""Lines of one exchange that are printed; the other formats have more."""


def text_report(report: Report) -> str:
    """Every case with its outcome, by sections, and a summary at the end."""
    return "".join(f"{line}\n" for line in _lines(report))


def summary_line(report: Report) -> str:
    """How many cases ended in which way."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.counts.items())
    return f"{len(report.results)} cases: {counts}"


def _lines(report: Report) -> Iterator[str]:
    named = f", model {shown(report.model)}" if report.model is not None else ""
    yield f"Open Responses {report.release} at {shown(report.url)}{named}"
    for section, results in groupby(report.results, lambda each: each.section):
        yield ""
        yield f"{section}. {SECTIONS[section]}"
        for result in results:
            yield from _result(report, result)
    yield ""
    yield f"{summary_line(report)} in {report.seconds:.1f} s"


def _result(report: Report, result: Result) -> Iterator[str]:
    yield f"  {result.outcome:<8}{result.id}: {result.title}"
    if result.reason is not None:
        yield f"          {shown(result.reason, 600)}"
    if result.outcome is Outcome.FAILED:
        for exchange in report.shown(result)[-1:]:
            yield from _exchange("sent", exchange.sent)
            yield from _exchange("came", exchange.came)


def _exchange(word: str, text: str) -> Iterator[str]:
    lines = [line for line in text.splitlines() if line]
    left_out = len(lines) - MAX_LINES
    if left_out > 0:
        half = MAX_LINES // 2
        lines = [*lines[:half], f"[… {left_out} lines …]", *lines[-half:]]
    for at, line in enumerate(lines):
        yield f"            {word if at == 0 else '':<5} {shown(line, 300)}"
