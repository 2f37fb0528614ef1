"""A healthy document, and changes to it that each plant one defect, with its code and the place where it belongs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def constant(value: str, **more: Any) -> Document:
    return {"type": "string", "enum": [value], "default": value, **more}


def unsure(value: str) -> Document:
    return {"anyOf": [constant(value), {"type": "null"}]}


def thing(kind: str, *required: str, **properties: Document) -> Document:
    return {"type": "object", "required": ["type", *required], "properties": {"type": constant(kind), **properties}}


def reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def healthy() -> Document:
    """A document with an operation, a stream, a union, recursion that ends, examples and defaults."""
    started = thing("response.started", note={"type": "string"})
    started["description"] = "Sent before `response.text.delta`."
    started["properties"]["type"]["description"] = "Always `response.started`."
    delta = thing("response.text.delta", "delta", delta={"type": "string"})
    delta["description"] = "Sent after `response.started`; see `response.id`."
    delta["example"] = {"type": "response.text.delta", "delta": "a"}
    cat = thing("cat", lives={"type": "integer", "minimum": 0, "maximum": 9, "default": 9, "examples": [7, 8.0]})
    node = {
        "type": "object",
        "required": ["animal"],
        "properties": {
            "animal": reference("Animal"),
            "next": reference("Node"),
            "all": {"type": "array", "items": reference("Node")},
            "gone": {"type": "string", "minLength": 1, "maxLength": 0},
            "limits": {"type": "object", "additionalProperties": {"type": "number"}, "example": {"a": 1.5}},
            "id": {"type": "string", "pattern": "^n_"},
            "mood": {"anyOf": [{"type": "string", "enum": ["glad", "sad"]}, {"type": "null"}], "default": None},
        },
    }
    body = {
        "description": "A node.",
        "content": {"application/json": {"schema": reference("Node"), "example": example()}},
    }
    answer = copy.deepcopy(body)
    answer["content"]["text/event-stream"] = {
        "schema": {"oneOf": [reference("Started"), reference("Delta")]},
        "example": 'event: response.started\ndata: {"type": "response.started"}\n\n',
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Healthy", "version": "1"},
        "security": [{"Key": []}],
        "paths": {"/nodes": {"post": {"operationId": "make", "requestBody": body, "responses": {"200": answer}}}},
        "components": {
            "securitySchemes": {"Key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Started": started,
                "Delta": delta,
                "Cat": cat,
                "Dog": thing("dog"),
                "Animal": {"oneOf": [reference("Cat"), reference("Dog")], "discriminator": {"propertyName": "type"}},
                "Node": node,
            },
        },
    }


def example() -> Document:
    following = {"animal": {"type": "dog"}, "mood": "sad"}
    return {"animal": {"type": "cat", "lives": 3}, "next": following, "all": [], "id": "n_1"}


def at(content: Document, pointer: str) -> Any:
    for step in pointer.split("/"):
        content = content[int(step)] if isinstance(content, list) else content[step.replace("~1", "/")]
    return content


S = "components/schemas"
NODES = "paths/~1nodes/post"
JSON = "content/application~1json"


def put(pointer: str, key: str, value: Any) -> Callable[[Document], None]:
    def change(content: Document) -> None:
        at(content, pointer)[key] = value

    return change


def both(*changes: Callable[[Document], None]) -> Callable[[Document], None]:
    def change(content: Document) -> None:
        for each in changes:
            each(content)

    return change


def add(name: str, schema: Document) -> Callable[[Document], None]:
    """A component of this schema, which the node refers to."""
    return both(put(S, name, schema), put(f"{S}/Node/properties", name.lower(), reference(name)))


PROPERTIES = f"{S}/Node/properties"
LONG = {"type": "string", "minLength": 2, "maxLength": 1}
LOOP = {"type": "object", "required": ["inner"], "properties": {"inner": reference("Loop")}}
NULLABLE = {"anyOf": [{"type": "string"}, {"type": "null"}]}
PLANTED: list[tuple[str, str, Callable[[Document], None]]] = [
    # Examples
    ("bad-example", f"{S}/Delta/example", put(f"{S}/Delta", "example", {"type": "response.text.delta"})),
    ("bad-example", f"{S}/Delta/example/delta", put(f"{S}/Delta/example", "delta", 1)),
    ("bad-example", f"{S}/Delta/example/type", put(f"{S}/Delta/example", "type", "response.started")),
    ("bad-example", f"{S}/Cat/properties/lives/examples/1", put(f"{S}/Cat/properties/lives", "examples", [1, 10])),
    ("bad-example", f"{S}/Cat/properties/lives/examples/0", put(f"{S}/Cat/properties/lives", "examples", [1.5])),
    ("bad-example", f"{S}/Cat/properties/lives/examples/0", put(f"{S}/Cat/properties/lives", "examples", [True])),
    ("bad-example", f"{PROPERTIES}/id/example", put(f"{PROPERTIES}/id", "example", "x_1")),
    ("bad-example", f"{PROPERTIES}/gone/example", put(f"{PROPERTIES}/gone", "example", "")),
    ("bad-example", f"{PROPERTIES}/limits/example/b", put(f"{PROPERTIES}/limits", "example", {"a": 1, "b": "2"})),
    ("bad-example", f"{PROPERTIES}/mood/example", put(f"{PROPERTIES}/mood", "example", "angry")),
    (
        "bad-example",
        f"{NODES}/requestBody/{JSON}/example/animal/lives",
        put(f"{NODES}/requestBody/{JSON}/example/animal", "lives", 10),
    ),
    (
        "bad-example",
        f"{NODES}/requestBody/{JSON}/examples/one/value/animal",
        put(f"{NODES}/requestBody/{JSON}", "examples", {"one": {"value": {"animal": {"type": "cow"}}}}),
    ),
    (
        "bad-example",
        f"{NODES}/responses/200/content/text~1event-stream/example",
        put(f"{NODES}/responses/200/content/text~1event-stream", "example", {"type": "response.text.delta"}),
    ),
    # Defaults
    ("bad-default", f"{PROPERTIES}/limits/default/a", put(f"{PROPERTIES}/limits", "default", {"a": "1"})),
    ("bad-default", f"{PROPERTIES}/id/default", put(f"{PROPERTIES}/id", "default", None)),
    # What cannot be
    ("empty-range", f"{PROPERTIES}/n/minimum", put(PROPERTIES, "n", {"type": "integer", "minimum": 2, "maximum": 1})),
    (
        "empty-range",
        f"{PROPERTIES}/n/exclusiveMinimum",
        put(PROPERTIES, "n", {"type": "number", "exclusiveMinimum": 1, "maximum": 1}),
    ),
    ("empty-range", f"{PROPERTIES}/n/minItems", put(PROPERTIES, "n", {"type": "array", "minItems": 3, "maxItems": 2})),
    ("empty-range", f"{PROPERTIES}/n/items/minLength", put(PROPERTIES, "n", {"type": "array", "items": LONG})),
    ("empty-range", f"{S}/Long/minLength", add("Long", LONG)),
    ("required-and-forbidden", f"{S}/Far/properties/far", add("Far", thing("far", "far", far=LONG))),
    (
        "required-and-forbidden",
        f"{S}/Far/allOf/0/properties/far",
        add(
            "Far",
            {
                "allOf": [
                    {"type": "object", "properties": {"far": LONG}},
                    {"type": "object", "required": ["far"], "properties": {"far": {"type": "string"}}},
                ]
            },
        ),
    ),
    ("no-finite-value", f"{S}/Loop", add("Loop", LOOP)),
    (
        "no-finite-value",
        f"{S}/Ping",
        both(
            add("Ping", thing("ping", "pong", pong={"type": "array", "minItems": 1, "items": reference("Pong")})),
            add("Pong", thing("pong", "ping", ping={"oneOf": [reference("Ping"), reference("Pong")]})),
        ),
    ),
    # Unions
    (
        "overlapping-members",
        f"{S}/Animal/oneOf/3",
        both(
            put(S, "Bird", {"type": "object", "properties": {"type": unsure("bird")}}),
            put(S, "Fish", thing("fish")),
            put(S, "Worm", {"type": "object", "properties": {"type": unsure("worm")}}),
            put(f"{S}/Animal", "oneOf", [*map(reference, ("Cat", "Fish", "Bird", "Worm", "Dog"))]),
        ),
    ),
    ("overlapping-members", f"{PROPERTIES}/n/oneOf/1", put(PROPERTIES, "n", {"oneOf": [NULLABLE, {"type": "null"}]})),
    (
        "overlapping-members",
        f"{S}/Animal/oneOf/2",
        put(f"{S}/Animal", "oneOf", [*map(reference, ("Cat", "Dog", "Cat"))]),
    ),
    (
        "overlapping-members",
        f"{PROPERTIES}/n/oneOf/1",
        put(PROPERTIES, "n", {"oneOf": [{"type": "string"}, {"type": "string", "enum": ["a", "b"]}]}),
    ),
    (
        "bad-mapping",
        f"{S}/Animal/discriminator/mapping/kitten",
        put(f"{S}/Animal/discriminator", "mapping", {"kitten": "#/components/schemas/Cat"}),
    ),
    (
        "bad-mapping",
        f"{S}/Animal/discriminator/mapping/cat",
        put(f"{S}/Animal/discriminator", "mapping", {"cat": "#/components/schemas/Node"}),
    ),
    # Descriptions
    (
        "other-event-named",
        f"{S}/Started/properties/type/description",
        put(f"{S}/Started/properties/type", "description", "Always `response.text.delta`."),
    ),
    (
        "other-event-named",
        f"{S}/Started/properties/type/description",
        put(f"{S}/Started/properties/type", "description", "Always response.begun."),
    ),
    (
        "unknown-event-named",
        f"{S}/Started/description",
        put(f"{S}/Started", "description", "Sent before response.text.deltas."),
    ),
    (
        "unknown-event-named",
        f"{S}/Started/properties/note/description",
        put(f"{S}/Started/properties/note", "description", "As in `response.begun`."),
    ),
    # Order
    ("unreached-component", f"{S}/Alone", put(S, "Alone", {"type": "string"})),
    ("case-collision", f"{S}/NODE", add("NODE", thing("other"))),
    ("optional-constant", f"{S}/Cat/properties/sound", put(f"{S}/Cat/properties", "sound", constant("meow"))),
    (
        "unused-security-scheme",
        "components/securitySchemes/Basic",
        put("components/securitySchemes", "Basic", {"type": "http", "scheme": "basic"}),
    ),
    ("unknown-security-scheme", f"{NODES}/security/0/Kee", put(NODES, "security", [{"Kee": []}])),
]
"""Each code, the place where it belongs, and what plants it."""
