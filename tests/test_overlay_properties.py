"""What holds of every document and every overlay."""

from __future__ import annotations

import json
from typing import Any

from documents import values, walk
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen import overlay
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.overlay import Action, Overlay
from openresponses_codegen.source import Node, Plain, parse
from overlaid import Overlaid, acted

KEYS = st.sampled_from(["a", "b", "c", "x y", "ä/~"])
DOCUMENTS = st.dictionaries(KEYS, values(KEYS), max_size=4)
TARGETS = st.sampled_from(
    ["$", "$.a", "$.b", "$.a.b", "$.*", "$.*.*", "$..*", "$..a", "$..[0]", "$..[-1:]", "$..[?@.a]", "$..[?@ == 'b']"]
)
ACTIONS = st.one_of(
    st.fixed_dictionaries({"target": TARGETS, "update": values(KEYS)}),
    st.fixed_dictionaries({"target": TARGETS, "copy": st.sampled_from(["$", "$.a", "$.a.b", "$..b"])}),
    st.fixed_dictionaries({"target": TARGETS, "remove": st.just(value=True)}),
)


def merged(target: Any, source: Any) -> Any:
    """What the text of 1.1.0 says, in as few words as possible; raises TypeError where it says error."""
    if isinstance(target, dict) and isinstance(source, dict):
        kept = {key: merged(value, source[key]) if key in source else value for key, value in target.items()}
        return kept | {key: value for key, value in source.items() if key not in target}
    if isinstance(target, list) and isinstance(source, list):
        return target + source
    if isinstance(target, list | dict) or isinstance(source, list | dict):
        raise TypeError
    return source


@given(values(KEYS))
def test_applying_nothing_changes_nothing(content: Plain) -> None:
    """No action, an update without members, and an action that selects nothing leave the very node."""
    before = parse(json.dumps(content).encode(), "spec.json")
    nothing = Overlay(before, "overlay.yaml", "", "", ())
    assert overlay.apply(before, nothing, Diagnostics(), lenient=False) is before
    missing = Overlay(before, "overlay.yaml", "", "", (Action(before, "$.missing.name", remove=True),))
    assert overlay.apply(before, missing, Diagnostics(), lenient=True) is before
    if isinstance(content, dict):
        assert acted(content, {"target": "$", "update": {}}).after.plain() == content


@given(DOCUMENTS, DOCUMENTS)
def test_an_update_of_the_root_is_the_merge_of_the_specification(document: Plain, update: Plain) -> None:
    done = acted(document, {"target": "$", "update": update})
    try:
        expected = merged(document, update)
    except TypeError:
        assert done.codes == ["error overlay-unfit"]
    else:
        assert done.codes == []
        assert json.dumps(done.after.plain()) == json.dumps(expected)


@given(DOCUMENTS, st.lists(ACTIONS, min_size=1, max_size=5))
def test_pointers_lead_to_their_nodes_and_places_to_what_was_written(document: Plain, actions: list[Plain]) -> None:
    done = acted(document, *actions, lenient=True)
    for node in walk(done.after):
        assert follow(done.after, node) is node
        assert written_at(node) == (node.plain() if not isinstance(node.value, dict | tuple) else node.kind)
        assert node.text.characters[node.key_offset] in '"{[-0123456789tfn'
    for each in done.said:
        assert each.position is not None
        assert each.position.file == "overlay.json"


@given(DOCUMENTS, st.lists(ACTIONS, min_size=1, max_size=5))
def test_the_document_stays_as_it_is_and_the_result_is_the_same_again(document: Plain, actions: list[Plain]) -> None:
    first, second = (acted(document, *actions, lenient=True) for _ in range(2))
    assert first.before.plain() == document
    assert json.dumps(first.after.plain()) == json.dumps(second.after.plain())
    assert first.said == second.said


@given(DOCUMENTS, st.lists(ACTIONS, min_size=2, max_size=4))
def test_actions_in_one_overlay_are_actions_one_after_the_other(document: Plain, actions: list[Plain]) -> None:
    done = acted(document, *actions)
    step = Overlaid(done.before, done.before, ())
    for action in actions:
        step = acted(step.after.plain(), action)
        if step.said:
            assert done.said
            return
    assert json.dumps(done.after.plain()) == json.dumps(step.after.plain())


def follow(root: Node, node: Node) -> Node | None:
    keys: list[str | int] = []
    path = node.path
    while path is not None:
        path, key = path
        keys.append(key)
    found: Node | None = root
    for key in reversed(keys):
        value = found.value if found is not None else None
        if (isinstance(value, dict) and isinstance(key, str)) or (isinstance(value, tuple) and isinstance(key, int)):
            found = value[key]
    return found


def written_at(node: Node) -> object:
    """The scalar that stands at the node's place, or the kind of what opens there."""
    characters = node.text.characters
    if characters[node.offset] in "{[":
        return "object" if characters[node.offset] == "{" else "array"
    return json.JSONDecoder().raw_decode(characters, node.offset)[0]
