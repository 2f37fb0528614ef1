"""A small Open Responses server on loopback that answers by what it is asked, for examples to run against."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from openresponses_kit import ResponseResource
from openresponses_kit.sse import DONE, encode_event
from openresponses_kit.testing import events_of, function_call, response_of, text_response

CITY = '{"name": "Paris", "inhabitants": 2000000}'


def answer(body: dict[str, Any]) -> ResponseResource:
    """A city where a format is asked for; a call where there is a tool; the result of a call; else a greeting."""
    items = body["input"] if isinstance(body.get("input"), list) else []
    if (body.get("text") or {}).get("format", {}).get("type") == "json_schema":
        return text_response(CITY)
    outputs = [item["output"] for item in items if item.get("type") == "function_call_output"]
    if outputs:
        return text_response(f"It is {outputs[-1]}.")
    if body.get("tools"):
        return response_of(function_call(body["tools"][0]["name"], {"a": 3, "b": 4}))
    return text_response("Hello,\nAda.")


async def _post(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    response = answer(body)
    if not body.get("stream"):
        return web.json_response(text=response.model_dump_json())
    stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await stream.prepare(request)
    for event in events_of(response):
        await stream.write(encode_event(event.type, event.model_dump_json()))
    await stream.write(DONE)
    return stream


async def _websocket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        for event in events_of(answer(json.loads(message.data))):
            await socket.send_str(event.model_dump_json())
    return socket


@contextmanager
def answering() -> Generator[str]:
    """The base URL of a running server."""
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_post("/v1/responses", _post)
    app.router.add_get("/v1/responses", _websocket)
    runner = web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner.addresses[0][1]

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
