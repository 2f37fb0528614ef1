"""Makes the links of pages that stand outside `docs/` lead to the pages of the site; run by `mkdocs`."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

_INCLUDED = re.compile(r'^--8<-- "(?P<path>[^"]+)"$', re.MULTILINE)
_LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "README.md": "index.md",
    "templates/README.md": "template-reference.md",
    "docs/decisions/": "decisions/README.md",
}
"""Where on the site a file of the repository is shown."""


def on_page_markdown(markdown: str, **_: object) -> str:
    """The text of a page, with what it includes put in, and links that hold on the site."""
    return _INCLUDED.sub(lambda found: _included(Path(found["path"])), markdown)


def _included(path: Path) -> str:
    def link(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(path.parent.as_posix(), found["target"]))
        target += "/" if found["target"].endswith("/") else ""
        shown = _PAGES.get(target, target.removeprefix("docs/"))
        return f"]({shown}{found['anchor'] or ''})"

    return _LINK.sub(link, path.read_text(encoding="utf-8"))
