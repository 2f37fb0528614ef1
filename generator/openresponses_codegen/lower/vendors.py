"""The items and events of vendors that a spec describes, and what they are called in Python (rules N1, N2, X3)."""

from __future__ import annotations

from collections.abc import Mapping

from openresponses_codegen import ir
from openresponses_codegen.names import event_method, item_method, plural

_STATUSES = frozenset({"in_progress", "completed", "incomplete"})
_OF_ITEMS = frozenset({"type", "id", "status"})
_OF_EVENTS = frozenset({"type", "sequence_number"})
_PLACE = frozenset({"item_id", "output_index"})


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
        if item in of_items:
            statuses = _statuses(found[item], declarations)
            of_items[item].append(_event(name, model, name.removeprefix(f"{item}."), statuses))
        else:
            free.append(_event(name, model, name, (), is_of_item=False))
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


def _event(
    name: str, model: ir.Model, method: str, statuses: tuple[str, ...], *, is_of_item: bool = True
) -> ir.VendorEvent:
    wire_names = {each.wire_name for each in model.fields}
    is_placed = wire_names >= _PLACE
    filled_in = _OF_EVENTS | _PLACE if is_placed else _OF_EVENTS
    own = tuple(each for each in model.fields if each.wire_name not in filled_in)
    status = method if method in statuses else None
    return ir.VendorEvent(
        name, model.name, event_method(method, of_item=is_of_item), own, model.text, is_placed, status
    )


def _statuses(model: ir.Model, declarations: Mapping[str, ir.Declaration]) -> tuple[str, ...]:
    """The statuses of an item beside those of every item."""
    kind = next((each.type for each in model.fields if each.wire_name == "status"), None)
    kind = kind.of if isinstance(kind, ir.Nullable) else kind
    enum = declarations.get(kind.name) if isinstance(kind, ir.Reference | ir.OpenEnum) else None
    values = enum.values if isinstance(enum, ir.Enum) else ()
    return tuple(str(each.value) for each in values if each.value not in _STATUSES)
