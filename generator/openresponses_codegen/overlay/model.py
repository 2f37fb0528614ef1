"""What an overlay says, once it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from openresponses_codegen.source import Node, Plain

Edition: TypeAlias = Literal["1.0", "1.1"]
"""Major and minor number of the specification that an overlay is written by; the patch number means nothing."""


@dataclass(frozen=True, slots=True)
class Action:
    """One change: `remove`, or else `update`, or else `copy`, or none where an overlay says none."""

    node: Node
    """Where it is written."""
    target: str
    """The JSONPath (RFC 9535) of the nodes to change."""
    update: Node | None = None
    """What is merged into them."""
    remove: bool = False
    copy: str | None = None
    """The JSONPath of the one node that is merged into them."""
    description: str | None = None

    @property
    def target_node(self) -> Node:
        """Where the target is written."""
        return self.node.get("target") or self.node


@dataclass(frozen=True, slots=True)
class Overlay:
    """A document of changes."""

    node: Node
    name: str
    """The file, as the user named it."""
    title: str
    version: str
    """Its own version, from `info`."""
    actions: tuple[Action, ...]
    edition: Edition = "1.1"
    extends: Node | None = None
    """The URI reference of the document that it was written for."""


def plain(overlay: Overlay) -> Plain:
    """Return the overlay as an overlay document, for printing; keys that begin with `x-` are left out."""
    document: dict[str, Plain] = {
        "overlay": f"{overlay.edition}.0",
        "info": {"title": overlay.title, "version": overlay.version},
    }
    if overlay.extends is not None:
        document["extends"] = overlay.extends.plain()
    document["actions"] = [_plain_action(action) for action in overlay.actions]
    return document


def _plain_action(action: Action) -> Plain:
    plain: dict[str, Plain] = {"target": action.target}
    if action.description is not None:
        plain["description"] = action.description
    if action.update is not None and not action.remove:
        plain["update"] = action.update.plain()
    elif action.copy is not None and not action.remove:
        plain["copy"] = action.copy
    else:
        plain["remove"] = action.remove
    return plain
