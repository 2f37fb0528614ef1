"""What every generated model rests on.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- Z1: a field is required, omittable (there or left out, never null) or optional (null or left out).
- N3, N4: what a server sends may hold types, enum values and fields this package does not know; all
  are kept.
- N1, T5: what a client sends is checked strictly in its values; new `vendor:name` types and new
  fields pass.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import (
    CoreSchema,
    InitErrorDetails,
    PydanticCustomError,
    PydanticUndefined,
    core_schema,
)
from typing_extensions import TypeAliasType

T = TypeVar("T")


class Model(BaseModel):
    """Base of every model: parses strictly, keeps unknown fields, is built on first use.

    Constructing is kinder than parsing: constants (`type`, `role`, `object`) are filled in, and
    None for a field that may only be left out leaves it out. It is stricter with names: a field
    that does not exist is an error, while a parsed object keeps the fields it does not know.
    """

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        allow_inf_nan=False,
        ser_json_inf_nan="strings",
        defer_build=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    FORBIDDEN: ClassVar[frozenset[str]] = frozenset()
    """Wire names that must be absent."""
    EXTENSIBLE: ClassVar[bool] = False
    """Whether it may be constructed with fields that it does not declare."""

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            __tracebackhide__ = True
            for name, value in constants(type(self)).items():
                if name not in data:
                    data.setdefault(self.__pydantic_fields__[name].alias or name, value)
            try:
                self._construct(data)
            except ValidationError as error:
                given = _forgiven(type(self), error, data)
                if given is None:
                    raise
                self._construct(given)
            if self.__pydantic_extra__ and not self.EXTENSIBLE:
                raise _misspelled(type(self), self.__pydantic_extra__)

        def _construct(self, data: dict[str, Any]) -> None:
            __tracebackhide__ = True
            # By name, too: the names in Python, which are none on the wire.
            self.__pydantic_validator__.validate_python(
                data, self_instance=self, by_alias=True, by_name=True
            )

        # Parsing goes straight to the core and keeps `model_fields_set` as received.
        __init__.__pydantic_base_init__ = True

        def model_dump(self, *, exclude_unset: bool = True, **options: Any) -> dict[str, Any]:
            return super().model_dump(exclude_unset=exclude_unset, **options)

        def model_dump_json(self, *, exclude_unset: bool = True, **options: Any) -> str:
            return super().model_dump_json(exclude_unset=exclude_unset, **options)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of pydantic, with two changes.

        A required constant has to be there when parsing, and a nested model may be given as a dict
        although scalars are strict.
        """
        schema = handler(source)
        model = cast("dict[str, Any]", handler.resolve_ref_schema(schema))
        while model["type"] != "model":
            model = cast("dict[str, Any]", model["schema"])
        model["strict"] = False
        fields = model["schema"]
        while fields["type"] != "model-fields":
            fields = fields["schema"]
        for name in constants(cls):
            field = fields["fields"][name]
            # A class that is complete already comes back as it was left here.
            if (
                get_origin(cls.model_fields[name].annotation) is Literal
                and field["schema"]["type"] == "default"
            ):
                field["schema"] = field["schema"]["schema"]
        if cls.FORBIDDEN and schema["type"] != "function-before":
            return core_schema.no_info_before_validator_function(_refuse(cls.FORBIDDEN), schema)
        return schema


class RequestModel(Model):
    """Base of what a client sends."""


class ResponseModel(Model):
    """Base of what a server sends."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A place where an answer differs from what the specification requires."""

    path: str
    """Where it is, such as `output[0].content[1].annotations`."""
    reason: str
    """What is there and what is required, in one sentence."""
    value: Any = None
    """What the server sent there; None as well when it sent nothing."""
    missing: bool = False
    """Whether the server sent nothing there."""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class AnswerModel(ResponseModel):
    """Base of what a server answers a request with."""

    @property
    def request_id(self) -> str | None:
        """The server's name for the request, to be quoted when asking for help.

        None when the server gave none, or when the object was not read by the client.
        """
        return cast("str | None", self.__dict__.get("_request_id"))

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """Where the server deviated from the protocol, and the client mended what it sent."""
        return cast("tuple[Deviation, ...]", self.__dict__.get("_deviations", ()))


class Event(ResponseModel):
    """Base of the streaming events."""

    is_delta: ClassVar[bool] = False
    """Whether it adds to something that is not complete yet."""
    is_terminal: ClassVar[bool] = False
    """Whether it is the last event of a stream, and carries the whole response (rule S4)."""


