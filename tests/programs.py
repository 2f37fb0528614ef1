"""Programs that write a response and keep every rule, with the events that they tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams import message, text
from writing import CITATION, Program

LEGAL: dict[str, tuple[Program, str]] = {}
"""Programs by name, and the events that they tell between `in_progress` and `completed`, shortened."""
SHORT = {
    "item": "output_item.added",
    "/item": "output_item.done",
    "part": "content_part.added",
    "/part": "content_part.done",
    "text": "output_text.delta",
    "/text": "output_text.done",
    "note": "output_text.annotation.added",
    "refusal": "refusal.delta",
    "/refusal": "refusal.done",
    "raw": "reasoning.delta",
    "/raw": "reasoning.done",
    "sum": "reasoning_summary_part.added",
    "/sum": "reasoning_summary_part.done",
    "summary": "reasoning_summary_text.delta",
    "/summary": "reasoning_summary_text.done",
    "args": "function_call_arguments.delta",
    "/args": "function_call_arguments.done",
}


def tells(events: str) -> Callable[[Program], Program]:
    def enter(program: Program) -> Program:
        LEGAL[program.__name__] = (program, events)
        return program

    return enter


@tells("")
async def nothing(out: Any) -> None:
    pass


@tells("")
async def begins_twice(out: Any) -> None:
    await out.start()
    await out.start()


@tells("item /item")
async def empty_message(out: Any) -> None:
    async with out.message() as message:
        await message.text("")
        await message.refuse("")


@tells("item part text text text /text /part /item")
async def text_in_pieces(out: Any) -> None:
    async with out.message(role="assistant") as message:
        for piece in ("Hello ", '"wörld" \u2028\x00', "", "\\\n😀"):
            await message.text(piece)


@tells("item part text note note text /text /part /item")
async def annotations(out: Any) -> None:
    async with out.message() as message:
        await message.text("Says A.")
        await message.annotate(CITATION)
        await message.annotate({"type": "acme:note", "line": 3})
        await message.text(" And B.")


@tells("item part text /text /part part refusal refusal /refusal /part part text /text /part /item")
async def text_refusal_text(out: Any) -> None:
    async with out.message() as message:
        await message.text("Well.")
        await message.refuse("I will ")
        await message.refuse("not.")
        await message.text("Anything else?")


@tells("item part text /text /part part text note /text /part part /text /part part refusal /refusal /part /item")
async def parts_of_their_own(out: Any) -> None:
    async with out.message() as message:
        await message.text("One.")
        async with message.text_part() as part:
            await part.write("Two.")
            await part.annotate(CITATION)
        async with message.text_part():
            pass
        async with message.refusal_part() as refusal:
            await refusal.write("No.")


@tells("item sum summary /summary /sum sum summary /summary /sum part raw raw /raw /part part raw /raw /part /item")
async def reasoning(out: Any) -> None:
    async with out.reasoning() as thought:
        await thought.summary("Look it up.")
        async with thought.summary_part() as part:
            await part.write("Then say it.")
        await thought.text("Hm, ")
        await thought.text("hm.")
        async with thought.text_part() as part:
            await part.write("Yes.")
        await thought.encrypted("gAAA==")


@tells("item args args /args /item item args /args /item")
async def calls(out: Any) -> None:
    async with out.function_call("weather", call_id="call_7") as call:
        assert call.call_id == "call_7"
        await call.arguments('{"city": ')
        await call.arguments("")
        await call.arguments('"Paris"}')
    async with out.function_call("clock") as call:
        await call.arguments("{}")


@tells("item acme:search.searching /item acme:note acme:bare")
async def vendors(out: Any) -> None:
    async with out.vendor_item("acme:search", query="sun", hits=[]) as search:
        await search.update(status="searching")
        await search.event("acme:search.searching", engine="a")
        await search.update(hits=[{"url": "https://a.example"}])
    await out.event("acme:note", line=3)
    await out.event("acme:bare")


@tells("item /item item part text note /text /part part /part /item item sum summary /summary /sum part raw /raw /part"
       " /item item args /args /item item /item")  # fmt: skip
async def finished_items(out: Any) -> None:
    part = text("Sunny.", annotations=[CITATION], logprobs=[], **{"acme:color": "red"})
    await out.item({"type": "acme:thing", "id": "th_1", "status": "completed", "of": [1.0, 1e30]})
    image = {"type": "input_image", "image_url": None, "detail": "auto"}
    await out.item(message(part, image, **{"acme:trace": 1}))
    views = {"summary": [{"type": "summary_text", "text": "S"}], "content": [{"type": "reasoning_text", "text": "R"}]}
    await out.item({"type": "reasoning", "id": "rs_1", **views})
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
    await out.item({**call, "status": "completed"})
    output = {"type": "function_call_output", "id": "fo_1", "call_id": "call_1", "output": "18"}
    await out.item({**output, "status": "completed"})
