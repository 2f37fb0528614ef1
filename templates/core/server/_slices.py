"""Pieces of a JSON text as they were sent.

Rule kept here: Z19 (what passes through is not written anew: order of keys, forms of numbers and
escapes stay).

The texts were parsed before, so they are known to be JSON. Values are stepped over by the decoder
of the standard library, which is written in C.
"""

from __future__ import annotations

import re
from json import JSONDecoder
from typing import Final

__all__ = ["constant_in", "elements_of", "member_of", "on_one_line"]

_TRIES: Final = 4
"""How often a member is looked for from the end before the text is read from its beginning."""
_BACKSLASH: Final = ord("\\")
_SPACES: Final = bytes.maketrans(b"\r\n", b"  ")
_decode = JSONDecoder().raw_decode
_space = re.compile(r"[ \t\r\n]*").match
_constants = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(-?(?:NaN|Infinity))', re.DOTALL).finditer


def member_of(text: bytes, name: str) -> bytes:
    """The value of a member of the object that a text is; of several, the last one.

    It is looked for from the end: what stands before it, such as a long input, is not read then.

    Raises `KeyError` when there is none.

    Args:
        text: A JSON object.
        name: Name of the member: letters, digits and `_`.
    """
    key = f'"{name}"'.encode()
    at = len(text)
    for _ in range(_TRIES):
        at = text.rfind(key, 0, at)
        if at < 0:
            break
        # A quote after a backslash is part of a longer string.
        if text[at - 1] != _BACKSLASH:
            value = _last_of(text[at:].decode(), 0, name)
            if value is not None:
                return value
    whole = text.decode()
    value = _last_of(whole, _skip(whole, _skip(whole, 0) + 1), name)
    if value is None:
        raise KeyError(name)
    return value


def elements_of(text: bytes) -> list[bytes]:
    """The elements of the array that a text is."""
    array = text.decode()
    found: list[bytes] = []
    at = _skip(array, _skip(array, 0) + 1)
    while array[at] != "]":
        start = at
        _, at = _decode(array, start)
        found.append(array[start:at].encode())
        at = _skip(array, at)
        if array[at] == ",":
            at = _skip(array, at + 1)
    return found


def on_one_line(text: bytes) -> bytes:
    """A text without line breaks, which JSON has between tokens only (rule S8)."""
    return text.translate(_SPACES) if b"\n" in text or b"\r" in text else text


def constant_in(text: bytes) -> re.Match[bytes] | None:
    """Where a text has a `NaN` or an `Infinity`, which the parser takes and JSON does not have."""
    if b"NaN" in text or b"Infinity" in text:
        return next((match for match in _constants(text) if match[1]), None)
    return None


def _last_of(text: str, at: int, name: str) -> bytes | None:
    """The last value of a name among the members from an index to the end of the text.

    None when there is none, and when the members are not those of the whole, but of an object in
    it, or no members at all.
    """
    found: str | None = None
    while text[at] == '"':
        key, at = _decode(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            return None
        start = _skip(text, at + 1)
        _, at = _decode(text, start)
        if key == name:
            found = text[start:at]
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    is_whole = text[at] == "}" and _skip(text, at + 1) == len(text)
    return found.encode() if found is not None and is_whole else None


def _skip(text: str, at: int) -> int:
    """The index of the next token."""
    space = _space(text, at)
    return space.end() if space else at
