"""Contexts that are too long for a model.

Protects: rule P4. Only the oldest items go, only where the request allows it, and what is left is still a conversation
that a model can read: guidance is whole, no output is without its call, nothing is in another order.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.gateway import RoundWriter, Sampling, UpstreamError
from openresponses_kit.gateway.replay import read_item
from openresponses_kit.gateway.truncation import CONTEXT_TOO_LONG, segments_of, shortened
from openresponses_kit.server.errors import InvalidRequestError, ServerError
from scripted_model import Round, ScriptedModel, ScriptedTool, ask, calls, gives, says

ROLES = ("user", "assistant", "system", "developer")


def message(role: str, text: str = "Hm.") -> Any:
    return read_item({"type": "message", "role": role, "content": text})


def call(number: int) -> Any:
    return read_item({"type": "function_call", "call_id": f"c{number}", "name": "look", "arguments": "{}"})


def output(number: int) -> Any:
    return read_item({"type": "function_call_output", "call_id": f"c{number}", "output": "seen"})


REASONING = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "So."}]}


@st.composite
def conversations(draw: st.DrawFn) -> list[Any]:
    """Items as they come in conversations: parallel calls, calls that wait, reasoning before anything."""
    items: list[Any] = []
    number = 0
    for kind in draw(st.lists(st.sampled_from([*ROLES, "calls", "waiting", "reasoning"]), max_size=25)):
        if kind == "reasoning":
            items.append(read_item(REASONING))
        elif kind == "waiting":
            items.append(call(number := number + 1))
        elif kind == "calls":
            numbers = [number := number + 1 for _ in range(draw(st.integers(1, 3)))]
            items += [call(each) for each in numbers]
            items += [output(each) for each in draw(st.permutations(numbers))]
        else:
            items.append(message(kind))
    return items


def is_guidance(item: Any) -> bool:
    return getattr(item, "role", None) in {"system", "developer"}


@given(conversations())
def test_p4_what_is_left_is_a_conversation(items: list[Any]) -> None:
    """Until nothing more may go: in order, guidance whole, outputs with their calls and calls with their outputs."""
    left: list[Any] | None = items
    while left is not None:
        places = [next(place for place, item in enumerate(items) if item is each) for each in left]
        assert places == sorted(set(places))
        assert [item for item in left if is_guidance(item)] == [item for item in items if is_guidance(item)]
        called = [item.call_id for item in left if item.type == "function_call"]
        answered = {item.call_id for item in left if item.type == "function_call_output"}
        assert answered <= set(called)
        before = {item.call_id for item in items if item.type == "function_call_output"}
        assert before.intersection(called) == answered
        if items:
            assert left[-1] is items[-1]
        asked = [item for item in items if getattr(item, "role", None) == "user"]
        assert not asked or any(item is asked[-1] for item in left)
        shorter = shortened(left)
        assert shorter is None or len(shorter) < len(left)
        left = shorter


@given(conversations())
def test_p4_the_oldest_go_first(items: list[Any]) -> None:
    left = shortened(items)
    if left is None:
        return
    dropped = {place for place, item in enumerate(items) if not any(item is each for each in left)}
    kept = [place for place, item in enumerate(items) if not is_guidance(item) and place not in dropped]
    user = [place for place, item in enumerate(items) if getattr(item, "role", None) == "user"]
    assert min(dropped) < min(set(kept) - set(user[-1:]), default=len(items))


@given(conversations())
def test_p4_segments_are_the_items_in_order(items: list[Any]) -> None:
    segments = segments_of(items)
    assert [id(item) for segment in segments for item in segment] == [id(item) for item in items]
    assert all(segments)


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([], None),
        ([message("user")], None),
        ([message("system"), message("user")], None),
        ([message("user"), message("assistant")], None),
        ([message("assistant"), message("user")], [1]),
        ([message("user"), message("assistant"), message("user")], [1, 2]),
        ([message("system"), message("user"), message("assistant"), message("user")], [0, 2, 3]),
        ([message("user"), call(1), output(1), call(2), output(2)], [0, 3, 4]),
        ([message("user"), call(1), call(2), output(1), output(2)], None),
        ([call(1), message("developer"), output(1), message("user")], [1, 3]),
        ([read_item(REASONING), call(1), output(1), message("user")], [3]),
        ([message("assistant")] * 8 + [message("user")], [2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_p4_what_one_step_leaves(items: list[Any], left: list[int] | None) -> None:
    assert shortened(items) == (None if left is None else [items[place] for place in left])


def at_most(length: int, then: Round, *, says_before: str = "") -> Round:
    """A round that refuses more items, as an upstream does whose context is full."""

    async def round_(sampling: Sampling, out: RoundWriter) -> str | None:
        if len(sampling.items) > length:
            if says_before:
                await out.text(says_before)
            error = InvalidRequestError("the context is too long", code=CONTEXT_TOO_LONG)
            raise UpstreamError(error, is_transient=False)
        return await then(sampling, out)

    return round_


LONG = [
    {"role": "developer", "content": "Be brief."},
    *({"role": role, "content": f"{number}"} for number in range(20) for role in ("user", "assistant")),
    {"role": "user", "content": "Well?"},
]


def test_p4_auto_drops_the_oldest_until_the_model_takes_them() -> None:
    model = ScriptedModel(at_most(12, says("Yes.")))
    answer = ask(model, input=LONG, truncation="auto")
    assert answer.response["status"] == "completed"
    told = [item["content"] for item in model.told[-1]]
    assert told[0] == "Be brief."
    assert told[1:] == [item["content"] for item in LONG[-len(told) + 1 :]]
    assert 8 <= len(told) <= 12, "more was dropped than a quarter beyond what had to go"


@pytest.mark.parametrize("asked", [{}, {"truncation": "disabled"}])
def test_p4_disabled_fails(asked: dict[str, str]) -> None:
    model = ScriptedModel(at_most(12, says("Yes.")))
    answer = ask(model, input=LONG, **asked)
    assert answer.response["error"]["code"] == CONTEXT_TOO_LONG
    assert len(model.samplings) == 1


def test_p4_what_cannot_be_shortened_fails() -> None:
    model = ScriptedModel(at_most(0, says("Yes.")))
    answer = ask(model, input=LONG, truncation="auto")
    assert answer.response["error"]["code"] == CONTEXT_TOO_LONG
    assert [item["content"] for item in model.told[-1]] == ["Be brief.", "Well?"]


def test_p4_later_rounds_begin_with_what_was_left() -> None:
    """A round that follows does not try again what was too long before, and keeps its results."""

    async def works_once(sampling: Sampling, out: RoundWriter) -> str | None:
        is_done = sampling.items[-1].type == "function_call_output"
        return await (says("Done.") if is_done else at_most(14, calls(("work", "{}"))))(sampling, out)

    model = ScriptedModel(works_once)
    answer = ask(model, ScriptedTool(gives("42")), always=["work"], input=LONG, truncation="auto")
    assert answer.kinds == ["acme:work_call", "message"]
    *before, last = map(len, model.told)
    assert before == sorted(before, reverse=True)
    assert last == before[-1] + 2, "what was left is not what the next round began with"


def test_m3_a_round_that_said_something_is_not_sampled_again() -> None:
    model = ScriptedModel(at_most(12, says("Yes."), says_before="Well, "))
    answer = ask(model, input=LONG, truncation="auto")
    assert answer.response["status"] == "failed"
    assert len(model.samplings) == 1


def test_other_errors_are_not_taken_for_a_long_context() -> None:
    async def broken(sampling: Sampling, out: RoundWriter) -> str | None:
        raise UpstreamError(ServerError("the upstream failed"), is_transient=False)

    model = ScriptedModel(broken)
    assert ask(model, input=LONG, truncation="auto").response["status"] == "failed"
    assert len(model.samplings) == 1
