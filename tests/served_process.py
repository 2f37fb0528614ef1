"""A server in a process of its own, as `python -m openresponses_kit serve` runs it, and what the system says of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0
GENERATED = Path(__file__).parents[1] / "generated"


@dataclass(frozen=True)
class ServedProcess:
    process: subprocess.Popen[str]
    port: int
    log: Path
    """What it wrote on its standard error."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/responses"

    @property
    def resident_bytes(self) -> int:
        """The memory that it has now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    @property
    def open_files(self) -> list[str]:
        """What its file descriptors lead to."""
        found: list[str] = []
        for each in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found.append(str(each.readlink()))
            except FileNotFoundError:  # It was closed meanwhile.
                continue
        return found

    def stop(self) -> int:
        """Tell it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def served(folder: Path, *arguments: str, package: str = "openresponses_kit") -> Iterator[ServedProcess]:
    """A server that runs in a folder while entered; it gets a free port, and further arguments."""
    command = [sys.executable, "-m", package, "serve", "--port", "0", *arguments]
    path = os.pathsep.join([str(GENERATED), *filter(None, [os.environ.get("PYTHONPATH")])])
    log = folder / "log.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ports = (re.search(r"http://127\.0\.0\.1:(\d+)/v1", line) for line in process.stdout)
            port = next((int(found[1]) for found in ports if found), None)
            assert port is not None, log.read_text()
            yield ServedProcess(process, port, log)
        finally:
            process.kill()
