"""The plain application below others, with real requests to a real uvicorn: at any path, and behind middleware."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx2
import pytest
from fastapi import FastAPI
from openresponses_kit.server.app import create_app
from openresponses_kit.sse import SSEDecoder
from running_server import running
from scripted_service import ScriptedService, plain_service
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router

PATIENCE = 20.0
HELLO = {"model": "hello", "input": "hi"}

App: TypeAlias = Any


def in_fastapi(app: App) -> App:
    outer = FastAPI()
    outer.mount("/api", app)
    return outer


PLACES: dict[str, tuple[Callable[[App], App], dict[str, Any], str]] = {
    "alone": (lambda app: app, {}, ""),
    "behind a proxy that takes a path away": (lambda app: app, {"root_path": "/api"}, "/api"),
    "in Starlette": (lambda app: Starlette(routes=[Mount("/api", app)]), {}, "/api"),
    "in FastAPI": (in_fastapi, {}, "/api"),
    "two deep": (lambda app: Starlette(routes=[Mount("/a", Router(routes=[Mount("/b", app)]))]), {}, "/a/b"),
    "in FastAPI behind a proxy": (in_fastapi, {"root_path": "/outer"}, "/outer/api"),
    "at the root": (lambda app: Starlette(routes=[Mount("/", app)]), {}, ""),
    "where the path is the prefix": (lambda app: Starlette(routes=[Mount("/v1", app)]), {}, "/v1"),
}


@pytest.mark.parametrize("place", PLACES)
def test_t1_the_application_answers_wherever_it_is(place: str) -> None:
    """Routes are below the place where it is mounted, and what is not there is told by the protocol (E2)."""
    mount, options, path = PLACES[place]
    app = mount(create_app(plain_service(), store="memory:"))
    with (
        running(app, **options) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        given = "" if options else path  # uvicorn adds the path that the proxy took away
        if place == "in FastAPI behind a proxy":
            given = "/api"
        answer = http.post(f"{given}/v1/responses", json=HELLO)
        assert answer.status_code == 200
        assert http.get(f"{given}/v1/responses/{answer.json()['id']}").status_code == 200
        assert http.get(f"{given}/health").json() == {"status": "ok"}
        for wrong in ("/responses", "/v1/v1/responses", "/v1/responses/"):
            assert http.post(f"{given}{wrong}", json=HELLO).json()["error"]["type"] in {"not_found", "invalid_request"}


class Passing(BaseHTTPMiddleware):
    """Passes everything on, as a middleware that logs does."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Any]) -> Response:
        answer: Response = await call_next(request)
        answer.headers["x-passed"] = "yes"
        return answer


class Reading(BaseHTTPMiddleware):
    """Reads the body before it passes everything on."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Any]) -> Response:
        assert await request.body()
        answer: Response = await call_next(request)
        return answer


MIDDLEWARE = {
    "BaseHTTPMiddleware": [Middleware(Passing)],
    "BaseHTTPMiddleware that reads": [Middleware(Reading)],
    "BaseHTTPMiddleware twice": [Middleware(Passing), Middleware(Reading)],
    "GZipMiddleware": [Middleware(GZipMiddleware, minimum_size=1)],
    "CORSMiddleware": [Middleware(CORSMiddleware, allow_origins=["https://a.test"])],
    "all of them": [
        Middleware(CORSMiddleware, allow_origins=["*"]),
        Middleware(GZipMiddleware, minimum_size=1),
        Middleware(Passing),
    ],
}


def behind(service: ScriptedService, middleware: str) -> App:
    return Starlette(routes=[Mount("/", create_app(service, store=None))], middleware=MIDDLEWARE[middleware])


@pytest.mark.parametrize("middleware", MIDDLEWARE)
def test_s8_behind_middleware_each_event_comes_when_it_is_written(middleware: str) -> None:
    """Answers are whole, and a stream is not held back: its first text is read before the next is written."""
    service = plain_service()
    go = threading.Event()

    @service.script
    async def halting(_: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("one")
            assert await asyncio.to_thread(go.wait, PATIENCE)
            await message.text("two")

    with (
        running(behind(service, middleware)) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        whole = http.post("/v1/responses", json=HELLO, headers={"origin": "https://a.test"})
        assert whole.json()["output"][0]["content"][0]["text"] == "Hello world"
        assert ("access-control-allow-origin" in whole.headers) is ("CORS" in middleware or "all" in middleware)
        decoder, names = SSEDecoder(), list[str]()
        with http.stream("POST", "/v1/responses", json={"model": "halting", "stream": True}) as answer:
            assert "content-encoding" not in answer.headers
            for chunk in answer.iter_raw():
                names += [name for name, _ in decoder.feed(chunk)]
                if "response.output_text.delta" in names and not go.is_set():
                    assert names.count("response.output_text.delta") == 1
                    go.set()
    assert names.count("response.output_text.delta") == 2
    assert names[-2:] == ["response.completed", "message"]


@pytest.mark.parametrize("middleware", MIDDLEWARE)
@pytest.mark.parametrize(("model", "stream"), [("endless", True), ("silent", True), ("silent", False)])
def test_z16_behind_middleware_the_leaving_of_a_client_stops_the_service(
    middleware: str, model: str, *, stream: bool
) -> None:
    """A client that goes away has the work on its response cancelled, and the server goes on."""
    service = plain_service()
    with (
        running(behind(service, middleware)) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
    ):
        body = {"model": model, "stream": stream}
        if model == "endless":
            with http.stream("POST", "/v1/responses", json=body) as answer:
                assert next(answer.iter_raw())
        else:
            with pytest.raises(httpx2.ReadTimeout):
                http.post("/v1/responses", json=body, timeout=0.2)
        for _ in range(2000):
            if service.ended:
                break
            threading.Event().wait(0.005)
        assert service.ended == [(model, asyncio.CancelledError)]
        assert http.post("/v1/responses", json=HELLO).status_code == 200
