"""Applies the actions of an overlay in order, each to what the ones before left (Overlay 1.1.0, Action Object).

Where 1.0.0 says something else it is done for overlays of that version: what is updated is an object or array, and a
value for an array becomes one entry of it, even an array. See docs/decisions/010-overlays.md.
"""

from __future__ import annotations

import posixpath
from typing import Final, final

from openresponses_codegen.diagnostics import Diagnostics, shown
from openresponses_codegen.overlay.draft import (
    Draft,
    Elements,
    LimitError,
    Location,
    Members,
    Piece,
    check_depth,
    height_of,
)
from openresponses_codegen.overlay.model import Action, Overlay
from openresponses_codegen.overlay.query import Queries, QueryError
from openresponses_codegen.source import Node


def apply(document: Node, overlay: Overlay, diagnostics: Diagnostics, *, lenient: bool) -> Node:
    """Return the document with the changes of the overlay; the document itself stays as it is.

    A node of the result has the text and offset of the file that it was written in, and the path that it has in the
    result. What is wrong goes to `diagnostics`; then the result is of no use but to find more that is wrong. With
    `lenient` a target that matches nothing is a warning.
    """
    _compare_names(document, overlay, diagnostics)
    draft = Draft(document)
    run = _Run(draft, overlay, diagnostics, lenient=lenient)
    for action in overlay.actions:
        try:
            run.act(action)
        except LimitError as error:
            diagnostics.error("overlay-limit", str(error), at=action.target_node, hint=error.hint)
            break
    return draft.frozen()


def _compare_names(document: Node, overlay: Overlay, diagnostics: Diagnostics) -> None:
    """Note it when the overlay names another file than the one that it is applied to."""
    extends = overlay.extends
    if extends is None or not isinstance(extends.value, str) or document.text.file.startswith("<"):
        return
    meant = posixpath.basename(extends.value.partition("#")[0].partition("?")[0])
    given = posixpath.basename(document.text.file.replace("\\", "/"))
    if meant != given:
        message = f"the overlay was written for `{shown(extends.value, 120)}` and is applied to `{shown(given, 120)}`"
        diagnostics.note("overlay-extends", message, at=extends, hint="what is applied is what the command names")


