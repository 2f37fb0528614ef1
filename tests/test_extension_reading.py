"""What the form of an extension may say, and what is said about one that is wrong: one error, its place, a way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openresponses_codegen import source
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Diagnostics
from openresponses_codegen.extension import Event, Extension, Item, Tool, compile_extensions, read, starter

ITEM = "vendor: acme\nitems:\n  hit:\n    fields: {a: string}\n"


def read_text(text: str, name: str = "acme.yaml") -> tuple[Extension | None, tuple[Diagnostic, ...]]:
    diagnostics = Diagnostics()
    try:
        extension = read(source.parse(text.encode(), name), diagnostics)
    except DiagnosticError as error:
        return None, error.diagnostics
    return extension, diagnostics.items


def test_a_form_is_read():
    extension, found = read_text(starter("acme"))
    assert found == ()
    assert extension is not None
    assert [(each.kind, each.type, each.class_name) for each in extension.declared] == [
        ("item", "acme:search_result", "AcmeSearchResult"),
        ("event", "acme:search_result.progress", "AcmeSearchResultProgressEvent"),
        ("event", "acme:heartbeat", "AcmeHeartbeatEvent"),
        ("tool", "acme:search", "AcmeSearchTool"),
        ("tool choice", "acme:search", "AcmeSearchToolChoice"),
        ("content part", "acme:chart", "AcmeChartContent"),
    ]
    item, progress, heartbeat, tool, *_ = extension.declared
    assert isinstance(item, Item)
    assert isinstance(progress, Event)
    assert isinstance(heartbeat, Event)
    assert isinstance(tool, Tool)
    assert (progress.item, heartbeat.item, tool.item) == ("acme:search_result", None, "acme:search_result")
    assert list(item.statuses) == ["searching"]
    assert item.required == ("query",)
    assert {name: sorted(each) for name, each in extension.fields.items()} == {
        "ResponseResource": ["acme_cost"],
        "CreateResponseBody": ["acme_priority"],
    }


def test_a_vendor_is_enough():
    extension, found = read_text("vendor: acme\n")
    assert (found, extension is not None and extension.declared) == ((), ())


@pytest.mark.parametrize(
    ("short", "schema"),
    [
        ("string", {"type": "string"}),
        ("integer?", {"type": ["integer", "null"]}),
        ("number[]", {"type": "array", "items": {"type": "number"}}),
        ("boolean[]?", {"type": ["array", "null"], "items": {"type": "boolean"}}),
        ("object", {"type": "object"}),
        ("any", {}),
        ("any?", {}),
        ("any[]", {"type": "array", "items": {}}),
        ("Hit", {"$ref": "#/components/schemas/AcmeHit"}),
        ("Hit?", {"anyOf": [{"$ref": "#/components/schemas/AcmeHit"}, {"type": "null"}]}),
        ("Hit[]", {"type": "array", "items": {"$ref": "#/components/schemas/AcmeHit"}}),
    ],
)
def test_short_forms_of_fields(short: str, schema: Any):
    text = (
        f"vendor: acme\nitems: {{search: {{fields: {{a: '{short}'}}}}}}\nschemas: {{Hit: {{fields: {{b: string}}}}}}\n"
    )
    extension, found = read_text(text)
    assert found == ()
    assert extension is not None
    assert extension.declared[0].fields["a"].plain() == schema


def test_references_to_shared_schemas_are_led_to_components():
    """Wherever a schema may stand, and nowhere else: an example is data."""
    schema: Any = {
        "oneOf": [{"$ref": "#/schemas/A"}, {"type": "array", "items": {"$ref": "#/components/schemas/Error"}}],
        "properties": {"$ref": {"$ref": "#/schemas/A"}},
        "additionalProperties": {"anyOf": [{"$ref": "#/schemas/A"}]},
        "discriminator": {"propertyName": "type", "mapping": {"a": "#/schemas/A"}},
        "example": {"$ref": "#/schemas/A"},
    }
    form = {"vendor": "acme", "events": {"e": {"fields": {"f": schema}}}, "schemas": {"A": {"type": "string"}}}
    extension, found = read_text(yaml.safe_dump(form))
    assert found == ()
    assert extension is not None
    led = yaml.safe_dump(extension.declared[0].fields["f"].plain())
    assert led.count("#/components/schemas/AcmeA") == 4
    assert led.count("#/schemas/A") == 1


MISTAKES: list[tuple[str, str, str, str]] = [
    ("items: {}\n", "not-extension", "1:1", "write `vendor: NAME`"),
    ("[]\n", "not-extension", "1:1", "extension new NAME"),
    ("openapi: 3.1.0\n", "not-extension", "1:1", "name it as the SPEC"),
    ("overlay: 1.1.0\n", "not-extension", "1:1", "`--overlay`"),
    ("vendor: Acme\n", "extension-name", "1:1", "write `acme`"),
    ("vendor: a:b\n", "extension-name", "1:1", "lower case"),
    ("vendor: a__b\n", "extension-name", "1:1", "single `_`"),
    ("vendor: ''\n", "extension-name", "1:1", "lower case"),
    ("vendor: 7\n", "extension-field", "1:9", "put it in quotes"),
    (f"vendor: {'a' * 41}\n", "extension-name", "1:1", "shorten"),
    ("vendor: acme\nprefix: acme\n", "extension-name", "2:1", "capital"),
    ("vendor: acme\ndocs: javascript:alert(1)\n", "extension-field", "2:1", "write a URL"),
    ("vendor: acme\nitem: {}\n", "extension-key", "2:1", "`items`"),
    ("vendor: acme\nitems: []\n", "extension-field", "2:8", "keys and values"),
    ("vendor: acme\nitems: {acme:hit: {}}\n", "extension-name", "2:9", "leave the prefix out"),
    ("vendor: acme\nitems: {Hit: {}}\n", "extension-name", "2:9", "lower case"),
    ("vendor: acme\nitems: {'a\\nimport os': {}}\n", "extension-name", "2:9", "lower case"),
    ("vendor: acme\nitems: {hit: []}\n", "extension-field", "2:9", "keys and values"),
    ("vendor: acme\nitems: {hit: {field: {}}}\n", "extension-key", "2:15", "`fields`"),
    (f"vendor: acme\nitems: {{{'a' * 61}: {{}}}}\n", "extension-name", "2:9", "shorten"),
    ("vendor: async\nitems: {stream: {}}\n", "extension-name", "2:9", "set another `prefix`"),
    (ITEM + "    description: 3\n", "extension-field", "5:18", "in quotes"),
    (ITEM + "    required: [b]\n", "extension-field", "5:16", "declare it"),
    (ITEM + "    required: [a, a]\n", "extension-field", "5:19", "the first is at"),
    (ITEM + "    required: [status]\n", "extension-field", "5:16", "fields of your own"),
    (ITEM + "    required: true\n", "extension-field", "5:15", "write a list"),
    (ITEM + "    statuses: [completed]\n", "extension-field", "5:16", "without being listed"),
    (ITEM + "    statuses: [Running]\n", "extension-name", "5:16", "lower case"),
    (ITEM + "    statuses: running\n", "extension-field", "5:15", "write a list"),
    (ITEM + "    statuses: {running: 1}\n", "extension-field", "5:25", "in quotes"),
    (ITEM + "    aliases: [acme2:hit]\n", "extension-name", "5:15", "without prefix (rule Z18)"),
    (ITEM + "    aliases: ['a b']\n", "extension-name", "5:15", "letters, digits"),
    (ITEM + "    optional: [status]\n", "extension-field", "5:5", "`aliases`"),
    (ITEM + "    aliases: [hit]\n    optional: [a]\n", "extension-field", "6:16", "`id`, `status`"),
    (ITEM + "    events: {Done: {}}\n", "extension-name", "5:14", "lower case"),
    (ITEM + "    events: {done: {fields: {item_id: string}}}\n", "extension-field", "5:30", "rename your field"),
    (ITEM + "    events: {done: {aliases: [response.reasoning_text.done]}}\n", "extension-core", "5:31", "remove it"),
    (ITEM.replace("{a:", "{id:"), "extension-field", "4:14", "rename your field"),
    (ITEM.replace("{a:", "{'***':"), "extension-name", "4:14", "letters, digits"),
    (ITEM.replace("string", "strng"), "extension-field", "4:17", "did you mean `string`"),
    (ITEM.replace("string", "array"), "extension-field", "4:17", "`any[]`"),
    (ITEM.replace("string", "5"), "extension-field", "4:17", "short forms"),
    (ITEM.replace("string", "Hit"), "extension-field", "4:17", "short forms"),
    (ITEM.replace("string", "{$ref: '#/schemas/Hit'}"), "extension-reference", "4:24", "#/components/schemas/NAME"),
    (ITEM.replace("string", "{$ref: 'https://a.example/b'}"), "extension-reference", "4:24", "NAME"),
    (ITEM.replace("string", "{$ref: '/etc/passwd'}"), "extension-reference", "4:24", "NAME"),
    (ITEM.replace("string", "{type: string, required: true}"), "extension-key", "4:32", "list `required`"),
    (ITEM.replace("string", "{x-openresponses-item: 'a:b'}"), "extension-key", "4:18", "remove it"),
    ("vendor: acme\ntools: {search: {}}\n", "extension-field", "2:9", "write `item: NAME`"),
    ("vendor: acme\ntools: {search: {item: hit}}\n", "extension-reference", "2:18", "(rule X3)"),
    (ITEM + "tools: {search: {item: hits}}\n", "extension-reference", "5:18", "did you mean `hit`"),
    (ITEM + "tools: {search: {item: hit, choice: 1}}\n", "extension-field", "5:37", "`choice: true`"),
    ("vendor: acme\nparts: {chart: {}}\n", "extension-field", "2:9", "`output`"),
    ("vendor: acme\nparts: {chart: {in: [outputs]}}\n", "extension-field", "2:22", "did you mean `output`"),
    ("vendor: acme\nparts: {chart: {in: output}}\n", "extension-field", "2:21", "write a list"),
    ("vendor: acme\nfields: {Error: {required: [a]}}\n", "extension-field", "2:18", "remove `required`"),
    ("vendor: acme\nfields: {Error: [a]}\n", "extension-field", "2:17", "keys and values"),
    ("vendor: acme\nfields: {'a b': {}}\n", "extension-name", "2:10", "component"),
    ("vendor: acme\nvalues: {IncludeEnum: 3}\n", "extension-field", "2:23", "write a list"),
    ("vendor: acme\nvalues: {IncludeEnum: ['a b']}\n", "extension-name", "2:24", "printable"),
    ("vendor: acme\nschemas: {hit: {}}\n", "extension-name", "2:11", "capital"),
    ("vendor: acme\nschemas: {Hit: {fields: {a: string}, oneOf: []}}\n", "extension-key", "2:38", "`fields`"),
]


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"), MISTAKES, ids=[f"{m[1]}-{i}" for i, m in enumerate(MISTAKES)]
)
def test_n1_n2_a_mistake_is_one_error_with_its_place_and_a_way_out(text: str, code: str, place: str, hint: str):
    _, found = read_text(text)
    (diagnostic,) = found
    assert (diagnostic.code, str(diagnostic.position)) == (code, f"acme.yaml:{place}"), str(diagnostic)
    assert hint in str(diagnostic.hint)
    assert str(diagnostic).isprintable() or "\n" in str(diagnostic)


def places_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value below a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in members:
        yield (*path, key)
        yield from places_in(child, (*path, key))


def changed(form: Any, path: tuple[str | int, ...], *value: Any) -> str:
    """The form with another value in one place, or without one there."""
    form = json.loads(json.dumps(form))
    parent = form
    for key in path[:-1]:
        parent = parent[key]
    if value:
        parent[path[-1]] = value[0]
    else:
        del parent[path[-1]]
    return json.dumps(form, indent=1)


def everything() -> Any:
    """A form in which every key stands at least once."""
    form = yaml.safe_load(starter("acme"))
    form |= {"prefix": "Acme", "version": "2", "choices": {"pick": {"fields": {"a": "string"}, "aliases": ["pick"]}}}
    form["items"]["search_result"] |= {"aliases": ["search_result"], "optional": ["id", "status"]}
    form["items"]["search_result"]["events"]["progress"] |= {"aliases": ["progress"], "optional": ["item_id"]}
    form["tools"]["search"]["choice"] = {"fields": {"limit": "integer"}, "required": ["limit"]}
    form["annotations"] = {"quote": {"description": "A quote.", "fields": {"hit": {"$ref": "#/schemas/Hit"}}}}
    return form


PATHS = [*places_in(everything())]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_form_with_one_thing_changed_is_read_or_refused_with_a_place(path: tuple[str | int, ...]):
    """Left out or of another kind: never an exception, at most one error for it, with a place and a way out."""
    form = everything()
    others: list[Any] = [7, True, None, "no such thing !", [], {}, [[]]]
    for text in [changed(form, path), *(changed(form, path, each) for each in others)]:
        extension, found = read_text(text, "acme.json")
        if extension is not None and not found:
            diagnostics = Diagnostics()
            compile_extensions([extension], diagnostics)
            found = diagnostics.items
        assert len(found) <= 1 or path[0] == "schemas", "\n".join(map(str, found))
        for each in found:
            assert each.hint
            assert re.fullmatch(r"acme.json:\d+:\d+", str(each.position))


@pytest.mark.parametrize("depth", [10, 100, 1000])
def test_deep_schemas_end_in_a_diagnostic_at_most(depth: int):
    text = "vendor: acme\nitems: {hit: {fields: {a: " + "{items: " * depth + "{}" + "}" * depth + "}}}\n"
    extension, found = read_text(text)
    assert (extension is None) == (depth > 100)
    assert [each.code for each in found] == (["too-deep"] if depth > 100 else [])


def test_very_many_mistakes_are_counted():
    text = "vendor: acme\nitems:\n" + "".join(f"  X{index}: {{}}\n" for index in range(5000))
    _, found = read_text(text)
    assert (len(found), found[-1].code) == (101, "too-many-errors")
