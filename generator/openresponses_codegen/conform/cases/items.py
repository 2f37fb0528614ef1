"""Section L: how items are opened, filled and closed in a stream."""

from __future__ import annotations

from collections.abc import Iterator

from openresponses_codegen.conform.asks import limited_stream, streams
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.framing import parse_json
from openresponses_codegen.conform.outcome import fail, require, skip, some
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, objects, quoted
from openresponses_codegen.conform.story import TEXTS, Item, Misplaced, Part, Story


@ask
async def unpadded_stream(probe: Probe) -> Answer:
    """A stream without padding."""
    return await probe.create(
        input="Tell me in two short sentences what a river is like.",
        stream=True,
        stream_options={"include_obfuscation": False},
    )


def _items(stories: list[Story], kind: str | None = None) -> Iterator[tuple[str, Item]]:
    """The items of all streams, or those of a type, each with the name of its stream."""
    for story in stories:
        yield from ((story.name, item) for item in story.items if kind is None or item.kind == kind)


def _texts(stories: list[Story], *kinds: str) -> list[tuple[str, Part]]:
    """The finished text parts of these types in all streams."""
    return [(name, part) for name, item in _items(stories) for part in item.parts() if part.kind in kinds]


def _no_stray(stories: list[Story], why: Misplaced) -> None:
    for story in stories:
        for stray in story.strays:
            require(stray.why is not why, str(stray), story.name)


CONTENT = ("output_text", "refusal", "reasoning_text")


@case("L1-opened-first", streams)
def opened_first(stories: list[Story]) -> None:
    """An item is opened before any other event is about it."""
    _no_stray(stories, Misplaced.ITEM_NOT_OPENED)


@case("L1-full-shape", streams)
def opened_in_full(stories: list[Story]) -> None:
    """An item that is opened has its full shape."""
    for name, item in _items(stories):
        for finding in stories[0].schemas.event_findings(item.opened):
            fail(f"{item.kind}: {finding}", name)


@case("L1-in-progress", streams)
def opened_in_progress(stories: list[Story]) -> None:
    """An item that is opened is `in_progress`, where its schema has a status."""
    for name, item in _items(stories):
        status = item.first.get("status", "in_progress")
        if stories[0].schemas.item_has(item.kind, "status"):
            require(status == "in_progress", f"a {item.kind} was opened with the status {quoted(status)}", name)


@case("L1-empty", streams)
def opened_empty(stories: list[Story]) -> None:
    """A message is opened without content."""
    for name, item in some(_items(stories, "message"), "no message was streamed"):
        content = item.first.get("content", [])
        require(content == [], f"a message was opened with the content {quoted(content)}", name)


@case("L1-item-id", streams)
def item_id(stories: list[Story]) -> None:
    """Events about an item name its id."""
    for name, item in _items(stories):
        for event in item.events:
            given = event.get("item_id", item.first.get("id"))
            require(given == item.first.get("id"), f"{event['type']} names {quoted(given)}", name)


@case("L2-part-opened-first", streams)
def part_opened_first(stories: list[Story]) -> None:
    """A part is opened before its text comes."""
    _no_stray(stories, Misplaced.PART_NOT_OPENED)


@case("L2-part-shape", streams)
def part_shape(stories: list[Story]) -> None:
    """Parts that are opened and closed have the shape of the schema."""
    for name, item in _items(stories):
        for part in item.parts():
            for event in (part.opened, part.closed or {}):
                for finding in stories[0].schemas.event_findings(event):
                    fail(f"{event['type']}: {finding}", name)


@case("L2-part-opened-empty", streams)
def part_opened_empty(stories: list[Story]) -> None:
    """A part is opened with an empty text."""
    for name, part in some(_texts(stories, *TEXTS), "no part with a text was streamed"):
        text = as_object(part.opened.get("part")).get(TEXTS[part.kind][1], "")
        require(text == "", f"a part was opened with the text {quoted(text)}", name)


@case("L2-family", streams)
def family(stories: list[Story]) -> None:
    """The text of a part comes in the events of its family."""
    for name, part in some(_texts(stories, *TEXTS), "no part with a text was streamed"):
        expected = TEXTS[part.kind][0]
        for event in (*part.deltas, *part.dones, *part.late):
            kind = str(event["type"])
            stem = kind.rpartition(".")[0].replace("response.reasoning_text", "response.reasoning")
            require(stem == expected, f"{quoted(kind)} is about a part of type {part.kind}", name)


@case("L2-deltas-join", streams)
def deltas_join(stories: list[Story]) -> None:
    """The deltas of a text, joined, are the text of its `.done` event."""
    for name, part in some(_texts(stories, *CONTENT), "no part with a text was streamed"):
        _deltas_join(name, part, TEXTS[part.kind][1])


def _deltas_join(name: str, part: Part, field: str) -> None:
    for done in part.dones[:1]:
        text = done.get(field)
        require(part.joined() == text, f"{quoted(part.joined())} is not {quoted(text)} of {done['type']}", name)


