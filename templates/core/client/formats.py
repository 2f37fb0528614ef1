"""Structured output: a Python type as the JSON-schema format of a request, and the answer as its
value.

What strict mode takes of a type is said in `schemas`. Every field is required there, so the model
writes a value even where the type has a default; the default is named in the description, and
stands in when parsing an answer that leaves the field out all the same.

The root of a strict schema has to be an object. A type that is none (a list, a union, an enum, a
plain value) is asked for as `{"value": ...}`, which all providers take, and parsed out of it again.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable
from dataclasses import make_dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_origin, overload

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

from .schemas import Schema, failures, root_of, schema_of, strict_schema

T = TypeVar("T")
K = TypeVar("K")

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64


class OutputParseError(ValueError):
    """The text of an answer is not what the format asked for.

    Attributes:
        text: The text, whole.
        errors: What is wrong with it, one line for each place.
    """

    def __init__(self, name: str, text: str, errors: list[str]) -> None:
        super().__init__("\n".join([f"the answer is no {name}:", *errors]))
        self.text = text
        self.errors = errors


class OutputFormat(Generic[T]):
    """The format that asks a model for a value of a type, and reads the value from its answer.

    Attributes:
        name: The name of the format: the type's, with what a name may not hold replaced by `_`;
            `output` for a type without a name.
        description: The type's docstring, for the model to read; None without one.
        strict: Whether the model is held to the schema.
    """

    def __init__(self, kind: Any, *, strict: bool = True) -> None:
        self.name = _name(kind)
        self.strict = strict
        schema = schema_of(kind, self.name)
        root = root_of(schema)
        self._wrapped = strict and root.get("type") != "object"
        if self._wrapped:
            kind = make_dataclass("Output", [("value", kind)])
            schema = schema_of(kind, self.name)
        self.description: str | None = root.get("description")
        self._schema: Schema = strict_schema(schema, self.name) if strict else schema
        self._adapter = TypeAdapter[Any](kind)

    @overload
    @staticmethod
    def of(kind: type[K], *, strict: bool = True) -> OutputFormat[K]: ...
    @overload
    @staticmethod
    def of(kind: Any, *, strict: bool = True) -> OutputFormat[Any]: ...
    @staticmethod
    def of(kind: Any, *, strict: bool = True) -> OutputFormat[Any]:
        """The format of a type, made once.

        Args:
            kind: A pydantic model, or any type that pydantic validates: a dataclass, a TypedDict, a
                list, a union, a Literal.
            strict: Whether the model is to be held to the schema. False sends the schema as
                pydantic makes it, for providers that take any.

        Raises:
            UnsupportedSchemaError: The type says what a strict schema cannot; names every place.
        """
        try:
            hash(kind)
        except TypeError:  # `Annotated` with a `Field` has no hash.
            return OutputFormat(kind, strict=strict)
        return _kept(kind, strict)

    def param(self) -> dict[str, object]:
        """The format as it stands in a request, under `text.format`; a new dictionary each time."""
        param: dict[str, object] = {"type": "json_schema", "name": self.name}
        if self.description:
            param["description"] = self.description
        return param | {"schema": copy.deepcopy(self._schema), "strict": self.strict}

    def parse(self, text: str) -> T:
        """The value that the text of a completed answer stands for.

        Raises:
            OutputParseError: The text is no JSON, or not of the type.
        """
        try:
            parsed: Any = self._adapter.validate_json(text)
        except ValidationError as error:
            raise OutputParseError(self.name, text, failures(error)) from error
        value: T = parsed.value if self._wrapped else parsed
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, strict={self.strict})"


@lru_cache(maxsize=256)
def _kept(kind: Hashable, strict: bool) -> OutputFormat[Any]:
    return OutputFormat(kind, strict=strict)


def _name(kind: Any) -> str:
    named = isinstance(kind, TypeAliasType) or (isinstance(kind, type) and not get_origin(kind))
    name = _NOT_IN_NAMES.sub("_", kind.__name__) if named else ""
    return name.strip("_")[:_LONGEST_NAME] or "output"
