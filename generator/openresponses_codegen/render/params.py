"""The view of `params.py`: what a client sends, as typed dictionaries.

A reference to a model becomes *the dictionary or the object*; so whatever a client reads or builds can be mixed.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openresponses_codegen import ir
from openresponses_codegen.ir import Presence, Role, Side
from openresponses_codegen.names import sentence
from openresponses_codegen.render.order import exported, imported
from openresponses_codegen.text import SpecText, docstring, literal

SCALARS: Mapping[str, str] = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "any": "object",
}
"""The Python type of each JSON scalar."""


_USED = frozenset({*SCALARS.values(), "Literal", "Mapping", "Required", "Sequence", "core", "models"})


@dataclass(frozen=True, slots=True)
class Beside:
    """That the dictionaries of some declarations only are wanted; those of the others are in another package."""

    names: frozenset[str]
    base: str
    """The import name of that package."""


def params_view(api: ir.Api, beside: Beside | None = None) -> Mapping[str, Any]:
    """The variables of `core/params.py.jinja`."""
    return _ParamsView(api, beside).view()


def has_params(api: ir.Api, names: Collection[str] | None = None) -> bool:
    """Whether a client sends anything that a dictionary can describe; of these declarations, if names are given."""
    return any(_is_param(each) for each in api.declarations if names is None or each.name in names)


@dataclass(frozen=True, slots=True)
class _Part:
    """A dictionary that a request's dictionary is derived from: what callers may say in some kind of call."""

    name: str
    text: SpecText
    without: frozenset[str]
    """The fields that it leaves out; the dictionary derived from it adds them."""


_RUN = _Part(
    "RunArguments", SpecText("What a caller may say of a run, beside its tools."), frozenset({"tools", "stream"})
)
_RESPONSE = _Part("ResponseArguments", SpecText("What a caller may say of a response."), frozenset({"stream"}))
_TURN = _Part("TurnArguments", SpecText("What a caller may say of a turn on a WebSocket."), frozenset({"type"}))


def _arguments_of(api: ir.Api) -> Mapping[str, tuple[_Part, ...]]:
    """For each request class, the dictionaries that its own is derived from, one from the other."""
    if api.service is None:
        return {}
    arguments: dict[str, tuple[_Part, ...]] = {str(api.service.create.request): (_RUN, _RESPONSE)}
    if api.service.websocket is not None:
        arguments[api.service.websocket.client_message] = (_TURN,)
    return arguments


