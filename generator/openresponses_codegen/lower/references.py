"""What a declaration refers to."""

from __future__ import annotations

from openresponses_codegen import ir


def references(declaration: ir.Declaration) -> frozenset[str]:
    """The declarations that a declaration refers to, by name."""
    match declaration:
        case ir.Model(fields=fields):
            pending: list[ir.Type] = [field.type for field in fields]
        case ir.TaggedUnion(members=members):
            return frozenset(members)
        case ir.ShapedUnion(members=types):
            pending = list(types)
        case ir.Alias(type=kind):
            pending = [kind]
        case ir.Enum():
            pending = []
    names: set[str] = set()
    while pending:
        match pending.pop():
            case ir.Reference(name) | ir.OpenEnum(name):
                names.add(name)
            case ir.Array(inner) | ir.Map(inner) | ir.Nullable(inner):
                pending.append(inner)
            case _:
                pass
    return frozenset(names)
