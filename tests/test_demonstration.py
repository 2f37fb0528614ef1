"""What the demonstration says and does, through a real server and this package's own client, read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator
from openresponses_kit import BadRequestError, NotFoundError, OpenResponses, StreamFailedError, tool
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from payloads import RELEASES
from pydantic import BaseModel
from running_server import running

KEYS = ("a-key-for-tests", "another-key-for-tests")
Json = dict[str, Any]


@pytest.fixture(scope="module", params=RELEASES)
def demo(request: pytest.FixtureRequest, package: Callable[[str], ModuleType]) -> Iterator[Any]:
    """A client of a demonstration, of each release."""
    kit = package(request.param)
    service = import_module(f"{kit.__name__}.server.demonstration").DemonstrationService()
    app = import_module(f"{kit.__name__}.server").create_app(service, store="memory:")
    with running(app) as server, kit.OpenResponses(base_url=f"{server.url}/v1", max_retries=0, strict=True) as client:
        yield client.responses


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where a demonstration of the newest release is, which has keys."""
    with running(create_app(DemonstrationService(), store="memory:", api_keys=KEYS)) as server:
        yield f"{server.url}/v1"


@pytest.fixture(scope="module")
def newest(url: str) -> Iterator[OpenResponses]:
    with OpenResponses(base_url=url, api_key=KEYS[0], max_retries=0, strict=True) as client:
        yield client


def user(*content: Json | str) -> Json:
    """A message of a user."""
    parts = [{"type": "input_text", "text": each} if isinstance(each, str) else each for each in content]
    return {"type": "message", "role": "user", "content": parts}


def image(**fields: Any) -> Json:
    return {"type": "input_image", **fields}


def file(**fields: Any) -> Json:
    return {"type": "input_file", **fields}


def calls_of(response: Any) -> list[str]:
    return [item.name for item in response.output if item.type == "function_call"]


PNG = "data:image/png;base64,iVBORw0KGgo="
WORDS: dict[str, tuple[Any, str]] = {
    "nothing": ([], "Nothing was said yet."),
    "a text": ("Hello", "You said: “Hello”."),
    "a sentence": ("Hello there!", "You said: “Hello there!”"),
    "two parts": ([user("Hello", "there")], "You said: “Hello there”."),
    "white space": ([user(" Hello\n\n there ")], "You said: “Hello there”."),
    "a long text": ("x" * 401, f"You said: “{'x' * 400}…”"),
    "an image": (
        [user(image(image_url="https://a.example/1.png"))],
        "I got an image (https://a.example/1.png, detail auto).",
    ),
    "an image in the request": (
        [user(image(image_url=PNG, detail="low"))],
        "I got an image (image/png, 34 characters, detail low).",
    ),
    "a text and an image": (
        [user("Look at this:", image(image_url="https://a.example/1.png", detail="high"))],
        "You said: “Look at this:” I got an image (https://a.example/1.png, detail high).",
    ),
    "a file by name": ([user(file(filename="a.pdf"))], "I got a file (a.pdf)."),
    "a file by address": ([user(file(file_url="https://a.example/a.txt"))], "I got a file (https://a.example/a.txt)."),
    "a file with data": ([user(file(filename="a.txt", file_data="aGk="))], "I got a file (a.txt, 4 characters)."),
    "a file as a data URL": (
        [user(file(file_data="data:text/plain;base64,aGk="))],
        "I got a file (text/plain, 27 characters).",
    ),
    "a file without anything": ([user(file())], "I got a file (without a source)."),
    "several things": (
        [user(file(filename="a"), file(filename="b"), file(filename="c"))],
        "I got a file (a), a file (b) and a file (c).",
    ),
    "a part that is not known": ([user({"type": "acme:sound", "id": "1"})], "I got a part of type acme:sound."),
    "what was said last": ([user("One"), user("Two")], "You said: “Two”. Our conversation has 2 items so far."),
}


@pytest.mark.parametrize(("given", "said"), WORDS.values(), ids=WORDS)
def test_it_says_what_it_got(demo: Any, given: Any, said: str) -> None:
    """Text, images, files and what it does not know, in words; streamed it is the same."""
    assert demo.create(model="m", input=given).output_text == said
    with demo.stream(model="m", input=given) as stream:
        assert "".join(each.delta for each in stream if each.type == "response.output_text.delta") == said
        assert stream.get_final_response().output_text == said


