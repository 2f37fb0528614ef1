"""The document around the schemas: paths, operations, media types.

Rules: T1 (JSON requests), S1 (one 200 that is JSON or an event stream), W1 (the WebSocket beside `post`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from openresponses_codegen.diagnostics import Diagnostics, HasPlace, suggest
from openresponses_codegen.openapi.schema import Schema, SchemaReader, article, component_name
from openresponses_codegen.source import Node
from openresponses_codegen.text import SpecText

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
EVENT_STREAM = "text/event-stream"
WEBSOCKET = "x-openresponses-websocket"
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_DOCUMENT = {"openapi", "info", "servers", "tags", "paths", "components", "security", "externalDocs"}
_COMPONENTS = {"schemas", "securitySchemes"}
_PATH_ITEM = {"summary", "description", "servers", "parameters", *_METHODS}
_OPERATION = {
    "operationId", "summary", "description", "tags", "parameters", "requestBody", "responses", "security",
    "deprecated", "externalDocs", "servers",
}  # fmt: skip
_MEDIA = {"schema", "example", "examples", "encoding"}


@dataclass(frozen=True, slots=True)
class Release:
    """What `info` says."""

    title: SpecText
    version: str
    description: SpecText | None
    node: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: JSON in, JSON or an event stream out."""

    node: Node
    id: str
    method: str
    path: str
    summary: SpecText | None
    description: SpecText | None
    request: Schema | None
    response: Schema | None
    events: Schema | None


