"""Schemas that no value can satisfy, or none that ends."""

from __future__ import annotations

from collections.abc import Iterator, Set

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.doctor.schemas import Place, Schemas
from openresponses_codegen.openapi import Schema

_RANGES = (
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
    ("minProperties", "maxProperties", False),
)
"""A lower limit, an upper one, and whether nothing is left already when they are equal."""


def check_possible(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report what cannot be satisfied.

    Codes: `empty-range`, `required-and-forbidden`, `no-finite-value`.
    """
    for place in schemas.places:
        _check_ranges(place, diagnostics)
        _check_required(place.schema, schemas, diagnostics)
    _check_finite(schemas, diagnostics)


def _check_ranges(place: Place, diagnostics: Diagnostics) -> None:
    limits = dict(place.schema.limits)
    for low, high, when_equal in _RANGES:
        least, most = limits.get(low), limits.get(high)
        if not isinstance(least, int | float) or not isinstance(most, int | float):
            continue
        if low == "minLength" and place.is_property:
            continue  # the document's way to say that the property must be absent
        if least > most or (when_equal and least == most):
            diagnostics.error(
                "empty-range",
                f"`{low}: {least}` and `{high}: {most}` leave no value",
                at=place.schema.node.at_key(low),
                hint="correct one of the two limits",
            )


def _check_required(schema: Schema, schemas: Schemas, diagnostics: Diagnostics) -> None:
    parts = schemas.parts(schema) if schema.all_of else (schema,)
    forbidding = {name: part for part in reversed(parts) for name, value in part.properties.items() if value.is_absent}
    if not forbidding:
        return
    for part in parts:
        for name in sorted(part.required & forbidding.keys()):
            holder = forbidding[name]
            if schema.all_of and part is holder and holder is not schema:
                continue  # told where the part itself is looked at
            diagnostics.error(
                "required-and-forbidden",
                f"`{name}` is required, and must be absent",
                at=holder.properties[name].node,
                hint=f"remove it from `required` at {part.node.at_key('required').position}, or allow a value",
            )


def _check_finite(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report components every value of which holds another value of the same component, without end."""
    finite = _finite(schemas)
    settled: set[str] = set()
    for name in schemas.components:
        path: list[str] = []
        following: str | None = name
        while following is not None and following not in finite and following not in settled | set(path):
            path.append(following)
            following = next(_blocking(schemas.components[following], schemas, finite), None)
        if following is not None and following in path:
            cycle = [*path[path.index(following) :], following]
            way = " needs ".join(f"`{each}`" for each in cycle)
            diagnostics.error(
                "no-finite-value",
                f"no value of `{following}` ever ends: {way}",
                at=schemas.components[following].node,
                hint="make one of the properties on the way optional or nullable",
            )
        settled.update(path)


def _finite(schemas: Schemas) -> frozenset[str]:
    """The components that have a value which ends: the least set for which this holds."""
    found: set[str] = set()
    waiting: dict[str, list[str]] = {}
    pending = list(schemas.components)
    while pending:
        name = pending.pop()
        blocker = next(_blocking(schemas.components[name], schemas, found), None)
        if blocker is not None:
            waiting.setdefault(blocker, []).append(name)
        elif name not in found:
            found.add(name)
            pending += waiting.pop(name, ())
    return frozenset(found)


def _blocking(schema: Schema, schemas: Schemas, finite: Set[str]) -> Iterator[str]:
    """The components that every value of a schema holds, and that are not known to have one that ends."""
    if "null" in schema.types or None in (schema.enum or ()):
        return
    if schema.ref is not None and schema.ref in schemas.components and schema.ref not in finite:
        yield schema.ref
    for member in schema.all_of:
        yield from _blocking(member, schemas, finite)
    for members in (schema.one_of, schema.any_of):
        blocked = [next(_blocking(member, schemas, finite), None) for member in members]
        if blocked and blocked[0] is not None and None not in blocked:
            yield blocked[0]
    if schema.types not in ((), ("object",)) and "array" not in schema.types:
        return
    for name in sorted(schema.required & schema.properties.keys()):
        yield from _blocking(schema.properties[name], schemas, finite)
    if schema.items is not None and dict(schema.limits).get("minItems", 0):
        yield from _blocking(schema.items, schemas, finite)
