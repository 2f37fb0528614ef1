"""Where a payload can be changed: its places, the single changes that make it invalid, and what may be unknown in it.

What the generated models take although the schema does not is listed in `tolerated`, each with the rule that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from payloads import DELETED, Component, Document, Option, Pointer, Schema, json_kind

HUGE = 100_000
"""A limit above this is tried only when asked for: it takes megabytes."""
WRONG = (None, True, 7, 7.5, "unknown", ["unknown"], [], {"unknown": 1}, {})
"""Values of every JSON type."""
ANYTHING = {"b": [1, None, {"c": 0.5}], "a": "text"}
NULL_ONLY = {
    ("ReasoningItemParam", "content"): ("Z6", "array"),
    ("JsonSchemaResponseFormat", "schema"): ("Z4", "object"),
}
"""Properties that are null by the schema, and the type of what the other side puts there all the same."""


@dataclass(frozen=True)
class Place:
    """A value within a payload, and what the schema says about it."""

    pointer: Pointer
    value: Any
    options: tuple[Option, ...]
    chosen: Option
    parent: Place | None = None
    references: int = 0
    """How many components one enters on the way from the payload's own."""
    is_root_union: bool = False

    @property
    def is_variant(self) -> bool:
        """Whether it is an object told apart by `type`, at a place that is open to more types."""
        nested = self.parent is not None or self.is_root_union
        return nested and isinstance(self.value, dict) and self.is_tagged

    @property
    def is_tagged(self) -> bool:
        return any("type" in option.constants for option in self.options)

    @property
    def is_tag(self) -> bool:
        return self.parent is not None and self.pointer[-1] == "type" and self.parent.is_variant

    @property
    def is_open_value(self) -> bool:
        """Whether it is a field whose values are an enum."""
        return self.parent is not None and any(option.is_enum for option in self.options)


def places(component: Component, payload: Any) -> Iterator[Place]:
    """Every place of a valid payload, the payload itself first. What is in free JSON is no place."""
    options = component.options
    root = Place((), payload, options, _chosen(options, payload), is_root_union=component.is_union)
    yield from _within(component.document, root)


def _within(document: Document, place: Place) -> Iterator[Place]:
    yield place
    references = place.references + (place.chosen.component is not None)

    def inner(step: str | int, value: Any, schema: Schema) -> Iterator[Place]:
        options = document.options(schema)
        return _within(
            document, Place((*place.pointer, step), value, options, _chosen(options, value), place, references)
        )

    if isinstance(place.value, list) and "items" in place.chosen.schema:
        for index, value in enumerate(place.value):
            yield from inner(index, value, place.chosen.schema["items"])
    elif isinstance(place.value, dict):
        others = place.chosen.schema.get("additionalProperties", {})
        for name, value in place.value.items():
            if name in place.chosen.properties:
                yield from inner(name, value, place.chosen.properties[name])
            elif others not in (True, {}):
                yield from inner(name, value, others)


def _chosen(options: tuple[Option, ...], value: Any) -> Option:
    return next(option for option in options if option.fits(value))


def sample(component: Component, turn: int = 0, *, deep: bool = False) -> Any:
    """A valid payload, always the same: every property of the component, and what others require.

    Of several options it takes the one whose turn it is. With `deep`, everything is there at every depth, and a list
    has an item of each kind.
    """
    source = component.document

    def made(options: tuple[Option, ...], full: bool) -> Any:
        return simple(options[turn % len(options)], full)

    def simple(option: Option, full: bool) -> Any:
        schema = option.schema
        inner = full and (deep or option.component is None)
        if "enum" in schema:
            return schema["enum"][turn % len(schema["enum"])]
        match option.kind:
            case "array":
                items = source.options(schema["items"])
                every = [simple(each, inner) for each in items] if inner and deep else [made(items, inner)]
                return every if inner else every[: schema.get("minItems", 0)]
            case "object" if option.is_free:
                values = schema.get("additionalProperties", {})
                return (
                    {"key": ANYTHING if values in (True, {}) else made(source.options(values), inner)} if inner else {}
                )
            case "object":
                required = schema.get("required", ())
                fields = {name: source.options(member) for name, member in option.properties.items()}
                return {
                    name: made(options, inner)
                    for name, options in fields.items()
                    if options and (inner or name in required)
                }
            case kind:
                values = {"null": None, "boolean": True, "string": "text", "number": 0.5}
                return max(17, schema.get("minimum", 0)) if kind == "integer" else values.get(kind, ANYTHING)

    return made(component.options, True)


@dataclass(frozen=True)
class Change:
    """A payload that is valid but for one value."""

    place: Place
    value: Any
    payload: Any
    step: Pointer
    """The place within the place: the name of a property that was taken away or added."""

    def __str__(self) -> str:
        what = "deleted" if self.value is DELETED else f"{str(self.value)[:60]!r} ({json_kind(self.value)})"
        return f"/{'/'.join(map(str, (*self.place.pointer, *self.step)))} {what}"


def one_change_invalid(
    payload: Any, component: Component, *, own: bool = False, huge: bool = False
) -> Iterator[Change]:
    """Single changes that make a valid payload invalid by the raw schema, and that the models have to refuse.

    `own`: only places of the component itself, none within the components that it refers to. `huge`: limits of
    megabytes, too.
    """
    for change in candidate_changes(payload, component, own=own, huge=huge):
        if tolerated(change, component) is None and not component.validator.is_valid(change.payload):
            yield change


