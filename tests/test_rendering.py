"""What was rendered is what was asked for: a template or a tool that does something else is found out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from openresponses_codegen import pipeline, resources
from openresponses_codegen.models import ModelError, render_models
from openresponses_codegen.render import UnsafeSourceError
from openresponses_codegen.render.runtime import check_names
from openresponses_codegen.render.verify import verify


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates that a test can break."""
    return shutil.copytree(resources.templates(), tmp_path / "templates")


@pytest.fixture(scope="module")
def api():
    return pipeline.lower_spec(pipeline.load_spec("2026-04-24")).api


def test_every_declaration_comes_out(api, templates: Path) -> None:
    assert {each.name for each in render_models(api, templates)} == {each.name for each in api.declarations}


@pytest.mark.parametrize("name", ["pydantic_v2/BaseModel.jinja2", "TypeAliasType.jinja2"])
def test_a_template_with_a_wrong_name_is_found_out(api, templates: Path, name: str) -> None:
    """datamodel-code-generator falls back to a template of its own without a word."""
    path = templates / "models" / name
    path.rename(path.with_name("Other.jinja2"))
    with pytest.raises(ModelError):
        render_models(api, templates)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("TypeAliasType.jinja2", "{{ after }}", "{% if after %}]{% endif %}"),
        ("TypeAliasType.jinja2", "{{ class_name }} =", "{{ class_name }}1 ="),
        ("pydantic_v2/BaseModel.jinja2", "class {{ class_name }}", "class {{ class_name }}1"),
        ("pydantic_v2/BaseModel.jinja2", "    {{ field.name }}:", "    {{ field.name }}_1:"),
        ("pydantic_v2/BaseModel.jinja2", "for field in fields", "for field in fields[1:]"),
        ("pydantic_v2/BaseModel.jinja2", "{{ field.annotated or field.type_hint }}", "str"),
    ],
)
def test_a_template_that_loses_something_is_found_out(api, templates: Path, name: str, old: str, new: str) -> None:
    path = templates / "models" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises((ModelError, SyntaxError)):
        render_models(api, templates)


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from os import system",
        "print(1)",
        "x = open('f')",
        "x = [y for y in ()]\nx()",
        "class A(B):\n    import os",
        "class A(B, metaclass=C):\n    pass",
        "def other():\n    pass",
        "@decorate\nclass A:\n    pass",
        "if x:\n    y = 1",
        "x = lambda: 1",
        "x = f'{y}'",
        "del x",
        "x: int = exec('y')",
        "x = (",
        "x = '\x00'",
    ],
)
def test_source_that_no_template_means_to_write_is_refused(source: str) -> None:
    with pytest.raises(UnsafeSourceError):
        verify("models.py", source)


@pytest.mark.parametrize("name", ["A; import os", "a b", "", "open('x')", "A\n", "A.b", '"a" + b'])
def test_templates_of_the_client_get_names_and_literals_only(name: str) -> None:
    check_names({"response": "Response", "path": "'/a'", "items": {"a": "Message"}, "compact": None, "flag": True})
    for view in ({"response": name}, {"items": {"message": name}}):
        with pytest.raises(UnsafeSourceError, match="no name and no literal"):
            check_names(view)
