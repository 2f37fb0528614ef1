"""Differences that only readers of a document see: texts, examples, formats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set

from openresponses_codegen.diff import words
from openresponses_codegen.diff.changes import Changes, Spot
from openresponses_codegen.diff.edition import keyword
from openresponses_codegen.ir import Constant, EnumValue
from openresponses_codegen.lower.shapes import Site
from openresponses_codegen.source import Node

_COMBINATIONS = frozenset({"allOf", "anyOf", "oneOf"})
_NOTES = frozenset({"example", "examples", "format", "deprecated"})
_NONE: frozenset[str] = frozenset()


def compare(old: Site, new: Site, spot: Spot, changes: Changes) -> None:
    """Note how the texts and annotations at two sites differ."""
    if old.text != new.text:
        nodes = keyword(old.node, "description", "title"), keyword(new.node, "description", "title")
        changes.add("description-changed", spot, *nodes)
    before, after = _notes(old.node), _notes(new.node)
    if before == after:
        return
    if _examples(before) != _examples(after):
        nodes = keyword(old.node, "examples", "example"), keyword(new.node, "examples", "example")
        changes.add("example-changed", spot, *nodes)
    formats = before.get("format", _NONE), after.get("format", _NONE)
    if formats[0] != formats[1]:
        described = {"old": _listed(formats[0]), "new": _listed(formats[1])}
        changes.add("format-changed", spot, keyword(old.node, "format"), keyword(new.node, "format"), described)
    was, is_now = "true" in before.get("deprecated", _NONE), "true" in after.get("deprecated", _NONE)
    if was != is_now:
        nodes = keyword(old.node, "deprecated"), keyword(new.node, "deprecated")
        changes.add("deprecation-changed", spot, *nodes, {"new": "deprecated" if is_now else "no longer deprecated"})


def compare_values(old: EnumValue, new: EnumValue, enums: tuple[Node, Node], spot: Spot, changes: Changes) -> None:
    """Note that a value of an enum is described differently."""
    if old.text != new.text:
        changes.add("description-changed", spot, element(enums[0], old.value), element(enums[1], new.value))


def element(values: Node, value: Constant) -> Node:
    """The place of a value in a list of values; the list itself when it is not there."""
    if not isinstance(values.value, tuple):
        return values
    return next((each for each in values.value if (type(each.value), each.value) == (type(value), value)), values)


def _notes(node: Node) -> Mapping[str, set[str]]:
    """The annotations of a schema, wherever in its combinations they stand, by keyword."""
    found: dict[str, set[str]] = {}
    pending = [node]
    while pending:
        schema = pending.pop()
        if not isinstance(schema.value, dict):
            continue
        for name in _NOTES & schema.value.keys():
            found.setdefault(name, set()).add(json.dumps(schema.value[name].plain(), sort_keys=True))
        if not _COMBINATIONS.isdisjoint(schema.value):
            pending += _members(schema)
    return found


def _members(schema: Node) -> Iterator[Node]:
    for name in sorted(_COMBINATIONS):
        members = schema.get(name)
        if members is not None and isinstance(members.value, tuple):
            yield from members.value


def _examples(notes: Mapping[str, Set[str]]) -> tuple[Set[str], Set[str]]:
    return notes.get("example", _NONE), notes.get("examples", _NONE)


def _listed(values: Set[str]) -> str:
    names = ", ".join(sorted(value.strip('"') for value in values))
    return words.code(names) if names else "none"
