"""Descriptions that speak of an event which they do not mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openresponses_codegen.diagnostics import Diagnostics, suggest
from openresponses_codegen.doctor.schemas import TAG, Schemas
from openresponses_codegen.openapi import Schema
from openresponses_codegen.source import Node

_EVENT_NAME = re.compile(r"(?<![\w./#-])response(?:\.[a-z][a-z0-9_]*)+(?![\w(=-])")
MAX_TEXT = 20_000
"""Characters of a description that are searched."""


def check_prose(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report events whose description names another one.

    What is said about the constant `type` of an event has to name that event, and no other; everywhere else in an
    event, what looks like the name of an event has to be one.

    Codes: `other-event-named`, `unknown-event-named`.
    """
    known = {value for place in schemas.places for value in place.schema.enum or () if isinstance(value, str)}
    fields = {f"response.{name}" for place in schemas.places for name in place.schema.properties}
    for schema in schemas.events.values():
        tag = next((part.properties[TAG] for part in schemas.parts(schema) if TAG in part.properties), None)
        own = schemas.constants(tag) if tag is not None else ()
        for node, name in _names(schema):
            if tag is not None and own and node is tag.node.get("description") and name not in own:
                diagnostics.warning(
                    "other-event-named",
                    f"the event is `{own[0]}`, and is described as `{name}`",
                    at=node,
                    hint=f"write `{own[0]}`",
                )
            elif name not in known and name not in fields:
                hint = suggest(name, sorted(each for each in known if each.startswith("response."))) or "correct it"
                diagnostics.warning("unknown-event-named", f"there is no event `{name}`", at=node, hint=hint)


def _names(schema: Schema) -> Iterator[tuple[Node, str]]:
    """What looks like the name of an event in the descriptions of a schema and its properties, each once."""
    for each in (schema, *(member for member in schema.all_of if not member.ref), *schema.properties.values()):
        text = each.node.get("description")
        if text is not None and isinstance(text.value, str):
            for name in dict.fromkeys(_EVENT_NAME.findall(text.value[:MAX_TEXT])):
                yield text, name
