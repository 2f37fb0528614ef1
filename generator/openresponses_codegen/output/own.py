"""Files beside generated ones that are the user's own: never written over, never deleted, never complained about."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from openresponses_codegen.output.manifest import Manifest


def is_own(name: str, patterns: Iterable[str]) -> bool:
    """Whether a file, by its path in the package's folder, is named by a path, a folder or a pattern such as `*.md`."""
    return any(name == each or name.startswith(f"{each.rstrip('/')}/") or fnmatchcase(name, each) for each in patterns)


def changed_below(then: Manifest | None, now: Manifest) -> tuple[str, ...]:
    """The user's own files of which the generator's version is not what it was when the package was last generated."""
    if then is None:
        return ()
    return tuple(name for name, value in sorted(now.own.items()) if then.own.get(name, value) != value)
