"""Cold runs of `openresponses-codegen` over cold runs of the `datamodel-codegen` command, on the same document."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bundled_spec import SPEC, bare_spec
from openresponses_codegen import resources
from side_by_side import Figure, PeerMissingError, Skipped, Work, figure, in_turns

ROUNDS = 9
_OTHER = "datamodel-codegen, models only"


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """Wall time of whole processes: a first run, a run with nothing to do, and `check`."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        bare = folder / "bare.json"
        bare.write_bytes(bare_spec())
        yield from _measure(SPEC, folder / "full", "", rounds)
        yield from _measure(bare, folder / "bare", ", document without prose", rounds)
        yield from _measure_extended(folder / "extended", rounds)


def _measure(spec: Path, folder: Path, suffix: str, rounds: int) -> Iterator[Figure]:
    folder.mkdir()
    ours, other = _script("openresponses-codegen"), _script("datamodel-codegen")
    output = folder / "package"

    def generate() -> float:
        shutil.rmtree(output, ignore_errors=True)
        return _run(folder, ours, "generate", str(spec), "--output", str(output), "--quiet")

    def other_generate() -> float:
        return _run(folder, other, "--input", str(spec), "--output", str(folder / "models.py"))

    def generate_again() -> float:
        return _run(folder, ours, "generate", str(spec), "--output", str(output), "--quiet")

    def check() -> float:
        return _run(folder, ours, "check", str(spec), "--output", str(output), "--quiet")

    generate()
    works: dict[str, Work] = {
        f"generate{suffix}": generate,
        _OTHER: other_generate,
        f"generate, nothing to do{suffix}": generate_again,
        f"check{suffix}": check,
    }
    seconds = in_turns(works, rounds)
    first, _, *unchanged = works
    yield figure(seconds, first, _OTHER, 0.9)
    for work in unchanged:
        yield figure(seconds, work, _OTHER, 0.2)
    again, unedited = unchanged
    yield figure(seconds, unedited, again, 1.1)


def _measure_extended(folder: Path, rounds: int) -> Iterator[Figure]:
    """The whole package once more, with everything that the bundled extensions add."""
    folder.mkdir()
    ours, output = _script("openresponses-codegen"), folder / "package"
    given = [word for name in resources.extensions() for word in ("--extension", name)]

    def generate(*options: str) -> float:
        shutil.rmtree(output, ignore_errors=True)
        return _run(folder, ours, "generate", str(SPEC), "--output", str(output), "--quiet", *options)

    extended = f"generate with {', '.join(resources.extensions())}"
    seconds = in_turns({"generate": generate, extended: lambda: generate(*given)}, rounds)
    yield figure(seconds, extended, "generate", 1.3)


def _run(folder: Path, *command: str) -> float:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise RuntimeError(f"{command} exited with {run.returncode}: {run.stderr}")
    return seconds


def _script(name: str) -> str:
    """A console script of the environment that this interpreter belongs to."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise PeerMissingError(f"{name} is not installed beside {Path(sys.executable).name}: pip install -e .[dev]")
    return found
