"""The components of a document as sites, and what one has to know of them to place a reference.

Also the place of two rules of shape: a list or property of objects that bear a `type` is a union of one, open to
the types of vendors (rules N1, N3), however it is spelled; and each component is reached from requests, from
responses, from both or from neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import is_

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.normalising import Normaliser
from openresponses_codegen.lower.shapes import (
    ANY,
    TAG,
    ArrayShape,
    EnumShape,
    FixedShape,
    MapShape,
    ObjectShape,
    Property,
    RefShape,
    Shape,
    Site,
    UnionShape,
)
from openresponses_codegen.openapi import Document, Schema


class Components:
    """The normalised components of a document."""

    def __init__(self, document: Document, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self.normaliser = Normaliser(document.schemas, diagnostics)
        self._raw = {name: self.normaliser.site(schema) for name, schema in document.schemas.items()}
        self._check_cycles()
        self.sites: Mapping[str, Site] = {name: self._opened(site) for name, site in self._raw.items()}

    def site(self, schema: Schema) -> Site:
        """The site of a schema outside the components."""
        return self._opened(self.normaliser.site(schema))

    def _opened(self, site: Site) -> Site:
        """The site, with a union of one wherever it refers to an object that bears a `type`."""
        shape = site.shape
        match shape:
            case RefShape(name) if self.is_variant(name):
                member = Site(shape, nullable=False, text=None, default=None, node=site.node)
                return replace(site, shape=UnionShape((member,), TAG, site.node))
            case ArrayShape(item):
                opened = self._opened(item)
                return site if opened is item else replace(site, shape=replace(shape, item=opened))
            case MapShape(value):
                opened = self._opened(value)
                return site if opened is value else replace(site, shape=replace(shape, value=opened))
            case ObjectShape(properties):
                fields = tuple(self._opened_property(each) for each in properties)
                is_same = all(map(is_, fields, properties))
                return site if is_same else replace(site, shape=replace(shape, properties=fields))
            case UnionShape(members):
                inner = tuple(each if isinstance(each.shape, RefShape) else self._opened(each) for each in members)
                is_same = all(map(is_, inner, members))
                return site if is_same else replace(site, shape=replace(shape, members=inner))
            case _:
                return site

    def _opened_property(self, each: Property) -> Property:
        opened = self._opened(each.site)
        return each if opened is each.site else replace(each, site=opened)

    def is_variant(self, name: str) -> bool:
        """Whether a component is an object with a constant `type`."""
        shape = self._raw[name].shape
        return isinstance(shape, ObjectShape) and constant(shape, TAG) is not None

    def descendants(self, path: str, site: Site, *, nested: bool = False) -> Iterator[tuple[str, Site, bool]]:
        """The site and everything inline in it, each with its path and whether it is nested in another type."""
        yield path, site, nested
        match site.shape:
            case ArrayShape(item):
                yield from self.descendants(f"{path}[]", item, nested=True)
            case MapShape(value) if value.shape != ANY:
                yield from self.descendants(f"{path}{{}}", value, nested=True)
            case ObjectShape(properties):
                for each in properties:
                    if not each.absent:
                        yield from self.descendants(f"{path}.{each.name}", each.site)
            case UnionShape(members):
                for member in members:
                    yield from self.descendants(self._member_path(path, member), member, nested=True)
            case _:
                pass

    def _member_path(self, path: str, member: Site) -> str:
        match member.shape:
            case ObjectShape() as shape:
                tag = constant(shape, TAG)
                return f"{path}:{tag.value if tag else 'object'}"
            case EnumShape() | ArrayShape():
                return path
            case MapShape():
                return f"{path}:map"
            case shape:
                return f"{path}:{getattr(shape, 'kind', 'value')}"

    def reached(self, document: Document) -> Mapping[str, frozenset[Side]]:
        """Which sides use each component; none for those that nothing reaches."""
        sides: dict[str, set[Side]] = {name: set() for name in self.sites}
        for side, site in self._roots(document):
            pending = [site]
            while pending:
                for _, inner, _ in self.descendants("", pending.pop()):
                    if isinstance(inner.shape, RefShape) and side not in sides[inner.shape.name]:
                        sides[inner.shape.name].add(side)
                        pending.append(self.sites[inner.shape.name])
        return {name: frozenset(used) for name, used in sides.items()}

    def _roots(self, document: Document) -> Iterator[tuple[Side, Site]]:
        for operation in document.operations:
            for side, schema in (
                (Side.REQUEST, operation.request),
                (Side.RESPONSE, operation.response),
                (Side.RESPONSE, operation.events),
            ):
                if schema is not None:
                    yield side, self.site(schema)
        if document.websocket is not None:
            for side, name in (
                (Side.REQUEST, document.websocket.client_message),
                (Side.RESPONSE, document.websocket.error_message),
            ):
                yield (
                    side,
                    Site(RefShape(name), nullable=False, text=None, default=None, node=document.websocket.node),
                )

    def _check_cycles(self) -> None:
        """Report components that are made of nothing but themselves, as they are or in lists, and cut them."""
        settled: set[str] = set()
        for name in list(self._raw):
            path: list[str] = []
            following: str | None = name
            while following is not None and following not in settled and following not in path:
                path.append(following)
                following = _made_of(self._raw[following].shape)
            if following is not None and following in path:
                site = self._raw[following]
                self._diagnostics.error("cyclic-reference", f"`{following}` leads only back to itself", at=site.node)
                self._raw[following] = replace(site, shape=ANY)
            settled.update(path)


def _made_of(shape: Shape) -> str | None:
    """The one component that a reference, or a list or map of it, is made of."""
    while isinstance(shape, ArrayShape | MapShape):
        shape = shape.item.shape if isinstance(shape, ArrayShape) else shape.value.shape
    return shape.name if isinstance(shape, RefShape) else None


def constant(shape: ObjectShape, name: str) -> FixedShape | None:
    """The constant in a property of an object."""
    found = next((each.site.shape for each in shape.properties if each.name == name and not each.absent), None)
    return found if isinstance(found, FixedShape) else None
