"""What a vendor's extension adds, through the real server and the real clients.

They protect that both sides see its classes, that whoever does not know them loses nothing else (rules N3, N5), and
that all of it can be handed back in the next turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx2
import openresponses_kit
import pytest
from either_client import Clients
from running_server import RunningServer, running
from streams import Event, numbered
from vendor_service import service_of

KEY = "a-key-for-tests"
ITEMS = ["AcmeSearchResult", "AcmeMemo", "Message"]
TOLD = """
    AcmeHeartbeatEvent AcmeSearchResultSearchingEvent AcmeSearchResultProgressEvent AcmeHeartbeatEvent
    AcmeSearchResultProgressEvent AcmeMemoUpdateEvent AcmeMemoIdEvent AcmeMemoClassEvent
""".split()


@pytest.fixture(scope="module")
def service(acme_kit: ModuleType) -> Any:
    return service_of(acme_kit)


@pytest.fixture(scope="module")
def serving(acme_kit: ModuleType, service: Any) -> Iterator[RunningServer]:
    app = import_module(f"{acme_kit.__name__}.server.app").create_app(service, store="memory:", api_keys=[KEY])
    with running(app) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def client(
    request: pytest.FixtureRequest, acme_kit: ModuleType, serving: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with Clients(acme_kit, is_async=request.param == "async") as clients:
        yield clients(f"{serving.url}/v1", api_key=KEY, max_retries=0, strict=True)


def names(values: Any) -> list[str]:
    return [type(each).__name__ for each in values]


def check_response(response: Any) -> None:
    """The response of the service, with the accessors of the extension."""
    assert names(response.output) == ITEMS
    assert response.deviations == ()
    (result,) = response.acme_search_results
    assert (result.type, result.status, result.query, result.total) == ("acme:search_result", "completed", "spring", 2)
    assert [hit.title for hit in result.hits] == ["Spring", "In Paris"]
    assert [memo.zeros for memo in response.acme_memos] == ["6"]
    assert response.output_text == "One document is about spring."
    assert names(response.output[2].content) == ["OutputTextContent", "AcmeChartContent", "OutputTextContent"]


def test_events_and_items_of_a_stream_are_typed(client: Any) -> None:
    """S3, N2: the events of the extension stand where they were sent; read strictly, nothing is to be mended."""
    with client.responses.stream(model="m", input="hi") as stream:
        events = list(stream)
        response = stream.get_final_response()
    assert [name for name in names(events) if name.startswith("Acme")] == TOLD
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.percent for event in events if event.type == "acme:search_result.progress"] == [40, 100]
    check_response(response)


def test_an_answer_in_one_piece_is_typed(client: Any) -> None:
    check_response(client.responses.create(model="m", input="hi"))


def test_w2_turns_over_a_websocket_are_typed(client: Any) -> None:
    with client.responses.connect() as connection:
        turn = connection.create(model="m", input="hi")
        events = list(turn)
        check_response(turn.get_final_response())
        assert [name for name in names(events) if name.startswith("Acme")] == TOLD
        check_response(connection.create(model="m", input="and?").get_final_response())


def test_r2_x3_items_are_handed_back(client: Any, service: Any) -> None:
    """As they came, by `previous_response_id` or as input; the service reads them as their classes."""
    first = client.responses.create(model="m", input="hi")
    given = [*first.as_input(), {"role": "user", "content": "and?"}]
    check_response(client.responses.create(model="m", input=given))
    handed = service.contexts[-1]
    assert [json.loads(item.model_dump_json()) for item in handed[:3]] == [
        json.loads(item.model_dump_json()) for item in first.output
    ]
    check_response(client.responses.create(model="m", input="and?", previous_response_id=first.id))
    stored = service.contexts[-1]
    assert [type(item).__name__.removesuffix("Param") for item in handed[:2]] == ITEMS[:2]
    assert [type(item).__name__.removesuffix("Param") for item in stored[1:3]] == ITEMS[:2]


TOOLS: list[dict[str, Any]] = [
    {"type": "acme:search", "limit": 3, "acme:more": 1},
    {"type": "acme_search"},
    {"type": "other:search", "depth": 2},
]


def test_t5_z5_tools_are_echoed_as_given(client: Any, service: Any) -> None:
    """Typed on both sides; fields that are not known stay, defaults are not filled in."""
    response = client.responses.create(
        model="m", input="hi", tools=TOOLS, tool_choice={"type": "acme:search"}, acme_priority="high"
    )
    request = service.requests[-1]
    assert names(request.tools) == ["AcmeSearchToolParam", "AcmeSearchToolParam", "UnknownToolParam"]
    assert names([request.tool_choice]) == ["AcmeSearchToolChoiceParam"]
    assert request.acme_priority == "high"
    assert names(response.tools) == ["AcmeSearchTool", "AcmeSearchTool", "UnknownTool"]
    assert [json.loads(tool.model_dump_json()) for tool in response.tools] == TOOLS
    assert response.tools[0].limit == 3
    assert names([response.tool_choice]) == ["AcmeSearchToolChoice"]


def test_x6_tools_of_a_vendor_may_be_the_allowed_ones(client: Any) -> None:
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "acme:search"}]}
    response = client.responses.create(model="m", input="hi", tools=TOOLS, tool_choice=choice)
    assert json.loads(response.tool_choice.model_dump_json()) == choice


ITEM = {
    "type": "acme:search_result",
    "id": "a",
    "status": "completed",
    "query": 3,
    "kind": "fast",
    "region": "eu",
    "depth": 0,
    "hits": [],
}
BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "item": ({"input": [{**ITEM, "note": None}]}, "input[0].query"),
    "item-by-its-alias": ({"input": [{**ITEM, "type": "acme_search_call", "note": None}]}, "input[0].query"),
    "tool": ({"tools": [{"type": "acme:search", "limit": 0}]}, "tools[0].limit"),
    "tool-by-its-alias": ({"tools": [{"type": "acme_search", "limit": "x"}]}, "tools[0].limit"),
    "field": ({"acme_priority": "soon"}, "acme_priority"),
}


@pytest.mark.parametrize(("body", "param"), BODIES.values(), ids=BODIES)
def test_e3_what_is_wrong_in_a_request_is_told_with_its_place(
    serving: RunningServer, body: dict[str, Any], param: str
) -> None:
    body = {"model": "m", "input": "hi", **body}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx2.post(f"{serving.url}/v1/responses", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_n3_a_client_without_the_extension_loses_nothing(serving: RunningServer) -> None:
    """The committed package reads the same stream, hands the items back, and folds to what the other one does."""
    with openresponses_kit.OpenResponses(
        base_url=f"{serving.url}/v1", api_key=KEY, max_retries=0, strict=True
    ) as client:
        with client.responses.stream(model="m", input="hi") as stream:
            unknown = [event for event in stream if isinstance(event, openresponses_kit.UnknownEvent)]
            response = stream.get_final_response()
        again = client.responses.create(model="m", input=response.output)
    assert len(unknown) == len(TOLD)
    assert names(response.output) == ["UnknownItem", "UnknownItem", "Message"]
    assert response.output_text == again.output_text == "One document is about spring."


def events_of(serving: RunningServer) -> list[Event]:
    body = {"model": "m", "input": "hi", "stream": True}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx2.post(f"{serving.url}/v1/responses", json=body, headers=headers, trust_env=False)
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n") if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_n5_events_of_a_vendor_change_nothing(acme_kit: ModuleType, serving: RunningServer, is_known: bool) -> None:
    """L9: with them, without them, with more of them anywhere, the fold is the same and meets the terminal event."""
    kit: Any = acme_kit if is_known else openresponses_kit
    events = events_of(serving)
    core = numbered(event for event in events if ":" not in event["type"])
    assert len(core) == len(events) - len(TOLD)
    place = {"item_id": "nobody", "output_index": 99}
    noise = [
        {"type": "acme:heartbeat"},
        {"type": "acme:search_result.progress", **place, "percent": 1, "step": None},
        {"type": "response.acme_search_call.progress", **place, "percent": 1, "step": None},
    ]
    if not is_known:
        noise.pop()
    loud = numbered([core[0], *(each for event in core[1:-1] for each in (*noise, event)), core[-1]])
    for stream in (events, core, loud):
        accumulator = kit.ResponseAccumulator(strict=True)
        for event in stream[:-1]:
            accumulator.add(kit.parse_event(json.dumps(event)))
        items = [json.loads(item.model_dump_json()) for item in accumulator.items()]
        assert items == stream[-1]["response"]["output"]
        accumulator.add(kit.parse_event(json.dumps(stream[-1])))
        assert json.loads(accumulator.close().model_dump_json()) == stream[-1]["response"]
        assert accumulator.deviations == []


def test_z18_a_stream_with_unprefixed_types_folds_to_the_classes(acme_kit: ModuleType, serving: RunningServer) -> None:
    """As a server has it whose wire was there before: the fold keeps the names that came."""
    events = json.loads(
        json.dumps(events_of(serving))
        .replace("acme:search_result.", "response.acme_search_call.")
        .replace("acme:search_result", "acme_search_call")
    )
    accumulator = acme_kit.ResponseAccumulator(strict=True)
    read = [acme_kit.parse_event(json.dumps(event)) for event in events]
    for event in read:
        accumulator.add(event)
    response = accumulator.close()
    assert [name for name in names(read) if name.startswith("Acme")] == TOLD
    assert [item.type for item in response.acme_search_results] == ["acme_search_call"]
    assert json.loads(response.model_dump_json()) == events[-1]["response"]
