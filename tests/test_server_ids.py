"""Ids that a server gives: nobody can guess them, and none is given twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from openresponses_kit.server._ids import new_id


def test_ids_are_random_and_differ() -> None:
    """An id is its prefix and 128 bits; threads that take them at the same time get different ones."""
    found: list[str] = []

    def take() -> None:
        found.extend([new_id("resp") for _ in range(1000)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4000
    assert all(re.fullmatch(r"resp_[0-9a-f]{32}", each) for each in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_processes_that_fork_give_different_ids() -> None:
    """A child does not go on with the ids that its parent has taken from the system, as workers of a server would."""
    program = """
import os
from openresponses_kit.server._ids import new_id

new_id("resp")
for _ in range(2):
    if os.fork() == 0:
        print(new_id("resp"), flush=True)
        os._exit(0)
    os.wait()
print(new_id("resp"))
"""
    folder = Path(sys.modules["openresponses_kit"].__file__ or "").parents[1]
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout
    assert len(set(printed.split())) == 3
