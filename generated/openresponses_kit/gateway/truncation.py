"""A context that is too long for a model, shortened until it fits.

Rules kept here: P4 (only where the request allows it; the oldest items go, and never a message of
the system or the developer), M3 (nothing is sampled again once something came of it), X8 (no
output stays without its call).

No tokens are counted: a server of models cannot know how each counts. It is the upstream that says
`context_length_exceeded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .failures import UpstreamError

__all__ = ["CONTEXT_TOO_LONG", "is_too_long", "segments_of", "shortened"]

CONTEXT_TOO_LONG = "context_length_exceeded"
"""Code of the error with which an upstream refuses a context."""

_KEPT_ROLES = frozenset({"system", "developer"})
_SHARE = 4


def is_too_long(error: UpstreamError) -> bool:
    """Whether an upstream refused a context for its length."""
    return error.error.code == CONTEXT_TOO_LONG


def shortened(items: Sequence[Any]) -> list[Any] | None:
    """Drop the oldest items: a quarter of what may be dropped, and at least one.

    What stays whatever happens are messages of the system and the developer, the latest message of
    the user, and the newest item with all that belongs to it.

    Returns the items that are left; None when none of them may be dropped.
    """
    kept = {place for place, item in enumerate(items) if _role(item) in _KEPT_ROLES}
    kept |= set(_latest_of_user(items))
    segments: list[list[int]] = []
    start = 0
    for segment in segments_of(items)[:-1]:
        places = range(start, start + len(segment))
        start += len(segment)
        if droppable := [place for place in places if place not in kept]:
            segments.append(droppable)
    if not segments:
        return None
    count = -(-len(segments) // _SHARE)
    dropped = {place for segment in segments[:count] for place in segment}
    return [item for place, item in enumerate(items) if place not in dropped]


def segments_of(items: Sequence[Any]) -> list[list[Any]]:
    """Cut items into what belongs together, in their order.

    Calls stay with their outputs and what stands between, reasoning with what follows it.
    """
    last: dict[str, int] = {}
    for place, item in enumerate(items):
        if item.type == "function_call_output":
            last[item.call_id] = place
    segments: list[list[Any]] = []
    end = -1
    for place, item in enumerate(items):
        if place > end:
            segments.append([])
        segments[-1].append(item)
        if item.type == "reasoning":
            end = max(end, place + 1)
        elif item.type == "function_call":
            end = max(end, last.get(item.call_id, place))
    return segments


def _latest_of_user(items: Sequence[Any]) -> Sequence[int]:
    places = [place for place, item in enumerate(items) if _role(item) == "user"]
    return places[-1:]


def _role(item: Any) -> object:
    return getattr(item, "role", None)
