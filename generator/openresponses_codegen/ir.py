"""The intermediate representation: what a spec says, normalised, named and split by side. No logic.

Every name here is a finished Python name, every reference is resolved, and every spelling of the same content
is the same value. Renderers read this and nothing before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from openresponses_codegen.text import SpecText

Constant: TypeAlias = str | int | bool
"""A value that a constant or an enum can have."""
Limit: TypeAlias = tuple[str, int | float | str]
"""A validation keyword of JSON Schema and its value, such as `("maxLength", 64)`."""
ScalarKind: TypeAlias = Literal["string", "integer", "number", "boolean", "null", "any"]


class Side(StrEnum):
    """Who writes a value: a client (`request`, read strictly) or a server (`response`, read openly)."""

    REQUEST = "request"
    RESPONSE = "response"


class Presence(StrEnum):
    """Whether a field has to be there (rule Z1)."""

    REQUIRED = "required"
    OMITTABLE = "omittable"
    """It may be left out, and is never null."""
    OPTIONAL = "optional"
    """It may be left out, or be null."""


class Role(StrEnum):
    """What a model stands for."""

    OBJECT = "object"
    ANSWER = "answer"
    """The whole of what an operation answers."""
    EVENT = "event"
    UNKNOWN = "unknown"
    """Keeps the variants of a union that the spec does not name."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A JSON scalar, or any JSON value at all."""

    kind: ScalarKind
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """The one value that is allowed, and that an object gets by itself."""

    value: Constant
    aliases: tuple[Constant, ...] = ()
    """Other values under which the same is found on the wire; they are kept (rule Z18)."""

    @property
    def values(self) -> tuple[Constant, ...]:
        """All values that it may have, its own first."""
        return (self.value, *self.aliases)


@dataclass(frozen=True, slots=True)
class Reference:
    """A declaration, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class OpenEnum:
    """An enum, by name, where a server may send values that the spec does not name (rule N4)."""

    name: str
    kind: ScalarKind = "string"
    """The type of those values."""


@dataclass(frozen=True, slots=True)
class Array:
    """A list."""

    item: Type
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose keys are data."""

    value: Type
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Nullable:
    """A type or null."""

    of: Type


Type: TypeAlias = Scalar | Fixed | Reference | OpenEnum | Array | Map | Nullable


@dataclass(frozen=True, slots=True)
class Default:
    """A default that the spec states, as a JSON scalar."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an object."""

    name: str
    wire_name: str
    type: Type
    presence: Presence
    default: Default | None
    text: SpecText | None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A property that must be absent, by its name on the wire."""

    wire_name: str
    text: SpecText | None


@dataclass(frozen=True, slots=True)
class Model:
    """An object with known properties."""

    name: str
    side: Side
    role: Role
    text: SpecText | None
    fields: tuple[Field, ...]
    forbidden: tuple[Forbidden, ...] = ()
    """Properties that must be absent."""
    closed: bool = False
    """Whether fields that are not declared are refused."""
    extensible: bool = False
    """Whether the spec invites further fields."""
    event_type: str | None = None
    """The event's name on the wire."""
    aliases: tuple[str, ...] = ()
    """Other names that the event has on the wire (rule Z18)."""
    vendor: str | None = None
    """The extension that adds it."""
    of_item: str | None = None
    """The type of the item that it belongs to, when an extension says so."""
    is_delta: bool = False
    """Whether the event adds to something that is not complete yet."""
    is_terminal: bool = False
    """Whether the event is the last of a stream (rule S4)."""


@dataclass(frozen=True, slots=True)
class TaggedUnion:
    """A union of objects that a constant in the field `tag` tells apart."""

    name: str
    side: Side
    text: SpecText | None
    tag: str
    members: tuple[str, ...]
    """Models, and unions nested on another tag, by name."""
    unknown: str | None = None
    """The model that keeps every other tag."""
    returned: str | None = None
    """In a request, the union of what the server sent of the same kind: it goes back unchecked."""


