"""A real MCP server, made with the `mcp` package: a process behind pipes or on a port of loopback.

`python mcp_server.py [--http] [--record FILE] [KIND ...]` where a kind changes how it behaves:

- `legacy` speaks the protocol with a handshake and sessions only;
- `huge` has 300 tools on 3 pages, `endless` never stops listing, `odd` has names that are no identifiers;
- `silent` never answers a list, `deaf` never answers anything;
- `json` answers over HTTP with JSON in place of a stream.

What it is asked is written to the file, a line each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import mcp_types as types
import uvicorn
from mcp import MCPError, stdio_server
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.runner import serve_loop
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ADD = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}
NOTHING = {"type": "object", "properties": {}}
NAMES = ["add", "parts", "structured", "fail", "crash", "hang", "grow", "flood", "big", "line", "headers", "delete"]
ODD = [
    "",
    "a b",
    "größe/größe",
    "x" * 200,
    "a__b",
    "add",
    "\U0001f600",
    "../../etc",
    "a.b",
    "a_b",
    "\ud800".encode("utf-8", "replace").decode(),
]


class Behaviour:
    def __init__(self, kinds: set[str], record: Path | None) -> None:
        self.kinds = kinds
        self.record = record
        self.names = [*NAMES]
        self.bus = InMemorySubscriptionBus()
        self.wire: int | None = None

    def note(self, line: str) -> None:
        if self.record is not None:
            with self.record.open("a") as file:
                file.write(line + "\n")

    def server(self) -> Server[Any]:
        server: Server[Any] = Server(
            "tested",
            version="1",
            get_tool_input_schema=lambda name: ADD if name == "add" else NOTHING,
            on_list_tools=self.list,
            on_call_tool=self.call,
            on_subscriptions_listen=ListenHandler(self.bus),
        )
        server.middleware.append(self.between)
        return server

    async def between(self, ctx: Any, call_next: Any) -> Any:
        if "deaf" in self.kinds:
            await asyncio.Event().wait()
        if ctx.method == "server/discover" and "legacy" in self.kinds:
            raise MCPError(types.METHOD_NOT_FOUND, "Method not found")
        if ctx.method == "initialize":
            self.note("initialize")
        if ctx.method == "notifications/cancelled":
            self.note("told of a cancellation")
        return await call_next(ctx)

    async def list(self, ctx: Any, params: Any) -> types.ListToolsResult:
        cursor = None if params is None else params.cursor
        self.note(f"list {cursor or ''}".strip())
        if "silent" in self.kinds:
            await asyncio.Event().wait()
        if "endless" in self.kinds:
            number = int(cursor or 0)
            return types.ListToolsResult(tools=[tool(f"tool{number}")], next_cursor=str(number + 1))
        if "huge" in self.kinds:
            page = int(cursor or 0)
            tools = [tool(f"tool{page * 100 + number}") for number in range(100)]
            return types.ListToolsResult(tools=tools, next_cursor=str(page + 1) if page < 2 else None)
        return types.ListToolsResult(tools=[tool(name) for name in (ODD if "odd" in self.kinds else self.names)])

    async def call(self, ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        self.note(f"call {params.name}")
        act = getattr(self, f"_{params.name}", None)
        return said(f"{params.name} ran") if act is None else await act(ctx, params.arguments or {})

    async def _add(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        return said(str(arguments["a"] + arguments["b"]))

    async def _parts(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        return types.CallToolResult(content=parts())

    async def _structured(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        return types.CallToolResult(content=[], structured_content={"sum": 3, "of": [1, 2]})

    async def _fail(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        return types.CallToolResult(content=[types.TextContent(text="no such city: Atlantis")], is_error=True)

    async def _crash(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        os._exit(3)

    async def _hang(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        try:
            return await asyncio.Future()
        finally:
            self.note("cancelled hang")

    async def _grow(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        self.names.append(f"grown{len(self.names)}")
        await ctx.session.send_tool_list_changed()
        await self.bus.publish(ToolsListChanged())
        return said("grown")

    async def _flood(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        """Says what nobody asked for, for as long as somebody listens."""
        while True:
            await ctx.session.send_progress_notification("nobody's", 1.0, message="x" * 60_000)

    async def _big(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        return said("ä" * int(arguments["size"]))

    async def _line(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        """Begins a line that does not end."""
        wire = self.wire
        assert wire is not None
        while True:
            os.write(wire, b"x" * 60_000)

    async def _headers(self, ctx: Any, arguments: dict[str, Any]) -> types.CallToolResult:
        """A digest of what it is called with, so that a test can tell without telling."""
        return said(sha256(ctx.request.headers.get("authorization", "").encode()).hexdigest())


def tool(name: str) -> types.Tool:
    schema = ADD if name == "add" else NOTHING
    return types.Tool(name=name, description=f"The tool {name[:20]}.", input_schema=schema)


def said(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)])


def parts() -> list[types.ContentBlock]:
    return [
        types.TextContent(text="a picture"),
        types.ImageContent(data=PIXEL, mime_type="image/png"),
        types.AudioContent(data="UklGRg==", mime_type="audio/mpeg"),
        types.EmbeddedResource(resource=types.TextResourceContents(uri="file:///notes.txt", text="notes")),
        types.EmbeddedResource(
            resource=types.BlobResourceContents(
                uri="file:///a/report.pdf", blob="JVBERg==", mime_type="application/pdf"
            )
        ),
        types.EmbeddedResource(
            resource=types.BlobResourceContents(uri="file:///pixel.png", blob=PIXEL, mime_type="image/png")
        ),
        types.ResourceLink(name="more", uri="https://example.com/more", description="Where more is."),
    ]


async def serve_pipes(behaviour: Behaviour, server: Server[Any]) -> None:
    # The package puts something else in place of 1 while it serves.
    behaviour.wire = os.dup(1)
    async with stdio_server() as (read, write):
        options = server.create_initialization_options(NotificationOptions(tools_changed=True))
        if "legacy" in behaviour.kinds:
            await serve_loop(server, read, write, lifespan_state={}, init_options=options)
        else:
            await server.run(read, write, options)


async def serve_http(server: Server[Any], port: int, *, is_json: bool) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        print(listener.getsockname()[1], flush=True)
        app = server.streamable_http_app(json_response=is_json)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path)
    parser.add_argument("kinds", nargs="*")
    options = parser.parse_args()
    behaviour = Behaviour(set(options.kinds), options.record)
    server = behaviour.server()
    if options.http:
        asyncio.run(serve_http(server, options.port, is_json="json" in options.kinds))
    else:
        asyncio.run(serve_pipes(behaviour, server))


if __name__ == "__main__":
    sys.exit(main())
