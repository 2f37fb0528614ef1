"""Schemas of fields: the short forms, and references to the shared schemas of the extension.

A schema that is written out is JSON Schema as in the document, and is checked where documents are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias, final

from openresponses_codegen.diagnostics import Diagnostics, shown, suggest
from openresponses_codegen.extension.form import article
from openresponses_codegen.source import Node, Scalar

Made: TypeAlias = "Node | Mapping[str, Made] | tuple[Made, ...] | Scalar"

COMPONENTS = "#/components/schemas/"
_OWN = "#/schemas/"
_SHORT = re.compile(r"(?P<of>[A-Za-z][A-Za-z0-9]*)(?P<many>\[\])?(?P<null>\?)?\Z", re.ASCII)
_TYPES = ("string", "integer", "number", "boolean", "object", "any")
_HINT = f"the short forms are {', '.join(_TYPES)}, and the names of shared schemas; with `[]` for a list, `?` for null"
_LISTS = ("allOf", "anyOf", "oneOf")
_OURS = ("x-openresponses-extension", "x-openresponses-item")


def made(origin: Node, value: Made) -> Node:
    """A node that was not written in the file: it says it stands where `origin` does; nodes in it keep their places."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return origin.with_value({key: made(origin, child) for key, child in value.items()})
    if isinstance(value, tuple):
        return origin.with_value(tuple(made(origin, child) for child in value))
    return origin.with_value(value)


def with_keys(node: Node, more: Mapping[str, Made]) -> Node:
    """An object with further keys."""
    own = node.value if isinstance(node.value, dict) else {}
    return node.with_value({**own, **{key: made(node, value) for key, value in more.items()}})


@final
class FieldReader:
    """Reads the schemas of one extension."""

    def __init__(self, shared: Mapping[str, str] | None, diagnostics: Diagnostics) -> None:
        """Take the shared schemas with the component that each becomes; None when they cannot be read."""
        self._shared: Final = shared or {}
        self._any_name: Final = shared is None
        self._diagnostics: Final = diagnostics

    def read(self, node: Node) -> Node | None:
        """The schema of a field, written out; None when it is none, which is reported."""
        if isinstance(node.value, str):
            return self._short(node, node.value)
        if isinstance(node.value, dict):
            return self.schema(node)
        message = f"a field is a short form such as `string`, or a JSON Schema, not {article(node.kind)}"
        self._diagnostics.error("extension-field", message, at=node, hint=_HINT)
        return None

    def _short(self, node: Node, text: str) -> Node | None:
        found = _SHORT.match(text)
        if self._any_name and found is not None and found["of"] not in _TYPES:
            return node
        if found is None or (found["of"] not in _TYPES and found["of"] not in self._shared):
            word = found["of"] if found else text
            hint = "write `any[]`, or `string[]`" if word == "array" else suggest(word, [*_TYPES, *self._shared])
            message = f"`{shown(text, 80)}` is no type of a field"
            self._diagnostics.error("extension-field", message, at=node, hint=hint or _HINT)
            return None
        name, nullable = found["of"], bool(found["null"])
        schema: dict[str, Made]
        if name in self._shared:
            schema = {"$ref": COMPONENTS + self._shared[name]}
        else:
            schema = {} if name == "any" else {"type": name}
        if found["many"]:
            schema = {"type": "array", "items": schema}
        if nullable and "type" in schema:
            schema["type"] = (schema["type"], "null")
        elif nullable and schema:
            schema = {"anyOf": (schema, {"type": "null"})}
        return made(node, schema)

    def schema(self, node: Node) -> Node:
        """A JSON Schema with its references to shared schemas led to the components that these become."""
        if not isinstance(node.value, dict):
            return node
        read: dict[str, Node] = {}
        for key, child in node.value.items():
            if key == "required" and isinstance(child.value, bool):
                message, hint = "`required` is no yes or no", "name the field in the list `required` of its owner"
                self._diagnostics.error("extension-key", message, at=node.at_key(key), hint=hint)
            elif key in _OURS:
                message, hint = f"`{key}` is set by the generator", "remove it"
                self._diagnostics.error("extension-key", message, at=node.at_key(key), hint=hint)
            elif key == "$ref":
                read[key] = self._reference(child)
            elif key in _LISTS and isinstance(child.value, tuple):
                read[key] = child.with_value(tuple(self.schema(each) for each in child.value))
            elif key == "properties" and isinstance(child.value, dict):
                read[key] = child.with_value({name: self.schema(each) for name, each in child.value.items()})
            elif key in ("items", "additionalProperties"):
                read[key] = self.schema(child)
            elif key == "discriminator":
                read[key] = self._discriminator(child)
            else:
                read[key] = child
        return node.with_value(read)

    def _discriminator(self, node: Node) -> Node:
        mapping = node.get("mapping")
        if not isinstance(node.value, dict) or mapping is None or not isinstance(mapping.value, dict):
            return node
        led = {tag: self._reference(target) for tag, target in mapping.value.items()}
        return node.with_value({**node.value, "mapping": mapping.with_value(led)})

    def _reference(self, node: Node) -> Node:
        target = node.value
        if not isinstance(target, str) or target.startswith(COMPONENTS) or self._any_name:
            return node  # checked where documents are
        name = target.removeprefix(_OWN)
        if target.startswith(_OWN) and name in self._shared:
            return node.with_value(COMPONENTS + self._shared[name])
        hint = suggest(target, [_OWN + each for each in self._shared])
        if hint is None:
            own = f"`{_OWN}NAME` for one in `schemas`, " if self._shared else ""
            hint = f"write {own}`{COMPONENTS}NAME` for one of the document"
        message = f"the reference `{shown(target, 120)}` leads to no schema of this extension"
        self._diagnostics.error("extension-reference", message, at=node, hint=hint)
        return node
