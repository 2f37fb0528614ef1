"""A service with the scripts that tests of the server's WebSocket need."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from openresponses_kit.server.errors import InvalidRequestError, ModelError, TooManyRequestsError
from scripted_service import ScriptedService, plain_service
from websocket_talk import PATIENCE


def websocket_service() -> ScriptedService:
    """A service with scripts that fail, end early or do not end, beside the plain ones."""
    service = plain_service()

    @service.script
    async def refused(_request: Any, _out: Any) -> None:
        raise InvalidRequestError("say please", param="input", code="impolite")

    @service.script
    async def limited(_request: Any, _out: Any) -> None:
        raise TooManyRequestsError("slow down", retry_after=7)

    @service.script
    async def broken(_request: Any, _out: Any) -> None:
        raise RuntimeError("secret of the house: /etc/passwd")

    @service.script
    async def failing(_request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("half a sen")
            raise ModelError("the model fell over", code="model_crashed")

    @service.script
    async def short(_request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("cut")
            await out.incomplete("max_output_tokens")

    @service.script
    async def busy(_request: Any, out: Any) -> None:
        """Writes for ever, and waits for nothing else."""
        async with out.message() as message:
            while True:
                await message.text("on and on")

    return service


def opened_gate(service: ScriptedService, name: str) -> Callable[[], None]:
    """A script that begins a message, and ends it when the function that is returned was called."""
    gate, loops = asyncio.Event(), list[asyncio.AbstractEventLoop]()
    begun = threading.Event()

    async def script(_request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("begun")
            loops.append(asyncio.get_running_loop())
            begun.set()
            await gate.wait()

    def open_gate() -> None:
        assert begun.wait(PATIENCE)
        loops[0].call_soon_threadsafe(gate.set)

    service.scripts[name] = script
    return open_gate
