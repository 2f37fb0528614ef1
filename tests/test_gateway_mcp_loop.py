"""MCP servers in the agentic loop: calls and their receipts, approvals over several requests, limits and cancelling."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp_talk import asking, stdio, told, until
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.mcp import MCPServers
from openresponses_kit.server.core import Core
from scripted_model import Answer, Round, ScriptedModel, answer_of, begin, calls, core_of_loop, says

ADD = calls(("box__add", '{"a":1,"b":2}'), ids=["c1"])
DELETE = calls(("box__delete", "{}"), ids=["d1"])
REQUEST = "gateway:mcp_approval_request"
RESPONSE = "gateway:mcp_approval_response"


class Talk:
    """A conversation with a loop that has one MCP server."""

    def __init__(self, record: Path, core: Core, model: ScriptedModel) -> None:
        self.record = record
        self.core = core
        self.model = model
        self.history: list[dict[str, Any]] = []
        self.last: str | None = None

    async def ask(self, *items: dict[str, Any], chained: bool = True, **fields: Any) -> Answer:
        """A turn: the new items, after the earlier ones by id, or all of them anew."""
        tool = {key: fields.pop(key) for key in ("allowed_tools", "require_approval") if key in fields}
        body: dict[str, Any] = {"tools": [asking(**tool)], **fields}
        new = list(items) or [{"role": "user", "content": "Go on."}]
        if chained:
            answer = await answer_of(self.core, input=new, previous_response_id=self.last, **body)
        else:
            answer = await answer_of(self.core, input=[*self.history, *new], store=False, **body)
        if answer.response["status"] != "failed":
            self.last = answer.response["id"]
            self.history += [*new, *answer.output]
        return answer

    @property
    def called(self) -> list[str]:
        """The tools that the server ran."""
        return [line.removeprefix("call ") for line in told(self.record) if line.startswith("call ")]


@contextlib.asynccontextmanager
async def talking(folder: Path, *rounds: Round, **fields: Any) -> AsyncIterator[Talk]:
    record = folder / "record.txt"
    model = ScriptedModel(*rounds)
    loop = AgenticLoop(model, tools=[MCPServers([stdio(record, **fields)])])
    try:
        yield Talk(record, core_of_loop(loop), model)
    finally:
        await loop.close()


def approve(answer: Answer, *, yes: bool = True, **fields: Any) -> dict[str, Any]:
    """The answer to the request that a response ends with."""
    asked = answer.output[-1]
    assert asked["type"] == REQUEST
    return {"type": RESPONSE, "approval_request_id": asked["id"], "approve": yes, **fields}


def told_to(talk: Talk, sampling: int) -> list[Any]:
    """Calls and outputs of a sampling, in short."""
    return [
        (item["type"], item["call_id"], item.get("name") or item.get("output"))
        for item in talk.model.told[sampling]
        if item["type"] in {"function_call", "function_call_output"}
    ]


def test_x2_x3_calls_are_run_shown_and_handed_back(tmp_path: Path) -> None:
    """X2, X3: the list, the call and what follows are one response; the receipt tells the next one the same."""

    async def talk() -> None:
        async with talking(tmp_path, ADD, says("It is 3."), says("Still 3.")) as talk:
            answer = await talk.ask()
            assert answer.kinds == ["gateway:mcp_list_tools", "gateway:mcp_call", "message"]
            receipt = answer.output[1]
            assert receipt == {
                "id": receipt["id"],
                "type": "gateway:mcp_call",
                "status": "completed",
                "server_label": "box",
                "approval_request_id": None,
                "call_id": "c1",
                "name": "add",
                "arguments": '{"a":1,"b":2}',
                "output": "3",
                "error": None,
            }
            assert "gateway:mcp_call.calling" in [event["type"] for event in answer.events]
            pair = [("function_call", "c1", "box__add"), ("function_call_output", "c1", "3")]
            assert told_to(talk, 1) == pair
            for is_chained in (True, False):
                again = await talk.ask(chained=is_chained)
                assert again.kinds == ["message"]
                assert told_to(talk, -1) == pair
            offered = {tool.name: tool for tool in talk.model.samplings[0].tools}
            assert offered["box__add"].parameters["required"] == ["a", "b"]
            assert offered["box__add"].description == "The tool add."
            assert talk.called == ["add"]

    asyncio.run(talk())


def test_x2_what_fails_is_told_to_the_model(tmp_path: Path) -> None:
    """X2: a tool that fails, one that is not there and a crash are results; the response goes on."""
    rounds = calls(("box__fail", "{}"), ("box__nothing", "{}")), calls(("box__crash", "{}"))

    async def talk() -> None:
        async with talking(tmp_path, *rounds, says("Well.")) as talk:
            answer = await talk.ask()
            assert answer.response["status"] == "completed"
            assert answer.kinds == ["gateway:mcp_list_tools", *["gateway:mcp_call"] * 2, "message"]
            assert [item["error"] for item in answer.output[1:3]] == [
                "no such city: Atlantis",
                "the MCP server was lost; what it did is not known",
            ]
            outputs = [item[2] for item in told_to(talk, 2) if item[0] == "function_call_output"]
            assert outputs[0] == "no such city: Atlantis"
            assert "box__nothing" in outputs[1]

    asyncio.run(talk())


@pytest.mark.parametrize("chained", [True, False])
def test_an_approved_call_runs_before_the_first_round(tmp_path: Path, chained: bool) -> None:
    """The response ends with the request; the next one begins with the run, which the model is told at once."""

    async def talk() -> None:
        rounds = DELETE, says("Deleted."), says("Yes.")
        async with talking(tmp_path, *rounds) as talk:
            first = await talk.ask(require_approval="always", chained=chained)
            assert first.kinds == ["gateway:mcp_list_tools", REQUEST]
            assert first.response["status"] == "completed"
            asked = first.output[-1]
            assert asked == {
                "id": asked["id"],
                "type": REQUEST,
                "status": "completed",
                "server_label": "box",
                "name": "delete",
                "arguments": "{}",
                "call_id": "d1",
            }
            assert talk.called == []
            second = await talk.ask(approve(first), require_approval="always", chained=chained)
            assert second.kinds == ["gateway:mcp_call", "message"]
            assert second.output[0]["approval_request_id"] == asked["id"]
            assert second.output[0]["output"] == "delete ran"
            pair = [("function_call", "d1", "box__delete"), ("function_call_output", "d1", "delete ran")]
            assert told_to(talk, 1) == pair
            third = await talk.ask(require_approval="always", chained=chained)
            assert third.kinds == ["message"]
            assert told_to(talk, 2) == pair
            assert talk.called == ["delete"]

    asyncio.run(talk())


@pytest.mark.parametrize("chained", [True, False])
def test_a_refused_call_is_not_run_and_the_model_is_told_why(tmp_path: Path, chained: bool) -> None:
    """A refusal is told with its reason, once, and is a receipt for what comes later."""

    async def talk() -> None:
        async with talking(tmp_path, DELETE, says("I leave it."), says("Yes.")) as talk:
            first = await talk.ask(require_approval="always", chained=chained)
            no = approve(first, yes=False, reason="It is precious.")
            second = await talk.ask(no, require_approval="always", chained=chained)
            assert second.kinds == ["gateway:mcp_call", "message"]
            words = "The user did not approve this call: It is precious."
            assert second.output[0]["error"] == words
            pair = [("function_call", "d1", "box__delete"), ("function_call_output", "d1", words)]
            assert told_to(talk, 1) == pair
            third = await talk.ask(require_approval="always", chained=chained)
            assert third.kinds == ["message"]
            assert told_to(talk, 2) == pair
            assert talk.called == []

    asyncio.run(talk())


def test_an_unanswered_request_runs_nothing(tmp_path: Path) -> None:
    """Whoever says something else instead has approved nothing; an approval may still come later."""

    async def talk() -> None:
        async with talking(tmp_path, DELETE, says("Fine."), says("Done.")) as talk:
            first = await talk.ask(require_approval="always")
            second = await talk.ask({"role": "user", "content": "Never mind."}, require_approval="always")
            assert second.kinds == ["message"]
            assert told_to(talk, 1) == []
            assert talk.called == []
            third = await talk.ask(approve(first), require_approval="always")
            assert third.kinds == ["gateway:mcp_call", "message"]
            assert talk.called == ["delete"]

    asyncio.run(talk())


def test_a_refusal_counts_more_than_an_approval(tmp_path: Path) -> None:
    """Of two answers to one request the one that does less counts, whatever their order."""

    async def talk() -> None:
        async with talking(tmp_path, DELETE, says("Fine.")) as talk:
            first = await talk.ask(require_approval="always")
            for answers in ([False, True], [True, False]):
                items = [approve(first, yes=yes) for yes in answers]
                body = {"tools": [asking()], "input": items, "previous_response_id": first.response["id"]}
                answer = await answer_of(talk.core, **body)
                assert answer.output[0]["error"] == "The user did not approve this call."
            assert talk.called == []

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("changed", "fields", "words"),
    [
        ({"approval_request_id": "mcpr_1"}, {}, "'mcpr_1' answers no request"),
        ({"approval_request_id": 5}, {}, "has to have an `approval_request_id`"),
        ({"approve": "yes"}, {}, "has to have an `approval_request_id`"),
        ({}, {"allowed_tools": ["add"]}, "that this request does not offer"),
    ],
)
def test_x8_an_approval_of_nothing_is_refused(
    tmp_path: Path, changed: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    """As X8 says for outputs: what answers no request of the context is an invalid request, and nothing runs."""

    async def talk() -> None:
        async with talking(tmp_path, DELETE, says("Fine.")) as talk:
            first = await talk.ask(require_approval="always")
            answer = await talk.ask({**approve(first), **changed}, **fields)
            error = answer.response["error"]
            assert error["code"] == "invalid_request"
            assert words in error["message"]
            assert talk.called == []

    asyncio.run(talk())


APPROVALS: list[tuple[Any, Any, bool]] = [
    ("never", None, False),
    ("never", "never", False),
    ("never", "always", True),
    ("always", None, True),
    ("always", "never", True),
    ({"always": ["delete"], "never": ["add"]}, None, True),
    ({"always": ["add"], "never": ["delete"]}, None, False),
    ({"never": ["add"]}, None, True),
    ("never", {"always": ["delete"]}, True),
    ("never", {"never": ["delete"]}, False),
    ("never", {"never": {"tool_names": ["delete"]}}, False),
    ("never", {"always": {"tool_names": ["delete"]}, "never": ["delete"]}, True),
    ({"never": ["delete"]}, {"always": ["delete"]}, True),
]


@pytest.mark.parametrize(("own", "wish", "asks"), APPROVALS)
def test_approval_is_asked_where_either_side_wants_it(tmp_path: Path, own: Any, wish: Any, asks: bool) -> None:
    """What the operator asks for cannot be waived by a request, and a request may ask for more."""

    async def talk() -> None:
        async with talking(tmp_path, DELETE, says("Done."), require_approval=own) as talk:
            answer = await talk.ask(require_approval=wish)
            assert (answer.kinds[1] == REQUEST) == asks
            assert talk.called == ([] if asks else ["delete"])

    asyncio.run(talk())


def test_calls_that_need_no_approval_run_beside_one_that_does(tmp_path: Path) -> None:
    """Of one round the free calls run and have receipts, the other is asked for, and all of them are told later."""
    both = calls(("box__add", '{"a":1,"b":2}'), ("box__delete", "{}"), ids=["c1", "d1"])

    async def talk() -> None:
        async with talking(tmp_path, both, says("Done.")) as talk:
            only = {"always": ["delete"], "never": ["add"]}
            first = await talk.ask(require_approval=only)
            assert first.kinds == ["gateway:mcp_list_tools", "gateway:mcp_call", REQUEST]
            second = await talk.ask(approve(first), require_approval=only)
            assert second.kinds == ["gateway:mcp_call", "message"]
            outputs = [item[1:] for item in told_to(talk, 1) if item[0] == "function_call_output"]
            assert outputs == [("c1", "3"), ("d1", "delete ran")]

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        ({"type": "gateway:mcp", "server_label": "box", "name": "add"}, ["box__add"]),
        ({"type": "gateway:mcp", "server_label": "box"}, None),
        ("none", []),
    ],
)
def test_x5_a_tool_of_a_server_can_be_chosen(tmp_path: Path, choice: Any, offered: list[str] | None) -> None:
    """X5, X6: by server and name; what is not chosen is not offered."""

    async def talk() -> None:
        async with talking(tmp_path, ADD if offered != [] else says("No."), says("3")) as talk:
            answer = await talk.ask(tool_choice=choice)
            assert answer.response["status"] == "completed"
            names = [tool.name for tool in talk.model.samplings[0].tools]
            assert names == offered if offered is not None else len(names) > 5

    asyncio.run(talk())


def test_x4_calls_count_against_the_limit(tmp_path: Path) -> None:
    """X4: calls of servers are calls of hosted tools."""

    async def talk() -> None:
        async with talking(tmp_path, ADD) as talk:
            answer = await talk.ask(max_tool_calls=1)
            assert answer.response["incomplete_details"] == {"reason": "max_tool_calls"}
            assert talk.called == ["add"]

    asyncio.run(talk())


def test_z16_a_cancelled_response_is_cancelled_at_the_server(tmp_path: Path) -> None:
    """Z16: whose client goes away has nothing left running anywhere."""

    async def talk() -> None:
        async with talking(tmp_path, calls(("box__hang", "{}"))) as talk:
            turn = await begin(talk.core, None, {"tools": [asking()]})
            running = asyncio.create_task(talk.core.run(turn))
            await until(lambda: "call hang" in told(talk.record))
            turn.is_left = True
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await until(lambda: "cancelled hang" in told(talk.record))

    asyncio.run(talk())


def test_a_function_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """Whose tool a call means must not be a guess."""

    async def talk() -> None:
        async with talking(tmp_path, ADD) as talk:
            function = {"type": "function", "name": "box__add"}
            answer = await answer_of(talk.core, tools=[function, asking()])
            assert answer.response["error"]["code"] == "invalid_request"
            assert "box__add" in json.dumps(answer.response["error"])

    asyncio.run(talk())
