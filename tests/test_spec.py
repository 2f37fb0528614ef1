"""The bundled specs: prose for everything, examples that are valid, and the same words for the same shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openresponses_codegen import resources
from payloads import NEWEST, RELEASES
from schemas import COMPONENT, LISTS, Document, Schema, document, every_schema

OLDEST = RELEASES[0]
COMPONENTS = {"2026-01-15": 102, "2026-04-24": 108}
EVENTS = 24
RULES = Path(__file__).parents[1] / "docs" / "protocol.md"
WORDS = ("title", "description", "summary", "example", "x-enumDescriptions")
WITH_EXAMPLES = {
    "2026-01-15": {"CreateResponseBody", "ResponseResource"},
    "2026-04-24": {
        "CreateResponseBody",
        "ResponseResource",
        "CompactResponseMethodPublicBody",
        "CompactResource",
        "WebSocketResponseCreateEvent",
        "WebSocketErrorEvent",
    },
}


@cache
def schemas(release: str) -> Mapping[str, tuple[str, Schema]]:
    """Every schema by its pointer, with the keyword that holds it."""
    return {pointer: (where, schema) for pointer, where, schema in every_schema(document(release))}


def words(schema: Schema, key: str) -> str | None:
    """What a schema says, there or in a note of its `allOf`."""
    said = [schema[key]] if key in schema else []
    said += [part[key] for part in schema.get("allOf", ()) if key in part and "$ref" not in part]
    assert len(said) <= 1, f"two texts compete in {schema}"
    return said[0] if said else None


def names_something(where: str, schema: Schema) -> bool:
    """Whether it is a component, a property, or something inline that gets a name."""
    inline = where in ("items", "additionalProperties") and any(key in schema for key in ("enum", "properties"))
    return where in (COMPONENT, "properties") or inline


def enum_values(schema: Schema) -> list[str]:
    return [value for value in schema.get("enum", ()) if value is not None]


def events(release: str) -> list[str]:
    stream = document(release)["paths"]["/responses"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    return [member["$ref"].rsplit("/", 1)[1] for member in stream["schema"]["oneOf"]]


def validator(release: str, pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": pointer, "components": document(release)["components"]})


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every title and description of a document, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("title", "description", "summary") and isinstance(inner, str):
                yield f"{path}/{key}", inner
            elif key == "x-enumDescriptions":
                yield from ((f"{path}/{key}/{name}", text) for name, text in inner.items())
            elif key != "example":
                yield from texts(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}/{index}")


def wordless(value: Any, holder: str = "") -> Any:
    """A shape without what is said about it."""
    if isinstance(value, dict):
        return {
            key: wordless(inner, key)
            for key, inner in value.items()
            if holder == "properties" or (key not in WORDS and key != "x-openresponses-added-in")
        }
    return [wordless(inner) for inner in value] if isinstance(value, list) else value


def shape(release: str, pointer: str) -> object:
    """What a schema allows at its place: a property is required there, or not."""
    where, schema = schemas(release)[pointer]
    owner, _, name = pointer.rpartition("/properties/")
    is_required = where == "properties" and name in schemas(release)[owner][1].get("required", ())
    return wordless(schema), is_required


def test_bundled_releases_are_those_that_are_known():
    assert tuple(resources.releases()) == RELEASES == tuple(COMPONENTS)


@pytest.mark.parametrize("release", RELEASES)
def test_it_is_as_large_as_the_release(release):
    content = document(release)
    assert content["info"]["version"] == release
    assert len(content["components"]["schemas"]) == COMPONENTS[release]
    assert len(events(release)) == EVENTS


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("key", ["title", "description"])
def test_every_schema_and_property_is_described(key, release):
    silent = [
        pointer
        for pointer, (where, schema) in schemas(release).items()
        if names_something(where, schema) and not (words(schema, key) or "").strip()
    ]
    assert silent == []


@pytest.mark.parametrize("release", RELEASES)
def test_every_value_of_an_enum_is_described(release):
    wrong = {
        pointer: (values, described)
        for pointer, (_, schema) in schemas(release).items()
        for values, described in [(enum_values(schema), schema.get("x-enumDescriptions", {}))]
        if (len(values) > 1 or described) and (list(described) != values or not all(described.values()))
    }
    assert wrong == {}


@pytest.mark.parametrize("release", RELEASES)
def test_everything_around_the_schemas_is_described(release):
    content = document(release)
    silent: list[str] = []

    def check(place: str, holder: Mapping[str, Any], *keys: str) -> None:
        silent.extend(f"{place}: {key}" for key in keys if not holder.get(key, "").strip())

    check("info", content["info"], "title", "description")
    for path, item in content["paths"].items():
        post = item["post"]
        check(path, post, "summary", "description")
        check(f"{path} body", post["requestBody"], "description")
        check(f"{path} answer", post["responses"]["200"], "description")
        if "x-openresponses-websocket" in item:
            check(f"{path} WebSocket", item["x-openresponses-websocket"], "description")
    stream = content["paths"]["/responses"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    check("stream", stream["schema"], "title", "description")
    for name, scheme in content["components"].get("securitySchemes", {}).items():
        check(name, scheme, "description")
    assert silent == []


@pytest.mark.parametrize("release", RELEASES)
def test_prose_is_clean(release):
    """Titles are short phrases, descriptions are sentences; nothing is left to be done."""
    found = list(texts(document(release)))
    assert [place for place, text in found if text != text.strip() or re.search(r"  |\n|\t|TODO|FIXME|XXX", text)] == []
    titles = [(place, text) for place, text in found if place.endswith(("/title", "/summary"))]
    assert [place for place, text in titles if len(text) > 60 or text.endswith(".") or not text[:1].isupper()] == []
    sentences = [(place, text) for place, text in found if not place.endswith(("/title", "/summary"))]
    assert [place for place, text in sentences if len(text) > 600 or not text.endswith(".")] == []


@pytest.mark.parametrize("release", RELEASES)
def test_prose_cites_rules_that_exist(release):
    known = set(re.findall(r"\b[A-Z]\d{1,2}\b", RULES.read_text(encoding="utf-8")))
    cited = {
        (place, rule)
        for place, text in texts(document(release))
        for rule in re.findall(r"\b[A-Z]\d{1,2}\b", text)
        if rule not in known
    }
    assert cited == set()


@pytest.mark.parametrize("release", RELEASES)
def test_bodies_and_events_have_examples(release):
    wanted = WITH_EXAMPLES[release] | set(events(release))
    components = document(release)["components"]["schemas"]
    assert [name for name in sorted(wanted) if "example" not in components[name]] == []


@pytest.mark.parametrize("release", RELEASES)
def test_examples_are_valid(release):
    wrong = {
        pointer: [error.message for error in errors]
        for pointer, (_, schema) in schemas(release).items()
        if "example" in schema
        for errors in [list(validator(release, pointer).iter_errors(schema["example"]))]
        if errors
    }
    assert wrong == {}


@pytest.mark.parametrize("release", RELEASES)
def test_examples_show_nothing_that_the_spec_does_not_know(release):
    """Beyond what is valid: a misspelled optional field would pass as an unknown one."""
    components = document(release)["components"]["schemas"]
    unknown: list[str] = []
    for name, schema in components.items():
        if "example" in schema:
            unknown += [f"{name}: {place}" for place in unknown_fields(components, schema, schema["example"])]
    assert unknown == []


def unknown_fields(components: Mapping[str, Schema], schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """The fields of a valid value that no schema describes."""
    options = list(alternatives(components, schema))
    if isinstance(value, list):
        items = [option["items"] for option in options if "items" in option]
        for index, item in enumerate(value if items else ()):
            yield from unknown_fields(components, {"anyOf": items}, item, f"{path}[{index}]")
    elif isinstance(value, dict):
        if any(not option.get("properties") and option.get("type") == "object" for option in options):
            return
        matching = [option for option in options if fits(components, option, value)]
        for key, inner in value.items():
            described = [option["properties"][key] for option in matching if key in option.get("properties", {})]
            if not described:
                yield f"{path}.{key}"
            else:
                yield from unknown_fields(components, {"anyOf": described}, inner, f"{path}.{key}")


def alternatives(components: Mapping[str, Schema], schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from alternatives(components, components[schema["$ref"].rsplit("/", 1)[1]])
    inner = [member for key in LISTS for member in schema.get(key, ())]
    for member in inner:
        yield from alternatives(components, member)
    if not inner and "$ref" not in schema:
        yield schema


def fits(components: Mapping[str, Schema], schema: Schema, value: Any) -> bool:
    return Draft202012Validator({**schema, "components": {"schemas": components}}).is_valid(value)


def test_shared_shapes_have_the_same_prose():
    old, new = schemas(OLDEST), schemas(NEWEST)
    shared = [pointer for pointer in old if pointer in new and shape(OLDEST, pointer) == shape(NEWEST, pointer)]
    assert len(shared) > 500
    differing = [
        f"{pointer}: {key}"
        for pointer in shared
        for key in ("title", "description", "x-enumDescriptions")
        if words(old[pointer][1], key) != words(new[pointer][1], key)
    ]
    assert differing == []


def test_the_older_release_knows_nothing_of_what_came_later():
    text = json.dumps(document(OLDEST))
    later = r"web.?socket|compact|\bphases?\b|x-openresponses-added-in|2026-04-24"
    found = re.findall(rf"(?i).{{0,40}}(?:{later}).{{0,40}}", text)
    assert found == []


@pytest.mark.parametrize("release", RELEASES)
def test_files_are_written_in_one_way(release):
    text = resources.releases()[release].read_text(encoding="utf-8")
    content: Document = json.loads(text)
    assert text == json.dumps(content, indent=2, ensure_ascii=False) + "\n"
