"""Compaction by a model's summary, and the sealed items that come back.

Protects: rules C1 and C2, and R2 and R3 for reasoning. What is compacted loses nothing that has to be exact (guidance,
calls that wait for their outputs), is read by its caller alone, and goes back as it came.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from openresponses_kit.gateway import RoundWriter, Sampling, UpstreamError
from openresponses_kit.gateway.compaction import compact
from openresponses_kit.gateway.replay import read_item
from openresponses_kit.gateway.sealed_items import has_sealed, opened
from openresponses_kit.gateway.sealing import KEY_BYTES, Sealer
from openresponses_kit.gateway.truncation import CONTEXT_TOO_LONG
from openresponses_kit.models import CompactResource, CompactResponseMethodPublicBody
from openresponses_kit.server.errors import InvalidRequestError, ModelError, ServiceError, TooManyRequestsError
from openresponses_kit.server.service import Compaction
from scripted_model import Round, ScriptedModel, calls, says

SEALER = Sealer({"k1": secrets.token_bytes(KEY_BYTES)}, "k1")
OWNER = "key:1"
CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"b":1.0, "a":"\\u00e9"}'}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "seen"}


def items_of(*items: Mapping[str, Any]) -> list[Any]:
    return [read_item({"type": "message", **item}) for item in items]


def compacted(model: ScriptedModel, items: Sequence[Any], **members: Any) -> Compaction:
    request = CompactResponseMethodPublicBody.model_validate({"model": "scripted", **members})
    return asyncio.run(
        compact(model, SEALER, model_name="scripted", request=request, context=items, owner=OWNER, request_id="req_1")
    )


def back(compaction: Compaction, *, owner: str = OWNER, sealer: Sealer = SEALER) -> list[dict[str, Any]]:
    """What a model reads when the compaction is handed back."""
    item = read_item({"type": "compaction", "encrypted_content": compaction.encrypted_content})
    return [each.model_dump(mode="json") for each in opened([item], sealer, owner, [item])]


def test_c1_the_model_is_asked_over_the_conversation_as_it_stands() -> None:
    """It goes first and unchanged, for the sake of prompt caches; no tools are offered."""
    model = ScriptedModel(says("They met Ada."))
    items = items_of({"role": "user", "content": "I am Ada."}, {"role": "assistant", "content": "Hello."})
    compaction = compacted(model, items, instructions="Be brief.", prompt_cache_key="cache")
    [sampling] = model.samplings
    assert [item["content"] for item in model.told[0][:2]] == ["I am Ada.", "Hello."]
    assert len(model.told[0]) == 3
    assert (sampling.mode, sampling.tools, sampling.model) == ("none", (), "scripted")
    assert (sampling.request.instructions, sampling.request.prompt_cache_key) == ("Be brief.", "cache")
    assert (sampling.caller, sampling.request_id) == (OWNER, "req_1")
    [message] = back(compaction)
    assert message["role"] == "user"
    assert message["content"].endswith("\n\nThey met Ada.")
    assert "Ada" not in compaction.encrypted_content


def test_m2_options_of_providers_go_along() -> None:
    model = ScriptedModel(says("So."))
    compacted(model, items_of({"role": "user", "content": "Hi"}), provider_options={"a": {"b": 1}}, temperature="hot")
    request = model.samplings[0].request
    assert request.model_extra == {"provider_options": {"a": {"b": 1}}}
    assert request.temperature is None


def test_p4_guidance_is_kept_as_it_is() -> None:
    """Messages of the system and the developer are told in clear, with their ids where they have some."""
    model = ScriptedModel(says("So."))
    parts = [{"type": "input_text", "text": "Two"}, {"type": "input_text", "text": "parts"}]
    items = items_of(
        {"role": "system", "content": "One.", "id": "msg_1"},
        {"role": "user", "content": "Hi"},
        {"role": "developer", "content": parts},
    )
    first, second = compacted(model, items).kept
    dumped = [each.model_dump(mode="json") for each in (first, second)]
    assert dumped[0]["id"] == "msg_1"
    assert dumped[0]["content"] == [{"type": "input_text", "text": "One."}]
    assert [(each["role"], each["status"], each["type"]) for each in dumped] == [
        ("system", "completed", "message"),
        ("developer", "completed", "message"),
    ]
    assert dumped[1]["content"] == parts
    assert dumped[1]["id"]


def test_x8_calls_that_wait_for_their_outputs_are_kept_as_they_are() -> None:
    """The caller answers them after the compaction; their arguments are not written anew (rule Z19)."""
    model = ScriptedModel(says("So."))
    waiting = {**CALL, "call_id": "c2"}
    items = items_of({"role": "user", "content": "Look"}, CALL, OUTPUT, waiting)
    summary, call = back(compacted(model, items))
    assert summary["role"] == "user"
    assert {name: call[name] for name in waiting} == waiting
    assert [item["type"] for item in model.told[0]] == ["message", "function_call", "function_call_output", "message"]


@pytest.mark.parametrize(
    "items",
    [[], items_of({"role": "system", "content": "Be brief."}), items_of(CALL)],
    ids=["nothing", "guidance", "a call"],
)
def test_c1_nothing_to_shorten_is_no_error(items: list[Any]) -> None:
    model = ScriptedModel(says("never asked"))
    compaction = compacted(model, items)
    assert not model.samplings
    assert compaction.usage.total_tokens == 0
    assert [item["type"] for item in back(compaction)] == [item.type for item in items if item.type != "message"]
    assert len(compaction.kept) == sum(item.type == "message" for item in items)


def counted(then: Round, *tokens: int) -> Round:
    async def round_(sampling: Sampling, out: RoundWriter) -> str | None:
        read, written, cached, reasoned = tokens
        out.usage(read, written, cached_tokens=cached, reasoning_tokens=reasoned)
        return await then(sampling, out)

    return round_


def test_c1_tokens_are_told() -> None:
    model = ScriptedModel(counted(says("So."), 10, 5, 3, 2))
    usage = compacted(model, items_of({"role": "user", "content": "Hi"})).usage
    assert usage.model_dump() == {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 2},
    }


def too_long(then: Round, most: int) -> Round:
    async def round_(sampling: Sampling, out: RoundWriter) -> str | None:
        if len(sampling.items) > most:
            error = InvalidRequestError("the context is too long", code=CONTEXT_TOO_LONG)
            raise UpstreamError(error, is_transient=False)
        return await then(sampling, out)

    return round_


def test_c1_what_is_too_long_is_summarised_part_by_part() -> None:
    """Nothing is left out: each part is asked for once, in order, with the summary of what came before it."""
    heard: list[str] = []

    async def listens(sampling: Sampling, out: RoundWriter) -> None:
        *items, _ = sampling.items
        heard.extend(item.content for item in items)
        out.usage(10, 1)
        await out.text(f"up to {items[-1].content}")

    model = ScriptedModel(too_long(listens, 5))
    items = items_of(*({"role": "user", "content": f"{number}"} for number in range(20)))
    compaction = compacted(model, items)
    spoken = [text for text in heard if text.isdigit()]
    assert spoken == [f"{number}" for number in range(20)]
    summaries = [text.rpartition("up to ")[2] for text in heard if not text.isdigit()]
    assert summaries == [heard[heard.index(text) - 1] for text in heard if not text.isdigit()]
    assert back(compaction)[0]["content"].endswith("up to 19")
    assert compaction.usage.input_tokens == 10 * (len(summaries) + 1)


def test_c1_a_model_that_takes_nothing_ends_it() -> None:
    model = ScriptedModel(too_long(says("So."), 0))
    items = items_of(*({"role": "user", "content": f"{number}"} for number in range(1000)))
    with pytest.raises(InvalidRequestError) as caught:
        compacted(model, items)
    assert caught.value.code == CONTEXT_TOO_LONG
    assert len(model.samplings) <= 32


async def refuses(_: Sampling, out: RoundWriter) -> None:
    await out.text("Well, ")
    await out.refuse("I will not.")


async def floods(_: Sampling, out: RoundWriter) -> None:
    while True:
        await out.text("more " * 10_000)


async def fails(_: Sampling, __: RoundWriter) -> None:
    raise UpstreamError(TooManyRequestsError("too many requests"), is_transient=True)


async def thinks(_: Sampling, out: RoundWriter) -> None:
    await out.reason("What to say?")
    await out.summarise("Thinking")
    await out.annotate({"type": "acme:note"})


@pytest.mark.parametrize(
    ("does", "kind", "reason"),
    [
        (refuses, ModelError, "it refused"),
        (floods, ModelError, "longer than"),
        (fails, TooManyRequestsError, "too many requests"),
        (thinks, ModelError, "it wrote nothing"),
        (says("  "), ModelError, "it wrote nothing"),
        (calls(("look", "{}")), ModelError, "it wrote nothing"),
        (says("They met", reason="max_output_tokens"), ModelError, "max_output_tokens"),
        (says("They met", reason="content_filter"), ModelError, "content_filter"),
    ],
)
def test_e2_a_model_that_gives_no_summary_is_told_of(does: Round, kind: type[ServiceError], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        compacted(ScriptedModel(does), items_of({"role": "user", "content": "Hi"}))


def test_a_summary_is_read_from_forwarded_events_too() -> None:
    """As an upstream gives it that speaks Open Responses itself."""

    async def forwards(_: Sampling, out: RoundWriter) -> None:
        for event, members in (
            ("response.output_item.added", {"item": {"type": "message"}}),
            ("response.output_text.delta", {"delta": "They "}),
            ("response.output_text.delta", {"delta": "met."}),
            ("acme:beat", {}),
        ):
            await out.forward(event, json.dumps({"type": event, **members}).encode())

    compaction = compacted(ScriptedModel(forwards), items_of({"role": "user", "content": "Hi"}))
    assert back(compaction)[0]["content"].endswith("They met.")

    async def declines(_: Sampling, out: RoundWriter) -> None:
        await out.forward("response.refusal.delta", b'{"type":"response.refusal.delta","delta":"No."}')

    with pytest.raises(ModelError, match="it refused"):
        compacted(ScriptedModel(declines), items_of({"role": "user", "content": "Hi"}))


def test_c2_a_compaction_is_compacted_again() -> None:
    first = compacted(ScriptedModel(says("First.")), items_of({"role": "user", "content": "Hi"}))
    item = read_item({"type": "compaction", "encrypted_content": first.encrypted_content})
    model = ScriptedModel(says("Second."))
    second = compacted(model, opened([item], SEALER, OWNER))
    assert model.told[0][0]["content"].endswith("First.")
    assert back(second)[0]["content"].endswith("Second.")


# What comes back


def test_c2_another_caller_cannot_hand_it_back() -> None:
    compaction = compacted(ScriptedModel(says("So.")), items_of({"role": "user", "content": "Hi"}))
    with pytest.raises(InvalidRequestError) as caught:
        back(compaction, owner="key:2")
    assert caught.value.param == "input[0].encrypted_content"


def test_kinds_are_not_taken_for_each_other() -> None:
    """A compaction that is handed back as reasoning would be read as a trace of the model's."""
    compaction = compacted(ScriptedModel(says("So.")), items_of({"role": "user", "content": "Hi"}))
    item = read_item({"type": "reasoning", "summary": [], "encrypted_content": compaction.encrypted_content})
    with pytest.raises(InvalidRequestError):
        opened([item], SEALER, OWNER, [item])


