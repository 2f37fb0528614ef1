"""Classes of vendors that join the unions of a generated package while a program runs (rules N1, N3, N4, N5).

The package is loaded once more for each test, under a name of its own, so that nothing is registered for other tests.
"""

from __future__ import annotations

import json
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError, create_model
from streams import response_of

PACKAGE = Path(__file__).parents[1] / "generated" / "openresponses_kit"
SEARCH = {"type": "acme:search", "id": "s_1", "status": "completed", "query": "q", "arguments": "{}", "new": [1]}
PROGRESS = {"type": "acme:progress", "sequence_number": 3, "percent": 40}
_numbers = count()
UNIONS = ("ItemField", "ItemParam", "StreamEvent", "ContentPart", "Tool", "ResponsesToolParam", "AllowedTool")


class Vendor:
    """The package of a test, and classes of a vendor made of its bases."""

    def __init__(self, kit: ModuleType, prefix: str = "acme") -> None:
        self.extending = import_module(f"{kit.__name__}.extending")
        self.models = import_module(f"{kit.__name__}.models")
        self.events = import_module(f"{kit.__name__}.events")
        response, request, event = self.extending.ResponseModel, self.extending.RequestModel, self.extending.Event
        text = (str, ...)
        self.item = self._made("Search", response, f"{prefix}:search", id=text, status=text, query=text, arguments=text)
        self.param = self._made("SearchParam", request, f"{prefix}:search", id=text, query=text)
        self.event = self._made("Progress", event, f"{prefix}:progress", sequence_number=(int, ...), percent=(int, ...))

    def _made(self, name: str, base: Any, tag: str, **fields: Any) -> Any:
        return create_model(name, __base__=base, __module__=__name__, type=(Literal[tag], tag), **fields)

    def register(self) -> None:
        self.extending.register(ItemField=[self.item], ItemParam=[self.param], StreamEvent=[self.event])

    def read(self, union: str, value: Any) -> Any:
        module = self.events if union == "StreamEvent" else self.models
        return TypeAdapter(getattr(module, union)).validate_json(json.dumps(value))


@pytest.fixture
def load() -> Iterator[Callable[[], ModuleType]]:
    """Loads the committed package again."""
    made: list[str] = []

    def load() -> ModuleType:
        name = f"extended_kit_{next(_numbers)}"
        path = PACKAGE / "__init__.py"
        spec = spec_from_file_location(name, path, submodule_search_locations=[str(PACKAGE)])
        assert spec is not None
        assert spec.loader is not None
        kit = module_from_spec(spec)
        sys.modules[name] = kit
        made.append(name)
        spec.loader.exec_module(kit)
        return kit

    yield load
    for name in list(sys.modules):
        if name.split(".")[0] in made:
            del sys.modules[name]


@pytest.fixture
def acme(load: Callable[[], ModuleType]) -> Vendor:
    return Vendor(load())


def test_n3_what_is_registered_is_read_by_its_class_whenever_that_was(acme: Vendor) -> None:
    """Before it is registered it is unknown, afterwards it is of its class; so it is if nothing was read before."""
    before = acme.read("ItemField", SEARCH)
    assert type(before) is acme.models.UnknownItem
    assert type(acme.events.parse_event(json.dumps(PROGRESS))) is acme.events.UnknownEvent
    acme.register()
    after = acme.read("ItemField", SEARCH)
    assert type(after) is acme.item
    assert after.model_dump() == before.model_dump() == SEARCH
    event = acme.events.parse_event(json.dumps(PROGRESS))
    assert type(event) is acme.event
    assert event.percent == 40
    assert acme.extending.event_types()["acme:progress"] is acme.event
    assert len(acme.extending.event_types()) == len(acme.events.EVENT_TYPES) + 1
    assert acme.extending.registered("ItemField") == {"acme:search": acme.item}


