"""What templates get of the items and events of vendors: finished names, types, literals and docstrings."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openresponses_codegen import ir
from openresponses_codegen.ir import Presence
from openresponses_codegen.render.order import exported, imported
from openresponses_codegen.render.params import SCALARS
from openresponses_codegen.text import SpecText, literal

_ZEROS: Mapping[str, str] = {"string": '""', "integer": "0", "number": "0", "boolean": "false"}
"""What stands for a value that is not known yet (rule L1), as JSON."""
_BEYOND_ZERO: Mapping[str, Callable[[float], bool]] = {
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum"), lambda limit: limit > 0),
    "exclusiveMinimum": lambda limit: limit >= 0,
    "maximum": lambda limit: limit < 0,
    "exclusiveMaximum": lambda limit: limit <= 0,
}
"""Which limits leave it out."""


def vendors_view(api: ir.Api, service: ir.Service) -> Mapping[str, Any]:
    """The items and events of vendors, and what the modules of their writers import."""
    view = _VendorsView({each.name: each for each in api.declarations})
    of_items = [event for each in service.vendor_items for event in each.events]
    item_fields = [field for each in service.vendor_items for field in each.fields]
    event_fields = [field for each in of_items for field in each.fields]
    free_fields = [field for each in service.vendor_events for field in each.fields]
    models = {each.model for each in service.vendor_items}
    signatures = view.types([*item_fields, *free_fields])
    return {
        "vendor_items": [view.item(each) for each in service.vendor_items],
        "vendor_events": [view.event(each) for each in service.vendor_events],
        "vendor_writers": imported(f"{name}Writer" for name in models),
        "vendor_exports": exported(f"{name}Writer" for name in models),
        "vendor_collections": ["Mapping", *(["Sequence"] if "Sequence[" in signatures else [])],
        "vendor_literals": "Literal[" in signatures,
        "vendor_imports": view.imports([*item_fields, *event_fields], service.vendor_items),
        "vendor_item_models": imported(models),
        "vendor_field_models": imported(_models_of([*item_fields, *free_fields]) - models),
        "vendor_writer_models": imported(_models_of([*item_fields, *event_fields])),
        "vendor_item_events": imported(each.model for each in of_items),
        "vendor_free_events": imported(each.model for each in service.vendor_events),
    }


def writing_imports(api: ir.Api, service: ir.Service, base: str, own: Collection[str]) -> str:
    """The import statements of a module beside a package, `base`, that writes the items and events of a service.

    Args:
        api: The whole spec.
        service: What is written is its `vendor_items` and `vendor_events`.
        base: The package that has the rest of the spec.
        own: The classes that are the module's neighbours.
    """
    view = _VendorsView({each.name: each for each in api.declarations})
    sent = [*(event for each in service.vendor_items for event in each.events), *service.vendor_events]
    events = {each.model for each in sent}
    fields = [field for each in service.vendor_items for field in each.fields]
    fields += [field for each in sent for field in each.fields]
    models = {each.model for each in service.vendor_items} | _models_of(fields)
    types = view.types(fields)
    collections = [name for name in ("Mapping", "Sequence") if f"{name}[" in types]
    has_literals = "Literal[" in types or any(each.statuses for each in service.vendor_items)
    typing = [*(["Any"] if "Any]" in types else []), *(["Literal"] if has_literals else [])]
    lines = ["from __future__ import annotations\n"]
    lines += [f"from collections.abc import {', '.join(collections)}"] if collections else []
    lines += [f"from typing import {', '.join(typing)}"] if typing else []
    lines += [""]
    lines += [f"from {base}.models import {', '.join(imported(models - set(own)))}"] if models - set(own) else []
    lines += [f"from {base}.server.extending import ItemWriter, VendorItem"] if service.vendor_items else []
    lines += [f"from {base}.server.writer import ResponseWriter\n"]
    lines += [f"from .events import {', '.join(imported(events))}"] if events else []
    lines += [f"from .models import {', '.join(imported(models & set(own)))}"] if models & set(own) else []
    return "\n".join(lines)


def _models_of(fields: Iterable[ir.Field]) -> set[str]:
    """The models that the types of fields name."""
    return {name for field in fields for name in _names_in(field.type)}


_PARAMETERS = frozenset({"self", "item_id"})
"""What methods call other parameters."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A field as a parameter: its name, its name on the wire as a literal, and how signatures list it."""

    name: str
    key: str
    opening: str
    """Where an item opens: what has no value that stands for an unknown one has to be given."""
    optional: str
    sending: str
    """Where an event is sent."""


def _mapping(parameters: Iterable[_Parameter]) -> str:
    """The dictionary of what is given, by the names on the wire."""
    return f"{{{', '.join(f'{each.key}: {each.name}' for each in parameters)}}}"


