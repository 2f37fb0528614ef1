"""Whatever a text of a document says, wherever it stands: it stays text, or the document is refused.

Every text is put in every place. One document shows all places that accept it, so that rendering takes no more than
minutes; a place that refuses it does so in a document of its own.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

import pytest
from hostile import IDENTIFIERS, INERT, PLACES, PROSE, STRICT, VALUES, Json, Place, document
from hostile_outcome import (
    MARKER,
    Broke,
    Outcome,
    Package,
    Refused,
    calls,
    check_refusal,
    generated,
    lowered,
    said,
    skeleton,
    used,
    words,
)
from hostile_texts import NAMES, TEXTS
from openresponses_codegen.render.verify import UnsafeSourceError, verify
from openresponses_codegen.text import docstring, docstring_body, literal

ALL_TEXTS = {**TEXTS, **NAMES}
BY_NAME = {place.name: place for place in PLACES}
PACKS = tuple(dict.fromkeys(place.pack for place in PLACES))


def texts_of(place: Place) -> Iterable[str]:
    """What stands for names goes where names stand; the rest goes everywhere."""
    return ALL_TEXTS if place in IDENTIFIERS else TEXTS


CASES = [
    pytest.param(place.name, text, id=f"{place.name}-{text}")
    for place in (*PROSE, *VALUES, *IDENTIFIERS)
    for text in texts_of(place)
]
PACK_CASES = [
    pytest.param(pack, text, id=f"{pack}-{text}")
    for pack in PACKS
    if pack != "strict"
    for text in texts_of(next(place for place in PLACES if place.pack == pack))
]


@dataclass
class Study:
    """What came of every case."""

    harmless: Package
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    """By place and text."""
    packages: dict[tuple[str, str], list[Package]] = field(default_factory=dict)
    """By pack and text."""
    trouble: dict[str, str] = field(default_factory=dict)
    """What went wrong when a package was used, by its name."""

    @cached_property
    def skeletons(self) -> dict[str, dict[str, str]]:
        """The shape of each harmless module."""
        return {module: skeleton(self.harmless.source(module)) for module in self.harmless.modules}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    harmless = generated(document())
    assert isinstance(harmless, Package)
    found = Study(harmless)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("arena"))
        for text in ALL_TEXTS:
            for pack in PACKS:
                _study(found, [place for place in PLACES if place.pack == pack and text in texts_of(place)], text)
    packages = [harmless, *(package for made in found.packages.values() for package in made)]
    probes = {id(package): _probes(*case) for case, made in found.packages.items() for package in made}
    found.trouble = used(packages, tmp_path_factory.mktemp("packages"), lambda package: probes.get(id(package), {}))
    return found


def _study(study: Study, places: list[Place], text: str) -> None:
    """Put a text in as many places of one document as accept it, and find out what the others say to it."""
    accepting = [place for group in _accepting(study, places, text) for place in group]
    pending = [accepting] if accepting else []
    while pending:
        group = pending.pop()
        outcome = generated(_with(group, text))
        if Path(MARKER).exists():
            Path(MARKER).unlink()
            outcome = Broke(AssertionError("the generator executed text of the document"))
        if isinstance(outcome, Package):
            study.packages.setdefault((group[0].pack, text), []).append(outcome)
        elif len(group) > 1:
            pending += _halves(group)
            continue
        study.outcomes |= {(place.name, text): outcome for place in group}


def _accepting(study: Study, places: list[Place], text: str) -> Iterator[list[Place]]:
    """The places that a document can hold a text in; the outcome of each other is noted."""
    outcome = lowered(_with(places, text)) if places else None
    if outcome is None:
        yield places
    elif len(places) == 1:
        study.outcomes[places[0].name, text] = outcome
    else:
        for half in _halves(places):
            yield from _accepting(study, half, text)


def _halves(places: list[Place]) -> list[list[Place]]:
    middle = len(places) // 2
    return [places[:middle], places[middle:]]


def _with(places: list[Place], text: str) -> Json:
    content = document()
    for place in places:
        place.put(content, ALL_TEXTS[text])
    return content


def _probes(pack: str, text: str) -> dict[str, object]:
    """Objects that have to be read and written unchanged: those that hold the text as a name."""
    wire = ALL_TEXTS[text]
    named = {"first": "x", wire: "y"}
    return {"Named": named, "NamedAnswer": named, "Round": {wire: "round"}} if pack == "names" else {}


def test_the_places_hold_what_they_are_said_to_hold(study) -> None:
    """Protects the other tests: each place is really where it is looked for."""
    assert study.trouble.get(study.harmless.name) is None
    for place in (*VALUES, *IDENTIFIERS[:-1]):
        assert place.instead in place.found(study.harmless), place.name
    for place in PROSE:
        assert all(place.found(study.harmless)), place.name
    assert len(CASES) > 1500


@pytest.mark.parametrize(("name", "text"), CASES)
def test_a_text_stays_text_or_is_refused(study, name, text) -> None:
    """A description is in its docstring and a value in its literal, to the letter; else there is a clear refusal."""
    place, outcome = BY_NAME[name], study.outcomes[name, text]
    if not isinstance(outcome, Package):
        check(outcome, text)
    elif place in PROSE:
        raw = ALL_TEXTS[text]
        # The text of an enum's value is one line of a list.
        expected = said(words(raw) if "value" in name else raw)
        for docstring in place.found(outcome):
            assert not expected or expected in words(docstring or "")
    else:
        wanted = [ALL_TEXTS[text] if each == place.instead else each for each in place.found(study.harmless)]
        assert place.found(outcome) == wanted


def check(outcome: Outcome, text: str) -> None:
    """Hold a refusal against what a refusal has to be."""
    if isinstance(outcome, Broke):
        raise outcome.error
    assert isinstance(outcome, Refused)
    check_refusal(outcome.diagnostics, anywhere="surrogate" in text)


@pytest.mark.parametrize("place", [*INERT, *STRICT], ids=lambda place: place.name)
def test_a_text_that_is_not_printed_does_no_harm(study, place) -> None:
    """Where a text is set aside, there is a package; where it is not understood, there is a clear refusal."""
    for text in texts_of(place):
        outcome = study.outcomes[place.name, text]
        if not isinstance(outcome, Package):
            check(outcome, text)
        assert place not in STRICT or isinstance(outcome, Refused), "what is not understood is refused"


@pytest.mark.parametrize(("pack", "text"), PACK_CASES)
def test_the_output_has_the_shape_of_the_harmless_one(study, pack, text) -> None:
    """No text adds, takes away or changes a statement: the syntax trees differ in strings only."""
    named = {"Named", "NamedAnswer", "EndedEvent", "Round", "Square", "ImportFrom"} if pack == "names" else set()
    for package in study.packages.get((pack, text), ()):
        for module in package.modules:
            if package.source(module) == study.harmless.source(module):
                continue
            wanted, found = study.skeletons[module], skeleton(package.source(module))
            if pack == "schema":
                found = {
                    name.replace(ALL_TEXTS[text], "Renamed"): dump.replace(f"'{ALL_TEXTS[text]}'", "'Renamed'")
                    for name, dump in found.items()
                }
            assert found.keys() == wanted.keys()
            assert {name for name, dump in found.items() if dump != wanted[name]} <= named
            assert calls(package.tree(module)) <= calls(study.harmless.tree(module)) | {"Field", "TypedDict"}


@pytest.mark.parametrize(("pack", "text"), PACK_CASES)
def test_the_output_works_and_executes_nothing(study, pack, text) -> None:
    """Each package is imported and used in a process of its own; hostile text that runs would leave a file."""
    for package in study.packages.get((pack, text), ()):
        assert package.name not in study.trouble, study.trouble[package.name]


def test_every_short_run_of_quotes_and_backslashes() -> None:
    """No mixture of what ends or escapes a string gets out of a docstring, a part of one, or a literal."""
    for length in range(1, 6):
        for characters in product('"\\\n x', repeat=length):
            raw = "".join(characters)
            assert ast.literal_eval(literal(raw)) == raw
            for source in (docstring(raw), docstring(raw, 4), docstring(raw, 90)):
                assert words(ast.literal_eval(source)) == said(raw)
            for source in (f'"""A {docstring_body(raw)}, b."""', f'"""A\n\n{docstring_body(raw)}\n\nB"""'):
                assert said(raw) in words(ast.literal_eval(source))


SMUGGLED = (
    "open('x')", "import os", "from os import system", "from .os import system", "from ..models import x",
    "from models import x", "from typing import *", "x = open('x')", "x: int = open('x')", "x: open('x') = 1",
    "class A(open('x')):\n    pass", "class A(metaclass=M):\n    pass", "@open\nclass A:\n    pass",
    "class A:\n    open('x')", "class A:\n    x = open('x')", "class A:\n    x: int = open('x')",
    "class A:\n    x: open('x')", "class A:\n    x: int = Field(default_factory=open)",
    "class A:\n    def f(self, x=open('x')): ...", "class A:\n    @open\n    def f(self): ...",
    "class A:\n    def f(self, x: open('x')): ...", "class A:\n    class B:\n        x = open('x')",
    "class A:\n    for x in y: pass", "class A:\n    import os", "class A:\n    x = [open(y) for y in z]",
    "def parse_event(x=open('x')): ...", "@open\ndef parse_event(): ...", "def parse_event() -> open('x'): ...",
    "def other(): ...", "async def parse_event(): ...", "if TYPE_CHECKING:\n    open('x')", "if x:\n    pass",
    "while x:\n    pass", "for x in y:\n    pass", "with x:\n    pass", "try:\n    pass\nfinally:\n    pass", "del x",
    "assert open('x')", "raise x", "x = lambda: 1", "x = f'{open(1)}'", "x = (y := 1)", "x = a.b()", "x = a[open(1)]",
    "x = open(1).fromkeys()", "x = dict.fromkeys(open(1))", "x = dict(a=open(1))", "x = Tagged(open(1))", "x += 1",
    "x.y = 1", "x[0] = 1", "x, y = 1, 2", "match x:\n    case 1: pass", "1", "'''a'''\nopen(1)", "x = `a`", "x = \0",
)  # fmt: skip


@pytest.mark.parametrize("source", SMUGGLED)
def test_the_last_check_finds_what_was_smuggled_in(source) -> None:
    """Should a template ever print text bare: whatever would run when the module is imported is found."""
    with pytest.raises(UnsafeSourceError):
        verify("models.py", source)
