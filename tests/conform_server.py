"""A small server that keeps every rule that can be seen from outside, for faults to be laid over.

An ASGI application without a framework: JSON, server-sent events, WebSocket, compaction, a store in memory. It answers
by what it is asked, as a model with no will of its own would.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from openresponses_codegen.conform.schema import Finding, schemas
from streams import events_of, message, sse, text

Json = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

NEWEST = "2026-04-24"
_USAGE = {
    "input_tokens": 9,
    "output_tokens": 9,
    "total_tokens": 18,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}
_DEFAULTS = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "tool_choice": "auto",
    "tools": [],
    "parallel_tool_calls": True,
    "truncation": "disabled",
    "store": True,
    "background": False,
    "service_tier": "default",
    "text": {"format": {"type": "text"}},
    "metadata": {},
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
    "previous_response_id": None,
}
_PADDED = {
    "response.output_text.delta",
    "response.reasoning.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
}


class RefusedError(Exception):
    """An error that is answered by the rules of section E."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request", code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param or None, "code": code or None}


_NUMBER = "\ue000"
"""Before the text of a number that is to be written as it was read (rule Z19)."""


def _dumped(value: Any) -> str:
    return re.sub(f'"{_NUMBER}([^"]+)"', r"\1", json.dumps(value, ensure_ascii=False))


