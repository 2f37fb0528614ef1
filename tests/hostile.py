"""Hostile documents: a harmless one, and every place in it where text can stand."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from hostile_outcome import Package

Json: TypeAlias = Any


def document() -> Json:
    """A harmless document with one site for each place; every text in it is found at one place only."""
    return copy.deepcopy(_DOCUMENT)


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(description: str, properties: Json, *required: str) -> Json:
    return {"type": "object", "description": description, "properties": properties, "required": list(required)}


_STRING = {"type": "string"}
_SCHEMAS: Json = {
    "Thing": _object(
        "A thing.",
        {
            "model": {"type": "string"},
            "described": {"type": "string", "description": "A described property."},
            "titled": {"type": "string", "title": "A titled property."},
            "fixed": {"type": "string", "const": "fixed", "description": "A constant."},
            "chosen": {"type": "string", "enum": ["red", "green"], "x-enumDescriptions": {"red": "A colour."}},
            "preset": {"type": "string", "default": "preset"},
            "shaped": {"type": ["string", "null"], "pattern": "^shaped$"},
            "limited": _ref("Limited"),
            "named": _ref("Named"),
            "renamed": _ref("Renamed"),
            "outline": _ref("Outline"),
            "titled_object": _ref("Titled"),
        },
        "model",
    ),
    "Limited": {"type": "string", "description": "A limited string.", "maxLength": 64},
    "Named": _object("Has a named property.", {"first": _STRING, "plain": _STRING}, "first"),
    "Renamed": _object("Has another name.", {"first": _STRING}, "first"),
    "Titled": {"type": "object", "title": "A titled object.", "properties": {"first": {"type": "integer"}}},
    "Outline": {
        "oneOf": [_ref("Round"), _ref("Square")],
        "description": "An outline.",
        "discriminator": {"propertyName": "kind", "mapping": {"round": _ref("Round")["$ref"]}},
    },
    "Round": _object("Round.", {"kind": {"const": "round", "description": "Is round."}}, "kind"),
    "Square": _object("Square.", {"kind": {"const": "square"}, "side": {"type": "number"}}, "kind"),
    "Answer": _object(
        "An answer.",
        {
            "status": _ref("Status"),
            "noted": {"type": ["integer", "null"], "description": "A noted number."},
            "initial": {"type": "string", "default": "initial"},
            "parts": {"type": "array", "items": {"anyOf": [_ref("TextPart"), _ref("ImagePart")]}},
            "sizes": {"type": "array", "items": {"type": "string", "pattern": "^sized$"}},
            "named": _ref("NamedAnswer"),
        },
        "status",
    ),
    "Status": {
        "type": "string",
        "description": "A status.",
        "enum": ["ready", "steady"],
        "x-enumDescriptions": {"ready": "It is ready."},
    },
    "NamedAnswer": _object("Has a named property, too.", {"first": _STRING, "plain": _STRING}, "first"),
    "TextPart": _object("A text.", {"type": {"enum": ["text"]}, "text": _STRING}, "type", "text"),
    "ImagePart": _object("An image.", {"type": {"const": "image"}, "link": _STRING}, "type"),
    "ChangedEvent": _object(
        "It changed.",
        {"type": {"const": "thing.changed"}, "what": {"type": "string", "description": "What did."}},
        "type",
    ),
    "EndedEvent": _object("It ended.", {"type": {"const": "thing.ended"}, "plain": _STRING}, "type"),
    "ClientMessage": _object("From a client.", {"type": {"const": "thing.create"}, "thing": _ref("Thing")}, "type"),
    "ErrorMessage": _object("From a server.", {"type": {"const": "thing.error"}, "code": _STRING}, "type"),
}
_JSON, _EVENTS = "application/json", "text/event-stream"
_DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Harmless", "version": "2026-01-01", "description": "A document.", "summary": "Short."},
    "servers": [{"url": "https://example.com/v1", "description": "A server."}],
    "tags": [{"name": "things", "description": "A tag."}],
    "security": [{"key": []}],
    "externalDocs": {"url": "https://example.com/docs"},
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "summary": "Create a thing",
                "description": "Creates it.",
                "tags": ["things"],
                "requestBody": {"content": {_JSON: {"schema": _ref("Thing"), "example": {"model": "x"}}}},
                "responses": {
                    "200": {
                        "description": "It was created.",
                        "content": {
                            _JSON: {"schema": _ref("Answer")},
                            _EVENTS: {
                                "schema": {
                                    "oneOf": [_ref("ChangedEvent"), _ref("EndedEvent")],
                                    "description": "The events.",
                                }
                            },
                        },
                    }
                },
            },
            "x-openresponses-websocket": {
                "description": "A socket.",
                "clientMessage": _ref("ClientMessage"),
                "errorMessage": _ref("ErrorMessage"),
            },
        }
    },
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    },
}


# Places -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text can stand: how it gets there, and where it has to be found again.

    Places of one `pack` can hold the same hostile text in one document.
    """

    name: str
    pack: str
    put: Callable[[Json, str], None]
    found: Callable[[Package], list[str | None]] = lambda _: []
    instead: str = ""
    """The harmless text that stands there otherwise."""


