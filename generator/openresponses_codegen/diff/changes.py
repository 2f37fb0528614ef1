"""Collects changes: finds the rules for a difference, its severities and the Python names that it touches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from openresponses_codegen.diff import words as text
from openresponses_codegen.diff.edition import Edition, place
from openresponses_codegen.diff.report import Change
from openresponses_codegen.diff.rules import Party, Rule, worst
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.shapes import ObjectShape, Site
from openresponses_codegen.source import Node

_COMPONENT = re.compile(r"[.:\[{]")
"""What follows the name of a component in a subject."""


@dataclass(frozen=True, slots=True)
class Owner:
    """What bears a Python name: a component, or an inline shape in one."""

    old: Site
    new: Site
    old_component: str | None = None
    new_component: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in both documents a comparison is."""

    subject: str
    sides: tuple[Side, ...]
    owner: Owner | None = None
    field: str | None = None
    """The property of the owner, by its name on the wire."""
    event_stream: bool = False
    """Whether it is the union of the streaming events."""

    def within(self, step: str) -> Spot:
        """A spot in the items, values or members of this one."""
        return Spot(f"{self.subject}{step}", self.sides, self.owner, self.field)

    def property(self, name: str, owner: Owner | None) -> Spot:
        """A property of the object that is here."""
        return Spot(f"{self.subject}.{name}", self.sides, owner, name)


@dataclass(frozen=True, slots=True)
class _Difference:
    """A difference, and the spots at which it shows: several where `allOf` puts one schema into others."""

    kind: str
    old: Node | None
    new: Node | None
    words: Mapping[str, str]
    spots: list[Spot]
    symbols: list[str]


class Changes:
    """The changes found so far."""

    def __init__(self, old: Edition, new: Edition, rules: Mapping[str, Rule]) -> None:
        """Take the two documents, and the rules with their severities."""
        self._old = old
        self._new = new
        self._rules = rules
        self._found: dict[tuple[object, ...], _Difference] = {}

    def add(
        self,
        kind: str,
        spot: Spot,
        old: Node | None,
        new: Node | None,
        words: Mapping[str, str] | None = None,
        *,
        symbols: tuple[str, ...] = (),
    ) -> None:
        """Note a difference.

        `kind` is the id of a rule, or what follows `request-` and `response-` in one for each side. `words` fill
        the sentence of the rule; `symbols` are Python names that it touches beside those of the spot.
        """
        said = words or {}
        key = (kind, id(old), id(new), *said.items())
        known = self._found.setdefault(key, _Difference(kind, old, new, said, [], []))
        known.spots.append(spot)
        known.symbols.extend([*self._symbols(spot, gone=new is None), *symbols])

    def changes(self) -> list[Change]:
        """All of them, in the order in which they were found."""
        unused: set[str] = set()
        changes: list[Change] = []
        for each in self._found.values():
            sides = tuple(side for side in Side if any(side in spot.sides for spot in each.spots))
            names = [each.kind] if each.kind in self._rules else [f"{side}-{each.kind}" for side in sides]
            subject = text.clean(each.spots[0].subject)
            if not names:
                subject = _COMPONENT.split(subject)[0]
                if subject in unused:
                    continue
                unused.add(subject)
                names = ["unused-component-changed"]
            changes.append(self._change(each, names, subject, sides))
        return changes

    def _change(self, difference: _Difference, names: list[str], subject: str, sides: tuple[Side, ...]) -> Change:
        rules = sorted((self._rules[name] for name in names), key=lambda rule: rule.overall.rank)
        return Change(
            rules[0].id,
            rules[0].title,
            tuple(rule.id for rule in rules),
            subject,
            " ".join(dict.fromkeys(_sentence(rule.says, subject, difference.words) for rule in rules)),
            " ".join(dict.fromkeys(rule.advice for rule in rules)),
            {party: worst(rule.severity[party] for rule in rules) for party in Party},
            sides,
            place(difference.old),
            place(difference.new),
            tuple(dict.fromkeys(difference.symbols)),
        )

    def _symbols(self, spot: Spot, *, gone: bool) -> list[str]:
        if spot.owner is None:
            return []
        edition = self._old if gone else self._new
        owner = spot.owner
        site, component = (owner.old, owner.old_component) if gone else (owner.new, owner.new_component)
        sides = spot.sides or tuple(edition.names.sides(component) if component else ())
        found: list[str] = []
        for side, name in edition.classes(component, site, sides):
            symbol = name if spot.field is None else f"{name}.{edition.field(spot.field)}"
            found.append(symbol)
            if side is Side.REQUEST and isinstance(site.shape, ObjectShape) and side in spot.sides:
                found.append(f"params.{symbol}" if spot.field is None else f"params.{name}.{spot.field}")
        return found


def _sentence(says: str, subject: str, words: Mapping[str, str]) -> str:
    sentence = says.format_map(
        {
            "subject": subject if subject.startswith("the ") else f"`{subject}`",
            "what": "",
            "old": "",
            "new": "",
            **words,
        }
    )
    return f"{sentence[0].upper()}{sentence[1:]}."
