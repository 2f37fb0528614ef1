"""What satisfies the negation of a JSON Schema, said without a negation where that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ._schemas import TYPES, Document, JSONSchema

__all__ = ["negations"]

Schema = dict[str, Any]
Rule = Callable[[Any, Mapping[str, Any]], Iterator[Schema]]
"""Gives, for the value of a keyword and the schema it is in, schemas that break the keyword."""


def negations(schema: JSONSchema, document: Document) -> list[JSONSchema]:
    """Schemas of which a value has to satisfy one, so that it does not satisfy this one.

    A keyword that nothing simpler can be said about stays under a `not`, alone.
    """
    if isinstance(schema, bool):
        return [not schema]
    found: list[JSONSchema] = [{"not": target} for target in document.targets(schema)]
    for keyword, value in schema.items():
        if keyword in _RULES:
            found += _RULES[keyword](value, schema)
        elif keyword in _KEPT:
            found.append({**_KEPT[keyword], "not": {keyword: value}})
    return found


def _type(value: str | list[str], _: Mapping[str, Any]) -> Iterator[Schema]:
    given = {value} if isinstance(value, str) else set(value)
    others = [name for name in TYPES if name not in given and name != "integer"]
    if "number" in given:
        yield {"type": others}
    elif "integer" in given:
        yield {"type": others, "not": {"type": "integer"}}
    elif others:
        yield {"type": others}


def _bound(opposite: str) -> Rule:
    def rule(value: float, _: Mapping[str, Any]) -> Iterator[Schema]:
        yield {"type": "number", opposite: value}

    return rule


def _most(kind: str, opposite: str) -> Rule:
    def rule(value: float, _: Mapping[str, Any]) -> Iterator[Schema]:
        if value > 0:
            yield {"type": kind, opposite: int(value) - 1}

    return rule


def _least(kind: str, opposite: str) -> Rule:
    def rule(value: float, _: Mapping[str, Any]) -> Iterator[Schema]:
        yield {"type": kind, opposite: int(value) + 1}

    return rule


def _required(names: list[str], _: Mapping[str, Any]) -> Iterator[Schema]:
    for name in names:
        yield {"type": "object", "properties": {name: False}}


def _properties(properties: Mapping[str, JSONSchema], _: Mapping[str, Any]) -> Iterator[Schema]:
    for name, inner in properties.items():
        yield {"type": "object", "required": [name], "properties": {name: {"not": inner}}}


def _additional(_: JSONSchema, schema: Mapping[str, Any]) -> Iterator[Schema]:
    known = len(schema.get("properties", ()))
    inner = {"not": {"additionalProperties": schema["additionalProperties"]}}
    yield {"type": "object", "minProperties": known + 1} | ({} if known else inner)


def _depends(needed: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Schema]:
    for name, inner in needed.items():
        schema: JSONSchema = inner
        if isinstance(inner, list):
            schema = {"required": inner}
        yield {"type": "object", "required": [name], "not": schema}


def _items(inner: JSONSchema, schema: Mapping[str, Any]) -> Iterator[Schema]:
    known = len(schema.get("prefixItems", ()))
    firsts = {"prefixItems": [True] * known, "minItems": known + 1} if known else {"minItems": 1}
    yield {"type": "array", "items": {"not": inner}, **firsts}


def _firsts(firsts: list[JSONSchema], _: Mapping[str, Any]) -> Iterator[Schema]:
    for index, inner in enumerate(firsts):
        others: list[JSONSchema] = [True] * index
        yield {"type": "array", "minItems": index + 1, "prefixItems": [*others, {"not": inner}]}


def _contains(inner: JSONSchema, schema: Mapping[str, Any]) -> Iterator[Schema]:
    least = schema.get("minContains", 1)
    if least > 0:
        yield {"type": "array", "contains": inner, "minContains": 0, "maxContains": least - 1}
    if "maxContains" in schema:
        yield {"type": "array", "contains": inner, "minContains": schema["maxContains"] + 1}


def _all(schemas: list[JSONSchema], _: Mapping[str, Any]) -> Iterator[Schema]:
    for each in schemas:
        yield {"not": each}


def _any(schemas: list[JSONSchema], _: Mapping[str, Any]) -> Iterator[Schema]:
    yield {"allOf": [{"not": each} for each in schemas]}


def _one(schemas: list[JSONSchema], _: Mapping[str, Any]) -> Iterator[Schema]:
    yield {"allOf": [{"not": each} for each in schemas]}
    for index, first in enumerate(schemas):
        for second in schemas[index + 1 :]:
            yield {"allOf": [first, second]}


def _not(inner: JSONSchema, _: Mapping[str, Any]) -> Iterator[Schema]:
    yield {"allOf": [inner]}


def _if(condition: JSONSchema, schema: Mapping[str, Any]) -> Iterator[Schema]:
    if "then" in schema:
        yield {"allOf": [condition, {"not": schema["then"]}]}
    if "else" in schema:
        yield {"allOf": [{"not": condition}, {"not": schema["else"]}]}


_RULES: Mapping[str, Rule] = {
    "type": cast("Rule", _type),
    "minimum": _bound("exclusiveMaximum"),
    "maximum": _bound("exclusiveMinimum"),
    "exclusiveMinimum": _bound("maximum"),
    "exclusiveMaximum": _bound("minimum"),
    "minLength": _most("string", "maxLength"),
    "maxLength": _least("string", "minLength"),
    "minItems": _most("array", "maxItems"),
    "maxItems": _least("array", "minItems"),
    "minProperties": _most("object", "maxProperties"),
    "maxProperties": _least("object", "minProperties"),
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "dependentRequired": _depends,
    "dependentSchemas": _depends,
    "items": _items,
    "prefixItems": _firsts,
    "contains": _contains,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
}
_KEPT: Mapping[str, Schema] = {
    "const": {},
    "enum": {},
    "multipleOf": {"type": "number"},
    "pattern": {"type": "string"},
    "patternProperties": {"type": "object", "minProperties": 1},
    "propertyNames": {"type": "object", "minProperties": 1},
    "uniqueItems": {"type": "array", "minItems": 2},
    "unevaluatedItems": {"type": "array"},
    "unevaluatedProperties": {"type": "object"},
}
"""Keywords that are left under a `not`, and what is known all the same."""
