"""Section E: what is refused, and how."""

from __future__ import annotations

import json
import re
from typing import Any

from openresponses_codegen.conform.asks import WEATHER, user
from openresponses_codegen.conform.case import RECORD, Ask, ask, case
from openresponses_codegen.conform.cases.http import missing_key
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import require, skip, some
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import as_object, quoted
from openresponses_codegen.conform.record import Record

INVALID_TYPES = {"invalid_request", "invalid_request_error"}
_LEAKS = re.compile(
    r"Traceback \(most recent|\bFile \"[^\"]+\", line \d|\bat [\w.$<>]+\([\w.]+:\d+\)|"
    r"(?<![\w:/])/(?:usr|home|opt|var|app|srv|root|tmp)/[\w./-]+|[A-Za-z]:\\\\?\w+\\|\b[\w/]+\.(?:py|js|ts|go|rs|java):\d+"
)

_SEARCHED = 4000
"""Bytes of an error that are searched, as the time it takes may grow with their square."""


@ask
async def bad_json(probe: Probe) -> Answer:
    """A body that ends in the middle."""
    return await probe.send("POST", "/responses", '{"input": "Say hello.", ')


@ask
async def no_object(probe: Probe) -> Answer:
    """JSON that is no object."""
    return await probe.send("POST", "/responses", json.dumps([probe.body({"input": "Say hello."})]))


@ask
async def wrong_type(probe: Probe) -> Answer:
    """A setting of a wrong type."""
    return await probe.create(input="Say hello.", temperature="hot")


@ask
async def nested_wrong_type(probe: Probe) -> Answer:
    """A value of a wrong type, deep in the input."""
    part = {"type": "input_text", "text": 7}
    return await probe.create(input=[user("Hello."), {"type": "message", "role": "user", "content": [part]}])


@ask
async def missing_field(probe: Probe) -> Answer:
    """A tool without its name."""
    unnamed = {name: value for name, value in WEATHER.items() if name != "name"}
    return await probe.create(input="Say hello.", tools=[unnamed])


@ask
async def unknown_value(probe: Probe) -> Answer:
    """A value that an enumeration does not have."""
    return await probe.create(input="Say hello.", truncation="sometimes")


@ask
async def over_limit(probe: Probe) -> Answer:
    """A value over the limit of the schema."""
    return await probe.create(input="Say hello.", top_logprobs=21)


@ask
async def unknown_role(probe: Probe) -> Answer:
    """A message whose role there is not."""
    return await probe.create(input=[{"type": "message", "role": "narrator", "content": "Hello."}])


@ask
async def bad_stream(probe: Probe) -> Answer:
    """A bad request for a stream."""
    return await probe.create(input="Say hello.", temperature="hot", stream=True)


@ask
async def refusals(probe: Probe) -> list[Answer]:
    """Errors about bad requests that can be read."""
    asks: list[Ask[Answer]] = [wrong_type, nested_wrong_type, missing_field, unknown_value, over_limit, unknown_role]
    found = await probe.results(*asks)
    return some(
        (each for each in found if each.is_refused and _error(each)),
        "no bad request was refused in a way that can be read",
    )


def _error(answer: Answer) -> dict[str, Any]:
    return as_object(as_object(answer.json).get("error"))


@ask
async def unknown_path(probe: Probe) -> Answer:
    """A route that there is not."""
    return await probe.send("POST", "/conform-no-such-route", "{}")


@ask
async def unknown_method(probe: Probe) -> Answer:
    """A method that the route does not have."""
    return await probe.send("PUT", "/responses", "{}")


@ask
async def unknown_media_type(probe: Probe) -> Answer:
    """A body of a media type that has nothing to do with JSON."""
    headers = {"content-type": "application/x-conform"}
    return await probe.send("POST", "/responses", "conform", headers)


def _body_is_error(answer: Answer) -> None:
    error = _error(answer)
    require(error, f"the answer was {answer.outline()}", answer.ask)
    missing = [name for name in ("message", "type", "param", "code") if name not in error]
    require(not missing, f"the error lacks {', '.join(missing)}: {quoted(error)}", answer.ask)


def _refuses(answer: Answer) -> None:
    require(answer.is_refused, f"the answer was {answer.outline()}")


@case("E1-body", wrong_type)
def body(answer: Answer) -> None:
    """The body of an error is `{error: {message, type, param, code}}`."""
    if not answer.is_refused:
        answer.error()
    _body_is_error(answer)


@case("E2-unauthorized-body", missing_key)
def unauthorized_body(answer: Answer) -> None:
    """A 401 has the body of an error."""
    if answer.status != 401:
        skip(f"the answer was {answer.outline()}")
    _body_is_error(answer)


