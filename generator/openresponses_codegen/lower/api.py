"""The whole of a document, lowered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.ir import Role, Side
from openresponses_codegen.lower.components import Components
from openresponses_codegen.lower.declare import Declarer
from openresponses_codegen.lower.naming import Names
from openresponses_codegen.lower.references import references
from openresponses_codegen.lower.service import GapError, service
from openresponses_codegen.lower.shapes import TAG, RefShape, UnionShape
from openresponses_codegen.lower.vendors import check_names
from openresponses_codegen.lower.words import words
from openresponses_codegen.openapi import Document, Operation, Schema
from openresponses_codegen.text import SpecText


def lower(document: Document, diagnostics: Diagnostics) -> ir.Api:
    """The intermediate representation of a document.

    Whatever cannot be lowered is noted in `diagnostics`; the result is of use only when there are no errors.
    """
    components = Components(document, diagnostics)
    names = Names(components, components.reached(document), diagnostics)
    operations = tuple(_operations(document, components, names, diagnostics))
    declarations = {each.name: each for each in Declarer(components, names, diagnostics).declarations()}
    stream = _stream(document, components, diagnostics)
    for name in stream.members if stream else ():
        declared = declarations.get(name)
        if isinstance(declared, ir.Model):
            declarations[name] = _event(declared)
    for operation in operations:
        answer = declarations.get(operation.response or "")
        if isinstance(answer, ir.Model):
            declarations[answer.name] = replace(answer, role=Role.ANSWER)
    _check_events(tuple(declarations.values()), stream, document, diagnostics)
    left_out = list(_left_out(document, components))
    try:
        found = service(operations, declarations, stream, _websocket(document, names))
        check_names(found, declarations, document, diagnostics)
    except GapError as gap:
        found = None
        if operations:
            left_out.append(ir.LeftOut("client", 1, str(gap)))
    return ir.Api(
        document.release.title,
        document.release.version,
        document.release.description,
        tuple(declarations.values()),
        operations,
        stream,
        found,
        tuple(left_out),
    )


def _websocket(document: Document, names: Names) -> ir.WebSocket | None:
    if document.websocket is None:
        return None
    return ir.WebSocket(
        document.websocket.path,
        document.websocket.description,
        names.component(document.websocket.client_message, Side.REQUEST),
        names.component(document.websocket.error_message, Side.RESPONSE),
    )


def _operations(
    document: Document, components: Components, names: Names, diagnostics: Diagnostics
) -> Iterator[ir.Operation]:
    for operation in document.operations:
        yield ir.Operation(
            operation.id,
            operation.method,
            operation.path,
            _text(operation),
            _body(operation.request, Side.REQUEST, components, names, diagnostics),
            _body(operation.response, Side.RESPONSE, components, names, diagnostics),
            operation.events is not None,
        )


def _text(operation: Operation) -> SpecText | None:
    if operation.summary is None or operation.description is None:
        return operation.summary or operation.description
    return operation.summary + operation.description


def _body(
    schema: Schema | None, side: Side, components: Components, names: Names, diagnostics: Diagnostics
) -> str | None:
    if schema is None:
        return None
    shape = components.normaliser.site(schema).shape
    if not isinstance(shape, RefShape):
        diagnostics.error(
            "inline-body",
            "the body of an operation has to be a component",
            at=schema.node,
            hint="move the schema to `components.schemas` and refer to it",
        )
        return None
    return names.component(shape.name, side)


def _stream(document: Document, components: Components, diagnostics: Diagnostics) -> ir.TaggedUnion | None:
    """The union of the streaming events, which has no name in the document."""
    streams = [operation.events for operation in document.operations if operation.events is not None]
    if not streams:
        return None
    if len(streams) > 1:
        diagnostics.error("second-stream", "a document has one stream of events", at=streams[1].node)
    shape = components.site(streams[0]).shape
    events: list[str] = []
    for member in shape.members if isinstance(shape, UnionShape) else ():
        if isinstance(member.shape, RefShape) and components.is_variant(member.shape.name):
            events.append(member.shape.name)
        else:
            diagnostics.error(
                "inline-event",
                f"an event has to be a component with a constant `{TAG}`",
                at=member.node,
                hint="move it to `components.schemas`",
            )
    if not events:
        diagnostics.error("no-events", "the event stream names no event", at=streams[0].node)
    text = streams[0].description or streams[0].title
    return ir.TaggedUnion(words().stream, Side.RESPONSE, text, TAG, tuple(events), words().unknown_event)


def _check_events(
    declarations: tuple[ir.Declaration, ...],
    stream: ir.TaggedUnion | None,
    document: Document,
    diagnostics: Diagnostics,
) -> None:
    """Events live in a module of their own, which nothing outside the stream may refer to."""
    events = frozenset(stream.members) if stream is not None else frozenset[str]()
    for declaration in declarations:
        found = frozenset[str]() if declaration.name in events else references(declaration) & events
        for name in sorted(found):
            diagnostics.error(
                "event-beside-stream",
                f"`{declaration.name}` refers to the streaming event `{name}`",
                at=document.schemas[name].node if name in document.schemas else document.node,
                hint="refer to what the event carries, or describe a schema of its own",
            )


def _event(model: ir.Model) -> ir.Model:
    tag = next((each.default.value for each in model.fields if each.wire_name == TAG and each.default), None)
    name = tag if isinstance(tag, str) else None
    return replace(
        model,
        role=Role.EVENT,
        event_type=name,
        is_delta=name is not None and name.endswith(words().delta),
        is_terminal=name in words().terminal,
    )


_REASONS = {
    "`example`": "examples are for readers of the document",
    "`examples`": "examples are for readers of the document",
    "`format`": "formats stay plain strings, so that nothing changes on the way",
    "`deprecated`": "it marks nothing in generated code yet",
    "answers other than 200": "errors have one shape (rule E1), which is the runtime's",
}


def _left_out(document: Document, components: Components) -> Iterator[ir.LeftOut]:
    for what, count in sorted(document.ignored.items()):
        reason = _REASONS.get(what, "an annotation: it does not say which values are valid")
        if what.startswith("request body as"):
            reason = "clients send JSON (rule T1)"
        yield ir.LeftOut(what, count, reason)
    titles = components.normaliser.titles_left_out
    if titles:
        yield ir.LeftOut("`title`", titles, "a description stands in the same place")
    components_node = document.node.get("components")
    schemes = components_node.get("securitySchemes") if components_node is not None else None
    for what, node in (
        ("`servers`", document.node.get("servers")),
        ("`security`", document.node.get("security")),
        ("`securitySchemes`", schemes),
    ):
        if node is not None and node.value:
            yield ir.LeftOut(what, 1, "the caller chooses the server and the credentials")
