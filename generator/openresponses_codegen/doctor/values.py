"""Whether a value has the shape that its schema gives it, told at the place in the value where it has not.

It looks at a value as it stands in a document, so that a finding has a line, and it knows the keywords that the
generator knows: a document with any other is refused before. `oneOf` is read as `anyOf`; a union that takes one value
twice is a defect of the union (see `unions`), not of the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TypeGuard

from openresponses_codegen.diagnostics import shown
from openresponses_codegen.doctor.schemas import TAG, Schemas
from openresponses_codegen.openapi import Schema
from openresponses_codegen.openapi.schema import Scalar, article
from openresponses_codegen.source import Node

MAX_MISMATCHES = 3
"""So many are told of one value; further ones mostly follow from these."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What is wrong with a value, and where in it."""

    node: Node
    message: str


class Values:
    """Holds values against the schemas of a document; one answer for each value and schema is kept."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._known: dict[tuple[Schema, Node], tuple[Mismatch, ...]] = {}

    def mismatches(self, schema: Schema, value: Node) -> tuple[Mismatch, ...]:
        """Where a value is not what the schema allows; nothing when it fits."""
        key = (schema, value)
        if key not in self._known:
            # A union that leads back to itself with the same value adds nothing to what its other members allow.
            self._known[key] = (Mismatch(value, "its schema leads only back to itself"),)
            self._known[key] = tuple(islice(self._all(schema, value), MAX_MISMATCHES))
        return self._known[key]

    def fits(self, schema: Schema, value: Node) -> bool:
        """Whether a value is one that the schema allows."""
        return not self.mismatches(schema, value)

    def _all(self, schema: Schema, value: Node) -> Iterator[Mismatch]:
        if schema.is_absent:
            yield Mismatch(value, "it must be absent")
            return
        yield from self._combined(schema, value)
        if schema.types and not _is_of(schema.types, value):
            yield Mismatch(value, f"{' or '.join(schema.types)} is needed, not {article(value.kind)}")
            return
        if schema.enum is not None and not any(equal(value.value, each) for each in schema.enum):
            allowed = ", ".join(json.dumps(each) for each in schema.enum)
            yield Mismatch(value, f"{_quoted(value)} is none of the allowed values ({shown(allowed, 120)})")
        yield from _limited(schema, value)
        if isinstance(value.value, dict):
            yield from self._object(schema, value, value.value)
        elif isinstance(value.value, tuple) and schema.items is not None:
            for item in value.value:
                yield from self.mismatches(schema.items, item)

    def _combined(self, schema: Schema, value: Node) -> Iterator[Mismatch]:
        if schema.ref is not None and schema.ref in self._schemas.components:
            yield from self.mismatches(self._schemas.components[schema.ref], value)
        for member in schema.all_of:
            yield from self.mismatches(member, value)
        for members in (schema.any_of, schema.one_of):
            if members and not any(self.fits(member, value) for member in members):
                yield from self._no_member(members, value)

    def _object(self, schema: Schema, value: Node, properties: Mapping[str, Node]) -> Iterator[Mismatch]:
        for name in sorted(schema.required - properties.keys()):
            yield Mismatch(value, f"`{name}` is missing")
        for name, item in properties.items():
            if name in schema.properties:
                yield from self.mismatches(schema.properties[name], item)
            elif isinstance(schema.additional, Schema):
                yield from self.mismatches(schema.additional, item)
            elif schema.additional is False:
                yield Mismatch(item, f"`{name}` is not declared, and nothing else is allowed")

    def _no_member(self, members: tuple[Schema, ...], value: Node) -> Iterator[Mismatch]:
        """What is wrong, seen from the member that was meant: the one whose constants the value has."""
        meant = [member for member in members if self._is_meant(member, value)]
        if len(meant) == 1:
            yield from self.mismatches(meant[0], value)
        else:
            yield Mismatch(value, f"{_quoted(value)} fits no member of the union")

    def _is_meant(self, member: Schema, value: Node) -> bool:
        target = self._schemas.target(member)
        if target.one_of or target.any_of:
            return any(self._is_meant(each, value) for each in (*target.one_of, *target.any_of))
        if target.types and not _is_of(target.types, value):
            return False
        for part in self._schemas.parts(member):
            for name, schema in part.properties.items():
                constants, given = self._schemas.constants(schema), value.get(name)
                if len(constants) == 1 and given is not None and not equal(given.value, constants[0]):
                    return False
        return not isinstance(value.value, dict) or value.get(TAG) is not None


def equal(value: object, constant: Scalar) -> bool:
    """Whether two JSON scalars are the same value: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool) or isinstance(constant, bool):
        return value is constant
    return value == constant


def _is_of(types: tuple[str, ...], value: Node) -> bool:
    is_whole = isinstance(value.value, float) and value.value.is_integer()
    kinds = {value.kind} | ({"number"} if value.kind == "integer" else {"integer"} if is_whole else set[str]())
    return not kinds.isdisjoint(types)


def _limited(schema: Schema, value: Node) -> Iterator[Mismatch]:
    for keyword, limit in schema.limits:
        if isinstance(limit, str):
            if isinstance(value.value, str) and not _matches(limit, value.value):
                yield Mismatch(value, f"{_quoted(value)} does not match the pattern {shown(limit, 120)}")
        elif (size := _size(keyword, value.value)) is not None and not _keeps_to(keyword, size, limit):
            yield Mismatch(value, f"{_quoted(value)} does not keep to `{keyword}: {limit}`")


def _size(keyword: str, value: object) -> float | None:
    """What a keyword limits of a value; None when it says nothing about it."""
    match keyword:
        case "minLength" | "maxLength":
            return len(value) if isinstance(value, str) else None
        case "minItems" | "maxItems":
            return len(value) if _is_list(value) else None
        case "minProperties" | "maxProperties":
            return len(value) if _is_table(value) else None
        case _:
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_list(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _is_table(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _keeps_to(keyword: str, size: float, limit: float) -> bool:
    match keyword:
        case "exclusiveMinimum":
            return size > limit
        case "exclusiveMaximum":
            return size < limit
        case "multipleOf":
            return Decimal(repr(size)) % Decimal(repr(limit)) == 0
        case _:
            return size >= limit if keyword.startswith("min") else size <= limit


@cache
def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches, asked of the engine that generated code uses."""
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415 - few documents have a pattern

    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python(text)


def _quoted(value: Node) -> str:
    if isinstance(value.value, dict | tuple):
        return article(value.kind)
    return shown(json.dumps(value.value, ensure_ascii=False), 80)
