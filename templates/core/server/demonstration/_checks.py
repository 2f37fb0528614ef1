"""Whether a value satisfies a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

from ._languages import Budget, Language, Languages
from ._patterns import UnsupportedPatternError, language_of
from ._schemas import Document, InvalidSchemaError, JSONSchema, key_of, type_of

__all__ = ["Checker", "exact"]


def exact(number: float) -> Fraction:
    """A number as it was written, and not as its nearest binary fraction."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


class Checker:
    """Holds values against the schemas of a document.

    Args:
        document: Where the schemas are from.
        budget: What the work is taken from.
    """

    def __init__(self, document: Document, budget: Budget) -> None:
        self.languages = Languages(budget)
        self._document = document
        self._budget = budget
        self._patterns: dict[str, Language] = {}
        self._enums: dict[int, frozenset[object]] = {}

    def pattern(self, pattern: str) -> Language:
        """The texts that a pattern is found in. Raises `InvalidSchemaError`."""
        found = self._patterns.get(pattern)
        if found is None:
            try:
                found = language_of(pattern, self.languages)
            except UnsupportedPatternError as error:
                message = f"the pattern {pattern[:100]!r} cannot be read: {error}"
                raise InvalidSchemaError(message) from None
            self._patterns[pattern] = found
        return found

    def matches(self, pattern: str, text: str) -> bool:
        """Whether a pattern is found in a text."""
        self._budget.spend(1 + len(text))
        return self.languages.holds(self.pattern(pattern), text)

    def satisfies(self, value: object, schema: JSONSchema) -> bool:
        """Whether a value satisfies a schema.

        Raises `BudgetSpentError`, and `InvalidSchemaError` for a pattern that cannot be read.
        """
        self._budget.spend()
        if isinstance(schema, bool):
            return schema
        return (
            self._has_type(value, schema)
            and self._is_listed(value, schema)
            and self._fits(value, schema)
            and self._is_combined(value, schema)
        )

    def satisfies_all(self, value: object, schemas: Sequence[JSONSchema]) -> bool:
        """Whether a value satisfies every one of these schemas."""
        return all(self.satisfies(value, schema) for schema in schemas)

    def _has_type(self, value: object, schema: Mapping[str, Any]) -> bool:
        if "type" not in schema:
            return True
        wanted = schema["type"]
        names = [wanted] if isinstance(wanted, str) else wanted
        if type_of(value) in names:
            return True
        if "integer" not in names or isinstance(value, bool):
            return False
        return isinstance(value, (int, float)) and value % 1 == 0

    def _is_listed(self, value: object, schema: Mapping[str, Any]) -> bool:
        if "const" in schema and key_of(value) != key_of(schema["const"]):
            return False
        return "enum" not in schema or key_of(value) in self._keys(schema["enum"])

    def _keys(self, values: list[object]) -> frozenset[object]:
        found = self._enums.get(id(values))
        if found is None:
            self._budget.spend(len(values))
            found = self._enums[id(values)] = frozenset(map(key_of, values))
        return found

    def _fits(self, value: object, schema: Mapping[str, Any]) -> bool:
        match type_of(value):
            case "string":
                return self._fits_text(cast("str", value), schema)
            case "number":
                return _fits_number(cast("float", value), schema)
            case "array":
                return self._fits_array(cast("list[object]", value), schema)
            case "object":
                return self._fits_object(cast("dict[str, object]", value), schema)
            case _:
                return True

    def _fits_text(self, text: str, schema: Mapping[str, Any]) -> bool:
        if not _is_between(len(text), schema, "Length"):
            return False
        return "pattern" not in schema or self.matches(schema["pattern"], text)

    def _fits_array(self, values: list[object], schema: Mapping[str, Any]) -> bool:
        if not _is_between(len(values), schema, "Items"):
            return False
        if schema.get("uniqueItems") and len(set(map(key_of, values))) < len(values):
            return False
        firsts: list[JSONSchema] = schema.get("prefixItems", [])
        if not all(map(self.satisfies, values, firsts)):
            return False
        if "items" in schema:
            rest = values[len(firsts) :]
            if not all(self.satisfies(each, schema["items"]) for each in rest):
                return False
        if "contains" in schema:
            number = sum(self.satisfies(each, schema["contains"]) for each in values)
            if not schema.get("minContains", 1) <= number <= schema.get("maxContains", number):
                return False
        if "unevaluatedItems" not in schema:
            return True
        seen = self._seen_items(values, schema)
        rest = [each for index, each in enumerate(values) if index not in seen]
        return all(self.satisfies(each, schema["unevaluatedItems"]) for each in rest)

    def _fits_object(self, members: dict[str, object], schema: Mapping[str, Any]) -> bool:
        if not _is_between(len(members), schema, "Properties"):
            return False
        if not all(self.satisfies(name, schema.get("propertyNames", True)) for name in members):
            return False
        for name, value in members.items():
            if not self.satisfies_all(value, self.of_member(name, schema)):
                return False
        if not self._has_required(members, schema):
            return False
        if "unevaluatedProperties" not in schema:
            return True
        rest = members.keys() - self._seen_members(members, schema)
        other = schema["unevaluatedProperties"]
        return all(self.satisfies(members[name], other) for name in sorted(rest))

    def _has_required(self, members: dict[str, object], schema: Mapping[str, Any]) -> bool:
        if not members.keys() >= set(schema.get("required", ())):
            return False
        for name, needed in schema.get("dependentRequired", {}).items():
            if name in members and not members.keys() >= set(needed):
                return False
        schemas = schema.get("dependentSchemas", {}).items()
        return self.satisfies_all(members, [each for name, each in schemas if name in members])

    def of_member(self, name: str, schema: Mapping[str, Any]) -> list[JSONSchema]:
        """The schemas for a member of an object, out of the schema of the object."""
        found = [schema["properties"][name]] if name in schema.get("properties", ()) else []
        for pattern, each in schema.get("patternProperties", {}).items():
            if self.matches(pattern, name):
                found.append(each)
        if not found and "additionalProperties" in schema:
            return [schema["additionalProperties"]]
        return found

    def _is_combined(self, value: object, schema: Mapping[str, Any]) -> bool:
        if not self.satisfies_all(value, self._document.targets(schema)):
            return False
        if not self.satisfies_all(value, schema.get("allOf", ())):
            return False
        if "anyOf" in schema and not any(self.satisfies(value, each) for each in schema["anyOf"]):
            return False
        if "oneOf" in schema and sum(self.satisfies(value, each) for each in schema["oneOf"]) != 1:
            return False
        if "not" in schema and self.satisfies(value, schema["not"]):
            return False
        if "if" not in schema:
            return True
        branch = "then" if self.satisfies(value, schema["if"]) else "else"
        return self.satisfies(value, schema.get(branch, True))

    def _in_place(self, value: object, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The schemas for the same value that are in a schema and are satisfied."""
        inner: list[JSONSchema] = [*self._document.targets(schema)]
        for keyword in ("allOf", "anyOf", "oneOf"):
            inner += schema.get(keyword, ())
        if "if" in schema:
            is_then = self.satisfies(value, schema["if"])
            inner += [schema["if"], schema.get("then" if is_then else "else", True)]
        if type_of(value) == "object":
            members = cast("dict[str, object]", value)
            needed = schema.get("dependentSchemas", {}).items()
            inner += [each for name, each in needed if name in members]
        found = [each for each in inner if not isinstance(each, bool)]
        return [each for each in found if self.satisfies(value, each)]

    def _seen_members(self, members: dict[str, object], schema: Mapping[str, Any]) -> set[str]:
        """The members that `unevaluatedProperties` is not about."""
        if "additionalProperties" in schema:
            return set(members)
        seen = {name for name in members if self.of_member(name, schema)}
        for each in self._in_place(members, schema):
            seen |= self._seen_members(members, each)
            if "unevaluatedProperties" in each:
                return set(members)
        return seen

    def _seen_items(self, values: list[object], schema: Mapping[str, Any]) -> set[int]:
        """The positions that `unevaluatedItems` is not about."""
        everything = set(range(len(values)))
        if "items" in schema:
            return everything
        seen = set(range(len(schema.get("prefixItems", ()))))
        if "contains" in schema:
            contained = schema["contains"]
            seen |= {at for at in everything if self.satisfies(values[at], contained)}
        for each in self._in_place(values, schema):
            seen |= self._seen_items(values, each)
            if "unevaluatedItems" in each:
                return everything
        return seen


def _is_between(size: int, schema: Mapping[str, Any], what: str) -> bool:
    least: float = schema.get(f"min{what}", 0)
    most: float = schema.get(f"max{what}", size)
    return least <= size <= most


def _fits_number(number: float, schema: Mapping[str, Any]) -> bool:
    if "minimum" in schema and number < schema["minimum"]:
        return False
    if "maximum" in schema and number > schema["maximum"]:
        return False
    if "exclusiveMinimum" in schema and number <= schema["exclusiveMinimum"]:
        return False
    if "exclusiveMaximum" in schema and number >= schema["exclusiveMaximum"]:
        return False
    if "multipleOf" not in schema:
        return True
    return (exact(number) / exact(schema["multipleOf"])).denominator == 1
