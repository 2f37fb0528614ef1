"""What the repository promises of itself: its commands, its layout, its links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
CITATION = re.compile(r"\brules? ([TSLRPXEWCNMZ]\d+)\b(?:(?:,| and) ([TSLRPXEWCNMZ]\d+)\b)?")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("templates/*.md")])
TOP_LEVEL = {
    ".ci", ".gitattributes", ".gitignore", ".pre-commit-hooks.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
    "README.md", "SECURITY.md", "action.yml", "docs", "generated", "generator", "mkdocs.yml", "pyproject.toml",
    "spec", "templates", "tests",
}  # fmt: skip


def test_ci_runs_the_test_command_of_the_readme_word_for_word() -> None:
    command = next(line for line in README.splitlines() if line.endswith(".venv/bin/pytest"))
    assert command in (ROOT / ".ci/run").read_text().splitlines()
    assert command in (ROOT / "CONTRIBUTING.md").read_text().splitlines()


def test_top_level_holds_what_the_design_lists_and_nothing_else() -> None:
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout")
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == TOP_LEVEL


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_rules_that_are_cited_exist() -> None:
    """Code, templates, generated package and tests cite rules by id; each has to be found in docs/protocol.md."""
    known = set(re.findall(r"^#+ ([TSLRPXEWCNMZ]\d+)\b", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE))
    assert len(known) > 70
    for folder in ("generator", "templates", "generated", "tests", "spec"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".jinja", ".json", ".toml"}:
                cited = re.findall(
                    r"\brules? ([TSLRPXEWCNMZ]\d+)\b(?:(?:,| and) ([TSLRPXEWCNMZ]\d+)\b)?", path.read_text()
                )
                for rule in {each for pair in cited for each in pair if each}:
                    assert rule in known, f"{path}: {rule}"


def test_files_stay_readable() -> None:
    """A file that outgrows about 400 lines has two subjects."""
    for folder in ("generator", "templates"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.py.jinja")]:
            assert len(path.read_text().splitlines()) <= 450, path
