"""Regular languages: sets of texts that can be joined, intersected and complemented.

A language is taken apart one character at a time, by Brzozowski's derivatives: what may follow once
a character was read is a language again. So matching is linear, whatever the pattern, and the
shortest text of a language is found by walking from language to language. All work is counted; who
runs out of it is stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import TypeAlias

__all__ = ["END", "START", "Budget", "BudgetSpentError", "Language", "Languages"]

START, END = 0x110000, 0x110001
"""Stand before and after a text, so that `^` and `$` have something to match."""
_LAST = 0x10FFFF
_PLEASANT = (
    ("a", "z"),
    ("A", "Z"),
    ("1", "9"),
    ("0", "0"),
    ("!", "~"),
    (" ", " "),
    ("\xa1", "\ud7ff"),
)
"""What a text is made of where there is a choice, the best first."""
_SURROGATES = range(0xD800, 0xE000)

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Code points, as ranges that hold both their ends, in order and apart from each other."""


class BudgetSpentError(Exception):
    """There was more work to do than was allowed."""


class Budget:
    """Counts work, so that nobody's schema keeps the server busy.

    Args:
        steps: How much may be done; a step takes a few microseconds.
    """

    __slots__ = ("_left",)

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Count work. Raises `BudgetSpentError` when there was too much of it."""
        self._left -= steps
        if self._left < 0:
            raise BudgetSpentError


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A set of texts. Two are equal when they are the same object; `Languages` makes them."""

    kind: str
    parts: tuple[Language, ...]
    ranges: Ranges
    counts: tuple[int, int | None]
    has_empty: bool
    """Whether the empty text is in it."""
    number: int


