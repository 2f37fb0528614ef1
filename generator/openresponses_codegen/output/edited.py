"""Files that were edited by hand and are to stay so, while what is around them is renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from openresponses_codegen.output.manifest import MANIFEST, Manifest, digest
from openresponses_codegen.output.writing import current_digest

NEW = ".new"
"""What is added to the name of a kept file for the text that the generator would write there."""


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to be written when edited files stay."""

    files: Mapping[str, str]
    """Every file to write, and its text: kept ones are left out, and ours lie beside those that are behind."""
    kept: tuple[str, ...]
    """The files that stay as they are."""
    then: Manifest | None
    """The manifest that is on disk, which owns what was laid beside kept files before."""


def keep_edits(folder: Path, files: Mapping[str, str], now: Manifest, then: Manifest | None, *, every: bool) -> Edits:
    """Leave edited files out of what is written, and record them in the manifest.

    Those stay that were kept before and of which nothing changed since, neither by the user nor by us; with `every`,
    all that are edited. Where ours changed, its text is added under the name with `.new`.
    """
    owned: Mapping[str, str] = then.files if then is not None else {}
    before: Mapping[str, str] = then.edited if then is not None else {}
    kept: dict[str, str] = {}
    beside: dict[str, str] = {}
    for name, text in files.items():
        current, ours = current_digest(folder, name), digest(text.encode())
        if name == MANIFEST or current in {None, ours, owned.get(name)}:
            continue
        is_behind = owned.get(name) != ours
        if current is not None and (every or (before.get(name) == current and not is_behind)):
            kept[name] = current
            beside |= {f"{name}{NEW}": text} if is_behind else {}
    manifest = replace(now, edited=kept)
    rest = {name: text for name, text in files.items() if name not in kept}
    laid = {name: owned[old] for name in beside if (old := name.removesuffix(NEW)) in owned}
    known = replace(then, files={**owned, **laid}) if then is not None else None
    return Edits({**rest, **beside, MANIFEST: manifest.text()}, tuple(sorted(kept)), known)


def unmerged(folder: Path, kept: tuple[str, ...]) -> tuple[str, ...]:
    """The files beside kept ones which hold what the generator would write, and were not yet merged."""
    return tuple(f"{name}{NEW}" for name in kept if (folder / f"{name}{NEW}").is_file())
