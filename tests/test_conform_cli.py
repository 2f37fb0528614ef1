"""The command `conform` as a user meets it: what it prints, how it exits, what it keeps to itself."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from conform_faults import FAULTS, KEY
from conform_host import Host, demonstration, hosting
from conform_wire import Faulty
from openresponses_codegen.cli import main
from openresponses_codegen.conform.cases import CASES


@pytest.fixture(scope="module")
def host() -> Generator[Host]:
    with hosting() as host:
        yield host


@pytest.fixture
def sound(host: Host) -> str:
    return host.serve("sound", demonstration())


@pytest.fixture
def faulty(host: Host) -> str:
    """A server whose streams have no [DONE]."""
    return host.serve("faulty", Faulty(demonstration(), FAULTS["S2-done-after-terminal"], KEY))


def conform(*arguments: str, key: str | None = KEY) -> Result:
    environment = {"OPENRESPONSES_API_KEY": key}
    result = CliRunner(env=environment).invoke(main, ["conform", *arguments], catch_exceptions=False)
    assert KEY not in result.output
    return result


def test_a_sound_server_passes_with_exit_code_0(sound: str) -> None:
    result = conform(sound)
    assert result.exit_code == 0, result.output
    assert re.search(r"\d+ cases: \d+ passed, 0 failed, 0 advice, \d+ skipped", result.output)
    assert result.stderr == ""


def test_a_failure_shows_what_was_sent_what_came_and_why_and_exits_with_1(faulty: str) -> None:
    result = conform(faulty)
    assert result.exit_code == 1
    told = result.output[result.output.index("failed  S2-done-after-terminal") :]
    assert "after the terminal event came null" in told
    assert "sent  POST /responses" in told
    assert "event: response.completed" in told


def test_advice_is_no_failure(host: Host) -> None:
    url = host.serve("unnumbered", Faulty(demonstration(), FAULTS["S3-from-zero-by-one"], KEY))
    result = conform(url)
    assert result.exit_code == 0
    assert "advice  S3-from-zero-by-one" in result.output


def test_json_has_the_documented_shape(faulty: str) -> None:
    report = json.loads(conform(faulty, "--format", "json").output)
    assert list(report) == [
        "format_version", "tool", "url", "release", "model", "seconds", "summary", "cases", "exchanges",
    ]  # fmt: skip
    assert report["format_version"] == 1
    assert sum(report["summary"].values()) == len(report["cases"]) == len(CASES)
    fields = ["id", "rule", "section", "title", "is_advice", "outcome", "reason", "exchanges"]
    assert all(list(each) == fields for each in report["cases"])
    (failed,) = [each for each in report["cases"] if each["outcome"] == "failed"]
    shown = [report["exchanges"][at] for at in failed["exchanges"]]
    assert all(list(each) == ["ask", "sent", "came"] for each in shown)
    assert any("what the sea is like" in each["sent"] for each in shown)


def test_junit_counts_failures_and_skips(faulty: str) -> None:
    root = ElementTree.fromstring(conform(faulty, "--format", "junit").output)
    assert (root.get("tests"), root.get("failures")) == (str(len(CASES)), "1")
    (failure,) = root.iter("failure")
    assert "what the sea is like" in (failure.text or "")
    assert int(root.get("skipped") or 0) == len(list(root.iter("skipped")))


def test_html_is_one_file_that_needs_no_other(faulty: str, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    result = conform(faulty, "--format", "html", "--output", str(target))
    assert result.exit_code == 1
    assert result.stdout == ""
    page = target.read_text("utf-8")
    assert KEY not in page
    assert page.count('<td class="outcome') == len(CASES)
    assert not re.search(r"(?:src|href|url)\s*[=(]|<script|@import", page)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--rule", "S2"], {"S2-done-after-terminal", "S2-done-is-last", "S2-closes"}),
        (["--rule", "s5", "--case", "L9-*"], {"S5-error-then-failed", "L9-fold"}),
        (["--case", "T4-answered"], {"T4-answered"}),
    ],
)
def test_cases_can_be_chosen(sound: str, arguments: list[str], expected: set[str]) -> None:
    report = json.loads(conform(sound, *arguments, "--format", "json").output)
    assert {each["id"] for each in report["cases"]} == expected


def test_the_cases_are_listed_without_a_server() -> None:
    assert conform("--list").output.count("\n") == len(CASES)
    listed = json.loads(conform("--list", "--rule", "W", "--format", "json").output)["cases"]
    assert {each["rule"][0] for each in listed} == {"W"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the server"),
        (["ftp://localhost/v1"], "starts with http:// or https://"),
        (["http://user:password@localhost/v1"], "credentials"),
        (["http://localhost:99999/v1"], "ort"),
        (["http://localhost/v1", "--rule", "Q"], "no case"),
        (["http://localhost/v1", "--release", "2020-01-01"], "release"),
        (["http://127.0.0.1:9/v1"], "cannot be reached"),
    ],
)
def test_wrong_use_is_one_clear_error(arguments: list[str], message: str) -> None:
    result = conform(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "password" not in result.output or "password" in str(arguments)


@pytest.mark.parametrize(
    ("path", "key", "message"),
    [("/sound/v1", None, "--api-key"), ("/sound/v2", KEY, "base URL"), ("/sound/v1/responses/", KEY, "passed")],
)
@pytest.mark.usefixtures("sound")
def test_a_server_that_lets_nobody_in_is_one_clear_error(host: Host, path: str, key: str | None, message: str) -> None:
    result = conform(host.url + path, "--rule", "T1", key=key)
    assert message in result.output
    assert result.exit_code == (0 if message == "passed" else 2)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("openresponses_codegen.conform")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    result = conform("http://localhost/v1")
    assert result.exit_code == 2
    assert "openresponses-codegen[conform]" in result.output


def test_other_commands_do_not_import_what_the_extra_brings() -> None:
    code = "import sys, openresponses_codegen.cli; print({'httpx2', 'jsonschema', 'websockets'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def test_progress_is_told_on_a_terminal_only(sound: str) -> None:
    command = [sys.executable, "-m", "openresponses_codegen", "conform", sound, "--rule", "T", "--output", os.devnull]
    environment = {**os.environ, "OPENRESPONSES_API_KEY": KEY, "TERM": "xterm"}
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        told = b""
        try:
            while piece := os.read(ours, 65536):
                told += piece
        except OSError:  # how the end of a terminal is told
            pass
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)
    assert process.returncode == 0
    assert b"asking" in told
    plain = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"asking" not in plain.stderr
