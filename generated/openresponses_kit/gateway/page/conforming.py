"""Runs of the conformance cases, by the command of the generator where it is installed.

This package imports nothing of the generator: `openresponses-codegen conform` is a process of its
own. Of the environment it gets what a program needs to start, and no secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from ...server.errors import InvalidRequestError, ServerError
from ..addresses import AddressGuard, Target
from .checking_proxy import checking_proxy

__all__ = ["Run", "command_of", "conforming", "run_of"]

_COMMAND = "openresponses-codegen"
_INSTALL = f"pip install '{_COMMAND}[conform]'"
_KEY_VARIABLE = "OPENRESPONSES_API_KEY"
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_KEPT_FOR_TLS = ("SSL_CERT_DIR", "SSL_CERT_FILE")
_MOST_LINE_BYTES = 64 * 1024
_MOST_REPORT_BYTES = 64 * 1024 * 1024
_MOST_MESSAGE = 2000
_READ_BYTES = 64 * 1024
_RULE = re.compile(r"[A-Z][0-9]{0,3}", re.ASCII)
_CASE = re.compile(r"[A-Z][0-9]{0,3}[A-Za-z0-9*-]{1,80}", re.ASCII)
_NO_TEST = 2
"""The exit code of the command when nothing was tested."""


class _Asked(BaseModel):
    """The body of a request for a run."""

    model: str | None = Field(default=None, max_length=200)
    cases: list[str] = Field(default=[], max_length=50)


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be tested, and by which cases."""

    target: Target
    key: str | None
    release: str
    model: str | None
    rules: tuple[str, ...]
    cases: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """Those of the command; the key is not among them, where other processes would see it."""
        return [
            "conform",
            "--format=json",
            "--progress=json",
            f"--release={self.release}",
            *([f"--model={self.model}"] if self.model else []),
            *(f"--rule={rule}" for rule in self.rules),
            *(f"--case={case}" for case in self.cases),
            "--",
            self.target.url,
        ]


def run_of(target: Target, key: str | None, release: str, content: bytes) -> Run:
    """Read what the page asks for. Raises `InvalidRequestError`."""
    try:
        asked = _Asked.model_validate_json(content)
    except ValidationError:
        message = "the body has to be JSON: `model`, a name, and `cases`, a list of at most 50"
        raise InvalidRequestError(message) from None
    if asked.model is not None and not asked.model.isprintable():
        raise InvalidRequestError("the model has to be a printable name", param="model")
    rules = tuple(each for each in asked.cases if _RULE.fullmatch(each))
    cases = tuple(each for each in asked.cases if each not in rules)
    if not all(map(_CASE.fullmatch, cases)):
        message = "name rules, sections or cases, such as S2, L or L9-*"
        raise InvalidRequestError(message, param="cases")
    return Run(target, key, release, asked.model, rules, cases)


def command_of(given: Sequence[str] | None) -> list[str]:
    """The command to run. Raises `ServerError` (501) where it is not installed."""
    if given is not None:
        return list(given)
    beside = Path(sys.executable).with_name(_COMMAND)
    found = str(beside) if beside.is_file() else shutil.which(_COMMAND)
    if found is None:
        message = f"the cases come with the generator, which is not installed here: {_INSTALL}"
        raise ServerError(message, status=501)
    return [found]


async def conforming(
    run: Run, command: Sequence[str], guard: AddressGuard, own: Collection[tuple[str, int]]
) -> AsyncGenerator[tuple[str, Any], None]:
    """Run the command, which is ended when the iterator is closed.

    Yields `progress` with what the command says of it, then `report` with its report, or `error`
    with a message. Raises `InvalidRequestError` for an address that is not allowed.

    Args:
        run: What to test.
        command: The words before its arguments.
        guard: What says which addresses are allowed.
        own: Addresses and ports of this server, which are allowed.
    """
    await guard.addresses(run.target.host, run.target.port, own)
    async with AsyncExitStack() as stack:
        environment = _environment(run)
        if not guard.allows_private:
            proxy = await stack.enter_async_context(checking_proxy(guard, own))
            environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), proxy)
        process = await asyncio.create_subprocess_exec(
            *command,
            *run.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=_MOST_LINE_BYTES,
        )
        stack.push_async_callback(_ended, process)
        async for event in _told(process):
            yield event


def _environment(run: Run) -> dict[str, str]:
    kept = {name: os.environ[name] for name in (*_KEPT, *_KEPT_FOR_TLS) if name in os.environ}
    return {**kept, **({_KEY_VARIABLE: run.key} if run.key else {})}


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _told(process: asyncio.subprocess.Process) -> AsyncGenerator[tuple[str, Any], None]:
    """What a process says while it runs, and what it says at its end."""
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("the process was started without pipes")
    reading = asyncio.ensure_future(_whole(process.stdout))
    said = ""
    try:
        while line := await _line(process.stderr):
            progress = _progress(line)
            if progress is not None:
                yield "progress", progress
            elif line.strip():
                said = line.decode("utf-8", "replace").strip()[:_MOST_MESSAGE]
        report = await reading
    finally:
        reading.cancel()
    code = await process.wait()
    if code == _NO_TEST or not report:
        said = said or f"the command ended with the exit code {code} and said nothing"
        yield "error", {"message": said.removeprefix("error: ").removeprefix("Error: ")}
        return
    yield "report", from_json(report)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty at the end. One that is too long is passed over."""
    try:
        return await reader.readline()
    except ValueError:
        return b"\n"


def _progress(line: bytes) -> dict[str, Any] | None:
    try:
        value: Any = from_json(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """Everything that is written, as far as it is a report of a sensible size."""
    content = bytearray()
    while chunk := await reader.read(_READ_BYTES):
        content += chunk
        if len(content) > _MOST_REPORT_BYTES:
            return b""
    return bytes(content)
