"""What is told about calls: spans by the conventions for generative AI, log lines; nothing of keys or content."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from answering_server import answering
from openresponses_kit import APIConnectionError, OpenResponses, RateLimitError, StreamInterruptedError
from openresponses_kit.client import telemetry
from openresponses_kit.testing import error_reply, events_of, scripted, text_response
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

KEY = "sk-very-secret"
TEXT = "what nobody is told"
USAGE = {
    "input_tokens": 3,
    "output_tokens": 5,
    "total_tokens": 8,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


@pytest.mark.parametrize("kind", ["create", "stream", "accumulated"])
def test_a_call_is_one_span(spans: InMemorySpanExporter, kind: str) -> None:
    with scripted(text_response(TEXT, usage=USAGE), api_key=KEY) as client:
        if kind == "create":
            client.responses.create(model="m", input=TEXT)
        elif kind == "stream":
            assert list(client.responses.create(model="m", input=TEXT, stream=True))
        else:
            with client.responses.stream(model="m", input=TEXT) as stream:
                stream.get_final_response()
    span = only(spans)
    assert (span.name, span.kind, span.status.status_code) == ("chat m", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openresponses",
        "gen_ai.request.model": "m",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.model": "scripted",
        "gen_ai.response.finish_reasons": ("completed",),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "server.address": "scripted.test",
        "server.port": 80,
    }


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (error_reply(429, "too_many_requests"), RateLimitError),
        (httpx2.ConnectError(f"no route {KEY}"), APIConnectionError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_ends_the_span(spans: InMemorySpanExporter, reply: Any, error: type[Exception], stream: bool) -> None:
    with scripted(reply, max_retries=0) as client, pytest.raises(error):
        client.responses.create(model="m", input="hi", stream=stream)
    span = only(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == error.__name__
    assert not span.events


def test_s7_a_cut_stream_ends_the_span_with_the_error(spans: InMemorySpanExporter) -> None:
    with scripted(events_of(text_response("a"))[:-1]) as client, pytest.raises(StreamInterruptedError):
        list(client.responses.create(model="m", input="hi", stream=True))
    assert (only(spans).attributes or {})["error.type"] == "StreamInterruptedError"


def test_an_abandoned_stream_ends_its_span(spans: InMemorySpanExporter) -> None:
    with scripted(text_response("a\nb\nc")) as client:
        for _ in client.responses.create(model="m", input="hi", stream=True):
            break
    assert only(spans).status.status_code is StatusCode.UNSET


def test_without_opentelemetry_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_tracer", lambda: None)
    with scripted(text_response("a")) as client:
        assert client.responses.create(model="m", input="hi").output_text == "a"


def test_neither_spans_nor_lines_hold_keys_or_content(
    spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options: Any = {
        "api_key": KEY,
        "default_query": {"key": KEY},
        "default_headers": {"x-token": KEY},
        "max_retries": 0,
    }
    with scripted(text_response(TEXT), error_reply(400, "invalid_request", TEXT), **options) as client:
        client.responses.create(model="m", input=TEXT)
        with pytest.raises(Exception, match=TEXT):
            client.responses.create(model="m", input=TEXT)
    ours = [record for record in caplog.records if record.name.startswith("openresponses_kit")]
    assert {record.levelno for record in ours} == {logging.DEBUG, logging.INFO}
    told = "".join(record.getMessage() for record in ours) + "".join(
        span.to_json() for span in spans.get_finished_spans()
    )
    assert KEY not in told
    assert TEXT not in told


def test_a_turn_on_a_websocket_is_one_span(spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openresponses_kit")
    with (
        answering() as base_url,
        OpenResponses(base_url=base_url, api_key=KEY) as client,
        client.responses.connect() as connection,
    ):
        for _ in range(2):
            assert list(connection.create(model="m", input=TEXT))
        for _ in connection.create(model="m", input=TEXT):
            break
    finished = spans.get_finished_spans()
    reasons = [(span.attributes or {}).get("gen_ai.response.finish_reasons") for span in finished]
    assert reasons == [("completed",), ("completed",), None]
    assert {(span.attributes or {})["gen_ai.request.model"] for span in finished} == {"m"}
    ours = [record for record in caplog.records if record.name == "openresponses_kit"]
    assert len(ours) == 3
    told = "".join(record.getMessage() for record in ours) + "".join(span.to_json() for span in finished)
    assert KEY not in told
    assert TEXT not in told
