"""What a class requires of JSON data, and how data that deviates is brought to it.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- T4, Z1, Z2: what is missing is filled with the zero value of its type, what has another type is
  converted if that can be done, and each such place is reported.
- N3: an object whose type cannot be told is kept whole, as one of an unknown type.

The zero value never guesses. It is `""` for a string, also where an enum is open to new values, so
that a status that is missing is not taken for one that was sent; 0, false, an empty list or map;
null where null is allowed; the value of a constant; an object of such values. In a union that is
open to new types it is an object of the type `""`.
"""

from __future__ import annotations

import json
import math
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import from_json, to_json
from typing_extensions import TypeAliasType

from ._base import Deviation, Omittable, UnknownVariant
from ._unions import Registered, Tagged

_NOT_NULL: Final = get_args(Omittable)[-1]
"""What marks a field that may be left out and is never null."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a class, which is also a step on the way to a place."""

    name: str
    wire_name: str
    is_required: bool
    kind: Kind


Path: TypeAlias = tuple[Field | int | str, ...]
"""Steps from the whole to a place: fields, indices in lists, keys of maps."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found while mending."""

    deviations: list[Deviation] = field(default_factory=list[Deviation])
    filled: list[Path] = field(default_factory=list[Path])
    """The places whose values did not come from the server."""

    def missing(self, path: Path, what: str) -> None:
        """Report that a value was filled in where there was none."""
        self.deviations.append(Deviation(_text(path), f"It is missing; {what}.", missing=True))
        self.filled.append(path)

    def replaced(self, path: Path, value: object, what: str) -> None:
        """Report that another value was filled in, or none."""
        self.converted(path, value, what)
        self.filled.append(path)

    def converted(self, path: Path, value: object, what: str) -> None:
        """Report that a value was made to fit."""
        self.deviations.append(Deviation(_text(path), f"It is {_named(value)}; {what}.", value))


