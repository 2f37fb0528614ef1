"""Hosted tools made of functions, and the calculator (rules X2, X3)."""

from __future__ import annotations

import ast
import json
import threading
from fractions import Fraction
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_kit.client.tools import ToolContent, ToolError
from openresponses_kit.gateway import HostedTool, ToolRun
from openresponses_kit.gateway.tools import calculator, hosted_tool
from openresponses_kit.gateway.tools.expressions import ExpressionError, evaluated
from pydantic import Field
from scripted_model import Answer, ScriptedModel, ask, calls, says


def asked(tool: HostedTool, **arguments: Any) -> Answer:
    """A response in which the model calls the tool once."""
    model = ScriptedModel(calls((tool.name, json.dumps(arguments)), ids=["c1"]), says("ok"))
    return ask(model, tool, tools=[{"type": tool.type}])


@hosted_tool("acme:find")
async def find(run: ToolRun, query: str, limit: Annotated[int, Field(le=9)] = 5) -> list[str]:
    """Finds things.

    Args:
        query: What to find.
    """
    await run.status("searching")
    if query == "nothing":
        raise ToolError("There is no such thing.")
    return [query] * limit


def test_schema_and_words_come_from_the_function() -> None:
    """The model sees the arguments and their descriptions, and nothing of the run."""
    assert (find.name, find.type, find.item_type, find.description) == (
        "find", "acme:find", "acme:find_call", "Finds things.",
    )  # fmt: skip
    properties = find.parameters["properties"]
    assert set(properties) == {"query", "limit"}
    assert properties["query"]["description"] == "What to find."
    assert properties["limit"]["maximum"] == 9


def test_x3_a_function_shows_its_states_and_answers() -> None:
    """The run is given to the function, and what it returns is told as JSON."""
    answer = asked(find, query="tea", limit=2)
    assert len(answer.named("acme:find_call.searching")) == 1
    assert answer.output[0]["type"] == "acme:find_call"
    assert json.loads(answer.output[0]["output"]) == ["tea", "tea"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [({"query": "nothing"}, "There is no such thing."), ({"query": "x", "limit": 10}, "limit"), ({}, "query")],
)
def test_e3_errors_are_told_in_words(arguments: dict[str, Any], told: str) -> None:
    """A `ToolError`, and arguments that do not fit, are results which the model can read."""
    item = asked(find, **arguments).output[0]
    assert told in item["error"]
    assert item["output"] is None


def test_other_exceptions_are_not_told() -> None:
    """What an exception says may be a secret of the server (rule E3)."""

    @hosted_tool("acme:broken")
    def broken() -> str:
        raise RuntimeError("password 123")

    assert asked(broken).output[0]["error"] == "The tool failed."


def test_a_function_that_is_not_asynchronous_runs_in_a_thread() -> None:
    """It does not hold up the event loop."""

    @hosted_tool("acme:where", item_type="acme:place")
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    (item, _) = asked(where).output
    assert (item["type"], item["output"]) == ("acme:place", "false")


