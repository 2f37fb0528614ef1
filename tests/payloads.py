"""Payloads out of the raw spec documents: valid ones, and ones that a single change has made invalid.

Nothing here looks at the generator or at what it generates, and `jsonschema` has the last word on what is valid:
a component is read as plain JSON Schema (Draft 2020-12), exactly as the document spells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

SPEC = Path(__file__).parents[1] / "spec"
RELEASES = tuple(sorted(path.parent.name for path in SPEC.glob("*/openapi.json")))
NEWEST = RELEASES[-1]

Schema = Mapping[str, Any]
Pointer = tuple[str | int, ...]
DELETED = object()
"""Stands for the value of a property that was taken away."""

TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "text",
        " two\nlines\t",
        "\u2028\u2029",
        "\x00\x1b\x7f",
        '"\\/`${{ }}',
        "é e\u0301 漢字",
        "😀👩‍👧",
        "null",
        "1.0",
    ]
)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-3, 300) | st.integers(-(2**70), 2**70)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
VENDOR_FIELDS = st.sampled_from(
    "acme:trace x_vendor Type self data class copy model_config model_dump model_extra is_delta is_terminal EXTENSIBLE"
    " FORBIDDEN __class__ __dict__ __proto__ ünïcödé".split()
) | st.sampled_from(["", "a b"])
"""Names of fields that no schema knows; some are names that Python or pydantic use themselves."""


def bounded(examples: int) -> settings:
    """Settings with this many examples; more in the profile `long`."""
    return settings(max_examples=max(1, examples * settings().max_examples // 100))


@dataclass(frozen=True)
class Option:
    """A schema free of references and combinators: one of the shapes that a place allows."""

    schema: Schema
    component: str | None = None
    """The component that this is, when a reference led to it."""

    @property
    def kind(self) -> str | None:
        return self.schema.get("type")

    @cached_property
    def is_never(self) -> bool:
        return "not" in self.schema or self.schema.get("minLength", 0) > self.schema.get("maxLength", float("inf"))

    @property
    def properties(self) -> Mapping[str, Schema]:
        return self.schema.get("properties", {})

    @property
    def is_enum(self) -> bool:
        return len(self.schema.get("enum", ())) > 1

    @property
    def constant(self) -> Any:
        """The only value that is allowed; None where there are several."""
        values = self.schema.get("enum", ())
        return values[0] if len(values) == 1 else None

    @property
    def constants(self) -> dict[str, Any]:
        """The properties that have one possible value, not even null, and that value."""
        pairs = ((name, member.get("enum", ())) for name, member in self.properties.items())
        return {name: values[0] for name, values in pairs if len(values) == 1}

    @property
    def fixed(self) -> dict[str, Any]:
        """The properties that have one possible value besides null, and that value."""
        listed = {
            name: [each for each in listed_values(schema) or () if each] for name, schema in self.properties.items()
        }
        return {name: values[0] for name, values in listed.items() if len(values) == 1}

    @property
    def is_free(self) -> bool:
        """Whether it is an object with no properties of its own."""
        return self.kind == "object" and not self.properties

    def fits(self, value: Any) -> bool:
        """Whether a valid payload's value is of this option rather than of another."""
        kinds = {"number", "integer"} if self.kind == "number" else {self.kind}
        if self.kind is not None and json_kind(value) not in kinds:
            return False
        if "enum" in self.schema:
            return value in self.schema["enum"]
        if not isinstance(value, dict):
            return True
        if not set(self.schema.get("required", ())) <= value.keys():
            return False
        allowed = ((name, listed_values(member)) for name, member in self.properties.items() if name in value)
        return all(values is None or value[name] in values for name, values in allowed)


def listed_values(schema: Schema) -> list[Any] | None:
    """The values that a property may have where its schema lists them in place."""
    if "enum" in schema:
        return list(schema["enum"])
    listed = [[None] if each == {"type": "null"} else listed_values(each) for each in schema.get("anyOf", ())]
    return None if not listed or None in listed else [value for values in listed for value in values or ()]


