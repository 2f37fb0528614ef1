"""Texts and numbers that satisfy JSON Schemas."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import count, islice
from typing import Any, TypeAlias

from ._checks import Checker, exact
from ._languages import END, Language, Languages
from ._schemas import JSONSchema

__all__ = ["Way", "numbers", "texts"]

Way: TypeAlias = Sequence[Mapping[str, Any]]
"""Schemas that a value has to satisfy, all of them; what they combine is among them."""

_MOST_CHARACTERS = 10_000
_MOST_TEXTS = 30
_MOST_STEPS = 60
_LARGEST = Fraction(sys.float_info.max)
_DATE = r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]0\d:[0-5]\d)"
_HOST = r"[a-z0-9]+(\.[a-z0-9]+){1,3}"
_BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PATH = r"[A-Za-z0-9._~/-]"
_FORMATS: Mapping[str, tuple[str, str]] = {
    "date": ("2026-04-24", _DATE),
    "time": ("09:30:00Z", _TIME),
    "date-time": ("2026-04-24T09:30:00Z", f"{_DATE}T{_TIME}"),
    "duration": ("P1DT2H", r"P(\d+D(T\d+[HMS])?|T\d+[HMS])"),
    "email": ("ada@example.com", rf"[a-z0-9._+-]+@{_HOST}"),
    "hostname": ("example.com", _HOST),
    "ipv4": ("192.0.2.1", rf"{_BYTE}(\.{_BYTE}){{3}}"),
    "ipv6": ("2001:db8::1", r"([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}"),
    "uri": ("https://example.com/", rf"https?://{_HOST}/{_PATH}*"),
    "uri-reference": ("/example", rf"(https?://{_HOST})?/{_PATH}*"),
    "uri-template": ("/example/{name}", rf"/{_PATH}*"),
    "uuid": (
        "12345678-1234-4234-8234-123456789abc",
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ),
    "json-pointer": ("/example", r"(/[a-z0-9]+)*"),
    "relative-json-pointer": ("0/example", r"(0|[1-9]\d*)(/[a-z0-9]+)*"),
    "regex": ("^example$", r"[a-z0-9]+"),
}
"""Formats by name: an example, and a pattern of texts that have the format, though not of all."""
_SAME_FORMATS = {
    "idn-email": "email",
    "idn-hostname": "hostname",
    "iri": "uri",
    "iri-reference": "uri-reference",
}


def texts(way: Way, checker: Checker, words: Sequence[str]) -> Iterator[str]:
    """Texts that may satisfy a way, those that begin with the words first."""
    least = max((int(each.get("minLength", 0)) for each in way), default=0)
    most = min((int(each["maxLength"]) for each in way if "maxLength" in each), default=None)
    if least > _MOST_CHARACTERS or (most is not None and most < least):
        return
    patterns = [each["pattern"] for each in way if "pattern" in each]
    avoided = [inner for each in way if (inner := _negated_pattern(each)) is not None]
    formats = [name for each in way if (name := _format(each)) is not None]
    if not formats:
        fitted = (_fitted(word, least, most) for word in words)
        yield from islice(fitted, _MOST_TEXTS if not patterns else 6)
    yield from (_FORMATS[name][0] for name in formats)
    languages = checker.languages
    if not patterns and not avoided and not formats:
        yield from (
            _fitted(f"{words[0]} {number}", least, most) for number in range(2, _MOST_TEXTS)
        )
    length = _of_length(languages, least, most)
    parts = [length, *map(checker.pattern, patterns)]
    parts += [languages.other(checker.pattern(each)) for each in avoided]
    formed = [checker.pattern(f"^({_FORMATS[name][1]})$") for name in formats]
    if formed:
        yield from islice(languages.texts(languages.both(*parts, *formed)), _MOST_TEXTS)
    yield from islice(languages.texts(languages.both(*parts)), _MOST_TEXTS)


def numbers(way: Way, wanted: Sequence[float], *, whole: bool) -> Iterator[float]:
    """Numbers that may satisfy a way, the wanted ones first."""
    yield from wanted
    steps = [exact(each["multipleOf"]) for each in way if "multipleOf" in each]
    low = max(_bounds(way, "minimum", "exclusiveMinimum"), default=None)
    high = min(_bounds(way, "maximum", "exclusiveMaximum"), default=None)
    if not any(each.get("not") == {"type": "integer"} for each in way):
        yield from _plain(_multiples(_common([*steps, Fraction(1)]), low, high), steps)
    if not whole and steps:
        yield from _plain(_multiples(_common(steps), low, high), steps)
    elif not whole:
        yield from _plain(_between(low, high))


def _negated_pattern(schema: Mapping[str, Any]) -> str | None:
    negated: JSONSchema = schema.get("not", True)
    if isinstance(negated, bool) or list(negated) != ["pattern"]:
        return None
    return str(negated["pattern"])


def _format(schema: Mapping[str, Any]) -> str | None:
    name = schema.get("format")
    name = _SAME_FORMATS.get(name, name) if isinstance(name, str) else None
    return name if name in _FORMATS else None


def _fitted(text: str, least: int, most: int | None) -> str:
    """A text that is repeated or cut so that it has the right length."""
    if len(text) < least:
        text = f"{text} " * (least // (len(text) + 1) + 1)
        text = f"{text[: least - 1]}." if least > 1 else text[:least]
    return text[:most]


def _of_length(languages: Languages, least: int, most: int | None) -> Language:
    end = languages.one_of([(END, END)])
    return languages.then(languages.repeated(languages.character, least, most), end)


def _bounds(way: Way, *keywords: str) -> Iterator[Fraction]:
    return (exact(each[keyword]) for each in way for keyword in keywords if keyword in each)


def _common(steps: Sequence[Fraction]) -> Fraction:
    """The smallest number that is a multiple of all."""
    common = steps[0]
    for step in steps[1:]:
        below = math.gcd(common.denominator, step.denominator)
        common = Fraction(math.lcm(common.numerator, step.numerator), below)
    return common


def _multiples(step: Fraction, low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """Multiples of a step between two bounds, both included; from 1 on where 1 is among them."""
    first = math.ceil((low if low is not None else min(Fraction(1), high or Fraction(1))) / step)
    if low is not None and low <= step and (high is None or step <= high):
        first = 1
    upward = (number * step for number in islice(count(first), _MOST_STEPS))
    downward = (number * step for number in islice(count(first - 1, -1), _MOST_STEPS))
    for each in (*upward, *downward):
        if (low is None or each >= low) and (high is None or each <= high):
            yield each


def _between(low: Fraction | None, high: Fraction | None) -> Iterator[Fraction]:
    """Numbers between two bounds, in the middle first."""
    if low is None:
        low = high - 1 if high is not None else Fraction(0)
    if high is None:
        high = low + 1
    for parts in range(2, _MOST_STEPS):
        yield from (low + (high - low) * part / parts for part in range(1, parts))
        if parts == 2:
            yield from (low, high)


def _plain(fractions: Iterator[Fraction], steps: Sequence[Fraction] = ()) -> Iterator[float]:
    """The numbers of JSON for fractions.

    Those come first that also binary fractions divide by the steps without a rest, as most
    validators do.
    """
    found = [each for each in fractions if -_LARGEST <= each <= _LARGEST]
    found.sort(key=lambda each: any(float(each) / float(step) % 1 for step in steps))
    for each in found:
        yield each.numerator if each.denominator == 1 else float(each)
