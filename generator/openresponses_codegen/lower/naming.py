"""Names for components on each side, and for what a spec leaves unnamed.

Unnamed are inline unions, enums and objects, and limited scalars inside other types. A curated name wins
(`words.toml`); else a name is made of owner and property. Equal shapes share one name, which does not depend on the
order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.components import Components
from openresponses_codegen.lower.shapes import (
    ArrayShape,
    EnumShape,
    MapShape,
    ObjectShape,
    RefShape,
    ScalarShape,
    Shape,
    Site,
    UnionShape,
)
from openresponses_codegen.lower.unions import Variant, dispatch, members
from openresponses_codegen.lower.words import words
from openresponses_codegen.names import class_name_problem, pascal

_STEP = re.compile(r"\.(?P<property>[^.\[\]{}:]+)|(?P<item>\[\])|(?P<value>\{\})|:(?P<label>[^.\[\]{}:]+)")


@dataclass(slots=True)
class Group:
    """Equal shapes: the sides that use them, and where they stand."""

    sides: set[Side]
    sites: list[tuple[str, Site]] = field(default_factory=list[tuple[str, Site]])

    def representative(self) -> Site:
        """The site whose place sorts first."""
        return min(self.sites, key=lambda entry: (len(entry[0]), entry[0]))[1]


class Names:
    """Every class name of a document."""

    def __init__(
        self, components: Components, reached: Mapping[str, frozenset[Side]], diagnostics: Diagnostics
    ) -> None:
        self._components = components
        self._reached = reached
        self._diagnostics = diagnostics
        self._check_components()
        self._groups = self._collect()
        self._inline = self._name_groups()
        self.classes = frozenset(self._component_names()) | frozenset(self._inline.values())
        """All of them."""

    def sides(self, component: str) -> tuple[Side, ...]:
        """The sides for which a component is declared; a component that nothing reaches is read like a response."""
        used = self._reached[component]
        return tuple(side for side in Side if side in used) or (Side.RESPONSE,)

    def component(self, component: str, side: Side) -> str:
        """The name of a component on a side: objects and unions of both sides have two classes."""
        both = len(self._reached[component]) == len(Side)
        if both and side is Side.REQUEST and self.is_sided(self._components.sites[component].shape):
            return f"{component}Param"
        return component

    def inline(self, key: Hashable) -> str:
        """The name of an inline shape, by its key."""
        return self._inline[key]

    def inline_or_none(self, key: Hashable) -> str | None:
        """The name of an inline shape, by its key; None for what needs none."""
        return self._inline.get(key)

    def group(self, key: Hashable) -> Group:
        """Everywhere that an inline shape stands."""
        return self._groups[key]

    def inline_sites(self) -> Mapping[Hashable, tuple[str, Site]]:
        """The name and the first place of every inline shape, by its key."""
        return {key: (name, self._groups[key].representative()) for key, name in self._inline.items()}

    def is_sided(self, shape: Shape) -> bool:
        """Whether it makes a difference anywhere in a shape who wrote the value."""
        match shape:
            case ObjectShape() | UnionShape():
                return True
            case RefShape(name):
                return self.is_sided(self._components.sites[name].shape)
            case ArrayShape(item):
                return self.is_sided(item.shape)
            case MapShape(value):
                return self.is_sided(value.shape)
            case _:
                return False

    def key(self, site: Site, side: Side) -> Hashable:
        """The key of an inline shape."""
        _, key = self._components.normaliser.key(site)
        return (key, side) if self.is_sided(site.shape) else key

    def object_key(self, site: Site, side: Side) -> Hashable:
        """The key of the objects in a union that has plain values too."""
        return ("objects of", self.key(site, side))

    def nested_key(self, variants: tuple[Variant, ...], side: Side) -> Hashable:
        """The key of the variants that share a tag."""
        shapes = frozenset(self._components.normaliser.key(variant.site) for variant in variants)
        return ("nested", shapes, side)

    def _component_names(self) -> Iterator[str]:
        for name in self._components.sites:
            for side in self.sides(name):
                yield self.component(name, side)

    def _check_components(self) -> None:
        for name, site in self._components.sites.items():
            problem = class_name_problem(name)
            if problem is not None:
                self._diagnostics.error(
                    "bad-name", f"the component name `{name}` {problem}", at=site.node, hint="rename the component"
                )
            copy = self.component(name, Side.REQUEST)
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

    def _keys(self, path: str, site: Site, side: Side, *, nested: bool, top: bool) -> Iterator[tuple[Hashable, str]]:
        """The groups that a site belongs to, and the place that names it there."""
        match site.shape:
            case ScalarShape(limits=limits) | ArrayShape(limits=limits) | MapShape(limits=limits) if nested and limits:
                yield self.key(site, side), path
            case EnumShape() | ObjectShape() if not top:
                yield self.key(site, side), path
            case UnionShape() as union:
                yield from self._union_keys(path, union, site, side, top=top)
            case _:
                pass

    def _union_keys(
        self, path: str, union: UnionShape, site: Site, side: Side, *, top: bool
    ) -> Iterator[tuple[Hashable, str]]:
        sorted_members = members(union, self._components)
        if sorted_members.is_open_enum:
            return
        if not top:
            yield self.key(site, side), path
        if not sorted_members.objects:
            return
        if sorted_members.plain:
            yield self.object_key(site, side), f"{path}:object"
        found = dispatch(union, sorted_members.objects, Diagnostics())
        for tag, variants in found.groups if found else ():
            if len(variants) > 1:
                yield self.nested_key(variants, side), f"{path}:{tag}"

    def _name_groups(self) -> dict[Hashable, str]:
        """A name for each group; two things that would share one are reported with both places."""
        taken = dict.fromkeys(self._component_names(), "a component")
        names: dict[Hashable, str] = {}
        for key, group in sorted(self._groups.items(), key=lambda entry: _rank(entry[1])):
            name = _name([path for path, _ in group.sites])
            if name in taken and group.sides == {Side.REQUEST} and not name.endswith("Param"):
                name = f"{name}Param"
            site = group.representative()
            if name in taken:
                self._diagnostics.error(
                    "name-collision",
                    f"`{name}` would name both this and {taken[name]}",
                    at=site.node,
                    hint="make this schema a component with a name of its own",
                )
            elif (problem := class_name_problem(name)) is not None:
                self._diagnostics.error("bad-name", f"the name made for this, `{name}`, {problem}", at=site.node)
            taken[name] = f"what stands at {site.node.position}"
            names[key] = name
        return names


def _rank(group: Group) -> tuple[str, bool]:
    """By place; what responses use comes first, for it keeps the name without `Param`."""
    return min(path for path, _ in group.sites), group.sides == {Side.REQUEST}


def _name(paths: list[str]) -> str:
    curated = sorted({name for path in paths if (name := words().names.get(path))})
    if curated:
        return curated[0]
    return min((_derived(path) for path in paths), key=lambda name: (len(name), name))


def _derived(path: str) -> str:
    owner = re.match(r"[^.\[\]{}:]*", path)
    name = owner.group() if owner else ""
    for step in _STEP.finditer(path):
        if step["property"]:
            name += pascal(step["property"])
        elif step["label"]:
            name += pascal(step["label"])
        else:
            name += "Item" if step["item"] else "Value"
    return name
