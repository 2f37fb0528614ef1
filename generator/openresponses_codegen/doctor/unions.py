"""Unions that take one value twice, so that nobody can tell which member was meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from openresponses_codegen.diagnostics import Diagnostics, shown
from openresponses_codegen.doctor.schemas import TAG, Schemas
from openresponses_codegen.doctor.values import equal
from openresponses_codegen.openapi import Schema
from openresponses_codegen.openapi.schema import Scalar, component_name

MAX_PAIRS = 50_000
"""So many pairs of members are compared in a document; the official ones have a few hundred."""
_MAX_DEPTH = 8
_KINDS = frozenset({"string", "number", "boolean", "null", "array", "object"})


def check_unions(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report members of a union that share a value, and discriminators that lead elsewhere.

    Under `anyOf` only objects count: there, a value that several members admit is no contradiction.

    Codes: `overlapping-members`, `bad-mapping`.
    """
    overlaps = _Overlaps(schemas)
    for first, second, is_exact in islice(_pairs(schemas), MAX_PAIRS):
        shared = overlaps.shared(first, second)
        if shared is not None and (is_exact or shared == _OBJECT):
            diagnostics.warning(
                "overlapping-members",
                f"this member of the union and the one at {first.node.position} both allow {shared}",
                at=second.node,
                hint="require a constant that tells them apart, such as `type`, or narrow one of them",
            )
    for place in schemas.places:
        _check_mapping(place.schema, schemas, diagnostics)


def _pairs(schemas: Schemas) -> Iterator[tuple[Schema, Schema, bool]]:
    """The members of each union, two and two, and whether just one of them may admit a value."""
    for place in schemas.places:
        for members, is_exact in ((place.schema.one_of, True), (place.schema.any_of, False)):
            yield from ((first, second, is_exact) for first, second in combinations(members, 2))


_OBJECT = "an object that neither refuses"


class _Overlaps:
    """What two schemas both allow, as far as kinds, constants and required properties tell."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._known: dict[tuple[Schema, Schema], str | None] = {}

    def shared(self, first: Schema, second: Schema, depth: int = 0) -> str | None:
        """A value that both allow, in words; None when they have none in common, or it cannot be told."""
        if depth > _MAX_DEPTH:
            return None
        key = (first, second)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._shared(self._schemas.target(first), self._schemas.target(second), depth)
        return self._known[key]

    def _shared(self, first: Schema, second: Schema, depth: int) -> str | None:
        if first.one_of or first.any_of:
            members = (*first.one_of, *first.any_of)
            return next((found for each in members if (found := self.shared(each, second, depth + 1))), None)
        if second.one_of or second.any_of:
            return self.shared(second, first, depth + 1)
        kinds = self._kinds(first) & self._kinds(second)
        if "null" in kinds:
            return "null"
        constants = self._values(first) or self._values(second)
        if constants is not None:
            others = self._values(second)
            common = [
                value
                for value in constants
                if _kind_of(value) in kinds and (others is None or any(equal(value, each) for each in others))
            ]
            return f"`{shown(str(common[0]), 60)}`" if common else None
        if kinds - {"object"}:
            return f"the same {min(kinds - {'object'})}"
        if not kinds or self._are_apart(first, second, depth):
            return None
        return _OBJECT

    def _are_apart(self, first: Schema, second: Schema, depth: int) -> bool:
        """Whether a required property tells two objects apart."""
        parts = [self._schemas.parts(each) for each in (first, second)]
        properties = [{name: value for part in each for name, value in part.properties.items()} for each in parts]
        required = [frozenset[str]().union(*(part.required for part in each)) for each in parts]
        closed = [any(part.additional is False for part in each) for each in parts]
        for name in sorted(required[0] | required[1]):
            ours, theirs = properties[0].get(name), properties[1].get(name)
            if ours is None or theirs is None:
                if closed[0 if ours is None else 1]:
                    return True
            elif ours.is_absent or theirs.is_absent or self.shared(ours, theirs, depth + 1) is None:
                return True
        return False

    def _kinds(self, schema: Schema) -> frozenset[str]:
        kinds = _KINDS
        for part in self._schemas.parts(schema):
            if part.types:
                kinds &= {"number" if name == "integer" else name for name in part.types}
            elif part.enum is not None:
                kinds &= {_kind_of(value) for value in part.enum}
            elif part.properties:
                kinds &= {"object"}
            elif part.items is not None:
                kinds &= {"array"}
        return kinds

    def _values(self, schema: Schema) -> tuple[Scalar, ...] | None:
        return next((part.enum for part in self._schemas.parts(schema) if part.enum is not None), None)


def _kind_of(value: Scalar) -> str:
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def _check_mapping(schema: Schema, schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report entries of a discriminator that name a component with another constant, or none of the union."""
    members = {member.ref for member in (*schema.one_of, *schema.any_of)}
    for value, reference in schema.mapping.items():
        discriminator = schema.node.get("discriminator")
        at = discriminator.get("mapping") if discriminator is not None else None
        name = component_name(reference, schema.node, frozenset(schemas.components), Diagnostics()) or reference
        target = schemas.components.get(name)
        tagged = [part.properties.get(schema.discriminator or TAG) for part in schemas.parts(target)] if target else []
        constants = [value for tag in tagged if tag is not None for value in schemas.constants(tag)]
        if name in members and (not constants or value in constants):
            continue
        what = f"has the constant `{shown(str(constants[0]), 60)}`" if name in members else "is no member of the union"
        diagnostics.warning(
            "bad-mapping",
            f"the discriminator leads `{value}` to `{name}`, which {what}",
            at=at.at_key(value) if at is not None and at.get(value) is not None else schema.node,
            hint="correct the mapping, or remove it: the constants say the same",
        )
