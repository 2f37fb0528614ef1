"""What every store does, in memory, in SQLite and in PostgreSQL through both drivers.

Protects: what is saved comes back as it was and only to its owner, chains of any length are whole or not found, the
newest state of a response counts, and a store keeps to its limits.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.server.store import ResponseStore, StoredResponse
from payloads import bounded
from stores import MINE, OTHERS, Closing, Stores, fill, forget_all, line, purge, record, scenario, stores_of

KINDS = ("memory", "sqlite", "asyncpg", "psycopg")


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return stores_of(request.param, request, tmp_path)


@scenario
async def test_p2_what_was_never_saved_is_not_found(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:
        assert await store.get(MINE, "r0") is None
        assert await store.chain(MINE, "r0") == []
        assert await store.with_items(MINE, ["i0"]) == []
        assert await store.with_items(MINE, []) == []


@pytest.mark.parametrize("unknown", ["", "a\0b", "\ud800", "é" * 5000, "'; DROP TABLE openresponses_responses; --"])
@scenario
async def test_p2_no_id_that_a_caller_may_send_is_an_error(stores: Stores, unknown: str) -> None:
    async with Closing(await stores.open()) as store:
        await store.save(record("r0", items=["i0"]))
        assert await store.get(MINE, unknown) is None
        assert await store.chain(MINE, unknown) == []
        assert await store.with_items(MINE, [unknown, "i0", unknown]) == [record("r0", items=["i0"])]


@pytest.mark.parametrize(
    "kept",
    [
        record("r0", "r9", items=["b", "a", "c"], created_at=2**40),
        record("r0", given=b'[{"a":1.00,"a":"\\u00e9", "b" :1e400}]', response=b'{"z":0,  "a":-0}'),
        record("r0", given=b"", response=bytes(range(256)) * 5000),
        record("ré\N{GRINNING FACE}", items=['"', "\\", "a\nb", "ü" * 200], status="vendor:odd"),
    ],
    ids=["fields", "spelling", "bytes", "names"],
)
@scenario
async def test_p6_z19_what_is_kept_comes_back_as_it_was(stores: Stores, kept: StoredResponse) -> None:
    async with Closing(await stores.open()) as store:
        await store.save(kept)
        assert await store.get(MINE, kept.id) == kept
        assert await store.with_items(MINE, kept.item_ids) == ([kept] if kept.item_ids else [])
        assert await store.chain(MINE, kept.id) == ([] if kept.previous_id else [kept])


@scenario
async def test_p5_the_newest_state_of_a_response_counts(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:
        await store.save(record("r0"))
        await store.save(record("r1", status="queued"))
        await store.save(record("r1", "r0", status="in_progress", items=["i1", "i2"]))
        last = record("r1", "r0", items=["i2", "i3"], given=b"[1]", created_at=1)
        await store.save(last)
        assert await store.get(MINE, "r1") == last
        assert await store.chain(MINE, "r1") == [record("r0"), last]
        assert await store.with_items(MINE, ["i2"]) == await store.with_items(MINE, ["i3"]) == [last]
        assert await store.with_items(MINE, ["i1"]) == []


@pytest.mark.parametrize("length", [1, 2, 100, 10_000])
@scenario
async def test_p1_a_chain_of_any_length_is_given_oldest_first(stores: Stores, length: int) -> None:
    links = line(length)
    beside = [record("beside"), record("branch", "r0")]
    async with Closing(await stores.open(max_responses=20_000)) as store:
        await fill(store, [*reversed(links), *beside])
        assert await store.chain(MINE, links[-1].id) == links
        assert await store.chain(MINE, "branch") == [links[0], beside[1]]


@pytest.mark.parametrize("missing", [0, 7, 14])
@scenario
async def test_p2_a_chain_with_a_link_missing_is_not_found(stores: Stores, missing: int) -> None:
    links = line(15)
    async with Closing(await stores.open()) as store:
        await fill(store, [each for place, each in enumerate(links) if place != missing])
        for place, link in enumerate(links):
            assert await store.chain(MINE, link.id) == (links[: place + 1] if place < missing else [])


@scenario
async def test_p1_a_circle_comes_to_an_end(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:
        await fill(
            store, [record("a", "c"), record("b", "a"), record("c", "b"), record("self", "self"), record("d", "b")]
        )
        for link in ("a", "b", "c", "d", "self"):
            assert await store.chain(MINE, link) == []


@scenario
async def test_t2_what_is_kept_for_one_caller_is_not_found_by_another(stores: Stores) -> None:
    mine, others = record("r0", items=["i0"]), record("r0", items=["i0"], owner=OTHERS, status="failed")
    async with Closing(await stores.open()) as store:
        await store.save(mine)
        assert await store.get(OTHERS, "r0") is None
        assert await store.chain(OTHERS, "r0") == await store.with_items(OTHERS, ["i0"]) == []
        await store.save(record("r1", "r0", owner=OTHERS))
        assert await store.chain(OTHERS, "r1") == []
        await store.save(others)
        assert await store.get(MINE, "r0") == mine
        assert await store.chain(OTHERS, "r1") == [others, record("r1", "r0", owner=OTHERS)]
        assert await store.with_items(MINE, ["i0"]) == [mine]


@scenario
async def test_p3_the_responses_that_have_items_are_given_once_each(stores: Stores) -> None:
    kept = [record(f"r{number}", items=[f"{number}-{place}" for place in range(3)]) for number in range(5)]
    async with Closing(await stores.open()) as store:
        await fill(store, kept)
        found = await store.with_items(MINE, ["1-0", "1-2", "1-0", "3-1", "nothing"])
        assert sorted(each.id for each in found) == ["r1", "r3"]
        many = [f"no-{number}" for number in range(35_000)]
        assert await store.with_items(MINE, [*many, "4-2", "4-0"]) == [kept[4]]


@scenario
async def test_many_tasks_use_a_store_at_once(stores: Stores) -> None:
    async with Closing(await stores.open()) as store:

        async def talk(number: int) -> None:
            links: list[StoredResponse] = []
            for turn in range(8):
                links.append(record(f"{number}-{turn}", links[-1].id if links else None, items=[f"i{number}-{turn}"]))
                await store.save(record("shared", status=f"{number}", items=["x", f"x{number}"]))
                await store.save(links[-1])
                assert await store.chain(MINE, links[-1].id) == links
            assert await store.with_items(MINE, [f"i{number}-3"]) == [links[3]]

        await asyncio.gather(*map(talk, range(20)))
        shared = await store.get(MINE, "shared")
        assert shared.item_ids == ("x", f"x{shared.status}")
        assert await store.with_items(MINE, [f"x{number}" for number in range(20)]) == [shared]


@scenario
async def test_p1_what_was_not_used_longest_goes_first_out_of_memory() -> None:
    async with Closing(await Stores("memory:").open(max_responses=4)) as store:
        for name, previous in (("a", None), ("b", "a"), ("c", None), ("d", None)):
            await store.save(record(name, previous, items=[f"i-{name}"]))
        await store.chain(MINE, "b")
        await store.with_items(MINE, ["i-c"])
        await store.save(record("e"))
        assert await store.get(MINE, "d") is None
        assert await store.with_items(MINE, ["i-d"]) == []
        await store.save(record("f"))
        await store.save(record("g"))
        assert [name for name in "abcdefg" if await store.get(MINE, name)] == ["c", "e", "f", "g"]


@scenario
async def test_a_response_that_is_larger_than_all_that_is_kept_is_not_kept(stores: Stores) -> None:
    async with Closing(await stores.open(max_bytes=100)) as store:
        await store.save(record("small", response=b"." * 98))
        await purge(store)
        assert await store.get(MINE, "small")
        await store.save(record("large", response=b"." * 99))
        await purge(store)
        assert await store.get(MINE, "large") is None


@pytest.mark.parametrize("kind", KINDS[1:])
@scenario
async def test_what_is_cut_off_is_kept_whole_or_not_at_all(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Wherever a save is cancelled, as when a client leaves, the store goes on, and nothing is half there."""
    async with Closing(await stores_of(kind, request, tmp_path).open()) as store:
        kept = [record(f"r{number}", items=[f"i{number}"]) for number in range(60)]
        for steps, each in enumerate(kept):
            task = asyncio.ensure_future(store.save(each))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            found = await store.get(MINE, each.id)
            assert found in (None, each)
            assert await store.with_items(MINE, each.item_ids) == ([found] if found else [])
        await asyncio.gather(*map(store.save, kept))
        assert await store.with_items(MINE, ["i59"]) == [kept[59]]


