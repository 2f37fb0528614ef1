"""Names for what a spec leaves unnamed: inline unions, enums, objects, and limited scalars inside other types.

A curated name wins (`words.toml`); else a name is made of owner and property. Equal shapes share one name, which
does not depend on the order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.shapes import Site
from openresponses_codegen.lower.words import words
from openresponses_codegen.names import class_name_problem, pascal

_STEP = re.compile(r"\.(?P<property>[^.\[\]{}:]+)|(?P<item>\[\])|(?P<value>\{\})|:(?P<label>[^.\[\]{}:]+)")


@dataclass(slots=True)
class Group:
    """Equal shapes: where they stand, and what they are."""

    sides: set[Side]
    sites: list[tuple[str, Site]] = field(default_factory=list[tuple[str, Site]])

    def representative(self) -> Site:
        """The site whose place sorts first."""
        return min(self.sites, key=lambda entry: (len(entry[0]), entry[0]))[1]


def name_groups(
    groups: Mapping[object, Group], components: Iterable[str], diagnostics: Diagnostics
) -> dict[object, str]:
    """A name for each group; two things that would share one are reported with both places."""
    taken = dict.fromkeys(components, "a component")
    names: dict[object, str] = {}
    for key, group in sorted(groups.items(), key=lambda entry: min(path for path, _ in entry[1].sites)):
        name = _name([path for path, _ in group.sites])
        if name in taken and group.sides == {Side.REQUEST} and not name.endswith("Param"):
            name = f"{name}Param"
        site = group.representative()
        if name in taken:
            diagnostics.error(
                "name-collision",
                f"`{name}` would name both this and {taken[name]}",
                at=site.node,
                hint="make this schema a component with a name of its own",
            )
        elif (problem := class_name_problem(name)) is not None:
            diagnostics.error("bad-name", f"the name made for this, `{name}`, {problem}", at=site.node)
        taken[name] = f"what stands at {site.node.position}"
        names[key] = name
    return names


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
