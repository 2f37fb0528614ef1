"""Section S: the framing and the order of a stream."""

from __future__ import annotations

from collections.abc import Iterator

from openresponses_codegen.conform.asks import streams, text_stream
from openresponses_codegen.conform.case import RECORD, case
from openresponses_codegen.conform.exchange import TERMINAL, Answer
from openresponses_codegen.conform.framing import Frame
from openresponses_codegen.conform.outcome import require, some
from openresponses_codegen.conform.reading import Json, as_object, quoted
from openresponses_codegen.conform.record import Record
from openresponses_codegen.conform.story import Story

LIFECYCLE = ("response.created", "response.queued", "response.in_progress", *TERMINAL)


def _frames(stories: list[Story]) -> Iterator[tuple[str, Frame]]:
    """The frames of all streams that hold an event, each with the name of its stream."""
    for story in stories:
        yield from ((story.name, frame) for frame in story.answer.frames if frame.data and not frame.is_done)


@case("S1-streamed", text_stream)
def streamed(answer: Answer) -> None:
    """With `stream: true` the answer is 200 and text/event-stream."""
    require(answer.is_streamed, f"the answer was {answer.outline()} of media type {quoted(answer.media_type)}")


@case("S1-event-line", streams)
def event_line(stories: list[Story]) -> None:
    """Every event has one `event:` line, equal to the `type` in its data."""
    for name, frame in _frames(stories):
        kind, lines = as_object(frame.event).get("type"), frame.values("event")
        if isinstance(kind, str):
            require(lines == [kind], f"an event of type {quoted(kind)} has the `event:` lines {quoted(lines)}", name)


@case("S1-json-data", streams)
def json_data(stories: list[Story]) -> None:
    """The data of every event is a JSON object with a `type`."""
    for name, frame in _frames(stories):
        kind = as_object(frame.event).get("type")
        require(isinstance(kind, str) and kind, f"the data {quoted(frame.data)} is no object with a type", name)


@case("S1-no-id-line", streams)
def no_id_line(stories: list[Story]) -> None:
    """No event has an `id:` line."""
    for name, frame in _frames(stories):
        require(not frame.values("id"), f"an event has the lines {quoted(frame.lines)}", name)


@case("S2-done-after-terminal", streams)
def done_after_terminal(stories: list[Story]) -> None:
    """The terminal event is followed by `data: [DONE]`."""
    for story in stories:
        frames = story.answer.frames
        last = max(at for at, frame in enumerate(frames) if as_object(frame.event).get("type") in TERMINAL)
        after = frames[last + 1].lines if len(frames) > last + 1 else None
        require(after and frames[last + 1].is_done, f"after the terminal event came {quoted(after)}", story.name)


@case("S2-done-is-last", streams)
def done_is_last(stories: list[Story]) -> None:
    """Nothing comes after `data: [DONE]`."""
    for story in stories:
        at = [number for number, frame in enumerate(story.answer.frames) if frame.is_done]
        after = story.answer.frames[at[0] + 1 :] if at else []
        require(not after, f"after [DONE] came {quoted([each.lines for each in after])}", story.name)


@case("S2-closes", streams)
def closes(stories: list[Story]) -> None:
    """The stream is closed after its end."""
    for story in stories:
        if any(frame.is_done for frame in story.answer.frames):
            require(story.answer.problem is None, f"after [DONE] {story.answer.problem}", story.name)


def rising(events: list[Json], name: str) -> None:
    """Fail unless the sequence numbers of events rise (rule S3); `name` says where they came."""
    before = None
    for event in events:
        number = event.get("sequence_number")
        if isinstance(number, int):
            require(before is None or number > before, f"{event.get('type')} has {number} after {before}", name)
            before = number


@case("S3-rises", streams)
def sequence_rises(stories: list[Story]) -> None:
    """`sequence_number` rises with every event."""
    for story in stories:
        rising(story.events, story.name)


@case("S3-from-zero-by-one", streams, advice=True)
def sequence_is_gapless(stories: list[Story]) -> None:
    """`sequence_number` begins at 0 and rises by exactly 1."""
    for story in stories:
        numbers = [event["sequence_number"] for event in story.events if "sequence_number" in event]
        if numbers == sorted(set(numbers)):
            require(numbers == list(range(len(numbers))), f"the numbers are {quoted(numbers)}", story.name)


@case("S4-created-first", streams)
def created_first(stories: list[Story]) -> None:
    """`response.created` is the first event, and comes once."""
    for story in stories:
        kinds = [event.get("type") for event in story.events]
        require(kinds[0] == "response.created", f"the first event is {quoted(kinds[0])}", story.name)
        require(kinds.count("response.created") == 1, "response.created came more than once", story.name)


