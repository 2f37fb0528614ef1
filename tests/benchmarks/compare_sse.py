"""Reading a stream of text deltas from server-sent bytes to events, over the least that any reader needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeAlias

from bundled_spec import DELTA, GENERATED, encoded, event_examples
from side_by_side import Figure, Skipped, Work, collector_off, figure, in_turns

ROUNDS = 101
DELTAS = 2000
CHUNK_BYTES = 64 * 1024

Parse: TypeAlias = Callable[[bytes], object]

_BEFORE = "response.created response.in_progress response.output_item.added response.content_part.added".split()
_AFTER = "response.output_text.done response.content_part.done response.output_item.done response.completed".split()
_WORDS = (
    'In Paris it is 18 °C with a clear sky , says weather.example . Tomorrow will be "warmer" \n and drier .'.split(" ")
)


def stream() -> Iterator[tuple[str, bytes]]:
    """The names and the data of a long answer's events, as a server sends them."""
    examples = event_examples()
    for number, name in enumerate([*_BEFORE, *[DELTA] * DELTAS, *_AFTER]):
        event = {**examples[name], "sequence_number": number}
        if name == DELTA:
            event["delta"] = f"{_WORDS[number % len(_WORDS)]} "
        yield name, encoded(event)


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """CPU time of whole streams with the garbage collector off, pair by pair."""
    sys.path.insert(0, str(GENERATED))
    kit, sse = import_module("openresponses_kit"), import_module("openresponses_kit.sse")
    single = [*(sse.encode_event(name, data) for name, data in stream()), sse.DONE]
    whole = b"".join(single)
    burst = [whole[start : start + CHUNK_BYTES] for start in range(0, len(whole), CHUNK_BYTES)]
    for shape, chunks in (("in a burst", burst), ("one by one", single)):
        framing, events = f"framing {shape}", f"bytes to events {shape}"
        works: dict[str, Work] = {
            events: _reading(sse.SSEDecoder, kit.parse_event, chunks),
            framing: _framing(sse.SSEDecoder, chunks),
            "parse_event alone": _parsing(kit.parse_event),
        }
        if find_spec("msgspec") is not None:
            parse = _msgspec(kit)
            works |= {
                "msgspec, same framing": _reading(sse.SSEDecoder, parse, chunks),
                "msgspec alone": _parsing(parse),
            }
        if find_spec("openai") is not None:
            works["openai"] = _openai(chunks)
        seconds = in_turns(works, rounds)
        for work, over, limit in (
            (events, "msgspec, same framing", 2.2),
            ("parse_event alone", "msgspec alone", None),
            (framing, "parse_event alone", None),
            (framing, "openai", None),
        ):
            if over in works:
                yield figure(seconds, work, over, limit)
            else:
                yield Skipped(work, over, "not installed: pip install -e .[benchmarks]")


def _reading(decoder: Callable[[], Any], parse: Parse, chunks: Iterable[bytes]) -> Work:
    """Frame each chunk and parse each event; drop what came out, as a reader does when the next one arrives."""

    def work() -> float:
        with collector_off():
            start = time.process_time()
            feed = decoder().feed
            for chunk in chunks:
                for _, data in feed(chunk):
                    if data != b"[DONE]":
                        parse(data)
            return time.process_time() - start

    return work


def _framing(decoder: Callable[[], Any], chunks: Iterable[bytes]) -> Work:
    def work() -> float:
        with collector_off():
            start = time.process_time()
            feed = decoder().feed
            for chunk in chunks:
                for _ in feed(chunk):
                    pass
            return time.process_time() - start

    return work


def _parsing(parse: Parse) -> Work:
    data = [each for _, each in stream()]

    def work() -> float:
        with collector_off():
            start = time.process_time()
            for each in data:
                parse(each)
            return time.process_time() - start

    return work


def _openai(chunks: Iterable[bytes]) -> Work:
    """The framing of `openai.Stream`: line by line, each event with its data as text."""
    decoder = import_module("openai._streaming").SSEDecoder

    def work() -> float:
        with collector_off():
            start = time.process_time()
            for _ in decoder().iter_bytes(iter(chunks)):
                pass
            return time.process_time() - start

    return work


def _msgspec(kit: Any) -> Parse:
    """A union of structs, one for each event, told apart by `type`; what is no plain value in them is not checked."""
    msgspec = import_module("msgspec")
    structs: list[Any] = []
    for name, kind in kit.EVENT_TYPES.items():
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for field, info in kind.model_fields.items():
            annotation = info.annotation if info.annotation in {int, str} else Any
            if field != "type":
                fields.append((field, annotation) if info.is_required() else (field, annotation, None))
        structs.append(msgspec.defstruct(kind.__name__, fields, tag_field="type", tag=name, kw_only=True))
    union = structs[0]
    for struct in structs[1:]:
        union |= struct
    decode: Parse = msgspec.json.Decoder(union).decode
    return decode