def test_it_says_what_it_was_instructed(demo: Any) -> None:
    """In this turn, not in the next (P1)."""
    first = demo.create(model="m", input="Hello", instructions="Be brief.")
    assert first.output_text == "My instructions are: “Be brief.” You said: “Hello”."
    again = demo.create(model="m", input="Hello", previous_response_id=first.id)
    assert "instructions" not in again.output_text


FACTS: dict[str, tuple[Sequence[str], str, str]] = {
    "a name": (["My name is Ada."], "What is my name?", "your name is Ada"),
    "a name, shortly": (["Hi, my name's Ada."], "What is my name?", "your name is Ada"),
    "who one is": (["My name is Ada."], "Who am I?", "your name is Ada"),
    "the latest value": (["My name is Ada.", "My name is Grace."], "What is my name?", "your name is Grace"),
    "in one breath": (["My name is Ada"], "Now my name is Grace. What is my name?", "your name is Grace"),
    "one of several": (
        ["My name is Ada and my dog is called Rex."],
        "What is my dog called?",
        "your dog is called Rex",
    ),
    "one of two in a sentence": (["My name is Ada and my dog is called Rex."], "My name?", "your name is Ada"),
    "all": (
        ["My cat is old; my dog is young."],
        "What do you know?",
        "your cat is old; your dog is young",
    ),
    "with dots": (["My version is 3.11 on a.example."], "Which version?", "your version is 3.11 on a.example"),
    "of a thing": (["The code is 4711!"], "Tell me the code", "the code is 4711"),
    "a note": (["Please remember: buy some milk."], "What should I buy?", "buy some milk"),
    "a note of a fact": (["Remember that the code is 4711."], "What is the code?", "the code is 4711"),
    "in another script": (["My name is 愛子."], "What is my name?", "your name is 愛子"),
    "no question": (["Is my name Ada? My cat is old."], "What do you know?", "your cat is old"),
}
facts = pytest.mark.parametrize(("told", "asked", "recalled"), FACTS.values(), ids=FACTS)


@facts
def test_p1_it_recalls_what_it_was_told(demo: Any, told: Sequence[str], asked: str, recalled: str) -> None:
    """Across stored responses, and in a window that is sent again."""
    previous = None
    for each in told:
        previous = demo.create(model="m", input=each, previous_response_id=previous).id
    wanted = f"You told me: {recalled}."
    continued = demo.create(model="m", input=asked, previous_response_id=previous)
    assert continued.output_text.startswith(wanted), continued.output_text
    window = demo.create(model="m", input=[user(each) for each in [*told, asked]])
    assert window.output_text.startswith(wanted)


@facts
def test_c2_it_recalls_what_was_compacted(
    newest: OpenResponses, told: Sequence[str], asked: str, recalled: str
) -> None:
    """The compacted window, handed back unchanged, holds what was told (C1)."""
    compacted = newest.responses.compact(model="m", input=[user(each) for each in told])
    assert [each.type for each in compacted.output] == ["compaction"]
    again = newest.responses.create(model="m", input=[*compacted.output, user(asked)])
    assert again.output_text.startswith(f"You told me: {recalled}."), again.output_text


@facts
def test_w4_it_recalls_what_was_told_on_a_connection(
    newest: OpenResponses, told: Sequence[str], asked: str, recalled: str
) -> None:
    """Also where nothing is stored."""
    with newest.responses.connect() as connection:
        for each in told:
            connection.create(model="m", input=each, store=False).get_final_response()
        answer = connection.create(model="m", input=asked, store=False).get_final_response()
        assert answer.output_text.startswith(f"You told me: {recalled}.")


def test_nothing_of_another_caller_is_recalled(newest: OpenResponses, url: str) -> None:
    """A response of one key is not found with another, by HTTP and by WebSocket."""
    told = newest.responses.create(model="m", input="My name is Ada.")
    with OpenResponses(base_url=url, api_key=KEYS[1], max_retries=0, strict=True) as other:
        with pytest.raises(NotFoundError) as refused:
            other.responses.create(model="m", input="Who am I?", previous_response_id=told.id)
        assert refused.value.code == "previous_response_not_found"
        with other.responses.connect() as connection, pytest.raises(StreamFailedError):
            connection.create(model="m", input="Who am I?", previous_response_id=told.id).get_final_response()
        assert "Ada" not in other.responses.create(model="m", input="Who am I?").output_text


