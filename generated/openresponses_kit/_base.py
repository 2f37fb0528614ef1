"""What every generated model rests on.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- Z1: a field is required, omittable (there or left out, never null) or optional (null or left out).
- N3, N4: what a server sends may hold types, enum values and fields this package does not know; all
  are kept.
- N1, T5: what a client sends is checked strictly in its values; new `vendor:name` types and new
  fields pass.
- Z7, Z8: a request item without `type` is read as what its other fields say it is.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Set
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
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
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
            for name, value in _constants(type(self)).items():
                data.setdefault(name, value)
            try:
                self.__pydantic_validator__.validate_python(data, self_instance=self)
            except ValidationError as error:
                unset = _refused_nulls(error, data)
                if not unset:
                    raise
                given = {name: value for name, value in data.items() if name not in unset}
                self.__pydantic_validator__.validate_python(given, self_instance=self)
            if self.__pydantic_extra__ and not self.EXTENSIBLE:
                raise _misspelled(type(self), self.__pydantic_extra__)

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
        for name in _constants(cls):
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


class Tagged:
    """Marks a union whose members are told apart by the constant in one field.

    The dispatch happens inside pydantic-core. A member derived from `UnknownVariant` takes every
    tag that no other member has; one derived from `UnknownVariantParam` only those of the form
    `vendor:name`. Response classes in a union of request classes stand for what came from a server:
    their instances pass unchecked (N4). A known variant that does not validate is refused with its
    own errors and no others.
    """

    __slots__ = ("by",)

    def __init__(self, by: str) -> None:
        self.by = by

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        known, catch_all, returned = _sorted(source)
        schemas = {id(member): handler.generate_schema(member) for member in known}
        members = {tag: member for member in known for tag in _tags(member, self.by)}
        tagged = core_schema.tagged_union_schema(
            {tag: schemas[id(member)] for tag, member in members.items() if tag is not None},
            self.by,
        )
        choices: list[CoreSchema | tuple[CoreSchema, str]] = [(tagged, self.by)]
        nested = {member_mark.by: member for member in known if (member_mark := _marker(member))}
        for by, member in nested.items():
            choices.append((self._untagged(member, by, schemas[id(member)]), self.by))
        if None in members:
            choices.append(
                (_guarded(schemas[id(members[None])], self._is_untagged(nested.keys())), self.by)
            )
        for member in catch_all:
            prefixed = issubclass(member, UnknownVariantParam)
            choices.append(
                (
                    _guarded(handler.generate_schema(member), self._is_new(members, prefixed)),
                    "unknown",
                )
            )
        if returned:
            choices.append((_guarded(core_schema.any_schema(), returned.__contains__), "returned"))
        return (
            tagged if len(choices) == 1 else core_schema.union_schema(choices, mode="left_to_right")
        )

    def _tag(self, value: Any) -> Any:
        return (
            cast("dict[str, Any]", value).get(self.by)
            if isinstance(value, dict)
            else getattr(value, self.by, None)
        )

    def _is_untagged(self, nested: Set[str]) -> Callable[[Any], bool]:
        """Whether a value has no tag, nor the constant by which a nested union would know it."""

        def check(value: Any) -> bool:
            return self._tag(value) is None and not (
                isinstance(value, dict) and nested & value.keys()
            )

        return check

    def _is_new(self, members: dict[Any, Any], prefixed: bool) -> Callable[[Any], bool]:
        """Whether a value has a tag of no member; a prefixed one, if only those are admitted."""

        def check(value: Any) -> bool:
            tag = self._tag(value)
            return isinstance(tag, str) and tag not in members and (":" in tag or not prefixed)

        return check

    def _untagged(self, member: Any, nested: str, schema: CoreSchema) -> CoreSchema:
        """Reads an object without the tag as a member of the union nested on another one (Z7)."""
        (tag,) = _tags(member, self.by)

        def read(value: Any) -> Any:
            if isinstance(value, dict) and nested in value and self._tag(value) is None:
                return {self.by: tag, **value, self.by: tag}
            raise _NOTHING

        return core_schema.no_info_before_validator_function(read, schema)


class Shaped:
    """Marks a union whose members differ in JSON shape: a value is held against one of them."""

    __slots__ = ()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        choices = {
            _shape_of(member): handler.generate_schema(member) for member in _members(source)
        }
        return core_schema.tagged_union_schema(
            choices,
            _shape,
            custom_error_type="wrong_shape",
            custom_error_message="Input should be {expected}",
            custom_error_context={"expected": " or ".join(f"a JSON {shape}" for shape in choices)},
        )


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
def _constants(cls: type[BaseModel]) -> dict[str, Any]:
    """The fields of a class that have one possible value, and that value."""
    return {name: field.default for name, field in cls.model_fields.items() if _is_constant(field)}


def _is_constant(field: FieldInfo) -> bool:
    literals = [kind for kind in _members(field.annotation) if get_origin(kind) is Literal]
    return (
        field.default is not PydanticUndefined
        and len(literals) == 1
        and get_args(literals[0]) == (field.default,)
    )


def _refused_nulls(error: ValidationError, data: dict[str, Any]) -> set[str]:
    """The arguments that were refused for being None."""
    refused = {
        str(line["loc"][0]) for line in error.errors(include_url=False) if len(line["loc"]) == 1
    }
    return {name for name in refused if name in data and data[name] is None}


def _misspelled(cls: type[BaseModel], unknown: dict[str, Any]) -> ValidationError:
    """The error for constructor arguments that are no fields."""
    lines = [
        InitErrorDetails(
            type=PydanticCustomError(
                "unexpected_field",
                "{model} has no such field; {model}.model_validate keeps the fields of vendors",
                {"model": cls.__name__},
            ),
            loc=(name,),
            input=value,
        )
        for name, value in unknown.items()
    ]
    return ValidationError.from_exception_data(cls.__name__, lines)


def _refuse(forbidden: frozenset[str]) -> Callable[[Any], Any]:
    """A check that an object holds none of the fields that have to be absent."""

    def check(value: Any) -> Any:
        found = sorted(forbidden & value.keys()) if isinstance(value, dict) else []
        if found:
            lines = [
                InitErrorDetails(
                    type=PydanticCustomError("forbidden_field", "Field must be absent here"),
                    loc=(name,),
                    input=value[name],
                )
                for name in found
            ]
            raise ValidationError.from_exception_data("forbidden", lines)
        return value

    return check


def _members(kind: Any) -> tuple[Any, ...]:
    """The members of a union, through aliases and annotations; any other type is its only one."""
    kind = _bare(kind)
    return get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)


def _bare(kind: Any) -> Any:
    """A type without the alias and the annotations around it."""
    while True:
        if isinstance(kind, TypeAliasType):
            kind = kind.__value__
        elif get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        else:
            return kind


def _models(kind: Any) -> list[type[Model]]:
    """The model classes among the members of a type, at any depth of unions."""
    members = _members(kind)
    if len(members) == 1:
        return (
            [members[0]] if isinstance(members[0], type) and issubclass(members[0], Model) else []
        )
    return [model for member in members for model in _models(member)]


def _tags(kind: Any, by: str) -> set[Any]:
    """The values that the tag has in the classes of a type; None where it may be missing."""
    tags: set[Any] = set()
    for model in _models(kind):
        field = model.model_fields[by]
        for member in _members(field.annotation):
            tags |= set(get_args(member)) if get_origin(member) is Literal else {None}
    return tags


def _sorted(union: Any) -> tuple[list[Any], list[Any], _Instances | None]:
    """The members of a tagged union: known ones, those for new tags, and what servers sent."""
    known: list[Any] = []
    catch_all: list[Any] = []
    returned: list[type[Model]] = []
    of_requests = any(issubclass(model, RequestModel) for model in _models(union))
    for member in _members(union):
        models = _models(member)
        if of_requests and all(issubclass(model, ResponseModel) for model in models):
            returned += models
        elif all(issubclass(model, (UnknownVariant, UnknownVariantParam)) for model in models):
            catch_all.append(member)
        else:
            known.append(member)
    return known, catch_all, _Instances(tuple(returned)) if returned else None


class _Instances:
    """The instances of some classes."""

    __slots__ = ("classes",)

    def __init__(self, classes: tuple[type, ...]) -> None:
        self.classes = classes

    def __contains__(self, value: object) -> bool:
        return isinstance(value, self.classes)


def _marker(kind: Any) -> Tagged | None:
    """The marker of a type that is a tagged union itself."""
    while isinstance(kind, TypeAliasType):
        kind = kind.__value__
    metadata = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((mark for mark in metadata if isinstance(mark, Tagged)), None)


def _guarded(schema: CoreSchema, applies: Callable[[Any], bool]) -> CoreSchema:
    """The schema for values that it applies to; others add no error to those of the union."""

    def check(value: Any) -> Any:
        if not applies(value):
            raise _NOTHING
        return value

    return core_schema.no_info_before_validator_function(check, schema)


_NOTHING = ValidationError.from_exception_data("", [])


def _shape(value: Any) -> str | None:
    """The JSON shape of a value; None for what JSON does not have."""
    if isinstance(value, BaseModel):
        return "object"
    return _SHAPES.get(type(value))


_SHAPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    tuple: "array",
    dict: "object",
}


def _shape_of(kind: Any) -> str:
    """The JSON shape of the values of a type."""
    bare = _bare(_members(kind)[0])
    if get_origin(bare) is Literal:
        return _SHAPES[type(get_args(bare)[0])]
    return _SHAPES.get(get_origin(bare) or bare, "object")
