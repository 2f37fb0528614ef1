"""A name of a document becomes a name that works, or is refused: it never hides, breaks or replaces another one."""

import ast
import builtins
import keyword
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pydantic
import pytest
from hostile import Json, document, key
from hostile_outcome import Broke, Package, check_refusal, generated, lowered, used

SCHEMAS = "#/components/schemas/"
STEERING: Json = {
    "x-python-type": "os.PathLike",
    "x-python-import": {"module": "os", "name": "system"},
    "x-python-import-path": "os.system",
    "customTypePath": "os.PathLike",
    "customBasePath": "os.PathLike",
    "default_factory": "os.getcwd",
    "x-default-factory": "os.getcwd",
    "x-enum-varnames": ["__class__", "mro"],
    "x-enumNames": ["os", "system"],
    "x-enum-descriptions": ["a", "b"],
    "x-enum-field-as-literal": "none",
    "x-propertyNames": {"pattern": "x"},
    "x-is-base-class": True,
    "x-is-classvar": True,
    "x-field-extra": {"default_factory": "os.getcwd"},
    "x-validators": [{"field": "*", "function": "os.system"}],
    "x-class-decorators": ["os.system"],
    "x-model-config": {"extra": "forbid"},
    "x-use-attribute-docstrings": True,
    "x-additional-imports": ["os.system"],
    "x-alias": "os",
    "x-constr": "os",
    "extends": "os.PathLike",
    "$ref-siblings": "os",
    "javaType": "os.PathLike",
    "typeName": "Owned",
    "tsType": "os",
    "markdownDescription": '"""',
    "unionMode": "left_to_right",
    "x-is-discriminator": True,
}
"""Keys by which tools are told, inside a schema, to print something else."""


def identifiers(package: Package) -> set[str]:
    """Every name that generated modules read, write, import or pass."""
    found: set[str] = set()
    for module in package.modules:
        for node in ast.walk(package.tree(module)):
            for attribute in ("id", "name", "attr", "arg", "module", "asname"):
                value = getattr(node, attribute, None)
                found |= set(value.split(".")) if isinstance(value, str) else set()
    return found - {""}


@pytest.fixture(scope="module")
def harmless() -> Package:
    package = generated(document())
    assert isinstance(package, Package)
    return package


@pytest.fixture(scope="module")
def dangerous(harmless) -> list[str]:
    """Names that mean something to Python, to pydantic or to the generated code, but none of the document's."""
    names = {*keyword.kwlist, *keyword.softkwlist, *filter(str.islower, dir(builtins)), *dir(pydantic.BaseModel)}
    names |= identifiers(harmless) | {"self", "cls", "root", "RootModel", "T", "UUID", "Decimal", "Enum", "datetime"}
    names |= {"model_", "model_x", "validator", "Path", "AnyUrl", "conlist", "Exception", "List", "Optional", "Self"}
    return sorted(names - document()["components"]["schemas"].keys() - {"_"})


@pytest.fixture(scope="module")
def as_component(dangerous) -> list[str]:
    """Those of them that a component may have."""
    return [name for name in dangerous if accepted([name], lambda names: with_components({names[0]: KINDS["object"]}))]


OWNERS = ("Thing", "Answer", "ChangedEvent")
"""Objects of a request, of a response, and of the stream."""


def with_components(
    schemas: dict[str, Json], *, events: Collection[str] = (), owners: Collection[str] = OWNERS
) -> Json:
    """The harmless document with further components: events, or used by the owners."""
    content = document()
    components = content["components"]["schemas"]
    components |= schemas
    for number, name in enumerate(schemas.keys() - events):
        for owner in owners:
            components[owner]["properties"][f"use{number}"] = {"$ref": f"{SCHEMAS}{name}"}
    answers = content["paths"]["/things"]["post"]["responses"]["200"]["content"]
    answers["text/event-stream"]["schema"]["oneOf"] += [{"$ref": f"{SCHEMAS}{name}"} for name in events]
    return content


