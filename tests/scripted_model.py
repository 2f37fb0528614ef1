"""A model that does what a script says, for tests of the gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import openresponses_kit
from openresponses_kit.gateway import HostedTool, Model, RoundWriter, Sampling, ToolCall, ToolResult, ToolRun
from openresponses_kit.gateway.loop import AgenticLoop, LoopSettings
from openresponses_kit.models import CreateResponseBody
from openresponses_kit.server.core import Caller, Core, Turn
from openresponses_kit.server.memory_store import MemoryStore
from openresponses_kit.server.requests import read_body
from openresponses_kit.server.settings import ServerSettings
from openresponses_kit.server.writer import EventSink
from writing import Kit, Recorder

Round = Callable[[Sampling, RoundWriter], Awaitable[str | None]]
"""What the model does in one round."""


class ScriptedModel(Model):
    """Goes through its rounds, and keeps what it was asked for.

    Args:
        rounds: What it does, round by round; the last one again and again.
    """

    def __init__(self, *rounds: Round) -> None:
        self.rounds = rounds
        self.samplings: list[Sampling] = []
        self.told: list[list[Any]] = []
        """The items of each sampling, as JSON values."""

    async def sample(self, sampling: Sampling, out: RoundWriter) -> str | None:
        number = len(self.samplings)
        self.samplings.append(sampling)
        self.told.append([item.model_dump(mode="json") for item in sampling.items])
        return await self.rounds[min(number, len(self.rounds) - 1)](sampling, out)


def says(text: str, *, reason: str | None = None) -> Round:
    """A round that says something, word by word."""

    async def round_(sampling: Sampling, out: RoundWriter) -> str | None:
        for word in text.split(" "):
            await out.text(f"{word} ")
        return reason

    return round_


def calls(*made: tuple[str, str], ids: Sequence[str] = (), text: str = "", thought: str = "") -> Round:
    """A round that calls functions, by names and arguments."""

    async def round_(sampling: Sampling, out: RoundWriter) -> None:
        if thought:
            await out.reason(thought)
        if text:
            await out.text(text)
        for index, (name, arguments) in enumerate(made):
            call = await out.call(name, ids[index] if ids else f"call_{len(sampling.items)}_{index}")
            for character in arguments:
                await call.arguments(character)
            await call.done()

    return round_


@dataclass
class ScriptedTool(HostedTool):
    """A tool of a test: what it does is a function."""

    does: Callable[[ToolCall, ToolRun], Awaitable[ToolResult]]
    name: str = "work"
    type: str = "acme:work"
    item_type: str = "acme:work_call"
    timeout: float | None = 60.0
    runs: list[ToolCall] = field(default_factory=list[ToolCall])

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"type": "object", "properties": {}, "additionalProperties": True}

    async def run(self, call: ToolCall, run: ToolRun) -> ToolResult:
        self.runs.append(call)
        return await self.does(call, run)


def gives(result: ToolResult) -> Callable[[ToolCall, ToolRun], Awaitable[ToolResult]]:
    """What a tool does that gives one result at once."""

    async def does(call: ToolCall, run: ToolRun) -> ToolResult:
        return result

    return does


@dataclass
class Answer:
    """What came of a request."""

    events: list[dict[str, Any]]

    @property
    def response(self) -> dict[str, Any]:
        response: dict[str, Any] = self.events[-1]["response"]
        return response

    @property
    def output(self) -> list[dict[str, Any]]:
        output: list[dict[str, Any]] = self.response["output"]
        return output

    @property
    def kinds(self) -> list[str]:
        return [item["type"] for item in self.output]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == name]


KIT = Kit(openresponses_kit, openresponses_kit.SPEC_RELEASE)


async def begin(core: Core, sink: EventSink | None, body: Mapping[str, Any]) -> Turn:
    """A turn as a server makes it of a request."""
    content = json.dumps({"model": "scripted", "input": "Go on.", **body}).encode()
    request = read_body(CreateResponseBody, content, core.settings.limits)
    return await core.begin(request, content, Caller("key:1", "req_1"), sink)


def core_of_loop(loop: AgenticLoop) -> Core:
    """A server's core that answers with the loop and keeps responses in memory."""
    return Core(loop, store=MemoryStore(), api_keys=None, settings=ServerSettings())


async def answer_of(core: Core, *, pauses: bool = False, **body: Any) -> Answer:
    """Answer a request, and hold the stream against every rule of S and L."""
    sink = Recorder(pauses=pauses)
    turn = await begin(core, sink, body)
    failure = await core.run(turn)
    await turn.out.end(failure)
    return Answer(KIT.checked(sink.sent))


def ask(model: Model, *tools: HostedTool, always: Sequence[str] = (), sealer: Any = None, **body: Any) -> Answer:
    """Answer one request by a loop; `settings` are those of the loop."""
    settings = LoopSettings(**body.pop("settings", {}))
    loop = AgenticLoop(model, tools=tools, always_offered=always, settings=settings, sealer=sealer)
    return asyncio.run(answer_of(core_of_loop(loop), **body))
