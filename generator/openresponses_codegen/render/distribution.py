"""What lies around a package that is a distribution of its own: its `pyproject.toml`, README and licence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openresponses_codegen.overrides import NONE, environment_of
from openresponses_codegen.text import SpecText, literal

_FOLDER = "distribution"
_OURS = "Apache-2.0"
"""The licence of what the generator copies into a package; its text comes with every distribution."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_NUMBERS = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Packing:
    """What a distribution says about itself."""

    name: str
    package: str
    """The import name, dotted where the package lies in namespaces."""
    revision: int
    licence: str
    """An SPDX expression."""
    requires: Mapping[str, str]
    """Versions of what it needs, `python` among them."""
    extras: Mapping[str, Mapping[str, str]]
    has_client: bool


def version_of(release: str, revision: int) -> str:
    """The version of a distribution (PEP 440): the release's date, and a post-release for each further revision.

    Of a release that is no date its numbers are taken, at most four of them.
    """
    numbers = _NUMBERS.findall(release)[: 3 if _DATE.match(release) else 4]
    base = ".".join(number.lstrip("0") or "0" for number in numbers) or "0"
    return f"{base}.post{revision}" if revision else base


def render_distribution(packing: Packing, release: str, templates: Path) -> dict[str, str]:
    """The files, by path in the folder of the distribution. Of `release`, text of a spec, nothing is taken as it is."""
    environment = environment_of(templates, NONE)
    view = _view(packing, release)
    rendered = {
        name: environment.get_template(f"{_FOLDER}/{name}.jinja").render(view)
        for name in ("pyproject.toml", "README.md")
    }
    own = packing.licence == _OURS
    text = (templates / _FOLDER / "LICENSE").read_text(encoding="utf-8")
    return rendered | {"LICENSE" if own else f"LICENSE.{_OURS}": text}


def _view(packing: Packing, release: str) -> dict[str, Any]:
    said = release if _DATE.match(release) else " ".join(SpecText(release).markdown().split())
    requires = {name: each for name, each in packing.requires.items() if name != "python"}
    imported = "OpenResponses" if packing.has_client else "models"
    return {
        "name": literal(packing.name),
        "title": packing.name,
        "version": literal(version_of(release, packing.revision)),
        "description": literal("Typed models and more for Open Responses, generated from its specification"),
        "python": literal(packing.requires["python"]),
        "licence": literal(packing.licence),
        "dependencies": list(_dependencies(requires)),
        "extras": [
            {
                "name": name,
                "dependencies": ", ".join(_dependencies(each)),
                "said": ", ".join(f"`{dependency}`" for dependency in sorted(each, key=str.lower)),
            }
            for name, each in sorted(packing.extras.items())
        ],
        "folder": literal(f"src/{packing.package.partition('.')[0]}"),
        "release": said,
        "about": ": models, events and the client" if packing.has_client else ": its models",
        "example": f"from {packing.package} import {imported}",
    }


def _dependencies(requires: Mapping[str, str]) -> Iterable[str]:
    return (literal(f"{name}{version}") for name, version in sorted(requires.items(), key=lambda each: each[0].lower()))
