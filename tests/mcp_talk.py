"""Talk with MCP servers through the gateway's source of tools, without a loop: what tests of it share."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openresponses_kit.client.tools import ToolError
from openresponses_kit.gateway.hosted import HostedTool, ToolCall, ToolResult
from openresponses_kit.gateway.mcp import HTTPServer, MCPServers, StdioServer
from openresponses_kit.models import CreateResponseBody

SERVER = Path(__file__).with_name("mcp_server.py")
PATIENCE = 30.0


class Offering:
    """A response that tools are offered for."""

    def __init__(self, tools: Sequence[dict[str, Any]], context: Sequence[Any] = (), caller: str = "me") -> None:
        self.request = CreateResponseBody.model_validate({"model": "m", "input": "hi", "tools": [*tools]})
        self.context = context
        self.caller = caller
        self.items: list[dict[str, Any]] = []

    async def item(self, item: Any) -> None:
        self.items.append(dict(item))


class Run:
    """A run of a tool that nobody watches."""

    id = "item_1"
    caller = "me"

    def __init__(self) -> None:
        self.statuses: list[str] = []

    async def status(self, status: str) -> None:
        self.statuses.append(status)


def asking(label: str = "box", **fields: Any) -> dict[str, Any]:
    return {"type": "gateway:mcp", "server_label": label, **fields}


async def offered(source: MCPServers, *tools: dict[str, Any]) -> dict[str, HostedTool]:
    """The tools for a request, by their names."""
    return {tool.name: tool for tool in await source.offer(Offering(tools or [asking()]))}


async def run(tool: HostedTool, **arguments: Any) -> ToolResult:
    """Run a tool, at most for a while. Raises `ToolError`."""
    call = ToolCall(call_id="call_1", name=tool.name, arguments=json.dumps(arguments))
    async with asyncio.timeout(PATIENCE):
        return await tool.run(call, Run())


async def failure(tool: HostedTool, **arguments: Any) -> str:
    """The words of a failing tool."""
    try:
        result = await run(tool, **arguments)
    except ToolError as error:
        return str(error)
    raise AssertionError(f"it did not fail, but gave {result!r}")


def stdio(record: Path, *kinds: str, label: str = "box", **fields: Any) -> StdioServer:
    args = [str(SERVER), "--record", str(record), *kinds]
    return StdioServer(label=label, command=sys.executable, args=args, **fields)


class HTTPProcess:
    """A server on a port, which can be killed and started again."""

    def __init__(self, record: Path, *kinds: str) -> None:
        self._arguments = [sys.executable, str(SERVER), "--http", "--record", str(record), *kinds]
        self.port = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([*self._arguments, "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def server(self, label: str = "box", **fields: Any) -> HTTPServer:
        return HTTPServer(label=label, url=f"http://127.0.0.1:{self.port}/mcp", **fields)


@contextmanager
def http(record: Path, *kinds: str) -> Iterator[HTTPProcess]:
    served = HTTPProcess(record, *kinds)
    try:
        yield served
    finally:
        served.kill()


def told(record: Path) -> list[str]:
    """What the server was asked, in order."""
    return record.read_text().splitlines() if record.exists() else []


async def until(holds: Callable[[], object]) -> None:
    """Wait for something that another process brings about."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)
