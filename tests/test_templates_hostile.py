"""Templates of a user run in a sandbox with limits: what reaches out, never ends or swells is one clear error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openresponses_codegen import pipeline, resources
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.models import render_models
from openresponses_codegen.overrides import read_overrides
from openresponses_codegen.render import Sources, render_confined
from openresponses_codegen.render.confined import Limits

SMALL = b"""\
openapi: 3.1.0
info: {title: Small, version: 2030-01-01}
components:
  schemas:
    Thing:
      type: object
      description: '\"\"\"); import os'
      properties:
        colour: {type: string, description: The colour.}
"""
RESERVED = ("generation.json",)
LIMITS = Limits(seconds=3, output=2_000_000)
Render = Callable[[], dict[str, str]]


@pytest.fixture(scope="module")
def lowered():
    """A small document, and its classes."""
    api = pipeline.lower_spec(pipeline.Spec("small.yaml", SMALL)).api
    return api, render_models(api, resources.templates())


@pytest.fixture
def render(lowered, tmp_path: Path) -> Render:
    """Renders the small document with the templates below `templates`."""
    folder = tmp_path / "templates"
    folder.mkdir()

    def render() -> dict[str, str]:
        sources = Sources(resources.templates(), read_overrides(folder, resources.templates()), (), RESERVED)
        return render_confined(*lowered, sources, "kit", frozenset({"models"}), limits=LIMITS)

    return render


def put(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "escape",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(header) }}",
        "{{ '{x.__class__}'.format_map({'x': header}) }}",
        "{{ ('{0.__class__}'.format)(header) }}",
        "{{ [header]|map(attribute='__class__')|join }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ joiner.__init__.__globals__['os'] }}",
        "{{ namespace.__class__ }}",
        "{{ range.__globals__ }}",
        "{{ header.encode.__self__ }}",
        "{{ [].append(1) }}",
        "{{ {}.update({}) }}",
        "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    ],
)
def test_what_reaches_out_of_the_sandbox_is_refused(render: Render, tmp_path: Path, escape: str) -> None:
    put(tmp_path, "extra/x.py.jinja", f"# harmless\n{escape}\n")
    (finding,) = findings(render)
    assert finding.code == "template-unsafe"
    assert str(finding.position).endswith("extra/x.py.jinja:2:1")


def findings(render: Render):
    with pytest.raises(DiagnosticError) as caught:
        render()
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "template-failed"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}", "template-limit"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "template-limit"),
        ("{{ 'x' * 10**10 }}", "template-too-large"),
        ("{{ 'x'.ljust(10**10) }}", "template-too-large"),
        ("{{ 'x'|center(10**10) }}", "template-too-large"),
        ("{{ '%9999999999d' % 1 }}", "template-failed|template-too-large"),
        ("{{ '{:>9999999999}'.format(1) }}", "template-failed|template-too-large"),
        ("{{ 9**(9**9) > 0 }}", "template-limit"),
        ("{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
         "template-too-large"),
        ("{% for i in range(3000) %}{{ 'x' * 1000 }}\n{% endfor %}", "template-limit"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "template-failed"),
        ("{% include 'extra/x.txt.jinja' %}", "template-not-found"),
    ],
)  # fmt: skip
def test_what_never_ends_or_swells_is_stopped(render: Render, tmp_path: Path, text: str, code: str) -> None:
    put(tmp_path, "extra/x.txt.jinja", text)
    (finding,) = findings(render)
    assert finding.code in code.split("|"), str(finding)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../../../etc/passwd", "core/../README.md", "core/_base.py", "models/TypeAliasType.jinja2"],
)
@pytest.mark.parametrize("statement", ["include", "import"])
def test_only_templates_by_their_names_are_found(render: Render, tmp_path: Path, name: str, statement: str) -> None:
    put(tmp_path, "extra/x.py.jinja", f"{{% {statement} '{name}' {'as x ' if statement == 'import' else ''}%}}")
    (finding,) = findings(render)
    assert finding.code == "template-not-found"
    assert name in finding.message


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("\n\n{{ nothing }}", "template-undefined", 3),
        ("\n{{ header.nothing }}", "template-undefined", 2),
        ("{{ lipsum() }}", "template-undefined", 1),
        ("\n{{ [1, 2]|random }}", "template-syntax", 2),
        ("{{ none }}", "template-failed", 1),
        ("{{ [header] }}", "template-failed", 1),
        ("\n{{ 1 // 0 }}", "template-failed", 2),
        ("\n{% if %}", "template-syntax", 2),
        ("{% block a %}", "template-syntax", 1),
    ],
)
def test_a_template_that_fails_is_one_error_with_its_line(
    render: Render, tmp_path: Path, text: str, code: str, line: int
) -> None:
    path = put(tmp_path, "extra/x.py.jinja", text)
    (finding,) = findings(render)
    assert (finding.code, str(finding.position)) == (code, f"{path}:{line}:1")


@pytest.mark.parametrize(
    "printed",
    [
        "definition.text",
        "definition.text ~ ''",
        "definition.text|string",
        "definition.text|e",
        "definition.text|upper",
        "definition.text|replace('a', 'b')",
        "'%s'|format(definition.text)",
        "'%s' % definition.text",
        "'{}'.format(definition.text)",
        "[definition.text]|join",
        "definition.text|tojson",
        "definition.text|list",
        "definition.text._raw",
        "definition.text|attr('_raw')",
        "definition.text['_raw']",
        "definition.text.as_json()",
        "definition.text.docstring_body()",
        "definition.text.with_item('a', definition.text)",
        "definition.text.__reduce__()",
    ],
)
def test_text_of_the_spec_has_no_plain_form_in_templates(render: Render, tmp_path: Path, printed: str) -> None:
    put(tmp_path, "core/models.py.jinja", extending(f"# {{{{ {printed} }}}}"))
    (finding,) = findings(render)
    assert finding.code in {"template-failed", "template-unsafe"}
    assert "import os" not in str(finding)


def extending(text: str) -> str:
    return f'{{% extends "core/models.py.jinja" %}}{{% block definition %}}\n{text}\n{{{{ super() }}}}{{% endblock %}}'


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("{{ definition.text.comment() }}", '# """); import os'),
        ("x = {{ definition.text.literal() }}", 'x = "\\"\\"\\"); import os"'),
        ("{{ definition.text.docstring() }}", '"""\\"\\"\\"); import os"""'),
        ("# {{ definition.text.is_blank() }}", "# False"),
        ("# {{ [definition.text]|pprint }}", "# [SpecText("),
    ],
)
def test_text_of_the_spec_prints_in_a_chosen_form(render: Render, tmp_path: Path, printed: str, expected: str) -> None:
    put(tmp_path, "core/models.py.jinja", extending(printed))
    models = render()["models.py"]
    assert expected in models
    assert "\nimport os" not in models


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("core/models.py.jinja", "x = (", "not Python"),
        ("core/models.py.jinja", "x = 1", "does not define Thing"),
        ("core/models.py.jinja", "class Thing: ...\nfrom os import *", "imports `*`"),
        ("core/_base.py", "x = (", "not Python"),
        ("core/licence.jinja", "import os", "has to be a comment"),
        ("extra/models.py", "x = 1", "has a file models.py already"),
        ("extra/MODELS.py", "x = 1", "has a file models.py already"),
        ("extra/models/x.py", "x = 1", "has a file models.py already"),
        ("extra/models/__init__.py", "x = 1", "has a file models.py already"),
        ("extra/generation.json", "{}", "has a file generation.json already"),
        ("extra/x.py", "x = (", "not Python"),
    ],
)
def test_output_that_is_no_module_of_the_package_is_refused(
    render: Render, tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = put(tmp_path, name, text)
    (finding,) = findings(render)
    assert finding.code == "template-output"
    assert said in finding.message
    assert str(finding.position).startswith(str(path))


@pytest.mark.parametrize(
    ("name", "text", "code", "hint"),
    [
        ("core/model.py.jinja", "", "unknown-template", "core/models.py.jinja"),
        ("models.py.jinja", "", "unknown-template", "core/models.py.jinja"),
        ("core/_base.py.jinja", "", "unknown-template", "core/_base.py"),
        ("other/x.py", "", "unknown-template", "extra/"),
        ("models/TypeAliasType.jinja2", "", "fixed-template", "class_body"),
        ("extra/a b.py", "", "bad-template", None),
        ("core/models.py.jinja", "{% extends 'core/events.py.jinja' %}", "bad-extends", "core/models.py.jinja"),
        ("core/models.py.jinja", "{% extends header %}", "bad-extends", "core/models.py.jinja"),
        (
            "core/models.py.jinja",
            "{% extends 'core/models.py.jinja' %}\n{% block clas_body %}{% endblock %}",
            "unknown-block",
            "class_body",
        ),
        ("core/models.py.jinja", "{% extends 'core/models.py.jinja' %}\nx = 1", "stray-text", "block"),
        ("core/models.py.jinja", "{# context: 99 -#}\n", "template-context", "newer generator"),
        ("core/models.py.jinja", "{{", "template-syntax", None),
    ],
)
def test_a_file_that_changes_nothing_of_ours_is_an_error(
    tmp_path: Path, name: str, text: str, code: str, hint: str | None
) -> None:
    path = put(tmp_path, name, text)
    with pytest.raises(DiagnosticError) as caught:
        read_overrides(tmp_path / "templates", resources.templates())
    (finding,) = caught.value.diagnostics
    assert finding.code == code
    assert str(finding.position).startswith(str(path))
    assert hint is None or hint in (finding.hint or "")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    for name in ("core/a.py", "core/b.py", "core/models.py.jinja"):
        put(tmp_path, name, "{{")
    with pytest.raises(DiagnosticError) as caught:
        read_overrides(tmp_path / "templates", resources.templates())
    assert len(caught.value.diagnostics) == 3


@pytest.mark.parametrize("link", ["file", "folder", "snapshot"])
def test_links_are_not_followed(tmp_path: Path, link: str) -> None:
    """A link could lead to any file of the system, whose text would then be in the package."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("SECRET = 1\n")
    folder = tmp_path / "templates"
    (folder / "extra").mkdir(parents=True)
    if link == "file":
        (folder / "extra" / "secret.py").symlink_to(outside / "secret.py")
    elif link == "folder":
        (folder / "extra" / "more").symlink_to(outside)
    else:
        from openresponses_codegen.overrides import eject

        (folder / ".base").symlink_to(outside)
        with pytest.raises(DiagnosticError, match="symbolic link"):
            eject(folder, resources.templates(), "core/errors.py.jinja")
        assert [path.name for path in outside.iterdir()] == ["secret.py"]
        return
    with pytest.raises(DiagnosticError, match="symbolic link"):
        read_overrides(folder, resources.templates())


def test_what_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "extra/large.py", "#" * 2_000_000)
    (tmp_path / "templates" / "extra" / "binary.py").write_bytes(b"\xff\xfe")
    with pytest.raises(DiagnosticError) as caught:
        read_overrides(tmp_path / "templates", resources.templates())
    assert [each.message for each in caught.value.diagnostics] == [
        "it is not UTF-8",
        "it is larger than 1,048,576 bytes",
    ]
