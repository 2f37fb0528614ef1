"""What a user adds to a package by templates: modules of their own, stubs, and a licence at the head of each file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import jinja2

from openresponses_codegen.overrides import EXTRA, LICENCE, SUFFIX, Overrides
from openresponses_codegen.render.verify import UnsafeSourceError, verify_own


def name_of(template: str) -> str:
    """The path in the package of what a template gives, without the folder that it is in."""
    return template.partition("/")[2].removesuffix(SUFFIX)


def render_own(
    environment: jinja2.Environment,
    overrides: Overrides,
    stubs: Iterable[str],
    view: Mapping[str, Any],
    taken: Collection[str],
) -> dict[str, str]:
    """The modules of the user's own and the stubs, by path.

    Raises `UnsafeSourceError` for one that is no Python, or is in the place of a file of the package.
    """
    files = {name: environment.get_template(f"stubs/{name}{SUFFIX}").render(view) for name in stubs}
    extra = (each for name, each in overrides.files.items() if name.startswith(EXTRA))
    for override in extra:
        name = name_of(override.name)
        clash = _clash(name, (*taken, *files))
        if clash is not None:
            raise UnsafeSourceError(f"{override.name}: the package has a file {clash} already")
        is_template = override.name.endswith(SUFFIX)
        files[name] = environment.get_template(override.name).render(view) if is_template else override.text
        if name.endswith(".py"):
            verify_own(override.name, files[name])
    return files


def _clash(name: str, taken: Iterable[str]) -> str | None:
    """The file that stands at a path, or that Python would no longer find for it: `a.py` beside a folder `a`."""
    module = _module(name)
    for other in taken:
        path = _module(other)
        nested = path.startswith(f"{module}/") and name.endswith(".py")
        if path == module or nested or (module.startswith(f"{path}/") and other.endswith(".py")):
            return other
    return None


def _module(name: str) -> str:
    """A path as systems compare it that know no case, without the suffix of a module."""
    return name.lower().removesuffix(".py")


def with_licence(
    environment: jinja2.Environment, overrides: Overrides, view: Mapping[str, Any], files: Mapping[str, str]
) -> dict[str, str]:
    """The files, with the user's licence at the head of those in Python. Raises `UnsafeSourceError`."""
    if LICENCE not in overrides.files:
        return dict(files)
    licence = environment.get_template(LICENCE).render(view).strip()
    if not all(line.startswith("#") or not line.strip() for line in licence.splitlines()):
        raise UnsafeSourceError(f"{LICENCE}: every line of it has to be a comment")
    return {name: f"{licence}\n{text}" if name.endswith(".py") else text for name, text in files.items()}
