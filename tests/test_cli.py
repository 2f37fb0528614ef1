"""The command line as a user meets it: real processes for what a process does, the runner for the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main

ROOT = Path(__file__).resolve().parents[1]
NEWEST = "2026-04-24"
SMALL = """\
openapi: 3.1.0
info: {title: Small, version: 2030-01-01}
components:
  schemas:
    Colour: {type: string, enum: [red, green]}
    Thing:
      type: object
      description: A thing.
      required: [colour]
      properties:
        colour: {$ref: '#/components/schemas/Colour'}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in an empty folder that holds `small.yaml`."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)

    def run(*arguments: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)
        assert "Traceback (most" not in result.output
        return result

    return run


def test_generate_writes_a_package_that_imports(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("generate", "small.yaml", "--output", "kit")
    assert result.exit_code == 0, result.output
    assert "models.py" in result.output
    assert "kit: generated from Open Responses 2030-01-01" in result.output
    command = [sys.executable, "-W", "error", "-c", "import kit; print(kit.Thing(colour='red').model_dump_json())"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout == '{"colour":"red"}\n'


def test_generate_says_what_it_left_out_and_why(run: Callable[..., Result]) -> None:
    result = run("generate", "--output", "kit", "--dry-run", "--json")
    left_out = {each["what"]: each for each in json.loads(result.output)["packages"][0]["left_out"]}
    form = next(what for what in left_out if "x-www-form-urlencoded" in what)
    assert "T1" in left_out[form]["reason"]
    assert left_out["`title`"]["count"] > 100


def test_generate_dry_run_writes_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("generate", "small.yaml", "--output", "kit", "--dry-run")
    assert result.exit_code == 0
    assert "would be generated" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_generate_with_nothing_to_do_says_so_and_touches_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    run("generate", "small.yaml", "--output", "kit")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "kit").iterdir()}
    result = run("generate", "small.yaml", "--output", "kit")
    assert "nothing to do" in result.output
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kit").iterdir()} == before


def test_generate_keeps_a_file_that_was_edited_by_hand(run: Callable[..., Result]) -> None:
    run("generate", "small.yaml", "--output", "kit")
    edited = Path("kit/models.py")
    edited.write_text(edited.read_text() + "\nMINE = 1\n")
    result = run("generate", "small.yaml", "--output", "kit")
    assert result.exit_code == 2
    assert "kit/models.py" in result.output
    assert "--force" in result.output
    assert edited.read_text().endswith("MINE = 1\n")
    assert run("generate", "small.yaml", "--output", "kit", "--force").exit_code == 0
    assert "MINE" not in edited.read_text()


def test_generate_deletes_what_is_no_longer_produced_unless_it_was_edited(run: Callable[..., Result]) -> None:
    run("generate", "--output", "kit")
    Path("kit/params.py").write_text("mine = 1\n")
    result = run("generate", "--output", "kit", "--components", "models")
    assert result.exit_code == 0, result.output
    assert not Path("kit/events.py").exists()
    assert Path("kit/params.py").read_text() == "mine = 1\n"
    assert "edited by hand" in result.output


def test_generate_components_leaves_out_the_rest(run: Callable[..., Result]) -> None:
    run("generate", "--output", "kit", "--components", "params")
    assert sorted(path.name for path in Path("kit").iterdir()) == sorted(
        [
            "__init__.py",
            "_base.py",
            "_unions.py",
            "extending.py",
            "generation.json",
            "models.py",
            "params.py",
            "py.typed",
        ]
    )


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        pytest.param(lambda: Path("small.yaml").write_text(SMALL.replace("green", "blue")), "spec changed", id="spec"),
        pytest.param(lambda: Path("kit/models.py").write_text("x = 1\n"), "edited by hand", id="edited"),
        pytest.param(lambda: Path("kit/_base.py").unlink(), "missing file", id="missing"),
        pytest.param(lambda: _forge("templates"), "templates changed", id="templates"),
        pytest.param(lambda: _forge("generator"), "generator changed", id="generator"),
    ],
)
def test_check_tells_the_cause_of_a_difference(
    run: Callable[..., Result], change: Callable[[], object], cause: str
) -> None:
    run("generate", "small.yaml", "--output", "kit")
    assert run("check", "small.yaml", "--output", "kit").exit_code == 0
    change()
    result = run("check", "small.yaml", "--output", "kit")
    assert result.exit_code == 1
    assert cause in result.output
    assert "--- " in result.output, "a unified diff is part of the answer"
    others = {"spec changed", "templates changed", "generator changed", "edited by hand"} - {cause}
    assert not [other for other in others if other in result.output]


def _forge(key: str) -> None:
    manifest = json.loads(Path("kit/generation.json").read_text())
    manifest[key]["digest"] = "sha256:" + "0" * 64
    Path("kit/generation.json").write_text(json.dumps(manifest, indent=2) + "\n")


def test_check_names_a_file_that_is_no_longer_produced(run: Callable[..., Result]) -> None:
    run("generate", "--output", "kit")
    result = run("check", "--output", "kit", "--components", "models,events", "--json")
    assert result.exit_code == 1
    causes = {each["path"]: each["causes"] for each in json.loads(result.output)["packages"][0]["files"]}
    assert causes["params.py"] == ["stale file"]
    assert causes["generation.json"] == ["options changed"]


def test_check_on_nothing_says_that_nothing_was_generated(run: Callable[..., Result]) -> None:
    result = run("check", "small.yaml", "--output", "kit", "--json")
    assert result.exit_code == 1
    package = json.loads(result.output)["packages"][0]
    assert package["causes"] == ["not generated"]
    assert {each["path"] for each in package["files"]} >= {"models.py", "generation.json"}