@dataclass(frozen=True)
class Document:
    """A release's document."""

    release: str
    root: Schema
    _options: dict[int, tuple[Any, tuple[Option, ...]]] = field(default_factory=dict, compare=False, hash=False)

    @property
    def schemas(self) -> Mapping[str, Schema]:
        return self.root["components"]["schemas"]

    def options(self, schema: Schema) -> tuple[Option, ...]:
        """What a schema allows, free of references and combinators."""
        # The schema is kept with its options, so that no other gets its id.
        if id(schema) not in self._options:
            self._options[id(schema)] = (
                schema,
                tuple(option for option in self._flattened(schema) if not option.is_never),
            )
        return self._options[id(schema)][1]

    def _flattened(self, schema: Schema) -> Iterator[Option]:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            yield from (Option(each.schema, each.component or name) for each in self.options(self.schemas[name]))
        elif "allOf" in schema:
            combined = [Option({})]
            for member in schema["allOf"]:
                combined = [_merged(left, right) for left in combined for right in self.options(member)]
            yield from combined
        elif "anyOf" in schema or "oneOf" in schema:
            for member in schema.get("anyOf") or schema["oneOf"]:
                yield from self.options(member)
        elif isinstance(schema.get("type"), list):
            for kind in schema["type"]:
                yield from self._flattened({**schema, "type": kind})
        else:
            yield Option({key: value for key, value in schema.items() if key not in {"title", "description"}})

    @cached_property
    def reached(self) -> Mapping[str, frozenset[str]]:
        """The sides that use each component: `request`, `response`, both or none."""
        sides: dict[str, set[str]] = {name: set() for name in self.schemas}
        for side, schema in self._roots():
            pending = [schema]
            while pending:
                for name in _references(pending.pop()):
                    if side not in sides[name]:
                        sides[name].add(side)
                        pending.append(self.schemas[name])
        return {name: frozenset(used) for name, used in sides.items()}

    def _roots(self) -> Iterator[tuple[str, Any]]:
        for path in self.root["paths"].values():
            for key, operation in path.items():
                if key == "x-openresponses-websocket":
                    yield "request", operation["clientMessage"]
                    yield "response", operation["errorMessage"]
                else:
                    yield "request", operation["requestBody"]
                    yield "response", operation["responses"]


def _merged(left: Option, right: Option) -> Option:
    """What two members of an `allOf` allow together; objects are the only ones that have to be put together."""
    if not left.schema or not right.schema:
        return right if not left.schema else left
    if left.kind != "object" or right.kind != "object":
        return Option({"not": {}})
    shared = left.properties.keys() & right.properties.keys()
    both = {name: {"allOf": [left.properties[name], right.properties[name]]} for name in shared}
    required = [*left.schema.get("required", ()), *right.schema.get("required", ())]
    return Option(
        {"type": "object", "properties": {**left.properties, **right.properties, **both}, "required": required}
    )


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for key, value in node.items():
            if key not in {"example", "default", "enum"}:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


@cache
def document(release: str) -> Document:
    return Document(release, json.loads((SPEC / release / "openapi.json").read_text("utf-8")))


@dataclass(frozen=True)
class Component:
    """A named schema of a release, on the side on which its payloads are used."""

    release: str
    name: str
    side: str
    """`request`, `response`, or `either` for what nothing uses."""

    def __str__(self) -> str:
        return f"{self.release}-{self.name}-{self.side}"

    @property
    def document(self) -> Document:
        return document(self.release)

    @property
    def schema(self) -> Schema:
        return self.document.schemas[self.name]

    @property
    def options(self) -> tuple[Option, ...]:
        return self.document.options(self.schema)

    @property
    def is_union(self) -> bool:
        return "oneOf" in self.schema or "anyOf" in self.schema

    @property
    def is_enum(self) -> bool:
        return all(option.is_enum for option in self.options)

    @property
    def symbol(self) -> str:
        """The name in the package: a component of both sides has a copy for requests, unless it is an enum."""
        both = len(self.document.reached[self.name]) == 2 and not self.is_enum
        return f"{self.name}Param" if both and self.side == "request" else self.name

    @cached_property
    def validator(self) -> Draft202012Validator:
        return _validator(self.release, self.name)

    @cached_property
    def payloads(self) -> st.SearchStrategy[Any]:
        """Valid payloads, unknown fields among their own."""
        return _strategy(self.release, self.name)


