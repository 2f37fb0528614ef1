"""Normalisation: one shape for every spelling of the same content.

`allOf: [X, {notes}]`, a `$ref` with siblings and `X` alone are one thing; so are `anyOf: [X, null]` and
`type: [x, "null"]`, `const` and an enum of one, a union of one and its member, `additionalProperties: {}`
and its absence. What is left is a shape, whether it may be null, its text and its default.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Constant, Default, EnumValue, Limit, ScalarKind
from openresponses_codegen.lower.shapes import (
    ANY,
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
from openresponses_codegen.openapi.schema import LIMITS, MAX_VALUE, Schema
from openresponses_codegen.text import SpecText

_SCALARS: Mapping[str, ScalarKind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


class Normaliser:
    """Turns schemas into sites."""

    def __init__(self, schemas: Mapping[str, Schema], diagnostics: Diagnostics) -> None:
        self._schemas = schemas
        self._diagnostics = diagnostics
        self.titles_left_out = 0
        """Titles that a description makes superfluous."""
        self._sites: dict[int, tuple[Schema, Site]] = {}  # a schema is kept, so that its id stays its own
        self._objects: dict[str, ObjectShape] = {}

    def site(self, schema: Schema) -> Site:
        """The site of a schema."""
        known = self._sites.get(id(schema))
        if known is None:
            known = self._sites[id(schema)] = (schema, self._normalised(schema))
        return known[1]

    def _normalised(self, schema: Schema) -> Site:
        if schema.all_of:
            return self._all_of(schema)
        if schema.ref is not None:
            return self._reference(schema)
        if schema.one_of or schema.any_of:
            return self._union(schema)
        if schema.enum is not None:
            return self._enum(schema)
        return self._by_type(schema)

    def key(self, site: Site) -> tuple[bool, Hashable]:
        """What two sites have in common that are spelled, ordered or described differently: a hashable value."""
        return (site.nullable, self._shape_key(site.shape))

    def _shape_key(self, shape: Shape) -> Hashable:
        match shape:
            case EnumShape(values):
                return ("enum", frozenset((type(value.value).__name__, value.value) for value in values))
            case ArrayShape(item, limits):
                return ("array", self.key(item), frozenset(limits))
            case MapShape(value, limits):
                return ("map", self.key(value), frozenset(limits))
            case UnionShape(members):
                return ("union", frozenset(self.key(member) for member in members))
            case ObjectShape(properties, additional):
                fields = frozenset(
                    (each.name, each.required, each.absent, self.key(each.site), each.site.default)
                    for each in properties
                )
                return ("object", fields, additional is False)
            case ScalarShape(kind, limits):
                return (kind, frozenset(limits))
            case FixedShape(value, aliases):
                return ("fixed", type(value).__name__, value, *aliases)
            case RefShape(name):
                return ("ref", name)

    def _text(self, schema: Schema) -> SpecText | None:
        if schema.title is not None and schema.description is not None:
            self.titles_left_out += 1
        return schema.description or schema.title

    def _default(self, schema: Schema) -> Default | None:
        if not schema.has_default or schema.default is None:
            return None
        if isinstance(schema.default, dict | list):
            self._diagnostics.warning(
                "structured-default",
                "a default that is a list or an object is left to the server",
                at=schema.node.at_key("default"),
            )
            return None
        if isinstance(schema.default, str) and len(schema.default) > MAX_VALUE:
            self._diagnostics.error(
                "too-long", f"the default is longer than {MAX_VALUE:,} characters", at=schema.node.at_key("default")
            )
            return None
        return Default(schema.default)

    def _site(self, schema: Schema, shape: Shape, *, nullable: bool = False) -> Site:
        return Site(shape, nullable, self._text(schema), self._default(schema), schema.node)

    def _noted(self, schema: Schema, inner: Site, *, nullable: bool = False) -> Site:
        """The inner site, with the notes of the schema around it."""
        text, default = self._text(schema), self._default(schema)
        text = text + inner.text if text is not None and inner.text is not None else text or inner.text
        return Site(inner.shape, inner.nullable or nullable, text, default or inner.default, schema.node)

    def _reference(self, schema: Schema) -> Site:
        shape: Shape = RefShape(schema.ref or "")
        self._refuse_siblings(schema, "$ref", ref=None)
        if schema.discriminator is not None:
            member = Site(shape, nullable=False, text=None, default=None, node=schema.node)
            shape = UnionShape((member,), schema.discriminator, schema.node)
        return self._site(schema, shape)

    def _refuse_siblings(self, schema: Schema, keyword: str, **allowed: Any) -> None:
        """Report restrictions that stand beside a keyword which cannot be combined with them."""
        if not replace(schema, **allowed).is_note:
            self._diagnostics.error(
                "unsupported-combination",
                f"`{keyword}` cannot be combined with the other restrictions here",
                at=schema.node,
                hint="write what is meant as a schema of its own",
            )

    def _all_of(self, schema: Schema) -> Site:
        types = () if schema.types == ("object",) else schema.types
        self._refuse_siblings(
            schema, "allOf", all_of=(), types=types, properties={}, required=frozenset(), additional=None
        )
        members = [member for member in schema.all_of if not member.is_note]
        notes = [member for member in schema.all_of if member.is_note]
        if schema.properties or schema.required or schema.additional is not None:
            members.insert(0, self._without_all_of(schema))
        if len(members) == 1:
            inner = self.site(members[0])
        elif members:
            inner = self._merged(schema, [self._object_of(member, ()) for member in members])
        else:
            inner = Site(ANY, nullable=False, text=None, default=None, node=schema.node)
        for note in notes:
            inner = self._noted(note, inner)
        return self._noted(schema, inner)

    def _without_all_of(self, schema: Schema) -> Schema:
        return Schema(
            schema.node,
            types=schema.types,
            properties=schema.properties,
            required=schema.required,
            additional=schema.additional,
        )

    def _object_of(self, schema: Schema, seen: tuple[str, ...]) -> ObjectShape:
        """The object that a member of `allOf` describes, through references."""
        if schema.ref is not None and not schema.all_of:
            if schema.ref in seen:
                self._diagnostics.error(
                    "cyclic-reference", f"`{schema.ref}` is made of itself through `allOf`", at=schema.node
                )
                return ObjectShape((), None, schema.node)
            if schema.ref not in self._objects:
                self._objects[schema.ref] = self._object_of(self._schemas[schema.ref], (*seen, schema.ref))
            return self._objects[schema.ref]
        if schema.all_of:
            parts = [self._object_of(part, seen) for part in schema.all_of if not part.is_note]
            if schema.properties or schema.required:
                parts.insert(0, self._object_of(self._without_all_of(schema), seen))
            merged = self._merged(schema, parts).shape
            return merged if isinstance(merged, ObjectShape) else ObjectShape((), None, schema.node)
        shape = self.site(schema).shape
        if isinstance(shape, ObjectShape):
            return shape
        if not (isinstance(shape, MapShape) and shape.value.shape == ANY):
            self._diagnostics.error(
                "unsupported-all-of",
                "`allOf` can only put objects together",
                at=schema.node,
                hint="write out the type that is meant",
            )
        return ObjectShape((), None, schema.node)

    def _merged(self, schema: Schema, parts: list[ObjectShape]) -> Site:
        properties: dict[str, Property] = {}
        additional: bool | None = None
        for part in parts:
            for each in part.properties:
                known = properties.get(each.name)
                if known is None or (each.absent and not known.absent):
                    properties[each.name] = each
                elif known.absent:
                    continue
                elif self.key(known.site) != self.key(each.site):
                    self._diagnostics.error(
                        "conflicting-property",
                        f"`{each.name}` has another type at {known.site.node.position}",
                        at=each.site.node,
                        hint="give it the same type in every member of `allOf`",
                    )
                else:
                    text = known.site.text + each.site.text if known.site.text and each.site.text else None
                    site = replace(each.site, text=text or known.site.text or each.site.text)
                    properties[each.name] = replace(each, site=site, required=known.required or each.required)
            additional = part.additional if additional in (None, True) else additional
        shape = ObjectShape(tuple(properties.values()), additional, schema.node)
        return Site(shape, nullable=False, text=None, default=None, node=schema.node)

    def _union(self, schema: Schema) -> Site:
        if schema.one_of:
            self._refuse_siblings(schema, "oneOf", one_of=())
        else:
            self._refuse_siblings(schema, "anyOf", any_of=())
        sites = [self.site(member) for member in (*schema.one_of, *schema.any_of)]
        nullable = any(site.nullable or site.shape == NULL for site in sites)
        found = {
            self.key(site): site for site in reversed([*self._flat([each for each in sites if each.shape != NULL])])
        }
        members = list(reversed(found.values()))
        if not members:
            return self._site(schema, NULL)
        discriminator = schema.discriminator or self._inner_discriminator(sites)
        if len(members) == 1 and discriminator is None:
            return self._noted(schema, members[0], nullable=nullable)
        bare = tuple(
            replace(member, text=member.text if isinstance(member.shape, ObjectShape) else None, default=None)
            for member in members
        )
        union = Site(UnionShape(bare, discriminator, schema.node), nullable, None, None, schema.node)
        for site in sites:
            if isinstance(site.shape, ObjectShape):
                continue  # what is said about a variant stays with it
            if site.text is not None or site.default is not None:
                text = site.text if union.text is None or site.text is None else union.text + site.text
                union = replace(union, text=text or union.text, default=union.default or site.default)
        return self._noted(schema, union, nullable=nullable)

    def _flat(self, sites: list[Site]) -> Iterator[Site]:
        """The members of a union with those of inline unions in it; null is told apart already."""
        for site in sites:
            if isinstance(site.shape, UnionShape):
                yield from site.shape.members
            else:
                yield replace(site, nullable=False)

    def _inner_discriminator(self, sites: list[Site]) -> str | None:
        unions = [site.shape for site in sites if isinstance(site.shape, UnionShape)]
        return next((union.discriminator for union in unions if union.discriminator), None)

    def _enum(self, schema: Schema) -> Site:
        values = [value for value in schema.enum or () if value is not None]
        nullable = None in (schema.enum or ())
        constants: list[EnumValue] = []
        for value in values:
            if isinstance(value, float):
                continue
            fits = not schema.types or _type_of(value) in schema.types
            if not fits and not (_type_of(value) == "integer" and "number" in schema.types):
                self._diagnostics.error(
                    "enum-type",
                    f"a value of the enum is no {' or '.join(schema.types)}",
                    at=schema.node.at_key("enum" if schema.node.get("enum") is not None else "const"),
                )
            constants.append(EnumValue(value, schema.enum_texts.get(_key_of(value))))
        self._refuse_siblings(schema, "enum", enum=None, types=())
        stale = schema.enum_texts.keys() - {_key_of(value) for value in values}
        for name in sorted(stale):
            self._diagnostics.warning(
                "stale-enum-text",
                f"`{name}` is described but is no value of the enum; its text is left out",
                at=schema.node,
            )
        if not constants:
            return self._site(schema, NULL)
        shape = FixedShape(constants[0].value) if len(constants) == 1 else EnumShape(tuple(constants))
        return self._site(schema, shape, nullable=nullable or "null" in schema.types)

    def _by_type(self, schema: Schema) -> Site:
        types = [name for name in schema.types if name != "null"]
        nullable = "null" in schema.types
        if not types and not nullable:
            types = ["object"] if schema.properties or schema.additional is not None else []
            types += ["array"] if schema.items is not None else []
        shapes = [self._typed(name, schema) for name in types]
        if not shapes:
            return self._site(schema, NULL if nullable else ANY)
        if len(shapes) == 1:
            return self._site(schema, shapes[0], nullable=nullable)
        members = tuple(Site(shape, nullable=False, text=None, default=None, node=schema.node) for shape in shapes)
        return self._site(schema, UnionShape(members, None, schema.node), nullable=nullable)

    def _typed(self, name: str, schema: Schema) -> Shape:
        limits = tuple((key, value) for key, value in schema.limits if name in LIMITS[key])
        if name in _SCALARS:
            return ScalarShape(_SCALARS[name], limits)
        if name == "array":
            item = self.site(schema.items) if schema.items is not None else self._anything(schema)
            return ArrayShape(item, limits)
        return self._object(schema, limits)

    def _anything(self, schema: Schema) -> Site:
        return Site(ANY, nullable=False, text=None, default=None, node=schema.node)

    def _object(self, schema: Schema, limits: tuple[Limit, ...]) -> Shape:
        if schema.properties:
            if limits:
                self._diagnostics.error(
                    "unsupported-combination",
                    "an object with properties cannot be limited in size",
                    at=schema.node,
                )
            properties = tuple(
                Property(name, self._property_site(schema, name), name in schema.required, value.is_absent)
                for name, value in schema.properties.items()
            )
            self._check_required(schema)
            if isinstance(schema.additional, Schema):
                self._diagnostics.error(
                    "unsupported-combination",
                    "further fields of an object with properties cannot have a type of their own",
                    at=schema.node.at_key("additionalProperties"),
                    hint="allow any further fields, or describe a map without properties",
                )
                return ObjectShape(properties, True, schema.node)
            return ObjectShape(properties, schema.additional, schema.node, schema.vendor, schema.of_item)
        if schema.additional is False:
            self._diagnostics.error(
                "empty-object",
                "an object that may hold nothing says nothing",
                at=schema.node,
                hint="give it properties",
            )
        self._check_required(schema)
        value = self.site(schema.additional) if isinstance(schema.additional, Schema) else self._anything(schema)
        return MapShape(value, limits)

    def _property_site(self, schema: Schema, name: str) -> Site:
        """The site of a property; the type that an extension lists with others beside it is a constant with aliases."""
        site = self.site(schema.properties[name])
        default = site.default.value if site.default is not None else None
        if name != TAG or schema.vendor is None or not isinstance(site.shape, EnumShape) or default is None:
            return site
        values = [each.value for each in site.shape.values]
        if isinstance(default, float) or default not in values:
            return site
        aliases = tuple(value for value in values if value != default)
        return replace(site, shape=FixedShape(default, aliases))

    def _check_required(self, schema: Schema) -> None:
        for name in sorted(schema.required - schema.properties.keys()):
            self._diagnostics.error(
                "required-without-property",
                f"`{name}` is required but is no property here",
                at=schema.node.at_key("required"),
                hint="describe the property, or remove it from `required`",
            )


def _key_of(value: Constant | float) -> str:
    """A value as a key of `x-enumDescriptions`."""
    return value if isinstance(value, str) else json.dumps(value)


def _type_of(value: Constant) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"
