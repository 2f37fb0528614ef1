"""The fingerprint: one for every wording and spelling of the same content, another for any other content."""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from mutations import Mutation, mutations, of_paths
from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import main
from openresponses_codegen.diagnostics import DiagnosticError
from payloads import NEWEST, RELEASES, bounded
from schemas import Document, Schema, document, fingerprint, recorded, rewritten, spec

OFFICIAL = {
    "2026-01-15": "sha256:b415e13575cd245e776343ea8f5514fa2e94d7e1ec8af61d9c9cae7e156cec26",
    "2026-04-24": "sha256:dbb2795b217ab462273119f1d3c876f9bdff4a4eed19dc0c40aaa972e5b7cbaf",
}
"""Of the documents as the Open Responses project publishes them: anyone can compare a download with these."""
WORDS = {"title", "description", "summary", "example", "examples", "x-enumDescriptions", "deprecated", "externalDocs"}
FORM = "application/x-www-form-urlencoded"


@cache
def all_mutations(release: str) -> list[Mutation]:
    return list(mutations(document(release)))


def print_of(content: Document) -> str | None:
    """The fingerprint; None when the document is refused, which is another way to notice."""
    try:
        return fingerprint(content)
    except DiagnosticError:
        return None


def test_every_release_has_a_recorded_digest():
    assert OFFICIAL.keys() == resources.releases().keys()


@pytest.mark.parametrize("release", RELEASES)
def test_bundled_releases_say_what_the_official_ones_say(release):
    assert recorded(release) == OFFICIAL[release]


@pytest.mark.parametrize("release", RELEASES)
def test_the_command_prints_it(release, tmp_path):
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(document(release)))
    for given_as in (release, str(copy)):
        result = CliRunner().invoke(main, ["fingerprint", given_as])
        assert (result.exit_code, result.output) == (0, f"{OFFICIAL[release]}\n")
    result = CliRunner().invoke(main, ["fingerprint", str(copy), "--json"])
    assert json.loads(result.output) == {"spec": str(copy), "fingerprint": OFFICIAL[release]}


def test_the_command_prints_all_of_them():
    result = CliRunner().invoke(main, ["releases"])
    assert re.findall(r"^(\S+)  (sha256:[0-9a-f]{64})  ", result.output, re.MULTILINE) == list(OFFICIAL.items())


@pytest.mark.parametrize("release", RELEASES)
def test_words_do_not_count(release):
    def wordless(schema: Schema, _: str) -> Schema:
        return {key: value for key, value in schema.items() if key not in WORDS}

    def reworded(schema: Schema, _: str) -> Schema:
        words = {"title": "Another", "description": "Said differently.", "examples": [1, None], "deprecated": True}
        return {**schema, **words, "x-vendor": {"type": "object"}, "$comment": "none", "externalDocs": {"url": "x:"}}

    bare = rewritten(document(release), wordless)
    assert len(json.dumps(bare)) < len(json.dumps(document(release)))
    assert fingerprint(bare) == OFFICIAL[release]
    assert fingerprint(rewritten(document(release), reworded)) == OFFICIAL[release]


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_around_the_schemas_and_allows_nothing_does_not_count(release):
    content = document(release)
    content["info"] = {"title": "Another title", "version": "2031-12-31", "contact": {}}
    content |= {"servers": [], "tags": [{"name": "none"}], "security": []}
    content["components"].pop("securitySchemes", None)
    for item in content["paths"].values():
        item["post"] |= {"summary": "Another", "description": "Said differently.", "tags": ["none"]}
        item["post"]["requestBody"]["content"].pop(FORM, None)
        item["post"]["responses"]["200"]["description"] = "Said differently."
    assert fingerprint(content) == OFFICIAL[release]


@pytest.mark.parametrize("kind", sorted({mutation.kind for mutation in all_mutations(NEWEST)}))
def test_every_kind_of_change_counts(kind):
    possible = [mutation for mutation in all_mutations(NEWEST) if mutation.kind == kind]
    some = Random(kind).sample(possible, min(3, len(possible)))
    assert [str(each) for each in some if print_of(each.applied(NEWEST)) == recorded(NEWEST)] == []


@bounded(30)
@given(st.data())
def test_every_change_of_structure_counts(data):
    release = data.draw(st.sampled_from(RELEASES))
    mutation = data.draw(st.sampled_from(all_mutations(release)))
    assert print_of(mutation.applied(release)) != recorded(release), str(mutation)


@pytest.mark.parametrize("release", RELEASES)
def test_changes_around_the_schemas_count(release):
    unnoticed = [kind for kind, content in of_paths(document(release)) if print_of(content) == recorded(release)]
    assert unnoticed == []


def test_the_manifest_records_it():
    package = pipeline.generate(spec(document(RELEASES[0])), pipeline.Options(package="kit"))
    assert json.loads(package.files["generation.json"])["spec"]["fingerprint"] == OFFICIAL[RELEASES[0]]
