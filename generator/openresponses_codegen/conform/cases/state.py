"""Section P, and rule R3: what is carried from one response to the next."""

from __future__ import annotations

from openresponses_codegen.conform.asks import (
    FACT,
    NAME,
    QUESTION,
    assistant,
    needs_websockets,
    user,
)
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import fail, require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, items_of, quoted, text_of

UNKNOWN_ID = "resp_conform_there_is_no_such_response"
NOT_FOUND = "previous_response_not_found"


@ask
async def told(probe: Probe) -> Answer:
    """A response to build upon, which the server is asked to keep."""
    return await probe.create(input=[user(FACT)], instructions="Be brief.", store=True)


@ask
async def continued(probe: Probe) -> Answer:
    """A question about what was told before."""
    return await probe.create(input=[user(QUESTION)], previous_response_id=await stored_id(probe))


@ask
async def continued_again(probe: Probe) -> Answer:
    """The same question, one response further down the chain."""
    second = await probe.result(continued)
    between = await probe.create(input=[user("Thank you.")], previous_response_id=_id(second.response()))
    return await probe.create(input=[user(QUESTION)], previous_response_id=_id(between.response()))


@ask
async def told_in_full(probe: Probe) -> Answer:
    """The whole conversation in one request: whether the model can tell at all."""
    return await probe.create(input=[user(FACT), assistant("I will."), user(QUESTION)])


@ask
async def unknown_previous(probe: Probe) -> Answer:
    """To go on from an id that was never given."""
    return await probe.create(input="Go on.", previous_response_id=UNKNOWN_ID)


@ask
async def unkept(probe: Probe) -> Answer:
    """To go on from a response that the server was asked not to keep."""
    first = await probe.create(input="Say hello.", store=False)
    return await probe.create(input="Go on.", previous_response_id=_id(first.response()))


@ask
async def referenced(probe: Probe) -> Answer:
    """An item of a stored response, by its id."""
    item_id = await stored_item(probe)
    return await probe.create(input=[{"type": "item_reference", "id": item_id}, user("What did you say?")])


@ask
async def unknown_reference(probe: Probe) -> Answer:
    """An item that there never was."""
    return await probe.create(input=[{"type": "item_reference", "id": "msg_conform_no_such_item"}, user("Well?")])


@ask
async def background(probe: Probe) -> Answer:
    """A response that is not waited for."""
    answer = await probe.create(input="Say hello.", background=True)
    if answer.is_refused:
        skip(f"the server does no work in the background: {answer.outline()}")
    return answer


@ask
async def fetched(probe: Probe) -> Answer:
    """The response that was begun in the background."""
    begun = await probe.result(background)
    return await probe.send("GET", f"/responses/{_id(begun.response())}")


@ask
async def phases_given(probe: Probe) -> Answer:
    """Messages of the assistant that are labelled."""
    needs_websockets(probe.settings, "`phase`")
    said = [assistant("Let me see.", phase="commentary"), assistant("It is 4.", phase="final_answer")]
    return await probe.create(input=[user("How much is 2 and 2?"), *said, user("Thank you.")])


def _id(response: Json) -> str:
    found = response.get("id")
    if not isinstance(found, str):
        skip("the response has no id")
    return found


async def stored_id(probe: Probe) -> str:
    """The id of a response that the server keeps, by what it says."""
    response = (await probe.result(told)).response()
    if response.get("store") is False:
        skip("the server keeps no responses")
    return _id(response)


async def stored_item(probe: Probe) -> str:
    """The id of a message in that response."""
    await stored_id(probe)
    messages = items_of((await probe.result(told)).response(), "message")
    if not messages or not isinstance(messages[0].get("id"), str):
        skip("the stored response has no message with an id")
    return str(messages[0]["id"])


def recalls(response: Json, control: Answer, name: str) -> None:
    """Fail unless the model knows what it was told; skip where it would not know it anyway."""
    said = text_of(response)
    if NAME not in said:
        if NAME not in text_of(control.response()):
            skip("the model does not recall the fact when it has the whole conversation either")
        fail(f"the model was told {quoted(FACT)} and answers {quoted(said)}", name)


def is_not_found(answer: Answer) -> None:
    """Fail unless the answer says that the previous response is not known (rule P2)."""
    require(answer.is_refused, f"the answer was {answer.outline()}")
    code = answer.error().get("code")
    require(code == NOT_FOUND, f"the code is {quoted(code)}")


@case("P1-continued", continued)
def continuing(answer: Answer) -> None:
    """A stored response can be continued."""
    require(not answer.is_refused, f"the server said that it stores, and then: {answer.outline()}")
    answer.response()


@case("P1-echo", told, continued)
def echo(first: Answer, second: Answer) -> None:
    """The response repeats `previous_response_id`."""
    given, expected = second.response().get("previous_response_id"), first.response().get("id")
    require(given == expected, f"`previous_response_id` is {quoted(given)} instead of {quoted(expected)}")


@case("P1-recall", continued, told_in_full)
def recall(answer: Answer, control: Answer) -> None:
    """What was said in the previous response is known."""
    recalls(answer.response(), control, answer.ask)


@case("P1-recall-chain", continued_again, told_in_full)
def recall_chain(answer: Answer, control: Answer) -> None:
    """What was said further up the chain is known."""
    recalls(answer.response(), control, answer.ask)


@case("P1-instructions", continued)
def instructions(answer: Answer) -> None:
    """`instructions` are not carried over."""
    given = answer.response().get("instructions")
    require(given is None, f"`instructions` of a request without any are {quoted(given)}")


@case("P2-code", unknown_previous)
def unknown_code(answer: Answer) -> None:
    """An unknown previous response has the code `previous_response_not_found`."""
    is_not_found(answer)


@case("P2-status", unknown_previous)
def unknown_status(answer: Answer) -> None:
    """An unknown previous response is a 404 of type `not_found`."""
    kind = answer.error().get("type")
    require(answer.status == 404, f"the status is {answer.status}")
    require(kind == "not_found", f"the type is {quoted(kind)}")


@case("P2-param", unknown_previous)
def unknown_param(answer: Answer) -> None:
    """An unknown previous response is an error about `previous_response_id`."""
    param = answer.error().get("param")
    require(param == "previous_response_id", f"`param` is {quoted(param)}")


@case("R3-not-kept", unkept)
def not_kept(answer: Answer) -> None:
    """With `store: false` nothing is kept."""
    is_not_found(answer)


@case("P3-reference", referenced)
def reference(answer: Answer) -> None:
    """An `item_reference` stands for an item that is stored."""
    require(not answer.is_refused, f"the reference was refused: {answer.outline()}")
    answer.response()


@case("P3-unknown-reference", unknown_reference)
def reference_to_nothing(answer: Answer) -> None:
    """An `item_reference` to nothing is refused."""
    require(answer.is_refused, f"the answer was {answer.outline()}")


@case("P5-queued", background)
def queued(answer: Answer) -> None:
    """`background: true` is answered at once with `status: queued`."""
    status = answer.response().get("status")
    require(status == "queued", f"the status is {quoted(status)}")


@case("P5-fetched", fetched, advice=True)
def fetching(answer: Answer) -> None:
    """A response in the background can be fetched."""
    require(answer.status == 200, f"the answer was {answer.outline()}")


@case("P6-phase", phases_given)
def phase(answer: Answer) -> None:
    """`phase` is accepted in input."""
    require(not answer.is_refused, f"labelled messages were refused: {answer.outline()}")
    answer.response()
