"""A document in change: dicts and lists that a JSONPath is evaluated in, and that know where all of it was written.

Each access is counted. The actions of an overlay have `MAX_STEPS` of them together, so that neither a query with
nested filters nor an update of very many nodes can take forever; and the tree never has more nodes or depth than
`source` allows a document.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, SupportsIndex, TypeAlias, final, overload

from openresponses_codegen.source import MAX_DEPTH, MAX_NODES, Node, Scalar, Value

if TYPE_CHECKING:
    from _collections_abc import dict_items

Piece: TypeAlias = "Members | Elements | Scalar"
Location: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead from the root to a node."""
_Path: TypeAlias = "tuple[_Path, str | int] | None"

MAX_STEPS: Final = 10_000_000
"""Accesses to members and elements that the actions of one overlay have together."""

MAX_QUERY_STEPS: Final = 2_000_000
"""Those of one query, which may keep in memory what each comes to."""


class LimitError(Exception):
    """An overlay wants more than it may have; `hint` is the way out."""

    def __init__(self, message: str, hint: str) -> None:
        """Take what is exceeded, and the way out."""
        super().__init__(message)
        self.hint: Final = hint


@final
class Meter:
    """Counts steps: those of a query, and those of all actions together."""

    __slots__ = ("_kept", "_left", "_weight")

    def __init__(self) -> None:
        """Start with all the steps that there are."""
        self._left = MAX_STEPS
        self._kept = 0
        self._weight = 1

    def spend(self, steps: int) -> None:
        """Take steps away; raise LimitError when there are none left."""
        self._left -= steps * self._weight
        if self._left < 0:
            message = f"the actions up to this one take more than {MAX_STEPS:,} steps, or its query {MAX_QUERY_STEPS:,}"
            raise LimitError(message, "select by names instead of `..` and filters inside one another")

    @contextmanager
    def query(self, weight: int) -> Generator[None]:
        """What is inside has the steps of one query, and each counts as `weight`."""
        self._kept = max(self._left - MAX_QUERY_STEPS, 0)
        self._left -= self._kept
        self._weight = weight
        try:
            yield
        finally:
            self._left += self._kept
            self._kept, self._weight = 0, 1


@final
class Members(dict[str, Piece]):
    """An object; `origins` says where each member was written."""

    __slots__ = ("changed", "meter", "origins")

    def __init__(self, members: Iterable[tuple[str, Piece]], origins: dict[str, Node], meter: Meter) -> None:
        """Take the members, and their origins by key."""
        super().__init__(members)
        self.origins = origins
        self.meter = meter
        self.changed = False

    def __getitem__(self, key: str) -> Piece:
        self.meter.spend(1)
        return super().__getitem__(key)

    def items(self) -> dict_items[str, Piece]:
        """The members, each of them a step."""
        self.meter.spend(len(self))
        return super().items()

    def uncounted(self) -> Iterable[Piece]:
        """The values of the members, at no step."""
        return self.values()

    def at(self, key: str | int) -> tuple[Piece, Node]:
        """A member, and where it was written."""
        return self[str(key)], self.origins[str(key)]

    def put(self, key: str | int, piece: Piece, origin: Node) -> None:
        """Add or replace a member."""
        self[str(key)], self.origins[str(key)] = piece, origin
        self.changed = True


@final
class Elements(list[Piece]):
    """An array; `origins` says where each element was written."""

    __slots__ = ("changed", "meter", "origins")

    def __init__(self, elements: Iterable[Piece], origins: list[Node], meter: Meter) -> None:
        """Take the elements, and their origins by index."""
        super().__init__(elements)
        self.origins = origins
        self.meter = meter
        self.changed = False

    def __iter__(self) -> Iterator[Piece]:
        self.meter.spend(len(self))
        return super().__iter__()

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Piece: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Piece]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> Piece | list[Piece]:
        self.meter.spend(len(self) if isinstance(index, slice) else 1)
        return super().__getitem__(index)

    def uncounted(self) -> Iterator[Piece]:
        """The elements, at no step."""
        return super().__iter__()

    def at(self, key: str | int) -> tuple[Piece, Node]:
        """An element, and where it was written."""
        return self[int(key)], self.origins[int(key)]

    def put(self, key: str | int, piece: Piece, origin: Node) -> None:
        """Replace an element."""
        self[int(key)], self.origins[int(key)] = piece, origin
        self.changed = True

    def add(self, pieces: Iterable[Piece], origins: Iterable[Node]) -> None:
        """Add elements at the end."""
        self.extend(pieces)
        self.origins.extend(origins)
        self.changed = True


