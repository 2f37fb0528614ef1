"""Names in the generated package that change without a component of that name changing its own."""

from __future__ import annotations

from collections.abc import Mapping

from openresponses_codegen.diff import words
from openresponses_codegen.diff.changes import Changes, Spot
from openresponses_codegen.diff.edition import Edition
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.shapes import Site


def compare_classes(old: Edition, new: Edition, renamed: Mapping[str, str], changes: Changes) -> None:
    """Note classes of components whose side changed, and classes of what the documents leave unnamed."""
    before, after = _of_components(old), _of_components(new)
    for (component, side), (name, site) in before.items():
        other = after.get((renamed.get(component, component), side))
        if other is not None and other[0] != name and component not in renamed:
            _rename(name, site, *other, changes)
        elif other is None and component in new.sites and name not in new.names.classes:
            changes.add("class-removed", Spot(name, ()), site.node, None, symbols=(name,))
    for (component, _), (name, site) in after.items():
        if component in old.sites and name not in old.names.classes:
            changes.add("class-added", Spot(name, ()), None, site.node, symbols=(name,))
    _inline(old, new, changes)


def _of_components(edition: Edition) -> dict[tuple[str, Side], tuple[str, Site]]:
    """The classes of components by component and side."""
    return {
        (name, side): (edition.names.component(name, side), site)
        for name, site in edition.sites.items()
        for side in edition.names.sides(name)
    }


def _inline(old: Edition, new: Edition, changes: Changes) -> None:
    before, after = old.names.inline_sites(), new.names.inline_sites()
    settled: set[str] = set()
    for key, (name, site) in before.items():
        other = after.get(key)
        if other is not None and other[0] != name:
            settled.add(other[0])
            _rename(name, site, *other, changes)
        elif other is None and name not in new.names.classes:
            changes.add("class-removed", Spot(name, ()), site.node, None, symbols=(name,))
    for name, site in after.values():
        if name not in old.names.classes and name not in settled:
            changes.add("class-added", Spot(name, ()), None, site.node, symbols=(name,))


def _rename(old_name: str, old: Site, new_name: str, new: Site, changes: Changes) -> None:
    described = {"old": words.code(old_name), "new": words.code(new_name)}
    changes.add("class-renamed", Spot(old_name, ()), old.node, new.node, described, symbols=(old_name, new_name))
