"""Differences as GitHub shows them beside the lines of a pull request.

The form is that of workflow commands: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openresponses_codegen.diagnostics import shown

_HUNK = re.compile(r"^@@ -(\d+)", re.MULTILINE)


def annotations_of(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each file that differs and for each error, of what `check` found."""
    for result in results:
        for each in result.get("files", ()):
            hunk = _HUNK.search(each["diff"])
            line = max(1, int(hunk[1])) if hunk else 1
            message = f"{each['path']}: {', '.join(each['causes'])}. Run `openresponses-codegen generate` to renew it."
            yield _annotation(message, _shown_path(Path(result["output"], each["path"])), line)
        for each in result.get("diagnostics", ()):
            hint = f" ({each['hint']})" if each["hint"] else ""
            place = _shown_path(Path(each["file"])) if each["file"] else None
            yield _annotation(f"{each['message']}{hint}", place, each["line"] or 1)


def _annotation(message: str, place: str | None, line: int) -> str:
    at = f" file={_property(place)},line={line}" if place is not None else ""
    return f"::error{at}::{_data(shown(message))}"


def _shown_path(path: Path) -> str:
    """The path from the top of the repository, where GitHub says which that is."""
    top = os.environ.get("GITHUB_WORKSPACE")
    absolute = path.absolute()
    if top and absolute.is_relative_to(Path(top).absolute()):
        return absolute.relative_to(Path(top).absolute()).as_posix()
    return path.as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
