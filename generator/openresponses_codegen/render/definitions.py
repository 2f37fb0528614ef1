"""The view of definitions: what the templates of `models.py` and `events.py` get of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openresponses_codegen import ir
from openresponses_codegen.ir import Role, Side
from openresponses_codegen.text import SpecText


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A class or an alias, as source text and as what is known about it."""

    name: str
    source: str
    """The whole of it."""
    head: str
    """The line that begins a class; empty for an alias."""
    body: str
    """What follows that line."""
    text: SpecText | None
    """What the spec says about it."""
    fields: tuple[str, ...]
    """The Python names of its fields."""
    is_class: bool
    is_event: bool
    is_request: bool
    """Whether a client sends it."""
    is_response: bool
    """Whether a server sends it."""


def definition_views(api: ir.Api, definitions: Iterable[ir.Definition]) -> list[DefinitionView]:
    """The views of definitions, in their order."""
    declarations = {each.name: each for each in api.declarations}
    return [_view(each, declarations[each.name]) for each in definitions]


def _view(definition: ir.Definition, declaration: ir.Declaration) -> DefinitionView:
    model = declaration if isinstance(declaration, ir.Model) else None
    head, _, body = definition.source.partition("\n") if model is not None else ("", "", "")
    side = None if isinstance(declaration, ir.Enum | ir.Alias) else declaration.side
    return DefinitionView(
        name=definition.name,
        source=definition.source,
        head=head,
        body=body,
        text=declaration.text,
        fields=tuple(each.name for each in model.fields) if model is not None else (),
        is_class=model is not None,
        is_event=model is not None and model.role is Role.EVENT,
        is_request=side is Side.REQUEST,
        is_response=side is Side.RESPONSE,
    )
