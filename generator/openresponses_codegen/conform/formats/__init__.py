"""A report in every form in which it can be had."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from openresponses_codegen.conform.formats.html import html_report
from openresponses_codegen.conform.formats.junit import junit_report
from openresponses_codegen.conform.formats.text import summary_line, text_report
from openresponses_codegen.conform.report import Report


def _json_report(report: Report) -> str:
    return json.dumps(report.as_dict(), indent=2, ensure_ascii=True) + "\n"


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text_report,
    "json": _json_report,
    "junit": junit_report,
    "html": html_report,
}
"""What prints a report, by the name of the format."""

__all__ = ["FORMATS", "summary_line"]
