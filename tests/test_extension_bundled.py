"""The bundled extensions: the classes they add, what public types say of the same wire, streams from end to end."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import openai.types.responses as public
import pytest
from openresponses_codegen import extension, pipeline, resources, source
from openresponses_codegen.components import COMPONENTS
from openresponses_codegen.diagnostics import Diagnostics
from pydantic import BaseModel
from running_server import running

GOLDEN = Path(__file__).parent / "golden"
NAMES = list(resources.extensions())
RELEASES = list(resources.releases())


@cache
def package(*names: str, components: tuple[str, ...] = ("models", "events")) -> pipeline.Package:
    spec = pipeline.load_spec(RELEASES[-1], extensions=names)
    return pipeline.generate(spec, pipeline.Options(package="kit", components=components))


@cache
def form(name: str) -> extension.Extension:
    diagnostics = Diagnostics()
    read = extension.read(source.load(resources.extensions()[name]), diagnostics)
    assert diagnostics.items == ()
    return read


def declared_in(text: str) -> Iterator[tuple[str, str]]:
    """The classes and types of a module as few lines as show them, by name."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            fields = [
                f"    {ast.unparse(each.target)}: {ast.unparse(each.annotation)}"
                + (f" = {ast.unparse(each.value)}" if each.value is not None else "")
                for each in node.body
                if isinstance(each, ast.AnnAssign) and not ast.unparse(each.annotation).startswith("ClassVar")
            ]
            yield node.name, "\n".join([f"{node.name}({', '.join(map(ast.unparse, node.bases))})", *fields])
        elif isinstance(node, ast.Assign) and "TypeAliasType" in ast.unparse(node.value):
            assert isinstance(node.value, ast.Call)
            name = ast.unparse(node.targets[0])
            yield name, f"{name} = {ast.unparse(node.value.args[1])}"


_WORDS = re.compile(r"[\w.]+|'[^']*'")


def added(before: str | None, now: str) -> str:
    """A declaration; of a union or enum that was there before only the new members."""
    if before is None or "\n" in now:
        return now
    known = set(_WORDS.findall(before))
    return f"{now.partition(' = ')[0]} += {' | '.join(each for each in _WORDS.findall(now) if each not in known)}"


def tree(name: str) -> str:
    """What an extension adds and changes of models and events; request classes that repeat a response class aside."""
    extended, core = package(name).files, package().files
    lines: list[str] = []
    for module in ("models.py", "events.py"):
        before = dict(declared_in(core[module]))
        changed = {key: text for key, text in declared_in(extended[module]) if before.get(key) != text}
        now = {key: added(before.get(key), text) for key, text in changed.items()}
        lines += [f"# {module}", ""]
        lines += [
            f"{text}\n" for key, text in now.items() if key.removesuffix("Param") not in now or key[-5:] != "Param"
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_the_classes_of_a_bundled_extension(name: str, request: pytest.FixtureRequest):
    """The golden tree is read by people: `pytest --update` renews it."""
    path = GOLDEN / f"extension-{name}.txt"
    if request.config.getoption("--update"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(tree(name), encoding="utf-8")
    assert tree(name) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("release", RELEASES)
def test_all_bundled_extensions_fit_each_release_together(release: str):
    spec = pipeline.load_spec(release, extensions=NAMES)
    (warning,) = pipeline.lower_spec(spec).warnings
    assert warning.code == "extension-alias"
    assert "are read as types of `huggingface`" in warning.message


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_described(name: str):
    """Prose in the form is what readers get as docstrings."""
    read = form(name)
    for each in (*read.declared, *read.schemas):
        if isinstance(each, extension.Shared):
            assert each.schema.get("description") is not None, each.class_name
        elif not isinstance(each, extension.Choice):
            assert each.description is not None, each.type
        fields = each.schema.get("properties") if isinstance(each, extension.Shared) else None
        members = fields.value if fields is not None else getattr(each, "fields", {})
        assert isinstance(members, dict)
        assert [key for key, field in members.items() if field.get("description") is None] == []


def public_classes() -> dict[str, list[type[BaseModel]]]:
    """The classes of OpenAI's library by their constant `type`."""
    found: dict[str, list[type[BaseModel]]] = {}
    modules = [value for value in vars(public).values() if isinstance(value, ModuleType)]
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseModel) and "type" in value.model_fields:
                annotation = value.model_fields["type"].annotation
                for tag in get_args(annotation) if get_origin(annotation) is Literal else ():
                    found.setdefault(str(tag), []).append(value)
    return found


ALIASED = [
    (each, str(alias.value)) for each in form("openai").declared for alias in each.aliases if each.kind != "tool choice"
]


@pytest.mark.parametrize(("declared", "alias"), ALIASED, ids=[f"{each.type}-{alias}" for each, alias in ALIASED])
def test_z18_what_is_required_is_always_on_openais_wire(declared: extension.Declared, alias: str):
    """A field that OpenAI may leave out must not be required, and each field of ours is one of theirs."""
    classes = public_classes().get(alias, [])
    if not classes:
        assert alias == "computer_use", "there is no such type"
        return
    theirs = classes[0].model_fields
    names = {name for each in classes for name in each.model_fields}
    assert set(declared.required) <= {name for name, field in theirs.items() if field.is_required()}
    if declared.kind != "tool":  # two tools of theirs share one of ours
        assert set(declared.fields) <= names
    for name, schema in declared.fields.items():
        field = theirs.get(name)
        if field is not None and name not in declared.required and not field.is_required():
            assert is_nullable(schema.plain()), f"`{name}` may be null in what OpenAI sends"
    if isinstance(declared, extension.Item) and "status" in theirs:
        statuses = {value for value in flat(theirs["status"].annotation) if isinstance(value, str)}
        assert statuses <= {"in_progress", "completed", "incomplete", *declared.statuses}
        assert theirs["status"].is_required() or "status" in declared.optional
    elif isinstance(declared, extension.Item):
        assert "status" in declared.optional


def is_nullable(schema: Any) -> bool:
    members = [schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))]
    return not any(members) or "null" in members or any(isinstance(each, list) and "null" in each for each in members)


