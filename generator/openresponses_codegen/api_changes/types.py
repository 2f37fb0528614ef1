"""Types as they are written, compared member by member."""

from __future__ import annotations

import ast
from enum import Enum, auto


class Way(Enum):
    """How one type became another."""

    SAME = auto()
    WIDENED = auto()
    NARROWED = auto()
    OTHER = auto()


def way(old: str, new: str) -> Way:
    """How a type became another, judged by the members of unions and literals; `OTHER` where that does not tell."""
    if old == new:
        return Way.SAME
    was, now = _members(old), _members(new)
    if was == now and was is not None:
        return Way.SAME
    if was is None or now is None:
        return Way.OTHER
    if was < now:
        return Way.WIDENED
    return Way.NARROWED if was > now else Way.OTHER


def _members(annotation: str) -> frozenset[str] | None:
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        return None
    return frozenset(_flat(tree.body))


def _flat(node: ast.expr) -> set[str]:
    match node:
        case ast.BinOp(left, ast.BitOr(), right):
            return _flat(left) | _flat(right)
        case ast.Subscript(ast.Name("Literal"), values):
            each = values.elts if isinstance(values, ast.Tuple) else [values]
            return {f"Literal[{ast.unparse(value)}]" for value in each}
        case ast.Subscript(ast.Name("Omittable"), inner):
            return {*_flat(inner), "Omittable"}
        case _:
            return {ast.unparse(node)}
