"""The bundled document that benchmarks work on, and payloads from its examples."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "2026-04-24" / "openapi.json"
GENERATED = ROOT / "generated"
"""The source root of the generated package."""

DELTA = "response.output_text.delta"
_ANNOTATIONS = {"title", "description", "summary", "example", "examples", "x-enumDescriptions"}
_MAPS = {"properties", "schemas", "patternProperties"}


@cache
def event_examples() -> dict[str, dict[str, Any]]:
    """An example of each streaming event, by its name.

    `logprobs` may be left out; the events of output text get an empty list of them, as OpenAI's own server sends it,
    because the OpenAI SDK falls back to a slower path without it.
    """
    schemas = json.loads(SPEC.read_bytes())["components"]["schemas"]
    examples: dict[str, dict[str, Any]] = {}
    for name, schema in schemas.items():
        if name.endswith("StreamingEvent"):
            example = schema["example"] if "example" in schema else schema["examples"][0]
            examples[example["type"]] = example
    for name in (DELTA, "response.output_text.done"):
        examples[name] = {**examples[name], "logprobs": []}
    return examples


def encoded(value: object) -> bytes:
    """JSON as servers write it, without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def without_annotations(value: Any, *, names: bool = False) -> Any:
    """A schema without the prose; `names` says that the keys are names, not keywords."""
    if isinstance(value, list):
        return [without_annotations(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_annotations(inner, names=not names and key in _MAPS)
        for key, inner in value.items()
        if names or key not in _ANNOTATIONS
    }


def bare_spec() -> bytes:
    """The document with no prose in its schemas."""
    document = json.loads(SPEC.read_bytes())
    document["components"] = without_annotations(document["components"])
    return encoded(document)
