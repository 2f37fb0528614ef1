"""Cold runs of `openresponses-codegen diff` over what any tool has to do before it can compare two documents."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from bundled_spec import ROOT
from side_by_side import Figure, figure, in_turns

ROUNDS = 15
_BASE = "twice importing yaml and jinja2, and loading both"
_LOAD = """
import time
from pathlib import Path
from openresponses_codegen import source
contents = [Path("spec", name, "openapi.json").read_bytes() for name in ("2026-01-15", "2026-04-24")]
start = time.perf_counter()
for content in contents:
    source.parse(content, "openapi.json")
print(time.perf_counter() - start)
"""


def measure(rounds: int) -> Iterator[Figure]:
    """Wall time of whole processes; that of loading the documents is measured inside of one."""
    seconds = in_turns({"diff of the releases": _diff, _BASE: _base}, rounds)
    yield figure(seconds, "diff of the releases", _BASE, 1.0)


def _diff() -> float:
    return _run("-m", "openresponses_codegen", "diff", "2026-01-15", "2026-04-24")[0]


def _base() -> float:
    return 2 * _run("-c", "import yaml, jinja2")[0] + float(_run("-c", _LOAD)[1])


def _run(*arguments: str) -> tuple[float, str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    command = [sys.executable, *arguments]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise RuntimeError(f"{command} exited with {run.returncode}: {run.stderr}")
    return seconds, run.stdout
