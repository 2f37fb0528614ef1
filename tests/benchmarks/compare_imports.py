"""Imports in fresh interpreters, measured inside them: the start of the interpreter is not counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from answer_server import answering
from bundled_spec import DELTA, GENERATED, encoded, event_examples
from side_by_side import Figure, Skipped, Work, figure, in_turns

ROUNDS = 21

_KIT_EVENT = """
from openresponses_kit import parse_event
event = parse_event(DATA)
"""
_PYDANTIC_EVENT = """
from typing import Literal
from pydantic import BaseModel
class LogProb(BaseModel):
    token: str
    logprob: float
    bytes: list[int]
class Delta(BaseModel):
    type: Literal["response.output_text.delta"]
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: list[LogProb] | None = None
    obfuscation: str | None = None
event = Delta.model_validate_json(DATA)
"""
_TYPES_EVENT = """
from openresponses_types import ResponseOutputTextDeltaStreamingEvent
event = ResponseOutputTextDeltaStreamingEvent.model_validate_json(DATA)
"""
_OPENAI_EVENT = """
import json
import openai
from openai._models import construct_type
from openai.types.responses import ResponseStreamEvent
event = construct_type(type_=ResponseStreamEvent, value=json.loads(DATA))
"""

_KIT_CLIENT = """
from openresponses_kit import OpenResponses
client = OpenResponses(base_url=URL)
"""
_OPENAI_CLIENT = """
import openai
client = openai.OpenAI(api_key="unused", base_url=URL)
"""
_ANSWER = """
response = client.responses.create(model="m", input="hi")
"""

_FIRST = "import to first parsed delta"
_CLIENT = "import and make a client"
_FIRST_ANSWER = "import to first answer"
_ONE_MODEL = "pydantic with one model"
_COMPARISONS: tuple[tuple[str, str, str, str, str, float | None], ...] = (
    ("import openresponses_kit", "import openresponses_kit", "import pydantic", "import pydantic", "pydantic", 0.2),
    (_FIRST, _KIT_EVENT, _ONE_MODEL, _PYDANTIC_EVENT, "pydantic", 1.4),
    (_FIRST, _KIT_EVENT, "openresponses-types", _TYPES_EVENT, "openresponses_types", 0.75),
    (_FIRST, _KIT_EVENT, "openai", _OPENAI_EVENT, "openai", 0.2),
    (_CLIENT, _KIT_CLIENT, "openai", _OPENAI_CLIENT, "openai", 0.35),
    (_FIRST_ANSWER, _KIT_CLIENT + _ANSWER, "openai", _OPENAI_CLIENT + _ANSWER, "openai", None),
    (f"{_FIRST}, {_ONE_MODEL}", _PYDANTIC_EVENT, "openai", _OPENAI_EVENT, "openai", None),
)


def measure(rounds: int) -> Iterator[Figure | Skipped]:
    """Wall time of statements in fresh interpreters, pair by pair."""
    with answering() as url:
        for work, code, over, other, module, limit in _COMPARISONS:
            if find_spec(module) is None:
                yield Skipped(work, over, "not installed: pip install -e .[benchmarks]")
            else:
                seconds = in_turns({work: _timed(code, url), over: _timed(other, url)}, rounds)
                yield figure(seconds, work, over, limit)


def _timed(statements: str, url: str) -> Work:
    before = (
        f"import time\nDATA = {encoded(event_examples()[DELTA])!r}\nURL = '{url}/brief'\nSTART = time.perf_counter()"
    )
    code = f"{before}\n{statements}\nprint(time.perf_counter() - START)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(GENERATED)

    def work() -> float:
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"{statements.strip()} failed: {run.stderr}")
        return float(run.stdout)

    return work
