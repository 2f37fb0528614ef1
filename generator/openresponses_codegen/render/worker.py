"""The process in which templates of the user's own are rendered; `render_confined` starts it and reads its answer."""

from __future__ import annotations

import json
import pickle
import sys
from contextlib import suppress
from typing import Any

from openresponses_codegen.diagnostics import Diagnostic, Position
from openresponses_codegen.overrides import Overrides, failure_of
from openresponses_codegen.render.confined import Limits, Work
from openresponses_codegen.render.package import render_package
from openresponses_codegen.render.verify import UnsafeSourceError


def main() -> None:
    """Render what standard input says, and answer on standard output: the files, or the finding that stopped it."""
    work: Work = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own process wrote it
    _confine(work.limits)
    json.dump(_answer(work), sys.stdout)


def _confine(limits: Limits) -> None:
    """Bound the time and memory of this process, and let it write no file."""
    try:
        import resource  # noqa: PLC0415 - not every system has it
    except ImportError:
        return
    bounds = {
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


def _answer(work: Work) -> dict[str, Any]:
    overrides = work.sources.overrides
    try:
        files = render_package(work.api, work.definitions, work.sources, work.package, work.components)
    except UnsafeSourceError as error:
        return {"finding": _shown(_unsafe(error, overrides))}
    except Exception as error:  # whatever a template raises
        finding = failure_of(error, overrides)
        if finding is None:
            raise
        return {"finding": _shown(finding)}
    if sum(map(len, files.values())) > work.limits.output:
        message = f"the templates in {overrides.folder} print more than {work.limits.output:,} characters"
        return {"finding": _shown(Diagnostic("template-limit", message))}
    return {"files": files}


def _unsafe(error: UnsafeSourceError, overrides: Overrides) -> Diagnostic:
    name, _, reason = str(error).partition(": ")
    if name not in overrides.files:
        return Diagnostic("template-output", str(error), hint=f"look at what {overrides.folder} puts there")
    return Diagnostic("template-output", reason, position=Position(overrides.path(name), 1, 1))


def _shown(finding: Diagnostic) -> dict[str, Any]:
    return {
        "code": finding.code,
        "message": finding.message,
        "file": finding.position.file if finding.position else None,
        "line": finding.position.line if finding.position else None,
        "hint": finding.hint,
    }


if __name__ == "__main__":
    main()
