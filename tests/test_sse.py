"""Server-sent events are read alike wherever the stream is split, within bounds, and written as the protocol says."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, cycle, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit import sse

MARK = b"\xef\xbb\xbf"
ORDINARY = b'event: response.output_text.delta\ndata: {"delta":"\xc3\xa9"}\n\n'
ONE, TWO = ("message", b"1"), ("message", b"2")
ORDINARY_EVENT = ("response.output_text.delta", b'{"delta":"\xc3\xa9"}')
UNLIMITED = 1 << 30


@dataclass(frozen=True)
class Reading:
    """Everything a decoder says about a stream; where it broke off at the limit, only the events before that count."""

    events: tuple[tuple[str, bytes], ...]
    last_event_id: str = ""
    retry: int | None = None
    pending: bool = False
    exceeds_limit: bool = False


def decode(chunks: Iterable[bytes], limit: int = UNLIMITED) -> Reading:
    decoder = sse.SSEDecoder(max_event_bytes=limit)
    events: list[tuple[str, bytes]] = []
    try:
        for chunk in chunks:
            events.extend(decoder.feed(chunk))
    except sse.SSELimitError:
        return Reading(tuple(events), exceeds_limit=True)
    return Reading(tuple(events), decoder.last_event_id, decoder.retry, decoder.pending)


def reference(stream: bytes, limit: int = UNLIMITED) -> Reading:
    """The standard, step by step, on the whole stream at once."""
    *lines, rest = re.split(b"\r\n|\r|\n", stream.removeprefix(MARK))
    events: list[tuple[str, bytes]] = []
    last_event_id, retry = "", None
    name, data, event_id, began = b"", b"", b"", False
    for line in lines:
        if len(name) + len(data) + len(line) > limit:
            return Reading(tuple(events), exceeds_limit=True)
        if line == b"":
            last_event_id = event_id.decode(errors="replace")
            if data != b"":
                events.append(((name or b"message").decode(errors="replace"), data[:-1]))
            name, data, began = b"", b"", False
            continue
        field, value = line.split(b":", 1) if b":" in line else (line, b"")
        value = value[1:] if value[:1] == b" " else value
        if field == b"event":
            name, began = value, True
        elif field == b"data":
            data, began = data + value + b"\n", True
        elif field == b"id":
            event_id, began = (event_id if b"\0" in value else value), True
        elif field == b"retry" and re.fullmatch(b"[0-9]{1,18}", value):
            retry = int(value)
    if len(name) + len(data) + len(rest) > limit:
        return Reading(tuple(events), exceeds_limit=True)
    return Reading(tuple(events), last_event_id, retry, began or rest != b"")


def pieces(stream: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Cut a stream into pieces of these sizes, over and over; a size of 0 is an empty piece."""
    start = 0
    for size in cycle(sizes):
        if start >= len(stream):
            return
        yield stream[start : start + size]
        start += size


def every_split(stream: bytes) -> Iterator[list[bytes]]:
    """The stream in one piece, byte by byte, with empty pieces between, and in two pieces, cut everywhere."""
    yield [stream]
    yield list(pieces(stream, [1]))
    yield list(pieces(stream, [0, 1]))
    for place in range(1, len(stream)):
        yield [stream[:place], stream[place:]]


