"""The generated package as a thing to vendor: what is in it, under which names, how it is documented and imported."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Required, get_origin

import openresponses_kit as kit
import pytest
from openresponses_codegen.components import COMPONENTS
from openresponses_codegen.names import RUNTIME_NAMES
from payloads import NEWEST, RELEASES, Component, Schema, components, document
from typing_extensions import get_type_hints

Packages = Callable[[str], ModuleType]

GENERATED = Path(kit.__file__).parent
EXTERNAL = {"pydantic", "pydantic_core", "typing_extensions"}
EXTERNAL_OF_THE_CLIENT = {"aiohttp", "httpx2", "opentelemetry", "websockets", "yarl"}
EXTERNAL_OF_THE_GATEWAY = {"anyio", "cryptography", "httpx2", "mcp", "mcp_types", "opentelemetry", "uvicorn", "yaml"}
EXTERNAL_OF = {
    "server/_sql_engine": {"sqlalchemy"},
    "server/_sql_tables": {"sqlalchemy"},
    "server/sql_store": {"sqlalchemy"},
    "server/fastapi": {"fastapi", "starlette"},
    "server/running": {"uvicorn"},
}
"""What modules need that may be left unused."""
MODULES_OF_THE_SPEC = ("models", "events", "params")
"""Where names come from the document; linters look after all others."""
NUMBERED = re.compile(r"(?<=[^\W\d])_?\d+(?=[A-Z_]|$)")
EVERY = [each for release in RELEASES for each in components(release)]
DISALLOWED = {
    ("WebSocketResponseCreateEvent", "stream"),
    ("WebSocketResponseCreateEvent", "stream_options"),
    ("WebSocketResponseCreateEvent", "background"),
}
"""Properties that must be absent (DESIGN 8), and so have no symbol that could bear their description."""


def folder(package: ModuleType) -> Path:
    return Path(package.__path__[0])


def trees(package: ModuleType) -> dict[str, ast.Module]:
    root = folder(package)
    paths = {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.rglob("*.py"))}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in paths.items()}


def run(code: str, *, cwd: Path, path: Path) -> str:
    """What Python prints that finds modules in `path` alone, besides what is installed."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Names.


@pytest.mark.parametrize("each", EVERY, ids=str)
def test_every_component_is_importable_under_its_own_name(each: Component, package: Packages) -> None:
    """DESIGN 4 and 6: from the root and from its module, and as `...Param` too when requests use it as well."""
    root = package(each.release)
    module = importlib.import_module(f"{root.__name__}.{'events' if is_event(each) else 'models'}")
    assert getattr(root, each.symbol) is getattr(module, each.symbol)
    assert getattr(root, each.symbol).__name__ == each.symbol
    assert getattr(root, each.symbol).__module__ == module.__name__
    assert each.symbol in root.__all__
    assert each.symbol in module.__all__


def is_event(each: Component) -> bool:
    return each.name.endswith("StreamingEvent")


@pytest.mark.parametrize("release", RELEASES)
def test_no_name_is_numbered(release: str, package: Packages) -> None:
    """DESIGN 4: no `Foo1`, `foo_2` or `Foo1Param` anywhere: classes, aliases, fields, functions, arguments."""
    for module in MODULES_OF_THE_SPEC:
        tree = trees(package(release))[module]
        found = {name for node in ast.walk(tree) for name in bound_names(node) if NUMBERED.search(name)}
        assert found == set(), module


def bound_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ClassDef(name) | ast.FunctionDef(name) | ast.Name(name) | ast.arg(name) | ast.alias(name):
            yield name
        case ast.Attribute(attr=name):
            yield name
        case _:
            pass


def test_numbered_names_would_be_found() -> None:
    numbered = ast.parse("class Foo1: ...\nclass Foo2Param: ...\nfoo_3 = 4\ndef f(a5): ...")
    found = {name for node in ast.walk(numbered) for name in bound_names(node)}
    assert {"Foo1", "Foo2Param", "foo_3", "a5"} <= found
    assert {name for name in found if NUMBERED.search(name)} == {"Foo1", "Foo2Param", "foo_3", "a5"}


