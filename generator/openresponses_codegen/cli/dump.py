"""The stages of the pipeline as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

from openresponses_codegen import pipeline
from openresponses_codegen.source import Node
from openresponses_codegen.text import SpecText


def stage_content(spec: pipeline.Spec, stage: str) -> object:
    """What a stage holds: `openapi`, `ir` or `schema`."""
    lowered = pipeline.lower_spec(spec)
    match stage:
        case "openapi":
            return _plain(lowered.document)
        case "schema":
            return pipeline.schema_of(lowered.api)
        case _:
            return _plain(lowered.api)


def _plain(value: object) -> object:
    """A value of a stage in terms of JSON; objects bear the name of their class, and nodes are places."""
    match value:
        case SpecText():
            return value.as_json()
        case Node():
            return f"{value.position} {value.pointer}"
        case Enum():
            return cast("object", value.value)
        case Mapping():
            return {str(key): _plain(each) for key, each in cast("Mapping[object, object]", value).items()}
        case tuple() | list():
            return [_plain(each) for each in cast("tuple[object, ...]", value)]
        case frozenset():
            return sorted(str(each) for each in cast("frozenset[object]", value))
        case _ if is_dataclass(value):
            content: dict[str, Any] = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
            present = {name: each for name, each in content.items() if each not in (None, [], {}, False)}
            return {"kind": type(value).__name__, **present}
        case _:
            return value
