"""`diff` as a user meets it: rules and pages, formats, exit codes, configuration, and documents that want to harm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from diff_pages import CHANGES, MARK, RULES, rule_tables
from openresponses_codegen import ir, pipeline
from openresponses_codegen.cli import main
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.diff import Party, Report, Severity, check_severities, rules
from openresponses_codegen.diff.github import github
from openresponses_codegen.diff.markdown import markdown
from openresponses_codegen.diff.plain import plain
from openresponses_codegen.diff.text import text
from payloads import RELEASES
from schemas import Document, document, spec

OLD, NEW = RELEASES[0], RELEASES[-1]
GOLDEN = Path(__file__).parent / "golden" / "diff"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> Result:
        result = CliRunner().invoke(main, ["diff", *arguments], env=environment, catch_exceptions=False)
        assert "Traceback (most" not in result.output
        return result

    return run


@pytest.fixture(scope="module")
def report() -> Report:
    """From the older release to the newer."""
    return pipeline.compare(pipeline.load_spec(OLD), pipeline.load_spec(NEW))


def compared(old: Document, new: Document) -> Report:
    return pipeline.compare(spec(old), spec(new))


# Pages and golden files -------------------------------------------------------------------------------------------


def renewed(path: Path, content: str, pytestconfig: pytest.Config) -> str:
    """What is in a file, after it was renewed when that is asked for."""
    if pytestconfig.getoption("--update"):
        path.write_text(content, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_the_page_of_the_rules_says_what_the_table_says(pytestconfig: pytest.Config) -> None:
    head, _, _ = RULES.read_text(encoding="utf-8").partition(MARK)
    content = f"{head}{MARK}\n\n{rule_tables()}"
    assert renewed(RULES, content, pytestconfig) == content


def test_the_page_of_the_changes_is_what_the_command_prints(
    run: Callable[..., Result], pytestconfig: pytest.Config
) -> None:
    content = run(OLD, NEW, "--format", "markdown").output
    assert renewed(CHANGES, content, pytestconfig) == content


@pytest.mark.parametrize("name", ["wide.txt", "narrow.txt", "annotations.txt"])
def test_the_report_of_the_releases_is_golden(name: str, report: Report, pytestconfig: pytest.Config) -> None:
    contents = {"wide.txt": text(report, 100), "narrow.txt": text(report, 50), "annotations.txt": github(report)}
    assert renewed(GOLDEN / name, contents[name], pytestconfig) == contents[name]


def test_every_rule_is_told_apart_and_complete() -> None:
    for name, rule in rules().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", name)
        assert set(rule.severity) == set(Party)
        assert all(sentence.endswith(".") for sentence in (rule.meaning, rule.advice))
        assert not rule.says.endswith(".")
    assert len({rule.title for rule in rules().values()}) == len(rules())


def test_every_kind_of_change_has_a_rule_for_each_side() -> None:
    sides = {side: {name.partition("-")[2] for name in rules() if name.startswith(f"{side}-")} for side in ir.Side}
    assert sides[ir.Side.REQUEST] == sides[ir.Side.RESPONSE]


# What a change tells ----------------------------------------------------------------------------------------------


def test_a_change_has_places_symbols_and_advice(report: Report) -> None:
    content = plain(report)
    assert (content["old"]["release"], content["new"]["release"]) == (OLD, NEW)
    (found,) = (each for each in content["changes"] if each["rule"] == "response-union-member-added")
    assert found["severity"] == "risky"
    assert found["parties"] == {"client": "safe", "server": "safe", "raw": "risky", "python": "safe"}
    assert found["symbols"] == ["ItemField", "CompactionBody"]
    assert found["sides"] == ["response"]
    assert found["advice"]
    assert (found["old"]["pointer"], found["old"]["file"]) == ("#/components/schemas/ItemField", OLD)
    (phase,) = (each for each in content["changes"] if each["subject"] == "AssistantMessageItemParam.phase")
    assert phase["old"] is None
    assert phase["symbols"] == ["AssistantMessageItemParam.phase", "params.AssistantMessageItemParam.phase"]


def test_places_are_where_it_is_written(report: Report) -> None:
    """The line that a change names holds the key that its pointer ends with."""
    lines = {name: pipeline.load_spec(name).content.decode().splitlines() for name in (OLD, NEW)}
    for change in report.changes:
        for place in (change.old, change.new):
            if place is not None:
                line = lines[place.position.file][place.position.line - 1]
                key = place.pointer.rpartition("/")[2].replace("~1", "/")
                assert key.isdecimal() or line[place.position.column - 1 :].startswith(f'"{key}"')


def test_the_worst_comes_first(report: Report) -> None:
    ranks = [each.overall.rank for each in report.changes]
    assert ranks == sorted(ranks)
    assert report.counts[Severity.BREAKING] == ranks.count(0) > 0


# The command ------------------------------------------------------------------------------------------------------


def test_fail_on_counts_what_is_as_bad_or_worse(run: Callable[..., Result]) -> None:
    for severity, status in (("breaking", 1), ("risky", 1), ("safe", 1), ("documentation", 1)):
        assert run(OLD, NEW, "--fail-on", severity).exit_code == status
    assert run(OLD, NEW).exit_code == 0
    assert run(NEW, NEW, "--fail-on", "documentation").exit_code == 0


def test_party_leaves_the_others_out(run: Callable[..., Result]) -> None:
    assert run(OLD, NEW, "--party", "server", "--fail-on", "risky").exit_code == 0
    assert run(OLD, NEW, "--party", "server", "--party", "raw", "--fail-on", "breaking").exit_code == 1
    content = json.loads(run(OLD, NEW, "--party", "server", "--format", "json").output)
    assert content["reports"][0]["parties"] == ["server"]
    assert {tuple(each["parties"]) for each in content["reports"][0]["changes"]} == {("server",)}


def test_colours_are_for_terminals_that_want_them() -> None:
    shown = CliRunner().invoke(main, ["diff", OLD, NEW], color=True)
    assert "\x1b[" in shown.output
    plain_text = CliRunner().invoke(main, ["diff", OLD, NEW], color=True, env={"NO_COLOR": "1"})
    assert "\x1b[" not in plain_text.output
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown.output) == plain_text.output


@pytest.mark.parametrize("width", [40, 60, 100, 400])
def test_lines_fit(report: Report, width: int) -> None:
    """But for places and names, which are not broken."""
    for line in text(report, width).splitlines():
        assert len(line) <= max(width, 40) or len(line.split()) <= 4


def test_nothing_is_said_in_few_words(run: Callable[..., Result]) -> None:
    assert run(NEW, NEW).output == f"{NEW} → {NEW}\nno difference\n"


def test_output_is_a_file_without_colours(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run(OLD, NEW, "--output", "report.txt").output == ""
    assert (tmp_path / "report.txt").read_text() == run(OLD, NEW).output
    refused = run(OLD, NEW, "--output", "none/report.txt")
    assert (refused.exit_code, "cannot be written" in refused.output) == (2, True)


def test_overlays_apply_to_both(run: Callable[..., Result], tmp_path: Path) -> None:
    overlay = """