def test_c1_a_compaction_keeps_the_latest_answer(newest: OpenResponses) -> None:
    """Its id, text and phase; what was said before is in the compaction; usage adds up."""
    first = newest.responses.create(model="m", input="My name is Ada.")
    compacted = newest.responses.compact(model="m", previous_response_id=first.id)
    kept, compaction = compacted.output
    assert (kept.id, kept.phase) == (first.output[0].id, "final_answer")
    assert kept.content[0].text == first.output_text
    assert compaction.type == "compaction"
    usage = compacted.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    twice = newest.responses.compact(model="m", input=[*compacted.output, user("My dog is old.")])
    answer = newest.responses.create(model="m", input=[*twice.output, user("What do you know?")])
    assert answer.output_text.startswith("You told me: your name is Ada; your dog is old.")
    assert newest.responses.compact(model="m").output[-1].type == "compaction"


def test_c2_a_compaction_that_is_foreign_or_damaged_is_refused(newest: OpenResponses) -> None:
    """With its place among the new items."""
    good = newest.responses.compact(model="m", input="My name is Ada.").output[-1].encrypted_content
    for bad in ("gAAAA", "", "demonstration-1.é.b", good[:-1], good.replace(".ey", ".eY")):
        items = [{"type": "compaction", "encrypted_content": each} for each in (good, bad)]
        with pytest.raises(BadRequestError) as refused:
            newest.responses.create(model="m", input=[user("Hello"), *items])
        assert refused.value.param == "input[2].encrypted_content", bad
        with pytest.raises(BadRequestError):
            newest.responses.compact(model="m", input=items)