def test_z1_objects_in_a_response_are_written_by_their_own_class(acme: Vendor) -> None:
    """Constants are on the wire, no warning is given, and what was unknown before stays as it is."""
    unknown = acme.read("ItemField", SEARCH)
    acme.register()
    made = acme.item(id="s_2", status="completed", query="q", arguments="{}")
    other = {"type": "zeta:note", "text": "kept"}
    response = acme.models.ResponseResource.model_validate(response_of(SEARCH, other))
    response = response.model_copy(update={"output": [*response.output, made, unknown]})
    written = {"type": "acme:search", "id": "s_2", "status": "completed", "query": "q", "arguments": "{}"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for output in (response.model_dump()["output"], json.loads(response.model_dump_json())["output"]):
            assert output == [SEARCH, other, written, SEARCH]
    again = acme.models.ResponseResource.model_validate_json(response.model_dump_json())
    assert [type(each).__name__ for each in again.output] == ["Search", "UnknownItem", "Search", "Search"]


def test_n1_params_are_checked_strictly_and_what_a_server_sent_is_not(acme: Vendor) -> None:
    """A dictionary of a registered type has to fit its class; objects that were read go back as they are (N4)."""
    acme.register()
    item = acme.read("ItemField", SEARCH)
    body = acme.models.CreateResponseBody.model_validate(
        {"model": "m", "input": [{"type": "acme:search", "id": "s", "query": "q"}, item, {"type": "zeta:x"}]}
    )
    assert [type(each).__name__ for each in body.input] == ["SearchParam", "Search", "UnknownItemParam"]
    assert body.model_dump()["input"][1] == SEARCH
    with pytest.raises(ValidationError) as refused:
        acme.read("ItemParam", {"type": "acme:search", "id": 3, "query": "q"})
    places = import_module(f"{acme.models.__package__}._places")
    (line,) = places.lines_of(refused.value)
    assert places.place_of(line, acme.models.ItemParam) == "id"


def test_n3_types_that_nobody_registered_are_unknown_to_the_byte(acme: Vendor, load: Callable[[], ModuleType]) -> None:
    """Values, errors and JSON Schemas of every union are those of a package in which nothing is registered."""
    plain = Vendor(load())
    acme.register()
    values = [{"type": "zeta:x", "a": [1.0]}, {"type": "x"}, {"type": 3}, {"a": 1}, [], None, {"type": "message"}]
    for union in UNIONS:
        for value in values:
            told = []
            for vendor in (acme, plain):
                try:
                    told.append(vendor.read(union, value).model_dump_json())
                except ValidationError as error:
                    told.append([(each["loc"], each["msg"]) for each in error.errors()])
            assert told[0] == told[1], (union, value)
        schemas = [
            TypeAdapter(getattr(each.models, union, each.events.StreamEvent)).json_schema() for each in (acme, plain)
        ]
        assert schemas[0] == schemas[1]


@pytest.mark.parametrize(
    ("union", "tag", "base", "said"),
    [
        (
            "ItemField",
            "message",
            "ResponseModel",
            r"Note cannot join ItemField: .*models\.\w+ has the type 'message'",
        ),
        (
            "ItemField",
            "acme:search",
            "ResponseModel",
            r"Note cannot .*: .*\.Search has the type 'acme:search'",
        ),
        ("ItemField", "acme:note", "RequestModel", "it is no ResponseModel"),
        ("ItemParam", "acme:note", "ResponseModel", "it is no RequestModel"),
        ("StreamEvent", "acme:note", "ResponseModel", "it is no Event"),
        ("StreamEvent", "acme:note", "Event", "it has no `sequence_number`"),
        ("ItemField", None, "ResponseModel", "its `type` is no constant"),
        ("MessageItemParam", "acme:note", "RequestModel", "no union 'MessageItemParam' that is open"),
        ("Nothing", "acme:note", "RequestModel", "no union 'Nothing'"),
    ],
)
def test_what_cannot_join_is_one_error_and_nothing_joins(
    acme: Vendor, union: str, tag: str | None, base: str, said: str
) -> None:
    """The error names both classes, or says what is missing; of a call that fails nothing is registered."""
    acme.register()
    fields: dict[str, Any] = {} if tag is None else {"type": (Literal[tag], tag)}
    cls = create_model("Note", __base__=getattr(acme.extending, base), __module__=__name__, **fields)
    more = create_model("More", __base__=acme.extending.ResponseModel, type=(Literal["acme:more"], "acme:more"))
    with pytest.raises(acme.extending.RegistrationError, match=said):
        acme.extending.register(Tool=[more], **{union: [cls]})
    assert acme.extending.registered("Tool") == {}
    assert acme.extending.registered("ItemField") == {"acme:search": acme.item}


def test_a_class_may_be_registered_again_and_replaced_when_its_module_is_reloaded(acme: Vendor) -> None:
    """The new class of the same name is read from then on; objects of the old one stay good."""
    acme.register()
    acme.register()
    old = acme.read("ItemField", SEARCH)
    new = create_model("Search", __base__=acme.extending.ResponseModel, __module__=__name__,
                       type=(Literal["acme:search"], "acme:search"), query=(str, ...))  # fmt: skip
    acme.extending.register(ItemField=[new])
    assert type(acme.read("ItemField", SEARCH)) is new
    adapter = TypeAdapter(acme.models.ItemField)
    assert adapter.validate_python(old) is old
    assert json.loads(adapter.dump_json(old, exclude_unset=True)) == SEARCH


def test_n5_the_fold_passes_over_registered_events_and_keeps_registered_items(acme: Vendor) -> None:
    """A field `arguments` of a vendor's item is its own: no event has to fill it."""
    acme.register()
    accumulate = import_module(f"{acme.models.__package__}.accumulate")
    opened, final = {**SEARCH, "status": "in_progress", "arguments": ""}, SEARCH
    done = response_of(final)
    begun = {**done, "status": "in_progress", "completed_at": None, "usage": None, "output": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "acme:progress", "percent": 50},
        {"type": "response.output_item.done", "output_index": 0, "item": final},
        {"type": "response.completed", "response": done},
    ]
    read = [acme.events.parse_event(json.dumps({**each, "sequence_number": at})) for at, each in enumerate(events)]
    folded = accumulate.fold(read, strict=True)
    assert type(read[3]) is acme.event
    assert [type(each) for each in folded.output] == [acme.item]
    assert folded.model_dump() == done


