"""How the demonstration counts tokens: a word is one, and so is every other sign."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


def pieces(text: str) -> list[str]:
    """The tokens of a text, each with the space before it. Joined, they are the text."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return sum(1 for _ in _PIECE.finditer(text))
