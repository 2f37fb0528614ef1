"""Section N: what a server adds to the standard, and what it takes from clients who know more than it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from openresponses_codegen.conform.asks import user
from openresponses_codegen.conform.case import RECORD, ask, case
from openresponses_codegen.conform.cases.http import served
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import require, some
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, quoted
from openresponses_codegen.conform.record import Record

NOTE = {"type": "conform:note", "id": "note_1", "status": "completed", "text": "It is a fine day."}

MAX_ADDED = 1000
"""So many additions of a vendor are looked at."""


@ask
async def vendor_item(probe: Probe) -> Answer:
    """An input with an item of a vendor."""
    return await probe.create(input=[NOTE, user("Say hello.")])


def _events(record: Record) -> Iterator[tuple[str, Json]]:
    """Every event that came, each with the ask that brought it."""
    for answer in record.answers:
        if answer.is_streamed:
            yield from ((answer.ask, event) for event in answer.raw_events)
    for conversation in record.conversations:
        yield from ((conversation.ask, event) for turn in conversation.turns for event in turn.raw_events)


def _items(record: Record) -> Iterator[tuple[str, Json]]:
    """Every output item that came."""
    for answer in record.answers:
        if answer.status == 200 and not answer.is_streamed:
            yield from ((answer.ask, item) for item in items_of(answer.found))
    for name, event in _events(record):
        if isinstance(event.get("item"), dict):
            yield name, as_object(event["item"])


def _added_events(record: Record) -> list[tuple[str, Json]]:
    """Events that the standard does not have, and that are not misspelled ones of it (rule Z3)."""
    found = (
        (name, event)
        for name, event in _events(record)
        if isinstance(event.get("type"), str)
        and event["type"] not in record.schemas.events
        and not event["type"].startswith("response.")
    )
    return list(islice(found, MAX_ADDED))


def _added_items(record: Record) -> list[tuple[str, Json]]:
    """Items that the standard does not have."""
    found = (
        (name, item)
        for name, item in _items(record)
        if isinstance(item.get("type"), str) and item["type"] not in record.schemas.items
    )
    return list(islice(found, MAX_ADDED))


@case("N1-event-types", RECORD)
def event_types(record: Record) -> None:
    """Events beyond the standard have a type with a vendor's prefix."""
    for name, event in some(_added_events(record), "only events of the standard came"):
        require(":" in event["type"].strip(":"), f"there are events of type {quoted(event['type'])}", name)


@case("N1-item-types", RECORD)
def item_types(record: Record) -> None:
    """Items beyond the standard have a type with a vendor's prefix."""
    for name, item in some(_added_items(record), "only items of the standard came"):
        require(":" in item["type"].strip(":"), f"there are items of type {quoted(item['type'])}", name)


@case("N1-slug", RECORD, advice=True)
def slug(record: Record) -> None:
    """A vendor's prefix is in lower case."""
    found = [*_added_events(record), *_added_items(record)]
    for name, added in some(found, "only types of the standard came"):
        prefix = added["type"].partition(":")[0]
        require(
            ":" not in added["type"] or re.fullmatch(r"[a-z0-9_-]+", prefix), f"the prefix is {quoted(prefix)}", name
        )


@case("N1-vendor-item", vendor_item)
def vendor_item_is_accepted(answer: Answer) -> None:
    """An item of a vendor is accepted in input."""
    served(answer, f"an item of type {NOTE['type']}")


@case("N2-events", RECORD)
def events(record: Record) -> None:
    """Events beyond the standard have a `sequence_number`."""
    for name, event in some(_added_events(record), "only events of the standard came"):
        require(isinstance(event.get("sequence_number"), int), f"an event is {quoted(event)}", name)


@case("N2-items", RECORD)
def items(record: Record) -> None:
    """Items beyond the standard have `id` and `status`."""
    for name, item in some(_added_items(record), "only items of the standard came"):
        require(
            isinstance(item.get("id"), str) and isinstance(item.get("status"), str), f"an item is {quoted(item)}", name
        )