GRAMMAR = {
    "nothing": (b"", Reading(())),
    "one event": (b"event: a\ndata: 1\n\n", Reading((("a", b"1"),))),
    "ordinary events": (ORDINARY * 3, Reading((ORDINARY_EVENT,) * 3)),
    "CRLF": (b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", Reading((("a", b"1"), TWO))),
    "CR": (b"event: a\rdata: 1\r\rdata: 2\r\r", Reading((("a", b"1"), TWO))),
    "a mix of line ends": (b"event: a\rdata: 1\r\n\ndata: 2\n\r\n\r\r\n", Reading((("a", b"1"), TWO))),
    "CR CR LF is two line ends": (b"data: 1\r\r\ndata: 2\n\n", Reading((ONE, TWO))),
    "no name": (b"data: 1\n\n", Reading((ONE,))),
    "an empty name": (b"event: a\nevent:\ndata: 1\n\nevent: \ndata: 2\n\n", Reading((ONE, TWO))),
    "the last name counts": (b"event: a\nevent: b\ndata: 1\n\n", Reading((("b", b"1"),))),
    "the name after the data": (b"data: 1\nevent: a\n\n", Reading((("a", b"1"),))),
    "a name holds for one event": (b"event: a\ndata: 1\n\ndata: 2\n\n", Reading((("a", b"1"), TWO))),
    "a name without data is dropped": (b"event: a\n\ndata: 1\n\n", Reading((ONE,))),
    "a name that is no UTF-8": (b"event: a\xff\ndata: 1\n\n", Reading((("a�", b"1"),))),
    "several data lines": (b"data: 1\ndata: 2\ndata:3\n\n", Reading((("message", b"1\n2\n3"),))),
    "data lines apart": (b"data: 1\nevent: a\ndata: 2\n\n", Reading((("a", b"1\n2"),))),
    "data lines around a comment": (b"data: 1\n: c\ndata: 2\n\n", Reading((("message", b"1\n2"),))),
    "an empty data line": (b"data: \n\n", Reading((("message", b""),))),
    "an empty data line, no space": (b"data:\n\n", Reading((("message", b""),))),
    "data without a colon": (b"data\n\ndata\ndata\n\n", Reading((("message", b""), ("message", b"\n")))),
    "data lines, the last empty": (b"data: 1\ndata:\n\n", Reading((("message", b"1\n"),))),
    "one space is dropped": (b"data:1\n\ndata: 1\n\ndata:  1 \n\n", Reading((ONE,) * 2 + (("message", b" 1 "),))),
    "a tab is kept": (b"data:\t1\n\n", Reading((("message", b"\t1"),))),
    "colons in a value": (b"event: a:b\ndata: :1:\n\n", Reading((("a:b", b":1:"),))),
    "field names in other case": (b"Data: 1\nEVENT: a\ndata: 2\n\n", Reading((TWO,))),
    "field names with space": (b" data: 1\ndata : 1\n\n", Reading(())),
    "unknown fields": (b"foo: 1\nbar\ndata: 2\n\n", Reading((TWO,))),
    "a comment": (b": ping\n\ndata: 1\n\n", Reading((ONE,))),
    "a comment before an event": (b":ping\nevent: a\ndata: 1\n\n", Reading((("a", b"1"),))),
    "an empty comment": (b":\n\n:\n", Reading(())),
    "a comment that looks like data": (b":data: 1\n\n", Reading(())),
    "blank lines": (b"\n\n\ndata: 1\n\n\n\n\n", Reading((ONE,))),
    "a byte order mark": (MARK + b"data: 1\n\n", Reading((ONE,))),
    "a byte order mark alone": (MARK, Reading(())),
    "part of a byte order mark": (MARK[:2], Reading((), pending=True)),
    "part of a byte order mark before a line": (MARK[:2] + b"data: 1\n\n", Reading(())),
    "two byte order marks": (MARK + MARK + b"data: 1\n\n", Reading(())),
    "a byte order mark later": (b"data: 1\n\n" + MARK + b"data: 2\n\n", Reading((ONE,))),
    "a byte order mark in data": (b"data: " + MARK + b"\n\n", Reading((("message", MARK),))),
    "a byte order mark after a blank line": (b"\n" + MARK + b"data: 1\n\n", Reading(())),
    "UTF-8": ("data: é\u2028€\U0001f600\x85\n\n".encode(), Reading((("message", "é\u2028€\U0001f600\x85".encode()),))),
    "data that are no UTF-8": (b"data: \xff\xc3\n\n", Reading((("message", b"\xff\xc3"),))),
    "vertical tabs and form feeds": (b"data: \x0b1\x0c\x1c\n\n", Reading((("message", b"\x0b1\x0c\x1c"),))),
    "NUL": (b"event: \0\ndata: \0\n\n", Reading((("\0", b"\0"),))),
    "DONE": (b"data: [DONE]\n\n", Reading((("message", b"[DONE]"),))),
    "an id": (b"id: 7\ndata: 1\n\n", Reading((ONE,), "7")),
    "an id stays": (b"id: 7\ndata: 1\n\ndata: 2\n\n", Reading((ONE, TWO), "7")),
    "an id without data": (b"id: 7\n\n", Reading((), "7")),
    "an id before the blank line": (b"data: 1\n\nid: 7\n", Reading((ONE,), pending=True)),
    "an empty id": (b"id: 7\n\nid\ndata: 1\n\n", Reading((ONE,))),
    "an id with NUL": (b"id: 7\n\nid: \x008\ndata: 1\n\n", Reading((ONE,), "7")),
    "an id that is no UTF-8": (b"id: \xff\n\n", Reading((), "�")),
    "retry": (b"retry: 1500\n\n", Reading((), retry=1500)),
    "retry before the blank line": (b"retry: 010\n", Reading((), retry=10)),
    "retry that is no number": (b"retry: 1\nretry: -2\nretry: 3s\nretry:\nretry: \xd9\xa3\n", Reading((), retry=1)),
    "retry after two spaces": (b"retry:  1500\n\n", Reading(())),
    "retry that is too long": (b"retry: 1\nretry: " + b"9" * 5000 + b"\n\n", Reading((), retry=1)),
    "an event that does not end": (b"data: 1\n\nevent: a\ndata: 2\n", Reading((ONE,), pending=True)),
    "a line that does not end": (b"data: 1\n\ndata: 2", Reading((ONE,), pending=True)),
    "a name that does not end": (b"event: a", Reading((), pending=True)),
    "a comment at the end": (b"data: 1\n\n: bye\n", Reading((ONE,))),
    "a comment that does not end": (b"data: 1\n\n: by", Reading((ONE,), pending=True)),
}  # fmt: skip
"""Each case of the grammar and of its interpretation: a stream, and what has to be read from it."""

STREAMS = st.lists(
    st.sampled_from(
        [
            *(
                b"data",
                b"event",
                b"id",
                b"retry",
                b"data: ",
                b"event: ",
                b"id: ",
                b"retry: ",
                b":",
                b" ",
                b"\n",
                b"\n\n",
            ),
            *(b"\r", b"\r\n", b"\0", b"17", b"x", b"{}", "é".encode(), b"\xff", MARK, MARK[:1], b"[DONE]"),
            *(ORDINARY, b"event: a\ndata: 1\n\n", b"data: 2\n\n", b": ping\n\n", ORDINARY.replace(b"\n", b"\r\n")),
        ]
    )
    | st.binary(max_size=8),
    max_size=30,
).map(b"".join)
SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(("stream", "expected"), GRAMMAR.values(), ids=GRAMMAR)
def test_s6_stream_is_read_as_the_standard_says_at_every_split(stream: bytes, expected: Reading) -> None:
    assert reference(stream) == expected
    for chunks in every_split(stream):
        assert decode(chunks) == expected, chunks


@pytest.mark.parametrize("stream", [stream for stream, _ in GRAMMAR.values()], ids=GRAMMAR)
def test_s6_ordinary_events_around_any_case_are_read_at_every_split(stream: bytes) -> None:
    around = ORDINARY + stream + ORDINARY
    expected = reference(around)
    for chunks in every_split(around):
        assert decode(chunks) == expected, chunks


@given(STREAMS, SIZES)
def test_s6_random_stream_is_read_as_the_reference_reads_it(stream: bytes, sizes: list[int]) -> None:
    assert decode(pieces(stream, sizes)) == reference(stream)


@given(STREAMS, SIZES, st.integers(1, 60))
def test_limit_cuts_a_random_stream_at_the_same_place_at_any_split(stream: bytes, sizes: list[int], limit: int) -> None:
    assert decode(pieces(stream, sizes), limit) == reference(stream, limit)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("size", [997, 65_536, 1 << 20])
def test_s6_long_stream_is_read_alike_in_pieces_of_any_size(end: bytes, size: int) -> None:
    stream = b"".join(sse.encode_event(f"event.{n % 100}", f'{{"n":{n}}}' + "é" * (n % 90)) for n in range(3000))
    expected = reference(stream)
    assert len(expected.events) == 3000
    assert decode(pieces(stream.replace(b"\n", end), [size])) == expected


def test_s6_events_are_handed_out_as_soon_as_their_blank_line_is_there() -> None:
    for end in (b"\n", b"\r", b"\r\n"):
        decoder = sse.SSEDecoder()
        event = b"data: 1" + end + end[:1]
        assert [list(decoder.feed(event[n : n + 1])) for n in range(len(event))][-1] == [ONE]


LIMITS = {
    "a line of data": b"event: a\ndata: " + b"x" * 60 + b"\n\n",
    "a line without an end": b"data: " + b"x" * 95,
    "a name": b"event: " + b"x" * 95 + b"\ndata: 1\n\n",
    "lines that fit alone": b"data: 0123456789\n" * 12 + b"\n",
    "empty lines of data": b"data\n" * 101,
    "a comment": b": " + b"x" * 99 + b"\n\n",
    "an unknown field": b"x" * 101,
    "name and data": b"event: " + b"x" * 50 + b"\ndata: " + b"x" * 50 + b"\n\n",
}


@pytest.mark.parametrize("large", LIMITS.values(), ids=LIMITS)
def test_limit_is_an_error_after_the_events_before_it_at_every_split(large: bytes) -> None:
    small = b"event: a\ndata: 1\n\n"
    limit = 64 if large is LIMITS["a line of data"] else 100
    for chunks in every_split(small + large + small):
        assert decode(chunks, limit) == Reading((("a", b"1"),), exceeds_limit=True), chunks


def test_limit_lets_everything_up_to_it_pass() -> None:
    stream = (b"data: " + b"x" * 94 + b"\n\n: " + b"x" * 98 + b"\n" + b"event: a\ndata: 1\n\n") * 3
    for chunks in every_split(stream):
        assert decode(chunks, 100) == reference(stream), chunks


def test_limit_error_says_the_limit_and_how_to_raise_it_and_comes_again() -> None:
    decoder = sse.SSEDecoder(max_event_bytes=10)
    events = iter(decoder.feed(b"data: 1\n\ndata: 2\n\ndata: 0123456789\n\ndata: 3\n\n"))
    assert [next(events), next(events)] == [ONE, TWO]
    with pytest.raises(sse.SSELimitError, match=r"limit of 10 bytes.*higher max_event_bytes"):
        next(events)
    with pytest.raises(sse.SSELimitError, match="limit of 10 bytes"):
        decoder.feed(b"data: 4\n\n")


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_has_to_be_positive(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sse.SSEDecoder(max_event_bytes=limit)


@pytest.mark.parametrize(
    "endless",
    [b"x" * 1000, b"data: " + b"x" * 1000 + b"\n", b"data:\n" * 100, b"data:x\n" * 100, b"event: a\ndata: x\n"],
    ids=["a line", "lines of data", "empty lines", "short lines", "name and data"],
)
def test_limit_bounds_what_an_endless_event_holds(endless: bytes) -> None:
    """The decoder never holds more than the limit, give or take how a bytearray grows and the error itself."""
    limit = 200_000
    decoder = sse.SSEDecoder(max_event_bytes=limit)
    tracemalloc.start()
    try:
        with pytest.raises(sse.SSELimitError):
            list(chain.from_iterable(map(decoder.feed, repeat(endless, limit))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.25 * limit + 50_000


def test_lines_that_are_no_events_leave_nothing_behind() -> None:
    """Comments and unknown fields may go on for ever without a blank line; names are remembered within bounds."""
    decoder = sse.SSEDecoder(max_event_bytes=1000)
    for n in range(5000):
        assert not list(decoder.feed(b": ping\nfoo: bar\nretry: 1\n"))
        assert list(decoder.feed(b"event: %d\ndata: 1\n\n" % n)) == [(str(n), b"1")]
    assert not decoder.pending
    assert len(decoder._names) < 100


@pytest.mark.parametrize(("size", "total"), [(1, 50_000), (100, 1_000_000), (4096, 5_000_000)])
@pytest.mark.parametrize("line", [b"x", b"0123456789\ndata: "], ids=["one line", "many lines"])
def test_large_event_in_small_chunks_is_copied_a_constant_number_of_times(size: int, total: int, line: bytes) -> None:
    """What all calls allocate, added up, grows with the event and not with its square.

    A decoder that joins what it has with each new chunk would allocate hundreds of times the event's size.
    """
    event = b"event: a\ndata: " + line * (total // len(line)) + b"\n\n"
    decoder, allocated, sizes = sse.SSEDecoder(), 0, list[int]()
    tracemalloc.start()
    try:
        for chunk in pieces(event, [size]):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            sizes.extend(len(data) for _, data in decoder.feed(chunk))
            allocated += tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert sizes == [len(event[15:-2].replace(b"\ndata: ", b"\n"))]
    assert allocated < 10 * len(event) + 1000 * (len(event) // size)


ENCODED = {
    "bytes": (("a.b", b'{"x":1}'), b'event: a.b\ndata: {"x":1}\n\n'),
    "text": (("a.b", '{"x":"\u00e9\u2028"}'), b'event: a.b\ndata: {"x":"\xc3\xa9\xe2\x80\xa8"}\n\n'),
    "no data": (("a", ""), b"event: a\ndata: \n\n"),
    "space first": ((" a", " 1"), b"event:  a\ndata:  1\n\n"),
}


@pytest.mark.parametrize(("event", "expected"), ENCODED.values(), ids=ENCODED)
def test_s1_s8_event_is_two_lines_and_a_blank_line(event: tuple[str, bytes | str], expected: bytes) -> None:
    assert sse.encode_event(*event) == expected


ONE_LINE = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))


@given(
    st.lists(st.tuples(ONE_LINE.filter(bool), ONE_LINE | st.binary().filter(lambda data: not {10, 13} & {*data}))),
    SIZES,
)
def test_s1_what_is_encoded_is_decoded_again(events: list[tuple[str, str | bytes]], sizes: list[int]) -> None:
    stream = b"".join(sse.encode_comment("ping") + sse.encode_event(*event) for event in events) + sse.DONE
    expected = [(name, data.encode() if isinstance(data, str) else data) for name, data in events]
    assert decode(pieces(stream, sizes)) == Reading((*expected, ("message", b"[DONE]")))


@given(ONE_LINE)
def test_s1_comment_is_passed_over(text: str) -> None:
    assert decode([ORDINARY, sse.encode_comment(text), ORDINARY]) == Reading((ORDINARY_EVENT,) * 2)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda text: sse.encode_event(text, b"{}"),
        lambda text: sse.encode_event("a", text),
        lambda text: sse.encode_event("a", text.encode()),
        sse.encode_comment,
    ],
    ids=["name", "text", "bytes", "comment"],
)
def test_s8_line_break_is_refused(encode: Callable[[str], bytes], end: str) -> None:
    for text in (end, f"1{end}", f"{end}1", f"1{end}data: 2", f"1{end}{end}event: b"):
        with pytest.raises(ValueError, match="line break"):
            encode(text)


def test_s1_event_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="S1"):
        sse.encode_event("", b"{}")


def test_s2_done_is_one_line_of_data() -> None:
    assert sse.DONE == b"data: [DONE]\n\n"


def test_module_needs_the_standard_library_alone() -> None:
    """It is run as a file of its own, in an interpreter that sees no installed package."""
    subprocess.run([sys.executable, "-I", "-S", str(Path(sse.__file__))], check=True, timeout=60)