@case("E2-unauthorized-type", missing_key, advice=True)
def unauthorized_type(answer: Answer) -> None:
    """A 401 is of type `unauthorized`."""
    kind = answer.error().get("type")
    require(kind == "unauthorized", f"the type is {quoted(kind)}")


@case("E2-not-found", unknown_path)
def not_found(answer: Answer) -> None:
    """An unknown route is a 404 with the body of an error."""
    require(answer.status == 404, f"the answer was {answer.outline()}")
    _body_is_error(answer)


@case("E2-method", unknown_method)
def method(answer: Answer) -> None:
    """A method that the route does not have is a 405, or a 404, with the body of an error."""
    require(answer.status in {404, 405}, f"the answer was {answer.outline()}")
    _body_is_error(answer)


@case("E2-media-type", unknown_media_type)
def media_type(answer: Answer) -> None:
    """An unknown media type is a 415 or a 400 with the body of an error."""
    require(answer.status in {400, 415}, f"the answer was {answer.outline()}")
    _body_is_error(answer)


@case("E2-status", refusals)
def status(answers: list[Answer]) -> None:
    """A bad request has the status 400."""
    for answer in answers:
        require(answer.status == 400, f"the answer was {answer.outline()}", answer.ask)


@case("E2-type", refusals)
def error_type(answers: list[Answer]) -> None:
    """A bad request is of type `invalid_request`."""
    for answer in answers:
        kind = _error(answer).get("type")
        require(kind in INVALID_TYPES, f"the type is {quoted(kind)}", answer.ask)


@case("E2-retry-after", RECORD)
def retry_after(record: Record) -> None:
    """A 429 has a `Retry-After` header."""
    for answer in some((each for each in record.answers if each.status == 429), "no request was answered with 429"):
        require("retry-after" in answer.headers, "a 429 has no Retry-After header", answer.ask)


@case("E3-param", wrong_type)
def param(answer: Answer) -> None:
    """`param` names the setting at fault."""
    given = answer.error().get("param")
    require(given == "temperature", f"`param` is {quoted(given)} instead of temperature")


@case("E3-param-path", nested_wrong_type)
def param_path(answer: Answer) -> None:
    """`param` is the path of a field deep in the input."""
    given, expected = answer.error().get("param"), "input[1].content[0].text"
    require(given == expected, f"`param` is {quoted(given)} instead of {expected}")


@case("E3-message", refusals)
def message(answers: list[Answer]) -> None:
    """`message` says what is wrong."""
    for answer in answers:
        given = _error(answer).get("message")
        require(isinstance(given, str) and given.strip(), f"the message is {quoted(given)}", answer.ask)


@case("E3-no-internals", RECORD)
def no_internals(record: Record) -> None:
    """No error reveals a stack, a path of a file or the key."""
    for answer in some((each for each in record.answers if (each.status or 0) >= 400), "no request was refused"):
        found = _LEAKS.search(answer.body[:_SEARCHED].decode("utf-8", "replace"))
        require(found is None, f"the error shows {quoted(found.group() if found else '')}", answer.ask)
        require(not answer.reveals_key, "the error shows the API key", answer.ask)


@case("E4-bad-json", bad_json)
def bad_json_is_refused(answer: Answer) -> None:
    """A body that is no JSON is refused."""
    _refuses(answer)


@case("E4-no-object", no_object)
def no_object_is_refused(answer: Answer) -> None:
    """A body that is no object is refused."""
    _refuses(answer)


@case("E4-wrong-type", wrong_type)
def wrong_type_is_refused(answer: Answer) -> None:
    """A setting of a wrong type is refused."""
    _refuses(answer)


@case("E4-wrong-type-in-input", nested_wrong_type)
def nested_wrong_type_is_refused(answer: Answer) -> None:
    """A value of a wrong type deep in the input is refused."""
    _refuses(answer)


@case("E4-missing-field", missing_field)
def missing_field_is_refused(answer: Answer) -> None:
    """A tool without its name is refused."""
    _refuses(answer)


@case("E4-unknown-value", unknown_value)
def unknown_value_is_refused(answer: Answer) -> None:
    """A value that an enumeration does not have is refused."""
    _refuses(answer)


@case("E4-over-limit", over_limit)
def over_limit_is_refused(answer: Answer) -> None:
    """A number over the limit of the schema is refused."""
    _refuses(answer)


@case("E4-unknown-role", unknown_role)
def unknown_role_is_refused(answer: Answer) -> None:
    """A message of an unknown role is refused."""
    _refuses(answer)


@case("E4-before-stream", bad_stream)
def refused_before_stream(answer: Answer) -> None:
    """A bad request for a stream is refused before any event."""
    _refuses(answer)
