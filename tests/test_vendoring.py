"""The life of a vendored package: the guide as it stands, and edits that outlive an upgrade."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main

GUIDE = Path(__file__).parents[1] / "docs" / "vendoring.md"
OLD, NEW = "2026-01-15", "2026-04-24"
MINE = "\n\nVENDORED_BY = 'us'\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(*arguments: str) -> Result:
        command, release, *rest = arguments
        options = ["--output", "kit", "--components", "models,events", *rest]
        return CliRunner().invoke(main, [command, release, *options], catch_exceptions=False)

    return run


def test_the_guide_works_as_it_stands(tmp_path: Path) -> None:
    """Its tables go to `pyproject.toml`, its commands run in bash, all in the order of the page."""
    shims = tmp_path / "bin"
    shims.mkdir()
    for name, command in {"openresponses-codegen": "-m openresponses_codegen", "python": ""}.items():
        (shims / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (shims / name).chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()
    environment = {**os.environ, "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}"}
    for language, text in re.findall(r"^```(toml|sh)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
        if language == "toml":
            with (project / "pyproject.toml").open("a") as file:
                file.write(text)
            continue
        command = ["bash", "-eo", "pipefail", "-c", text]
        ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{text}\n{ran.stdout}\n{ran.stderr}"
    assert (project / "src/app/openresponses/models.py").read_text().endswith('VENDORED_BY = "the platform team"\n')
    assert "MessagePhase" in (project / "api.md").read_text()


def test_edits_of_a_package_of_the_first_release_outlive_the_upgrade_to_the_second(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    """What was edited stays to the byte, all around it is renewed, and what is to be merged lies beside it."""
    assert run("generate", OLD).exit_code == 0
    models = tmp_path / "kit" / "models.py"
    models.write_text(models.read_text() + MINE)
    mine = models.read_bytes()
    refused = run("generate", NEW)
    assert refused.exit_code == 2
    assert "--keep-edited" in refused.output
    assert models.read_bytes() == mine

    upgraded = json.loads(run("generate", NEW, "--keep-edited", "--json").output)["packages"][0]
    assert upgraded["edited"] == ["models.py"]
    assert "models.py.new" in upgraded["added"]
    assert models.read_bytes() == mine
    beside = (tmp_path / "kit/models.py.new").read_text()
    assert "class CompactionBody" in beside
    assert "CompactionBody" not in models.read_text()
    manifest = json.loads((tmp_path / "kit/generation.json").read_text())
    assert manifest["release"] == NEW
    assert list(manifest["edited"]) == ["models.py"]
    assert "models.py.new" not in manifest["files"]

    checked = run("check", NEW)
    assert checked.exit_code == 0
    assert "kept as it was edited by hand" in checked.output
    assert "models.py.new: take over what you need" in checked.output
    assert run("generate", NEW, "--json").exit_code == 0, "what was kept is not asked for again"

    models.write_text(beside + MINE)
    (tmp_path / "kit/models.py.new").unlink()
    assert run("check", NEW).exit_code == 1, "the merge is one more edit"
    merged = json.loads(run("generate", NEW, "--keep-edited", "--json").output)["packages"][0]
    assert merged["edited"] == ["models.py"]
    assert not (tmp_path / "kit/models.py.new").exists()
    assert run("check", NEW).exit_code == 0
    said = "from kit import CompactionBody, models; print(models.VENDORED_BY, CompactionBody.__name__)"
    shown = subprocess.run([sys.executable, "-c", said], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout == "us CompactionBody\n"


def test_a_kept_edit_is_refused_again_once_the_generator_would_write_something_else(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    run("generate", OLD)
    events = tmp_path / "kit" / "models.py"
    events.write_text(events.read_text() + MINE)
    assert run("generate", OLD, "--keep-edited").exit_code == 0
    assert not (tmp_path / "kit/models.py.new").exists(), "nothing changed that could be merged"
    assert run("check", OLD).exit_code == 0
    assert run("generate", OLD).exit_code == 0
    assert run("check", NEW).exit_code == 1
    assert run("generate", NEW).exit_code == 2


def test_what_was_laid_beside_is_renewed_unless_it_was_edited_too(run: Callable[..., Result], tmp_path: Path) -> None:
    run("generate", OLD)
    models, beside = tmp_path / "kit/models.py", tmp_path / "kit/models.py.new"
    models.write_text(models.read_text() + MINE)
    run("generate", NEW, "--keep-edited")
    assert run("generate", OLD, "--keep-edited").exit_code == 0
    assert "CompactionBody" not in beside.read_text()
    beside.write_text("half merged\n")
    assert run("generate", NEW, "--keep-edited").exit_code == 2
    assert beside.read_text() == "half merged\n"


def test_taking_an_edit_back_ends_its_record(run: Callable[..., Result], tmp_path: Path) -> None:
    run("generate", OLD)
    models = tmp_path / "kit/models.py"
    pristine = models.read_text()
    models.write_text(pristine + MINE)
    run("generate", OLD, "--keep-edited")
    models.write_text(pristine)
    assert run("check", OLD).exit_code == 1
    assert run("generate", OLD).exit_code == 0
    assert "edited" not in json.loads((tmp_path / "kit/generation.json").read_text())
    assert run("check", OLD).exit_code == 0


def test_force_gives_a_kept_edit_up(run: Callable[..., Result], tmp_path: Path) -> None:
    run("generate", OLD)
    models = tmp_path / "kit/models.py"
    pristine = models.read_text()
    models.write_text(pristine + MINE)
    run("generate", OLD, "--keep-edited")
    assert run("generate", NEW, "--force", "--keep-edited").exit_code == 2
    assert run("generate", NEW, "--force").exit_code == 0
    assert MINE not in models.read_text()
    assert run("check", NEW).exit_code == 0