@final
class _Run:
    """The actions of one overlay on one document."""

    def __init__(self, draft: Draft, overlay: Overlay, diagnostics: Diagnostics, *, lenient: bool) -> None:
        self._draft: Final = draft
        self._edition: Final = overlay.edition
        self._diagnostics: Final = diagnostics
        self._lenient: Final = lenient
        self._queries: Final = Queries(draft.meter)

    def act(self, action: Action) -> None:
        """Do one action; raise LimitError when it goes too far."""
        try:
            self._act(action)
        except _UnfitError as error:
            self._diagnostics.error("overlay-unfit", str(error), at=error.at, hint=error.hint)

    def _act(self, action: Action) -> None:
        locations = self._find(action.target, action.target_node)
        if not locations:
            return
        if action.remove:
            self._remove(action, locations)
        elif action.update is not None:
            self._merge_all(action, locations, self._draft.thawed(action.update), action.update)
        elif action.copy is not None:
            self._copy(action, action.copy, locations)

    def _find(self, query: str, at: Node) -> list[Location]:
        try:
            found = self._queries.find(query, self._draft)
        except QueryError as error:
            self._diagnostics.error("overlay-target", str(error), at=at, hint=error.hint)
            return []
        if not found:
            report = self._diagnostics.warning if self._lenient else self._diagnostics.error
            hint = self._queries.missing(query, self._draft) or "correct the target, or remove the action"
            report("overlay-no-match", "the JSONPath selects nothing", at=at, hint=hint)
        return found

    def _remove(self, action: Action, locations: list[Location]) -> None:
        if () in locations:
            raise _UnfitError("the whole document cannot be removed", action.target_node, "select members of it")
        self._draft.remove(locations)

    def _copy(self, action: Action, query: str, targets: list[Location]) -> None:
        at = action.node.get("copy") or action.node
        sources = self._find(query, at)
        if len(sources) > 1:
            raise _UnfitError(f"{len(sources)} nodes are selected to be copied, not one", at, "select one node")
        for source in sources:
            piece, origin = self._draft.at(source)
            try:
                self._merge_all(action, targets, self._draft.duplicate(piece), origin)
            except _UnfitError as error:
                if error.at is action.target_node:
                    raise
                hint = "copy another node, or remove the target by an action before"
                raise _UnfitError(f"{error}; it is copied from {error.at.position}", at, hint) from None

    def _merge_all(self, action: Action, locations: list[Location], source: Piece, origin: Node) -> None:
        targets = [(location, *self._draft.at(location, to_change=True)) for location in locations]
        kinds = {_kind(target): written for _, target, written in targets}
        if len(kinds) > 1 and self._edition == "1.1":
            places = " and ".join(f"{kind} at {written.position}" for kind, written in kinds.items())
            hint = "write an action for each kind, or narrow the JSONPath with a filter"
            raise _UnfitError(f"nodes of several kinds are selected: {places}", action.target_node, hint)
        height = height_of(source)
        for location, target, written in targets:
            if isinstance(target, Members):
                check_depth(len(location) + height)
                self._merge_object(target, written, source, origin)
            elif isinstance(target, Elements):
                concatenates = self._edition == "1.1" and isinstance(source, Elements)
                check_depth(len(location) + height + (not concatenates))
                self._merge_array(target, source, origin)
            else:
                self._refuse_scalar(written, action)
                if isinstance(source, Members | Elements):
                    raise _unfit(source, origin, target, written)
                self._draft.replace(location, source, origin)

    def _merge_object(self, target: Members, written: Node, source: Piece, origin: Node) -> None:
        if not isinstance(source, Members):
            raise _unfit(source, origin, target, written)
        target.changed = True
        for key, value in source.items():
            if key not in target:
                target.put(key, self._draft.copy(value), source.origins[key])
                continue
            current = target[key]
            if isinstance(current, Members):
                self._merge_object(current, target.origins[key], value, source.origins[key])
            elif isinstance(current, Elements) and isinstance(value, Elements):
                self._concatenate(current, value)
            elif isinstance(current, Elements) or isinstance(value, Members | Elements):
                raise _unfit(value, source.origins[key], current, target.origins[key])
            else:
                target.put(key, value, source.origins[key])

    def _merge_array(self, target: Elements, source: Piece, origin: Node) -> None:
        if isinstance(source, Elements) and self._edition == "1.1":
            self._concatenate(target, source)
            return
        if isinstance(source, Elements):
            message = "this array becomes one entry of the target, as Overlay 1.0 has it"
            hint = "to add each of its entries, write `overlay: 1.1.0`"
            self._diagnostics.warning("overlay-array-entry", message, at=origin, hint=hint)
        target.add([self._draft.copy(source)], [origin])

    def _concatenate(self, target: Elements, source: Elements) -> None:
        target.add([self._draft.copy(element) for element in source], source.origins)

    def _refuse_scalar(self, written: Node, action: Action) -> None:
        if self._edition == "1.0":
            message = f"the {written.kind} at {written.position} is selected; Overlay 1.0 updates objects and arrays"
            hint = "select the object that it is in, or write `overlay: 1.1.0`"
            raise _UnfitError(message, action.target_node, hint)


class _UnfitError(Exception):
    """An action that does not fit what it selects."""

    def __init__(self, message: str, at: Node, hint: str) -> None:
        super().__init__(message)
        self.at: Final = at
        self.hint: Final = hint


def _unfit(source: Piece, origin: Node, target: Piece, written: Node) -> _UnfitError:
    message = f"{_kind(source)} cannot be merged into {_kind(target)}, which is at {written.position}"
    return _UnfitError(message, origin, f"write {_kind(target)} here, or remove the target by an action before")


def _kind(piece: Piece) -> str:
    if isinstance(piece, Members):
        return "an object"
    return "an array" if isinstance(piece, Elements) else "a primitive value"
