"""A report as one HTML file that needs no other."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from openresponses_codegen.conform.case import SECTIONS
from openresponses_codegen.conform.formats.text import summary_line
from openresponses_codegen.conform.report import Report, printable


def html_report(report: Report) -> str:
    """All cases by sections, failures first to be seen, exchanges to be unfolded; whatever came is escaped."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["printable"] = printable
    sections = [
        (f"{section}. {SECTIONS[section]}", [(each, report.shown(each)) for each in results])
        for section, results in groupby(report.results, lambda each: each.section)
    ]
    return environment.get_template("report.html.jinja").render(
        report=report, sections=sections, counts=report.counts.items(), summary=summary_line(report)
    )
