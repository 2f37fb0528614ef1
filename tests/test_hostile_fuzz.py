"""Documents with something wrong at any place: a diagnostic, never another exception; and what is accepted works."""

import copy
import json
import random
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias

import pytest
from hostile import Json, document
from hostile_outcome import PATIENCE, Broke, Package, Refused, check_refusal, generated, lowered, used, within
from openresponses_codegen import pipeline, resources

VALUES: tuple[Json, ...] = (
    None, True, -1.5, "x", [None], {"x": None}, {"$ref": "#/components/schemas/Thing"},
)  # fmt: skip
KEYWORDS: dict[str, tuple[Json, ...]] = {
    "$ref": ("#/components/schemas/Status", "#/components/schemas/Outline", "#/components/schemas/Thing", 1),
    "type": ("null", "object", "array", ["string", "integer"], ["null"], [], "x", None),
    "enum": ([], [None], ["a"], ["a", 1, True, None], [1.5], [{}], "a", [0, False], ["a", "a"]),
    "const": (None, {}, [], 1.5, True, 1, "a", "", 2**70),
    "default": (None, {}, [], 1.5, True, 1, "a", -(2**70), "x" * 1000),
    "properties": ({}, {"a": {}}, {"a": True}, {"a": False}, [], {"type": {"const": "x"}}, {"type": {"const": 1}}),
    "required": ([], ["a"], ["type", "type"], [1], "a", ["model"]),
    "additionalProperties": (True, False, {}, {"type": "string"}, {"$ref": "#/components/schemas/Thing"}, 1),
    "items": ({}, True, False, [], {"type": "string", "maxLength": 1}, {"$ref": "#/components/schemas/TextPart"}),
    "allOf": ([], [{}], [{"type": "string"}], [{"$ref": "#/components/schemas/Named"}, {"description": "x"}], {}),
    "oneOf": ([], [{}], [{"type": "null"}], [{"type": "string"}, {"type": "string"}], [True], [{"type": "object"}]),
    "anyOf": ([{"enum": ["a"]}, {"type": "string"}], [{"const": "a"}, {"const": 1}], [[]], None),
    "discriminator": ({}, {"propertyName": "x"}, {"propertyName": 1}, "type", {"propertyName": "type", "mapping": []}),
    "minLength": (-1, 0, 2**63, 2**62, 1.0, "1", None, True),
    "maxLength": (0, -1, 10**20),
    "minimum": (0.5, -(2**70), 1e308, "0", True),
    "multipleOf": (0, -1, 0.1, 1e-300),
    "pattern": ("(", "(?=x)", "(?P<n>x)", "\\\\1", "[[:alpha:]]", "\\p{L}", "x{1,100000}", 1, ""),
    "minItems": (0, -1, 2**70),
    "maxProperties": (0, 1),
    "format": (1, "date-time", "uuid", "email", "binary", None),
    "x-enumDescriptions": ({}, {"a": 1}, {"red": "x"}, {"ready": "", "no": "x"}, [], "x", {"red": "x" * 5000}),
    "x-openresponses-disallowed": (True, False, 1, "x"),
    "title": ("", " ", 1, None),
    "description": ("", 1, []),
    "deprecated": (True, "x"),
    "nullable": (True,),
    "not": ({},),
}
"""Values for each keyword that are legal somewhere, wrong somewhere, or wrong everywhere."""
SITES = (
    "Thing", "Thing/properties/model", "Thing/properties/chosen", "Thing/properties/named", "Status", "Outline",
    "Round", "Answer/properties/parts", "Answer/properties/parts/items", "Answer/properties/sizes/items",
    "Answer/properties/noted", "TextPart/properties/type", "ChangedEvent",
)  # fmt: skip