@cache
def _validator(release: str, name: str) -> Draft202012Validator:
    root = document(release).root
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": root["components"]})


@cache
def components(release: str) -> tuple[Component, ...]:
    """Every component, once per side that it is used on."""
    found: list[Component] = []
    for name, sides in document(release).reached.items():
        each = [Component(release, name, side) for side in sorted(sides, reverse=True) or ["either"]]
        found += each[:1] if each[0].is_enum else each
    return tuple(found)


def component(name: str, release: str = NEWEST) -> Component:
    """The component on the first of its sides: `response` before `request`."""
    return next(each for each in components(release) if each.name == name)


@cache
def _strategy(release: str, name: str) -> st.SearchStrategy[Any]:
    return drawn(document(release), name)


def drawn(source: Document, name: str) -> st.SearchStrategy[Any]:
    """Valid payloads of a component of a document."""
    return _Drawing(source).value(source.schemas[name])


class _Drawing:
    """Strategies for the schemas of a document."""

    def __init__(self, source: Document) -> None:
        self._source = source
        self._made: dict[int, st.SearchStrategy[Any]] = {}

    def value(self, schema: Schema) -> st.SearchStrategy[Any]:
        if id(schema) not in self._made:
            options = self._source.options(schema)
            self._made[id(schema)] = st.deferred(lambda: st.one_of([self._option(each) for each in options]))
        return self._made[id(schema)]

    def _option(self, option: Option) -> st.SearchStrategy[Any]:
        schema = option.schema
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        match option.kind:
            case "integer":
                low, high = schema.get("minimum"), schema.get("maximum")
                return INTEGERS if low is high is None else st.integers(low, high)
            case "string":
                return _strings(schema)
            case "array":
                least, most = schema.get("minItems", 0), schema.get("maxItems", 9)
                return st.lists(self.value(schema["items"]), min_size=least, max_size=min(most, least + 2))
            case "object":
                return self._object(option)
            case kind:
                return {"null": st.none(), "boolean": st.booleans(), "number": NUMBERS}.get(kind or "", ANY_JSON)

    def _object(self, option: Option) -> st.SearchStrategy[Any]:
        fields = {name: self.value(each) for name, each in option.properties.items() if self._source.options(each)}
        required = option.schema.get("required", ())
        known = st.fixed_dictionaries(
            {name: each for name, each in fields.items() if name in required},
            optional={name: each for name, each in fields.items() if name not in required},
        )
        names = TEXTS if option.is_free else VENDOR_FIELDS.filter(lambda name: name not in option.properties)
        extra = option.schema.get("additionalProperties", {})
        values = ANY_JSON if extra in (True, {}) else self.value(extra)
        others = st.dictionaries(names, values, max_size=2 if option.is_free else 1)
        return st.builds(lambda left, right: {**left, **right}, known, others)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    if "pattern" in schema:
        # `$` of Python also matches before a last newline, which the standard's `$` does not.
        pattern = schema["pattern"].removesuffix("$")
        drawn = st.from_regex(pattern + (r"\Z" if pattern != schema["pattern"] else ""))
        return drawn.filter(lambda text: least <= len(text) <= most)
    return TEXTS.filter(lambda text: least <= len(text) <= most)


def json_kind(value: Any) -> str:
    """The JSON type of a value; `integer` for a Python int."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return kinds.get(type(value), "null")


def same_json(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON; numbers are compared as numbers, the order of keys does not count."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    numbers = {"integer", "number"}
    return left == right and (json_kind(left) == json_kind(right) or {json_kind(left), json_kind(right)} == numbers)
