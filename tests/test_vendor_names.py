"""Python names of what a vendor's extension adds, and how the package reads to checkers.

They protect that whatever a vendor calls its fields, the package is sound, and that two things which would share a name
are told with both places before anything is written.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import openresponses_kit.models
import openresponses_kit.server.writer
import pytest
from openresponses_codegen import names, pipeline
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_kit._base import ResponseModel
from payloads import NEWEST

ROOT = Path(__file__).parents[1]


def test_what_is_generated_is_clean_to_strict_checkers(acme_kit: ModuleType) -> None:
    """Both type checkers in strict mode, and ruff, with fields that are called as what methods use."""
    assert acme_kit.__file__ is not None
    package = Path(acme_kit.__file__).parent
    folder = package.parent
    settings = {"include": [package.name], "typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    ruff = ["--config", str(ROOT / "templates" / "ruff.toml"), package.name]
    for command in (
        ["mypy", "--strict", "--no-incremental", package.name],
        ["pyright", "--pythonpath", sys.executable],
        ["ruff", "check", "--extend-ignore=PLC0415", *ruff],
        ["ruff", "format", "--check", *ruff],
    ):
        run = [sys.executable, "-m", *command]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def refused(tmp_path: Path, form: str) -> list[str]:
    """The lines of the clashes that an extension is refused for."""
    path = tmp_path / "form.yaml"
    path.write_text(form)
    with pytest.raises(DiagnosticError) as error:
        pipeline.lower_spec(pipeline.load_spec(NEWEST, extensions=[str(path)]))
    assert {each.code for each in error.value.diagnostics} == {"name-collision"}
    return [f"{each.position}: {each.message}".replace(f"{tmp_path}/", "") for each in error.value.diagnostics]


CLASHES: dict[str, tuple[str, str]] = {
    "an-item-and-an-event": (
        "vendor: acme\nitems: {note: {}}\nevents: {note: {}}\n",
        "would be `acme_note` of the writer of responses, which is also the item `acme:note`, at form.yaml:2:9",
    ),
    "an-event-and-what-an-item-has": (
        "vendor: acme\nitems:\n  note: {events: {id: {}, id_event: {}}}\n",
        "would be `id_event` of the writer of `acme:note`",
    ),
    "an-accessor-and-a-field": (
        "vendor: acme\nitems: {note: {}}\nfields: {ResponseResource: {acme_notes: string}}\n",
        "would be `acme_notes` of the response, which is also the field `acme_notes`, at form.yaml:3:41",
    ),
    "an-accessor-and-one-of-ours": (
        "vendor: reasoning\nitems: {item: {}}\n",
        "the items `reasoning:item` would be `reasoning_items` of the response",
    ),
    "a-writer-and-an-item": (
        "vendor: acme\nitems: {note: {}, note_writer: {}}\n",
        "would be `AcmeNoteWriter` of the module of the writers",
    ),
    "a-class-of-ours": (
        "vendor: acme\nprefix: Vendor\nitems: {item: {}}\n",
        "the item `acme:item` would be `VendorItem` of the module of the writers",
    ),
}


@pytest.mark.parametrize(("form", "message"), CLASHES.values(), ids=CLASHES)
def test_names_that_would_be_shared_are_told_with_both_places(tmp_path: Path, form: str, message: str) -> None:
    assert any(message in line for line in refused(tmp_path, form))


def test_the_names_that_are_taken_are_those_of_the_package() -> None:
    """A method or class that is added to the runtime has to be listed, so that no vendor's takes its place."""
    writer = {name for name in vars(openresponses_kit.server.writer.ResponseWriter) if not name.startswith("_")}
    assert writer == names.WRITER_NAMES
    response = openresponses_kit.models.ResponseResource
    own = {name for name in vars(response) if not name.startswith(("_", "model_"))} - {"EXTENSIBLE", "FORBIDDEN"}
    assert own - set(response.model_fields) - set(vars(ResponseModel)) == names.RESPONSE_NAMES


def test_the_classes_that_are_taken_are_those_of_the_modules(acme_kit: ModuleType) -> None:
    assert acme_kit.__file__ is not None
    server = Path(acme_kit.__file__).parent / "server"
    found = {
        name
        for module in ("writer", "_vendor_writers")
        for name in bound(ast.parse((server / f"{module}.py").read_text()))
        if name[0].isupper() and not name.startswith("Acme")
    }
    declared = {*openresponses_kit.models.__all__, *openresponses_kit.events.__all__}
    assert found - declared - names.RUNTIME_NAMES == names.WRITER_CLASSES


def bound(node: ast.AST) -> list[str]:
    """The names that a module binds."""
    found: list[str] = []
    for each in ast.walk(node):
        if isinstance(each, ast.ImportFrom):
            found += [alias.name for alias in each.names]
        elif isinstance(each, ast.ClassDef):
            found.append(each.name)
    return found


PLURALS = [("acme_note", "acme_notes"), ("acme_query", "acme_queries"), ("acme_day", "acme_days"),
           ("acme_search", "acme_search_items"), ("acme_class", "acme_class_items")]  # fmt: skip


@pytest.mark.parametrize(("one", "several"), PLURALS)
def test_accessors_are_plurals(one: str, several: str) -> None:
    assert names.plural(one) == several
