"""Section W: turns on a WebSocket that are answered."""

from __future__ import annotations

from openresponses_codegen.conform.asks import FACT, QUESTION, needs_websockets, user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.cases.sse import LIFECYCLE, rising
from openresponses_codegen.conform.cases.state import (
    is_not_found,
    recalls,
    stored_id,
    told_in_full,
)
from openresponses_codegen.conform.exchange import TERMINAL, Answer, Conversation, Turn
from openresponses_codegen.conform.framing import DONE
from openresponses_codegen.conform.outcome import fail, require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, items_of, quoted
from openresponses_codegen.conform.schema import Finding

HELLO = {"input": [user("Say hello.")], "store": False}


@ask
async def conversation(probe: Probe) -> Conversation:
    """Two turns, of which the second continues the first, which is not stored; then one that continues nothing."""
    needs_websockets(probe.settings, "WebSocket")
    async with probe.socket() as socket:
        first = await socket.create(input=[user(FACT)], store=False)
        if first is not None and (response_id := first.found.get("id")):
            await socket.create(input=[user(QUESTION)], store=False, previous_response_id=response_id)
            await socket.create(**HELLO)
    return socket.conversation


@ask
async def turn_findings(probe: Probe) -> list[tuple[Turn, Json, Finding]]:
    """What is wrong about the shapes of their events."""
    return [
        (turn, event, finding)
        for turn in (await opened(probe)).answered()
        for event in turn.raw_events
        for finding in probe.schemas.event_findings(event)
        if not finding.path.startswith("response.output")  # it is what was closed before
    ]


@ask
async def continued_over_http(probe: Probe) -> Answer:
    """To go on over HTTP from a response that only a connection has."""
    first = (await opened(probe)).turn(0).response()
    return await probe.create(input="Go on over HTTP.", previous_response_id=first.get("id"))


@ask
async def continued_elsewhere(probe: Probe) -> Conversation:
    """To go on from it on another connection."""
    first = (await opened(probe)).turn(0).response()
    async with probe.socket() as socket:
        await socket.create(input=[user("Go on elsewhere.")], store=False, previous_response_id=first.get("id"))
    return socket.conversation


@ask
async def reconnected(probe: Probe) -> Conversation:
    """To go on, on a new connection, from a response that is stored."""
    await opened(probe)
    response_id = await stored_id(probe)
    async with probe.socket() as socket:
        await socket.create(input=[user("Go on where we were.")], previous_response_id=response_id)
    return socket.conversation


@ask
async def queued_turns(probe: Probe) -> Conversation:
    """Two turns that are started at once."""
    await opened(probe)
    async with probe.socket() as socket:
        started = [await socket.send(socket.frame({**HELLO, "input": [user(each)]})) for each in ("One.", "Two.")]
        for turn in started:
            if turn is not None:
                await socket.receive(turn)
    return socket.conversation


async def opened(probe: Probe) -> Conversation:
    """The first conversation; skipped where the server has no WebSocket."""
    first = await probe.result(conversation)
    first.check_offered()
    return first


def refused(given: Conversation) -> None:
    """Fail unless the first turn ended with an error frame."""
    turn = given.turn(0)
    require(turn.error_frame is not None, f"the turn was answered with {turn.outline()}")


@case("W1-turn", conversation)
def turn(given: Conversation) -> None:
    """`response.create` is answered with a response."""
    require((given.status or 500) < 500, f"the handshake failed: {given.problem}")
    given.check_offered()
    first = given.turn(0)
    require(first.found, f"the turn was answered with {first.outline()}", first.name)


@case("W2-text-frames", conversation)
def text_frames(given: Conversation) -> None:
    """Events come as text frames of one JSON object each."""
    for each in given.answered():
        binary = [message for message in each.messages if isinstance(message, bytes)]
        require(not binary, f"{len(binary)} frames are binary", each.name)
        done = [message for message in each.messages if isinstance(message, str) and DONE in message]
        count = len(each.messages) - len(each.raw_events)
        require(count == len(done), f"{count} frames are no JSON objects", each.name)


@case("W2-no-done", conversation)
def no_done(given: Conversation) -> None:
    """There is no `[DONE]`."""
    for each in given.answered():
        require(DONE not in map(str, each.messages), "a frame is [DONE]", each.name)


@case("W2-order", conversation)
def order(given: Conversation) -> None:
    """A turn begins with `response.created` and `response.in_progress` and has one terminal event."""
    for each in given.answered():
        kinds = [event.get("type") for event in each.raw_events if event.get("type") in LIFECYCLE]
        begun = [kind for kind in kinds if kind != "response.queued"]
        holds = begun[:2] == ["response.created", "response.in_progress"] and len(begun) == 3
        require(holds, f"it has {quoted(kinds)}", each.name)


@case("W2-sequence", conversation)
def sequence(given: Conversation) -> None:
    """`sequence_number` rises with every event of a turn."""
    for each in given.answered():
        rising(each.raw_events, each.name)


@case("W2-shape", turn_findings)
def shape(findings: list[tuple[Turn, Json, Finding]]) -> None:
    """Events have the shape of the schema."""
    for turn, event, finding in findings:
        fail(f"{event['type']}: {finding}", turn.name)


@case("W2-fold", conversation)
def fold(given: Conversation) -> None:
    """The items as they were closed are the `output` of the terminal event."""
    for each in given.answered():
        closed = [event.get("item") for event in each.events() if event.get("type") == "response.output_item.done"]
        output = items_of(each.response())
        require(closed == output, f"closed were {quoted(closed)}, at the end there is {quoted(output)}", each.name)


@case("W3-in-order", queued_turns)
def in_order(given: Conversation) -> None:
    """Turns that are started at once are run in order, never interleaved."""
    events = [event for each in given.turns for event in each.raw_events]
    kinds = [event.get("type") for event in events if event.get("type") in {"response.created", *TERMINAL, "error"}]
    if "error" in kinds:
        skip("a turn met an error")
    require([kind in TERMINAL for kind in kinds] == [False, True] * 2, f"the turns began and ended as {quoted(kinds)}")


@case("W3-own-response", queued_turns)
def own_response(given: Conversation) -> None:
    """Each turn has a response of its own."""
    ids = [each.found.get("id") for each in given.turns if each.found]
    require(len(ids) == len(set(map(str, ids))), f"the responses have the ids {quoted(ids)}")


@case("W4-continued", conversation)
def continued(given: Conversation) -> None:
    """The latest response can be continued with `store: false`."""
    given.check_offered()
    second = given.turn(1)
    require(second.found, f"the turn was answered with {second.outline()}", second.name)


@case("W4-recall", conversation, told_in_full)
def recall(given: Conversation, control: Answer) -> None:
    """What was said in it is known."""
    given.check_offered()
    second = given.turn(1)
    recalls(second.response(), control, second.name)


@case("W4-not-over-http", continued_over_http)
def not_over_http(answer: Answer) -> None:
    """A response with `store: false` is not known over HTTP."""
    is_not_found(answer)


@case("W4-not-elsewhere", continued_elsewhere)
def not_elsewhere(given: Conversation) -> None:
    """A response with `store: false` is not known to other connections."""
    refused(given)


@case("W7-reconnect", reconnected)
def reconnect(given: Conversation) -> None:
    """A stored response can be continued on a new connection."""
    frame = given.turn(0).error_frame
    require(frame is None, f"the turn was answered with {quoted(frame)}")
