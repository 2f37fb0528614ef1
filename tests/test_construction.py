"""Objects made in Python, and what of them is on the wire (Z1, Z17, Z19): every field that was given, every constant,
nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openresponses_kit as kit
import pytest
from changes import ANYTHING, sample
from hypothesis import given
from hypothesis import strategies as st
from payloads import ANY_JSON, NEWEST, TEXTS, Component, bounded, components, same_json
from pydantic import BaseModel, ValidationError

Body = kit.CreateResponseBody
OBJECTS = [
    each
    for each in components(NEWEST)
    if isinstance(model := getattr(kit, each.symbol), type) and issubclass(model, BaseModel)
]
USER = {"type": "message", "role": "user", "content": "hi"}


def wire(made: BaseModel) -> Any:
    return json.loads(made.model_dump_json())


def errors(read: Callable[..., Any], *given_: Any, **arguments: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """The errors of what is refused, each by its path and kind."""
    with pytest.raises(ValidationError) as refusal:
        read(*given_, **arguments)
    return [(line["loc"], line["type"]) for line in refusal.value.errors(include_url=False)]


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in names}


# Constants.


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_constants_need_not_be_given_and_are_on_the_wire(each: Component) -> None:
    """Of requests, responses and events alike, with every other field or with those that are required only."""
    model = getattr(kit, each.symbol)
    (option,) = each.options
    always = option.fixed
    every = without(sample(each), *always)
    least = without(every, *(every.keys() - option.schema.get("required", ())))
    for fields in (every, least):
        made = model(**fields)
        assert same_json(wire(made), {**fields, **always})
        assert same_json(made.model_dump(mode="json"), {**fields, **always})
        assert made == model.model_validate({**fields, **always})


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_constants_may_be_given_as_on_the_wire(each: Component) -> None:
    """What was dumped can be given to the constructor again; another value than the one is an error at that field."""
    model = getattr(kit, each.symbol)
    (option,) = each.options
    payload = sample(each)
    assert same_json(wire(model(**payload)), payload)
    for name in option.fixed:
        assert {loc for loc, _ in errors(model, **{**payload, name: "other"})} == {(name,)}


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_parsing_asks_for_the_constants_that_the_schema_requires(each: Component) -> None:
    model = getattr(kit, each.symbol)
    (option,) = each.options
    payload = sample(each)
    for name in option.fixed:
        rest = without(payload, name)
        if name in option.schema.get("required", ()):
            assert errors(model.model_validate, rest) == [((name,), "missing")]
            assert errors(model.model_validate_json, json.dumps(rest)) == [((name,), "missing")]
        else:
            assert same_json(wire(model.model_validate(rest)), rest)


# Absent and null.


def fields_of(each: Component) -> list[tuple[str, bool, bool]]:
    """The properties of an object that are no constants: name, whether required, whether nullable."""
    (option,) = each.options
    found = ((name, each.document.options(schema)) for name, schema in option.properties.items())
    required = option.schema.get("required", ())
    return [
        (name, name in required, any(option.fits(None) for option in options))
        for name, options in found
        if options and name not in option.fixed
    ]


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_null_is_kept_where_it_is_allowed(each: Component) -> None:
    model = getattr(kit, each.symbol)
    for name, _, nullable in fields_of(each):
        if nullable:
            payload = {**sample(each), name: None}
            assert same_json(wire(model.model_validate_json(json.dumps(payload))), payload), name
            assert same_json(wire(model(**without(payload, *each.options[0].fixed))), payload), name


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_null_is_refused_where_it_is_not_and_none_leaves_a_field_out(each: Component) -> None:
    """On the wire null is an error; None as an argument means that an omittable field is left out."""
    model = getattr(kit, each.symbol)
    for name, required, nullable in fields_of(each):
        if not nullable:
            payload = {**sample(each), name: None}
            assert {loc[0] for loc, _ in errors(model.model_validate_json, json.dumps(payload))} == {name}
            assert {loc[0] for loc, _ in errors(model.model_validate, payload)} == {name}
            if required:
                assert {loc[0] for loc, _ in errors(model, **payload)} == {name}
            else:
                assert same_json(wire(model(**payload)), without(payload, name)), name


def default_of(each: Component, name: str) -> Any:
    """What the schema says that a property left out means; None where it says nothing."""
    options = each.document.options(each.options[0].properties[name])
    return next((option.schema["default"] for option in options if "default" in option.schema), None)


@pytest.mark.parametrize("each", OBJECTS, ids=str)
def test_z1_absent_stays_absent(each: Component) -> None:
    """In Python it is the default that the schema states, or None."""
    model = getattr(kit, each.symbol)
    for name, required, _ in fields_of(each):
        payload = without(sample(each), name)
        if required:
            assert errors(model.model_validate, payload) == [((name,), "missing")]
            assert {loc for loc, _ in errors(model, **payload)} == {(name,)}
        else:
            attribute = next(key for key, info in model.model_fields.items() if (info.alias or key) == name)
            for made in (model.model_validate_json(json.dumps(payload)), model(**payload)):
                assert same_json(wire(made), payload), name
                assert getattr(made, attribute) == default_of(each, name)


def test_z1_there_are_fields_of_all_three_classes() -> None:
    """Guards the tests above."""
    classes = {(required, nullable) for each in OBJECTS for _, required, nullable in fields_of(each)}
    assert classes == {(True, False), (True, True), (False, False), (False, True)}


def test_z1_all_nones_at_once_leave_the_omittable_fields_out() -> None:
    fields = fields_of(next(each for each in OBJECTS if each.name == "CreateResponseBody"))
    made = Body(**{name: None for name, _, _ in fields})
    assert wire(made) == {name: None for name, _, nullable in fields if nullable}


def test_z1_a_field_set_later_is_on_the_wire_and_one_set_to_none_is_not() -> None:
    body = Body(model="m", store=True, instructions="be brief")
    body.store = None
    body.instructions = None
    body.input = "hi"
    assert wire(body) == {"model": "m", "instructions": None, "input": "hi"}
    assert wire(body.model_copy(update={"stream": True})) == {**wire(body), "stream": True}


def test_z1_nested_objects_may_be_dictionaries_or_objects() -> None:
    part = {"type": "input_text", "text": "hi"}
    message = {"type": "message", "role": "user", "content": [part]}
    for made in (
        kit.UserMessageItemParam(content=[kit.InputTextContentParam(text="hi")]),
        kit.UserMessageItemParam(content=[part]),
        message,
    ):
        assert wire(Body(input=[made])) == {"input": [message]}
    text = kit.TextParam(format=kit.JsonSchemaResponseFormatParam(name="n", schema={"b": 1, "a": {}}))
    assert wire(Body(text=text))["text"]["format"] == {"type": "json_schema", "name": "n", "schema": {"b": 1, "a": {}}}


# Python objects that are as good as JSON.


class Text(str):
    __slots__ = ()


class Mapped(dict[str, Any]):
    __slots__ = ()


@pytest.mark.parametrize(
    "arguments",
    [
        {"input": Text("hi")},
        {"model": Text("m")},
        {"tool_choice": Text("auto")},
        {"truncation": Text("auto")},
        {"tool_choice": Mapped(type="function", name="f")},
        {"input": [Mapped(USER)]},
        {"text": Mapped(format=None)},
    ],
    ids=str,
)
def test_subclasses_of_str_and_dict_are_taken_wherever_the_plain_ones_are(arguments: dict[str, Any]) -> None:
    assert wire(Body(**arguments)) == arguments


@pytest.mark.parametrize(
    "arguments",
    [
        {"input": (USER,)},
        {"input": [{**USER, "content": ({"type": "input_text", "text": "hi"},)}]},
        {"tools": ({"type": "function", "name": "f"},)},
        {"include": ("reasoning.encrypted_content",)},
    ],
    ids=str,
)
def test_sequences_that_the_typed_dictionaries_admit_are_taken(arguments: dict[str, Any]) -> None:
    """`params` says `Sequence`: a tuple passes the type checker, so it has to pass here."""
    assert same_json(wire(Body(**arguments)), json.loads(json.dumps(arguments)))


@pytest.mark.parametrize("none", [{}, {"store": None}], ids=str)
def test_what_an_iterator_gives_is_not_lost(none: dict[str, None]) -> None:
    """Taken or refused; but never read twice, which leaves nothing."""
    tool = {"type": "function", "name": "f"}
    try:
        made = Body(tools=iter([tool]), **none)
    except ValidationError:
        return
    assert same_json(wire(made), {"tools": [tool]})


def test_a_set_is_no_list() -> None:
    """It has no order, and what is sent has one."""
    assert {loc[0] for loc, _ in errors(Body, include={"reasoning.encrypted_content"})} == {"include"}


# JSON that is only passed on.


def tool(free: Any) -> Any:
    return {"tools": [{"type": "function", "name": "f", "parameters": free}]}


def text_format(free: Any) -> Any:
    return {"text": {"format": {"type": "json_schema", "schema": free}}}


FREE: list[tuple[Callable[[Any], Any], tuple[str | int, ...]]] = [
    (tool, ("tools", 0, "parameters")),
    (text_format, ("text", "format", "schema")),
    (lambda free: {"acme:options": free}, ("acme:options",)),
]


@pytest.mark.parametrize(("request_of", "pointer"), FREE, ids=["parameters", "schema", "vendor"])
@bounded(40)
@given(free=st.dictionaries(TEXTS, ANY_JSON, max_size=4))
def test_z17_z19_free_json_is_unchanged_in_its_order(request_of: Any, pointer: Any, free: Any) -> None:
    """Key order, and what is an integer and what is not, decide about prompt caches and signatures."""
    text = json.dumps(request_of(free))
    for request in (Body.model_validate_json(text), Body.model_validate(request_of(free))):
        for dumped in (request.model_dump_json(), json.dumps(request.model_dump(mode="json"))):
            value: Any = json.loads(dumped)
            for step in pointer:
                value = value[step]
            assert json.dumps(value) == json.dumps(free)


@pytest.mark.parametrize("parameters", [None, {}, ANYTHING, {"type": 5, "": {}}], ids=str)
def test_z17_parameters_take_any_object(parameters: Any) -> None:
    assert wire(kit.FunctionToolParam(name="f", parameters=parameters))["parameters"] == parameters


@pytest.mark.parametrize("parameters", [[], "{}", 5, True], ids=str)
def test_z17_parameters_take_nothing_but_an_object(parameters: Any) -> None:
    assert errors(kit.FunctionToolParam, name="f", parameters=parameters) == [(("parameters",), "dict_type")]


def test_z19_a_number_beyond_a_double_never_becomes_null() -> None:
    """It is legal JSON: kept or refused, but not another value."""
    text = '{"tools": [{"type": "function", "name": "f", "parameters": {"maximum": 1e400}}]}'
    try:
        dumped = Body.model_validate_json(text).model_dump_json()
    except ValidationError:
        return
    assert "null" not in dumped