def test_t4_a_registered_item_that_deviates_is_mended_as_its_class_has_it(acme: Vendor) -> None:
    """What is missing is filled in and reported, as for a type of the specification."""
    acme.register()
    tolerance = import_module(f"{acme.models.__package__}._tolerance")
    told = response_of({"type": "acme:search", "id": "s", "status": "completed", "arguments": "{}"})
    answer = tolerance.read_tolerantly(acme.models.ResponseResource, json.dumps(told))
    assert type(answer.output[0]) is acme.item
    assert [each.path for each in tolerance.deviations_of(answer)] == ["output[0].query"]
    assert answer.model_dump() == told


def test_threads_that_register_and_read_at_once_agree(load: Callable[[], ModuleType]) -> None:
    """Everything is read, of the class or as unknown, and what is registered is all there in the end."""
    kit = load()
    vendors = [Vendor(kit, f"vendor{number}") for number in range(8)]
    wrong: list[object] = []

    def work(vendor: Vendor, number: int) -> None:
        value = {**SEARCH, "type": f"vendor{number}:search"}
        read = [type(vendor.read("ItemField", value)) for _ in range(20)]
        wrong.extend(each for each in read if each is not vendor.models.UnknownItem)
        vendor.register()
        if type(vendor.read("ItemField", value)) is not vendor.item:
            wrong.append(value)

    for number, vendor in enumerate(vendors):  # one class of a name would take another's place
        for cls in (vendor.item, vendor.param, vendor.event):
            cls.__qualname__ = f"{cls.__name__}{number}"
    threads = [threading.Thread(target=work, args=(vendor, number)) for number, vendor in enumerate(vendors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(vendors[0].extending.registered("ItemField")) == 8
    assert len(vendors[0].extending.event_types()) == len(vendors[0].events.EVENT_TYPES) + 8


def test_a_package_loaded_twice_has_its_constants(load: Callable[[], ModuleType]) -> None:
    """Python keeps one `Literal` for equal values, so that the values in a second package are other objects."""
    for kit in (load(), load()):
        constants = import_module(f"{kit.__name__}._base").constants
        events = import_module(f"{kit.__name__}.events").EVENT_TYPES
        assert {name: constants(event).get("type") for name, event in events.items()} == {name: name for name in events}


def test_a_package_made_for_another_release_is_refused(acme: Vendor) -> None:
    """The error says which release is there, which is needed, and what to do."""
    acme.extending.require_release("2026-04-24", "acme_kit")
    with pytest.raises(
        acme.extending.RegistrationError, match=r"acme_kit was made for .*2026-01-15.*generate acme_kit"
    ):
        acme.extending.require_release("2026-01-15", "acme_kit")
