"""Section Z: where implementations in the field go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from openresponses_codegen.conform.asks import WEATHER, streams, user
from openresponses_codegen.conform.case import RECORD, ask, case
from openresponses_codegen.conform.cases.http import served
from openresponses_codegen.conform.cases.state import stored_item
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import fail, require, skip, some
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, objects, quoted
from openresponses_codegen.conform.record import Record
from openresponses_codegen.conform.schema import Kind
from openresponses_codegen.conform.story import Story

PARAMETERS = (
    '{"type": "object", "properties": {"z": {"type": "number", "minimum": 1.0, "maximum": 1e2}, '
    '"a": {"type": "string", "x-conform": {"b": [1, 2.50, null], "a": {}}}}, "required": ["z", "a"], "$comment": "ä"}'
)
"""The parameters of a function, with an order, number forms and keywords that are easily lost."""


@ask
async def bare_tool(probe: Probe) -> Answer:
    """A tool of which only the name is given."""
    return await probe.create(
        input=[user("Say hello.")], tools=[{"type": "function", "name": "noop"}], tool_choice="none"
    )


@ask
async def tool_with_parameters(probe: Probe) -> Answer:
    """A tool whose parameters are to come back as they are."""
    tool = {"type": "function", "name": "measure", "description": "Measures.", "parameters": "PARAMETERS"}
    body = json.dumps(probe.body({"input": "Say hello.", "tools": [tool], "tool_choice": "none"}))
    return await probe.send("POST", "/responses", body.replace('"PARAMETERS"', PARAMETERS))


@ask
async def allowed_tools(probe: Probe) -> Answer:
    """Allowed tools."""
    choice = {"type": "allowed_tools", "tools": [{"type": "function", "name": WEATHER["name"]}], "mode": "auto"}
    return await probe.create(input=[user("Say hello.")], tools=[WEATHER], tool_choice=choice)


@ask
async def json_format(probe: Probe) -> Answer:
    """An answer by a JSON schema."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "place", "schema": schema, "strict": True}
    return await probe.create(input=[user("Name a city.")], text={"format": form})


@ask
async def raw_reasoning_given(probe: Probe) -> Answer:
    """Reasoning with its raw trace in the input."""
    reasoning = {
        "type": "reasoning",
        "id": "rs_conform",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "They greet me."}],
    }
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    return await probe.create(input=[user("Hello."), reasoning, said, user("How are you?")])


@ask
async def untyped_message(probe: Probe) -> Answer:
    """A message without its type."""
    return await probe.create(input=[{"role": "user", "content": "Say hello."}])


@ask
async def untyped_reference(probe: Probe) -> Answer:
    """A reference without its type."""
    item_id = await stored_item(probe)
    return await probe.create(input=[{"id": item_id}, user("What did you say?")])


@ask
async def every_role(probe: Probe) -> Answer:
    """Messages of every role."""
    roles = ("system", "developer", "user", "assistant", "user")
    return await probe.create(input=[{"type": "message", "role": role, "content": "Hello."} for role in roles])


def _served(answer: Answer) -> Json:
    """The response; the case is skipped where the feature is refused."""
    if answer.is_refused:
        skip(f"the server takes no such request: {answer.outline()}")
    return answer.response()


@case("Z1-nulls", RECORD)
def nulls(record: Record) -> None:
    """What may be left out but not be null is never null in a response."""
    some(record.responses(), "no request was answered with a response object")
    for each in record.deviating(Kind.NULL):
        fail(str(each.finding), each.ask)


@case("Z1-event-fields", streams)
def event_fields(stories: list[Story]) -> None:
    """Events of texts have the fields of the schema."""
    for story in stories:
        for event in story.events:
            kind = str(event.get("type"))
            if kind.endswith((".delta", ".done")) and "item" not in event and "part" not in event:
                for finding in story.schemas.event_findings(event):
                    fail(f"{kind}: {finding}", story.name)


@case("Z2-integer-times", RECORD)
def integer_times(record: Record) -> None:
    """`created_at` and `completed_at` are integers."""
    for answer in some(record.responses(), "no request was answered with a response object"):
        for name in ("created_at", "completed_at"):
            given = answer.found.get(name)
            require(given is None or type(given) is int, f"`{name}` is {quoted(given)}", answer.ask)


@case("Z3-event-names", RECORD)
def event_names(record: Record) -> None:
    """Events of the standard have the names of the schema."""
    for answer in some((each for each in record.answers if each.is_streamed), "nothing was streamed"):
        for event in answer.raw_events:
            kind = str(event.get("type"))
            known = kind in record.schemas.events or not kind.startswith("response.") or ":" in kind
            require(known, f"there is an event {quoted(kind)}", answer.ask)


