"""A scripted server of Chat Completions, a process of its own: `python -m chat_server`.

The path says what it does:

- `/<shape>/v1/chat/completions`: answers as a small model would, in a shape of `chat_shapes`.
- `/odd/<name>/v1/…`: sends a stream of `chat_oddities`; `/split/<name>/v1/…` sends it byte by byte.
- `/status/<code>/v1/…`: refuses. `/silent/x/v1/…`: never answers. `/endless/…`: never ends. `/line/…`: sends a line of
  100 MB. `/stall/…`: begins, and goes on no more.

It prints its port first, then a line for each connection that its client closed before the end of an answer.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chat_oddities import ODDITIES, delta
from chat_shapes import SHAPES, Answer, stream

PATIENCE = 30.0
SECRET = "sk-of-the-upstream-1234"
"""What error messages of the server hold, and callers of a gateway must not see."""
_TOLD = f"bad request for key={SECRET} at http://10.0.0.7:8000/v1"
_LINE = 100 * 1024 * 1024


class Server:
    """The URL of a server that runs, and what it wrote."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def at(self, path: str) -> str:
        """The base URL of what a path does."""
        return f"{self.url}/{path}/v1"

    def was_left(self) -> str:
        """Wait until a client leaves; returns the path that it left."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def serving() -> Generator[Server]:
    """A server that runs while entered."""
    command = [sys.executable, "-m", "chat_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent) as process:
        assert process.stdout is not None
        try:
            yield Server(process, int(process.stdout.readline()))
        finally:
            process.kill()


def answer_to(body: dict[str, Any]) -> Answer:
    """What a small model says: it calls what it is offered, once; else it says that it has understood."""
    messages: list[dict[str, Any]] = body["messages"]
    tools: list[dict[str, Any]] = body.get("tools") or []
    is_answered = any(each["role"] == "tool" for each in messages)
    if tools and body.get("tool_choice") != "none" and (not is_answered or body.get("tool_choice") == "required"):
        most = len(tools) if body.get("parallel_tool_calls", True) else 1
        return Answer(thought="Let me look.", calls=tuple(_call(each["function"]) for each in tools[:most]))
    if (body.get("max_tokens") or 99) < 20:
        return Answer(text="One two", is_cut=True)
    said = json.dumps([each.get("content") for each in messages if each["role"] != "system"])
    text = '{"answer": 4}' if "response_format" in body else f"I was told: {said}"
    return Answer(thought="Let me think.", text=text)


def _call(function: dict[str, Any]) -> tuple[str, str]:
    """A call with a value for every argument."""
    given: dict[str, Any] = {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    properties: dict[str, dict[str, Any]] = function["parameters"].get("properties") or {}
    arguments = {name: given.get(str(schema.get("type")), "x") for name, schema in properties.items()}
    return function["name"], json.dumps(arguments)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = ""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode().split("\r\n")
            path = lines[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines[1:])}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            await _answer(path.strip("/").split("/"), body, reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        if isinstance(error, ConnectionError):
            print(path, flush=True)
    finally:
        writer.close()


async def _answer(
    path: list[str], body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    match path:
        case ["odd" | "split" as how, name, *_]:
            oddity = ODDITIES[name]
            await _head(writer, 200, oddity.kind)
            size = 1 if how == "split" else len(oddity.sent) or 1
            for start in range(0, len(oddity.sent), size):
                await _chunk(writer, oddity.sent[start : start + size])
        case ["status", code, *_]:
            told = f"maximum context length: {_TOLD}" if code == "413" else _TOLD
            await _head(writer, int(code), "application/json", "Retry-After: 7\r\n")
            await _chunk(writer, json.dumps({"error": {"message": told}}).encode())
        case ["silent" | "stall" | "endless" | "line" as how, *_]:
            await _be_hostile(how, reader, writer)
        case [shape, *_]:
            await _head(writer, 200, "text/event-stream")
            for each in stream(SHAPES[shape], answer_to(body)):
                await _chunk(writer, each)
        case _:
            return
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _be_hostile(how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if how == "silent":
        await _wait_for_end(reader)
    await _head(writer, 200, "text/event-stream")
    if how == "stall":
        await _chunk(writer, delta(content="Hi"))
        await _wait_for_end(reader)
    while how == "endless":
        await _chunk(writer, delta(content="x" * 1000) * 16)
    for _ in range(_LINE // 65536):
        await _chunk(writer, b"x" * 65536)


async def _wait_for_end(reader: asyncio.StreamReader) -> None:
    """Wait until the client closes the connection. Raises `ConnectionError` then."""
    await reader.read()
    raise ConnectionResetError


async def _head(writer: asyncio.StreamWriter, status: int, kind: str, more: str = "") -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}Transfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
