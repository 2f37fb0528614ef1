"""Reading JSON of which nothing is certain: each function gives what is there, and nothing where it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from openresponses_codegen.diagnostics import shown

Json = dict[str, Any]


def as_object(value: object) -> Json:
    """The object, or an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of a list; none, where it is no list."""
    return (
        [cast("Json", each) for each in cast("list[object]", value) if isinstance(each, dict)]
        if isinstance(value, list)
        else []
    )


def items_of(response: Mapping[str, Any], kind: str | None = None) -> list[Json]:
    """The output items of a response or a compaction, or those of one type."""
    found = objects(response.get("output"))
    return found if kind is None else [each for each in found if each.get("type") == kind]


def text_of(response: Mapping[str, Any]) -> str:
    """All text and all refusals that the messages of a response hold."""
    parts = [part for item in items_of(response, "message") for part in objects(item.get("content"))]
    return " ".join(str(part.get("text") or part.get("refusal") or "") for part in parts)


def quoted(value: object, limit: int = 200) -> str:
    """A JSON value as it is shown in the middle of a sentence."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value))
    return shown(text, limit)
