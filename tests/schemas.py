"""Plain documents as the tests change them: every schema in one, and a copy with every schema rewritten."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from openresponses_codegen import pipeline, resources

Document = dict[str, Any]
Schema = dict[str, Any]
Change = Callable[[Schema, str], Schema]
"""Takes a schema and the keyword that holds it; gives the schema to put there."""

MAPS = ("properties",)
LISTS = ("allOf", "oneOf", "anyOf")
SINGLE = ("items", "additionalProperties")
NOTES = frozenset({"title", "description", "default", "example", "examples"})
"""Keywords that restrict nothing."""
COMPONENT, BODY = "schemas", "schema"
"""What holds a component, and the schema of a media type."""


@cache
def _text(release: str) -> str:
    return resources.releases()[release].read_text(encoding="utf-8")


def document(release: str) -> Document:
    """A fresh copy of a bundled release."""
    return json.loads(_text(release))


def spec(content: Document) -> pipeline.Spec:
    return pipeline.Spec("spec.json", json.dumps(content).encode())


def fingerprint(content: Document) -> str:
    """The fingerprint; raises `DiagnosticError` for a document that is refused."""
    return pipeline.lower_spec(spec(content)).fingerprint


@cache
def recorded(release: str) -> str:
    """The fingerprint of a bundled release."""
    return pipeline.lower_spec(pipeline.load_spec(release)).fingerprint


def media_types(content: Document) -> Iterator[dict[str, Any]]:
    for item in content.get("paths", {}).values():
        for method in item.values():
            holders = [method.get("requestBody", {}), *method.get("responses", {}).values()]
            for holder in holders:
                yield from holder.get("content", {}).values()


def rewritten(content: Document, change: Change) -> Document:
    """A copy of the document in which `change` was applied to every schema, inner ones first."""
    content = copy.deepcopy(content)
    components = content["components"]["schemas"]
    for name, schema in components.items():
        components[name] = _rewritten(schema, change, COMPONENT)
    for media in media_types(content):
        media["schema"] = _rewritten(media["schema"], change, BODY)
    return content


def _rewritten(schema: Schema, change: Change, where: str) -> Schema:
    for key in MAPS:
        for name, inner in schema.get(key, {}).items():
            schema[key][name] = _rewritten(inner, change, key)
    for key in LISTS:
        if key in schema:
            schema[key] = [_rewritten(inner, change, key) for inner in schema[key]]
    for key in SINGLE:
        if isinstance(schema.get(key), dict):
            schema[key] = _rewritten(schema[key], change, key)
    return change(schema, where)


def every_schema(content: Document) -> Iterator[tuple[str, str, Schema]]:
    """Each schema of a document with its pointer and the keyword that holds it, outer ones first."""
    for name, schema in content["components"]["schemas"].items():
        yield from _every(f"#/components/schemas/{name}", COMPONENT, schema)


def _every(pointer: str, where: str, schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    yield pointer, where, schema
    for key in MAPS:
        for name, inner in schema.get(key, {}).items():
            yield from _every(f"{pointer}/{key}/{name}", key, inner)
    for key in LISTS:
        for index, inner in enumerate(schema.get(key, ())):
            yield from _every(f"{pointer}/{key}/{index}", key, inner)
    for key in SINGLE:
        if isinstance(schema.get(key), dict):
            yield from _every(f"{pointer}/{key}", key, schema[key])
