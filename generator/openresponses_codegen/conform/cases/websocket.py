"""Section W: the WebSocket."""

from __future__ import annotations

from typing import Any

from openresponses_codegen.conform.asks import FACT, QUESTION, needs_websockets, user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.cases.sse import LIFECYCLE, rising
from openresponses_codegen.conform.cases.state import (
    NOT_FOUND,
    UNKNOWN_ID,
    is_not_found,
    recalls,
    stored_id,
    told_in_full,
)
from openresponses_codegen.conform.cases.tools import stray
from openresponses_codegen.conform.exchange import TERMINAL, Answer, Conversation, Turn
from openresponses_codegen.conform.framing import DONE
from openresponses_codegen.conform.outcome import fail, require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, quoted
from openresponses_codegen.conform.schema import Finding
from openresponses_codegen.conform.websocket import Socket

HELLO = {"input": [user("Say hello.")], "store": False}


@ask
async def conversation(probe: Probe) -> Conversation:
    """Two turns, of which the second continues the first, which is not stored; then one that continues nothing."""
    needs_websockets(probe.settings, "WebSocket")
    async with probe.socket() as socket:
        first = await socket.create(input=[user(FACT)], store=False)
        if first is not None and (response_id := _found(first).get("id")):
            await socket.create(input=[user(QUESTION)], store=False, previous_response_id=response_id)
            await socket.create(**HELLO)
    return socket.conversation


@ask
async def turn_findings(probe: Probe) -> list[tuple[Turn, Json, Finding]]:
    """What is wrong about the shapes of their events."""
    return [
        (turn, event, finding)
        for turn in _answered(await _opened(probe))
        for event in turn.raw_events
        for finding in probe.schemas.event_findings(event)
        if not finding.path.startswith("response.output")  # it is what was closed before
    ]


@ask
async def continued_over_http(probe: Probe) -> Answer:
    """To go on over HTTP from a response that only a connection has."""
    first = (await _opened(probe)).turn(0).response()
    return await probe.create(input="Go on over HTTP.", previous_response_id=first.get("id"))


@ask
async def continued_elsewhere(probe: Probe) -> Conversation:
    """To go on from it on another connection."""
    first = (await _opened(probe)).turn(0).response()
    async with probe.socket() as socket:
        await socket.create(input=[user("Go on elsewhere.")], store=False, previous_response_id=first.get("id"))
    return socket.conversation


@ask
async def reconnected(probe: Probe) -> Conversation:
    """To go on, on a new connection, from a response that is stored."""
    await _opened(probe)
    response_id = await stored_id(probe)
    async with probe.socket() as socket:
        await socket.create(input=[user("Go on where we were.")], previous_response_id=response_id)
    return socket.conversation


@ask
async def queued_turns(probe: Probe) -> Conversation:
    """Two turns that are started at once."""
    await _opened(probe)
    async with probe.socket() as socket:
        started = [await socket.send(socket.frame({**HELLO, "input": [user(each)]})) for each in ("One.", "Two.")]
        for turn in started:
            if turn is not None:
                await socket.receive(turn)
    return socket.conversation


@ask
async def stream_named(probe: Probe) -> Conversation:
    """A turn that has `stream` in it."""
    return await _one_turn(probe, stream=True)


@ask
async def stream_options_named(probe: Probe) -> Conversation:
    """A turn that has `stream_options` in it."""
    return await _one_turn(probe, stream_options={"include_obfuscation": False})


@ask
async def background_named(probe: Probe) -> Conversation:
    """A turn that has `background` in it."""
    return await _one_turn(probe, background=False)


@ask
async def failing_turns(probe: Probe) -> Conversation:
    """A turn that is refused, and one that is not."""
    await _opened(probe)
    async with probe.socket() as socket:
        await socket.create(**HELLO, temperature="hot")
        await socket.create(**HELLO)
    return socket.conversation


@ask
async def garbage(probe: Probe) -> Conversation:
    """A frame that is no JSON."""
    await _opened(probe)
    async with probe.socket() as socket:
        await socket.turn('{"type": "response.create", ')
    return socket.conversation


@ask
async def unknown_previous_turn(probe: Probe) -> Conversation:
    """A turn that continues what there never was."""
    return await _one_turn(probe, previous_response_id=UNKNOWN_ID)


@ask
async def evicted(probe: Probe) -> Conversation:
    """A turn, one that fails to continue it, and one that names it again."""
    await _opened(probe)
    return await _failing_continuation(probe, store=False)


@ask
async def evicted_but_stored(probe: Probe) -> Conversation:
    """The same with a response that is stored."""
    await _opened(probe)
    await stored_id(probe)
    return await _failing_continuation(probe, store=True)


@ask
async def without_key(probe: Probe) -> Conversation:
    """A handshake without a key."""
    await _opened(probe)
    if probe.settings.api_key is None:
        skip("no API key was given, so the server is taken to need none")
    async with probe.socket(api_key=None) as socket:
        pass
    return socket.conversation


