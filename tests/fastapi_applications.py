"""Applications of FastAPI with a router in them, at several places, and a client for them."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI
from openresponses_kit.server.fastapi import create_router
from openresponses_kit.sse import SSEDecoder
from running_server import RunningServer
from scripted_service import ScriptedService

PATIENCE = 20.0
HELLO = {"model": "hello", "input": "hi"}


class Http(httpx2.Client):
    def __init__(self, server: RunningServer) -> None:
        super().__init__(base_url=server.url, timeout=PATIENCE, trust_env=False)

    def create(self, path: str = "/v1/responses", **body: Any) -> httpx2.Response:
        return self.post(path, json={**HELLO, **body})

    def stream_types(self, path: str = "/v1/responses", **body: Any) -> list[str]:
        answer = self.create(path, stream=True, **body)
        assert answer.status_code == 200, answer.text
        *found, (_, done) = SSEDecoder().feed(answer.content)
        assert done == b"[DONE]"
        return [name for name, _ in found]


def including(router: APIRouter, **options: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(router, prefix="/v1", **options)
    return app


def nested(service: ScriptedService) -> FastAPI:
    app, outer = FastAPI(), APIRouter(prefix="/v1")
    outer.include_router(create_router(service, store="memory:"))
    app.include_router(outer)
    return app


def mounted(service: ScriptedService) -> FastAPI:
    app, inner = FastAPI(), FastAPI()
    inner.include_router(create_router(service, store="memory:"))
    app.mount("/v1", inner)
    return app


PLACES = {
    "included": lambda service: including(create_router(service, store="memory:")),
    "in another router": nested,
    "in an application that is mounted": mounted,
}


def wait_for_end(service: ScriptedService) -> None:
    for _ in range(2000):
        if service.ended:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the service was not stopped")