@dataclass(frozen=True)
class Kind(ABC):
    """A type of the schema, as far as mending needs to know it."""

    name: str
    """What is required, with its article."""

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Whether a value is of this type, whatever is inside it."""

    def converted(self, value: object) -> object:
        """Make a value of this type out of one of another; None if that cannot be done."""
        del value
        return None

    @abstractmethod
    def zero(self) -> object:
        """Make the value that stands for nothing."""

    def inside(self, value: Any, path: Path, report: Report) -> object:
        """Mend what is inside an accepted value."""
        del path, report
        return value


def mended(kind: type[BaseModel] | TypeAliasType, data: object) -> tuple[Any, Report]:
    """Bring a JSON value into the form of a class or a union of classes.

    Raises `ValueError` when it is no object.
    """
    whole, report = _whole(kind), Report()
    if not whole.accepts(data):
        raise ValueError(f"The answer is {_named(data)}; {whole.name} is required.")
    return whole.inside(data, (), report), report


def _fitted(kind: Kind, value: object, path: Path, report: Report) -> object:
    """Bring a value that is there into the form that its place requires."""
    if kind.accepts(value):
        return kind.inside(value, path, report)
    converted = kind.converted(value)
    if converted is None:
        report.replaced(path, value, f"{kind.name} is required")
        return kind.zero()
    report.converted(path, value, f"{kind.name} is required, and it was converted")
    return kind.inside(converted, path, report)


@dataclass(frozen=True)
class _Leaf(Kind):
    """A type with nothing inside that could deviate."""

    empty: object
    test: Callable[[object], bool]
    convert: Callable[[object], object] | None = None

    def accepts(self, value: object) -> bool:
        return self.test(value)

    def converted(self, value: object) -> object:
        return self.convert(value) if self.convert else None

    def zero(self) -> object:
        return self.empty


@dataclass(frozen=True)
class _OneOf(Kind):
    """A constant, or an enum."""

    values: tuple[object, ...]

    def accepts(self, value: object) -> bool:
        return any(value == each and type(value) is type(each) for each in self.values)

    def zero(self) -> object:
        return self.values[0]


@dataclass(frozen=True)
class _List(Kind):
    """A list of items of one type."""

    item: Kind

    def accepts(self, value: object) -> bool:
        return isinstance(value, list)

    def converted(self, value: object) -> object:
        return [value] if value is not None and self.item.accepts(value) else None

    def zero(self) -> object:
        return []

    def inside(self, value: Any, path: Path, report: Report) -> object:
        items = enumerate(value)
        return [_fitted(self.item, item, (*path, index), report) for index, item in items]


@dataclass(frozen=True)
class _Map(Kind):
    """An object of any keys, with values of one type."""

    item: Kind

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict)

    def zero(self) -> object:
        return {}

    def inside(self, value: Any, path: Path, report: Report) -> object:
        items = value.items()
        return {key: _fitted(self.item, item, (*path, key), report) for key, item in items}


@dataclass(frozen=True)
class _Object(Kind):
    """An object that a class describes."""

    cls: type[BaseModel]

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields by their names on the wire."""
        if not self.cls.__pydantic_fields_complete__:
            self.cls.model_rebuild()
        fields: list[Field] = []
        for name, info in self.cls.model_fields.items():
            # A constant has a default for those who construct; a server has to send it.
            is_constant = get_origin(info.annotation) is Literal
            kind, required = _kind(info.annotation, info.metadata), info.is_required()
            fields.append(Field(name, info.alias or name, required or is_constant, kind))
        return {each.wire_name: each for each in fields}

    def zero(self) -> object:
        fields = self.fields.values()
        return {each.wire_name: each.kind.zero() for each in fields if each.is_required}

    def inside(self, value: Any, path: Path, report: Report) -> object:
        result: dict[str, object] = dict(value)
        for name, each in self.fields.items():
            place = (*path, each)
            if name not in result:
                if each.is_required:
                    result[name] = self._filled(each, result, place, report)
            elif result[name] is None and not each.is_required and not each.kind.accepts(None):
                report.replaced(place, None, "it may be left out, but not be null")
                del result[name]
            else:
                result[name] = _fitted(each.kind, result[name], place, report)
        return result

    def _filled(
        self, missing: Field, beside: Mapping[str, object], path: Path, report: Report
    ) -> object:
        """Fill in a field that is missing.

        Some servers send the fields of an object without the object around them.
        """
        if isinstance(missing.kind, _Object):
            strays = missing.kind.fields.keys() & (beside.keys() - self.fields.keys())
            if strays:
                report.missing(path, "what belongs in it is beside it")
                flat = {name: beside[name] for name in missing.kind.fields if name in strays}
                return missing.kind.inside(flat, path, report)
        report.missing(path, f"{missing.kind.name} is required")
        return missing.kind.zero()

    def tags(self, by: str) -> set[object]:
        """The values that a tag can have; None where it may be missing."""
        tag = self.fields[by]
        kinds = tag.kind.members if isinstance(tag.kind, _Choice) else (tag.kind,)
        values = {each for kind in kinds if isinstance(kind, _OneOf) for each in kind.values}
        return values if tag.is_required else {*values, None}


@dataclass(frozen=True)
class _Variants(Kind):
    """A union whose members are told apart by the constant in one field."""

    by: str
    members: tuple[_Object | _Variants, ...]
    catch_all: _Object | None
    registered: Registered

    def accepts(self, value: object) -> bool:
        return isinstance(value, dict)

    @cached_property
    def by_tag(self) -> dict[object, _Object | _Variants]:
        """The members by their tags; None is that of a member that may have none."""
        return {tag: member for member in self.members for tag in member.tags(self.by)}

    def zero(self) -> object:
        return {self.by: ""} if self.catch_all else self.members[0].zero()

    def inside(self, value: Any, path: Path, report: Report) -> object:
        tag = value.get(self.by)
        is_tag = tag is None or isinstance(tag, str)
        if is_tag and tag in self.by_tag:
            return self.by_tag[tag].inside(value, path, report)
        joined = self.registered.by_tag.get(tag) if isinstance(tag, str) else None
        if joined is not None:
            return _object(joined).inside(value, path, report)
        if self.catch_all is None:
            report.replaced(path, value, f"no known {self.by} is in it")
            return self.zero()
        if is_tag:
            return self.catch_all.inside(value, path, report)
        report.replaced((*path, self.catch_all.fields[self.by]), tag, "a string is required")
        return {**value, self.by: ""}

    def tags(self, by: str) -> set[object]:
        """The values that another tag can have in the members."""
        return {tag for member in self.members for tag in member.tags(by)}


