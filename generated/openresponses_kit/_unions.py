"""The markers of unions: dispatch inside pydantic-core, open where the protocol is open.

Rules kept here: N1 and N3 (new types), N4 (what came from a server goes back unchecked), Z7 and Z8
(a request item without `type` is read as what its other fields say it is).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Set
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import (
    CoreSchema,
    PydanticCustomError,
    PydanticSerializationUnexpectedValue,
    core_schema,
)
from typing_extensions import TypeAliasType

from ._base import (
    Model,
    RequestModel,
    ResponseModel,
    UnknownVariant,
    UnknownVariantParam,
    bare,
    constant_values,
    members,
)

_NOTHING = ValidationError.from_exception_data("", [])
"""An error without a line: raised by a choice that is not meant, it adds nothing to the others."""
_UNKNOWN_TAG = "unknown_tag"
_UNKNOWN_TAG_MESSAGE = "Input should have one of these as its {by}: {tags}"


class Registered:
    """The classes that joined a union after it was made, which `extending` enters."""

    __slots__ = ("by_tag", "classes")

    def __init__(self) -> None:
        self.by_tag: dict[str, type[Model]] = {}
        self.classes: tuple[type[Model], ...] = ()
        """These, and those whose place they took when their module was loaded again."""

    def kind_of(self, value: Any, tag: Any) -> type[Model] | None:
        """The class that a value with this tag is of or is to be read as; None if there is none.

        An object that was read before its type was registered stays one of an unknown type.
        """
        if isinstance(value, BaseModel):
            return type(value) if isinstance(value, self.classes) else None
        return self.by_tag.get(tag) if isinstance(tag, str) else None


class Tagged:
    """Marks a union whose members are told apart by the constant in one field.

    The dispatch happens inside pydantic-core. A member derived from `UnknownVariant` takes every
    tag that no other member has; one derived from `UnknownVariantParam` only those of the form
    `vendor:name`. Response classes in a union of request classes stand for what came from a server:
    their instances pass unchecked (N4). A known variant that does not validate is refused with its
    own errors and no others.

    Classes that are registered later (`extending`) are sought where no member of the union has the
    tag: the tags of members cost no more for them.
    """

    __slots__ = ("by", "registered")

    def __init__(self, by: str) -> None:
        self.by = by
        self.registered = Registered()

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        known, catch_all, returned = _sorted(union)
        schemas = {id(member): handler.generate_schema(member) for member in known}
        by_tag = {tag: member for member in known for tag in _tags(member, self.by)}
        nested = {mark.by: member for member in known if isinstance(mark := marker(member), Tagged)}
        choices = {tag: schemas[id(member)] for tag, member in by_tag.items() if tag is not None}
        context = {"by": self.by, "tags": ", ".join(repr(tag) for tag in choices)}
        others: list[tuple[CoreSchema, str]] = []
        for by, member in nested.items():
            untagged = self._untagged(member, schemas[id(member)], context)
            choices |= {tag: untagged for tag in _tags(member, by) if tag not in choices}
            others.append((_guarded(untagged, self._has_null_tag(by)), self.by))
        if None in by_tag:
            optional = schemas[id(by_tag[None])]
            others.append((_guarded(optional, self._is_untagged(nested.keys())), self.by))
        for member in catch_all:
            new = self._is_new(by_tag.keys(), prefixed=issubclass(member, UnknownVariantParam))
            others.append((_guarded(handler.generate_schema(member), new), "unknown"))
        if catch_all:
            others.append((self._registered(), self.by))
        if returned:
            others.append((_guarded(core_schema.any_schema(), _is_one_of(returned)), "returned"))
        tagged = core_schema.tagged_union_schema(
            choices,
            self._discriminator(known, nested),
            custom_error_type=_UNKNOWN_TAG,
            custom_error_message=_UNKNOWN_TAG_MESSAGE,
            custom_error_context=dict(context),
        )
        if not others:
            return tagged
        return core_schema.union_schema([(tagged, self.by), *others], mode="left_to_right")

    def chosen(self, union: Any, steps: deque[int | str]) -> list[Any]:
        """The members that a path in an error is about; takes their labels off its head.

        The labels are those of the schema above: the name of the tag, the tag, and the tag of a
        nested union.
        """
        known, _, _ = _sorted(union)
        models = [model for member in known for model in _models(member)]
        if steps[0] == self.by:
            steps.popleft()
        meant = models
        for _ in range(1 + any(marker(member) for member in known)):
            tagged = [model for model in meant if steps and steps[0] in constant_values(model)]
            if tagged:
                meant = tagged
                steps.popleft()
        if meant is not models:
            return meant
        untagged = [model for model in models if None in _tags(model, self.by)]
        return [*untagged, *self.registered.by_tag.values()]

    def catch_all(self, union: Any) -> type[Model] | None:
        """The member for new tags; None when the union is closed."""
        return next(iter(_sorted(union)[1]), None)

    def known_tags(self, union: Any) -> dict[str, type[Model]]:
        """The tags of the members, each with a class that has it."""
        models = [model for member in _sorted(union)[0] for model in _models(member)]
        return {tag: model for model in models for tag in self.tags(model)}

    def tags(self, model: type[Model]) -> Set[str]:
        """The tags of a class; empty unless it has the constant by which members are told apart."""
        wire_names = {field.alias or name for name, field in model.model_fields.items()}
        found = _tags(model, self.by) if self.by in wire_names else set[Any]()
        return {tag for tag in found if isinstance(tag, str)}

    def _registered(self) -> CoreSchema:
        """Reads and writes what was registered, by its own class; not in a JSON Schema."""
        registered = self.registered

        def read(value: Any) -> Any:
            kind = registered.kind_of(value, self._tag(value))
            if kind is None:
                raise _NOTHING
            return kind.model_validate(value)

        def write(value: Any) -> Any:
            if not isinstance(value, registered.classes):
                raise PydanticSerializationUnexpectedValue("Expected what is registered")
            return value

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(write)
        )

    def _discriminator(
        self, known: list[Any], nested: Iterable[str]
    ) -> str | list[list[str | int]]:
        """Where to look for the tag.

        Under its name on the wire, in objects under Python's, and then for the constant by which a
        nested union knows its members.
        """
        names = {_field(model, self.by)[0] for member in known for model in _models(member)}
        others = [*sorted(names - {self.by}), *nested]
        if not others:
            return self.by
        paths: list[list[str | int]] = [[self.by]]
        paths.extend([name] for name in others)
        return paths

    def _untagged(self, member: Any, schema: CoreSchema, context: dict[str, str]) -> CoreSchema:
        """Reads an object without the tag as what the constant of a nested union says (Z7)."""
        (tag,) = _tags(member, self.by) - {None}

        def read(value: Any) -> Any:
            given = self._tag(value)
            if given is not None or not isinstance(value, dict):
                raise PydanticCustomError(_UNKNOWN_TAG, _UNKNOWN_TAG_MESSAGE, dict(context))
            return {**cast("dict[str, Any]", value), self.by: tag}

        return core_schema.no_info_before_validator_function(read, schema)

    def _tag(self, value: Any) -> Any:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value).get(self.by)
        return getattr(value, self.by, None)

    def _is_new(self, known: Set[Any], *, prefixed: bool) -> Callable[[Any], bool]:
        """Whether a value has a tag of no class; a `vendor:name`, if only those are admitted."""
        registered = self.registered

        def check(value: Any) -> bool:
            tag = self._tag(value)
            return (
                isinstance(tag, str)
                and tag not in known
                and (tag not in registered.by_tag or registered.kind_of(value, tag) is None)
                and (not prefixed or _is_prefixed(tag))
            )

        return check

    def _has_null_tag(self, nested: str) -> Callable[[Any], bool]:
        """Whether the tag is null where the constant of a nested union tells what the value is."""

        def check(value: Any) -> bool:
            if not isinstance(value, dict) or self._tag(value) is not None:
                return False
            return {self.by, nested} <= cast("dict[str, Any]", value).keys()

        return check

    def _is_untagged(self, nested: Set[str]) -> Callable[[Any], bool]:
        """Whether a value has no tag, nor the constant by which a nested union would know it."""

        def check(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and self._tag(value) is None
                and not nested & cast("dict[str, Any]", value).keys()
            )

        return check


class Shaped:
    """Marks a union whose members differ in JSON shape: a value is held against one of them."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {_shape_of(each): handler.generate_schema(each) for each in members(union)}
        return core_schema.tagged_union_schema(
            choices,
            _shape,
            custom_error_type="wrong_shape",
            custom_error_message="Input should be {expected}",
            custom_error_context={"expected": " or ".join(f"a JSON {shape}" for shape in choices)},
        )

    def chosen(self, union: Any, steps: deque[int | str]) -> list[Any]:
        """The members that a path in an error is about; takes their label off its head."""
        shape = steps.popleft()
        return [member for member in members(union) if _shape_of(member) == shape]


