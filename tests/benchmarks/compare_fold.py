"""Folding deltas into a response, over parsing the same deltas, and in a long stream over a short one."""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from bundled_spec import DELTA, GENERATED, encoded, event_examples
from side_by_side import Figure, Work, figure, in_turns

ROUNDS = 201
_SHORT, _LONG = 1_000, 100_000
_PARSE = "parse_event"
_FOLD = "ResponseAccumulator.add"
_WORDS = (
    'In Paris it is 18 °C with a clear sky , says weather.example . Tomorrow will be "warmer" \n and drier .'.split()
)


def measure(rounds: int) -> Iterator[Figure]:
    """CPU time per delta with the garbage collector off."""
    sys.path.insert(0, str(GENERATED))
    kit = import_module("openresponses_kit")
    data = _deltas(_SHORT)
    over_parsing = {_FOLD: _folding(kit, _SHORT), _PARSE: _parsing(kit, data)}
    yield figure(in_turns(over_parsing, rounds), _FOLD, _PARSE, 0.42)
    long, short = f"{_FOLD}, {_LONG:,} deltas", f"{_FOLD}, {_SHORT:,} deltas"
    over_short = {long: _folding(kit, _LONG), short: _folding(kit, _SHORT, times=_LONG // _SHORT)}
    yield figure(in_turns(over_short, max(1, rounds // 20)), long, short, 1.2)


def _deltas(count: int) -> list[bytes]:
    """Deltas of many words, numbered from 4 on."""
    chance = random.Random(0)
    words = (f"{chance.choice(_WORDS)} " for _ in range(count))
    return [encoded({**_delta(), "sequence_number": at, "delta": word}) for at, word in enumerate(words, 4)]


def _delta() -> dict[str, Any]:
    """The example of the document, in the first item."""
    return {**event_examples()[DELTA], "output_index": 0}


def _opening() -> list[bytes]:
    """What comes before the deltas."""
    examples, delta = event_examples(), _delta()
    address = {name: delta[name] for name in ("output_index", "content_index", "item_id")}
    message = {"type": "message", "id": delta["item_id"], "status": "in_progress", "role": "assistant", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    events = [
        examples["response.created"],
        examples["response.in_progress"],
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", **address, "part": part},
    ]
    return [encoded({**event, "sequence_number": number}) for number, event in enumerate(events)]


def _folding(kit: Any, count: int, *, times: int = 1) -> Work:
    """Fold a stream of parsed deltas, as often as asked for."""
    opening = [kit.parse_event(each) for each in _opening()]
    deltas = [kit.parse_event(each) for each in _deltas(count)]

    def work() -> float:
        seconds = 0.0
        for _ in range(times):
            accumulator = kit.ResponseAccumulator(strict=True)
            for event in opening:
                accumulator.add(event)
            seconds += _timed(accumulator.add, deltas)
        return seconds

    return work


def _parsing(kit: Any, data: list[bytes]) -> Work:
    return lambda: _timed(kit.parse_event, data)


def _timed(function: Callable[[Any], object], values: list[Any]) -> float:
    gc.disable()
    try:
        start = time.process_time()
        for each in values:
            function(each)
        return time.process_time() - start
    finally:
        gc.enable()
