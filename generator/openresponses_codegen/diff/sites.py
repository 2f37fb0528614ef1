"""The walk through two sites: every difference in what they allow is noted once.

What differs is told by the same properties of shapes that the fingerprint is made of.
"""

from __future__ import annotations

from collections.abc import Mapping

from openresponses_codegen.diff import notes, words
from openresponses_codegen.diff.changes import Changes, Owner, Spot
from openresponses_codegen.diff.edition import Edition, keyword
from openresponses_codegen.ir import EnumValue, Limit
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
    Site,
    UnionShape,
)

_MINIMA = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MAXIMA = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_FURTHER = {
    False: "refuses fields that are not declared",
    None: "passes over fields that are not declared",
    True: "invites fields that are not declared",
}
_WIDER = {"number": "integer"}
"""Types, and those whose values are values of them, too."""
_OPENNESS = (False, None, True)


class Sites:
    """Compares the sites of two documents."""

    def __init__(self, old: Edition, new: Edition, renamed: Mapping[str, str], changes: Changes) -> None:
        """Take the documents, the new names of components that were renamed, and where to note changes."""
        self._old = old
        self._new = new
        self._renamed = renamed
        self._changes = changes
        self._compared: set[tuple[object, ...]] = set()

    def compare(self, old: Site, new: Site, spot: Spot) -> None:
        """Note how two sites differ, with all that is inline in them."""
        notes.compare(old, new, spot, self._changes)
        if isinstance(old.shape, RefShape) or isinstance(new.shape, RefShape):
            if self.is_same_reference(old, new):
                self._null_and_default(old, new, spot)
                return
            if not self._is_member(old, new) and not self._is_member(new, old):
                self._by_reference(old, new, spot)
                return
        self._null_and_default(old, new, spot)
        self._shapes(old, new, spot)

    def is_same_reference(self, old: Site, new: Site) -> bool:
        """Whether both refer to one component, which may have been renamed."""
        if not (isinstance(old.shape, RefShape) and isinstance(new.shape, RefShape)):
            return False
        return self._renamed.get(old.shape.name, old.shape.name) == new.shape.name

    def _by_reference(self, old: Site, new: Site, spot: Spot) -> None:
        """Different components, or a component and what was inline: the name differs, and perhaps what it is."""
        described = {"old": words.described(old), "new": words.described(new)}
        self._changes.add("reference-changed", spot, old.node, new.node, described)
        (old_target, old_name), (new_target, new_name) = self._old.resolved(old), self._new.resolved(new)
        pair = (old_name or id(old), new_name or id(new), spot.sides)
        if pair not in self._compared:  # components may refer to themselves
            self._compared.add(pair)
            if isinstance(old_target.shape, ObjectShape) and isinstance(new_target.shape, ObjectShape):
                spot = Spot(spot.subject, spot.sides, Owner(old_target, new_target, old_name, new_name))
            self._null_and_default(old_target, new_target, spot)
            self._shapes(old_target, new_target, spot)

    def _null_and_default(self, old: Site, new: Site, spot: Spot) -> None:
        takes_null = old.shape != new.shape and any(each.shape in (NULL, ANY) for each in (old, new))
        if old.nullable != new.nullable and not takes_null:
            self._changes.add("null-added" if new.nullable else "null-removed", spot, old.node, new.node)
        if isinstance(old.shape, FixedShape) or isinstance(new.shape, FixedShape):
            return
        if (type(old.default), repr(old.default)) != (type(new.default), repr(new.default)):
            described = {"old": words.default(old.default), "new": words.default(new.default)}
            nodes = keyword(old.node, "default"), keyword(new.node, "default")
            self._changes.add("default-changed", spot, *nodes, described)

    # Shapes ----------------------------------------------------------------------------------------------------

    def _shapes(self, old: Site, new: Site, spot: Spot) -> None:
        match old.shape, new.shape:
            case ScalarShape(one, limits), ScalarShape(other, others) if one == other:
                self._limits(limits, others, old, new, spot)
            case FixedShape() as one, FixedShape() as other:
                self._constants(one, other, old, new, spot)
            case EnumShape(values), EnumShape(others) if _is_open(values) == _is_open(others):
                self._values(values, others, old, new, spot)
            case ArrayShape(item, limits), ArrayShape(other_item, others):
                self._limits(limits, others, old, new, spot)
                self.compare(item, other_item, spot.within("[]"))
            case MapShape(value, limits), MapShape(other_value, others):
                self._limits(limits, others, old, new, spot)
                self.compare(value, other_value, spot.within("{}"))
            case ObjectShape() as one, ObjectShape() as other:
                self._objects(one, other, old, new, spot)
            case UnionShape() as one, UnionShape() as other:
                self._unions(one, other, old, new, spot)
            case _:
                self._types(old, new, spot)

    def _types(self, old: Site, new: Site, spot: Spot) -> None:
        """Shapes of different kinds."""
        wider = _takes_all(new, old) or self._is_member(old, new)
        narrower = _takes_all(old, new) or self._is_member(new, old)
        kind = "type-widened" if wider and not narrower else "type-narrowed" if narrower else "type-changed"
        described = {"old": words.described(old), "new": words.described(new)}
        nodes = keyword(old.node, "type", "$ref"), keyword(new.node, "type", "$ref")
        self._changes.add(kind, spot, *nodes, described)

    def _is_member(self, site: Site, union: Site) -> bool:
        """Whether a site is among the members of a union."""
        members = union.shape.members if isinstance(union.shape, UnionShape) else ()
        return any(
            each.shape == site.shape or self.is_same_reference(site, each) or self.is_same_reference(each, site)
            for each in members
        )

    def _limits(
        self, old: tuple[Limit, ...], new: tuple[Limit, ...], old_site: Site, new_site: Site, spot: Spot
    ) -> None:
        before, after = dict(old), dict(new)
        for key in dict.fromkeys([*after, *before]):
            one, other = before.get(key), after.get(key)
            if (type(one), one) == (type(other), other):
                continue
            described = {
                "what": key,
                "old": "none" if one is None else words.code(words.value(one)),
                "new": "none" if other is None else words.code(words.value(other)),
            }
            nodes = keyword(old_site.node, key), keyword(new_site.node, key)
            self._changes.add(_limit_kind(key, one, other), spot, *nodes, described)

    def _constants(self, old: FixedShape, new: FixedShape, old_site: Site, new_site: Site, spot: Spot) -> None:
        nodes = keyword(old_site.node, "const", "enum"), keyword(new_site.node, "const", "enum")
        if (type(old.value), old.value) != (type(new.value), new.value):
            described = {"old": words.value(old.value), "new": words.value(new.value)}
            self._changes.add("constant-changed", spot, *nodes, described)
        for alias in new.aliases:
            if alias not in old.aliases:
                self._changes.add("enum-value-added", spot, *nodes, {"what": words.value(alias)})
        for alias in old.aliases:
            if alias not in new.aliases:
                self._changes.add("enum-value-removed", spot, *nodes, {"what": words.value(alias)})

    def _values(
        self, old: tuple[EnumValue, ...], new: tuple[EnumValue, ...], old_site: Site, new_site: Site, spot: Spot
    ) -> None:
        before = {(type(each.value), each.value): each for each in old}
        after = {(type(each.value), each.value): each for each in new}
        old_list, new_list = keyword(old_site.node, "enum"), keyword(new_site.node, "enum")
        for key, each in after.items():
            if key not in before:
                place = notes.element(new_list, each.value)
                self._changes.add("enum-value-added", spot, old_list, place, {"what": words.value(each.value)})
            else:
                notes.compare_values(before[key], each, (old_list, new_list), spot, self._changes)
        for key, each in before.items():
            if key not in after:
                place = notes.element(old_list, each.value)
                self._changes.add("enum-value-removed", spot, place, new_list, {"what": words.value(each.value)})

    # Objects ---------------------------------------------------------------------------------------------------

    def _objects(self, old: ObjectShape, new: ObjectShape, old_site: Site, new_site: Site, spot: Spot) -> None:
        owner = spot.owner
        if owner is None or owner.old is not old_site or owner.new is not new_site:
            owner = Owner(old_site, new_site)
        before = {each.name: each for each in old.properties}
        after = {each.name: each for each in new.properties}
        for name in dict.fromkeys([*after, *before]):
            self._properties(before.get(name), after.get(name), spot.property(name, owner))
        if old.additional is not new.additional:
            opened = _OPENNESS.index(new.additional) > _OPENNESS.index(old.additional)
            described = {"old": _FURTHER[old.additional], "new": _FURTHER[new.additional]}
            nodes = keyword(old_site.node, "additionalProperties"), keyword(new_site.node, "additionalProperties")
            self._changes.add("object-opened" if opened else "object-closed", spot, *nodes, described)

    def _properties(self, old: Property | None, new: Property | None, spot: Spot) -> None:
        add = self._changes.add
        if old is None or new is None:
            if old is not None:
                add("prohibition-removed" if old.absent else "field-removed", spot, old.site.node, None)
            elif new is not None:
                kind = "field-added-required" if new.required else "field-added"
                add("prohibition-added" if new.absent else kind, spot, None, new.site.node)
            return
        nodes = old.site.node, new.site.node
        if old.absent or new.absent:
            if new.absent and not old.absent:
                add("field-forbidden", spot, *nodes)
            elif not new.absent:
                add("field-added-required" if new.required else "field-permitted", spot, *nodes)
            return
        if old.required != new.required:
            add("field-required" if new.required else "field-optional", spot, *nodes)
        self.compare(old.site, new.site, spot)

    # Unions ----------------------------------------------------------------------------------------------------

    def _unions(self, old: UnionShape, new: UnionShape, old_site: Site, new_site: Site, spot: Spot) -> None:
        if (old.discriminator or TAG) != (new.discriminator or TAG):
            described = {"old": words.code(old.discriminator or TAG), "new": words.code(new.discriminator or TAG)}
            nodes = keyword(old_site.node, "discriminator"), keyword(new_site.node, "discriminator")
            self._changes.add("union-tag-changed", spot, *nodes, described)
        before, after = list(old.members), list(new.members)
        for one, other in self._pairs(before, after):
            if not self.is_same_reference(one, other):
                self.compare(one, other, spot.within(f":{self._label(other)}"))
        for each in after:
            self._member(each, old_site, new_site, spot, is_new=True)
        for each in before:
            self._member(each, old_site, new_site, spot, is_new=False)

    def _pairs(self, before: list[Site], after: list[Site]) -> list[tuple[Site, Site]]:
        """The members that are in both unions, taken out of both: references first, then by what tells them apart."""
        pairs: list[tuple[Site, Site]] = []
        for is_pair in (self.is_same_reference, self._has_same_tags, _is_same_kind):
            for one in list(before):
                other = next((each for each in after if is_pair(one, each)), None)
                if other is not None:
                    pairs.append((one, other))
                    before.remove(one)
                    after.remove(other)
        return pairs

    def _has_same_tags(self, old: Site, new: Site) -> bool:
        tags = self._old.tags(old)
        return tags is not None and tags == self._new.tags(new)

    def _label(self, site: Site) -> str:
        tags = self._new.tags(site)
        return str(tags[0]) if tags is not None else getattr(site.shape, "kind", "value")

    def _member(self, site: Site, old: Site, new: Site, spot: Spot, *, is_new: bool) -> None:
        """A member that is in one of two unions only."""
        edition = self._new if is_new else self._old
        nodes = (old.node, site.node) if is_new else (site.node, new.node)
        if spot.event_stream:
            kind = "event-added" if is_new else "event-removed"
        elif edition.is_open(site):
            kind = "union-member-added" if is_new else "union-member-removed"
        else:
            kind = "type-widened" if is_new else "type-narrowed"
        described = {"old": words.described(old), "new": words.described(new)}
        component = site.shape.name if isinstance(site.shape, RefShape) else None
        symbols = tuple(name for _, name in edition.classes(component, site, spot.sides))
        self._changes.add(kind, spot, *nodes, {**described, "what": words.member(site, edition)}, symbols=symbols)


