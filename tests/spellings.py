"""The same content, spelled differently: what newer drafts of the document do, and what OpenAPI tools do to it.

Each spelling takes a schema and the keyword that holds it, and gives an equivalent schema; one that has nothing to
respell there gives the schema back. `SPELLINGS` lists them by name, each with what has to be done before so that
there is something to respell.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

from schemas import BODY, COMPONENT, LISTS, NOTES, Change, Document, Schema, media_types, rewritten

LINK = {"url": "https://example.com"}
NULL = {"type": "null"}
DISALLOWED = "x-openresponses-disallowed"
UNIONS = ("anyOf", "oneOf")
DATA = frozenset({"default", "example"})


def merged(outer: Schema, inner: Schema) -> Schema | None:
    """One schema for both; None where a keyword stands in both."""
    return None if outer.keys() & inner.keys() else {**inner, **outer}


def without(schema: Schema, *keys: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}


def only(schema: Schema, keys: frozenset[str]) -> Schema:
    return {key: value for key, value in schema.items() if key in keys}


def union_of(schema: Schema) -> tuple[str, list[Schema]] | None:
    found = [(key, schema[key]) for key in UNIONS if key in schema]
    return found[0] if len(found) == 1 else None


def null_among_types(schema: Schema, _: str) -> Schema:
    """`anyOf: [{type: string}, {type: null}]` is `type: [string, null]`."""
    union = union_of(schema)
    if union is None or len(union[1]) != 2 or union[1][1] != NULL:
        return schema
    member = union[1][0]
    whole = merged(without(schema, union[0]), member)
    if whole is None or not isinstance(member.get("type"), str) or "const" in member:
        return schema
    whole["type"] = [whole["type"], "null"]
    if "enum" in whole:
        whole["enum"] = [*whole["enum"], None]
    return whole


def null_as_member(schema: Schema, _: str) -> Schema:
    """`type: [string, null]` is `anyOf: [{type: string}, {type: null}]`, with the notes outside."""
    types = schema.get("type")
    if not isinstance(types, list) or len(types) != 2 or types[1] != "null":
        return schema
    member = {**without(schema, *NOTES), "type": types[0]}
    if "enum" in member:
        member["enum"] = [value for value in member["enum"] if value is not None]
    return {**only(schema, NOTES), "anyOf": [member, dict(NULL)]}


def notes_inside(schema: Schema, _: str) -> Schema:
    """Notes beside `anyOf: [X, null]` stand in X."""
    union = union_of(schema)
    if union is None or len(union[1]) != 2 or union[1][1] != NULL:
        return schema
    notes = only(schema, NOTES)
    member = merged(union[1][0], notes)
    return schema if member is None else {**without(schema, *notes), union[0]: [member, union[1][1]]}


def only_null(schema: Schema, where: str) -> Schema:
    """`anyOf: [{type: null}]` is `type: null`, and the other way round."""
    if schema.get("anyOf") == [NULL]:
        return {**without(schema, "anyOf"), **NULL}
    if schema.get("type") == "null" and where not in LISTS:
        return {**without(schema, "type"), "anyOf": [dict(NULL)]}
    return schema


def siblings_of_reference(schema: Schema, _: str) -> Schema:
    """`allOf: [{$ref}, {notes}]` is `$ref` with its notes beside it."""
    if "allOf" not in schema or not all(key in NOTES for part in schema["allOf"][1:] for key in part):
        return schema
    whole: Schema | None = without(schema, "allOf")
    for part in schema["allOf"]:
        whole = merged(whole, part) if whole is not None else None
    return schema if whole is None else whole


def reference_in_all_of(schema: Schema, where: str) -> Schema:
    """`$ref` is `allOf: [{$ref}, {notes}]`."""
    if "$ref" not in schema or "discriminator" in schema or where in ("allOf", BODY):
        return schema
    return {"allOf": [only(schema, frozenset({"$ref"})), without(schema, "$ref")]}


def reference_alone_in_all_of(schema: Schema, where: str) -> Schema:
    """`$ref` with notes is `allOf: [{$ref}]` with notes."""
    if "$ref" not in schema or "discriminator" in schema or where in ("allOf", BODY):
        return schema
    return {**without(schema, "$ref"), "allOf": [only(schema, frozenset({"$ref"}))]}


def body_in_all_of(schema: Schema, where: str) -> Schema:
    """The body of an operation is a component, however that is said."""
    return {"allOf": [schema, {"description": "What is sent."}]} if where == BODY and "$ref" in schema else schema


def union_of_one_unwrapped(schema: Schema, _: str) -> Schema:
    """`oneOf: [X]` is X, with the discriminator beside it."""
    union = union_of(schema)
    if union is None or len(union[1]) != 1 or union[1][0] == NULL:
        return schema
    return merged(without(schema, union[0]), union[1][0]) or schema


def wrapped_in_union(schema: Schema, where: str) -> Schema:
    """X is `anyOf: [X]`, its notes outside."""
    if where in (COMPONENT, BODY, *LISTS) or union_of(schema) or "allOf" in schema or not schema:
        return schema
    outside = NOTES | {DISALLOWED}
    return {**only(schema, outside), "anyOf": [without(schema, *outside)]}


def absence_wrapped(schema: Schema, where: str) -> Schema:
    """What must be absent must be absent, however that is said."""
    if DISALLOWED not in schema or where != "properties":
        return schema
    return {**only(schema, NOTES), "allOf": [without(schema, *NOTES)]}


def other_union_keyword(schema: Schema, _: str) -> Schema:
    """The members of a union exclude one another: `oneOf` is `anyOf`."""
    union = union_of(schema)
    if union is None:
        return schema
    return {**without(schema, union[0]), "oneOf" if union[0] == "anyOf" else "anyOf": union[1]}


def flat_union(schema: Schema, _: str) -> Schema:
    """`anyOf: [{oneOf: [A, B]}, null]` is `anyOf: [A, B, null]`."""
    union = union_of(schema)
    if union is None or len(union[1]) < 2:
        return schema
    members: list[Schema] = []
    for member in union[1]:
        inner = union_of(member)
        members += inner[1] if inner is not None and member.keys() <= {inner[0], "discriminator"} else [member]
    return {**schema, union[0]: members}


def nested_union(schema: Schema, _: str) -> Schema:
    """`anyOf: [A, B, C]` is `anyOf: [{anyOf: [A, B]}, C]`."""
    union = union_of(schema)
    if union is None or len(union[1]) < 3:
        return schema
    return {**schema, union[0]: [{union[0]: union[1][:-1]}, union[1][-1]]}


def constant_by_const(schema: Schema, _: str) -> Schema:
    """`enum: [x]` is `const: x`."""
    if len(schema.get("enum", ())) != 1:
        return schema
    return {**without(schema, "enum"), "const": schema["enum"][0]}


def constant_by_enum(schema: Schema, _: str) -> Schema:
    """`const: x` is `enum: [x]`."""
    return {**without(schema, "const"), "enum": [schema["const"]]} if "const" in schema else schema


def untyped_values(schema: Schema, _: str) -> Schema:
    """The values of an enum say what type they are of."""
    return without(schema, "type") if "enum" in schema or "const" in schema else schema


def list_of_types(schema: Schema, _: str) -> Schema:
    """`type: string` is `type: [string]`."""
    return {**schema, "type": [schema["type"]]} if isinstance(schema.get("type"), str) else schema


def empty_required(schema: Schema, _: str) -> Schema:
    """No `required` is an empty one."""
    if schema.get("required") == []:
        return without(schema, "required")
    return {**schema, "required": []} if schema.get("type") == "object" and "required" not in schema else schema


def empty_properties(schema: Schema, _: str) -> Schema:
    """No `properties` are empty ones."""
    if schema.get("properties") == {}:
        return without(schema, "properties")
    return {**schema, "properties": {}} if schema.get("type") == "object" and "properties" not in schema else schema


def any_additional(schema: Schema, _: str) -> Schema:
    """Without properties, `additionalProperties` absent is true is `{}`; beside properties, true is `{}`."""
    if schema.get("type") != "object":
        return schema
    additional = schema.get("additionalProperties")
    if additional is True:
        return {**schema, "additionalProperties": {}}
    if schema.get("properties"):
        return {**schema, "additionalProperties": True} if additional == {} else schema
    if additional == {}:
        return without(schema, "additionalProperties")
    return {**schema, "additionalProperties": True} if additional is None else schema


SPELLINGS: Mapping[str, tuple[Change, ...]] = {
    "null among the types": (null_among_types,),
    "null as a member": (null_among_types, null_as_member),
    "notes in the member": (notes_inside,),
    "only null": (only_null,),
    "only null, and back": (only_null, only_null),
    "siblings of $ref": (siblings_of_reference,),
    "$ref in allOf": (siblings_of_reference, reference_in_all_of),
    "$ref alone in allOf": (siblings_of_reference, reference_alone_in_all_of),
    "body in allOf": (body_in_all_of,),
    "union of one, unwrapped": (union_of_one_unwrapped,),
    "wrapped in a union": (wrapped_in_union,),
    "forbidden field in allOf": (absence_wrapped,),
    "anyOf for oneOf": (other_union_keyword,),
    "nested union": (nested_union,),
    "flat union": (nested_union, flat_union),
    "const": (constant_by_const,),
    "enum of one": (constant_by_const, constant_by_enum),
    "enum without type": (untyped_values,),
    "list of types": (list_of_types,),
    "empty required": (empty_required,),
    "empty properties": (empty_properties,),
    "additionalProperties true": (any_additional,),
    "additionalProperties empty": (any_additional, any_additional),
}


def mixed(content: Document, random: Random) -> Document:
    """The document, each schema respelled in some of the ways, and all orders shuffled."""
    names = SPELLINGS.keys() - {"body in allOf", "forbidden field in allOf"}
    steps = sorted({step for name in names for step in SPELLINGS[name]}, key=lambda step: step.__name__)
    for step in random.sample(steps, len(steps)):
        content = rewritten(content, partial(sometimes, step, random))
    return shuffled(content, random)


def sometimes(step: Change, random: Random, schema: Schema, where: str) -> Schema:
    return step(schema, where) if random.random() < 0.5 else schema


def shuffled(value: Any, random: Random, key: str = "") -> Any:
    """The document with the order of keys, and of members, values and required names, left to chance."""
    if isinstance(value, dict):
        names = random.sample(list(value), len(value))
        return {name: value[name] if name in DATA else shuffled(value[name], random, name) for name in names}
    if isinstance(value, list):
        items = [shuffled(item, random) for item in value]
        return random.sample(items, len(items)) if key in {*UNIONS, "enum", "required", "type"} else items
    return value


def annotated(content: Document) -> Document:
    """The document as OpenAPI tools leave it, with everything that says nothing about which values are valid."""

    def change(schema: Schema, _: str) -> Schema:
        notes = {"x-unionTitle": "A union", "x-unionDisplay": "inline", "x-oaiMeta": {"a": [1]}, "readOnly": False}
        return {**notes, "deprecated": False, "externalDocs": dict(LINK), "examples": ["anything"], **schema}

    content = rewritten(content, change)
    content |= {"tags": [], "security": [{"ApiKeyAuth": []}], "externalDocs": dict(LINK), "x-tool": 1}
    content["info"] |= {"contact": {"name": "Somebody"}, "license": {"name": "None"}, "x-logo": {}}
    for item in content["paths"].values():
        item["post"] |= {"tags": ["Responses"], "security": [], "deprecated": False, "x-oaiMeta": {}}
    for media in media_types(content):
        media["examples"] = {"one": {"value": {}}}
    return content
