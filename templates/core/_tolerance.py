"""Reading what real servers send: strict first, tolerant on failure.

Rules kept here (listed by id in the generator's `docs/protocol.md`):

- T4, Z1, Z2: where an answer breaks the schema it is mended, delivered, and each such place is
  listed on it and warned about once.
- R2, N4: what was filled in counts as not set, so that dumping gives back what the server sent.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from ._base import Deviation
from ._mending import Field, Path, mended

if TYPE_CHECKING:
    from typing_extensions import TypeAliasType

__all__ = [
    "Deviation",
    "DeviationWarning",
    "Warner",
    "deviations_of",
    "mend",
    "read_mended",
    "read_tolerantly",
]

T = TypeVar("T", bound=BaseModel)

_KEY: Final = "_deviations"
"""Where an object keeps its deviations: pydantic passes over what is in `__dict__` and no field."""
_INDEX: Final = re.compile(r"\[\d+\]")


class DeviationWarning(UserWarning):
    """Warns that an answer deviates from the specification and was delivered all the same."""


def deviations_of(answer: BaseModel) -> tuple[Deviation, ...]:
    """Where an answer deviates from the specification; empty when it was read strictly.

    They are listed on the whole that was read, a response or an event, not on the objects in it.
    """
    return cast("tuple[Deviation, ...]", answer.__dict__.get(_KEY, ()))


@overload
def read_tolerantly(kind: type[T], text: bytes | str) -> T: ...
@overload
def read_tolerantly(kind: TypeAliasType, text: bytes | str) -> Any: ...
def read_tolerantly(kind: Any, text: bytes | str) -> Any:
    """Read JSON text as a response class or a union of them, strictly if that succeeds.

    Raises what `read_mended` raises.
    """
    try:
        return _validator(kind).validate_json(text)
    except ValidationError:
        return read_mended(kind, text)


@overload
def read_mended(kind: type[T], text: bytes | str) -> T: ...
@overload
def read_mended(kind: TypeAliasType, text: bytes | str) -> Any: ...
def read_mended(kind: Any, text: bytes | str) -> Any:
    """Read JSON text that was refused when read strictly, and list on it where it deviates.

    A hot path has a strict reader of its own and calls this when that raises `ValidationError`.

    Raises `ValueError` when the text is no JSON object, and `pydantic.ValidationError`, which is a
    `ValueError`, when a value breaks a limit of a schema, such as a pattern. The schemas of
    responses in the official releases have no limits.
    """
    data, report = mended(kind, from_json(text))
    answer = _validator(kind).validate_python(data)
    for path in report.filled:
        _unset(answer, path)
    answer.__dict__[_KEY] = tuple(report.deviations)
    return answer


def mend(kind: type[BaseModel] | TypeAliasType, data: Any) -> tuple[Any, list[Deviation]]:
    """Bring a JSON value into the form that a response class or a union of them requires.

    Returns a value of that form and where the given one deviated. What conforms comes back as it
    is, with no deviation; the value that is given is not changed.

    Raises `ValueError` when it is no object.
    """
    result, report = mended(kind, data)
    return result, report.deviations


class Warner:
    """Warns of deviations, once for each place in a class, whatever the index in a list."""

    def __init__(self, limit: int = 1000) -> None:
        """Remember up to `limit` places, so that memory is bounded; say nothing of any beyond."""
        self._limit = limit
        self._known: set[tuple[type[BaseModel], str]] = set()
        self._lock = Lock()

    def warn(self, answer: BaseModel, stacklevel: int = 2) -> None:
        """Warn of the deviations of an answer at places that were not warned about yet.

        Args:
            answer: What was read. One warning is given for all new places in it.
            stacklevel: Which frame the warning points at; 2 is the caller of this method.
        """
        new = [each for each in deviations_of(answer) if self._is_new(type(answer), each)]
        if new:
            more = f" (and at {len(new) - 1} more places)" if len(new) > 1 else ""
            warnings.warn(
                f"{type(answer).__name__} deviates from the protocol: {new[0]}{more}",
                DeviationWarning,
                stacklevel=stacklevel,
            )

    def _is_new(self, cls: type[BaseModel], deviation: Deviation) -> bool:
        place = (cls, _INDEX.sub("[]", deviation.path))
        with self._lock:
            if place in self._known or len(self._known) >= self._limit:
                return False
            self._known.add(place)
            return True


@cache
def _validator(kind: Any) -> Any:
    return TypeAdapter[Any](kind).validator


def _unset(answer: Any, path: Path) -> None:
    """Let a field that was filled in count as not set."""
    *steps, last = path
    if isinstance(last, Field):
        for step in steps:
            answer = getattr(answer, step.name) if isinstance(step, Field) else answer[step]
        answer.model_fields_set.discard(last.name)
