"""Who may call: keys, and who each of them stands for. Rule kept here: T2."""

from __future__ import annotations

import hashlib
import hmac
import inspect
from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

from .errors import UnauthorizedError

__all__ = ["APIKeys", "Keyring"]

APIKeys: TypeAlias = Collection[str] | Callable[[str], bool | Awaitable[bool]]
"""The keys that are valid, or a function that says whether one is."""

_CHALLENGE = {"www-authenticate": "Bearer"}


class Keyring:
    """Checks the key of a request. Without keys, everybody may call.

    Raises `ValueError` when a key is empty or not what a header can carry.
    """

    def __init__(self, keys: APIKeys | None) -> None:
        self._check = keys if callable(keys) else None
        self._digests: list[bytes] | None = None
        if keys is not None and not callable(keys):
            given = [keys] if isinstance(keys, str) else list(keys)
            if not all(each and each.isascii() and each.isprintable() for each in given):
                raise ValueError("an API key has to be printable ASCII and not empty")
            self._digests = [_digest(each) for each in given]

    @property
    def is_open(self) -> bool:
        """Whether no key is asked for."""
        return self._check is None and self._digests is None

    async def check(self, key: str | None) -> None:
        """Raise `UnauthorizedError` unless the key is valid."""
        if self.is_open:
            return
        if key is None:
            message = "a key is needed: send `Authorization: Bearer <key>`"
            raise UnauthorizedError(message, headers=_CHALLENGE)
        if not await self._is_valid(key):
            raise UnauthorizedError("the key is not valid", headers=_CHALLENGE)

    async def _is_valid(self, key: str) -> bool:
        if self._check is not None:
            found = self._check(key)
            return bool(await found if inspect.isawaitable(found) else found)
        digest = _digest(key)
        # Every key is compared, each in constant time: the time taken tells nothing.
        found = False
        for each in self._digests or ():
            found |= hmac.compare_digest(each, digest)
        return found


def bearer(authorization: str | None) -> str | None:
    """The key in an `authorization` header; None when there is none."""
    scheme, _, key = (authorization or "").partition(" ")
    key = key.strip()
    return key if scheme.lower() == "bearer" and key else None


def owner_of(key: str | None) -> str:
    """A name for who has a key, from which the key cannot be told; empty without one."""
    return _digest(key).hex()[:32] if key else ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