def sealed_reasoning(**views: str) -> Any:
    kinds = {"content": "reasoning_text", "summary": "summary_text"}
    value = {name: [{"type": kinds[name], "text": text}] for name, text in views.items()}
    sealed = SEALER.seal("reasoning", value, OWNER)
    return read_item({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed})


@pytest.mark.parametrize("views", [{}, {"content": "Hm."}, {"summary": "So."}, {"content": "Hm.", "summary": "So."}])
def test_r2_reasoning_is_opened(views: dict[str, str]) -> None:
    [item] = opened([sealed_reasoning(**views)], SEALER, OWNER)
    assert item.encrypted_content is None
    assert [part.text for part in item.content or ()] == [views[name] for name in ("content",) if name in views]
    assert [part.text for part in item.summary] == [views[name] for name in ("summary",) if name in views]


def test_z18_what_others_sealed_is_passed_on_as_it_came() -> None:
    others = items_of(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "opaque"},
        {"type": "openai:compaction", "id": "x", "status": "completed", "encrypted_content": "gateway.1.k1.AAAA"},
        {"role": "user", "content": "gateway.1.k1.AAAA"},
    )
    told = opened(others, SEALER, OWNER, others)
    assert all(before is after for before, after in zip(others, told, strict=True))
    assert not has_sealed(others, SEALER)