def _is_same_kind(old: Site, new: Site) -> bool:
    """Whether two members that are no references have one JSON type, so that one may stand for the other."""
    one, other = old.shape, new.shape
    if isinstance(one, RefShape) or isinstance(other, RefShape) or type(one) is not type(other):
        return False
    if isinstance(one, ScalarShape) and isinstance(other, ScalarShape):
        return one.kind == other.kind
    return not isinstance(one, ObjectShape)


def _is_open(values: tuple[EnumValue, ...]) -> bool:
    """Whether generated code is open to further values of an enum (rule N4)."""
    kinds = {type(each.value) for each in values}
    return len(kinds) == 1 and bool not in kinds


def _takes_all(wide: Site, narrow: Site) -> bool:
    """Whether one shape, of another kind than the other, takes every value of it."""
    match wide.shape, narrow.shape:
        case ScalarShape("any"), _:
            return True
        case ScalarShape("number", limits), ScalarShape("integer", others):
            return set(limits) <= set(others)
        case ScalarShape(kind, ()), FixedShape(value):
            return _kind_of(value) in (kind, _WIDER.get(kind))
        case ScalarShape(kind, ()), EnumShape(values):
            return {_kind_of(each.value) for each in values} <= {kind, _WIDER.get(kind)}
        case EnumShape(values), FixedShape(value):
            return (type(value), value) in [(type(each.value), each.value) for each in values]
        case _, ScalarShape("null"):
            return wide.nullable
        case _:
            return False


def _kind_of(value: object) -> str:
    return "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "string"


def _limit_kind(key: str, old: float | str | None, new: float | str | None) -> str:
    if old is None or new is None:
        return "limit-tightened" if old is None else "limit-loosened"
    if isinstance(old, str) or isinstance(new, str) or key not in _MINIMA | _MAXIMA:
        return "limit-changed"
    return "limit-tightened" if (new > old if key in _MINIMA else new < old) else "limit-loosened"
