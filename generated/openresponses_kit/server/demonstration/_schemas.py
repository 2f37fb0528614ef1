"""A JSON Schema of the edition 2020-12, as far as it can be read without fetching anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote, urldefrag, urljoin

from ._languages import Budget

__all__ = ["Document", "InvalidSchemaError", "JSONSchema", "key_of", "type_of"]

JSONSchema: TypeAlias = Mapping[str, Any] | bool

TYPES = ("null", "boolean", "object", "array", "number", "integer", "string")
_SCHEMA = """
additionalProperties contains else if items not propertyNames then unevaluatedItems
unevaluatedProperties
""".split()
_SCHEMAS = "allOf anyOf oneOf prefixItems".split()
_NAMED_SCHEMAS = "$defs definitions dependentSchemas patternProperties properties".split()
_COUNTS = """
maxContains maxItems maxLength maxProperties minContains minItems minLength minProperties
""".split()
_NUMBERS = "exclusiveMaximum exclusiveMinimum maximum minimum multipleOf".split()
_TEXTS = "$anchor $dynamicAnchor $dynamicRef $id $ref format pattern".split()


class InvalidSchemaError(ValueError):
    """What was given is no schema, or refers to something that is not in it."""


class Document:
    """A schema with all that is in it.

    Raises `InvalidSchemaError`, naming the place, when a keyword does not have the form that it
    must have, or a reference leads nowhere.

    Args:
        schema: The schema, as read from JSON.
        budget: What the work is taken from.
    """

    def __init__(self, schema: JSONSchema, budget: Budget) -> None:
        self.root = schema
        self._budget = budget
        self._named: dict[str, JSONSchema] = {"": schema}
        """Schemas by URI, and by URI with an anchor."""
        self._bases: dict[int, str] = {}
        """The URI that references are relative to, by the identity of the schema they are in."""
        self._targets: dict[int, list[JSONSchema]] = {}
        self._add(schema, "", "")

    def targets(self, schema: Mapping[str, Any]) -> list[JSONSchema]:
        """The schemas that a schema refers to."""
        return self._targets.get(id(schema), [])

    def _add(self, schema: JSONSchema, base: str, pointer: str) -> None:
        for holder, place in list(self._visit(schema, base, pointer)):
            references = [holder[each] for each in ("$ref", "$dynamicRef") if each in holder]
            found = [self._find(each, self._bases[id(holder)], place) for each in references]
            self._targets[id(holder)] = found

    def _visit(
        self, schema: object, base: str, pointer: str
    ) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Check a schema and those in it; gives those that refer to others, and where they are."""
        self._budget.spend()
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            raise InvalidSchemaError(f"{pointer or 'the schema'} is no object and no boolean")
        keywords = cast("dict[str, Any]", schema)
        for keyword, value in keywords.items():
            if keyword in _FORMS and not _FORMS[keyword](value):
                place = f"{pointer}/{keyword}"
                raise InvalidSchemaError(f"{place} does not have the form that the keyword has")
        if "$id" in keywords:
            base = urldefrag(_joined(base, keywords["$id"], pointer)).url
            self._named.setdefault(base, keywords)
        for keyword in ("$anchor", "$dynamicAnchor"):
            if keyword in keywords:
                self._named.setdefault(f"{base}#{keywords[keyword]}", keywords)
        self._bases[id(keywords)] = base
        if "$ref" in keywords or "$dynamicRef" in keywords:
            yield keywords, pointer
        for step, inner in _inner(keywords):
            yield from self._visit(inner, base, f"{pointer}/{step}")

    def _find(self, reference: str, base: str, pointer: str) -> JSONSchema:
        uri, fragment = urldefrag(_joined(base, reference, pointer))
        found = self._named.get(uri)
        if fragment and not fragment.startswith("/"):
            found = self._named.get(f"{uri}#{fragment}")
        elif found is not None:
            found = _at(found, unquote(fragment))
        if found is None:
            raise InvalidSchemaError(
                f"{pointer or 'the schema'} refers to {reference!r}, which is not in it"
            )
        if not isinstance(found, bool) and id(found) not in self._bases:
            # It lies where no schema is looked for, so that it was not read yet.
            self._add(found, uri, reference)
        return found


def type_of(value: object) -> str:
    """The type of a JSON value; `number` for whole numbers, too."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def key_of(value: object) -> object:
    """Something hashable that is equal for JSON values that are equal, and for no others."""
    match value:
        case bool():
            return ("boolean", value)
        case list():
            return ("array", tuple(map(key_of, cast("list[object]", value))))
        case dict():
            members = cast("dict[str, object]", value).items()
            return ("object", frozenset((name, key_of(each)) for name, each in members))
        case _:
            return value


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The schemas right inside of a schema, and the steps of a pointer that lead to them."""
    for keyword, value in schema.items():
        if keyword in _SCHEMA:
            yield keyword, value
        elif keyword in _SCHEMAS:
            for index, each in enumerate(value):
                yield f"{keyword}/{index}", each
        elif keyword in _NAMED_SCHEMAS:
            for name, each in value.items():
                yield f"{keyword}/{name}", each


def _joined(base: str, reference: str, pointer: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        raise InvalidSchemaError(
            f"{pointer or 'the schema'} has {reference!r}, which is no URI"
        ) from None


def _at(schema: JSONSchema, pointer: str) -> JSONSchema | None:
    """What a JSON pointer leads to; None when that is no schema."""
    found: object = schema
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = cast("dict[str, object]", found)[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit():
            elements = cast("list[object]", found)
            found = next(iter(elements[int(name[:9]) :]), None)
        else:
            return None
    if isinstance(found, bool):
        return found
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) or abs(value) < float("inf")


def _is_count(value: object) -> bool:
    return _is_number(value) and value == int(cast("float", value)) >= 0


def _is_list(value: object, check: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(check, cast("list[object]", value)))


def _is_schemas(value: object) -> bool:
    return isinstance(value, list) and bool(cast("list[object]", value))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_type(value: object) -> bool:
    names = cast("list[object]", value) if isinstance(value, list) else [value]
    return bool(names) and all(name in TYPES for name in names)


def _is_lists_of_names(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return all(_is_list(each, _is_text) for each in cast("dict[str, object]", value).values())


_FORMS: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(_SCHEMAS, _is_schemas),
    **dict.fromkeys(_NAMED_SCHEMAS, _is_object),
    **dict.fromkeys(_COUNTS, _is_count),
    **dict.fromkeys(_NUMBERS, _is_number),
    **dict.fromkeys(_TEXTS, _is_text),
    "type": _is_type,
    "enum": lambda value: isinstance(value, list),
    "required": lambda value: _is_list(value, _is_text),
    "dependentRequired": _is_lists_of_names,
    "uniqueItems": lambda value: isinstance(value, bool),
    "multipleOf": lambda value: _is_number(value) and cast("float", value) > 0,
}
"""What the value of a keyword has to be."""
