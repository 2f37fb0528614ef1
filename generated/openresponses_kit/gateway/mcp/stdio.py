"""An MCP server as a process: one JSON message per line, each way.

The transport of the `mcp` package joins what comes without a newline for as long as the server
likes. Here a line has a limit, and so has what a server says while it answers nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

import anyio
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCMessage, JSONRPCResponse, jsonrpc_message_adapter
from pydantic import ValidationError

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp.client import Transport

    from .servers import StdioServer

    _Streams: TypeAlias = tuple[
        MemoryObjectReceiveStream[SessionMessage | Exception],
        MemoryObjectSendStream[SessionMessage],
    ]

__all__ = ["stdio_transport"]

_logger = logging.getLogger(__name__)
_GRACE_SECONDS: Final = 2.0
_AT_ONCE: Final = 65_536
_UNANSWERED: Final = 8
"""How many times the size of a message a server may say without an answer among it."""


def stdio_transport(
    server: StdioServer, *, max_message_bytes: int, on_end: Callable[[], None]
) -> Transport:
    """The transport to a server, which runs from entering until leaving it.

    Entering raises `OSError` where the program cannot be started.

    Args:
        server: How to start it.
        max_message_bytes: Size of a message; a larger one ends the connection.
        on_end: Told when the server went away, or was given up.
    """
    return _transport(server, max_message_bytes, on_end)


@asynccontextmanager
async def _transport(
    server: StdioServer, limit: int, on_end: Callable[[], None]
) -> AsyncGenerator[_Streams]:
    process = await asyncio.create_subprocess_exec(
        server.command,
        *server.args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=get_default_environment() | dict(server.env),
        cwd=server.cwd,
        limit=limit,
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    try:
        read_in, read_out = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write_in, write_out = anyio.create_memory_object_stream[SessionMessage](0)
        async with read_in, read_out, write_in, write_out, anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process.stdout, read_in, limit, on_end)
            tasks.start_soon(_write, process.stdin, write_out, on_end)
            try:
                yield read_out, write_in
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await _stop(process, process.stdin)
                    _signal(process, is_last=True)
                    await _drain(process.stdout)
    finally:
        # However the way here: a process that is left over would run for ever.
        _signal(process, is_last=True)


async def _read(
    stdout: asyncio.StreamReader,
    messages: MemoryObjectSendStream[SessionMessage | Exception],
    limit: int,
    on_end: Callable[[], None],
) -> None:
    """Pass on what the server says, until it ends or says too much."""
    unanswered = 0
    try:
        async with messages:
            while line := await stdout.readline():
                message = _message_of(line)
                is_answer = isinstance(message, JSONRPCResponse | JSONRPCError)
                unanswered = 0 if is_answer else unanswered + len(line)
                if unanswered > limit * _UNANSWERED:
                    _logger.warning("an MCP server says too much and answers nothing")
                    return
                if message is not None:
                    await messages.send(SessionMessage(message))
    except ValueError:
        _logger.warning("an MCP server sent a message of more than %d bytes", limit)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError):
        _logger.debug("the pipe from an MCP server broke")
    finally:
        on_end()


def _message_of(line: bytes) -> JSONRPCMessage | None:
    """The message that a line is; None of one that is none, such as a line of a log."""
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return None


async def _write(
    stdin: asyncio.StreamWriter,
    messages: MemoryObjectReceiveStream[SessionMessage],
    on_end: Callable[[], None],
) -> None:
    """Tell the server what there is to tell, until it does not listen any more."""
    try:
        async with messages:
            async for message in messages:
                line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                stdin.write(line.encode() + b"\n")
                await stdin.drain()
    except (ConnectionError, RuntimeError):
        _logger.debug("the pipe to an MCP server broke")
        on_end()


async def _stop(process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter) -> None:
    """Have a server end: by closing its input, then by asking it, then without asking."""
    stdin.close()
    for is_last in (False, True):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
            return
        _signal(process, is_last=is_last)
    await process.wait()


async def _drain(stdout: asyncio.StreamReader) -> None:
    """Read what is left: a pipe is closed at its end, and not before."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(_GRACE_SECONDS):
            while await stdout.read(_AT_ONCE):
                pass


def _signal(process: asyncio.subprocess.Process, *, is_last: bool) -> None:
    """Have the process and its children end; those that it left behind, when it ended itself."""
    if sys.platform == "win32":
        if process.returncode is None:
            process.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL if is_last else signal.SIGTERM)
