"""Compiles extensions to overlays: components, and the lists of the document that they join.

Rules N1 (types with the vendor's prefix), N2 (what an item and an event have), X3 (the item that a tool leaves), Z18
(aliases stand beside the prefixed type, which is the default).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.extension.clashes import settled
from openresponses_codegen.extension.fields import COMPONENTS, Made, made, with_keys
from openresponses_codegen.extension.form import at_key
from openresponses_codegen.extension.model import STATUSES, Declared, Event, Extension, Item, Tool
from openresponses_codegen.extension.places import SCHEMAS, unions_of
from openresponses_codegen.overlay import Action, Overlay
from openresponses_codegen.source import Node

VENDOR = "x-openresponses-extension"
"""The keyword of an added component or field that names its vendor."""
ITEM = "x-openresponses-item"
"""The keyword of an added component that names the type of the item that it belongs to."""
_STATUS_TEXTS: Mapping[str, str] = {
    "in_progress": "The item is still being made.",
    "completed": "The item is whole.",
    "incomplete": "The item was cut off before it was whole.",
}
_ENUM_TEXTS = "x-enumDescriptions"


def compile_extensions(extensions: Sequence[Extension], diagnostics: Diagnostics) -> tuple[Overlay, ...]:
    """An overlay for each extension; what two of them declare both goes to `diagnostics`, with both places.

    The nodes of the overlays say that they stand in the files of the extensions.
    """
    return tuple(_overlay(each) for each in settled(extensions, diagnostics))


def _overlay(extension: Extension) -> Overlay:
    node = extension.node
    return Overlay(node, node.text.file, extension.title, extension.version, tuple(_actions(extension)))


def _actions(extension: Extension) -> Iterator[Action]:
    components = dict(_components(extension))
    if components:
        yield _action(extension.node, SCHEMAS, made(extension.node, components))
    joined: dict[str, list[Declared]] = {}
    for each in extension.declared:
        for target in unions_of(each):
            joined.setdefault(target, []).append(each)
    for target, declared in joined.items():
        members = tuple(made(each.node, {"$ref": COMPONENTS + each.class_name}) for each in declared)
        yield _action(declared[0].node, target, made(declared[0].node, members))
    for owner, fields in extension.fields.items():
        marked = {name: with_keys(field, {VENDOR: extension.vendor}) for name, field in fields.items()}
        at = _owner(extension, "fields", owner)
        yield _action(at, f"{_component(owner)}.properties", made(at, marked))
    for owner, values in extension.values.items():
        texts = {name: each for name, each in values.items() if isinstance(each.value, str)}
        enum = tuple(each.with_value(name) for name, each in values.items())
        at = _owner(extension, "values", owner)
        yield _action(at, _component(owner), made(at, {"enum": enum, _ENUM_TEXTS: texts}))


def _owner(extension: Extension, key: str, owner: str) -> Node:
    """Where the form names a component of the document."""
    section = extension.node.get(key)
    found = section.get(owner) if section is not None else None
    return at_key(found) if found is not None else extension.node


def _component(name: str) -> str:
    return f"{SCHEMAS}[{json.dumps(name)}]"


def _action(at: Node, target: str, update: Node) -> Action:
    return Action(made(at, {"target": target, "update": update}), target, update)


def _components(extension: Extension) -> Iterator[tuple[str, Made]]:
    for each in extension.declared:
        yield each.class_name, _object(each, extension)
        if isinstance(each, Item):
            yield each.status_name, _statuses(each, extension)
    for shared in extension.schemas:
        yield shared.class_name, with_keys(shared.schema, {VENDOR: extension.vendor})


def _object(declared: Declared, extension: Extension) -> Node:
    known, required = _known_fields(declared)
    item = declared.item if isinstance(declared, Event | Tool) else None
    default = f"The {declared.kind} `{declared.type}` of {extension.title}."
    schema: dict[str, Made] = {
        "description": declared.description if declared.description is not None else default,
        "type": "object",
        VENDOR: extension.vendor,
        **({ITEM: item} if item else {}),
        **({"externalDocs": {"url": extension.docs}} if extension.docs is not None else {}),
        "properties": {**known, **declared.fields},
        "required": (*required, *declared.required),
    }
    return made(declared.node, schema)


def _known_fields(declared: Declared) -> tuple[dict[str, Made], tuple[str, ...]]:
    """The fields that every declaration of a kind has, and which of them are required."""
    aliases = tuple(alias.with_value(alias.value) for alias in declared.aliases)
    about = f"Name of the event, `{declared.type}`." if isinstance(declared, Event) else f"Marks the {declared.kind}."
    fields: dict[str, Made] = {
        "type": {
            "description": about,
            "type": "string",
            "enum": (declared.type, *aliases),
            "default": declared.type,
        }
    }
    if isinstance(declared, Item):
        status = {"$ref": COMPONENTS + declared.status_name, "description": "How far the item has come."}
        fields |= {"id": _field("string", "Id of the item, set by the server."), "status": status}
    elif isinstance(declared, Event):
        text = "Number of the event within its stream; it rises with every event (rule S3)."
        fields["sequence_number"] = _field("integer", text)
        if declared.item is not None:
            fields["item_id"] = _field("string", "Id of the item that the event belongs to.")
            fields["output_index"] = _field("integer", "Position of the item in the response's `output`, from 0.")
    optional = declared.optional if isinstance(declared, Item | Event) else frozenset[str]()
    return fields, tuple(name for name in fields if name not in optional)


def _field(kind: str, text: str) -> Made:
    return {"description": text, "type": kind}


def _statuses(item: Item, extension: Extension) -> Node:
    described = {name: each for name, each in item.statuses.items() if isinstance(each.value, str)}
    names = tuple(each.with_value(name) for name, each in item.statuses.items())
    schema: dict[str, Made] = {
        "description": f"How far an item `{item.type}` has come.",
        "type": "string",
        VENDOR: extension.vendor,
        ITEM: item.type,
        "enum": (*STATUSES, *names),
        _ENUM_TEXTS: {**_STATUS_TEXTS, **described},
    }
    return made(item.node, schema)
