"""Values that a document shows and that its own schemas refuse: examples and defaults."""

from __future__ import annotations

from collections.abc import Iterator

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.doctor.schemas import Schemas
from openresponses_codegen.doctor.values import Values
from openresponses_codegen.openapi import Operation, Schema
from openresponses_codegen.source import Node

_JSON = "application/json"
_EVENT_STREAM = "text/event-stream"


def check_examples(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report each example and each default that is no value of its schema.

    Codes: `bad-example`, `bad-default`.
    """
    values = Values(schemas)
    for schema, value in _examples(schemas):
        for each in values.mismatches(schema, value):
            diagnostics.warning(
                "bad-example",
                f"the example is not what its schema allows: {each.message}",
                at=each.node,
                hint=f"correct the example; its schema is at {schema.node.position}",
            )
    for place in schemas.places:
        default = place.schema.node.get("default")
        if default is None or place.schema.is_absent:
            continue
        for each in values.mismatches(place.schema, default):
            hint = "remove it, or let the schema admit it"
            message = f"the default is not what its schema allows: {each.message}"
            diagnostics.warning("bad-default", message, at=each.node, hint=hint)


def _examples(schemas: Schemas) -> Iterator[tuple[Schema, Node]]:
    for place in schemas.places:
        yield from ((place.schema, value) for value in _shown(place.schema.node))
    for operation in schemas.document.operations:
        yield from _of_bodies(operation)


def _shown(node: Node) -> Iterator[Node]:
    """The examples of a schema: `examples` is a list there."""
    example, listed = node.get("example"), node.get("examples")
    if example is not None:
        yield example
    if listed is not None and isinstance(listed.value, tuple):
        yield from listed.value


def _of_bodies(operation: Operation) -> Iterator[tuple[Schema, Node]]:
    request = _at(operation.node, "requestBody", "content")
    answer = _at(operation.node, "responses", "200", "content")
    for schema, content, media in (
        (operation.request, request, _JSON),
        (operation.response, answer, _JSON),
        (operation.events, answer, _EVENT_STREAM),
    ):
        node = content.get(media) if content is not None else None
        if schema is None or node is None:
            continue
        for value in _of_media(node):
            if media == _JSON or not isinstance(value.value, str):  # a string shows a stream as it is sent
                yield schema, value


def _of_media(node: Node) -> Iterator[Node]:
    """The examples of a media type: `examples` is a table there, and the value stands one level deeper."""
    example, named = node.get("example"), node.get("examples")
    if example is not None:
        yield example
    if named is not None and isinstance(named.value, dict):
        yield from (value for each in named.value.values() if (value := each.get("value")) is not None)


def _at(node: Node, *keys: str) -> Node | None:
    found: Node | None = node
    for key in keys:
        found = found.get(key) if found is not None else None
    return found