def test_content_parts_are_told_as_they_are() -> None:
    """A tool may answer with an image, for example."""
    part = {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"}

    @hosted_tool("acme:draw")
    def draw() -> ToolContent:
        return ToolContent([part])

    assert asked(draw).output[0]["output"] == [part]


def test_a_method_is_refused_unless_it_is_bound() -> None:
    """The mistake is told when the tool is made, and not when the model calls it."""

    class Tools:
        def find(self, query: str) -> str:
            return query

    with pytest.raises(TypeError, match="bound to an instance"):
        hosted_tool("acme:find")(Tools.find)
    assert asked(hosted_tool("acme:find")(Tools().find), query="a").output[0]["output"] == "a"


VALUES = {
    "1 + 2 * 3": "7",
    "-2 ** 2": "-4",
    "0.1 + 0.2": "0.3",
    "1/3": "1/3 (about 0.33333333333333333333)",
    "7 // 2 + -7 // 2 + 7 % 3": "0",
    "2 ** -2": "0.25",
    "2 ** 0.5": "about 1.4142135623730950488",
    "sqrt(2.25)": "1.5",
    "sqrt(2) * sqrt(2)": "about 2",
    "factorial(20)": "2432902008176640000",
    "comb(5, 2) + gcd(12, 18) + lcm(4, 6)": "28",
    "round(2.5) + round(3.14159, 2)": "5.14",
    "floor(-0.5) + ceil(0.5)": "0",
    "sin(pi)": "about 0",
    "cos(0)": "about 1",
    "tan(pi / 4)": "about 1",
    "ln(e)": "about 1",
    "log(8, 2)": "about 3",
    "log10(1000)": "about 3",
    "max(1, 2.5, pi) - pi": "about 0",
    "1 ** 99999999999 + (-1) ** 99999999999": "0",
    "pi // 1": "about 3",
    "1_000 * 2": "2000",
    "0.000000000000000000000000000001 + 0": "0.000000000000000000000000000001",
    "+".join(["1"] * 900): "900",
    "exp(100)": "about 2.6881171418161354484e+43",
}


@pytest.mark.parametrize(("expression", "value"), VALUES.items())
def test_calculator_computes(expression: str, value: str) -> None:
    """Exact values are exact, and approximations say that they are."""
    assert evaluated(expression) == value


REFUSED = {
    "2 ** 99999999": "more than 4000 digits",
    "9 ** 9 ** 9 ** 9": "more than 4000 digits",
    "(1/3) ** 100000": "more than 4000 digits",
    "10.5 ** 10 ** 20": "more than 4000 digits",
    "1e999999999": "more than 4000 digits",
    "exp(10 ** 6)": "more than 4000 digits",
    "2.0 ** 1e30": "more than 4000 digits",
    "factorial(100000)": "from 0 to 1,000",
    "factorial(factorial(1000))": "from 0 to 1,000",
    "comb(10 ** 9, 5)": "from 0 to 10,000",
    "lcm(" + ",".join(f"10**99-{each}" for each in range(1, 150)) + ")": "digits",
    "0 ** -1": "division by zero",
    "1 / 0": "division by zero",
    "1 % 0": "division by zero",
    "pi % 0": "division by zero",
    "sqrt(-1)": "not real",
    "(-8) ** (1/3)": "no real value",
    "0.0 / 0": "division by zero",
    "log(0)": "positive",
    "log(5, 1)": "other than 1",
    "sin(10 ** 30)": "at most",
    "1,000 * 2": "without commas",
    "2 ^ 8": "written with",
    "x + 1": "'x' is not known",
    "nope(1)": "functions are abs",
    "sqrt(1, 2)": "takes 1 numbers",
    "gcd(0.5, 1)": "whole numbers",
    "().__class__.__bases__[0].__subclasses__()": "no arithmetic",
    "__import__('os').system('id')": "no arithmetic",
    "[x for x in (1,)]": "no arithmetic",
    "'a' * 1000": "no arithmetic",
    "True + 1": "no arithmetic",
    "1j * 1": "no arithmetic",
    "lambda: 1": "no arithmetic",
    "1 +": "no arithmetic expression",
    "": "no arithmetic expression",
    "1 == 1": "no arithmetic",
    "(" * 300 + "1" + ")" * 300: "no arithmetic expression",
    "-" * 1900 + "1": "nested",
    "1+" * 1000 + "1": "longer than 2000",
    "sqrt(" * 120 + "1" + ")" * 120: "nested",
}


@pytest.mark.parametrize(("expression", "reason"), REFUSED.items())
def test_calculator_refuses(expression: str, reason: str) -> None:
    """What is no arithmetic, has no value or is too large comes back at once, with its reason."""
    with pytest.raises(ExpressionError) as caught:
        evaluated(expression)
    assert reason in str(caught.value)


@given(st.recursive(
    st.integers(-50, 50).map(lambda n: f"({n})"),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
        lambda each: f"({each[0]} {each[1]} {each[2]})"
    ),
    max_leaves=8,
))  # fmt: skip
def test_calculator_agrees_with_fractions(expression: str) -> None:
    """Whatever Python's fractions make of an expression is what is told."""
    tree = ast.parse(expression, mode="eval")
    try:
        expected = fraction_of(tree.body)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="division by zero"):
            evaluated(expression)
        return
    assert Fraction(evaluated(expression).split(" ")[0]) == expected


def fraction_of(node: ast.expr) -> Fraction:
    match node:
        case ast.BinOp(left, op, right):
            names: dict[type[ast.operator], str] = {
                ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__",
                ast.Div: "__truediv__", ast.FloorDiv: "__floordiv__", ast.Mod: "__mod__",
            }  # fmt: skip
            return Fraction(getattr(fraction_of(left), names[type(op)])(fraction_of(right)))
        case _:
            return Fraction(ast.literal_eval(node))


def test_x2_calculator_in_the_loop() -> None:
    """A request asks for it by its type, the item is the receipt, and the model goes on."""
    answer = asked(calculator(), expression="2 ** 10")
    assert answer.kinds == ["gateway:calculator_call", "message"]
    assert answer.output[0]["output"] == "1024"
    assert asked(calculator("acme"), expression="1 / 0").output[0]["error"] == "division by zero"
