"""What a server lets go of when it has stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from openresponses_kit.server import ResponsesService, create_app


class _Closing(ResponsesService):
    """Counts how often it is told to let go, and what was told to it before."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def respond(self, request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("Hello")
        self.told.append("answered")

    async def close(self) -> None:
        self.told.append("closed")


def test_the_service_is_closed_with_the_lifespan_and_after_what_runs() -> None:
    """What holds connections for its answers has to outlive them, and to be told when none is to come."""

    async def story() -> list[str]:
        service = _Closing()
        app = create_app(service, store=None)
        for _ in range(2):  # a server may be started again
            incoming: asyncio.Queue[Any] = asyncio.Queue()
            sent: asyncio.Queue[Any] = asyncio.Queue()
            lifespan = asyncio.create_task(app({"type": "lifespan"}, incoming.get, sent.put))
            incoming.put_nowait({"type": "lifespan.startup"})
            assert (await sent.get())["type"] == "lifespan.startup.complete"
            body = [{"type": "http.request", "body": b'{"input":"hi"}'}]
            scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}

            async def receive(body: list[Any] = body) -> Any:
                return body.pop() if body else await asyncio.get_running_loop().create_future()

            await app(scope, receive, asyncio.Queue().put)
            incoming.put_nowait({"type": "lifespan.shutdown"})
            await lifespan
            assert (await sent.get())["type"] == "lifespan.shutdown.complete"
        return service.told

    assert asyncio.run(story()) == ["answered", "closed", "answered", "closed"]
