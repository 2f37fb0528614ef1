"""What a response is sampled over: what it continues, and what is new.

Protects P1 to P4, P6, W4, X8, Z6 to Z8 and Z18: the right items in the right order with nothing lost, and a clear
refusal where something is not kept. The store here is a dictionary; the real ones have tests of their own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import openresponses_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.server.context import Context, context_of
from openresponses_kit.server.errors import InvalidRequestError, NotFoundError, ServiceError, WriterError
from openresponses_kit.server.requests import Limits, read_body
from openresponses_kit.server.service import ResponsesService
from openresponses_kit.server.store import StoredResponse
from payloads import RELEASES, bounded, component, same_json
from pydantic import BaseModel

OWNER = "key:1"


@dataclass
class Store:
    """Keeps responses in a dictionary, and counts what it is asked."""

    records: dict[str, StoredResponse] = field(default_factory=dict[str, StoredResponse])
    asked: list[str] = field(default_factory=list[str])

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def save(self, record: StoredResponse) -> None:
        self.records[record.id] = record

    async def get(self, owner: str, response_id: str) -> StoredResponse | None:
        self.asked.append("get")
        record = self.records.get(response_id)
        return record if record is not None and record.owner == owner else None

    async def chain(self, owner: str, response_id: str) -> list[StoredResponse]:
        self.asked.append("chain")
        found: list[StoredResponse] = []
        wanted: str | None = response_id
        while wanted is not None:
            record = self.records.get(wanted)
            if record is None or record.owner != owner:
                return []
            found.append(record)
            wanted = record.previous_id
        return found[::-1]

    async def with_items(self, owner: str, item_ids: Sequence[str]) -> list[StoredResponse]:
        self.asked.append("with_items")
        wanted = set(item_ids)
        return [each for each in self.records.values() if each.owner == owner and wanted & set(each.item_ids)]


def user(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text, **fields}


def answer(text: str, id_: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": id_, "status": "completed", "role": "assistant", "content": [part]}


def call(call_id: str, id_: str = "fc_1") -> dict[str, Any]:
    fields = {"id": id_, "call_id": call_id, "name": "f", "arguments": '{"a": 1}'}
    return {"type": "function_call", "status": "completed", **fields}


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "4"}


def record(
    id_: str,
    given_: Any,
    given_back: list[Any],
    previous: str | None = None,
    *,
    status: str = "completed",
    owner: str = OWNER,
) -> StoredResponse:
    ids = tuple(item["id"] for item in given_back)
    response = json.dumps({"id": id_, "metadata": {"output": "x"}, "output": given_back, "tools": []}).encode()
    return StoredResponse(id_, owner, previous, 1, status, json.dumps(given_).encode(), response, ids)


def store_of(*records: StoredResponse) -> Store:
    return Store({each.id: each for each in records})


def context(
    payload: Any,
    store: Store | None = None,
    memory: dict[str, StoredResponse] | None = None,
    service: ResponsesService | None = None,
    kind: type[BaseModel] = kit.CreateResponseBody,
) -> Context:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    request: Any = read_body(kind, content, Limits())
    return asyncio.run(context_of(request, content, owner=OWNER, store=store, memory=memory, service=service))


def wire(items: Sequence[Any]) -> list[Any]:
    return [json.loads(item.model_dump_json()) for item in items]


def refusal(kind: type[ServiceError], *arguments: Any, **others: Any) -> ServiceError:
    with pytest.raises(kind) as refused:
        context(*arguments, **others)
    assert type(refused.value) is kind
    assert refused.value.message.startswith(f"{refused.value.param}: ")
    return refused.value


@pytest.mark.parametrize(
    ("given_", "items"),
    [
        (None, []),
        ([], []),
        ("hi", [user("hi")]),
        ("", [user("")]),
        ('"\n\u2028é', [user('"\n\u2028é')]),
        ([user("a"), user("b", x=1)], [user("a"), user("b", x=1)]),
    ],
    ids=str,
)
def test_p1_without_anything_before_it_is_the_input(given_: Any, items: Any) -> None:
    found = context({"input": given_, "instructions": "be brief"})
    assert wire(found.items) == items
    assert json.loads(found.new_items) == items
    assert wire(context({}).items) == []
    assert context({}).new_items == b"[]"


def test_p1_a_chain_comes_in_its_order() -> None:
    """Input, output and input of every response, the oldest first; and what is kept is the new input alone."""
    store = store_of(
        record("r1", [user("one")], [answer("1", "m1")]),
        record("r2", [user("two"), user("too")], [call("c1"), answer("2", "m2")], "r1", status="incomplete"),
        record("r3", [output("c1")], [], "r2"),
    )
    found = context({"previous_response_id": "r3", "input": "four"}, store)
    assert wire(found.items) == [
        *(user("one"), answer("1", "m1")),
        *(user("two"), user("too"), call("c1"), answer("2", "m2")),
        *(output("c1"), user("four")),
    ]
    assert json.loads(found.new_items) == [user("four")]
    assert store.asked == ["chain"]


def test_p1_a_long_chain_is_fetched_once() -> None:
    links = 1000
    records = [
        record(f"r{n}", [user(str(n))], [answer(str(n), f"m{n}")], f"r{n - 1}" if n else None) for n in range(links)
    ]
    store = store_of(*records)
    found = context({"previous_response_id": f"r{links - 1}", "input": "end"}, store)
    assert [item.content if item.role == "user" else item.id for item in found.items[:-1]] == [
        each for n in range(links) for each in (str(n), f"m{n}")
    ]
    assert store.asked == ["chain"]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record("r1", [], [], owner="key:2")],
        [record("r1", [], [], previous="r0")],
        [record("r1", [], [], status="failed")],
    ],
    ids=["unknown", "of another", "broken", "failed"],
)
def test_p2_what_is_not_kept_is_not_found(records: list[StoredResponse]) -> None:
    error = refusal(NotFoundError, {"previous_response_id": "r1", "input": "x"}, store_of(*records))
    assert (error.code, error.param) == ("previous_response_not_found", "previous_response_id")
    assert error.status == 404


def test_p2_without_a_store_nothing_is_kept() -> None:
    error = refusal(NotFoundError, {"previous_response_id": "r1"})
    assert (error.code, error.param) == ("previous_response_not_found", "previous_response_id")
    assert refusal(NotFoundError, {"input": [{"id": "m1"}]}).param == "input[0].id"


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_p5_a_response_that_is_not_done_cannot_be_continued_yet(status: str) -> None:
    error = refusal(InvalidRequestError, {"previous_response_id": "r1"}, store_of(record("r1", [], [], status=status)))
    assert error.param == "previous_response_id"
    assert status in error.message


def test_w4_what_a_connection_remembers_goes_before_what_is_stored() -> None:
    """A response that is stored nowhere, one that continues a stored one, and one in both places."""
    store = store_of(record("r1", [user("one")], []), record("r3", [user("stored")], []))
    memory = {
        "r2": record("r2", [user("two")], [answer("2", "m2")], "r1"),
        "r3": record("r3", [user("three")], [], "r2"),
        "r4": record("r4", [user("four")], [], "r9"),
    }
    assert wire(context({"previous_response_id": "r2"}, store, memory).items) == [
        *(user("one"), user("two"), answer("2", "m2"))
    ]
    assert wire(context({"previous_response_id": "r3"}, store, memory).items)[-1] == user("three")
    alone = {"r2": record("r2", [user("two")], [answer("2", "m2")])}
    assert wire(context({"previous_response_id": "r2"}, None, alone).items) == [user("two"), answer("2", "m2")]
    refusal(NotFoundError, {"previous_response_id": "r4"}, store, memory)
    refusal(NotFoundError, {"previous_response_id": "r1"}, None, memory)


@pytest.mark.parametrize("type_", [{"type": "item_reference"}, {"type": None}, {}], ids=str)
def test_p3_z8_a_reference_stands_for_the_stored_item(type_: dict[str, Any]) -> None:
    """One of another response, in the middle of the input; what is kept has the item itself."""
    item = {"type": "acme:thing", "id": "x1", "status": "completed", "acme:data": {"b": 1, "a": [None]}}
    store = store_of(record("r1", [], [answer("1", "m1"), item]), record("r2", [], [answer("2", "m2")]))
    found = context({"input": [user("a"), {**type_, "id": "x1"}, user("b")]}, store)
    assert wire(found.items) == [user("a"), item, user("b")]
    assert json.loads(found.new_items) == [user("a"), item, user("b")]
    assert store.asked == ["with_items"]


def test_p3_a_reference_to_what_is_present_needs_no_store() -> None:
    """Output and input of the chain, and the new input."""
    store = store_of(record("r1", [user("one", id="u1")], [answer("1", "m1")]))
    references = [{"id": "u1"}, {"id": "m1"}, {"id": "u2"}]
    found = context({"previous_response_id": "r1", "input": [*references, user("two", id="u2")]}, store)
    present = [user("one", id="u1"), answer("1", "m1")]
    new = [*present, user("two", id="u2"), user("two", id="u2")]
    assert wire(found.items) == present + new
    assert json.loads(found.new_items) == new
    assert store.asked == ["chain"]
    again = context({"previous_response_id": "r2"}, store_of(record("r2", json.loads(found.new_items), [])))
    assert wire(again.items) == new


@pytest.mark.parametrize("id_", ["m9", "m2"])
def test_p3_a_reference_to_nothing_is_not_found(id_: str) -> None:
    store = store_of(record("r1", [], [answer("1", "m1")]), record("r2", [], [answer("2", "m2")], owner="key:2"))
    error = refusal(NotFoundError, {"input": [user("a"), {"id": "m1"}, {"id": id_}]}, store)
    assert error.param == "input[2].id"


def test_x8_an_output_needs_its_call() -> None:
    """In the input before or after it, or in what is continued."""
    store = store_of(record("r1", [], [call("c1")]))
    for payload in (
        {"previous_response_id": "r1", "input": [output("c1")]},
        {"input": [call("c1"), output("c1")]},
        {"input": [output("c1"), call("c1")]},
        {"input": [{"id": "fc_1"}, output("c1")]},
    ):
        assert output("c1") in wire(context(payload, store).items)
    for payload in (
        {"input": [user("a"), output("c1")]},
        {"previous_response_id": "r1", "input": [output("c1"), output("c2")]},
        {"input": [call("c2"), output("c1")]},
    ):
        error = refusal(InvalidRequestError, payload, store)
        assert error.param == "input[1].call_id"


def test_x8_c2_a_compaction_may_hold_the_call() -> None:
    compaction = {"type": "compaction", "encrypted_content": "x"}
    assert wire(context({"input": [compaction, output("c1")]}).items) == [compaction, output("c1")]


class Truncating(ResponsesService):
    """Truncates by a function, and counts how often it was asked."""

    def __init__(self, shorten: Callable[[list[Any]], list[Any]]) -> None:
        self.shorten = shorten
        self.asked = 0

    async def respond(self, request: Any, out: Any) -> None:
        raise NotImplementedError

    async def truncate(self, request: Any, context: Sequence[Any]) -> Sequence[Any]:
        self.asked += 1
        return self.shorten(list(context))


SYSTEM = {"type": "message", "role": "system", "content": "s"}
DEVELOPER = {"type": "message", "role": "developer", "content": "d"}
LONG = [SYSTEM, user("1"), DEVELOPER, user("2"), user("3")]


@pytest.mark.parametrize("kept", [[0, 1, 2, 3, 4], [0, 2, 4], [0, 2]], ids=str)
def test_p4_truncation_drops_items(kept: list[int]) -> None:
    service = Truncating(lambda items: [items[index] for index in kept])
    found = context({"truncation": "auto", "input": LONG}, service=service)
    assert wire(found.items) == [LONG[index] for index in kept]
    assert json.loads(found.new_items) == LONG


@pytest.mark.parametrize("truncation", [{}, {"truncation": "disabled"}], ids=str)
def test_p4_nothing_is_dropped_unasked(truncation: dict[str, str]) -> None:
    service = Truncating(lambda _: [])
    assert wire(context({**truncation, "input": LONG}, service=service).items) == LONG
    assert service.asked == 0


@pytest.mark.parametrize(
    ("shorten", "reason"),
    [
        (lambda items: items[1:], "may not drop a message of the system"),
        (lambda items: [*items[:2], *items[3:]], "may not drop a message of the developer"),
        (lambda _: [], "may not drop a message of the system"),
        (lambda items: items[::-1], "out of its order"),
        (lambda items: [*items, items[-1]], "out of its order"),
        (lambda items: [items[0], items[1].model_copy(), *items[2:]], "one that is new"),
    ],
    ids=["system", "developer", "all", "reversed", "twice", "copied"],
)
def test_p4_truncation_keeps_to_its_rules(shorten: Any, reason: str) -> None:
    with pytest.raises(WriterError, match=reason) as error:
        context({"truncation": "auto", "input": LONG}, service=Truncating(shorten))
    assert error.value.rule == "P4"


def test_c1_a_window_to_compact_is_gathered_alike() -> None:
    store = store_of(record("r1", [user("one")], [answer("1", "m1")]))
    payload = {"model": "m", "previous_response_id": "r1", "input": "two"}
    found = context(payload, store, kind=kit.CompactResponseMethodPublicBody)
    assert wire(found.items) == [user("one"), answer("1", "m1"), user("two")]


def test_z19_new_items_are_kept_as_they_were_sent() -> None:
    """Forms of numbers, escapes and order, also beside a reference, and what has no type."""
    item = rb'{"role":"user", "content":"\u0061", "x":1.50, "a":1e5}'
    assert context(b'{"input": [%b]}' % item).new_items == b"[%b]" % item
    stored = record("r1", [], [answer("1", "m1")])
    response = stored.response.replace(b'"logprobs": []', rb'"logprobs": [], "x": [1E2, "\u0061"]')
    stored = StoredResponse("r1", OWNER, None, 1, "completed", b"[]", response, ("m1",))
    kept = context(b'{"input": [%b, {"id":"m1"}]}' % item, store_of(stored)).new_items
    assert kept.startswith(b"[%b,{" % item)
    assert rb'"x": [1E2, "\u0061"]' in kept


@pytest.mark.parametrize(
    "item",
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "q"}},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "new", "x": 1}], "encrypted_content": "e"},
        {"type": "function_call", "id": "fc", "call_id": "c" * 99, "name": "ä", "arguments": "", "status": "later"},
        {**answer("1", "m1"), "phase": "final_answer"},
        {**answer("1", "m1"), "content": [{"type": "new_part", "x": 1}], "role": "robot"},
    ],
    ids=lambda item: item["type"],
)
def test_p6_z6_z18_what_a_server_gave_is_kept_whole(item: dict[str, Any]) -> None:
    """As output, and once it became input because it was referred to or remembered in one window."""
    store = store_of(record("r1", [], [item]))
    assert wire(context({"previous_response_id": "r1"}, store).items) == [item]
    found = context({"input": [{"id": item["id"]}]}, store)
    assert wire(found.items) == [item]
    memory = {"r2": record("r2", json.loads(found.new_items), [])}
    assert wire(context({"previous_response_id": "r2"}, None, memory).items) == [item]


INPUT = st.lists(component("ItemParam").payloads, max_size=3)
OUTPUT = st.lists(component("ItemField").payloads, max_size=3)


@bounded(60)
@given(st.lists(st.tuples(INPUT, OUTPUT), min_size=1, max_size=3))
def test_p1_p6_nothing_is_lost_on_the_way_through_a_store(turns: list[tuple[Any, Any]]) -> None:
    """Turns of any items, each kept and continued: the context is all of them, as they were."""
    store, previous, expected = Store(), None, list[Any]()
    for number, (given_, given_back) in enumerate([*turns, ([], [])]):
        new = [item for item in given_ if item.get("type") not in ("item_reference", None, "function_call_output")]
        found = context({"previous_response_id": previous, "input": new}, store)
        expected += new
        assert same_json(wire(found.items), expected)
        response = json.dumps({"output": given_back}).encode()
        kept = StoredResponse(f"r{number}", OWNER, previous, 1, "completed", found.new_items, response, ())
        asyncio.run(store.save(kept))
        previous = kept.id
        expected += given_back


@pytest.mark.parametrize("release", RELEASES)
def test_both_releases_gather_a_context(release: str, package: Callable[[str], ModuleType]) -> None:
    kit = package(release)
    module = importlib.import_module(f"{kit.__name__}.server.context")
    content = json.dumps({"previous_response_id": "r1", "input": [{"id": "m1"}, user("b")]}).encode()
    store = store_of(record("r1", [user("a")], [answer("1", "m1")]))
    request = kit.CreateResponseBody.model_validate_json(content)
    found = asyncio.run(module.context_of(request, content, owner=OWNER, store=store))
    assert wire(found.items) == [user("a"), answer("1", "m1"), answer("1", "m1"), user("b")]