def flat(annotation: Any) -> Iterator[Any]:
    """The values of literals anywhere in an annotation."""
    for each in get_args(annotation):
        yield from flat(each) if get_args(each) else (each,)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package with both extensions, OpenAI's first, importable by this name."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("bundled")
        patch.syspath_prepend(folder)
        made = package("openai", "huggingface", components=tuple(COMPONENTS))
        for name, text in made.files.items():
            path = folder / "bundled_kit" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield "bundled_kit"


def value_for(schema: Any, schemas: Any) -> Any:
    """A small value of a schema, with what is required only."""
    if "$ref" in schema:
        return value_for(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return value_for(schema[key][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: value_for(properties[key], schemas) for key in schema.get("required", ())}
    return {"array": [], "string": "x", "integer": 1, "number": 0.5, "boolean": True}[kind]


def document_of(kit: str) -> Any:
    module = importlib.import_module(kit)
    assert module.__file__ is not None
    return json.loads((Path(module.__file__).parent / "openapi.json").read_text(encoding="utf-8"))


def test_items_and_events_pass_through_server_and_client(kit: str):
    """Everything that both extensions declare, written by the server, is read as its class, and goes back as input."""
    schemas = document_of(kit)["components"]["schemas"]
    server, client = importlib.import_module(f"{kit}.server"), importlib.import_module(kit)
    models, events = importlib.import_module(f"{kit}.models"), importlib.import_module(f"{kit}.events")
    declared = [each for name in ("openai", "huggingface") for each in form(name).declared]
    items = [each for each in declared if isinstance(each, extension.Item)]
    told = [each for each in declared if isinstance(each, extension.Event)]

    class Everything(server.ResponsesService):
        async def respond(self, request: Any, out: Any) -> None:
            for item in items:
                value = value_for(schemas[item.class_name], schemas)
                own = {key: each for key, each in value.items() if key not in ("type", "id", "status")}
                async with out.vendor_item(item.type, **own) as writer:
                    for each in told:
                        if each.item == item.type:
                            fields = {key: value_for(schema.plain(), schemas) for key, schema in each.fields.items()}
                            await writer.event(each.type, **fields)

    with (
        running(server.create_app(Everything(), store=None)) as serving,
        client.OpenResponses(base_url=f"{serving.url}/v1", api_key="none") as caller,
    ):
        with caller.responses.stream(model="m", input="hi") as stream:
            read = [type(event) for event in stream]
            response = stream.get_final_response()
        again = caller.responses.create(model="m", input=[*response.output])
    assert [type(item) for item in response.output] == [getattr(models, each.class_name) for each in items]
    assert [type(item) for item in again.output] == [type(item) for item in response.output]
    assert {each.class_name for each in told} == {kind.__name__ for kind in read} & set(events.__all__) - set(
        importlib.import_module("openresponses_kit.events").__all__
    )


def test_z18_unprefixed_types_are_read_as_the_classes_and_go_back_as_they_came(kit: str):
    """What OpenAI and Hugging Face really send: no prefix, and less than a new type has."""
    models, events = importlib.import_module(f"{kit}.models"), importlib.import_module(f"{kit}.events")
    from pydantic import TypeAdapter

    items = [
        {"type": "web_search_call", "id": "ws_1", "status": "searching", "action": {"type": "search", "query": "q"}},
        {"type": "code_interpreter_call", "id": "ci_1", "status": "interpreting", "container_id": "c", "code": None},
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []},
        {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"},
        {"type": "computer_call", "id": "cu_1", "status": "completed", "call_id": "c", "pending_safety_checks": [],
         "action": {"type": "click", "button": "left", "x": 1, "y": 2}},
    ]  # fmt: skip
    read = [TypeAdapter(models.ItemField).validate_python(each) for each in items]
    assert [type(each).__name__ for each in read] == [
        "OpenAIWebSearchCall",
        "OpenAICodeInterpreterCall",
        "OpenAIMcpListTools",
        "OpenAIMcpApprovalRequest",
        "OpenAIComputerCall",
    ]
    assert [each.model_dump(mode="json", exclude_unset=True) for each in read] == items
    place = {"sequence_number": 1, "item_id": "i", "output_index": 0}
    wire = {
        "type": "response.image_generation_call.partial_image",
        **place,
        "partial_image_index": 0,
        "partial_image_b64": "",
    }
    event = events.parse_event(json.dumps(wire).encode())
    assert type(event).__name__ == "OpenAIImageGenerationCallPartialImageEvent"
    assert event.model_dump(mode="json", exclude_unset=True) == wire


def test_hugging_face_alone_reads_events_without_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its server leaves `item_id` and `output_index` out of the events of listing tools."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in package("huggingface").files.items():
        path = tmp_path / "huggingface_kit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    events = importlib.import_module("huggingface_kit.events")
    event = events.parse_event(b'{"type": "response.mcp_list_tools.in_progress", "sequence_number": 2}')
    assert type(event).__name__ == "HuggingFaceMcpListToolsInProgressEvent"
