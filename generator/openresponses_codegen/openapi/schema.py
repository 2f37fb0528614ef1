"""One schema object, and the reader that turns a node into it.

Keywords are those of JSON Schema 2020-12 as OpenAPI 3.1 uses them. Three lists decide about each: what is read
here, what annotates (and never refuses a document), and what is known but not supported, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote

from openresponses_codegen.diagnostics import Diagnostics, HasPlace, suggest
from openresponses_codegen.source import Node, Plain
from openresponses_codegen.text import SpecText

COMPONENTS = "#/components/schemas/"
TYPES = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})
LIMITS: Mapping[str, frozenset[str]] = {
    "minimum": frozenset({"integer", "number"}),
    "maximum": frozenset({"integer", "number"}),
    "exclusiveMinimum": frozenset({"integer", "number"}),
    "exclusiveMaximum": frozenset({"integer", "number"}),
    "multipleOf": frozenset({"integer", "number"}),
    "minLength": frozenset({"string"}),
    "maxLength": frozenset({"string"}),
    "pattern": frozenset({"string"}),
    "minItems": frozenset({"array"}),
    "maxItems": frozenset({"array"}),
    "minProperties": frozenset({"object"}),
    "maxProperties": frozenset({"object"}),
}
"""Each limiting keyword, and the types that it applies to."""
_COUNTS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"})
DISALLOWED = "x-openresponses-disallowed"
ENUM_TEXTS = "x-enumDescriptions"
VENDOR = "x-openresponses-extension"
"""Names the vendor whose extension adds a schema."""
OF_ITEM = "x-openresponses-item"
"""Names the type of the item that a schema of an extension belongs to."""
READ = frozenset(
    {"$ref", "type", "enum", "const", "default", "properties", "required", "additionalProperties", "items", "allOf",
     "oneOf", "anyOf", "discriminator", "title", "description", DISALLOWED, ENUM_TEXTS, VENDOR, OF_ITEM}
)  # fmt: skip
"""Keywords that become part of a `Schema`, besides the limits."""
ANNOTATIONS = frozenset(
    {"summary", "example", "examples", "deprecated", "readOnly", "writeOnly", "externalDocs", "xml", "$comment",
     "contentEncoding", "contentMediaType", "format"}
)  # fmt: skip
"""Keywords that say nothing about which values are valid, beyond those that are read."""
UNSUPPORTED: Mapping[str, str] = {
    "nullable": 'write `type: [..., "null"]`; `nullable` is OpenAPI 3.0',
    "not": "name the allowed values instead",
    "if": "write a union of the cases",
    "then": "write a union of the cases",
    "else": "write a union of the cases",
    "uniqueItems": "remove it; a list in Python does not check it",
    "prefixItems": "describe one type for all items with `items`",
    "contains": "remove it",
    "minContains": "remove it",
    "maxContains": "remove it",
    "unevaluatedItems": "remove it",
    "unevaluatedProperties": "use `additionalProperties`",
    "patternProperties": "use `additionalProperties`",
    "propertyNames": "remove it",
    "dependentRequired": "remove it",
    "dependentSchemas": "remove it",
    "contentSchema": "remove it",
    "$defs": "move the schemas to `components.schemas`",
    "definitions": "move the schemas to `components.schemas`",
    "$id": "remove it; references are looked up in `components.schemas`",
    "$schema": "remove it; every schema is JSON Schema 2020-12",
    "$anchor": "refer to a component instead",
    "$dynamicRef": "use `$ref`",
    "$dynamicAnchor": "use `$ref`",
    "$vocabulary": "remove it",
}
"""Validation keywords that are understood and refused, each with a way out."""

MAX_VALUE = 10_000
"""The longest string that can be a value of an enum or a default, in characters."""

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema as written. Absent keywords are empty; `default` is None where there is none (see `has_default`)."""

    node: Node
    ref: str | None = None
    types: tuple[str, ...] = ()
    enum: tuple[Scalar, ...] | None = None
    enum_texts: Mapping[str, SpecText] = field(default_factory=dict[str, SpecText])
    has_default: bool = False
    default: Plain = None
    properties: Mapping[str, Schema] = field(default_factory=dict[str, "Schema"])
    required: frozenset[str] = frozenset()
    additional: Schema | bool | None = None
    items: Schema | None = None
    all_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    discriminator: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: tuple[tuple[str, int | float | str], ...] = ()
    title: SpecText | None = None
    description: SpecText | None = None
    disallowed: bool = False
    vendor: str | None = None
    of_item: str | None = None

    @property
    def is_note(self) -> bool:
        """Whether it restricts nothing: only text, or nothing at all."""
        return not (
            self.ref or self.types or self.enum is not None or self.properties or self.required or self.items
            or self.all_of or self.one_of or self.any_of or self.limits or self.additional is not None
        )  # fmt: skip

    @property
    def is_absent(self) -> bool:
        """Whether no value can satisfy it, which says that the property must be absent."""
        limits = dict(self.limits)
        low, high = limits.get("minLength"), limits.get("maxLength")
        impossible = isinstance(low, int) and isinstance(high, int) and low > high
        return self.disallowed or impossible or any(member.is_absent for member in self.all_of)


