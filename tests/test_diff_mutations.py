"""Every kind of change, made by a program to the real document, is reported as what it is, in both directions.

What is expected comes from the change and from who uses the component (`diff_oracle`), not from the table of rules.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

import payloads
import pytest
from diff_oracle import EXPECTED, PARTIES, has_one_meaning
from hypothesis import given
from hypothesis import strategies as st
from mutations import Mutation, mutations, of_paths
from openresponses_codegen import openapi, source
from openresponses_codegen.diagnostics import DiagnosticError, Diagnostics
from openresponses_codegen.diff import Edition, Party, Report, Severity, compare
from payloads import NEWEST, RELEASES, bounded
from schemas import Document, Schema, document, every_schema, rewritten
from spellings import SPELLINGS, annotated, mixed

PLACES = 3
"""How many places of each kind are changed."""


def edition(content: Document) -> Edition:
    """Raises `DiagnosticError` for a document that is refused."""
    diagnostics = Diagnostics()
    found = openapi.read(source.parse(json.dumps(content).encode(), "spec.json"), diagnostics)
    made = Edition("spec.json", found, diagnostics)
    diagnostics.raise_if_errors()
    return made


@cache
def original(release: str) -> Edition:
    return edition(document(release))


@cache
def schemas(release: str) -> Mapping[str, Schema]:
    return {pointer: schema for pointer, _, schema in every_schema(document(release))}


@cache
def all_mutations(release: str) -> tuple[Mutation, ...]:
    return tuple(mutations(document(release)))


def compared(content: Document, release: str = NEWEST) -> tuple[Report, Report] | None:
    """The reports to the document and back from it; None when it is refused."""
    try:
        changed = edition(content)
    except DiagnosticError:
        return None
    return compare(original(release), changed), compare(changed, original(release))


def rules_of(report: Report) -> set[str]:
    """The rules of all changes but those of documentation, and of names that follow from the others."""
    found = (each for each in report.changes if each.overall is not Severity.DOCUMENTATION)
    return {rule for each in found for rule in each.rules if not rule.startswith("class-")}


def sided(kinds: set[str], component: str, release: str = NEWEST) -> set[str]:
    """The rules of a change in a component, by who uses it."""
    sides = payloads.document(release).reached[component]
    return {f"{side}-{kind}" for side in sides for kind in kinds} or {"unused-component-changed"}


def check_severities(report: Report) -> None:
    """Each change is as bad as the worst of what it is on either side."""
    for change in report.changes:
        known = [PARTIES[rule] for rule in change.rules if rule in PARTIES]
        if len(known) == len(change.rules):
            wanted = {party: min((each[index] for each in known), key=order) for index, party in enumerate(Party)}
            assert {party: severity.value for party, severity in change.severity.items()} == wanted, change.rules


def order(severity: str) -> int:
    return list(Severity).index(Severity(severity))


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_kind_of_change_is_reported_as_what_it_is(kind: str) -> None:
    """At several places, with the rules of the sides that use the component and their severities, both ways."""
    found = schemas(NEWEST)
    possible = [
        each for each in all_mutations(NEWEST) if each.kind == kind and has_one_meaning(each, found[each.pointer])
    ]
    tried = 0
    for mutation in Random(kind).sample(possible, len(possible)):
        reports = compared(mutation.applied(NEWEST))
        if reports is None:
            continue
        component = mutation.pointer.split("/")[3]
        for report, kinds in zip(reports, EXPECTED[kind](mutation, found[mutation.pointer]), strict=True):
            assert rules_of(report) == sided(kinds, component), str(mutation)
            check_severities(report)
            assert all(each.subject.startswith(component) for each in report.changes if "class" not in each.rule)
        tried += 1
        if tried == PLACES:
            break
    assert tried


@bounded(25)
@given(st.data())
def test_nothing_is_lost_and_nothing_is_made_up(data: st.DataObject) -> None:
    """A change that is more than documentation is reported exactly when the fingerprints differ."""
    release = data.draw(st.sampled_from(RELEASES))
    first, second = (data.draw(st.sampled_from(all_mutations(release))) for _ in range(2))
    content = first.applied(release)
    reports = compared(content, release)
    if reports is None:
        return
    for report in reports:
        is_changed = report.old.fingerprint != report.new.fingerprint
        assert is_changed == bool(report.at_least(Severity.SAFE)), f"{first}"
    other = second.applied(release)
    try:
        report = compare(edition(content), edition(other))
    except DiagnosticError:
        return
    is_changed = report.old.fingerprint != report.new.fingerprint
    assert is_changed == bool(report.at_least(Severity.SAFE)), f"from {first} to {second}"


AROUND: Mapping[str, tuple[set[str], set[str]]] = {
    "other path": ({"operation-moved", "websocket-moved"}, {"operation-moved", "websocket-moved"}),
    "other operation id": ({"operation-renamed"}, {"operation-renamed"}),
    "no body": ({"request-body-removed"}, {"request-body-added"}),
    "no event stream": ({"stream-removed"}, {"stream-added"}),
    "no answer but events": ({"response-body-removed"}, {"response-body-added"}),
    "one event less": ({"event-removed"}, {"event-added"}),
    "new component": ({"component-added"}, {"component-removed"}),
    "no WebSocket": ({"websocket-removed"}, {"websocket-added"}),
}


@pytest.mark.parametrize("kind", AROUND)
def test_changes_around_the_schemas_are_reported(kind: str) -> None:
    reports = compared(dict(of_paths(document(NEWEST)))[kind])
    assert reports is not None
    assert tuple(map(rules_of, reports)) == AROUND[kind]
    for report in reports:
        check_severities(report)


def test_another_body_or_message_is_another_component() -> None:
    for kind, content in of_paths(document(NEWEST)):
        reports = compared(content) if kind not in AROUND else None
        for report in reports or ():
            names = {"request-reference-changed", "response-reference-changed", "event-removed", "event-added"}
            assert rules_of(report) & names, kind


def change(edit: Callable[[Document], object]) -> tuple[Report, Report]:
    content = document(NEWEST)
    edit(content)
    reports = compared(content)
    assert reports is not None
    return reports


def test_an_operation_that_goes_takes_nothing_else_with_it() -> None:
    gone, back = change(lambda content: content["paths"].pop("/responses/compact"))
    assert rules_of(gone) == {"operation-removed"}
    assert rules_of(back) == {"operation-added"}


def renamed(name: str, other: str) -> Document:
    text = json.dumps(document(NEWEST))
    return json.loads(text.replace(f'schemas/{name}"', f'schemas/{other}"').replace(f'"{name}": {{', f'"{other}": {{'))


@pytest.mark.parametrize("name", ["Message", "OutputTextContent", "ItemField", "MessageStatus", "ResponseResource"])
def test_a_component_with_another_name_is_one_change(name: str) -> None:
    """Those that refer to it do not change; neither do two that were renamed together."""
    reports = compared(renamed(name, "BrandNew"))
    assert reports is not None
    for report in reports:
        assert rules_of(report) == {"component-renamed"}
        assert len([each for each in report.changes if each.rule == "component-renamed"]) == 1
        check_severities(report)
    text = json.dumps(renamed(name, "BrandNew"))
    content = json.loads(text.replace('schemas/UrlCitationBody"', 'schemas/NewCitation"').replace(
        '"UrlCitationBody": {', '"NewCitation": {'
    ))  # fmt: skip
    reports = compared(content)
    assert reports is not None
    assert [each.rule for each in reports[0].changes if each.rule == "component-renamed"] == ["component-renamed"] * 2


def test_an_inline_schema_that_becomes_a_component_is_the_same_on_the_wire() -> None:
    def extract(content: Document) -> None:
        components = content["components"]["schemas"]
        properties = components["WebSocketErrorEvent"]["properties"]
        components["BrandNew"] = properties["error"]
        properties["error"] = {"$ref": "#/components/schemas/BrandNew"}

    extracted, inlined = change(extract)
    assert rules_of(extracted) == {"component-added", "response-reference-changed"}
    assert rules_of(inlined) == {"component-removed", "response-reference-changed"}
    for report in (extracted, inlined):
        check_severities(report)
        assert {each.severity[Party.RAW] for each in report.changes} <= {Severity.SAFE, Severity.DOCUMENTATION}


def test_a_component_of_both_sides_is_reported_once_with_both() -> None:
    """The worse of the two rules names the change, and each party gets the worse of the two severities."""
    both = sorted(name for name, sides in payloads.document(NEWEST).reached.items() if len(sides) == 2)
    name = next(each for each in both if len(document(NEWEST)["components"]["schemas"][each].get("enum", ())) > 1)
    report, _ = change(lambda content: content["components"]["schemas"][name]["enum"].append("brand_new"))
    (found,) = (each for each in report.changes if "class" not in each.rule)
    assert set(found.rules) == {"request-enum-value-added", "response-enum-value-added"}
    assert found.rule == "response-enum-value-added"
    assert [side.value for side in found.sides] == ["request", "response"]
    assert found.overall is Severity.RISKY
    assert found.new is not None
    assert found.new.pointer.endswith("/enum/" + str(len(document(NEWEST)["components"]["schemas"][name]["enum"])))


WORDS: Mapping[str, tuple[str, Any]] = {
    "description-changed": ("description", "Said differently."),
    "example-changed": ("example", {"id": "another"}),
    "format-changed": ("format", "uri"),
    "deprecation-changed": ("deprecated", True),
}


@pytest.mark.parametrize("rule", WORDS)
def test_words_are_documentation(rule: str) -> None:
    key, value = WORDS[rule]
    for pointer in ("Message", "Message/properties/id", "ItemField"):
        name, _, field = pointer.partition("/properties/")

        def edit(content: Document, name: str = name, field: str = field) -> None:
            schema = content["components"]["schemas"][name]
            (schema["properties"][field] if field else schema)[key] = value

        for report in change(edit):
            assert [(each.rule, each.overall) for each in report.changes] == [(rule, Severity.DOCUMENTATION)]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", SPELLINGS)
def test_a_respelled_document_is_no_difference(release: str, name: str) -> None:
    content = document(release)
    for step in SPELLINGS[name]:
        content = rewritten(content, step)
    reports = compared(content, release)
    assert reports is not None
    assert [report.changes for report in reports] == [(), ()]


@bounded(6)
@given(st.data())
def test_mixed_spellings_are_no_difference(data: st.DataObject) -> None:
    release = data.draw(st.sampled_from(RELEASES))
    random = Random(data.draw(st.integers(0, 2**32)))
    reports = compared(mixed(document(release), random), release)
    assert reports is not None
    assert [report.changes for report in reports] == [(), ()]


@pytest.mark.parametrize("release", RELEASES)
def test_an_unchanged_document_is_no_difference(release: str) -> None:
    reports = compared(copy.deepcopy(document(release)), release)
    assert reports is not None
    assert [report.changes for report in reports] == [(), ()]


def test_annotations_are_documentation_at_most() -> None:
    reports = compared(annotated(document(NEWEST)))
    assert reports is not None
    assert {each.overall for report in reports for each in report.changes} == {Severity.DOCUMENTATION}


def test_another_name_of_a_constant_is_a_value_more() -> None:
    """Aliases of a vendor's type (rule Z18) are values that are read."""

    def with_types(*types: str) -> Document:
        content = document(NEWEST)
        components = content["components"]["schemas"]
        components["AcmeSearch"] = {
            "type": "object",
            "x-openresponses-extension": "acme",
            "required": ["type"],
            "properties": {"type": {"type": "string", "enum": list(types), "default": types[0]}},
        }
        components["ItemField"]["oneOf"].append({"$ref": "#/components/schemas/AcmeSearch"})
        return content

    one, two = edition(with_types("acme:search", "search_one")), edition(with_types("acme:search", "search_two"))
    assert rules_of(compare(one, two)) == {"response-enum-value-added", "response-enum-value-removed"}
    assert compare(one, two).old.fingerprint != compare(one, two).new.fingerprint
