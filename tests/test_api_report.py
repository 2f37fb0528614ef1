"""Reports of API changes: every kind of change is told, with what it means to users, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import generated
from openresponses_codegen.api_changes import UnreadableError, compare, markdown, read
from openresponses_codegen.cli import main

OLD, NEW = "2026-01-15", "2026-04-24"
GOLDEN = Path(__file__).parent / "api_report" / f"{OLD}..{NEW}.md"
ROOT = 'from .models import A\n__all__ = ["A"]\n'


def changes(old: str, new: str, **others: str) -> list[tuple[str, str, str]]:
    """The changes between two texts of the module `models`."""
    files = {f"{name}.py": text for name, text in others.items()}
    before, after = (read({"__init__.py": "", "models.py": text, **files}) for text in (old, new))
    return [(each.impact.value, each.kind, each.symbol) for each in compare(before, after).changes]


CLASS, DICT = "class A(Base):\n    {}\n", "class A(TypedDict, total=False):\n    {}\n"
CASES = [
    # What is there
    ("class A: ...", "", ("breaking", "removed", "models.A")),
    ("", "class A: ...", ("added", "added", "models.A")),
    ("def f(): ...", "class f: ...", ("breaking", "kind", "models.f")),
    ("class A(ValueError): ...", "class A: ...", ("breaking", "base-removed", "models.A")),
    # Fields
    (CLASS.format("x: int"), CLASS.format("pass"), ("breaking", "removed", "models.A.x")),
    (CLASS.format("pass"), CLASS.format("x: int"), ("breaking", "field-required", "models.A.x")),
    (CLASS.format("pass"), CLASS.format("x: int = 1"), ("added", "added", "models.A.x")),
    (CLASS.format("pass"), CLASS.format("x: ClassVar[int]"), ("added", "added", "models.A.x")),
    (CLASS.format("x: int = 1"), CLASS.format("x: int"), ("breaking", "field-required", "models.A.x")),
    (CLASS.format("x: int"), CLASS.format("x: int = 1"), ("added", "field-optional", "models.A.x")),
    (CLASS.format("x: int = 1"), CLASS.format("x: int = 2"), ("changed", "default", "models.A.x")),
    (CLASS.format("x: int"), CLASS.format("x: str"), ("breaking", "type", "models.A.x")),
    (CLASS.format("x: int"), CLASS.format("x: int | None"), ("changed", "type", "models.A.x")),
    (CLASS.format("x: int | None"), CLASS.format("x: int"), ("breaking", "type", "models.A.x")),
    (CLASS.format("x: Literal['a']"), CLASS.format("x: Literal['a', 'b']"), ("changed", "type", "models.A.x")),
    (CLASS.format("x: Literal['a', 'b']"), CLASS.format("x: Literal['a']"), ("breaking", "type", "models.A.x")),
    # Keys of typed dictionaries
    (DICT.format("pass"), DICT.format("x: int"), ("added", "added", "models.A.x")),
    (DICT.format("pass"), DICT.format("x: Required[int]"), ("breaking", "field-required", "models.A.x")),
    (DICT.format("x: int"), DICT.format("x: Required[int]"), ("breaking", "field-required", "models.A.x")),
    (DICT.format("x: Required[int]"), DICT.format("x: int"), ("added", "field-optional", "models.A.x")),
    (DICT.format("x: Required[int]"), DICT.format("x: Required[str]"), ("breaking", "type", "models.A.x")),
    # Functions and methods
    ("def f(a): ...", "def f(): ...", ("breaking", "parameter-removed", "models.f")),
    ("def f(): ...", "def f(a): ...", ("breaking", "parameter-required", "models.f")),
    ("def f(): ...", "def f(a=1): ...", ("added", "parameter-added", "models.f")),
    ("def f(): ...", "def f(*args, **kwargs): ...", None),
    ("def f(a=1): ...", "def f(a): ...", ("breaking", "parameter-required", "models.f")),
    ("def f(a): ...", "def f(a=1): ...", ("added", "parameter-optional", "models.f")),
    ("def f(a=1): ...", "def f(a=2): ...", ("changed", "parameter-default", "models.f")),
    ("def f(a): ...", "def f(*, a): ...", ("breaking", "parameter-kind", "models.f")),
    ("def f(a): ...", "def f(a, /): ...", ("breaking", "parameter-kind", "models.f")),
    ("def f(*, a): ...", "def f(a): ...", []),
    ("def f(a, b): ...", "def f(b, a): ...", ("breaking", "parameter-order", "models.f")),
    ("def f(a: int): ...", "def f(a: str): ...", ("breaking", "parameter-type", "models.f")),
    ("def f(a: int): ...", "def f(a: int | str): ...", ("added", "parameter-widened", "models.f")),
    ("def f() -> int: ...", "def f() -> str: ...", ("breaking", "returns", "models.f")),
    ("def f() -> int: ...", "def f() -> int | None: ...", ("changed", "returns", "models.f")),
    ("def f() -> int | None: ...", "def f() -> int: ...", ("added", "returns", "models.f")),
    ("def f(): ...", "async def f(): ...", ("breaking", "async", "models.f")),
    (CLASS.format("def m(self, a): ..."), CLASS.format("def m(self): ..."),
     ("breaking", "parameter-removed", "models.A.m")),
    (CLASS.format("def __init__(self, a): ..."), CLASS.format("def __init__(self): ..."),
     ("breaking", "parameter-removed", "models.A.__init__")),
    # Aliases and constants
    ("A = TypeAliasType('A', X | Y)", "A = TypeAliasType('A', X | Y | Z)", ("changed", "value", "models.A")),
    ("A = TypeAliasType('A', X | Y)", "A = TypeAliasType('A', X)", ("breaking", "value", "models.A")),
    ("LIMIT = 1", "LIMIT = 2", ("changed", "value", "models.LIMIT")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CASES, ids=[f"{old!r} to {new!r}" for old, new, _ in CASES])
def test_a_change_is_told_with_what_it_means(old: str, new: str, told: tuple[str, str, str] | list[str] | None) -> None:
    found = changes(old, new)
    if told is None:
        assert {impact for impact, _, _ in found} == {"added"}
    else:
        assert found == ([told] if told else [])
    assert changes(old, old) == changes(new, new) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class _A: ...", ""),
        (CLASS.format("_x: int"), CLASS.format("pass")),
        ("class A:\n    '''Old.'''", "class A:\n    '''New.'''"),
        ("import typing\nclass A: ...", "class A: ...\n\n\nfrom json import loads"),
        (CLASS.format("x: int\n    y: int"), CLASS.format("y: int\n    x: int")),
        (CLASS.format("x: int | str"), CLASS.format("x: str | int")),
        ("def f(self, a): return 1", "def f(self, a): return 2"),
        ("class B:\n    x: int\nclass A(B): ...", "class B:\n    x: int\nclass A(B):\n    x: int"),
    ],
)
def test_what_users_cannot_see_is_no_change(old: str, new: str) -> None:
    """Private names, docstrings, order, imports, bodies, and where an inherited field is written."""
    assert changes(old, new) == []


def test_a_name_is_told_once_and_as_it_is_imported() -> None:
    """A class that the package exports is not told again for the module that it is defined in."""
    before, after = (
        read({"__init__.py": ROOT, "models.py": f"__all__ = ['A']\nclass A:\n    {body}\n"})
        for body in ("x: int", "...")
    )
    assert [each.symbol for each in compare(before, after).changes] == ["A.x"]


def test_private_modules_are_public_where_they_are_exported() -> None:
    files = {"__init__.py": "from ._deep import A\n__all__ = ['A']\n", "_deep.py": "class A: ...\nclass B: ...\n"}
    assert list(read(files)) == ["A"]


def test_files_are_read_and_not_run(tmp_path: Path) -> None:
    """A package may have been edited by anybody."""
    mark = tmp_path / "ran"
    surface = read({"__init__.py": f"open({str(mark)!r}, 'w')\nclass A: ...\n"})
    assert list(surface) == ["A"]
    assert not mark.exists()


@pytest.mark.parametrize("path", ["__init__.py", "models.py", "client/core.py"])
def test_what_is_no_python_is_refused(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnreadableError, match="is no Python"):
        read({"__init__.py": "", "client/__init__.py": "", path: "class ("})
    assert capsys.readouterr() == ("", "")


def test_report_between_the_two_releases(request: pytest.FixtureRequest) -> None:
    """The report that a user sees who goes from the first release to the second."""
    text = markdown("kit", compare(read(generated(OLD, "kit")), read(generated(NEW, "kit"))))
    if request.config.getoption("--update"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)

    def run(release: str, *rest: str) -> Result:
        options = ["--output", "kit", "--components", "models", *rest]
        return CliRunner().invoke(main, ["generate", release, *options], catch_exceptions=False)

    return run


def test_generate_tells_breaking_changes_first_and_writes_them_as_markdown(run: Callable[..., Result]) -> None:
    """A dry run tells the same, and writes nothing but the report that was asked for."""
    first = run(NEW)
    assert "Python API" not in first.output, "there was nothing before"
    before = Path("kit/models.py").read_bytes()
    planned = run(OLD, "--dry-run", "--api-report", "api.md")
    assert Path("kit/models.py").read_bytes() == before
    done = run(OLD)
    for result in (planned, done):
        told = result.output.partition("Changes of the Python API: ")[2].splitlines()
        assert told[0].split(",")[0].endswith("breaking")
        impacts = [line.split()[0] for line in told[1:]]
        assert impacts == sorted(impacts, key=["breaking", "changed", "added"].index)
    assert "- `MessagePhase`: the name is gone" in Path("api.md").read_text()
    assert "Python API" not in run(OLD).output


def test_generate_json_has_the_changes(run: Callable[..., Result]) -> None:
    run(OLD)
    api = json.loads(run(NEW, "--json").output)["packages"][0]["api"]
    assert api["counts"]["breaking"] == 0
    assert api["counts"]["added"] == sum(each["impact"] == "added" for each in api["changes"])
    assert {"impact": "added", "kind": "added", "symbol": "MessagePhase", "text": "a new name"} in api["changes"]


def test_a_file_that_is_only_put_back_is_no_change_of_the_api(run: Callable[..., Result]) -> None:
    run(NEW)
    Path("kit/models.py").unlink()
    assert "Python API" not in run(NEW).output


def test_a_package_that_was_broken_by_hand_is_renewed_without_a_report(run: Callable[..., Result]) -> None:
    run(OLD)
    Path("kit/models.py").write_text("class (\n")
    result = run(NEW, "--force")
    assert result.exit_code == 0
    assert "Python API" not in result.output


def test_a_report_that_cannot_be_written_is_one_clear_error(run: Callable[..., Result]) -> None:
    result = run(NEW, "--api-report", "missing/api.md")
    assert result.exit_code == 2
    assert "missing/api.md: the report cannot be written" in result.output
