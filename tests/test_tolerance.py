"""Tolerant reading: answers that deviate from the schema are delivered, and each deviation is listed with its path.

Answers and events as real servers send them are in `deviating_answers.toml`.
"""

from __future__ import annotations

import copy
import json
import pickle
import tomllib
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import openresponses_kit as kit
import pytest
from changes import at, replaced, sample
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit._base import Omittable, ResponseModel
from openresponses_kit._tolerance import (
    Deviation,
    DeviationWarning,
    Warner,
    deviations_of,
    mend,
    read_mended,
    read_tolerantly,
)
from openresponses_kit._unions import Tagged
from payloads import ANY_JSON, DELETED, NEWEST, Component, Pointer, bounded, component, components, same_json
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from conftest import Reader

Readers = Callable[..., "Reader"]

ANSWERS = tomllib.loads((Path(__file__).parent / "deviating_answers.toml").read_text("utf-8"))["answer"]
every_answer = pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer["name"])
OBJECTS = [
    each
    for each in components(NEWEST)
    if each.side == "response" and all(option.kind == "object" and not option.is_free for option in each.options)
]
every_object = pytest.mark.parametrize("each", OBJECTS, ids=str)
EVENTS = st.sampled_from([component(cls.__name__) for cls in kit.EVENT_TYPES.values()]).flatmap(
    lambda each: each.payloads
)
DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 1,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hel",
}


def kind_of(each: Component) -> Any:
    return getattr(kit, each.symbol)


def dumped(answer: BaseModel) -> Any:
    return json.loads(answer.model_dump_json())


def paths(answer: BaseModel) -> list[str]:
    return [each.path for each in deviations_of(answer)]


def text_of(pointer: Pointer) -> str:
    parts = [f".{step}" if str(step).isidentifier() else f"[{json.dumps(step)}]" for step in pointer]
    return "".join(parts).removeprefix(".")


def pointers(value: Any) -> Iterator[Pointer]:
    """Every place within a JSON value."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = enumerate(value)
    for step, inner in items:
        yield (step,)
        yield from ((step, *rest) for rest in pointers(inner))


def lost(sent: Any, kept: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    """The places whose values are not in what was kept."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for key, value in sent.items():
            yield from lost(value, kept[key], (*pointer, key)) if key in kept else [(*pointer, key)]
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for index, value in enumerate(sent):
            yield from lost(value, kept[index], (*pointer, index))
    elif not same_json(sent, kept):
        yield pointer


def assert_nothing_lost(sent: Any, answer: BaseModel) -> None:
    """What was sent is in the dump, or in a deviation at its place or around it."""
    values = {each.path: each.value for each in deviations_of(answer) if not each.missing}
    for pointer in lost(sent, dumped(answer)):
        around = [pointer[:length] for length in range(len(pointer), 0, -1)]
        found = next((each for each in around if text_of(each) in values), None)
        assert found is not None, pointer
        assert same_json(values[text_of(found)], at(sent, found))


@every_answer
def test_t4_answers_of_real_servers_are_delivered(answer: dict[str, Any]) -> None:
    """T4, Z1, Z2: each deviation is listed, no other is, and all that was sent is still there."""
    kind, sent = getattr(kit, answer["symbol"]), json.loads(answer["sent"])
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_json(answer["sent"])
    read = read_tolerantly(kind, answer["sent"])
    assert paths(read) == answer["deviations"].split()
    assert_nothing_lost(sent, read)


@every_answer
def test_answers_of_real_servers_say_where_they_are_documented(answer: dict[str, Any]) -> None:
    """Guards the table: no answer without server, version and source, none unconfirmed without the reason."""
    assert answer["server"]
    assert answer["version"]
    assert answer["sources"]
    assert all(source.startswith("https://") for source in answer["sources"])
    assert ("doubt" in answer) is not answer["confirmed"]


def test_flat_error_is_read_as_an_error() -> None:
    """Z10: what a server sends without the object around it is found where the schema has it."""
    flat = {"type": "error", "code": "busy", "message": "Try later.", "param": None, "sequence_number": 4}
    event = read_tolerantly(kit.StreamEvent, json.dumps(flat))
    assert (event.error.code, event.error.message, event.error.type) == ("busy", "Try later.", "")
    assert dumped(event) == flat


@every_object
def test_conforming_payloads_do_not_deviate(each: Component) -> None:
    """What the schema allows passes through mending unchanged, and has no deviations when read."""

    @bounded(10)
    @given(each.payloads)
    def check(payload: Any) -> None:
        mended, deviations = mend(kind_of(each), payload)
        assert deviations == []
        assert same_json(mended, payload)

    check()
    assert deviations_of(read_tolerantly(kind_of(each), json.dumps(sample(each)))) == ()


