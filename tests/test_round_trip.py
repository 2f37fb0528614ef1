"""Payloads of every component of every release: valid ones come back as they went in, invalid ones are refused.

The payloads are drawn from the raw documents, so that nothing of the generator decides what they look like.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from changes import Change, candidate_changes, one_change_invalid, places, replaced, sample, tolerated
from conftest import Reader
from hypothesis import given
from hypothesis import strategies as st
from payloads import RELEASES, Component, bounded, component, components, document, json_kind, same_json
from pydantic import ValidationError

EVERY = [each for release in RELEASES for each in components(release)]
every_component = pytest.mark.parametrize("each", EVERY, ids=str)
Readers = Callable[..., Reader]


def refused(read: Callable[[Any], Any], payload: Any) -> bool:
    try:
        read(payload)
    except ValidationError:
        return True
    return False


def samples(each: Component, *, deep: bool = False) -> Iterator[Any]:
    seen: list[Any] = []
    for turn in range(3):
        payload = sample(each, turn, deep=deep)
        if payload not in seen:
            seen.append(payload)
            yield payload


def test_there_are_all_components() -> None:
    assert {release: len(document(release).schemas) for release in RELEASES} == {"2026-01-15": 102, "2026-04-24": 108}


@every_component
def test_drawn_payloads_are_valid(each: Component) -> None:
    """Guards the tests below: what they draw is valid JSON Schema as `jsonschema` understands it."""

    @bounded(3)
    @given(each.payloads)
    def check(payload: Any) -> None:
        each.validator.validate(payload)

    check()
    for payload in [*samples(each), *samples(each, deep=True)]:
        each.validator.validate(payload)


@every_component
def test_valid_payloads_round_trip(each: Component, reader: Readers) -> None:
    """Z1, T5: whatever the schema allows is parsed, and is dumped as it was, absent and null told apart."""
    read = reader(each.symbol, each.release)

    @bounded(10)
    @given(each.payloads)
    def check(payload: Any) -> None:
        assert_round_trip(read, payload)

    check()
    for payload in [*samples(each), *samples(each, deep=True)]:
        assert_round_trip(read, payload)


def assert_round_trip(read: Reader, payload: Any) -> None:
    for parsed in (read.parse_json(json.dumps(payload)), read.parse(payload)):
        assert same_json(read.dump(parsed), payload)
        assert same_json(read.dump_json(parsed), payload)


@every_component
def test_one_change_is_refused_at_every_place(each: Component, reader: Readers) -> None:
    """E4: each place of the component itself, against everything that the schema does not allow there."""
    read = reader(each.symbol, each.release)
    accepted = [
        str(change)
        for payload in samples(each)
        for change in one_change_invalid(payload, each, own=True)
        if not (refused(read.parse, change.payload) and refused(read.parse_json, json.dumps(change.payload)))
    ]
    assert accepted == []


@every_component
def test_one_change_is_refused_at_any_depth(each: Component, reader: Readers) -> None:
    """E4: a place somewhere in a drawn payload, within whatever it is nested in."""
    read = reader(each.symbol, each.release)

    @bounded(5)
    @given(each.payloads, st.integers(0, 10**6))
    def check(payload: Any, seed: int) -> None:
        change = any_change(payload, each, seed)
        if change is not None:
            assert refused(read.parse_json, json.dumps(change.payload)), change
            assert refused(read.parse, change.payload), change

    check()


def any_change(payload: Any, each: Component, seed: int) -> Change | None:
    """One of the changes that make a payload invalid; None when there is none."""
    candidates = list(candidate_changes(payload, each))
    start = seed % max(1, len(candidates))
    for change in itertools.islice(candidates[start:] + candidates[:start], 40):
        if tolerated(change, each) is None and not each.validator.is_valid(change.payload):
            return change
    return None


@every_component
def test_limits_of_megabytes_are_kept(each: Component, reader: Readers) -> None:
    read = reader(each.symbol, each.release)
    accepted = [
        str(change.place.pointer)
        for payload in samples(each)
        for change in candidate_changes(payload, each, own=True, huge=True)
        if isinstance(change.value, str) and len(change.value) > 100_000 and not refused(read.parse, change.payload)
    ]
    assert accepted == []


@every_component
def test_z2_whole_floats_are_no_integers(each: Component, reader: Readers) -> None:
    """Z2: `1.0` is an integer to JSON Schema, and is refused all the same."""
    read = reader(each.symbol, each.release)
    for payload in samples(each):
        for place in places(each, payload):
            if not place.references and place.chosen.kind == "integer":
                changed = replaced(payload, place.pointer, float(place.value))
                assert each.validator.is_valid(changed)
                assert refused(read.parse, changed), place.pointer
                assert refused(read.parse_json, json.dumps(changed)), place.pointer


def spec_examples() -> Iterator[Any]:
    for release in RELEASES:
        for name, schema in document(release).schemas.items():
            if "example" in schema:
                yield pytest.param(component(name, release), schema["example"], id=f"{release}-{name}")


@pytest.mark.parametrize(("each", "example"), list(spec_examples()))
def test_examples_of_the_spec_round_trip(each: Component, example: Any, reader: Readers) -> None:
    each.validator.validate(example)
    assert_round_trip(reader(each.symbol, each.release), example)


@pytest.mark.parametrize("release", RELEASES)
def test_every_example_is_one_of_a_component(release: str) -> None:
    """Guards the test above: no example hides where it does not look."""
    schemas = document(release).schemas
    everywhere = json.dumps(document(release).root).count('"example":')
    assert sum("example" in schema for schema in schemas.values()) == everywhere > 20


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("ItemField", {"type": "other"}), "N3"),
        (("ReasoningBody", {"summary": [{"type": "other"}]}), "N3"),
        (("Message", {"status": "other"}), "N4"),
        (("ReasoningItemParam", {"content": []}), "Z6"),
        (("JsonSchemaResponseFormat", {"schema": {}}), "Z4"),
        (("ItemParam", {"type": None}), "Z7"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_tolerated_is_taken(change: tuple[str, dict[str, Any]], rule: str, reader: Readers) -> None:
    """Guards `tolerated`: the schema refuses what the rule allows, and the models take it."""
    name, amendment = change
    each = component(name)
    turn = next(turn for turn in range(9) if rule != "Z7" or "role" in sample(each, turn))
    payload = {**sample(each, turn), **amendment}
    assert not each.validator.is_valid(payload)
    assert json_kind(reader(name).dump(reader(name).parse(payload))) == "object"
