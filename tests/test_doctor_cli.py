"""The command `doctor` as a user meets it: what it examines, what it prints, how it exits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from defects import PLANTED, healthy
from openresponses_codegen import resources
from openresponses_codegen.cli import main
from openresponses_codegen.doctor.document import CHECKS
from openresponses_codegen.doctor.environment import examine_environment
from openresponses_codegen.doctor.files import examine_files
from openresponses_codegen.doctor.staleness import examine_inputs, examine_release

NEWEST = list(resources.releases())[-1]
Doctor = Callable[..., Result]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command in a folder with a healthy document and a sick one."""
    monkeypatch.chdir(tmp_path)
    Path("healthy.json").write_text(json.dumps(healthy()))
    sick = healthy()
    next(plant for code, _, plant in PLANTED if code == "no-finite-value")(sick)
    Path("sick.json").write_text(json.dumps(sick))

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, ["doctor", *arguments], input=stdin, catch_exceptions=False)

    return run


def generate(*arguments: str) -> None:
    result = CliRunner().invoke(main, ["generate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def configure(**keys: str) -> None:
    lines = "\n".join(f'{key} = "{value}"' for key, value in keys.items())
    Path("pyproject.toml").write_text(f"[tool.openresponses-codegen]\ncomponents = ['models']\n{lines}\n")


def test_a_healthy_document_exits_with_0(doctor: Doctor) -> None:
    result = doctor("healthy.json", "--fail-on", "note")
    assert result.exit_code == 0, result.output
    assert "healthy.json: healthy" in result.output


def test_a_document_comes_from_standard_input(doctor: Doctor) -> None:
    result = doctor("-", stdin=Path("sick.json").read_text())
    assert (result.exit_code, "<stdin>: 1 error" in result.output) == (1, True)


def test_an_error_exits_with_1_and_shows_place_pointer_and_way_out(doctor: Doctor) -> None:
    result = doctor("sick.json")
    assert result.exit_code == 1
    assert "sick.json:1:" in result.output
    assert "[no-finite-value]" in result.output
    assert "at #/components/schemas/Loop" in result.output
    assert "hint: " in result.output
    assert "sick.json: 1 error" in result.output


@pytest.mark.parametrize(("fail_on", "code"), [(None, 0), ("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_the_newest_release_is_examined_where_there_is_no_configuration(
    fail_on: str | None, code: int, doctor: Doctor
) -> None:
    result = doctor(*(["--fail-on", fail_on] if fail_on else []))
    assert result.exit_code == code
    assert f"{NEWEST}: 3 warnings, 1 note" in result.output


def test_json_holds_every_finding_and_nothing_else_is_printed(doctor: Doctor) -> None:
    result = doctor("sick.json", "--json")
    (examined,) = json.loads(result.stdout)["examined"]
    assert (examined["spec"], examined["errors"], examined["warnings"], examined["notes"]) == ("sick.json", 1, 0, 0)
    (finding,) = examined["diagnostics"]
    assert finding["code"] == "no-finite-value"
    assert finding["pointer"] == "#/components/schemas/Loop"
    assert (finding["file"], finding["line"] > 0, finding["column"] > 0) == ("sick.json", True, True)
    assert finding["hint"]


def test_what_validate_reports_is_reported_and_the_rest_is_examined_all_the_same(doctor: Doctor) -> None:
    content = json.loads(Path("sick.json").read_text())
    content["components"]["schemas"]["Cat"]["not"] = {}
    Path("sick.json").write_text(json.dumps(content))
    result = doctor("sick.json")
    assert result.exit_code == 1
    assert "[unsupported-keyword]" in result.output
    assert "[no-finite-value]" in result.output


def test_a_document_that_is_beyond_that_shows_what_validate_shows(doctor: Doctor) -> None:
    Path("sick.json").write_text('{"openapi": "3.0.0"}')
    result = doctor("sick.json")
    assert result.exit_code == 1
    assert "[openapi-version]" in result.output


def test_a_document_that_is_not_there_is_bad_input(doctor: Doctor) -> None:
    result = doctor("nothing.json")
    assert (result.exit_code, "[not-found]" in result.output) == (2, True)


def test_a_package_is_examined_by_its_folder(doctor: Doctor) -> None:
    generate("healthy.json", "-o", "kit", "--components", "models,events")
    assert doctor("kit", "--fail-on", "note").exit_code == 0
    with Path("kit/models.py").open("a") as file:
        file.write("raise RuntimeError('edited')\n")
    result = doctor("kit")
    assert result.exit_code == 1
    assert "[edited-file]" in result.output
    assert "[not-importable]" in result.output
    assert "kit: 1 error, 1 warning" in result.output
    assert doctor("kit", "--no-import").exit_code == 0


def test_files_that_are_kept_as_edited_are_no_defect_but_what_waits_to_be_merged_is(doctor: Doctor) -> None:
    generate("healthy.json", "-o", "kit", "--components", "models,events")
    with Path("kit/models.py").open("a") as file:
        file.write("\n\nMINE = 1\n")
    content = healthy()
    content["components"]["schemas"]["Node"]["properties"]["more"] = {"type": "string"}
    Path("healthy.json").write_text(json.dumps(content))
    generate("healthy.json", "-o", "kit", "--components", "models,events", "--keep-edited")
    (examined,) = json.loads(doctor("kit", "--json").stdout)["examined"]
    assert [each["code"] for each in examined["diagnostics"]] == ["unmerged-file"]
    Path("kit/models.py.new").unlink()
    assert doctor("kit", "--fail-on", "note").exit_code == 0


def test_the_docs_list_every_code() -> None:
    page = (Path(__file__).parents[1] / "docs" / "upkeep.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    listed = {code for row in rows if len(row) == 5 for code in re.findall("`([a-z-]+)`", row[1])}
    checks = (*CHECKS, examine_files, examine_inputs, examine_release, examine_environment)
    told = {code for each in checks for code in re.findall("`([a-z-]+)`", (each.__doc__ or "").partition("Codes:")[2])}
    assert told | {"no-manifest", "bad-manifest"} == listed


def test_a_folder_that_is_no_package_is_told(doctor: Doctor) -> None:
    Path("src").mkdir()
    result = doctor("src")
    assert (result.exit_code, "[no-manifest]" in result.output) == (1, True)


def test_the_configuration_says_what_is_examined(doctor: Doctor) -> None:
    configure(spec="./sick.json", output="kit")
    generate()
    result = doctor("--json")
    package, spec = json.loads(result.stdout)["examined"]
    assert (Path(package["package"]).name, package["diagnostics"]) == ("kit", [])
    assert (Path(spec["spec"]).name, spec["errors"]) == ("sick.json", 1)
    assert result.exit_code == 1


def test_a_package_that_the_configuration_lists_is_held_against_its_document(doctor: Doctor) -> None:
    configure(spec="./healthy.json", output="kit")
    generate()
    Path("healthy.json").write_text(Path("healthy.json").read_text() + "\n")
    for arguments in [(), ("kit",)]:
        result = doctor(*arguments, "--json")
        package = json.loads(result.stdout)["examined"][0]
        assert [each["code"] for each in package["diagnostics"]] == ["stale-spec"]


def test_a_configured_package_that_was_never_generated_is_told(doctor: Doctor) -> None:
    configure(output="kit")
    result = doctor()
    assert (result.exit_code, "[no-manifest]" in result.output) == (1, True)


def test_a_configured_document_that_is_gone_is_told_with_the_others(doctor: Doctor) -> None:
    configure(spec="./healthy.json", output="kit")
    generate()
    Path("healthy.json").unlink()
    result = doctor()
    assert (result.exit_code, result.output.count("[not-found]")) == (1, 2)


def test_quiet_prints_errors_alone(doctor: Doctor) -> None:
    assert doctor("--quiet").output == ""
    assert "[no-finite-value]" in doctor("sick.json", "--quiet").output
