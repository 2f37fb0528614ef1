"""Overlay documents, valid and not: the cases of the OAI fixtures for 1.0 and 1.1, rewritten, and some more."""

from __future__ import annotations

import json

import pytest
from openresponses_codegen.overlay import Overlay
from openresponses_codegen.source import Plain
from overlaid import read

ACTION: dict[str, Plain] = {"target": "$.paths", "remove": True}
DOCUMENT: dict[str, Plain] = {"overlay": "1.1.0", "info": {"title": "T", "version": "1.0.0"}, "actions": [ACTION]}
PLAIN = "letters, digits and `_`"
BOTH = ("1.0.0", "1.1.0")


def written(edition: str = "1.1.0", **changes: Plain) -> str:
    """An overlay with other values, each on a line of its own; a value of Ellipsis leaves the key out."""
    members = {**DOCUMENT, "overlay": edition, **changes}
    return "\n".join(f"{key}: {json.dumps(value)}" for key, value in members.items() if value is not ...)


def action(edition: str = "1.1.0", **members: Plain) -> str:
    return written(edition, actions=[{"target": "$.paths", **members}])


VALID = {
    "minimal": [written(edition) for edition in BOTH],
    "extensions": [
        written(
            edition,
            **{"x-root": None, "info": {"title": "T", "version": "1", "x-info": []}},
            actions=[{**ACTION, "x-action": {"a": 1}}],
        )
        for edition in BOTH
    ],
    "description of an action": [action(edition, remove=True, description="*why*") for edition in BOTH],
    "description of the overlay": [written(info={"title": "T", "version": "1", "description": "*why*"})],
    "extends": [written(edition, extends="./other.yaml") for edition in BOTH],
    "every kind of update": [
        action(edition, update=value) for edition in BOTH for value in ({}, [], "s", 1, True, None)
    ],
    "update beside remove: false, as 1.0 allows": [action("1.0.0", update={}, remove=False)],
    "copy": [action(copy="$.components")],
    "patch numbers and drafts": [written("1.0.1"), written("1.1.27"), written("1.1.0-rc1")],
    "targets": [
        written(actions=[{"target": target, "remove": True}])
        for target in (
            "$",
            "$.a['b c'][0]..*",
            "$.a[?@.b == 'x' && !@.c || count(@.*) > 1]",
            "$[?match(@.a, '[a-c]+')]",
        )
    ],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in VALID.items() for text in texts])
def test_valid(name: str, text: str) -> None:
    overlay, said = read(text)
    assert said == [], name
    assert len(overlay.actions) == 1


