"""What `diff` has to say of a change that a program made: told by the change, not by the rules of the generator.

`EXPECTED` takes a mutation and the schema that it changes, and gives the kinds of changes in both directions: what
follows `request-` or `response-` in the id of a rule. `PARTIES` says how bad each is for whom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mutations import Mutation
from schemas import Schema

B, R, S, D = "breaking", "risky", "safe", "documentation"
PARTIES: Mapping[str, tuple[str, str, str, str]] = {
    # client, server, raw, python
    "request-field-added": (S, S, S, S),
    "request-field-added-required": (B, R, B, B),
    "request-field-removed": (B, B, R, B),
    "request-field-required": (B, R, B, B),
    "request-field-optional": (S, B, S, R),
    "request-field-forbidden": (B, B, B, B),
    "request-field-permitted": (S, S, S, S),
    "request-prohibition-added": (S, S, R, S),
    "request-prohibition-removed": (S, S, S, S),
    "request-type-widened": (S, B, S, R),
    "request-type-narrowed": (B, R, B, B),
    "request-type-changed": (B, B, B, B),
    "request-null-added": (S, B, S, R),
    "request-null-removed": (B, S, B, B),
    "request-reference-changed": (R, R, S, B),
    "request-enum-value-added": (S, S, S, S),
    "request-enum-value-removed": (B, S, B, B),
    "request-constant-changed": (B, B, B, B),
    "request-default-changed": (R, R, R, R),
    "request-limit-tightened": (B, R, B, S),
    "request-limit-loosened": (S, R, S, S),
    "request-union-member-added": (S, S, S, S),
    "request-union-member-removed": (B, R, B, B),
    "request-object-closed": (R, S, B, R),
    "request-object-opened": (S, S, S, S),
    "response-field-added": (S, S, S, S),
    "response-field-added-required": (R, B, S, B),
    "response-field-removed": (B, B, B, B),
    "response-field-required": (R, B, S, R),
    "response-field-optional": (B, S, B, B),
    "response-field-forbidden": (B, B, B, B),
    "response-field-permitted": (S, S, S, S),
    "response-type-widened": (B, S, B, B),
    "response-type-narrowed": (R, B, S, R),
    "response-type-changed": (B, B, B, B),
    "response-null-added": (B, S, B, B),
    "response-null-removed": (R, B, S, R),
    "response-reference-changed": (R, R, S, B),
    "response-enum-value-added": (S, S, R, S),
    "response-enum-value-removed": (R, B, S, B),
    "response-constant-changed": (B, B, B, B),
    "response-default-changed": (R, R, R, R),
    "response-limit-tightened": (R, B, S, S),
    "response-limit-loosened": (R, S, R, S),
    "response-union-member-added": (S, S, R, S),
    "response-union-member-removed": (R, B, S, B),
    "response-object-closed": (S, R, S, R),
    "response-object-opened": (S, S, R, S),
    "unused-component-changed": (S, S, S, R),
    "operation-added": (S, S, S, S),
    "operation-removed": (B, B, B, B),
    "operation-moved": (R, R, B, S),
    "operation-renamed": (S, S, S, S),
    "request-body-added": (B, B, B, B),
    "request-body-removed": (B, B, R, B),
    "response-body-added": (S, B, S, S),
    "response-body-removed": (B, B, B, B),
    "stream-added": (S, R, S, S),
    "stream-removed": (B, B, B, B),
    "event-added": (S, S, R, S),
    "event-removed": (B, B, B, B),
    "websocket-added": (S, S, S, S),
    "websocket-removed": (B, B, B, B),
    "websocket-moved": (R, R, B, S),
    "component-added": (S, S, S, S),
    "component-removed": (R, R, S, B),
    "component-renamed": (R, R, S, B),
}

Kinds = tuple[set[str], set[str]]
"""What is reported from the document to the mutated one, and the other way round."""


def both(*kinds: str) -> Kinds:
    return {*kinds}, {*kinds}


def property_removed(mutation: Mutation, schema: Schema) -> Kinds:
    name = str(mutation.what)
    if "x-openresponses-disallowed" in schema["properties"][name]:
        return {"prohibition-removed"}, {"prohibition-added"}
    return {"field-removed"}, {added(schema, name)}


def added(schema: Schema, name: str) -> str:
    return "field-added-required" if name in schema.get("required", ()) else "field-added"


def property_renamed(mutation: Mutation, schema: Schema) -> Kinds:
    name = str(mutation.what)
    if "x-openresponses-disallowed" in schema["properties"][name]:
        return {"prohibition-removed", "prohibition-added"}, {"prohibition-removed", "prohibition-added"}
    return {"field-removed", added(schema, name)}, {"field-removed", added(schema, name)}


def required(mutation: Mutation, schema: Schema) -> Kinds:
    pair = {"field-required"}, {"field-optional"}
    return pair if mutation.what not in schema.get("required", ()) else (pair[1], pair[0])


def forbidden(mutation: Mutation, schema: Schema) -> Kinds:
    is_required = mutation.what in schema.get("required", ())
    return {"field-forbidden"}, {"field-added-required" if is_required else "field-permitted"}


def values_of_a_map(_: Mutation, schema: Schema) -> Kinds:
    if schema.get("additionalProperties", True) in (True, {}):
        return {"type-narrowed"}, {"type-widened"}
    return both("type-changed")


def enum_value_changed(_: Mutation, schema: Schema) -> Kinds:
    single = len(schema["enum"]) == 1
    kinds = {"constant-changed"} if single else {"enum-value-added", "enum-value-removed"}
    return kinds | default_dropped(schema), kinds | default_dropped(schema)


def default_dropped(schema: Schema) -> set[str]:
    """A default of a constant says nothing new."""
    return {"default-changed"} if schema.get("default") is not None and len(schema.get("enum", "  ")) > 1 else set()


def enum_value_added(_: Mutation, schema: Schema) -> Kinds:
    if len(schema["enum"]) > 1:
        return {"enum-value-added"}, {"enum-value-removed"}
    return {"type-widened"}, {"type-narrowed"}


def enum_value_removed(_: Mutation, schema: Schema) -> Kinds:
    return {"enum-value-removed"} | default_dropped(schema), {"enum-value-added"} | default_dropped(schema)


def other_type(_: Mutation, schema: Schema) -> Kinds:
    if schema["type"] not in ("integer", "number"):
        return {"type-changed"} | default_dropped(schema), {"type-changed"} | default_dropped(schema)
    pair = {"type-widened"}, {"type-narrowed"}
    return pair if schema["type"] == "integer" else (pair[1], pair[0])


def enum_for_type(_: Mutation, schema: Schema) -> Kinds:
    is_limited = any(key.startswith(("min", "max")) or key == "pattern" for key in schema)
    kinds = both("type-changed") if is_limited else ({"type-narrowed"}, {"type-widened"})
    return kinds[0] | default_dropped(schema), kinds[1] | default_dropped(schema)


def limit(key: str, *, larger: bool) -> Kinds:
    tighter = larger == key.startswith(("min", "exclusiveMin"))
    pair = {"limit-tightened"}, {"limit-loosened"}
    return pair if tighter else (pair[1], pair[0])


def union_member_added(_: Mutation, __: Schema) -> Kinds:
    return {"type-widened"}, {"type-narrowed"}


def union_member_removed(mutation: Mutation, schema: Schema) -> Kinds:
    member = members(schema)[int(str(mutation.what))]
    if member == {"type": "null"}:
        return {"null-removed"}, {"null-added"}
    if "$ref" in member and "discriminator" not in schema and not is_variant(member):
        return {"type-narrowed"}, {"type-widened"}
    if "$ref" in member:
        return {"union-member-removed"}, {"union-member-added"}
    return {"type-narrowed"}, {"type-widened"}


def members(schema: Schema) -> list[Any]:
    return schema.get("oneOf") or schema["anyOf"]


def is_variant(member: Schema) -> bool:
    """Whether a component is an object told apart by its type, as their names in the document tell."""
    return not member["$ref"].endswith("Enum")


def union_member_changed(mutation: Mutation, schema: Schema) -> Kinds:
    gone, back = union_member_removed(mutation, schema)
    return gone | {"type-widened"}, back | {"type-narrowed"}


def nullability(_: Mutation, schema: Schema) -> Kinds:
    if schema.get("type") == "null" or members_or_none(schema) == [{"type": "null"}]:
        return {"type-changed"}, {"type-changed"}
    has_null = {"type": "null"} in members_or_none(schema)
    return ({"null-removed"}, {"null-added"}) if has_null else ({"null-added"}, {"null-removed"})


def members_or_none(schema: Schema) -> list[Any]:
    return schema.get("anyOf") or schema.get("oneOf") or []


EXPECTED: Mapping[str, Callable[[Mutation, Schema], Kinds]] = {
    "property removed": property_removed,
    "property renamed": property_renamed,
    "required": required,
    "forbidden": forbidden,
    "property added": lambda *_: ({"field-added"}, {"field-removed"}),
    "closed": lambda *_: ({"object-closed"}, {"object-opened"}),
    "values of a map": values_of_a_map,
    "enum value changed": enum_value_changed,
    "enum value added": enum_value_added,
    "enum value removed": enum_value_removed,
    "type": other_type,
    "enum for type": enum_for_type,
    "default": lambda *_: both("default-changed"),
    "default removed": lambda *_: both("default-changed"),
    "limit removed": lambda *_: ({"limit-loosened"}, {"limit-tightened"}),
    "limit changed": lambda mutation, _: limit(str(mutation.what), larger=True),
    "limit added": lambda *_: ({"limit-tightened"}, {"limit-loosened"}),
    "union member added": union_member_added,
    "union member removed": union_member_removed,
    "union member changed": union_member_changed,
    "nullability": nullability,
}
"""Of each kind of mutation with one meaning. What the others come to depends on what they meet in the document."""


def has_one_meaning(mutation: Mutation, schema: Schema) -> bool:
    """Whether a mutation changes nothing but what it is about.

    A `type` decides what a union is, a union of one is what is in it, and a member of `allOf` is a part of others.
    """
    is_member = mutation.pointer.rsplit("/", 2)[-2] in ("oneOf", "anyOf")
    is_of_one = mutation.kind.startswith("union member") and len(without_null(schema)) < 2
    is_tag = mutation.what == "type" or mutation.pointer.endswith("/properties/type")
    return not (is_tag or is_of_one or "/allOf/" in mutation.pointer or (mutation.kind == "type" and is_member))


def without_null(schema: Schema) -> list[Any]:
    return [member for member in members_or_none(schema) if member != {"type": "null"}]
