"""The writer by a table: what legal programs tell, event by event, and what a request's terms change in it.

They protect that who writes a response need not know the protocol: what is opened, filled and closed comes out as
the rules have it, streamed and in one piece.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import pytest
from payloads import NEWEST
from programs import LEGAL, SHORT, calls, reasoning, text_in_pieces
from writing import TOKEN, Kit, Recorder, names


@pytest.mark.parametrize("name", LEGAL)
def test_l1_to_l7_legal_programs_tell_these_events(kit: Kit, name: str) -> None:
    program, told = LEGAL[name]
    events = names(kit.written(program))
    assert events == ["created", "in_progress", *(SHORT.get(each, each) for each in told.split()), "completed"]


def test_c1_p6_compaction_and_phase_where_the_release_has_them(kit: Kit) -> None:
    async def program(out: Any) -> None:
        await out.compaction("gAAA==")
        async with out.message(phase="final_answer") as message:
            await message.text("Done.")

    if kit.release == NEWEST:
        output = kit.written(program)[-1]["response"]["output"]
        assert [output[0]["encrypted_content"], output[1]["phase"]] == ["gAAA==", "final_answer"]
    else:
        out = kit.out(None)
        assert not hasattr(out, "compaction")
        assert "phase" not in inspect.signature(out.message).parameters


def test_z11_usage_is_null_until_it_is_told_and_may_be_told_late(kit: Kit) -> None:
    async def program(out: Any) -> None:
        out.usage(1, 1)
        async with out.message() as message:
            await message.text("Hi")
            await out.incomplete("max_output_tokens")
        out.usage(5, 7, cached_tokens=2, reasoning_tokens=3)

    events = kit.written(program)
    assert events[0]["response"]["usage"] is None
    assert events[-1]["response"]["usage"] == {
        "input_tokens": 5,
        "output_tokens": 7,
        "total_tokens": 12,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 3},
    }


@pytest.mark.parametrize("is_asked", [True, False])
def test_log_probabilities_are_shown_if_they_are_asked_for(kit: Kit, is_asked: bool) -> None:
    token = kit.package.LogProb.model_validate(TOKEN)

    async def program(out: Any) -> None:
        async with out.message() as message:
            await message.text("Hi", [token])
            await message.text("!", [token, token])
            async with message.text_part() as part:
                await part.write("Hi", [token])

    events = kit.written(program, logprobs=is_asked)
    deltas = [event["logprobs"] for event in events if event["type"] == "response.output_text.delta"]
    assert deltas == ([[TOKEN], [TOKEN] * 2, [TOKEN]] if is_asked else [[], [], []])
    parts = events[-1]["response"]["output"][0]["content"]
    assert [len(part["logprobs"]) for part in parts] == ([3, 1] if is_asked else [0, 0])


@pytest.mark.parametrize("is_asked", [True, False])
def test_r2_encrypted_reasoning_is_shown_if_it_is_asked_for(kit: Kit, is_asked: bool) -> None:
    async def program(out: Any) -> None:
        async with out.reasoning() as thought:
            await thought.encrypted("gAAA==")
        await out.item({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gBBB=="})

    output = kit.written(program, encrypted_reasoning=is_asked)[-1]["response"]["output"]
    shown = ["gAAA==", "gBBB=="] if is_asked else [None, None]
    assert [item.get("encrypted_content") for item in output] == shown


def test_z3_raw_reasoning_has_the_names_of_openai_if_the_server_says_so(kit: Kit) -> None:
    async def program(out: Any) -> None:
        async with out.reasoning() as thought:
            await thought.text("Hm.")

    sink = Recorder()
    asyncio.run(kit.run(kit.out(sink, openai_event_names=True), program))
    heads = [sent.split(b"\n")[0] for sent in sink.sent]
    assert b"event: response.reasoning_text.delta" in heads
    assert b"event: response.reasoning_text.done" in heads
    assert not any(head.startswith(b"event: response.reasoning.") for head in heads)


PADDED = {
    "response.output_text.delta",
    "response.reasoning.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
}


@pytest.mark.parametrize("padding", [True, False])
def test_l10_deltas_are_padded_at_random_where_the_schema_has_the_field(kit: Kit, padding: bool) -> None:
    async def program(out: Any) -> None:
        async with out.message() as message:
            for _ in range(100):
                await message.text("a")
            await message.refuse("b")
        await reasoning(out)
        await calls(out)

    events = kit.written(program, padding=padding)
    padded = {event["type"] for event in events if "obfuscation" in event}
    assert padded == (PADDED if padding else set())
    paddings = [event["obfuscation"] for event in events if "obfuscation" in event]
    assert not padding or len({len(each) for each in paddings}) > 8
    assert not padding or len(set(paddings)) > 20


def test_s4_p5_a_response_that_waits_is_queued_first(kit: Kit) -> None:
    sink = Recorder()

    async def program() -> tuple[bytes, str]:
        out = kit.out(sink)
        await out.queue()
        waiting = out.body(), out.status
        await kit.run(out, text_in_pieces)
        return waiting

    body, status = asyncio.run(program())
    events = kit.checked(sink.sent)
    assert names(events)[:3] == ["created", "queued", "in_progress"]
    assert [event["response"]["status"] for event in events[:3]] == ["queued", "queued", "in_progress"]
    assert (json.loads(body)["status"], status) == ("queued", "queued")


def test_body_shows_what_is_open(kit: Kit) -> None:
    async def program() -> Any:
        out = kit.out(None)
        async with out.message() as message:
            await message.text("half ")
            await message.text("a sen")
            return json.loads(out.body())

    (item,) = asyncio.run(program())["output"]
    assert (item["status"], item["content"][0]["text"]) == ("in_progress", "half a sen")


def test_what_an_implementer_reads(kit: Kit) -> None:
    out = kit.out(None, request_id="req_1", caller="name:ann")
    assert (out.id, out.request_id, out.caller, out.context) == ("resp_1", "req_1", "name:ann", [])
    assert (out.status, out.started, out.item_ids, out.created_at) == ("in_progress", False, (), 1767225600)
    asyncio.run(kit.run(out, calls))
    assert out.item_ids == tuple(item["id"] for item in json.loads(out.body())["output"])
