"""The router for FastAPI, with real requests to a real uvicorn: what an application around it adds, and what stays."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, HTTPException, Request, Response
from fastapi_applications import HELLO, PLACES, Http, including, wait_for_end
from openresponses_kit.events import EVENT_TYPES
from openresponses_kit.server.fastapi import create_router
from openresponses_kit.server.memory_store import MemoryStore
from running_server import running
from scripted_service import ScriptedService, plain_service
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


@pytest.fixture
def service() -> ScriptedService:
    return plain_service()


@asynccontextmanager
async def nothing(_: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("place", PLACES)
def test_t1_the_router_answers_wherever_it_is(service: ScriptedService, place: str) -> None:
    """Whole answers, streams, stored responses, continued ones and compaction are as without FastAPI."""
    with running(PLACES[place](service)) as server, Http(server) as http:
        whole = http.create()
        assert whole.status_code == 200
        assert whole.headers["openresponses-version"] == "2026-04-24"
        assert whole.json()["output"][0]["content"][0]["text"] == "Hello world"
        assert http.get(f"/v1/responses/{whole.json()['id']}").json() == whole.json()
        assert http.create(previous_response_id=whole.json()["id"]).status_code == 200
        assert http.stream_types()[-1] == "response.completed"
        refused = http.post("/v1/responses/compact", json={"model": "hello"})
        assert refused.json()["error"]["type"] == "not_found"


@pytest.mark.parametrize(
    ("content", "param"), [(b'{"input": ', None), (b'{"temperature": "hot"}', "temperature"), (b"", None)]
)
def test_e1_e4_a_bad_request_is_told_by_the_protocol(
    service: ScriptedService, content: bytes, param: str | None
) -> None:
    """The body is read by the core: what is wrong in it is a 400 in the shape of E1, not FastAPI's 422."""
    with running(including(create_router(service, store=None))) as server, Http(server) as http:
        answer = http.post("/v1/responses", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param


def test_dependencies_run_before_the_body_is_read(service: ScriptedService) -> None:
    """A dependency that refuses is answered by FastAPI, in its shape, whatever the body is; no work is begun."""

    async def refuse() -> None:
        raise HTTPException(418, "no")

    app = including(create_router(service, store=None), dependencies=[Depends(refuse)])
    with running(app) as server, Http(server) as http:
        answer = http.post("/v1/responses", content=b"not JSON")
        assert (answer.status_code, answer.json()) == (418, {"detail": "no"})
        assert http.get("/v1/responses/resp_0").status_code == 418
    assert service.begun == []


async def read_bytes(request: Request) -> None:
    assert json.loads(await request.body())["model"] == "hello"


async def read_json(request: Request) -> None:
    assert (await request.json())["model"] == "hello"


async def read_parameter(body: Annotated[dict[str, Any], Body()]) -> None:
    assert body["model"] == "hello"


@pytest.mark.parametrize("reader", [read_bytes, read_json, read_parameter])
def test_dependencies_may_read_the_body(service: ScriptedService, reader: Any) -> None:
    """What a dependency has read is there for the core, too."""
    app = including(create_router(service, store=None), dependencies=[Depends(reader)])
    with running(app) as server, Http(server) as http:
        assert http.create().json()["output"][0]["content"][0]["text"] == "Hello world"
        assert http.stream_types()[-1] == "response.completed"


@pytest.mark.parametrize("stream", [False, True])
def test_what_dependencies_leave_is_kept(service: ScriptedService, *, stream: bool) -> None:
    """Their headers are sent, what they hold is let go of after the answer, and their background tasks run then."""
    seen: list[str] = []

    async def leave(response: Response, tasks: BackgroundTasks) -> AsyncIterator[None]:
        response.headers["x-quota"] = "7"
        tasks.add_task(lambda: seen.append(f"task after {len(service.ended)}"))
        yield
        seen.append(f"released after {len(service.ended)}")

    app = including(create_router(service, store=None), dependencies=[Depends(leave)])
    with running(app) as server, Http(server) as http:
        assert http.create(stream=stream).headers["x-quota"] == "7"
    assert seen == ["task after 1", "released after 1"]


def test_t2_keys_are_checked_after_the_dependencies(service: ScriptedService) -> None:
    """A caller without a key gets the answer of the protocol, and the document says that a key is needed."""
    with running(including(create_router(service, store=None, api_keys=["one"]))) as server, Http(server) as http:
        refused = http.create()
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "unauthorized"
        assert http.post("/v1/responses", json=HELLO, headers={"authorization": "Bearer one"}).status_code == 200
        operation = http.get("/openapi.json").json()["paths"]["/v1/responses"]["post"]
        assert operation["security"] == [{"HTTPBearer": []}]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_describes_bodies_answers_and_events(service: ScriptedService) -> None:
    """FastAPI's document refers to the generated classes by their names; each is there once, and nothing dangles."""
    app = including(create_router(service, store=None), tags=["ai"])
    app.include_router(create_router(service, store=None), prefix="/v2")
    document = app.openapi()
    schemas = document["components"]["schemas"]
    assert {found.rpartition("/")[2] for found in references(document)} <= schemas.keys()
    assert not [name for name in schemas if "-" in name or "__" in name]
    assert document["paths"].keys() == {
        f"/{version}/responses{rest}" for version in ("v1", "v2") for rest in ("", "/compact", "/{response_id}")
    }
    create = document["paths"]["/v1/responses"]["post"]
    assert create["tags"] == ["ai"]
    assert create["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CreateResponseBody"}}},
    }
    assert create["responses"].keys() == {"200", "default"}
    content = create["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/ResponseResource"}
    events = content["text/event-stream"]["schema"]["oneOf"]
    assert [each["$ref"].rpartition("/")[2] for each in events] == [each.__name__ for each in EVENT_TYPES.values()]
    retrieve = document["paths"]["/v1/responses/{response_id}"]["get"]
    assert [each["name"] for each in retrieve["parameters"]] == ["response_id"]


