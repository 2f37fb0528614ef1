"""The templates and bundled specs, installed or in a checkout."""

from __future__ import annotations

import hashlib
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


@cache
def tree_digest(folder: Path, *patterns: str) -> str:
    """The digest of the files in a folder, by path and content; caches, such as those of ruff, are none of ours."""
    paths = {path.relative_to(folder) for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    shown = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    kept = sorted(path.as_posix() for path in shown if not {"__pycache__", "_resources"} & set(path.parts))
    return _digest("".join(f"{path} {_digest((folder / path).read_bytes())}\n" for path in kept).encode())


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
