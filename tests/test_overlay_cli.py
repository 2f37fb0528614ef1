"""`--overlay` on the commands, as a user meets it."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main

SPEC = """\
openapi: 3.1.0
info: {title: Small, version: 2030-01-01}
components:
  schemas:
    Colour: {type: string, enum: [red, green]}
    Thing: {type: object, properties: {colour: {$ref: '#/components/schemas/Colour'}}}
"""
OVERLAY = """\
overlay: 1.1.0
info: {title: Blue, version: '1'}
actions:
  - target: $.components.schemas.Colour.enum
    update: blue
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC)
    Path("blue.yaml").write_text(OVERLAY)

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)

    return run


def layers(folder: str = "kit") -> dict[str, str]:
    found: dict[str, str] = json.loads((Path(folder) / "generation.json").read_text())["layers"]
    return found


def test_generate_applies_and_records_it_and_check_tells_when_it_changed(run: Callable[..., Result]) -> None:
    arguments = ("spec.yaml", "--overlay", "blue.yaml", "--output", "kit")
    assert run("generate", *arguments).exit_code == 0
    assert '"blue"' in Path("kit/models.py").read_text()
    assert list(layers()) == ["overlay blue.yaml"]
    assert "nothing to do" in run("generate", *arguments).output
    assert run("check", *arguments).exit_code == 0
    Path("blue.yaml").write_text(OVERLAY.replace("blue", "black"))
    changed = json.loads(run("check", *arguments, "--json").output)
    (package,) = changed["packages"]
    assert package["causes"] == ["spec changed"]
    assert "models.py" in [each["path"] for each in package["files"]]
    without = json.loads(run("check", "spec.yaml", "--output", "kit", "--json").output)
    assert without["packages"][0]["causes"] == ["spec changed"]


def test_each_overlay_counts_though_their_files_have_one_name(run: Callable[..., Result]) -> None:
    """And their order does."""
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "x.yaml").write_text(OVERLAY.replace("blue", name))
    orders = (("one/x.yaml", "two/x.yaml"), ("two/x.yaml", "one/x.yaml"))
    first, second = (["spec.yaml", "--overlay", a, "--overlay", b, "--output", "kit"] for a, b in orders)
    assert run("generate", *first).exit_code == 0
    assert list(layers()) == ["overlay x.yaml", "overlay x.yaml (2)"]
    assert '"red", "green", "one", "two"' in Path("kit/models.py").read_text()
    assert run("check", *first).exit_code == 0
    assert run("check", *second).exit_code == 1
    Path("one/x.yaml").write_text(OVERLAY)
    assert run("check", *first).exit_code == 1


def test_the_commands_that_look_at_documents_apply_it(run: Callable[..., Result]) -> None:
    assert run("validate", "spec.yaml", "--overlay", "blue.yaml").exit_code == 0
    assert '"blue"' in run("dump", "spec.yaml", "--overlay", "blue.yaml", "--stage", "schema").output
    plain, overlaid = (run("fingerprint", "spec.yaml", *more).output for more in ((), ("--overlay", "blue.yaml")))
    assert plain != overlaid
    Path("whole.yaml").write_text(SPEC.replace("green", "green, blue"))
    assert run("fingerprint", "whole.yaml").output == overlaid


def test_a_spec_from_standard_input_and_one_from_the_configuration(run: Callable[..., Result]) -> None:
    assert '"blue"' in run("dump", "-", "--overlay", "blue.yaml", "--stage", "schema", stdin=SPEC).output
    table = '[tool.openresponses-codegen]\nspec = "spec.yaml"\noutput = "kit"\noverlays = ["./blue.yaml"]\n'
    Path("pyproject.toml").write_text(table)
    assert run("generate").exit_code == 0
    assert list(layers()) == ["overlay blue.yaml"]


def test_mistakes_are_told_with_the_overlays_file(run: Callable[..., Result]) -> None:
    Path("blue.yaml").write_text(OVERLAY.replace("Colour", "Color"))
    for command in ("generate", "check", "validate"):
        more = ("--output", "kit") if command != "validate" else ()
        result = run(command, "spec.yaml", "--overlay", "blue.yaml", *more)
        assert result.exit_code == (1 if command == "validate" else 2)
        assert "blue.yaml:4:13: error: the JSONPath selects nothing [overlay-no-match]" in result.stderr
        assert "did you mean `Colour`?" in result.stderr
    lenient = run("validate", "spec.yaml", "--overlay", "blue.yaml", "--lenient")
    assert lenient.exit_code == 0
    assert "blue.yaml:4:13: warning" in lenient.stderr
    assert not Path("kit").exists()


def test_what_is_wrong_with_the_document_by_an_overlay_is_told_in_the_overlay(run: Callable[..., Result]) -> None:
    """The place of a node is the file that it was written in."""
    bad = OVERLAY.replace("Colour.enum", "Thing").replace("update: blue", "update: {properties: {x: {tpye: string}}}")
    Path("blue.yaml").write_text(bad)
    result = run("validate", "spec.yaml", "--overlay", "blue.yaml")
    assert result.exit_code == 1
    assert "blue.yaml:5:31: error" in result.stderr
    assert "#/components/schemas/Thing/properties/x/tpye" in result.stderr


@pytest.mark.parametrize("name", ["missing.yaml", "folder", "pipe", "-"])
def test_what_is_no_file_is_refused(name: str, run: Callable[..., Result]) -> None:
    """As `source.read` refuses it for a document; an overlay has to be a file, not standard input."""
    Path("folder").mkdir()
    os.mkfifo("pipe")
    result = run("validate", "spec.yaml", "--overlay", name)
    assert result.exit_code == 2
    assert f"{name}:1:1: error" in result.stderr


def test_a_symbolic_link_is_followed_and_a_broken_overlay_refused(run: Callable[..., Result]) -> None:
    Path("link.yaml").symlink_to("blue.yaml")
    assert run("validate", "spec.yaml", "--overlay", "link.yaml").exit_code == 0
    Path("blue.yaml").write_text("{")
    result = run("validate", "spec.yaml", "--overlay", "link.yaml")
    assert result.exit_code == 1
    assert "link.yaml:1:2: error: " in result.stderr


def test_the_example_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's commands work on the page's overlay, and a slip is told as the page tells it."""
    page = (Path(__file__).parents[1] / "docs" / "overlays.md").read_text()
    monkeypatch.chdir(tmp_path)
    (text,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    Path("local.yaml").write_text(text)
    for line in re.findall(r"^openresponses-codegen .*", page, re.MULTILINE):
        assert CliRunner().invoke(main, shlex.split(line)[1:]).exit_code == 0, line
    params = Path("gateway/params.py").read_text()
    assert "x_tenant" in params
    assert '"overnight"' in Path("gateway/models.py").read_text()
    Path("local.yaml").write_text(text.replace("ServiceTierEnum.enum", "ServiceTier.enum"))
    (told,) = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert told in CliRunner().invoke(main, ["validate", "--overlay", "local.yaml"]).stderr


def test_a_comparison_applies_it_to_both_documents(run: Callable[..., Result]) -> None:
    """What the overlay takes away from both is no difference."""
    Path("new.yaml").write_text(SPEC.replace("green", "green, black"))
    Path("blue.yaml").write_text(OVERLAY.replace("    update: blue", "    remove: true"))
    plain, overlaid = (
        json.loads(run("diff", "spec.yaml", "new.yaml", *more, "--format", "json").output)["reports"][0]["changes"]
        for more in ((), ("--overlay", "blue.yaml"))
    )
    assert plain
    assert not overlaid
