"""The schemas of a document as the checks look at them: all of them, at which place, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from openresponses_codegen.openapi import Document, Schema
from openresponses_codegen.openapi.schema import Scalar

TAG = "type"
"""The field that tells items, parts, tools and events apart (rule N1)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A schema, and how it stands in the document."""

    schema: Schema
    is_property: bool = False
    """Whether it describes a property, which may be one that must be absent."""


class Schemas:
    """The schemas of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.components: Mapping[str, Schema] = document.schemas
        bodies = ((each.request, each.response, each.events) for each in document.operations)
        self.bodies: tuple[Schema, ...] = tuple(schema for body in bodies for schema in body if schema is not None)
        """The schemas of requests, answers and streams."""

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every schema of the document, those inside others too, each once."""
        roots = [*self.components.values(), *self.bodies]
        return tuple(place for root in roots for place in _descendants(Place(root)))

    @cached_property
    def events(self) -> Mapping[str, Schema]:
        """The components of the event stream, by name."""
        streams = [each.events for each in self.document.operations if each.events is not None]
        names = [name for stream in streams for schema in _inside(stream) for name in _references(schema)]
        return {name: self.components[name] for name in names if name in self.components}

    def target(self, schema: Schema) -> Schema:
        """The schema behind references that have nothing beside them but notes."""
        seen: set[str] = set()
        while schema.ref is not None and schema.ref in self.components and schema.ref not in seen:
            seen.add(schema.ref)
            schema = self.components[schema.ref]
        return schema

    def parts(self, schema: Schema) -> tuple[Schema, ...]:
        """The schemas that a value has to satisfy together: those of `allOf`, through references, and itself."""
        found: dict[Schema, None] = {}
        pending = [schema]
        while pending:
            each = self.target(pending.pop())
            if each not in found:
                found[each] = None
                pending += reversed(each.all_of)
        return tuple(found)

    def constants(self, schema: Schema) -> tuple[Scalar, ...]:
        """The values that an enum or a constant admits; empty when any value may come."""
        return self.target(schema).enum or ()

    def references(self, schema: Schema) -> Iterator[str]:
        """The components that a schema refers to, anywhere in it."""
        for each in _inside(schema):
            yield from _references(each)

    def reached(self) -> frozenset[str]:
        """The components that an operation or the WebSocket leads to."""
        websocket = self.document.websocket
        pending = [name for body in self.bodies for name in self.references(body)]
        pending += [websocket.client_message, websocket.error_message] if websocket is not None else []
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name not in found and name in self.components:
                found.add(name)
                pending += self.references(self.components[name])
        return frozenset(found)


def _references(schema: Schema) -> Iterator[str]:
    if schema.ref is not None:
        yield schema.ref


def _inside(schema: Schema) -> Iterator[Schema]:
    return (place.schema for place in _descendants(Place(schema)))


def _descendants(place: Place) -> Iterator[Place]:
    pending = [place]
    while pending:
        each = pending.pop()
        yield each
        schema = each.schema
        inner = [Place(value, is_property=True) for value in schema.properties.values()]
        # What stands in `allOf` of a property is the property's own.
        inner += [Place(member, each.is_property) for member in schema.all_of]
        inner += [Place(member) for member in (*schema.one_of, *schema.any_of)]
        inner += [Place(value) for value in (schema.items, schema.additional) if isinstance(value, Schema)]
        pending += reversed(inner)
