"""Builds the nodes of a document as a reader meets its values, and keeps the limits that stop a hostile one.

Nothing here recurses deeper than `MAX_DEPTH`. A key stands once in its object, which RFC 8259 (section 4) asks
for and YAML 1.2.2 (section 3.2.1.1) demands, and each place of an alias gets nodes with RFC 6901 pointers of its
own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from openresponses_codegen.diagnostics import shown, suggest
from openresponses_codegen.source.node import Node, NodePath, Scalar, Text, pointer_to

MAX_DEPTH = 128
"""Objects and arrays inside one another."""

MAX_NODES = 500_000
"""Values of a document, a YAML alias counting as all that it stands for."""


@dataclass(slots=True)
class _Collection:
    """An object or array that is still open; `child_key` is the key whose value comes next."""

    children: dict[str, Node] | list[Node]
    offset: int
    key_offset: int
    path: NodePath
    anchor: str | None
    nodes_before: int
    height: int = 1
    child_key: str | None = None
    child_key_offset: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What a YAML anchor names: a node, how many nodes that is, and how many collections deep."""

    node: Node
    nodes: int
    height: int


@final
class Tree:
    """Makes nodes of what a reader meets, on a stack of its own, and keeps the limits of a document."""

    def __init__(self, text: Text) -> None:
        """Take the text that the nodes stand in."""
        self._text = text
        self._root: Node | None = None
        self._nodes = 0
        self._open: list[_Collection] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._has_aliases = False

    def document(self) -> Node | None:
        """Return the root, once it is complete; no two places of it share a node."""
        if self._root is None or not self._has_aliases:
            return self._root
        return _unshared(self._root, self._root.key_offset, None)

    @property
    def inside(self) -> type | None:
        """What is open and takes the next value: `dict`, `list`, or None."""
        return type(self._open[-1].children) if self._open else None

    @property
    def awaits_key(self) -> bool:
        """Whether the next string is a key of the object that is open."""
        return self.inside is dict and self._open[-1].child_key is None

    def key(self, key: str, offset: int) -> None:
        """Take the key whose value comes next; refuse one that the object has already."""
        parent = self._open[-1]
        if isinstance(parent.children, dict) and key in parent.children:
            first = self._text.position(parent.children[key].key_offset)
            message = f"the key `{shown(key, 80)}` stands twice in one object"
            hint = f"remove or rename one; the first is at {first}"
            pointer = pointer_to((parent.path, key))
            raise self._text.refusal("duplicate-key", offset, message, hint, pointer)
        parent.child_key, parent.child_key_offset = key, offset

    def scalar(self, value: Scalar, offset: int, anchor: str | None = None) -> None:
        """Add what is neither object nor array."""
        self._count(1, offset)
        node = Node(value, self._text, offset, *self._place(offset))
        self._add(node, 0)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, 1, 0)

    def open(self, children: dict[str, Node] | list[Node], offset: int, anchor: str | None = None) -> None:
        """Go into the object or array that begins at `offset`; `children` is empty."""
        self._check_depth(1, offset)
        self._open.append(_Collection(children, offset, *self._place(offset), anchor, self._nodes))
        self._count(1, offset)
        if anchor is not None:
            self._anchors[anchor] = None  # until it is complete, an alias to it would be a circle

    def close(self) -> None:
        """Go out of the object or array that was opened last, and add it."""
        closed = self._open.pop()
        value = closed.children if isinstance(closed.children, dict) else tuple(closed.children)
        node = Node(value, self._text, closed.offset, closed.key_offset, closed.path)
        self._add(node, closed.height)
        if closed.anchor is not None:
            self._anchors[closed.anchor] = _Anchored(node, self._nodes - closed.nodes_before, closed.height)

    def alias(self, name: str, offset: int) -> None:
        """Add what `name` stands for once more.

        What is inside stays shared until the whole document is known to keep the limits: an alias bomb
        is refused before anything of it is copied.
        """
        if name not in self._anchors:
            hint = suggest(name, self._anchors) or "write the anchor before its first alias"
            raise self._text.refusal("yaml-alias", offset, f"there is no anchor `{shown(name, 80)}`", hint)
        anchored = self._anchors[name]
        if anchored is None:
            message = f"the alias `{shown(name, 80)}` stands inside what it stands for"
            raise self._text.refusal("yaml-alias", offset, message, "break the circle with a $ref")
        self._count(anchored.nodes, offset, "alias-bomb")
        self._check_depth(anchored.height, offset)
        self._has_aliases = True
        node = anchored.node
        self._add(Node(node.value, node.text, node.offset, *self._place(offset)), anchored.height)

    def _place(self, offset: int) -> tuple[int, NodePath]:
        """Return the key's offset, if there is a key, and the path of the value that begins at `offset`."""
        if not self._open:
            return offset, None
        parent = self._open[-1]
        if parent.child_key is not None:
            return parent.child_key_offset, (parent.path, parent.child_key)
        return offset, (parent.path, len(parent.children))

    def _add(self, node: Node, height: int) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if height >= parent.height:
            parent.height = height + 1
        if isinstance(parent.children, list):
            parent.children.append(node)
        elif parent.child_key is not None:
            parent.children[parent.child_key] = node
            parent.child_key = None

    def _count(self, nodes: int, offset: int, code: str = "too-large") -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"the document has more than {MAX_NODES:,} values"
            hint = "split the document; an alias counts as all that it stands for"
            raise self._text.refusal(code, offset, message, hint)

    def _check_depth(self, more: int, offset: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} objects and arrays stand inside one another"
            hint = "flatten the document, or move a part behind a $ref"
            raise self._text.refusal("too-deep", offset, message, hint)


def _unshared(node: Node, key_offset: int, path: NodePath) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {key: _unshared(child, child.key_offset, (path, key)) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_unshared(child, child.offset, (path, index)) for index, child in enumerate(value))
    return Node(value, node.text, node.offset, key_offset, path)
