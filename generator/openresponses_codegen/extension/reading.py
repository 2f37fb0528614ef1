"""Reads the form of an extension and says all that is wrong with it.

Rules N1 (a type is `vendor:name`, the slug in lower case), N2 (what an item and an event have; fields on core objects
are optional), X3 (every hosted tool has its item), Z18 (types without prefix are aliases).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple, final

from openresponses_codegen.diagnostics import Diagnostics, shown, suggest
from openresponses_codegen.extension.fields import FieldReader, with_keys
from openresponses_codegen.extension.form import Form, at_key, listed
from openresponses_codegen.extension.model import (
    STATUSES,
    Annotation,
    Choice,
    Declared,
    Event,
    Extension,
    Item,
    Part,
    Shared,
    Tool,
)
from openresponses_codegen.extension.places import PLACES
from openresponses_codegen.names import class_name_problem, field_name, pascal
from openresponses_codegen.source import Node

_EXTENSION = (
    "vendor", "prefix", "title", "description", "version", "docs", "items", "events", "tools", "choices", "parts",
    "annotations", "fields", "values", "schemas",
)  # fmt: skip
_DECLARED = ("description", "fields", "required", "aliases")
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*\Z", re.ASCII)
_DOTTED = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*\Z", re.ASCII)
_CAPITAL = re.compile(r"[A-Z][A-Za-z0-9]*\Z", re.ASCII)
_WIRE_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z", re.ASCII)
_STATUS = re.compile(r"[a-z][a-z0-9_]*\Z", re.ASCII)
_VALUE = re.compile(r"[!-~]+\Z", re.ASCII)
_MAX_SLUG, _MAX_NAME, _MAX_TYPE = 40, 60, 120
_LOWER = "begin with a lower case letter; lower case letters, digits and single `_` or `-` follow"
_UPPER = "begin with a capital; letters and digits follow"
_WIRE = "a type on the wire is made of letters, digits, `_`, `.` and `-`"
_SPELLINGS = frozenset(
    "response.reasoning_text.delta response.reasoning_text.done response.reasoning_part.added "
    "response.reasoning_part.done".split()
)
"""Other names of core events, which every generated client reads."""
_EVENT_FIELDS = ("type", "sequence_number")
_ITEM_EVENT_FIELDS = (*_EVENT_FIELDS, "item_id", "output_index")


def read(node: Node, diagnostics: Diagnostics) -> Extension:
    """Return what the form of an extension says; whatever is wrong with it goes to `diagnostics`."""
    return _Reader(node, diagnostics).extension()


class _Head(NamedTuple):
    """What all kinds of declarations say, in the order of `Declared`."""

    node: Node
    type: str
    class_name: str
    description: Node | None
    fields: Mapping[str, Node]
    required: tuple[str, ...]
    aliases: tuple[Node, ...]


@final
class _Reader:
    def __init__(self, node: Node, diagnostics: Diagnostics) -> None:
        self._node: Final = node
        self._diagnostics: Final = diagnostics
        self._form: Final = Form(diagnostics)
        self._vendor = ""
        self._prefix = ""
        self._fields = FieldReader({}, diagnostics)

    def extension(self) -> Extension:
        node, form = self._node, self._form
        if not isinstance(node.value, dict) or node.get("vendor") is None:
            form.error("not-extension", "the document has no `vendor`", node, _other_document(node))
            return Extension(node, "", "", "", None, (), (), {}, {})
        form.check_keys(node, _EXTENSION)
        self._read_vendor()
        shared = list(self._named("schemas", _CAPITAL, _UPPER))
        known = _names_in(node, "schemas")
        classes = {name: f"{self._prefix}{pascal(name)}" for name in known or ()}
        self._fields = FieldReader(classes if known is not None else None, self._diagnostics)
        form.text(node, "description")
        return Extension(
            node,
            self._vendor,
            form.text(node, "title") or self._vendor,
            form.text(node, "version") or "1",
            self._docs(),
            tuple(self._declarations()),
            tuple(Shared(each, self._class_name(name, each), self._shared(each)) for name, each in shared),
            {owner: dict(self._core_fields(each)) for owner, each in self._owners("fields")},
            {owner: dict(self._values(owner)) for owner, _ in self._owners("values")},
        )

    def _read_vendor(self) -> None:
        vendor, at = self._form.child(self._node, "vendor", "string"), self._node.at_key("vendor")
        slug = vendor.value if vendor is not None and isinstance(vendor.value, str) else "vendor"
        if slug != slug.lower() and _SLUG.match(slug.lower()):
            message = f"the vendor `{shown(slug, 80)}` is not in lower case (rule N1)"
            self._form.error("extension-name", message, at, f"write `{shown(slug.lower(), 80)}`")
            slug = "vendor"
        elif not self._form.is_name(slug, at, _SLUG, _MAX_SLUG, _LOWER):
            slug = "vendor"
        self._vendor = slug
        prefix = self._form.text(self._node, "prefix")
        named = prefix is not None and self._form.is_name(
            prefix, self._node.at_key("prefix"), _CAPITAL, _MAX_SLUG, _UPPER
        )
        self._prefix = prefix if prefix is not None and named else pascal(slug)

    def _docs(self) -> Node | None:
        text = self._form.text(self._node, "docs")
        if text is not None and not text.startswith(("https://", "http://")):
            self._form.error("extension-field", "`docs` is no address", self._node.at_key("docs"), "write a URL")
        return self._node.get("docs") if text is not None else None

    def _named(self, key: str, pattern: re.Pattern[str], hint: str) -> Iterator[tuple[str, Node]]:
        """The declarations in a key that have a name, each at its place."""
        yield from self._with_names(self._form.members(self._node, key), pattern, hint)

    def _with_names(
        self, members: Mapping[str, Node], pattern: re.Pattern[str], hint: str
    ) -> Iterator[tuple[str, Node]]:
        for name, member in members.items():
            node = at_key(member)
            if ":" in name:
                hint = "leave the prefix out: the vendor is put before each name (rule N1)"
            if not self._form.is_name(name, node, pattern, _MAX_NAME, hint):
                continue
            if node.value is None:
                node = node.with_value({})
            if self._form.is_kind(node, "object", f"`{name}`"):
                yield name, node

    def _declarations(self) -> Iterator[Declared]:
        for name, node in self._named("items", _SLUG, _LOWER):
            yield from self._item(name, node)
        for name, node in self._named("events", _DOTTED, _LOWER):
            yield Event(*self._head(name, node, "Event", _EVENT_FIELDS))
        for name, node in self._named("tools", _SLUG, _LOWER):
            yield from self._tool(name, node)
        for name, node in self._named("choices", _SLUG, _LOWER):
            yield Choice(*self._head(name, node, "ToolChoice"))
        for name, node in self._named("parts", _SLUG, _LOWER):
            yield Part(*self._head(name, node, "Content", more=("in",)), self._places(node))
        for name, node in self._named("annotations", _SLUG, _LOWER):
            yield Annotation(*self._head(name, node, "Annotation"))

    def _item(self, name: str, node: Node) -> Iterator[Declared]:
        head = self._head(name, node, "", ("type", "id", "status"), ("statuses", "optional", "events"))
        yield Item(*head, dict(self._statuses(node)), self._optional(node, ("id", "status")))
        for event, each in self._with_names(self._form.members(node, "events"), _DOTTED, _LOWER):
            own = self._head(f"{name}.{event}", each, "Event", _ITEM_EVENT_FIELDS, ("optional",))
            yield Event(*own, head.type, self._optional(each, _ITEM_EVENT_FIELDS[2:]))

    def _tool(self, name: str, node: Node) -> Iterator[Declared]:
        head = self._head(name, node, "Tool", more=("item", "choice"))
        yield Tool(*head, self._receipt(name, node))
        choice = node.get("choice")
        if choice is None or choice.value is False:
            return
        if choice.value is True:
            yield Choice(at_key(choice), head.type, f"{head.class_name}Choice", None, {}, (), head.aliases)
        elif isinstance(choice.value, dict):
            own = self._head(name, at_key(choice), "ToolChoice")
            yield Choice(*own._replace(aliases=own.aliases or head.aliases))
        else:
            hint = "write `choice: true`, or the fields that it has"
            self._form.error("extension-field", "`choice` is true or an object", choice, hint)

    def _head(
        self, name: str, node: Node, suffix: str, reserved: Collection[str] = ("type",), more: tuple[str, ...] = ()
    ) -> _Head:
        self._form.check_keys(node, (*_DECLARED, *more))
        self._form.text(node, "description")
        fields = dict(self._own_fields(node, reserved))
        return _Head(
            node,
            f"{self._vendor}:{name}",
            self._class_name(name, node, suffix),
            node.get("description"),
            fields,
            tuple(self._required(node, fields, reserved)),
            tuple(self._aliases(node)),
        )

    def _class_name(self, name: str, node: Node, suffix: str = "") -> str:
        class_name = f"{self._prefix}{pascal(name)}{suffix}"
        problem = class_name_problem(class_name) or class_name_problem(f"{class_name}Param")
        if problem is not None:
            message = f"the class name made for this, `{shown(class_name, 80)}`, {problem}"
            self._form.error("extension-name", message, node, "rename it, or set another `prefix`")
        return class_name

    def _own_fields(self, node: Node, reserved: Collection[str]) -> Iterator[tuple[str, Node]]:
        for name, each in self._form.members(node, "fields").items():
            if name in reserved:
                message = f"`{name}` is there without being declared"
                self._form.error("extension-field", message, at_key(each), "remove it, or rename your field")
            elif self._is_field_name(name, each) and (schema := self._fields.read(each)) is not None:
                yield name, schema

    def _is_field_name(self, name: str, node: Node) -> bool:
        if field_name(name, frozenset()) is not None:
            return True
        message = f"no Python name can be made of `{shown(name, 80)}`"
        self._form.error("extension-name", message, at_key(node), "use letters, digits and `_`, at most 120 of them")
        return False

    def _required(self, node: Node, fields: Mapping[str, Node], reserved: Collection[str]) -> Iterator[str]:
        declared = _names_in(node, "fields")
        if node.get("required") is not None and node.get("fields") is None:
            hint = "declare `fields`, or remove `required`"
            self._form.error("extension-field", "`required` names fields", node.at_key("required"), hint)
            return
        for name, each in self._form.strings(node, "required"):
            if name in fields:
                yield name
            elif name in reserved:
                hint = "remove it; `required` names fields of your own"
                self._form.error("extension-field", f"`{name}` is always required", each, hint)
            elif declared is not None and name not in declared:
                hint = suggest(name, fields) or "declare it in `fields`, or remove it here"
                self._form.error("extension-field", f"`{shown(name, 80)}` is required but no field", each, hint)

    def _aliases(self, node: Node) -> Iterator[Node]:
        for name, each in self._form.strings(node, "aliases"):
            hint = "an alias is a type without prefix (rule Z18)" if ":" in name else _WIRE
            if name in _SPELLINGS:
                message = f"`{name}` is read as an event of the standard (rule Z3)"
                self._form.error("extension-core", message, each, "remove it: clients know it without being told")
            elif self._form.is_name(name, each, _WIRE_TYPE, _MAX_TYPE, hint):
                yield each

    def _statuses(self, node: Node) -> Iterator[tuple[str, Node]]:
        for name, each in self._form.texts(node, "statuses"):
            if name in STATUSES:
                hint = f"remove it; {listed(STATUSES)} are there without being listed"
                self._form.error("extension-field", f"every item has the status `{name}`", each, hint)
            elif self._form.is_name(name, each, _STATUS, _MAX_NAME, "write lower case letters, digits and `_`"):
                yield name, each

    def _optional(self, node: Node, known: Collection[str]) -> frozenset[str]:
        """What a wire that was there before may leave out of what a new item or event has (rule N2)."""
        if node.get("optional") is not None and node.get("aliases") is None:
            message = f"a new type has {listed(known)} (rule N2)"
            hint = "remove `optional`; it is for types with `aliases`, whose wire was there before"
            self._form.error("extension-field", message, node.at_key("optional"), hint)
            return frozenset()
        names: set[str] = set()
        for name, each in self._form.strings(node, "optional"):
            if name not in known:
                hint = f"write {listed(known)}; your own fields are optional unless `required` names them"
                self._form.error("extension-field", f"`{shown(name, 80)}` cannot stand here", each, hint)
            names.add(name)
        return frozenset(names)

    def _receipt(self, name: str, node: Node) -> str:
        """The type of the item that a hosted tool has as its receipt."""
        items = _names_in(self._node, "items")
        if node.get("item") is None:
            message = f"the tool `{name}` does not say which item its calls leave (rule X3)"
            self._form.error("extension-field", message, node, "write `item: NAME`, and declare it in `items`")
            return ""
        item = self._form.text(node, "item")
        if item is not None and items is not None and item not in items:
            hint = suggest(item, items) or "declare it in `items` (rule X3)"
            message = f"`{shown(item, 80)}` is no item of this extension"
            self._form.error("extension-reference", message, node.at_key("item"), hint)
        return f"{self._vendor}:{item}"

    def _places(self, node: Node) -> tuple[str, ...]:
        if node.get("in") is None:
            message = "the content part does not say where it may stand"
            self._form.error("extension-field", message, node, f"write `in:` and a list of {listed(PLACES)}")
        places: list[str] = []
        for name, each in self._form.strings(node, "in"):
            if name in PLACES:
                places.append(name)
            else:
                hint = suggest(name, PLACES) or f"the places are {listed(PLACES)}"
                self._form.error("extension-field", f"`{shown(name, 80)}` is no place of a part", each, hint)
        return tuple(places)

    def _shared(self, node: Node) -> Node:
        """A shared schema: a JSON Schema, or fields as everywhere in the form."""
        if node.get("fields") is None:
            return self._fields.schema(node)
        self._form.check_keys(node, ("description", "fields", "required"))
        self._form.text(node, "description")
        fields = dict(self._own_fields(node, ()))
        described = {
            key: node.value[key] for key in ("description",) if isinstance(node.value, dict) and key in node.value
        }
        required = tuple(self._required(node, fields, ()))
        return with_keys(node.with_value(described), {"type": "object", "properties": fields, "required": required})

    def _owners(self, key: str) -> Iterator[tuple[str, Node]]:
        """The components of the document that a key names."""
        for owner, node in self._form.members(self._node, key).items():
            hint = "write the name of a component of the document"
            if self._form.is_name(owner, at_key(node), _WIRE_TYPE, _MAX_TYPE, hint):
                yield owner, node

    def _core_fields(self, node: Node) -> Iterator[tuple[str, Node]]:
        if not self._form.is_kind(node, "object", "the fields of a core object"):
            return
        for name, each in node.value.items() if isinstance(node.value, dict) else ():
            if name == "required" and isinstance(each.value, tuple):
                message = "a field on a core object is always optional (rule N2)"
                self._form.error("extension-field", message, at_key(each), "remove `required`")
            elif self._is_field_name(name, each) and (schema := self._fields.read(each)) is not None:
                yield name, schema

    def _values(self, owner: str) -> Iterator[tuple[str, Node]]:
        for name, each in self._form.texts(self._node.get("values") or self._node, owner):
            if self._form.is_name(name, each, _VALUE, _MAX_TYPE, "write printable ASCII characters without spaces"):
                yield name, each


def _names_in(node: Node, key: str) -> Collection[str] | None:
    """The keys of the object in a key, whether they are right or not; None when it is no object."""
    child = node.get(key)
    if child is None:
        return ()
    return tuple(child.value) if isinstance(child.value, dict) else None


def _other_document(node: Node) -> str:
    """The way out for a document that is no extension."""
    if node.get("openapi") is not None:
        return "this is an OpenAPI document: name it as the SPEC"
    if node.get("overlay") is not None:
        return "this is an OpenAPI Overlay: give it with `--overlay`"
    return "write `vendor: NAME`; `openresponses-codegen extension new NAME` writes a file to begin with"
