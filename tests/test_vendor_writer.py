"""What a service writes the types of a vendor with: contexts of items, methods of events, parts of messages.

They protect that every rule of a stream holds for it, and that what does not match its own class is refused where it
is written.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from payloads import NEWEST
from streams import Event
from vendor_service import write_everything
from writing import Kit, Program, Recorder


@pytest.fixture(scope="module")
def kit(acme_kit: ModuleType) -> Kit:
    return Kit(acme_kit, NEWEST)


def told(kit: Kit, program: Program) -> list[Event]:
    """The events between `in_progress` and `completed` of a program that keeps every rule."""
    return kit.written(program)[2:-1]


def test_everything_of_a_vendor_keeps_every_rule(kit: Kit) -> None:
    """S3, L1 to L9, N2: in order, with the fields that the writer fills in; one piece is written in the same way."""

    async def program(out: Any) -> None:
        await write_everything(kit.package, out)

    events = told(kit, program)
    kinds = [each["type"].removeprefix("response.") for each in events]
    search, memo = "acme:search_result", "acme:memo"
    assert kinds[:8] == [
        "acme:heartbeat", "output_item.added", f"{search}.searching", f"{search}.progress", "acme:heartbeat",
        f"{search}.progress", "output_item.done", "output_item.added",
    ]  # fmt: skip
    assert kinds[8:13] == [f"{memo}.update", f"{memo}.id", f"{memo}.class", "output_item.done", "output_item.added"]
    item_id = events[1]["item"]["id"]
    place = {"item_id": item_id, "output_index": 0}
    assert events[3] == {
        "type": f"{search}.progress", "sequence_number": 5, **place, "percent": 40, "step": None
    }  # fmt: skip
    assert events[4]["fields"] == "while a search is under way"
    begun = {"type": search, "id": item_id, "status": "in_progress"}
    assert events[1]["item"] == {
        **begun,
        "query": "spring",
        "kind": "deep",
        "region": "eu",
        "depth": 0,
        "hits": [],
        "note": None,
    }
    assert events[6]["item"] == {
        **events[1]["item"],
        "status": "completed",
        "hits": [{"title": "Spring"}, {"title": "In Paris", "url": None}],
        "total": 2,
    }
    own = {"self_": "3", "item_id": "4", "item": "5", "zeros": "6", "class": "7"}
    assert {key: each for key, each in events[11]["item"].items() if key in own} == own
    assert events[8]["fields"] == "8"
    parts = [each["part"] for each in events if each["type"] == "response.content_part.done"]
    assert [each["type"] for each in parts] == ["output_text", "acme:chart", "output_text"]
    assert parts[1] == {"type": "acme:chart", "values": [1.5, 2]}


def test_x3_a_status_of_its_own_shows_until_the_item_closes(kit: Kit) -> None:
    """By the method, and by the event that is called as the status is."""

    async def program(out: Any) -> None:
        for tell in ("status", "searching"):
            async with out.acme_search_result(query="q", kind="fast", region="eu", depth=0) as result:
                await (result.status("searching") if tell == "status" else result.searching())
                assert json.loads(out.body())["output"][-1]["status"] == "searching"

    closed = [each["item"] for each in told(kit, program) if each["type"] == "response.output_item.done"]
    assert [each["status"] for each in closed] == ["completed", "completed"]


def test_l1_what_is_given_later_is_empty_before(kit: Kit) -> None:
    async def program(out: Any) -> None:
        async with out.acme_search_result(kind="fast", region="eu", item_id="as_7") as result:
            assert result.id == "as_7"
            await result.update(query="", depth=0, note="n", fields={"a": [1]})

    opened, closed = told(kit, program)
    assert (opened["item"]["query"], opened["item"]["note"]) == ("", None)
    assert "total" not in closed["item"]
    assert (closed["item"]["query"], closed["item"]["note"], closed["item"]["fields"]) == ("", "n", {"a": [1]})


def test_l8_a_search_that_is_left_by_an_error_is_incomplete(kit: Kit) -> None:
    """Whatever of it is not given yet: it is not held against its class."""

    async def program(out: Any) -> None:
        async with out.acme_search_result(kind="fast", region="eu"):
            raise ValueError("no network")

    sink = Recorder()
    failure = asyncio.run(kit.run(kit.out(sink), program))
    assert isinstance(failure, ValueError)
    (item,) = kit.checked(sink.sent)[-1]["response"]["output"]
    assert (item["status"], item["query"]) == ("incomplete", "")


Refusal = Callable[[Any], Awaitable[None]]
REFUSED: dict[str, tuple[Refusal, str, str]] = {}
"""Programs that break a rule, and the rule and the words of the error."""


def refused(rule: str, words: str) -> Callable[[Refusal], Refusal]:
    def enter(program: Refusal) -> Refusal:
        REFUSED[program.__name__] = (program, rule, words)
        return program

    return enter


@refused("N2", "closes without `depth`, `query`: give it by `update`")
async def never_given(out: Any) -> None:
    async with out.acme_search_result(kind="fast", region="eu"):
        pass


@refused("N2", "hits[0].title")
async def not_as_its_class(out: Any) -> None:
    async with out.acme_search_result(query="q", kind="fast", region="eu", depth=0) as result:
        await result.update(hits=[{"url": None}])


@refused("N2", "region")
async def beyond_its_limits(out: Any) -> None:
    async with out.acme_search_result(kind="fast", region=""):
        pass


@refused("N2", "query")
async def of_another_kind(out: Any) -> None:
    async with out.acme_search_result(query=["q"], kind="fast", region="eu", depth=0):
        pass


@refused("N2", "'acme:search_result.progress': percent")
async def an_event_beyond_its_limits(out: Any) -> None:
    async with out.acme_search_result(query="q", kind="fast", region="eu", depth=0) as result:
        await result.progress(percent=101, step=None)


@refused("N2", "'acme:heartbeat': fields")
async def a_free_event_of_another_kind(out: Any) -> None:
    await out.acme_heartbeat(fields=3)


@refused("L6", "by entering and leaving the context")
async def a_status_that_is_not_its_own(out: Any) -> None:
    async with out.acme_search_result(query="q", kind="fast", region="eu", depth=0) as result:
        await result.status("completed")


@refused("L6", "is closed")
async def an_event_after_the_end(out: Any) -> None:
    async with out.acme_search_result(query="q", kind="fast", region="eu", depth=0) as result:
        pass
    await result.progress(percent=1, step=None)


@refused("L6", "is closed")
async def an_update_after_the_end(out: Any) -> None:
    async with out.acme_memo() as memo:
        pass
    await memo.update(self_="a")


@refused("L1", "is not open")
async def an_event_before_the_beginning(out: Any) -> None:
    await out.acme_search_result(query="q", kind="fast", region="eu", depth=0).searching()


@refused("L6", "was opened before")
async def opened_twice(out: Any) -> None:
    async with (memo := out.acme_memo()):
        pass
    async with memo:
        pass


@refused("L1", "is open")
async def a_message_beside_it(out: Any) -> None:
    async with out.acme_memo(), out.message():
        pass


@refused("N2", "no JSON")
async def what_no_json_can_hold(out: Any) -> None:
    out.acme_memo(item=object())


@refused("L2", "values")
async def a_part_that_is_not_as_its_class(out: Any) -> None:
    async with out.message() as message:
        await message.part({"type": "acme:chart", "values": "many"})


@refused("N1", "chart")
async def a_part_without_a_vendor(out: Any) -> None:
    async with out.message() as message:
        await message.part({"type": "chart"})


@refused("L2", "no event fills a summary_text part in content")
async def a_part_of_something_else(out: Any) -> None:
    async with out.message() as message:
        await message.part({"type": "summary_text", "text": "a"})


@pytest.mark.parametrize(("program", "rule", "words"), REFUSED.values(), ids=REFUSED)
def test_misuse_is_an_error_that_names_the_rule(kit: Kit, program: Refusal, rule: str, words: str) -> None:
    """In a stream and in one piece; what was told before is a stream that keeps every rule."""
    for sink in (Recorder(), None):
        failure = asyncio.run(kit.run(kit.out(sink), program))
        assert isinstance(failure, kit.errors.WriterError), failure
        assert failure.rule == rule
        assert words in str(failure)
        if sink is not None:
            kit.checked(sink.sent)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "output_text", "text": "a b", "annotations": [{"type": "acme:note", "line": 3}]},
        {"type": "refusal", "refusal": "no"},
        {"type": "acme:chart", "values": [], "acme:more": 1},
        {"type": "other:chart", "rows": 2},
    ],
    ids=lambda part: part["type"],
)
def test_l2_a_part_that_is_whole(kit: Kit, part: dict[str, Any]) -> None:
    """It stands between what deltas write; text goes through its deltas."""

    async def program(out: Any) -> None:
        async with out.message() as message:
            await message.text("before")
            await message.part(part)
            await message.text("after")

    item = told(kit, program)[-1]["item"]
    assert item["content"][1] == ({**part, "logprobs": []} if part["type"] == "output_text" else part)
    assert [each["text"] for each in (item["content"][0], item["content"][2])] == ["before", "after"]


def test_the_writers_of_both_kinds_say_the_same(kit: Kit) -> None:
    """An item by its own context, and by that of any vendor's item."""
    models = import_module(f"{kit.package.__name__}.models")
    given = {"query": "q", "kind": "fast", "region": "eu", "depth": 0, "hits": [{"title": "t"}], "note": None}

    async def typed(out: Any) -> None:
        hits = [models.AcmeHit(title="t")]
        async with out.acme_search_result(
            item_id="as_1", query="q", kind="fast", region="eu", depth=0, hits=hits
        ) as result:
            await result.progress(percent=3, step=None)

    async def plain(out: Any) -> None:
        async with out.vendor_item("acme:search_result", id="as_1", **given) as result:
            await result.event("acme:search_result.progress", percent=3, step=None)

    assert told(kit, typed) == told(kit, plain)


def test_n2_an_item_by_its_type_alone_closes_as_its_class_says(kit: Kit) -> None:
    """Who writes an item without its own context is told where it does not fit; of unknown types nothing is known."""

    async def program(out: Any) -> None:
        async with out.vendor_item("acme:unheard_of", query=3):
            pass
        async with out.vendor_item("acme:search_result", query=3):
            pass

    failure = asyncio.run(kit.run(kit.out(None), program))
    assert isinstance(failure, kit.errors.WriterError), failure
    assert failure.rule == "N2"
    assert "the acme:search_result" in str(failure)
    assert ": query: " in str(failure)