@every_object
def test_any_object_is_mended(each: Component, reader: Readers) -> None:
    """Whatever object stands for an answer, mending it gives one that is valid, and leaves the given one alone."""
    read = reader(each.symbol)

    @bounded(10)
    @given(st.dictionaries(st.sampled_from(sorted(fields_of(each))) | st.text(max_size=3), ANY_JSON))
    def check(payload: Any) -> None:
        before = copy.deepcopy(payload)
        mended, _ = mend(kind_of(each), payload)
        read.parse(mended)
        assert same_json(payload, before)
        assert_nothing_lost(payload, read_tolerantly(kind_of(each), json.dumps(payload)))

    check()


def fields_of(each: Component) -> set[str]:
    return {name for option in each.options for name in option.properties}


@every_object
def test_mutated_payloads_are_mended(each: Component, reader: Readers) -> None:
    """Z1, Z2: wrong values at any depth are mended, and nothing that was sent is lost."""
    read = reader(each.symbol)

    @bounded(20)
    @given(each.payloads, st.lists(st.tuples(st.integers(0, 10**6), ANY_JSON), min_size=1, max_size=4))
    def check(payload: Any, wrong: list[tuple[int, Any]]) -> None:
        for seed, value in wrong:
            found = list(pointers(payload))
            payload = replaced(payload, found[seed % len(found)], value) if found else payload
        mended, _ = mend(kind_of(each), payload)
        read.parse(mended)
        assert_nothing_lost(payload, read_tolerantly(kind_of(each), json.dumps(payload)))

    check()


@every_object
def test_n4_what_is_missing_stays_missing_in_the_dump(each: Component) -> None:
    """R2, N4: dumping a mended answer gives back what the server sent, where it only left things out."""

    @bounded(20)
    @given(each.payloads, st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
    def check(payload: Any, seeds: list[int]) -> None:
        for seed in seeds:
            found = [pointer for pointer in pointers(payload) if isinstance(pointer[-1], str)]
            payload = replaced(payload, found[seed % len(found)], DELETED) if found else payload
        answer = read_tolerantly(kind_of(each), json.dumps(payload))
        assert all(deviation.missing for deviation in deviations_of(answer))
        assert same_json(dumped(answer), payload)
        assert same_json(answer.model_dump(mode="json"), payload)

    check()


def test_r2_items_of_a_mended_answer_go_back_as_they_came() -> None:
    """R2: nothing that was filled in reaches the next request."""
    items = [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "acme": 1}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "opaque"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{ "a":1}'},
        {"type": "web_search_call", "id": "ws_1"},
        {"no": "type"},
    ]
    response = read_tolerantly(kit.ResponseResource, json.dumps({"output": items}))
    request = kit.CreateResponseBody(model="m", input=[*response.output])
    assert dumped(request)["input"] == items


@bounded(60)
@given(EVENTS, st.integers(0, 10**6))
def test_events_are_mended(payload: Any, seed: int) -> None:
    """The same for the union of events, whose type stays what it was."""
    found = [pointer for pointer in pointers(payload) if pointer != ("type",) and isinstance(pointer[-1], str)]
    sent = replaced(payload, found[seed % len(found)], DELETED)
    event = read_tolerantly(kit.StreamEvent, json.dumps(sent))
    assert event.type == payload["type"]
    assert same_json(dumped(event), sent)


