"""The templates and bundled specs, installed or in a checkout."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_RELEASE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@cache
def resources() -> Path:
    """The folder that holds `templates` and `spec`.

    In a wheel they lie beside the code, in a checkout at its top.
    """
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parents[1]


def templates() -> Path:
    """The folder of the templates."""
    return resources() / "templates"


def releases() -> dict[str, Path]:
    """The bundled releases, oldest first, and the document of each."""
    found = sorted(path for path in (resources() / "spec").iterdir() if _RELEASE.match(path.name))
    return {path.name: path / "openapi.json" for path in found}


def extensions() -> dict[str, Path]:
    """The bundled extensions by name."""
    found = sorted((resources() / "spec" / "extensions").glob("*.yaml"))
    return {path.stem: path for path in found}