@dataclass(frozen=True, slots=True)
class ShapedUnion:
    """A union whose members differ in their JSON shape, such as a string or a list."""

    name: str
    side: Side
    text: SpecText | None
    members: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum."""

    value: Constant
    text: SpecText | None


@dataclass(frozen=True, slots=True)
class Enum:
    """A named set of values."""

    name: str
    text: SpecText | None
    values: tuple[EnumValue, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a type."""

    name: str
    text: SpecText | None
    type: Type


Declaration: TypeAlias = Model | TaggedUnion | ShapedUnion | Enum | Alias


@dataclass(frozen=True, slots=True)
class Operation:
    """An HTTP operation."""

    id: str
    method: str
    path: str
    text: SpecText | None
    request: str | None
    response: str | None
    streams: bool


@dataclass(frozen=True, slots=True)
class WebSocket:
    """The WebSocket beside an operation: the message a client sends, the one that reports a failure."""

    path: str
    text: SpecText | None
    client_message: str
    error_message: str


@dataclass(frozen=True, slots=True)
class VendorEvent:
    """A streaming event of a vendor's."""

    type: str
    model: str
    method: str
    """The method that sends it."""
    fields: tuple[Field, ...]
    """Its own: those that the writer does not fill in."""
    text: SpecText | None
    status: str | None = None
    """The status of its item that it tells."""


@dataclass(frozen=True, slots=True)
class VendorItem:
    """An item of a vendor's (rules N1, N2)."""

    type: str
    model: str
    method: str
    """The method that opens it."""
    accessor: str
    """The property of a response that lists those in its output."""
    fields: tuple[Field, ...]
    """Its own: all but `type`, `id` and `status`."""
    statuses: tuple[str, ...]
    """Those beside the ones of every item (rule X3)."""
    events: tuple[VendorEvent, ...]
    text: SpecText | None


@dataclass(frozen=True, slots=True)
class Service:
    """What a client and a server are made of: the operations by what they do, classes by their constant `type`."""

    create: Operation
    """Creates a response, whole or as a stream."""
    compact: Operation | None
    websocket: WebSocket | None
    input_item: str
    """The union of the items in a request's input."""
    item: str
    """The union of the items in a response's output."""
    items: Mapping[str, str]
    parts: Mapping[str, str]
    """Content parts of messages and of reasoning."""
    events: Mapping[str, str]
    tool: str
    """The function tool of a request."""
    annotation: str
    """What annotates a part of output text."""
    logprob: str
    """The log probability of a token of output text."""
    usage: str
    """The count of tokens of a response."""
    padded: frozenset[str]
    """The events that have room for random padding, by constant (rule L10)."""
    has_phase: bool
    """Whether messages of the assistant can be labelled (rule P6)."""
    vendor_items: tuple[VendorItem, ...] = ()
    vendor_events: tuple[VendorEvent, ...] = ()
    """Those that belong to no item."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the spec that is not generated on purpose, and why."""

    what: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Api:
    """Everything a spec says that code is made of."""

    title: SpecText
    release: str
    text: SpecText | None
    declarations: tuple[Declaration, ...]
    operations: tuple[Operation, ...]
    stream: TaggedUnion | None
    service: Service | None
    """None when the spec has not all that client and server need; `left_out` then says what is missing."""
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A declaration as Python source."""

    name: str
    source: str
    """Its text, with the docstring that follows an alias."""
    uses: frozenset[str]
    """The names that it reads."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What an extension adds to a spec, where the rest is in a package of its own: the base."""

    base: Api
    whole: Api
    """The spec with what is added."""
    names: tuple[str, ...]
    """The declarations that are added."""
    joins: Mapping[str, tuple[str, ...]]
    """The models that join a union of the base, by the union's name."""
    left_out: tuple[LeftOut, ...]
    """What only the base's own classes could show."""
