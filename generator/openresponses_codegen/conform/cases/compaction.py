"""Section C: compaction."""

from __future__ import annotations

from typing import Any

from openresponses_codegen.conform.asks import FACT, QUESTION, assistant, needs_websockets, text, user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.cases.http import served
from openresponses_codegen.conform.cases.state import is_not_found, recalls, stored_id, told_in_full
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import fail, require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, quoted
from openresponses_codegen.conform.schema import Finding

WINDOW = [
    user(FACT),
    assistant("I will."),
    user("What is the capital of France?"),
    assistant("It is Paris."),
]


@ask
async def compacted(probe: Probe) -> Answer:
    """A conversation, to be compacted."""
    needs_websockets(probe.settings, "compaction")
    answer = await _compact(probe, input=WINDOW)
    if answer.status in {404, 405, 501}:
        skip(f"the server offers no compaction: {answer.outline()}")
    return answer


@ask
async def compacted_shape(probe: Probe) -> list[Finding]:
    """What is wrong about its shape."""
    return probe.schemas.findings(_compaction(await probe.result(compacted)), "CompactResource")


@ask
async def compacted_next_to_nothing(probe: Probe) -> Answer:
    """A window that cannot be made shorter."""
    await probe.result(compacted)
    return await _compact(probe, input=[user("Hi.")])


@ask
async def compacted_with_cache_key(probe: Probe) -> Answer:
    """A window with a key of a cache."""
    await probe.result(compacted)
    return await _compact(probe, input=WINDOW, prompt_cache_key="conform-cache", instructions="Be brief.")


@ask
async def compacted_without_model(probe: Probe) -> Answer:
    """A window and no model."""
    await probe.result(compacted)
    return await probe.post("/responses/compact", {"input": WINDOW})


@ask
async def compacted_chain(probe: Probe) -> Answer:
    """A stored response as the window."""
    await probe.result(compacted)
    return await _compact(probe, previous_response_id=await stored_id(probe))


@ask
async def compacted_unknown(probe: Probe) -> Answer:
    """A window that there never was."""
    await probe.result(compacted)
    return await _compact(probe, previous_response_id="resp_conform_there_is_no_such_response")


@ask
async def continued_from_compaction(probe: Probe) -> Answer:
    """The compacted window as the head of an input."""
    window = _compaction(await probe.result(compacted))
    if not items_of(window, "compaction"):
        skip("the window holds no compaction")
    return await probe.create(input=[*items_of(window), user(QUESTION)])


@ask
async def continued_by_id(probe: Probe) -> Answer:
    """The id of a compaction, as if it were that of a response."""
    window = _compaction(await probe.result(compacted))
    return await probe.create(input="Go on from the compaction.", previous_response_id=window.get("id"))


async def _compact(probe: Probe, **fields: Any) -> Answer:
    model = probe.settings.model or (await probe.result(text)).found.get("model")
    return await probe.post("/responses/compact", {"model": model, **fields})


def _compaction(answer: Answer) -> Json:
    """The compaction; the case is skipped where none came."""
    if answer.status != 200 or not isinstance(as_object(answer.json).get("output"), list):
        skip(f"the window was not compacted: {answer.outline()}")
    return as_object(answer.json)


@case("C1-compaction", compacted)
def compaction(answer: Answer) -> None:
    """`POST /responses/compact` is answered with a `response.compaction`."""
    require(answer.status == 200, f"the answer was {answer.outline()}")
    kind = as_object(answer.json).get("object")
    require(kind == "response.compaction", f"`object` is {quoted(kind)}")


@case("C1-shape", compacted_shape)
def shape(findings: list[Finding]) -> None:
    """A compaction has the shape of the schema."""
    for finding in findings:
        if finding.path not in {"usage", "object"}:
            fail(str(finding))


@case("C1-item", compacted)
def item(answer: Answer) -> None:
    """The output holds a `compaction` item with `encrypted_content`."""
    window = _compaction(answer)
    found = items_of(window, "compaction")
    require(found, f"the output is {quoted(items_of(window))}")
    for each in found:
        given = each.get("encrypted_content", "-")
        require(given, f"`encrypted_content` is {quoted(given)}")


@case("C1-kept", compacted)
def kept(answer: Answer) -> None:
    """The output holds messages and compactions only."""
    kinds = [each.get("type") for each in items_of(_compaction(answer))]
    others = [kind for kind in kinds if kind not in {"message", "compaction"} and ":" not in str(kind)]
    require(not others, f"the output holds {quoted(others)}")


@case("C1-next-to-nothing", compacted_next_to_nothing)
def next_to_nothing(answer: Answer) -> None:
    """A window that cannot be shortened is not refused."""
    _taken(answer)


@case("C1-cache-key", compacted_with_cache_key)
def cache_key(answer: Answer) -> None:
    """`prompt_cache_key` and `instructions` are taken."""
    _taken(answer)


@case("C1-model", compacted_without_model)
def model(answer: Answer) -> None:
    """A compaction without a model is refused."""
    require(answer.is_refused, f"the answer was {answer.outline()}")


@case("C1-chain", compacted_chain)
def chain(answer: Answer) -> None:
    """A window can be named by `previous_response_id`."""
    _taken(answer)


@case("C1-unknown-chain", compacted_unknown)
def unknown_chain(answer: Answer) -> None:
    """An unknown previous response is `previous_response_not_found`."""
    is_not_found(answer)


@case("C1-no-response", continued_by_id)
def no_response(answer: Answer) -> None:
    """The id of a compaction is none of a response to continue from."""
    is_not_found(answer)


@case("C2-returned", continued_from_compaction)
def returned(answer: Answer) -> None:
    """The output is accepted as the head of an input."""
    served(answer, "the output of a compaction")


@case("C2-recall", continued_from_compaction, told_in_full)
def recall(answer: Answer, control: Answer) -> None:
    """What was said before the compaction is known."""
    recalls(answer.response(), control, answer.ask)


@case("Z11-usage", compacted)
def usage(answer: Answer) -> None:
    """A compaction has its usage, which is not null."""
    given = _compaction(answer).get("usage", {})
    require(isinstance(given, dict), f"`usage` is {quoted(given)}")


def _taken(answer: Answer) -> None:
    require(not answer.is_refused, f"it was refused: {answer.outline()}")
    _compaction(answer)
