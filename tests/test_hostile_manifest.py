"""A manifest, or a configuration, that somebody else wrote: it is believed in nothing that could do harm."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hostile import Json
from hostile_folder import fresh, refused, rewritten, run, tree
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.output import MANIFEST, changed_inputs, digest, find_drift, is_current, plan, read_manifest


@pytest.fixture
def package(tmp_path) -> tuple[Path, Path, Path]:
    """A document, another one, and the package of the first."""
    return fresh(tmp_path)


@pytest.fixture
def small(package) -> Path:
    return package[0]


@pytest.fixture
def other(package) -> Path:
    return package[1]


@pytest.fixture
def kit(package) -> Path:
    return package[2]


# Manifests ---------------------------------------------------------------------------------------------------


ESCAPES = (
    "../../x", "../x", "..", ".", "", "/etc/passwd", "//x", "a/../../x", "./x", "a/./x", "a//x", "x/", "a\\..\\..\\x",
    "..\\x", "C:\\x", "C:x", "\\\\host\\x", "x\0", "x\n", "\u202ex", "-rf", ".git/config", "~/x", "%2e%2e/x",
    "\uff0e\uff0e/x", "generation.json", "a/generation.json/../x", "x" * 300, "x/" * 3000 + "x", "*", "${HOME}/x",
)  # fmt: skip


@pytest.mark.parametrize("command", ["generate", "check"])
@pytest.mark.parametrize("name", ESCAPES, ids=lambda name: ascii(name)[:40])
def test_a_manifest_that_lists_what_is_not_its_own(name, command, kit, other, tmp_path) -> None:
    """No path in a manifest leads out of the folder: it is refused, and nothing is deleted."""
    for victim in (tmp_path / "x", kit.parent / "x"):
        victim.write_text("precious")
    rewritten(kit, lambda content: content["files"].update({name: digest(b"precious")}))
    before = tree(tmp_path)
    refused(run(command, other, "--output", kit), "bad-manifest")
    assert tree(tmp_path) == before


BROKEN: Mapping[str, bytes] = {
    "empty": b"",
    "no-json": b"{",
    "garbage": bytes(range(256)),
    "10-megabytes": b"[" + b" " * 10_000_000 + b"]",
    "deep": b"[" * 100_000,
    "number": b"1",
    "long-number": b"9" * 10_000,
    "not-a-number": b'{"format": NaN}',
    "text": b'"x"',
    "list": b"[]",
    "null": b"null",
    "object": b"{}",
    "newer": b'{"format": 99}',
    "infinite": b'{"format": Infinity}',
}


@pytest.mark.parametrize("command", ["generate", "check"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_manifest_that_is_none(broken, command, kit, other) -> None:
    """A manifest of another form is refused; `--force` is the way out, and does nothing by itself."""
    (kit / MANIFEST).write_bytes(BROKEN[broken])
    before = tree(kit.parent)
    refused(run(command, other, "--output", kit), "bad-manifest")
    assert tree(kit.parent) == before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
@pytest.mark.parametrize("command", ["generate", "check"])
def test_a_manifest_in_another_encoding(command, encoding, kit, small) -> None:
    """The same text in other bytes is no reason to break."""
    (kit / MANIFEST).write_text((kit / MANIFEST).read_text(), encoding=encoding)
    assert run(command, small, "--output", kit).exit_code in {0, 1, 2}


def _paths(content: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from _paths(value, (*path, key))


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "", "\ud800", "x", [], [None], {}, {"x": None}], ids=json.dumps)
def test_a_manifest_with_something_wrong(value, kit) -> None:
    """Any other value at any place: a diagnostic, or a manifest that everything can be done with."""
    good = json.loads((kit / MANIFEST).read_text())
    now = read_manifest(kit).inputs
    for path in _paths(good):
        content = json.loads(json.dumps(good))
        holder = content
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value
        (kit / MANIFEST).write_text(json.dumps(content))
        try:
            manifest = read_manifest(kit)
        except DiagnosticError:
            continue
        changed_inputs(manifest, now)
        is_current(kit, manifest, now)
        find_drift(kit, {}, manifest, now)
        assert plan(kit, {}, manifest).added == ()
        json.loads(manifest.text())


# Configuration -----------------------------------------------------------------------------------------------

CONFIGURATIONS = (
    "tool = 1", "[tool]\nopenresponses-codegen = 1", "[tool.openresponses-codegen]\noutput = 1",
    '[tool.openresponses-codegen]\noutput = ""', '[tool.openresponses-codegen]\noutput = "a\\u0000b"\npackage = "a"',
    '[tool.openresponses-codegen]\noutput = "kit"\nspec = "a\\u0000b.json"',
    '[tool.openresponses-codegen]\noutput = "kit"\npackage = "a; import os"',
    '[tool.openresponses-codegen]\noutput = "kit"\ncomponents = "models"',
    '[tool.openresponses-codegen]\noutput = "kit"\ncomponents = [1]',
    '[tool.openresponses-codegen]\noutput = "kit"\ncomponents = ["\\u001b[2J"]',
    '[tool.openresponses-codegen]\noutput = "kit"\nlenient = 1', '[tool.openresponses-codegen]\n"\\u001b[2J" = 1',
    '[tool.openresponses-codegen]\npackages = 1', "[tool.openresponses-codegen]\npackages = []",
    "[tool.openresponses-codegen]\npackages = [1]", '[tool.openresponses-codegen]\npackages = [{output = 1}]',
    '[tool.openresponses-codegen]\npackages = [{packages = []}]', "[tool.openresponses-codegen]\nx = 1",
    f'[tool.openresponses-codegen]\noutput = "{"x" * 300}"\npackage = "a"', "[tool.openresponses-codegen]",
    "[tool.openresponses-codegen", "x = " + "[" * 5000, "# tool.openresponses-codegen\n\x00", "x = 1e999\n[[tool]]",
)  # fmt: skip


@pytest.mark.parametrize("text", CONFIGURATIONS, ids=lambda text: ascii(text[-40:]))
def test_a_hostile_configuration(text, tmp_path, monkeypatch) -> None:
    """A `pyproject.toml` from somebody else ends in one clear error."""
    (tmp_path / "pyproject.toml").write_text(f"{text}\n# tool.openresponses-codegen\n")
    monkeypatch.chdir(tmp_path)
    for command in ("generate", "check"):
        result = run(command, "--config", tmp_path / "pyproject.toml")
        assert result.exit_code == 2
        assert result.output.count("rror: ") == 1, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]