def accepted(names: Sequence[str], content: Callable[[Sequence[str]], Json]) -> list[str]:
    """The names that a document can hold; each of the others, alone in a document, has to be refused well."""
    outcome = lowered(content(names))
    if outcome is None:
        return list(names)
    if isinstance(outcome, Broke):
        raise outcome.error
    if len(names) == 1:
        check_refusal(outcome.diagnostics)
        return []
    middle = len(names) // 2
    return accepted(names[:middle], content) + accepted(names[middle:], content)


def made(content: Json) -> Package:
    """The package of a document that every part of has been accepted."""
    outcome = generated(content)
    if isinstance(outcome, Broke):
        raise outcome.error
    assert isinstance(outcome, Package), outcome
    return outcome


def test_every_dangerous_name_as_a_property(dangerous, tmp_path: Path) -> None:
    """A property of any name can be parsed and dumped under it, and is a key of the dictionary."""

    def content(names: Sequence[str]) -> Json:
        schemas = {f"P{number}": _two_properties(name) for number, name in enumerate(names)}
        return with_components(schemas, owners=["Thing"])

    names = accepted(dangerous, content)
    assert set(names) >= {*keyword.kwlist, "self", "json", "copy", "schema", "model_config", "__class__", "Any", "str"}
    package = made(content(names))
    for number, name in enumerate(names):
        assert package.wire_names("models", f"P{number}") == [name, "last"]
        assert package.wire_names("params", f"P{number}") == [name, "last"]
    probes = {f"P{number}": {name: "x", "last": [1]} for number, name in enumerate(names)}
    assert used([package], tmp_path, lambda _: probes) == {}


def _two_properties(name: str) -> Json:
    return {"type": "object", "properties": {name: {"type": "string"}, "last": {"type": "array"}}}


