"""The configuration: where its errors are, what its schema says, and choosing packages."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.cli import main
from openresponses_codegen.cli.config import PACKAGINGS, TABLE, Target, load_config
from openresponses_codegen.cli.configuration import SCHEMA
from openresponses_codegen.components import COMPONENTS
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.diff.rules import Severity, rules
from openresponses_codegen.pipeline import STUBS

CONFIGURATION = """\
[tool.openresponses-codegen]
spec = "2026-01-15"

[[tool.openresponses-codegen.packages]]
output = "src/app/openresponses"
package = "app.openresponses"

[[tool.openresponses-codegen.packages]]
output = "acme-kit"
packaging = "distribution"
"""


def toml(value: Any) -> str:
    """A value on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return json.dumps(value)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(CONFIGURATION)
    return lambda *arguments: CliRunner().invoke(main, list(arguments), catch_exceptions=False)


schema = json.loads(SCHEMA.read_text())
validator = jsonschema.Draft7Validator(schema)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=5).filter(
    lambda text: not text.endswith("\n")  # where a pattern's `$` means one thing to Python and another to JSON Schema
)
names = st.text(string.ascii_letters + string.digits + "._- /\\\0", max_size=6)
paths = st.sampled_from(["a", "..", "a/../b", "/a", "a\\b", "a..b", "generation.json", "x/generation.json", "*.py", ""])
plain = st.one_of(
    texts, names, st.booleans(), st.integers(-2, 3), st.just(0.5), st.just({}), st.lists(texts, max_size=2)
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "spec": texts,
    "output": st.one_of(texts, names),
    "package": st.one_of(names, st.sampled_from(["a.b", "a.class", "_x", "None", "ä", "a..b", "a.", "1a"])),
    "components": st.lists(st.sampled_from([*COMPONENTS, "clint", ""]), max_size=3),
    "lenient": st.booleans(),
    "extensions": st.lists(texts, max_size=2),
    "overlays": st.lists(texts, max_size=2),
    "templates": texts,
    "own": st.lists(st.one_of(paths, texts), max_size=2),
    "stubs": st.lists(st.sampled_from([*STUBS, "x.py"]), max_size=2),
    "packaging": st.sampled_from([*PACKAGINGS, "wheel"]),
    "distribution": st.one_of(names, st.sampled_from(["a", "a-b", "-a", "a.", "a b"])),
    "revision": st.integers(-1, 9),
    "licence": st.one_of(names, st.sampled_from(["MIT", "MIT OR Apache-2.0", "MIT or GPL", "MIT OR", "A  B"])),
    "severities": st.dictionaries(
        st.sampled_from([*list(rules())[:3], "no-rule"]),
        st.one_of(st.sampled_from([*Severity, "bad"]), plain),
        max_size=2,
    ),
    "base": st.one_of(names, st.sampled_from(["a.b", "a.class", "1a"])),
}
tables = st.dictionaries(st.sampled_from([*VALUES, "outptu"]), st.none(), max_size=4).flatmap(
    lambda keys: st.fixed_dictionaries(
        {key: st.one_of(VALUES.get(key, plain), VALUES.get(key, plain), plain) for key in keys}
    )
)
configurations = st.one_of(
    tables,
    st.builds(lambda table, packages: {**table, "packages": packages}, tables, st.one_of(st.lists(tables), plain)),
)


def accepted(path: Path, table: Any) -> bool:
    path.write_text(f"\ntool.{TABLE} = {toml(table)}\n")
    try:
        load_config(path)
    except DiagnosticError as error:
        found = error.diagnostics
    else:
        return True
    assert [each.position.line for each in found if each.position is not None] == [2] * len(found)
    return False


@given(configurations)
def test_schema_and_loader_accept_the_same(tmp_path_factory: pytest.TempPathFactory, table: Any) -> None:
    """What an editor marks is what the generator refuses, and nothing else."""
    path = tmp_path_factory.getbasetemp() / "agreeing.toml"
    assert validator.is_valid(table) == accepted(path, table)


def test_the_schema_is_one_and_describes_every_key() -> None:
    """Every key of a package, at the top and in `packages`, each with a description; choices are those there are."""
    jsonschema.Draft7Validator.check_schema(schema)
    keys = list(Target.__dataclass_fields__)
    assert list(schema["definitions"]) == keys == list(VALUES)
    assert list(schema["properties"]) == [*keys, "packages"]
    assert list(schema["properties"]["packages"]["items"]["properties"]) == keys
    assert all(each["description"].endswith(".") for each in schema["definitions"].values())
    assert schema["definitions"]["components"]["items"]["enum"] == list(COMPONENTS)
    assert schema["definitions"]["stubs"]["items"]["enum"] == list(STUBS)
    assert schema["definitions"]["packaging"]["enum"] == list(PACKAGINGS)
    severities = schema["definitions"]["severities"]
    assert severities["propertyNames"]["enum"] == list(rules())
    assert severities["additionalProperties"]["enum"] == list(Severity)
    for each in schema["definitions"].values():
        for example in each.get("examples", []):
            jsonschema.validate(example, each)