class Server:
    """The application; `api_key` is the one that it asks for."""

    def __init__(self, api_key: str | None = None, release: str = NEWEST) -> None:
        self._api_key = api_key
        self._release = release
        self._schemas = schemas(release)
        self._ids = itertools.count(1)
        self._stored: dict[str, tuple[list[Json], Json]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        status, kind, bodies = 200, "application/json", []
        try:
            answer = self._answer(scope, await _body(receive))
            if isinstance(answer, list):
                kind, bodies = (
                    "text/event-stream",
                    [sse([event], done=False) for event in answer] + [b"data: [DONE]\n\n"],
                )
            else:
                bodies = [_dumped(answer).encode()]
        except RefusedError as error:
            status, bodies = error.status, [_dumped({"error": error.error}).encode()]
        headers = [(b"content-type", kind.encode()), (b"openresponses-version", self._release.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})

    def _answer(self, scope: Any, body: bytes) -> Json | list[Json]:
        """The JSON of an answer, or the events of a stream."""
        method, path = scope["method"], scope["path"]
        self._authenticate(scope)
        if method == "GET" and path.startswith("/v1/responses/"):
            if path.removeprefix("/v1/responses/") in self._stored:
                return self._stored[path.removeprefix("/v1/responses/")][1]
            raise RefusedError("there is no such response", status=404, kind="not_found")
        compacts = self._release == NEWEST and path == "/v1/responses/compact"
        if path != "/v1/responses" and not compacts:
            raise RefusedError("there is no such route", status=404, kind="not_found")
        if method != "POST":
            raise RefusedError("use POST", status=405)
        if not _header(scope, b"content-type").startswith("application/json"):
            raise RefusedError("send application/json", status=415)
        try:
            request = json.loads(body)
        except ValueError as error:
            raise RefusedError(f"no JSON: {error}") from None
        if compacts:
            return self._compact(self._checked(request, "CompactResponseMethodPublicBody"))
        request = self._checked(request, "CreateResponseBody")
        if request.get("tools"):
            request["tools"] = json.loads(body, parse_float=lambda text: _NUMBER + text)["tools"]
        response = self._respond(request, self._stored)
        if not request.get("stream"):
            return response
        return self._events(response, padded=(request.get("stream_options") or {}).get("include_obfuscation", True))

    def _authenticate(self, scope: Any) -> None:
        if self._api_key is not None and _header(scope, b"authorization") != f"Bearer {self._api_key}":
            raise RefusedError("a valid key is needed", status=401, kind="unauthorized")

    def _checked(self, request: Any, component: str) -> Json:
        """The request with what may be left out filled in, once it fits the schema."""
        if isinstance(request, dict) and isinstance(request.get("input"), list):
            request["input"] = [self._normal(item) for item in request["input"]]
        for finding in self._schemas.findings(request, component):
            if not _is_tolerated(finding):
                raise RefusedError(finding.message, param=finding.path)
        if (request.get("top_logprobs") or 0) > 20:
            raise RefusedError("at most 20", param="top_logprobs")
        return request

    def _normal(self, item: Any) -> Any:
        """Rules Z7 and Z8."""
        if isinstance(item, dict) and item.get("type") is None:
            return {"type": "message" if "role" in item else "item_reference", **item}
        return item

    def _context(self, request: Json, known: dict[str, tuple[list[Json], Json]]) -> list[Json]:
        given = request.get("input") or []
        items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
        before: list[Json] = []
        if (previous := request.get("previous_response_id")) is not None:
            if previous not in known:
                raise RefusedError(
                    "it is not known",
                    status=404,
                    kind="not_found",
                    code="previous_response_not_found",
                    param="previous_response_id",
                )
            before = known[previous][0]
        kept = {item["id"]: item for context, _ in self._stored.values() for item in context if "id" in item}
        for at, item in enumerate(items):
            if item["type"] == "item_reference":
                if item["id"] not in kept:
                    raise RefusedError("there is no such item", param=f"input[{at}].id", status=404, kind="not_found")
                items[at] = kept[item["id"]]
        context = [*before, *items]
        calls = {item.get("call_id") for item in context if item["type"] == "function_call"}
        for at, item in enumerate(items):
            if item["type"] == "function_call_output" and item["call_id"] not in calls:
                raise RefusedError("no call has this id", param=f"input[{at}].call_id")
        return context

    def _respond(self, request: Json, known: dict[str, tuple[list[Json], Json]]) -> Json:
        context = self._context(request, known)
        settings = {name: request[name] for name in _DEFAULTS if request.get(name) is not None}
        if "tools" in settings:
            bare = {"description": None, "parameters": None, "strict": None}
            settings["tools"] = [{**bare, **tool} for tool in settings["tools"]]
        if isinstance(settings.get("tool_choice"), dict) and settings["tool_choice"]["type"] == "allowed_tools":
            settings["tool_choice"] = {"mode": "auto", **settings["tool_choice"]}
        form = (settings.get("text") or {}).get("format") or {}
        if form.get("type") == "json_schema":
            settings["text"] = {"format": {"description": None, "strict": False, **form, "schema": None}}
        output = list(self._output(request, context))
        cut = any(item.get("status") == "incomplete" for item in output)
        response = {
            "id": self._id("resp"),
            "object": "response",
            "created_at": int(time.time()),
            "completed_at": None if cut else int(time.time()),
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "model": request.get("model") or "sound",
            "output": output,
            "error": None,
            "usage": _USAGE,
            **_DEFAULTS,
            "reasoning": {"effort": None, "summary": None, **(request.get("reasoning") or {})},
            **settings,
        }
        if response["store"]:
            self._stored[response["id"]] = ([*context, *output], response)
        if response["background"]:
            return {**response, "status": "queued", "output": [], "completed_at": None, "usage": None}
        return response

    def _output(self, request: Json, context: list[Json]) -> Iterator[Json]:
        effort = (request.get("reasoning") or {}).get("effort")
        if effort not in {None, "none"}:
            yield self._reasoning("reasoning.encrypted_content" in (request.get("include") or []))
        name = _called(request)
        if name is not None:
            call = {"type": "function_call", "id": self._id("fc"), "call_id": self._id("call"), "name": name}
            yield {**call, "arguments": '{"city": "Paris", "unit": "c"}', "status": "completed"}
            return
        words = _said(request, context).split(" ")
        limit = request.get("max_output_tokens") or len(words)
        status = "completed" if len(words) <= limit else "incomplete"
        parts = [text(" ".join(words[:limit]), **({"logprobs": []} if self._release != NEWEST else {}))]
        yield message(*parts, id=self._id("msg"), status=status)

    def _reasoning(self, encrypted: bool) -> Json:
        item: Json = {"type": "reasoning", "id": self._id("rs")}
        item["summary"] = [
            {"type": "summary_text", "text": "It was asked something."},
            {"type": "summary_text", "text": "It can be answered."},
        ]
        item["content"] = [{"type": "reasoning_text", "text": "Let me think about it."}]
        return item | ({"encrypted_content": "b3BhcXVl"} if encrypted else {})

    def _events(self, response: Json, *, padded: bool) -> list[Json]:
        events = events_of(response)
        for event in events:
            if self._release != NEWEST and event["type"].startswith("response.output_text."):
                event.setdefault("logprobs", [])
            if padded and event["type"] in _PADDED:
                event["obfuscation"] = "x" * (1 + event["sequence_number"] % 7)
        return events

    def _compact(self, request: Json) -> Json:
        context = self._context(request, self._stored)
        kept = [item for item in context if item["type"] == "message" and item["role"] == "user"]
        shown = [message({"type": "input_text", "text": _text(item)}, role="user", id=self._id("msg")) for item in kept]
        summary = {"type": "compaction", "id": self._id("cmp"), "encrypted_content": "b3BhcXVl"}
        return {
            "id": self._id("comp"),
            "object": "response.compaction",
            "created_at": int(time.time()),
            "usage": _USAGE,
            "output": [*shown, summary],
        }

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] != "/v1/responses" or self._release != NEWEST:
            await send({"type": "websocket.close"})
            return
        try:
            self._authenticate(scope)
        except RefusedError:
            await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})
        memory: dict[str, tuple[list[Json], Json]] = {}
        while (received := await receive())["type"] == "websocket.receive":
            for event in self._turn(received.get("text") or "", memory):
                await send({"type": "websocket.send", "text": _dumped(event)})

    def _turn(self, frame: str, memory: dict[str, tuple[list[Json], Json]]) -> list[Json]:
        previous = None
        try:
            try:
                request = json.loads(frame)
            except ValueError as error:
                raise RefusedError(f"no JSON: {error}") from None
            _refuse_disallowed(request)
            request.pop("type", None)
            previous = request.get("previous_response_id")
            request = self._checked(request, "CreateResponseBody")
            known = {**self._stored, **memory}
            response = self._respond(request, known)
            memory.clear()
            memory[response["id"]] = ([*self._context(request, known), *response["output"]], response)
        except RefusedError as error:
            memory.pop(previous or "", None)
            told = {**error.error, "code": error.error["code"] or error.error["type"]}
            return [{"type": "error", "status": 400, "error": told}]
        return self._events(response, padded=True)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids)}"