KINDS: dict[str, Json] = {
    "object": {"type": "object", "properties": {"own": {"type": "string"}}},
    "event": {"type": "object", "properties": {"type": {"const": "?"}}, "required": ["type"]},
    "alias": {"type": "string", "maxLength": 3},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_dangerous_name_as_a_component(as_component, kind, tmp_path: Path) -> None:
    """A component of any name is refused, or hides nothing that generated code uses, first or second time."""

    def schema(name: str) -> Json:
        if kind != "event":
            return KINDS[kind]
        return {**KINDS[kind], "properties": {"type": {"const": f"event.{name}"}}}

    def content(names: Sequence[str]) -> Json:
        return with_components({name: schema(name) for name in names}, events=names if kind == "event" else ())

    assert {"T", "self", "Decimal"} <= set(as_component)
    chunks = [as_component[at : at + 120] for at in range(0, len(as_component), 120)]
    assert used([made(content(chunk)) for chunk in chunks], tmp_path) == {}


SAME_OBJECT = (
    ("a-b", "a_b"),
    ("a.b", "a b"),
    ("a__b", "a-_b"),
    ("class", "class_"),
    ("class", "__class__"),
    ("json", "json_"),
    ("model_x", "model_x_"),
    ("Name", "name"),
    ("NAME-X", "name_x"),
    ("_x", "x"),
    ("__x", "_x"),
    ("1", "field_1"),
    ("field", "\ufb01eld"),
    ("field", "\uff46\uff49\uff45\uff4c\uff44"),
    ("eld", "\ufb01eld"),
    ("class", "cla\u017fs"),
    ("a\u00e9b", "ae\u0301b"),
    ("a\u00e9b", "a_b"),
    ("K", "\u212a"),
    ("i", "\u0131"),
    ("x\u200by", "x_y"),
    ("str", "str_"),
    ("Thing", "Thing_"),
)


@pytest.mark.parametrize("names", SAME_OBJECT, ids=ascii)
def test_properties_whose_names_collide(names, tmp_path: Path) -> None:
    """Two properties stay two, each under its own name on the wire, or the document is refused."""
    schema = {"type": "object", "properties": {name: {"type": "integer"} for name in names}}
    content = with_components({"P": schema})
    if accepted([""], lambda _: content):
        package = made(content)
        for module, owner in (("models", "P"), ("models", "PParam"), ("params", "PParam")):
            assert package.wire_names(module, owner) == list(names)
        values = {name: number for number, name in enumerate(names)}
        assert used([package], tmp_path, lambda _: {"P": values, "PParam": values}) == {}


SAME_DOCUMENT = (
    ("Item", "item"),
    ("Item", "ITEM"),
    ("ItemList", "Item_List"),
    ("Item1", "Item_1"),
    ("Model1", "Model2"),
    ("Named_", "named"),
    ("Both", "BothParam"),
    ("ThingChosen", "ThingPreset"),
    ("AnswerPartsItem", "AnswerSizesItem"),
    ("UnknownAnswerPartsItem", "UnknownItem"),
    ("AnswerPartsItemParam", "UnknownOutline"),
    ("UnknownPart", "UnknownPartParam"),
    ("Field_", "Any_"),
)


@pytest.mark.parametrize("names", SAME_DOCUMENT, ids="-".join)
def test_components_whose_names_collide(names, tmp_path: Path) -> None:
    """No component is lost to one of nearly the same name, nor to a name that was made for something inline."""
    schemas = {
        name: {"type": "object", "properties": {f"own{number}": {"type": "integer"}}}
        for number, name in enumerate(names)
    }
    behind, before = with_components(schemas), with_components(schemas)
    before["components"]["schemas"] = {**schemas, **before["components"]["schemas"]}
    packages = [made(content) for content in (behind, before) if accepted([""], lambda _, content=content: content)]
    assert len(packages) != 1, "the order says nothing"
    for package in packages:
        for number, name in enumerate(names):
            assert package.wire_names("models", name) == [f"own{number}"]
    assert used(packages, tmp_path, lambda _: {name: {f"own{n}": 1} for n, name in enumerate(names)}) == {}


LEVELS: dict[str, Callable[[Json], Json]] = {
    "document": lambda content: content,
    "schema": lambda content: content["components"]["schemas"]["Thing"],
    "property": lambda content: content["components"]["schemas"]["Thing"]["properties"]["preset"],
    "reference": lambda content: content["components"]["schemas"]["Thing"]["properties"]["named"],
    "enum": lambda content: content["components"]["schemas"]["Status"],
    "items": lambda content: content["components"]["schemas"]["Answer"]["properties"]["sizes"]["items"],
    "union": lambda content: content["components"]["schemas"]["Outline"],
}


@pytest.mark.parametrize("steering", STEERING)
def test_keys_that_steer_other_tools_steer_nothing(harmless, steering) -> None:
    """A key meant for datamodel-code-generator, or for another tool, changes no byte, or is refused."""

    def content(levels: Sequence[str]) -> Json:
        found = document()
        for level in levels:
            LEVELS[level](found)[steering] = STEERING[steering]
        return found

    levels = accepted(list(LEVELS), content)
    assert levels in ([], list(LEVELS)), "a key is known everywhere or nowhere"
    found, wanted = (
        {name: text for name, text in package.files.items() if name != "generation.json"}
        for package in (made(content(levels)), harmless)
    )
    assert found == wanted


def test_a_schema_may_not_be_named_like_a_path(harmless) -> None:
    """Names with separators never reach a file name or a reference."""
    for name in ("../../x", "a/b", "a\\b", "C:", "..", "__init__.py", "a~1b", "a%2Fb"):
        content = document()
        key("components", "schemas", "Limited")(content, name)
        content["components"]["schemas"]["Thing"]["properties"].pop("limited")
        assert accepted([name], lambda _, content=content: content) == []
    assert all("/" not in name for name in harmless.files)
