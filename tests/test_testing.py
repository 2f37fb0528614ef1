"""The public in-process script for users' tests: its answers are what a server by the rules would send."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from openresponses_kit import (
    APIConnectionError,
    CompactResource,
    RateLimitError,
    ReasoningBody,
    ResponseResource,
    UnknownItem,
)
from openresponses_kit.accumulate import fold
from openresponses_kit.testing import (
    ScriptedRequest,
    error_reply,
    events_of,
    function_call,
    response_of,
    scripted,
    scripted_async,
    text_response,
)

CITATION = {"type": "url_citation", "url": "https://a.test", "title": "A", "start_index": 0, "end_index": 1}


def message(*parts: dict[str, object]) -> Any:
    item = text_response("").output[0].model_dump()
    return response_of().model_validate({**response_of().model_dump(), "output": [{**item, "content": list(parts)}]})


RESPONSES: dict[str, ResponseResource] = {
    "nothing": response_of(),
    "text": text_response("one line"),
    "lines": text_response("Hello\n\nyou\r\n  \u2028x"),
    "no text": text_response(""),
    "incomplete": text_response("cut", status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
    "failed": response_of(status="failed", error={"code": "server_error", "message": "no"}),
    "refusal": message({"type": "refusal", "refusal": "No."}),
    "citation": message({"type": "output_text", "text": "x", "annotations": [CITATION], "logprobs": []}),
    "unknown part": message({"type": "acme:part", "x": 1}),
    "calls": response_of(function_call("f", {"a": [1, "ü"]}), function_call("g", {}, "call_2")),
    "reasoning": response_of(
        ReasoningBody.model_validate(
            {
                "type": "reasoning",
                "id": "r",
                "summary": [{"type": "summary_text", "text": "short"}],
                "content": [{"type": "reasoning_text", "text": "long\ntrace"}],
                "encrypted_content": "x" * 9,
            }
        )
    ),
    "unknown item": response_of(
        UnknownItem.model_validate({"type": "acme:item", "id": "u", "status": "done", "x": [1]})
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_l9_s4_the_events_of_a_response_fold_back_into_it_without_a_deviation(name: str) -> None:
    response = RESPONSES[name]
    folded = fold(events_of(response), strict=True)
    assert folded.model_dump() == response.model_dump()
    assert folded.deviations == ()


@pytest.mark.parametrize("name", RESPONSES)
def test_an_answer_comes_whole_or_as_events_as_the_request_asks(name: str) -> None:
    response = RESPONSES[name]
    with scripted(response, response, response, strict=True) as client:
        assert client.responses.create(model="m", input="hi").model_dump() == response.model_dump()
        events = list(client.responses.create(model="m", input="hi", stream=True))
        assert [event.type for event in events] == [event.type for event in events_of(response)]
        with client.responses.stream(model="m", input="hi") as stream:
            assert stream.get_final_response().model_dump() == response.model_dump()
        assert [request.body.get("stream", False) for request in client.requests] == [False, True, True]


def test_replies_may_be_functions_events_errors_http_answers_and_compactions() -> None:
    window = {"object": "response.compaction", "id": "c", "created_at": 0, "output": [], "usage": None}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    compaction = CompactResource.model_validate({**window, "usage": {**usage, **details}})

    def echo(request: ScriptedRequest) -> ResponseResource:
        return text_response(request.body["input"].upper())

    script = (
        echo,
        events_of(text_response("b")),
        compaction,
        error_reply(429, "too_many_requests", headers={"retry-after": "0"}),
        text_response("again"),
        httpx2.ConnectError("no route"),
    )
    with scripted(*script, max_retries=1) as client:
        assert client.responses.create(model="m", input="a").output_text == "A"
        assert list(client.responses.create(model="m", input="a", stream=True))
        assert client.responses.compact(model="m", input="a") == compaction
        assert client.responses.create(model="m", input="a").output_text == "again"
        with pytest.raises(APIConnectionError, match="no route"):
            client.with_options(max_retries=0).responses.create(model="m", input="a")


def test_an_asynchronous_client_is_answered_the_same() -> None:
    async def main() -> None:
        async with scripted_async(text_response("a"), error_reply(429, "x"), max_retries=0) as client:
            assert (await client.responses.create(model="m", input="hi")).output_text == "a"
            with pytest.raises(RateLimitError):
                await client.responses.create(model="m", input="hi")
            assert [request.body["input"] for request in client.requests] == ["hi", "hi"]
            assert client.requests[0].headers["openresponses-version"]

    asyncio.run(main())


def test_a_script_that_is_used_up_fails_the_test_that_uses_it() -> None:
    with scripted() as client, pytest.raises(AssertionError, match="no reply to request 1"):
        client.responses.create(model="m", input="hi")
