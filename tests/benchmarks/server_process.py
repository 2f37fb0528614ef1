"""Servers of many kinds in one process of their own, and what that process has used.

`python server_process.py` serves on a free port of 127.0.0.1, prints the port, and ends when its standard input does.
Each server is below a path with its name; `GET /usage` tells the seconds of processor time and the bytes of memory
that the process has used.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.request import ProxyHandler, build_opener

from bundled_spec import GENERATED

sys.path.insert(0, str(GENERATED))

if TYPE_CHECKING:
    from openresponses_kit.models import CreateResponseBody
    from openresponses_kit.server.writer import ResponseWriter

KIT, ROUTER = "kit", "kit-router"
"""The generated server as a plain application, and in an application of FastAPI."""
BARE, BARE_PADDED, BARE_WHOLE = "bare", "bare-padded", "bare-whole"
"""The bytes that the generated server sends, made before: events, the same with padding, and a whole answer."""
FASTAPI = "fastapi"
BRIEF = "brief"
"""The model whose streamed answer is brief."""
IDLE = "idle"
"""The model whose answer begins and does not end."""

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
_MEMORY = Path("/proc/self/statm")


class Serving:
    """A running process of servers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._open = build_opener(ProxyHandler({})).open

    def usage(self) -> tuple[float, int]:
        """Seconds of processor time and bytes of memory."""
        with self._open(f"http://127.0.0.1:{self.port}/usage") as answer:
            seconds, size = json.load(answer)
        return seconds, size


@contextmanager
def serving() -> Iterator[Serving]:
    """Run the servers in a process."""
    command = [sys.executable, "-W", "ignore", __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Serving(int(process.stdout.readline()))
        finally:
            process.stdin.close()


def request_body(**more: Any) -> bytes:
    """The request in the document's example, for the servers here."""
    from bundled_spec import SPEC, encoded

    example = json.loads(SPEC.read_bytes())["components"]["schemas"]["CreateResponseBody"]["example"]
    return encoded({**example, "store": False, "stream": False, **more})


def main() -> None:
    """Serve until standard input is closed."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        options: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "lifespan": "off", "log_level": "error"}
        server = uvicorn.Server(uvicorn.Config(_Servers(_apps()), backlog=1024, **options))

        def stop() -> None:
            sys.stdin.read()
            server.force_exit = server.should_exit = True

        threading.Thread(target=stop, daemon=True).start()
        print(listener.getsockname()[1], flush=True)
        gc.collect()
        gc.freeze()  # what the modules of all the servers hold is not walked through at the expense of one of them
        server.run(sockets=[listener])


class _Servers:
    """The servers by their names."""

    def __init__(self, apps: dict[str, App]) -> None:
        self._apps = apps

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        name, _, rest = scope["path"][1:].partition("/")
        if name != "usage":
            scope["path"] = f"/{rest}"
            await self._apps[name](scope, receive, send)
            return
        size = int(_MEMORY.read_text().split()[1]) * 4096 if _MEMORY.is_file() else 0
        content = json.dumps([time.process_time(), size]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": content})


def _apps() -> dict[str, App]:
    import fastapi
    from openresponses_kit.server.app import create_app
    from openresponses_kit.server.fastapi import create_router
    from openresponses_kit.server.service import ResponsesService
    from server_peers import TEXT, Bare, fastapi_app, pieces

    class Service(ResponsesService):
        async def respond(self, request: CreateResponseBody, out: ResponseWriter) -> None:
            async with out.message() as message:
                if request.model == IDLE:
                    await message.text("Wait")
                    await asyncio.Event().wait()
                elif not request.stream:
                    await message.text("".join(TEXT))
                else:
                    for piece in pieces(request.model):
                        await message.text(piece)
            out.usage(158, 45, cached_tokens=96, reasoning_tokens=19)

    kit: Any = create_app(Service(), store=None)
    outer = fastapi.FastAPI()
    outer.include_router(create_router(Service(), store=None), prefix="/v1")
    whole = asyncio.run(_answer(kit, request_body()))
    plain = asyncio.run(_answer(kit, request_body(stream=True, stream_options={"include_obfuscation": False})))
    padded = asyncio.run(_answer(kit, request_body(stream=True)))
    return {
        KIT: kit,
        ROUTER: outer,
        BARE: Bare("text/event-stream", plain),
        BARE_PADDED: Bare("text/event-stream", padded),
        BARE_WHOLE: Bare("application/json", whole),
        FASTAPI: fastapi_app(),
    }


async def _answer(app: App, body: bytes) -> list[bytes]:
    """What an application sends of an answer, piece by piece."""
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "headers": []}
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop() if waiting else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise RuntimeError(f"the server answers {sent[0]['status']}: {sent[1]['body']!r}")
    return [message["body"] for message in sent[1:] if message["body"]]


if __name__ == "__main__":
    main()