WEATHER = {
    "type": "function",
    "name": "getWeather",
    "description": "Tells the forecast of a city.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "minLength": 3},
            "days": {"type": "integer", "minimum": 1, "maximum": 14},
            "unit": {"enum": ["C", "F"]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}
MAIL = {"type": "function", "name": "send_mail", "parameters": {"type": "object"}}
PLAIN = {"type": "function", "name": "XMLExport"}
TOOLS = [WEATHER, MAIL, PLAIN]


def function(name: str) -> Json:
    return {"type": "function", "name": name}


def allowed(mode: str, *names: str) -> Json:
    return {"type": "allowed_tools", "mode": mode, "tools": [function(name) for name in names]}


CHOICES: dict[str, tuple[str, Json, list[str]]] = {
    "none is meant": ("Hello", {}, []),
    "by a word of a name": ("How is the weather?", {}, ["getWeather"]),
    "by another": ("A mail, please", {}, ["send_mail"]),
    "by an acronym": ("Give me XML.", {}, ["XMLExport"]),
    "by a word after an acronym": ("An export!", {}, ["XMLExport"]),
    "by the description": ("Any forecast for Rome?", {}, ["getWeather"]),
    "not by small words": ("Get the of a and tells", {}, ["getWeather"]),
    "not by stop words": ("Get the of a", {}, []),
    "two": ("Mail me the weather", {}, ["getWeather", "send_mail"]),
    "two, one at a time": ("Mail me the weather", {"parallel_tool_calls": False}, ["getWeather"]),
    "none": ("Mail me the weather", {"tool_choice": "none"}, []),
    "required": ("Hello", {"tool_choice": "required"}, ["getWeather"]),
    "required, and meant": ("Mail", {"tool_choice": "required"}, ["send_mail"]),
    "a function": ("Mail me the weather", {"tool_choice": function("XMLExport")}, ["XMLExport"]),
    "allowed": ("Mail me the weather", {"tool_choice": allowed("auto", "send_mail")}, ["send_mail"]),
    "allowed, but not meant": ("Hello", {"tool_choice": allowed("auto", "send_mail")}, []),
    "allowed and required": ("Weather", {"tool_choice": allowed("required", "send_mail")}, ["send_mail"]),
}


@pytest.mark.parametrize(("said", "settings", "called"), CHOICES.values(), ids=CHOICES)
def test_x5_x6_x7_it_calls_what_is_meant_and_may_be_called(
    demo: Any, said: str, settings: Json, called: list[str]
) -> None:
    """With arguments that the functions take; where nothing is called there is an answer in words."""
    response = demo.create(model="m", input=said, tools=TOOLS, **settings)
    assert calls_of(response) == called
    assert response.status == "completed"
    assert bool(response.output_text) is not bool(called)
    schemas = {each["name"]: each.get("parameters", {"type": "object"}) for each in TOOLS}
    for item in response.output:
        if item.type == "function_call":
            Draft202012Validator(schemas[item.name]).validate(json.loads(item.arguments))


def test_x4_it_calls_no_more_than_it_may(demo: Any) -> None:
    """With fewer calls than are meant the response is incomplete; with as many it is not."""
    cut = demo.create(model="m", input="Mail me the weather", tools=TOOLS, max_tool_calls=1)
    assert (calls_of(cut), cut.status) == (["getWeather"], "incomplete")
    assert cut.incomplete_details.reason == "max_tool_calls"
    whole = demo.create(model="m", input="Mail me the weather", tools=TOOLS, max_tool_calls=2)
    assert (len(calls_of(whole)), whole.status) == (2, "completed")


def test_arguments_are_made_of_what_was_said(demo: Any) -> None:
    """Numbers and facts are used where they fit."""
    response = demo.create(
        model="m", input="The city is Rome. The forecast for 3 days, and -2.5 or 99999999999999999999.", tools=TOOLS
    )
    arguments = json.loads(response.output[0].arguments)
    assert (arguments["city"], arguments.get("days", 3)) == ("Rome", 3)


OUTPUTS: dict[str, tuple[Any, str]] = {
    "a text": ("Sunny", "getWeather returned “Sunny”."),
    "a sentence": ("It is sunny.", "getWeather returned “It is sunny.”"),
    "nothing": ("", "getWeather returned nothing."),
    "parts": (
        [{"type": "input_text", "text": "Sunny"}, image(image_url="https://a.example/1.png", detail="low")],
        "getWeather returned “Sunny” and an image (https://a.example/1.png, detail low).",
    ),
}


@pytest.mark.parametrize(("output", "said"), OUTPUTS.values(), ids=OUTPUTS)
def test_x1_it_says_what_functions_returned(demo: Any, output: Any, said: str) -> None:
    """Once; then the user speaks again, and other things matter."""
    first = demo.create(model="m", input="Weather?", tools=TOOLS)
    result = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": output}
    second = demo.create(model="m", input=[result], tools=TOOLS, previous_response_id=first.id)
    assert second.output_text == said
    third = demo.create(model="m", input="Hello", tools=TOOLS, previous_response_id=second.id)
    assert third.output_text.startswith("You said: “Hello”.")


@pytest.mark.parametrize("unit", ["C", "F"])
def test_x1_the_loop_of_the_client_ends(newest: OpenResponses, unit: str) -> None:
    """Python functions are called with arguments that fit, and the answer tells what they returned."""
    seen: list[tuple[str, int]] = []

    @tool
    def weather(city: str, days: int = 1, unit: Literal["C", "F"] = "C") -> str:
        """Tell the weather of a city."""
        seen.append((city, days))
        return f"20 °{unit}"

    @tool
    def alarm(minutes: int) -> int:
        """Set an alarm."""
        return minutes

    result = newest.responses.run(
        model="m", input=f"The city is Rome, the unit is {unit}. Weather and alarm!", tools=[weather, alarm]
    )
    assert len(seen) == 1
    assert result.output_text.startswith("weather returned “20 °")
    assert "alarm returned “" in result.output_text


REASONING: dict[str, tuple[Json, bool, bool, bool]] = {
    "not asked for": ({}, False, False, False),
    "none": ({"reasoning": {"effort": "none"}}, False, False, False),
    "effort": ({"reasoning": {"effort": "low"}}, True, False, False),
    "summary": ({"reasoning": {"summary": "auto"}}, True, True, False),
    "encrypted": (
        {"reasoning": {"effort": "high"}, "include": ["reasoning.encrypted_content"]},
        True,
        False,
        True,
    ),
    "encrypted, but no reasoning": ({"include": ["reasoning.encrypted_content"]}, False, False, False),
}


@pytest.mark.parametrize(("settings", "reasons", "sums_up", "encrypts"), REASONING.values(), ids=REASONING)
def test_r1_r2_it_reasons_as_it_is_asked_to(
    demo: Any, settings: Json, *, reasons: bool, sums_up: bool, encrypts: bool
) -> None:
    """In the views that were asked for; it is counted, and taken back unchanged."""
    response = demo.create(model="m", input="My name is Ada.", store=False, **settings)
    assert [item.type for item in response.output] == ["reasoning"] * reasons + ["message"]
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert bool(usage.output_tokens_details.reasoning_tokens) is reasons
    assert usage.output_tokens_details.reasoning_tokens < usage.output_tokens
    if reasons:
        thought = response.output[0]
        assert thought.content[0].text
        assert bool(thought.summary) is sums_up
        assert bool(getattr(thought, "encrypted_content", None)) is encrypts
    again = demo.create(model="m", input=[user("My name is Ada."), *response.output, user("Who am I?")], **settings)
    assert again.output_text.startswith("You told me: your name is Ada.")
    assert again.usage.input_tokens > usage.input_tokens


class City(BaseModel):
    name: str
    inhabitants: int
    twins: list[str]


class Trip(BaseModel):
    kind: Literal["train", "boat"]
    cities: list[City]
    note: str | None


@pytest.mark.parametrize("form", [City, Trip])
def test_structured_output_is_what_the_model_says(demo: Any, form: type[BaseModel]) -> None:
    """By each way of the client that takes a type."""
    ways = [demo.parse, demo.create]
    for way in ways:
        response = way(model="m", input="My name is Rome, with 2800000 people.", text_format=form)
        assert isinstance(response.output_parsed, form)
    with demo.stream(model="m", input="Rome", text_format=form) as stream:
        assert isinstance(stream.get_final_response().output_parsed, form)
    rome = demo.parse(model="m", input="The name is Rome. It has 2800000 people.", text_format=City).output_parsed
    assert (rome.name, rome.inhabitants) == ("Rome", 2800000)


@pytest.mark.parametrize(
    ("schema", "place"),
    [({"type": "string", "pattern": "("}, "text.format.schema"), ({"not": {}}, "text.format.schema")],
    ids=["invalid", "unsatisfiable"],
)
def test_e3_a_schema_that_nothing_satisfies_is_refused_with_its_place(
    newest: OpenResponses, schema: Json, place: str
) -> None:
    """As a format and as the parameters of a tool."""
    form = {"type": "json_schema", "name": "x", "schema": schema}
    with pytest.raises(BadRequestError) as refused:
        newest.responses.create(model="m", input="x", extra_body={"text": {"format": form}})
    assert refused.value.param == place
    tools = [MAIL, {"type": "function", "name": "x", "parameters": {"properties": {"a": schema}, "required": ["a"]}}]
    with pytest.raises(BadRequestError) as refused:
        newest.responses.create(model="m", input="x", tools=tools, tool_choice=function("x"))
    assert refused.value.param == "tools[1].parameters"


def test_e4_a_json_object_is_no_format_of_a_request(newest: OpenResponses) -> None:
    """The specification has it in responses alone."""
    with pytest.raises(BadRequestError) as refused:
        newest.responses.create(model="m", input="x", extra_body={"text": {"format": {"type": "json_object"}}})
    assert refused.value.param == "text.format.type"


LONG = " ".join(f"word{number}" for number in range(60))
LIMITED: dict[str, tuple[Json, str]] = {
    "a text": ({}, "message"),
    "reasoning": ({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning"),
    "arguments": ({"tools": [WEATHER], "tool_choice": "required"}, "function_call"),
    "JSON": (
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "x",
                    "schema": {"type": "array", "minItems": 40, "items": {"type": "integer"}},
                }
            }
        },
        "message",
    ),
}