@case("Z4-format", json_format)
def json_schema_format(answer: Answer) -> None:
    """The format of a JSON schema is repeated with `name`, `description` and `strict`."""
    form = as_object(as_object(_served(answer).get("text")).get("format"))
    missing = [name for name in ("type", "name", "description", "schema", "strict") if name not in form]
    require(not missing, f"the format {quoted(form)} lacks {quoted(missing)}")
    given = (form["type"], form["name"], form["strict"])
    require(given == ("json_schema", "place", True), f"the format is {quoted(form)}")


@case("Z5-tools", bare_tool)
def whole_tools(answer: Answer) -> None:
    """A tool is repeated with `description`, `parameters` and `strict`."""
    for tool in some(objects(_served(answer).get("tools")), "no tool was repeated"):
        missing = [name for name in ("name", "description", "parameters", "strict") if name not in tool]
        require(not missing, f"the tool {quoted(tool)} lacks {quoted(missing)}")


@case("Z5-mode", allowed_tools)
def mode(answer: Answer) -> None:
    """An `allowed_tools` choice is repeated with its `mode`."""
    choice = _served(answer).get("tool_choice")
    require("mode" in as_object(choice), f"`tool_choice` is {quoted(choice)}")


@case("Z6-raw-reasoning", raw_reasoning_given)
def raw_reasoning(answer: Answer) -> None:
    """Raw reasoning is accepted in input, as servers send it."""
    served(answer, "a reasoning item with `content`")


@case("Z7-untyped-message", untyped_message)
def message_without_type(answer: Answer) -> None:
    """`{role, content}` without a type is read as a message."""
    served(answer, "a message without `type`")


@case("Z8-untyped-reference", untyped_reference)
def reference_without_type(answer: Answer) -> None:
    """`{id}` without a type is read as a reference."""
    served(answer, "a reference without `type`")


@case("Z8-roles", every_role)
def roles(answer: Answer) -> None:
    """Messages are told apart by their role."""
    served(answer, "messages of the roles system, developer, user and assistant")


@case("Z9-no-status", RECORD, advice=True)
def no_status(record: Record) -> None:
    """A reasoning item has no `status`."""
    found = [(each.ask, item) for each in record.answers for item in items_of(each.found, "reasoning")]
    for name, item in some(found, "the model did not reason"):
        require("status" not in item, f"the item has the status {quoted(item.get('status'))}", name)


@case("Z12-empty-arguments", streams)
def empty_arguments(stories: list[Story]) -> None:
    """A function call is opened with empty arguments."""
    found = [(story.name, item) for story in stories for item in story.items if item.kind == "function_call"]
    for name, item in some(found, "no function call was streamed"):
        given = item.first.get("arguments", "")
        require(given == "", f"a call was opened with the arguments {quoted(given)}", name)


@case("Z12-annotations", streams)
def empty_annotations(stories: list[Story]) -> None:
    """A text part is opened with an empty list of annotations."""
    found = [
        (story.name, part)
        for story in stories
        for item in story.items
        for part in item.content
        if part.kind == "output_text"
    ]
    for name, part in some(found, "no text was streamed"):
        given = as_object(part.opened["part"]).get("annotations", [])
        require(given == [], f"a part was opened with the annotations {quoted(given)}", name)


@case("Z13-content-index", streams)
def content_index(stories: list[Story]) -> None:
    """`content_index` starts at 0 in every item."""
    for story in stories:
        for item in story.items:
            indices = [part.index for part in item.content]
            require(indices == list(range(len(indices))), f"the indices are {quoted(indices)}", story.name)


def _parameters(answer: Answer) -> Any:
    return some(objects(_served(answer).get("tools")), "no tool was repeated")[0].get("parameters")


@case("Z17-free-object", tool_with_parameters)
def free_object(answer: Answer) -> None:
    """The parameters of a function come back with all their keywords."""
    given = _parameters(answer)
    require(given == json.loads(PARAMETERS), f"`parameters` are {quoted(given, 400)}")


@case("Z19-key-order", tool_with_parameters)
def key_order(answer: Answer) -> None:
    """The parameters of a function keep the order of their keys."""
    given = _parameters(answer)
    if given == json.loads(PARAMETERS):
        orders = [list(_keys(each)) for each in (given, json.loads(PARAMETERS))]
        require(orders[0] == orders[1], f"the keys come as {quoted(orders[0])}")


@case("Z19-number-forms", tool_with_parameters)
def number_forms(answer: Answer) -> None:
    """The parameters of a function keep the forms of their numbers."""
    if _parameters(answer) == json.loads(PARAMETERS):
        body = json.loads(answer.body, parse_float=str, parse_int=str)
        given, expected = body["tools"][0]["parameters"], json.loads(PARAMETERS, parse_float=str, parse_int=str)
        require(given == expected, f"with their numbers as strings, `parameters` are {quoted(given, 400)}")


def _keys(value: object) -> Iterator[str]:
    """All keys of a JSON value, depth first."""
    for name, inner in as_object(value).items():
        yield name
        yield from _keys(inner)