def at(*path: str | int) -> Callable[[Json, str], None]:
    """Puts a text under a path of the document."""

    def put(content: Json, text: str) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = text

    return put


def key(*path: str, also: Callable[[Json, str, str], None] = lambda *_: None) -> Callable[[Json, str], None]:
    """Gives the member at a path another key, in the same place of the order."""

    def put(content: Json, text: str) -> None:
        holder = content
        for step in path[:-1]:
            holder = holder[step]
        members = [(text if name == path[-1] else name, value) for name, value in holder.items()]
        holder.clear()
        holder.update(members)
        also(content, path[-1], text)

    return put


def docstrings(*sites: str) -> Callable[[Package], list[str | None]]:
    """Reads the docstrings of `module`, `module.Owner` or `module.Owner.field`."""
    return lambda package: [package.docstring(*site.split(".")) for site in sites]


def strings(*sites: str) -> Callable[[Package], list[str | None]]:
    """Reads the strings of `module.Owner` or `module.Owner.field`."""
    return lambda package: [text for site in sites for text in package.strings(*site.split("."))]


def names(*sites: str) -> Callable[[Package], list[str | None]]:
    """Reads the names on the wire of `module.Owner`."""
    return lambda package: [name for site in sites for name in package.wire_names(*site.split("."))]


def _discriminator(content: Json, text: str) -> None:
    schemas = content["components"]["schemas"]
    schemas["Outline"]["discriminator"]["propertyName"] = text
    for name in ("Round", "Square"):
        key("properties", "kind")(schemas[name], text)
        schemas[name]["required"] = [text]


def _schema_name(content: Json, text: str) -> None:
    key("components", "schemas", "Renamed")(content, text)
    content["components"]["schemas"]["Thing"]["properties"]["renamed"]["$ref"] = f"#/components/schemas/{text}"


def _tag(content: Json, text: str) -> None:
    content["tags"][0]["name"] = text
    content["paths"]["/things"]["post"]["tags"][0] = text


_schema = partial(at, "components", "schemas")
_thing = partial(_schema, "Thing", "properties")
_post = partial(at, "paths", "/things", "post")
_content = ("paths", "/things", "post", "responses", "200", "content")

