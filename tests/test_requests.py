"""What a client sends is strict in its values (E4), and open only where a rule says so: N1, T5, Z6 to Z8, and N4 for
what came from a server.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openresponses_kit as kit
import pytest
from changes import NULL_ONLY, places, replaced, sample, unknowns, with_unknown
from hypothesis import given
from hypothesis import strategies as st
from payloads import ANY_JSON, NEWEST, TEXTS, Component, bounded, component, components, same_json
from pydantic import BaseModel, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from conftest import Reader

Readers = Callable[..., "Reader"]
Body = kit.CreateResponseBody

REQUESTS = [each for each in components(NEWEST) if each.side == "request" and not each.is_enum]
BODIES = (kit.CreateResponseBody, kit.WebSocketResponseCreateEvent, kit.CompactResponseMethodPublicBody)
MODELS: list[type[BaseModel]] = [
    model for each in REQUESTS if isinstance(model := getattr(kit, each.symbol), type) and issubclass(model, BaseModel)
]
THING = {"type": "acme:thing", "id": "x_1", "status": "searching", "acme:query": {"b": [1, None], "a": ""}}
USER = {"type": "message", "role": "user", "content": "hi"}


def wire(request: BaseModel) -> Any:
    return json.loads(request.model_dump_json())


def errors(read: Callable[..., Any], *given_: Any, **arguments: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """The errors of what is refused, each by its path and kind."""
    with pytest.raises(ValidationError) as refusal:
        read(*given_, **arguments)
    return [(line["loc"], line["type"]) for line in refusal.value.errors(include_url=False)]


def is_subsequence(pointer: tuple[str | int, ...], loc: tuple[str | int, ...]) -> bool:
    steps = iter(loc)
    return all(step in steps for step in pointer)


def input_errors(item: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return errors(Body.model_validate_json, json.dumps({"input": [item]}))


# Strict in its values: E4.


@pytest.mark.parametrize("each", REQUESTS, ids=str)
def test_e4_unknown_enum_values_are_refused(each: Component, reader: Readers) -> None:
    """N4 is for servers: a client's new enum value is an error, at any depth."""
    payload = sample(each, deep=True)
    found = [place for place in places(each, payload) if place.parent and place.chosen.is_enum]
    for place in found:
        for value in ("new value", "acme:new", "", place.value.upper()):
            changed = replaced(payload, place.pointer, value)
            kinds = {kind for _, kind in errors(reader(each.symbol).parse_json, json.dumps(changed))}
            assert kinds == {"literal_error"}


@pytest.mark.parametrize(
    ("field", "values"),
    {
        "temperature": ("0.5", True, [0.5]),
        "max_output_tokens": (16.0, "16", 15, True),
        "top_logprobs": (21, -1, 0.5),
        "stream": (1, 0, "true"),
        "store": ("yes", 1),
        "model": (5, ["m"]),
        "metadata": ({"a": 1}, {"a": "x" * 513}, {str(n): "" for n in range(17)}),
        "include": ("reasoning.encrypted_content", [None]),
        "safety_identifier": ("x" * 65, 5),
        "tool_choice": ("any", 5, [], {}),
        "input": (5, {}, [5], ["hi"], [None], {"type": "message"}),
    }.items(),
)
def test_e4_values_are_not_converted(field: str, values: tuple[Any, ...]) -> None:
    """A number is no string and a string no number, parsed or constructed; the error is at the field."""
    for value in values:
        for found in (
            errors(Body.model_validate_json, json.dumps({field: value})),
            errors(Body.model_validate, {field: value}),
            errors(Body, **{field: value}),
        ):
            assert {loc[0] for loc, _ in found} == {field}


# Unknown fields: T5, and misspelled ones.


@pytest.mark.parametrize("each", REQUESTS, ids=str)
def test_t5_unknown_fields_are_kept_when_parsing(each: Component, reader: Readers) -> None:
    read = reader(each.symbol)
    payload = sample(each, deep=True)
    fields = [thing for thing in unknowns(each, payload, THING, "") if thing.kind == "field"]
    for things in ([], fields, *([field] for field in fields)):
        changed = with_unknown(payload, things)
        assert same_json(read.dump_json(read.parse_json(json.dumps(changed))), changed)
        assert same_json(read.dump(read.parse(changed)), changed)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_t5_misspelled_arguments_are_refused_by_name(model: Any) -> None:
    """Constructing is checked where parsing is not; the error names each argument, and the class."""
    each = next(each for each in REQUESTS if each.symbol == model.__name__)
    payload = {**sample(each), "no_such_field": None, "instrucions": "be brief"}
    with pytest.raises(ValidationError) as refusal:
        model(**payload)
    lines = refusal.value.errors(include_url=False)
    assert {line["loc"] for line in lines} == {("no_such_field",), ("instrucions",)}
    assert all(model.__name__ in line["msg"] and "no such field" in line["msg"] for line in lines)
    assert "instrucions" in str(refusal.value)


