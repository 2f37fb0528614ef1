"""What is told of rounds and runs: spans by the conventions for generative AI, log lines; nothing of the content."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from openresponses_kit.client.tools import ToolError
from openresponses_kit.gateway import RoundWriter, Sampling, ToolCall, ToolRun, UpstreamError, telemetry
from openresponses_kit.server.errors import ServerError
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, get_current_span
from scripted_model import ScriptedModel, ScriptedTool, ask, calls

SECRET = "what nobody is told"
WORK = {"type": "acme:work"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


async def ends(_: Sampling, out: RoundWriter) -> None:
    await out.text(SECRET)
    out.usage(5, 2)


def test_rounds_and_runs_are_spans(spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
    """One for each, with its name, its place in the response, its tokens, and how it ended."""

    async def does(call: ToolCall, run: ToolRun) -> str:
        assert get_current_span().is_recording(), "what a tool calls belongs to its span"
        if "2" in call.arguments:
            raise ToolError(SECRET)
        return SECRET

    two = [("work", f'{{"{SECRET}":{number}}}') for number in (1, 2)]
    with caplog.at_level(logging.INFO):
        ask(ScriptedModel(calls(*two, ids=["c1", "c2"]), ends), ScriptedTool(does), tools=[WORK])
    told = {span.name: dict(span.attributes or {}) for span in spans.get_finished_spans()}
    assert sorted(span.name for span in spans.get_finished_spans()) == [
        "chat scripted", "chat scripted", "execute_tool work", "execute_tool work",
    ]  # fmt: skip
    assert told["chat scripted"] == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "scripted",
        "openresponses.request.id": "req_1",
        "openresponses.round": 2,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 2,
    }
    runs = [span for span in spans.get_finished_spans() if span.name == "execute_tool work"]
    assert {str(dict(span.attributes or {})["gen_ai.tool.call.id"]) for span in runs} == {"c1", "c2"}
    assert {span.status.status_code for span in runs} == {StatusCode.UNSET, StatusCode.ERROR}
    assert "req_1: round 2: done after" in caplog.text
    assert "req_1: tool work: ToolError after" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in str([span.to_json() for span in spans.get_finished_spans()])


def test_a_round_that_fails_is_a_span_that_failed(spans: InMemorySpanExporter) -> None:
    """By the kind of the error, without its text."""

    async def fails(_: Sampling, out: RoundWriter) -> None:
        raise UpstreamError(ServerError(SECRET), is_transient=False)

    ask(ScriptedModel(fails))
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {})["error.type"] == "ServerError"
    assert SECRET not in span.to_json()


def test_without_opentelemetry_there_are_log_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no dependency."""
    monkeypatch.setattr(telemetry, "_tracer", lambda: None)
    with caplog.at_level(logging.INFO):
        ask(ScriptedModel(ends))
    assert "req_1: round 1: done after" in caplog.text
