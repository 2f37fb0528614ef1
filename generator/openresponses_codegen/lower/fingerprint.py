"""The fingerprint of a document: a digest of what it allows, whatever its words and its spelling.

Titles, descriptions, examples, the order of keys, properties, members and values do not count; nor does the way in
which the same content is written (see `shapes`). Two documents with one fingerprint generate the same code but for
docstrings and order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.lower.components import Components
from openresponses_codegen.lower.shapes import (
    TAG,
    ArrayShape,
    EnumShape,
    FixedShape,
    MapShape,
    ObjectShape,
    Property,
    RefShape,
    ScalarShape,
    Site,
    UnionShape,
)
from openresponses_codegen.openapi import Document, Schema


def fingerprint(document: Document, diagnostics: Diagnostics) -> str:
    """The fingerprint, as `sha256:` and 64 hexadecimal digits."""
    return Canonical(Components(document, diagnostics)).digest(document)


class Canonical:
    """The one form of everything that has the same content."""

    def __init__(self, components: Components, names: Mapping[str, str] | None = None) -> None:
        """Take the components, and other names to call some of them by."""
        self._components = components
        self._names = names or {}

    def text(self, site: Site) -> str:
        """The form of a site, as text."""
        return self._text(self._site(site))

    def digest(self, document: Document) -> str:
        """The fingerprint of the document that the components are of."""
        websocket = document.websocket
        content = {
            "schemas": {name: self._site(site) for name, site in self._components.sites.items()},
            "operations": sorted(
                [
                    each.method,
                    each.path,
                    each.id,
                    *map(self._body, (each.request, each.response, each.events)),
                ]
                for each in document.operations
            ),
            "websocket": [websocket.path, websocket.client_message, websocket.error_message] if websocket else None,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def _body(self, schema: Schema | None) -> str:
        return "" if schema is None else self._text(self._site(self._components.site(schema)))

    def _site(self, site: Site) -> dict[str, Any]:
        content: dict[str, Any] = {"shape": self._shape(site)}
        if site.nullable:
            content["nullable"] = True
        if site.default is not None and not isinstance(site.shape, FixedShape):
            content["default"] = [type(site.default.value).__name__, site.default.value]
        return content

    def _shape(self, site: Site) -> list[Any]:
        match site.shape:
            case ScalarShape(kind, limits):
                return [kind, sorted(limits)]
            case FixedShape(value, aliases):
                return ["values", [[type(each).__name__, each] for each in (value, *sorted(aliases, key=str))]]
            case EnumShape(values):
                return [
                    "values",
                    sorted(([type(each.value).__name__, each.value] for each in values), key=str),
                ]
            case RefShape(name):
                return ["reference", self._names.get(name, name)]
            case ArrayShape(item, limits):
                return ["array", self._site(item), sorted(limits)]
            case MapShape(value, limits):
                return ["map", self._site(value), sorted(limits)]
            case ObjectShape(properties, additional):
                return ["object", {each.name: self._property(each) for each in properties}, additional]
            case UnionShape(members, discriminator):
                tag = discriminator if discriminator != TAG else None  # by `type`, said or not
                return ["union", tag, sorted((self._shape(member) for member in members), key=self._text)]

    def _property(self, each: Property) -> list[Any] | None:
        return None if each.absent else [each.required, self._site(each.site)]

    def _text(self, content: object) -> str:
        return json.dumps(content, sort_keys=True)
