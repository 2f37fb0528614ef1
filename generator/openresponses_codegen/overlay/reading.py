"""Reads an overlay document and says all that is wrong with it.

The specification's text (1.0.0, 1.1.0) and its JSON Schemas do not agree in everything; what either forbids is an
error, except that `update` beside `remove: true` is a warning in 1.0, whose text says that it has no impact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Final, final

from openresponses_codegen.diagnostics import Diagnostics, HasPlace, shown, suggest
from openresponses_codegen.overlay.model import Action, Edition, Overlay
from openresponses_codegen.overlay.query import Queries, QueryError
from openresponses_codegen.source import Node

_OVERLAY = ("overlay", "info", "extends", "actions")
_INFO: Final[dict[Edition, tuple[str, ...]]] = {"1.0": ("title", "version"), "1.1": ("title", "version", "description")}
_ACTION: Final[dict[Edition, tuple[str, ...]]] = {
    "1.0": ("target", "description", "update", "remove"),
    "1.1": ("target", "description", "update", "remove", "copy"),
}
_MODIFIERS: Final[dict[Edition, tuple[str, ...]]] = {"1.0": ("update", "remove"), "1.1": ("update", "remove", "copy")}
_VERSION = re.compile(r"(1\.[01])\.[0-9]+(-.+)?")


def read(node: Node, diagnostics: Diagnostics) -> Overlay:
    """Return what an overlay document says; whatever is wrong with it goes to `diagnostics`."""
    return _Reader(node, diagnostics).overlay()


@final
class _Reader:
    def __init__(self, node: Node, diagnostics: Diagnostics) -> None:
        self._node: Final = node
        self._diagnostics: Final = diagnostics
        self._queries: Final = Queries()
        self._edition: Edition = "1.1"

    def overlay(self) -> Overlay:
        node = self._node
        name = node.text.file
        if not isinstance(node.value, dict) or node.get("overlay") is None:
            is_openapi = node.get("openapi") is not None
            hint = "this is an OpenAPI document: name it as the SPEC" if is_openapi else "write `overlay: 1.1.0`"
            self._error("not-overlay", "the document has no `overlay` version", node, hint)
            return Overlay(node, name, "", "", ())
        self._edition = self._read_edition()
        self._check_keys(node, _OVERLAY)
        title, version = self._info()
        extends = self._field(node, "extends", "string", needed=False)
        return Overlay(node, name, title, version, self._actions(), self._edition, extends)

    def _info(self) -> tuple[str, str]:
        info = self._field(self._node, "info", "object", needed=True)
        if info is None:
            return "", ""
        self._check_keys(info, _INFO[self._edition])
        if "description" in _INFO[self._edition]:
            self._text(info, "description")
        return self._text(info, "title", needed=True) or "", self._text(info, "version", needed=True) or ""

    def _read_edition(self) -> Edition:
        version = self._text(self._node, "overlay")
        found = _VERSION.fullmatch(version) if version is not None else None
        if found is None:
            if version is not None:
                message = f"Overlay {shown(version, 40)} is not supported"
                self._error("overlay-version", message, self._node.get("overlay"), "write 1.0.0 or 1.1.0")
            return "1.1"
        return "1.0" if found[1] == "1.0" else "1.1"

    def _actions(self) -> tuple[Action, ...]:
        actions = self._field(self._node, "actions", "array", needed=True)
        if actions is None or not isinstance(actions.value, tuple):
            return ()
        if not actions.value:
            self._error("overlay-action", "there is no action", actions, "write at least one")
        known: dict[str, Node] = {}
        read: list[Action] = []
        for node in actions.value:
            if self._diagnostics.is_full:
                break
            action = self._action(node)
            if self._is_first(node, known) and action is not None:
                read.append(action)
        return tuple(read)

    def _is_first(self, node: Node, known: dict[str, Node]) -> bool:
        same = known.setdefault(json.dumps(node.plain(), sort_keys=True), node)
        if same is not node:
            hint = "remove one of them, or tell them apart by `description`"
            self._error("overlay-action", f"this is the same action as the one at {same.position}", node, hint)
        return same is node

    def _action(self, node: Node) -> Action | None:
        if not isinstance(node.value, dict):
            self._error(
                "overlay-field",
                f"an action is an object, not {_article(node.kind)}",
                node,
                "write `target` and what to do",
            )
            return None
        self._check_keys(node, _ACTION[self._edition])
        target = self._query(node, "target", needed=True)
        copy = self._query(node, "copy") if self._edition == "1.1" else None
        description = self._text(node, "description")
        remove = self._removes(node)
        update = node.get("update")
        self._check_modifiers(node, removes=remove)
        return Action(node, target, update, remove, copy, description) if target is not None else None

    def _check_modifiers(self, node: Node, *, removes: bool) -> None:
        given = [key for key in _MODIFIERS["1.1"] if node.get(key) is not None]
        modifiers = _listed(_MODIFIERS[self._edition])
        if not given:
            report = self._diagnostics.warning if self._edition == "1.0" else self._diagnostics.error
            report("overlay-action", "the action says nothing to do", at=node, hint=f"add one of {modifiers}")
        elif given == ["remove"] and not removes:
            hint = "write `remove: true`, or leave the action out"
            self._diagnostics.warning("overlay-action", "the action does nothing", at=node, hint=hint)
        elif len(given) > 1 and self._edition == "1.1":
            message = f"{' and '.join(f'`{key}`' for key in given)} stand in one action"
            self._error("overlay-action", message, node, f"write an action for each: it has one of {modifiers}")
        elif removes and node.get("update") is not None:
            message = "`update` has no impact beside `remove: true`"
            self._diagnostics.warning("overlay-action", message, at=node.at_key("update"), hint="leave one of them out")

    def _removes(self, node: Node) -> bool:
        remove = node.get("remove")
        if remove is None:
            return False
        if not isinstance(remove.value, bool):
            self._error("overlay-field", f"`remove` is a boolean, not {_article(remove.kind)}", remove, "write true")
            return True
        return remove.value

    def _query(self, node: Node, key: str, *, needed: bool = False) -> str | None:
        query = self._text(node, key, needed=needed)
        if query is None:
            return None
        try:
            self._queries.check(query)
        except QueryError as error:
            self._error("overlay-target", str(error), node.get(key), error.hint)
            return None
        return query

    def _text(self, node: Node, key: str, *, needed: bool = False) -> str | None:
        child = self._field(node, key, "string", needed=needed)
        return child.value if child is not None and isinstance(child.value, str) else None

    def _field(self, node: Node, key: str, kind: str, *, needed: bool) -> Node | None:
        """The value of a key if it is there and of its kind; what is wrong is reported."""
        child = node.get(key)
        if child is None and needed:
            self._error("overlay-field", f"`{key}` is missing", node, f"add it: {_article(kind)}")
        elif child is not None and child.kind != kind:
            scalar = kind == "string" and child.kind in ("number", "integer", "boolean")
            hint = "put it in quotes" if scalar else f"write {_article(kind)}"
            self._error("overlay-field", f"`{key}` is {_article(kind)}, not {_article(child.kind)}", child, hint)
            return None
        return child

    def _check_keys(self, node: Node, known: Collection[str]) -> None:
        value = node.value
        for key in value if isinstance(value, dict) else ():
            if key in known or key.startswith("x-"):
                continue
            newer = (known, key) in ((_INFO["1.0"], "description"), (_ACTION["1.0"], "copy"))
            hint = suggest(key, known) or f"the keys are {_listed(known)}, and any that begins with `x-`"
            if newer:
                hint = f"`{key}` came with Overlay 1.1: write `overlay: 1.1.0`"
            self._error("overlay-key", f"`{shown(key, 80)}` is no key of this object", node.at_key(key), hint)

    def _error(self, code: str, message: str, at: HasPlace | None, hint: str | None) -> None:
        self._diagnostics.error(code, message, at=at, hint=hint)


def _listed(words: Collection[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _article(kind: str) -> str:
    return kind if kind == "null" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
