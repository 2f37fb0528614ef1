"""Parsing a mixed stream of events from bytes to objects, over what a reader could use instead."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from typing import Any, Literal, TypeAlias

from bundled_spec import GENERATED, encoded, event_examples
from pydantic import create_model
from side_by_side import Figure, Skipped, Work, collector_off, figure, in_turns

ROUNDS = 201

Parse: TypeAlias = Callable[[bytes], object]

PROPORTIONS = {
    "response.output_text.delta": 1100,
    "response.function_call_arguments.delta": 320,
    "response.reasoning.delta": 160,
    "response.reasoning_summary_text.delta": 160,
    "response.refusal.delta": 20,
    "response.output_item.added": 30,
    "response.output_item.done": 30,
    "response.content_part.added": 24,
    "response.content_part.done": 24,
    "response.output_text.done": 20,
    "response.output_text.annotation.added": 12,
    "response.function_call_arguments.done": 14,
    "response.reasoning.done": 6,
    "response.reasoning_summary_part.added": 8,
    "response.reasoning_summary_part.done": 8,
    "response.reasoning_summary_text.done": 8,
    "response.refusal.done": 4,
    "response.created": 3,
    "response.queued": 1,
    "response.in_progress": 3,
    "response.completed": 2,
    "response.incomplete": 1,
    "response.failed": 1,
    "error": 1,
    "acme:progress": 30,
    "acme:search.results": 10,
}
"""How many events of each kind are in the stream: 2,000, as of three long answers, two of a hundred unknown."""
_UNKNOWN: dict[str, dict[str, Any]] = {
    "acme:progress": {"type": "acme:progress", "sequence_number": 0, "percent": 40, "stage": "reading"},
    "acme:search.results": {
        "type": "acme:search.results",
        "sequence_number": 0,
        "output_index": 1,
        "results": [
            {"url": "https://weather.example/paris", "score": 0.9},
            {"url": "https://example.com", "score": 0.2},
        ],
    },
}
_WORDS = (
    'In Paris it is 18 °C with a clear sky , says weather.example . Tomorrow will be "warmer" \n and drier .'.split(" ")
)
_OURS = "parse_event"
_PER_CLASS = "validate_json per class"
_REGISTERING = "parse_event, 100 registered types"


def stream() -> list[bytes]:
    """The stream: the examples of the document in random order, numbered, their deltas varied."""
    chance = random.Random(0)
    examples = event_examples() | _UNKNOWN
    events = [dict(examples[name]) for name, count in PROPORTIONS.items() for _ in range(count)]
    chance.shuffle(events)
    for number, event in enumerate(events):
        event["sequence_number"] = number
        if event["type"].endswith(".delta"):
            event["delta"] = f"{chance.choice(_WORDS)} "
            if "obfuscation" in event:
                event["obfuscation"] = "w0LzRb81mXcY2e5Q"[: 16 - len(event["delta"])]
    return [encoded(event) for event in events]


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """CPU time of whole streams with the garbage collector off, pair by pair."""
    sys.path.insert(0, str(GENERATED))
    kit = import_module("openresponses_kit")
    data = stream()
    kit.parse_event(data[0])  # before single classes are built: pydantic would put those into the union, by reference
    ours, known = {_OURS: _batch(kit.parse_event, data)}, {_PER_CLASS: _known(kit, data)}
    yield _figure(ours | known, 1.1, rounds)
    name = "jiter" if find_spec("jiter") is not None else "pydantic_core"
    dicts = {f"{name}.from_json": _batch(import_module(name).from_json, data)}
    yield _figure(ours | dicts, 2.2, rounds)
    for peer, module, parser, limit in (
        ("openai", "openai", _openai, 0.03),
        ("openresponses-py", "openresponses", _openresponses_py, 0.3),
    ):
        if find_spec(module) is None:
            yield Skipped(_OURS, peer, "not installed: pip install -e .[benchmarks]")
        else:
            yield _figure(ours | {peer: _batch(parser(), data)}, limit, max(1, rounds // 5))
    yield _figure(known | dicts, None, rounds)
    core = [each for each in data if not json.loads(each)["type"].startswith("acme:")]
    registering = {_REGISTERING: _batch(_registering().parse_event, core)}
    yield _figure(registering | {_OURS: _batch(kit.parse_event, core)}, 1.05, rounds)


def _registering() -> Any:
    """The package once more, under a name of its own, with classes of vendors for a hundred events."""
    name = "registering_kit"
    path = GENERATED / "openresponses_kit" / "__init__.py"
    spec = spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    assert spec is not None
    assert spec.loader is not None
    kit = module_from_spec(spec)
    sys.modules[name] = kit
    spec.loader.exec_module(kit)
    extending = import_module(f"{name}.extending")
    events = [
        create_model(
            f"Event{number}",
            __base__=extending.Event,
            type=(Literal[f"acme:event_{number}"], f"acme:event_{number}"),
            sequence_number=(int, ...),
        )
        for number in range(100)
    ]
    extending.register(StreamEvent=events)
    assert type(kit.parse_event(b'{"type": "acme:event_7", "sequence_number": 0}')) is events[7]
    return kit


def _figure(pair: Mapping[str, Work], limit: float | None, rounds: int) -> Figure:
    work, over = pair
    return figure(in_turns(pair, rounds), work, over, limit)


def _batch(parse: Parse, data: Iterable[bytes]) -> Work:
    """Parse each event; drop what came out, as a reader does when the next one arrives."""

    def work() -> float:
        with collector_off():
            start = time.process_time()
            for each in data:
                parse(each)
            return time.process_time() - start

    return work


def _known(kit: Any, data: Iterable[bytes]) -> Work:
    """The validator of the right class for each event, as if its class were known beforehand."""
    for kind in (*kit.EVENT_TYPES.values(), kit.UnknownEvent):
        kind.model_rebuild()
    pairs: list[tuple[Parse, bytes]] = []
    for each in data:
        kind = kit.EVENT_TYPES.get(json.loads(each)["type"], kit.UnknownEvent)
        pairs.append((kind.__pydantic_validator__.validate_json, each))

    def work() -> float:
        with collector_off():
            start = time.process_time()
            for parse, each in pairs:
                parse(each)
            return time.process_time() - start

    return work


def _openai() -> Parse:
    """What `openai.Stream` does with the data of an event: `json.loads`, then the client's cast to the union."""
    openai, streaming = import_module("openai"), import_module("openai._streaming")
    union = import_module("openai.types.responses").ResponseStreamEvent
    kind = streaming.extract_stream_chunk_type(streaming.Stream[union])
    process = openai.OpenAI(api_key="unused")._process_response_data

    def parse(data: bytes) -> object:
        event: object = process(data=json.loads(data.decode()), cast_to=kind, response=None)
        return event

    return parse


def _openresponses_py() -> Parse:
    """What `openresponses.ResponseStream` does with the data of an event."""
    streaming = import_module("openresponses.streaming")
    decode, framed = streaming._decode_event, streaming.ParsedSSEEvent

    def parse(data: bytes) -> object:
        event: object = decode(framed(None, data.decode()))
        return event

    return parse
