"""What kind of union a union is.

Objects are told apart by a constant, nested where one is not enough (`role` within `type`); values beside objects
are split off, and told apart by their JSON shape. What neither tells apart is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Constant
from openresponses_codegen.lower.components import Components, constant
from openresponses_codegen.lower.shapes import (
    TAG,
    ArrayShape,
    EnumShape,
    FixedShape,
    MapShape,
    ObjectShape,
    RefShape,
    ScalarShape,
    Site,
    UnionShape,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """An object of a union: at its own place when inline, else the component it is."""

    site: Site
    shape: ObjectShape


@dataclass(frozen=True, slots=True)
class Members:
    """A union's members, sorted. `is_open_enum`: an enum beside any string, which admits every string."""

    objects: tuple[Variant, ...]
    plain: tuple[Site, ...]
    is_open_enum: bool = False


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How objects are told apart: by the constant in `tag`; groups of several share one, and differ in `nested`."""

    tag: str
    groups: tuple[tuple[Constant, tuple[Variant, ...]], ...]
    nested: str | None


def members(union: UnionShape, components: Components) -> Members:
    """The members of a union, those of unions it refers to among them, each once."""
    objects: list[Variant] = []
    plain: list[Site] = []
    pending = list(reversed(union.members))
    expanded: set[str] = set()
    while pending:
        member = pending.pop()
        shape = member.shape
        while isinstance(shape, RefShape) and isinstance(components.sites[shape.name].shape, RefShape):
            shape = components.sites[shape.name].shape
        name = shape.name if isinstance(shape, RefShape) else None
        if name is not None and name in expanded:
            continue
        expanded |= {name} if name is not None else set()
        target = components.sites[name].shape if name is not None else shape
        if isinstance(target, ObjectShape):
            objects.append(Variant(member, target))
        elif isinstance(target, UnionShape):
            pending += reversed(target.members)
        else:
            plain.append(member)
    kinds = {type(site.shape) for site in plain} if not objects else set[type]()
    open_enum = len(plain) == 2 and not objects and any(_is_any_string(site) for site in plain)
    if open_enum and (EnumShape in kinds or any(_is_enum(site, components) for site in plain)):
        enums = tuple(site for site in plain if not _is_any_string(site))
        return Members((), enums, is_open_enum=True)
    return Members(tuple(objects), tuple(plain))


def _is_any_string(site: Site) -> bool:
    return site.shape == ScalarShape("string")


def _is_enum(site: Site, components: Components) -> bool:
    return isinstance(site.shape, RefShape) and isinstance(components.sites[site.shape.name].shape, EnumShape)


def dispatch(union: UnionShape, objects: tuple[Variant, ...], diagnostics: Diagnostics) -> Dispatch | None:
    """How to tell the objects of a union apart; None, and a diagnostic, when nothing does."""
    tags = [union.discriminator] if union.discriminator else _shared_constants(objects)
    for tag in tags:
        groups: dict[Constant, list[Variant]] = {}
        aliases: list[Constant] = []
        for variant in objects:
            found = constant(variant.shape, tag)
            if found is None:
                break
            groups.setdefault(found.value, []).append(variant)
            aliases += found.aliases
        else:
            if len({*aliases, *groups}) < len(aliases) + len(groups):
                continue
            nested = _nested_tag(tag, [group for group in groups.values() if len(group) > 1])
            if nested is not None:
                sorted_groups = tuple((value, tuple(group)) for value, group in groups.items())
                return Dispatch(tag, sorted_groups, nested or None)
    what = f"by `{union.discriminator}`" if union.discriminator else "by a constant"
    diagnostics.error(
        "ambiguous-union",
        f"the objects of this union cannot be told apart {what}",
        at=union.node,
        hint="give each a property with a one-value enum, such as `type`, that differs from the others'",
    )
    return None


def _shared_constants(objects: tuple[Variant, ...]) -> list[str]:
    """The properties that are constants in all objects; `type` first, then by name."""
    first, *others = (
        frozenset(each.name for each in variant.shape.properties if isinstance(each.site.shape, FixedShape))
        for variant in objects
    )
    shared = first.intersection(*others)
    return sorted(shared, key=lambda name: (name != TAG, name))


def _nested_tag(tag: str, groups: list[list[Variant]]) -> str | None:
    """The constant that tells apart the objects of every group; empty when there is no group, None when none does."""
    if not groups:
        return ""
    for name in _shared_constants(tuple(variant for group in groups for variant in group)):
        values = [
            [found.value if (found := constant(each.shape, name)) else None for each in group] for group in groups
        ]
        if name != tag and all(len(set(each)) == len(each) for each in values):
            return name
    return None


def json_shape(site: Site, components: Components) -> str:
    """The JSON shape of a plain member: `string`, `number`, `boolean`, `array`, `object` or `any`."""
    shape = site.shape
    while isinstance(shape, RefShape):
        shape = components.sites[shape.name].shape
    match shape:
        case ScalarShape(kind):
            return "number" if kind == "integer" else kind
        case FixedShape(value):
            return _shape_of(value)
        case EnumShape(values):
            return _shape_of(values[0].value)
        case ArrayShape():
            return "array"
        case MapShape() | ObjectShape():
            return "object"
        case UnionShape():
            return "any"


def _shape_of(value: Constant) -> str:
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int) else "string"
