"""Each benchmark runs, and gives each of its ratios; how large they are is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).parent / "benchmarks" / "run.py"
RATIOS = [
    ("generate", "generate", "datamodel-codegen, models only", None),
    ("generate", "generate, nothing to do", "datamodel-codegen, models only", None),
    ("generate", "check", "datamodel-codegen, models only", None),
    ("diff", "diff of the releases", "twice importing yaml and jinja2, and loading both", None),
    ("imports", "import openresponses_kit", "import pydantic", None),
    ("imports", "import to first parsed delta", "pydantic with one model", None),
    ("imports", "import to first parsed delta", "openresponses-types", "openresponses_types"),
    ("imports", "import to first parsed delta", "openai", "openai"),
    ("imports", "import and make a client", "openai", "openai"),
    ("imports", "import to first answer", "openai", "openai"),
    ("events", "parse_event", "validate_json per class", None),
    ("events", "parse_event", "jiter.from_json", "jiter"),
    ("events", "parse_event, 100 registered types", "parse_event", None),
    ("events", "parse_event", "openai", "openai"),
    ("events", "parse_event", "openresponses-py", "openresponses"),
    ("sse", "bytes to events in a burst", "msgspec, same framing", "msgspec"),
    ("sse", "bytes to events one by one", "msgspec, same framing", "msgspec"),
    ("sse", "framing in a burst", "parse_event alone", None),
    ("sse", "framing one by one", "parse_event alone", None),
    ("sse", "framing in a burst", "openai", "openai"),
    ("sse", "framing one by one", "openai", "openai"),
    *(
        ("client", f"{work}, {shape}", over, module)
        for shape in ("one by one", "in a burst")
        for work, over, module in (
            ("create(stream=True)", "openai", "openai"),
            ("stream()", "openai stream()", "openai"),
            ("create(stream=True)", "openresponses-py", "openresponses"),
            ("async create(stream=True)", "openai async", "openai"),
        )
    ),
    ("client", "create(stream=True), with pauses", "openai", "openai"),
    ("client", "create, 1 MB", "openai", "openai"),
    ("client", "create, 1 MB", "openresponses-py", "openresponses"),
    ("client", "model_dump_json, 1 MB", "datamodel-codegen, exclude_unset=True", None),
    ("client", "model_dump_json(exclude_unset=False), 1 MB", "datamodel-codegen", None),
    ("transports", "FastClient, bytes", "httpx2.Client, bytes", None),
    ("transports", "FastClient, events", "httpx2.Client, events", None),
    ("transports", "FastClient, events apart", "httpx2.Client, events apart", None),
    ("transports", "AsyncFastClient, bytes", "httpx2.AsyncClient, bytes", "aiohttp"),
    ("transports", "AsyncFastClient, events", "httpx2.AsyncClient, events", "aiohttp"),
    ("transports", "AsyncFastClient, events apart", "httpx2.AsyncClient, events apart", "aiohttp"),
    *(
        ("server", f"{work}{suffix}", over, "sse_starlette")
        for suffix in ("", ", time that passes", ", client awake")
        for work, over in (
            ("deltas", "bare bytes"),
            ("deltas", "FastAPI, StreamingResponse"),
            ("deltas", "FastAPI, sse-starlette"),
            ("deltas", "FastAPI, its own SSE"),
            ("deltas, router", "deltas"),
        )
    ),
    ("server", "deltas with padding", "bare bytes with padding", "sse_starlette"),
    ("server", "first bytes", "FastAPI, StreamingResponse", "sse_starlette"),
    ("server", "first bytes", "FastAPI, its own SSE", "sse_starlette"),
    ("server", "first bytes, router", "FastAPI, StreamingResponse", "sse_starlette"),
    ("server", "whole answers", "bare whole answers", "sse_starlette"),
    ("server", "whole answers", "FastAPI, response_model", "sse_starlette"),
    ("server", "whole answers, client awake", "bare whole answers", "sse_starlette"),
    ("server", "whole answers, client awake", "FastAPI, response_model", "sse_starlette"),
    ("server", "whole answers, router", "FastAPI, response_model", "sse_starlette"),
    ("server", "500 streams at once", "500 streams, 10 at once", "sse_starlette"),
    ("server", "memory of an idle stream", "60000 bytes", "sse_starlette"),
    ("gateway", "passed through", "proxy of bytes, Starlette and httpx2", "starlette"),
    ("gateway", "passed through, to the first byte", "proxy of bytes, Starlette and httpx2", "starlette"),
    ("gateway", "added to the first byte", "2 ms", "starlette"),
    ("gateway", "300 streams at once", "300 streams, 10 at once", "starlette"),
    ("gateway", "memory of a stream among 300", "200000 bytes", "starlette"),
    ("fold", "ResponseAccumulator.add", "parse_event", None),
    ("fold", "ResponseAccumulator.add, 100,000 deltas", "ResponseAccumulator.add, 1,000 deltas", None),
]


@pytest.fixture(scope="module")
def results() -> Callable[[str], list[dict[str, Any]]]:
    @cache
    def run(name: str) -> list[dict[str, Any]]:
        command = [sys.executable, str(RUN), name, "--rounds", "1", "--json"]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert finished.returncode == 0, finished.stderr
        found: list[dict[str, Any]] = json.loads(finished.stdout)["results"][name]
        return found

    return run


@pytest.mark.parametrize(("name", "work", "over", "module"), RATIOS)
def test_benchmark_gives_ratio(
    results: Callable[[str], list[dict[str, Any]]], name: str, work: str, over: str, module: str | None
) -> None:
    if module is not None and find_spec(module) is None:
        pytest.skip(f"{module} is not installed; pip install -e .[benchmarks] brings it")
    (found,) = (each for each in results(name) if (each["work"], each["over"]) == (work, over))
    assert found["ratio"] > 0
    assert found["rounds"] == 1
