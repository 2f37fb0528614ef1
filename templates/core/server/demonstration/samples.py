"""Values that satisfy a JSON Schema of the edition 2020-12.

A search with a bound: candidates are made from what a schema says and held against it, the most
natural ones first. The same schema and material always give the same value. Schemas come from
callers, so that all work is counted, patterns are matched in linear time, and what was not found
within the bound is told as not to be found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ._checks import Checker
from ._containers import Place, arrays, in_turns, objects
from ._languages import Budget, BudgetSpentError
from ._negation import negations
from ._scalars import Way, numbers, texts
from ._schemas import TYPES, Document, InvalidSchemaError, JSONSchema

__all__ = ["InvalidSchemaError", "JSONSchema", "Material", "UnsatisfiableSchemaError", "sample"]

_STEPS = 100_000
"""How much work one search may be; a second at most on an ordinary machine."""
_DEPTHS = (6, 20, 60)
"""How deeply values may be nested, in one search after the other."""
_MOST_CANDIDATES = 120
"""How many candidates are tried for each way to satisfy a schema."""
_CANDIDATES_STEPS = 20
"""What it takes to make candidates of a type."""
_SIGNS = {
    "object": {"properties", "required", "additionalProperties", "patternProperties"}
    | {"minProperties", "propertyNames", "dependentRequired", "dependentSchemas"},
    "array": {"items", "prefixItems", "contains", "minItems", "uniqueItems"},
    "string": {"pattern", "format", "minLength", "maxLength"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
"""Keywords that show which type is meant where none is named."""


class UnsatisfiableSchemaError(ValueError):
    """No value was found that satisfies the schema."""


@dataclass(frozen=True, slots=True)
class Material:
    """What values are made of where the schema leaves a choice."""

    words: Sequence[str] = ()
    numbers: Sequence[float] = ()
    named: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts for members of objects, by their names."""


def sample(schema: JSONSchema, material: Material | None = None, *, also: JSONSchema = True) -> Any:
    """A value that satisfies a schema.

    It takes up to a second or two of the processor's time for the worst of schemas: in a server it
    belongs in a thread.

    Raises `InvalidSchemaError` for what is no schema, refers to something outside of itself or has
    a pattern that cannot be read, and `UnsatisfiableSchemaError` when no value was found.

    Args:
        schema: The schema.
        material: What the value is made of where there is a choice.
        also: A schema without references that the value has to satisfy as well.
    """
    for depth in _DEPTHS:
        budget = Budget(_STEPS)
        try:
            search = _Search(Document(schema, budget), budget, material or Material(), depth)
            for value in search.values([schema, also], Place()):
                return value
            if not search.was_cut:
                break
        except (BudgetSpentError, RecursionError):
            continue
    raise UnsatisfiableSchemaError("no value was found that satisfies the schema")


@dataclass(frozen=True, slots=True)
class _Choice:
    """Lists of schemas of which one has to be satisfied, whole."""

    options: list[list[JSONSchema]]


