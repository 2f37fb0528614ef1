"""What the commands say about themselves: in their help, in the reference, and to shells that complete them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from command_reference import PROGRAM, commands, reference
from openresponses_codegen.cli import main
from openresponses_codegen.cli.completion import VARIABLE

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
COMMANDS = {path: command for path, command, _ in commands()}
CONFIGURATION = """\
[[tool.openresponses-codegen.packages]]
output = "src/app/openresponses"
package = "app.openresponses"

[[tool.openresponses-codegen.packages]]
output = "acme"
"""


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does_with_an_example_and_its_exit_codes(path: str) -> None:
    """The example is one that the command takes: its options are those of the command."""
    command = COMMANDS[path]
    result = CliRunner().invoke(main, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "Exit codes: 0" in result.output
    help_text = command.help or ""
    assert re.search(r"\n\s*Examples?:\n", help_text), "it has examples"
    assert f"{path} " in help_text or f"{path}\n" in help_text or help_text.endswith(path)
    if not isinstance(command, click.Group):
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        for line in re.findall(rf"{re.escape(path)}( .*)?$", help_text, re.MULTILINE):
            ours = line.partition("|")[0].partition(">")[0]
            assert set(re.findall(r"(?<= )(--?[a-z][a-z-]*)", ours)) <= known, line


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_has_a_help_text(path: str) -> None:
    """A sentence, which ends as one."""
    for each in COMMANDS[path].params:
        if isinstance(each, click.Option):
            assert each.help, each.name
            assert each.help.endswith((".", "]")), each.help


def test_the_reference_of_the_commands_is_what_they_say(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        PAGE.write_text(reference())
    assert PAGE.read_text() == reference()


@pytest.mark.parametrize(
    ("arguments", "incomplete", "offered"),
    [
        ([], "che", ["check"]),
        (["generate"], "2026-0", ["2026-04-24", "2026-01-15"]),
        (["generate", "--components"], "mod", ["models"]),
        (["generate", "--components"], "models,ev", ["models,events"]),
        (["generate", "--packaging"], "", ["module", "distribution"]),
        (["check", "--only"], "a", ["app.openresponses", "acme"]),
        (["check", "--format"], "g", ["github"]),
        (["dump", "--stage"], "sch", ["schema"]),
        (["conform", "--format"], "j", ["json", "junit"]),
        (["completion"], "", ["bash", "zsh", "fish"]),
    ],
)
def test_completion_offers_what_can_stand_there(
    arguments: list[str], incomplete: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(CONFIGURATION)
    found = ShellComplete(main, {}, PROGRAM, VARIABLE).get_completions(arguments, incomplete)
    assert [each.value for each in found if each.type == "plain"] == offered


def test_completion_of_packages_is_quiet_where_the_configuration_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("[tool.openresponses-codegen]\noutptu = 1\n")
    assert ShellComplete(main, {}, PROGRAM, VARIABLE).get_completions(["check", "--only"], "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_completes_in_that_shell(shell: str, tmp_path: Path) -> None:
    """Bash runs its script as a terminal would; the others are parsed where they are installed."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in result.output
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(result.output)
    if shell != "bash":
        subprocess.run([program, "-n", str(script)], check=True)
        return
    command = tmp_path / PROGRAM
    program_text = f"from openresponses_codegen.cli import main; main(prog_name={PROGRAM!r})"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program_text}"\n')
    command.chmod(0o755)
    ask = f"""compopt() {{ :; }}
source {script}
COMP_WORDS=({PROGRAM} generate 2026-0); COMP_CWORD=2
_openresponses_codegen_completion {command}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    said = subprocess.run([program, "-c", ask], env=dict(os.environ), capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["2026-04-24", "2026-01-15"]
