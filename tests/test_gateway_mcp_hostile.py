"""MCP servers that mean no good: endless lists and lines, strange names, silence, private addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import resource
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_server import ODD
from mcp_talk import Offering, asking, failure, offered, run, stdio, told
from openresponses_kit.gateway import addresses
from openresponses_kit.gateway.mcp import HTTPServer, MCPServers, MCPSettings, StdioServer
from openresponses_kit.gateway.mcp.names import offered_name

LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


@contextlib.asynccontextmanager
async def source(server: StdioServer | HTTPServer | None, **settings: Any) -> AsyncIterator[MCPServers]:
    mcp = MCPServers([] if server is None else [server], settings=MCPSettings(**settings))
    try:
        yield mcp
    finally:
        await mcp.close()


async def error_of(mcp: MCPServers, **fields: Any) -> str:
    """Why a server's list is empty."""
    offering = Offering([asking(**fields)])
    assert await mcp.offer(offering) == []
    error: str = offering.items[0]["error"]
    return error


def test_names_that_are_no_identifiers_are_made_legal(tmp_path: Path) -> None:
    """Each tool is offered under a legal name of its own, and called by the one that the server gave it."""

    async def talk() -> None:
        async with source(stdio(tmp_path / "record.txt", "odd")) as mcp:
            tools = await offered(mcp)
            assert len(tools) == len(ODD)
            assert all(LEGAL.fullmatch(name) for name in tools)
            for tool in list(tools.values()):
                if tool.remote_name != "add":
                    assert await run(tool) == f"{tool.remote_name} ran"

    asyncio.run(talk())


@given(st.lists(st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True), st.text()), unique=True))
def test_names_are_legal_and_unique_across_servers(pairs: list[tuple[str, str]]) -> None:
    """Whatever labels and names there are, no two tools share a name, and a name depends on its own tool alone."""
    names = [offered_name(label, name) for label, name in pairs]
    assert all(LEGAL.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)