IDS = [f"r{number}" for number in range(6)]
ITEMS = [f"i{number}" for number in range(4)]
OWNERS = st.sampled_from([MINE, OTHERS])
SAVES = st.builds(
    record,
    st.sampled_from(IDS),
    st.none() | st.sampled_from(IDS),
    owner=OWNERS,
    items=st.lists(st.sampled_from(ITEMS), max_size=3),
    response=st.integers(0, 40).map(bytes),
)
READS = st.one_of(
    st.tuples(st.just("get"), OWNERS, st.sampled_from(IDS)),
    st.tuples(st.just("chain"), OWNERS, st.sampled_from(IDS)),
    st.tuples(st.just("with_items"), OWNERS, st.lists(st.sampled_from(ITEMS), max_size=3)),
)
PROGRAMS = st.lists(SAVES | READS, min_size=20, max_size=40)
LIMITS = {"none": {}, "count": {"max_responses": 4}, "bytes": {"max_bytes": 80}}


class Model:
    """A store in a few plain lines. What goes first is at the front of the records."""

    def __init__(self, *, reading_counts: bool, max_responses: int = 10**6, max_bytes: int = 10**9) -> None:
        self._reading_counts = reading_counts
        self._max_responses = max_responses
        self._max_bytes = max_bytes
        self._records: dict[tuple[str, str], StoredResponse] = {}
        self._saved: list[StoredResponse] = []

    def save(self, kept: StoredResponse) -> None:
        self._records.pop((kept.owner, kept.id), None)
        self._records[kept.owner, kept.id] = kept
        self._saved.append(kept)
        while len(self._records) > self._max_responses or self._size() > self._max_bytes:
            del self._records[next(iter(self._records))]

    def get(self, owner: str, name: str) -> StoredResponse | None:
        return next(iter(self._use(owner, [name])), None)

    def chain(self, owner: str, name: str) -> list[StoredResponse]:
        ids: list[str] = []
        link: str | None = name
        while link is not None:
            if link in ids or (owner, link) not in self._records:
                return []
            ids.append(link)
            link = self._records[owner, link].previous_id
        return self._use(owner, ids)[::-1]

    def with_items(self, owner: str, items: list[str]) -> list[StoredResponse]:
        newest = [each for each in self._saved if self._records.get((owner, each.id)) is each]
        having = [each.id for item in items for each in newest if item in each.item_ids]
        return self._use(owner, list(dict.fromkeys(having)))

    def _use(self, owner: str, ids: list[str]) -> list[StoredResponse]:
        used = [self._records[owner, each] for each in ids if (owner, each) in self._records]
        if self._reading_counts:
            for each in used:
                self._records[owner, each.id] = self._records.pop((owner, each.id))
        return used

    def _size(self) -> int:
        return sum(len(each.input) + len(each.response) for each in self._records.values())


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_any_program_does_what_a_simple_model_does(stores: Stores, limits: dict[str, int]) -> None:
    """Saves and reads in any order, with limits that are met all the time."""
    in_memory = stores.url == "memory:"

    async def run(store: ResponseStore, program: list[Any]) -> None:
        await forget_all(store)
        model = Model(reading_counts=in_memory, **limits)
        for step in program:
            if isinstance(step, StoredResponse):
                await store.save(step)
                await purge(store)
                model.save(step)
                continue
            name, *arguments = step
            found = await getattr(store, name)(*arguments)
            expected = getattr(model, name)(*arguments)
            if name == "with_items" and not in_memory:
                found, expected = sorted(found, key=repr), sorted(expected, key=repr)
            assert found == expected

    with asyncio.Runner() as runner:
        store = runner.run(stores.open(**limits))

        @bounded(100 if in_memory else 12)
        @given(PROGRAMS)
        def programs(program: list[Any]) -> None:
            runner.run(run(store, program))

        try:
            programs()
        finally:
            runner.run(store.close())