@final
class Draft:
    """The document that an overlay changes."""

    def __init__(self, document: Node) -> None:
        """Take the document; it stays as it is."""
        self.meter: Final = Meter()
        self.root: Final = self.thawed(document)
        self._document: Final = document
        self._nodes = size_of(self.root)

    def thawed(self, node: Node) -> Piece:
        """The value of a node, to be changed."""
        value = node.value
        if isinstance(value, dict):
            thawed = self.thawed
            return Members([(key, thawed(child)) for key, child in value.items()], dict(value), self.meter)
        if isinstance(value, tuple):
            return Elements(map(self.thawed, value), list(value), self.meter)
        return value

    def frozen(self) -> Node:
        """The document as it is now; what is as it was, is the node that it was."""
        return _frozen(self.root, self._document, self._document.path, self._document.key_offset)

    def copy(self, piece: Piece) -> Piece:
        """A copy to be put in; raise LimitError when the document becomes too large by it."""
        self._nodes += size_of(piece)
        if self._nodes > MAX_NODES:
            message = f"the document grows to more than {MAX_NODES:,} values"
            raise LimitError(message, "copy or update fewer nodes, or smaller ones")
        return self.duplicate(piece)

    def duplicate(self, piece: Piece) -> Piece:
        """A copy that is not put in."""
        if isinstance(piece, Members):
            pairs = [(key, self.duplicate(child)) for key, child in piece.items()]
            copied: Members | Elements = Members(pairs, dict(piece.origins), self.meter)
        elif isinstance(piece, Elements):
            copied = Elements(map(self.duplicate, piece), list(piece.origins), self.meter)
        else:
            return piece
        copied.changed = True
        return copied

    def at(self, location: Location, *, to_change: bool = False) -> tuple[Piece, Node]:
        """What is at `location` and where it was written; `to_change` when something in it will be another."""
        piece, origin = self.root, self._document
        for key in location:
            if isinstance(piece, Members | Elements):
                piece.changed |= to_change
                piece, origin = piece.at(key)
        if isinstance(piece, Members | Elements):
            piece.changed |= to_change
        return piece, origin

    def replace(self, location: Location, piece: Scalar, origin: Node) -> None:
        """Put another scalar where one is."""
        parent, _ = self.at(location[:-1], to_change=True)
        if isinstance(parent, Members | Elements):
            parent.put(location[-1], piece, origin)

    def remove(self, locations: Iterable[Location]) -> None:
        """Take out what is at the locations, of which one may be inside another."""
        keys_by_parent: dict[Location, set[str | int]] = {}
        for location in locations:
            keys_by_parent.setdefault(location[:-1], set()).add(location[-1])
        for parent in sorted(keys_by_parent, key=len, reverse=True):  # the indices above stay right
            self._remove_from(self.at(parent, to_change=True)[0], keys_by_parent[parent])

    def _remove_from(self, parent: Piece, keys: set[str | int]) -> None:
        if isinstance(parent, Members):
            for key in parent.keys() & keys:
                self._nodes -= size_of(parent.pop(key))
                del parent.origins[key]
        elif isinstance(parent, Elements):
            self._nodes -= sum(size_of(piece) for index, piece in enumerate(parent) if index in keys)
            kept = [index for index in range(len(parent)) if index not in keys]
            parent.origins = [parent.origins[index] for index in kept]
            parent[:] = [parent[index] for index in kept]


def size_of(piece: Piece) -> int:
    """How many values that is."""
    return 1 + sum(map(size_of, piece.uncounted())) if isinstance(piece, Members | Elements) else 1


def height_of(piece: Piece) -> int:
    """How many objects and arrays stand inside one another there."""
    if not isinstance(piece, Members | Elements):
        return 0
    return 1 + max(map(height_of, piece.uncounted()), default=0)


def check_depth(depth: int) -> None:
    """Raise LimitError when objects and arrays come to stand too deep inside one another."""
    if depth > MAX_DEPTH:
        message = f"more than {MAX_DEPTH} objects and arrays come to stand inside one another"
        raise LimitError(message, "put it at a place that is less deep")


def _frozen(piece: Piece, origin: Node, path: _Path, key_offset: int) -> Node:
    if path is origin.path and not (isinstance(piece, Members | Elements) and piece.changed):
        return origin
    value: Value
    if isinstance(piece, Members):
        members = zip(piece, piece.uncounted(), piece.origins.values(), strict=True)
        value = {key: _frozen(child, at, _path(at, path, key), at.key_offset) for key, child, at in members}
    elif isinstance(piece, Elements):
        elements = zip(piece.uncounted(), piece.origins, strict=True)
        value = tuple(_frozen(child, at, _path(at, path, i), at.offset) for i, (child, at) in enumerate(elements))
    else:
        value = piece
    return Node(value, origin.text, origin.offset, key_offset, path)


def _path(origin: Node, parent: _Path, key: str | int) -> _Path:
    """The way to `key` of `parent`; that of the origin where it is the same, so that it shows as unmoved."""
    path = origin.path
    return path if path is not None and path[0] is parent and path[1] == key else (parent, key)
