"""The bundled extension of OpenAI on the wire that it is about: types without a prefix, through both clients.

They protect rule Z18: what really is sent is read as the classes, with the events of its calls, changes nothing of the
fold, and goes back as it came; and that the writer tells the same with the prefix.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from either_client import Clients
from openresponses_codegen import pipeline
from payloads import NEWEST
from running_server import RunningServer, running
from streams import Event, events_of, message, numbered, response_of, sse, text
from writing import Kit

NAME = "openai_typed_kit"
SEARCH = {
    "type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "spring"}
}  # fmt: skip
CODE = {
    "type": "code_interpreter_call", "id": "ci_1", "status": "completed", "container_id": "cntr_1", "code": "1 + 1",
    "outputs": [{"type": "logs", "logs": "2"}],
}  # fmt: skip
ANSWER = response_of(SEARCH, CODE, message(text("It is 2.")))
TOLD = """
    OpenAIWebSearchCallInProgressEvent OpenAIWebSearchCallSearchingEvent OpenAIWebSearchCallCompletedEvent
    OpenAICodeInterpreterCallInProgressEvent OpenAICodeInterpreterCallCodeDeltaEvent
    OpenAICodeInterpreterCallCodeDoneEvent OpenAICodeInterpreterCallInterpretingEvent
    OpenAICodeInterpreterCallCompletedEvent
""".split()


def about(index: int, item: Event, *steps: str, **fields: dict[str, Any]) -> list[Event]:
    kind = f"response.{item['type']}"
    return [
        {
            "type": f"{kind}{step}",
            "item_id": item["id"],
            "output_index": index,
            **fields.get(step[1:].replace(".", "_"), {}),
        }
        for step in steps
    ]


def stream() -> list[Event]:
    """What OpenAI sends for the answer, by its own documentation."""
    events = events_of(ANSWER)
    opened = [at for at, event in enumerate(events) if event["type"] == "response.output_item.added"]
    search = about(0, SEARCH, ".in_progress", ".searching", ".completed")
    code = [
        *about(1, CODE, ".in_progress"),
        *about(1, CODE, "_code.delta", code_delta={"delta": "1 + 1", "obfuscation": "xyz"}),
        *about(1, CODE, "_code.done", code_done={"code": "1 + 1"}),
        *about(1, CODE, ".interpreting", ".completed"),
    ]
    first, second = opened[0] + 1, opened[1] + 1
    return numbered([*events[:first], *search, *events[first:second], *code, *events[second:]])


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("openai")
    spec = pipeline.load_spec(NEWEST, extensions=["openai"])
    for name, content in pipeline.generate(spec, pipeline.Options(package=NAME)).files.items():
        path = folder / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    sys.path.insert(0, str(folder))
    yield importlib.import_module(NAME)
    sys.path.remove(str(folder))


class Wire:
    """Answers every request with the stream, or with the whole of it, and keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        self.bodies.append(json.loads(body))
        is_stream = self.bodies[-1].get("stream", False)
        kind, answer = ("text/event-stream", sse(stream())) if is_stream else ("application/json", json.dumps(ANSWER))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": answer if isinstance(answer, bytes) else answer.encode()})


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def serving(wire: Wire) -> Iterator[RunningServer]:
    with running(wire, lifespan="off") as server:
        yield server


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_z18_what_openai_sends_is_typed_and_goes_back(
    kit: ModuleType, wire: Wire, serving: RunningServer, is_async: bool
) -> None:
    with Clients(kit, is_async=is_async) as clients:
        client = clients(f"{serving.url}/v1", api_key="k", max_retries=0, strict=True)
        with client.responses.stream(model="m", input="hi") as reading:
            read = list(reading)
            response = reading.get_final_response()
        whole = client.responses.create(model="m", input=[*response.as_input(), {"role": "user", "content": "and?"}])
    assert [type(event).__name__ for event in read if type(event).__name__.startswith("OpenAI")] == TOLD
    assert [json.loads(event.model_dump_json()) for event in read] == stream()
    for each in (response, whole):
        assert json.loads(each.model_dump_json()) == ANSWER
        assert each.deviations == ()
        assert [call.action.query for call in each.openai_web_search_calls] == ["spring"]
        assert [call.outputs[0].logs for call in each.openai_code_interpreter_calls] == ["2"]
    assert wire.bodies[-1]["input"][:2] == [SEARCH, CODE]


def test_x3_the_writer_tells_the_same_with_the_prefix(kit: ModuleType) -> None:
    async def program(out: Any) -> None:
        async with out.openai_web_search_call(item_id="ws_1") as search:
            await search.in_progress()
            await search.searching()
            await search.update(action=SEARCH["action"])
            await search.completed()
        async with out.openai_code_interpreter_call(item_id="ci_1", container_id="cntr_1") as code:
            await code.in_progress()
            await code.code_delta(delta="1 + 1")
            await code.code_done(code="1 + 1")
            await code.interpreting()
            await code.update(code="1 + 1", outputs=CODE["outputs"])
            await code.completed()

    events = Kit(kit, NEWEST).written(program)
    table = import_module(f"{NAME}.events").EVENT_TYPES
    assert [table[event["type"]].__name__ for event in events if ":" in event["type"]] == TOLD
    for given, item in zip((SEARCH, CODE), events[-1]["response"]["output"], strict=True):
        assert item == {**given, "type": f"openai:{given['type']}"}
