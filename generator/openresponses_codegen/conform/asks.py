"""The asks that cases of several sections look at. Those of one section stand beside its cases."""

from __future__ import annotations

from typing import Any

from openresponses_codegen.conform.case import ask
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, items_of
from openresponses_codegen.conform.settings import Settings
from openresponses_codegen.conform.story import Story

WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The name of the city."}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
CLOCK: Json = {
    "type": "function",
    "name": "get_time",
    "description": "Tells the time of day in a city.",
    "parameters": WEATHER["parameters"],
}
FACT = "My name is Ada. Please remember it."
QUESTION = "What is my name? Answer with the name."
NAME = "Ada"
LONG = (
    "Tell me a long story about a lighthouse, its keeper, the sea, the storms of a hard winter and the ships that pass "
    "by night. Use at least three hundred words, and leave nothing out."
)


def user(text: str) -> Json:
    """A message of the user."""
    return {"type": "message", "role": "user", "content": text}


def assistant(text: str, **fields: Any) -> Json:
    """A message of the assistant, as input."""
    part = {"type": "output_text", "text": text}
    return {"type": "message", "role": "assistant", "content": [part], **fields}


def needs_websockets(settings: Settings, what: str) -> None:
    """Skip where the release has no such thing yet."""
    if not settings.has_websockets:
        skip(f"release {settings.release} has no {what}")


@ask
async def text(probe: Probe) -> Answer:
    """A plain request without any setting."""
    return await probe.create(input="Say hello in one short sentence.")


@ask
async def text_stream(probe: Probe) -> Answer:
    """The same as a stream."""
    return await probe.create(input=[user("Tell me in two short sentences what the sea is like.")], stream=True)


@ask
async def call_stream(probe: Probe) -> Answer:
    """A stream that holds a call."""
    return await asked_until_called(probe, tools=[WEATHER], tool_choice="required", stream=True)


@ask
async def reasoning_stream(probe: Probe) -> Answer:
    """A stream that holds reasoning, where the model reasons."""
    return await probe.create(
        input="Think about it first: how much is 17 times 23?",
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        stream=True,
    )


@ask
async def limited_stream(probe: Probe) -> Answer:
    """A stream that has to stop before it is done."""
    return await probe.create(input=LONG, max_output_tokens=16, stream=True)


@ask
async def streams(probe: Probe) -> list[Story]:
    """All streams that ended as they should."""
    found = await probe.results(text_stream, call_stream, reasoning_stream, limited_stream)
    whole = [Story(each, probe.schemas) for each in found if each.has_ended]
    if not whole:
        skip("no request was answered with a stream that ended as it should")
    return whole


async def asked_until_called(probe: Probe, **fields: Any) -> Answer:
    """Ask in several ways until a function is called, or the request is refused; the last answer."""
    answer = await probe.create(input=[user("What is the weather in Paris? Use the tool.")], **fields)
    for question in (
        "Call the function get_weather for the city of Paris.",
        "Call a tool now. Do not answer in words.",
    ):
        if answer.status != 200 or items_of(answer.found, "function_call"):
            break
        answer = await probe.create(input=[user(question)], **fields)
    return answer
