"""What an extension compiles to, for every release; what two of them, or one and the document, both declare."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from openresponses_codegen import extension, ir, overlay, pipeline, resources, source
from openresponses_codegen.diagnostics import DiagnosticError, Diagnostics, Severity
from openresponses_codegen.extension import starter

RELEASES = list(resources.releases())
ALIASED = "vendor: {vendor}\nitems:\n  call:\n    aliases: [call]\n    events: {{done: {{aliases: [call.done]}}}}\n"


def spec_with(*texts: str, release: str = RELEASES[-1]) -> pipeline.Spec:
    layers = [pipeline.Layer("extension", f"{index}.yaml", text.encode()) for index, text in enumerate(texts)]
    return pipeline.Spec(release, resources.releases()[release].read_bytes(), tuple(layers))


def schemas_of(spec: pipeline.Spec) -> dict[str, Any]:
    """The schemas of a document with its extensions applied."""
    document: Any = pipeline.lower_spec(spec).document.node.plain()
    return document["components"]["schemas"]


def compiled(*texts: str) -> tuple[tuple[overlay.Overlay, ...], tuple[str, ...]]:
    """The overlays of extensions, and what is said of them: severity, place and message."""
    diagnostics = Diagnostics()
    nodes = [source.parse(text.encode(), f"{index}.yaml") for index, text in enumerate(texts)]
    forms = [extension.read(node, diagnostics) for node in nodes]
    assert not diagnostics.items
    overlays = extension.compile_extensions(forms, diagnostics)
    return overlays, tuple(f"{each.severity} {each.position} {each.message}" for each in diagnostics.items)


def refusal(*texts: str, release: str = RELEASES[-1]) -> list[str]:
    with pytest.raises(DiagnosticError) as caught:
        pipeline.lower_spec(spec_with(*texts, release=release))
    return [f"{each.position} {each.message}" for each in caught.value.diagnostics]


@pytest.mark.parametrize("release", RELEASES)
def test_n2_an_item_has_what_every_item_has(release: str):
    schemas = schemas_of(spec_with(starter("acme"), release=release))
    item = schemas["AcmeSearchResult"]
    assert item["required"] == ["type", "id", "status", "query"]
    assert list(item["properties"]) == ["type", "id", "status", "query", "hits", "total"]
    assert item["properties"]["type"]["enum"] == ["acme:search_result"]
    assert item["properties"]["type"]["default"] == "acme:search_result"
    assert item["properties"]["status"]["$ref"] == "#/components/schemas/AcmeSearchResultStatus"
    status = schemas["AcmeSearchResultStatus"]
    assert status["enum"] == ["in_progress", "completed", "incomplete", "searching"]
    assert status["x-enumDescriptions"].keys() == set(status["enum"])
    assert schemas["AcmeSearchResultProgressEvent"]["required"] == [
        "type", "sequence_number", "item_id", "output_index", "percent",
    ]  # fmt: skip
    assert schemas["AcmeHeartbeatEvent"]["required"] == ["type", "sequence_number"]


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_added_names_its_vendor_and_its_item(release: str):
    schemas = schemas_of(spec_with(starter("acme"), release=release))
    marked = {
        name: (schema["x-openresponses-extension"], schema.get("x-openresponses-item"))
        for name, schema in schemas.items()
        if "x-openresponses-extension" in schema
    }
    item = "acme:search_result"
    assert marked == {
        "AcmeSearchResult": ("acme", None),
        "AcmeSearchResultStatus": ("acme", item),
        "AcmeSearchResultProgressEvent": ("acme", item),
        "AcmeHeartbeatEvent": ("acme", None),
        "AcmeSearchTool": ("acme", item),
        "AcmeSearchToolChoice": ("acme", None),
        "AcmeChartContent": ("acme", None),
        "AcmeHit": ("acme", None),
    }
    cost = schemas["ResponseResource"]["properties"]["acme_cost"]
    assert cost == {
        "type": "number",
        "description": "What the response cost, in cents.",
        "x-openresponses-extension": "acme",
    }


@pytest.mark.parametrize("release", RELEASES)
def test_types_join_the_unions_of_both_sides(release: str):
    """The lists that are one union stay one: no union has a name that it had not before."""
    plain = {each.name: each for each in pipeline.lower_spec(spec_with(release=release)).api.declarations}
    api = pipeline.lower_spec(spec_with(starter("acme"), release=release)).api
    unions = {each.name: set(each.members) for each in api.declarations if isinstance(each, ir.TaggedUnion)}
    joined = {name: sorted(members - set(getattr(plain[name], "members", ()))) for name, members in unions.items()}
    assert {name: members for name, members in joined.items() if members} == {
        "ItemField": ["AcmeSearchResult"],
        "ItemParam": ["AcmeSearchResultParam"],
        "Tool": ["AcmeSearchTool"],
        "ResponsesToolParam": ["AcmeSearchToolParam"],
        "StructuredToolChoice": ["AcmeSearchToolChoice"],
        "AllowedTool": ["AcmeSearchToolChoice"],
        "SpecificToolChoiceParam": ["AcmeSearchToolChoiceParam"],
        "StructuredToolChoiceParam": ["AcmeSearchToolChoiceParam"],
        "MessageContent": ["AcmeChartContent"],
        "ContentPart": ["AcmeChartContent"],
        "AssistantContentPartParam": ["AcmeChartContentParam"],
    }
    assert api.stream is not None
    assert {"AcmeSearchResultProgressEvent", "AcmeHeartbeatEvent"} < set(api.stream.members)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("place", "unions"),
    [
        ("output", {"MessageContent", "ContentPart", "AssistantContentPartParam"}),
        ("input", {"MessageContent", "UserContentPartParam"}),
        ("system", {"MessageContent", "SystemContentPartParam"}),
        ("reasoning", {"ContentPart"}),
        ("function_output", {"FunctionOutputContent", "FunctionOutputContentParam"}),
    ],
)
def test_a_part_stands_where_it_may(place: str, unions: set[str], release: str):
    text = f"vendor: acme\nparts: {{chart: {{in: [{place}]}}}}\n"
    api = pipeline.lower_spec(spec_with(text, release=release)).api
    found = {
        each.name
        for each in api.declarations
        if isinstance(each, ir.TaggedUnion) and any(member.startswith("AcmeChart") for member in each.members)
    }
    assert found == unions


def test_z18_aliases_stand_behind_the_type_and_may_lack_what_a_new_type_has():
    text = (
        "vendor: acme\nitems:\n  call:\n    aliases: [call, old_call]\n    optional: [status]\n"
        "    events: {done: {aliases: [call.done], optional: [item_id]}}\n"
    )
    (made,), found = compiled(text)
    update: Any = made.actions[0].update
    schemas = update.plain()
    assert found == ()
    assert schemas["AcmeCall"]["properties"]["type"]["enum"] == ["acme:call", "call", "old_call"]
    assert schemas["AcmeCall"]["properties"]["type"]["default"] == "acme:call"
    assert schemas["AcmeCall"]["required"] == ["type", "id"]
    assert schemas["AcmeCallDoneEvent"]["required"] == ["type", "sequence_number", "output_index"]


def test_what_is_printed_does_the_same_as_an_overlay():
    text = starter("acme")
    (printed,), _ = pipeline.compile_layers(spec_with(text))
    layer = pipeline.Layer("overlay", "acme.overlay.yaml", yaml.safe_dump(printed, sort_keys=False).encode())
    overlaid = pipeline.lower_spec(pipeline.Spec(RELEASES[-1], spec_with().content, (layer,)))
    assert overlaid.api == pipeline.lower_spec(spec_with(text)).api


@pytest.mark.parametrize("release", RELEASES)
def test_every_place_that_is_joined_is_in_the_release(release: str):
    """A new release that moved one of them would show here first."""
    from openresponses_codegen.extension.places import PLACES, UNIONS

    targets = sorted({path for paths in (*PLACES.values(), *UNIONS.values()) for path in paths})
    actions = [{"target": target, "update": {"$ref": "#/components/schemas/Error"}} for target in targets]
    content = {"overlay": "1.1.0", "info": {"title": "t", "version": "1"}, "actions": actions}
    diagnostics = Diagnostics()
    read = overlay.read(source.parse(yaml.safe_dump(content).encode(), "o.yaml"), diagnostics)
    overlay.apply(source.load(resources.releases()[release]), read, diagnostics, lenient=False)
    assert [str(each) for each in diagnostics.items] == []


CLASHES = [
    (
        "items: {a: {}, }\nevents: {a.b: {}}\n",
        "items: {a: {events: {b: {}}}}\n",
        ["the item type `acme:a`", "`acme:a.b`"],
    ),
    ("items: {a_b: {}}\n", "items: {a-b: {}}\n", ["the class `AcmeAB`"]),
    ("items: {a: {}}\n", "schemas: {A: {type: string}}\n", ["the class `AcmeA`"]),
    ("items: {a: {}}\n", "schemas: {AStatus: {type: string}}\n", ["the class `AcmeAStatus`"]),
    ("choices: {a: {}}\n", "items: {b: {}}\ntools: {a: {item: b, choice: true}}\n", ["the tool choice type `acme:a`"]),
    ("fields: {Error: {a: string}}\n", "fields: {Error: {a: integer}}\n", ["the field `a` of `Error`"]),
    ("values: {IncludeEnum: [a]}\n", "values: {IncludeEnum: [a]}\n#\n", ["the value `a` of `IncludeEnum`"]),
    ("parts: {a: {in: [input]}}\n", "parts: {a: {in: [output]}}\n", ["the content part type `acme:a`"]),
]


@pytest.mark.parametrize(("first", "second", "what"), CLASHES, ids=[each[2][0] for each in CLASHES])
def test_two_extensions_that_clash_are_named_both(first: str, second: str, what: list[str]):
    _, found = compiled(f"vendor: acme\n{first}", f"vendor: acme\n{second}")
    assert len(found) == len(what), found
    for said, each in zip(found, what, strict=True):
        assert said.startswith("error 1.yaml:")
        assert each in said
        assert "is declared at 0.yaml:" in said


def test_two_vendors_whose_names_come_to_the_same_python_name_clash():
    _, found = compiled(
        "vendor: acme\nprefix: One\nitems: {search_result: {}}\n",
        "vendor: acme_search\nprefix: Two\nitems: {result: {}}\n",
    )
    assert found == ("error 1.yaml:3:9 the Python name `acme_search_result` is declared at 0.yaml:3:9, too",)


def test_a_clash_inside_one_extension_is_told_too():
    _, found = compiled("vendor: acme\nitems: {a: {events: {b: {}}}}\nevents: {a.b: {}}\n")
    assert found == ("error 0.yaml:3:10 the event type `acme:a.b` is declared at 0.yaml:2:22, too",)


def test_an_extension_given_twice_is_one_error():
    _, found = compiled(starter("acme"), starter("acme"))
    assert len(found) == 1
    assert "`acme` is given twice" in found[0]


def test_z18_aliases_of_two_extensions_are_read_by_the_first():
    overlays, found = compiled(ALIASED.format(vendor="acme"), ALIASED.format(vendor="globex"))
    types = [
        schema["properties"]["type"]["enum"]
        for each in overlays
        for schema in getattr(each.actions[0].update, "plain", dict)().values()
        if "properties" in schema
    ]
    assert types == [["acme:call", "call"], ["acme:call.done", "call.done"], ["globex:call"], ["globex:call.done"]]
    assert found == (
        "warning 1.yaml:4:15 `call` and 1 more are read as types of `acme`, which is given first, at 0.yaml:4:15",
    )
    assert Severity.WARNING == "warning"


CORE = [
    ("items: {a: {aliases: [message]}}\n", "2:23 the type `message` is one of the document"),
    ("events: {a: {aliases: [response.created]}}\n", "2:24 the type `response.created` is one of the document"),
    ("fields: {ResponseResource: {model: string}}\n", "2:29 the field `model` of `ResponseResource`"),
    ("values: {IncludeEnum: [reasoning.encrypted_content]}\n", "2:24 the value `reasoning.encrypted_content`"),
    ("prefix: Function\nitems: {call: {}}\n", "3:9 the component `FunctionCall` is one of the document"),
    ("fields: {Respons: {a: string}}\n", "2:10 the JSONPath selects nothing"),
    ("fields: {ItemField: {a: string}}\n", "2:10 the JSONPath selects nothing"),
]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("text", "said"), CORE, ids=[each[1] for each in CORE])
def test_n1_n2_what_the_document_has_is_not_redefined(text: str, said: str, release: str):
    found = [each for each in refusal(f"vendor: acme\n{text}", release=release) if not each.startswith("None")]
    assert len([each for each in found if each.startswith("0.yaml:")]) == len(found)
    assert found[0].startswith(f"0.yaml:{said}")


def test_a_schema_that_is_wrong_is_refused_where_it_was_written():
    (found,) = refusal("vendor: acme\nitems:\n  hit:\n    fields:\n      a: {type: string, minimun: 3}\n")
    assert found == "0.yaml:5:25 `minimun` is no keyword of a schema"


STEERING = {
    "x-python-type": "os.system('x')",
    "x-python-import": {"module": "os", "name": "system"},
    "customTypePath": "os.system",
    "customBasePath": "os.PathLike",
    "x-enum-varnames": ["import_os"],
    "x-custom": "'''\nimport os",
}


@pytest.mark.parametrize("key", STEERING)
def test_keys_that_steer_the_renderer_of_models_reach_nothing(key: str):
    """A foreign key is set aside when it begins with `x-`, else refused; what is rendered is the same without it."""
    form = yaml.safe_load(starter("acme"))
    options = pipeline.Options(package="kit", components=("models",))
    plain = pipeline.generate(spec_with(yaml.safe_dump(form)), options).files["models.py"]
    form["items"]["search_result"]["fields"]["query"][key] = STEERING[key]
    text = yaml.safe_dump(form)
    if key.startswith("x-"):
        assert pipeline.generate(spec_with(text), options).files["models.py"] == plain
    else:
        assert f"`{key}` is no keyword of a schema" in refusal(text)[0]


HOSTILE = '"""\nimport os; os.system("x")\n"""\\'


def test_hostile_texts_stay_texts():
    form = yaml.safe_load(starter("acme"))
    form["title"] = form["description"] = HOSTILE
    form["items"]["search_result"]["description"] = HOSTILE
    form["items"]["search_result"]["statuses"]["searching"] = HOSTILE
    form["items"]["search_result"]["fields"]["query"]["description"] = HOSTILE
    form["events"]["heartbeat"] = None
    options = pipeline.Options(package="kit", components=("models", "events"))
    files = pipeline.generate(spec_with(yaml.safe_dump(form)), options).files
    for name in ("models.py", "events.py"):
        code = compile(files[name], name, "exec")
        assert "os" not in code.co_names
