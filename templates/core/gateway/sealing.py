"""Text that a caller carries for the server and can neither read nor change.

Rules kept here: R2 and R3 (encrypted reasoning, and state that is nowhere but in it), C1 (compacted
conversations), E3 (a refusal names the place, and tells nothing of what is inside).

A sealed value is `<name>.1.<id of the key>.<nonce, ciphertext and tag>`, the last in base64 without
padding: nothing in it has to be escaped in JSON or in a URL. It is AES-256-GCM; the kind of value,
the caller and all that stands before the ciphertext are authenticated with it. Its length tells
that of the value.

Nonces are 96 random bits. A key may seal 2**32 values (NIST SP 800-38D, section 8.3): the chance
that any two of them share a nonce, which would lay both open, is then still below 2**-32. At a
hundred values a second that takes sixteen months; put a new key in use well before.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ..server.errors import InvalidRequestError, ServerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "MAX_SEALED_CHARS", "MAX_VALUE_BYTES", "Sealer", "read_keys"]

KEY_BYTES = 32
"""How long a key is."""
MAX_SEALED_CHARS = 10_485_760
"""The longest text that is made or opened; the spec allows no longer one in an item."""
MAX_VALUE_BYTES = MAX_SEALED_CHARS // 4 * 3 - 256
"""The largest value that is sealed, as JSON."""

_VERSION = 1
_NONCE_BYTES = 12
_TAG_BYTES = 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_ID_FORM = "it has to be 1 to 32 letters, digits, `-` or `_`"
_BASE64 = re.compile(r"[A-Za-z0-9_-]*")
_SEALED = re.compile(r"(?P<head>[A-Za-z0-9_-]+\.(?P<version>[0-9]{1,9})\.(?P<key>[^.]{1,64}))\.")


class Sealer:
    """Seals values for callers, and opens them when they come back.

    New keys are added, and old ones kept as long as what they sealed may come back: what is sealed
    with any of the keys is opened, the current one seals.

    Raises `ValueError` for a key or an id that is not what it has to be, naming the id and never
    the key; `ImportError` when the package `cryptography` is missing.

    Args:
        keys: The keys by id, each of 32 random bytes. An id is public: 1 to 32 letters, digits,
            `-` or `_`.
        current: Id of the key that seals.
        name: What the texts of this server begin with. Servers that hand on what others sealed
            need names of their own, to tell theirs apart.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, *, name: str = "gateway") -> None:
        for key_id, key in keys.items():
            _check_key(key_id, key)
        if current not in keys:
            known = ", ".join(map(repr, keys)) or "there are none"
            raise ValueError(f"the current key is {current!r}, which is none of the keys: {known}")
        if not _ID.fullmatch(name):
            raise ValueError(f"the name is {name!r}; {_ID_FORM}")
        self._ciphers = {key_id: _cipher(key) for key_id, key in keys.items()}
        self._current = current
        self._prefix = f"{name}."

    def __repr__(self) -> str:
        return f"Sealer(keys={sorted(self._ciphers)}, current={self._current!r})"

    def seal(self, kind: str, value: Any, owner: str) -> str:
        """Seal a value.

        Returns text that only `open` of a sealer with the same key reads, for the same kind and
        owner. Raises `ServerError` for a value that is too large.

        Args:
            kind: What sort of value it is, such as `reasoning`.
            value: What JSON can hold.
            owner: Who may hand it back.
        """
        plain = to_json(value)
        if len(plain) > MAX_VALUE_BYTES:
            raise ServerError(f"{kind}: {len(plain)} bytes are too many to be encrypted")
        head = f"{self._prefix}{_VERSION}.{self._current}"
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, _bound(head, kind, owner))
        return f"{head}.{base64.urlsafe_b64encode(nonce + sealed).rstrip(b'=').decode()}"

    def open(self, kind: str, text: str, owner: str, *, place: str = "encrypted_content") -> Any:
        """Open what was sealed.

        Returns the value. Raises `InvalidRequestError` for all that this server did not seal as it
        stands, with this kind, for this owner.

        Args:
            kind: As it was sealed.
            text: What `seal` returned.
            owner: Who handed it back.
            place: Path of the text in the request, for the error.
        """
        if len(text) > MAX_SEALED_CHARS:
            raise _refusal(place, f"it is longer than {MAX_SEALED_CHARS} characters")
        found = _SEALED.match(text) if self.is_ours(text) else None
        if found is None:
            raise _refusal(place, "it does not come from this server")
        if found["version"] != str(_VERSION):
            raise _refusal(place, "it is of a form that this server does not know")
        cipher = self._ciphers.get(found["key"])
        if cipher is None:
            raise _refusal(place, "the key that it was sealed with is not in use any more")
        sealed = _decoded(text[found.end() :])
        if sealed is None:
            raise _refusal(place, _CHANGED)
        from cryptography.exceptions import InvalidTag

        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = cipher.decrypt(nonce, rest, _bound(found["head"], kind, owner))
        except InvalidTag:
            raise _refusal(place, _CHANGED) from None
        return from_json(plain)

    def is_ours(self, text: str) -> bool:
        """Whether a text looks as if it was sealed here; what others sealed is not to be opened."""
        return text.startswith(self._prefix)


_CHANGED = "it was changed or cut, or it was sealed for another caller"


def read_keys(values: Mapping[str, str]) -> dict[str, bytes]:
    """Keys from a configuration: 32 random bytes each, in base64, as of `openssl rand -base64 32`.

    Returns the keys by id. Raises `ValueError` that names all ids with a wrong value, and no value.

    Args:
        values: Base64 by id, of either alphabet, with or without padding.
    """
    keys: dict[str, bytes] = {}
    wrong: list[str] = []
    for key_id, value in values.items():
        key = _decoded(value.strip().rstrip("=").replace("+", "-").replace("/", "_"), least=0)
        if key is None:
            wrong.append(f"the key {key_id!r} is not base64; {_WAY_OUT}")
            continue
        try:
            _check_key(key_id, key)
        except ValueError as error:
            wrong.append(str(error))
        else:
            keys[key_id] = key
    if wrong:
        raise ValueError("; ".join(wrong))
    return keys


_WAY_OUT = f"it has to be {KEY_BYTES} random bytes, as of `openssl rand -base64 {KEY_BYTES}`"


def _check_key(key_id: str, key: bytes) -> None:
    if not _ID.fullmatch(key_id):
        raise ValueError(f"the id of a key is {key_id!r}; {_ID_FORM}")
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key {key_id!r} has {len(key)} bytes; {_WAY_OUT}")
    if len(set(key)) == 1:
        raise ValueError(f"the key {key_id!r} is the same byte throughout; {_WAY_OUT}")


def _cipher(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        reason = "encrypted reasoning and compaction need `cryptography`, which is not installed"
        raise ImportError(f"{reason}; install it, or the extra `gateway`") from None
    return AESGCM(key)


def _bound(head: str, kind: str, owner: str) -> bytes:
    """What is authenticated beside the value; JSON keeps the parts apart, whatever is in them."""
    return json.dumps([head, kind, owner]).encode()


def _decoded(text: str, least: int = _NONCE_BYTES + _TAG_BYTES) -> bytes | None:
    """The bytes of base64, of which every bit counts; None when it is not, or of too few bytes."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    is_exact = base64.urlsafe_b64encode(decoded).rstrip(b"=") == text.encode()
    return decoded if is_exact and len(decoded) >= least else None


def _refusal(place: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place}: {reason}", param=place, code="invalid_encrypted_content")
