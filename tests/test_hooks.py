"""What lies at the top of the repository for other people's projects: hooks of pre-commit, and an action for GitHub.

Both are run as their runners run them, and install the generator by `pip` from this repository. What they would
download is taken from the environment of the tests instead, so that nothing here needs a network. Not covered: that the
index has what the generator requires, which CI covers with the wheel, and the runner of GitHub itself.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruff import find_ruff_bin

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
SHIPPED = [
    "generator",
    "templates",
    "spec",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".pre-commit-hooks.yaml",
    "action.yml",
]
CONFIGURATION = """\
[tool.openresponses-codegen]
output = "src/kit"
components = ["models"]
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What users get of this repository, as it is on disk, in one commit."""
    folder = tmp_path_factory.mktemp("hooks") / "openresponses-codegen"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in SHIPPED:
        source = ROOT / name
        (shutil.copytree(source, folder / name, ignore=ignored) if source.is_dir() else shutil.copy(source, folder))
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Lets `pip` install from a folder alone, with what is installed for the tests in reach."""
    installed = tmp_path_factory.mktemp("installed")
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(folder).iterdir():
            if not re.match(r"_*(editable_*)?openresponses|pip|setuptools|_virtualenv", path.name):
                (installed / path.name).symlink_to(path)
    (installed / "bin").mkdir()  # where ruff looks for its program beside its module
    (installed / "bin" / "ruff").symlink_to(find_ruff_bin())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "GIT_"))}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    # `pip` reads 0 as "no isolation" here: the variable sets the option's value, which the option itself turns off.
    pip = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
    return {**kept, **git, **pip, "PYTHONPATH": str(installed)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder with a space in its name, with a package that was generated and committed."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(CONFIGURATION)
    subprocess.run([sys.executable, "-m", "openresponses_codegen", "generate", "-q"], cwd=folder, check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    """Commit everything in a folder, and return the name of the commit."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--no-verify", "-m", "All"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return said.stdout.strip()


def edit(project: Path) -> Path:
    path = project / "src/kit/models.py"
    path.write_text(path.read_text() + "# edited\n")
    return path


def test_hooks_are_of_the_form_that_pre_commit_asks_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PRE_COMMIT_HOME": str(tmp_path)}
    )
    assert ran.returncode == 0, ran.stdout
    assert [each["id"] for each in HOOKS] == ["openresponses-codegen-check", "openresponses-codegen-generate"]


def test_hooks_install_and_run_in_a_project(
    repository: Path, project: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """By pre-commit itself: check passes on a whole package and fails on an edited one, generate puts a file back."""
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True)
    hooks = [{"id": each["id"]} for each in HOOKS]
    repos = [{"repo": str(repository), "rev": revision.stdout.strip(), "hooks": hooks}]
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": repos}))
    commit(project)

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "pre_commit",
            "run",
            "--verbose",
            f"openresponses-codegen-{name}",
            "--all-files",
        ]
        home = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
        return subprocess.run(
            command, cwd=project, env={**environment, **home}, capture_output=True, text=True, check=False
        )

    passed = hook("check")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "src/kit: up to date" in passed.stdout
    (project / "src/kit/models.py").unlink()
    failed = hook("check")
    assert failed.returncode == 1
    assert "models.py: missing file" in failed.stdout
    assert hook("generate").returncode == 1, "pre-commit fails a hook that changed files"
    assert hook("generate").returncode == 0
    edit(project)
    assert "models.py: edited by hand" in hook("check").stdout


class Runner:
    """Runs the steps of the action, with the environment and the shell that a runner gives them."""

    def __init__(self, project: Path, action: Path, environment: Mapping[str, str], temp: Path) -> None:
        temp.mkdir(exist_ok=True)
        self.project, self.action, self.temp = project, action, temp
        self.environment = {**environment, "RUNNER_TEMP": str(temp), "GITHUB_WORKSPACE": str(project)}

    def step(self, number: int, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = ACTION["runs"]["steps"][number]
        known = {name: each["default"] for name, each in ACTION["inputs"].items()} | {"python": sys.executable} | inputs
        values = {f"inputs.{name}": value for name, value in known.items()} | {"github.action_path": str(self.action)}
        given = {name: self._filled(value, values) for name, value in step["env"].items()}
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        folder = self.project / self._filled(step.get("working-directory", "."), values)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        environment = {**self.environment, **given}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def _filled(self, text: str, values: Mapping[str, str]) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda match: values[match[1]], text)

    def fake(self) -> None:
        """Put a program in the place of the generator that prints its arguments, each on a line."""
        program = self.temp / "openresponses-codegen/bin/openresponses-codegen"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n")
        program.chmod(0o755)


def test_the_action_installs_itself_and_annotates_what_differs(
    repository: Path, project: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    runner = Runner(project, repository, environment, tmp_path / "temp")
    installed = runner.step(0)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    passed = runner.step(1)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "::error" not in passed.stdout
    line = edit(project).read_text().count("\n") - 3
    failed = runner.step(1)
    assert failed.returncode == 1
    wanted = f"::error file=src/kit/models.py,line={line}::models.py: edited by hand."
    assert wanted in failed.stdout
    (project / "pyproject.toml").write_text(CONFIGURATION + "lenient = 3\n")
    refused = runner.step(1)
    assert refused.returncode == 2
    assert "::error file=pyproject.toml,line=4::[tool.openresponses-codegen] lenient: true or false" in refused.stdout


def test_the_action_passes_arguments_as_words(project: Path, tmp_path: Path) -> None:
    """Whatever stands in an input, no shell takes it for anything but words."""
    runner = Runner(project, tmp_path, os.environ, tmp_path / "temp")
    runner.fake()
    hostile = '--only a.b; touch hacked\n$(touch hacked) `touch hacked` * "two words" && exit 3'
    assert runner.step(1).stdout.split() == ["<check>", "<--format>", "<github>"]
    said = runner.step(1, args=hostile)
    assert said.returncode == 0
    assert said.stdout.splitlines()[3:] == [f"<{word}>" for word in hostile.split()]
    assert not list(tmp_path.rglob("hacked"))


@pytest.mark.parametrize(
    "version", ["1.0; touch hacked", "$(touch hacked)", "--help", "1.0 --index-url=x", "@ file:///x"]
)
def test_the_action_refuses_a_version_that_is_none(project: Path, tmp_path: Path, version: str) -> None:
    refused = Runner(project, tmp_path, os.environ, tmp_path / "temp").step(0, version=version)
    assert refused.returncode == 2
    assert "::error::" in refused.stdout
    assert not list(tmp_path.rglob("hacked"))


def test_the_action_puts_no_expression_into_a_shell() -> None:
    """An expression in a script is pasted into it before bash reads it: inputs go by the environment."""
    steps: list[dict[str, Any]] = ACTION["runs"]["steps"]
    assert not any("${{" in step["run"] for step in steps)
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_the_guide_names_the_hooks_and_the_inputs_that_there_are() -> None:
    guide = (ROOT / "docs/vendoring.md").read_text()
    blocks = [yaml.safe_load(each) for each in re.findall(r"^```yaml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)]
    (hooks,) = (block["repos"][0]["hooks"] for block in blocks if "repos" in block)
    (steps,) = (block["steps"] for block in blocks if "steps" in block)
    assert {each["id"] for each in hooks} <= {each["id"] for each in HOOKS}
    assert set(steps[-1]["with"]) <= set(ACTION["inputs"])
