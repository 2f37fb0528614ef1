"""The signature of a function, as the JSON schema of its arguments and as their reader."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import field, make_dataclass
from types import SimpleNamespace
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from .docstrings import parse_docstring
from .schemas import Schema, failures, schema_of

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LEFT_OUT = object()
_UNNAMED = {
    inspect.Parameter.VAR_POSITIONAL: "an argument list has no names to give arguments by",
    inspect.Parameter.VAR_KEYWORD: "free keywords cannot be told to the model",
    inspect.Parameter.POSITIONAL_ONLY: "a positional-only parameter has no name to give it by",
}


class ToolArgumentsError(ValueError):
    """The arguments that the model wrote are no JSON, or do not fit the function.

    Attributes:
        errors: What is wrong with them, one line for each place.
    """

    def __init__(self, name: str, errors: list[str]) -> None:
        super().__init__("\n".join([f"the arguments do not fit {name}:", *errors]))
        self.errors = errors


class Signature:
    """What a function takes by name, and what its docstring says of it.

    Attributes:
        name: The name of the tool.
        description: What the docstring says before its sections; may be empty.
        schema: The JSON schema of the arguments, as pydantic makes it.
        takes_instance: Whether it begins with a `self` (or `cls`) that is not bound yet.
        is_async: Whether calling the function gives something to await.

    Raises:
        TypeError: It is no function, or has a parameter that cannot be given by name.
        ValueError: The name is none that a tool may have.
        UnsupportedSchemaError: Pydantic has no schema for the type of a parameter.
    """

    def __init__(self, function: Callable[..., Any], name: str | None) -> None:
        plain = _plain(function)
        self.name = _checked(name or plain.__name__)
        docstring = parse_docstring(plain.__doc__)
        self.description = docstring.description
        self.is_async = inspect.iscoroutinefunction(function)
        parameters = _parameters(function, self.name)
        self.takes_instance = _begins_with_instance(parameters)
        parameters = parameters[self.takes_instance :]
        arguments = _arguments(parameters, _hints(parameters, plain, self.name), self.name)
        self.schema = schema_of(arguments, self.name)
        self._adapter = TypeAdapter[Any](arguments)
        _describe(self.schema, parameters, docstring.parameters)

    def read(self, arguments: str) -> dict[str, Any]:
        """The arguments by name, validated; those left out are left to the function's defaults.

        Empty text stands for no arguments: providers send it for functions without parameters.

        Raises:
            ToolArgumentsError: They are no JSON object, or do not fit.
        """
        try:
            given: object = self._adapter.validate_json(arguments if arguments.strip() else "{}")
        except ValidationError as error:
            raise ToolArgumentsError(self.name, failures(error)) from error
        values: dict[str, Any] = vars(given)
        return {name: value for name, value in values.items() if value is not _LEFT_OUT}


def _plain(function: Callable[..., Any]) -> Any:
    """The function that was written down, behind partials and wrappers."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"{function!r} is no function: a tool is made of a function or method")
    if not inspect.isroutine(function):
        raise TypeError(
            f"an instance of {type(function).__name__} is no function: give its method instead"
        )
    plain: Any = inspect.unwrap(function)
    return plain


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a tool: it takes 1 to 64 ASCII letters, digits, '_' or"
            " '-'; give it one with tool(function, name=...)"
        )
    return name


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    """The parameters of a function that are not bound yet."""
    try:
        signature = inspect.signature(function)
    except ValueError as error:
        raise TypeError(f"{name} has no signature that Python knows: wrap it in a function") from (
            error
        )
    # `signature` shows the keywords of a partial as defaults that a caller may change.
    bound = function.keywords if isinstance(function, functools.partial) else {}
    return [each for each in signature.parameters.values() if each.name not in bound]


def _begins_with_instance(parameters: list[inspect.Parameter]) -> bool:
    first = parameters[0] if parameters else None
    return first is not None and first.name in {"self", "cls"} and first.annotation is first.empty


def _hints(parameters: list[inspect.Parameter], plain: Any, name: str) -> dict[str, Any]:
    """The types of the parameters; that of the result does not have to be known at runtime."""
    annotations = {
        each.name: each.annotation for each in parameters if each.annotation is not each.empty
    }
    try:
        return get_type_hints(
            SimpleNamespace(__annotations__=annotations),
            globalns=getattr(plain, "__globals__", {}),
            include_extras=True,
        )
    except NameError as error:
        raise TypeError(
            f"{name} has an annotation that cannot be resolved ({error}): use types that its module"
            " has at runtime"
        ) from error


def _arguments(parameters: list[inspect.Parameter], hints: dict[str, Any], name: str) -> type:
    """A closed dataclass with a field for each parameter."""
    fields: list[tuple[str, Any, Any]] = []
    for each in parameters:
        if each.kind in _UNNAMED:
            written = each.replace(annotation=each.empty)
            raise TypeError(f"{name} cannot be a tool: {written}: {_UNNAMED[each.kind]}")
        if isinstance(each.default, FieldInfo):
            raise TypeError(
                f"{name} cannot be a tool: {each.name} has a Field as its default;"
                " write Annotated[type, Field(...)] and the default itself"
            )
        default = field() if each.default is each.empty else field(default_factory=_left_out)
        fields.append((each.name, hints.get(each.name, Any), default))
    config = {"__pydantic_config__": ConfigDict(extra="forbid")}
    return make_dataclass("Arguments", fields, kw_only=True, namespace=config)


def _left_out() -> object:
    return _LEFT_OUT


def _describe(
    schema: Schema, parameters: list[inspect.Parameter], descriptions: dict[str, str]
) -> None:
    """Adds to the schema what the signature and the docstring say of each parameter."""
    del schema["title"]
    properties: dict[str, Schema] = schema["properties"]
    for parameter, said in zip(parameters, properties.values(), strict=True):
        if parameter.name in descriptions:
            said.setdefault("description", descriptions[parameter.name])
        if parameter.default is not parameter.empty:
            try:
                said["default"] = to_jsonable_python(parameter.default)
            except ValueError:  # It is not JSON, and stays between the function and Python.
                continue
