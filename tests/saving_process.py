"""A process that saves one response after the other, and tells of each on its standard output once it is kept.

    python saving_process.py URL NAME [COUNT]

Without a count it goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "generated"))

from openresponses_kit.server.store import StoredResponse  # noqa: E402 - of the checkout that this file is in
from openresponses_kit.server.store_urls import open_store  # noqa: E402

OWNER = "process"


def nth(name: str, number: int) -> StoredResponse:
    """What is saved, a chain of responses that are too large for one page of a database."""
    return StoredResponse(
        id=f"{name}-{number}",
        owner=OWNER,
        previous_id=f"{name}-{number - 1}" if number else None,
        created_at=number,
        status="completed",
        input=b"[%d]" % number,
        response=b"{%d}" % number * 4000,
        item_ids=(f"{name}-{number}-a", f"{name}-{number}-b"),
    )


def start(url: str, name: str, *count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, url, name, *map(str, count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)


async def main(url: str, name: str, count: str | None = None) -> None:
    store = open_store(url)
    await store.open()
    for number in itertools.count() if count is None else range(int(count)):
        await store.save(nth(name, number))
        os.write(sys.stdout.fileno(), b"%d\n" % number)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
