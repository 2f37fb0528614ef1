"""What the structured outputs guide of OpenAI says of strict schemas, as a check of its own, and what a model that is
held to a strict schema may write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

Schema = dict[str, Any]

SCALAR = {"type", "enum", "const", "description"}
NUMBER = SCALAR | {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
STRING = SCALAR | {"pattern", "format"}
KEYWORDS = {
    "object": {"type", "properties", "required", "additionalProperties", "description"},
    "array": {"type", "items", "minItems", "maxItems", "description"},
    "string": STRING,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": SCALAR,
    "null": SCALAR,
}
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def assert_strict(schema: Schema) -> None:
    """Fails for a schema that is none, or that strict mode does not take."""
    Draft202012Validator.check_schema(schema)
    definitions = schema.get("$defs", {})
    root = {keyword: value for keyword, value in schema.items() if keyword != "$defs"}
    assert root["type"] == "object"
    used = set()
    for each in schemas(root, *definitions.values()):
        if "$ref" in each:
            assert set(each) == {"$ref"}
            used.add(each["$ref"])
        elif "anyOf" in each:
            assert set(each) <= {"anyOf", "description"}
            assert each["anyOf"]
        else:
            assert_typed(each)
    assert used == {f"#/$defs/{name}" for name in definitions}


def assert_typed(schema: Schema) -> None:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert set(schema) <= set.union(*(KEYWORDS[kind] for kind in kinds))
    if "object" in kinds:
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    assert schema.get("format", "date") in FORMATS
    assert not re.search(r"(?<!\\)\(\?", schema.get("pattern", ""))


def schemas(*tops: Schema) -> Iterator[Schema]:
    for top in tops:
        yield top
        items = [top["items"]] if "items" in top else []
        yield from schemas(*top.get("properties", {}).values(), *items, *top.get("anyOf", []))


TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
FORMATTED = {
    "date": st.dates().map(lambda value: value.isoformat()),
    "date-time": st.datetimes(timezones=st.timezones()).map(lambda value: value.isoformat()),
    "uuid": st.uuids().map(str),
    "ipv4": st.ip_addresses(v=4).map(str),
}


def answers(schema: Schema) -> st.SearchStrategy[Any]:
    """All JSON values that follow a strict schema."""
    return _Answers(schema.get("$defs", {})).following(schema)


class _Answers:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.definitions = {f"#/$defs/{name}": self.following(each) for name, each in definitions.items()}

    def following(self, schema: Schema) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            return st.deferred(lambda: self.definitions[schema["$ref"]])
        if "anyOf" in schema:
            return st.one_of([self.following(each) for each in reversed(schema["anyOf"])])
        if "enum" in schema or "const" in schema:
            return st.sampled_from(schema.get("enum") or [schema["const"]])
        match schema["type"]:
            case "object":
                return st.fixed_dictionaries(
                    {name: self.following(each) for name, each in schema["properties"].items()}
                )
            case "array":
                sizes = {"min_size": schema.get("minItems", 0), "max_size": schema.get("maxItems", 2)}
                return st.lists(self.following(schema["items"]), **sizes)
            case "string":
                return strings(schema)
            case "number" | "integer":
                return numbers(schema)
            case kind:
                return st.booleans() if kind == "boolean" else st.none()


def strings(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], alphabet=st.characters(codec="utf-8"))
    return FORMATTED[schema["format"]] if "format" in schema else TEXTS


def numbers(schema: Schema) -> st.SearchStrategy[Any]:
    low, above = schema.get("minimum", schema.get("exclusiveMinimum")), "exclusiveMinimum" in schema
    high, below = schema.get("maximum", schema.get("exclusiveMaximum")), "exclusiveMaximum" in schema
    if schema["type"] == "number":
        return st.floats(low, high, exclude_min=above, exclude_max=below, allow_nan=False, allow_infinity=False)
    return st.integers(low + 1 if above else low, high - 1 if below else high)
