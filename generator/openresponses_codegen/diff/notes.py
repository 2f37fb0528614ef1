"""Differences that only readers of a document see: texts, examples, formats."""

from __future__ import annotations

import json
from collections.abc import Iterator

from openresponses_codegen.diff import words
from openresponses_codegen.diff.changes import Changes, Spot
from openresponses_codegen.diff.edition import keyword
from openresponses_codegen.ir import Constant, EnumValue
from openresponses_codegen.lower.shapes import Site
from openresponses_codegen.source import Node

_COMBINATIONS = ("allOf", "anyOf", "oneOf")
_NOTES = ("example", "examples", "format", "deprecated")


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
    if before["format"] != after["format"]:
        described = {"old": _listed(before["format"]), "new": _listed(after["format"])}
        changes.add("format-changed", spot, keyword(old.node, "format"), keyword(new.node, "format"), described)
    was, is_now = "true" in before["deprecated"], "true" in after["deprecated"]
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


def _notes(node: Node) -> dict[str, frozenset[str]]:
    """The annotations of a schema, wherever in its combinations they stand."""
    found: dict[str, set[str]] = {name: set() for name in _NOTES}
    pending = [node]
    while pending:
        schema = pending.pop()
        if not isinstance(schema.value, dict):
            continue
        for name in _NOTES:
            value = schema.value.get(name)
            if value is not None:
                found[name].add(json.dumps(value.plain(), sort_keys=True))
        pending += _members(schema)
    return {name: frozenset(values) for name, values in found.items()}


def _members(schema: Node) -> Iterator[Node]:
    for name in _COMBINATIONS:
        members = schema.get(name)
        if members is not None and isinstance(members.value, tuple):
            yield from members.value


def _examples(notes: dict[str, frozenset[str]]) -> tuple[frozenset[str], frozenset[str]]:
    return notes["example"], notes["examples"]


def _listed(values: frozenset[str]) -> str:
    names = ", ".join(sorted(value.strip('"') for value in values))
    return words.code(names) if names else "none"
