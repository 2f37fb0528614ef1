"""The writer by a table: programs that break a rule, and by which rule each is refused.

They protect that an implementer's mistake is an error where it is made, streamed or not, and that the client gets a
legal stream all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from payloads import NEWEST
from streams import message
from writing import CITATION, TOKEN, Kit, Program, Recorder

ILLEGAL: list[tuple[str, Program]] = []
"""The rule by which a program is refused, and the program."""


def breaks(rule: str) -> Callable[[Program], Program]:
    def enter(program: Program) -> Program:
        ILLEGAL.append((rule, program))
        return program

    return enter


@breaks("L1")
async def _text_before_its_message_opens(out: Any) -> None:
    await out.message().text("Hi")


@breaks("L6")
async def _text_after_its_message_closed(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
    await message.text("!")


@breaks("L6")
async def _empty_text_after_its_message_closed(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
    await message.text("")


@breaks("L6")
async def _message_opened_twice(out: Any) -> None:
    async with out.message() as message:
        pass
    async with message:
        pass


@breaks("L1")
async def _item_in_item(out: Any) -> None:
    async with out.message(), out.reasoning():
        pass


@breaks("L1")
async def _finished_item_in_item(out: Any) -> None:
    async with out.message():
        await out.item(message())


@breaks("L2")
async def _part_in_part(out: Any) -> None:
    async with out.message() as message, message.text_part(), message.refusal_part():
        pass


@breaks("L2")
async def _text_beside_an_open_part(out: Any) -> None:
    async with out.message() as message, message.text_part():
        await message.text("Hi")


@breaks("L3")
async def _summary_beside_an_open_part(out: Any) -> None:
    async with out.reasoning() as thought, thought.text_part():
        await thought.summary("Hi")


@breaks("L2")
async def _item_left_before_its_part(out: Any) -> None:
    async with out.message() as message:
        await message.text_part().__aenter__()


@breaks("L2")
async def _write_before_its_part_opens(out: Any) -> None:
    async with out.message() as message:
        await message.text_part().write("Hi")


@breaks("L2")
async def _write_after_its_part_closed(out: Any) -> None:
    async with out.message() as message:
        async with message.text_part() as part:
            pass
        await part.write("Hi")


@breaks("L6")
async def _write_to_a_part_of_a_closed_message(out: Any) -> None:
    async with out.message() as message, message.text_part() as part:
        pass
    await part.write("Hi")


@breaks("L2")
async def _part_opened_twice(out: Any) -> None:
    async with out.message() as message:
        async with message.text_part() as part:
            pass
        async with part:
            pass


@breaks("L2")
async def _delta_that_is_no_text(out: Any) -> None:
    async with out.message() as message:
        await message.text(7)


@breaks("L2")
async def _delta_that_is_nothing(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await message.text(None)


@breaks("L4")
async def _arguments_that_are_bytes(out: Any) -> None:
    async with out.function_call("f") as call:
        await call.arguments(b"{}")


@breaks("L2")
async def _half_of_a_surrogate_pair(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await message.text("\ud83d")


@breaks("L5")
async def _annotation_of_nothing(out: Any) -> None:
    async with out.message() as message:
        await message.annotate(CITATION)


@breaks("L5")
async def _annotation_of_a_refusal(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await message.refuse("No")
        await message.annotate(CITATION)


@breaks("L5")
async def _annotation_of_the_wrong_shape(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await message.annotate({**CITATION, "start_index": 0.5})


@breaks("N1")
async def _annotation_of_a_type_without_vendor(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await message.annotate({"type": "note"})


@breaks("L2")
async def _log_probability_of_the_wrong_shape(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi", [{**TOKEN, "logprob": float("-inf")}])


@breaks("L4")
async def _arguments_that_are_no_json(out: Any) -> None:
    async with out.function_call("f") as call:
        await call.arguments("{city: Paris}")


@breaks("L4")
async def _arguments_that_are_missing(out: Any) -> None:
    async with out.function_call("f"):
        pass


@breaks("L4")
async def _arguments_that_are_a_list(out: Any) -> None:
    async with out.function_call("f") as call:
        await call.arguments("[]")


@breaks("X6")
async def _call_that_the_request_forbids(out: Any) -> None:
    async with out.function_call("forbidden"):
        pass


@breaks("X1")
async def _two_calls_of_one_id(out: Any) -> None:
    for _ in range(2):
        async with out.function_call("f", call_id="call_1") as call:
            await call.arguments("{}")


@breaks("L1")
async def _two_items_of_one_id(out: Any) -> None:
    for _ in range(2):
        await out.item(message())


@breaks("L8")
async def _text_after_incomplete(out: Any) -> None:
    async with out.message() as message:
        await message.text("Hi")
        await out.incomplete("max_output_tokens")
        await message.text("!")


@breaks("L8")
async def _item_after_incomplete(out: Any) -> None:
    await out.incomplete("max_output_tokens")
    async with out.message():
        pass


@breaks("L8")
async def _event_after_incomplete(out: Any) -> None:
    await out.incomplete("max_output_tokens")
    await out.event("acme:note")


@breaks("L8")
async def _incomplete_twice(out: Any) -> None:
    await out.incomplete("max_output_tokens")
    await out.incomplete("max_output_tokens")


@breaks("L8")
async def _incomplete_without_reason(out: Any) -> None:
    await out.incomplete("")


async def _failing(out: Any) -> None:
    async with out.message():
        raise ValueError


@breaks("L8")
async def _item_after_one_that_an_exception_left(out: Any) -> None:
    with contextlib.suppress(ValueError):
        await _failing(out)
    async with out.message():
        pass


@breaks("L8")
async def _item_after_a_call_that_could_not_complete(out: Any) -> None:
    with contextlib.suppress(RuntimeError):
        async with out.function_call("f") as call:
            await call.arguments("[]")
    async with out.message():
        pass


@breaks("L8")
async def _return_after_an_item_that_an_exception_left(out: Any) -> None:
    with contextlib.suppress(ValueError):
        await _failing(out)


@breaks("L8")
async def _return_after_an_item_that_is_incomplete(out: Any) -> None:
    await out.item(message(status="incomplete"))


@breaks("L6")
async def _return_while_an_item_is_open(out: Any) -> None:
    await out.message().__aenter__()


@breaks("L6")
async def _finished_item_that_is_not_finished(out: Any) -> None:
    await out.item(message(status="in_progress"))


@breaks("L6")
async def _finished_item_of_the_wrong_shape(out: Any) -> None:
    await out.item({**message(), "content": None})


@breaks("N1")
async def _finished_message_with_a_part_that_no_event_holds(out: Any) -> None:
    await out.item(message({"type": "input_video", "video_url": "https://a.example"}))


@breaks("L3")
async def _finished_reasoning_with_a_refusal_for_summary(out: Any) -> None:
    await out.item({"type": "reasoning", "id": "rs_1", "summary": [{"type": "refusal", "refusal": "No."}]})


@breaks("L4")
async def _finished_call_without_arguments(out: Any) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}
    await out.item({**call, "status": "completed"})


@breaks("N1")
async def _finished_item_of_a_type_without_vendor(out: Any) -> None:
    await out.item({"type": "web_search_call", "id": "ws_1", "status": "completed"})


@breaks("N2")
async def _finished_item_of_a_vendor_without_status(out: Any) -> None:
    await out.item({"type": "acme:search", "id": "as_1"})


@breaks("N2")
async def _finished_item_of_a_vendor_without_id(out: Any) -> None:
    await out.item({"type": "acme:search", "status": "completed"})


@breaks("N1")
async def _item_that_redefines_a_core_type(out: Any) -> None:
    out.vendor_item("message")


@breaks("N1")
async def _item_type_in_upper_case(out: Any) -> None:
    out.vendor_item("Acme:search")


@breaks("N2")
async def _item_that_sets_its_status(out: Any) -> None:
    out.vendor_item("acme:search", status="completed")


@breaks("L6")
async def _item_that_completes_itself(out: Any) -> None:
    async with out.vendor_item("acme:search") as search:
        await search.update(status="completed")


@breaks("N2")
async def _item_that_changes_its_id(out: Any) -> None:
    async with out.vendor_item("acme:search") as search:
        await search.update(id="as_1")


@breaks("N2")
async def _item_that_json_cannot_hold(out: Any) -> None:
    async with out.vendor_item("acme:search") as search:
        await search.update(score=float("nan"))


@breaks("N1")
async def _event_that_redefines_a_core_type(out: Any) -> None:
    await out.event("response.completed", response={})


@breaks("N1")
async def _event_with_a_line_break(out: Any) -> None:
    await out.event("acme:note\n\n")


@breaks("N2")
async def _event_that_numbers_itself(out: Any) -> None:
    await out.event("acme:note", sequence_number=7)


@breaks("N2")
async def _event_that_json_cannot_hold(out: Any) -> None:
    await out.event("acme:note", note={1, 2})


@breaks("N2")
async def _event_of_an_item_elsewhere(out: Any) -> None:
    async with out.vendor_item("acme:search") as search:
        await search.event("acme:note", output_index=7)


@breaks("L1")
async def _role_that_there_is_not(out: Any) -> None:
    out.message(role="robot")


@breaks("Z11")
async def _usage_that_is_no_count(out: Any) -> None:
    out.usage(1.5, -1)


@breaks("R1")
async def _encrypted_reasoning_that_is_empty(out: Any) -> None:
    async with out.reasoning() as thought:
        await thought.encrypted("")


@breaks("S4")
async def _queued_after_it_began(out: Any) -> None:
    await out.start()
    await out.queue()


@breaks("S4")
async def _told_before_it_ended(out: Any) -> None:
    await out.end()


@pytest.mark.parametrize("is_streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(("rule", "program"), ILLEGAL, ids=[program.__name__[1:] for _, program in ILLEGAL])
def test_illegal_programs_are_refused_by_their_rule(kit: Kit, rule: str, program: Program, is_streamed: bool) -> None:
    sink = Recorder()
    out = kit.out(sink if is_streamed else None, logprobs=True)
    error = asyncio.run(kit.run(out, program))
    assert isinstance(error, kit.errors.WriterError), error
    assert error.rule == rule
    assert f"(rule {rule})" in str(error)
    if is_streamed:
        kit.checked(sink.sent)
    response = json.loads(out.body())
    assert kit.package.ResponseResource.model_validate(response).status == "failed"


def test_p6_a_phase_that_there_is_not(kit: Kit) -> None:
    refusal = kit.errors.WriterError if kit.release == NEWEST else TypeError
    with pytest.raises(refusal, match=r"\(rule P6\)|unexpected keyword"):
        kit.out(None).message(phase="thinking")


def test_an_error_says_where_and_what_is_allowed(kit: Kit) -> None:
    async def program(out: Any) -> None:
        await out.item(message({"type": "output_text", "text": 5, "annotations": []}))

    with pytest.raises(kit.errors.WriterError, match=r"content\[0\]\.text: Input should be a valid string"):
        asyncio.run(program(kit.out(None)))
