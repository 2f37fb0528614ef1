"""From the bytes of a request to a checked object.

Rules kept here: T1 (the body is one JSON object), T5 (fields that are not known pass), E3 and E4
(what is wrong is told by its place, with what is allowed), W1 (fields that must be absent), Z7 and
Z8 (items without a type).

JSON has no `NaN` and no `Infinity`, yet the parser takes them. They are refused as declared numbers
and in requests with fields that are not declared; `echo` refuses them in tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

from .._places import lines_of, place_of
from ._slices import constant_in
from .errors import InvalidRequestError

__all__ = ["Limits", "check_constants", "read_body"]

T = TypeVar("T", bound=BaseModel)

_SMALLEST_ITEM: Final = len('{"id":""}')
_SMALLEST_PART: Final = len('{"type":"a:b"}')
"""Bytes below which no list can be too long, for each element that it may have."""
_SHOWN_CHARACTERS: Final = 40
_SHOWN_PLACES: Final = 3
_LONGEST_PLACE: Final = 200
"""Characters; a key of `metadata` is part of a path and may be as long as a body."""
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_JSON_REASONS: Final = {
    "recursion limit exceeded": "it is nested too deeply",
    "invalid unicode code point": "this is no UTF-8",
    "unexpected end of hex escape": "half of a surrogate pair, or of an escape, is missing",
}
"""What the parser says otherwise than those would who send JSON."""
_OF_LENGTHS: Final = {
    "missing": "it is required",
    "forbidden_field": "it has to be left out here",
    "string_too_short": "its length has to be at least {min_length}",
    "string_too_long": "its length has to be at most {max_length}",
    "too_short": "its length has to be at least {min_length}",
    "too_long": "its length has to be at most {max_length}",
}
"""Reasons by the type of an error; the value adds nothing to them."""
_OF_VALUES: Final = {
    "string_type": "it has to be a string",
    "int_type": "it has to be an integer",
    "float_type": "it has to be a number",
    "finite_number": "it has to be a finite number",
    "bool_type": "it has to be true or false",
    "list_type": "it has to be an array",
    "dict_type": "it has to be an object",
    "model_type": "it has to be an object",
    "wrong_shape": "it has to be {expected}",
    "literal_error": "it has to be {expected}",
    "greater_than": "it has to be more than {gt}",
    "greater_than_equal": "it has to be at least {ge}",
    "less_than": "it has to be less than {lt}",
    "less_than_equal": "it has to be at most {le}",
    "string_pattern_mismatch": "it has to match {pattern}",
}
"""Reasons by the type of an error, to go before the value."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may hold, whatever its size in bytes."""

    elements: int = 10_000
    """Most elements of one list: items of `input`, parts of a content, `tools`."""


def read_body(kind: type[T], content: bytes, limits: Limits) -> T:
    """Read the JSON of a request.

    Returns the request, checked and with its unknown fields.

    Raises `InvalidRequestError` whose `param` is the path of the first field that is wrong (E3).

    Args:
        kind: Class of the request.
        content: The body of an HTTP request, or a frame of a WebSocket.
        limits: What it may hold.
    """
    try:
        request: T = kind.__pydantic_validator__.validate_json(content)
    except ValidationError as error:
        raise _refusal(kind, content, error) from None
    if len(content) > _SMALLEST_ITEM * limits.elements:
        _check_lists(request, len(content), limits.elements)
    if request.__pydantic_extra__:
        check_constants(content)
    return request


def check_constants(content: bytes) -> None:
    """Raise `InvalidRequestError` when the JSON of a request has a `NaN` or an `Infinity`."""
    found = constant_in(content)
    if found is not None:
        start = found.start()
        line = content.count(b"\n", 0, start) + 1
        column = start - content.rfind(b"\n", 0, start)
        place = f"line {line} column {column}"
        raise InvalidRequestError(
            f"the request is no valid JSON: there is no {found[1].decode()} at {place}"
        )


def _check_lists(request: BaseModel, size: int, most: int) -> None:
    """Hold the lists of a request of that many bytes, and those in its elements, to the limit."""
    lists = {name: value for name, value in request.__dict__.items() if value.__class__ is list}
    for name, elements in lists.items():
        _check_length(elements, name, most)
    if size <= _SMALLEST_PART * most:
        return
    for name, elements in lists.items():
        if elements and isinstance(elements[0], BaseModel):
            long = [
                (f"{name}[{index}].{field}", value)
                for index, element in enumerate(elements)
                for field, value in element.__dict__.items()
                if value.__class__ is list and len(value) > most
            ]
            for place, value in long:
                _check_length(value, place, most)


def _check_length(elements: list[Any], place: str, most: int) -> None:
    if len(elements) > most:
        message = f"{place}: its length has to be at most {most}, not {len(elements)}"
        raise InvalidRequestError(message, param=place)


def _refusal(kind: type[BaseModel], content: bytes, error: ValidationError) -> InvalidRequestError:
    """The answer to a request that is not what its class requires."""
    first, *others = lines_of(error)
    if first["type"] == "json_invalid":
        return InvalidRequestError(_bad_json(content, first.get("ctx", {})["error"]))
    place = _cut(place_of(first, kind), _LONGEST_PLACE)
    message = f"{place or 'the request'}: {_reason(first)}"
    if others:
        named = [_cut(place_of(line, kind)) for line in others[:_SHOWN_PLACES]]
        rest = ["..."] if len(others) > _SHOWN_PLACES else []
        message += f" ({len(others)} more to correct: {', '.join(named + rest)})"
    return InvalidRequestError(message, param=place or None)


def _bad_json(content: bytes, reason: str) -> str:
    """What is wrong with a body that cannot be parsed, with line and column."""
    if not content.strip():
        return "the request is empty; it has to be a JSON object"
    if content.startswith(_BYTE_ORDER_MARKS):
        return "the request begins with a byte order mark; it has to be UTF-8 without one"
    for theirs, ours in _JSON_REASONS.items():
        reason = reason.replace(theirs, ours)
    return f"the request is no valid JSON: {reason}"


def _reason(line: ErrorDetails) -> str:
    """What is wrong at a place, and what is allowed there."""
    kind, value, context = line["type"], line["input"], line.get("ctx", {})
    if kind == "unknown_tag":
        vendors = ", or a vendor's as in 'vendor:name'" if context["by"] == "type" else ""
        tag = _shown(value.get(context["by"]))
        return f"it has to be one of {context['tags']}{vendors}, not {tag}"
    if kind in _OF_LENGTHS:
        return _OF_LENGTHS[kind].format(**context)
    if kind in _OF_VALUES:
        return f"{_OF_VALUES[kind].format(**context)}, not {_shown(value)}"
    return line["msg"]


def _shown(value: Any) -> str:
    """A value as a message shows it: in JSON, and cut short."""
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    return _cut(to_json(value, inf_nan_mode="constants").decode())


def _cut(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
