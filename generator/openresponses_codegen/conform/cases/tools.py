"""Section X, as far as tools go that the client runs."""

from __future__ import annotations

from openresponses_codegen.conform.asks import CLOCK, WEATHER, asked_until_called, user
from openresponses_codegen.conform.case import ask, case
from openresponses_codegen.conform.cases.state import stored_id
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import require, skip
from openresponses_codegen.conform.probe import Probe
from openresponses_codegen.conform.reading import Json, as_object, items_of, objects, quoted

RESULT = '{"temperature_c": 18, "sky": "clear"}'


@ask
async def call(probe: Probe) -> Answer:
    """A request that has to end in a call."""
    return await asked_until_called(probe, tools=[WEATHER], tool_choice="required")


@ask
async def named_call(probe: Probe) -> Answer:
    """A request that has to end in a call of one function of two."""
    choice = {"type": "function", "name": CLOCK["name"]}
    return await asked_until_called(probe, tools=[WEATHER, CLOCK], tool_choice=choice)


@ask
async def no_call(probe: Probe) -> Answer:
    """A request that tempts to a call which is forbidden."""
    return await probe.create(
        input=[user("What is the weather in Paris? Use the tool get_weather.")], tools=[WEATHER], tool_choice="none"
    )


@ask
async def allowed_call(probe: Probe) -> Answer:
    """A request that tempts to a call of a tool which is not allowed."""
    choice = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": CLOCK["name"]}],
    }
    question = user("What is the weather in Paris? Use the tool get_weather.")
    return await probe.create(input=[question], tools=[WEATHER, CLOCK], tool_choice=choice)


@ask
async def allowed_without_mode(probe: Probe) -> Answer:
    """Allowed tools, and no word of the mode."""
    choice = {"type": "allowed_tools", "tools": [{"type": "function", "name": CLOCK["name"]}]}
    return await probe.create(input=[user("Say hello.")], tools=[WEATHER, CLOCK], tool_choice=choice)


@ask
async def single_call(probe: Probe) -> Answer:
    """A request that tempts to several calls, of which one is allowed."""
    question = user("What is the weather in Paris, in Rome and in Oslo, and what time is it there? Use the tools.")
    return await probe.create(
        input=[question], tools=[WEATHER, CLOCK], tool_choice="required", parallel_tool_calls=False
    )


@ask
async def result_returned(probe: Probe) -> Answer:
    """The result of a call, after the call."""
    calls = _answerable(await probe.result(call))
    return await probe.create(
        input=[user("What is the weather in Paris?"), *calls, *map(_result, calls)], tools=[WEATHER]
    )


@ask
async def result_by_chain(probe: Probe) -> Answer:
    """The result of a call, after a response that holds the call."""
    await stored_id(probe)
    first = await probe.result(call)
    return await probe.create(
        input=[_result(each) for each in _answerable(first)],
        tools=[WEATHER],
        previous_response_id=first.response().get("id"),
    )


@ask
async def stray_result(probe: Probe) -> Answer:
    """The result of a call that was never made."""
    return await probe.create(input=[user("Hello."), stray()], tools=[WEATHER])


def stray() -> Json:
    """A result that belongs to no call (rule X8)."""
    return {"type": "function_call_output", "call_id": "call_conform_never_made", "output": RESULT}


def _result(call: Json) -> Json:
    return {"type": "function_call_output", "call_id": call.get("call_id"), "output": RESULT}


def _calls(answer: Answer) -> list[Json]:
    if answer.is_refused:
        skip(f"the server takes no such request with tools: {answer.outline()}")
    found = items_of(answer.response(), "function_call")
    if not found:
        skip("the model called no function")
    return found


def _answerable(answer: Answer) -> list[Json]:
    """The calls, if they can be told apart by their ids."""
    found = _calls(answer)
    ids = {str(each.get("call_id") or "") for each in found}
    if "" in ids or len(ids) < len(found):
        skip("the calls have no ids of their own")
    return found


def _served(answer: Answer) -> Json:
    """The response; the case is skipped where tools are refused."""
    if answer.is_refused:
        skip(f"the server takes no such request with tools: {answer.outline()}")
    return answer.response()


def _names(answer: Answer) -> list[object]:
    return [each.get("name") for each in items_of(_served(answer), "function_call")]


@case("X1-ends-with-call", call)
def ends_with_call(answer: Answer) -> None:
    """A response with a call ends with it and is completed."""
    _calls(answer)
    response = answer.response()
    kinds = [each.get("type") for each in items_of(response)]
    require(kinds[-1] == "function_call", f"the output is {quoted(kinds)}")
    require(response.get("status") == "completed", f"the response is {quoted(response.get('status'))}")


@case("X1-call-ids", call)
def call_ids(answer: Answer) -> None:
    """Calls have a `call_id` each."""
    ids = [each.get("call_id") for each in _calls(answer)]
    require(all(isinstance(each, str) and each for each in ids), f"the ids are {quoted(ids)}")
    require(len(set(ids)) == len(ids), f"the ids {quoted(ids)} are not distinct")


@case("X1-result", result_returned)
def result(answer: Answer) -> None:
    """The result of a call is accepted with the call."""
    require(not answer.is_refused, f"the result was refused: {answer.outline()}")
    answer.response()


@case("X1-result-by-chain", result_by_chain)
def result_after_response(answer: Answer) -> None:
    """The result of a call is accepted after `previous_response_id`."""
    require(not answer.is_refused, f"the result was refused: {answer.outline()}")
    answer.response()


@case("X5-required", call)
def required(answer: Answer) -> None:
    """`tool_choice: required` brings a call."""
    require(_names(answer), f"asked in several ways, the model called nothing: {answer.outline()}")


@case("X5-function", named_call)
def function(answer: Answer) -> None:
    """`tool_choice` of one function brings a call of it, and of no other."""
    names = _names(answer)
    require(names and set(map(str, names)) == {CLOCK["name"]}, f"the calls are {quoted(names)}")


@case("X5-none", no_call)
def none(answer: Answer) -> None:
    """`tool_choice: none` brings no call."""
    require(not _names(answer), f"the calls are {quoted(_names(answer))}")


@case("X6-limit", allowed_call)
def limit(answer: Answer) -> None:
    """`allowed_tools` keeps the model from calling others."""
    names = set(map(str, _names(answer)))
    require(names <= {CLOCK["name"]}, f"the calls are {quoted(sorted(names))}")


@case("X6-tools-unchanged", allowed_call)
def tools_unchanged(answer: Answer) -> None:
    """`allowed_tools` leaves `tools` as they are."""
    names = [each.get("name") for each in objects(_served(answer).get("tools"))]
    expected = [WEATHER["name"], CLOCK["name"]]
    require(names == expected, f"`tools` are {quoted(names)} instead of {quoted(expected)}")


@case("X7-one-call", single_call)
def one_call(answer: Answer) -> None:
    """`parallel_tool_calls: false` allows one call at most."""
    names = _names(answer)
    require(len(names) <= 1, f"the calls are {quoted(names)}")


@case("X8-stray-result", stray_result)
def stray_result_is_refused(answer: Answer) -> None:
    """A result that belongs to no call is `invalid_request`."""
    require(answer.is_refused, f"the answer was {answer.outline()}")


@case("T6-allowed-tools-mode", allowed_without_mode)
def mode_by_default(answer: Answer) -> None:
    """The mode of `allowed_tools` is `auto` by default."""
    choice = as_object(_served(answer).get("tool_choice"))
    require(choice.get("mode", "auto") == "auto", f"`tool_choice` is {quoted(choice)}")