def paths(content: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value of a document but the whole of it."""
    members = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from paths(value, (*path, key))


def holder(content: Json, path: tuple[str | int, ...]) -> Json:
    """What holds the last step of a path."""
    for step in path[:-1]:
        content = content[step]
    return content


class Findings:
    """What should not have happened, each with the first document that shows it."""

    def __init__(self) -> None:
        self._examples: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def try_out(self, content: Json, what: str) -> bool:
        """Whether a document is accepted; a bad refusal is noted."""
        with within(PATIENCE):
            outcome = lowered(content)
        if isinstance(outcome, Broke):
            frame = traceback.extract_tb(outcome.error.__traceback__)[-1]
            self.add(f"{type(outcome.error).__name__} in {frame.name}: {str(outcome.error)[:80]}", what)
        elif isinstance(outcome, Refused):
            try:
                check_refusal(outcome.diagnostics)
            except AssertionError as error:
                self.add(str(error), what)
        return outcome is None

    def add(self, kind: str, what: str) -> None:
        self._counts[kind] += 1
        self._examples.setdefault(kind, what)

    def check(self) -> None:
        lines = [f"{count} times {kind}, first for {self._examples[kind]}" for kind, count in self._counts.items()]
        assert not lines, "\n".join(lines)


@pytest.mark.parametrize("value", VALUES, ids=json.dumps)
def test_another_value_at_every_place(value) -> None:
    """Whatever stands anywhere instead of what belongs there, it is accepted or refused well."""
    found = Findings()
    for path in paths(document()):
        content = document()
        holder(content, path)[path[-1]] = value
        found.try_out(content, f"{json.dumps(value)} at {path}")
    found.check()


def test_nothing_at_every_place() -> None:
    """Whatever is missing anywhere, it is accepted or refused well."""
    found = Findings()
    for path in paths(document()):
        content = document()
        del holder(content, path)[path[-1]]
        found.try_out(content, f"{path} left out")
    found.check()


Change: TypeAlias = tuple[str, str, Json]
"""A site, a keyword, and its value there."""


def changed(changes: Iterable[Change]) -> Json:
    """The harmless document with further keywords at some of `SITES`, the innermost first."""
    content = document()
    for site, keyword, value in sorted(changes, key=lambda change: -change[0].count("/")):
        schema = content["components"]["schemas"]
        for step in site.split("/"):
            schema = schema[int(step) if isinstance(schema, list) else step]
        schema[keyword] = copy.deepcopy(value)
    return content


@pytest.fixture(scope="module")
def accepted() -> dict[str, list[Change]]:
    """By site, the changes that are accepted; filled by the test of each keyword."""
    return {site: [] for site in SITES}


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_every_keyword_at_every_site(accepted, keyword) -> None:
    """A keyword that does not belong to a schema, or has a wrong value, is accepted or refused well."""
    found = Findings()
    for site in SITES:
        for value in KEYWORDS[keyword]:
            if found.try_out(changed([(site, keyword, value)]), f"{json.dumps(value)[:80]} at {site}"):
                accepted[site].append((site, keyword, value))
    found.check()


def test_what_is_accepted_can_be_rendered_and_used(accepted, tmp_path) -> None:
    """Nothing is refused behind the diagnostics, and no package comes out that does not work."""
    found = Findings()
    pending = [[change for change in row if change] for row in zip_longest(*accepted.values())]
    while pending:
        packages: dict[str, tuple[Package, list[Change]]] = {}
        trouble: list[tuple[list[Change], str]] = []
        for changes in pending:
            outcome = generated(changed(changes))
            if isinstance(outcome, Package):
                packages[outcome.name] = (outcome, changes)
            else:
                trouble.append((changes, repr(outcome)[:400]))
        folder = tmp_path / str(len(pending))
        for name, what in used([package for package, _ in packages.values()], folder).items():
            trouble.append((packages[name][1], what.splitlines()[-1]))
        pending = [[change] for changes, _ in trouble if len(changes) > 1 for change in changes]
        for changes, what in trouble:
            if len(changes) == 1:
                found.add(what[:300], json.dumps(changes[0]))
    found.check()


@pytest.mark.parametrize("seed", range(2))
def test_a_release_with_something_wrong(seed) -> None:
    """The same, in the middle of a whole release of the specification."""
    release = json.loads(pipeline.load_spec(next(iter(resources.releases()))).content)
    random_ = random.Random(seed)
    found = Findings()
    every = list(paths(release))
    for path in random_.sample(every, 12):
        content = copy.deepcopy(release)
        value = random_.choice([*VALUES, "leave out"])
        if value == "leave out":
            del holder(content, path)[path[-1]]
        else:
            holder(content, path)[path[-1]] = value
        found.try_out(content, f"{json.dumps(value)} at {path}")
    found.check()