class _Search:
    """A search for values down to a depth."""

    def __init__(self, document: Document, budget: Budget, material: Material, depth: int) -> None:
        self.checker = Checker(document, budget)
        self.was_cut = False
        """Whether anything was left out because it would have been nested too deeply."""
        self._document = document
        self._budget = budget
        self._material = material
        self._depth = depth

    def spend(self, steps: int = 1) -> None:
        """Count work. Raises `BudgetSpentError`."""
        self._budget.spend(steps)

    def values(self, schemas: Sequence[JSONSchema], place: Place) -> Iterator[Any]:
        """Values that satisfy all of these schemas, the best first."""
        self.spend(1 + len(schemas))
        if place.depth > self._depth:
            self.was_cut = True
            return
        for way in self._ways(schemas, [], [], place):
            for value in islice(self._candidates(way, place), _MOST_CANDIDATES):
                if self.checker.satisfies_all(value, schemas):
                    yield value

    def _ways(
        self,
        schemas: Sequence[JSONSchema],
        choices: Sequence[_Choice],
        known: Way,
        place: Place,
    ) -> Iterator[Way]:
        """The ways to satisfy these schemas with one option of every choice, and what is known."""
        goals, choices, way = deque(schemas), [*choices], [*known]
        while goals:
            goal = goals.popleft()
            self._budget.spend(1 + len(way))
            if goal is True or any(goal is each for each in way):
                continue
            if goal is False:
                return
            way.append(goal)
            if not _types(way):
                return
            if "const" in goal or "enum" in goal:
                # The values are listed, so that they need only be held against everything.
                yield way
                return
            goals.extend((*self._document.targets(goal), *goal.get("allOf", ())))
            choices.extend(self._choices(goal, place))
        if not choices:
            yield way
            return
        for option in choices[0].options:
            yield from self._ways(option, choices[1:], way, place)

    def _choices(self, schema: Mapping[str, Any], place: Place) -> Iterator[_Choice]:
        """What a schema leaves open."""
        if "anyOf" in schema:
            options = [[each] for each in schema["anyOf"]]
            yield _Choice(options if place.is_rich else sorted(options, key=_weight))
        if "oneOf" in schema:
            branches: list[JSONSchema] = schema["oneOf"]
            options = [[each] for each in branches]
            alone = [
                [each, *({"not": other} for other in branches if other is not each)]
                for each in branches
            ]
            yield _Choice([*(options if place.is_rich else sorted(options, key=_weight)), *alone])
        if "not" in schema:
            broken = negations(schema["not"], self._document)
            if not any(_says(schema, each) for each in broken):
                options = [[each] for each in broken]
                # What is left to chance comes out more natural than what breaks one keyword.
                yield _Choice([[], *options] if len(options) > 1 else options)
        if "if" in schema:
            holds = [schema["if"], schema.get("then", True)]
            yield _Choice([holds, [{"not": schema["if"]}, schema.get("else", True)]])
        for name, needed in schema.get("dependentSchemas", {}).items():
            there: list[JSONSchema] = [{"required": [name]}, needed]
            left_out: list[JSONSchema] = [{"properties": {name: False}}]
            is_wished = name in schema.get("required", ())
            is_wished |= place.is_rich and name in schema.get("properties", ())
            yield _Choice([there, left_out] if is_wished else [left_out, there])

    def _candidates(self, way: Way, place: Place) -> Iterator[Any]:
        listed = [each["enum"] for each in way if "enum" in each]
        listed += [[each["const"]] for each in way if "const" in each]
        if listed:
            yield from self._listed(min(listed, key=len))
            return
        # In turns, so that what is not meant does not use up all that is tried.
        yield from in_turns(self._of_type(kind, way, place) for kind in _types(way))

    def _of_type(self, kind: str, way: Way, place: Place) -> Iterator[Any]:
        self.spend(_CANDIDATES_STEPS)
        match kind:
            case "object":
                yield from objects(way, place, self)
            case "array":
                yield from arrays(way, place, self)
            case "string":
                yield from texts(way, self.checker, self._words(place))
            case "number" | "integer":
                yield from self._numbers(way, place, whole=kind == "integer")
            case "boolean":
                yield from (True, False)
            case _:
                yield None

    def _listed(self, values: list[Any]) -> list[Any]:
        """Listed values, those first that the material has."""
        words = {word.casefold() for word in self._material.words}
        return sorted(values, key=lambda each: str(each).casefold() not in words)

    def _words(self, place: Place) -> list[str]:
        named = self._material.named.get(place.name)
        words = self._material.words or (place.name or "text",)
        start = place.index % len(words)
        rotated = [*words[start:], *words[:start]]
        return rotated if named is None else [named, *rotated]

    def _numbers(self, way: Way, place: Place, *, whole: bool) -> Iterator[float]:
        given = self._material.numbers
        start = place.index % len(given) if given else 0
        return numbers(way, [*given[start:], *given[:start]], whole=whole)


def _types(way: Way) -> list[str]:
    """The types that a value may have, those first that are most likely meant."""
    given = [each["type"] for each in way if "type" in each]
    named = [[each] if isinstance(each, str) else each for each in given]
    if not named:
        keywords = {keyword for each in way for keyword in each}
        shown = [kind for kind, signs in _SIGNS.items() if signs & keywords]
        return [*dict.fromkeys([*shown, "string", "number", *TYPES])]
    found = list(named[0])
    for names in named[1:]:
        wide = {*names, "integer"} if "number" in names else set(names)
        narrowed = [
            "integer" if kind == "number" and "number" not in wide else kind for kind in found
        ]
        found = [kind for kind in dict.fromkeys(narrowed) if kind in wide]
    return found


def _says(schema: Mapping[str, Any], other: JSONSchema) -> bool:
    """Whether a schema has all keywords of another, with the same values."""
    if isinstance(other, bool):
        return other
    return all(keyword in schema and schema[keyword] == value for keyword, value in other.items())


def _weight(option: list[JSONSchema]) -> int:
    """How much a schema asks for: a single value least, what is nested or elsewhere most."""
    schema = option[0]
    if isinstance(schema, bool) or "const" in schema or schema.get("type") == "null":
        return 0
    is_nested = schema.get("type") in ("object", "array") or "$ref" in schema
    return 2 if is_nested or "properties" in schema else 1
