"""What a package offers to its users: names that can be imported, and what can be seen of each.

Public is what docs/compatibility.md says: what the package, its modules and its subpackages export, without names
that begin with an underscore. A name is called by the shortest path that it can be imported from.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import griffe

_ROOT = "package"
"""What the package is called while it is read, whatever it is called elsewhere."""

Surface = Mapping[str, griffe.Object]
"""Public objects by name; classes hold their members."""


class UnreadableError(Exception):
    """Files are no Python, so that nothing can be said about the API."""


def read(files: Mapping[str, str]) -> Surface:
    """The surface of a package, by its files relative to the folder of its `__init__.py`.

    Raises `UnreadableError` when a file is no Python.
    """
    with tempfile.TemporaryDirectory(prefix="openresponses-codegen-") as name, _silence():
        for path, text in files.items():
            if path.endswith(".py"):
                place = Path(name, _ROOT, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text.encode())
        package = _loaded(Path(name))
        unread = {path for path in files if path.endswith(".py")} - set(_paths(package, Path(name, _ROOT)))
        if unread:
            raise UnreadableError(f"{min(unread)} is no Python")
        return _surface(package)


def _loaded(folder: Path) -> griffe.Module:
    loader = griffe.GriffeLoader(search_paths=[folder], allow_inspection=False)
    try:
        package = loader.load(_ROOT)
    except (SyntaxError, griffe.GriffeError, ImportError) as error:
        raise UnreadableError(f"__init__.py is no Python: {error}") from None
    if not isinstance(package, griffe.Module):
        raise UnreadableError("there is no package")
    return package


def _paths(module: griffe.Module, folder: Path) -> Iterator[str]:
    """The files that were read."""
    if isinstance(module.filepath, Path):
        yield module.filepath.relative_to(folder).as_posix()
    for each in module.members.values():
        if isinstance(each, griffe.Module):
            yield from _paths(each, folder)


def _surface(package: griffe.Module) -> Surface:
    homes: dict[str, str] = {}
    found: dict[str, griffe.Object] = {}
    for module in _public_modules(package):
        for name, each in _exported(module):
            symbol = f"{module.path}.{name}".removeprefix(f"{_ROOT}.")
            # The package itself comes first: what it exports is not told again for the module that it stems from.
            if homes.setdefault(each.path, symbol) == symbol:
                found[symbol] = each
    return found


def _public_modules(package: griffe.Module) -> Iterator[griffe.Module]:
    """The package, its modules, and its subpackages; what lies deeper is reached through their exports."""
    yield package
    for name, each in sorted(package.members.items()):
        if isinstance(each, griffe.Module) and not name.startswith("_"):
            yield each


def _exported(module: griffe.Module) -> Iterator[tuple[str, griffe.Object]]:
    exports = None if module.exports is None else {str(each) for each in module.exports}
    for name, each in sorted(module.members.items()):
        listed = name in exports if exports is not None else not each.is_alias
        if not listed or name.startswith("_"):
            continue
        try:
            target = each.final_target if isinstance(each, griffe.Alias) else each
        except griffe.AliasResolutionError:
            continue  # it stems from another distribution
        if not isinstance(target, griffe.Module | griffe.Alias):
            yield name, target


@contextmanager
def _silence() -> Generator[None]:
    """Griffe tells of what it cannot resolve; none of that concerns users."""
    logger = logging.getLogger("griffe")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
