"""One of the two documents, with all that a comparison asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.diff.report import Origin, Place
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.components import Components, constant
from openresponses_codegen.lower.fingerprint import Canonical
from openresponses_codegen.lower.naming import Names
from openresponses_codegen.lower.shapes import TAG, ObjectShape, RefShape, Site, UnionShape
from openresponses_codegen.names import field_name
from openresponses_codegen.openapi import Document
from openresponses_codegen.source import Node


class Edition:
    """A document, normalised and named, and the name that the user gave it."""

    def __init__(self, name: str, document: Document, diagnostics: Diagnostics) -> None:
        """Take the document; what is wrong with its components and names is noted in `diagnostics`."""
        self.name = name
        self.document = document
        self.components = Components(document, diagnostics)
        self.reached: Mapping[str, frozenset[Side]] = self.components.reached(document)
        self.names = Names(self.components, self.reached, diagnostics)

    @property
    def sites(self) -> Mapping[str, Site]:
        """Its components, normalised."""
        return self.components.sites

    @cached_property
    def origin(self) -> Origin:
        """What a report says of it."""
        fingerprint = Canonical(self.components).digest(self.document)
        return Origin(self.name, self.document.release.version, fingerprint)

    def resolved(self, site: Site) -> tuple[Site, str | None]:
        """What a site stands for, through references, and the name of the last component on the way."""
        name: str | None = None
        nullable, default = site.nullable, site.default
        while isinstance(site.shape, RefShape):
            name = site.shape.name
            site = self.sites[name]
            nullable, default = nullable or site.nullable, default or site.default
        if name is None:
            return site, None
        return Site(site.shape, nullable, site.text, default, site.node), name

    def tags(self, site: Site) -> tuple[object, ...] | None:
        """The constants of an object by which unions tell it apart; None for what is no object with a `type`."""
        shape = self.resolved(site)[0].shape
        found = constant(shape, TAG) if isinstance(shape, ObjectShape) else None
        if found is None or not isinstance(shape, ObjectShape):
            return None
        role = constant(shape, "role")
        return (found.value, role.value if role is not None else None)

    def is_open(self, site: Site) -> bool:
        """Whether a member of a union is told apart by its `type`, so that unions with it are open (rule N3)."""
        shape = self.resolved(site)[0].shape
        if isinstance(shape, UnionShape):
            return all(self.is_open(member) for member in shape.members)
        return self.tags(site) is not None

    def classes(self, component: str | None, site: Site, sides: tuple[Side, ...]) -> list[tuple[Side, str]]:
        """The names that a component, or an inline shape, has in Python, by side."""
        if component is not None:
            return [(side, self.names.component(component, side)) for side in sides]
        names = ((side, self.names.inline_or_none(self.names.key(site, side))) for side in sides)
        return [(side, name) for side, name in names if name is not None]

    def field(self, wire_name: str) -> str:
        """The name of a property in Python."""
        return field_name(wire_name, self.names.classes) or wire_name


def place(node: Node | None) -> Place | None:
    """Where a value, with its key, was written."""
    if node is None:
        return None
    return Place(node.pointer, node.text.position(node.key_offset))


def keyword(node: Node, *names: str) -> Node:
    """The value of a keyword of a schema, wherever in its combinations it stands; the schema itself without one."""
    pending = [node]
    while pending:
        schema = pending.pop(0)
        for name in names:
            found = schema.get(name)
            if found is not None:
                return found
        for combination in ("allOf", "anyOf", "oneOf"):
            members = schema.get(combination)
            if members is not None and isinstance(members.value, tuple):
                pending += members.value
    return node
