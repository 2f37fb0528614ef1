"""Strict JSON schemas: what pydantic says of a type, in the words that strict mode takes.

With `strict: true` a provider samples nothing that breaks the schema, and takes only a part of JSON
Schema for that. The part meant here is the one that the structured outputs guide of OpenAI
documents, and that compatible providers follow:

- the root is an object, every object is closed and requires all of its properties;
- unions are `anyOf`; there is no `oneOf`, `allOf`, `not`, `if`, `prefixItems`, `patternProperties`;
- `$ref` stands alone; definitions may be recursive;
- strings may have `pattern` without lookaround and one of nine formats, numbers their limits and
  `multipleOf`, arrays `minItems` and `maxItems`;
- the documented limits of strict mode, which `LIMITS` lists.

Limits that have no keyword there (`minLength`, `uniqueItems`, other formats) and defaults are
written into the description for the model to read; pydantic checks them when parsing. What cannot
be said is refused, all of it at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

Schema: TypeAlias = dict[str, Any]

LIMITS: Final[Mapping[str, int]] = {
    "levels of objects in objects": 10,
    "properties": 5_000,
    "values in enums": 1_000,
    "characters in the names of properties and definitions and in the values of enums": 120_000,
    "characters in one enum of more than 250 strings": 15_000,
}
"""The documented limits of strict mode."""

_ANNOTATIONS = frozenset(
    "$comment $defs $id $schema deprecated discriminator examples readOnly required title"
    " writeOnly".split()
)
_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
_SCALARS = frozenset("string boolean integer number null".split())
_SAID_OF_SCALARS = frozenset(
    "enum const multipleOf minimum maximum exclusiveMinimum exclusiveMaximum".split()
)
_CHECKS = _SAID_OF_SCALARS - {"enum", "const"} | frozenset(
    "minLength maxLength pattern format contentEncoding contentMediaType minItems maxItems"
    " uniqueItems minProperties maxProperties"
    " gt ge lt le multiple_of max_digits decimal_places".split()
)
"""What narrows a type; on unions pydantic leaves the names that it has in Python."""
_LOOKAROUND = re.compile(r"(?<!\\)(?:\\\\)*\(\?<?[=!]")
_LONG_ENUM = 250


class UnsupportedSchemaError(ValueError):
    """A type of which no schema can be made that a provider takes.

    Attributes:
        problems: Where and why: the path of each field (`Order.items[].price`) with the reason.
    """

    def __init__(self, name: str, problems: Iterable[tuple[str, str]], way_out: str = "") -> None:
        self.problems = tuple(problems)
        lines = [f"{path}: {reason}" for path, reason in self.problems]
        super().__init__("\n".join([f"no schema can be made of {name}{way_out}:", *lines]))


def schema_of(kind: Any, name: str) -> Schema:
    """The JSON schema that pydantic makes of a type, for what is to be parsed.

    Raises:
        UnsupportedSchemaError: Pydantic knows no schema for the type, or for a part of it.
    """
    try:
        return TypeAdapter[Any](kind).json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema) as error:
        raise UnsupportedSchemaError(name, [(name, error.message)]) from error


def root_of(schema: Schema) -> Schema:
    """The schema at the root, without the `$ref` that a recursive type has there."""
    definitions: Schema = schema.get("$defs", {})
    root = {keyword: value for keyword, value in schema.items() if keyword != "$defs"}
    while "$ref" in root:
        definition: Schema = definitions[_definition(root.pop("$ref"))]
        root = {**definition, **root}
    return root


def strict_schema(schema: Schema, name: str) -> Schema:
    """The strict schema for a schema of pydantic whose root is an object.

    Args:
        schema: The schema, left as it is.
        name: The type's name, with which the paths in errors begin.

    Raises:
        UnsupportedSchemaError: The schema says what strict mode cannot, or exceeds its limits.
    """
    strict = _Strict(schema.get("$defs", {}))
    root = strict.said(root_of(schema), name)
    if not strict.problems and root.get("type") != "object":
        strict.problems.append((name, "the root of a strict schema is an object"))
    if strict.kept:
        root["$defs"] = strict.kept
    problems = strict.problems or [(name, reason) for reason in _exceeded(root)]
    if problems:
        way_out = " for strict mode (strict=False suits a provider that takes any schema)"
        raise UnsupportedSchemaError(name, problems, way_out)
    return root


def failures(error: ValidationError) -> list[str]:
    """What is wrong with a value, one line for each place: `items[0].price: Field required`."""
    lines: list[str] = []
    for line in error.errors(include_url=False, include_context=False, include_input=False):
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in line["loc"])
        place = "".join(steps).removeprefix(".")
        lines.append(f"{place}: {line['msg']}" if place else line["msg"])
    return lines


class _Strict:
    """Says schemas in the words of strict mode, and collects what cannot be said."""

    def __init__(self, definitions: Schema) -> None:
        self.definitions = definitions
        self.kept: Schema = {}
        self.problems: list[tuple[str, str]] = []

    def said(self, schema: Any, path: str) -> Schema:
        """A schema in the words of strict mode; whatever it cannot say becomes a problem."""
        rest: Schema = {} if isinstance(schema, bool) else self._merged(schema, path)
        notes = _notes(rest)
        if not rest:
            self._refuse(path, "it takes any value; give it a type")
            return {}
        said = self._shape(rest, path)
        checks = [each for each in sorted(rest) if each in _CHECKS]
        if checks:
            limits = ", ".join(f"{each} {json.dumps(rest.pop(each))}" for each in checks)
            notes.append(f"Limits: {limits}.")
        for keyword in sorted(rest):
            self._refuse(path, f"strict mode has no {keyword!r} here")
        if notes:
            said = Schema(anyOf=[said]) if "$ref" in said else said
            said["description"] = "\n".join(notes)
        return said

    def _refuse(self, path: str, reason: str) -> None:
        self.problems.append((path, reason))

    def _merged(self, schema: Schema, path: str) -> Schema:
        """A schema without annotations, the members of its `allOf` merged into it."""
        merged: Schema = {}
        rest: Schema = {
            keyword: value
            for keyword, value in schema.items()
            if keyword not in _ANNOTATIONS and not keyword.startswith("x-")
        }
        members: list[Schema] = rest.pop("allOf", [])
        for member in [*(self._merged(each, path) for each in members), rest]:
            if "properties" in merged and "properties" in member:
                member["properties"] = {**merged["properties"], **member["properties"]}
                del merged["properties"]
            differing = {each for each in merged.keys() & member if merged[each] != member[each]}
            for keyword in sorted(differing - {"description"}):
                self._refuse(path, f"the members of its 'allOf' differ in {keyword!r}")
            merged |= member
        return merged

    def _shape(self, rest: Schema, path: str) -> Schema:
        """What a schema says of the shape of values; takes those keywords out of it."""
        if "$ref" in rest:
            return self._reference(rest.pop("$ref"), path)
        for keyword in ("anyOf", "oneOf"):
            if keyword in rest:
                return {"anyOf": [self.said(choice, path) for choice in rest.pop(keyword)]}
        match rest.pop("type", None):
            case "object":
                return self._object(rest, path)
            case "array":
                return self._array(rest, path)
            case kind:
                return self._scalar(kind, rest, path)

    def _reference(self, reference: str, path: str) -> Schema:
        name = _definition(reference)
        if name not in self.definitions:
            self._refuse(path, f"the reference {reference!r} leads to no definition")
        elif name not in self.kept:
            self.kept[name] = {}  # A recursive definition comes by here again.
            self.kept[name] = self.said(self.definitions[name], name)
        return {"$ref": reference}

    def _object(self, rest: Schema, path: str) -> Schema:
        is_free = rest.pop("additionalProperties", "properties" not in rest) is not False
        named = [rest.pop(each) for each in ("patternProperties", "propertyNames") if each in rest]
        if is_free or named:
            self._refuse(
                path, "it takes keys that are not declared; use a closed model, or a list of pairs"
            )
        properties: Schema = rest.pop("properties", {})
        return {
            "type": "object",
            "properties": {
                name: self.said(schema, f"{path}.{name}") for name, schema in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _array(self, rest: Schema, path: str) -> Schema:
        if "prefixItems" in rest:
            for keyword in ("prefixItems", "items", "minItems", "maxItems"):
                rest.pop(keyword, None)
            self._refuse(path, "the items of a tuple have types of their own; use a model")
            return {}
        said: Schema = {"type": "array", "items": self.said(rest.pop("items", True), f"{path}[]")}
        return said | {each: rest.pop(each) for each in ("minItems", "maxItems") if each in rest}

    def _scalar(self, kind: Any, rest: Schema, path: str) -> Schema:
        values: list[Any] = rest.get("enum", [rest["const"]] if "const" in rest else [])
        if kind is None:
            kinds = list(dict.fromkeys(_scalar_type(value) for value in values))
            kind = kinds[0] if len(kinds) == 1 else kinds
        if not kind or not set([kind] if isinstance(kind, str) else kind) <= _SCALARS:
            self._refuse(path, "it says no type that strict mode has")
        said = _SAID_OF_SCALARS & rest.keys()
        if rest.get("format") in _FORMATS:
            said |= {"format"}
        if not _LOOKAROUND.search(rest.get("pattern", "(?=)")):
            said |= {"pattern"}
        return {"type": kind} | {each: rest.pop(each) for each in list(rest) if each in said}


def _definition(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def _scalar_type(value: object) -> str:
    """The type that JSON Schema has for a value; the name of its class if there is none."""
    match value:
        case None:
            return "null"
        case str():
            return "string"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return type(value).__name__


def _notes(rest: Schema) -> list[str]:
    """What the description is to say; takes description and default out of a schema."""
    description: str = rest.pop("description", "")
    default: Any = rest.pop("default", None)
    notes = [description] if description else []
    if default is not None:
        notes.append(f"Default: {json.dumps(default, ensure_ascii=False)}.")
    return notes


def _exceeded(root: Schema) -> list[str]:
    """The limits of strict mode that a strict schema exceeds."""
    definitions: Schema = root.get("$defs", {})
    schemas = [each for top in (root, *definitions.values()) for each in _schemas(top)]
    names = [*definitions, *(name for each in schemas for name in each.get("properties", {}))]
    enums: list[list[Any]] = [each["enum"] for each in schemas if "enum" in each]
    constants = [each["const"] for each in schemas if "const" in each]
    values = [value for enum in enums for value in enum]
    long = [
        enum
        for enum in enums
        if len(enum) > _LONG_ENUM and all(isinstance(value, str) for value in enum)
    ]
    found = (
        _depth(root, definitions, {}),
        len(names) - len(definitions),
        len(values),
        sum(len(str(each)) for each in (*names, *values, *constants)),
        max((len("".join(enum)) for enum in long), default=0),
    )
    return [
        f"{count:,} {what}, where the documented limit of strict mode is {limit:,}"
        for count, (what, limit) in zip(found, LIMITS.items(), strict=True)
        if count > limit
    ]


def _parts(schema: Schema) -> list[Schema]:
    """The schemas right inside a strict schema, definitions left out."""
    items = [schema["items"]] if "items" in schema else []
    return [*schema.get("properties", {}).values(), *items, *schema.get("anyOf", [])]


def _schemas(schema: Schema) -> list[Schema]:
    """A strict schema and all schemas in it, definitions left out."""
    return [schema, *(each for part in _parts(schema) for each in _schemas(part))]


def _depth(schema: Schema, definitions: Schema, depths: dict[str, int]) -> int:
    """How many objects are inside each other; a definition inside itself counts once."""
    if "$ref" in schema:
        name = _definition(schema["$ref"])
        if name not in depths:
            depths[name] = 0
            depths[name] = _depth(definitions[name], definitions, depths)
        return depths[name]
    inner = max((_depth(part, definitions, depths) for part in _parts(schema)), default=0)
    return inner + (schema.get("type") == "object")
