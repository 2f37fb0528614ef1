"""What holds of every stream that the writer can be brought to write, by any program.

Random steps, many of them out of place, are done with one writer, by one task or by two at once. Some raise, some are
cancelled while an event is sent, some find the client gone. They protect that no sequence of calls leads to an illegal
stream, and that an answer in one piece is what the stream would have told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from payloads import ANY_JSON, RELEASES, TEXTS, VENDOR_FIELDS, bounded, component
from writing import CITATION, TOKEN, Kit, Recorder, normal

Step = tuple[Any, ...]

DELTAS = TEXTS | st.sampled_from(["{}", '{"a":', "1}", "\ud83d"])
FIELDS = st.dictionaries(VENDOR_FIELDS | st.just("status"), ANY_JSON, max_size=2)
TYPES = st.sampled_from(["acme:note", "acme:note", "acme:other", "Acme:note", "response.completed"])
NOTES = st.sampled_from([CITATION, {"type": "acme:note"}, {"type": "note"}, {**CITATION, "url": None}])


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), *arguments)


def writing(*methods: str, back: int = 0) -> st.SearchStrategy[Step]:
    """Writes to the item or part that was made last, or to one before it."""
    return step("write", st.integers(0, back), st.sampled_from(methods), DELTAS)


@cache
def items(release: str) -> st.SearchStrategy[Any]:
    ids, statuses = st.sampled_from(["id_1", "id_2", ""]), st.sampled_from(["completed", "completed", "incomplete"])
    known = component("ItemField", release).payloads
    vendors = st.fixed_dictionaries({"type": TYPES}, optional={"id": ids, "acme:of": ANY_JSON})
    changed = st.fixed_dictionaries({}, optional={"id": ids, "status": statuses})
    return st.builds(lambda item, changes: {**item, **changes}, known | vendors, changed)


def block(
    opening: st.SearchStrategy[Step], filling: st.SearchStrategy[Step | list[Step]], most: int
) -> st.SearchStrategy[list[Step]]:
    """Something is opened, filled, and left."""
    fillings = st.lists(filling, min_size=1, max_size=most)
    return st.builds(lambda first, inner, last: flat([first, *inner, last]), opening, fillings, LEAVING)


def flat(steps: list[Step | list[Step]]) -> list[Step]:
    return [each for some in steps for each in (some if isinstance(some, list) else [some])]


def opening(kind: str) -> st.SearchStrategy[Step]:
    return step("open", st.just(kind))


def part(kind: str) -> st.SearchStrategy[list[Step]]:
    return block(step("part", st.just(kind)), writing("write"), 3)


LEAVING = step("leave", st.sampled_from([None] * 15 + [ValueError("it broke")]))
NOTED = step("annotate", NOTES) | step("score", TEXTS)
NOTED_PART = block(step("part", st.just("text_part")), writing("write") | NOTED, 3)
MESSAGE = block(opening("message"), writing("text", "refuse") | NOTED | NOTED_PART | part("refusal_part"), 5)
THOUGHT = writing("summary", "text", "encrypted") | part("summary_part") | part("text_part")
CALL = st.builds(
    lambda pieces: [("open", "call"), *(("write", 0, "arguments", piece) for piece in pieces), ("leave", None)],
    st.sampled_from([["{}"], ['{"a":', "", "[1.0]}"], ['{"a":'], ["[]"], []]),
)
VENDOR = block(opening("vendor"), step("update", FIELDS) | step("note", TYPES, FIELDS), 3)
STRAY = st.one_of(
    step("open", st.sampled_from(["message", "reasoning", "call", "vendor", "forbidden"])),
    step("part", st.sampled_from(["text_part", "refusal_part", "summary_part"])),
    step("leave", st.sampled_from([None, ValueError("it broke")])),
    writing("text", "refuse", "summary", "write", "arguments", "encrypted", back=3),
    step("event", TYPES, FIELDS),
    step("usage", st.integers(-1, 9)),
    step("incomplete", st.sampled_from(["max_output_tokens", "content_filter", ""])),
    step("start"),
)
"""What may be out of place."""


@st.composite
def programs(draw: st.DrawFn, release: str) -> list[Step]:
    """Programs that are legal for the most part, with steps put in and left out."""
    legal = MESSAGE | block(opening("reasoning"), THOUGHT, 5) | CALL | VENDOR | step("item", items(release))
    steps = flat(draw(st.lists(legal, min_size=1, max_size=4)))
    for stray in draw(st.lists(STRAY, max_size=3)):
        steps.insert(draw(st.integers(0, len(steps))), stray)
    if draw(st.integers(0, 3)) == 3:
        del steps[draw(st.integers(0, len(steps) - 1))]
    return steps


ENDS = st.sampled_from(["leave and finish", "finish", "abandon"])
RELEASE = st.sampled_from(RELEASES)


class Machine:
    """Does steps with a writer, as a program would that goes on after every error."""

    def __init__(self, kit: Kit, out: Any) -> None:
        self.out = out
        self.outcomes: list[str] = []
        self._kit = kit
        self._made: list[Any] = []
        self._entered: list[Any] = []

    async def run(self, steps: list[Step]) -> None:
        for name, *arguments in steps:
            await self._try(getattr(self, name)(*arguments))

    async def end(self, how: str) -> None:
        """End as the core of a server does."""
        if how == "leave and finish":
            while self._entered:
                await self._try(self.leave(None))
        failure = None
        if how != "abandon":
            failure = await self._try(self.out.finish())
        if how == "abandon" or failure is not None:
            failure = self._kit.errors.ModelError("it broke")
            await self.out.abandon()
        await self.out.end(failure)

    async def _try(self, work: Any) -> Exception | None:
        try:
            await work
        except self._kit.errors.WriterError as error:
            self.outcomes.append(error.rule)
            return error
        except (asyncio.CancelledError, ConnectionResetError):
            self.outcomes.append("stopped")
        else:
            self.outcomes.append("done")
        return None

    async def open(self, kind: str) -> None:
        match kind:
            case "message" | "reasoning":
                made = getattr(self.out, kind)()
            case "call" | "forbidden":
                made = self.out.function_call(kind)
            case _:
                made = self.out.vendor_item("acme:thing", of=1)
        await self._enter(made)

    async def part(self, kind: str) -> None:
        holder = next((each for each in reversed(self._made) if hasattr(each, kind)), None)
        if holder is not None:
            await self._enter(getattr(holder, kind)())

    async def _enter(self, made: Any) -> None:
        self._made.append(made)
        await made.__aenter__()
        self._entered.append(made)

    async def leave(self, error: Exception | None) -> None:
        if self._entered:
            await self._entered.pop().__aexit__(type(error) if error is not None else None, error, None)

    async def write(self, back: int, method: str, delta: str) -> None:
        for made in self._made[-1 - back :][:1]:
            if hasattr(made, method):
                await getattr(made, method)(delta)

    async def score(self, delta: str) -> None:
        for made in self._made[-1:]:
            if hasattr(made, "annotate"):
                await getattr(made, "text" if hasattr(made, "text") else "write")(delta, [TOKEN])

    async def annotate(self, note: Any) -> None:
        for made in self._made[-1:]:
            if hasattr(made, "annotate"):
                await made.annotate(note)

    async def update(self, fields: dict[str, Any]) -> None:
        for made in self._made[-1:]:
            if hasattr(made, "update"):
                await made.update(**fields)

    async def note(self, kind: str, fields: dict[str, Any]) -> None:
        for made in self._made[-1:]:
            if hasattr(made, "event"):
                await made.event(kind, **fields)

    async def event(self, kind: str, fields: dict[str, Any]) -> None:
        await self.out.event(kind, **fields)

    async def item(self, item: Any) -> None:
        await self.out.item(item)

    async def usage(self, count: int) -> None:
        self.out.usage(count, count)

    async def incomplete(self, reason: str) -> None:
        await self.out.incomplete(reason)

    async def start(self) -> None:
        await self.out.start()


@st.composite
def cases(draw: st.DrawFn, count: int = 1) -> tuple[str, list[list[Step]], dict[str, bool]]:
    """A release, programs, and the terms on which they write."""
    release = draw(RELEASE)
    names = ("padding", "logprobs", "encrypted_reasoning")
    return release, [draw(programs(release)) for _ in range(count)], {name: draw(st.booleans()) for name in names}


Case = tuple[str, list[list[Step]], dict[str, bool]]


@given(cases(), ENDS, st.booleans())
@bounded(100)
def test_s1_to_l9_any_program_writes_a_legal_stream_and_the_same_whole(
    kits: Mapping[str, Kit], case: Case, end: str, is_queued: bool
) -> None:
    release, (steps,), terms = case
    kit, sink = kits[release], Recorder()

    async def run(out: Any) -> Machine:
        machine = Machine(kit, out)
        if is_queued:
            await out.queue()
        await machine.run(steps)
        await machine.end(end)
        return machine

    streamed, whole = (asyncio.run(run(kit.out(each, **terms))) for each in (sink, None))
    events = kit.checked(sink.sent)
    assert streamed.outcomes == whole.outcomes
    assert json.loads(streamed.out.body()) == events[-1]["response"]
    assert normal(json.loads(whole.out.body())) == normal(events[-1]["response"])


@given(cases(), ENDS, st.integers(0, 20))
@bounded(60)
def test_s3_cancellation_at_any_event_loses_none(kits: Mapping[str, Kit], case: Case, end: str, at: int) -> None:
    release, (steps,), terms = case
    kit, sink = kits[release], Recorder(cancels_at=at)

    async def run() -> None:
        machine = Machine(kit, kit.out(sink, **terms))
        await machine.run(steps)
        sink.cancels_at = -1
        await machine.end(end)

    asyncio.run(run())
    kit.checked(sink.sent)


@given(cases(), ENDS, st.integers(0, 20))
@bounded(40)
def test_l6_a_client_that_is_gone_leaves_a_legal_beginning_and_a_whole_response(
    kits: Mapping[str, Kit], case: Case, end: str, at: int
) -> None:
    release, (steps,), terms = case
    kit, sink = kits[release], Recorder(breaks_at=at)
    out = kit.out(sink, **terms)

    async def run() -> None:
        machine = Machine(kit, out)
        await machine.run(steps)
        with contextlib.suppress(ConnectionResetError):
            await machine.end(end)

    asyncio.run(run())
    kit.begun(sink.sent)
    response = json.loads(out.body())
    assert kit.package.ResponseResource.model_validate(response).status in {"completed", "incomplete", "failed"}
    assert all(item.get("status") in {"completed", "incomplete", None} for item in response["output"])


@given(cases(count=2), ENDS)
@bounded(60)
def test_l1_two_tasks_at_once_write_a_legal_stream(kits: Mapping[str, Kit], case: Case, end: str) -> None:
    release, both, terms = case
    kit, sink = kits[release], Recorder(pauses=True)

    async def run() -> None:
        out = kit.out(sink, **terms)
        machines = [Machine(kit, out) for _ in both]
        await asyncio.gather(*(machine.run(steps) for machine, steps in zip(machines, both, strict=True)))
        await machines[0].end(end)

    asyncio.run(run())
    kit.checked(sink.sent)
