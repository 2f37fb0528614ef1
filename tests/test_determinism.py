"""The same document gives the same bytes: whatever the hash seed, the place, and the way it is handed over."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from openresponses_codegen import pipeline, resources
from openresponses_codegen.output import MANIFEST
from payloads import NEWEST, RELEASES
from test_cases import CASE_FOLDERS, outcome_of

SEEDS = ("0", "1", "4242")
SETTINGS = """
[tool.black]
line-length = 40
skip-string-normalization = true
[tool.isort]
profile = "google"
[tool.ruff]
line-length = 40
[tool.datamodel-codegen]
use-schema-description = true
snake-case-field = true
"""
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "40", "SOURCE_DATE_EPOCH": "1"}


@cache
def generated(release: str) -> Mapping[str, bytes]:
    """The files as this process makes them."""
    files = pipeline.generate(pipeline.load_spec(release), pipeline.Options(package="kit")).files
    return {name: text.encode() for name, text in files.items()}


def run(*arguments: str, cwd: Path, seed: str, stdin: bytes = b"", **environment: str) -> str:
    """The standard output of a Python process with a hash seed of its own."""
    command = [sys.executable, "-W", "error", *arguments]
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def assert_same(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Fail with what differs in each file; the manifest follows from the others."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files.keys() == wanted.keys()
    for name in sorted(files, key=lambda name: name == MANIFEST):
        now, before = (content.decode().splitlines() for content in (files[name], wanted[name]))
        lines = difflib.unified_diff(before, now, f"{name} in this process", f"{name} in the other", n=1, lineterm="")
        assert files[name] == wanted[name], "\n".join(lines)


@pytest.mark.parametrize(
    ("release", "given", "seed"),
    [
        (NEWEST, "name", SEEDS[0]),
        (NEWEST, "path", SEEDS[1]),
        (NEWEST, "stdin", SEEDS[2]),
        (RELEASES[0], "path", SEEDS[1]),
    ],
)
def test_the_command_line_writes_the_same_bytes(release, given, seed, tmp_path):
    document = resources.releases()[release]
    spec = {"name": release, "path": str(document), "stdin": "-"}[given]
    place = tmp_path / given / "some where" if given != "name" else tmp_path
    place.mkdir(parents=True, exist_ok=True)
    output = {"name": "kit", "path": str(tmp_path / "a" / "b" / "other"), "stdin": "../kit"}[given]
    options = ["generate", spec, "--output", output, "--package", "kit", "--quiet"]
    stdin = document.read_bytes() if given == "stdin" else b""
    elsewhere = ELSEWHERE if given != "name" else {}
    run("-m", "openresponses_codegen", *options, cwd=place, seed=seed, stdin=stdin, **elsewhere)
    assert_same(place / output, generated(release))


def digests_of_another(seed: str, cwd: Path) -> Mapping[str, str]:
    script = "import json, test_determinism; print(json.dumps(test_determinism.digests()))"
    return json.loads(run("-c", script, cwd=cwd, seed=seed))


@pytest.mark.parametrize("seed", SEEDS[1:])
def test_small_documents_give_the_same_bytes_under_every_seed(seed):
    others = digests_of_another(seed, Path.cwd())
    assert [name for name, value in digests().items() if others[name] != value] == []


def test_small_documents_give_the_same_bytes_in_every_folder(tmp_path):
    """What somebody else's tools are told in the working directory is nothing to us."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "ruff.toml").write_text("line-length = 40\n", encoding="utf-8")
    others = digests_of_another(SEEDS[0], tmp_path)
    assert [name for name, value in digests().items() if others[name] != value] == []


@cache
def digests() -> Mapping[str, str]:
    """A digest of what comes of each case, diagnostics among it."""
    return {case.name: digest(case) for case in CASE_FOLDERS}


def digest(case: Path) -> str:
    try:
        outcome = outcome_of(case)
    except (KeyError, ValueError) as error:  # a defect that `test_cases` reports
        return repr(error)
    return hashlib.sha256(json.dumps([dict(outcome.files), outcome.diagnostics]).encode()).hexdigest()


@pytest.mark.parametrize("release", RELEASES)
def test_a_second_run_in_one_process_gives_the_same_bytes(release):
    files = pipeline.generate(pipeline.load_spec(release), pipeline.Options(package="kit")).files
    assert {name: text.encode() for name, text in files.items()} == generated(release)


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_tells_where_or_when_it_was_generated(release):
    traces = {str(Path.home()), str(Path.cwd()), str(resources.resources()), socket.gethostname(), sys.prefix}
    traces = {trace for trace in traces if len(trace) > 3}
    found = {
        (name, trace) for name, content in generated(release).items() for trace in traces if trace.encode() in content
    }
    assert found == set()


@pytest.mark.parametrize("release", RELEASES)
def test_files_have_one_kind_of_line_and_end_in_one(release):
    wrong = [
        name
        for name, content in generated(release).items()
        if b"\r" in content or (content and (not content.endswith(b"\n") or content.endswith(b"\n\n")))
    ]
    assert wrong == []


def test_the_package_name_stands_in_docstrings_and_the_manifest_only():
    other = pipeline.generate(pipeline.load_spec(NEWEST), pipeline.Options(package="a.deeper.name")).files
    differing = {name for name, content in generated(NEWEST).items() if other[name].encode() != content}
    assert differing == {
        "__init__.py",
        "__main__.py",
        "gateway/__init__.py",
        "server/__init__.py",
        "testing.py",
        "generation.json",
    }
