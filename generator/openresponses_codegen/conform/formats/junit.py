"""A report as JUnit XML, as CI systems read it."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as ET

from openresponses_codegen.conform.case import SECTIONS
from openresponses_codegen.conform.outcome import Outcome
from openresponses_codegen.conform.report import Report, Result, printable


def junit_report(report: Report) -> str:
    """A test suite for each section. Advice counts as skipped there: it is no failure, and should be seen."""
    root = ET.Element("testsuites", name="Open Responses", time=f"{report.seconds:.3f}")
    _count(root, list(report.results))
    for section, grouped in groupby(report.results, lambda each: each.section):
        results = list(grouped)
        suite = ET.SubElement(root, "testsuite", name=f"{section}. {SECTIONS[section]}")
        _count(suite, results)
        for result in results:
            _add(suite, report, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _count(element: ET.Element, results: list[Result]) -> None:
    outcomes = [each.outcome for each in results]
    element.set("tests", str(len(results)))
    element.set("failures", str(outcomes.count(Outcome.FAILED)))
    element.set("errors", "0")
    element.set("skipped", str(outcomes.count(Outcome.SKIPPED) + outcomes.count(Outcome.ADVICE)))


def _add(suite: ET.Element, report: Report, result: Result) -> None:
    found = ET.SubElement(suite, "testcase", classname=result.rule, name=f"{result.id}: {result.title}")
    reason = printable(result.reason or "")
    if result.outcome is Outcome.FAILED:
        told = [f"sent:\n{each.sent}\n\ncame:\n{each.came}" for each in report.shown(result)[-1:]]
        ET.SubElement(found, "failure", message=reason).text = printable("\n\n".join([reason, *told]))
    elif result.outcome is not Outcome.PASSED:
        advice = "advice: " if result.outcome is Outcome.ADVICE else ""
        ET.SubElement(found, "skipped", message=f"{advice}{reason}")
