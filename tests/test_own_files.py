"""Files of the user's own beside generated ones: never touched, and stubs written once."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main
from openresponses_codegen.output import is_own
from running_server import running

TABLE = '[tool.openresponses-codegen]\noutput = "kit"\n'


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder, with further lines of configuration."""
    monkeypatch.chdir(tmp_path)

    def run(command: str, lines: str = "", *arguments: str) -> Result:
        Path("pyproject.toml").write_text(TABLE + lines)
        return CliRunner().invoke(main, [command, *arguments], catch_exceptions=False)

    return run


OWN = 'own = ["errors.py", "client/retries.py", "notes", "*.md"]\n'


def test_files_of_the_users_own_are_never_touched(run: Callable[..., Result]) -> None:
    assert run("generate").exit_code == 0
    kit = Path("kit")
    (kit / "errors.py").write_text((kit / "errors.py").read_text() + "\nMINE = 1\n")
    (kit / "client" / "retries.py").unlink()
    (kit / "README.md").write_text("mine\n")
    assert run("check").exit_code == 1
    before = (kit / "errors.py").read_bytes()
    (drift,) = json.loads(run("check", OWN, "--json").output)["packages"]
    assert [each["path"] for each in drift["files"]] == ["generation.json"]
    result = run("generate", OWN)
    assert result.exit_code == 0, result.output
    assert (kit / "errors.py").read_bytes() == before
    assert not (kit / "client" / "retries.py").exists()
    result = run("check", OWN)
    assert result.exit_code == 0, result.output
    assert run("generate", OWN + 'components = ["models"]\n').exit_code == 0
    assert (kit / "errors.py").read_bytes() == before, "stale, but the user's own"
    assert not (kit / "accumulate.py").exists()
    assert run("check", OWN + 'components = ["models"]\n').exit_code == 0


def test_a_file_that_is_no_longer_the_users_own_is_not_overwritten(run: Callable[..., Result]) -> None:
    run("generate", OWN)
    Path("kit/errors.py").write_text("MINE = 1\n")
    assert run("generate", OWN).exit_code == 0
    result = run("generate")
    assert result.exit_code == 2
    assert "kit/errors.py" in result.output


def test_generate_tells_when_ours_changed_below_the_users_own(run: Callable[..., Result]) -> None:
    run("generate", OWN)
    Path("t/core").mkdir(parents=True)
    Path("t/core/errors.py.jinja").write_text(
        '{% extends "core/errors.py.jinja" %}{% block end %}\nNEW = 1\n{% endblock %}\n'
    )
    lines = OWN + 'templates = "t"\n'
    result = run("generate", lines)
    assert "kit/errors.py: the file is yours; what the generator would write there changed" in result.output
    assert "kit/client/retries.py: " not in result.output
    assert "the file is yours" not in run("generate", lines).output
    shown = json.loads(run("generate", OWN, "--json").output)["packages"][0]
    assert shown["changed_below"] == ["errors.py"]
    assert shown["own"] == ["client/retries.py", "errors.py"]


def test_a_stub_is_written_once(run: Callable[..., Result]) -> None:
    lines = 'stubs = ["service.py"]\n'
    assert run("generate", lines).exit_code == 0
    path = Path("kit/service.py")
    assert "class Service(ResponsesService):" in path.read_text()
    assert run("check", lines).exit_code == 0
    path.write_text("mine = 1\n")
    assert run("check", lines).exit_code == 0
    assert run("generate", lines, "--force", "--package", "other").exit_code == 0
    assert path.read_text() == "mine = 1\n"
    path.unlink()
    assert run("generate", lines).exit_code == 0
    assert not path.exists(), "it was moved or deleted on purpose"
    assert run("check", lines).exit_code == 0


def test_a_stub_does_not_replace_what_is_there(run: Callable[..., Result]) -> None:
    Path("kit").mkdir()
    Path("kit/service.py").write_text("mine = 1\n")
    assert run("generate", "", "--stub", "service.py").exit_code == 0
    assert Path("kit/service.py").read_text() == "mine = 1\n"


def test_the_stub_serves(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user begins with answers."""
    result = run("generate", "", "--stub", "service.py", "--output", "stubbed_kit", "--config", "pyproject.toml")
    assert result.exit_code == 0, result.output
    monkeypatch.syspath_prepend(str(tmp_path))
    with running(importlib.import_module("stubbed_kit.service").app) as server:
        answer = httpx2.post(f"{server.url}/v1/responses", json={"model": "m", "input": "hi"}, trust_env=False)
    assert answer.json()["output"][0]["content"][0]["text"] == "Hello world"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('own = ["../x.py"]', "is no file that can be yours"),
        ('own = ["/x.py"]', "is no file that can be yours"),
        ('own = ["generation.json"]', "is no file that can be yours"),
        ('own = "x.py"', "a list of names is needed"),
        ('stubs = ["servce.py"]', "did you mean `service.py`?"),
        ('stubs = ["service.py"]\ncomponents = ["models"]', "needs the component `server`"),
        ('templates = "nowhere"', "there is no such folder"),
    ],
)
def test_configuration_that_makes_no_sense_is_an_error(run: Callable[..., Result], lines: str, said: str) -> None:
    result = run("generate", lines + "\n")
    assert result.exit_code == 2
    assert said in result.output
    assert not Path("kit").exists()


@pytest.mark.parametrize(
    ("name", "pattern", "own"),
    [
        ("a.py", "a.py", True),
        ("a/b.py", "a", True),
        ("a/b.py", "a/", True),
        ("a/b.py", "a/*.py", True),
        ("ab.py", "a", False),
        ("b/a.py", "a.py", False),
        ("A.py", "a.py", False),
        ("notes/a.md", "*.md", True),
    ],
)
def test_patterns(name: str, pattern: str, own: bool) -> None:
    assert is_own(name, [pattern]) is own


def test_without_such_files_the_manifest_says_nothing_of_them(run: Callable[..., Result]) -> None:
    run("generate", "", "--components", "models")
    manifest = json.loads(Path("kit/generation.json").read_text())
    assert "own" not in manifest
    assert "overridden" not in manifest["templates"]
