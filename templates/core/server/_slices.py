"""Pieces of a JSON text as they were sent.

Rule kept here: Z19 (what passes through is not written anew: order of keys, forms of numbers and
escapes stay).

The texts were parsed before, so they are known to be JSON. Values are stepped over by the decoder
of the standard library, which is written in C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from json import JSONDecoder
from typing import Final, TypeVar

__all__ = [
    "constant_in",
    "elements",
    "elements_of",
    "member_of",
    "on_one_line",
    "replaced",
    "without",
]

T = TypeVar("T")

_TRIES: Final = 4
"""How often a member is looked for from the end before the text is read from its beginning."""
_BACKSLASH: Final = ord("\\")
_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")
_decode = JSONDecoder().raw_decode
_space = re.compile(r"[ \t\r\n]*").match
_colon = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match
_comma = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*").match
_constants = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(-?(?:NaN|Infinity))', re.DOTALL).finditer


def member_of(text: bytes, name: str) -> bytes:
    """The value of a member of the object that a text is; of several, the last one.

    Raises `KeyError` when there is none.

    Args:
        text: A JSON object.
        name: Name of the member: letters, digits and `_`.
    """
    return _member_of(text, name, _value)


def elements_of(text: bytes, name: str) -> list[bytes]:
    """The elements of the array that `member_of` would find. Raises as that does."""
    return _member_of(text, name, _elements)


def elements(text: bytes) -> list[bytes]:
    """The elements of the array that a text is."""
    array = text.decode()
    return _elements(array, _skip(array, 0))[0]


def without(text: bytes, names: Set[str]) -> bytes:
    """The object that a text is without the members of these names, the others as they stand."""
    whole = text.decode()
    kept: list[str] = []
    at = _skip(whole, _skip(whole, 0) + 1)
    while whole[at] == '"':
        start = at
        key, at = _decode(whole, at)
        _, at = _decode(whole, _skip(whole, _skip(whole, at) + 1))
        if key not in names:
            kept.append(whole[start:at])
        at = _next(whole, at)
    return f"{{{','.join(kept)}}}".encode()


def replaced(text: bytes, members: Mapping[str, bytes | None]) -> bytes:
    """The object that a text is with these members, None left out, the others as they stand."""
    if not members:
        return text
    rest = without(text, members.keys())[1:-1]
    new = {name.encode(): each for name, each in members.items() if each is not None}
    given = [b'"%b":%b' % each for each in new.items()]
    return b"{%b}" % b",".join([rest, *given] if rest else given)


def on_one_line(text: bytes) -> bytes:
    """A text without line breaks, which JSON has between tokens only (rule S8)."""
    return text.translate(_SPACES) if b"\n" in text or b"\r" in text else text


def constant_in(text: bytes) -> re.Match[bytes] | None:
    """Where a text has a `NaN` or an `Infinity`, which the parser takes and JSON does not have."""
    if b"NaN" in text or b"Infinity" in text:
        return next((match for match in _constants(text) if match[1]), None)
    return None


def _member_of(text: bytes, name: str, read: Callable[[str, int], tuple[T, int]]) -> T:
    """What a member of an object is read as.

    It is looked for from the end: what stands before it, such as a long input, is not read then.
    """
    key = f'"{name}"'.encode()
    at = len(text)
    for _ in range(_TRIES):
        at = text.rfind(key, 0, at)
        if at < 0:
            break
        # A quote after a backslash is part of a longer string.
        if text[at - 1] != _BACKSLASH:
            rest = text[at + len(key) :].decode()
            colon = _colon(rest)
            if colon:
                value, end = read(rest, colon.end())
                if _has_no(name, rest, end):
                    return value
    whole = text.decode()
    found = _values_of(whole, _skip(whole, _skip(whole, 0) + 1), name, read)
    if not found:
        raise KeyError(name)
    return found[-1]


def _has_no(name: str, rest: str, at: int) -> bool:
    """Whether what follows a value are the last members of the whole, and none has this name."""
    at = _next(rest, at)
    if rest[at] != '"':
        return rest[at] == "}" and _skip(rest, at + 1) == len(rest)
    # It is read as an object of its own. Where the value belongs to an object in the whole, this
    # one ends too early, or is none.
    members = "{" + rest[at:]
    try:
        others, end = _decode(members)
    except ValueError:
        return False
    return name not in others and _skip(members, end) == len(members)


def _values_of(text: str, at: int, name: str, read: Callable[[str, int], tuple[T, int]]) -> list[T]:
    """The values of a name among the members of an object, the first of which is at an index."""
    found: list[T] = []
    while text[at] == '"':
        key, at = _decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == name:
            value, at = read(text, at)
            found.append(value)
        else:
            _, at = _decode(text, at)
        at = _next(text, at)
    return found


def _value(text: str, at: int) -> tuple[bytes, int]:
    """The value at an index, and the index after it."""
    _, end = _decode(text, at)
    return text[at:end].encode(), end


def _elements(text: str, at: int) -> tuple[list[bytes], int]:
    """The elements of an array, and the index after it; none of what is no array."""
    if text[at] != "[":
        return [], _decode(text, at)[1]
    found: list[bytes] = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        element, end = _value(text, at)
        found.append(element)
        at = _next(text, end)
    return found, at + 1


def _next(text: str, at: int) -> int:
    """The index of the next element or member, or of what closes them."""
    between = _comma(text, at)
    return between.end() if between else at


def _skip(text: str, at: int) -> int:
    """The index of the next token."""
    space = _space(text, at)
    return space.end() if space else at
