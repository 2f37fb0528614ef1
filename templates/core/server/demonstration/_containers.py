"""Objects and arrays that satisfy JSON Schemas, made of values that somebody else finds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice, product
from typing import Any, Protocol, TypeVar

from ._checks import Checker
from ._scalars import Way
from ._schemas import JSONSchema, key_of

__all__ = ["Place", "Search", "arrays", "in_turns", "objects"]

T = TypeVar("T")

_RICH_DEPTH = 3
"""From here on nothing is added that could be left out."""
_MOST_MEMBERS = 2_000
_MOST_CHOICES = 100
_MOST_UNIQUE = 200
_MOST_INVENTED = 50
_MOST_ASSIGNMENTS = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes."""

    depth: int = 0
    name: str = ""
    """Of the closest member of an object around it."""
    index: int = 0
    """Its position among its siblings."""

    @property
    def is_rich(self) -> bool:
        """Whether there may be more than what is required."""
        return self.depth < _RICH_DEPTH

    def inside(self, index: int, name: str | None = None) -> Place:
        """The place of an element, or of a member of this name."""
        return Place(self.depth + 1, self.name if name is None else name, index)


class Search(Protocol):
    """Finds values."""

    checker: Checker

    def spend(self, steps: int = 1) -> None:
        """Count work. Raises `BudgetSpentError`."""
        ...

    def values(self, schemas: Sequence[JSONSchema], place: Place) -> Iterator[Any]:
        """Values that satisfy all of these schemas, the best first."""
        ...


class _Choices:
    """The values for one place, found when they are asked for."""

    __slots__ = ("_found", "_more")

    def __init__(self, values: Iterator[Any]) -> None:
        self._found: list[Any] = []
        self._more = islice(values, _MOST_CHOICES)

    def __iter__(self) -> Iterator[Any]:
        for index in count():
            if index == len(self._found):
                try:
                    self._found.append(next(self._more))
                except StopIteration:
                    return
            yield self._found[index]

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @property
    def best(self) -> Any:
        return next(iter(self))


def in_turns(iterators: Iterable[Iterator[T]]) -> Iterator[T]:
    """What iterators give, one of each in turn."""
    waiting = deque(iterators)
    while waiting:
        iterator = waiting.popleft()
        for each in islice(iterator, 1):
            waiting.append(iterator)
            yield each


def objects(way: Way, place: Place, search: Search) -> Iterator[dict[str, Any]]:
    """Objects that may satisfy a way: with all members first, then with what is required."""
    least, most = _sizes(way, "Properties")
    required = list(dict.fromkeys(name for each in way for name in each.get("required", ())))
    if len(required) > most or max(least, len(required)) > _MOST_MEMBERS:
        return
    declared = dict.fromkeys(name for each in way for name in each.get("properties", ()))
    search.spend(1 + len(declared))
    members = _Members(way, place, search)
    required = members.with_needed(required)
    if not all(map(members.choices, required)):
        return
    wants_one = place.is_rich and not declared and any(_is_map(each) for each in way)
    wished = [name for name in declared if place.is_rich or name in required]
    known = [name for name in declared if name in required]
    rich = members.filled(required, wished, max(least, int(wants_one)), most)
    lean = members.filled(required, known, least, most)
    possible = [names for names in (rich, lean) if least <= len(names) <= most]
    for names in possible:
        yield {name: members.choices(name).best for name in names}
    for names in possible:
        yield from _varied({name: members.choices(name) for name in names})
    if len(rich) == len(lean) < most:
        names = members.filled(required, known, len(lean) + 1, most)
        yield {name: members.choices(name).best for name in names}


class _Members:
    """The members that an object of a way may have."""

    def __init__(self, way: Way, place: Place, search: Search) -> None:
        self._way = way
        self._place = place
        self._search = search
        self._choices: dict[str, _Choices] = {}
        self._names = [each["propertyNames"] for each in way if "propertyNames" in each]

    def choices(self, name: str) -> _Choices:
        """The values that a member may have; none when there cannot be such a member."""
        found = self._choices.get(name)
        if found is None:
            place = self._place.inside(len(self._choices), name)
            found = self._choices[name] = _Choices(self._values(name, place))
        return found

    def with_needed(self, names: Iterable[str]) -> list[str]:
        """These names, and those that have to be there as well because they are."""
        found = dict.fromkeys(names)
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            for each in self._way:
                more = each.get("dependentRequired", {}).get(name, ())
                waiting += [needed for needed in more if needed not in found]
                found |= dict.fromkeys(more)
        return list(found)

    def filled(
        self, required: Sequence[str], wished: Sequence[str], least: int, most: int
    ) -> list[str]:
        """The required names, those wished that there can be, and as many more as are needed."""
        names = dict.fromkeys(required)
        for name in chain(wished, islice(self._invented(), _MOST_INVENTED + least)):
            if len(names) >= least and name not in wished:
                break
            more = self.with_needed([name])
            if len(names.keys() | set(more)) <= most and all(map(self.choices, more)):
                names |= dict.fromkeys(more)
        ordered = [name for name in wished if name in names]
        return [*ordered, *(name for name in names if name not in ordered)]

    def _values(self, name: str, place: Place) -> Iterator[Any]:
        checker = self._search.checker
        if not checker.satisfies_all(name, self._names):
            return
        schemas = [inner for each in self._way for inner in checker.of_member(name, each)]
        if not any(name in each.get("properties", ()) for each in self._way):
            key = "unevaluatedProperties"
            schemas += [each[key] for each in self._way if key in each and not schemas]
        yield from self._search.values(schemas, place)

    def _invented(self) -> Iterator[str]:
        checker = self._search.checker
        if self._names:
            names = [{"type": "string"}, *self._names]
            yield from self._search.values(names, self._place.inside(0, "name"))
        for each in self._way:
            for pattern in each.get("patternProperties", ()):
                language = checker.pattern(pattern)
                yield from islice(checker.languages.texts(language), _MOST_INVENTED)
        yield from self._search.values([{"type": "string"}], self._place.inside(0, "name"))
        yield from (f"name{number}" for number in count(1))


