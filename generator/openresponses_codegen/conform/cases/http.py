"""Section T: requests and whole answers."""

from __future__ import annotations

import re
from typing import Any

from openresponses_codegen.conform.asks import CLOCK, WEATHER, text, user
from openresponses_codegen.conform.case import RECORD, ask, case
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import fail, require, skip, some
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, objects, quoted
from openresponses_codegen.conform.record import Record
from openresponses_codegen.conform.schema import Kind

SAMPLING: Json = {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 0.25, "frequency_penalty": 0.5}
LIMITS: Json = {"max_output_tokens": 256, "max_tool_calls": 3, "truncation": "auto", "parallel_tool_calls": False}
WORDS: Json = {
    "instructions": "Answer in English.",
    "metadata": {"purpose": "conformance", "ünï": "ćödé"},
    "safety_identifier": "conform-user",
    "prompt_cache_key": "conform-cache",
}
VERSION = "openresponses-version"
OTHERS_SUBJECTS = {"output", "tools", "tool_choice", "text"}
"""Fields of a response whose shape is the subject of cases of their own."""


@ask
async def settings_given(probe: Probe) -> Answer:
    """A request that states every setting."""
    return await probe.create(
        input=[user("Say hello.")],
        **SAMPLING,
        **LIMITS,
        **WORDS,
        store=False,
        tools=[WEATHER, CLOCK],
        tool_choice="none",
    )


@ask
async def nulls_given(probe: Probe) -> Answer:
    """A request whose settings are null, wherever they may be."""
    names = (*SAMPLING, "tools", "tool_choice", "parallel_tool_calls", "text", "top_logprobs", "max_output_tokens")
    return await probe.create(input="Say hello.", **dict.fromkeys(names))


@ask
async def unknown_field(probe: Probe) -> Answer:
    """A request with a field that the schema does not know."""
    return await probe.create(input="Say hello.", conform_unknown_field={"any": ["value", 1]})


@ask
async def charset_given(probe: Probe) -> Answer:
    """A request whose content type has a parameter."""
    return await probe.post(
        "/responses", probe.body({"input": "Say hello."}), {"content-type": "application/json; charset=utf-8"}
    )


@ask
async def missing_key(probe: Probe) -> Answer:
    """A request without a key."""
    return await _with_key(probe, None)


@ask
async def wrong_key(probe: Probe) -> Answer:
    """A request with a key that the server cannot know."""
    return await _with_key(probe, "conform-wrong-key")


async def _with_key(probe: Probe, api_key: str | None) -> Answer:
    if probe.settings.api_key is None:
        skip("no API key was given, so the server is taken to need none")
    return await probe.send("POST", "/responses", '{"input": "Say hello."}', api_key=api_key)


@ask
async def unknown_version(probe: Probe) -> Answer:
    """A request that names a release which there never was."""
    return await probe.post("/responses", probe.body({"input": "Say hello."}), {VERSION: "1999-12-31"})


def served(answer: Answer, what: str) -> Json:
    """The response to a legal request; it is a failure where it is refused."""
    if answer.is_refused:
        fail(f"{what} was refused: {answer.outline()}")
    return answer.response()


@case("T1-content-type-parameter", charset_given)
def content_type_parameter(answer: Answer) -> None:
    """`application/json; charset=utf-8` is accepted as JSON."""
    served(answer, "a content type with a parameter")


@case("T2-missing-key", missing_key)
def missing_key_is_refused(answer: Answer) -> None:
    """A request without a key is answered with 401."""
    require(answer.status == 401, f"the answer was {answer.outline()}")


@case("T2-wrong-key", wrong_key)
def wrong_key_is_refused(answer: Answer) -> None:
    """A request with a wrong key is answered with 401."""
    require(answer.status == 401, f"the answer was {answer.outline()}")


@case("T3-version-header", text, advice=True)
def version_header(answer: Answer) -> None:
    """Answers name the release that was served."""
    answer.response()
    given = answer.headers.get(VERSION)
    if given is None:
        fail("the answer has no header OpenResponses-Version")
    require(re.fullmatch(r"\d{4}-\d\d-\d\d", given), f"OpenResponses-Version is {quoted(given)}, which is no release")


@case("T3-unknown-version", unknown_version, advice=True)
def unknown_version_is_served(answer: Answer) -> None:
    """A request for an unknown release is served."""
    served(answer, "a request with OpenResponses-Version: 1999-12-31")


@case("T4-answered", RECORD)
def answered(record: Record) -> None:
    """Every request is answered, whole, in time and with no 5xx."""
    for answer in record.answers:
        where = f"{answer.ask}: {answer.method} {answer.path}"
        if answer.status is None or (answer.problem is not None and not answer.has_ended):
            fail(f"{where}: {answer.problem}")
        require(answer.status < 500, f"{where}: {answer.outline()}")


