"""Where an error is: paths into what a caller gave.

Rule kept here (listed by id in the generator's `docs/protocol.md`): E3, a path such as
`input[2].content[0].image_url`.
"""

from __future__ import annotations

from collections import deque
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ._base import bare, members
from ._unions import marker


def lines_of(error: ValidationError) -> list[ErrorDetails]:
    """The lines of an error that say what is wrong, in their order.

    An object without a tag is held against every member that may lack it. Where its other fields
    speak for one of them, what that one says is left; else, that the tag is missing.
    """
    lines = error.errors(include_url=False)
    untagged = {line["loc"] for line in lines if line["type"] == "unknown_tag"}
    vague = {
        line["loc"] for line in lines if line["type"] == "missing" and line["loc"][:-1] in untagged
    }
    told = {
        line["loc"][:length]
        for line in lines
        if untagged and line["loc"] not in vague
        for length in range(len(line["loc"]))
    }

    def is_told(loc: tuple[int | str, ...]) -> bool:
        return loc[:-1] in told if loc in vague else loc not in untagged or loc not in told

    return [line for line in lines if is_told(line["loc"])]


def place_of(line: ErrorDetails, kind: Any) -> str:
    """The path of the field that a line of an error is about, as rule E3 writes it.

    The labels of union members, which pydantic puts into its paths, are none of it. Empty when the
    line is about the whole.

    Args:
        line: What is wrong.
        kind: The type that the value was held against: a model, or a union of them.
    """
    path = ""
    steps = deque(line["loc"])
    while steps:
        choices = _choices(kind, steps)
        if steps:
            step = steps.popleft()
            path += f"[{step}]" if isinstance(step, int) else f".{step}"
            kind = _inside(choices, step)
    if line["type"] == "unknown_tag":
        path += f".{line.get('ctx', {})['by']}"
    return path.removeprefix(".")


def _choices(kind: Any, steps: deque[int | str]) -> list[Any]:
    """What a value may be by the labels at the head of the path, which are taken off it."""
    mark = marker(kind)
    if mark is not None and steps:
        return [each for choice in mark.chosen(kind, steps) for each in _choices(choice, steps)]
    others = [each for each in members(kind) if each is not NoneType]
    if mark is None and len(others) == 1 and others[0] is not kind:
        return _choices(others[0], steps)
    return [bare(kind)]


def _inside(kinds: list[Any], step: int | str) -> Any:
    """The type of what is at an index or a key; Any when the types do not say."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                if step in {name, field.alias}:
                    return field.annotation
        elif get_origin(kind) in {list, dict}:
            return get_args(kind)[-1]
    return Any
