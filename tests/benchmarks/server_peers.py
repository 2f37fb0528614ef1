"""What a user would write with a framework in place of the generated server, and the least that any server has to do.

All answer `POST /v1/responses` with the same text: the frameworks with the generated models, checked and dumped by
pydantic; the bare application with bytes that were made before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import fastapi
import fastapi.sse
import sse_starlette
from fastapi.responses import StreamingResponse
from openresponses_kit import events, models
from openresponses_kit.models import CreateResponseBody, ResponseResource
from server_process import BRIEF

TEXT = ["In ", "Paris ", "it ", "is ", "18 ", "°C, ", "says ", '"weather.example". ', "Tomorrow ", "will be warmer.\n"]


def pieces(model: str | None) -> list[str]:
    """The text of a streamed answer, 10 or 5,000 pieces."""
    return TEXT if model == BRIEF else TEXT * 500


class Bare:
    """Sends what was made before, one `send` for each event; reads the body and does not look at it."""

    def __init__(self, kind: str, chunks: list[bytes]) -> None:
        self._start: dict[str, Any] = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", kind.encode())],
        }
        self._is_whole = kind == "application/json"
        if self._is_whole:
            self._start["headers"].append((b"content-length", b"%d" % sum(map(len, chunks))))
        self._chunks = chunks

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(self._start)
        for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": not self._is_whole})
        if not self._is_whole:
            await send({"type": "http.response.body", "body": b""})


def fastapi_app() -> Any:
    """Routes as FastAPI's documentation has them, one for each way to answer."""
    app = fastapi.FastAPI()

    @app.post("/whole/v1/responses", response_model=ResponseResource)
    async def whole(body: CreateResponseBody) -> ResponseResource:
        return _response(body, [_message("".join(TEXT))])

    @app.post("/stream/v1/responses")
    async def stream(body: CreateResponseBody) -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            for event in stream_events(body):
                yield f"event: {event.type}\ndata: {event.model_dump_json()}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(chunks(), media_type="text/event-stream")

    @app.post("/sse-starlette/v1/responses")
    async def other_stream(body: CreateResponseBody) -> sse_starlette.EventSourceResponse:
        async def chunks() -> AsyncIterator[dict[str, str]]:
            for event in stream_events(body):
                yield {"event": event.type, "data": event.model_dump_json()}
            yield {"data": "[DONE]"}

        return sse_starlette.EventSourceResponse(chunks())

    @app.post("/fastapi-sse/v1/responses", response_class=fastapi.sse.EventSourceResponse)
    async def own_stream(body: CreateResponseBody) -> AsyncIterator[fastapi.sse.ServerSentEvent]:
        for event in stream_events(body):
            yield fastapi.sse.ServerSentEvent(event=event.type, data=event)
        yield fastapi.sse.ServerSentEvent(raw_data="[DONE]")

    return app


def stream_events(body: CreateResponseBody) -> Iterator[Any]:
    """The events of a streamed message, each made with its class."""
    response = _response(body, [])
    place = {"item_id": "msg_001", "output_index": 0, "content_index": 0}
    part = models.OutputTextContent(text="", annotations=[], logprobs=[])
    opened = _message(None, "in_progress")
    yield events.ResponseCreatedStreamingEvent(sequence_number=0, response=response)
    yield events.ResponseInProgressStreamingEvent(sequence_number=1, response=response)
    yield events.ResponseOutputItemAddedStreamingEvent(sequence_number=2, output_index=0, item=opened)
    yield events.ResponseContentPartAddedStreamingEvent(sequence_number=3, **place, part=part)
    deltas = pieces(body.model)
    number = 3
    for number, piece in enumerate(deltas, 4):
        yield events.ResponseOutputTextDeltaStreamingEvent(sequence_number=number, **place, delta=piece, logprobs=[])
    text = "".join(deltas)
    part = models.OutputTextContent(text=text, annotations=[], logprobs=[])
    message = _message(text)
    yield events.ResponseOutputTextDoneStreamingEvent(sequence_number=number + 1, **place, text=text, logprobs=[])
    yield events.ResponseContentPartDoneStreamingEvent(sequence_number=number + 2, **place, part=part)
    yield events.ResponseOutputItemDoneStreamingEvent(sequence_number=number + 3, output_index=0, item=message)
    yield events.ResponseCompletedStreamingEvent(sequence_number=number + 4, response=_response(body, [message]))


def _message(text: str | None, status: Any = "completed") -> models.Message:
    content: list[Any] = []
    if text is not None:
        content.append(models.OutputTextContent(text=text, annotations=[], logprobs=[]))
    return models.Message(id="msg_001", status=status, role="assistant", content=content)


def _response(body: CreateResponseBody, output: list[Any]) -> ResponseResource:
    return ResponseResource(
        id="resp_001",
        created_at=1767268802,
        completed_at=1767268804 if output else None,
        status="completed" if output else "in_progress",
        incomplete_details=None,
        model=body.model or "example-model",
        previous_response_id=None,
        instructions=body.instructions,
        output=output,
        error=None,
        tools=[
            models.FunctionTool(
                name=tool.name, description=tool.description, parameters=tool.parameters, strict=tool.strict
            )
            for tool in body.tools or []
            if isinstance(tool, models.FunctionToolParam)
        ],
        tool_choice="auto",
        truncation="disabled",
        parallel_tool_calls=True,
        text=models.TextField(format=models.TextResponseFormat()),
        top_p=1,
        presence_penalty=0,
        frequency_penalty=0,
        top_logprobs=0,
        temperature=1,
        reasoning=models.Reasoning(effort="low", summary="concise"),
        usage=models.Usage(
            input_tokens=158,
            output_tokens=45,
            total_tokens=203,
            input_tokens_details=models.InputTokensDetails(cached_tokens=96),
            output_tokens_details=models.OutputTokensDetails(reasoning_tokens=19),
        )
        if output
        else None,
        max_output_tokens=None,
        max_tool_calls=None,
        store=False,
        background=False,
        service_tier="default",
        metadata={},
        safety_identifier=None,
        prompt_cache_key=None,
    )