async def _opened(probe: Probe) -> Conversation:
    """The first conversation; skipped where the server has no WebSocket."""
    first = await probe.result(conversation)
    _is_offered(first)
    return first


def _is_offered(first: Conversation) -> None:
    if not first.is_open:
        skip(f"the server offers no WebSocket: {first.problem}")


async def _one_turn(probe: Probe, **fields: Any) -> Conversation:
    await _opened(probe)
    async with probe.socket() as socket:
        await socket.create(**HELLO, **fields)
    return socket.conversation


async def _failing_continuation(probe: Probe, *, store: bool) -> Conversation:
    async with probe.socket() as socket:
        first = await socket.create(input=[user("Say hello.")], store=store)
        response_id = _found(first).get("id") if first is not None else None
        if response_id is not None:
            await _continue(socket, response_id, [stray()], store=store)
            await _continue(socket, response_id, [user("Go on all the same.")], store=store)
    return socket.conversation


async def _continue(socket: Socket, response_id: str, given: list[Json], *, store: bool) -> None:
    await socket.create(input=given, store=store, previous_response_id=response_id)


def _found(turn: Turn) -> Json:
    """The response at the end of a turn, if there is one."""
    return as_object(turn.raw_events[-1].get("response")) if turn.raw_events else {}


def _answered(given: Conversation) -> list[Turn]:
    """The turns of the conversation that were answered with responses."""
    _is_offered(given)
    found = [turn for turn in given.turns if turn.raw_events and turn.raw_events[-1].get("type") in TERMINAL]
    if not found:
        skip("no turn was answered with a response")
    return found


def _refused(given: Conversation, number: int = 0) -> None:
    """Fail unless a turn ended with an error frame."""
    turn = given.turn(number)
    require(turn.error_frame is not None, f"the turn was answered with {turn.outline()}")


def _frame(given: Conversation) -> Json:
    """The error frame of the first turn."""
    frame = given.turn(0).error_frame
    if frame is None:
        skip(f"the turn did not end with an error frame but with {given.turn(0).outline()}")
    return frame


@case("W1-turn", conversation)
def turn(given: Conversation) -> None:
    """`response.create` is answered with a response."""
    _is_offered(given)
    first = given.turn(0)
    require(_found(first), f"the turn was answered with {first.outline()}", first.name)


@case("W1-no-stream", stream_named)
def no_stream(given: Conversation) -> None:
    """`stream` is refused in `response.create`."""
    _refused(given)


@case("W1-no-stream-options", stream_options_named)
def no_stream_options(given: Conversation) -> None:
    """`stream_options` is refused in `response.create`."""
    _refused(given)


@case("W1-no-background", background_named)
def no_background(given: Conversation) -> None:
    """`background` is refused in `response.create`."""
    _refused(given)


@case("W2-text-frames", conversation)
def text_frames(given: Conversation) -> None:
    """Events come as text frames of one JSON object each."""
    for each in _answered(given):
        binary = [message for message in each.messages if isinstance(message, bytes)]
        require(not binary, f"{len(binary)} frames are binary", each.name)
        done = [message for message in each.messages if isinstance(message, str) and DONE in message]
        count = len(each.messages) - len(each.raw_events)
        require(count == len(done), f"{count} frames are no JSON objects", each.name)


@case("W2-no-done", conversation)
def no_done(given: Conversation) -> None:
    """There is no `[DONE]`."""
    for each in _answered(given):
        require(DONE not in map(str, each.messages), "a frame is [DONE]", each.name)


@case("W2-order", conversation)
def order(given: Conversation) -> None:
    """A turn begins with `response.created` and `response.in_progress` and has one terminal event."""
    for each in _answered(given):
        kinds = [event.get("type") for event in each.raw_events if event.get("type") in LIFECYCLE]
        begun = [kind for kind in kinds if kind != "response.queued"]
        holds = begun[:2] == ["response.created", "response.in_progress"] and len(begun) == 3
        require(holds, f"it has {quoted(kinds)}", each.name)


@case("W2-sequence", conversation)
def sequence(given: Conversation) -> None:
    """`sequence_number` rises with every event of a turn."""
    for each in _answered(given):
        rising(each.raw_events, each.name)


@case("W2-shape", turn_findings)
def shape(findings: list[tuple[Turn, Json, Finding]]) -> None:
    """Events have the shape of the schema."""
    for turn, event, finding in findings:
        fail(f"{event['type']}: {finding}", turn.name)


@case("W2-fold", conversation)
def fold(given: Conversation) -> None:
    """The items as they were closed are the `output` of the terminal event."""
    for each in _answered(given):
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
    ids = [_found(each).get("id") for each in given.turns if _found(each)]
    require(len(ids) == len(set(map(str, ids))), f"the responses have the ids {quoted(ids)}")


