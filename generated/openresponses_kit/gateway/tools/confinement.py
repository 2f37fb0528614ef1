"""Runs Python code that is not trusted, in a process that is confined by the Linux kernel.

What is promised: no network; no files but those of a folder of its own, and reading Python and the
shared libraries; no environment; no other process, by signal, tracing or starting one; limits of
time, memory, output and space. Where the kernel cannot keep a promise, nothing is run.

It rests on the kernel alone: see `docs/tools.md` for what that does not protect against.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

__all__ = ["ConfinementError", "Ended", "InterpreterLimits", "run_confined"]

_PROGRAM: Final = Path(__file__).with_name("_confined_program.py")
_REPORT_BYTES = 16_384
_START_SECONDS = 20.0
_CHUNK = 65_536
_NOBODY = 65534


class ConfinementError(Exception):
    """Code is not run, since it cannot be confined on this machine; it says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterLimits:
    """What a run of code is held to. Raises `ValueError` for a limit that is not more than 0."""

    seconds: float = 20.0
    """Longest run by the clock."""
    cpu_seconds: int = 20
    """Most computing time."""
    memory_bytes: int = 512 * 1024 * 1024
    """Most address space, Python's own (about 40 MB) included."""
    folder_bytes: int = 64 * 1024 * 1024
    """Largest file; where the kernel offers namespaces, most of all files together."""
    output_bytes: int = 64 * 1024
    """Most output; a run that writes more is stopped."""
    threads: int = 16
    """Most threads, about."""
    open_files: int = 64
    """Most open files."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise ValueError(f"{each.name} has to be more than 0")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    output: str
    """What it wrote, output and errors in their order."""
    exit_code: int | None
    """Its exit code; None when it was stopped or killed."""
    ending: str | None
    """Why it was stopped or killed; None when it ended by itself."""


async def run_confined(
    code: str, limits: InterpreterLimits | None = None, *, python: str | None = None
) -> Ended:
    """Run code, and wait for its end. To cancel kills it, with all that it started.

    Args:
        code: Python code. The value of an expression that it ends with is printed.
        limits: What it is held to.
        python: The Python that runs it; as it comes, the one that runs this.

    Raises:
        ConfinementError: It cannot be confined here, and was not run.
    """
    if sys.platform != "linux":
        raise ConfinementError("code is confined by the Linux kernel, and this is not Linux")
    limits = limits or InterpreterLimits()
    folder = await asyncio.to_thread(_folder)
    try:
        return await _run(code, folder, limits, python or sys.executable)
    finally:
        await asyncio.shield(asyncio.to_thread(_remove, folder))


def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="interpreter-")
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    return folder


def _remove(folder: str) -> None:
    # Code can nest folders deeper than they can be removed from here.
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


async def _run(code: str, folder: str, limits: InterpreterLimits, python: str) -> Ended:
    try:
        process = await asyncio.create_subprocess_exec(
            *(python, "-I", "-S", "-B", "-X", "utf8", str(_PROGRAM)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            env={},
            start_new_session=True,
            limit=_REPORT_BYTES,
        )
    except OSError as error:
        raise ConfinementError(f"{python} cannot be started: {error.strerror}") from error
    given = asdict(limits) | {"code": code, "folder": folder, "parent": os.getpid()}
    try:
        return await _watched(process, json.dumps(given).encode(), limits)
    finally:
        await asyncio.shield(_killed(process))


async def _killed(process: asyncio.subprocess.Process) -> None:
    """Kill the program and its child: both are of one group, which the code cannot leave."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    while process.stdout is not None and await process.stdout.read(_CHUNK):
        pass  # The wait does not end while a pipe holds anything.
    await process.wait()


async def _watched(
    process: asyncio.subprocess.Process, given: bytes, limits: InterpreterLimits
) -> Ended:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise ConfinementError("the confined program has no pipes")
    with contextlib.suppress(ConnectionError):
        stdin.write(given)
        await stdin.drain()
    stdin.close()
    await _check_report(stdout)
    written = bytearray()
    ending = None
    try:
        async with asyncio.timeout(limits.seconds):
            while len(written) <= limits.output_bytes:
                chunk = await stdout.read(_CHUNK)
                if not chunk:
                    break
                written += chunk
            else:
                ending = f"it wrote more than {limits.output_bytes} bytes, and was stopped"
            code = None if ending else await process.wait()
    except TimeoutError:
        code, ending = None, f"it was stopped after {limits.seconds:g} seconds"
    output = bytes(written[: limits.output_bytes]).decode(errors="replace")
    if code is not None and (code < 0 or code > 128):
        code, ending = None, _killed_by(abs(code) & 127)
    return Ended(output, code, ending)


def _killed_by(number: int) -> str:
    if number in {signal.SIGXCPU, signal.SIGKILL}:
        return "it was killed for too much computing time or memory"
    return f"it was killed by a signal ({signal.strsignal(number) or number})"


async def _check_report(stdout: asyncio.StreamReader) -> None:
    """Read the line that the program begins with, in which it says whether it is confined."""
    line = b""
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await stdout.readline()
        report: dict[str, Any] = json.loads(line)
    except (ValueError, TimeoutError):
        told = line.decode(errors="replace").strip() or "it ended without a word"
        raise ConfinementError(f"the confined program did not start: {told}") from None
    if "refused" in report:
        raise ConfinementError(str(report["refused"]))
