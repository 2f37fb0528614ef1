"""What a spec says of the service: its operations by what they do, and the classes that its streams are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openresponses_codegen import ir
from openresponses_codegen.lower.vendors import vendor_types

_ITEMS = ("message", "function_call", "reasoning")
_PARTS = ("output_text", "refusal", "summary_text", "reasoning_text")
_EVENTS = """
    response.created response.queued response.in_progress response.completed response.incomplete response.failed error
    response.output_item.added response.output_item.done response.content_part.added response.content_part.done
    response.output_text.delta response.output_text.done response.output_text.annotation.added
    response.refusal.delta response.refusal.done response.reasoning.delta response.reasoning.done
    response.reasoning_summary_part.added response.reasoning_summary_part.done
    response.reasoning_summary_text.delta response.reasoning_summary_text.done
    response.function_call_arguments.delta response.function_call_arguments.done
""".split()
_COMPACT = "/compact"
"""How the path of compaction goes on from that of creation (rule T1)."""


class GapError(Exception):
    """Says what a spec lacks that a client or a server needs."""


def service(
    operations: tuple[ir.Operation, ...],
    declarations: Mapping[str, ir.Declaration],
    stream: ir.TaggedUnion | None,
    websocket: ir.WebSocket | None,
) -> ir.Service:
    """The service that a spec describes. Raises `GapError` when it lacks what a client or a server needs."""
    create = next((each for each in operations if each.streams and each.method == "post"), None)
    if create is None or create.request is None or create.response is None or stream is None:
        raise GapError("the document has no operation that answers with a response or a stream of events")
    item = _elements_of(declarations[create.response], "output")
    if item is None:
        raise GapError("the answer of the operation has no list of items in `output`")
    items = _by_constant(item, declarations)
    _complete(_ITEMS, items, "item")
    parts: dict[str, str] = {}
    for name in ("message", "reasoning"):
        for field in _fields(declarations[items[name]]):
            union = _union_in(field.type)
            if union is not None:
                parts |= _by_constant(union, declarations)
    _complete(_PARTS, parts, "content part")
    events = _by_constant(stream.name, {**declarations, stream.name: stream})
    _complete(_EVENTS, events, "event")
    path = create.path + _COMPACT
    compact = next((each for each in operations if each.path == path and each.request and each.response), None)
    tools = _elements_of(declarations[create.request], "tools")
    tool = _by_constant(tools, declarations).get("function") if tools is not None else None
    if tool is None:
        raise GapError("the request has no list of tools with functions among them")
    text = declarations[parts["output_text"]]
    return ir.Service(
        create,
        compact,
        websocket,
        _required("item in `input`", _elements_of(declarations[create.request], "input", declarations)),
        item,
        items,
        parts,
        events,
        tool,
        _required("annotation of output text", _elements_of(text, "annotations")),
        _required("log probability of output text", _elements_of(text, "logprobs")),
        _required("`usage` in the response", _model_of(declarations[create.response], "usage")),
        frozenset(name for name, each in events.items() if _has(declarations[each], "obfuscation")),
        _has(declarations[items["message"]], "phase"),
        *vendor_types(items, events, declarations),
    )


def _required(what: str, found: str | None) -> str:
    if found is None:
        raise GapError(f"the document has no {what}")
    return found


def _has(declaration: ir.Declaration, wire_name: str) -> bool:
    return any(each.wire_name == wire_name for each in _fields(declaration))


def _model_of(declaration: ir.Declaration, wire_name: str) -> str | None:
    """The declaration that a field refers to."""
    kind = next((each.type for each in _fields(declaration) if each.wire_name == wire_name), None)
    kind = kind.of if isinstance(kind, ir.Nullable) else kind
    return kind.name if isinstance(kind, ir.Reference) else None


def _complete(wanted: Iterable[str], found: Mapping[str, str], kind: str) -> None:
    missing = [f"`{each}`" for each in wanted if each not in found]
    if missing:
        raise GapError(f"the document has no {kind} {', '.join(missing)}")


def _elements_of(
    declaration: ir.Declaration, wire_name: str, declarations: Mapping[str, ir.Declaration] | None = None
) -> str | None:
    """The declaration that the elements of a list in a field refer to.

    With `declarations`, the field may also refer to a union by shape that has a list among its members.
    """
    kind = next((each.type for each in _fields(declaration) if each.wire_name == wire_name), None)
    if kind is None:
        return None
    inner = kind.of if isinstance(kind, ir.Nullable) else kind
    shaped = (declarations or {}).get(inner.name) if isinstance(inner, ir.Reference) else None
    choices = shaped.members if isinstance(shaped, ir.ShapedUnion) else (kind,)
    return next((name for each in choices if (name := _union_in(each)) is not None), None)


def _fields(declaration: ir.Declaration) -> tuple[ir.Field, ...]:
    return declaration.fields if isinstance(declaration, ir.Model) else ()


def _union_in(kind: ir.Type) -> str | None:
    """The declaration that the elements of a list refer to."""
    match kind:
        case ir.Nullable(of):
            return _union_in(of)
        case ir.Array(ir.Reference(name)):
            return name
        case _:
            return None


def _by_constant(name: str, declarations: Mapping[str, ir.Declaration]) -> dict[str, str]:
    """The classes of a union by the constant that tells them apart."""
    union = declarations[name]
    found: dict[str, str] = {}
    for member in union.members if isinstance(union, ir.TaggedUnion) else ():
        for field in _fields(declarations[member]):
            if isinstance(union, ir.TaggedUnion) and field.wire_name == union.tag and isinstance(field.type, ir.Fixed):
                found[str(field.type.value)] = member
    return found
