"""What the demonstration puts into `encrypted_content` (rules R2, C1).

It is not encryption: anyone can read it, and make it. A checksum shows damage. A service that has
secrets in there encrypts them.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from pydantic_core import from_json, to_json

_MARK = "demonstration-1"


def seal(value: Any) -> str:
    """A JSON value as opaque text."""
    content = to_json(value)
    return f"{_MARK}.{urlsafe_b64encode(content).decode()}.{_checksum(content)}"


def unseal(text: str) -> Any:
    """The value that was sealed. Raises `ValueError` for any other text."""
    mark, _, rest = text.partition(".")
    body, _, checksum = rest.partition(".")
    content = urlsafe_b64decode(body)
    if mark != _MARK or checksum != _checksum(content):
        raise ValueError("it was not made by this demonstration, or it was damaged")
    return from_json(content)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
