"""Shapes: what schemas say, the same for every spelling of the same content. `normalising` makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from openresponses_codegen.ir import Constant, Default, EnumValue, Limit, ScalarKind
from openresponses_codegen.source import Node
from openresponses_codegen.text import SpecText

TAG = "type"
"""The field that tells items, parts, tools and events apart (rule N1)."""


@dataclass(frozen=True, slots=True)
class ScalarShape:
    """A scalar with limits, or any value (`any`), or nothing but null (`null`)."""

    kind: ScalarKind
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class FixedShape:
    """One value; in a schema of an extension, others beside it that mean the same (rule Z18)."""

    value: Constant
    aliases: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumShape:
    """Several values."""

    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class RefShape:
    """A component."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """A list."""

    item: Site
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class MapShape:
    """An object whose keys are data."""

    value: Site
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an object; `absent` when it must not be there."""

    name: str
    site: Site
    required: bool
    absent: bool


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object with known properties; `additional` tells whether the spec invites or refuses others."""

    properties: tuple[Property, ...]
    additional: bool | None
    node: Node = field(compare=False)
    vendor: str | None = None
    """The extension that adds it."""
    of_item: str | None = None
    """The type of the item that the extension says it belongs to."""


@dataclass(frozen=True, slots=True)
class UnionShape:
    """A union of two or more, or of one where the spec marks it as a union."""

    members: tuple[Site, ...]
    discriminator: str | None
    node: Node = field(compare=False)


Shape: TypeAlias = ScalarShape | FixedShape | EnumShape | RefShape | ArrayShape | MapShape | ObjectShape | UnionShape


@dataclass(frozen=True, slots=True)
class Site:
    """A shape at its place."""

    shape: Shape
    nullable: bool
    text: SpecText | None
    default: Default | None
    node: Node = field(compare=False)


ANY = ScalarShape("any")
NULL = ScalarShape("null")