@pytest.mark.parametrize("release", RELEASES)
def test_modules_list_what_they_define(release: str, package: Packages) -> None:
    """`__all__` is what is public, sorted, without repeats; the root has all of it but the typed dictionaries."""
    root = package(release)
    public = {name for name, module in root._origins.items() if module not in {"models", "events"}}
    for name in ("models", "events", "params"):
        module = importlib.import_module(f"{root.__name__}.{name}")
        tree = trees(root)[name]
        defined = {each.name for each in symbols(tree).values()} | {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        }
        assert set(module.__all__) == defined, name
        assert len(module.__all__) == len(set(module.__all__))
        public |= set(module.__all__) if name != "params" else set()
    assert public
    assert set(root.__all__) == public | {"SPEC_RELEASE", "__version__"}
    assert len(root.__all__) == len(set(root.__all__))
    assert release == root.SPEC_RELEASE


@pytest.mark.parametrize("release", RELEASES)
def test_a_spec_cannot_take_a_name_that_the_package_offers(release: str, package: Packages) -> None:
    """What is no declaration of the spec is reserved, so that nothing hides it."""
    offered = {name for name, module in package(release)._origins.items() if module not in {"models", "events"}}
    assert offered <= RUNTIME_NAMES


@pytest.mark.parametrize("release", RELEASES)
def test_type_checkers_see_what_is_there(release: str, package: Packages) -> None:
    """What is imported for type checkers alone is what is found when running, from the same modules."""
    root = package(release)
    static: dict[str, str | None] = {}
    for node in trees(root)["__init__"].body:
        if isinstance(node, ast.If):
            for each in node.body:
                assert isinstance(each, ast.ImportFrom)
                static |= {alias.name: each.module for alias in each.names}
    assert static.keys() == set(root.__all__) - {"SPEC_RELEASE", "__version__"}
    for name, module in static.items():
        assert getattr(root, name) is getattr(importlib.import_module(f".{module}", root.__name__), name)


@pytest.mark.parametrize("each", [each for each in EVERY if each.side == "request" and not each.is_enum], ids=str)
def test_requests_are_typed_dictionaries_too(each: Component, package: Packages) -> None:
    """Z1: each has the properties of the schema under their names on the wire, and requires the same ones."""
    params = importlib.import_module(f"{package(each.release).__name__}.params")
    options = each.options
    if each.is_union:
        assert hasattr(params, each.symbol)
    elif options[0].properties:
        hints = get_type_hints(getattr(params, each.symbol), include_extras=True)
        allowed = {name for name, schema in options[0].properties.items() if each.document.options(schema)}
        assert hints.keys() == allowed
        required = {name for name, kind in hints.items() if get_origin(kind) is Required}
        assert required == set(options[0].schema.get("required", ()))


# Imports.


def test_importing_the_package_imports_no_pydantic() -> None:
    code = (
        "import sys, openresponses_kit as kit\n"
        "names = dir(kit), kit.__version__, kit.SPEC_RELEASE, kit.__all__, hasattr(kit, 'nothing')\n"
        "assert set(kit.__all__) <= set(dir(kit))\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'pydantic', 'pydantic_core', 'typing_extensions', 'openresponses_codegen'}, loaded\n"
        "assert 'openresponses_kit.models' not in sys.modules\n"
        "kit.parse_event\n"
        "assert 'pydantic' in sys.modules\n"
        "print(len(names))\n"
    )
    assert run(code, cwd=GENERATED.parent, path=GENERATED.parent) == "5"


def test_dir_lists_every_name_once_and_each_can_be_had() -> None:
    names = dir(kit)
    assert set(kit.__all__) <= set(names)
    assert len(names) == len(set(names))
    for name in names:
        getattr(kit, name)


@pytest.mark.parametrize("name", ["nothing", "Respones", "models_", "_nothing", "__nothing__"])
def test_a_name_that_is_not_there_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'openresponses_kit' has no attribute '{name}'"):
        getattr(kit, name)
    assert not hasattr(kit, name)


def test_star_import_gives_what_is_listed() -> None:
    code = (
        "from openresponses_kit import *\nimport openresponses_kit as kit\nprint(set(kit.__all__) <= globals().keys())"
    )
    assert run(code, cwd=GENERATED.parent, path=GENERATED.parent) == "True"