overlay: 1.0.0
info: {title: Another word, version: "1"}
actions:
  - target: $.components.schemas.Message.properties.phase
    remove: true
"""
    (tmp_path / "less.yaml").write_text(overlay)
    assert run(NEW, NEW, "--overlay", "less.yaml").output.endswith("no difference\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((OLD,), "two are compared"), ((), "give OLD and NEW"), ((OLD, "none.json"), "there is no such file")],
)
def test_wrong_use_is_one_clear_error(run: Callable[..., Result], arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.output) == (2, True)


def test_a_document_that_is_wrong_is_refused_with_its_place(run: Callable[..., Result], tmp_path: Path) -> None:
    content = document(NEW)
    content["components"]["schemas"]["Message"]["properties"]["id"]["type"] = "strin"
    (tmp_path / "wrong.json").write_text(json.dumps(content, indent=1))
    result = run(NEW, "wrong.json")
    assert result.exit_code == 2
    assert re.search(r"wrong\.json:\d+:\d+: error: .*did you mean `string`", result.output, re.DOTALL)


# Configuration ----------------------------------------------------------------------------------------------------


def test_configured_packages_are_compared_with_what_would_be_generated(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    """From the document that each package holds, to the one that is configured; without arguments."""
    table = "[[tool.openresponses-codegen.packages]]\n"
    config = "".join(f'{table}spec = "{name}"\noutput = "{name}"\n' for name in (NEW, OLD))
    (tmp_path / "pyproject.toml").write_text(config)
    for name in (NEW, OLD):
        (tmp_path / name).mkdir()
        (tmp_path / name / "openapi.json").write_bytes(pipeline.load_spec(OLD).content)
    content = json.loads(run("--format", "json").output)
    assert [each["old"]["release"] for each in content["reports"]] == [OLD, OLD]
    assert [each["new"]["release"] for each in content["reports"]] == [NEW, OLD]
    assert [bool(each["changes"]) for each in content["reports"]] == [True, False]
    (tmp_path / NEW / "openapi.json").unlink()
    result = run()
    assert (result.exit_code, "does not hold its document" in result.output) == (2, True)


def test_severities_are_configured_by_rule(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run(OLD, NEW, "--fail-on", "breaking").exit_code == 1
    table = '[tool.openresponses-codegen.severities]\n"response-field-optional" = "safe"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    assert run(OLD, NEW, "--fail-on", "breaking").exit_code == 0
    assert "3 breaking" not in run(OLD, NEW).output


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('"response-field-optionl" = "safe"', "did you mean `response-field-optional`?"),
        ('"response-field-optional" = "save"', "did you mean `safe`?"),
        ('"response-field-optional" = 1', "the severities are"),
    ],
)
def test_a_wrong_severity_is_refused(run: Callable[..., Result], tmp_path: Path, table: str, said: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.openresponses-codegen.severities]\n{table}\n")
    result = run(OLD, NEW)
    assert (result.exit_code, said in result.output) == (2, True)


def test_all_wrong_severities_are_refused_at_once() -> None:
    with pytest.raises(DiagnosticError) as caught:
        check_severities({"one": "safe", "response-field-optional": "two"}, "here")
    assert [each.code for each in caught.value.diagnostics] == ["unknown-rule", "unknown-severity"]


# Hostile documents ------------------------------------------------------------------------------------------------

HOSTILE = "`</code>[x](http://evil)\n::error::\x1b[31m\u202e%0A{subject}|<script>"


@pytest.fixture(scope="module")
def hostile() -> Report:
    """A report that quotes what a document wants to say to a terminal, a page and a log."""
    changed = document(NEW)
    schemas = changed["components"]["schemas"]
    status = next(name for name, schema in schemas.items() if len(schema.get("enum", ())) > 2)
    schemas[status]["enum"].append(HOSTILE)
    schemas["Message"]["properties"][f"x{HOSTILE}"] = {"type": "string", "default": HOSTILE}
    schemas["Message"]["properties"]["id"]["default"] = HOSTILE
    schemas["Message"]["properties"]["id"]["format"] = HOSTILE
    schemas["Message"]["properties"]["type"]["enum"] = [HOSTILE]
    changed["paths"]["/responses/compact"]["post"]["operationId"] = HOSTILE
    changed["info"]["version"] = HOSTILE
    return compared(document(NEW), changed)


def as_text(report: Report) -> str:
    return text(report, 80)


def as_data(report: Report) -> str:
    return str(plain(report))


@pytest.mark.parametrize("shown", [as_text, markdown, github, as_data])
def test_quoted_text_steers_nothing(hostile: Report, shown: Callable[[Report], str]) -> None:
    content = shown(hostile)
    assert "script" in content
    assert all(character.isprintable() or character == "\n" for character in content)
    assert not re.search(r"^\s*::(error|warning|notice)::", content, re.MULTILINE)


def test_markdown_is_text_outside_of_backticks(hostile: Report) -> None:
    """No backtick of the document ends a code span, and outside of them nothing is markup."""
    for line in markdown(hostile).splitlines():
        assert line.count("`") % 2 == 0
        outside = re.sub(r"`[^`]*`", "", line)
        assert "<" not in outside.replace("\\<", "")
        assert not re.search(r"(?<!\\)\]\(", outside)


def test_annotations_are_one_line_each(hostile: Report) -> None:
    for line in github(hostile).splitlines():
        command = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert command is not None
        assert all("=" in each for each in command[2].split(","))


def test_a_comparison_imports_nothing_that_makes_code() -> None:
    """What takes long to import stays out of a process that compares only."""
    slow = ("datamodel_code_generator", "jinja2", "rich", "pydantic", "pydantic_core")
    code = f"""
import sys
from openresponses_codegen.cli import main
main(["diff", "{OLD}", "{NEW}", "--output", "{os.devnull}"], standalone_mode=False)
print([name for name in {slow!r} if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
