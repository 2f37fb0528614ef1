"""Functions that the tests make tools of; at module level, as those of a user, where annotations are resolved."""

from __future__ import annotations

import asyncio
import enum
import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from openresponses_kit.client.tools import tool
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from nowhere import Unknown


class Unit(enum.StrEnum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


class Place(BaseModel):
    """A place on earth."""

    name: str
    height: float | None = None


MARK = object()
EMPTY: dict[str, int] = {}


def forecast(
    city: str, days: Annotated[int, Field(ge=1, le=7)] = 3, unit: Unit = Unit.CELSIUS, place: Place | None = None
) -> Unknown:
    """Tells the weather.

    Knows a week.

    Args:
        city: Where, as people there
            call it.
        days (int, optional): How many days.
        place: Never shown: the type says nothing of it.
        gone: No such parameter.

    Returns:
        What comes.
    """
    return {"city": city, "days": days, "unit": unit, "place": place}


def anything(value: Any, rows: dict[str, int] = EMPTY, untyped=None) -> Any:
    return [value, rows, untyped]


def nothing() -> None:
    """Does nothing."""


async def later(city: str) -> str:
    await asyncio.sleep(0)
    return f"later in {city}"


def odd_names(_hidden: int, model_config: int, copy: int, schema: int, self_: int, json: int = 1) -> list[int]:
    return [_hidden, model_config, copy, schema, self_, json]


def with_defaults_of_python(name: str, key: bytes = b"\xff", mark: Any = MARK) -> list[Any]:
    return [name, key == b"\xff", mark is MARK]


def place_name(place: Annotated[Place, Field(description="Of the field.")]) -> str:
    """Names it.

    Args:
        place: Of the docstring.
    """
    return place.name


def keyword_only(*, a: int, b: int = 2) -> int:
    return a + b


class Shop:
    adder = tool(keyword_only)

    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock

    def count(self, item: str) -> int:
        """Counts an item."""
        return self.stock[item]

    @tool
    def sell(self, item: str, number: int = 1) -> int:
        """Sells an item."""
        self.stock[item] -= number
        return self.stock[item]

    @tool(name="restock", strict=False)
    async def fill(self, /, item: str) -> int:
        self.stock[item] += 10
        return self.stock[item]

    @classmethod
    def open(cls, name: str) -> str:
        return f"{cls.__name__} {name}"

    @staticmethod
    def close(name: str) -> str:
        return f"closed {name}"


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def named(value: object) -> str:
    """The name of a test's parameter, the same in every process: without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
