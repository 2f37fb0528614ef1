"""The examples of the guide to templates work as they stand, typed in from top to bottom."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from openresponses_codegen.cli import main

GUIDE = Path(__file__).parents[1] / "docs" / "templates.md"
_BLOCK = re.compile(r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_guide_work_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = {"files": 0, "commands": 0, "programs": 0}
    for block in _BLOCK.finditer(GUIDE.read_text()):
        if block["path"] is not None:
            path = tmp_path / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"])
            done["files"] += 1
        elif block["language"] == "sh":
            for line in block["text"].splitlines():
                result = CliRunner().invoke(main, shlex.split(line)[1:], catch_exceptions=False)
                assert result.exit_code == 0, f"{line}\n{result.output}"
                done["commands"] += 1
        else:
            assert block["language"] == "python"
            command = [sys.executable, "-W", "error", "-c", block["text"]]
            run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr
            done["programs"] += 1
    assert done == {"files": 8, "commands": 10, "programs": 3}
    for path in (tmp_path / "my_kit").rglob("*.py"):
        assert path.read_text().startswith("# Copyright Example Ltd."), path


def test_what_the_guide_makes_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stub, and the method that the guide adds to the client, hold before a strict type checker."""
    monkeypatch.chdir(tmp_path)
    for block in _BLOCK.finditer(GUIDE.read_text()):
        if block["path"] is not None and "errors" not in block["path"]:
            path = tmp_path / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"])
    assert CliRunner().invoke(main, ["generate", "-q"], catch_exceptions=False).exit_code == 0
    files = ["my_kit/service.py", "my_kit/client/sync/client.py", "my_kit/client/aio/client.py", "my_kit/names.py"]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *files]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
