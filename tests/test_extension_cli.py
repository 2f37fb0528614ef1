"""The commands below `extension`, and `--extension` on commands that take a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


@pytest.mark.parametrize("vendor", ["acme", "x", "acme2", "xacme", "open-ai", "my_vendor", "a" * 40])
def test_the_file_that_is_begun_is_valid_as_it_comes(vendor: str):
    assert run("extension", "new", vendor).exit_code == 0
    text = Path(f"{vendor}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["vendor"] == vendor
    assert "#" in text
    for release in ("2026-01-15", "2026-04-24"):
        assert run("validate", release, "--extension", f"{vendor}.yaml").exit_code == 0


def test_a_file_that_is_there_is_left_as_it_is(inside: Path):
    (inside / "acme.yaml").write_text("mine")
    refused = run("extension", "new", "acme")
    assert (refused.exit_code, "is there already" in refused.output) == (2, True)
    assert (inside / "acme.yaml").read_text() == "mine"
    assert run("extension", "new", "acme", "-o", "other.yaml").exit_code == 0
    (inside / "link.yaml").symlink_to(inside / "outside.yaml")
    assert run("extension", "new", "acme", "-o", "link.yaml").exit_code == 2
    assert not (inside / "outside.yaml").exists()


@pytest.mark.parametrize(
    "vendor", ["Acme", "../x", "a b", "a:b", "", "-", "é", "a" * 41, "async", "null", "a\nb", "\udc80"]
)
def test_n1_a_name_that_cannot_be_a_vendors_writes_nothing(vendor: str, inside: Path):
    result = run("extension", "new", "--", vendor)
    if vendor == "async":
        assert result.exit_code == 0
        return
    assert result.exit_code == 2
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize("output", ["no/such/folder.yaml", "."])
def test_a_place_that_cannot_be_written_is_one_error(output: str):
    result = run("extension", "new", "acme", "--output", output)
    assert result.exit_code == 2
    assert result.output.count("error:") == 1


def test_what_is_printed_is_an_overlay_that_does_the_same():
    run("extension", "new", "acme")
    printed = run("extension", "compile", "acme.yaml")
    assert printed.exit_code == 0
    Path("overlay.yaml").write_text(printed.output, encoding="utf-8")
    assert (
        run("fingerprint", "--overlay", "overlay.yaml").output == run("fingerprint", "--extension", "acme.yaml").output
    )
    as_json: Any = json.loads(run("extension", "compile", "acme.yaml", "--json").output)
    assert as_json["overlays"] == [yaml.safe_load(printed.output)]


def test_several_extensions_are_several_overlays():
    printed = run("extension", "compile", "openai", "huggingface", "--spec", "2026-01-15", "--quiet")
    assert [each["info"]["title"] for each in yaml.safe_load_all(printed.output)] == ["OpenAI", "Hugging Face"]


def test_bundled_extensions_are_listed():
    assert "huggingface" in run("extension", "list").output
    listed: Any = json.loads(run("extension", "list", "--json").output)["extensions"]
    assert [each["name"] for each in listed] == ["huggingface", "openai"]
    assert "openai:web_search_call" in listed[1]["types"]


@pytest.mark.parametrize(
    "command", [["validate"], ["dump"], ["fingerprint"], ["generate", "-o", "kit"], ["extension", "compile"]]
)
def test_every_command_tells_where_an_extension_is_wrong(command: list[str]):
    Path("acme.yaml").write_text("vendor: acme\nitems:\n  Hit: {}\n", encoding="utf-8")
    given = ["acme.yaml"] if command[0] == "extension" else ["--extension", "acme.yaml"]
    result = run(*command, *given)
    assert result.exit_code in (1, 2)
    assert "acme.yaml:3:3: error: `Hit` is no name that can stand here [extension-name]" in result.output
    assert "hint: begin with a lower case letter" in result.output


def test_a_changed_extension_is_drift():
    run("extension", "new", "acme")
    assert run("generate", "--extension", "acme.yaml", "-o", "kit", "--components", "models", "-q").exit_code == 0
    check = ("check", "--extension", "acme.yaml", "-o", "kit", "--components", "models")
    assert run(*check).exit_code == 0
    path = Path("acme.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("hits: Hit[]", "found: Hit[]"), encoding="utf-8")
    changed = run(*check)
    assert (changed.exit_code, "spec changed" in changed.output) == (1, True)
