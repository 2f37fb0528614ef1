"""Golden cases: one small document each, with the files or the diagnostics that come of it.

`cases/<feature>/` holds `spec.yaml` or `spec.json`, `overlay*.yaml` if overlays are applied to it, and

- `expected/`: those generated files that show the feature, compared byte for byte;
- `expected.txt`: the diagnostics as the command line prints them, where there are any.

`pytest --update` renews both, and the committed package; a case without either gets what its document comes to.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from openresponses_codegen import output, pipeline, resources
from openresponses_codegen.cli import main
from openresponses_codegen.diagnostics import DiagnosticError
from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypeAliasType, is_typeddict

CASES = Path(__file__).parent / "cases"
CASE_FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
COMMITTED = Path(__file__).parents[1] / "generated" / "openresponses_kit"
RENEW = "if this is meant, renew it with `pytest --update`, and read the difference"


@dataclass(frozen=True)
class Outcome:
    """What comes of a document: files, none if it was refused, and diagnostics."""

    files: Mapping[str, str]
    diagnostics: str


def spec_of(case: Path) -> pipeline.Spec:
    (path,) = case.glob("spec.*")
    overlays = (pipeline.Layer("overlay", each.name, each.read_bytes()) for each in sorted(case.glob("overlay*.*")))
    return pipeline.Spec(path.name, path.read_bytes(), tuple(overlays))


@cache
def outcome_of(case: Path) -> Outcome:
    try:
        package = pipeline.generate(spec_of(case), pipeline.Options(package="example"))
    except DiagnosticError as error:
        return Outcome({}, "".join(f"{each}\n" for each in error.diagnostics))
    return Outcome(package.files, "".join(f"{each}\n" for each in package.warnings))


def difference(path: Path, wanted: str, now: str) -> str:
    name = path.relative_to(CASES.parents[1])
    lines = difflib.unified_diff(wanted.splitlines(), now.splitlines(), f"{name} (expected)", f"{name} (now)", "", "")
    return "\n".join(line.rstrip("\n") for line in lines) or f"{name}: the line endings differ"


def differences(case: Path, outcome: Outcome) -> Iterator[str]:
    """What is not as expected."""
    text = case / "expected.txt"
    wanted = text.read_bytes().decode() if text.exists() else ""
    if wanted != outcome.diagnostics:
        yield difference(text, wanted, outcome.diagnostics)
    paths = sorted(path for path in (case / "expected").rglob("*") if path.is_file())
    if not paths and not text.exists():
        yield f"{case.name} expects nothing yet"
    for path in paths:
        name = path.relative_to(case / "expected").as_posix()
        if name not in outcome.files:
            yield f"{case.name} expects {name}, which is not generated"
        elif path.read_bytes().decode() != outcome.files[name]:
            yield difference(path, path.read_bytes().decode(), outcome.files[name])


def write(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def renew(case: Path, outcome: Outcome) -> None:
    """Write what comes of the document over what was expected of it."""
    text, folder = case / "expected.txt", case / "expected"
    if outcome.diagnostics:
        text.write_bytes(outcome.diagnostics.encode())
    else:
        text.unlink(missing_ok=True)
    if outcome.files and not folder.exists():
        folder.mkdir()
        (folder / "models.py").touch()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name in outcome.files:
            path.write_bytes(outcome.files[name].encode())


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.mark.parametrize("case", CASE_FOLDERS, ids=lambda case: case.name)
def test_case(case, update):
    outcome = outcome_of(case)
    if update:
        renew(case, outcome)
    found = list(differences(case, outcome))
    assert not found, "\n\n".join([*found, RENEW])


def accepted() -> list[Path]:
    return [case for case in CASE_FOLDERS if not case.name.startswith("refused-")]


@pytest.mark.parametrize("case", accepted(), ids=lambda case: case.name)
def test_what_is_generated_can_be_imported_and_built(case, tmp_path, monkeypatch):
    files = outcome_of(case).files
    package = "case_" + case.name.replace("-", "_")
    write(files, tmp_path / package)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ["__init__", "models", "params", "events"]:
        if f"{name}.py" in files:
            module = importlib.import_module(f"{package}.{name}" if name != "__init__" else package)
            build([getattr(module, symbol) for symbol in module.__all__])


def build(symbols: list[object]) -> None:
    """Make pydantic build every class and every alias, which it otherwise does on first use."""
    for symbol in symbols:
        if isinstance(symbol, type) and issubclass(symbol, BaseModel):
            symbol.model_rebuild(force=True)
        elif isinstance(symbol, TypeAliasType) or is_typeddict(symbol):
            TypeAdapter(symbol)


@pytest.mark.parametrize("name", ["refused-several", "warnings"])
def test_the_command_line_prints_what_the_cases_expect(name, monkeypatch):
    monkeypatch.chdir(CASES / name)
    result = CliRunner().invoke(main, ["validate", spec_of(CASES / name).name, "--quiet"])
    printed = (CASES / name / "expected.txt").read_text(encoding="utf-8")
    if name == "warnings":
        assert (result.exit_code, result.output) == (0, ""), "a warning is not for those who want quiet"
        result = CliRunner().invoke(main, ["validate", spec_of(CASES / name).name])
        assert (result.exit_code, result.output) == (0, f"{printed}spec.yaml: valid\n")
    else:
        assert (result.exit_code, result.output) == (1, printed)


def test_committed_package_is_current(update):
    newest = list(resources.releases())[-1]
    package = pipeline.generate(pipeline.load_spec(newest), pipeline.Options(package="openresponses_kit"))
    if update:
        output.write(output.plan(COMMITTED, package.files, output.read_manifest(COMMITTED)))
    on_disk = {
        path.relative_to(COMMITTED).as_posix(): path.read_bytes().decode()
        for path in COMMITTED.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = [
        difference(COMMITTED / name, on_disk.get(name, ""), package.files.get(name, ""))
        for name in sorted(on_disk.keys() | package.files.keys())
        if on_disk.get(name) != package.files.get(name)
    ]
    assert not found, "\n\n".join([*found, RENEW])
