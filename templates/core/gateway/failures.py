"""What goes wrong between a gateway and the upstreams that it calls.

Rules kept here: E3 (what a caller is told of it), E5 and M3 (what may be tried again, or
elsewhere).
"""

from __future__ import annotations

from ..server.errors import ServiceError

__all__ = ["UpstreamError"]


class UpstreamError(Exception):
    """An upstream did not answer as it should.

    Who calls the gateway is told `error`. Whether anything may be tried again is decided by whoever
    chose the upstream, and only before the first event (rule M3).

    Args:
        error: What the caller is told when nothing else helps; it holds no key and no address.
        is_transient: Whether the same request may succeed later, or elsewhere.
        retry_after: Seconds after which the upstream asks to be tried again; None when it does not.
        reason: What happened, for the log of the gateway.
    """

    def __init__(
        self,
        error: ServiceError,
        *,
        is_transient: bool,
        retry_after: float | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(reason or error.message)
        self.error = error
        self.is_transient = is_transient
        self.retry_after = retry_after
