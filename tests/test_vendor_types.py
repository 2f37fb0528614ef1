"""Classes of a vendor's extension: what is read as them, and that it goes back as it came.

They protect that types with aliases are one class whose wire form is kept, that what is known is read strictly in a
request and openly in a response, and that other vendors stay unknown.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from conftest import Reader
from hypothesis import given
from payloads import Document, bounded, drawn, same_json
from pydantic import ValidationError

ITEM = {
    "id": "as_1",
    "status": "searching",
    "query": "q",
    "kind": "deep",
    "region": "eu",
    "depth": 0,
    "hits": [{"title": "t"}],
    "note": None,
}
PLACE = {"sequence_number": 3, "item_id": "as_1", "output_index": 0}
PROGRESS = {**PLACE, "percent": 4, "step": None}
WIRES: list[tuple[str, str, dict[str, Any], str]] = [
    ("ItemField", "acme:search_result", ITEM, "AcmeSearchResult"),
    ("ItemField", "acme_search_call", ITEM, "AcmeSearchResult"),
    ("ItemParam", "acme:search_result", ITEM, "AcmeSearchResultParam"),
    ("ItemParam", "acme_search_call", ITEM, "AcmeSearchResultParam"),
    ("Tool", "acme:search", {"limit": 3}, "AcmeSearchTool"),
    ("Tool", "acme_search", {}, "AcmeSearchTool"),
    ("ResponsesToolParam", "acme_search", {"limit": 3}, "AcmeSearchToolParam"),
    ("SpecificToolChoiceParam", "acme:search", {}, "AcmeSearchToolChoiceParam"),
    ("StreamEvent", "acme:heartbeat", {"sequence_number": 3}, "AcmeHeartbeatEvent"),
    ("StreamEvent", "acme:search_result.progress", PROGRESS, "AcmeSearchResultProgressEvent"),
    ("StreamEvent", "response.acme_search_call.progress", PROGRESS, "AcmeSearchResultProgressEvent"),
    ("StreamEvent", "response.acme_search_call.searching", PLACE, "AcmeSearchResultSearchingEvent"),
    ("ItemField", "other:search_result", ITEM, "UnknownItem"),
    ("ItemField", "acme:other", ITEM, "UnknownItem"),
    ("Tool", "acme:other", {}, "UnknownTool"),
    ("StreamEvent", "acme:search_result.other", PLACE, "UnknownEvent"),
]  # fmt: skip


def reader_of(kit: ModuleType, name: str) -> Reader:
    module = "events" if name.endswith("Event") else "models"
    return Reader(getattr(import_module(f"{kit.__name__}.{module}"), name))


@pytest.mark.parametrize(("union", "kind", "fields", "name"), WIRES, ids=[f"{each[0]}-{each[1]}" for each in WIRES])
def test_n3_z18_what_is_read_goes_back_as_it_came(
    acme_kit: ModuleType, union: str, kind: str, fields: dict[str, Any], name: str
) -> None:
    """Prefixed, unprefixed and unknown types, with fields that the class does not have."""
    wire = {"type": kind, **fields, "acme:more": [1]}
    read = reader_of(acme_kit, union)
    for parsed in (read.parse(wire), read.parse_json(json.dumps(wire))):
        assert type(parsed).__name__ == name
        assert parsed.type == kind
        assert same_json(read.dump(parsed), wire)
        assert same_json(read.dump_json(parsed), wire)


def test_z3_the_table_of_events_knows_each_name(acme_kit: ModuleType) -> None:
    """By event name, for the reader of a stream; the prefixed name and the alias are one class."""
    events = import_module(f"{acme_kit.__name__}.events")
    kind = events.AcmeSearchResultProgressEvent
    assert events.EVENT_TYPES["acme:search_result.progress"] is kind
    assert events.EVENT_TYPES["response.acme_search_call.progress"] is kind


def test_n2_what_is_constructed_bears_the_prefix(acme_kit: ModuleType) -> None:
    """The type need not be given, is on the wire, and may be an alias."""
    models = import_module(f"{acme_kit.__name__}.models")
    item = models.AcmeSearchResult(
        id="a", status="completed", query="q", kind="fast", region="eu", depth=0, hits=[], note=None
    )
    assert json.loads(item.model_dump_json())["type"] == "acme:search_result"
    assert models.AcmeSearchToolParam(type="acme_search").model_dump() == {"type": "acme_search"}
    with pytest.raises(ValidationError):
        models.AcmeSearchToolParam(type="acme:other")


def test_the_type_is_a_literal_of_all_names(acme_kit: ModuleType) -> None:
    field = import_module(f"{acme_kit.__name__}.models").AcmeSearchResult.model_fields["type"]
    assert get_args(field.annotation) == ("acme:search_result", "acme_search_call")
    assert field.default == "acme:search_result"


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "required": ("ItemParam", {"type": "acme:search_result", "id": "a", "status": "completed"}),
    "required-of-an-alias": ("ItemParam", {"type": "acme_search_call", "id": "a", "status": "completed"}),
    "limit": ("ResponsesToolParam", {"type": "acme_search", "limit": 0}),
    "kind": ("ResponsesToolParam", {"type": "acme:search", "limit": "many"}),
}


@pytest.mark.parametrize(("union", "wire"), REFUSED.values(), ids=REFUSED)
def test_n4_what_a_client_sends_is_held_against_the_class(
    acme_kit: ModuleType, union: str, wire: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        reader_of(acme_kit, union).parse(wire)


def test_n4_a_server_may_send_values_that_are_not_declared(acme_kit: ModuleType) -> None:
    item = {"type": "acme_search_call", **ITEM, "status": "resting", "kind": "odd"}
    read = reader_of(acme_kit, "ItemField")
    assert type(read.parse(item)).__name__ == "AcmeSearchResult"
    assert read.dump(read.parse(item)) == item


COMPONENTS = """
    AcmeSearchResult AcmeMemo AcmeSearchTool AcmeSearchToolChoice AcmeChartContent AcmeHit AcmeHeartbeatEvent
    AcmeSearchResultProgressEvent AcmeSearchResultSearchingEvent AcmeMemoUpdateEvent
""".split()


@pytest.mark.parametrize("name", COMPONENTS)
def test_valid_payloads_round_trip(acme_kit: ModuleType, name: str) -> None:
    """Z1: whatever the schema allows is read on both sides, and is dumped as it was."""
    models = import_module(f"{acme_kit.__name__}.models")
    assert acme_kit.__file__ is not None
    root = json.loads((Path(acme_kit.__file__).parent / "openapi.json").read_text(encoding="utf-8"))
    readers = [reader_of(acme_kit, name)]
    readers += [reader_of(acme_kit, f"{name}Param")] if hasattr(models, f"{name}Param") else []

    @bounded(10)
    @given(drawn(Document("vendor", root), name))
    def check(payload: Any) -> None:
        for read in readers:
            parsed = read.parse_json(json.dumps(payload))
            assert same_json(read.dump(parsed), payload)
            assert same_json(read.dump_json(parsed), payload)

    check()


def test_params_have_the_vendor_too(acme_kit: ModuleType) -> None:
    """Keyword arguments are completed with the types and fields of the extension."""
    params = import_module(f"{acme_kit.__name__}.params")
    item = params.AcmeSearchResultParam.__annotations__
    assert set(item) >= {"type", "id", "status", "query", "hits"}
    assert "acme_search_call" in str(item["type"])
    assert "AcmeHitParam" in str(item["hits"])
    assert "acme_priority" in params.CreateResponseBody.__annotations__