def test_names_that_could_be_split_two_ways_differ() -> None:
    """Names are not made alike by where a label ends."""
    pairs = [("a", "b__c"), ("a__b", "c"), ("a_", "b"), ("a", "_b"), ("a", "b c"), ("a", "b_c"), ("a", "x" * 80)]
    assert len({offered_name(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("endless", "the MCP server lists tools without an end"),
        ("huge", "the MCP server has 300 tools, and at most 128 can be offered"),
        ("silent", "the MCP server did not list its tools in time"),
        ("deaf", "the MCP server cannot be reached"),
    ],
)
def test_lists_have_a_limit(tmp_path: Path, kind: str, words: str) -> None:
    """What a list cannot be is said in its place, and the response goes on without the server."""

    async def talk() -> None:
        seconds = 1.5 if kind in {"silent", "deaf"} else 30
        async with source(stdio(tmp_path / "record.txt", kind, connect_seconds=seconds)) as mcp:
            assert words in await error_of(mcp)

    asyncio.run(talk())


def test_a_few_of_many_tools_can_be_offered(tmp_path: Path) -> None:
    """A long list is read to its end, once; those that a request names are offered."""

    async def talk() -> None:
        record = tmp_path / "record.txt"
        async with source(stdio(record, "huge")) as mcp:
            for _ in range(2):
                tools = await offered(mcp, asking(allowed_tools=["tool7", "tool299"]))
                assert list(tools) == ["box__tool7", "box__tool299"]
            assert told(record) == ["list", "list 1", "list 2"]

    asyncio.run(talk())


def test_a_tool_with_a_schema_that_is_too_large_is_left_out(tmp_path: Path) -> None:
    """The others are offered; nobody pays for reading it."""

    async def talk() -> None:
        async with source(stdio(tmp_path / "record.txt"), max_schema_bytes=150) as mcp:
            tools = await offered(mcp)
            assert "box__add" not in tools
            assert "box__big" in tools

    asyncio.run(talk())


@pytest.mark.parametrize("tool", ["line", "flood", "big"])
def test_output_without_an_end_ends_the_connection(tmp_path: Path, tool: str) -> None:
    """A line without an end, messages without an answer and one huge message: the call fails, memory stays."""

    async def talk() -> None:
        record = tmp_path / "record.txt"
        async with source(stdio(record, call_seconds=30), max_message_bytes=1_000_000) as mcp:
            tools = await offered(mcp)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            words = await failure(tools[f"box__{tool}"], size=40_000_000)
            assert words == "the MCP server was lost; what it did is not known"
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
            tools = await offered(mcp)
            assert await run(tools["box__add"], a=1, b=2) == "3"

    asyncio.run(talk())


Answering = Callable[[dict[str, Any], asyncio.StreamWriter], Any]


@contextlib.asynccontextmanager
async def raw_server(answering: Answering) -> AsyncIterator[int]:
    """An HTTP server that answers each message with whatever a function writes."""

    tasks: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            found = re.search(r"content-length: (\d+)", head)
            content = await reader.readexactly(int(found[1]) if found else 0)
            await answering(json.loads(content or b"{}"), writer)
            await writer.drain()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def too_long(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while True:
        writer.write(b" " * 60_000)
        await writer.drain()


async def too_long_event(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ")
    while True:
        writer.write(b"x" * 60_000)
        await writer.drain()


async def too_many_events(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    note = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}})
    while True:
        writer.write(f"data: {note}\n\n".encode() * 500)
        await writer.drain()


async def compressed(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n")


async def no_answer(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def nonsense(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[42]")


@pytest.mark.parametrize("answering", [too_long, too_long_event, too_many_events, compressed, no_answer, nonsense])
def test_answers_over_http_have_a_limit(answering: Answering) -> None:
    """What has no end, does not come or is nonsense fails as a server that cannot be reached, in bounded memory."""

    async def talk() -> None:
        async with raw_server(answering) as port:
            server = HTTPServer(label="box", url=f"http://127.0.0.1:{port}/mcp", connect_seconds=2)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            async with source(server, max_message_bytes=500_000) as mcp:
                assert await error_of(mcp) == "the MCP server cannot be reached"
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024

    asyncio.run(talk())


def test_headers_do_not_follow_a_redirect_elsewhere() -> None:
    """A server that sends the gateway on to another host has its headers, and the other host nothing."""
    seen: list[dict[str, Any]] = []

    async def talk() -> None:
        async def elsewhere(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
            seen.append(message)

        async with raw_server(elsewhere) as other:

            async def redirect(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
                location = f"http://127.0.0.1:{other}/mcp"
                writer.write(f"HTTP/1.1 307 Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

            async with raw_server(redirect) as port:
                server = HTTPServer(label="box", url=f"http://127.0.0.1:{port}/mcp", headers={"X-Key": "s3cret"})
                async with source(server) as mcp:
                    assert await error_of(mcp) == "the MCP server cannot be reached"

    asyncio.run(talk())
    assert seen == []


LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_request_cannot_name_a_private_address(host: str) -> None:
    """However it is spelled, nothing is connected to; an operator may allow it."""
    seen: list[dict[str, Any]] = []

    async def note(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        seen.append(message)

    async def talk() -> None:
        async with raw_server(note) as port:
            asked = {"label": "far", "server_url": f"http://{host}:{port}/mcp"}
            async with source(None, allow_request_servers=True) as mcp:
                assert await error_of(mcp, **asked) == "the MCP server cannot be reached"
            assert seen == []
            async with source(None, allow_request_servers=True, allow_private=True) as mcp:
                await error_of(mcp, label="far", server_url=f"http://127.0.0.1:{port}/mcp")
            assert seen != []

    asyncio.run(talk())


def test_what_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved once per request: the address that was checked is the one, with the name as its `Host`."""
    resolved: list[str] = []

    async def talk() -> list[str]:
        heads: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError), contextlib.closing(writer):
                heads.append((await reader.readuntil(b"\r\n\r\n")).decode())

        loop = asyncio.get_running_loop()
        original = loop.getaddrinfo

        async def resolve(host: Any, port: Any, **options: Any) -> Any:
            """Another address each time, and in truth that of the server the first time only."""
            if host != "mcp.example":
                return await original(host, port, **options)
            resolved.append(host)
            address = "127.0.0.1" if len(resolved) == 1 else "127.0.0.99"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        monkeypatch.setattr(addresses, "is_public", lambda address: str(address) == "127.0.0.1")
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with source(None, allow_request_servers=True) as mcp:
                await error_of(mcp, label="far", server_url=f"http://mcp.example:{port}/mcp")
        return [re.findall(r"host: (\S+)", head.lower())[0].partition(":")[0] for head in heads]

    assert asyncio.run(talk()) == ["mcp.example"]


def test_servers_of_requests_need_approval_unless_the_request_waives_it(tmp_path: Path) -> None:
    """Nobody vouches for a server that a request names, so calls are asked for as it comes."""

    async def talk() -> None:
        from mcp_talk import http

        with http(tmp_path / "record.txt") as far:
            url = f"http://127.0.0.1:{far.port}/mcp"
            async with source(None, allow_request_servers=True, allow_private=True) as mcp:
                for wish, asks in ((None, True), ("never", False), ("always", True)):
                    tool = asking("far", server_url=url, require_approval=wish)
                    (add, *_) = await mcp.offer(Offering([tool]))
                    call = type("Call", (), {"call_id": "c", "name": add.name, "arguments": "{}"})()
                    assert (add.approval(call) is not None) == asks

    asyncio.run(talk())


def test_connections_to_servers_of_requests_are_few_and_short(tmp_path: Path) -> None:
    """The one that was not used for the longest time makes room; what is idle is let go of."""

    async def talk() -> None:
        from mcp_talk import http, until

        record = tmp_path / "record.txt"
        with http(record, "legacy") as far:
            settings = {"allow_request_servers": True, "allow_private": True, "max_request_servers": 2}
            async with source(None, **settings, idle_seconds=0.3) as mcp:
                for token in ("a", "b", "c", "c", "a"):
                    url = f"http://127.0.0.1:{far.port}/mcp"
                    assert await mcp.offer(Offering([asking("far", server_url=url, authorization=token)]))
                assert told(record).count("initialize") == 4
                tasks = len(asyncio.all_tasks())
                await until(lambda: len(asyncio.all_tasks()) < min(tasks, 3))

    asyncio.run(talk())
