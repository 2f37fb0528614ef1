"""The interpreter that is to import a package: its version, what is installed there, and whether it imports."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openresponses_codegen.diagnostics import Diagnostic, Position, Severity, shown
from openresponses_codegen.doctor.files import file_finding
from openresponses_codegen.doctor.staleness import version_of
from openresponses_codegen.output import MANIFEST, Manifest

TIME_LIMIT = 60.0
"""Seconds that importing a package may take; it takes about one."""
_PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the interpreter said."""

    python: str
    versions: Mapping[str, str | None]
    failure: Mapping[str, Any] | None


def examine_environment(folder: Path, manifest: Manifest, python: str) -> Iterator[Diagnostic]:
    """What keeps a package from being imported by an interpreter.

    Every module of the package is imported there, in a process of its own: its code runs.

    Codes: `no-python`, `wrong-python`, `missing-dependency`, `old-dependency`, `missing-extra`,
    `unreadable-requirement`, `not-importable`.
    """
    answer = _asked(folder, manifest, python)
    if not isinstance(answer, _Answer):
        yield answer
        return
    path = folder / MANIFEST
    lacking = False
    wanted = manifest.requires.get("python", "")
    if not _is_enough(answer.python, wanted):
        message = f"Python {wanted} is needed; {python} is {answer.python}"
        yield file_finding("wrong-python", path, message, Severity.ERROR, "name another one with `--python`")
        return
    for finding in _dependencies(path, manifest, answer):
        lacking = lacking or finding.code.startswith("missing")
        yield finding
    failure = answer.failure
    if failure is not None and not (lacking and failure["is_outside"]):
        yield Diagnostic(
            "not-importable",
            f"`{failure['module']}` cannot be imported: {failure['message']}",
            position=Position(str(failure["file"] or folder / "__init__.py"), int(failure["line"]), 1),
            hint="run `check` to see what differs from what was generated",
        )


def _dependencies(path: Path, manifest: Manifest, answer: _Answer) -> Iterator[Diagnostic]:
    groups: list[tuple[str | None, Mapping[str, str]]] = [(None, manifest.requires), *manifest.extras.items()]
    for extra, group in groups:
        for name, wanted in group.items():
            found = answer.versions.get(name)
            if name == "python":
                continue
            install = f'run `pip install "{name}{wanted}"` in that environment'
            if not wanted.startswith(">=") or "," in wanted:
                hint = "see whether the version that is installed is one of these"
                message = f"`{name}{wanted}` is no plain lower limit: it was not looked at"
                yield file_finding("unreadable-requirement", path, message, Severity.NOTE, hint)
            elif found is None and extra is None:
                yield file_finding("missing-dependency", path, f"`{name}` is not installed", Severity.ERROR, install)
            elif found is None:
                message = f"`{name}` is not installed, which the optional part `{extra}` needs"
                yield file_finding("missing-extra", path, message, Severity.NOTE, f"{install}, if you use that part")
            elif not _is_enough(found, wanted):
                severity = Severity.ERROR if extra is None else Severity.WARNING
                message = f"`{name}` {found} is installed; {wanted} is needed"
                yield file_finding("old-dependency", path, message, severity, install)


def _is_enough(version: str, wanted: str) -> bool:
    """Whether a version keeps to a lower limit; anything else is not judged."""
    if not wanted.startswith(">=") or "," in wanted:
        return True
    return version_of(version) >= version_of(wanted.removeprefix(">=").strip())


def _root(manifest: Manifest) -> str:
    """The folder of the package below that of the manifest, which may hold a whole distribution."""
    packages = (name for name in manifest.files if name.endswith("__init__.py"))
    return min(packages, key=lambda name: name.count("/"), default="").removesuffix("__init__.py")


def _asked(folder: Path, manifest: Manifest, python: str) -> _Answer | Diagnostic:
    root = _root(manifest)
    sources = [name for name in manifest.files if name.endswith(".py") and name.startswith(root)]
    modules = [name.removeprefix(root) for name in sources if not name.endswith("__main__.py")]
    question = {
        "folder": str(folder.absolute() / root),
        "modules": sorted(modules, key=lambda name: (name.count("/"), name)),
        "distributions": sorted({name for each in (manifest.requires, *manifest.extras.values()) for name in each}),
    }
    with tempfile.TemporaryDirectory(prefix="openresponses-codegen-") as empty:
        try:
            run = subprocess.run(  # noqa: S603 - the interpreter is the user's choice
                [python, "-B", "-c", _PROBE.read_text("utf-8")],
                input=json.dumps(question),
                cwd=empty,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"it was not imported within {TIME_LIMIT:g} seconds"
            hint = "look for code that waits while it is imported: `check` shows what was edited"
            return file_finding("not-importable", folder / "__init__.py", message, Severity.ERROR, hint)
        except OSError as error:
            message = f"{python} cannot be started: {error.strerror}"
            return file_finding("no-python", folder, message, Severity.ERROR, "name an interpreter with `--python`")
    try:
        content = json.loads(run.stdout.rsplit("\n", 2)[-2])
        return _Answer(content["python"], content["versions"], content["failure"])
    except (ValueError, LookupError, TypeError):
        said = run.stderr.strip().splitlines()
        message = f"{python} ended with code {run.returncode}: {shown(said[-1], 200) if said else 'it said nothing'}"
        hint = "name a Python interpreter with `--python`; if it is one, importing the package ends it"
        return file_finding("not-importable", folder / "__init__.py", message, Severity.ERROR, hint)
