"""What the tests of overlays share: a document and an overlay as text, what comes of them, and what is said."""

from __future__ import annotations

import json
from dataclasses import dataclass

from openresponses_codegen import overlay
from openresponses_codegen.diagnostics import Diagnostic, Diagnostics
from openresponses_codegen.source import Node, Plain, parse

HEAD = {"info": {"title": "An overlay", "version": "1"}}


@dataclass(frozen=True)
class Overlaid:
    before: Node
    after: Node
    said: tuple[Diagnostic, ...]

    @property
    def codes(self) -> list[str]:
        return [f"{each.severity} {each.code}" for each in self.said]


def overlaid(document: str | Plain, text: str, *, name: str = "overlay.yaml", lenient: bool = False) -> Overlaid:
    """What comes of a document (`spec.yaml`) under an overlay."""
    content = document if isinstance(document, str) else json.dumps(document)
    before = parse(content.encode(), "spec.yaml")
    diagnostics = Diagnostics()
    read = overlay.read(parse(text.encode(), name), diagnostics)
    after = overlay.apply(before, read, diagnostics, lenient=lenient)
    return Overlaid(before, after, diagnostics.items)


def acted(document: str | Plain, *actions: Plain, edition: str = "1.1.0", lenient: bool = False) -> Overlaid:
    """The same of actions alone; those that are alike are told apart by their description."""
    numbered = [{"description": str(index), **each} for index, each in enumerate(actions) if isinstance(each, dict)]
    return overlaid(
        document, json.dumps({"overlay": edition, **HEAD, "actions": numbered}), name="overlay.json", lenient=lenient
    )


def read(text: str) -> tuple[overlay.Overlay, list[str]]:
    """What an overlay document says, and each diagnostic as severity, code and place."""
    diagnostics = Diagnostics()
    found = overlay.read(parse(text.encode(), "overlay.yaml"), diagnostics)
    for each in diagnostics.items:
        assert each.position is not None, "a finding says where"
        assert each.hint, "a finding says what to do"
    return found, [f"{each.severity} {each.code} {each.position}" for each in diagnostics.items]
