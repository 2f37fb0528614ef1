"""What actions do to a document, by the text of Overlay 1.0.0 and 1.1.0 and the sets of cases that OAI publishes."""

from __future__ import annotations

from typing import Any

import pytest
from documents import walk
from openresponses_codegen.source import parse
from overlaid import acted, overlaid, read

PARAMETERS = {"/a": {"parameters": [{"name": "p"}, {"name": "q"}]}, "/b": {"parameters": [{"name": "q"}]}}
QUERY = {"name": "q", "in": "query"}
SUMMARIES = {"get": {"summary": "B"}, "delete": {"summary": "D"}}
SAME_IN_BOTH: dict[str, tuple[Any, list[Any], Any]] = {
    "a licence is added": (
        {"info": {"title": "T"}},
        [{"target": "$.info", "update": {"license": {"name": "MIT"}}}],
        {"info": {"title": "T", "license": {"name": "MIT"}}},
    ),
    "the root is updated": (
        {"info": {"title": "T"}},
        [{"target": "$", "update": {"info": {"x-done": True}}}],
        {"info": {"title": "T", "x-done": True}},
    ),
    "text is added and replaced": (
        {"paths": {"/a": {"get": {"summary": "old"}}}},
        [{"target": "$.paths['/a'].get", "update": {"summary": "new", "description": "more"}}],
        {"paths": {"/a": {"get": {"summary": "new", "description": "more"}}}},
    ),
    "many operations, by wildcard and one by one": (
        {"paths": {"/a": {"get": {"summary": "A"}}, "/b": {"get": {}}}},
        [
            {"target": "$.paths['/a'].get.summary", "remove": True},
            {"target": "$.paths.*.get", "update": {"tags": ["all"]}},
            {"target": "$.paths['/a'].get", "update": {"x": {"y": 1}, "tags": ["one"]}},
            {"target": "$.paths.*", "update": {"post": {"z": {"w": "v"}}}},
        ],
        {
            "paths": {
                "/a": {"get": {"tags": ["all", "one"], "x": {"y": 1}}, "post": {"z": {"w": "v"}}},
                "/b": {"get": {"tags": ["all"]}, "post": {"z": {"w": "v"}}},
            }
        },
    ),
    "an example is removed": (
        {"properties": {"building": {"example": "x", "type": "string"}}},
        [{"target": "$.properties['building'].example", "remove": True}],
        {"properties": {"building": {"type": "string"}}},
    ),
    "answers are removed wherever they are": (
        {"paths": {"/a": {"get": {"responses": {"200": {}, "500": {}}}, "put": {"responses": {"500": {}}}}}},
        [{"target": "$.paths..responses['500']", "remove": True}],
        {"paths": {"/a": {"get": {"responses": {"200": {}}}, "put": {"responses": {}}}}},
    ),
    "properties of a type are removed": (
        {"s": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "string"}}}},
        [{"target": "$..properties[?(@.type == 'string')]", "remove": True}],
        {"s": {"properties": {"b": {"type": "integer"}}}},
    ),
    "a server is removed by what it says": (
        {"servers": [{"d": "Dev"}, {"d": "Live"}, {"d": "Dev"}]},
        [{"target": "$.servers[?( @.d == 'Dev' )]", "remove": True}],
        {"servers": [{"d": "Live"}]},
    ),
    "servers are replaced: removed, then added": (
        {"servers": [{"url": "a"}, {"url": "b"}]},
        [{"target": "$.servers", "remove": True}, {"target": "$", "update": {"servers": [{"url": "c"}]}}],
        {"servers": [{"url": "c"}]},
    ),
    "an entry is added to arrays": (
        {"a": {"p": [{"name": "q"}]}, "b": {"p": []}},
        [{"target": "$.*.p", "update": {"name": "new"}}],
        {"a": {"p": [{"name": "q"}, {"name": "new"}]}, "b": {"p": [{"name": "new"}]}},
    ),
    "only entries of a name are updated": (
        PARAMETERS,
        [{"target": "$.*.parameters[?@.name=='q' && !@.in]", "update": {"in": "query"}}],
        {"/a": {"parameters": [{"name": "p"}, QUERY]}, "/b": {"parameters": [QUERY]}},
    ),
    "traits": (
        {"/a": {"get": {"x-traits": ["paged"], "parameters": [1]}}, "/b": {"get": {"x-traits": ["other"]}}},
        [{"target": "$[?@.get['x-traits'][?@ == 'paged']].get", "update": {"parameters": [2]}}],
        {"/a": {"get": {"x-traits": ["paged"], "parameters": [1, 2]}}, "/b": {"get": {"x-traits": ["other"]}}},
    ),
    "null and types of primitives are replaced": (
        {"a": None, "b": 1, "c": "x", "d": False},
        [{"target": "$", "update": {"a": "text", "b": 1.5, "c": None, "d": 0}}],
        {"a": "text", "b": 1.5, "c": None, "d": 0},
    ),
    "nested nodes are removed with what holds them": (
        {"a": [{"a": [1]}, {"b": [2, 3]}], "c": {"a": {}}},
        [{"target": "$..a", "remove": True}],
        {"c": {}},
    ),
    "elements are removed from the end": (
        {"l": [0, [1, 2, 3], 4, [5, 6]]},
        [{"target": "$.l[0,1,3,1][0:2]", "remove": True}, {"target": "$.l[1,3]", "update": [7]}],
        {"l": [0, [3, 7], 4, [7]]},
    ),
}
"""By name: a document, actions, and what comes out in 1.1; in 1.0, too, but for the last."""


