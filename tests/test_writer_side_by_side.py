"""Items of vendors that are open side by side, as runs of tools need them (rules L1, L6 to L8)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openresponses_kit
import pytest
from hypothesis import given
from hypothesis import strategies as st
from writing import Kit, Program, Recorder, names

KIT = Kit(openresponses_kit, openresponses_kit.SPEC_RELEASE)


async def two_at_once(out: Any) -> None:
    async with out.vendor_item("acme:a") as first:
        second = out.vendor_item("acme:b")
        await second.__aenter__()
        await first.event("acme:note", number=1)
        await second.event("acme:note", number=2)
        await first.update(result=1)
    await second.update(result=2)
    await second.__aexit__(None, None, None)


def test_l7_the_order_of_output_is_that_of_opening() -> None:
    """Whichever closes first."""
    events = KIT.written(two_at_once)
    assert names(events)[2:8] == [
        "output_item.added", "output_item.added", "acme:note", "acme:note", "output_item.done", "output_item.done",
    ]  # fmt: skip
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["acme:a", "acme:b"]
    notes = [event for event in events if event["type"] == "acme:note"]
    assert [note["output_index"] for note in notes] == [0, 1]


def test_t4_the_response_as_it_stands_has_all_that_is_open() -> None:
    """What a poll shows while tools run."""

    async def program(out: Any) -> None:
        async with out.vendor_item("acme:a") as first, out.vendor_item("acme:b"):
            await first.update(status="busy")
            shown = json.loads(out.body())["output"]
            assert [item["status"] for item in shown] == ["busy", "in_progress"]

    KIT.written(program)


@pytest.mark.parametrize("beside", ["message", "reasoning", "function_call"])
@pytest.mark.parametrize("is_first", [True, False])
def test_l1_messages_reasoning_and_calls_are_never_beside_another(beside: str, is_first: bool) -> None:
    """Who reads a stream may count on it."""

    async def program(out: Any) -> None:
        other = out.function_call("f") if beside == "function_call" else getattr(out, beside)()
        vendors = out.vendor_item("acme:a")
        first, second = (other, vendors) if is_first else (vendors, other)
        async with first, second:
            pass

    sink = Recorder()
    failure = asyncio.run(KIT.run(KIT.out(sink), program))
    assert isinstance(failure, KIT.errors.WriterError)
    assert "(rule L1)" in str(failure)
    KIT.checked(sink.sent)


async def cut(out: Any) -> None:
    for name in "abc":
        await out.vendor_item(f"acme:{name}").__aenter__()
    await out.incomplete("odd")


async def fails(out: Any) -> None:
    for name in "abc":
        await out.vendor_item(f"acme:{name}").__aenter__()
    raise ValueError("no")


async def left_by_an_error(out: Any) -> None:
    async with out.vendor_item("acme:a"), out.vendor_item("acme:b"), out.vendor_item("acme:c"):
        raise ValueError("no")


async def an_earlier_one_is_left_by_an_error(out: Any) -> None:
    first = out.vendor_item("acme:a")
    await first.__aenter__()
    async with out.vendor_item("acme:b"), out.vendor_item("acme:c"):
        await first.__aexit__(ValueError, ValueError("no"), None)
        await out.incomplete("odd")


@pytest.mark.parametrize("program", [cut, fails, left_by_an_error, an_earlier_one_is_left_by_an_error])
def test_l8_of_several_that_are_open_only_the_last_is_incomplete(program: Program) -> None:
    """However the response ends early, and wherever."""
    sink = Recorder()
    asyncio.run(KIT.run(KIT.out(sink), program))
    response = KIT.checked(sink.sent)[-1]["response"]
    assert [item["status"] for item in response["output"]] == ["completed", "completed", "incomplete"]


def test_l8_where_the_last_item_is_closed_none_is_incomplete() -> None:
    """An incomplete item may have no other after it."""

    async def program(out: Any) -> None:
        await out.vendor_item("acme:a").__aenter__()
        async with out.vendor_item("acme:b"):
            pass
        raise ValueError("no")

    sink = Recorder()
    asyncio.run(KIT.run(KIT.out(sink), program))
    response = KIT.checked(sink.sent)[-1]["response"]
    assert [item["status"] for item in response["output"]] == ["completed", "completed"]


@given(st.lists(st.tuples(st.sampled_from(["open", "close", "fail", "tell", "whole"]), st.integers(0, 3)), max_size=20))
def test_l9_in_whatever_order_they_open_and_close(script: list[tuple[str, int]]) -> None:
    """The stream keeps every rule of S and L, and the answer in one piece is the same."""

    async def program(out: Any) -> None:
        opened: list[Any] = []
        for step, which in script:
            match step:
                case "open":
                    opened.append(out.vendor_item("acme:a", number=len(opened)))
                    await opened[-1].__aenter__()
                case "whole":
                    await out.item({"type": "acme:b", "id": f"b{len(out.item_ids)}", "status": "completed"})
                case _ if which >= len(opened):
                    continue
                case "tell":
                    await opened[which].event("acme:note")
                case "close":
                    await opened.pop(which).__aexit__(None, None, None)
                case _:
                    raise ValueError("no")

    sink = Recorder()
    asyncio.run(KIT.run(KIT.out(sink), program))
    KIT.checked(sink.sent)
