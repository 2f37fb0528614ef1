"""What a change says of the two documents, in a few words."""

from __future__ import annotations

import json

from openresponses_codegen.diagnostics import shown
from openresponses_codegen.diff.edition import Edition
from openresponses_codegen.ir import Constant, Default
from openresponses_codegen.lower.shapes import (
    ArrayShape,
    EnumShape,
    FixedShape,
    MapShape,
    ObjectShape,
    RefShape,
    ScalarShape,
    Site,
    UnionShape,
)

_MOST = 4
_LONGEST = 120
_SCALARS = {"any": "any value", "null": "null", "integer": "an integer"}


def clean(text: str) -> str:
    """Text of a document, on one line, that does not end the backticks it is put between."""
    return shown(text, _LONGEST).replace("`", "'") or '""'


def code(text: str) -> str:
    """A name or value of the document, between backticks."""
    return f"`{clean(text)}`"


def value(constant: Constant | float | None) -> str:
    """A value as JSON writes it; a string as it is."""
    return clean(constant if isinstance(constant, str) else json.dumps(constant))


def default(found: Default | None) -> str:
    """A default, or that there is none."""
    return "none" if found is None else code(json.dumps(found.value, ensure_ascii=False))


def described(site: Site) -> str:
    """What a site is."""
    match site.shape:
        case ScalarShape(kind):
            return _SCALARS.get(kind, f"a {kind}")
        case FixedShape(constant):
            return f"the constant {code(value(constant))}"
        case EnumShape(values):
            named = [code(value(each.value)) for each in values[:_MOST]]
            return f"one of {', '.join(named)}{', …' if len(values) > _MOST else ''}"
        case RefShape(name):
            return code(name)
        case ArrayShape(item):
            return f"a list of {described(item)}"
        case MapShape(inner):
            return f"a map of {described(inner)}"
        case ObjectShape(properties):
            fields = [code(each.name) for each in properties[:_MOST] if not each.absent]
            return f"an object with {', '.join(fields)}{', …' if len(properties) > _MOST else ''}"
        case UnionShape(members):
            named = [described(each) for each in members[:_MOST]]
            return " or ".join([*named, "…"] if len(members) > _MOST else named)


def member(site: Site, edition: Edition) -> str:
    """What a member of a union is, with its constant."""
    tags = edition.tags(site)
    if tags is None:
        return described(site)
    tag = code(value(tags[0]) if isinstance(tags[0], str | int | bool) else "")
    return f"{described(site)} ({tag})" if isinstance(site.shape, RefShape) else f"an object of type {tag}"
