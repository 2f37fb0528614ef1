"""What was rendered, as ruff leaves it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.text import LINE_WIDTH


def formatted(files: Mapping[str, str]) -> dict[str, str]:
    """The files with their imports in order, and formatted. Raises `DiagnosticError` when ruff refuses one."""
    with tempfile.TemporaryDirectory(prefix="openresponses-codegen-") as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        ruff = _ruff()
        options = ["--isolated", "--no-cache", "--quiet", f"--line-length={LINE_WIDTH}", "."]
        for command in (["check", "--select=I", "--fix"], ["format"]):
            arguments = [ruff, *command, *options]
            run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
            if run.returncode:
                reason = (run.stderr or run.stdout).strip()
                raise DiagnosticError([Diagnostic("not-formatted", f"ruff refused what was rendered: {reason}")])
        return {path: (folder / path).read_bytes().decode() for path in files}


def _ruff() -> str:
    """The program. Raises `DiagnosticError` when its module is installed without it."""
    try:
        program: str = import_module("ruff").find_ruff_bin()
    except FileNotFoundError:
        hint = "install the generator into an environment of its own"
        raise DiagnosticError([Diagnostic("not-formatted", "the program of ruff is missing", hint=hint)]) from None
    return program
