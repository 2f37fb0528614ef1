"""Whether what a server sends has the shape that the document of the release gives it.

Reading is by the rules for what servers send: a type of a vendor is none of the document's business (rule N4), and in a
union the variant is chosen by its `type`, so that what is said about a malformed item is about that item.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from itertools import islice
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from openresponses_codegen import resources
from openresponses_codegen.conform.reading import Json, as_object, quoted
from openresponses_codegen.diagnostics import shown

MAX_FINDINGS = 20
"""So many deviations of one value are told; a thousand more say no more."""
MAX_ELEMENTS = 200
"""So many elements of an array are looked at."""

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": (int, float),
    "number": (int, float),
    "null": type(None),
}


class Kind(StrEnum):
    """What is wrong about a value."""

    MISSING = "missing"
    NULL = "null"
    SHAPE = "shape"
    UNKNOWN_TYPE = "unknown type"
    """A type that the document does not know, without a vendor's prefix."""


@dataclass(frozen=True)
class Finding:
    """A place where a value does not have the shape it should have."""

    kind: Kind
    path: str
    message: str

    def __str__(self) -> str:
        """Path and message."""
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(frozen=True)
class _Member:
    """A member of a union, and by which constants it is known."""

    schema: Json
    constants: Mapping[str, list[Any]]

    def fits(self, value: object) -> bool:
        """Whether it is meant by a value: its JSON type fits, and so do its constants."""
        kind = self.schema.get("type")
        if kind is not None and not isinstance(value, _KINDS[kind]):
            return False
        if isinstance(value, bool) and kind in {"integer", "number"}:
            return False
        given = as_object(value)
        return all(given[name] in values for name, values in self.constants.items() if name in given)


class Schemas:
    """The schemas of a release."""

    def __init__(self, document: Json) -> None:
        self._components: Json = document["components"]["schemas"]
        content = document["paths"]["/responses"]["post"]["responses"]["200"]["content"]
        members = (self._target(each) for each in content["text/event-stream"]["schema"]["oneOf"])
        self.events: Mapping[str, Json] = {_constant(each): each for each in members}
        """The schema of each event by its name, which is that of the schema's enum (rule Z3)."""
        items = self._components["ItemField"]["oneOf"]
        self.items: Mapping[str, Json] = {_constant(each): each for each in map(self._target, items)}
        """The schema of each output item by its `type`."""
        self._unions: dict[int, list[_Member]] = {}
        extend = import_module("jsonschema.validators").extend  # it is not typed
        self._validator: Any = extend(
            Draft202012Validator, {"$ref": self._ref, "oneOf": self._union, "anyOf": self._union, "items": _first_items}
        )

    def findings(self, value: object, component: str) -> list[Finding]:
        """What is wrong about a value that should be of a component."""
        return self._findings(value, self._components[component])

    def event_findings(self, event: Json) -> list[Finding]:
        """What is wrong about an event; nothing, where the document does not know it."""
        schema = self.events.get(str(event.get("type")))
        return self._findings(event, schema) if schema is not None else []

    def event_has(self, kind: str, name: str) -> bool:
        """Whether the schema of an event has a field."""
        return name in self.events.get(kind, {}).get("properties", {})

    def item_has(self, kind: str, name: str) -> bool:
        """Whether the schema of an item has a field."""
        return name in self.items.get(kind, {}).get("properties", {})

    def _findings(self, value: object, schema: Json) -> list[Finding]:
        try:
            errors: list[ValidationError] = list(islice(self._validator(schema).iter_errors(value), MAX_FINDINGS))
        except RecursionError:
            return [Finding(Kind.SHAPE, "", "it is nested too deep to be read")]
        return [Finding(_kind(each), _path(each.absolute_path), _message(each)) for each in errors]

    def _target(self, schema: Json) -> Json:
        """The schema behind references and behind `allOf` of one."""
        while True:
            if "$ref" in schema:
                schema = self._components[schema["$ref"].rsplit("/", 1)[1]]
            elif "allOf" in schema and "properties" not in schema:
                schema = schema["allOf"][0]
            else:
                return schema

    def _ref(self, validator: Any, ref: str, instance: object, _: Json) -> Generator[ValidationError]:
        yield from validator.descend(instance, self._components[ref.rsplit("/", 1)[1]])

    def _union(self, validator: Any, members: list[Json], instance: object, _: Json) -> Generator[ValidationError]:
        fitting = [each.schema for each in self._members(members) if each.fits(instance)]
        if not fitting:
            yield from self._no_member(members, instance)
            return
        errors: list[ValidationError] = []
        for each in fitting:
            errors = list(islice(validator.descend(instance, each), MAX_FINDINGS))
            if not errors:
                return
        yield from errors

    def _members(self, members: list[Json]) -> list[_Member]:
        """The members of a union, those of unions in it included."""
        if id(members) not in self._unions:
            self._unions[id(members)] = list(self._flat(members))
        return self._unions[id(members)]

    def _flat(self, members: Iterable[Json]) -> Iterator[_Member]:
        for each in map(self._target, members):
            nested = each.get("oneOf") or each.get("anyOf")
            if nested:
                yield from self._flat(nested)
            else:
                yield _Member(each, _constants(each))

    def _no_member(self, members: list[Json], instance: object) -> Iterator[ValidationError]:
        tag = as_object(instance).get("type")
        known = {value for each in self._members(members) for value in each.constants.get("type", ())}
        if isinstance(tag, str) and tag not in known:
            if ":" not in tag:
                yield ValidationError(f"the type {quoted(tag)} is not known", "unknown", instance=instance)
        else:
            yield ValidationError(f"{quoted(instance, 60)} is nothing that is allowed here", "type", instance=instance)


def _first_items(validator: Any, items: Json, instance: object, _: Json) -> Generator[ValidationError]:
    for at, element in enumerate(cast("list[object]", instance)[:MAX_ELEMENTS] if isinstance(instance, list) else ()):
        yield from validator.descend(element, items, path=at)


def _constants(schema: Json) -> Mapping[str, list[Any]]:
    """The properties that have one value, or that and null, by which members of a union are told apart."""
    found: dict[str, list[Any]] = {}
    for name, property_schema in schema.get("properties", {}).items():
        choices = property_schema.get("anyOf", [property_schema])
        values = choices[0].get("enum", ())
        if len(values) == 1:
            found[name] = [*values, *([None] if len(choices) > 1 else [])]
    return found


def _constant(schema: Json) -> str:
    return str(schema["properties"]["type"]["enum"][0])


def _kind(error: ValidationError) -> Kind:
    if error.validator == "required":
        return Kind.MISSING
    if error.validator == "unknown":
        return Kind.UNKNOWN_TYPE
    return Kind.NULL if error.instance is None else Kind.SHAPE


def _message(error: ValidationError) -> str:
    return "null is not allowed" if error.instance is None else shown(error.message, 200)


def _path(steps: Iterable[str | int]) -> str:
    """A path as errors write it (rule E3)."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return path.removeprefix(".")


@cache
def schemas(release: str) -> Schemas:
    """The schemas of a bundled release."""
    return Schemas(json.loads(resources.releases()[release].read_text("utf-8")))