class SchemaReader:
    """Reads schema objects, noting what is wrong and what is set aside."""

    def __init__(
        self, names: frozenset[str], diagnostics: Diagnostics, *, lenient: bool = False, for_code: bool = True
    ) -> None:
        self._names = names
        self._diagnostics = diagnostics
        self._lenient = lenient
        self._for_code = for_code
        self.ignored: Counter[str] = Counter()
        """Annotations set aside, and how often."""

    def read(self, node: Node) -> Schema:
        """The schema of a node; whatever cannot be read is reported, and left out of what is returned."""
        if node.value is True:
            return Schema(node)
        if not isinstance(node.value, dict):
            self._error("bad-schema", f"a schema has to be an object, not {article(node.kind)}", node, "write `{}`")
            return Schema(node)
        written = node.value
        self._set_aside(node, written)
        discriminator, mapping = self._discriminator(node)
        schema = Schema(
            node,
            ref=self._ref(node),
            types=self._types(node),
            enum=self._enum(node),
            enum_texts=self._enum_texts(node),
            has_default="default" in written,
            default=default.plain() if (default := node.get("default")) else None,
            properties={name: self.read(value) for name, value in self._object(node, "properties").items()},
            required=self._required(node) if "required" in written else frozenset(),
            additional=self._additional(node),
            items=self.read(items) if (items := node.get("items")) else None,
            all_of=self._members(node, "allOf") if "allOf" in written else (),
            one_of=self._members(node, "oneOf") if "oneOf" in written else (),
            any_of=self._members(node, "anyOf") if "anyOf" in written else (),
            discriminator=discriminator,
            mapping=mapping,
            limits=self._limits(node),
            title=self.text(node, "title") if "title" in written else None,
            description=self.text(node, "description") if "description" in written else None,
            disallowed=(disallowed := node.get(DISALLOWED)) is not None and disallowed.value is True,
            vendor=self._word(node, VENDOR),
            of_item=self._word(node, OF_ITEM),
        )
        self._check_limits(schema)
        return schema

    def text(self, node: Node, key: str) -> SpecText | None:
        """The text under a key; None when there is none to read."""
        value = node.get(key)
        if value is None or not isinstance(value.value, str):
            if value is not None:
                self._error("bad-text", f"`{key}` has to be a string, not {article(value.kind)}", value)
            return None
        text = SpecText(value.value)
        return None if text.is_blank() else text

    def _word(self, node: Node, key: str) -> str | None:
        """The string under a key that names something."""
        value = node.get(key)
        if value is None:
            return None
        if not isinstance(value.value, str) or not value.value:
            self._error("bad-extension-keyword", f"`{key}` has to be a string, not {article(value.kind)}", value)
            return None
        return value.value

    def _error(self, code: str, message: str, at: HasPlace, hint: str | None = None) -> None:
        self._diagnostics.error(code, message, at=at, hint=hint)

    def _set_aside(self, node: Node, keywords: Mapping[str, Node]) -> None:
        for keyword in keywords:
            if keyword in READ or keyword in LIMITS:
                continue
            if keyword in ANNOTATIONS or keyword.startswith("x-"):
                self.ignored[keyword] += 1
                continue
            hint = UNSUPPORTED.get(keyword)
            if hint is not None:
                code, message = "unsupported-keyword", f"`{keyword}` is not supported"
            else:
                code, message = "unknown-keyword", f"`{keyword}` is no keyword of a schema"
                hint = suggest(keyword, [*READ, *LIMITS, *ANNOTATIONS]) or "remove it, or prefix it with `x-`"
            if self._lenient:
                self.ignored[keyword] += 1
                self._diagnostics.warning(code, f"{message}; it was ignored", at=node.at_key(keyword), hint=hint)
            else:
                self._error(code, message, node.at_key(keyword), hint)

    def _object(self, node: Node, key: str) -> Mapping[str, Node]:
        value = node.get(key)
        if value is None:
            return {}
        if not isinstance(value.value, dict):
            self._error("bad-schema", f"`{key}` has to be an object, not {article(value.kind)}", value)
            return {}
        return value.value

    def _list(self, node: Node, key: str) -> Sequence[Node]:
        value = node.get(key)
        if value is None:
            return ()
        if not isinstance(value.value, tuple):
            self._error("bad-schema", f"`{key}` has to be a list, not {article(value.kind)}", value)
            return ()
        return value.value

    def _strings(self, node: Node, key: str) -> list[str]:
        strings: list[str] = []
        for item in self._list(node, key):
            if isinstance(item.value, str):
                strings.append(item.value)
            else:
                self._error("bad-schema", f"`{key}` lists strings, not {article(item.kind)}", item)
        return strings

    def _ref(self, node: Node) -> str | None:
        value = node.get("$ref")
        if value is None:
            return None
        if not isinstance(value.value, str):
            self._error("bad-reference", "`$ref` has to be a string", value)
            return None
        return component_name(value.value, value, self._names, self._diagnostics)

    def _types(self, node: Node) -> tuple[str, ...]:
        value = node.get("type")
        if value is None:
            return ()
        names = [value.value] if isinstance(value.value, str) else self._strings(node, "type")
        for name in names:
            if name not in TYPES:
                hint = suggest(name, TYPES) or f"the types are {', '.join(sorted(TYPES))}"
                self._error("unknown-type", f"`{name}` is no JSON type", value, hint)
        return tuple(dict.fromkeys(name for name in names if name in TYPES))

    def _enum(self, node: Node) -> tuple[Scalar, ...] | None:
        constant = node.get("const")
        if constant is not None and node.get("enum") is not None:
            self._error("unsupported-combination", "`const` and `enum` say the same thing twice", node, "leave one")
        if constant is None and "enum" not in (node.value if isinstance(node.value, dict) else {}):
            return None
        values: list[Scalar] = []
        seen: set[tuple[type, Scalar]] = set()
        for item in [constant] if constant is not None else self._list(node, "enum"):
            if isinstance(item.value, dict | tuple | float):
                self._error(
                    "unsupported-enum",
                    f"{article(item.kind)} cannot be one of the values of an enum",
                    item,
                    "use strings, integers, booleans or null",
                )
            elif isinstance(item.value, str) and len(item.value) > MAX_VALUE:
                self._error("too-long", f"a value of an enum is longer than {MAX_VALUE:,} characters", item)
            elif (type(item.value), item.value) in seen:
                self._error("duplicate-enum-value", "the value is listed twice", item, "remove one of them")
            else:
                seen.add((type(item.value), item.value))
                values.append(item.value)
        if not values and constant is None:
            self._error("empty-enum", "an enum without a value admits nothing", node.at_key("enum"))
        return tuple(values)

    def _enum_texts(self, node: Node) -> dict[str, SpecText]:
        described = node.get(ENUM_TEXTS)
        if described is None or not isinstance(described.value, dict):
            return {}
        return {value: text for value in described.value if (text := self.text(described, value)) is not None}

    def _required(self, node: Node) -> frozenset[str]:
        return frozenset(self._strings(node, "required"))

    def _additional(self, node: Node) -> Schema | bool | None:
        value = node.get("additionalProperties")
        if value is None or isinstance(value.value, bool):
            return None if value is None else value.value is True
        schema = self.read(value)
        return True if schema.is_note else schema

    def _members(self, node: Node, key: str) -> tuple[Schema, ...]:
        members = tuple(self.read(member) for member in self._list(node, key))
        if not members and node.get(key) is not None:
            self._error("empty-union", f"`{key}` without a member admits nothing", node.at_key(key))
        return members

    def _discriminator(self, node: Node) -> tuple[str | None, dict[str, str]]:
        value = node.get("discriminator")
        if value is None:
            return None, {}
        name = value.get("propertyName")
        if name is None or not isinstance(name.value, str):
            self._error("bad-discriminator", "a discriminator needs `propertyName`, a string", value)
            return None, {}
        mapping: dict[str, str] = {}
        for tag, target in self._object(value, "mapping").items():
            if isinstance(target.value, str):
                component = component_name(target.value, target, self._names, self._diagnostics)
                mapping.update({tag: component} if component else {})
            else:
                self._error("bad-discriminator", "a mapping names schemas by reference", target)
        return name.value, mapping

    def _limits(self, node: Node) -> tuple[tuple[str, int | float | str], ...]:
        limits: list[tuple[str, int | float | str]] = []
        keywords = node.value if isinstance(node.value, dict) else {}
        if LIMITS.keys().isdisjoint(keywords):
            return ()
        for keyword in LIMITS:
            value = keywords.get(keyword)
            if value is None:
                continue
            limit = value.value
            if keyword == "pattern":
                fits = isinstance(limit, str)
                if isinstance(limit, str) and self._for_code and not self._is_pattern(limit, value):
                    continue
            elif keyword in _COUNTS:
                fits = isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit < 2**63
            else:
                fits = isinstance(limit, int | float) and not isinstance(limit, bool)
                fits = fits and (keyword != "multipleOf" or (isinstance(limit, int | float) and limit > 0))
            if fits and isinstance(limit, int | float | str):
                limits.append((keyword, limit))
            else:
                kind = "a string" if keyword == "pattern" else "a count" if keyword in _COUNTS else "a number"
                self._error("bad-limit", f"`{keyword}` has to be {kind}", value)
        return tuple(limits)

    def _is_pattern(self, pattern: str, at: HasPlace) -> bool:
        """Whether generated code can match a pattern, asked of the engine that will."""
        from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415 - few documents have one

        try:
            SchemaValidator(core_schema.str_schema(pattern=pattern))
        except SchemaError:
            hint = "write it for Rust's regex crate, which has no look-around and no back-references"
            self._error("bad-pattern", "the pattern cannot be matched by generated code", at, hint)
            return False
        return True

    def _check_limits(self, schema: Schema) -> None:
        types = set(schema.types) - {"null"}
        for keyword, _ in schema.limits:
            if not types & LIMITS[keyword] and not schema.ref:
                kinds = " or ".join(sorted(LIMITS[keyword]))
                self._error(
                    "limit-without-type",
                    f"`{keyword}` limits nothing here",
                    schema.node.at_key(keyword),
                    f"add `type: {kinds}`, or remove it",
                )


def component_name(reference: str, at: HasPlace, names: frozenset[str], diagnostics: Diagnostics) -> str | None:
    """The component that a `$ref` names; None, and a diagnostic, when it leads anywhere else.

    Nothing is ever read to follow a reference: neither a file nor the network.
    """
    if not reference.startswith("#"):
        remote = ("://" in reference and not reference.startswith("file:")) or reference.startswith("//")
        code, where = ("remote-reference", "to the network") if remote else ("outside-reference", "to another file")
        diagnostics.error(
            code,
            f"the reference `{reference}` leads {where}",
            at=at,
            hint="bundle the document into one file first",
        )
        return None
    name = unquote(reference.removeprefix(COMPONENTS)).replace("~1", "/").replace("~0", "~")
    if reference.startswith(COMPONENTS) and name in names:
        return name
    diagnostics.error(
        "dangling-reference",
        f"nothing is found at `{reference}`",
        at=at,
        hint=(None if diagnostics.is_full else suggest(name, names))
        or "a reference names a schema, `#/components/schemas/NAME`",
    )
    return None


def article(kind: str) -> str:
    """A JSON kind with its article."""
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"
