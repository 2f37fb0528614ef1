"""What is told of rounds and of runs of tools: log lines, and spans where OpenTelemetry is there.

Spans follow the semantic conventions for generative AI. Neither spans nor lines hold anything of
the content of requests and answers, nor of what tools were given and gave.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from .. import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ["Step", "round_step", "tool_step"]

_PACKAGE = __name__.rpartition(".")[0]
_logger = logging.getLogger(__name__)

Value: TypeAlias = str | int | bool


class Step:
    """A round, or a run of a tool: a span, and a log line when it is over."""

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self.error = ""
        """What went wrong, in a word; empty when nothing did."""

    def set(self, **attributes: Value) -> None:
        """Tell more of it; a dot is written as two underscores."""
        if self._span is not None:
            named = {name.replace("__", "."): value for name, value in attributes.items()}
            self._span.set_attributes(named)

    def fail(self, error: str) -> None:
        """Say that it failed, in a word."""
        self.error = error
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def round_step(request_id: str, model: str, number: int) -> Generator[Step]:
    """A round: one sampling of a model.

    Args:
        request_id: The server's name for the request.
        model: The model, as it is asked for.
        number: Which round of the response it is, from 1.
    """
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "openresponses.request.id": request_id,
        "openresponses.round": number,
    }
    with _step(f"{request_id}: round {number}", f"chat {model}", attributes) as step:
        yield step


@contextmanager
def tool_step(request_id: str, name: str, call_id: str) -> Generator[Step]:
    """A run of a tool.

    Args:
        request_id: The server's name for the request.
        name: The tool, as the model knows it.
        call_id: The call.
    """
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "openresponses.request.id": request_id,
    }
    with _step(f"{request_id}: tool {name}", f"execute_tool {name}", attributes) as step:
        yield step


@contextmanager
def _step(what: str, name: str, attributes: Mapping[str, Value]) -> Generator[Step]:
    started = time.monotonic()
    tracer = _tracer()
    span = None if tracer is None else tracer.start_span(name, attributes=attributes)
    step = Step(span)
    try:
        if span is None:
            yield step
        else:
            from opentelemetry.trace import use_span

            with use_span(span, record_exception=False, set_status_on_exception=False):
                yield step
    except BaseException as error:
        step.fail(type(error).__qualname__)
        raise
    finally:
        _logger.info("%s: %s after %.3f s", what, step.error or "done", time.monotonic() - started)
        if span is not None:
            span.end()


@cache
def _tracer() -> Tracer | None:
    """The tracer of this package; None when OpenTelemetry is not installed."""
    try:
        from opentelemetry.trace import get_tracer
    except ImportError:
        return None
    return get_tracer(_PACKAGE, __version__)