class UnknownVariant(ResponseModel):
    """Base of the classes that keep whole what a server sent under an unknown type (N3)."""

    EXTENSIBLE: ClassVar[bool] = True

    type: str


class UnknownVariantParam(RequestModel):
    """Base of the classes for what a client sends under a vendor's own type, `vendor:name` (N1)."""

    EXTENSIBLE: ClassVar[bool] = True

    type: str


class _NotNull:
    """Takes null out of the type it annotates; the default None then stands for *left out*."""

    __slots__ = ()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


def _is_none(value: object) -> bool:
    return value is None


Omittable: TypeAlias = Annotated[T | None, Field(exclude_if=_is_none), _NotNull()]
"""A field that may be left out and is never null; None in Python means left out (Z1)."""


@cache
def constants(cls: type[BaseModel]) -> dict[str, Any]:
    """The fields of a class that have one possible value, and that value.

    A value may have aliases, which are found on a vendor's wire in its place (rule Z18).
    """
    return {name: field.default for name, field in cls.model_fields.items() if _is_constant(field)}


def constant_values(cls: type[BaseModel]) -> frozenset[Any]:
    """The values of all constants of a class, with their aliases."""
    kinds = (members(cls.model_fields[name].annotation) for name in constants(cls))
    return frozenset(value for kind in kinds for member in kind for value in get_args(member))


def _is_constant(field: FieldInfo) -> bool:
    if field.default is PydanticUndefined:
        return False
    if get_origin(field.annotation) is Literal:  # An enum has a name; what has none is a constant.
        return field.default in get_args(field.annotation)[:1]
    literals = [kind for kind in members(field.annotation) if get_origin(kind) is Literal]
    return len(literals) == 1 and get_args(literals[0]) == (field.default,)


def _forgiven(
    cls: type[BaseModel], error: ValidationError, data: dict[str, Any]
) -> dict[str, Any] | None:
    """The arguments with what Python does otherwise than JSON put right; None if there is nothing.

    None for a field that need not be given leaves it out, and a tuple is a list.
    """
    lines = error.errors(include_url=False, include_context=False, include_input=False)
    refused = {str(line["loc"][0]) for line in lines if line["loc"]}
    optional = {
        field.alias or name for name, field in cls.model_fields.items() if field.default is None
    }
    unset = {name for name in refused & optional & data.keys() if data[name] is None}
    listed = any(line["type"] == "list_type" for line in lines)
    given = {name: value for name, value in data.items() if name not in unset}
    if listed:
        given = {name: _without_tuples(value) for name, value in given.items()}
    return given if unset or listed else None


def _without_tuples(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_tuples(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _without_tuples(each) for key, each in items}
    return value


def _misspelled(cls: type[BaseModel], unknown: dict[str, Any]) -> ValidationError:
    """The error for constructor arguments that are no fields."""
    message = "{model} has no such field; {model}.model_validate keeps the fields of vendors"
    kind = PydanticCustomError("unexpected_field", message, {"model": cls.__name__})
    return _error(cls.__name__, kind, unknown)


def _forbidden(found: dict[str, Any]) -> ValidationError:
    """The error for fields that have to be absent."""
    kind = PydanticCustomError("forbidden_field", "Field must be absent here")
    return _error("forbidden", kind, found)


def _error(title: str, kind: PydanticCustomError, fields: dict[str, Any]) -> ValidationError:
    lines = [InitErrorDetails(type=kind, loc=(name,), input=each) for name, each in fields.items()]
    return ValidationError.from_exception_data(title, lines)


def _refuse(forbidden: frozenset[str]) -> Callable[[Any], Any]:
    """A check that an object holds none of the fields that have to be absent."""

    def check(value: Any) -> Any:
        if isinstance(value, dict):
            given = cast("dict[str, Any]", value)
            found = sorted(forbidden & given.keys())
            if found:
                raise _forbidden({name: given[name] for name in found})
        return cast("Any", value)

    return check


def members(kind: Any) -> tuple[Any, ...]:
    """The members of a union, through aliases and annotations; any other type is its only one."""
    kind = bare(kind)
    return get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)


def bare(kind: Any) -> Any:
    """A type without the alias and the annotations around it."""
    while True:
        if isinstance(kind, TypeAliasType):
            kind = kind.__value__
        elif get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        else:
            return kind