def test_validate_reports_all_findings_with_their_places(run: Callable[..., Result]) -> None:
    Path("bad.yaml").write_text(SMALL.replace("enum: [red, green]", "enumm: [red]").replace("required:", "requird:"))
    result = run("validate", "bad.yaml")
    assert result.exit_code == 1
    assert "bad.yaml:5:28: error: `enumm`" in result.output
    assert "did you mean `enum`?" in result.output
    assert "bad.yaml:9:7: error: `requird`" in result.output
    assert "bad.yaml: 2 errors" in result.output


def test_validate_lenient_takes_them_as_warnings(run: Callable[..., Result]) -> None:
    Path("bad.yaml").write_text(SMALL.replace("required:", "requird:"))
    result = run("validate", "bad.yaml", "--lenient")
    assert result.exit_code == 0
    assert "warning: `requird`" in result.output


def test_validate_json_is_for_programs(run: Callable[..., Result]) -> None:
    Path("bad.yaml").write_text(SMALL.replace("required:", "requird:"))
    content = json.loads(run("validate", "bad.yaml", "--json").output)
    assert content["errors"] == 1
    assert content["diagnostics"][0]["line"] == 9
    assert content["diagnostics"][0]["code"] == "unknown-keyword"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate"], "--output"),
        (["generate", "absent.json", "-o", "kit"], "absent.json"),
        (["generate", "-o", "kit", "--components", "modls"], "did you mean `models`?"),
        (["generate", "-o", "not-a-name"], "--package"),
        (["generate", "-o", "kit", "--package", "a.class"], "no import name"),
        (["validate", "."], "directory"),
        (["check", "--config", "absent.toml"], "absent.toml"),
        (["dump", "--stage", "nothing"], "Invalid value"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_use_is_exit_code_2_and_one_clear_error(
    run: Callable[..., Result], arguments: list[str], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert not Path("kit").exists()


def test_spec_from_standard_input() -> None:
    command = [sys.executable, "-m", "openresponses_codegen", "validate", "-"]
    run = subprocess.run(command, input=SMALL, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "<stdin>: valid" in run.stdout


def test_configuration_with_several_packages_needs_no_argument(run: Callable[..., Result], tmp_path: Path) -> None:
    Path("pyproject.toml").write_text(
        '[tool.openresponses-codegen]\nspec = "./small.yaml"\n\n'
        '[[tool.openresponses-codegen.packages]]\noutput = "src/one"\npackage = "app.one"\n\n'
        '[[tool.openresponses-codegen.packages]]\noutput = "two"\nspec = "2026-01-15"\ncomponents = ["events"]\n'
    )
    assert run("generate", "--quiet").exit_code == 0
    manifests = {name: json.loads((tmp_path / name / "generation.json").read_text()) for name in ("src/one", "two")}
    assert (manifests["src/one"]["package"], manifests["src/one"]["release"]) == ("app.one", "2030-01-01")
    assert (manifests["two"]["package"], manifests["two"]["components"]) == ("two", ["models", "events"])
    assert run("check", "--quiet").exit_code == 0
    (tmp_path / "two" / "events.py").unlink()
    assert run("check", "--quiet").exit_code == 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('outptu = "kit"', "did you mean `output`?"),
        ("output = 3", "a string is needed"),
        ('components = "models"', "a list of names is needed"),
        ("packages = 3", "a list of tables is needed"),
        ('packages = [{spec = "x", lenient = "yes"}]', "packages[0].lenient: true or false is needed"),
        ("output = ", "pyproject.toml"),
    ],
)
def test_bad_configuration_names_the_file_and_the_key(run: Callable[..., Result], table: str, said: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.openresponses-codegen]\n{table}\n")
    result = run("generate")
    assert result.exit_code == 2
    assert "pyproject.toml" in result.output
    assert said in result.output


def test_fingerprint_and_releases_agree(run: Callable[..., Result]) -> None:
    listed = json.loads(run("releases", "--json").output)["releases"]
    assert [each["release"] for each in listed] == ["2026-01-15", NEWEST]
    assert [each["schemas"] for each in listed] == [102, 108]
    for each in listed:
        assert run("fingerprint", each["release"]).output.strip() == each["fingerprint"]


@pytest.mark.parametrize("stage", ["openapi", "ir", "schema"])
def test_dump_prints_each_stage_as_json(run: Callable[..., Result], stage: str) -> None:
    content = json.loads(run("dump", "small.yaml", "--stage", stage).output)
    assert "Thing" in json.dumps(content)


@pytest.mark.parametrize("command", ["generate", "check", "validate", "dump", "fingerprint", "releases"])
def test_help_of_every_command_says_what_it_does(run: Callable[..., Result], command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    if command != "releases":
        assert f"openresponses-codegen {command}" in result.output, "an example"


def test_quiet_prints_errors_only(run: Callable[..., Result]) -> None:
    assert run("generate", "small.yaml", "-o", "kit", "--quiet").output == ""
    assert run("check", "small.yaml", "-o", "kit", "--quiet").output == ""


def test_generate_the_client_alone_brings_what_it_builds_on(run: Callable[..., Result]) -> None:
    result = run("generate", "--output", "kit", "--components", "client", "--json")
    assert result.exit_code == 0, result.output
    manifest = json.loads(Path("kit/generation.json").read_text())
    assert manifest["components"] == ["models", "events", "params", "client"]
    assert {"httpx2", "websockets"} <= manifest["requires"].keys()
    assert run("generate", "small.yaml", "--output", "small", "--components", "client").exit_code == 0
    assert not Path("small/client").exists()
    assert "httpx2" not in json.loads(Path("small/generation.json").read_text())["requires"]
