"""Types of vendors that join those of the specification while a program runs.

Rules kept here: N1 (types of vendors), N3 (a type that nobody registered stays unknown), S3 (every
event has a number).

A package of a vendor's types registers its classes when it is imported:

    register(
        ItemField=[AcmeSearchResult],
        ItemParam=[AcmeSearchResultParam],
        StreamEvent=[AcmeSearchResultProgressEvent],
    )

From then on, what is of one of their types is read as an object of that class, wherever the union
is read, and whether or not anything was read before. The types that a union has by itself are not
looked up here, and cost the same with any number of registered ones.

What such a package may build on is this module, `models`, `events`, `params`, `server.writer` and
`server.extending`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from ._base import (
    AnswerModel,
    Event,
    Omittable,
    RequestModel,
    ResponseModel,
    UnknownVariant,
    UnknownVariantParam,
)
from ._unions import Shaped, Tagged, marker

__all__ = [
    "AnswerModel",
    "Event",
    "Omittable",
    "RegistrationError",
    "RequestModel",
    "ResponseModel",
    "Shaped",
    "Tagged",
    "UnknownVariant",
    "UnknownVariantParam",
    "event_types",
    "register",
    "registered",
    "require_release",
]

_Class: TypeAlias = type[RequestModel] | type[ResponseModel]
_lock = Lock()


class RegistrationError(ValueError):
    """A class cannot join a union, or a package of a vendor was made for another base."""


def register(**unions: Iterable[_Class]) -> None:
    """Let classes join unions, by the names of the unions; all of them, or none if one cannot.

    A class of requests (`RequestModel`) joins unions of what a client sends, and is checked
    strictly there; one of responses (`ResponseModel`) joins unions of what a server sends. An event
    is an `Event` with a `sequence_number` (rule S3). To register a class again changes nothing;
    when its module is loaded again, the new class takes the place of the old one.

    Raises `RegistrationError` for a union that is closed or does not exist, for a class that does
    not fit, and for a type that the union or another registered class has.
    """
    joining = {name: list(classes) for name, classes in unions.items()}
    with _lock:
        entered = [(_mark(name), _joined(name, classes)) for name, classes in joining.items()]
        for mark, by_tag in entered:
            # A class is known as one of the union before anything can be read as one.
            classes = dict.fromkeys([*mark.registered.classes, *by_tag.values()])
            mark.registered.classes = tuple(classes)
            mark.registered.by_tag.update(by_tag)


def registered(union: str) -> Mapping[str, _Class]:
    """The classes that joined a union, by their types on the wire.

    Raises `RegistrationError` for a union that is closed or does not exist.
    """
    return MappingProxyType(cast("dict[str, _Class]", dict(_mark(union).registered.by_tag)))


def event_types() -> Mapping[str, type[Event]]:
    """The class of every event by its name on the wire: `EVENT_TYPES` and those of vendors.

    Raises `RegistrationError` in a package without events.
    """
    joined = registered("StreamEvent")
    core: Mapping[str, type[Event]] = import_module(".events", __package__).EVENT_TYPES
    return MappingProxyType({**core, **cast("Mapping[str, type[Event]]", joined)})


def require_release(release: str, package: str) -> None:
    """Raise `RegistrationError` unless this package is of the release that another was made for.

    Args:
        release: A release of the specification, such as `2026-04-24`.
        package: The name of the package that was made for it.
    """
    base = import_module(__package__ or "")
    if release != base.SPEC_RELEASE:
        raise RegistrationError(
            f"{package} was made for Open Responses {release}, and {base.__name__} is of"
            f" {base.SPEC_RELEASE}: generate {package} again from that release"
        )


def _joined(name: str, classes: Iterable[_Class]) -> dict[str, _Class]:
    """The classes by their tags. Raises `RegistrationError` for one that cannot join the union."""
    union, mark = _union(name), _mark(name)
    known = mark.known_tags(union)
    by_tag: dict[str, _Class] = {}
    for cls in classes:
        _check_fits(name, cls)
        for tag in mark.tags(cls):
            other = known.get(tag) or by_tag.get(tag) or mark.registered.by_tag.get(tag)
            if other is not None and (tag in known or _name(other) != _name(cls)):
                raise RegistrationError(
                    f"{_name(cls)} cannot join {name}: {_name(other)} has the type {tag!r}"
                )
            by_tag[tag] = cls
    return by_tag


def _check_fits(name: str, cls: _Class) -> None:
    """Raise `RegistrationError` unless a class has what the members of a union have."""
    mark = _mark(name)
    unknown = mark.catch_all(_union(name)) or ResponseModel
    bases = (Event, RequestModel, ResponseModel)
    wanted: type[Any] = next(base for base in bases if issubclass(unknown, base))
    reason = ""
    if not issubclass(cls, wanted):
        reason = f"it is no {wanted.__name__}"
    elif not mark.tags(cls):
        reason = f"its `{mark.by}` is no constant"
    elif wanted is Event and "sequence_number" not in cls.model_fields:
        reason = "it has no `sequence_number` (rule S3)"
    if reason:
        raise RegistrationError(f"{_name(cls)} cannot join {name}: {reason}")


def _union(name: str) -> Any:
    """The union of a name, of `models` or `events`; None when there is none."""
    modules = [module for module in (".models", ".events") if find_spec(module, __package__)]
    found = (getattr(import_module(module, __package__), name, None) for module in modules)
    return next((union for union in found if union is not None), None)


def _mark(name: str) -> Tagged:
    union = _union(name)
    mark = marker(union)
    if not isinstance(mark, Tagged) or mark.catch_all(union) is None:
        raise RegistrationError(f"{__package__} has no union {name!r} that is open to new types")
    return mark


def _name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