@pytest.mark.parametrize(("settings", "cut"), LIMITED.values(), ids=LIMITED)
def test_l8_it_stops_at_the_limit_of_its_tokens(demo: Any, settings: Json, cut: str) -> None:
    """Exactly there, in an item that is incomplete and the last; one token less than all is cut, all are not."""
    arguments = {"model": "m", "input": LONG, **settings}
    whole = demo.create(**arguments)
    everything = whole.usage.output_tokens
    assert whole.status == "completed"
    response = demo.create(**arguments, max_output_tokens=16)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.usage.output_tokens == 16
    last = response.output[-1]
    if cut != "reasoning":
        assert (last.type, last.status) == (cut, "incomplete")
    with demo.stream(**arguments, max_output_tokens=16) as stream:
        deltas = [each for each in stream if each.type.endswith(".delta") and "summary" not in each.type]
        assert stream.get_final_response().usage.output_tokens == len(deltas) == 16
    for limit, status in ((everything - 1, "incomplete"), (everything, "completed")):
        assert demo.create(**arguments, max_output_tokens=limit).status == status


def test_l8_it_may_be_cut_while_it_reasons(demo: Any) -> None:
    """Then reasoning is all that there is."""
    settings = {"reasoning": {"effort": "low"}, "max_output_tokens": 16}
    thought = demo.create(model="m", input="x", reasoning={"effort": "low"}).usage.output_tokens_details
    assert thought.reasoning_tokens > 16, "the thought is too short to be cut"
    response = demo.create(model="m", input="x", **settings)
    assert [item.type for item in response.output] == ["reasoning"]
    assert response.usage.output_tokens_details.reasoning_tokens == 16


