"""Declarations: models, unions, enums and aliases, each with its finished name and its side.

Rules: Z1 (presence), N1 and N3 (open unions), N4 (open enums), Z4 and Z6 (fields that the spec has as null only),
Z17 (free objects).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Presence, Side
from openresponses_codegen.lower.components import TAG, Components, constant
from openresponses_codegen.lower.naming import Group, name_groups
from openresponses_codegen.lower.shapes import (
    NULL,
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
from openresponses_codegen.lower.unions import Dispatch, Members, Variant, dispatch, json_shape, members
from openresponses_codegen.lower.words import words
from openresponses_codegen.names import class_name_problem, field_name
from openresponses_codegen.text import SpecText


class Declarer:
    """Declares everything that the components of a document need."""

    def __init__(
        self, components: Components, sides: Mapping[str, frozenset[Side]], diagnostics: Diagnostics
    ) -> None:
        self._components = components
        self._sides = sides
        self._diagnostics = diagnostics
        self._declared: dict[str, ir.Declaration] = {}
        self._check_component_names()
        self._groups = self._collect()
        self._names = name_groups(self._groups, self._component_names(), diagnostics)
        self._class_names = frozenset(self._component_names()) | frozenset(self._names.values())

    def declarations(self) -> tuple[ir.Declaration, ...]:
        """All declarations, in the order of the document; what is inline comes before what it is in."""
        for name, site in self._components.sites.items():
            for side in self.sides(name):
                self._component(name, site, side)
        return tuple(self._declared.values())

    def sides(self, name: str) -> tuple[Side, ...]:
        """The sides for which a component is declared; a component that nothing reaches is read like a response."""
        used = self._sides[name]
        return tuple(side for side in Side if side in used) or (Side.RESPONSE,)

    def name(self, component: str, side: Side) -> str:
        """The name of a component on a side: objects and unions of both sides have two classes."""
        both = len(self._sides[component]) == len(Side)
        if both and side is Side.REQUEST and self._is_sided(self._components.sites[component].shape):
            return f"{component}Param"
        return component

    # Names -----------------------------------------------------------------------------------------------------

    def _is_sided(self, shape: Shape) -> bool:
        """Whether strictness makes a difference anywhere in a shape."""
        match shape:
            case ObjectShape() | UnionShape():
                return True
            case RefShape(name):
                return self._is_sided(self._components.sites[name].shape)
            case ArrayShape(item):
                return self._is_sided(item.shape)
            case MapShape(value):
                return self._is_sided(value.shape)
            case _:
                return False

    def _component_names(self) -> Iterator[str]:
        for name in self._components.sites:
            for side in self.sides(name):
                yield self.name(name, side)

    def _check_component_names(self) -> None:
        for name, site in self._components.sites.items():
            problem = class_name_problem(name)
            if problem is not None:
                self._diagnostics.error(
                    "bad-name", f"the component name `{name}` {problem}", at=site.node, hint="rename the component"
                )
            copy = self.name(name, Side.REQUEST)
            if copy != name and copy in self._components.sites:
                self._diagnostics.error(
                    "name-collision",
                    f"`{name}` is used in requests and in responses, so that its request side is named `{copy}`, "
                    f"which is also the component at {self._components.sites[copy].node.position}",
                    at=site.node,
                    hint="rename one of the two components",
                )

    def _collect(self) -> dict[Hashable, Group]:
        """The inline shapes that need names, grouped by what they are."""
        groups: dict[Hashable, Group] = {}
        for name, root in self._components.sites.items():
            for side in self.sides(name):
                for path, site, nested in self._components.descendants(name, root):
                    for key, place in self._keys(path, site, side, nested=nested, top=site is root):
                        group = groups.setdefault(key, Group(set()))
                        group.sides.add(side)
                        group.sites.append((place, site))
        return groups

    def _keys(
        self, path: str, site: Site, side: Side, *, nested: bool, top: bool
    ) -> Iterator[tuple[Hashable, str]]:
        """The groups that a site belongs to, and the place that names it there."""
        match site.shape:
            case ScalarShape(_, limits) if nested and limits:
                yield self._key(site, side), path
            case EnumShape() | ObjectShape() if not top:
                yield self._key(site, side), path
            case UnionShape() as union:
                sorted_members = members(union, self._components)
                if sorted_members.is_open_enum:
                    return
                if not top:
                    yield self._key(site, side), path
                if sorted_members.objects and sorted_members.plain:
                    yield self._object_key(site, side), f"{path}:object"
                found = self._dispatch(union, sorted_members, quiet=True)
                for tag, variants in found.groups if found else ():
                    if len(variants) > 1:
                        yield self._nested_key(variants, side), f"{path}:{tag}"
            case _:
                pass

    def _key(self, site: Site, side: Side) -> Hashable:
        _, key = self._components.normaliser.key(site)
        return (key, side) if self._is_sided(site.shape) else key

    def _object_key(self, site: Site, side: Side) -> Hashable:
        return ("objects of", self._key(site, side))

    def _nested_key(self, variants: tuple[Variant, ...], side: Side) -> Hashable:
        return ("nested", frozenset(self._components.normaliser.key(variant.site) for variant in variants), side)

    # Components ------------------------------------------------------------------------------------------------

    def _component(self, component: str, site: Site, side: Side) -> None:
        name = self.name(component, side)
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
                return ir.Alias(name, text, self._type(site, side))

    def _named(self, key: Hashable, side: Side) -> str:
        """The name of an inline shape, declared on first use."""
        name = self._names[key]
        if name not in self._declared:
            group = self._groups[key]
            site = group.representative()
            texts = sorted({site.text for _, site in group.sites if site.text is not None})
            self._declared[name] = ir.Alias(name, None, ir.Scalar("any"))  # a place, so that recursion ends
            declared = self._declare(name, site, side, texts[0] if len(texts) == 1 else None)
            del self._declared[name]
            self._declared[name] = declared
        return name

    def _model(self, name: str, shape: ObjectShape, side: Side, text: SpecText | None) -> ir.Model:
        tag = constant(shape, TAG)
        return ir.Model(
            name,
            side,
            ir.Role.OBJECT,
            text,
            tuple(self._fields(shape, side, tag)),
            forbidden=tuple(each.name for each in shape.properties if each.absent),
            closed=shape.additional is False and side is Side.REQUEST,
            extensible=shape.additional is True,
        )

    def _fields(self, shape: ObjectShape, side: Side, tag: FixedShape | None) -> Iterator[ir.Field]:
        taken: dict[str, Property] = {}
        for each in shape.properties:
            if each.absent:
                continue
            name = field_name(each.name, self._class_names)
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
            nullable = site.nullable or site.shape == NULL
        if each.required:
            presence = Presence.REQUIRED
        else:
            presence = Presence.OPTIONAL if nullable else Presence.OMITTABLE
        default = ir.Default(site.shape.value) if isinstance(site.shape, FixedShape) else site.default
        self._check_default(site)
        if each.required and not isinstance(site.shape, FixedShape):
            default = None
        return ir.Field(name, each.name, kind, presence, default, site.text)

    def _check_default(self, site: Site) -> None:
        value = site.default.value if site.default is not None else None
        if value is None:
            return
        shape = site.shape
        while isinstance(shape, RefShape):
            shape = self._components.sites[shape.name].shape
        match shape:
            case FixedShape(fixed):
                fits = value == fixed
            case EnumShape(values):
                fits = value in [each.value for each in values]
            case ScalarShape("any"):
                fits = True
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
            if other not in self.sides(component) or not isinstance(site.shape, ObjectShape):
                continue
            if constant(site.shape, TAG) == tag:
                found = next((each.site for each in site.shape.properties if each.name == wire_name), None)
                if found is not None and found.shape != NULL:
                    # A client reads on the response side whatever it was that it sent.
                    return self._type(found, Side.RESPONSE if self._is_sided(found.shape) else side, bare=True)
        return None

    # Types -----------------------------------------------------------------------------------------------------

    def _type(self, site: Site, side: Side, *, nested: bool = False, bare: bool = False) -> ir.Type:
        """The type at a site. `bare` leaves null out."""
        site = self._components.opened(site)
        kind = self._bare_type(site, side, nested=nested)
        return ir.Nullable(kind) if site.nullable and not bare and site.shape != NULL else kind

    def _bare_type(self, site: Site, side: Side, *, nested: bool) -> ir.Type:
        match site.shape:
            case ScalarShape(kind, limits):
                if limits and nested:
                    return ir.Reference(self._named(self._key(site, side), side))
                return ir.Scalar(kind, limits)
            case FixedShape(value):
                return ir.Fixed(value)
            case EnumShape():
                return self._enum(self._named(self._key(site, side), side), side)
            case RefShape(component):
                shape = self._components.sites[component].shape
                while isinstance(shape, RefShape):
                    shape = self._components.sites[shape.name].shape
                if isinstance(shape, EnumShape):
                    return self._enum(component, side)
                return ir.Reference(self.name(component, side))
            case ArrayShape(item, limits):
                return ir.Array(self._type(item, side, nested=True), limits)
            case MapShape(value, limits):
                return ir.Map(self._type(value, side, nested=True), limits)
            case ObjectShape():
                return ir.Reference(self._named(self._key(site, side), side))
            case UnionShape() as union:
                sorted_members = members(union, self._components)
                if sorted_members.is_open_enum:
                    kind = self._bare_type(sorted_members.plain[0], Side.RESPONSE, nested=True)
                    return kind if isinstance(kind, ir.OpenEnum) else ir.Scalar("string")
                return ir.Reference(self._named(self._key(site, side), side))

    def _enum(self, name: str, side: Side) -> ir.Type:
        strings = all(isinstance(value.value, str) for value in self._enum_values(name))
        return ir.OpenEnum(name) if side is Side.RESPONSE and strings else ir.Reference(name)

    def _enum_values(self, name: str) -> tuple[ir.EnumValue, ...]:
        declared = self._declared.get(name)
        if isinstance(declared, ir.Enum):
            return declared.values
        site = self._components.sites.get(name)
        return site.shape.values if site is not None and isinstance(site.shape, EnumShape) else ()

    # Unions ----------------------------------------------------------------------------------------------------

    def _union(self, name: str, union: UnionShape, site: Site, side: Side, text: SpecText | None) -> ir.Declaration:
        sorted_members = members(union, self._components)
        if sorted_members.is_open_enum:
            return ir.Alias(name, text, self._bare_type(site, side, nested=False))
        if not sorted_members.plain:
            return self._tagged(name, union, sorted_members, side, text)
        types: list[ir.Type] = []
        if sorted_members.objects:
            inner = self._names[self._object_key(site, side)]
            self._declared[inner] = self._tagged(inner, union, sorted_members, side, text)
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

    def _dispatch(self, union: UnionShape, sorted_members: Members, *, quiet: bool = False) -> Dispatch | None:
        if not sorted_members.objects:
            return None
        return dispatch(union, sorted_members.objects, Diagnostics() if quiet else self._diagnostics)

    def _tagged(
        self, name: str, union: UnionShape, sorted_members: Members, side: Side, text: SpecText | None
    ) -> ir.Declaration:
        found = self._dispatch(union, sorted_members)
        if found is None:
            return ir.Alias(name, text, ir.Scalar("any"))
        names: list[str] = []
        for _, variants in found.groups:
            inner = tuple(self._variant(variant, side) for variant in variants)
            if len(inner) == 1:
                names += inner
                continue
            group = self._names[self._nested_key(variants, side)]
            self._declared[group] = ir.TaggedUnion(group, side, None, found.nested or found.tag, inner)
            names.append(group)
        returned = words().returned.get(name) if side is Side.REQUEST else None
        return ir.TaggedUnion(
            name,
            side,
            text,
            found.tag,
            tuple(dict.fromkeys(names)),
            self._unknown(name, side) if found.tag == TAG else None,
            returned if returned in self._components.sites else None,
        )

    def _variant(self, variant: Variant, side: Side) -> str:
        shape = variant.site.shape
        if isinstance(shape, RefShape):
            while isinstance(inner := self._components.sites[shape.name].shape, RefShape):
                shape = inner
            return self.name(shape.name, side)
        return self._named(self._key(variant.site, side), side)

    def _unknown(self, union: str, side: Side) -> str:
        """The class that keeps the variants which a union does not name."""
        name = words().unknown.get(union, f"Unknown{union}")
        if name not in self._declared:
            whose = "a vendor's own type (rule N1)" if side is Side.REQUEST else "a type the spec does not name"
            text = SpecText(f"A variant of {whose}, kept whole (rule N3).")
            self._declared[name] = ir.Model(name, side, ir.Role.UNKNOWN, text, ())
        return name
