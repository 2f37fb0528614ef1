"""Packages that are distributions of their own: what lies around them, what is built of them, and who owns it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.cli import main
from openresponses_codegen.render.distribution import Packing, render_distribution, version_of
from openresponses_codegen.resources import resources, templates
from packaging.version import Version

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def configure(**keys: object) -> None:
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    Path("pyproject.toml").write_text(f'[tool.openresponses-codegen]\npackaging = "distribution"\n{lines}')


def built(folder: Path) -> tuple[Path, Path]:
    """The sdist and the wheel, which `twine` finds nothing wrong with. Nothing is downloaded for it."""
    build = [sys.executable, "-m", "build", "--no-isolation", str(folder)]
    subprocess.run(build, check=True, capture_output=True)
    (sdist,), (wheel,) = folder.glob("dist/*.tar.gz"), folder.glob("dist/*.whl")
    twine = [sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)]
    checked = subprocess.run(twine, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    return sdist, wheel


def test_the_wheel_and_the_sdist_hold_the_package_and_say_what_it_needs(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    """The whole package of the newest release, below a namespace, and imported from where the wheel was installed."""
    assert run("generate", "-o", "acme-kit", "--package", "acme.kit", "--packaging", "distribution").exit_code == 0
    manifest = json.loads(Path("acme-kit/generation.json").read_text())
    sdist, wheel = built(tmp_path / "acme-kit")
    assert (sdist.name, wheel.name) == ("acme_kit-2026.4.24.tar.gz", "acme_kit-2026.4.24-py3-none-any.whl")
    modules = {name.removeprefix("src/") for name in manifest["files"] if name.startswith("src/")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = Parser().parsestr(archive.read("acme_kit-2026.4.24.dist-info/METADATA").decode())
    assert {name for name in names if ".dist-info/" not in name} == modules
    assert "acme/kit/py.typed" in modules
    assert "acme_kit-2026.4.24.dist-info/licenses/LICENSE" in names
    needed = {each.partition(";")[0].strip() for each in metadata.get_all("Requires-Dist", [])}
    stated = dict(manifest["requires"])
    assert metadata["Requires-Python"] == stated.pop("python")
    listed = [stated, *manifest["extras"].values()]
    assert {each.lower() for each in needed} == {
        f"{name}{version}".lower() for each in listed for name, version in each.items()
    }
    assert set(metadata.get_all("Provides-Extra", [])) == set(manifest["extras"])
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {*manifest["files"], "generation.json"} <= inside
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", "site", wheel]
    subprocess.run(install, check=True, cwd=tmp_path)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import acme.kit as kit; print(kit.__file__, kit.SPEC_RELEASE)"
    command = [sys.executable, "-I", "-W", "error", "-c", code, str(tmp_path / "site")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == [str(tmp_path / "site/acme/kit/__init__.py"), "2026-04-24"]


def test_check_and_edits_work_as_for_a_module(run: Callable[..., Result]) -> None:
    configure(output="kit", components=["models"])
    assert run("generate").exit_code == 0
    assert run("check").exit_code == 0
    assert "nothing to do" in run("generate").output
    for name in ("pyproject.toml", "src/kit/models.py"):
        with Path("kit", name).open("a") as file:
            file.write("# edited\n")
    checked = run("check")
    assert checked.exit_code == 1
    assert "pyproject.toml: edited by hand" in checked.output
    assert "src/kit/models.py: edited by hand" in checked.output
    assert run("generate").exit_code == 2
    assert run("generate", "--keep-edited").exit_code == 0
    assert run("check").exit_code == 0


def test_name_revision_and_licence_are_configured_and_changes_of_them_are_told(run: Callable[..., Result]) -> None:
    configure(output="kit", components=["models"], distribution="Acme.Kit", revision=2, licence="MIT OR Apache-2.0")
    assert run("generate").exit_code == 0
    project = tomllib.loads(Path("kit/pyproject.toml").read_text())["project"]
    assert (project["name"], project["version"]) == ("Acme.Kit", "2026.4.24.post2")
    assert project["license"] == "MIT OR Apache-2.0"
    assert not Path("kit/LICENSE").exists(), "it is the user's own"
    assert Path("kit/LICENSE.Apache-2.0").read_text() == (ROOT / "LICENSE").read_text()
    configure(output="kit", components=["models"], distribution="Acme.Kit", revision=3, licence="MIT OR Apache-2.0")
    checked = run("check")
    assert checked.exit_code == 1
    assert "options changed" in checked.output


def test_files_around_the_package_can_be_the_users_own(run: Callable[..., Result]) -> None:
    configure(output="kit", components=["models"], own=["README.md", "pyproject.toml"])
    Path("kit").mkdir()
    Path("kit/README.md").write_text("# Mine\n")
    assert run("generate").exit_code == 0
    assert Path("kit/README.md").read_text() == "# Mine\n"
    assert not Path("kit/pyproject.toml").exists()
    assert run("check").exit_code == 0


def test_stubs_lie_in_the_package(run: Callable[..., Result]) -> None:
    configure(output="kit", stubs=["service.py"])
    assert run("generate").exit_code == 0
    stub = Path("kit/src/kit/service.py")
    stub.write_text(stub.read_text() + "# mine\n")
    assert run("check").exit_code == 0
    assert "nothing to do" in run("generate").output
    assert stub.read_text().endswith("# mine\n")


def test_a_package_that_becomes_a_distribution_leaves_nothing_behind(run: Callable[..., Result]) -> None:
    assert run("generate", "-o", "kit", "--components", "models").exit_code == 0
    done = run("generate", "-o", "kit", "--components", "models", "--packaging", "distribution", "--json")
    assert done.exit_code == 0
    assert not Path("kit/models.py").exists()
    assert Path("kit/src/kit/models.py").exists()
    assert json.loads(done.output)["packages"][0]["api"]["changes"] == []


@given(st.text(), st.integers(0, 99))
def test_every_release_gives_a_version_that_is_one(release: str, revision: int) -> None:
    """A release is text of a spec, and may be any."""
    version = Version(version_of(release, revision))
    assert str(version) == version_of(release, revision)
    assert Version(version_of(release, revision + 1)) > version


def test_versions_follow_releases_and_revisions() -> None:
    made = [version_of("2026-01-15", 0), version_of("2026-01-15", 1), version_of("2026-04-24", 0)]
    assert made == ["2026.1.15", "2026.1.15.post1", "2026.4.24"]
    assert made == sorted(made, key=Version)


@given(st.text(max_size=60))
def test_a_release_says_nothing_but_itself(release: str) -> None:
    """Whatever a spec calls itself: the project is TOML of known keys, the README has no HTML or heading of it."""
    packing = Packing("kit", "kit", 0, "MIT", {"python": ">=3.11", "pydantic": ">=2"}, {}, has_client=False)
    files = render_distribution(packing, release, templates())
    project = tomllib.loads(files["pyproject.toml"])
    assert set(project) == {"build-system", "project", "tool"}
    assert project["project"]["dependencies"] == ["pydantic>=2"]
    readme = files["README.md"]
    assert [line for line in readme.split("\n") if line.startswith("#")] == ["# kit"]
    assert "<" not in readme.replace("\\<", "")


def test_the_licence_that_comes_with_a_distribution_is_that_of_this_project() -> None:
    assert (resources() / "templates/distribution/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