def test_without_a_sealer_nothing_is_opened() -> None:
    items = [sealed_reasoning(content="Hm.")]
    assert opened(items, None, OWNER)[0] is items[0]
    assert not has_sealed(items, None)
    assert has_sealed(items, SEALER)


@pytest.mark.parametrize(("place", "path"), [(0, "previous_response_id"), (1, "input[0].encrypted_content")])
def test_e3_the_path_is_that_of_the_request(place: int, path: str) -> None:
    """An item of an earlier response has no path of its own: the response is what the caller named."""
    items = [sealed_reasoning(content="Hm."), sealed_reasoning(content="So.")]
    items[place].encrypted_content = items[place].encrypted_content[:-4] + "AAAA"
    with pytest.raises(InvalidRequestError) as caught:
        opened(items, SEALER, OWNER, items[1:])
    assert caught.value.param == path


def test_a_compaction_is_an_answer_by_the_schema() -> None:
    compaction = compacted(
        ScriptedModel(says("So.")), items_of({"role": "system", "content": "A"}, {"role": "user", "content": "B"})
    )
    item = {"type": "compaction", "id": "cmpi_1", "encrypted_content": compaction.encrypted_content}
    kept = [each.model_dump(mode="json") for each in compaction.kept]
    usage = compaction.usage.model_dump(mode="json")
    CompactResource.model_validate(
        {"id": "c", "object": "response.compaction", "output": [*kept, item], "created_at": 1, "usage": usage}
    )


def test_c1_summaries_of_parts_are_bounded_in_number() -> None:
    """A model that takes but one item at a time is not asked without end."""
    model = ScriptedModel(too_long(says("So."), 3))
    items = items_of(*({"role": "user", "content": f"{number}"} for number in range(1000)))
    with pytest.raises(InvalidRequestError):
        compacted(model, items)
    assert len(model.samplings) <= 50
