"""Section W: turns on a WebSocket that are refused, and what comes after."""

from __future__ import annotations

from typing import Any

from openresponses_codegen.conform.asks import user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.cases.state import (
    NOT_FOUND,
    UNKNOWN_ID,
    stored_id,
)
from openresponses_codegen.conform.cases.tools import stray
from openresponses_codegen.conform.cases.websocket import HELLO, opened, refused
from openresponses_codegen.conform.exchange import TERMINAL, Conversation
from openresponses_codegen.conform.outcome import fail, require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, quoted
from openresponses_codegen.conform.websocket import Socket


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
    await opened(probe)
    async with probe.socket() as socket:
        await socket.create(**HELLO, temperature="hot")
        await socket.create(**HELLO)
    return socket.conversation


@ask
async def garbage(probe: Probe) -> Conversation:
    """A frame that is no JSON."""
    await opened(probe)
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
    await opened(probe)
    return await _failing_continuation(probe, store=False)


@ask
async def evicted_but_stored(probe: Probe) -> Conversation:
    """The same with a response that is stored."""
    await opened(probe)
    await stored_id(probe)
    return await _failing_continuation(probe, store=True)


@ask
async def without_key(probe: Probe) -> Conversation:
    """A handshake without a key."""
    await opened(probe)
    if probe.settings.api_key is None:
        skip("no API key was given, so the server is taken to need none")
    async with probe.socket(api_key=None) as socket:
        pass
    return socket.conversation


async def _one_turn(probe: Probe, **fields: Any) -> Conversation:
    await opened(probe)
    async with probe.socket() as socket:
        await socket.create(**HELLO, **fields)
    return socket.conversation


async def _failing_continuation(probe: Probe, *, store: bool) -> Conversation:
    async with probe.socket() as socket:
        first = await socket.create(input=[user("Say hello.")], store=store)
        response_id = first.found.get("id") if first is not None else None
        if response_id is not None:
            await _continue(socket, response_id, [stray()], store=store)
            await _continue(socket, response_id, [user("Go on all the same.")], store=store)
    return socket.conversation


async def _continue(socket: Socket, response_id: str, given: list[Json], *, store: bool) -> None:
    await socket.create(input=given, store=store, previous_response_id=response_id)


def _frame(given: Conversation) -> Json:
    """The error frame of the first turn."""
    frame = given.turn(0).error_frame
    if frame is None:
        skip(f"the turn did not end with an error frame but with {given.turn(0).outline()}")
    return frame


@case("W1-no-stream", stream_named)
def no_stream(given: Conversation) -> None:
    """`stream` is refused in `response.create`."""
    refused(given)


@case("W1-no-stream-options", stream_options_named)
def no_stream_options(given: Conversation) -> None:
    """`stream_options` is refused in `response.create`."""
    refused(given)


@case("W1-no-background", background_named)
def no_background(given: Conversation) -> None:
    """`background` is refused in `response.create`."""
    refused(given)


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
    refused(given)


@case("P2-websocket", unknown_previous_turn)
def unknown_previous(given: Conversation) -> None:
    """On a WebSocket, an unknown previous response is `previous_response_not_found` with 400."""
    found = (_frame(given).get("status"), given.turn(0).error().get("code"))
    require(found == (400, NOT_FOUND), f"status and code are {quoted(found)}")


@case("E2-websocket-key", without_key)
def websocket_key(given: Conversation) -> None:
    """A handshake without a key is refused with 401."""
    require(given.status == 401, f"the handshake was answered with {given.status}: {given.problem}")


@case("Z10-error-frame", failing_turns)
def error_frame_shape(given: Conversation) -> None:
    """An error frame has no `sequence_number`, by which it is told from an event."""
    frame = _frame(given)
    require("sequence_number" not in frame, f"the frame is {quoted(frame)}")