@pytest.mark.parametrize("each", REQUESTS, ids=str)
def test_t5_a_field_named_like_a_python_attribute_is_unknown(each: Component) -> None:
    """`schema_` is how `schema` is written in Python, and means nothing on the wire."""
    model = getattr(kit, each.symbol)
    for name, info in getattr(model, "model_fields", {}).items():
        if info.alias is not None:
            payload = sample(each)
            value = payload.pop(info.alias)
            added = {**payload, name: value}
            assert wire(model.model_validate_json(json.dumps(added))) == added
            assert wire(model(**{**payload, name: value})) == {**payload, info.alias: value}


# Types: N1.


@pytest.mark.parametrize("each", REQUESTS, ids=str)
def test_n1_prefixed_types_pass(each: Component, reader: Readers) -> None:
    """In every union of what a client sends, `vendor:name` is kept whole."""
    read = reader(each.symbol)
    payload = sample(each, deep=True)
    for thing in unknowns(each, payload, THING, ""):
        if thing.kind in {"variant", "item"}:
            changed = with_unknown(payload, [thing])
            assert same_json(read.dump_json(read.parse_json(json.dumps(changed))), changed)
            assert same_json(read.dump(read.parse(changed)), changed)


@pytest.mark.parametrize("each", REQUESTS, ids=str)
def test_n1_other_unknown_types_are_refused(each: Component, reader: Readers) -> None:
    read = reader(each.symbol)
    payload = sample(each, deep=True)
    for type_ in ("web_search_call", "acme", "Message", "", "acme/thing"):
        for thing in unknowns(each, payload, {**THING, "type": type_}, ""):
            if thing.kind in {"variant", "item"}:
                changed = with_unknown(payload, [thing])
                ((loc, kind),) = errors(read.parse_json, json.dumps(changed))
                assert kind == "unknown_tag"
                assert is_subsequence(thing.pointer, loc)


@pytest.mark.parametrize("type_", [":", "acme:", ":thing"])
def test_n1_a_prefixed_type_has_a_prefix_and_a_name(type_: str) -> None:
    assert [kind for _, kind in input_errors({**THING, "type": type_})] == ["unknown_tag"]
    assert errors(Body.model_validate, {"tools": [{**THING, "type": type_}]})


@bounded(40)
@given(st.dictionaries(TEXTS, ANY_JSON, max_size=4))
def test_n1_items_and_tools_of_vendors_are_not_touched(fields: dict[str, Any]) -> None:
    item = {**fields, "type": "acme:item"}
    payload = {
        "input": [item, USER],
        "tools": [{**fields, "type": "acme:tool"}],
        "tool_choice": {**fields, "type": "a:b"},
    }
    assert same_json(wire(Body.model_validate_json(json.dumps(payload))), payload)
    assert same_json(wire(Body(**payload)), payload)


def test_n1_vendor_classes_are_constructed_with_any_field() -> None:
    item = kit.UnknownItemParam(type="acme:search", query="x", options={"deep": None})
    tool = kit.UnknownToolParam(type="acme:search", max_results=3)
    assert wire(Body(input=[item], tools=[tool])) == {
        "input": [{"type": "acme:search", "query": "x", "options": {"deep": None}}],
        "tools": [{"type": "acme:search", "max_results": 3}],
    }
    assert errors(Body, input=[kit.UnknownItemParam(type="search")])[0][1] == "unknown_tag"


# What came from a server goes back: N4, R2.

SENT = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "so"}]},
    {
        "type": "reasoning",
        "id": "rs_2",
        "summary": [{"type": "summary_text", "text": "s"}, {"type": "new_part", "x": None}],
        "content": [
            {"type": "reasoning_text", "text": "", "sig": "=="},
            {"type": "output_text", "text": "t", "annotations": []},
        ],
        "encrypted_content": "gAAAA/+==",
    },
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "x" * 2000, "created_by": "acme", "acme:k": [1.0, 1]},
    {"type": "web_search_call", "id": "ws_1", "status": "done", "action": {"z": 1, "a": None}},
    {"type": "acme:search", "id": "as_1", "status": "completed", "results": []},
    {"type": "function_call", "id": "f", "call_id": "", "name": "no name!", "arguments": '{ "a":1.0}', "status": "new"},
    {
        "type": "function_call_output",
        "id": "o",
        "call_id": "c",
        "output": [{"type": "new_part"}],
        "status": "completed",
    },
    {
        "type": "message",
        "id": "msg_1",
        "status": "cut",
        "role": "narrator",
        "phase": "epilogue",
        "content": [
            {"type": "output_text", "text": "t", "annotations": [{"type": "acme:note"}], "logprobs": []},
            {"type": "summary_text", "text": "s"},
        ],
    },
]


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
def test_r2_output_becomes_input_unchanged(model: Any) -> None:
    """Items of a response are not checked again, though none of these would be taken from a client."""
    output = TypeAdapter(list[kit.ItemField]).validate_json(json.dumps(SENT))
    arguments = {"model": "m"} if model is kit.CompactResponseMethodPublicBody else {}
    request = model(
        input=[*output, {"role": "user", "content": "go on"}, kit.UserMessageItemParam(content="!")], **arguments
    )
    dumped = wire(request)
    assert same_json(dumped["input"][:-2], SENT)
    assert json.dumps(dumped["input"][3]) == json.dumps(SENT[3])
    assert [item["content"] for item in dumped["input"][-2:]] == ["go on", "!"]
    assert same_json(request.model_dump(mode="json"), dumped)


