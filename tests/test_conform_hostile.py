"""Servers that answer with anything at all: a run ends, and its report shows neither the key nor raw answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from conform_faults import KEY
from conform_host import Host, demonstration, hosting, report_on
from openresponses_codegen.cli import main
from openresponses_codegen.conform.formats import FORMATS
from openresponses_codegen.conform.settings import Limits

SHORT = Limits(seconds=1.0, closing_seconds=0.1, answer_bytes=200_000, retries=1, retry_seconds=0.01)
EVIL = "</pre><script>alert(1)</script>\x1b[31m\x00\u202e" + KEY


def _saying(body: bytes, content_type: bytes, status: int = 200) -> Any:
    """An application that always says the same, over HTTP."""

    async def app(scope: Any, _: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", content_type), (b"x-evil", f"<script>{KEY}".encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


async def _endless(scope: Any, _: Any, send: Any) -> None:
    """Streams, or sends frames, without end."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        for _number in range(3000):
            await send(
                {"type": "websocket.send", "text": json.dumps({"type": "response.created", "response": {"id": "r"}})}
            )
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _number in range(3000):
        await send({"type": "http.response.body", "body": b": ping\n\n" * 100, "more_body": True})


async def _silent(scope: Any, receive: Any, send: Any) -> None:
    """Begins an answer, and never goes on."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: {", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
    else:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass


async def _too_busy(scope: Any, _: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"99999999999")]})
        await send({"type": "http.response.body", "body": b"{}"})


def _mangling(change: Callable[[bytes], bytes]) -> Any:
    """A sound server whose every body is changed."""
    sound = demonstration()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def mangled(message: Any) -> None:
            for name in ("body", "text"):
                if message.get(name):
                    given = message[name] if isinstance(message[name], bytes) else message[name].encode()
                    changed = change(given)
                    message[name] = changed if name == "body" else changed.decode("utf-8", "replace")
            await send(message)

        await sound(scope, receive, mangled)

    return app


EVENTS = "".join(
    f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"
    for kind, fields in [
        ("response.created", {"response": 7, "sequence_number": "x"}),
        ("response.output_item.added", {"output_index": {"a": []}, "item": [EVIL]}),
        ("response.output_item.added", {"output_index": 0, "item": {"type": {}, "content": 5}}),
        ("response.content_part.added", {"output_index": 0, "content_index": [], "part": EVIL}),
        ("response.output_text.delta", {"output_index": 0, "content_index": [], "delta": 5}),
        ("response.output_text.done", {"output_index": 0, "content_index": [], "text": None}),
        ("response.function_call_arguments.done", {"output_index": 0}),
        ("response.output_item.done", {"output_index": 0, "item": None}),
        ("response.completed", {"response": {"output": [None, 7, {"type": []}], "id": 5, "status": []}}),
    ]
).encode()

HOSTILE: dict[str, Any] = {
    "text": _saying(EVIL.encode(), b"text/html"),
    "nothing": _saying(b"", b"application/json"),
    "bytes": _saying(bytes(range(256)) * 50, b"application/json"),
    "deep": _saying(b"[" * 100_000, b"application/json"),
    "deep-object": _saying(b'{"output":' * 20_000 + b"1" + b"}" * 20_000, b"application/json"),
    "nan": _saying(b'{"output": [NaN, Infinity], "object": "response"}', b"application/json"),
    "long-number": _saying(b'{"output": [' + b"9" * 5000 + b"]}", b"application/json"),
    "wrong-types": _saying(
        json.dumps(
            {"object": "response", "output": [None, 5, {"type": 5}, {"type": EVIL}], "id": [], "tools": 7}
        ).encode(),
        b"application/json",
    ),
    "many-items": _saying(
        b'{"object": "response", "output": [' + b'{"type":"a:b"},' * 9000 + b"1]}", b"application/json"
    ),
    "surrogates": _saying(b'{"object": "\\ud800", "output": [{"type": "\\udfff"}]}', b"application/json"),
    "wrong-events": _saying(EVENTS + b"data: [DONE]\n\n", b"text/event-stream"),
    "no-events": _saying(b"data\ndata\n\n:\n\nevent\n\n" * 500, b"text/event-stream"),
    "teapot": _saying(json.dumps({"error": EVIL}).encode(), b"application/json", 418),
    "broken": _saying(json.dumps({"error": {"message": EVIL, "code": EVIL}}).encode(), b"application/json", 500),
    "endless": _endless,
    "silent": _silent,
    "busy": _too_busy,
    "cut": _mangling(lambda body: body[: len(body) // 2]),
    "evil": _mangling(lambda body: body.replace(b"completed", json.dumps(EVIL).encode()[1:-1])),
    "ones": _mangling(lambda body: body.replace(b'"', b"1")),
    "nulls": _mangling(lambda body: body.replace(b"[]", b"null").replace(b'"in_progress"', b"null")),
    "lists": _mangling(lambda body: body.replace(b"{", b"[{").replace(b"}", b"}]")),
}


@pytest.fixture(scope="module")
def host() -> Generator[Host]:
    with hosting() as host:
        yield host


@pytest.mark.parametrize("name", HOSTILE)
def test_a_run_ends_with_a_clean_report_whatever_a_server_does(host: Host, name: str) -> None:
    report = report_on(host.serve(name, HOSTILE[name]), limits=SHORT, parallel=32)
    assert report.has_failures
    for form in FORMATS:
        text = FORMATS[form](report)
        assert KEY not in text
        assert "<script" not in text or form in {"text", "json"}
        assert text.replace("\n", "").isprintable(), form
        if form == "junit":
            ElementTree.fromstring(text)


@pytest.mark.parametrize(
    "said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\xff" * 99]
)
def test_what_does_not_speak_http_is_one_clear_error(said: bytes) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    async def tried() -> Any:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            return await asyncio.to_thread(CliRunner().invoke, main, ["conform", url])

    result = asyncio.run(tried())
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "cannot be reached" in result.output
