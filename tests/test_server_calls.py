"""Which functions a model may call in a response, whatever it does.

Protects X1 (functions of the request), X5 (the choice), X6 (allowed tools are a hard limit) and X7 (one at a time);
what no model could meet is refused before it is asked.
"""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import openresponses_kit as kit
import pytest
from openresponses_kit.server.calls import CallRules
from openresponses_kit.server.errors import InvalidRequestError, WriterError
from payloads import RELEASES

A, B = ({"type": "function", "name": name} for name in "ab")
SEARCH = {"type": "acme:search"}


def allowed(*tools: Any, **mode: str) -> dict[str, Any]:
    return {"type": "allowed_tools", "tools": list(tools), **mode}


def rules(**fields: Any) -> CallRules:
    return CallRules.of(kit.CreateResponseBody.model_validate_json(json.dumps(fields)))


def broken(call: Callable[[], None]) -> str | None:
    """The rule that a call breaks."""
    try:
        call()
    except WriterError as error:
        return error.rule
    return None


CHOICES: list[tuple[Any, list[Any], str, dict[str, str | None], str | None]] = [
    # choice, tools, functions to offer, rules that calls of a, b and c break, and that a response without one breaks
    (None, [A, B], "ab", {"a": None, "b": None, "c": "X1"}, None),
    ("auto", [A, B], "ab", {"a": None, "b": None, "c": "X1"}, None),
    ("auto", [], "", {"a": "X1"}, None),
    (None, [SEARCH], "", {"a": "X1", "acme:search": "X1"}, None),
    ("none", [A, B], "", {"a": "X5", "b": "X5", "c": "X1"}, None),
    ("required", [A, B], "ab", {"a": None, "c": "X1"}, "X5"),
    ("required", [A, SEARCH], "a", {"a": None}, None),
    ("required", [SEARCH], "", {"a": "X1"}, None),
    (B, [A, B], "b", {"a": "X5", "b": None, "c": "X1"}, "X5"),
    (B, [A, B, SEARCH], "b", {"a": "X5", "b": None}, "X5"),
    (allowed(A), [A, B], "a", {"a": None, "b": "X6", "c": "X1"}, None),
    (allowed(B, A), [A, B], "ab", {"a": None, "b": None, "c": "X1"}, None),
    (allowed(A, mode="auto"), [A, B], "a", {"a": None, "b": "X6"}, None),
    (allowed(A, mode="none"), [A, B], "", {"a": "X6", "b": "X6"}, None),
    (allowed(A, mode="required"), [A, B, SEARCH], "a", {"a": None, "b": "X6"}, "X6"),
    (allowed(A, SEARCH, mode="required"), [A, B, SEARCH], "a", {"a": None, "b": "X6"}, None),
    (allowed(SEARCH), [A, SEARCH], "", {"a": "X6"}, None),
    (SEARCH, [A, SEARCH], "a", {"a": None, "b": "X1"}, None),
]


@pytest.mark.parametrize(("choice", "tools", "offered", "calls", "end"), CHOICES, ids=lambda value: str(value)[:40])
def test_x1_x5_x6_calls_keep_to_tools_and_choice(
    choice: Any, tools: list[Any], offered: str, calls: dict[str, str | None], end: str | None
) -> None:
    """Each call by itself, and whether there has to be one."""
    fields = {"tools": tools} if choice is None else {"tools": tools, "tool_choice": choice}
    assert "".join(tool.name for tool in rules(**fields).allowed) == offered
    for name, rule in calls.items():
        assert broken(lambda name=name: rules(**fields).check(name)) == rule
    assert rules(**fields).required == (end is not None)


@pytest.mark.parametrize(("parallel", "rule"), [(None, None), (True, None), (False, "X7")])
def test_x7_one_call_where_calls_are_not_parallel(parallel: bool | None, rule: str | None) -> None:
    for first, second in itertools.product("ab", repeat=2):
        calls = rules(tools=[A, B], parallel_tool_calls=parallel)
        calls.check(first)
        assert broken(lambda calls=calls, name=second: calls.check(name)) == rule


def test_x7_a_call_that_was_refused_is_not_counted() -> None:
    calls = rules(tools=[A], parallel_tool_calls=False)
    assert broken(lambda: calls.check("b")) == "X1"
    calls.check("a")


def test_an_error_says_what_is_allowed() -> None:
    with pytest.raises(WriterError, match=r"^the tool choice does not allow a call of 'b'; allowed: a \(rule X6\)$"):
        rules(tools=[A, B], tool_choice=allowed(A)).check("b")


@pytest.mark.parametrize(
    ("choice", "tools", "param"),
    [
        ("required", [], "tool_choice"),
        ("required", None, "tool_choice"),
        (A, [B], "tool_choice.name"),
        (A, None, "tool_choice.name"),
        (allowed(B, SEARCH, A), [B, SEARCH], "tool_choice.tools[2].name"),
    ],
    ids=str,
)
def test_x5_e3_a_choice_that_no_model_could_meet_is_refused(choice: Any, tools: Any, param: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        rules(tools=tools, tool_choice=choice)
    assert refusal.value.param == param
    assert refusal.value.message.startswith(f"{param}: ")


@pytest.mark.parametrize("release", RELEASES)
def test_rules_of_both_releases_and_of_websockets(release: str, package: Callable[[str], ModuleType]) -> None:
    kit = package(release)
    module = importlib.import_module(f"{kit.__name__}.server.calls")
    fields = {"type": "response.create", "tools": [A, B], "tool_choice": allowed(B)}
    for kind in (kit.CreateResponseBody, getattr(kit, "WebSocketResponseCreateEvent", kit.CreateResponseBody)):
        assert [tool.name for tool in module.CallRules.of(kind.model_validate(fields)).allowed] == ["b"]
