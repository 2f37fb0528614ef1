"""The command `serve` of a generated package, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

PATIENCE = 30.0
"""Seconds after which whatever is waited for counts as never coming."""
GENERATED = Path(__file__).parent.parent / "generated"
_HIDING = """import importlib.machinery
import sys

PathFinder = importlib.machinery.PathFinder


class HidingFinder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {names}
        return None if hidden else PathFinder.find_spec(name, path, target)


sys.meta_path[:] = [HidingFinder if each is PathFinder else each for each in sys.meta_path]
"""


def without(folder: Path, *packages: str) -> Mapping[str, str]:
    """The environment in which packages are not installed, for processes that are started with it.

    Args:
        folder: Where the module is put that hides them.
        packages: Names of modules at the top.
    """
    (folder / "sitecustomize.py").write_text(_HIDING.format(names=set(packages)))
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(GENERATED)])}


@dataclass
class ServingProcess:
    """A server that has told where it is."""

    process: subprocess.Popen[str]
    told: list[str] = field(default_factory=list)
    """The lines of its standard output, up to the last one that it tells at its start."""

    @property
    def url(self) -> str:
        """Where it is, with its prefix."""
        found = re.search(r"http://\S+", self.told[0])
        assert found is not None, self.told
        return found[0]

    @property
    def port(self) -> int:
        return httpx2.URL(self.url).port or 0

    def stop(self, signal: int) -> None:
        """Tell it to stop."""
        self.process.send_signal(signal)

    def end(self) -> tuple[int, str]:
        """Its exit code and what else it wrote, to both outputs, once it has ended."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output + errors


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    module: str = "openresponses_kit",
    port: int = 0,
    before: Sequence[str] = (),
) -> Iterator[ServingProcess]:
    """A server that is started, and killed where it has not ended by itself.

    Args:
        folder: Its working directory.
        arguments: More arguments of `serve`.
        environment: What is different in its environment.
        module: The package.
        port: Where it listens; 0 is a free port.
        before: What goes before `serve`.
    """
    command = [*before, "serve", "--port", str(port), *arguments]
    with _start(folder, command, environment, module) as process:
        server = ServingProcess(process)
        assert process.stdout is not None
        try:
            while not server.told or not server.told[-1].startswith("Try: "):
                line = process.stdout.readline()
                assert line, f"it ended: {process.communicate(timeout=PATIENCE)}"
                server.told.append(line.rstrip("\n"))
            yield server
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE)


def refusal(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors of a command that has to end by itself."""
    with _start(folder, list(arguments), environment, "openresponses_kit") as process:
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return process.returncode, output, errors


def _start(
    folder: Path, arguments: list[str], environment: Mapping[str, str] | None, module: str
) -> subprocess.Popen[str]:
    plain = {name: value for name, value in os.environ.items() if name != "OPENRESPONSES_API_KEY"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(GENERATED), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
