"""Server-sent events as they stand in the bytes (rules S1, S2, S8).

Lenient, so that every deviation is left for a case to see: any line end is a line end, and nothing is dropped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn, cast

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
DONE = "[DONE]"


class _Invalid:
    """Stands for what is no JSON, as every JSON value, null included, is a value."""

    def __repr__(self) -> str:
        return "no JSON"


INVALID = _Invalid()


def parse_json(data: str | bytes) -> Any:
    """The JSON value, or `INVALID`."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return INVALID


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


@dataclass
class Frame:
    """One block of lines, up to its blank line."""

    start: int
    end: int = 0
    """The bytes that it takes, its blank line included."""
    lines: list[str] = field(default_factory=list[str])
    is_finished: bool = False
    """Whether it has its blank line."""

    def values(self, name: str) -> list[str]:
        """The values of the fields of this name."""
        fields = (line.partition(":") for line in self.lines)
        return [value.removeprefix(" ") for each, _, value in fields if each == name]

    @cached_property
    def data(self) -> str:
        """Its `data:` lines, joined as a client joins them."""
        return "\n".join(self.values("data"))

    @property
    def is_done(self) -> bool:
        """Whether it is the mark of the end (rule S2)."""
        return self.data.strip() == DONE

    @cached_property
    def event(self) -> dict[str, Any] | None:
        """Its data, where that is a JSON object."""
        value = parse_json(self.data)
        return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def frames_of(body: bytes) -> list[Frame]:
    """The blocks that hold data, an event name or another field; comments alone make none."""
    frames: list[Frame] = []
    current = Frame(0)
    start = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    for match in _LINE.finditer(body, start):
        line = match.group().rstrip(b"\r\n")
        if line:
            current.lines.append(line.decode("utf-8", "replace"))
        elif match.group():
            current.end, current.is_finished = match.end(), True
            frames.append(current)
            current = Frame(match.end())
    current.end = len(body)
    return [each for each in [*frames, current] if any(not line.startswith(":") for line in each.lines)]