def _is_tolerated(finding: Finding) -> bool:
    """Rule Z6: the document knows the content of reasoning only as null."""
    return re.fullmatch(r"input\[\d+\]\.content", finding.path) is not None


def _refuse_disallowed(request: Json) -> None:
    for name in ("stream", "stream_options", "background"):
        if name in request:
            raise RefusedError("it must not be here", param=name)


async def _body(receive: Any) -> bytes:
    body = b""
    while (received := await receive())["type"] == "http.request":
        body += received.get("body", b"")
        if not received.get("more_body"):
            break
    return body


def _header(scope: Any, name: bytes) -> str:
    return dict(scope["headers"]).get(name, b"").decode("latin-1")


def _called(request: Json) -> str | None:
    """The function that has to be called."""
    names = [tool["name"] for tool in request.get("tools") or []]
    match request.get("tool_choice"):
        case "required":
            return names[0]
        case {"type": "function", "name": name}:
            return name
        case {"type": "allowed_tools", "mode": "required", "tools": [{"name": name}, *_]}:
            return name
    return None


def _text(item: Json) -> str:
    content = item.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part.get("text") or "" for part in content or [])


def _said(request: Json, context: list[Json]) -> str:
    if ((request.get("text") or {}).get("format") or {}).get("type") == "json_schema":
        return '{"city": "Paris"}'
    whole = " ".join(_text(item) for item in context if item["type"] == "message")
    name = re.search(r"My name is (\w+)", whole)
    known = f" Your name is {name.group(1)}." if name else ""
    return (
        f"This is an answer to {len(context)} items and {len(whole.split())} words of input, "
        f"and it is made of a good many words, too.{known}"
    )
