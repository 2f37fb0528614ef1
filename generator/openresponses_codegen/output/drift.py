"""Why a package on disk is not what would be generated now."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from openresponses_codegen.output.manifest import MANIFEST, Inputs, Manifest, digest
from openresponses_codegen.output.own import is_own
from openresponses_codegen.output.writing import check_folder, current_digest


class Cause(StrEnum):
    """A reason for a difference."""

    SPEC = "spec changed"
    TEMPLATES = "templates changed"
    GENERATOR = "generator changed"
    OPTIONS = "options changed"
    EDITED = "edited by hand"
    MISSING = "missing file"
    STALE = "stale file"
    NEVER = "not generated"


@dataclass(frozen=True, slots=True)
class FileDrift:
    """A file that differs: why, and how, as a unified diff from what is there to what would be."""

    path: str
    causes: tuple[Cause, ...]
    diff: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything that differs; nothing when `files` is empty."""

    causes: tuple[Cause, ...]
    files: tuple[FileDrift, ...]


def changed_inputs(then: Manifest | None, now: Inputs) -> tuple[Cause, ...]:
    """What changed since a package was generated."""
    if then is None:
        return (Cause.NEVER,)
    was = then.inputs
    pairs = {
        Cause.SPEC: (was.spec, list(was.layers.items())) != (now.spec, list(now.layers.items())),
        Cause.TEMPLATES: was.templates != now.templates,
        Cause.GENERATOR: (was.generator, was.version, dict(was.tools)) != (now.generator, now.version, dict(now.tools)),
        Cause.OPTIONS: _options(was) != _options(now),
    }
    return tuple(cause for cause, differs in pairs.items() if differs)


def _options(inputs: Inputs) -> tuple[object, ...]:
    names = inputs.package, inputs.base, dict(inputs.distribution)
    return *names, inputs.components, inputs.lenient, inputs.own, inputs.stubs


def is_current(folder: Path, manifest: Manifest, now: Inputs) -> bool:
    """Whether a package is what would be generated now, told without generating it.

    The manifest has to be whole, the inputs those of now, and every file as it was generated, or as it was kept.
    """
    return (
        not changed_inputs(manifest, now)
        and current_digest(folder, MANIFEST) == digest(manifest.text().encode())
        and all(
            current_digest(folder, name) == manifest.edited.get(name, value) for name, value in manifest.files.items()
        )
    )


def find_drift(
    folder: Path, files: Mapping[str, str], manifest: Manifest | None, now: Inputs, kept: Iterable[str] = ()
) -> Drift:
    """The differences between a folder and the files that would be generated into it.

    `kept` are files that were edited by hand and are to stay so.
    """
    check_folder(folder)
    inputs = changed_inputs(manifest, now)
    return Drift(inputs, tuple(_file_drifts(folder, files, manifest, inputs, (*now.own, *now.stubs, *kept))))


def _file_drifts(
    folder: Path,
    files: Mapping[str, str],
    manifest: Manifest | None,
    inputs: tuple[Cause, ...],
    own: tuple[str, ...],
) -> Iterator[FileDrift]:
    owned: Mapping[str, str] = manifest.files if manifest is not None else {}
    for name in sorted(files.keys() | {name for name in owned if not is_own(name, own)}):
        wanted, current, recorded = files.get(name), current_digest(folder, name), owned.get(name)
        if current == (digest(wanted.encode()) if wanted is not None else None):
            continue
        causes: list[Cause] = []
        if wanted is None:
            causes.append(Cause.STALE)
        elif current is None:
            causes.append(Cause.NEVER if manifest is None else Cause.MISSING if recorded else Cause.OPTIONS)
        if name != MANIFEST and current is not None and current != recorded:
            causes.append(Cause.EDITED)
        if current is not None and wanted is not None and (name == MANIFEST or recorded != digest(wanted.encode())):
            causes += inputs
        if not causes:
            causes = [Cause.EDITED]
        yield FileDrift(name, tuple(dict.fromkeys(causes)), _diff(folder / name, name, wanted))


def _diff(path: Path, name: str, wanted: str | None) -> str:
    current = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
    return "".join(
        _lines(
            difflib.unified_diff(
                current.splitlines(keepends=True),
                (wanted or "").splitlines(keepends=True),
                f"{name} (on disk)" if current else "/dev/null",
                f"{name} (generated)" if wanted is not None else "/dev/null",
            )
        )
    )


def _lines(diff: Iterator[str]) -> Iterator[str]:
    for line in diff:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