@pytest.mark.parametrize("release", RELEASES)
def test_imports_of_its_own_are_relative_and_all_others_are_known(release: str, package: Packages) -> None:
    for module, tree in trees(package(release)).items():
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            roots = {name.partition(".")[0] for name in names}
            known = EXTERNAL | (EXTERNAL_OF_THE_CLIENT if is_of_the_client(module) else set())
            known |= EXTERNAL_OF_THE_GATEWAY if module.startswith("gateway/") else set()
            known |= EXTERNAL_OF.get(module, set())
            assert roots <= known | sys.stdlib_module_names, module


def is_of_the_client(module: str) -> bool:
    return module.startswith("client/") or module == "testing"


@pytest.mark.parametrize("with_init", [True, False], ids=["packages", "namespaces"])
@pytest.mark.parametrize("release", RELEASES)
def test_it_works_under_another_name_three_levels_deep(
    release: str, with_init: bool, package: Packages, tmp_path: Path
) -> None:
    target = tmp_path / "a" / "b" / "c" / "kit"
    shutil.copytree(folder(package(release)), target, ignore=shutil.ignore_patterns("__pycache__"))
    if with_init:
        for parent in list(target.parents)[:3]:
            (parent / "__init__.py").touch()
    code = (
        "import sys\n"
        "from a.b.c.kit import EVENT_TYPES, CreateResponseBody, SPEC_RELEASE, parse_event\n"
        "from a.b.c.kit import models, events, params\n"
        'event = parse_event(b\'{"type": "response.refusal.delta", "sequence_number": 1, "item_id": "i", \'\n'
        '                    b\'"output_index": 0, "content_index": 0, "delta": "no"}\')\n'
        "assert type(event) is EVENT_TYPES['response.refusal.delta'] and event.is_delta\n"
        "body = CreateResponseBody(model='m', input=[{'role': 'user', 'content': 'hi'}])\n"
        'assert body.model_dump_json() == \'{"model":"m","input":[{"type":"message","role":"user",\'\\\n'
        '    \'"content":"hi"}]}\'\n'
        "foreign = [name for name in sys.modules if name.startswith(('openresponses', 'kit_'))]\n"
        "assert not foreign, foreign\n"
        "assert type(event).__module__ == 'a.b.c.kit.events'\n"
        "print(SPEC_RELEASE)\n"
    )
    assert run(code, cwd=tmp_path, path=tmp_path) == release


def test_it_says_that_it_is_typed() -> None:
    """PEP 561."""
    assert (GENERATED / "py.typed").read_bytes() == b""


# Documentation.


@dataclass
class Symbol:
    """A class or an alias of a module: its docstring, and those of its fields."""

    name: str
    docstring: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    values: frozenset[str] = frozenset()
    """The strings in its definition."""


def symbols(tree: ast.Module) -> dict[str, Symbol]:
    """The classes and aliases that a module defines."""
    found: dict[str, Symbol] = {}
    for node, after in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
        name = target(node)
        if isinstance(node, ast.ClassDef):
            found[node.name] = Symbol(node.name, squeezed(ast.get_docstring(node) or ""))
            for base in (found[each.id] for each in node.bases if isinstance(each, ast.Name) and each.id in found):
                found[node.name].fields |= base.fields
                found[node.name].types |= base.types
            for inner, following in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
                if isinstance(inner, ast.AnnAssign) and (inner_name := target(inner)):
                    wire_name = alias(inner) or inner_name
                    found[node.name].fields[wire_name] = text_of(following)
                    found[node.name].types[wire_name] = ast.unparse(inner.annotation)
        elif name is not None and not name.startswith("_"):
            strings = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            values = frozenset(each for each in strings if isinstance(each, str))
            found[name] = Symbol(name, text_of(after), values=values)
            if isinstance(node, ast.Assign | ast.AnnAssign) and "TypedDict(" in ast.unparse(node):
                found[name].fields = dict.fromkeys(values, "")
    return found


def target(node: ast.stmt) -> str | None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return targets[0].id if targets and isinstance(targets[0], ast.Name) else None


def alias(node: ast.AnnAssign) -> str | None:
    keywords = [each for each in ast.walk(node) if isinstance(each, ast.keyword) and each.arg == "alias"]
    return next((str(ast.literal_eval(each.value)) for each in keywords), None)


def text_of(node: ast.stmt) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return squeezed(str(node.value.value)) if is_text else ""


