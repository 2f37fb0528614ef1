"""Calls of pages in a browser: off, unless origins are configured.

What is answered is in https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from ._asgi import Scope, Send, header

_ALLOWED = [
    (b"access-control-allow-methods", b"GET, POST"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, openresponses-version, x-request-id",
    ),
    (b"access-control-max-age", b"600"),
]


class CrossOrigin:
    """Says which pages may call."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self.is_on = bool(origins)
        self._origins = frozenset(origins)

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """The headers of an answer to a page of an origin."""
        headers = [(b"vary", b"origin")]
        if origin is not None and self.allows(origin):
            headers += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", b"openresponses-version, x-request-id"),
            ]
        return headers

    def allows(self, origin: str) -> bool:
        """Whether pages of an origin may call."""
        return origin in self._origins or "*" in self._origins

    def is_preflight(self, scope: Scope) -> bool:
        """Whether a request asks what a page may do."""
        headers = scope["headers"]
        asked = header(headers, b"access-control-request-method")
        return scope["method"] == "OPTIONS" and asked is not None

    async def answer(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        """Answer such a request."""
        is_allowed = any(name == b"access-control-allow-origin" for name, _ in headers)
        all_headers = [*headers, *(_ALLOWED if is_allowed else [])]
        await send({"type": "http.response.start", "status": 204, "headers": all_headers})
        await send({"type": "http.response.body", "body": b""})
