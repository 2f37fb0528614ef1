"""Declarations: models, unions, enums and aliases, each with its finished name and its side.

Rules: Z1 (presence), N1 and N3 (open unions), N4 (open enums), Z4 and Z6 (fields that the spec has as null only),
Z17 (free objects).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import reduce
from operator import add

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Presence, Side
from openresponses_codegen.lower.components import Components, constant
from openresponses_codegen.lower.naming import Group, Names
from openresponses_codegen.lower.shapes import (
    NULL,
    TAG,
    ArrayShape,
    EnumShape,
    FixedShape,
    MapShape,
    ObjectShape,
    Property,
    RefShape,
    ScalarShape,
    Shape,
    Site,
    UnionShape,
)
from openresponses_codegen.lower.unions import Members, Variant, dispatch, json_shape, members
from openresponses_codegen.lower.words import words
from openresponses_codegen.names import field_name
from openresponses_codegen.text import SpecText


class Declarer:
    """Declares everything that the components of a document need."""

    def __init__(self, components: Components, names: Names, diagnostics: Diagnostics) -> None:
        self._components = components
        self._names = names
        self._diagnostics = diagnostics
        self._declared: dict[str, ir.Declaration] = {}

    def declarations(self) -> tuple[ir.Declaration, ...]:
        """All declarations, in the order of the document; what is inline comes before what it is in."""
        for name, site in self._components.sites.items():
            for side in self._names.sides(name):
                self._component(name, site, side)
        return tuple(self._declared.values())

    # Components ------------------------------------------------------------------------------------------------

    def _component(self, component: str, site: Site, side: Side) -> None:
        name = self._names.component(component, side)
        if name in self._declared:
            return
        declared = self._declare(name, site, side, site.text)
        if site.nullable and not isinstance(declared, ir.Alias):
            self._diagnostics.error(
                "nullable-component",
                f"`{component}` may be null as a whole",
                at=site.node,
                hint="let the places that refer to it add null",
            )
        self._declared[name] = declared

    def _declare(self, name: str, site: Site, side: Side, text: SpecText | None) -> ir.Declaration:
        match site.shape:
            case ObjectShape() as shape:
                return self._model(name, shape, side, text)
            case EnumShape(values):
                return ir.Enum(name, text, values)
            case UnionShape() as union:
                return self._union(name, union, site, side, text)
            case ScalarShape(kind, limits):
                bare: ir.Type = ir.Scalar(kind, limits)
                return ir.Alias(name, text, ir.Nullable(bare) if site.nullable else bare)
            case _:
                return ir.Alias(name, self._with_items(site, text), self._type(site, side))

    def _named(self, key: Hashable, side: Side) -> str:
        """The name of an inline shape, declared on first use."""
        name = self._names.inline(key)
        if name not in self._declared:
            group = self._names.group(key)
            site = replace(group.representative(), nullable=False)  # null is added where it is used
            self._declared[name] = ir.Alias(name, None, ir.Scalar("any"))  # a place, so that recursion ends
            declared = self._declare(name, site, side, self._inline_text(name, group))
            del self._declared[name]
            self._declared[name] = declared
        return name

    def _inline_text(self, name: str, group: Group) -> SpecText | None:
        """What is said about an inline shape: where it is an item or a value, by the spec, else by us, else by the
        one property that it stands in.
        """
        own = sorted({site.text for path, site in group.sites if site.text is not None and path.endswith(("]", "}"))})
        if own:
            return reduce(add, own)
        texts = {site.text for _, site in group.sites if site.text is not None}
        return _curated(name) or (texts.pop() if len(texts) == 1 else None)

    def _model(self, name: str, shape: ObjectShape, side: Side, text: SpecText | None) -> ir.Model:
        tag = constant(shape, TAG)
        return ir.Model(
            name,
            side,
            ir.Role.OBJECT,
            text,
            tuple(self._fields(shape, side, tag)),
            forbidden=tuple(ir.Forbidden(each.name, each.site.text) for each in shape.properties if each.absent),
            closed=shape.additional is False and side is Side.REQUEST,
            extensible=shape.additional is True,
            aliases=tuple(str(alias) for alias in tag.aliases) if tag is not None else (),
            vendor=shape.vendor,
            of_item=shape.of_item,
        )

    def _fields(self, shape: ObjectShape, side: Side, tag: FixedShape | None) -> Iterator[ir.Field]:
        taken: dict[str, Property] = {}
        for each in shape.properties:
            if each.absent:
                continue
            name = field_name(each.name, self._names.classes)
            if name is None:
                self._diagnostics.error(
                    "bad-name", f"no Python name can be made of the property `{each.name}`", at=each.site.node
                )
                continue
            if name in taken:
                self._diagnostics.error(
                    "name-collision",
                    f"the properties `{taken[name].name}` and `{each.name}` would both be named `{name}`",
                    at=each.site.node,
                    hint=f"rename one of them; the other is at {taken[name].site.node.position}",
                )
                continue
            taken[name] = each
            yield self._field(name, each, side, tag)

    def _field(self, name: str, each: Property, side: Side, tag: FixedShape | None) -> ir.Field:
        site = each.site
        if site.shape == NULL and tag is not None:
            of = self._counterpart(each.name, tag, side) or ir.Scalar("null")
            kind: ir.Type = of if of == ir.Scalar("null") else ir.Nullable(of)
            nullable = True
        else:
            kind = self._type(site, side)
            nullable = self._is_nullable(site)
        absent = Presence.OPTIONAL if nullable else Presence.OMITTABLE
        presence = Presence.REQUIRED if each.required else absent
        default = ir.Default(site.shape.value) if isinstance(site.shape, FixedShape) else site.default
        self._check_default(site)
        if each.required and not isinstance(site.shape, FixedShape):
            default = None
        return ir.Field(name, each.name, kind, presence, default, self._with_items(site, site.text))

    def _is_nullable(self, site: Site) -> bool:
        """Whether a value may be null, by itself or by the component that it is."""
        while not site.nullable and isinstance(site.shape, RefShape):
            site = self._components.sites[site.shape.name]
        return site.nullable or site.shape == NULL

    def _with_items(self, site: Site, text: SpecText | None) -> SpecText | None:
        """The text of a site, with what is said about its items or values where they have no name of their own."""
        shape = site.shape
        inner = shape.item if isinstance(shape, ArrayShape) else shape.value if isinstance(shape, MapShape) else None
        if inner is None:
            return text
        is_named = isinstance(inner.shape, UnionShape | EnumShape | ObjectShape) or (
            isinstance(inner.shape, ScalarShape | ArrayShape | MapShape) and bool(inner.shape.limits)
        )
        said = None if is_named else self._with_items(inner, inner.text)
        return text + said if text is not None and said is not None else text or said

    def _check_default(self, site: Site) -> None:
        value = site.default.value if site.default is not None else None
        if value is None:
            return
        shape = site.shape
        while isinstance(shape, RefShape):
            shape = self._components.sites[shape.name].shape
        match shape:
            case FixedShape(fixed, aliases):
                fits = value in (fixed, *aliases)
            case EnumShape(values):
                fits = value in [each.value for each in values]
            case ScalarShape("any"):
                fits = True
            case ScalarShape("integer", limits):
                fits = isinstance(value, int) and not isinstance(value, bool) and _within(value, limits)
            case ScalarShape("number" | "string", limits) if isinstance(value, str) == (shape.kind == "string"):
                fits = not isinstance(value, bool) and _within(value, limits)
            case ScalarShape() | ArrayShape() | MapShape() | ObjectShape():
                kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
                fits = json_shape(site, self._components) == kind
            case _:
                fits = True
        if not fits:
            self._diagnostics.error("bad-default", "the default is no value of its own schema", at=site.node)

    def _counterpart(self, wire_name: str, tag: FixedShape, side: Side) -> ir.Type | None:
        """The type that the other side gives to a field which the spec has as null only (rules Z4, Z6)."""
        other = Side.RESPONSE if side is Side.REQUEST else Side.REQUEST
        for component, site in self._components.sites.items():
            if other not in self._names.sides(component) or not isinstance(site.shape, ObjectShape):
                continue
            if constant(site.shape, TAG) == tag:
                found = next((each.site for each in site.shape.properties if each.name == wire_name), None)
                if found is not None and found.shape != NULL:
                    # A client reads on the response side whatever it was that it sent.
                    return self._type(found, Side.RESPONSE if self._names.is_sided(found.shape) else side, bare=True)
        return None

    # Types -----------------------------------------------------------------------------------------------------

    def _type(self, site: Site, side: Side, *, nested: bool = False, bare: bool = False) -> ir.Type:
        """The type at a site. `bare` leaves null out."""
        kind = self._bare_type(site, side, nested=nested)
        return ir.Nullable(kind) if site.nullable and not bare and site.shape != NULL else kind

    def _bare_type(self, site: Site, side: Side, *, nested: bool) -> ir.Type:
        match site.shape:
            case ScalarShape(limits=limits) | ArrayShape(limits=limits) | MapShape(limits=limits) if limits and nested:
                return ir.Reference(self._named(self._names.key(site, side), side))
            case ScalarShape(kind, limits):
                return ir.Scalar(kind, limits)
            case FixedShape(value, aliases):
                return ir.Fixed(value, aliases)
            case EnumShape():
                return self._enum(self._named(self._names.key(site, side), side), side)
            case RefShape(component):
                return self._reference(component, side)
            case ArrayShape(item, limits):
                return ir.Array(self._type(item, side, nested=True), limits)
            case MapShape(value, limits):
                return ir.Map(self._type(value, side, nested=True), limits)
            case ObjectShape():
                return ir.Reference(self._named(self._names.key(site, side), side))
            case UnionShape() as union:
                return self._open_enum(union) or ir.Reference(self._named(self._names.key(site, side), side))

    def _reference(self, component: str, side: Side) -> ir.Type:
        shape = self._components.sites[component].shape
        while isinstance(shape, RefShape):
            shape = self._components.sites[shape.name].shape
        if isinstance(shape, EnumShape):
            return self._enum(component, side)
        return ir.Reference(self._names.component(component, side))

    def _open_enum(self, union: UnionShape) -> ir.Type | None:
        """An enum that the spec itself opens, by listing it beside any string."""
        sorted_members = members(union, self._components)
        if not sorted_members.is_open_enum:
            return None
        kind = self._bare_type(sorted_members.plain[0], Side.RESPONSE, nested=True)
        return kind if isinstance(kind, ir.OpenEnum) else ir.Scalar("string")

    def _enum(self, name: str, side: Side) -> ir.Type:
        kinds = {type(value.value) for value in self._enum_values(name)}
        if side is Side.REQUEST or len(kinds) > 1 or bool in kinds:
            return ir.Reference(name)
        return ir.OpenEnum(name, "string" if str in kinds else "integer")

    def _enum_values(self, name: str) -> tuple[ir.EnumValue, ...]:
        declared = self._declared.get(name)
        if isinstance(declared, ir.Enum):
            return declared.values
        if name not in self._components.sites:
            return ()
        shape: Shape = RefShape(name)
        while isinstance(shape, RefShape):
            shape = self._components.sites[shape.name].shape
        return shape.values if isinstance(shape, EnumShape) else ()

    # Unions ----------------------------------------------------------------------------------------------------

    def _union(self, name: str, union: UnionShape, site: Site, side: Side, text: SpecText | None) -> ir.Declaration:
        sorted_members = members(union, self._components)
        if sorted_members.is_open_enum:
            return ir.Alias(name, text, self._bare_type(site, side, nested=False))
        if not sorted_members.plain:
            return self._tagged(name, union, sorted_members, side, text)
        types: list[ir.Type] = []
        if sorted_members.objects:
            inner = self._names.inline(self._names.object_key(site, side))
            self._declared[inner] = self._tagged(inner, union, sorted_members, side, _curated(inner) or text)
            types.append(ir.Reference(inner))
        types += [self._type(member, side, nested=True) for member in sorted_members.plain]
        self._check_shapes(union, sorted_members)
        return ir.ShapedUnion(name, side, text, tuple(types))

    def _check_shapes(self, union: UnionShape, sorted_members: Members) -> None:
        shapes = [json_shape(site, self._components) for site in sorted_members.plain]
        shapes += ["object"] if sorted_members.objects else []
        if len(set(shapes)) < len(shapes) or "any" in shapes:
            self._diagnostics.error(
                "ambiguous-union",
                f"the members of this union cannot be told apart by their JSON types ({', '.join(shapes)})",
                at=union.node,
                hint="leave one member of each JSON type",
            )

    def _tagged(
        self, name: str, union: UnionShape, sorted_members: Members, side: Side, text: SpecText | None
    ) -> ir.Declaration:
        found = dispatch(union, sorted_members.objects, self._diagnostics)
        if found is None:
            return ir.Alias(name, text, ir.Scalar("any"))
        names: list[str] = []
        for _, variants in found.groups:
            inner = tuple(self._variant(variant, side) for variant in variants)
            if len(inner) == 1:
                names += inner
                continue
            group = self._names.inline(self._names.nested_key(variants, side))
            self._declared[group] = ir.TaggedUnion(group, side, _curated(group), found.nested or found.tag, inner)
            names.append(group)
        returned = words().returned.get(name) if side is Side.REQUEST else None
        return ir.TaggedUnion(
            name,
            side,
            text,
            found.tag,
            tuple(dict.fromkeys(names)),
            self._unknown(name, union, side) if found.tag == TAG else None,
            returned if returned in self._components.sites else None,
        )

    def _variant(self, variant: Variant, side: Side) -> str:
        shape = variant.site.shape
        if isinstance(shape, RefShape):
            while isinstance(inner := self._components.sites[shape.name].shape, RefShape):
                shape = inner
            return self._names.component(shape.name, side)
        return self._named(self._names.key(variant.site, side), side)

    def _unknown(self, name_of_union: str, union: UnionShape, side: Side) -> str:
        """The class that keeps the variants which a union does not name."""
        name = words().unknown.get(name_of_union, f"Unknown{name_of_union}")
        if name in self._names.classes:
            self._diagnostics.error(
                "name-collision",
                f"`{name}` is the class for new variants of `{name_of_union}`, and also what something else is named",
                at=union.node,
                hint="rename the other one",
            )
        elif name not in self._declared:
            whose = "a vendor's own type (rule N1)" if side is Side.REQUEST else "a type the spec does not name"
            text = SpecText(f"A variant of {whose}, kept whole (rule N3).")
            self._declared[name] = ir.Model(name, side, ir.Role.UNKNOWN, _curated(name) or text, ())
        return name


def _within(value: float | str, limits: tuple[ir.Limit, ...]) -> bool:
    """Whether a value keeps to limits; patterns are left to those who match them."""
    size = len(value) if isinstance(value, str) else value
    return all(_keeps_to(size, key, limit) for key, limit in limits if not isinstance(limit, str))


def _keeps_to(size: float, keyword: str, limit: float) -> bool:
    match keyword:
        case "minimum" | "minLength":
            return size >= limit
        case "maximum" | "maxLength":
            return size <= limit
        case "exclusiveMinimum":
            return size > limit
        case "exclusiveMaximum":
            return size < limit
        case _:
            return size % limit == 0


def _curated(name: str) -> SpecText | None:
    """Our own text for a name of ours."""
    text = words().texts.get(name)
    return SpecText(text) if text is not None else None
