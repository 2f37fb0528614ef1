"""Keeping the key out of everything that is shown.

A server may send back what it was sent. So the key is taken out where data comes in, in the forms in which it may stand
there, and once more out of the finished report.
"""

from __future__ import annotations

import json
from urllib.parse import quote

MASK = "[api key]"
SHORTEST = 8
"""A key of fewer characters is not looked for: it would be found in words that are no key."""


class Redaction:
    """Takes a key out of texts."""

    def __init__(self, api_key: str | None) -> None:
        forms: set[str] = set()
        if api_key is not None and len(api_key) >= SHORTEST:
            forms = {api_key, json.dumps(api_key)[1:-1], json.dumps(api_key, ensure_ascii=False)[1:-1], quote(api_key)}
        self._forms = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without the key."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def data(self, data: bytes) -> bytes:
        """The bytes without the key."""
        for form in self._forms:
            data = data.replace(form.encode(), MASK.encode())
        return data

    def finds(self, data: bytes) -> bool:
        """Whether the key stands in the bytes."""
        return any(form.encode() in data for form in self._forms)
