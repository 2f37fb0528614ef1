"""What an extension says, once it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from openresponses_codegen.source import Node

STATUSES = ("in_progress", "completed", "incomplete")
"""The statuses that every item has."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An object with a `type` of the vendor's own (rule N1)."""

    kind: ClassVar[str]
    """What it is, for messages."""

    node: Node
    """Where it is declared: its key."""
    type: str
    """With the vendor's prefix."""
    class_name: str
    description: Node | None
    fields: Mapping[str, Node]
    """Schemas of its own fields, with all short forms written out."""
    required: tuple[str, ...]
    """Names among `fields`."""
    aliases: tuple[Node, ...]
    """Types without prefix under which it stands on the vendor's wire, too (rule Z18)."""


@dataclass(frozen=True, slots=True)
class Item(Declared):
    """An item of a response, which may be handed back in a request."""

    kind: ClassVar[str] = "item"

    statuses: Mapping[str, Node] = field(default_factory=dict[str, Node])
    """Further statuses, and where each is declared; the value is a description, if it is a string."""
    optional: frozenset[str] = frozenset()
    """Which of `id` and `status` may be missing on the vendor's wire."""

    @property
    def status_name(self) -> str:
        """The name of the enum of its statuses."""
        return f"{self.class_name}Status"


@dataclass(frozen=True, slots=True)
class Event(Declared):
    """A streaming event."""

    kind: ClassVar[str] = "event"

    item: str | None = None
    """The type of the item that it belongs to."""
    optional: frozenset[str] = frozenset()
    """Which of `item_id` and `output_index` may be missing on the vendor's wire."""


@dataclass(frozen=True, slots=True)
class Tool(Declared):
    """A tool that the server runs."""

    kind: ClassVar[str] = "tool"

    item: str = ""
    """The type of the item that is its receipt (rule X3)."""


@dataclass(frozen=True, slots=True)
class Choice(Declared):
    """A tool choice that names a tool."""

    kind: ClassVar[str] = "tool choice"


@dataclass(frozen=True, slots=True)
class Part(Declared):
    """A content part."""

    kind: ClassVar[str] = "content part"

    places: tuple[str, ...] = ()
    """Where it may stand, of `places.PLACES`."""


@dataclass(frozen=True, slots=True)
class Annotation(Declared):
    """A note on a passage of output text."""

    kind: ClassVar[str] = "annotation"


@dataclass(frozen=True, slots=True)
class Shared:
    """A schema that others of the extension refer to."""

    node: Node
    """Where it is declared: its key."""
    class_name: str
    schema: Node


@dataclass(frozen=True, slots=True)
class Extension:
    """Everything that one file declares."""

    node: Node
    vendor: str
    title: str
    version: str
    docs: Node | None
    declared: tuple[Declared, ...]
    """All objects with a type, in the order of the file, events of an item after it."""
    schemas: tuple[Shared, ...]
    fields: Mapping[str, Mapping[str, Node]]
    """Schemas of optional fields on core objects (rule N2), by component and name."""
    values: Mapping[str, Mapping[str, Node]]
    """Further values of core enums, by component and value; the node is a description, if it is a string."""

    def names(self) -> Iterator[tuple[str, Node]]:
        """The components that are added, and where each is declared."""
        for each in self.declared:
            yield each.class_name, each.node
            if isinstance(each, Item):
                yield each.status_name, each.node
        for shared in self.schemas:
            yield shared.class_name, shared.node
