"""The unions of the package, on both sides: a known variant that is malformed is refused, with the errors of that
variant alone (N3), and what is no variant at all with one error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_args, get_origin

import openresponses_kit as kit
import pytest
from changes import Place, one_change_invalid, places, replaced, sample
from openresponses_kit import _base
from payloads import DELETED, NEWEST, Component, component, components
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

if TYPE_CHECKING:
    from conftest import Reader

Readers = Callable[..., "Reader"]
Loc = tuple[str | int, ...]

COMPONENTS = {each.symbol: each for each in components(NEWEST)}
TAGS = {option.fixed.get("type") for each in COMPONENTS.values() for option in each.options}
BODIES = [
    component(name)
    for name in ("ResponseResource", "CompactResource", "CreateResponseBody", "CompactResponseMethodPublicBody")
]
EVENTS = [COMPONENTS[each.__name__] for each in kit.EVENT_TYPES.values()]


def classes(kind: Any) -> Iterator[type[BaseModel]]:
    """The classes of a union, at any depth."""
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) is not None:
        for member in get_args(kind):
            yield from classes(member)


def unions() -> Iterator[tuple[str, list[str]]]:
    """Each union of objects that are told apart by a type, and its known variants."""
    for name in kit.__all__:
        value = getattr(kit, name)
        if isinstance(value, TypeAliasType) and "list[" not in str(value.__value__):
            members = list(classes(value))
            unknown = [member for member in members if issubclass(member, UNKNOWN)]
            returned = _base.ResponseModel if any(issubclass(member, _base.RequestModel) for member in members) else ()
            if unknown:
                known = [each for each in members if not issubclass(each, UNKNOWN) and not issubclass(each, returned)]
                yield name, [member.__name__ for member in known]


UNKNOWN = (_base.UnknownVariant, _base.UnknownVariantParam)
UNIONS = dict(unions())
VARIANTS = [(union, variant) for union, variants in UNIONS.items() for variant in variants]


def errors(read: Callable[[Any], Any], payload: Any) -> list[tuple[Loc, str]]:
    """The errors of a payload that is refused, each by its path and kind."""
    with pytest.raises(ValidationError) as refusal:
        read(payload)
    return [(line["loc"], line["type"]) for line in refusal.value.errors(include_url=False)]


def is_subsequence(pointer: Loc, loc: Loc) -> bool:
    steps = iter(loc)
    return all(step in steps for step in pointer)


def test_every_union_of_the_schema_is_one_of_the_package() -> None:
    """DESIGN 7. Guards the tables here: each object that the raw schema tells apart by its type is in one of them."""
    spelled = {
        place.chosen.component
        for each in COMPONENTS.values()
        if not each.is_enum
        for turn in range(9)
        for place in places(each, sample(each, turn, deep=True))
        if place.is_variant
    }
    known = {COMPONENTS[variant].name for _, variant in VARIANTS}
    assert spelled - {None} == known - {each.name for each in EVENTS}
    assert len(EVENTS) == 24
    assert len(UNIONS) >= 20


@pytest.mark.parametrize(("union", "variant"), VARIANTS)
def test_n3_a_malformed_known_variant_has_its_own_errors_only(union: str, variant: str) -> None:
    """The union says what the variant's class says, line by line, below one path that names no other variant."""
    each = COMPONENTS[variant]
    within: TypeAdapter[Any] = TypeAdapter(getattr(kit, union))
    alone: TypeAdapter[Any] = TypeAdapter(getattr(kit, variant))
    tag = each.options[0].fixed["type"]
    for change in one_change_invalid(sample(each), each, own=True):
        is_about_role = ("role",) in {change.step, change.place.pointer}
        if isinstance(change.payload, dict) and change.payload.get("type") == tag and not is_about_role:
            compare(errors(within.validate_python, change.payload), errors(alone.validate_python, change.payload), tag)
            text = json.dumps(change.payload)
            compare(errors(within.validate_json, text), errors(alone.validate_json, text), tag)


def compare(within: list[tuple[Loc, str]], alone: list[tuple[Loc, str]], tag: str) -> None:
    prefix = within[0][0][: len(within[0][0]) - len(alone[0][0])]
    assert within == [((*prefix, *loc), kind) for loc, kind in alone]
    assert tag in prefix
    assert not (TAGS - {tag, "text"}).intersection(prefix)


@pytest.mark.parametrize("each", [*BODIES, *EVENTS], ids=str)
def test_n3_a_malformed_variant_deep_inside_has_its_own_errors_only(each: Component, reader: Readers) -> None:
    payload = sample(each, deep=True)
    read = kit.parse_event if each in EVENTS else reader(each.symbol).parse_json
    for place in places(each, payload):
        if place.is_variant and place.parent:
            for name, changed in malformed(place, payload):
                for loc, _ in errors(read, json.dumps(changed)):
                    assert is_subsequence((*place.pointer, name), loc)


def malformed(place: Place, payload: Any) -> Iterator[tuple[str, Any]]:
    """The payload with the variant spoilt: without each of its fields, and with a number for each of its strings."""
    for name in place.value:
        if name not in {"type", "role"}:
            if name in place.chosen.schema["required"]:
                yield name, replaced(payload, (*place.pointer, name), DELETED)
            if place.chosen.properties[name].get("type") == "string":
                yield name, replaced(payload, (*place.pointer, name), 5)


@pytest.mark.parametrize("union", UNIONS)
def test_n3_an_object_without_a_type_is_refused(union: str) -> None:
    """With one error, but where a variant may leave its type out: then the error may as well be about that variant."""
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(kit, union))
    for payload in ({}, {"x": None}, {"type": 5}, {"type": ["message"]}, {"type": {}}):
        if union not in {"ItemParam", "InputParam", "TextFormatParam"} or "type" in payload:
            assert len(errors(adapter.validate_python, payload)) == 1
            assert len(errors(adapter.validate_json, json.dumps(payload))) == 1


@pytest.mark.parametrize("union", UNIONS)
def test_what_is_no_object_is_refused_with_one_error(union: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(kit, union))
    for payload in (None, True, 5, [], [{"type": "acme:x"}]):
        assert len(errors(adapter.validate_python, payload)) == 1
        assert len(errors(adapter.validate_json, json.dumps(payload))) == 1