class Languages:
    """Makes languages, each once, and looks into them.

    Args:
        budget: What the work is taken from.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._made: dict[object, Language] = {}
        self._derived: dict[tuple[Language, int], Language] = {}
        self._borders: dict[Language, frozenset[int]] = {}
        self.nothing = self._make("none")
        """Without any text."""
        self.empty = self._make("empty", has_empty=True)
        """With the empty text alone."""
        self.character = self.one_of([(0, _LAST)])
        """Every text of one character."""
        self.text = self.repeated(self.character)
        """Every text, without `START` and `END`."""
        self.all = self.other(self.nothing)
        """Everything there is, those two at any place included."""

    def one_of(self, ranges: Iterable[tuple[int, int]]) -> Language:
        """The texts of one character out of these ranges."""
        joined = _joined(ranges)
        return self._make("one", ranges=joined) if joined else self.nothing

    def literal(self, text: str) -> Language:
        """This text alone."""
        return self.sequence(self.one_of([(ord(each), ord(each))]) for each in text)

    def sequence(self, parts: Iterable[Language]) -> Language:
        """A text of each, one after the other."""
        return reduce(lambda after, part: self.then(part, after), [*parts][::-1], self.empty)

    def then(self, first: Language, second: Language) -> Language:
        """A text of the first, and one of the second after it."""
        if self.nothing in (first, second):
            return self.nothing
        if first is self.empty:
            return second
        if second is self.empty:
            return first
        if first.kind == "then":
            return self.then(first.parts[0], self.then(first.parts[1], second))
        has_empty = first.has_empty and second.has_empty
        return self._make("then", (first, second), has_empty=has_empty)

    def repeated(self, part: Language, least: int = 0, most: int | None = None) -> Language:
        """So many texts of a language, one after the other."""
        if most is not None and most < least:
            return self.nothing
        if most == 0 or part is self.empty:
            return self.empty
        if part is self.nothing:
            return self.empty if least == 0 else part
        if (least, most) == (1, 1):
            return part
        return self._make(
            "repeated", (part,), counts=(least, most), has_empty=least == 0 or part.has_empty
        )

    def either(self, *parts: Language) -> Language:
        """The texts of any."""
        members = {each for part in parts for each in _members(part, "either")} - {self.nothing}
        if self.all in members:
            return self.all
        has_empty = any(each.has_empty for each in members)
        return self._joint("either", members, self.nothing, has_empty=has_empty)

    def both(self, *parts: Language) -> Language:
        """The texts that are in all."""
        members = {each for part in parts for each in _members(part, "both")} - {self.all}
        if self.nothing in members:
            return self.nothing
        has_empty = all(each.has_empty for each in members)
        return self._joint("both", members, self.all, has_empty=has_empty)

    def other(self, part: Language) -> Language:
        """The texts that are not in it."""
        if part.kind == "other":
            return part.parts[0]
        return self._make("other", (part,), has_empty=not part.has_empty)

    def after(self, language: Language, character: int) -> Language:
        """What may follow in a language once a character was read."""
        found = self._derived.get((language, character))
        if found is None:
            self._budget.spend(1 + len(language.parts))
            found = self._derived[language, character] = self._derive(language, character)
        return found

    def started(self, language: Language) -> Language:
        """What comes after the `START` of a language; another one never comes."""
        return self._without_start(self.after(language, START), {})

    def holds(self, language: Language, text: str) -> bool:
        """Whether a text, with its `END`, is in a language."""
        for character in (*map(ord, text), END):
            language = self.after(language, character)
        return language.has_empty

    def texts(self, language: Language) -> Iterator[str]:
        """Texts that are in a language together with their `END`, shorter ones first."""
        while (text := self._shortest(language)) is not None:
            yield text
            marked = (*map(ord, text), END)
            known = self.sequence(self.one_of([(each, each)]) for each in marked)
            language = self.both(language, self.other(known))

    def _without_start(self, language: Language, known: dict[Language, Language]) -> Language:
        if language in known:
            return known[language]
        parts = [self._without_start(part, known) for part in language.parts]
        match language.kind:
            case "one":
                found = self.nothing if language.ranges == ((START, START),) else language
            case "then":
                found = self.then(*parts)
            case "repeated":
                found = self.repeated(parts[0], *language.counts)
            case "either":
                found = self.either(*parts)
            case "both":
                found = self.both(*parts)
            case "other":
                found = self.other(*parts)
            case _:
                found = language
        known[language] = found
        return found

    def _shortest(self, language: Language) -> str | None:
        reached: dict[Language, tuple[Language, str] | None] = {language: None}
        waiting = deque([(language, 0)])
        while waiting:
            current, length = waiting.popleft()
            if self.after(current, END).has_empty:
                return _path(reached, current)
            for character in self._choices(current, length):
                following = self.after(current, character)
                if following is not self.nothing and following not in reached:
                    reached[following] = (current, chr(character))
                    waiting.append((following, length + 1))
        return None

    def _choices(self, language: Language, position: int) -> list[int]:
        """One character for each way to go on, the most pleasant first."""
        borders = sorted({0, *self._borders_of(language), _LAST + 1})
        ranges = pairwise(borders)
        best = [_pleasant(low, high - 1, position) for low, high in ranges if low <= _LAST]
        return [character for _, character in sorted(each for each in best if each is not None)]

    def _borders_of(self, language: Language) -> frozenset[int]:
        """Where ranges of characters begin after which a language goes on in the same way."""
        found = self._borders.get(language)
        if found is None:
            self._budget.spend()
            parts = language.parts
            if language.kind == "then" and not parts[0].has_empty:
                parts = parts[:1]
            own = {border for low, high in language.ranges for border in (low, high + 1)}
            found = frozenset(own).union(*map(self._borders_of, parts))
            self._borders[language] = found
        return found

    def _derive(self, language: Language, character: int) -> Language:
        parts = language.parts
        match language.kind:
            case "one":
                is_in = any(low <= character <= high for low, high in language.ranges)
                return self.empty if is_in else self.nothing
            case "then":
                first, second = parts
                rest = self.then(self.after(first, character), second)
                return self.either(rest, self.after(second, character)) if first.has_empty else rest
            case "repeated":
                least, most = language.counts
                fewer = self.repeated(
                    parts[0], max(least - 1, 0), None if most is None else most - 1
                )
                return self.then(self.after(parts[0], character), fewer)
            case "either":
                return self.either(*(self.after(part, character) for part in parts))
            case "both":
                return self.both(*(self.after(part, character) for part in parts))
            case "other":
                return self.other(self.after(parts[0], character))
            case _:
                return self.nothing

    def _joint(
        self, kind: str, members: set[Language], none: Language, *, has_empty: bool
    ) -> Language:
        if not members:
            return none
        if len(members) == 1:
            return members.pop()
        parts = tuple(sorted(members, key=lambda each: each.number))
        return self._make(kind, parts, has_empty=has_empty)

    def _make(
        self,
        kind: str,
        parts: tuple[Language, ...] = (),
        ranges: Ranges = (),
        counts: tuple[int, int | None] = (1, 1),
        *,
        has_empty: bool = False,
    ) -> Language:
        key = (kind, parts, ranges, counts)
        self._budget.spend(1 + len(parts))
        made = self._made.get(key)
        if made is None:
            made = Language(kind, parts, ranges, counts, has_empty, len(self._made))
            self._made[key] = made
        return made


def _members(language: Language, kind: str) -> tuple[Language, ...]:
    return language.parts if language.kind == kind else (language,)


def _joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same code points in order, with ranges that touch made one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def _pleasant(low: int, high: int, position: int) -> tuple[int, int] | None:
    """The best character of a range and how good it is, less being better.

    They change with the position, so that texts look like `abc` and `123`. Half a surrogate pair is
    no character.
    """
    for rank, (first, last) in enumerate(_PLEASANT):
        begin, end = max(low, ord(first)), min(high, ord(last))
        if begin <= end:
            wanted = ord(first) + position % (ord(last) - ord(first) + 1)
            return rank, wanted if begin <= wanted <= end else begin
    if low in _SURROGATES:
        low = _SURROGATES.stop
    return (len(_PLEASANT), low) if low <= high else None


def _path(reached: dict[Language, tuple[Language, str] | None], language: Language) -> str:
    """The characters that were read on the way to a language."""
    path: list[str] = []
    while (step := reached[language]) is not None:
        language, character = step
        path.append(character)
    return "".join(reversed(path))
