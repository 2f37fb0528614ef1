"""Function tools: Python functions that the model may call and the client runs.

Rules kept here: X1 (the client runs functions and answers with their output), Z19 (arguments are
read from the text that came, output in parts goes on as the function gave it).

A tool's schema comes from the signature of its function, its words from the docstring. It is
strict wherever a strict schema can say the signature (see `schemas`); the model then gives every
argument, also those with a default. Arguments are validated by pydantic, leniently: `"3"` is taken
for an int. What goes wrong in a call is handed to the model as text, for it to do better.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, cast, overload

from pydantic import BaseModel
from pydantic_core import to_json

from .schemas import Schema, UnsupportedSchemaError, strict_schema
from .signatures import Signature, ToolArgumentsError

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")

Part: TypeAlias = Mapping[str, object] | BaseModel
"""A content part: a dictionary or a model."""

ToolOutput: TypeAlias = str | list[Part]
"""The `output` of a `function_call_output` item: text, or content parts."""

ToolLike: TypeAlias = (
    "ToolFunction[..., Any] | Callable[..., Any] | Mapping[str, object] | BaseModel"
)
"""Whatever may stand among the tools of a request."""

_logger = logging.getLogger(__name__.rsplit(".", 2)[0])


class ToolError(Exception):
    """Raised by a tool to tell the model, in its own words, why a call came to nothing."""


@dataclass(frozen=True, slots=True)
class ToolContent:
    """What a tool returns to answer with content parts instead of text.

    Attributes:
        parts: The parts (`input_text`, `input_image`, ...), as models or as dictionaries. They are
            sent as they are.
    """

    parts: Iterable[Part]


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """How a call of a tool ended.

    Attributes:
        output: What the model is told: the result, or what went wrong.
        error: What was raised; None when the call succeeded.
    """

    output: ToolOutput
    error: Exception | None = None

    @property
    def is_error(self) -> bool:
        """Whether the output tells of an error."""
        return self.error is not None


class ToolFunction(Generic[P, R]):
    """A function as a tool; made by `tool`. Calling it calls the function.

    Results become output so: a string as it is; `ToolContent` as its parts; a model as its JSON;
    anything else as the JSON that pydantic makes of it, None as `null`.

    Attributes:
        name: The name by which the model calls it.
        description: What the model is told of it; None for nothing.
        strict: Whether the model is held to the schema of the arguments.
        is_async: Whether the function is a coroutine function.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str | None = None,
        description: str | None = None,
        strict: bool | None = None,
    ) -> None:
        self.__wrapped__: Callable[..., Any] = function
        self._signature = Signature(function, name)
        self._takes_instance = self._signature.takes_instance
        self.name = self._signature.name
        self.description = description or self._signature.description or None
        self.is_async = self._signature.is_async
        self._parameters, self.strict = _said(self._signature.schema, self.name, strict)
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function, as Python code that knows nothing of tools does."""
        result: R = self.__wrapped__(*args, **kwargs)
        return result

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: ToolFunction[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> ToolFunction[Q, R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> ToolFunction[..., Any]:
        if instance is None or not self._takes_instance:
            return self
        function = self.__wrapped__.__get__(instance, owner)
        bound = copy.copy(self)
        vars(bound).update(__wrapped__=function, _takes_instance=False)
        return bound

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, strict={self.strict})"

    def param(self) -> dict[str, object]:
        """The tool as it stands in a request, under `tools`; a new dictionary each time."""
        param: dict[str, object] = {"type": "function", "name": self.name}
        if self.description:
            param["description"] = self.description
        return param | {"parameters": copy.deepcopy(self._parameters), "strict": self.strict}

    def call(self, arguments: str) -> ToolOutput:
        """Calls the function with the arguments that the model wrote (rule X1).

        Args:
            arguments: The `arguments` of a `function_call` item, a JSON object.

        Returns:
            The output for the `function_call_output` item.

        Raises:
            ToolArgumentsError: The arguments do not fit the function, which is not called.
            TypeError: The function is asynchronous, or its result cannot be said in JSON.
            Exception: Whatever the function raises.
        """
        self._refuse_misuse(is_awaited=False)
        result = self.__wrapped__(**self._signature.read(arguments))
        if inspect.isawaitable(result):
            if isinstance(result, Coroutine):
                result.close()
            raise TypeError(f"{self.name} gave something to await: use acall or arun")
        return _output(self.name, result)

    async def acall(self, arguments: str) -> ToolOutput:
        """As `call`; a function that is not asynchronous runs in a worker thread.

        Cancelling stops the waiting for a worker thread, not what runs in it.
        """
        self._refuse_misuse(is_awaited=True)
        given = self._signature.read(arguments)
        if self.is_async:
            result = await self.__wrapped__(**given)
        else:
            result, error = await asyncio.to_thread(_called, self.__wrapped__, given)
            if error is not None:
                raise error
            if inspect.isawaitable(result):
                result = await result
        return _output(self.name, result)

    def run(self, arguments: str) -> ToolOutcome:
        """As `call`, with errors as text for the model instead of exceptions.

        The text of a `ToolError` and of arguments that do not fit is theirs, that of any other
        exception its type and message. All are logged. What is no `Exception`, such as
        `KeyboardInterrupt` and `CancelledError`, passes through.

        Raises:
            TypeError: The function is asynchronous.
        """
        self._refuse_misuse(is_awaited=False)
        try:
            return ToolOutcome(self.call(arguments))
        except Exception as error:
            return self._failed(error)

    async def arun(self, arguments: str) -> ToolOutcome:
        """As `acall`, with errors as text for the model; see `run`."""
        self._refuse_misuse(is_awaited=True)
        try:
            return ToolOutcome(await self.acall(arguments))
        except Exception as error:
            return self._failed(error)

    def _refuse_misuse(self, *, is_awaited: bool) -> None:
        if self._takes_instance:
            raise TypeError(f"{self.name} is a method: take it from an instance")
        if self.is_async and not is_awaited:
            raise TypeError(
                f"{self.name} is asynchronous: use acall or arun, or the asynchronous client"
            )

    def _failed(self, error: Exception) -> ToolOutcome:
        if isinstance(error, (ToolError, ToolArgumentsError)):
            _logger.warning("Tool %s refused a call: %s", self.name, error)
            return ToolOutcome(str(error), error)
        _logger.warning("Tool %s failed", self.name, exc_info=error)
        return ToolOutcome(f"{type(error).__name__}: {error}", error)


@overload
def tool(
    function: Callable[P, R],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
) -> ToolFunction[P, R]: ...
@overload
def tool(
    *, name: str | None = None, description: str | None = None, strict: bool | None = None
) -> Callable[[Callable[P, R]], ToolFunction[P, R]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    strict: bool | None = None,
) -> Any:
    """Makes a function a tool; also a decorator, with arguments and without.

    The function may be asynchronous, a method, or a partial, whose bound arguments the model does
    not see. Each parameter is given by name. Types come from annotations (`Annotated` with `Field`
    for limits), descriptions from the docstring.

    Args:
        function: The function.
        name: What the model calls it by; default is the function's name.
        description: What the model is told of it; default is the docstring up to its sections.
        strict: Whether the model is held to the schema of the arguments; default is yes where a
            strict schema can say the signature.

    Raises:
        TypeError: It is no function, or has parameters that cannot be given by name.
        ValueError: The name is none that a tool may have.
        UnsupportedSchemaError: A type has no schema; with `strict=True`, no strict one.
    """
    if function is None:
        return functools.partial(tool, name=name, description=description, strict=strict)
    return ToolFunction(function, name=name, description=description, strict=strict)


class Toolbox:
    """The tools of a request: functions that the client runs, and all others as they are.

    Args:
        tools: `ToolFunction`s; functions, which become such; and tools that the client does not
            run, as dictionaries or models.

    Raises:
        TypeError: Something else is among them.
        ValueError: Two functions have one name.
    """

    def __init__(self, tools: Iterable[ToolLike] = ()) -> None:
        self._tools = [_tool(each) for each in tools]
        self._functions: dict[str, ToolFunction[..., Any]] = {}
        names: set[str] = set()
        for each in self._tools:
            name = _function_name(each)
            if name in names:
                raise ValueError(f"two tools are called {name}: give one of them another name")
            if name is not None:
                names.add(name)
            if isinstance(each, ToolFunction):
                self._functions[each.name] = each

    def params(self) -> list[Part]:
        """The `tools` of the request, in order."""
        return [each.param() if isinstance(each, ToolFunction) else each for each in self._tools]

    def find(self, name: str) -> ToolFunction[..., Any] | None:
        """The function that the client runs under a name; None if it is not to run it."""
        return self._functions.get(name)


def _said(schema: Schema, name: str, strict: bool | None) -> tuple[Schema, bool]:
    """The schema of the arguments, strict if it is wanted and can be, and whether it is."""
    if strict is False:
        return schema, False
    try:
        return strict_schema(schema, name), True
    except UnsupportedSchemaError:
        if strict:
            raise
        return schema, False


def _called(
    function: Callable[..., Any], given: dict[str, Any]
) -> tuple[Any, None] | tuple[None, Exception]:
    """What a function in a worker thread returns, or raises.

    A future takes no StopIteration, and the waiting for it would not end.
    """
    try:
        return function(**given), None
    except Exception as error:
        return None, error


def _output(name: str, result: Any) -> ToolOutput:
    if isinstance(result, str):
        return str.__str__(result)  # A member of a string enum is its value.
    if isinstance(result, ToolContent):
        return list(result.parts)
    try:
        if isinstance(result, BaseModel):
            return result.model_dump_json(by_alias=True)
        return to_json(result, inf_nan_mode="strings").decode()
    except ValueError as error:
        raise TypeError(f"the result of {name} cannot be said in JSON: {error}") from error


def _tool(given: ToolLike) -> ToolFunction[..., Any] | Mapping[str, object] | BaseModel:
    if isinstance(given, (ToolFunction, Mapping, BaseModel)):
        return cast("ToolFunction[..., Any] | Mapping[str, object] | BaseModel", given)
    return ToolFunction(given)


def _function_name(given: ToolFunction[..., Any] | Part) -> str | None:
    if isinstance(given, ToolFunction):
        return given.name
    if isinstance(given, BaseModel):
        given = {each: getattr(given, each, None) for each in ("type", "name")}
    name = given.get("name") if given.get("type") == "function" else None
    return name if isinstance(name, str) else None