def marker(kind: Any) -> Tagged | Shaped | None:
    """The marker of a type that is a marked union."""
    while isinstance(kind, TypeAliasType):
        kind = kind.__value__
    metadata = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((mark for mark in metadata if isinstance(mark, (Tagged, Shaped))), None)


def _sorted(union: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The members of a tagged union: known ones, those for new tags, and what servers sent."""
    known: list[Any] = []
    catch_all: list[Any] = []
    returned: list[Any] = []
    of_requests = any(issubclass(model, RequestModel) for model in _models(union))
    for member in members(union):
        models = _models(member)
        if of_requests and all(issubclass(model, ResponseModel) for model in models):
            returned.append(member)
        elif all(issubclass(model, (UnknownVariant, UnknownVariantParam)) for model in models):
            catch_all.append(member)
        else:
            known.append(member)
    return known, catch_all, returned


def _models(kind: Any) -> list[type[Model]]:
    """The model classes among the members of a type, at any depth of unions."""
    first, *others = members(kind)
    if others:
        return [model for member in (first, *others) for model in _models(member)]
    return [first] if isinstance(first, type) and issubclass(first, Model) else []


def _tags(kind: Any, by: str) -> set[Any]:
    """The values that the tag has in the classes of a type; None where it may be missing."""
    tags: set[Any] = set()
    for model in _models(kind):
        for member in members(_field(model, by)[1].annotation):
            tags |= set(get_args(member)) if get_origin(member) is Literal else {None}
    return tags


def _field(model: type[Model], wire_name: str) -> tuple[str, FieldInfo]:
    """The field of a name on the wire, and its name in Python."""
    fields = model.model_fields.items()
    return next((name, field) for name, field in fields if (field.alias or name) == wire_name)


def _is_prefixed(tag: str) -> bool:
    """Whether a tag has the form `vendor:name`."""
    vendor, _, name = tag.partition(":")
    return bool(vendor and name)


def _is_one_of(kinds: list[Any]) -> Callable[[Any], bool]:
    """Whether a value is an object of one of these types, or of a class registered with one."""
    classes = tuple(model for kind in kinds for model in _models(kind))
    open_to = [mark.registered for kind in kinds if isinstance(mark := marker(kind), Tagged)]

    def check(value: Any) -> bool:
        return isinstance(value, classes) or any(
            isinstance(value, each.classes) for each in open_to
        )

    return check


def _guarded(schema: CoreSchema, applies: Callable[[Any], bool]) -> CoreSchema:
    """The schema for values that it applies to; others add no error to those of the union."""

    def check(value: Any) -> Any:
        if not applies(value):
            raise _NOTHING
        return value

    return core_schema.no_info_before_validator_function(check, schema)


_SHAPES: dict[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    tuple: "array",
    dict: "object",
    BaseModel: "object",
}


def _shape(value: Any) -> str | None:
    """The JSON shape of a value; None for what JSON does not have."""
    shape = _SHAPES.get(value.__class__)
    if shape is None:
        shape = next((_SHAPES[kind] for kind in _SHAPES if isinstance(value, kind)), None)
    return shape


def _shape_of(kind: Any) -> str:
    """The JSON shape of the values of a type."""
    first = bare(members(kind)[0])
    if get_origin(first) is Literal:
        return _SHAPES[type(get_args(first)[0])]
    return _SHAPES.get(get_origin(first) or first, "object")
