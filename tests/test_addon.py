"""Add-on packages: what an extension adds, generated apart, beside an installed package of the specification."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen.cli import main
from openresponses_codegen.extension.starter import starter

ROOT = Path(__file__).parents[1]
VENDORS = ("acme", "zeta")


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the add-ons of two vendors, and the extensions that they were made of."""
    folder = tmp_path_factory.mktemp("addons")
    for vendor in VENDORS:
        (folder / f"{vendor}.yaml").write_text(starter(vendor))
        result = generate(folder, vendor)
        assert result.exit_code == 0, result.output
    return folder


def generate(folder: Path, vendor: str, *options: str, command: str = "generate") -> Result:
    arguments = ["--extension-only", "--extension", str(folder / f"{vendor}.yaml"), "-o", str(folder / f"{vendor}_kit")]
    return CliRunner().invoke(main, [command, *arguments, *options])


def run(folder: Path, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (folder, ROOT / "generated", ROOT / "tests")))
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": path}
    return subprocess.run(command, env=environment, cwd=cwd or folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def told(addons: Path) -> Callable[[tuple[str, ...]], dict[str, Any]]:
    def told(order: tuple[str, ...]) -> dict[str, Any]:
        program = [sys.executable, "-W", "error", str(ROOT / "tests" / "addon_story.py")]
        done = run(addons, *program, *(f"{vendor}_kit" for vendor in order))
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return told


def test_two_vendors_live_side_by_side_in_either_order(told: Callable[[tuple[str, ...]], dict[str, Any]]) -> None:
    """A stream through the real server and client gives the classes of both, and what goes back is accepted."""
    first, second = told(VENDORS), told(VENDORS[::-1])
    ids = [item.pop("id") for each in (first, second) for items in each["found"].values() for item in items]
    assert len(set(ids)) == 4
    assert first == second
    assert first["unknown"] == "UnknownEvent"
    for name in ("AcmeSearchResultProgressEvent", "AcmeHeartbeatEvent", "ZetaSearchResultProgressEvent"):
        assert first["events"].count(name) == 1
    assert first["output"] == first["whole"] == ["AcmeSearchResult", "ZetaSearchResult"]
    assert first["tools"] == ["AcmeSearchTool", "UnknownTool"]
    params = ["AcmeSearchResultParam", "ZetaSearchResultParam", "AcmeSearchToolParam", "UnknownToolParam"]
    assert first["seen"] == params
    assert first["found"]["acme_kit"] == [
        {"type": "acme:search_result", "status": "completed", "query": "acme?", "hits": [{"title": "acme"}], "total": 1}
    ]
    assert "acme:search_result.progress.percent" in first["refused"] or "zeta:" in first["refused"]
    assert (first["deviations"], first["same"]) == (0, True)


def test_what_is_generated_is_clean_to_strict_checkers(addons: Path) -> None:
    """Both type checkers in strict mode, and ruff."""
    files = [f"{vendor}_kit" for vendor in VENDORS]
    (addons / "pyrightconfig.json").write_text(
        json.dumps({"include": files, "typeCheckingMode": "strict", "extraPaths": [str(ROOT / "generated")]})
    )
    for command in (
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *files],
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
        [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "templates" / "ruff.toml"), *files],
        [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length=100", *files],
    ):
        done = run(addons, *command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_classes_are_the_text_of_a_whole_generation(addons: Path, tmp_path: Path) -> None:
    """Each class of the add-on stands in a package that is generated with the extension, to the letter."""
    arguments = ["generate", "-q", "--extension", str(addons / "acme.yaml"), "-o", str(tmp_path / "whole")]
    assert CliRunner().invoke(main, [*arguments, "--components", "events,params"]).exit_code == 0
    for name in ("models.py", "events.py"):
        whole = (tmp_path / "whole" / name).read_text().split("\n\n\n")
        for part in (addons / "acme_kit" / name).read_text().split("\n\n\n")[1:]:
            assert part.strip() in [each.strip() for each in whole], part


def test_check_and_generate_know_when_an_addon_is_current(addons: Path) -> None:
    """The manifest names the base; another base, or an edited file, is told."""
    manifest = json.loads((addons / "acme_kit" / "generation.json").read_text())
    assert (manifest["base"], manifest["release"], manifest["extras"]) == ("openresponses_kit", "2026-04-24", {})
    assert generate(addons, "acme", command="check").exit_code == 0
    assert "nothing to do" in generate(addons, "acme").output
    assert generate(addons, "acme", "--base", "other_kit", command="check").exit_code == 1


def test_what_an_addon_cannot_show_is_told(addons: Path, tmp_path: Path) -> None:
    """Fields and values that are added to classes of the base are listed as left out."""
    (tmp_path / "acme.yaml").write_text(starter("acme"))
    left_out = json.loads(generate(tmp_path, "acme", "--json").output)["packages"][0]["left_out"]
    assert {each["what"] for each in left_out} >= {
        "field `acme_cost` of `ResponseResource`",
        "field `acme_priority` of `CreateResponseBody`",
        "values of `IncludeEnum`",
    }
    assert "acme_priority" not in (addons / "acme_kit" / "models.py").read_text()


@pytest.mark.parametrize(
    ("extension", "options", "said"),
    [
        ("vendor: acme\n", [], "add no type"),
        ("vendor: acme\nitems: {note: {}}\n", ["--base", "1a"], "is no import name"),
        ("vendor: acme\nitems: {note: {}}\n", ["--packaging", "distribution"], "add-on"),
        ("vendor: acme\nitems: {note: {}}\nevents: {note: {}}\n", [], "the event `acme:note` would be"),
    ],
)
def test_what_cannot_be_an_addon_is_refused(tmp_path: Path, extension: str, options: list[str], said: str) -> None:
    """One error says what is wrong, and nothing is written."""
    (tmp_path / "acme.yaml").write_text(extension)
    result = generate(tmp_path, "acme", *options)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "acme_kit").exists()


def test_a_base_of_another_release_is_refused_at_import(addons: Path) -> None:
    """Before anything of the add-on is read, one error names both releases."""
    program = "import openresponses_kit; openresponses_kit.SPEC_RELEASE = '2026-01-15'; import acme_kit"
    done = run(addons, sys.executable, "-c", program)
    assert done.returncode == 1
    assert "acme_kit was made for Open Responses 2026-04-24, and openresponses_kit is of 2026-01-15" in done.stderr


@pytest.mark.parametrize("name", sorted(each.stem for each in (ROOT / "spec" / "extensions").glob("*.yaml")))
def test_the_bundled_extensions_are_addons_too(tmp_path: Path, name: str) -> None:
    """Each is generated apart and imported; what it registers under an alias is of the same class (Z18)."""
    arguments = ["generate", "-q", "--extension-only", "--extension", name, "-o", str(tmp_path / "addon_kit")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    program = (
        "import addon_kit, addon_kit.params, addon_kit.writing; from openresponses_kit.extending import registered;"
        "print(*(f'{tag} {each.model_fields[\"type\"].default}' for tag, each in registered('ItemField').items()))"
    )
    done = run(tmp_path, sys.executable, "-W", "error", "-c", program)
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words
    assert all(default == tag or ":" not in tag for tag, default in zip(words[::2], words[1::2], strict=True))