def candidate_changes(payload: Any, component: Component, *, own: bool = False, huge: bool = False) -> Iterator[Change]:
    """Single changes that may make a payload invalid."""
    for place in places(component, payload):
        if own and place.references:
            continue
        for value in _replacements(place, huge=huge):
            yield Change(place, value, replaced(payload, place.pointer, value), ())
        if isinstance(place.value, dict):
            for name, value in _amendments(place, component.document):
                changed = replaced(payload, (*place.pointer, name), value)
                yield Change(place, value, changed, (name,))


def _replacements(place: Place, *, huge: bool) -> Iterator[Any]:
    is_enum = "enum" in place.chosen.schema
    yield from (value for value in WRONG if is_enum or json_kind(value) != json_kind(place.value))
    for option in place.options:
        yield from _beyond_limits(option.schema, huge=huge)
        if isinstance(option.constant, str):
            yield option.constant.upper()
    if json_kind(place.value) == "integer":
        yield place.value + 0.5
    if json_kind(place.value) == "array" and "minItems" in place.chosen.schema:
        yield place.value[: place.chosen.schema["minItems"] - 1]
        yield place.value[:1] * (place.chosen.schema["maxItems"] + 1)


def _beyond_limits(schema: Schema, *, huge: bool) -> Iterator[Any]:
    if "maxLength" in schema and (huge or schema["maxLength"] < HUGE):
        yield "x" * (schema["maxLength"] + 1)
    if "minLength" in schema:
        yield "x" * (schema["minLength"] - 1)
    if "pattern" in schema:
        yield from ("not a name!", "na\nme", "näme")
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "maxProperties" in schema:
        yield {str(number): "x" for number in range(schema["maxProperties"] + 1)}


def _amendments(place: Place, document: Document) -> Iterator[tuple[str, Any]]:
    yield from ((name, DELETED) for name in place.value if name in place.chosen.schema.get("required", ()))
    for name, schema in place.chosen.properties.items():
        if not document.options(schema):  # a property that must be absent
            yield from ((name, value) for value in (None, True, "x", {}))
    values = place.chosen.schema.get("additionalProperties", {})
    if values not in (True, {}):
        yield from (("other", value) for value in WRONG)
    if "type" in place.chosen.constants:
        tags = {option.constants["type"] for option in place.options if "type" in option.constants}
        yield from (("type", tag) for tag in sorted(tags))


def tolerated(change: Change, component: Component) -> str | None:
    """The rule by which the models take a change that the schema does not; None where they must not.

    Z2 is a rule the other way round: a whole float is no integer to the models, and is one to JSON Schema.
    """
    place, name, value = change.place, (change.step or change.place.pointer)[-1:], change.value
    is_tag = place.is_tag or (place.is_variant and name == ("type",))
    if component.side == "response":
        known = {option.constants.get("type") for option in place.options} if change.step else set()
        if is_tag and isinstance(value, str) and value not in known:
            return "N3"
        if place.is_open_value and isinstance(value, str):
            return "N4"
    owner = (place.parent.chosen.component or component.name) if place.parent else ""
    rule, kind = NULL_ONLY.get((owner, str(name[0]) if name else ""), (None, None))
    if rule and kind == json_kind(value):
        return rule
    message = place if change.step else place.parent
    if is_tag and value in (None, DELETED) and message and message.is_variant and "role" in message.chosen.constants:
        return "Z7"
    return None


def replaced(payload: Any, pointer: Pointer, value: Any) -> Any:
    """The payload with another value at a place; what lies beside the place is shared."""
    if not pointer:
        return value
    step, *rest = pointer
    changed = payload.copy()
    if rest:
        changed[step] = replaced(changed[step], tuple(rest), value)
    elif value is DELETED:
        del changed[step]
    else:
        changed[step] = value
    return changed


@dataclass(frozen=True)
class Unknown:
    """Something that the schema does not name, and where in a payload it goes."""

    kind: str
    """`field`, `value` of an enum, `variant` in place of a known one, or `item` that is added to a list."""
    pointer: Pointer
    value: Any


def unknowns(component: Component, payload: Any, thing: dict[str, Any], text: str) -> Iterator[Unknown]:
    """Every place of a payload where something unknown can be: an object with a new `type`, or a new enum value.

    The thing's other fields also go where a new field can be.
    """
    for place in places(component, payload):
        if place.is_variant:
            yield Unknown("variant", place.pointer, thing)
        if isinstance(place.value, dict) and not place.chosen.is_free:
            yield from (
                Unknown("field", (*place.pointer, name), value)
                for name, value in thing.items()
                if name not in place.chosen.properties
            )
        if place.is_open_value:
            yield Unknown("value", place.pointer, text)
        items = component.document.options(place.chosen.schema.get("items", {}))
        if isinstance(place.value, list) and any("type" in option.constants for option in items):
            yield Unknown("item", (*place.pointer, len(place.value)), thing)


def with_unknown(payload: Any, things: Iterable[Unknown]) -> Any:
    """The payload with unknown things in it."""
    for thing in sorted(things, key=lambda thing: len(thing.pointer), reverse=True):
        # The deepest come first, and items are added at the end, so that no place moves before its turn.
        if thing.kind == "item":
            path = thing.pointer[:-1]
            payload = replaced(payload, path, [*at(payload, path), thing.value])
        else:
            payload = replaced(payload, thing.pointer, thing.value)
    return payload


def at(payload: Any, pointer: Iterable[str | int]) -> Any:
    for step in pointer:
        payload = payload[step]
    return payload