def arrays(way: Way, place: Place, search: Search) -> Iterator[list[Any]]:
    """Arrays that may satisfy a way: longer ones first where elements may be left out."""
    least, most = _sizes(way, "Items")
    firsts = max((len(each.get("prefixItems", ())) for each in way), default=0)
    contained = [each for each in way if each.get("minContains", 1) > 0 and "contains" in each]
    together = max((int(each.get("minContains", 1)) for each in contained), default=0)
    apart = sum(int(each.get("minContains", 1)) for each in contained)
    wished = max(firsts, 2 if any("items" in each for each in way) else 0) if place.is_rich else 0
    lengths = [max(least, wished, together), max(least, wished, firsts + apart), max(least, apart)]
    lengths += [max(least, together), *range(least, least + 5)]
    possible = [length for length in lengths if least <= length <= min(most, _MOST_MEMBERS)]
    yield from in_turns(
        _of_elements(way, place, search, wanted)
        for length in dict.fromkeys(possible)
        for wanted in _assignments(contained, length)
    )


def _assignments(
    contained: Sequence[Mapping[str, Any]], length: int
) -> Iterator[list[list[JSONSchema]]]:
    """For each position what `contains` wants there, in all ways where there are not too many."""
    numbers = [int(each.get("minContains", 1)) for each in contained]
    if max(numbers, default=0) > length:
        return
    starts = product(range(length), repeat=len(contained))
    for chosen in islice(starts, _MOST_ASSIGNMENTS):
        wanted: list[list[JSONSchema]] = [[] for _ in range(length)]
        for each, number, start in zip(contained, numbers, chosen, strict=True):
            for place in range(start, start + number):
                wanted[-1 - place % length].append(each["contains"])
        yield wanted


def _of_elements(
    way: Way, place: Place, search: Search, wanted: list[list[JSONSchema]]
) -> Iterator[list[Any]]:
    search.spend(1 + len(wanted))
    elements: list[_Choices] = []
    limited = [each for each in way if "contains" in each and "maxContains" in each]
    room = [int(each["maxContains"]) for each in limited]
    for index, each in enumerate(limited):
        room[index] -= sum(each["contains"] in more for more in wanted)
    for index, more in enumerate(wanted):
        schemas = [*more, *(inner for each in way for inner in _of_element(each, index))]
        for number, each in enumerate(limited):
            if each["contains"] not in more:
                room[number] -= 1
                schemas += [{"not": each["contains"]}] if room[number] < 0 else []
        choices = _Choices(search.values(schemas, place.inside(index)))
        if not choices:
            return
        elements.append(choices)
    if any(each.get("uniqueItems") for each in way):
        if len(elements) <= _MOST_UNIQUE:
            yield from _unique(elements, [], set(), search)
        return
    yield [choices.best for choices in elements]
    varied = _varied(dict(enumerate(elements)))
    yield from ([each[index] for index in range(len(elements))] for each in varied)


def _of_element(schema: Mapping[str, Any], index: int) -> Iterable[JSONSchema]:
    """The schemas for an element of an array, out of the schema of the array."""
    firsts: list[JSONSchema] = schema.get("prefixItems", [])
    if index < len(firsts):
        return (firsts[index],)
    return (schema[key] for key in ("items", "unevaluatedItems") if key in schema)


def _unique(
    elements: list[_Choices], chosen: list[Any], keys: set[object], search: Search
) -> Iterator[list[Any]]:
    """Arrays that have no two elements that are equal."""
    if len(chosen) == len(elements):
        yield chosen
        return
    for value in elements[len(chosen)]:
        search.spend()
        key = key_of(value)
        if key not in keys:
            yield from _unique(elements, [*chosen, value], keys | {key}, search)


def _varied(choices: Mapping[Any, _Choices]) -> Iterator[dict[Any, Any]]:
    """What differs in one place from the best of all places."""
    best = {name: each.best for name, each in choices.items()}
    for turn in range(1, _MOST_CHOICES):
        is_over = True
        for name, each in choices.items():
            for value in islice(each, turn, turn + 1):
                is_over = False
                yield {**best, name: value}
        if is_over:
            return


def _is_map(schema: Mapping[str, Any]) -> bool:
    """Whether an object has members that are not known by name."""
    return isinstance(schema.get("additionalProperties"), dict) or "patternProperties" in schema


def _sizes(way: Way, what: str) -> tuple[int, int]:
    """The least and the greatest size that all schemas of a way allow."""
    least = max((int(each.get(f"min{what}", 0)) for each in way), default=0)
    most = min((int(each[f"max{what}"]) for each in way if f"max{what}" in each), default=None)
    return least, _MOST_MEMBERS if most is None else most