@bounded(40)
@given(st.lists(component("ItemField").payloads, max_size=4), component("CompactResource").payloads)
def test_r2_any_output_becomes_input_unchanged(items: list[Any], compacted: Any) -> None:
    """C2 too: the output of a compaction is the head of a later input."""
    output = TypeAdapter(list[kit.ItemField]).validate_json(json.dumps(items))
    head = kit.CompactResource.model_validate_json(json.dumps(compacted)).output
    assert same_json(wire(Body(input=[*head, *output])), {"input": [*compacted["output"], *items]})


def test_r2_a_response_on_its_way_back_is_not_changed() -> None:
    """The response is still what it was, and reasoning keeps its class."""
    output = TypeAdapter(list[kit.ItemField]).validate_json(json.dumps(SENT))
    before = copy.deepcopy(output)
    request = Body(input=output)
    wire(request)
    assert output == before
    assert isinstance(request.input, list)
    assert request.input[0] is output[0]


def test_z5_echoed_tools_go_back() -> None:
    """Z19: their parameters are what they were, in their order."""
    sent = [
        {"type": "function", "name": "a b", "description": None, "parameters": {"z": 1, "a": 1.0}, "strict": None},
        {"type": "web_search", "filters": None},
    ]
    tools = TypeAdapter(list[kit.Tool]).validate_json(json.dumps(sent))
    assert Body(tools=tools).model_dump_json() == json.dumps({"tools": sent}, separators=(",", ":"))


@pytest.mark.parametrize("payload", SENT[3:], ids=lambda item: item["type"])
def test_n4_the_same_as_plain_json_is_checked(payload: Any) -> None:
    """What a server cannot know to come from itself is checked as a client's own."""
    if payload["type"] == "acme:search":
        assert wire(Body.model_validate({"input": [payload]})) == {"input": [payload]}
    else:
        assert input_errors(payload)


def test_z6_reasoning_with_content_is_read_from_the_wire() -> None:
    """Null by the schema, a list in the field: kept either way, unknown parts among it; nothing else is taken."""
    for content in (None, [], *(item["content"] for item in SENT[:2])):
        payload = {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "content": content}]}
        assert wire(Body.model_validate_json(json.dumps(payload))) == payload
        assert wire(Body(**payload)) == payload
    for content in ("so", {}, 5, [5], [{"text": "so"}], [{"type": "reasoning_text"}]):
        found = input_errors({"type": "reasoning", "summary": [], "content": content})
        assert {"reasoning", "content"} <= {*found[0][0]}
    assert set(NULL_ONLY) == {("ReasoningItemParam", "content"), ("JsonSchemaResponseFormat", "schema")}


# WebSocket: W1.


@pytest.mark.parametrize("field", ["stream", "stream_options", "background"])
@pytest.mark.parametrize("value", [True, False, None, "x", {}], ids=repr)
def test_w1_fields_of_http_are_refused_by_name(field: str, value: Any) -> None:
    payload = {"type": "response.create", "model": "m", field: value}
    for read, given_ in (
        (kit.WebSocketResponseCreateEvent.model_validate_json, json.dumps(payload)),
        (kit.WebSocketResponseCreateEvent.model_validate, payload),
    ):
        assert errors(read, given_) == [((field,), "forbidden_field")]
    if value is not None:  # None leaves a field out when constructing
        assert errors(kit.WebSocketResponseCreateEvent, **{field: value}) == [((field,), "forbidden_field")]
    assert field not in kit.WebSocketResponseCreateEvent.model_fields


def test_w1_all_of_them_are_reported_together_and_say_what_is_wrong() -> None:
    with pytest.raises(ValidationError) as refusal:
        kit.WebSocketResponseCreateEvent.model_validate({"stream": 1, "background": 1, "type": "response.create"})
    lines = refusal.value.errors(include_url=False)
    assert {line["loc"] for line in lines} == {("background",), ("stream",)}
    assert all("must be absent" in line["msg"] for line in lines)


@bounded(30)
@given(component("CreateResponseBody").payloads)
def test_w1_a_frame_is_a_body_and_a_type(body: dict[str, Any]) -> None:
    payload = {**body, "type": "response.create"}
    forbidden = {"stream", "stream_options", "background"} & body.keys()
    if forbidden:
        assert {loc for loc, _ in errors(kit.WebSocketResponseCreateEvent.model_validate, payload)} == {
            (name,) for name in forbidden
        }
    else:
        assert same_json(wire(kit.WebSocketResponseCreateEvent.model_validate(payload)), payload)
        assert errors(kit.WebSocketResponseCreateEvent.model_validate, body) == [(("type",), "missing")]