@pytest.mark.parametrize(
    ("symbol", "sent", "path", "value"),
    [
        ("Usage", {"input_tokens": 3.0}, "input_tokens", 3),
        ("Usage", {"input_tokens": 3.9}, "input_tokens", 3),
        ("Usage", {"input_tokens": "3"}, "input_tokens", 3),
        ("Usage", {"input_tokens": "3.9"}, "input_tokens", 3),
        ("Usage", {"input_tokens": "three"}, "input_tokens", 0),
        ("Usage", {"input_tokens": True}, "input_tokens", 0),
        ("Usage", {"input_tokens": None}, "input_tokens", 0),
        ("Usage", {"input_tokens": [3]}, "input_tokens", 0),
        ("LogProb", {"logprob": "-0.5"}, "logprob", -0.5),
        ("LogProb", {"logprob": "NaN"}, "logprob", 0),
        ("LogProb", {"logprob": 10**400}, "logprob", 0),
        ("LogProb", {"bytes": [72, "105", None]}, "bytes", [72, 105, 0]),
        ("LogProb", {"bytes": 72}, "bytes", [72]),
        ("FunctionCall", {"call_id": 17}, "call_id", "17"),
        ("FunctionCall", {"call_id": 10**400}, "call_id", str(10**400)),
        ("FunctionCall", {"arguments": {"b": 1, "a": [None]}}, "arguments", '{"b":1,"a":[null]}'),
        ("FunctionCall", {"status": None}, "status", ""),
        ("FunctionCall", {"type": "tool_call"}, "type", "function_call"),
        ("FunctionTool", {"strict": "yes"}, "strict", None),
        ("FunctionTool", {"parameters": []}, "parameters", None),
        ("Message", {"content": {"type": "refusal", "refusal": "No."}}, "content", [{"refusal": "No."}]),
        ("Message", {"content": None}, "content", []),
        ("Message", {"content": [None]}, "content", [{"type": ""}]),
        ("Message", {"phase": None}, "phase", None),
        ("ErrorPayload", {"headers": {"retry-after": 7}}, "headers", {"retry-after": "7"}),
        ("ResponseResource", {"tool_choice": None}, "tool_choice", ""),
        ("ResponseResource", {"tool_choice": {"type": 3}}, "tool_choice", {"type": ""}),
        ("ResponseResource", {"text": "plain"}, "text", {"format": {"type": ""}}),
        ("ResponseResource", {"output": "Hello"}, "output", []),
        ("ResponseResource", {"usage": "none"}, "usage", None),
    ],
    ids=str,
)
def test_values_of_another_type(symbol: str, sent: dict[str, Any], path: str, value: Any) -> None:
    """Z1, Z2: what can be converted is, anything else becomes the zero value; the value itself is in the deviation."""
    whole = {**sample(component(symbol)), **sent}
    mended, deviations = mend(getattr(kit, symbol), whole)
    answer = read_tolerantly(getattr(kit, symbol), json.dumps(whole))
    assert not list(lost(value, mended.get(path))), mended
    assert [each.path.startswith(path) for each in deviations] == [True] * len(deviations) != []
    assert deviations == list(deviations_of(answer))


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "7", "true", "", "{", '{"type": ', b'"\xff"', "[" * 5000])
def test_what_is_no_object_is_refused(text: str | bytes) -> None:
    """An answer that is no JSON object is nothing to mend."""
    with pytest.raises(ValueError, match=r"object is required|line 1"):
        read_tolerantly(kit.StreamEvent, text)
    with pytest.raises(ValueError, match=r"object is required|line 1"):
        read_mended(kit.ResponseResource, text)


def test_not_a_number_is_mended() -> None:
    """JSON has no such numbers; some servers send them all the same."""
    event = read_tolerantly(kit.LogProb, '{"token": "a", "logprob": -Infinity, "bytes": [], "top_logprobs": []}')
    assert (event.logprob, paths(event)) == (0.0, ["logprob"])


def test_reasons_say_what_is_there_and_what_is_required() -> None:
    sent = {
        "type": "message",
        "id": 7,
        "status": None,
        "content": [{"type": "output_text", "text": "a"}],
        "phase": None,
    }
    assert [str(each) for each in mend(kit.Message, sent)[1]] == [
        "id: It is a number; a string is required, and it was converted.",
        "status: It is null; a string is required.",
        "role: It is missing; a string is required.",
        "content[0].annotations: It is missing; a list is required.",
        "phase: It is null; it may be left out, but not be null.",
    ]
    assert str(mend(kit.LogProb, {**sample(component("LogProb")), "logprob": 10**400})[1][0]) == (
        "logprob: It is too large a number; a number is required."
    )


