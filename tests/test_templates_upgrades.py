"""An upgrade that changes a template of ours tells whose templates were made from it, and shows what changed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen import resources
from openresponses_codegen.cli import main
from openresponses_codegen.overrides import blocks_of, catalogue, eject, outdated, read_overrides

ERRORS = "core/errors.py.jinja"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A copy of our templates that a test can change, as an upgrade does."""
    return shutil.copytree(resources.templates(), tmp_path / "ours")


@pytest.fixture
def yours(tmp_path: Path) -> Path:
    return tmp_path / "yours"


def upgrade(ours: Path, old: str, new: str, name: str = ERRORS) -> None:
    path = ours / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def changes(yours: Path, ours: Path):
    return outdated(read_overrides(yours, ours), ours)


def test_a_replaced_template_shows_the_whole_change(ours: Path, yours: Path) -> None:
    eject(yours, ours, ERRORS)
    assert changes(yours, ours) == ((), ())
    upgrade(ours, "class StreamError(", "class StreamFault(")
    ((change,), notes) = changes(yours, ours)
    assert (change.name, change.blocks, notes) == (ERRORS, (), ())
    assert "-class StreamError(" in change.diff
    assert "+class StreamFault(" in change.diff


def test_a_template_that_extends_shows_the_change_of_its_blocks_alone(ours: Path, yours: Path) -> None:
    eject(yours, ours, ERRORS, ("imports", "StreamError_body"))
    upgrade(ours, "class BadRequestError(", "class BadError(")
    assert changes(yours, ours) == ((), ()), "what it does not extend changed"
    block = blocks_of((ours / ERRORS).read_text())["StreamError_body"]
    upgrade(ours, block, block + "\n    added = 1\n")
    ((change,), _) = changes(yours, ours)
    assert change.blocks == ("StreamError_body",)
    assert "+    added = 1" in change.diff
    assert "BadError" not in change.diff


def test_a_block_that_holds_others_changes_with_them(ours: Path, yours: Path) -> None:
    name = "core/client/shell/responses.py.jinja"
    eject(yours, ours, name, ("Responses_body",))
    upgrade(ours, "    {{ async }}def parse(", "    {{ async }}def read(", name)
    ((change,), _) = changes(yours, ours)
    assert change.blocks == ("Responses_body",)


def test_a_copied_source_that_is_replaced_shows_its_change(ours: Path, yours: Path) -> None:
    eject(yours, ours, "core/_base.py")
    upgrade(ours, "class ResponseModel", "class AnsweredModel", "core/_base.py")
    ((change,), _) = changes(yours, ours)
    assert "+class AnsweredModel" in change.diff


def test_every_block_of_every_template_is_found_whole() -> None:
    """Drift is told by the source of blocks: taken apart and put together again it is the template."""
    for name, original in catalogue(resources.templates()).items():
        if original.is_template:
            text = original.text
            assert text.count("{% block") + text.count("{%- block") == len(original.blocks), name
            assert all(source in text for source in original.blocks.values()), name
            for source in original.blocks.values():
                assert len(re.findall(r"\{%-? block", source)) == source.count("endblock")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    return run


def test_generate_and_check_tell_and_accept_ends_it(
    run: Callable[..., Result], ours: Path, yours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("templates", "eject", ERRORS, "--block", "end", "--templates", "yours")
    run("templates", "eject", "core/licence.jinja", "--templates", "yours")
    arguments = ("--output", "kit", "--components", "models", "--templates", "yours")
    assert "template-changed" not in run("generate", *arguments).output
    upgrade(ours, "{% block end %}{% endblock %}", "{% block end %}NEW = 1{% endblock %}")
    monkeypatch.setattr(resources, "templates", lambda: ours)
    for command in ("generate", "check", "generate"):  # the second time there is nothing to do
        result = run(command, *arguments)
        assert "core/errors.py.jinja: ours changed since yours was made: its blocks end" in result.output
        assert "+NEW = 1" in result.output
        assert result.exit_code == 0
    shown = json.loads(run("check", *arguments, "--json").output)["packages"][0]["templates"]
    assert [(each["name"], each["blocks"]) for each in shown] == [(ERRORS, ["end"])]
    assert run("templates", "accept", "core/errors.py.jinja", "--templates", "yours").exit_code == 0
    assert "template-changed" not in run("check", *arguments).output
    assert (yours / ".base" / ERRORS).read_text() == (ours / ERRORS).read_text()


def test_a_template_without_a_snapshot_gets_a_note(run: Callable[..., Result], yours: Path) -> None:
    (yours / "core").mkdir(parents=True)
    (yours / "core" / "licence.jinja").write_text("# Mine\n")
    arguments = ("--output", "kit", "--components", "models", "--templates", "yours")
    result = run("generate", *arguments)
    assert "[no-snapshot]" in result.output
    assert "templates accept core/licence.jinja" in result.output
    assert run("templates", "accept", "--templates", "yours").exit_code == 0
    assert "no-snapshot" not in run("check", *arguments).output
    result = run("templates", "accept", "core/errors.py.jinja", "--templates", "yours")
    assert result.exit_code == 2
    assert "has no `core/errors.py.jinja`" in result.output


def test_an_older_context_is_a_warning(
    run: Callable[..., Result], yours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("templates", "eject", "core/licence.jinja", "--templates", "yours")
    monkeypatch.setattr("openresponses_codegen.overrides.folder.CONTEXT_VERSION", 2)
    result = run("generate", "--output", "kit", "--components", "models", "--templates", "yours")
    assert result.exit_code == 0
    assert "written for context 1; this generator gives context 2" in result.output