def squeezed(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Description:
    """A description of the document, the component and property that it belongs to, and an enum's value."""

    text: str
    owner: str
    path: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()


def descriptions(name: str, schema: Any, path: tuple[str, ...] = ()) -> Iterator[Description]:
    """Every description within a component."""
    if isinstance(schema, list):
        for each in schema:
            yield from descriptions(name, each, path)
    elif isinstance(schema, dict):
        if isinstance(schema.get("description"), str):
            yield Description(squeezed(schema["description"]), name, path)
        for text in schema.get("x-enumDescriptions", {}).values():
            yield Description(squeezed(text), name, path, frozenset(schema["enum"]))
        for key, value in schema.items():
            if key == "properties":
                for each, inner in value.items():
                    yield from descriptions(name, inner, (*path, each))
            elif key not in {"example", "default", "enum", "x-enumDescriptions"}:
                yield from descriptions(name, value, path)


@cache
def documented(root: ModuleType) -> dict[str, dict[str, Symbol]]:
    return {name: symbols(tree) for name, tree in trees(root).items()}


@pytest.mark.parametrize("each", EVERY, ids=str)
def test_every_description_is_the_docstring_of_its_own_symbol(each: Component, package: Packages) -> None:
    """Of a component, a property or an enum's value, on each side; a request's is in `params` as well."""
    modules = documented(package(each.release))
    missing = [
        (where, found)
        for found in descriptions(each.name, each.schema)
        for where in places_of(found, each, modules)
        if not is_documented(found, where)
    ]
    assert missing == []


Where = tuple[Symbol, str | None]


def places_of(found: Description, each: Component, modules: dict[str, dict[str, Symbol]]) -> Iterator[Where]:
    """The symbols that a description belongs to, each with the name of the field if it is one's."""
    if (found.owner, found.path[0] if found.path else "") in DISALLOWED:
        return
    kinds = ["events" if is_event(each) else "models"]
    kinds += ["params"] if each.side == "request" and each.symbol in modules["params"] else []
    for kind in kinds:
        symbol, path = modules[kind][each.symbol], found.path
        while len(path) > 1:  # a property of an object that is a property
            symbol, path = modules[kind][symbol.types[path[0]].removesuffix(" | None")], path[1:]
        if found.values and path and kind != "params":
            (enum,) = [other for other in modules[kind].values() if other.values == found.values | {other.name}]
            yield enum, None
        elif not found.values or kind != "params":
            yield symbol, path[0] if path else None


def is_documented(found: Description, where: Where) -> bool:
    symbol, name = where
    if name is not None and symbol.fields.get(name) == "" and not symbol.types:
        return found.text in symbol.docstring  # fields that are no Python names have no docstrings of their own
    return found.text in (symbol.docstring if name is None else symbol.fields[name])


def test_descriptions_are_looked_for_everywhere() -> None:
    """Guards the test above: it sees every description of the components."""
    for release in RELEASES:
        schemas = document(release).schemas
        found = [each for name, schema in schemas.items() for each in descriptions(name, schema)]
        assert len(found) > 400
        everywhere = list(texts(schemas))
        assert sorted(each.text for each in found) == sorted(everywhere)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and isinstance(value, str):
                yield squeezed(value)
            elif key == "x-enumDescriptions":
                yield from map(squeezed, value.values())
            elif key != "example":
                yield from texts(value)


def test_the_description_of_the_stream_is_at_its_union() -> None:
    answer: Schema = document(NEWEST).root["paths"]["/responses"]["post"]["responses"]["200"]
    described = answer["content"]["text/event-stream"]["schema"]["description"]
    assert squeezed(described) in documented(kit)["events"]["StreamEvent"].docstring


@pytest.mark.parametrize("release", RELEASES)
def test_every_symbol_has_a_docstring(release: str, package: Packages) -> None:
    """Classes and aliases that the document does not describe, too."""
    for module in MODULES_OF_THE_SPEC:
        found = documented(package(release))[module]
        assert [symbol.name for symbol in found.values() if not symbol.docstring] == [], module


def test_the_extras_are_those_that_messages_and_the_manifest_name() -> None:
    """What `generation.json` calls optional can be installed by the same names with the generator."""
    project = tomllib.loads((GENERATED.parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    stated = {name: each for part in COMPONENTS.values() for name, each in part.extras.items()}
    for name in ("server", "fastapi", "postgres", "gateway", "mcp"):
        assert sorted(project[name]) == sorted(f"{package}{version}" for package, version in stated[name].items())
