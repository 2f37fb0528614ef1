"""The models that a server tells of, for services that know theirs.

The standard has no route for them. What is told has the shape of OpenAI's, which tools look for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import to_json

__all__ = ["ModelEntry", "model_list"]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be asked for."""

    id: str
    """Its name in requests."""
    owned_by: str = ""
    """Who provides it."""
    created: int = 0
    """When it came into being, in seconds since 1970; 0 where that is not known."""


def model_list(entries: Iterable[ModelEntry]) -> bytes:
    """The models as a list in JSON."""
    data = [
        {
            "id": each.id,
            "object": "model",
            "created": each.created,
            "owned_by": each.owned_by,
        }
        for each in entries
    ]
    return to_json({"object": "list", "data": data})