class _ParamsView:
    def __init__(self, api: ir.Api, beside: Beside | None) -> None:
        self._by_name = {each.name: each for each in api.declarations}
        self._beside = beside
        self._borrowed: set[str] = set()
        """The dictionaries of the other package that are referred to."""
        self._declared = [each for each in api.declarations if _is_param(each) and self._is_own(each.name)]
        self._arguments = _arguments_of(api)

    def view(self) -> Mapping[str, Any]:
        declarations = [view for each in self._ordered() for view in self._views(each)]
        text = " ".join(part for each in declarations for part in _parts(each))
        typing = [name for name in ("Literal", "Required") if f"{name}[" in text]
        typing += ["TypeAlias"] if any(each["kind"] == "alias" for each in declarations) else []
        abstract = [name for name in ("Mapping", "Sequence") if f"{name}[" in text]
        imports = ["from __future__ import annotations\n"]
        imports += [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
        imports += [f"from typing import {', '.join(sorted(typing))}\n"] if typing else []
        # Of typing_extensions, for pydantic refuses the one of typing before Python 3.12.
        dicts = any(each["kind"] != "alias" for each in declarations)
        imports += ["from typing_extensions import TypedDict\n"] if dicts else []
        imports += self._from_beside(text)
        imports += ["from . import models"] if "models." in text else []
        return {
            "imports": "\n".join(imports),
            "exports": exported(each["name"] for each in declarations),
            "declarations": declarations,
        }

    def _is_own(self, name: str) -> bool:
        return self._beside is None or name in self._beside.names

    def _from_beside(self, text: str) -> list[str]:
        if self._beside is None:
            return []
        base, names = self._beside.base, imported(self._borrowed)
        lines = [f"from {base} import models as core"] if "core." in text else []
        return [*lines, *([f"from {base}.params import {', '.join(names)}"] if names else []), ""]

    def _ordered(self) -> Iterator[ir.Declaration]:
        """Dictionaries first, in the order of the spec; then unions, each after those it names."""
        yield from (each for each in self._declared if isinstance(each, ir.Model))
        pending = {each.name: each for each in self._declared if not isinstance(each, ir.Model)}

        def visit(name: str) -> Iterator[ir.Declaration]:
            declaration = pending.pop(name, None)
            if declaration is not None:
                for inner in sorted(_names_in(declaration) & pending.keys()):
                    yield from visit(inner)
                yield declaration

        for name in list(pending):
            yield from visit(name)

    def _views(self, declaration: ir.Declaration) -> Iterator[dict[str, Any]]:
        """The dictionary or alias of a declaration, before it the one of what callers may say themselves."""
        if not isinstance(declaration, ir.Model) or declaration.name not in self._arguments:
            yield self._declaration(declaration)
            return
        added, base = declaration.fields, "TypedDict"
        for part in self._arguments[declaration.name]:
            fields = tuple(each for each in added if each.wire_name not in part.without)
            arguments = replace(declaration, name=part.name, text=part.text, fields=fields)
            yield {**self._declaration(arguments), "base": base}
            added, base = tuple(each for each in added if each.wire_name in part.without), part.name
        yield {**self._declaration(replace(declaration, fields=added)), "base": base}

    def _declaration(self, declaration: ir.Declaration) -> dict[str, Any]:
        match declaration:
            case ir.Model():
                plain = all(_is_key(field.wire_name) for field in declaration.fields)
                return {
                    "kind": "dict" if plain else "functional",
                    "name": declaration.name,
                    "base": "TypedDict",
                    "docstring": _docstring(declaration.text, declaration.name, 4) if plain else _whole(declaration),
                    "fields": [self._field(field) for field in declaration.fields],
                }
            case ir.TaggedUnion(members=members, unknown=unknown):
                kinds = [*members, *([unknown] if unknown else [])]
                union = " | ".join(self._reference(name) for name in kinds)
            case ir.ShapedUnion(members=types):
                union = " | ".join(self._type(each) for each in types)
            case _:
                union = "object"
        returned = declaration.returned if isinstance(declaration, ir.TaggedUnion) else None
        parts = list(dict.fromkeys(part for part in union.split(" | ")))
        if returned is not None:
            parts.append(f"models.{returned}")
        return {
            "kind": "alias",
            "name": declaration.name,
            "docstring": _docstring(declaration.text, declaration.name),
            "type": " | ".join(parts) if "[" not in union else union,
        }

    def _field(self, field: ir.Field) -> Mapping[str, str]:
        kind = self._type(field.type)
        if field.presence is Presence.REQUIRED:
            kind = f"Required[{kind}]"
        return {
            "name": field.wire_name,
            "key": literal(field.wire_name),
            "type": kind,
            "quoted": literal(kind),
            "docstring": field.text.docstring(4) if field.text is not None else "",
        }

    def _type(self, kind: ir.Type) -> str:
        match kind:
            case ir.Scalar(name):
                return SCALARS[name]
            case ir.Fixed() as fixed:
                return f"Literal[{', '.join(map(literal, fixed.values))}]"
            case ir.Reference(name) | ir.OpenEnum(name):
                return self._reference(name)
            case ir.Array(item):
                return f"Sequence[{self._type(item)}]"
            case ir.Map(value):
                return f"Mapping[str, {self._type(value)}]"
            case ir.Nullable(of):
                return f"{self._type(of)} | None"

    def _reference(self, name: str) -> str:
        declaration = self._by_name[name]
        if not self._is_own(name) and _is_param(declaration):
            self._borrowed.add(name)
        models = "models" if self._is_own(name) else "core"
        match declaration:
            case ir.Alias(type=kind):
                return self._type(kind)
            case ir.Enum():
                return f"{models}.{name}"
            case ir.Model(side=Side.REQUEST, role=Role.OBJECT):
                return f"{name} | {models}.{name}"
            case ir.TaggedUnion(side=Side.REQUEST) | ir.ShapedUnion(side=Side.REQUEST):
                return name
            case ir.Model(role=Role.UNKNOWN):
                return f"{models}.{name}"
            case _:
                return f"{models}.{name} | Mapping[str, object]"


def _is_param(declaration: ir.Declaration) -> bool:
    match declaration:
        case ir.Model(side=side, role=role):
            return side is Side.REQUEST and role is Role.OBJECT
        case ir.TaggedUnion(side=side) | ir.ShapedUnion(side=side):
            return side is Side.REQUEST
        case _:
            return False


def _is_key(wire_name: str) -> bool:
    """Whether a name can be a key in the class form of a dictionary.

    Python folds letters beyond ASCII, such as ligatures, mangles two leading underscores, and takes the name of a
    type that later keys use for the key.
    """
    return (
        wire_name.isascii()
        and wire_name.isidentifier()
        and not wire_name.startswith("__")
        and not keyword.iskeyword(wire_name)
        and wire_name not in _USED
    )


def _names_in(declaration: ir.Declaration) -> set[str]:
    match declaration:
        case ir.TaggedUnion(members=members):
            return set(members)
        case ir.ShapedUnion(members=types):
            names: set[str] = set()
            pending: list[ir.Type] = list(types)
            while pending:
                match pending.pop():
                    case ir.Reference(name):
                        names.add(name)
                    case ir.Array(inner) | ir.Map(inner) | ir.Nullable(inner):
                        pending.append(inner)
                    case _:
                        pass
            return names
        case _:
            return set()


def _parts(declaration: Mapping[str, Any]) -> Iterator[str]:
    yield declaration.get("type", "")
    for field in declaration.get("fields", ()):
        yield field["type"]


def _whole(model: ir.Model) -> str:
    """The docstring of a dictionary whose keys have none of their own."""
    text = model.text or SpecText(f"{sentence(model.name).capitalize()}.")
    for field in model.fields:
        if field.text is not None:
            text = text.with_item(field.wire_name, field.text)
    return text.docstring()


def _docstring(text: SpecText | None, name: str, indent: int = 0) -> str:
    return text.docstring(indent) if text is not None else docstring(f"{sentence(name).capitalize()}.", indent)
