"""The comparison of two documents: components, operations, the stream of events, the WebSocket, Python names."""

from __future__ import annotations

from collections.abc import Mapping

from openresponses_codegen.diff import words
from openresponses_codegen.diff.changes import Changes, Owner, Spot
from openresponses_codegen.diff.classes import compare_classes
from openresponses_codegen.diff.edition import Edition
from openresponses_codegen.diff.renames import renamed
from openresponses_codegen.diff.report import Change, Report
from openresponses_codegen.diff.rules import Severity, with_severities
from openresponses_codegen.diff.sites import Sites
from openresponses_codegen.ir import Side
from openresponses_codegen.lower.shapes import RefShape, Site
from openresponses_codegen.openapi import Operation, Schema, WebSocketRoute
from openresponses_codegen.source import Node


def compare(old: Edition, new: Edition, severities: Mapping[str, Severity] | None = None) -> Report:
    """Everything that differs between two documents, the worst first.

    `severities` replaces those of some rules, by id. A difference between two documents of different
    fingerprints is never only one of documentation, and one between documents of one fingerprint always is.
    """
    changes = Changes(old, new, with_severities(severities or {}))
    _Documents(old, new, changes).compare()
    return Report(old.origin, new.origin, tuple(sorted(changes.changes(), key=_order)))


def _order(change: Change) -> tuple[int, bool, int, int]:
    place = change.new or change.old
    line, column = (place.position.line, place.position.column) if place is not None else (0, 0)
    return (change.overall.rank, change.new is None, line, column)


class _Documents:
    def __init__(self, old: Edition, new: Edition, changes: Changes) -> None:
        self._old = old
        self._new = new
        self._changes = changes
        self._renamed = renamed(old, new)
        self._sites = Sites(old, new, self._renamed, changes)

    def compare(self) -> None:
        self._components()
        self._operations()
        self._websocket(self._old.document.websocket, self._new.document.websocket)
        compare_classes(self._old, self._new, self._renamed, self._changes)
        title, node = "the document", (self._old.document.release.node, self._new.document.release.node)
        before, after = self._old.document.release, self._new.document.release
        if (before.title, before.description) != (after.title, after.description):
            self._changes.add("description-changed", Spot(title, ()), *node)

    # Components ------------------------------------------------------------------------------------------------

    def _components(self) -> None:
        old, new = self._old, self._new
        before = {new_name: name for name, new_name in self._renamed.items()}
        for name, site in new.sites.items():
            old_name = before.get(name, name)
            if old_name not in old.sites:
                sides = tuple(side for side in Side if side in new.reached[name])
                spot = Spot(name, sides, Owner(site, site, None, name))
                self._changes.add("component-added", spot, None, site.node)
                continue
            sides = self._sides(old_name, name)
            spot = Spot(name, sides, Owner(old.sites[old_name], site, old_name, name))
            if old_name != name:
                described = {"old": words.code(old_name), "new": words.code(name)}
                self._changes.add("component-renamed", spot, old.sites[old_name].node, site.node, described)
            self._sites.compare(old.sites[old_name], site, spot)
        for name, site in old.sites.items():
            if name not in new.sites and name not in self._renamed:
                sides = tuple(side for side in Side if side in old.reached[name])
                spot = Spot(name, sides, Owner(site, site, name, None))
                self._changes.add("component-removed", spot, site.node, None)

    def _sides(self, old_name: str, new_name: str) -> tuple[Side, ...]:
        """The sides that reach a component in both documents."""
        return tuple(side for side in Side if side in self._old.reached[old_name] & self._new.reached[new_name])

    # Operations ------------------------------------------------------------------------------------------------

    def _operations(self) -> None:
        before = {each.path: each for each in self._old.document.operations}
        after = {each.path: each for each in self._new.document.operations}
        moved = {each.id: each for path, each in before.items() if path not in after}
        gone = {each.path for each in moved.values()}
        for path, each in after.items():
            other = before.get(path) or moved.get(each.id)
            if other is None:
                self._changes.add("operation-added", _operation_spot(each), None, each.node)
                continue
            gone.discard(other.path)
            self._operation(other, each)
        for path in gone:
            self._changes.add("operation-removed", _operation_spot(before[path]), before[path].node, None)

    def _operation(self, old: Operation, new: Operation) -> None:
        spot, nodes = _operation_spot(new), (old.node, new.node)
        if old.path != new.path:
            self._changes.add(
                "operation-moved", spot, *nodes, {"old": words.clean(old.path), "new": words.clean(new.path)}
            )
        if old.id != new.id:
            self._changes.add(
                "operation-renamed", spot, *nodes, {"old": words.clean(old.id), "new": words.clean(new.id)}
            )
        if (old.summary, old.description) != (new.summary, new.description):
            self._changes.add("description-changed", spot, *nodes)
        for kind, side, before, after in (
            ("request-body", Side.REQUEST, old.request, new.request),
            ("response-body", Side.RESPONSE, old.response, new.response),
            ("stream", Side.RESPONSE, old.events, new.events),
        ):
            self._body(kind, side, (old, before), (new, after))

    def _body(
        self, kind: str, side: Side, old: tuple[Operation, Schema | None], new: tuple[Operation, Schema | None]
    ) -> None:
        before, after = old[1], new[1]
        is_stream = kind == "stream"
        if before is None or after is None:
            if before is not after:
                spot = _operation_spot(new[0])
                self._changes.add(f"{kind}-{'removed' if after is None else 'added'}", spot, old[0].node, new[0].node)
            return
        spot = Spot(f"the {'events' if is_stream else side} of {new[0].path}", (side,), event_stream=is_stream)
        self._sites.compare(_bare(self._old, before), _bare(self._new, after), spot)

    def _websocket(self, old: WebSocketRoute | None, new: WebSocketRoute | None) -> None:
        spot = Spot("the WebSocket", ())
        if old is None or new is None:
            if new is not None:
                self._changes.add("websocket-added", spot, None, new.node, {"new": words.clean(new.path)})
            elif old is not None:
                self._changes.add("websocket-removed", spot, old.node, None, {"old": words.clean(old.path)})
            return
        if old.path != new.path:
            self._changes.add(
                "websocket-moved",
                spot,
                old.node,
                new.node,
                {"old": words.clean(old.path), "new": words.clean(new.path)},
            )
        if old.description != new.description:
            self._changes.add("description-changed", spot, old.node, new.node)
        for key, side, before, after in (
            ("clientMessage", Side.REQUEST, old.client_message, new.client_message),
            ("errorMessage", Side.RESPONSE, old.error_message, new.error_message),
        ):
            sites = (_message(old.node, key, before), _message(new.node, key, after))
            self._sites.compare(*sites, Spot(f"the `{key}` of the WebSocket", (side,)))


def _operation_spot(operation: Operation) -> Spot:
    return Spot(f"{operation.method.upper()} {operation.path}", ())


def _bare(edition: Edition, schema: Schema) -> Site:
    """The site of a body, whose own words nobody sees."""
    site = edition.components.site(schema)
    return Site(site.shape, site.nullable, None, site.default, site.node)


def _message(node: Node, key: str, name: str) -> Site:
    return Site(RefShape(name), nullable=False, text=None, default=None, node=node.get(key) or node)
