"""The names in import statements and in `__all__`: their order, as ruff's import sorting has it, and what is listed."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def imported(names: Iterable[str]) -> list[str]:
    """Names as an import statement lists them: constants, classes, others, each regardless of case."""
    return sorted(names, key=lambda name: (_kind(name), name.lower(), name))


def exported(names: Iterable[str]) -> list[str]:
    """Names as `__all__` lists them: constants, classes, others."""
    return sorted(names, key=lambda name: (_kind(name), name))


def listed(source: str) -> list[str]:
    """The names that a module's `__all__` lists, those that are added to it among them."""
    names: list[str] = []
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = [str(name) for name in ast.literal_eval(value)]
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                names += map(str, ast.literal_eval(value))
            case _:
                pass
    return names


def _kind(name: str) -> int:
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[:1].isupper() else 2
