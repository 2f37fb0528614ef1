"""The items and events of vendors that a spec describes, and what they are called in Python (rules N1, N2, X3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.names import (
    ITEM_WRITER_NAMES,
    RESPONSE_NAMES,
    WRITER_CLASSES,
    WRITER_NAMES,
    event_method,
    item_method,
    plural,
)
from openresponses_codegen.openapi import Document

_STATUSES = frozenset({"in_progress", "completed", "incomplete"})
_OF_ITEMS = frozenset({"type", "id", "status"})
_OF_EVENTS = frozenset({"type", "sequence_number"})
_PLACE = frozenset({"item_id", "output_index"})
_Named: TypeAlias = tuple[str, str, str]
"""A name in Python, what is called so, and the class that it stands for."""


def vendor_types(
    items: Mapping[str, str], events: Mapping[str, str], declarations: Mapping[str, ir.Declaration]
) -> tuple[tuple[ir.VendorItem, ...], tuple[ir.VendorEvent, ...]]:
    """The items of vendors, and the events of vendors that belong to none of them.

    `items` and `events` are the names of the classes by their types.
    """
    found = {name: _model(declarations, each) for name, each in items.items() if ":" in name}
    of_items: dict[str, list[ir.VendorEvent]] = {name: [] for name in found}
    free: list[ir.VendorEvent] = []
    for name, each in events.items():
        if ":" not in name:
            continue
        model = _model(declarations, each)
        item = model.of_item or next((type_ for type_ in found if name.startswith(f"{type_}.")), None)
        if item in of_items and {each.wire_name for each in model.fields} >= _PLACE:
            statuses = _statuses(found[item], declarations)
            of_items[item].append(_event(name, model, name.removeprefix(f"{item}."), statuses))
        else:
            free.append(_event(name, model, name, None))
    return tuple(_item(name, model, tuple(of_items[name]), declarations) for name, model in found.items()), tuple(free)


def _model(declarations: Mapping[str, ir.Declaration], name: str) -> ir.Model:
    declared = declarations[name]
    if not isinstance(declared, ir.Model):
        raise TypeError(f"{name} is no object, and has a constant")
    return declared


def _item(
    name: str, model: ir.Model, events: tuple[ir.VendorEvent, ...], declarations: Mapping[str, ir.Declaration]
) -> ir.VendorItem:
    method = item_method(name)
    own = tuple(each for each in model.fields if each.wire_name not in _OF_ITEMS)
    statuses = _statuses(model, declarations)
    return ir.VendorItem(name, model.name, method, plural(method), own, statuses, events, model.text)


def _event(name: str, model: ir.Model, rest: str, statuses: tuple[str, ...] | None) -> ir.VendorEvent:
    """An event of a vendor's; `statuses` are those of its item, None when it belongs to none."""
    filled_in = _OF_EVENTS if statuses is None else _OF_EVENTS | _PLACE
    own = tuple(each for each in model.fields if each.wire_name not in filled_in)
    method = event_method(rest, of_item=statuses is not None)
    return ir.VendorEvent(name, model.name, method, own, model.text, rest if rest in (statuses or ()) else None)


def _statuses(model: ir.Model, declarations: Mapping[str, ir.Declaration]) -> tuple[str, ...]:
    """The statuses of an item beside those of every item."""
    kind = next((each.type for each in model.fields if each.wire_name == "status"), None)
    kind = kind.of if isinstance(kind, ir.Nullable) else kind
    enum = declarations.get(kind.name) if isinstance(kind, ir.Reference | ir.OpenEnum) else None
    values = enum.values if isinstance(enum, ir.Enum) else ()
    return tuple(str(each.value) for each in values if each.value not in _STATUSES)


def check_names(
    service: ir.Service, declarations: Mapping[str, ir.Declaration], document: Document, diagnostics: Diagnostics
) -> None:
    """Report the items and events of vendors that would be called what something else is called already."""

    def check(
        owner: str, own: Iterable[str], members: Iterable[_Named], fields: Mapping[str, str] | None = None
    ) -> None:
        taken = {**dict.fromkeys(own, f"what {owner} has by itself"), **(fields or {})}
        _check_members(owner, taken, members, document, diagnostics)

    check("the writer of responses", WRITER_NAMES, _of_writer(service))
    for item in service.vendor_items:
        events = ((event.method, f"the event `{event.type}`", event.model) for event in item.events)
        check(f"the writer of `{item.type}`", ITEM_WRITER_NAMES, events)
    accessors = ((item.accessor, f"the items `{item.type}`", item.model) for item in service.vendor_items)
    check("the response", RESPONSE_NAMES, accessors, _fields(declarations, service.create.response or "", document))
    models = {item.model: f"the item `{item.type}`" for item in service.vendor_items}
    models |= {each.model: f"the event `{each.type}`" for each in _events(service)}
    writers = ((f"{item.model}Writer", f"the writer of `{item.type}`", item.model) for item in service.vendor_items)
    classes = [*((model, what, model) for model, what in models.items()), *writers]
    check("the module of the writers", WRITER_CLASSES | (declarations.keys() - models.keys()), classes)


def _fields(declarations: Mapping[str, ir.Declaration], name: str, document: Document) -> dict[str, str]:
    """What the fields of a class are, by their names in Python."""
    schema = document.schemas.get(name)
    places: dict[str, str] = {}
    if schema is not None:
        places = {each: f", at {property_.node.position}" for each, property_ in schema.properties.items()}
    fields = _model(declarations, name).fields
    return {each.name: f"the field `{each.wire_name}`{places.get(each.wire_name, '')}" for each in fields}


def _of_writer(service: ir.Service) -> Iterator[_Named]:
    for item in service.vendor_items:
        yield item.method, f"the item `{item.type}`", item.model
    for event in service.vendor_events:
        yield event.method, f"the event `{event.type}`", event.model


def _events(service: ir.Service) -> Iterator[ir.VendorEvent]:
    for item in service.vendor_items:
        yield from item.events
    yield from service.vendor_events


def _check_members(
    owner: str,
    taken: dict[str, str],
    members: Iterable[_Named],
    document: Document,
    diagnostics: Diagnostics,
) -> None:
    """Report members of one owner that share a name, or have one that is taken."""
    for name, what, model in members:
        node = document.schemas[model].node if model in document.schemas else document.node
        if name in taken:
            diagnostics.error(
                "name-collision",
                f"{what} would be `{name}` of {owner}, which is also {taken[name]}",
                at=node,
                hint="rename one of the two",
            )
        taken.setdefault(name, f"{what}, at {node.position}")