@case("L2-text-done", streams)
def text_done(stories: list[Story]) -> None:
    """The text of a part ends with one `.done` event, after all deltas."""
    for name, part in some(_texts(stories, *CONTENT), "no part with a text was streamed"):
        require(len(part.dones) == 1, f"a part of type {part.kind} had {len(part.dones)} `.done` events", name)
        require(not part.late, f"{quoted(part.late[:1])} came after the `.done` event", name)


@case("L2-part-done", streams)
def part_done(stories: list[Story]) -> None:
    """`response.content_part.done` closes every part, with its whole text."""
    for name, part in some(_texts(stories, *CONTENT), "no part with a text was streamed"):
        _part_done(name, part)


def _part_done(name: str, part: Part) -> None:
    field = TEXTS[part.kind][1]
    if part.closed is None:
        fail(f"a part of type {part.kind} was never closed", name)
    closed = as_object(part.closed.get("part")).get(field)
    for done in part.dones[:1]:
        require(closed == done.get(field), f"{quoted(closed)} is not {quoted(done.get(field))}, as it was done", name)


@case("L2-part-stays-closed", streams)
def part_stays_closed(stories: list[Story]) -> None:
    """Nothing comes for a part after it is closed."""
    _no_stray(stories, Misplaced.PART_CLOSED)


@case("L3-summary-deltas-join", streams)
def summary_deltas_join(stories: list[Story]) -> None:
    """The deltas of a summary, joined, are the text of its `.done` event."""
    for name, part in some(_texts(stories, "summary_text"), "no summary of reasoning was streamed"):
        _deltas_join(name, part, "text")


@case("L3-summary-done", streams)
def summary_done(stories: list[Story]) -> None:
    """A summary part ends with one text `.done` event, then `…part.done` with the whole."""
    for name, part in some(_texts(stories, "summary_text"), "no summary of reasoning was streamed"):
        require(len(part.dones) == 1, f"a summary part had {len(part.dones)} `.done` events of its text", name)
        _part_done(name, part)


@case("L4-deltas-join", streams)
def arguments_join(stories: list[Story]) -> None:
    """The deltas of arguments, joined, are those of the `.done` event."""
    for name, item in some(_items(stories, "function_call"), "no function call was streamed"):
        _deltas_join(name, item.arguments, "arguments")


@case("L4-arguments-done", streams)
def arguments_done(stories: list[Story]) -> None:
    """Arguments end with one `.done` event, after all deltas."""
    for name, item in some(_items(stories, "function_call"), "no function call was streamed"):
        count = len(item.arguments.dones)
        require(count == 1, f"there were {count} `.done` events of the arguments", name)
        require(not item.arguments.late, "a delta of the arguments came after their `.done` event", name)


@case("L4-arguments-are-json", streams)
def arguments_are_json(stories: list[Story]) -> None:
    """The arguments of a call are a string of JSON."""
    for name, item in some(_items(stories, "function_call"), "no function call was streamed"):
        arguments = item.last.get("arguments")
        if item.last.get("status") == "completed":
            is_json = isinstance(arguments, str) and isinstance(parse_json(arguments), dict)
            require(is_json, f"the arguments are {quoted(arguments)}", name)


@case("L5-annotations", streams)
def annotation_index(stories: list[Story]) -> None:
    """`annotation_index` counts from 0 in every part."""
    found = [(name, part) for name, part in _texts(stories, "output_text") if part.annotations]
    for name, part in some(found, "no annotation was streamed"):
        indices = [each.get("annotation_index") for each in part.annotations]
        require(indices == list(range(len(indices))), f"the indices are {quoted(indices)}", name)


@case("L6-closed", streams)
def closed(stories: list[Story]) -> None:
    """Every item that was opened is closed before the end."""
    for name, item in some(_items(stories), "no item was streamed"):
        require(item.closed is not None, f"the {item.kind} {quoted(item.first.get('id'))} was never closed", name)


@case("L6-stays-closed", streams)
def stays_closed(stories: list[Story]) -> None:
    """Nothing touches an item after it is closed."""
    _no_stray(stories, Misplaced.ITEM_CLOSED)


@case("L6-final-shape", streams)
def final_shape(stories: list[Story]) -> None:
    """An item that is closed has the shape of the schema."""
    for name, item in _items(stories):
        for finding in stories[0].schemas.event_findings(item.closed or {}):
            fail(f"{item.kind}: {finding}", name)


@case("L6-final-status", streams)
def final_status(stories: list[Story]) -> None:
    """An item that is closed is `completed` or `incomplete`."""
    for name, item in _items(stories):
        if item.closed is not None and stories[0].schemas.item_has(item.kind, "status"):
            status = item.last.get("status", "completed")
            require(status != "in_progress", f"a {item.kind} was closed with the status {quoted(status)}", name)


@case("L6-same-item", streams)
def same_item(stories: list[Story]) -> None:
    """An item is closed with the type and the id with which it was opened."""
    for name, item in _items(stories):
        if item.closed is not None:
            first, last = ((each.get("type"), each.get("id")) for each in (item.first, item.last))
            require(first == last, f"it was opened as {quoted(first)} and closed as {quoted(last)}", name)


