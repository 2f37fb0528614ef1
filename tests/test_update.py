"""The command `update`: what it takes, shows and writes, and that a step which fails leaves everything as it was."""

from __future__ import annotations

import json
import os
import pty
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from byte_server import ByteServer, Talk, answering, sized
from click.testing import CliRunner, Result
from hostile_folder import tree
from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import main
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.output import writing
from openresponses_codegen.update import LOCK, Entry, Lock, read_lock

OLD, *_, NEW = resources.releases()
THING = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
SMALL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "paths": {"/things": {"post": {"operationId": "make", "requestBody": THING, "responses": {"200": THING}}}},
    "components": {
        "schemas": {
            "Thing": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "Colour": {"type": "string", "enum": ["red", "green"]},
        }
    },
}


def document(version: str = "1", **schemas: Any) -> bytes:
    components = {"schemas": {**SMALL["components"]["schemas"], **schemas}}
    return json.dumps({**SMALL, "info": {"title": "Small", "version": version}, "components": components}).encode()


FIRST = document()
SAFE = document("2", Size={"type": "string", "enum": ["s", "m"]})
BREAKING = document("2", Thing={"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]})
CONFIG = """\
[tool.openresponses-codegen]
components = ["models"]
spec = "./openapi.json"

[[tool.openresponses-codegen.packages]]
output = "one"

[[tool.openresponses-codegen.packages]]
output = "src/two"

[[tool.openresponses-codegen.packages]]
output = "other"
spec = "./other.json"
"""
Run = Callable[..., Result]
Serve = Callable[[Talk], ByteServer]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a project of three packages of two documents."""
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(CONFIG)
    Path("openapi.json").write_bytes(FIRST)
    Path("other.json").write_bytes(FIRST)

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), input=stdin, catch_exceptions=False)

    assert run("generate").exit_code == 0
    return run


@pytest.fixture
def serve(server_tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Real servers with TLS, vouched for by an authority that the user trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    running: list[ByteServer] = []

    def serve(talk: Talk) -> ByteServer:
        running.append(ByteServer(talk, server_tls).__enter__())
        return running[-1]

    yield serve
    for each in running:
        each.__exit__(None, None, None)


LOOPBACK = ("--allow-address", "127.0.0.1")


def given(content: bytes, *arguments: str) -> tuple[str, ...]:
    """The arguments that take a document from a file outside the project."""
    path = Path.cwd().parent / f"{Path.cwd().name}-new.json"
    path.write_bytes(content)
    return ("update", "--from", str(path), "--spec", "openapi.json", *arguments)


def lock() -> Lock:
    return read_lock(Path())


# What comes in ---------------------------------------------------------------------------------------------------


def test_a_document_is_fetched_written_locked_and_generated_from(run: Run, serve: Serve) -> None:
    server = serve(answering(sized(SAFE)))
    before = tree(Path("other"))
    result = run("update", "--from", server.url, "--spec", "openapi.json", *LOOPBACK)
    assert result.exit_code == 0, result.output
    assert Path("openapi.json").read_bytes() == SAFE
    fingerprint = pipeline.lower_spec(pipeline.load_spec("openapi.json")).fingerprint
    entry = Entry(server.url, sha256(SAFE).hexdigest(), "2", fingerprint)
    assert lock().specs == {"openapi.json": entry}
    assert "Size" in Path("one/models.py").read_text()
    assert "Size" in Path("src/two/models.py").read_text()
    assert tree(Path("other")) == before
    assert run("check").exit_code == 0
    assert "1 safe" in result.output
    assert "openapi.json: Open Responses 2 from https://127.0.0.1" in result.output


def test_the_lock_says_where_the_next_one_comes_from(run: Run, serve: Serve) -> None:
    answers = [SAFE, FIRST]
    server = serve(lambda peer: (peer.request(), peer.send(sized(answers.pop(0))))[1])
    Path("pyproject.toml").write_text(CONFIG.partition('[[tool.openresponses-codegen.packages]]\noutput = "other"')[0])
    assert run("update", "--from", server.url, *LOOPBACK).exit_code == 0
    assert run("update", *LOOPBACK).exit_code == 0
    assert Path("openapi.json").read_bytes() == FIRST
    assert lock().specs["openapi.json"].url == server.url


def test_the_same_document_again_changes_nothing(run: Run, serve: Serve) -> None:
    server = serve(answering(sized(SAFE)))
    command = ("update", "--from", server.url, "--spec", "openapi.json", *LOOPBACK)
    run(*command)
    before = tree(Path())
    times = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    result = run(*command)
    assert (result.exit_code, "no difference" in result.output) == (0, True)
    assert tree(Path()) == before
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == times


def test_a_file_is_taken_without_a_url_in_the_lock(run: Run) -> None:
    assert run(*given(SAFE)).exit_code == 0
    assert lock().specs["openapi.json"].url is None
    result = run("update", "--spec", "openapi.json")
    assert (result.exit_code, "[no-origin]" in result.output) == (2, True)


def test_a_release_is_taken_from_those_that_are_bundled(run: Run) -> None:
    result = run("update", NEW, "--spec", "openapi.json")
    assert result.exit_code == 0, result.output
    assert Path("openapi.json").read_bytes() == resources.releases()[NEW].read_bytes()
    assert lock().specs["openapi.json"].release == NEW
    assert run("check").exit_code == 0


def test_a_first_document_is_put_where_none_was(run: Run) -> None:
    Path("openapi.json").unlink()
    result = run(*given(SAFE))
    assert result.exit_code == 0, result.output
    assert Path("openapi.json").read_bytes() == SAFE


def test_a_document_that_is_there_and_broken_is_replaced_without_comparison(run: Run) -> None:
    Path("openapi.json").write_text("{")
    result = run(*given(SAFE))
    assert (result.exit_code, "is not compared" in result.output) == (0, True)


def test_permissions_of_the_document_stay(run: Run) -> None:
    Path("openapi.json").chmod(0o640)
    assert run(*given(SAFE)).exit_code == 0
    assert Path("openapi.json").stat().st_mode & 0o777 == 0o640


def test_a_project_of_a_bundled_release_is_told_which_line_to_change(run: Run) -> None:
    text = f'[tool.openresponses-codegen]\n# spec = "{OLD}"\noutput = "kit"\nspec = "{OLD}"\ncomponents = ["models"]\n'
    Path("pyproject.toml").write_text(text)
    before = tree(Path())
    result = run("update")
    assert result.exit_code == 0, result.output
    assert f'pyproject.toml:4:1: write `spec = "{NEW}"` here, then run `generate`' in result.output
    assert "breaking" in result.output
    assert tree(Path()) == before
    Path("pyproject.toml").write_text(text.replace(OLD, NEW))
    assert f"`{NEW}` is the release to use" in run("update").output


def test_several_documents_are_updated_together(run: Run, serve: Serve) -> None:
    server = serve(answering(sized(SAFE)))
    for name in ("openapi.json", "other.json"):
        run("update", "--from", server.url, "--spec", name, *LOOPBACK)
        Path(name).write_bytes(FIRST)
    assert run("update", *LOOPBACK).exit_code == 0
    assert Path("openapi.json").read_bytes() == Path("other.json").read_bytes() == SAFE
    assert run("check").exit_code == 0


# What is refused -------------------------------------------------------------------------------------------------


def unchanged(run: Run, *arguments: str, exit_code: int = 2, code: str | None = None) -> Result:
    """Runs a command that fails, and holds the tree against what it was."""
    before = tree(Path())
    result = run(*arguments)
    assert result.exit_code == exit_code, result.output
    assert code is None or f"[{code}]" in result.output, result.output
    assert tree(Path()) == before
    return result


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"{", "bad-json"),
        (b"<html></html>", "bad-json"),
        (b"\xff\xfe", "bad-encoding"),
        (b'{"openapi": "3.0.0"}', "openapi-version"),
        (document("2", Thing={"not": {}}), "unsupported-keyword"),
        (document("2", Thing={"$ref": "#/components/schemas/Gone"}), "dangling-reference"),
        (b"[" * 100_000, "too-deep"),
    ],
)
def test_a_document_that_is_not_valid_changes_nothing(content: bytes, code: str, run: Run) -> None:
    result = unchanged(run, *given(content))
    assert "error: " in result.output


def test_an_answer_that_is_no_document_changes_nothing(run: Run, serve: Serve) -> None:
    for answer in (sized(b"", status=b"404 Not Found"), sized(b"<html>", b"Content-Type: text/html"), b"", b"{"):
        server = serve(answering(answer, closing=True))
        unchanged(run, "update", "--from", server.url, "--spec", "openapi.json", *LOOPBACK, code="not-fetched")


def test_an_address_has_to_be_allowed(run: Run, serve: Serve) -> None:
    server = serve(answering(sized(SAFE)))
    unchanged(run, "update", "--from", server.url, "--spec", "openapi.json", code="address-refused")
    assert server.connections == 0


def test_locked_takes_what_the_lock_says_and_nothing_else(run: Run, serve: Serve) -> None:
    answers = [SAFE, BREAKING, SAFE]
    server = serve(lambda peer: (peer.request(), peer.send(sized(answers.pop(0))))[1])
    command = ("update", "--from", server.url, "--spec", "openapi.json", *LOOPBACK)
    unchanged(run, *given(SAFE), "--locked", code="not-locked")
    assert run(*command).exit_code == 0
    unchanged(run, *command, "--locked", code="not-locked")
    Path("openapi.json").write_bytes(FIRST)
    assert run(*command, "--locked").exit_code == 0
    assert Path("openapi.json").read_bytes() == SAFE


def test_fail_on_breaking_writes_nothing(run: Run) -> None:
    result = unchanged(run, *given(BREAKING), "--fail-on", "breaking", exit_code=1)
    assert "nothing was changed" in result.output
    assert run(*given(SAFE), "--fail-on", "breaking").exit_code == 0


def test_without_a_terminal_breaking_changes_are_taken(run: Run) -> None:
    result = run(*given(BREAKING))
    assert (result.exit_code, "breaking" in result.output) == (0, True)
    assert Path("openapi.json").read_bytes() == BREAKING


def test_dry_run_writes_nothing(run: Run) -> None:
    result = unchanged(run, *given(SAFE), "--dry-run", exit_code=0)
    assert "would be generated" in result.output
    assert "1 safe" in result.output


def test_a_file_that_was_edited_by_hand_stays(run: Run) -> None:
    with Path("src/two/models.py").open("a") as file:
        file.write("# mine\n")
    unchanged(run, *given(SAFE), code="edited-by-hand")
    assert run(*given(SAFE), "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--from", "x.json"), "several-specs"),
        ((NEW,), "several-specs"),
        (("--spec", "nothing.json", "--from", "x.json"), "unknown-spec"),
        (("--spec", "openapi.json", "--from", "nothing.json"), "not-found"),
        (("--spec", "openapi.json", "--from", "http://example.com/"), "bad-url"),
        (("--spec", "openapi.json", "2020-01-01"), "unknown-release"),
        (("--spec", "openapi.json"), "no-origin"),
        (("--spec", "openapi.json", "--from", "x", "--allow-address", "everywhere"), "bad-address"),
    ],
)
def test_what_cannot_be_meant_is_told(arguments: tuple[str, ...], code: str, run: Run) -> None:
    result = unchanged(run, "update", *arguments, code=code)
    assert "hint: " in result.output


def test_a_release_and_an_origin_are_one_too_many(run: Run) -> None:
    unchanged(run, "update", NEW, "--from", "x.json")


def test_without_a_configuration_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["update"])
    assert (result.exit_code, "[no-config]" in result.output) == (2, True)


def test_a_document_that_is_a_link_is_not_written_through(run: Run) -> None:
    Path("real.json").write_bytes(FIRST)
    Path("openapi.json").unlink()
    Path("openapi.json").symlink_to("real.json")
    unchanged(run, *given(SAFE), code="output-behind-link")


# Steps that fail -------------------------------------------------------------------------------------------------

BEFORE_WRITING = [
    "openresponses_codegen.pipeline.lower_spec",
    "openresponses_codegen.pipeline.generate",
    "openresponses_codegen.pipeline.compare",
    "openresponses_codegen.cli.generate.plan",
    "openresponses_codegen.output.writing._staged",
    "openresponses_codegen.output.writing._staged_document",
    "openresponses_codegen.output.writing._make",
    "shutil.copymode",
]


@pytest.mark.parametrize("step", BEFORE_WRITING)
@pytest.mark.parametrize("call", [1, 2])
def test_a_step_that_fails_changes_nothing(step: str, call: int, run: Run) -> None:
    """The first call of a step fails, or the second, as the system may have it fail."""
    arguments = given(SAFE)
    before = tree(Path())
    with pytest.MonkeyPatch.context() as patch:
        failed = failing(step, call, patch)
        result = CliRunner().invoke(main, arguments)
    assert (result.exit_code != 0) == bool(failed), result.output
    assert (tree(Path()) == before) == bool(failed)


def failing(step: str, call: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Has a function fail at one of its calls; the list is filled when it did."""
    module_name, name = step.rsplit(".", 1)
    module = sys.modules[module_name]
    real = getattr(module, name)
    calls: list[int] = []
    failed: list[int] = []

    def fails(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            failed.append(1)
            raise OSError(28, "No space left on device")
        return real(*arguments, **more)

    monkeypatch.setattr(module, name, fails)
    return failed


def moves(monkeypatch: pytest.MonkeyPatch, fail_at: int) -> list[Path]:
    """The places that files are moved to; one move fails."""
    moved: list[Path] = []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        moved.append(Path(target))
        if len(moved) - 1 == fail_at:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return moved


def test_a_move_that_fails_is_undone_with_all_before_it(run: Run, tmp_path: Path) -> None:
    """Every single move: files of two packages, the document and the lock are one whole."""
    arguments = given(SAFE)
    before = tree(tmp_path)
    at = 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            moved = moves(patch, at)
            result = CliRunner().invoke(main, list(arguments))
        if len(moved) <= at:
            break
        assert result.exit_code == 2, result.output
        assert "[not-writable]" in result.output
        assert tree(tmp_path) == before, f"move {at}"
        at += 1
    assert result.exit_code == 0, result.output
    assert at >= 6, "two packages with manifest and models, the document, the lock"
    assert {path.name for path in moved} >= {"models.py", "generation.json", "openapi.json", LOCK}


def test_what_is_interrupted_changes_nothing(run: Run, tmp_path: Path) -> None:
    before = tree(tmp_path)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_carry_out", interrupted)
        CliRunner().invoke(main, list(given(SAFE)))
    assert tree(tmp_path) == before


# Asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "code", "content"), [("y\n", 0, BREAKING), ("n\n", 1, FIRST), ("\n", 1, FIRST)])
def test_at_a_terminal_breaking_changes_are_asked_about(answer: str, code: int, content: bytes, run: Run) -> None:
    main_end, terminal = pty.openpty()
    command = [sys.executable, "-m", "openresponses_codegen", *given(BREAKING)]
    os.write(main_end, answer.encode())
    result = subprocess.run(command, stdin=terminal, capture_output=True, text=True, check=False, timeout=60)
    os.close(main_end)
    os.close(terminal)
    assert result.returncode == code, result.stderr
    assert "breaking changes. Go on?" in result.stderr
    assert Path("openapi.json").read_bytes() == content


def test_at_a_terminal_yes_and_safe_changes_are_not_asked_about(run: Run) -> None:
    for content, arguments in ((SAFE, ()), (BREAKING, ("--yes",))):
        main_end, terminal = pty.openpty()
        command = [sys.executable, "-m", "openresponses_codegen", *given(content, *arguments)]
        result = subprocess.run(command, stdin=terminal, capture_output=True, text=True, check=False, timeout=60)
        os.close(main_end)
        os.close(terminal)
        assert (result.returncode, "Go on?" in result.stderr) == (0, False)


# What is said ----------------------------------------------------------------------------------------------------


def test_json_says_what_was_taken_and_done(run: Run) -> None:
    result = run(*given(BREAKING), "--json")
    content = json.loads(result.stdout)
    assert (content["dry_run"], content["written"]) == (False, True)
    (spec,) = content["specs"]
    assert (spec["spec"], spec["release"], spec["sha256"]) == ("openapi.json", "2", sha256(BREAKING).hexdigest())
    assert spec["changes"]["breaking"] >= 1
    assert [Path(each["output"]).name for each in content["packages"]] == ["one", "two"]
    refused = json.loads(run(*given(FIRST), "--fail-on", "risky", "--json").stdout)
    assert (refused["written"], refused["packages"]) == (False, [])


# The lock --------------------------------------------------------------------------------------------------------


def test_a_lock_reads_as_it_was_written(tmp_path: Path) -> None:
    entry = Entry('https://example.com/"\\\u2028', "0" * 64, "2", "sha256:x")
    written = Lock().including("b/openapi.json", entry).including("a.json", Entry(None, "1" * 64, "1", "y"))
    (tmp_path / LOCK).write_text(written.text())
    assert read_lock(tmp_path) == written
    assert read_lock(tmp_path).text() == written.text()
    assert read_lock(tmp_path / "nowhere") == Lock()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "specs": {}}',
        '{"format": 1}',
        '{"format": 1, "specs": []}',
        '{"format": 1, "specs": {"a": {}}}',
        '{"format": 1, "specs": {"a": {"url": 1, "sha256": "' + "0" * 64 + '", "release": "", "fingerprint": ""}}}',
        '{"format": 1, "specs": {"a": {"url": null, "sha256": "x", "release": "", "fingerprint": ""}}}',
        "[" * 100_000,
    ],
)
def test_a_lock_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        read_lock(tmp_path)
    assert caught.value.diagnostics[0].code == "bad-lock"


def test_a_lock_that_is_none_stops_an_update(run: Run) -> None:
    Path(LOCK).write_text("{")
    unchanged(run, *given(SAFE), code="bad-lock")
