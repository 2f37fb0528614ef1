"""Items without a type: a message is known by its role (Z7), a reference by having neither (Z8), and the error of one
that is malformed is its own.
"""

from __future__ import annotations

import json
from typing import Any

import openresponses_kit as kit
import pytest
from pydantic import BaseModel, ValidationError

Body = kit.CreateResponseBody
ROLES = ("user", "system", "developer", "assistant")
TYPES = ("item_reference", "reasoning", "compaction", "message", "function_call", "function_call_output")


def wire(request: BaseModel) -> Any:
    return json.loads(request.model_dump_json())


def lines(payload: Any) -> list[Any]:
    """The errors of a request that is refused; the same ones from JSON as from Python, but for how some are called."""
    with pytest.raises(ValidationError) as refusal:
        Body.model_validate_json(json.dumps(payload))
    with pytest.raises(ValidationError) as again:
        Body.model_validate(payload)
    found = refusal.value.errors(include_url=False)
    assert [line["loc"] for line in found] == [line["loc"] for line in again.value.errors(include_url=False)]
    return found


def own_error(payload: dict[str, Any]) -> Any:
    """The one error of a payload; where a type is missing, that may be said besides."""
    found = lines(payload)
    own = [line for line in found if line["type"] != "unknown_tag"]
    assert len(found) <= 2
    assert len(own) <= 1
    return own[0] if own else found[0]


def is_subsequence(pointer: tuple[str | int, ...], loc: tuple[str | int, ...]) -> bool:
    steps = iter(loc)
    return all(step in steps for step in pointer)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("type_", [{}, {"type": None}], ids=str)
def test_z7_a_message_without_type_is_a_message(role: str, type_: dict[str, Any]) -> None:
    for content in ("hi", [{"type": "input_text" if role != "assistant" else "output_text", "text": "hi"}]):
        item = {**type_, "role": role, "content": content, "id": "msg_1"}
        for request in (
            Body.model_validate_json(json.dumps({"input": [item]})),
            Body.model_validate({"input": [item]}),
            Body(input=[item]),
        ):
            assert isinstance(request.input, list)
            assert type(request.input[0]).__name__.lower() == f"{role}messageitemparam"
            assert wire(request) == {"input": [{**item, "type": "message"}]}


@pytest.mark.parametrize(
    ("spoilt", "steps", "kind"),
    [
        ({"content": 5}, ("content",), "wrong_shape"),
        ({"content": [{"type": "input_text"}]}, ("content", 0, "input_text", "text"), "missing"),
        ({"role": "narrator"}, (), "unknown_tag"),
        ({"id": 5}, ("id",), "string_type"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": "message"}], ids=str)
def test_z7_a_malformed_message_has_its_own_errors_only(
    type_: dict[str, str], spoilt: dict[str, Any], steps: tuple[str | int, ...], kind: str
) -> None:
    """With or without `type`, the error is about what is wrong with the message."""
    line = own_error({"input": [{**type_, "role": "user", "content": "hi", **spoilt}]})
    assert line["type"] == kind
    assert is_subsequence(("input", 0, *steps), line["loc"])


@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": "item_reference"}], ids=str)
def test_z8_item_reference_without_type(type_: dict[str, Any]) -> None:
    """Missing, null and named are all legal, and stay what they are."""
    payload = {"input": [{**type_, "id": "msg_1"}]}
    request = Body.model_validate_json(json.dumps(payload))
    assert isinstance(request.input, list)
    assert isinstance(request.input[0], kit.ItemReferenceParam)
    assert wire(request) == payload


@pytest.mark.parametrize("type_", [{}, {"type": None}, {"type": "item_reference"}], ids=str)
def test_z8_a_malformed_reference_has_its_own_errors_only(type_: dict[str, Any]) -> None:
    line = own_error({"input": [{**type_, "id": 5}]})
    assert line["type"] == "string_type"
    assert is_subsequence(("input", 0, "id"), line["loc"])


@pytest.mark.parametrize("type_", [{}, {"type": "json_schema"}], ids=str)
def test_a_malformed_format_without_type_has_its_own_errors_only(type_: dict[str, Any]) -> None:
    """The type of a JSON-schema format may be left out, too."""
    line = own_error({"text": {"format": {**type_, "name": 5}}})
    assert line["type"] == "string_type"
    assert is_subsequence(("text", "format", "name"), line["loc"])
    payload = {"text": {"format": {**type_, "name": "n"}}}
    assert wire(Body.model_validate(payload)) == payload


@pytest.mark.parametrize("type_", ["", "user", "new", 5, 0, False, [], {}], ids=repr)
def test_z7_a_role_does_not_make_up_for_a_wrong_type(type_: Any) -> None:
    (line,) = lines({"input": [{"type": type_, "role": "user", "content": "hi"}]})
    assert is_subsequence(("input", 0), line["loc"])


def test_e3_the_error_of_an_unknown_type_says_which_types_there_are() -> None:
    """Roles are no types."""
    (line,) = lines({"input": [{"type": "new", "id": "x"}]})
    assert all(repr(type_) in line["msg"] for type_ in TYPES)
    assert not any(repr(role) in line["msg"] for role in ROLES)


@pytest.mark.parametrize("role", [*TYPES, "acme:role", None, 5], ids=repr)
def test_z7_a_type_in_the_place_of_a_role_is_no_type(role: Any) -> None:
    """Nothing but a message is known by its role."""
    lines({"input": [{"role": role, "content": "hi"}]})
    lines({"input": [{"type": "message", "role": role, "content": "hi"}]})


def test_z8_messages_are_told_apart_by_role() -> None:
    """The four variants share a type, and each takes only parts of its own."""
    parts = {"user": "input_image", "system": "input_text", "developer": "input_text", "assistant": "refusal"}
    for role, part in parts.items():
        for other in set(parts.values()):
            content = [{"type": other, "text": "t", "refusal": "r"}]
            allowed = other == part or (role, other) == ("user", "input_text")
            item = {"type": "message", "role": role, "content": content}
            if allowed:
                assert wire(Body.model_validate({"input": [item]})) == {"input": [item]}
            else:
                assert [line["type"] for line in lines({"input": [item]})] == ["unknown_tag"]