@case("L6-final-content", streams)
def final_content(stories: list[Story]) -> None:
    """An item that is closed holds the parts and the arguments that were streamed."""
    for name, item in _items(stories):
        if item.closed is None:
            continue
        for field, parts in (("content", item.content), ("summary", item.summary)):
            streamed = [part.closed["part"] for part in parts if part.closed is not None and "part" in part.closed]
            held = objects(item.last.get(field))
            if len(streamed) == len(parts):
                require(held == streamed, f"`{field}` holds {quoted(held)}; streamed was {quoted(streamed)}", name)
        for done in item.arguments.dones[:1]:
            held_arguments = item.last.get("arguments")
            require(held_arguments == done.get("arguments"), f"`arguments` are {quoted(held_arguments)}", name)


@case("L7-output-index", streams)
def output_index(stories: list[Story]) -> None:
    """`output_index` counts from 0 in the order of opening."""
    for story in stories:
        indices = [item.index for item in story.items]
        require(indices == list(range(len(indices))), f"the indices are {quoted(indices)}", story.name)


@case("L7-summary-index", streams)
def summary_index(stories: list[Story]) -> None:
    """`summary_index` counts from 0 in the order of opening."""
    for name, item in some(_items(stories, "reasoning"), "no reasoning was streamed"):
        indices = [part.index for part in item.summary]
        require(indices == list(range(len(indices))), f"the indices are {quoted(indices)}", name)


def _limited(answer: Answer) -> Json:
    """The response that was cut short."""
    response = answer.response()
    if response.get("status") != "incomplete":
        skip("the model was done within 16 tokens")
    return response


@case("L8-reason", limited_stream)
def reason(answer: Answer) -> None:
    """An incomplete response says why."""
    details = as_object(_limited(answer).get("incomplete_details"))
    require(details.get("reason") == "max_output_tokens", f"`incomplete_details` is {quoted(details)}")


@case("L8-incomplete-is-last", streams)
def incomplete_is_last(stories: list[Story]) -> None:
    """An incomplete item is the last one, and makes its response incomplete."""
    for story in stories:
        output = items_of(story.terminal)
        cut = [at for at, item in enumerate(output) if item.get("status") == "incomplete"]
        if cut:
            require(cut == [len(output) - 1], f"items {quoted(cut)} of {len(output)} are incomplete", story.name)
            status = story.terminal.get("status")
            require(status in {"incomplete", "failed"}, f"the response is {quoted(status)}", story.name)


@case("L9-fold", streams)
def fold(stories: list[Story]) -> None:
    """The items as they were closed are the `output` of the terminal event."""
    for story in stories:
        if all(item.closed is not None for item in story.items):
            same_fold(story)


def same_fold(story: Story) -> None:
    """Fail unless the items of a stream are the output of its terminal event (rule L9)."""
    output = items_of(story.terminal)
    folded = story.folded()
    if len(output) != len(folded):
        fail(f"{len(folded)} items were streamed, and the terminal event has {len(output)}", story.name)
    for streamed, final in zip(folded, output, strict=True):
        require(streamed == final, f"streamed was {quoted(streamed)}, at the end it is {quoted(final)}", story.name)


def _padded(story_events: list[Json], story: Story) -> list[Json]:
    """The delta events whose schema has padding."""
    return [
        event
        for event in story_events
        if str(event.get("type")).endswith(".delta") and story.schemas.event_has(str(event["type"]), "obfuscation")
    ]


@case("L10-padding", streams)
def padding(stories: list[Story]) -> None:
    """Delta events carry padding in `obfuscation`."""
    found = [(story.name, event) for story in stories for event in _padded(story.events, story)]
    for name, event in some(found, "no delta was streamed"):
        require(isinstance(event.get("obfuscation"), str), f"{event['type']} has no padding", name)


@case("L10-random", streams)
def padding_is_random(stories: list[Story]) -> None:
    """The padding of delta events is random."""
    enough = False
    for story in stories:
        pads = [event["obfuscation"] for event in _padded(story.events, story) if event.get("obfuscation") is not None]
        if len(pads) >= 4:
            enough = True
            require(len(set(map(str, pads))) > 1, f"the padding is {quoted(pads[0])} in all deltas", story.name)
    if not enough:
        skip("too few deltas with padding were streamed")


@case("L10-no-padding", unpadded_stream)
def no_padding(answer: Answer) -> None:
    """No event carries padding when `include_obfuscation` is false."""
    for event in answer.events():
        require("obfuscation" not in event, f"{event.get('type')} carries padding")


@case("L10-deltas-only", streams)
def padding_on_deltas_only(stories: list[Story]) -> None:
    """Only events whose schema has padding carry it."""
    for story in stories:
        for event in story.events:
            kind = str(event.get("type"))
            if "obfuscation" in event and kind in story.schemas.events:
                require(story.schemas.event_has(kind, "obfuscation"), f"{kind} carries padding", story.name)