INVALID: dict[str, tuple[str, str]] = {
    "not an object": ("[1]", "error not-overlay overlay.yaml:1:1"),
    "no version": (written(overlay=...), "error not-overlay overlay.yaml:1:1"),
    "version is no text": (written(overlay=1.1), "error overlay-field overlay.yaml:1:10"),
    "version of two numbers": (written("1.1"), "error overlay-version overlay.yaml:1:10"),
    "version to come": (written("1.2.0"), "error overlay-version overlay.yaml:1:10"),
    "version with more": (written("1.1.0.0"), "error overlay-version overlay.yaml:1:10"),
    "info missing": (written(info=...), "error overlay-field overlay.yaml:1:1"),
    "info is no object": (written(info="T"), "error overlay-field overlay.yaml:2:7"),
    "title missing": (written(info={"version": "1"}), "error overlay-field overlay.yaml:2:7"),
    "version missing": (written(info={"title": "T"}), "error overlay-field overlay.yaml:2:7"),
    "title is no text": (written(info={"title": 1, "version": "1"}), "error overlay-field overlay.yaml:2:17"),
    "version of it is no text": (written(info={"title": "T", "version": 1}), "error overlay-field overlay.yaml:2:33"),
    "description is no text": (
        written(info={"title": "T", "version": "1", "description": []}),
        "error overlay-field overlay.yaml:2:53",
    ),
    "description in 1.0": (
        written("1.0.0", info={"title": "T", "version": "1", "description": "x"}),
        "error overlay-key overlay.yaml:2:38",
    ),
    "unknown key": (written(action=[]), "error overlay-key overlay.yaml:4:1"),
    "extends is no text": (written(extends=["a"]), "error overlay-field overlay.yaml:4:10"),
    "actions missing": (written(actions=...), "error overlay-field overlay.yaml:1:1"),
    "actions are no array": (written(actions=ACTION), "error overlay-field overlay.yaml:3:10"),
    "no action": (written(actions=[]), "error overlay-action overlay.yaml:3:10"),
    "an action is no object": (written(actions=["$"]), "error overlay-field overlay.yaml:3:11"),
    "the same action twice": (
        written(actions=[ACTION, dict(reversed(ACTION.items()))]),
        "error overlay-action overlay.yaml:3:50",
    ),
    "target missing": (written(actions=[{"remove": True}]), "error overlay-field overlay.yaml:3:11"),
    "target is no text": (written(actions=[{"target": 1, "remove": True}]), "error overlay-field overlay.yaml:3:22"),
    "target without $": (
        written(actions=[{"target": "info.title", "update": "x"}]),
        "error overlay-target overlay.yaml:3:22",
    ),
    "target is no JSONPath": (
        written(actions=[{"target": "$.get[?@.x-traits.paged]", "update": {}}]),
        "error overlay-target overlay.yaml:3:22",
    ),
    "description of an action is no text": (
        action(remove=True, description=1),
        "error overlay-field overlay.yaml:3:64",
    ),
    "remove is no boolean": (action(remove="true"), "error overlay-field overlay.yaml:3:43"),
    "copy is no text": (action(copy={}), "error overlay-field overlay.yaml:3:41"),
    "copy is no JSONPath": (action(copy="components"), "error overlay-target overlay.yaml:3:41"),
    "copy in 1.0": (action("1.0.0", copy="$.components"), "error overlay-key overlay.yaml:3:33"),
    "update with remove": (action(update={}, remove=True), "error overlay-action overlay.yaml:3:11"),
    "update with remove: false": (action(update={}, remove=False), "error overlay-action overlay.yaml:3:11"),
    "update with copy": (action(update={}, copy="$"), "error overlay-action overlay.yaml:3:11"),
    "copy with remove": (action(remove=True, copy="$"), "error overlay-action overlay.yaml:3:11"),
    "nothing to do": (action(), "error overlay-action overlay.yaml:3:11"),
    "nothing to do in 1.0": (action("1.0.0"), "warning overlay-action overlay.yaml:3:11"),
    "remove: false": (action(remove=False), "warning overlay-action overlay.yaml:3:11"),
    "update with remove in 1.0": (action("1.0.0", update={}, remove=True), "warning overlay-action overlay.yaml:3:33"),
    "an unknown key of an action": (action(remove=True, traget=1), "error overlay-key overlay.yaml:3:49"),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid(name: str) -> None:
    """One finding each, at the place where it can be mended, with a way out."""
    text, expected = INVALID[name]
    assert read(text)[1] == [expected]


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = "overlay: 1.1.0\nactoins: []\ninfo: {}\nactions: [1, {target: $}, {target: x, remove: 1}]"
    assert len(read(text)[1]) == 7


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("openapi: 3.1.0", "this is an OpenAPI document: name it as the SPEC"),
        (written(actoins=[]), "did you mean `actions`?"),
        (action(remvoe=True), "did you mean `remove`?"),
        (action("1.0.0", copy="$.a"), "`copy` came with Overlay 1.1: write `overlay: 1.1.0`"),
        (written(overlay=1.1), "put it in quotes"),
        (action(copy="$[?serach(@.a, 'b')]"), "did you mean `search`?"),
        (action(copy="components"), "begin with `$`, which is the document"),
        (action(copy="$.x-own"), f"write a name with other characters than {PLAIN} in brackets: `['x-name']`"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    from openresponses_codegen import overlay
    from openresponses_codegen.diagnostics import Diagnostics
    from openresponses_codegen.source import parse

    diagnostics = Diagnostics()
    overlay.read(parse(text.encode(), "o.yaml"), diagnostics)
    assert hint in [each.hint for each in diagnostics.items]


def test_what_is_read() -> None:
    text = written(actions=[{"target": "$.a", "update": None}, {"target": "$.b", "copy": "$.a", "description": "why"}])
    overlay, said = read(text)
    assert isinstance(overlay, Overlay)
    assert said == []
    assert (overlay.name, overlay.title, overlay.version, overlay.edition) == ("overlay.yaml", "T", "1.0.0", "1.1")
    first, second = overlay.actions
    assert first.update is not None
    assert (first.target, first.update.value, first.remove, first.copy) == ("$.a", None, False, None)
    assert (second.update, second.copy, second.description) == (None, "$.a", "why")