def test_the_guide_tells_every_key() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "vendoring.md").read_text()
    for key in schema["properties"]:
        assert f"`{key}`" in guide, key


def test_config_schema_prints_the_schema(run: Callable[..., Result]) -> None:
    assert json.loads(run("config", "schema").output) == schema


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[tool.openresponses-codegen]\n\n  outptu = 3\n", "3:3"),
        ('[tool]\nopenresponses-codegen = {spec = "x", lenient = "yes"}\n', "2:38"),
        ('[tool.openresponses-codegen]\nspec = """\nx\n"""\npackage = "a-b"  # no\n', "5:1"),
        (CONFIGURATION + 'components = [\n  "models",\n  3,\n]\n', "13:3"),
        (CONFIGURATION + 'components = ["modls"]\n', "11:1"),
        (CONFIGURATION + "revision = -1\n", "11:1"),
        (CONFIGURATION + '\n[tool.openresponses-codegen.own]\n"a" = 1\n', "12:2"),
        ("[tool.openresponses-codegen]\r\nspec = 1\r\n", "2:1"),
        ('[tool.openresponses-codegen]\nspec = "x\n', "2:10"),
        ("[[tool.openresponses-codegen]]\nspec = 1\n", "1:3"),
    ],
)
def test_errors_name_line_and_column_of_the_key(run: Callable[..., Result], text: str, place: str) -> None:
    Path("pyproject.toml").write_bytes(text.encode())
    result = run("generate")
    assert result.exit_code == 2
    assert f"pyproject.toml:{place}: error:" in result.output


def test_config_show_prints_the_packages_with_every_default(run: Callable[..., Result], tmp_path: Path) -> None:
    one, two = json.loads(run("config", "show", "--json").output)["packages"]
    assert (one["package"], one["spec"], one["components"]) == ("app.openresponses", "2026-01-15", list(COMPONENTS))
    assert two["package"] == "acme_kit"
    assert (two["packaging"], two["distribution"]) == ("distribution", "acme-kit")
    assert two["output"] == str(tmp_path / "acme-kit")
    said = run("config", "show").output
    assert "app.openresponses\n" in said
    assert "licence       Apache-2.0" in said


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (["app.openresponses"], ["app.openresponses"]),
        (["acme-kit"], ["acme_kit"]),
        (["acme_kit", "src/app/openresponses"], ["app.openresponses", "acme_kit"]),
    ],
)
def test_only_chooses_packages_by_name_or_folder(
    run: Callable[..., Result], only: list[str], chosen: list[str]
) -> None:
    result = run("config", "show", "--json", *(part for each in only for part in ("--only", each)))
    assert [each["package"] for each in json.loads(result.output)["packages"]] == chosen


def test_only_with_a_name_that_is_not_there_says_what_is(run: Callable[..., Result]) -> None:
    result = run("check", "--only", "app.openresponse")
    assert result.exit_code == 2
    assert "did you mean `app.openresponses`?" in result.output


@pytest.mark.parametrize("other", ["acme-kit", "acme-kit/sub", "."])
def test_packages_in_one_folder_are_refused(run: Callable[..., Result], other: str) -> None:
    with Path("pyproject.toml").open("a") as file:
        file.write(f'[[tool.openresponses-codegen.packages]]\noutput = "{other}"\npackage = "other"\n')
    result = run("generate")
    assert result.exit_code == 2
    assert "another package has the folder" in result.output
    assert not Path("acme-kit").exists()


def test_a_package_that_fails_keeps_no_other_from_being_made(run: Callable[..., Result]) -> None:
    """The one that fails is left as it was, the others are whole, and everything is told."""
    Path("acme-kit").mkdir()
    Path("acme-kit/README.md").write_text("mine\n")
    Path("pyproject.toml").write_text(CONFIGURATION + 'spec = "2026-04-24"\ncomponents = ["models"]\n')
    result = run("generate", "--components", "models", "--json")
    assert result.exit_code == 2
    content = json.loads(result.output)
    assert "models.py" in content["packages"][0]["added"]
    assert [each["code"] for each in content["packages"][1]["diagnostics"]] == ["edited-by-hand"]
    assert content["diagnostics"] == content["packages"][1]["diagnostics"]
    assert [path.name for path in Path("acme-kit").iterdir()] == ["README.md"]
    said = run("check", "--components", "models")
    assert "2 packages, 1 differ, 0 failed" in said.output
    assert said.exit_code == 1
