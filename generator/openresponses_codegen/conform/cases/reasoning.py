"""Section R: reasoning items."""

from __future__ import annotations

from openresponses_codegen.conform.asks import reasoning_stream, user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, items_of, objects, quoted

_REASONING = {"effort": "low", "summary": "auto"}
_INCLUDE = ["reasoning.encrypted_content"]


@ask
async def stateless_reasoning(probe: Probe) -> Answer:
    """Reasoning that the server is not to keep."""
    answer = await probe.create(
        input=[user("Think first: which is more, 3 dozen or 40?")], reasoning=_REASONING, include=_INCLUDE, store=False
    )
    if not items_of(answer.response(), "reasoning"):
        skip("the model did not reason")
    return answer


@ask
async def reasoning_returned(probe: Probe) -> Answer:
    """The output with reasoning, handed back as it came."""
    first = await probe.result(stateless_reasoning)
    return await probe.create(
        input=[
            user("Think first: which is more, 3 dozen or 40?"),
            *items_of(first.response()),
            user("Are you sure?"),
        ],
        reasoning=_REASONING,
        include=_INCLUDE,
        store=False,
    )


def _reasoning(answer: Answer) -> list[Json]:
    found = items_of(answer.response(), "reasoning")
    if not found:
        skip("the model did not reason")
    return found


@case("R1-parts", reasoning_stream)
def summary_parts(answer: Answer) -> None:
    """The parts of a summary are `summary_text`, those of raw reasoning `reasoning_text`."""
    for item in _reasoning(answer):
        for field, expected in (("summary", "summary_text"), ("content", "reasoning_text")):
            for part in objects(item.get(field)):
                kind = part.get("type")
                require(kind == expected, f"`{field}` holds a part of type {quoted(kind)}")


@case("R2-encrypted-on-request", reasoning_stream, advice=True)
def encrypted_on_request(answer: Answer) -> None:
    """`include` brings the encrypted view of reasoning."""
    require(
        any("encrypted_content" in item for item in _reasoning(answer)),
        "no reasoning item has `encrypted_content`, which a server without state needs to go on from",
    )


@case("R2-encrypted-content", stateless_reasoning)
def encrypted_content(answer: Answer) -> None:
    """The encrypted view is a string that holds something."""
    given = [item["encrypted_content"] for item in _reasoning(answer) if item.get("encrypted_content") is not None]
    if not given:
        skip("the server gives no encrypted view of reasoning")
    for each in given:
        require(isinstance(each, str) and each, f"`encrypted_content` is {quoted(each)}")


@case("R2-returned", reasoning_returned)
def returned(answer: Answer) -> None:
    """Reasoning items are accepted as they were given."""
    require(not answer.is_refused, f"the reasoning items were refused: {answer.outline()}")
    answer.response()
