"""Our templates by name: what users may replace, and the blocks by which they may extend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CONTEXT_VERSION = 1
"""The version of what templates get: it goes up when a variable or a block is renamed or removed."""
SUFFIX = ".jinja"
LICENCE = f"core/licence{SUFFIX}"
"""The template of what stands at the head of every file."""
_FOLDERS = ("core", "stubs")
_SOURCES = (f"*.py{SUFFIX}", f"licence{SUFFIX}", "*.py", "assets/[!.]*")
_MARK = re.compile(r"\{%[-+]?\s*(?:block\s+(?P<name>\w+)[\w\s]*|(?P<end>endblock)[\w\s]*)[-+]?%\}")


@dataclass(frozen=True, slots=True)
class Original:
    """A template of ours, or a source that is copied as it is."""

    name: str
    """Its path below the folder of templates, such as `core/errors.py.jinja`."""
    path: Path

    @property
    def is_template(self) -> bool:
        """Whether it is rendered; a source that is copied has neither variables nor blocks."""
        return self.name.endswith(SUFFIX)

    @property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> Mapping[str, str]:
        """What stands in each of its blocks, by name."""
        return blocks_of(self.text) if self.is_template else {}


@cache
def catalogue(templates: Path) -> Mapping[str, Original]:
    """Everything in our folder of templates that users may replace, by name."""
    paths = (path for folder in _FOLDERS for pattern in _SOURCES for path in (templates / folder).rglob(pattern))
    named = sorted((path.relative_to(templates).as_posix(), path) for path in paths)
    return {name: Original(name, path) for name, path in named}


def blocks_of(text: str) -> dict[str, str]:
    """The source in each block of a template of ours, nested ones too, in the order in which they begin."""
    blocks: dict[str, str] = {}
    open_blocks: list[tuple[str, int]] = []
    for mark in _MARK.finditer(text):
        if mark["end"] is None:
            open_blocks.append((mark["name"], mark.end()))
            blocks[mark["name"]] = ""
        elif open_blocks:
            name, start = open_blocks.pop()
            blocks[name] = text[start : mark.start()]
    return blocks
