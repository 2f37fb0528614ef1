"""What a loop shows of reasoning, and what it keeps of it for the next round (rules R1 to R3)."""

from __future__ import annotations

from typing import Any

import pytest
from openresponses_kit.gateway import RoundWriter, Sampling
from openresponses_kit.gateway.sealing import Sealer
from scripted_model import ScriptedModel, ScriptedTool, ask, gives, says

SEALER = Sealer({"k1": bytes(range(32))}, "k1")
WORK = {"type": "acme:work"}
TRACE = [{"type": "reasoning_text", "text": "Hm, so."}]
SUMMARY = [{"type": "summary_text", "text": "It thinks."}]


async def thinks(_: Sampling, out: RoundWriter) -> None:
    for delta in ("Hm,", " so."):
        await out.reason(delta)
    await out.summarise("It thinks.")
    await (await out.call("work")).done()


@pytest.mark.parametrize("sealer", [None, SEALER])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize(
    ("shown", "content", "summary"), [("raw", TRACE, SUMMARY), ("summary", None, SUMMARY), ("hidden", None, [])]
)
def test_r1_what_is_shown(shown: str, content: Any, summary: Any, asked: bool, sealer: Sealer | None) -> None:
    """The views that the settings say; the encrypted one if it is asked for; all of it in the next round."""
    include = ["reasoning.encrypted_content"] if asked else []
    model = ScriptedModel(thinks, says("ok"))
    settings = {"reasoning": shown}
    answer = ask(model, ScriptedTool(gives("ok")), sealer=sealer, tools=[WORK], include=include, settings=settings)
    is_sealed = asked and sealer is not None
    if shown == "hidden" and not is_sealed:
        assert answer.kinds == ["acme:work_call", "message"]
    else:
        assert answer.kinds == ["reasoning", "acme:work_call", "message"]
        thought = answer.output[0]
        assert thought.get("content") == content
        assert thought["summary"] == summary
        assert ("encrypted_content" in thought) == is_sealed
        if is_sealed:
            sealed = SEALER.open("reasoning", thought["encrypted_content"], "key:1")
            assert sealed == {"summary": SUMMARY, "content": TRACE}
    told = model.told[1][1]
    assert (told["type"], told["content"], told["summary"]) == ("reasoning", TRACE, SUMMARY)


@pytest.mark.parametrize("shown", ["raw", "summary", "hidden"])
def test_r1_thoughts_and_words_keep_their_order(shown: str) -> None:
    """Reasoning between words is an item of its own, for the caller and for the next round."""

    async def mixed(_: Sampling, out: RoundWriter) -> None:
        for number in range(2):
            await out.reason(f"thought {number}")
            await out.text(f"word {number}")
        await out.reason("thought 2")
        await (await out.call("work")).done()

    model = ScriptedModel(mixed, says("ok"))
    answer = ask(model, ScriptedTool(gives("ok")), tools=[WORK], settings={"reasoning": shown})
    words = [part["text"] for item in answer.output if item["type"] == "message" for part in item["content"]]
    assert words == ["word 0", "word 1", "ok "]
    told = [item["content"][0]["text"] for item in model.told[1][1:] if item["type"] in {"message", "reasoning"}]
    assert told == ["thought 0", "word 0", "thought 1", "word 1", "thought 2"]