def test_an_older_release_has_a_router_of_its_own(package: Callable[[str], ModuleType]) -> None:
    """Without compaction and WebSocket in the release, the router has neither, and its document is whole."""
    name = package("2026-01-15").__name__
    service = import_module(f"{name}.server.service").ResponsesService

    class Brief(service):
        async def respond(self, request: Any, out: Any) -> None:
            async with out.message() as message:
                await message.text(request.input)

    app = including(import_module(f"{name}.server.fastapi").create_router(Brief(), store=None))
    document = app.openapi()
    assert document["paths"].keys() == {"/v1/responses", "/v1/responses/{response_id}"}
    assert {found.rpartition("/")[2] for found in references(document)} <= document["components"]["schemas"].keys()
    with running(app) as server, Http(server) as http:
        assert http.create().json()["output"][0]["content"][0]["text"] == "hi"
        with pytest.raises(InvalidStatus):
            connect(f"{server.websocket_url}/v1/responses")


def test_the_page_with_the_documentation_is_there(service: ScriptedService) -> None:
    """The page of FastAPI and the document it shows are served."""
    with running(including(create_router(service, store=None))) as server, Http(server) as http:
        assert http.get("/docs").status_code == 200
        assert http.get("/openapi.json").json() == including(create_router(service, store=None)).openapi()


class WatchedStore(MemoryStore):
    """Writes down when it is opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    async def open(self) -> None:
        await super().open()
        self.seen.append("open")

    async def close(self) -> None:
        await super().close()
        self.seen.append("close")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_lifespan_opens_and_closes_the_store(service: ScriptedService, depth: int) -> None:
    """However deep it is included, the router is open before the first request, and closed after the last."""
    store = WatchedStore()
    router = create_router(service, store=store)
    for _ in range(depth):
        outer = APIRouter()
        outer.include_router(router)
        router = outer
    with running(including(router)) as server, Http(server) as http:
        assert store.seen == ["open"]
        assert http.create().status_code == 200
    assert store.seen == ["open", "close"]


def test_an_application_can_be_started_again(service: ScriptedService) -> None:
    """After a lifespan has ended, the next one serves as the first."""
    app = including(create_router(service, store="memory:"))
    for _ in range(2):
        with running(app) as server, Http(server) as http:
            assert http.create().status_code == 200


def test_the_lifespan_of_the_application_stays(service: ScriptedService) -> None:
    """The router's lifespan is added to that of the application."""
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, str]]:
        seen.append("begin")
        yield {"own": "state"}
        seen.append("end")

    async def check(request: Request) -> None:
        seen.append(request.state.own)

    app = FastAPI(lifespan=lifespan)
    app.include_router(create_router(service, store=None), dependencies=[Depends(check)])
    with running(app) as server, Http(server) as http:
        assert http.create("/responses").status_code == 200
    assert seen == ["begin", "state", "end"]


def test_where_no_lifespan_is_run_the_first_request_opens_the_store(service: ScriptedService) -> None:
    """In a mounted application the router is opened when it is needed, and closed where its lifespan is entered."""
    for is_entered, expected in ((False, ["open"]), (True, ["open", "close"])):
        store = WatchedStore()
        router = create_router(service, store=store)
        app = FastAPI(lifespan=router.lifespan_context if is_entered else nothing)
        app.mount("/inner", including(router))
        with running(app) as server, Http(server) as http:
            assert http.create("/inner/v1/responses").status_code == 200
        assert store.seen == expected


@pytest.mark.parametrize("stream", [False, True])
def test_z16_the_leaving_of_a_client_stops_the_service(service: ScriptedService, *, stream: bool) -> None:
    """A client that goes away has the work on its response cancelled, below FastAPI as without it."""
    with running(including(create_router(service, store=None))) as server:
        with Http(server) as http, pytest.raises(httpx2.ReadTimeout):
            http.post("/v1/responses", json={"model": "silent", "stream": stream}, timeout=0.2)
        wait_for_end(service)
    assert service.ended == [("silent", asyncio.CancelledError)]


@pytest.mark.parametrize("is_told", [True, False])
def test_e1_limits_of_the_application_hold(service: ScriptedService, *, is_told: bool) -> None:
    """A body over the limit of the application is refused with 413, whether its length is told beforehand or not."""
    app = FastAPI(max_body_size=1000)
    app.include_router(create_router(service, store=None))
    body = json.dumps({"model": "hello", "input": "x" * 2000}).encode()
    content = body if is_told else iter([body[:500], body[500:]])
    with running(app) as server, Http(server) as http:
        headers = {"content-type": "application/json"}
        assert http.post("/responses", content=content, headers=headers).status_code == 413
        assert http.create("/responses").status_code == 200


def test_only_the_module_of_the_router_needs_fastapi() -> None:
    """Without FastAPI, all else is imported, and this module says what to install."""
    program = """
        import sys

        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {"fastapi", "starlette"}:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Blocker())
        import openresponses_kit.server.app
        try:
            import openresponses_kit.server.fastapi
        except ImportError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    folder = Path(sys.modules["openresponses_kit"].__file__ or "").parents[1]
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout
    assert printed.count("\n") == 1
    assert "the extra `fastapi`" in printed