@pytest.mark.parametrize("edition", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("name", SAME_IN_BOTH)
def test_actions(name: str, edition: str) -> None:
    document, actions, result = SAME_IN_BOTH[name]
    if edition == "1.0.0" and name == "elements are removed from the end":
        result = {"l": [0, [3, [7]], 4, [[7]]]}
    done = acted(document, *actions, edition=edition)
    assert [code for code in done.codes if code != "warning overlay-array-entry"] == []
    assert done.after.plain() == result


ONLY_IN_1_1: dict[str, tuple[Any, list[Any], Any]] = {
    "primitive targets are replaced": (
        SUMMARIES,
        [{"target": "$.*.summary", "update": "new"}],
        {"get": {"summary": "new"}, "delete": {"summary": "new"}},
    ),
    "primitive elements are removed": (
        {"tags": ["a", "dummy", "b", "dummy"]},
        [{"target": "$.tags[?@ == 'dummy']", "remove": True}],
        {"tags": ["a", "b"]},
    ),
    "arrays are concatenated, other values appended": (
        {"l": [1]},
        [{"target": "$.l", "update": each} for each in ([2, [3]], {"a": 4}, None, "text")],
        {"l": [1, 2, [3], {"a": 4}, None, "text"]},
    ),
    "a node is copied over another": (
        {"a": {"get": {"x": 1}, "l": [1]}, "b": {"delete": {"x": 2}, "l": [2]}},
        [{"target": "$.b", "copy": "$.a"}],
        {"a": {"get": {"x": 1}, "l": [1]}, "b": {"delete": {"x": 2}, "l": [2, 1], "get": {"x": 1}}},
    ),
    "a node is copied to a place that is made first": (
        {"p": {"/a": {"get": {}}}},
        [{"target": "$.p", "update": {"/b": {}}}, {"target": "$.p['/b']", "copy": "$.p['/a']"}],
        {"p": {"/a": {"get": {}}, "/b": {"get": {}}}},
    ),
    "a node is moved": (
        {"p": {"/a": {"get": {"x": [1]}}, "/c": {}}},
        [
            {"target": "$.p", "update": {"/b": {}}},
            {"target": "$.p['/b']", "copy": "$.p['/a']"},
            {"target": "$.p['/a']", "remove": True},
        ],
        {"p": {"/c": {}, "/b": {"get": {"x": [1]}}}},
    ),
    "a copy is what the node was, not what it becomes": (
        {"c": [1], "a": {"b": {}}},
        [{"target": "$.a.b", "copy": "$"}, {"target": "$.c", "copy": "$.c"}, {"target": "$.a.b.c", "update": 2}],
        {"c": [1, 1], "a": {"b": {"c": [1, 2], "a": {"b": {}}}}},
    ),
    "a node that was changed, moved, and moved back": (
        {"a": {"b": {"x": 1}}, "kept": {}},
        [
            {"target": "$.a.b.x", "remove": True},
            {"target": "$.kept", "copy": "$"},
            {"target": "$.a", "remove": True},
            {"target": "$", "copy": "$.kept"},
            {"target": "$.kept", "remove": True},
        ],
        {"a": {"b": {}}},
    ),
    "a primitive is copied": ({"a": 1, "b": "x"}, [{"target": "$.b", "copy": "$.a"}], {"a": 1, "b": 1}),
}


@pytest.mark.parametrize("name", ONLY_IN_1_1)
def test_actions_of_1_1(name: str) -> None:
    document, actions, result = ONLY_IN_1_1[name]
    done = acted(document, *actions)
    assert done.codes == []
    assert done.after.plain() == result


def test_an_update_is_put_into_each_target_anew() -> None:
    """A later action on one of them leaves the others alone."""
    done = acted(
        {"a": {}, "b": {}}, {"target": "$.*", "update": {"l": [1]}}, {"target": "$.a.l", "update": 2}
    )  # fmt: skip
    assert done.after.plain() == {"a": {"l": [1, 2]}, "b": {"l": [1]}}


ERROR, NO_MATCH = "error overlay-unfit", "error overlay-no-match"
UNFIT: dict[str, tuple[Any, list[Any], str, list[str]]] = {
    "primitive into object": ({"a": {}}, [{"target": "$.a", "update": 1}], "1.0.0", [ERROR]),
    "primitive into nested array": ({"a": []}, [{"target": "$", "update": {"a": 1}}], "1.0.0", [ERROR]),
    "null into object": ({"a": {}}, [{"target": "$", "update": {"a": None}}], "1.0.0", [ERROR]),
    "object into nested primitive": ({"a": 1}, [{"target": "$", "update": {"a": {}}}], "1.1.0", [ERROR]),
    "array into primitive": ({"a": 1}, [{"target": "$.a", "update": []}], "1.1.0", [ERROR]),
    "object into nested array": ({"a": []}, [{"target": "$", "update": {"a": {}}}], "1.1.0", [ERROR]),
    "array into object": ({"a": {}}, [{"target": "$.a", "update": []}], "1.1.0", [ERROR]),
    "primitive target in 1.0": ({"a": 1}, [{"target": "$.a", "update": 2}], "1.0.0", [ERROR]),
    "several kinds": ({"a": 1, "b": []}, [{"target": "$.*", "update": 2}], "1.1.0", [ERROR]),
    "the root is removed": ({"a": 1}, [{"target": "$", "remove": True}], "1.1.0", [ERROR]),
    "two nodes to copy": ({"a": {}, "b": []}, [{"target": "$.a", "copy": "$.*"}], "1.1.0", [ERROR]),
    "what is copied does not fit": (
        {"a": {"b": 1}, "c": {"b": []}},
        [{"target": "$.a", "copy": "$.c"}],
        "1.1.0",
        [ERROR],
    ),
    "nothing to copy": ({"a": {}}, [{"target": "$.a", "copy": "$.b"}], "1.1.0", [NO_MATCH]),
    "each action is told": (
        {"a": {}},
        [{"target": "$.b", "remove": True}, {"target": "$.c", "remove": True}, {"target": "$.a", "update": 1}],
        "1.1.0",
        [NO_MATCH, NO_MATCH, ERROR],
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_actions_that_do_not_fit(name: str) -> None:
    """They are errors in the overlay's file, with a way out."""
    document, actions, edition, codes = UNFIT[name]
    done = acted(document, *actions, edition=edition)
    assert done.codes == codes
    for each in done.said:
        assert each.position is not None
        assert each.position.file == "overlay.json"
        assert each.hint


def test_kinds_may_be_mixed_in_1_0() -> None:
    """1.0.0 says what an update does to an object and to an array, and does not forbid to select both."""
    done = acted({"a": {}, "b": []}, {"target": "$.*", "update": {"x": 1}}, edition="1.0.0")
    assert (done.codes, done.after.plain()) == ([], {"a": {"x": 1}, "b": [{"x": 1}]})


def test_an_array_is_one_entry_in_1_0_and_the_user_is_told() -> None:
    done = acted({"l": [1]}, {"target": "$.l", "update": [2]}, edition="1.0.0")
    assert (done.codes, done.after.plain()) == (["warning overlay-array-entry"], {"l": [1, [2]]})


def test_a_target_that_matches_nothing_is_a_warning_when_lenient() -> None:
    actions = ({"target": "$.schemas.Thng", "remove": True}, {"target": "$.a", "update": {"b": 1}})
    done = acted({"schemas": {"Thing": {}}, "a": {}}, *actions, lenient=True)
    assert done.codes == ["warning overlay-no-match"]
    assert done.said[0].hint == "`$.schemas` has no `Thng`; did you mean `Thing`?"
    assert done.after.plain() == {"schemas": {"Thing": {}}, "a": {"b": 1}}


@pytest.mark.parametrize("extends", ["other.yaml", "folder/other.json#/x", "https://example.com/other.yaml?v=1"])
def test_another_document_is_noted(extends: str) -> None:
    text = (
        f"overlay: 1.0.0\ninfo: {{title: T, version: '1'}}\nextends: {extends}\nactions: [{{target: $, update: {{}}}}]"
    )
    (note,) = overlaid("{a: 1}", text).said
    assert (str(note.severity), note.code, str(note.position)) == ("note", "overlay-extends", "overlay.yaml:3:10")
    assert overlaid("{a: 1}", text.replace("other.", "spec.").replace("json", "yaml")).said == ()


DOCUMENT = """\
info:
  title: Old
list: [1, 2, 3]
gone: {}
kept:
  - deep: {a: 1}
"""
OVERLAY = """\
overlay: 1.1.0
info: {title: T, version: '1'}
actions:
  - target: $
    update:
      info:
        title: New
        more: {x: y}
  - target: $.list[0]
    remove: true
  - target: $.list
    update: [4]
  - target: $.info
    copy: $.kept[0]
  - target: $.gone
    remove: true
"""


def test_every_node_keeps_the_place_where_it_was_written() -> None:
    """Pointers are those of the result; what moved has new ones, and what stayed is the node that it was."""
    done = overlaid(DOCUMENT, OVERLAY)
    assert done.codes == []
    assert [f"{node.position} {node.pointer} {node.kind}" for node in walk(done.after)] == [
        "spec.yaml:1:1 # object",
        "spec.yaml:2:3 #/info object",
        "overlay.yaml:7:16 #/info/title string",
        "overlay.yaml:8:15 #/info/more object",
        "overlay.yaml:8:19 #/info/more/x string",
        "spec.yaml:6:11 #/info/deep object",
        "spec.yaml:6:15 #/info/deep/a integer",
        "spec.yaml:3:7 #/list array",
        "spec.yaml:3:11 #/list/0 integer",
        "spec.yaml:3:14 #/list/1 integer",
        "overlay.yaml:12:14 #/list/2 integer",
        "spec.yaml:6:3 #/kept array",
        "spec.yaml:6:5 #/kept/0 object",
        "spec.yaml:6:11 #/kept/0/deep object",
        "spec.yaml:6:15 #/kept/0/deep/a integer",
    ]
    assert done.after.get("kept") is done.before.get("kept")
    info = done.after.get("info")
    assert info is not None
    assert str(info.key_position("more")) == "overlay.yaml:8:9"
    assert str(info.key_position("deep")) == "spec.yaml:6:5"
    assert done.before.plain() == parse(DOCUMENT.encode(), "x.yaml").plain()


def test_what_was_read_can_be_printed() -> None:
    from openresponses_codegen.overlay import plain

    text = OVERLAY.replace("actions:", "extends: spec.yaml\nx-own: 1\nactions:")
    found, _ = read(text)
    expected = parse(text.encode(), "o.yaml").plain()
    assert isinstance(expected, dict)
    del expected["x-own"]
    assert plain(found) == expected
