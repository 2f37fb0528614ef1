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
        if name in taken or name in files:
            raise UnsafeSourceError(f"{override.name}: the package has a file {name} already")
        is_template = override.name.endswith(SUFFIX)
        files[name] = environment.get_template(override.name).render(view) if is_template else override.text
        if name.endswith(".py"):
            verify_own(override.name, files[name])
    return files


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