@dataclass(frozen=True)
class _Choice(Kind):
    """Any other union. Its members differ in JSON type, or are an enum and what it is open to."""

    members: tuple[Kind, ...]

    def accepts(self, value: object) -> bool:
        return any(each.accepts(value) for each in self.members)

    def converted(self, value: object) -> object:
        tried = (each.converted(value) for each in self.members)
        return next((found for found in tried if found is not None), None)

    def zero(self) -> object:
        if self.accepts(None):
            return None
        plain = (each for each in self.members if isinstance(each, _Leaf))
        return next(plain, self.members[0]).zero()

    def inside(self, value: Any, path: Path, report: Report) -> object:
        member = next(each for each in self.members if each.accepts(value))
        return member.inside(value, path, report)


def _is_number(value: object) -> bool:
    """Whether a value is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _number_in(value: object) -> int | float | None:
    """Read the number that a string spells."""
    if not isinstance(value, str):
        return None
    try:
        number = from_json(value)
    except ValueError:
        return None
    return number if _is_number(number) else None


def _integer_in(value: object) -> int | None:
    """Read a number without its fraction."""
    number = cast("float", value) if _is_number(value) else _number_in(value)
    return None if number is None else int(number)


def _json_of(value: object) -> str | None:
    """Write a value as JSON text, so that nothing of an object is lost in a string."""
    return None if value is None else to_json(value).decode()


_NULL: Final = _Leaf("null", None, lambda value: value is None)
_LEAVES: Final[Mapping[Any, Kind]] = {
    Any: _Leaf("any value", None, lambda _: True),
    types.NoneType: _NULL,
    bool: _Leaf("a boolean", False, lambda value: isinstance(value, bool)),
    str: _Leaf("a string", "", lambda value: isinstance(value, str), _json_of),
    int: _Leaf("an integer", 0, lambda value: type(value) is int, _integer_in),
    float: _Leaf("a number", 0.0, _is_number, _number_in),
}


@cache
def _whole(kind: type[BaseModel] | TypeAliasType) -> Kind:
    return _kind(kind)


@cache
def _object(cls: type[BaseModel]) -> _Object:
    return _Object("an object", cls)


def _kind(annotation: Any, metadata: list[Any] | None = None) -> Kind:
    """Read an annotation; `metadata` is what pydantic took off it."""
    marks = list(metadata or ())
    while isinstance(annotation, TypeAliasType) or get_origin(annotation) is Annotated:
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        else:
            annotation, *more = get_args(annotation)
            marks += more
    args, origin = get_args(annotation), get_origin(annotation)
    if origin is Literal:
        values = ", ".join(json.dumps(value) for value in args)
        return _OneOf(values if len(args) == 1 else f"one of {values}", args)
    if origin in {Union, types.UnionType}:
        return _union(args, marks)
    if origin is list:
        return _List("a list", _kind(args[0]))
    if origin is dict:
        return _Map("an object", _kind(args[1]))
    return _LEAVES[annotation] if annotation in _LEAVES else _object(annotation)


def _union(args: tuple[Any, ...], marks: list[Any]) -> Kind:
    members = tuple(_kind(each) for each in args)
    if _NOT_NULL in marks:
        members = tuple(each for each in members if each is not _NULL)
    tagged = next((mark for mark in marks if isinstance(mark, Tagged)), None)
    if tagged is None:
        return members[0] if len(members) == 1 else _Choice(_named_together(members), members)
    objects = [each for each in members if isinstance(each, (_Object, _Variants))]
    unknown = next((each for each in objects if _takes_any_tag(each)), None)
    known = tuple(each for each in objects if each is not unknown)
    catch_all = cast("_Object | None", unknown)
    return _Variants("an object", tagged.by, known, catch_all, tagged.registered)


def _takes_any_tag(kind: _Object | _Variants) -> bool:
    return isinstance(kind, _Object) and issubclass(kind.cls, UnknownVariant)


def _named_together(members: tuple[Kind, ...]) -> str:
    """What a union requires; the known values of an enum that is open say nothing."""
    is_open = any(isinstance(each, _Leaf) and each is not _NULL for each in members)
    named = [each.name for each in members if not (is_open and isinstance(each, _OneOf))]
    return " or ".join(dict.fromkeys(named))


def _named(value: object) -> str:
    """The JSON type of a value, with its article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    number = "a number" if _is_number(value) else "too large a number"
    return next((name for kind, name in names.items() if isinstance(value, kind)), number)


def _text(path: Path) -> str:
    """A path as a user reads it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if isinstance(step, str) else step.wire_name
            text += f".{name}" if name.isidentifier() else f"[{json.dumps(name)}]"
    return text.removeprefix(".")
