"""What is wrong with a package that lies in a project: each defect is found alone, where it is, with a way out."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openresponses_codegen import pipeline, resources
from openresponses_codegen.diagnostics import Diagnostic, Severity
from openresponses_codegen.doctor import environment, examine_package
from openresponses_codegen.doctor.staleness import version_of
from openresponses_codegen.output import MANIFEST, Inputs, plan, read_manifest, write

RELEASES = tuple(resources.releases())
SPEC = pipeline.load_spec(RELEASES[-1])
OPTIONS = pipeline.Options("kit", ("models", "events"))
NOW = pipeline.inputs_of(SPEC, OPTIONS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "kit"
    write(plan(folder, pipeline.generate(SPEC, OPTIONS).files, None))
    return folder


@pytest.fixture
def kit(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "kit")
    return tmp_path / "kit"


def found(kit: Path, now: Inputs | None = NOW, python: str | None = None) -> tuple[Diagnostic, ...]:
    return examine_package(kit, now, RELEASES, python)


def told(kit: Path, now: Inputs | None = NOW, python: str | None = None) -> Diagnostic:
    """The one finding; it says where and what to do."""
    findings = found(kit, now, python)
    assert len(findings) == 1, "\n".join(map(str, findings))
    assert findings[0].position is not None
    assert findings[0].hint
    return findings[0]


def change(kit: Path, **values: object) -> None:
    """Other values in the manifest."""
    content = json.loads((kit / MANIFEST).read_text())
    (kit / MANIFEST).write_text(json.dumps({**content, **values}))


def test_a_package_as_it_was_generated_gives_nothing(kit: Path) -> None:
    assert found(kit, python=sys.executable) == ()


def edit(kit: Path) -> None:
    with (kit / "models.py").open("a") as file:
        file.write("# mine\n")


def link(kit: Path) -> None:
    (kit / "models.py").rename(kit.parent / "elsewhere.py")
    (kit / "models.py").symlink_to(kit.parent / "elsewhere.py")


def replace_by_folder(kit: Path) -> None:
    (kit / "models.py").unlink()
    (kit / "models.py").mkdir()


def interrupt(kit: Path) -> None:
    (kit.parent / ".kit-abcd1234" / "new").mkdir(parents=True)


def keep(kit: Path) -> None:
    interrupt(kit)
    (kit.parent / ".kit-abcd1234" / "kept").touch()


FILES: list[tuple[str, str, Callable[[Path], object]]] = [
    ("edited-file", "kit/models.py", edit),
    ("missing-file", "kit/models.py", lambda kit: (kit / "models.py").unlink()),
    ("symlinked-file", "kit/models.py", link),
    ("unreadable-file", "kit/models.py", replace_by_folder),
    ("world-writable", "kit/models.py", lambda kit: (kit / "models.py").chmod(0o666)),
    ("world-writable", "kit", lambda kit: kit.chmod(0o777)),
    ("interrupted-write", ".kit-abcd1234", interrupt),
    ("interrupted-write", ".kit-abcd1234", keep),
]


@pytest.mark.parametrize(("code", "place", "plant"), FILES)
def test_a_defect_of_the_files_is_found_at_its_place(
    code: str, place: str, plant: Callable[[Path], object], kit: Path
) -> None:
    plant(kit)
    finding = told(kit)
    assert finding.code == code
    assert finding.position is not None
    assert finding.position.file == str(kit.parent / place)


def test_files_of_the_users_own_beside_generated_ones_are_no_defect(kit: Path) -> None:
    (kit / "mine.py").write_text("x = 1\n")
    (kit.parent / ".kit-cache").mkdir()
    (kit.parent / ".kit-12345678").mkdir()
    (kit.parent / ".kit-12345678" / "notes").touch()
    assert found(kit) == ()


def test_a_folder_that_is_linked_is_told(kit: Path) -> None:
    kit.rename(kit.parent / "real")
    kit.symlink_to(kit.parent / "real")
    assert told(kit).code == "symlinked-file"


@pytest.mark.parametrize(
    ("code", "now"),
    [
        ("older-generator", replace(NOW, version="99.0.0", generator="other", templates="other", tools={})),
        ("newer-generator", replace(NOW, version="0.0.1", generator="other", templates="other", tools={})),
        ("stale-spec", replace(NOW, spec="other")),
        ("stale-templates", replace(NOW, templates="other")),
        ("stale-generator", replace(NOW, generator="other")),
        ("stale-generator", replace(NOW, tools={**NOW.tools, "ruff": "0.0.1"})),
        ("stale-options", replace(NOW, lenient=True)),
    ],
)
def test_what_changed_since_is_told(code: str, now: Inputs, kit: Path) -> None:
    finding = told(kit, now)
    assert (finding.code, finding.severity) == (code, Severity.WARNING)


def test_a_newer_release_is_told(tmp_path: Path) -> None:
    spec = pipeline.load_spec(RELEASES[0])
    write(plan(tmp_path / "kit", pipeline.generate(spec, OPTIONS).files, None))
    finding = told(tmp_path / "kit", pipeline.inputs_of(spec, OPTIONS))
    assert (finding.code, finding.severity) == ("newer-release", Severity.NOTE)
    assert RELEASES[-1] in finding.message


@pytest.mark.parametrize(
    ("code", "severity", "values"),
    [
        ("wrong-python", Severity.ERROR, {"requires": {"python": ">=99.1"}}),
        ("missing-dependency", Severity.ERROR, {"requires": {"no-such-distribution": ">=1"}}),
        ("old-dependency", Severity.ERROR, {"requires": {"pydantic": ">=99"}}),
        ("old-dependency", Severity.WARNING, {"extras": {"fast": {"pydantic": ">=99"}}}),
        ("missing-extra", Severity.NOTE, {"extras": {"fast": {"no-such-distribution[x]": ">=1"}}}),
        ("unreadable-requirement", Severity.NOTE, {"requires": {"pydantic": "~=2.14"}}),
    ],
)
def test_what_an_environment_lacks_is_told(code: str, severity: Severity, values: dict[str, object], kit: Path) -> None:
    change(kit, **values)
    finding = told(kit, python=sys.executable)
    assert (finding.code, finding.severity) == (code, severity)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("import os\nraise RuntimeError('no luck')\n", "RuntimeError: no luck", 2),
        ("x = 1\n\n\ndef broken(:\n", "SyntaxError", 4),
        ("from . import _no_such_module\n", "ImportError", 1),
        ("import no_such_distribution\n", "ModuleNotFoundError", 1),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_with_its_line(text: str, message: str, line: int, kit: Path) -> None:
    (kit / "models.py").write_text(text)
    edited, failed = found(kit, python=sys.executable)
    assert edited.code == "edited-file"
    assert failed.code == "not-importable"
    assert message in failed.message
    assert "`kit" in failed.message
    assert failed.position is not None
    assert (failed.position.file, failed.position.line) == (str(kit / "models.py"), line)


def test_what_is_missing_is_told_once(kit: Path) -> None:
    """A module that needs a distribution which is not there fails, too; that follows, and is not told again."""
    change(kit, requires={"no-such-distribution": ">=1"})
    (kit / "models.py").write_text("import no_such_distribution\n")
    assert [each.code for each in found(kit, python=sys.executable)] == ["edited-file", "missing-dependency"]


def test_what_a_package_prints_is_not_taken_for_the_answer(kit: Path) -> None:
    text = (kit / "__init__.py").read_text()
    (kit / "__init__.py").write_text(text + "print('{}')\nimport atexit\natexit.register(print, 'bye')\n")
    assert [each.code for each in found(kit, python=sys.executable)] == ["edited-file"]


@pytest.mark.parametrize("text", ["import os\nos._exit(3)\n", "import sys\nsys.exit(3)\n"])
def test_a_package_that_ends_the_interpreter_is_told(text: str, kit: Path) -> None:
    (kit / "__init__.py").write_text(text)
    failed = found(kit, python=sys.executable)[-1]
    assert failed.code == "not-importable"
    assert "code 3" in failed.message


def test_a_package_that_never_ends_to_import_is_told(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "TIME_LIMIT", 0.5)
    (kit / "__init__.py").write_text("import threading\nthreading.Event().wait()\n")
    failed = found(kit, python=sys.executable)[-1]
    assert failed.code == "not-importable"
    assert "0.5 seconds" in failed.message


def test_importing_leaves_nothing_behind(kit: Path) -> None:
    before = sorted(kit.parent.rglob("*"))
    found(kit, python=sys.executable)
    assert sorted(kit.parent.rglob("*")) == before


def test_modules_beside_the_package_are_not_in_its_way(kit: Path) -> None:
    (kit.parent / "json.py").write_text("raise RuntimeError('not this one')\n")
    assert found(kit, python=sys.executable) == ()


@pytest.mark.parametrize("python", ["no-such-python", os.fspath(Path(__file__).parent)])
def test_an_interpreter_that_is_none_is_told(python: str, kit: Path) -> None:
    assert told(kit, python=python).code == "no-python"


def test_a_program_that_is_no_interpreter_is_told(kit: Path) -> None:
    assert told(kit, python="/bin/false").code == "not-importable"


def test_a_manifest_that_cannot_be_read_is_told(kit: Path) -> None:
    (kit / MANIFEST).write_text("{")
    assert [each.code for each in found(kit)] == ["bad-manifest"]


def test_a_folder_without_manifest_is_told(tmp_path: Path) -> None:
    assert told(tmp_path).code == "no-manifest"


def test_nothing_of_the_package_runs_without_an_interpreter(kit: Path) -> None:
    text = (kit / "__init__.py").read_text()
    (kit / "__init__.py").write_text(text + f"open({str(kit.parent / 'ran')!r}, 'w').close()\n")
    found(kit, python=None)
    assert not (kit.parent / "ran").exists()
    found(kit, python=sys.executable)
    assert (kit.parent / "ran").exists(), "the test is able to tell"


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("1.9", "1.10"), ("1.0rc1", "1.0"), ("1.0.dev3", "1"), ("1.0a1", "1.0b1"), ("1.0", "1.0.post1"), ("2.0b1", "10")],
)
def test_versions_sort_as_they_are_released(lower: str, higher: str) -> None:
    assert version_of(lower) < version_of(higher)


def test_versions_that_say_the_same_are_equal() -> None:
    assert version_of("1.0") == version_of("1") == version_of("1.0.0+local") == version_of("v1.0")


def test_the_committed_package_is_healthy() -> None:
    """With everything that it needs and may need, as in CI; only what changed since may be told."""
    folder = Path(__file__).parents[1] / "generated" / "openresponses_kit"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert found(folder, manifest.inputs, sys.executable) == ()