@case("T4-media-type", text)
def media_type(answer: Answer) -> None:
    """A whole answer is application/json."""
    answer.response()
    require(answer.media_type == "application/json", f"content-type is {quoted(answer.headers.get('content-type'))}")


@case("T4-response", text)
def response_object(answer: Answer) -> None:
    """A plain request is answered with 200 and a response object."""
    require(answer.status == 200, f"the answer was {answer.outline()}")
    require(as_object(answer.json).get("object") == "response", f"`object` is not `response`: {answer.outline()}")
    require(isinstance(as_object(answer.json).get("output"), list), f"`output` is no list: {answer.outline()}")


@case("T4-required-fields", RECORD)
def required_fields(record: Record) -> None:
    """Every field that the schema requires of a response is there."""
    some(record.responses(), "no request was answered with a response object")
    for each in record.deviating(Kind.MISSING):
        require(each.field in OTHERS_SUBJECTS, str(each.finding), each.ask)


@case("T4-field-types", RECORD)
def field_types(record: Record) -> None:
    """The fields of a response have the types of the schema."""
    some(record.responses(), "no request was answered with a response object")
    for each in record.deviating(Kind.SHAPE):
        require(each.field in {*OTHERS_SUBJECTS, "created_at", "completed_at"}, str(each.finding), each.ask)


@case("T4-output-shape", RECORD)
def output_shape(record: Record) -> None:
    """The items of the output have the shape of the schema."""
    some(record.responses(), "no request was answered with a response object")
    for each in record.deviating(Kind.MISSING, Kind.SHAPE):
        require(each.field != "output", str(each.finding), each.ask)


@case("T4-final-status", text)
def final_status(answer: Answer) -> None:
    """A whole answer has a final status."""
    status = answer.response().get("status")
    require(status in {"completed", "incomplete", "failed"}, f"`status` is {quoted(status)}")


@case("T5-unknown-field", unknown_field)
def unknown_field_is_ignored(answer: Answer) -> None:
    """A field that the server does not know is no error."""
    served(answer, "an unknown field of the request")


def _echoes(response: Json, expected: Json) -> None:
    wrong = [
        f"`{name}` is {quoted(response[name])} instead of {quoted(value)}"
        for name, value in expected.items()
        if name in response and response[name] != value
    ]
    require(not wrong, "; ".join(wrong))


@case("T5-echo-sampling", settings_given)
def echo_sampling(answer: Answer) -> None:
    """The response repeats the settings of sampling."""
    _echoes(answer.response(), SAMPLING)


@case("T5-echo-limits", settings_given)
def echo_limits(answer: Answer) -> None:
    """The response repeats limits, truncation, parallel_tool_calls and store."""
    _echoes(answer.response(), {**LIMITS, "store": False})


@case("T5-echo-words", settings_given)
def echo_words(answer: Answer) -> None:
    """The response repeats instructions, metadata and identifiers."""
    _echoes(answer.response(), WORDS)


@case("T5-echo-tools", settings_given)
def echo_tools(answer: Answer) -> None:
    """The response repeats the tools, in order, and tool_choice."""
    response = answer.response()
    names = [each.get("name") for each in objects(response.get("tools"))]
    expected = [WEATHER["name"], CLOCK["name"]]
    require(names == expected, f"`tools` are {quoted(names)} instead of {quoted(expected)}")
    _echoes(response, {"tool_choice": "none"})


@case("T6-default-sampling", text)
def default_sampling(answer: Answer) -> None:
    """Defaults of sampling are filled in."""
    _echoes(
        answer.response(),
        {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "top_logprobs": 0},
    )


@case("T6-default-tools", text)
def default_tools(answer: Answer) -> None:
    """Defaults about tools are filled in."""
    _echoes(answer.response(), {"tool_choice": "auto", "tools": [], "parallel_tool_calls": True})


@case("T6-default-handling", text)
def default_handling(answer: Answer) -> None:
    """Defaults of truncation, store, background, service_tier and text are filled in."""
    response = answer.response()
    _echoes(response, {"truncation": "disabled", "store": True, "background": False, "service_tier": "default"})
    kind = as_object(as_object(response.get("text")).get("format")).get("type")
    require(kind == "text", f"`text.format` is {quoted(as_object(response.get('text')).get('format'))}")


@case("T6-default-words", text, advice=True)
def default_words(answer: Answer) -> None:
    """Defaults of reasoning and metadata are filled in."""
    _echoes(answer.response(), {"reasoning": {"effort": None, "summary": None}, "metadata": {}})


@case("T6-null-is-default", nulls_given)
def null_is_default(answer: Answer) -> None:
    """A null in a request means the default."""
    response = served(answer, "null for settings that may be null")
    defaults: dict[str, Any] = {"temperature": 1, "top_p": 1, "tools": [], "tool_choice": "auto"}
    _echoes(response, {**defaults, "parallel_tool_calls": True, "top_logprobs": 0})