class _VendorsView:
    def __init__(self, names: Mapping[str, ir.Declaration]) -> None:
        self._names = names

    def item(self, item: ir.VendorItem) -> Mapping[str, Any]:
        parameters = self._parameters(item.fields)
        zeros = [
            f"{literal(each.wire_name)}: {literal(zero)}"
            for each in item.fields
            if each.presence is Presence.REQUIRED and (zero := self._zero(each.type)) is not None
        ]
        return {
            "type": literal(item.type),
            "model": item.model,
            "writer": f"{item.model}Writer",
            "method": item.method,
            "accessor": item.accessor,
            "docstring": _docstring(f"Writes an item `{item.type}`.", item.text, 4),
            "method_docstring": _docstring(f"An item `{item.type}`.", item.text, 8, _OPENED),
            "function_docstring": _docstring(f"An item `{item.type}`.", item.text, 4, _OPENED),
            "accessor_docstring": _docstring(f"The items `{item.type}` in `output`, in order.", None, 4),
            "opening": ", ".join(["/, *, item_id: str | None = None", *(each.opening for each in parameters)]),
            "updating": ", ".join(["/, *", *(each.optional for each in parameters)]) if parameters else "",
            "mapping": _mapping(parameters),
            "zeros": f"{{{', '.join(zeros)}}}",
            "statuses": ", ".join(map(literal, item.statuses)),
            "events": [self.event(each) for each in item.events],
        }

    def event(self, event: ir.VendorEvent) -> Mapping[str, Any]:
        fields = sorted(event.fields, key=lambda each: each.presence is not Presence.REQUIRED)
        parameters = self._parameters(fields)
        return {
            "type": literal(event.type),
            "model": event.model,
            "method": event.method,
            "docstring": _docstring(f"Send `{event.type}`.", event.text, 8, _SENT),
            "function_docstring": _docstring(f"Send `{event.type}`.", event.text, 4, _SENT),
            "parameters": ", ".join(["/, *", *(each.sending for each in parameters)]) if parameters else "/",
            "mapping": _mapping(parameters),
            "status": literal(event.status) if event.status is not None else None,
        }

    def types(self, fields: Iterable[ir.Field]) -> str:
        """The types of fields, one after the other."""
        return " ".join(self._type(each.type) for each in fields)

    def imports(self, fields: Iterable[ir.Field], items: Iterable[ir.VendorItem]) -> str:
        """The import statements for what signatures name beside models."""
        types = self.types(fields)
        collections = [name for name in ("Mapping", "Sequence") if f"{name}[" in types]
        typing = [
            *(["TYPE_CHECKING"] if _models_of(fields) else []),
            *(["Any"] if "Any]" in types else []),
            *(["Literal"] if "Literal[" in types or any(each.statuses for each in items) else []),
        ]
        lines = [f"from collections.abc import {', '.join(collections)}"] if collections else []
        lines += [f"from typing import {', '.join(typing)}"] if typing else []
        return "\n".join(lines)

    def _parameters(self, fields: Iterable[ir.Field]) -> list[_Parameter]:
        """The fields as parameters of a method."""
        taken = {field.name for field in fields} | _PARAMETERS
        return [self._parameter(field, taken) for field in fields]

    def _parameter(self, field: ir.Field, taken: set[str]) -> _Parameter:
        kind = self._type(field.type)
        name = field.name
        if name in _PARAMETERS:
            while name in taken:
                name = f"{name}_"
            taken.add(name)
        required = f"{name}: {kind}"
        optional = f"{name}: {kind if kind.endswith('| None') else f'{kind} | None'} = None"
        is_required = field.presence is Presence.REQUIRED
        return _Parameter(
            name,
            literal(field.wire_name),
            opening=required if is_required and self._zero(field.type) is None else optional,
            optional=optional,
            sending=required if is_required else optional,
        )

    def _type(self, kind: ir.Type) -> str:
        match kind:
            case ir.Scalar(name):
                return SCALARS[name]
            case ir.Fixed() as fixed:
                return f"Literal[{', '.join(map(literal, fixed.values))}]"
            case ir.OpenEnum(name, of):
                return f"{name} | {SCALARS[of]}"
            case ir.Reference(name):
                is_object = isinstance(self._names[name], ir.Model | ir.TaggedUnion)
                return f"{name} | Mapping[str, Any]" if is_object else name
            case ir.Array(item):
                return f"Sequence[{self._type(item)}]"
            case ir.Map(value):
                return f"Mapping[str, {self._type(value)}]"
            case ir.Nullable(of):
                return f"{self._type(of)} | None"

    def _zero(self, kind: ir.Type) -> str | None:
        """What a field that has to be there holds while it is not known; None when it has to be given."""
        match kind:
            case ir.Nullable() | ir.Scalar("any" | "null"):
                return "null"
            case ir.Fixed(value):
                return json.dumps(value)
            case ir.Scalar(limits=limits) | ir.Array(limits=limits) | ir.Map(limits=limits) if _exclude_zero(limits):
                return None
            case ir.Scalar(name):
                return _ZEROS[name]
            case ir.Array():
                return "[]"
            case ir.Map():
                return "{}"
            case ir.Reference(name) | ir.OpenEnum(name):
                declared = self._names[name]
                return self._zero(declared.type) if isinstance(declared, ir.Alias) else None
            case _:
                return None


def _exclude_zero(limits: Iterable[ir.Limit]) -> bool:
    """Whether limits leave out what is empty, or 0."""
    return any(key == "pattern" or (key in _BEYOND_ZERO and _BEYOND_ZERO[key](float(limit))) for key, limit in limits)


_OPENED = SpecText(
    "What is not known yet is empty while the item is open (rule L1): `update` gives it. Raises `WriterError`."
)
_SENT = SpecText("Raises `WriterError`.")


def _docstring(first: str, text: SpecText | None, indent: int, last: SpecText | None = None) -> str:
    found = SpecText(first) + text if text is not None else SpecText(first)
    return (found + last if last is not None else found).docstring(indent)


def _names_in(kind: ir.Type) -> set[str]:
    match kind:
        case ir.Reference(name) | ir.OpenEnum(name):
            return {name}
        case ir.Array(inner) | ir.Map(inner) | ir.Nullable(inner):
            return _names_in(inner)
        case _:
            return set()
