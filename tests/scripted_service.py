"""A service whose answers are functions, chosen by the name of the model that a request asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from openresponses_kit.server.errors import NotFoundError
from openresponses_kit.server.service import ResponsesService

if TYPE_CHECKING:
    from openresponses_kit.models import CreateResponseBody
    from openresponses_kit.server.writer import ResponseWriter

Script = Callable[[Any, Any], Awaitable[None]]


class ScriptedService(ResponsesService):
    """Answers with the script that has the name of the model."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.begun: list[str] = []
        """The models that were asked for, in order."""
        self.ended: list[tuple[str, type[BaseException] | None]] = []
        """The models whose script ended, and by which exception."""

    def script(self, function: Script) -> Script:
        """Register a script under the name of its function."""
        self.scripts[function.__name__] = function
        return function

    async def respond(self, request: CreateResponseBody, out: ResponseWriter) -> None:
        name = request.model or "hello"
        if name not in self.scripts:
            raise NotFoundError(f"there is no model {name!r}", param="model", code="model_not_found")
        self.begun.append(name)
        try:
            await self.scripts[name](request, out)
        except BaseException as error:
            self.ended.append((name, type(error)))
            raise
        self.ended.append((name, None))


def plain_service() -> ScriptedService:
    """A service with a few scripts that many tests need."""
    service = ScriptedService()

    @service.script
    async def hello(request: Any, out: Any) -> None:
        async with out.message() as message:
            await message.text("Hello ")
            await message.text("world")
        out.usage(3, 2)

    @service.script
    async def counted(request: Any, out: Any) -> None:
        """Says how many items it was given."""
        async with out.message() as message:
            await message.text(str(len(out.context)))

    @service.script
    async def endless(request: Any, out: Any) -> None:
        """Begins a message, and never ends it."""
        async with out.message() as message:
            await message.text("begun")
            await asyncio.Event().wait()

    @service.script
    async def silent(request: Any, out: Any) -> None:
        """Never writes."""
        await asyncio.Event().wait()

    return service
