"""Overlays of strangers: nothing of what they say takes forever, fills the memory, or ends in a traceback."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iregexp_check import check
from openresponses_codegen.overlay import MAX_PATTERN, MAX_QUERY, draft
from openresponses_codegen.overlay.draft import LimitError, Meter
from openresponses_codegen.overlay.pattern import Patterns
from openresponses_codegen.source import MAX_DEPTH, MAX_NODES, Node, Plain
from overlaid import acted


def test_a_document_that_doubles_itself_is_one_error() -> None:
    done = acted({"a": [1]}, *({"target": "$.a", "copy": "$.a"} for _ in range(50)))
    assert done.codes == ["error overlay-limit"]
    assert f"more than {MAX_NODES:,} values" in done.said[0].message


def test_an_update_of_many_nodes_is_limited_by_what_comes_out() -> None:
    big = [0] * 1000
    done = acted({"a": [{} for _ in range(600)]}, {"target": "$.a.*", "update": {"b": big}})
    assert done.codes == ["error overlay-limit"]


@pytest.mark.parametrize(("target", "update"), [("$.b", {"b": [0] * 800}), ("$.b[0]", {"b": [[0] * 800]})])
def test_what_was_removed_makes_room(target: str, update: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_NODES", 1000)
    many: Plain = {"target": "$", "update": update}
    actions: list[Plain] = [many, {"target": target, "remove": True}]
    assert acted({"a": 1}, *actions, *actions).codes == []
    assert acted({"a": 1}, many, many).codes == ["error overlay-limit"]


def nested(height: int, innermost: Plain = None) -> Plain:
    value: Plain = {"l": []} if innermost is None else innermost
    for _ in range(height - 1):
        value = {"a": value}
    return value


INNERMOST = "$" + ".a" * 19
"""Where 20 objects are inside one another."""


@pytest.mark.parametrize(
    ("action", "highest"),
    [
        (lambda height: {"target": INNERMOST, "update": nested(height, {})}, MAX_DEPTH - 19),
        (lambda _: {"target": INNERMOST, "copy": "$.deep"}, MAX_DEPTH - 19),
        (lambda height: {"target": f"{INNERMOST}.l", "update": nested(height, {})}, MAX_DEPTH - 21),
        (lambda height: {"target": f"{INNERMOST}.l", "update": [nested(height, {})]}, MAX_DEPTH - 21),
    ],
    ids=["update", "copy", "append", "concatenate"],
)
def test_a_document_becomes_as_deep_as_it_may_be_and_no_deeper(action: Callable[[int], Plain], highest: int) -> None:
    document = nested(20)
    assert isinstance(document, dict)
    for height, codes in ((highest, []), (highest + 1, ["error overlay-limit"])):
        done = acted({**document, "deep": nested(height, {})}, action(height))
        assert done.codes == codes
        assert depth(done.after) <= MAX_DEPTH


def depth(node: Node) -> int:
    if isinstance(node.value, dict | tuple):
        inside = node.value.values() if isinstance(node.value, dict) else node.value
        return 1 + max(map(depth, inside), default=0)
    return 0


MANY = {"a": [{"k": f"v{index}", "l": [1, 2, 3]} for index in range(2000)]}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("$..[?count($..*) > 3]", "overlay-limit"),
        ("$..[?$..[?$..[?@.x]]]", "overlay-limit"),
        ("$" + "..*" * 300, "overlay-limit"),
        ("$.a" + "['k','l','k','l','l','l','l','l','l','l']" * 20, "overlay-no-match"),
        ("$.a[" + ",".join(["0:2000"] * 100) + "]" + "..*" * 20, "overlay-limit"),
        ("$.a[?" + "!" * 900 + "@]", "overlay-target"),
        ("$" + "[?@" * 300 + "]" * 300, "overlay-target"),
        ("$." + "a" * MAX_QUERY, "overlay-target"),
        ("$.a[99999999999999999999]", "overlay-target"),
        ("$.a[?@.k == " + "9" * 900 + "]", "overlay-target"),
        ("$.a[?@.k == 1e999]", "overlay-target"),
        ("$['\\ud800']", "overlay-target"),
        (r"$.a[?match(@.k, '(v*)*(v*)*[0-9]*x')]", "overlay-no-match"),
        (r"$.a[?match(@.k, '((.*)*)*x')]", "overlay-no-match"),
        (r"$.a[?match(@.k, '((v{999}){999}){999}')]", "overlay-limit"),
        (r"$.a[?match(@.k, '((((){999}){999}){999}){999}')]", "overlay-limit"),
        (r"$.a[?search(@.k, $.a[0].k)]", ""),
    ],
)
def test_hostile_queries(target: str, said: str, few_steps: None) -> None:
    """They end soon, and say what was wrong with them where anything was."""
    done = acted(MANY, {"target": target, "remove": True})
    assert [each.code for each in done.said] == [said] * bool(said)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of what there is, so that the tests take less time."""
    monkeypatch.setattr(draft, "MAX_STEPS", draft.MAX_STEPS // 10)
    monkeypatch.setattr(draft, "MAX_QUERY_STEPS", draft.MAX_QUERY_STEPS // 10)


@pytest.mark.parametrize(
    "action",
    [
        {"target": "$..[?@.k == 'none']", "remove": True},
        {"target": "$.a.*", "update": {"k": "v", "l": []}},
        {"target": "$.b", "copy": "$.a"},
    ],
)
def test_the_steps_of_all_actions_are_limited_together(action: Plain, few_steps: None) -> None:
    """A thousand actions that are harmless alone, and add nothing."""
    actions = [action, {"target": "$.b.*", "remove": True}] * 500
    said = acted({**MANY, "b": []}, *actions, lenient=True).said
    assert [each.code for each in said if each.severity == "error"] == ["overlay-limit"]


@pytest.mark.parametrize(("steps", "codes"), [(6000, ["error overlay-limit"]), (60_000, [])])
def test_the_steps_of_one_query_are_limited(steps: int, codes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_QUERY_STEPS", steps)
    assert acted(MANY, {"target": "$..l", "remove": True}).codes == codes


def test_queries_reach_as_deep_as_a_document_may_be() -> None:
    done = acted(nested(MAX_DEPTH - 1), {"target": "$..l", "update": 1})
    assert done.codes == []


def test_patterns_of_the_document_take_steps(few_steps: None) -> None:
    """Each is another one, and small, but costly to understand."""
    patterns = [{"p": f"(a{{{number}}}){{4}}"} for number in range(900, 1000)]
    assert acted(patterns, {"target": "$[?match('a', @.p)]", "remove": True}).codes == ["error overlay-limit"]


TOKENS = """
    $ @ . .. * [ ] ? ( ) ! && || == != < >= 'a' "b" a x 0 -1 1: ::-1 : 1.5 1e400 length( count( match( search( value(
    , null true false '\\u12 '\\ \\ud800 ' " é _ 01 1E+ 'a|b'
""".split()


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join) | st.text(max_size=30))
def test_no_query_breaks_anything(query: str) -> None:
    done = acted(
        '{"a": {"x": [1, 2, {"a": "b"}], "b": null}, "x": ["a", 1.5, true]}', {"target": f"${query}", "remove": True}
    )
    assert {each.code for each in done.said} <= {"overlay-target", "overlay-no-match", "overlay-unfit", "overlay-limit"}


def fits(pattern: str, text: str, *, whole: bool) -> bool:
    return Patterns(Meter()).fits(pattern, text, whole=whole)


PARTS = r"""
    a b c ( ) | * + ? {2} {0,2} {1,} {10} {0,12} . [ab] [^a] [a-b] [-a] [a-] \p{Ll} \P{L} ^ $ - \n \. \- [\n\]]
""".split()


@given(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), st.text("abc-.]\nÉ", max_size=8))
def test_patterns_fit_as_in_python(pattern: str, text: str) -> None:
    """What RFC 9485 allows means the same there, but for a dot, the end, and categories."""
    in_python = re.sub(r"(\\[^pP])|\.", lambda found: found[1] or r"[^\n\r]", pattern).replace("$", r"\Z")
    in_python = in_python.replace(r"\p{Ll}", "[abc]").replace(r"\P{L}", r"[-.\]\n]")
    for whole in (True, False):
        try:
            expected = (re.fullmatch if whole else re.search)(in_python, text) is not None
        except re.error:
            return
        if check(pattern):
            assert fits(pattern, text, whole=whole) == expected


@pytest.mark.parametrize("pattern", [r"\d", "(?:a)", "a**", "[", "(", "a{,3}", "*", r"(a)\1", "(?=a)"])
def test_what_is_no_i_regexp_fits_nothing(pattern: str) -> None:
    """RFC 9535, sections 2.4.6 and 2.4.7."""
    assert not fits(pattern, "a", whole=True)
    assert not fits(pattern, "a1", whole=False)


@pytest.mark.parametrize("pattern", ["a" * (MAX_PATTERN + 1), "a{6000}", "(a{100}){100}", "(){9999999999}"])
def test_patterns_that_are_too_large(pattern: str) -> None:
    with pytest.raises(LimitError):
        fits(pattern, "a", whole=True)


def test_a_long_text_takes_steps(few_steps: None) -> None:
    with pytest.raises(LimitError):
        fits("(a|b)*c", "ab" * draft.MAX_STEPS, whole=True)
