"""Where an error is: paths into what a caller gave.

Rule kept here (listed by id in the generator's `docs/protocol.md`): E3, a path such as
`input[2].content[0].image_url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def place_of(line: ErrorDetails, fields: object) -> str:
    """The path of the field that a line of a `ValidationError` is about, as rule E3 writes it.

    `fields` is what was validated. The names of union members, which pydantic puts into its paths,
    are none of it. Empty when the line is about the whole.
    """
    steps = list(line["loc"])
    if line["type"] == "unknown_tag":
        tag: str = line.get("ctx", {})["by"]
        steps = [*(steps[:-1] if steps[-1] == tag else steps), tag]
    path, current, skips = "", fields, False
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        found = _step(current, step)
        is_absent = after is None and _has_fields(current)
        if skips or (found is None and not is_absent):
            skips = False
            continue
        skips = found is not None and after is not None and found[0] == after
        if not skips:
            current = found[0] if found is not None else None
            path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _has_fields(value: object) -> bool:
    return isinstance(value, (Mapping, BaseModel))


def _step(current: object, step: int | str) -> tuple[object] | None:
    """What is at a key, an index or an attribute; None when there is nothing."""
    if isinstance(current, Mapping):
        values = cast("Mapping[object, object]", current)
        return (values[step],) if step in values else None
    if isinstance(current, list) and isinstance(step, int):
        elements = cast("list[object]", current)
        return (elements[step],) if step < len(elements) else None
    if isinstance(current, BaseModel) and isinstance(step, str) and hasattr(current, step):
        return (getattr(current, step),)
    return None
