"""The order of names in import statements and in `__all__`, as ruff's import sorting has it."""

from __future__ import annotations

from collections.abc import Iterable


def imported(names: Iterable[str]) -> list[str]:
    """Names as an import statement lists them: constants, classes, others, each regardless of case."""
    return sorted(names, key=lambda name: (_kind(name), name.lower(), name))


def exported(names: Iterable[str]) -> list[str]:
    """Names as `__all__` lists them: constants, classes, others."""
    return sorted(names, key=lambda name: (_kind(name), name))


def _kind(name: str) -> int:
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[:1].isupper() else 2