@case("S4-in-progress", streams)
def in_progress_follows(stories: list[Story]) -> None:
    """`response.in_progress` follows, after `response.queued` if that comes."""
    for story in stories:
        kinds = [event.get("type") for event in story.events if event.get("type") in story.schemas.events]
        begun = [kind for kind in kinds if kind not in {"response.created", *TERMINAL, "error"}]
        waits = begun[:1] == ["response.queued"]
        expected = [*(["response.queued"] if waits else []), "response.in_progress"]
        require(begun[: len(expected)] == expected, f"after response.created came {quoted(begun[:2])}", story.name)
        again = set(begun[len(expected) :]) & set(LIFECYCLE)
        require(not again, f"{quoted(sorted(map(str, again)))} came again", story.name)


@case("S4-terminal-last", RECORD)
def terminal_last(record: Record) -> None:
    """The last event, and no other one, is a terminal one."""
    found = [each for each in record.answers if each.is_streamed and each.raw_events]
    for answer in some(found, "no request was answered with a stream"):
        kinds = [event.get("type") for event in answer.raw_events]
        terminal = [kind for kind in kinds if kind in TERMINAL]
        if "error" not in kinds:
            require(len(terminal) == 1, f"the terminal events are {quoted(terminal)}", answer.ask)
            require(kinds[-1] in TERMINAL, f"the last event is {quoted(kinds[-1])}", answer.ask)


@case("S4-whole-response", streams)
def whole_response(stories: list[Story]) -> None:
    """The events about the response carry it whole."""
    for story in stories:
        for event in story.events:
            if event.get("type") in LIFECYCLE:
                for finding in story.schemas.event_findings(event):
                    is_items = finding.path.startswith("response.output")  # they are the subject of L6 and L9
                    require(is_items, f"{event['type']}: {finding}", story.name)


@case("S4-status", streams)
def status_of_event(stories: list[Story]) -> None:
    """The status of the response is that of the event which carries it."""
    for story in stories:
        for event in story.events:
            kind = str(event.get("type"))
            allowed = {"response.created": {"in_progress", "queued"}}.get(kind, {kind.removeprefix("response.")})
            status = as_object(event.get("response")).get("status")
            if kind in LIFECYCLE and status is not None:
                require(status in allowed, f"{kind} carries a response that is {quoted(status)}", story.name)


@case("S4-same-response", streams)
def same_response(stories: list[Story]) -> None:
    """All events are about the same response."""
    for story in stories:
        carried = [as_object(event.get("response")).get("id") for event in story.events if "response" in event]
        ids = {each for each in carried if isinstance(each, str)}
        require(len(ids) <= 1, f"the responses have the ids {quoted(sorted(ids))}", story.name)


@case("S5-error-then-failed", RECORD)
def error_then_failed(record: Record) -> None:
    """An `error` event is followed by `response.failed` with its `error` set."""
    found = [
        (answer, at, event)
        for answer in record.answers
        for at, event in enumerate(answer.raw_events if answer.is_streamed else [])
        if event.get("type") == "error"
    ]
    for answer, at, event in some(found, "no stream of the run met an error"):
        after = answer.raw_events[at + 1 :]
        kinds = [each.get("type") for each in after]
        require(kinds == ["response.failed"], f"after {quoted(event)} came {quoted(kinds)}", answer.ask)
        response = as_object(after[0].get("response"))
        require(response.get("status") == "failed", f"the response is {quoted(response.get('status'))}", answer.ask)
        require(as_object(response.get("error")), "the failed response has no error", answer.ask)


@case("S8-line-feeds", streams)
def line_feeds(stories: list[Story]) -> None:
    """Lines end with LF only."""
    for story in stories:
        require(b"\r" not in story.answer.body, "the stream has carriage returns", story.name)


@case("S8-one-data-line", streams)
def one_data_line(stories: list[Story]) -> None:
    """Every event has exactly one `data:` line."""
    for name, frame in _frames(stories):
        count = len(frame.values("data"))
        require(count == 1, f"an event has {count} `data:` lines", name)


@case("S8-one-write", streams)
def one_write(stories: list[Story]) -> None:
    """An event is sent in one piece with its blank line."""
    for story in stories:
        ends = set(story.answer.pieces)
        frames = story.answer.frames
        split = sum(any(at in ends for at in range(frame.start + 1, frame.end)) for frame in frames)
        # Networks may cut a piece as well; only a server cuts most of them.
        require(split * 2 <= len(frames), f"{split} of {len(frames)} events came in several pieces", story.name)
