"""`GET /models`: told by services that have a list, and by no others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from openresponses_kit.models import CreateResponseBody
from openresponses_kit.server import ModelEntry, ResponsesService, ResponseWriter, create_app
from openresponses_kit.server.fastapi import create_router


class Silent(ResponsesService):
    async def respond(self, request: CreateResponseBody, out: ResponseWriter) -> None:
        """Answers with nothing."""


class Telling(Silent):
    async def models(self, caller: str) -> Sequence[ModelEntry]:
        return [ModelEntry("small", "me", 7), ModelEntry(f"for {'you' if caller else 'all'}")]


def applications(service: ResponsesService, keys: list[str] | None) -> list[Any]:
    """The same service as a plain application, and in one of FastAPI."""
    application = FastAPI()
    application.include_router(create_router(service, store=None, api_keys=keys), prefix="/v1")
    return [create_app(service, store=None, api_keys=keys), application]


def answers(
    service: ResponsesService, method: str = "GET", keys: list[str] | None = None, key: str = ""
) -> list[httpx2.Response]:
    """What each application answers."""

    async def ask(application: Any) -> httpx2.Response:
        transport = httpx2.ASGITransport(application)
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, "/v1/models", headers=headers)

    return [asyncio.run(ask(each)) for each in applications(service, keys)]


def test_models_are_told_in_the_shape_of_the_list_that_tools_look_for() -> None:
    """The list of OpenAI: `object`, `data`, and in it `id`, `object`, `created`, `owned_by`."""
    for answer in answers(Telling()):
        assert answer.json() == {
            "object": "list",
            "data": [
                {"id": "small", "object": "model", "created": 7, "owned_by": "me"},
                {"id": "for all", "object": "model", "created": 0, "owned_by": ""},
            ],
        }


def test_t2_models_are_told_to_those_who_may_call_and_by_who_they_are() -> None:
    """The list is as closed as the rest, and the service knows who asks."""
    assert {each.status_code for each in answers(Telling(), keys=["k"])} == {401}
    for answer in answers(Telling(), keys=["k"], key="k"):
        assert answer.json()["data"][1]["id"] == "for you"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_without_a_list_has_no_such_route(method: str) -> None:
    """The route is not there, as if nothing was known of it."""
    assert {each.status_code for each in answers(Silent(), method)} == {404}


def test_e2_a_list_is_only_read() -> None:
    """Another method is refused, and the one that is there is told."""
    for answer in answers(Telling(), "POST"):
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
