"""The views of what reads and writes the items of an add-on: finished names, types and docstrings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.ir import Presence
from openresponses_codegen.names import field_name, pascal
from openresponses_codegen.render.order import imported
from openresponses_codegen.render.params import SCALARS
from openresponses_codegen.text import docstring, literal

_FILLED_IN = frozenset({"type", "sequence_number", "item_id", "output_index"})
"""The fields of an event that the writer fills in."""
_STATUSES = frozenset({"in_progress", "completed", "incomplete"})
_PARAMETERS: Mapping[str, str] = {"id": "item_id", "item_id": "item_id_", "out": "out_", "self": "self_"}
"""The parameters of fields that are not called as the field is."""


@dataclass(frozen=True, slots=True)
class OwnItem:
    """An item of an add-on, and the events about it."""

    model: str
    tag: str
    events: tuple[tuple[str, str], ...]
    """The model and the tag of each."""

    @property
    def word(self) -> str:
        """Its type without the vendor, as a name."""
        return _word(self.tag)


def own_items(added: ir.Addition) -> list[OwnItem]:
    """The items that join the output of a response."""
    service, stream = added.whole.service, added.whole.stream
    events = {name: _tag(_model(added, name)) for name in added.joins.get(stream.name, ())} if stream else {}
    found: list[OwnItem] = []
    for name in added.joins.get(service.item, ()) if service is not None else ():
        tag = _tag(_model(added, name))
        about = ((event, each) for event, each in events.items() if each.startswith(f"{tag}."))
        found.append(OwnItem(name, tag, tuple(each for each in about if _is_placed(_model(added, each[0])))))
    return found


def items_view(added: ir.Addition) -> list[Mapping[str, Any]]:
    """What the templates get of each item. Raises `DiagnosticError` when two would be called the same."""
    items = own_items(added)
    _check_distinct([(each.word, each.tag) for each in items])
    return [_item(added, each) for each in items]


def loose_events_view(added: ir.Addition) -> list[Mapping[str, Any]]:
    """What the templates get of each event that is about no item."""
    stream = added.whole.stream
    about = {model for item in own_items(added) for model, _ in item.events}
    names = [each for each in (added.joins.get(stream.name, ()) if stream else ()) if each not in about]
    models = [_model(added, each) for each in names]
    items = [(each.word, each.tag) for each in own_items(added)]
    _check_distinct([*items, *((_word(_tag(each)), _tag(each)) for each in models)])
    return [
        {
            "model": each.name,
            "function": _word(_tag(each)),
            "fields": _fields(each, _FILLED_IN),
            "function_docstring": docstring(f"Send the event `{_tag(each)}`. Raises `WriterError`.", 4),
        }
        for each in models
    ]


def writing_imports(
    added: ir.Addition, base: str, items: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> str:
    """The import statements of `writing`."""
    fields = [field for each in (*items, *events) for field in (*each["fields"], *each.get("settable", ()))]
    fields += [field for item in items for event in item["events"] for field in event["fields"]]
    text = " ".join(field["type"] for field in fields)
    uses = {name for field in fields for name in field["uses"]} | {each["model"] for each in items}
    sent = {each["model"] for each in events} | {event["model"] for item in items for event in item["events"]}
    collections = [name for name in ("Mapping", "Sequence") if f"{name}[" in text]
    extending = [*(["TypedItemWriter"] if items else []), *(["tell"] if events else [])]
    core = imported(uses - set(added.names))
    lines = ["from __future__ import annotations\n"]
    lines += [f"from collections.abc import {', '.join(collections)}"] if collections else []
    lines += ["from typing import Literal"] if "Literal[" in text else []
    lines += [f"\nfrom {base}.models import {', '.join(core)}"] if core else [""]
    lines += [f"from {base}.server.extending import {', '.join(extending)}"]
    lines += [f"from {base}.server.writer import ResponseWriter\n"] if items or events else []
    lines += [f"from .events import {', '.join(imported(sent))}"] if sent else []
    lines += [f"from .models import {', '.join(imported(uses & set(added.names)))}"] if items else []
    return "\n".join(lines)


def _item(added: ir.Addition, item: OwnItem) -> Mapping[str, Any]:
    model = _model(added, item.model)
    fields = _fields(model, frozenset({"type", "status"}))
    return {
        "model": item.model,
        "accessor": _plural(item.word),
        "accessor_docstring": docstring(f"The items `{item.tag}` of a response, in their order.", 4),
        "writer": f"{pascal(item.word)}Writer",
        "writer_docstring": docstring(f"Writes an item `{item.tag}`, in a context that opens and closes it.", 4),
        "function": item.word,
        "function_docstring": docstring(
            f"An item `{item.tag}`, to be filled in step by step; its `id` is made if it is not given."
            "\n\nRaises `WriterError`.",
            4,
        ),
        "fields": fields,
        "settable": [*_own_status(added, model), *(each for each in fields if each["name"] != "id")],
        "events": [_item_event(added, item, name, tag) for name, tag in item.events],
    }


def _item_event(added: ir.Addition, item: OwnItem, name: str, tag: str) -> Mapping[str, Any]:
    word = _word(tag.removeprefix(item.tag).lstrip("."))
    return {
        "model": name,
        "method": f"{word}_" if word in {"id", "update", "set", "send"} else word,
        "method_docstring": docstring(f"Send the event `{tag}`. Raises `WriterError`.", 8),
        "fields": _fields(_model(added, name), _FILLED_IN),
    }


def _own_status(added: ir.Addition, model: ir.Model) -> list[Mapping[str, Any]]:
    """The parameter for a status of the vendor's own, if there are any."""
    declared = {each.name: each for each in added.whole.declarations}
    for field in model.fields:
        enum = declared.get(field.type.name) if isinstance(field.type, ir.OpenEnum | ir.Reference) else None
        if field.wire_name == "status" and isinstance(enum, ir.Enum):
            values = [literal(each.value) for each in enum.values if each.value not in _STATUSES]
            kind = f"Literal[{', '.join(values)}]"
            if values:
                parameter: Mapping[str, Any] = {"name": "status", "parameter": "status", "type": kind, "uses": []}
                return [{**parameter, "optional_type": f"{kind} | None", "default": ""}]
    return []


