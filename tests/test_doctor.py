"""Defects of documents: each is found where it is, alone, with a way out; what is healthy gives nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from defects import PLANTED, Document, healthy
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openresponses_codegen import pipeline, resources, source
from openresponses_codegen.diagnostics import Diagnostic, Severity
from openresponses_codegen.doctor import examine
from openresponses_codegen.doctor.document import CHECKS
from openresponses_codegen.doctor.schemas import Schemas
from openresponses_codegen.doctor.values import Values
from payloads import ANY_JSON, bounded, components
from schemas import document, every_schema, spec

RELEASES = tuple(resources.releases())
GOLDEN = Path(__file__).parent / "doctor"
CASES = Path(__file__).parent / "cases"


def found(content: Document) -> tuple[Diagnostic, ...]:
    return examine(pipeline.lower_spec(spec(content)).document)


def test_a_healthy_document_gives_nothing() -> None:
    assert found(healthy()) == ()


@pytest.mark.parametrize(("code", "pointer", "plant"), PLANTED)
def test_a_planted_defect_is_found_alone_at_its_place(
    code: str, pointer: str, plant: Callable[[Document], None]
) -> None:
    content = healthy()
    plant(content)
    defects = found(content)
    assert [each.code for each in defects] == [code], "\n".join(map(str, defects))
    (defect,) = defects
    assert defect.pointer == f"#/{pointer}"
    assert defect.position is not None
    assert defect.position.file == "spec.json"
    assert defect.hint


def test_every_code_is_planted() -> None:
    """What the checks say that they report is what is planted: a new check needs a new row."""
    codes = {
        code for check in CHECKS for code in re.findall("`([a-z-]+)`", (check.__doc__ or "").partition("Codes:")[2])
    }
    assert codes == {code for code, _, _ in PLANTED}


@pytest.mark.parametrize("release", RELEASES)
def test_the_official_releases_have_the_defects_that_they_have(release: str, request: pytest.FixtureRequest) -> None:
    """A golden report: true defects stay in sight, and a check that begins to cry wolf is noticed."""
    lowered = pipeline.lower_spec(pipeline.load_spec(release))
    report = "".join(f"{each}\n" for each in examine(lowered.document))
    path = GOLDEN / f"{release}.txt"
    if request.config.getoption("--update"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(report, encoding="utf-8")
    assert report == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if not path.name.startswith("refused")))
def test_every_shape_of_document_can_be_examined(case: str) -> None:
    """The cases hold every shape that the generator takes; each ends with a report."""
    for path in (CASES / case).glob("spec.*"):
        examine(pipeline.lower_spec(pipeline.load_spec(str(path))).document)


def test_severities_say_what_a_defect_does() -> None:
    severities = {}
    for _, _, plant in PLANTED:
        content = healthy()
        plant(content)
        severities |= {each.code: each.severity for each in found(content)}
    errors = {code for code, severity in severities.items() if severity is Severity.ERROR}
    assert errors == {"empty-range", "required-and-forbidden", "no-finite-value", "unknown-security-scheme"}
    assert {code for code, severity in severities.items() if severity is Severity.NOTE} == {"optional-constant"}


def as_json_schema(release: str) -> Document:
    """A release for `jsonschema`: what must be absent refuses everything, and `oneOf` is read as `anyOf`."""
    content = document(release)
    for _, _, schema in every_schema(content):
        if schema.pop("x-openresponses-disallowed", False):
            schema["not"] = {}
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
    return content


CHECKED = {release: as_json_schema(release) for release in RELEASES}
VALUES = {release: Values(Schemas(pipeline.lower_spec(pipeline.load_spec(release)).document)) for release in RELEASES}
READ = {release: pipeline.lower_spec(pipeline.load_spec(release)).document.schemas for release in RELEASES}


@pytest.mark.parametrize("release", RELEASES)
@given(data=st.data())
@bounded(300)
def test_examples_are_judged_as_jsonschema_judges_them(release: str, data: st.DataObject) -> None:
    """Payloads that fit, and payloads with something else at one of their places."""
    component = data.draw(st.sampled_from(components(release)))
    payload = data.draw(component.payloads | ANY_JSON)
    if data.draw(st.booleans()):
        payload = spoiled(payload, data)
    schema = {**CHECKED[release], "$ref": f"#/components/schemas/{component.name}"}
    expected = Draft202012Validator(schema).is_valid(payload)
    node = source.parse(json.dumps(payload).encode(), "value.json")
    assert VALUES[release].fits(READ[release][component.name], node) == expected


def spoiled(payload: Any, data: st.DataObject) -> Any:
    """The payload with another value at one place."""
    if isinstance(payload, dict) and payload and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(payload)))
        if data.draw(st.booleans()):
            return {name: value for name, value in payload.items() if name != key}
        return {**payload, key: spoiled(payload[key], data)}
    if isinstance(payload, list) and payload and data.draw(st.integers(0, 3)):
        index = data.draw(st.integers(0, len(payload) - 1))
        return [*payload[:index], spoiled(payload[index], data), *payload[index + 1 :]]
    return data.draw(ANY_JSON)
