"""Names that nobody can guess, and that are given once."""

from __future__ import annotations

import os
from secrets import token_hex

__all__ = ["new_id"]

_DIGITS = 32
_TOKENS_AT_ONCE = 128
"""To ask the system for each alone takes several times as long."""
_tokens: list[str] = []


def new_id(prefix: str) -> str:
    """A name of 128 random bits, such as `resp_5f1c0e5d9b8a4b3f8c1d2e3f4a5b6c7d`."""
    try:
        token = _tokens.pop()
    except IndexError:
        digits = token_hex(_DIGITS // 2 * _TOKENS_AT_ONCE)
        starts = range(_DIGITS, len(digits), _DIGITS)
        _tokens.extend(digits[start : start + _DIGITS] for start in starts)
        token = digits[:_DIGITS]
    return f"{prefix}_{token}"


if hasattr(os, "register_at_fork"):
    # A process and its children must not give the same names.
    os.register_at_fork(after_in_child=_tokens.clear)