@dataclass(frozen=True, slots=True)
class WebSocketRoute:
    """The WebSocket of a path, by the names of its components."""

    node: Node
    path: str
    description: SpecText | None
    client_message: str
    error_message: str


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document."""

    node: Node
    release: Release
    schemas: Mapping[str, Schema]
    operations: tuple[Operation, ...]
    websocket: WebSocketRoute | None
    ignored: Mapping[str, int]
    """What was set aside on purpose, as a phrase, and how often it occurs."""


def read(node: Node, diagnostics: Diagnostics, *, lenient: bool = False, for_code: bool = True) -> Document:
    """The document of a source tree.

    Everything wrong with it is noted in `diagnostics`; the caller raises. With `lenient`, keywords, media types
    and shapes that are not understood become warnings and are left out. Without `for_code`, patterns are not tried.
    """
    return _DocumentReader(node, diagnostics, lenient, for_code).read()


class _DocumentReader:
    def __init__(self, node: Node, diagnostics: Diagnostics, lenient: bool, for_code: bool) -> None:
        self._node = node
        self._diagnostics = diagnostics
        self._lenient = lenient
        self._ignored: Counter[str] = Counter()
        self._schema_nodes = self._object(self._child(self._child(node, "components"), "schemas"))
        self._schemas = SchemaReader(frozenset(self._schema_nodes), diagnostics, lenient=lenient, for_code=for_code)

    def read(self) -> Document:
        self._check_version()
        self._keys(self._node, _DOCUMENT, "document")
        self._keys(self._child(self._node, "components"), _COMPONENTS, "`components`")
        operations: list[Operation] = []
        websocket: WebSocketRoute | None = None
        for path, item in self._object(self._child(self._node, "paths")).items():
            operations += self._path(path, item)
            if (found := item.get(WEBSOCKET)) is not None:
                if websocket is not None:
                    self._refuse("second-websocket", "a document has one WebSocket", found)
                websocket = self._websocket(path, found)
        schemas = {name: self._schemas.read(schema) for name, schema in self._schema_nodes.items()}
        if not schemas:
            self._diagnostics.error(
                "no-schemas",
                "the document has no schema",
                at=self._node,
                hint="is it an Open Responses document?",
            )
        ignored = self._ignored + Counter({f"`{word}`": count for word, count in self._schemas.ignored.items()})
        return Document(self._node, self._release(), schemas, tuple(operations), websocket, dict(ignored))

    def _check_version(self) -> None:
        version = self._node.get("openapi")
        text = version.value if version is not None else None
        if not isinstance(text, str):
            hint = "Swagger 2.0 has to be converted first" if self._node.get("swagger") else None
            self._diagnostics.error("not-openapi", "the document has no `openapi` version", at=self._node, hint=hint)
        elif not text.startswith("3.1"):
            hint = "convert it to OpenAPI 3.1, which uses JSON Schema 2020-12"
            self._diagnostics.error("openapi-version", f"OpenAPI {text} is not supported", at=version, hint=hint)

    def _release(self) -> Release:
        info = self._child(self._node, "info")
        self._keys(
            info,
            {"title", "version", "summary", "description", "contact", "license", "termsOfService"},
            "`info`",
        )
        version = info.get("version") if info is not None else None
        if version is None or not isinstance(version.value, str) or not version.value.strip():
            self._diagnostics.error(
                "no-release",
                "`info.version` is missing",
                at=info or self._node,
                hint="state the release there",
            )
        title = self._schemas.text(info, "title") if info is not None else None
        return Release(
            title or SpecText("Open Responses"),
            version.value if version is not None and isinstance(version.value, str) else "",
            self._schemas.text(info, "description") if info is not None else None,
            info or self._node,
        )

    def _path(self, path: str, item: Node) -> list[Operation]:
        self._keys(item, _PATH_ITEM, "path")
        if item.get("$ref") is not None:
            self._refuse("outside-reference", "a path by reference is not supported", item.at_key("$ref"))
        operations: list[Operation] = []
        for method in self._object(item):
            if method == "post":
                operations.append(self._operation(path, item))
            elif method in _METHODS:
                self._refuse(
                    "unsupported-method",
                    f"`{method}` is not generated",
                    item.at_key(method),
                    "only `post` is",
                )
        return operations

    def _operation(self, path: str, item: Node) -> Operation:
        node = item.value["post"] if isinstance(item.value, dict) else item
        self._keys(node, _OPERATION, "operation")
        for holder in (item, node):
            parameters = holder.get("parameters")
            if parameters is not None and parameters.value:
                self._refuse("unsupported-parameters", "parameters are not generated", parameters, "use the body")
        name = node.get("operationId")
        if name is None or not isinstance(name.value, str):
            self._diagnostics.error("no-operation-id", "an operation needs an `operationId`", at=node)
        body = self._content(node.get("requestBody"), {JSON: "schema"}, ignored=frozenset({FORM}))
        answers = self._responses(node)
        return Operation(
            node,
            name.value if name is not None and isinstance(name.value, str) else "",
            "post",
            path,
            self._schemas.text(node, "summary"),
            self._schemas.text(node, "description"),
            body.get(JSON),
            answers.get(JSON),
            answers.get(EVENT_STREAM),
        )

    def _responses(self, node: Node) -> dict[str, Schema]:
        answers: dict[str, Schema] = {}
        for code, response in self._object(self._child(node, "responses")).items():
            if code == "200":
                answers = self._content(response, {JSON: "schema", EVENT_STREAM: "schema"})
            else:
                self._ignored["answers other than 200"] += 1
        if not answers:
            self._diagnostics.error("no-answer", "an operation needs an answer 200 with content", at=node)
        return answers

    def _content(
        self, holder: Node | None, known: Mapping[str, str], ignored: frozenset[str] = frozenset()
    ) -> dict[str, Schema]:
        """The schemas of a body by media type."""
        schemas: dict[str, Schema] = {}
        if holder is None:
            return schemas
        self._keys(holder, {"description", "required", "content", "headers", "links"}, "body")
        if holder.get("description") is not None:
            self._ignored["description of a body"] += 1
        content = self._child(holder, "content")
        for media, node in self._object(content).items():
            if media in ignored:
                self._ignored[f"request body as `{media}`"] += 1
            elif media not in known:
                hint = suggest(media, known) or f"supported: {', '.join(known)}"
                place = content.at_key(media) if content is not None else node
                self._refuse("unknown-media-type", f"`{media}` is not supported", place, hint)
            else:
                self._keys(node, _MEDIA, "media type")
                schema = node.get("schema")
                if schema is not None:
                    schemas[media] = self._schemas.read(schema)
        return schemas

    def _websocket(self, path: str, node: Node) -> WebSocketRoute | None:
        names: list[str] = []
        for key in ("clientMessage", "errorMessage"):
            reference = self._child(self._child(node, key), "$ref")
            if reference is None or not isinstance(reference.value, str):
                self._diagnostics.error("bad-websocket", f"`{key}` has to be a reference", at=node)
                continue
            name = component_name(reference.value, reference, frozenset(self._schema_nodes), self._diagnostics)
            names += [name] if name else []
        self._keys(node, {"description", "summary", "clientMessage", "errorMessage"}, "WebSocket")
        if len(names) != len(("clientMessage", "errorMessage")):
            return None
        return WebSocketRoute(node, path, self._schemas.text(node, "description"), *names)

    def _child(self, node: Node | None, key: str) -> Node | None:
        return node.get(key) if node is not None else None

    def _object(self, node: Node | None) -> Mapping[str, Node]:
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            self._diagnostics.error("bad-document", f"an object is needed here, not {article(node.kind)}", at=node)
            return {}
        return node.value

    def _keys(self, node: Node | None, known: set[str], what: str) -> None:
        for key in self._object(node):
            if key in known or (key == "$ref" and what == "path"):
                continue
            if key.startswith("x-"):
                if key != WEBSOCKET:
                    self._ignored[f"`{key}`"] += 1
            elif node is not None:
                hint = suggest(key, known) or f"known here: {', '.join(sorted(known))}"
                self._refuse(
                    "unknown-key",
                    f"`{key}` is not known in a {what}".replace("a `", "`"),
                    node.at_key(key),
                    hint,
                )

    def _refuse(self, code: str, message: str, at: HasPlace, hint: str | None = None) -> None:
        if self._lenient:
            self._diagnostics.warning(code, f"{message}; it was left out", at=at, hint=hint)
        else:
            self._diagnostics.error(code, message, at=at, hint=hint)
