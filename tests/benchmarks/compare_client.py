"""Answers read by clients over HTTP, from one server in another process, byte for byte the same for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeAlias

from answer_readers import (
    ASYNC,
    CREATE,
    EVENTS,
    FAST,
    FAST_FOLDED,
    FOLDED,
    LEAST,
    OPENAI,
    OPENAI_ASYNC,
    OPENAI_FOLDED,
    OTHER,
    SOCKET,
    Read,
    answer_readers,
    bare_readers,
    stream_readers,
)
from answer_server import answering
from answers import event_data, long_answer
from bundled_spec import GENERATED, SPEC
from side_by_side import Figure, Skipped, Work, collector_off, figure, in_turns

ROUNDS = 31

Row: TypeAlias = tuple[str, str, float | None]
"""A work, what it is compared with, and the figure to reach."""

_DUMP, _DUMP_ALL = "model_dump_json, 1 MB", "model_dump_json(exclude_unset=False), 1 MB"
_CODEGEN, _CODEGEN_UNSET = "datamodel-codegen", "datamodel-codegen, exclude_unset=True"


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """CPU time of the client's process with the garbage collector off, from the request to the end of the answer.

    The clients are made beforehand, and keep their connections as each does.
    """
    sys.path.insert(0, str(GENERATED))
    yield from _dumps(rounds)  # first, while memory is tidy: what is strewn over it takes longer to walk through
    with answering() as url:
        yield from _streams(f"{url}/single", True, (0.12, 0.08, 0.42), rounds)
        yield from _streams(f"{url}/burst", False, (0.04, 0.025, 0.14), rounds)
        yield from _pauses(f"{url}/pauses", max(1, rounds // 5))
        yield from _answers(f"{url}/whole", rounds)


def _streams(url: str, is_single: bool, limits: tuple[float, float, float], rounds: int) -> Iterator[Figure | Skipped]:
    shape = "one by one" if is_single else "in a burst"
    rows: list[Row] = [
        (EVENTS, OPENAI, limits[0]),
        (FOLDED, OPENAI_FOLDED, limits[1]),
        (EVENTS, OTHER, limits[2]),
        (LEAST, OPENAI_FOLDED, None),
        (LEAST, OTHER, None),
        (FAST, OPENAI, None),
        (FAST_FOLDED, OPENAI_FOLDED, None),
        (FAST, OTHER, None),
        (ASYNC, OPENAI_ASYNC, None),
    ]
    data = event_data()
    with ExitStack() as stack:
        works = _works(stream_readers(url, stack), len(data))
        take = bare_readers(url, data, stack)[LEAST]
        if (take() >= len(data)) is not is_single:
            raise RuntimeError(f"the events do not come {shape}")
        works[LEAST] = _work(take)
        yield from _compared(works, rows, f", {shape}", rounds)


def _pauses(url: str, rounds: int) -> Iterator[Figure | Skipped]:
    rows: list[Row] = [(EVENTS, OPENAI, None), (EVENTS, OTHER, None), (SOCKET, OTHER, None)]
    with ExitStack() as stack:
        works = _works(stream_readers(url, stack), len(event_data()))
        works[SOCKET] = _work(bare_readers(url, [], stack)[SOCKET])
        works = {name: works[name] for name in (EVENTS, OPENAI, OTHER, SOCKET) if name in works}
        yield from _compared(works, rows, ", with pauses", rounds)


def _answers(url: str, rounds: int) -> Iterator[Figure | Skipped]:
    rows: list[Row] = [(CREATE, OPENAI, 0.36), (CREATE, OTHER, 0.9)]
    items = len(json.loads(long_answer())["output"])
    with ExitStack() as stack:
        yield from _compared(_works(answer_readers(url, stack), items), rows, "", rounds)


def _dumps(rounds: int) -> Iterator[Figure | Skipped]:
    """The response as JSON, with what the server sent and with all fields, which is the default of the other."""
    rows: list[Row] = [(_DUMP, _CODEGEN_UNSET, 0.9), (_DUMP_ALL, _CODEGEN, 0.9), (_DUMP, _CODEGEN, None)]
    answer = long_answer()
    ours = import_module("openresponses_kit").ResponseResource.model_validate_json(answer)
    other = _plain_models().ResponseResource.model_validate_json(answer)
    sent = json.loads(answer)
    bytearray(16 * len(answer))  # some allocators keep what is freed from now on, and do not page it in for each text
    if json.loads(ours.model_dump_json()) != sent or json.loads(other.model_dump_json(exclude_unset=True)) != sent:
        raise RuntimeError("what was dumped is not what was read")
    works = {
        _DUMP: _work(lambda: len(ours.model_dump_json())),
        _DUMP_ALL: _work(lambda: len(ours.model_dump_json(exclude_unset=False))),
        _CODEGEN: _work(lambda: len(other.model_dump_json())),
        _CODEGEN_UNSET: _work(lambda: len(other.model_dump_json(exclude_unset=True))),
    }
    yield from _compared(works, rows, "", rounds)


def _compared(works: Mapping[str, Work], rows: Iterable[Row], suffix: str, rounds: int) -> Iterator[Figure | Skipped]:
    seconds = in_turns(works, rounds)
    for work, over, limit in rows:
        if over in works:
            yield replace(figure(seconds, work, over, limit), work=f"{work}{suffix}")
        else:
            yield Skipped(f"{work}{suffix}", over, "not installed: pip install -e .[benchmarks]")


def _works(readers: Mapping[str, Read], count: int) -> dict[str, Work]:
    return {name: _work(read, count) for name, read in readers.items()}


def _work(read: Read, count: int | None = None) -> Work:
    """The CPU time of a reader, which has to find as many events or items as there are."""

    def work() -> float:
        with collector_off():
            start = time.process_time()
            found = read()
            seconds = time.process_time() - start
        if count is not None and found != count:
            raise RuntimeError(f"{found} events or items came of {count}")
        return seconds

    return work


def _plain_models() -> Any:
    """The module that `datamodel-codegen` makes from the document with its defaults."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "plain_models.py"
        command = [sys.executable, "-m", "datamodel_code_generator", "--input", str(SPEC), "--output", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        spec = spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    return module