PROSE = (
    Place("document-description", "text", at("info", "description"), docstrings("__init__")),
    Place("release-heading", "text", at("info", "version"), docstrings("__init__", "models", "events", "params")),
    Place("schema-description", "text", _schema("Thing", "description"), docstrings("models.Thing", "params.Thing")),
    Place("schema-title", "text", _schema("Titled", "title"), docstrings("models.Titled", "params.Titled")),
    Place(
        "property-description",
        "text",
        _thing("described", "description"),
        docstrings("models.Thing.described", "params.Thing.described"),
    ),
    Place(
        "property-title", "text", _thing("titled", "title"), docstrings("models.Thing.titled", "params.Thing.titled")
    ),
    Place("alias-description", "text", _schema("Limited", "description"), docstrings("models.Limited")),
    Place(
        "union-description", "text", _schema("Outline", "description"), docstrings("models.Outline", "params.Outline")
    ),
    Place("enum-description", "text", _schema("Status", "description"), docstrings("models.Status")),
    Place(
        "enum-value-description", "text", _schema("Status", "x-enumDescriptions", "ready"), docstrings("models.Status")
    ),
    Place(
        "inline-value-description",
        "text",
        _thing("chosen", "x-enumDescriptions", "red"),
        docstrings("models.ThingChosen"),
    ),
    Place("response-description", "text", _schema("Answer", "description"), docstrings("models.Answer")),
    Place(
        "nullable-description",
        "text",
        _schema("Answer", "properties", "noted", "description"),
        docstrings("models.Answer.noted"),
    ),
    Place("event-description", "text", _schema("ChangedEvent", "description"), docstrings("events.ChangedEvent")),
    Place(
        "event-field-description",
        "text",
        _schema("ChangedEvent", "properties", "what", "description"),
        docstrings("events.ChangedEvent.what"),
    ),
    Place(
        "stream-description",
        "text",
        at(*_content, _EVENTS, "schema", "description"),
        docstrings("events.StreamEvent"),
    ),
)
VALUES = (
    Place("const", "text", _thing("fixed", "const"), strings("models.Thing.fixed", "params.Thing.fixed"), "fixed"),
    Place("enum", "text", _schema("Status", "enum", 1), strings("models.Status"), "steady"),
    Place("inline-enum", "text", _thing("chosen", "enum", 1), strings("models.ThingChosen"), "green"),
    Place("default", "text", _thing("preset", "default"), strings("models.Thing.preset"), "preset"),
    Place(
        "response-default",
        "text",
        _schema("Answer", "properties", "initial", "default"),
        strings("models.Answer.initial"),
        "initial",
    ),
    Place(
        "variant-tag",
        "text",
        _schema("Square", "properties", "kind", "const"),
        strings("models.Square.kind", "params.Square.kind"),
        "square",
    ),
    Place(
        "item-tag",
        "text",
        _schema("TextPart", "properties", "type", "enum", 0),
        strings("models.TextPart.type"),
        "text",
    ),
    Place(
        "event-type",
        "text",
        _schema("EndedEvent", "properties", "type", "const"),
        strings("events.EndedEvent.type", "events.EVENT_TYPES"),
        "thing.ended",
    ),
    Place("pattern", "text", _thing("shaped", "pattern"), strings("models.Thing.shaped"), "^shaped$"),
    Place(
        "item-pattern",
        "text",
        _schema("Answer", "properties", "sizes", "items", "pattern"),
        strings("models.AnswerSizesItem"),
        "^sized$",
    ),
    Place("release", "text", at("info", "version"), strings("__init__.SPEC_RELEASE"), "2026-01-01"),
)
IDENTIFIERS = (
    Place(
        "property",
        "names",
        key("components", "schemas", "Named", "properties", "plain"),
        names("models.Named", "params.Named"),
        "plain",
    ),
    Place(
        "response-property",
        "names",
        key("components", "schemas", "NamedAnswer", "properties", "plain"),
        names("models.NamedAnswer"),
        "plain",
    ),
    Place(
        "event-property",
        "names",
        key("components", "schemas", "EndedEvent", "properties", "plain"),
        names("events.EndedEvent"),
        "plain",
    ),
    Place(
        "discriminator",
        "names",
        _discriminator,
        names("models.Round", "models.Square", "params.Square"),
        "kind",
    ),
    Place("schema-name", "schema", _schema_name),
)
INERT = (
    Place("title", "text", at("info", "title")),
    Place("openapi-version", "text", lambda content, text: at("openapi")(content, f"3.1.{text}")),
    Place("server", "text", at("servers", 0, "url")),
    Place("server-description", "text", at("servers", 0, "description")),
    Place("tag", "text", _tag),
    Place("tag-description", "text", at("tags", 0, "description")),
    Place("security", "text", key("components", "securitySchemes", "key")),
    Place("operation-id", "text", _post("operationId")),
    Place("operation-summary", "text", _post("summary")),
    Place("operation-description", "text", _post("description")),
    Place("answer-description", "text", _post("responses", "200", "description")),
    Place("example", "text", _post("requestBody", "content", _JSON, "example", "model")),
    Place("websocket-description", "text", at("paths", "/things", "x-openresponses-websocket", "description")),
    Place("schema-example", "text", _schema("Thing", "example")),
    Place("format", "text", _thing("model", "format")),
    Place("comment", "text", _thing("model", "$comment")),
    Place("document-x-key", "text", lambda content, text: at(f"x-{text}")(content, "x")),
    Place("document-x-value", "text", at("x-value")),
    Place("operation-x-key", "text", lambda content, text: _post(f"x-{text}")(content, "x")),
    Place("schema-x-key", "text", lambda content, text: _schema("Thing", f"x-{text}")(content, text)),
    Place("property-x-value", "text", _thing("model", "x-value")),
    Place("path", "text", key("paths", "/things")),  # the last, since others are found under it
)
STRICT = (
    Place("keyword", "strict", lambda content, text: _schema("Thing", text)(content, "x")),
    Place("type", "strict", _thing("model", "type")),
    Place("reference", "strict", _thing("limited", "$ref")),
    Place("mapping", "strict", _schema("Outline", "discriminator", "mapping", "round")),
    Place("required", "strict", _schema("Thing", "required", 0)),
    Place("media-type", "strict", key(*_content, _JSON)),
    Place("event-media-type", "strict", key(*_content, _EVENTS)),
    Place("method", "strict", key("paths", "/things", "post")),
    Place("section", "strict", key("components", "securitySchemes")),
    Place("websocket-message", "strict", at("paths", "/things", "x-openresponses-websocket", "clientMessage", "$ref")),
)
PLACES = (*PROSE, *VALUES, *IDENTIFIERS, *INERT, *STRICT)
