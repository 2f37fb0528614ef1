"""JSON as a response is written in: values that an implementer gives, checked on the way.

Rules kept here: N1 and N2 (types of vendors), S1 (what an event holds is JSON in UTF-8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import Any

from pydantic import BaseModel

from .errors import WriterError

__all__ = [
    "check_text",
    "check_vendor_fields",
    "check_vendor_type",
    "encode",
    "joined",
    "members_of",
    "quoted",
    "sound",
    "to_text",
]

quoted = encode_basestring
"""A string as JSON. One that holds half of a surrogate pair cannot be encoded as UTF-8."""

_vendor_type = re.compile(r"[a-z0-9][a-z0-9_.-]*:[a-z0-9][a-z0-9_.:/-]*").fullmatch


def to_text(value: object, what: str, rule: str) -> str:
    """A value as JSON; models in it become objects.

    Raises `WriterError` for what JSON cannot hold.

    Args:
        value: What is written.
        what: What the value is, for the error.
        rule: The rule by which it has to be JSON.
    """
    try:
        text = encode(value)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WriterError(f"{what} cannot be written as JSON: {error}", rule) from error
    return text


def members_of(fields: Mapping[str, object], what: str, rule: str) -> dict[str, str]:
    """The members of an object by name, each as JSON. Raises `WriterError` as `to_text` does."""
    for name in fields:
        check_text(name, f"the name of a field of {what}", rule, empty=True)
    return {name: to_text(value, f"{name!r} of {what}", rule) for name, value in fields.items()}


def joined(members: Mapping[str, str]) -> str:
    """Members as they stand in an object, each after a comma."""
    return "".join([f",{quoted(name)}:{value}" for name, value in members.items()])


def check_text(value: object, what: str, rule: str, *, empty: bool = False) -> None:
    """Raise `WriterError` unless a value is a str that UTF-8 can hold, and not an empty one."""
    if not isinstance(value, str):
        raise WriterError(f"{what} is a str, not {type(value).__name__}", rule)
    if not value and not empty:
        raise WriterError(f"{what} is empty", rule)
    to_text(value, what, rule)


def check_vendor_type(value: object, kind: str) -> None:
    """Raise `WriterError` unless a type is one that a vendor may add (rule N1)."""
    if not isinstance(value, str) or _vendor_type(value) is None:
        reason = f"{value!r} is no type of a vendor's {kind}: write vendor:name, in lower case"
        raise WriterError(reason, "N1")


def check_vendor_fields(fields: Mapping[str, object], reserved: frozenset[str]) -> None:
    """Raise `WriterError` if fields of a vendor are named as those that are filled in (rule N2)."""
    taken = sorted(reserved & fields.keys())
    if taken:
        raise WriterError(f"{', '.join(taken)} cannot be set: the writer fills it in", "N2")


def sound(text: str) -> str:
    """A text with a question mark for each half of a surrogate pair."""
    return text.encode(errors="replace").decode()


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON value")


encode = JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode
"""A value as JSON.

Raises `TypeError`, `ValueError` or `RecursionError` for what JSON cannot hold.
"""
