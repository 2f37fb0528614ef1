"""The acceptance test for servers: the demonstration passes it, and every case fails for a fault of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conform_changes import drop, on, streaming
from conform_faults import FAULTS, KEY, SEA
from conform_host import NEWEST, Host, broken, demonstration, hosting, report_on
from conform_wire import Fault, Faulty
from openresponses_codegen.conform.case import SECTIONS
from openresponses_codegen.conform.cases import CASES
from openresponses_codegen.conform.outcome import Outcome

OLDER = "2026-01-15"
DOCS = Path(__file__).parents[1] / "docs"
UNSEEN = {
    "S5-error-then-failed": "no stream of the run met an error",
    "L5-annotations": "no annotation was streamed",
    "E2-retry-after": "no request was answered with 429",
    "N1-event-types": "only events of the standard came",
    "N1-item-types": "only items of the standard came",
    "N1-slug": "only types of the standard came",
    "N2-events": "only events of the standard came",
    "N2-items": "only items of the standard came",
}
"""Cases about what a sound server need not do, and why they are skipped then."""


@pytest.fixture(scope="module")
def host() -> Generator[Host]:
    with hosting() as host:
        yield host


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_makes_its_case_fail_and_no_other(host: Host, name: str) -> None:
    report = report_on(host.serve("faulty", Faulty(demonstration(), FAULTS[name], KEY)))
    assert list(broken(report)) == [name], broken(report)


def test_every_case_has_a_fault_and_every_fault_a_case() -> None:
    assert set(FAULTS) == {each.id for each in CASES}


def test_the_demonstration_passes(host: Host) -> None:
    report = report_on(host.serve("sound", Faulty(demonstration(), Fault(), KEY)))
    assert broken(report) == {}
    assert {each.id: each.reason for each in report.of(Outcome.SKIPPED)} == UNSEEN


def test_the_demonstration_of_the_older_release_passes(host: Host, package: Callable[[str], ModuleType]) -> None:
    """What that release has not is skipped; the rest is held to its own schema, which wants `logprobs`."""
    app = demonstration(package(OLDER))
    report = report_on(host.serve("older", app), OLDER)
    assert broken(report) == {}
    assert not {each.section for each in report.of(Outcome.PASSED)} & {"W", "C"}
    bare = Faulty(app, streaming(SEA, on("response.output_text.delta", drop("logprobs"))), KEY)
    assert set(broken(report_on(host.serve("bare", bare), OLDER))) == {"Z1-event-fields"}


def test_what_a_server_does_not_offer_is_skipped_with_the_reason(
    host: Host, package: Callable[[str], ModuleType]
) -> None:
    """A server without WebSocket and compaction."""
    older = demonstration(package(OLDER))

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await older(scope, receive, send)

    report = report_on(host.serve("plain", plain), NEWEST)
    reasons = {each.id: each.reason or "" for each in report.of(Outcome.SKIPPED)}
    assert reasons["W1-turn"].startswith("the server offers no WebSocket")
    assert reasons["C1-compaction"].startswith("the server offers no compaction")
    assert set(broken(report)) == set()


def test_a_server_without_keys_is_not_asked_for_any(host: Host) -> None:
    report = report_on(host.serve("open", demonstration(api_key=None)), api_key=None)
    assert broken(report) == {}
    assert {each.rule for each in report.of(Outcome.SKIPPED)} >= {"T2"}


def test_cases_are_many_and_named_after_their_rules() -> None:
    assert len(CASES) >= 60
    assert {each.section for each in CASES} == set(SECTIONS)
    for each in CASES:
        assert re.fullmatch(rf"{each.rule}(-[a-z0-9]+)+", each.id)
        assert each.title.endswith(".")


def test_advice_is_about_rules_of_ours() -> None:
    """A rule that is ours as a whole gives no failure (T3, P5's route); the others are listed, so that they are few."""
    assert {each.id for each in CASES if each.is_advice} == {
        "T3-version-header", "T3-unknown-version", "T6-default-words", "S3-from-zero-by-one", "R2-encrypted-on-request",
        "P5-fetched", "E2-unauthorized-type", "N1-slug", "Z9-no-status",
    }  # fmt: skip


def test_every_rule_has_a_case_or_a_reason_why_it_has_none() -> None:
    rules = set(re.findall(r"^### ([TSLRPXEWCNMZ]\d+)$", (DOCS / "protocol.md").read_text(), re.MULTILINE))
    page = (DOCS / "conform.md").read_text()
    without = {
        rule for row in re.findall(r"^\| ([A-Z0-9, ]+) \| [^|]+ \|$", page, re.MULTILINE) for rule in row.split(", ")
    }
    tested = {each.rule for each in CASES}
    assert tested | without == rules
    assert not tested & without


def test_the_documentation_lists_every_case() -> None:
    page = (DOCS / "conform.md").read_text()
    listed = re.findall(r"^- `([A-Z]\d+-[a-z0-9-]+)`: (.+)$", page, re.MULTILINE)
    assert listed == [(each.id, each.title + (" *(advice)*" if each.is_advice else "")) for each in CASES]
