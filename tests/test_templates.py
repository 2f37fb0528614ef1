"""Templates that users replace or extend: what comes out, what is documented, and what the commands do."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import jinja2
import pytest
from click.testing import CliRunner, Result
from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import main
from openresponses_codegen.overrides import CONTEXT_VERSION, catalogue
from openresponses_codegen.render.definitions import DefinitionView

TEMPLATES = resources.templates()
README = (TEMPLATES / "README.md").read_text()
ROW = re.compile(r"^\| (?P<first>`[^|]*) \| (?P<second>[^|]*) \|", re.MULTILINE)
SPEC = pipeline.load_spec("2026-04-24")


def section(title: str) -> str:
    """A section of the page on templates, up to the next heading."""
    return re.split(r"^#+ ", README.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def table(text: str) -> dict[str, str]:
    return {row["first"]: row["second"] for row in ROW.finditer(text)}


def first_column(text: str) -> set[str]:
    return {name for first in table(text) for name in quoted(first)}


@pytest.fixture(scope="module")
def passed() -> Mapping[str, dict[str, Any]]:
    """What each template is really given, by its name: every variable, and one value of it."""
    given: dict[str, dict[str, Any]] = defaultdict(dict)
    real = jinja2.Template.render

    def render(template: jinja2.Template, *args: Any, **kwargs: Any) -> str:
        context = dict(*args, **kwargs)
        if template.name is not None and template.name in catalogue(TEMPLATES):
            given[template.name] |= context
        return real(template, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Template, "render", render)
        spec = pipeline.load_spec(SPEC.name, extensions=["huggingface"])
        pipeline.generate(spec, pipeline.Options("kit", stubs=tuple(pipeline.STUBS)))
    return given


def documented() -> dict[str, set[str]]:
    """The variables of each template as the page has them, the groups taken apart."""
    groups = {"*names*": first_column(section("Names")), "*words*": first_column(section("Words"))}
    rows = {
        first: second for first, second in table(section("Variables by template")).items() if "templates" not in first
    }
    patterns: list[tuple[str, set[str]]] = []
    for first, second in rows.items():
        variables = quoted(second).union(*(names for group, names in groups.items() if group in second))
        patterns += [(pattern, variables) for pattern in quoted(first)]
    names = [name for name, original in catalogue(TEMPLATES).items() if original.is_template]
    matched: dict[str, set[str]] = {}
    for name in names:
        matched[name] = next(
            variables
            for pattern, variables in patterns
            if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, pattern.replace("**/", ""))
        )
    return matched


def test_every_variable_that_is_passed_is_documented_and_the_other_way_round(passed) -> None:
    wanted = documented()
    # Only a user's licence is rendered, so that is not among those that were.
    assert wanted.pop("core/licence.jinja") == {"has_gateway", "header", "package", "release"}
    assert {name: set(variables) for name, variables in passed.items()} == wanted


def test_every_variable_is_explained(passed) -> None:
    explained = first_column(section("Variables by template")) - {*documented()}
    names = first_column(section("Names")) | first_column(section("Words"))
    own = {name for template, given in passed.items() if template.count("/") == 1 for name in given}
    assert {each for each in explained if "/" not in each and each != "name" and each not in quoted_fields()} == (
        own - names
    ) | {"events"}


def quoted_fields() -> set[str]:
    return {each.name for each in fields(DefinitionView)}


def test_the_fields_of_what_is_passed_are_documented(passed) -> None:
    text = README
    definition = re.split(r"\n\n", text.split("| of a definition | what it is |\n", 1)[1], maxsplit=1)[0]
    assert first_column(definition) == quoted_fields()
    rows = {name: second for first, second in table(section("Variables by template")).items() for name in quoted(first)}
    declared = {key for each in passed["core/params.py.jinja"]["declarations"] for key in each}
    assert declared <= quoted(rows["declarations"])
    (field, *_) = (each for one in passed["core/params.py.jinja"]["declarations"] for each in one.get("fields", ()))
    assert all(f"`{key}`" in section("Variables by template") for key in field)
    assert set(passed["core/__init__.py.jinja"]["modules"][0]) <= quoted(rows["modules"])
    assert set(passed["core/events.py.jinja"]["events"][0]) <= quoted(rows["events"])
    names = table(section("Names"))
    given = passed["core/errors.py.jinja"]
    assert set(given["compact"]) == quoted(names["`compact`"])
    assert set(given["websocket"]) == quoted(names["`websocket`"])


def test_every_block_is_documented() -> None:
    """Every template has the blocks that the page tells of, and no other."""
    special = {first.strip("`"): second for first, second in table(section("Blocks by template")).items()}
    for name, original in catalogue(TEMPLATES).items():
        if not original.is_template:
            continue
        blocks = {"header", "imports", "end"} | {f"{each}_body" for each in public_classes(original.text)}
        if name in special:
            listed = re.sub(r"\([^)]*\)", "", special[name])
            blocks = quoted(listed) if "only" in listed else blocks | quoted(listed)
        assert set(original.blocks) == blocks, f"{name}: see `Blocks by template` in templates/README.md"


def public_classes(text: str) -> set[str]:
    return set(re.findall(r"^(?:\{%[^%]*%\})?class (?:\{\{ Async \}\})?([A-Za-z]\w*)", text, re.MULTILINE))


def test_the_version_of_the_context_is_documented() -> None:
    assert f"Context: {CONTEXT_VERSION}\n" in README
    assert f"`{{# context: {CONTEXT_VERSION} -#}}`" in README
    assert re.findall(r"^\| (\d+) \| \S", section("Version of the context"), re.MULTILINE) == [
        str(number) for number in range(1, CONTEXT_VERSION + 1)
    ]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        assert "Traceback (most" not in result.output
        return result

    return run


def test_templates_that_change_nothing_change_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    """Every template ejected whole, or by all of its blocks, gives the package that ours give, in the sandbox, too."""
    plain = pipeline.generate(SPEC, pipeline.Options("kit"))
    for way in ("whole", "blocks"):
        for name, original in catalogue(TEMPLATES).items():
            if original.blocks or way == "whole":
                blocks = [] if way == "whole" else [part for each in original.blocks for part in ("--block", each)]
                assert run("templates", "eject", name, *blocks, "--templates", way).exit_code == 0
        same = pipeline.generate(SPEC, pipeline.Options("kit", templates=tmp_path / way))
        assert {name: text for name, text in same.files.items() if name != "generation.json"} == {
            name: text for name, text in plain.files.items() if name != "generation.json"
        }
        assert set(same.manifest.inputs.overridden) <= set(catalogue(TEMPLATES))


OVERRIDES = {
    "core/licence.jinja": "# Copyright Example. {{ package }}\n",
    "core/client/shell/client.py.jinja": (
        '{% extends "core/client/shell/client.py.jinja" %}\n'
        "{% block imports %}{{ super() }}\nimport logging{% endblock %}\n"
        "{% block OpenResponses_body %}{{ super() }}\n\n"
        "    {{ async }}def ping(self) -> str:\n"
        '        """Say that the client is there."""\n'
        '        logging.getLogger(__name__).info("ping")\n'
        "        return type(self).__name__\n{% endblock %}\n"
    ),
    "core/errors.py.jinja": (
        '{% extends "core/errors.py.jinja" %}\n{% block end %}\n\nclass QuotaError(RateLimitError):\n'
        '    """A quota is used up."""\n\n\n__all__ += ["QuotaError"]\n{% endblock %}\n'
    ),
    "core/models.py.jinja": (
        '{% extends "core/models.py.jinja" %}\n{% import "macros/words.jinja" as words %}\n'
        "{% block class_body %}{{ super() }}\n{% if 'usage' in definition.fields and definition.is_response %}"
        "\n    {{ words.member('cost') }}{% endif %}{% endblock %}\n"
    ),
    "macros/words.jinja": (
        "{% macro member(name) %}def {{ name }}(self) -> int:\n        return 7{% endmacro %}"
    ),
    "extra/notes/names.py.jinja": 'RESPONSE = "{{ response }}"\n',
    "extra/notes/__init__.py": '"""Notes."""\n',
    "extra/client/more.py": "MORE = 2\n",
    "extra/NOTES.txt": "{{ not a template }}\n",
}  # fmt: skip


def put(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_package_with_templates_of_the_users_own_works(run: Callable[..., Result], tmp_path: Path) -> None:
    """Blocks extended, sources replaced, a licence, new names that the package offers, modules of the user's own."""
    base = (TEMPLATES / "core" / "client" / "retries.py").read_text()
    put(tmp_path / "templates", OVERRIDES)
    put(tmp_path / "templates", {"core/client/retries.py": base + "\nMINE = 1\n", "README.md": "mine", ".x": ""})
    (tmp_path / "pyproject.toml").write_text('[tool.openresponses-codegen]\noutput = "kit"\ntemplates = "templates"\n')
    assert run("generate", "-q").exit_code == 0
    assert run("check", "-q").exit_code == 0
    program = (
        "import kit, asyncio\nfrom kit.client import more, retries\nfrom kit.notes import names\n"
        "print(kit.OpenResponses(base_url='http://x').ping(), retries.MINE, kit.QuotaError.__mro__[1].__name__)\n"
        "print(asyncio.run(kit.AsyncOpenResponses(base_url='http://x').ping()), names.RESPONSE)\n"
        "print(kit.ResponseResource.cost(None))\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout == "OpenResponses 1 RateLimitError\nAsyncOpenResponses ResponseResource\n7\n"
    for path in (tmp_path / "kit").rglob("*.py"):
        assert path.read_text().startswith("# Copyright Example. kit\n"), path
    assert (tmp_path / "kit" / "NOTES.txt").read_text() == "{{ not a template }}\n"
    manifest = json.loads((tmp_path / "kit" / "generation.json").read_text())
    assert manifest["templates"]["overridden"]["core/client/shell/client.py.jinja"] == ["imports", "OpenResponses_body"]
    assert manifest["templates"]["overridden"]["core/client/retries.py"] == []
    for name in ("openresponses_codegen", "jinja2"):
        assert not any(
            name in ast.unparse(node)
            for path in (tmp_path / "kit").rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
        )


def test_a_change_of_a_users_template_is_told_as_such(run: Callable[..., Result], tmp_path: Path) -> None:
    put(tmp_path, {"t/core/licence.jinja": "# One\n"})
    arguments = ("--output", "kit", "--components", "models", "--templates", "t")
    assert run("generate", *arguments).exit_code == 0
    assert "nothing to do" in run("generate", *arguments).output
    put(tmp_path, {"t/core/licence.jinja": "# Two\n"})
    result = run("check", *arguments)
    assert result.exit_code == 1
    assert "templates changed" in result.output
    assert "+# Two" in result.output
    assert "templates changed" in run("check", *arguments[:-2]).output


def test_list_shows_every_template_its_blocks_and_what_is_overridden(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    put(tmp_path / "t", OVERRIDES)
    listed = json.loads(run("templates", "list", "--templates", "t", "--json").output)["templates"]
    rows = {each["name"]: each for each in listed}
    assert set(catalogue(TEMPLATES)) <= set(rows)
    assert rows["core/models.py.jinja"]["blocks"] == list(catalogue(TEMPLATES)["core/models.py.jinja"].blocks)
    assert rows["core/models.py.jinja"]["yours"] == "extends class_body"
    assert rows["core/licence.jinja"]["yours"] == "replaces"
    assert rows["core/_base.py"] == {"name": "core/_base.py", "blocks": [], "yours": ""}
    assert "core/models.py.jinja" in run("templates", "list").output


def test_show_prints_ours_or_one_block(run: Callable[..., Result]) -> None:
    assert run("templates", "show", "core/_base.py").output == (TEMPLATES / "core" / "_base.py").read_text()
    assert (
        run("templates", "show", "core/models.py.jinja", "--block", "class_body").output == "\n{{ definition.body }}\n"
    )
    for arguments, hint in (
        (("core/model.py.jinja",), "core/models.py.jinja"),
        (("core/models.py.jinja", "--block", "class_bdy"), "class_body"),
    ):
        result = run("templates", "show", *arguments)
        assert result.exit_code == 2
        assert f"did you mean `{hint}`?" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("core/error.py.jinja", "--templates", "t"), "did you mean `core/errors.py.jinja`?"),
        (("core/errors.py.jinja", "--block", "ends", "--templates", "t"), "did you mean `end`?"),
        (("core/_base.py", "--block", "end", "--templates", "t"), "has no block `end`"),
        (("core/errors.py.jinja",), "give `--templates DIR`"),
    ],
)
def test_eject_says_what_is_wrong(
    run: Callable[..., Result], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = run("templates", "eject", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert list(tmp_path.iterdir()) == []


def test_eject_never_overwrites(run: Callable[..., Result], tmp_path: Path) -> None:
    put(tmp_path, {"t/core/errors.py.jinja": "mine"})
    assert run("templates", "eject", "core/errors.py.jinja", "--templates", "t").exit_code == 2
    assert (tmp_path / "t/core/errors.py.jinja").read_text() == "mine"