def test_deviations_travel_with_the_answer_and_show_nowhere_else() -> None:
    """They survive every way of copying, and are in no dump, comparison or repr."""
    sent = {**DELTA, "acme": 1}
    del sent["sequence_number"]
    event = read_tolerantly(kit.StreamEvent, json.dumps(sent))
    whole = kit.parse_event(json.dumps({**sent, "sequence_number": 0}))
    (deviation,) = deviations_of(event)
    assert deviation == Deviation("sequence_number", "It is missing; an integer is required.", missing=True)
    for copied in (event.model_copy(), copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert deviations_of(copied) == (deviation,)
        assert copied == event
    assert event.sequence_number == 0
    assert repr(event) == repr(whole)
    assert event.model_dump() == sent
    assert event.model_dump(exclude_unset=False) == whole.model_dump(exclude_unset=False)
    union = TypeAdapter[Any](kit.StreamEvent)
    assert union.dump_python(event, exclude_unset=True) == sent
    assert json.loads(union.dump_json(event, exclude_unset=True)) == sent
    event.model_fields_set.add("sequence_number")
    assert event == whole


def test_strict_reading_leaves_no_trace() -> None:
    """The fast path pays nothing: an event that conforms is the one that the strict reader gives."""
    event = read_tolerantly(kit.StreamEvent, json.dumps(DELTA))
    assert deviations_of(event) == ()
    assert event.__dict__ == kit.parse_event(json.dumps(DELTA)).__dict__


class Point(ResponseModel):
    type: Literal["point"] = "point"
    schema_: Omittable[str] = Field(default=None, alias="schema")
    name: str = Field(alias="the name")


class User(ResponseModel):
    type: Literal["message"] = "message"
    role: Literal["user"] = "user"
    text: str


class Assistant(ResponseModel):
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    text: str


class Tree(ResponseModel):
    children: list[Tree]
    by_name: dict[str, Tree]
    leaf: Omittable[Leaf] = None
    closed: Annotated[Annotated[User | Assistant, Tagged("role")] | Point, Tagged("type")]
    level: Literal[1, 2] | int


class Leaf(ResponseModel):
    slug: Annotated[str, Field(pattern="^[a-z]+$")]


def test_schemas_that_no_official_release_has() -> None:
    """Circles, maps of objects, unions that are closed or nested, names that are no Python names."""
    zero = {"type": "message", "role": "user", "text": ""}
    branch = {"closed": {"type": "message", "role": "assistant"}, "level": True, "children": [], "by_name": {}}
    sent = {
        "children": [{"closed": {"type": "point"}}],
        "by_name": {"a branch": branch, "b": {"closed": {"type": "message", "role": "system"}}},
        "closed": {"type": "line"},
        "level": 3,
    }
    tree = read_tolerantly(Tree, json.dumps(sent))
    assert paths(tree) == [
        "children[0].children",
        "children[0].by_name",
        'children[0].closed["the name"]',
        "children[0].level",
        'by_name["a branch"].closed.text',
        'by_name["a branch"].level',
        "by_name.b.children",
        "by_name.b.by_name",
        "by_name.b.closed",
        "by_name.b.level",
        "closed",
    ]
    assert tree.closed.model_dump() == tree.by_name["b"].closed.model_dump() == zero
    assert_nothing_lost(sent, tree)


def test_limits_that_are_not_of_type_are_refused() -> None:
    """A pattern cannot be met by a zero value: the error of the strict reader says which."""
    with pytest.raises(ValidationError, match="slug"):
        read_tolerantly(Leaf, "{}")


def message_without(name: str, count: int = 1) -> BaseModel:
    parts = [{"type": "output_text", "text": "a", "annotations": []} for _ in range(count)]
    for part in parts:
        del part[name]
    message = {"type": "message", "id": "m", "status": "completed", "role": "assistant", "content": parts}
    return read_tolerantly(kit.ItemField, json.dumps(message))


def warned(warner: Warner, answer: BaseModel) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warner.warn(answer)
    assert all(each.category is DeviationWarning and each.filename == __file__ for each in caught)
    return [str(each.message) for each in caught]


def test_warned_once_for_each_place() -> None:
    """Once for a place in a class, whatever the index, however many answers have it; again for another place."""
    warner = Warner()
    first = "Message deviates from the protocol: content[0].annotations: It is missing; a list is required."
    assert warned(warner, message_without("annotations")) == [first]
    assert warned(warner, message_without("annotations", 3)) == []
    assert len(warned(warner, message_without("text", 3))) == 1
    assert warned(Warner(), message_without("annotations")) == [first]
    bare = {"type": "message", "content": [{"type": "output_text", "text": "a"}]}
    (several,) = warned(warner, read_tolerantly(kit.ItemField, json.dumps(bare)))
    assert several == (
        "Message deviates from the protocol: id: It is missing; a string is required. (and at 2 more places)"
    )


def test_no_warning_without_a_deviation() -> None:
    assert warned(Warner(), kit.parse_event(json.dumps(DELTA))) == []


def test_places_remembered_are_bounded() -> None:
    """A server that invents keys cannot make the client remember without end."""
    warner = Warner(limit=3)
    for number in range(20):
        payload = sample(component("ErrorPayload"))
        answer = read_tolerantly(kit.ErrorPayload, json.dumps({**payload, "headers": {f"h{number}": 1}}))
        assert len(warned(warner, answer)) == (number < 3)


def test_threads_share_a_warner() -> None:
    warner, answer = Warner(), message_without("annotations")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda _: warner.warn(answer), range(200)):
                pass
    assert len(caught) == 1