@case("W4-continued", conversation)
def continued(given: Conversation) -> None:
    """The latest response can be continued with `store: false`."""
    _is_offered(given)
    second = given.turn(1)
    require(_found(second), f"the turn was answered with {second.outline()}", second.name)


@case("W4-recall", conversation, told_in_full)
def recall(given: Conversation, control: Answer) -> None:
    """What was said in it is known."""
    _is_offered(given)
    second = given.turn(1)
    recalls(second.response(), control, second.name)


@case("W4-not-over-http", continued_over_http)
def not_over_http(answer: Answer) -> None:
    """A response with `store: false` is not known over HTTP."""
    is_not_found(answer)


@case("W4-not-elsewhere", continued_elsewhere)
def not_elsewhere(given: Conversation) -> None:
    """A response with `store: false` is not known to other connections."""
    _refused(given)


@case("W5-evicted", evicted)
def eviction(given: Conversation) -> None:
    """A response whose continuation failed is not known any more."""
    _continuation_failed(given)
    again = given.turn(2)
    require(again.error_frame is not None, f"the third turn was answered with {again.outline()}", again.name)
    code = again.error().get("code")
    require(code == NOT_FOUND, f"the code is {quoted(code)}", again.name)


@case("W5-stored", evicted_but_stored)
def stored_is_known(given: Conversation) -> None:
    """A response that is stored is known even then."""
    _continuation_failed(given)
    again = given.turn(2)
    require(again.error_frame is None, f"the third turn was answered with {quoted(again.error_frame)}", again.name)


def _continuation_failed(given: Conversation) -> None:
    given.turn(0).response()
    if given.turn(1).error_frame is None:
        skip(f"the result of a call that was never made was no error: {given.turn(1).outline()}")


@case("W6-error-frame", failing_turns)
def error_frame(given: Conversation) -> None:
    """A bad turn is one `error` frame."""
    kinds = [event.get("type") for event in given.turn(0).raw_events]
    require(kinds == ["error"], f"the turn was answered with {quoted(kinds)}")


@case("W6-status", failing_turns)
def status(given: Conversation) -> None:
    """The error frame has the `status` 400 for a bad turn."""
    found = _frame(given).get("status")
    require(found == 400, f"`status` is {quoted(found)}")


@case("W6-code", failing_turns)
def code(given: Conversation) -> None:
    """The `code` of an error frame is a string."""
    _frame(given)
    found = given.turn(0).error().get("code")
    require(isinstance(found, str) and found, f"`code` is {quoted(found)}")


@case("W6-message", failing_turns)
def message(given: Conversation) -> None:
    """The error frame has a message."""
    error = _frame(given).get("error")
    found = as_object(error).get("message")
    require(isinstance(found, str) and found.strip(), f"`error` is {quoted(error)}")


@case("W6-param", failing_turns)
def param(given: Conversation) -> None:
    """The error frame names the field at fault."""
    _frame(given)
    found = given.turn(0).error().get("param")
    require(found == "temperature", f"`param` is {quoted(found)}")


@case("W6-ends-turn", failing_turns)
def ends_turn(given: Conversation) -> None:
    """Nothing comes for a turn after its error frame."""
    _frame(given)
    events = given.turn(1).raw_events
    if not events:
        skip(f"nothing came for the next turn: {given.problem}")
    ended = events[0].get("type") in TERMINAL
    require(not ended, f"after the error frame came {quoted(events[0].get('type'))}")


@case("W6-stays-open", failing_turns)
def stays_open(given: Conversation) -> None:
    """The connection stays open after an error frame."""
    _frame(given)
    if len(given.turns) < 2 or not given.turns[1].messages:
        fail(f"the next turn could not be run: {given.problem}")


@case("W6-bad-json", garbage)
def bad_json(given: Conversation) -> None:
    """A frame that is no JSON is answered with an error frame."""
    _refused(given)


@case("P2-websocket", unknown_previous_turn)
def unknown_previous(given: Conversation) -> None:
    """On a WebSocket, an unknown previous response is `previous_response_not_found` with 400."""
    found = (_frame(given).get("status"), given.turn(0).error().get("code"))
    require(found == (400, NOT_FOUND), f"status and code are {quoted(found)}")


@case("W7-reconnect", reconnected)
def reconnect(given: Conversation) -> None:
    """A stored response can be continued on a new connection."""
    frame = given.turn(0).error_frame
    require(frame is None, f"the turn was answered with {quoted(frame)}")


@case("E2-websocket-key", without_key)
def websocket_key(given: Conversation) -> None:
    """A handshake without a key is refused with 401."""
    require(given.status == 401, f"the handshake was answered with {given.status}: {given.problem}")


@case("Z10-error-frame", failing_turns)
def error_frame_shape(given: Conversation) -> None:
    """An error frame has no `sequence_number`, by which it is told from an event."""
    frame = _frame(given)
    require("sequence_number" not in frame, f"the frame is {quoted(frame)}")