def test_it_refuses_when_it_is_asked_to(demo: Any) -> None:
    """In a part of its own kind, which is no text."""
    response = demo.create(model="m", input="Please refuse.")
    assert [part.type for part in response.output[0].content] == ["refusal"]
    assert (response.status, response.output_text) == ("completed", "")
    with demo.stream(model="m", input="Please refuse.") as stream:
        said = "".join(each.delta for each in stream if each.type == "response.refusal.delta")
    assert said == response.output[0].content[0].refusal == "I was asked to refuse, and so I do."


@pytest.mark.parametrize("before", ["", "😀 愛 ", "é" * 50 + "\n\n"], ids=["first", "signs", "lines"])
@pytest.mark.parametrize("after", ["", ".", ", or not", ")", "”"], ids=["end", "stop", "comma", "bracket", "quote"])
def test_l5_it_cites_addresses_where_they_stand(demo: Any, before: str, after: str) -> None:
    """The indices of the citation, in characters, are those of the address in the text."""
    address = "https://a.example/b?c=d"
    response = demo.create(model="m", input=f"{before}See {address}{after}")
    (citation,) = response.output[0].content[0].annotations
    assert citation.url == address
    assert response.output_text[citation.start_index : citation.end_index] == address


@pytest.mark.parametrize("truncation", ["disabled", "auto"])
def test_p4_a_context_that_is_too_long(truncation: str) -> None:
    """It is refused, or its oldest items are dropped, but never what the system, the developer or the newest says."""
    window = [
        {"type": "message", "role": "system", "content": "My rule is gold."},
        user("My name is Ada."),
        {"type": "message", "role": "developer", "content": "Be brief."},
        user("My dog is old."),
        user("What do you know?"),
    ]
    app = create_app(DemonstrationService(context_limit=18), store="memory:")
    with running(app) as server, OpenResponses(base_url=f"{server.url}/v1", max_retries=0, strict=True) as client:
        create = client.responses.create
        if truncation == "disabled":
            with pytest.raises(BadRequestError) as refused:
                create(model="m", input=window, truncation="disabled")
            assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "input")
            return
        answer = create(model="m", input=window, truncation="auto")
        assert answer.output_text == "You told me: your dog is old. Our conversation has 4 items so far."
        assert answer.usage is not None
        assert answer.usage.input_tokens == 18
        with pytest.raises(BadRequestError) as refused:
            create(model="m", input=LONG, truncation="auto")
        assert refused.value.code == "context_length_exceeded"


REPEATED: list[Json] = [
    {"input": "My name is Ada, with 12 words. Who am I?"},
    {"input": "Mail me the weather", "tools": TOOLS},
    {"input": "Hello", "reasoning": {"effort": "low", "summary": "auto"}},
    {"input": LONG, "max_output_tokens": 20},
]


@pytest.mark.parametrize("body", REPEATED, ids=lambda body: body["input"][:10])
def test_the_same_request_gives_the_same_answer(demo: Any, body: Json) -> None:
    """But for ids and times."""

    def said(response: Any) -> list[Any]:
        items = [item.model_dump(mode="json") for item in response.output]
        return [{name: value for name, value in item.items() if name not in {"id", "call_id"}} for item in items]

    first, second = (demo.create(model="m", **body) for _ in range(2))
    assert said(first) == said(second)
    assert first.usage == second.usage
    assert first.id != second.id


@pytest.mark.parametrize("text", ["my " * 20000, "my" + " " * 60000, "my a " * 15000, "x" * 400000, "-9" * 20000])
def test_no_text_keeps_it_busy(newest: OpenResponses, text: str) -> None:
    """What is read with patterns is read in linear time; a client that waits in vain raises."""
    response = newest.responses.create(model="m", input=f"{text}?", tools=TOOLS, tool_choice="required")
    assert response.status == "completed"