def _fields(model: ir.Model, without: frozenset[str]) -> list[Mapping[str, Any]]:
    return [_field(each) for each in model.fields if each.wire_name not in without]


def _field(field: ir.Field) -> Mapping[str, Any]:
    kind, uses = _annotation(field.type)
    is_required = field.presence is Presence.REQUIRED and field.wire_name != "id"
    optional = kind if kind.endswith("None") or kind == "object" else f"{kind} | None"
    return {
        "name": field.name,
        "parameter": _PARAMETERS.get(field.name, field.name),
        "type": kind if is_required else optional,
        "optional_type": optional,
        "default": "" if is_required else " = None",
        "uses": uses,
    }


def _annotation(kind: ir.Type) -> tuple[str, list[str]]:
    """What is written for a type, and the declarations in it."""
    match kind:
        case ir.Scalar(name):
            return SCALARS[name], []
        case ir.Fixed(value):
            return f"Literal[{literal(value)}]", []
        case ir.Reference(name):
            return name, [name]
        case ir.OpenEnum(name, scalar):
            return f"{name} | {SCALARS[scalar]}", [name]
        case ir.Array(item):
            inner, uses = _annotation(item)
            return f"Sequence[{inner}]", uses
        case ir.Map(value):
            inner, uses = _annotation(value)
            return f"Mapping[str, {inner}]", uses
        case ir.Nullable(of):
            inner, uses = _annotation(of)
            return f"{inner} | None", uses


def _model(added: ir.Addition, name: str) -> ir.Model:
    return next(each for each in added.whole.declarations if isinstance(each, ir.Model) and each.name == name)


def _tag(model: ir.Model) -> str:
    """The type of an object on the wire."""
    field = next(each for each in model.fields if each.wire_name == "type")
    return str(field.default.value) if field.default is not None else ""


def _is_placed(event: ir.Model) -> bool:
    return {"item_id", "output_index"} <= {each.wire_name for each in event.fields}


def _word(tag: str) -> str:
    """What comes after the vendor in a type, as a Python name."""
    name = field_name(tag.partition(":")[2] or tag, frozenset())
    if name is None:
        raise DiagnosticError([Diagnostic("bad-name", f"no function can be named after the type `{tag}`")])
    return name


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def _check_distinct(named: list[tuple[str, str]]) -> None:
    """Raise `DiagnosticError` when functions for two types would have one name."""
    taken: dict[str, str] = {}
    for name, tag in named:
        if name in taken:
            message = f"`{taken[name]}` and `{tag}` would both be written by a function `{name}`"
            hint = "give one of them another name, or make an add-on of each extension"
            raise DiagnosticError([Diagnostic("same-name", message, hint=hint)])
        taken[name] = tag
