"""What cannot be declared twice: by two extensions, twice in one, or by an extension and the document.

Rules N1 (core types are never redefined) and N2 (fields on core objects are new ones).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.extension.form import at_key
from openresponses_codegen.extension.model import Declared, Extension, Item
from openresponses_codegen.source import Node

_NO_NAME = re.compile(r"[^a-z0-9]+")
_RENAME: Final = "rename one of them"
_PREFIX: Final = "rename one of them, or set another `prefix`"


class _Claim(NamedTuple):
    """Something that can be declared once only."""

    key: tuple[str, ...]
    what: str
    at: Node
    hint: str = _RENAME


class _Overlap(NamedTuple):
    """Something that an extension and the document both declare: what, where each is, and the way out."""

    what: str
    core: Node
    at: Node
    hint: str


def settled(extensions: Sequence[Extension], diagnostics: Diagnostics) -> tuple[Extension, ...]:
    """The extensions side by side; what is declared twice is reported with both places.

    Aliases are no names of the vendor's own (rule Z18): several may have the same, and the extension that is given
    first reads them. The others are returned without, and a warning says so.
    """
    once = _once(extensions, diagnostics)
    taken: dict[tuple[str, ...], _Claim] = {}
    aliases: dict[tuple[str, ...], tuple[Extension, Node]] = {}
    for extension in once:
        for claims in _claims(extension):
            clash = next((each for each in claims if each.key in taken), None)
            if clash is not None:
                first = taken[clash.key].at
                message = f"{clash.what} is declared at {first.position}, too"
                hint = _RENAME if first.text is clash.at.text else clash.hint
                diagnostics.error("extension-clash", message, at=clash.at, hint=hint)
            for claim in claims:
                taken.setdefault(claim.key, claim)
    return tuple(_without_taken_aliases(each, aliases, diagnostics) for each in once)


def _once(extensions: Sequence[Extension], diagnostics: Diagnostics) -> tuple[Extension, ...]:
    """The extensions, none of them twice."""
    files: dict[str, Extension] = {}
    for extension in extensions:
        first = files.setdefault(extension.node.text.characters, extension)
        if first is not extension:
            message = f"the extension `{extension.vendor}` is given twice, the first time as {first.node.text.file}"
            diagnostics.error("extension-clash", message, at=extension.node, hint="leave one out")
    return tuple(files.values())


def _without_taken_aliases(
    extension: Extension, aliases: dict[tuple[str, ...], tuple[Extension, Node]], diagnostics: Diagnostics
) -> Extension:
    """The extension without the aliases that one before it has."""
    left: dict[str, list[tuple[Node, Node]]] = {}
    declared: list[Declared] = []
    for each in extension.declared:
        kept: list[Node] = []
        for alias in each.aliases:
            owner, first = aliases.setdefault((each.kind, str(alias.value)), (extension, alias))
            if owner is not extension:
                left.setdefault(owner.vendor, []).append((alias, first))
            else:
                kept.append(alias)
        declared.append(replace(each, aliases=tuple(kept)))
    for vendor, pairs in left.items():
        alias, first = pairs[0]
        others = f" and {len(pairs) - 1} more" if len(pairs) > 1 else ""
        message = f"`{alias.value}`{others} are read as types of `{vendor}`, which is given first, at {first.position}"
        diagnostics.warning("extension-alias", message, at=alias, hint="give this extension first to have it read them")
    return replace(extension, declared=tuple(declared))


def _claims(extension: Extension) -> Iterator[tuple[_Claim, ...]]:
    """What an extension claims; of each group one clash is told."""
    for each in extension.declared:
        yield tuple(_type_claims(each))
        yield from (
            (_Claim((extension.vendor, each.kind, str(alias.value)), f"the alias `{alias.value}`", alias),)
            for alias in each.aliases
        )
    for shared in extension.schemas:
        yield (_class_claim(shared.class_name, shared.node),)
    for owner, fields in extension.fields.items():
        for name, node in fields.items():
            yield (_Claim(("field", owner, name), f"the field `{name}` of `{owner}`", at_key(node)),)
    for owner, values in extension.values.items():
        for name, node in values.items():
            yield (_Claim(("value", owner, name), f"the value `{name}` of `{owner}`", node, "remove one of them"),)


def _type_claims(declared: Declared) -> Iterator[_Claim]:
    yield _Claim((declared.kind, declared.type), f"the {declared.kind} type `{declared.type}`", declared.node)
    yield _class_claim(declared.class_name, declared.node)
    if isinstance(declared, Item):
        yield _class_claim(declared.status_name, declared.node)
        accessor = _NO_NAME.sub("_", declared.type)
        yield _Claim(("accessor", accessor), f"the Python name `{accessor}`", declared.node)


def _class_claim(name: str, node: Node) -> _Claim:
    return _Claim(("class", name), f"the class `{name}`", node, _PREFIX)


def check_against(extensions: Sequence[Extension], document: Node, diagnostics: Diagnostics) -> None:
    """Report what the document declares already: components, types, fields and values of enums."""
    found = (document.get("components") or document).get("schemas")
    schemas = found.value if found is not None and isinstance(found.value, dict) else {}
    types = {kind: at for schema in schemas.values() for kind, at in _constants(schema)}
    for extension in extensions:
        for what, core, at, hint in (*_redefined(extension, schemas, types), *_repeated(extension, schemas)):
            message = f"{what} is one of the document, at {core.position}"
            diagnostics.error("extension-core", message, at=at, hint=hint)


def _redefined(extension: Extension, schemas: Mapping[str, Node], types: Mapping[str, Node]) -> Iterator[_Overlap]:
    """The types and components that the document has."""
    for each in extension.declared:
        for name, node in ((each.type, each.node), *((str(alias.value), alias) for alias in each.aliases)):
            if name in types:
                hint = "core types are never redefined (rule N1): rename yours, or remove the alias"
                yield _Overlap(f"the type `{name}`", types[name], node, hint)
    for name, node in extension.names():
        if name in schemas:
            hint = "rename yours, or set another `prefix`"
            yield _Overlap(f"the component `{name}`", at_key(schemas[name]), node, hint)


def _repeated(extension: Extension, schemas: Mapping[str, Node]) -> Iterator[_Overlap]:
    """The fields of core objects and the values of core enums that the document has."""
    for owner, fields in extension.fields.items():
        properties = _member(schemas.get(owner), "properties")
        for name, node in fields.items():
            core = _member(properties, name)
            if core is not None:
                hint = "fields on core objects are new ones (rule N2): rename yours"
                yield _Overlap(f"the field `{name}` of `{owner}`", at_key(core), at_key(node), hint)
    for owner, values in extension.values.items():
        known = _member(schemas.get(owner), "enum")
        for core in known.value if known is not None and isinstance(known.value, tuple) else ():
            if isinstance(core.value, str) and core.value in values:
                yield _Overlap(f"the value `{core.value}` of `{owner}`", core, values[core.value], "remove it")


def _constants(schema: Node) -> Iterator[tuple[str, Node]]:
    """The types that a component stands for."""
    enum = _member(_member(_member(schema, "properties"), "type"), "enum")
    for each in enum.value if enum is not None and isinstance(enum.value, tuple) else ():
        if isinstance(each.value, str):
            yield each.value, each


def _member(node: Node | None, key: str) -> Node | None:
    return node.get(key) if node is not None else None
