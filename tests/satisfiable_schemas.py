"""JSON Schemas that are known to be satisfiable, for each is written about a value that satisfies it.

They are made by a seeded generator and not drawn keyword by keyword, which would take a hundred times as long.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from random import Random
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

Schema = dict[str, Any]

NAMES = ["name", "age", "city", "x-1", "x-2", "a/b", "äö", ""]
TEXTS = ["2026-04-24", "ada@example.com", "AB-123", "https://example.com/a", "naïve ☃", "#ff00aa", "aa1b", "abc", ""]
PATTERNS = [
    "^[a-z]*$",
    "^[A-Za-z0-9 ._@-]{0,12}$",
    r"\d",
    r"^\S+$",
    r"^[A-Z]{2}-\d{3}$",
    r"^\d{4}-(0[1-9]|1[0-2])-\d\d$",
    r"^[^@]+@[^@]+\.[a-z]{2,}$",
    "^#([0-9a-f]{2}){3}$",
    "^(?=.*[0-9])(?=.*[a-z]).{4,}$",
    "^(?!.*aa)",
    "(a|b)*c?$",
    "^$",
    "^https?://",
    "",
]


def schemas(depth: int = 1) -> st.SearchStrategy[Schema]:
    """Schemas, each with some value that satisfies it; `depth` is how deeply keywords are combined."""
    return st.integers(0, 2**32).map(lambda seed: schema_of_seed(seed, depth))


def schema_of_seed(seed: int, depth: int) -> Schema:
    random = Random(seed)
    value = _value(random, 2)
    schema = _Writer(random, plainly=depth < 2).about(value, depth)
    assert is_valid(value, schema), (value, schema)
    return schema


def is_valid(value: Any, schema: Any) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def _value(random: Random, depth: int) -> Any:
    kind = random.choice(["scalar", "array", "object", "object"]) if depth else "scalar"
    if kind == "array":
        return [_value(random, depth - 1) for _ in range(random.randrange(4))]
    if kind == "object":
        return {name: _value(random, depth - 1) for name in random.sample(NAMES, random.randrange(4))}
    number = random.choice([random.randint(-1000, 1000), random.randint(-4000, 4000) / 8])
    text = random.choice([random.choice(TEXTS), "".join(random.choices("abcXYZ012 -_.@", k=random.randrange(13)))])
    return random.choice([None, True, False, number, number, text, text, text])


class _Writer:
    """Writes schemas about values."""

    def __init__(self, random: Random, *, plainly: bool) -> None:
        self.random = random
        self._plainly = plainly
        """Whether to do without keywords that depend on what others have seen."""

    def about(self, value: Any, depth: int) -> Schema:
        """A schema that this value satisfies."""
        schema = self._plain(value, depth)
        if depth > 0:
            combine = [self._all_of, self._any_of, self._one_of, self._not, self._if, self._reference]
            for each in self.random.sample(combine, self.random.choice([0, 0, 1, 1, 2])):
                schema |= each(value, depth - 1)
        return schema

    def _other(self, depth: int) -> Schema | bool:
        """Any schema, satisfied by some value or other."""
        if self._coin(0.2):
            return self._coin()
        return self.about(_value(self.random, 1), min(depth, 1))

    def _others(self, depth: int) -> list[Schema | bool]:
        return [self._other(depth) for _ in range(self.random.randrange(3))]

    def _coin(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def _some(self, possible: Schema) -> Schema:
        return {keyword: value for keyword, value in possible.items() if self._coin(0.35)}

    def _shuffled(self, schemas: list[Any]) -> list[Any]:
        return self.random.sample(schemas, len(schemas))

    def _all_of(self, value: Any, depth: int) -> Schema:
        return {"allOf": [self.about(value, depth) for _ in range(self.random.randint(1, 2))]}

    def _any_of(self, value: Any, depth: int) -> Schema:
        return {"anyOf": self._shuffled([self.about(value, depth), *self._others(depth)])}

    def _one_of(self, value: Any, depth: int) -> Schema:
        others = [each for each in self._others(depth) if not is_valid(value, each)]
        return {"oneOf": self._shuffled([self.about(value, depth), *others])}

    def _not(self, value: Any, depth: int) -> Schema:
        other = self._other(depth)
        return {} if is_valid(value, other) else {"not": other}

    def _if(self, value: Any, depth: int) -> Schema:
        condition = self._other(depth)
        branches = {"then": self._other(depth), "else": self._other(depth)}
        branches["then" if is_valid(value, condition) else "else"] = self.about(value, depth)
        return {"if": condition, **branches}

    def _reference(self, value: Any, depth: int) -> Schema:
        target = self.about(value, depth)
        anchor = f"a{sha256(json.dumps(target).encode()).hexdigest()[:12]}"
        return {"allOf": [{"$ref": f"#{anchor}"}], "$defs": {"x": {**target, "$anchor": anchor}}}

    def _plain(self, value: Any, depth: int) -> Schema:
        random = self.random
        kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
        kind = kinds.get(type(value), "null")
        schema: Schema = {}
        if self._coin(0.7):
            schema["type"] = random.choice([kind, [kind], [kind, "null"], ["null", "string", kind]])
        if self._coin(0.1):
            schema["const"] = value
        if self._coin(0.15):
            schema["enum"] = self._shuffled([value, *(_value(random, 1) for _ in range(random.randrange(3)))])
        if kind == "string":
            return schema | self._of_text(value)
        if kind == "number":
            return schema | self._of_number(value)
        if kind == "array":
            return schema | self._of_array(value, max(depth - 1, 0))
        if kind == "object":
            return schema | self._of_object(value, max(depth - 1, 0))
        return schema

    def _of_text(self, text: str) -> Schema:
        found = [pattern for pattern in PATTERNS if re.search(pattern, text)]
        return self._some(
            {
                "minLength": self.random.randint(0, len(text)),
                "maxLength": len(text) + self.random.randint(0, 5),
                "pattern": self.random.choice([*found, "^" + re.escape(text[:3])]),
                "format": self.random.choice(["date", "email", "uuid", "made-up"]),
            }
        )

    def _of_number(self, number: float) -> Schema:
        def distance() -> float:
            return self.random.randint(1, 20) / 4

        divisors = [step for step in (7, 3, 2, 1, 0.5, 0.25, 0.125) if number % step == 0]
        possible: Schema = {
            "minimum": number - distance() * self._coin(),
            "maximum": number + distance() * self._coin(),
            "exclusiveMinimum": number - distance(),
            "exclusiveMaximum": number + distance(),
            "multipleOf": self.random.choice(divisors),
        }
        if number == int(number):
            possible["type"] = "integer"
        return self._some(possible)

    def _of_array(self, values: list[Any], depth: int) -> Schema:
        random = self.random
        possible: Schema = {
            "minItems": random.randint(0, len(values)),
            "maxItems": len(values) + random.randrange(3),
        }
        if values:
            firsts = random.randint(1, len(values))
            possible["prefixItems"] = [self.about(each, depth) for each in values[:firsts]]
            possible["contains"] = self.about(random.choice(values), depth)
            possible["uniqueItems"] = is_valid(values, {"uniqueItems": True})
        schema = self._some(possible)
        if self._coin():
            keyword = "items" if self._plainly or self._coin(0.8) else "unevaluatedItems"
            schema[keyword] = self._any(values[len(schema.get("prefixItems", ())) :], depth)
        if "contains" in schema:
            number = sum(is_valid(each, schema["contains"]) for each in values)
            schema |= self._some({"minContains": random.randint(0, number), "maxContains": number})
        return schema

    def _any(self, values: list[Any], depth: int) -> Schema | bool:
        """A schema that all of these values satisfy."""
        return {"anyOf": [self.about(each, depth) for each in values]} if values else self._coin()

    def _of_object(self, members: dict[str, Any], depth: int) -> Schema:
        random = self.random
        absent = [name for name in ("extra", "name", "x-9") if name not in members]
        properties: Schema = {name: self.about(each, depth) for name, each in members.items() if self._coin(0.7)}
        properties |= {name: self._other(depth) for name in random.sample(absent, random.randrange(2))}
        possible: Schema = {
            "required": [name for name in members if self._coin()],
            "minProperties": random.randint(0, len(members)),
            "maxProperties": len(members) + random.randrange(2),
            "propertyNames": {"maxLength": max(map(len, members), default=0)},
            "dependentRequired": {name: list(members) for name in [*members, *absent] if self._coin()},
            "dependentSchemas": {name: self._other(depth) for name in absent[:1]},
        }
        schema = {"properties": properties, **self._some(possible)}
        if self._coin(0.3):
            prefixed = any(name.startswith("x-") for name in members)
            schema["patternProperties"] = {"^x-": True if prefixed else self._other(depth)}
        if self._coin(0.4):
            others = [each for name, each in members.items() if name not in properties]
            keyword = "additionalProperties" if self._plainly or self._coin(0.8) else "unevaluatedProperties"
            schema[keyword] = self._any(others, depth)
        return schema
