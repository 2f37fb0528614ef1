"""Rendering with templates of the user's own: in a process that has limits, and neither files nor secrets at hand.

The sandbox keeps templates from reaching what they should not; it does not keep them from taking for ever, or all of
the memory. A process does.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.overrides import Overrides
from openresponses_codegen.render.package import Sources

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Limits:
    """What rendering may take."""

    seconds: int = 30
    """Seconds of processor time; where the system cannot limit that, four times as many pass."""
    memory: int = 1024 * 1024 * 1024
    """Bytes of address space, where the system can limit that."""
    output: int = 32 * 1024 * 1024
    """Characters of all files together."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the process is told: the arguments of `render_package`."""

    limits: Limits
    api: ir.Api
    definitions: tuple[ir.Definition, ...]
    sources: Sources
    package: str
    components: frozenset[str]


LIMITS = Limits()


def render_confined(
    api: ir.Api,
    definitions: Iterable[ir.Definition],
    sources: Sources,
    package: str,
    components: frozenset[str],
    *,
    limits: Limits = LIMITS,
) -> dict[str, str]:
    """What `render_package` gives. Raises `DiagnosticError` where a template fails, or takes too much."""
    overrides = sources.overrides
    work = Work(limits, api, tuple(definitions), sources, package, components)
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(each).absolute()) for each in sys.path if each)
    command = [sys.executable, "-P", "-B", "-m", "openresponses_codegen.render.worker"]
    try:
        run = subprocess.run(  # noqa: S603 - our own program
            command,
            input=pickle.dumps(work),
            capture_output=True,
            env=environment,
            timeout=4 * limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal(overrides, f"took longer than {4 * limits.seconds} seconds") from None
    if run.returncode < 0:
        raise _refusal(overrides, "took more time or memory than they may")
    if run.returncode:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _refusal(overrides, f"made the rendering fail: {lines[-1] if lines else 'it said nothing'}")
    answer: dict[str, dict[str, Any]] = json.loads(run.stdout)
    if "finding" in answer:
        raise DiagnosticError([_finding(answer["finding"])])
    return {name: str(text) for name, text in answer["files"].items()}


def _finding(finding: dict[str, Any]) -> Diagnostic:
    place = Position(finding["file"], finding["line"], 1) if finding["file"] is not None else None
    return Diagnostic(finding["code"], finding["message"], position=place, hint=finding["hint"])


def _refusal(overrides: Overrides, what: str) -> DiagnosticError:
    message = f"the templates in {overrides.folder} {what}"
    hint = "look for loops that never end or multiply, and for text that is repeated"
    return DiagnosticError([Diagnostic("template-limit", message, hint=hint)])
