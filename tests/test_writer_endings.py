"""How responses end: cut, failed, cancelled, or with nobody left to read them.

They protect that a client gets a legal stream to its very end, whatever happens to who writes it, and that what is
kept of the response is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from programs import annotations, calls, reasoning, text_in_pieces, vendors
from streams import message, text
from writing import Kit, Program, Recorder, names, normal


async def _cut_in_text(out: Any) -> None:
    async with out.message() as message:
        await message.text("half a sen")
        await out.incomplete("max_output_tokens")


async def _cut_in_part(out: Any) -> None:
    async with out.reasoning() as thought, thought.summary_part() as part:
        await part.write("half")
        await out.incomplete("max_output_tokens")


async def _cut_in_arguments(out: Any) -> None:
    async with out.function_call("f") as call:
        await call.arguments('{"city": "Pa')
        await out.incomplete("max_output_tokens")


async def _cut_between(out: Any) -> None:
    await calls(out)
    await out.incomplete("max_tool_calls")


async def _cut_after_exception(out: Any) -> None:
    with contextlib.suppress(ValueError):
        await _in_text(out)
    await out.incomplete("content_filter")


async def _cut_by_item(out: Any) -> None:
    await out.item(message(text("half", logprobs=[]), status="incomplete"))
    await out.incomplete("max_output_tokens")


@pytest.mark.parametrize(
    "program", [_cut_in_text, _cut_in_part, _cut_in_arguments, _cut_between, _cut_after_exception, _cut_by_item]
)
def test_l8_incomplete_closes_what_is_open_and_ends_the_response(kit: Kit, program: Program) -> None:
    response = kit.written(program)[-1]["response"]
    assert response["status"] == "incomplete"
    last = response["output"][-1].get("status")
    assert last == {"_cut_between": "completed", "_cut_in_part": None}.get(program.__name__, "incomplete")


FAILURES: list[Program] = []


def fails(program: Program) -> Program:
    FAILURES.append(program)
    return program


@fails
async def _before_anything(_: Any) -> None:
    raise ValueError


@fails
async def _in_text(out: Any) -> None:
    async with out.message() as message:
        await message.text("half a sen")
        raise ValueError


@fails
async def _in_a_part(out: Any) -> None:
    async with out.message() as message, message.text_part() as part:
        await part.write("half a sen")
        raise ValueError


@fails
async def _in_arguments(out: Any) -> None:
    async with out.function_call("f") as call:
        await call.arguments('{"city": ')
        raise ValueError


@fails
async def _in_a_vendor_item(out: Any) -> None:
    async with out.vendor_item("acme:search"):
        raise ValueError


@fails
async def _between_items(out: Any) -> None:
    await calls(out)
    raise ValueError


@fails
async def _after_incomplete(out: Any) -> None:
    await _cut_in_text(out)
    raise ValueError


@pytest.mark.parametrize("is_queued", [True, False])
@pytest.mark.parametrize("program", FAILURES)
def test_s5_an_exception_ends_the_stream_by_the_rules(kit: Kit, program: Program, is_queued: bool) -> None:
    sink = Recorder()
    error = kit.errors.TooManyRequestsError("later", param="input", code="slow_down", retry_after=3)

    async def respond(out: Any) -> Any:
        if is_queued:
            await out.queue()
        with pytest.raises(ValueError):  # noqa: PT011 - raised above
            await program(out)
        await out.abandon(error)
        early = json.loads(out.body())
        await out.end(error)
        assert json.loads(out.body()) == early
        return early

    streamed, whole = asyncio.run(respond(kit.out(sink))), asyncio.run(respond(kit.out(None)))
    events = kit.checked(sink.sent)
    assert events[-2]["error"] == {
        "type": "too_many_requests",
        "code": "slow_down",
        "message": "later",
        "param": "input",
        "headers": {"retry-after": "3"},
    }
    assert events[-1]["response"] == streamed
    assert streamed["error"] == {"code": "slow_down", "message": "later"}
    assert normal(streamed) == normal(whole)


def test_z10_the_code_of_a_failed_response_is_that_of_the_error_or_its_type(kit: Kit) -> None:
    async def program(out: Any) -> bytes:
        await out.finish()
        await out.end(kit.errors.ModelError("half a pair: \ud83d"))
        return out.body()

    sink = Recorder()
    asyncio.run(program(kit.out(sink)))
    *_, error, failed = kit.checked(sink.sent)
    assert error["error"] == {"type": "model_error", "code": None, "message": "half a pair: ?", "param": None}
    assert failed["response"]["error"] == {"code": "model_error", "message": "half a pair: ?"}


def test_x5_a_call_that_is_required_and_missing_is_the_failure_of_the_model(kit: Kit) -> None:
    for sink in (None, Recorder()):
        out = kit.out(sink, required=True)
        assert isinstance(asyncio.run(kit.run(out, text_in_pieces)), kit.errors.ModelError)
        assert asyncio.run(kit.run(kit.out(sink, required=True), calls)) is None


def test_cancellation_while_an_event_is_sent_loses_no_event(kit: Kit) -> None:
    async def program(out: Any) -> None:
        await reasoning(out)
        await annotations(out)
        await calls(out)
        await vendors(out)

    whole = Recorder()
    asyncio.run(kit.run(kit.out(whole), program))
    for at in range(len(whole.sent) - 1):
        sink = Recorder(cancels_at=at)

        async def respond(out: Any) -> None:
            with pytest.raises(asyncio.CancelledError):
                await program(out)
            await out.abandon()
            await out.end(kit.errors.ServerError("stopped"))

        asyncio.run(respond(kit.out(sink)))
        events = kit.checked(sink.sent)
        assert names(events)[: at + 1] == names(kit.begun(whole.sent))[: at + 1]


def test_a_client_that_is_gone_leaves_a_whole_response(kit: Kit) -> None:
    whole = Recorder()
    asyncio.run(kit.run(kit.out(whole), annotations))

    async def give_up(out: Any) -> None:
        await out.abandon()
        await out.end(kit.errors.ServerError("gone"))

    async def respond(out: Any) -> Any:
        for step in (annotations, give_up):
            with pytest.raises(ConnectionResetError):
                await step(out)
        return json.loads(out.body())

    for at in range(len(whole.sent) - 1):
        sink = Recorder(breaks_at=at)
        response = asyncio.run(respond(kit.out(sink)))
        assert response["status"] == "failed"
        assert all(item["status"] in {"completed", "incomplete"} for item in response["output"])
        assert len(kit.begun(sink.sent)) == at


@pytest.mark.parametrize("ends", ["finish", "abandon"])
def test_s4_nothing_follows_the_end(kit: Kit, ends: str) -> None:
    async def program(out: Any) -> None:
        await getattr(out, ends)()
        await out.end()
        late: list[Callable[[], Awaitable[None]]] = [
            out.start,
            out.queue,
            out.finish,
            out.end,
            out.message().__aenter__,
            lambda: out.event("acme:note"),
            lambda: out.incomplete("max_output_tokens"),
            lambda: out.item(message()),
        ]
        for step in late:
            with pytest.raises(kit.errors.WriterError, match=r"\(rule S4\)"):
                await step()
        with pytest.raises(kit.errors.WriterError, match=r"\(rule S4\)"):
            out.usage(1, 1)

    sink = Recorder()
    asyncio.run(program(kit.out(sink)))
    kit.checked(sink.sent)
