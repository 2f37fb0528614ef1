"""I-Regexp (RFC 9485) in time that is linear in the text: a pattern of a stranger cannot take forever.

The pattern becomes a small program whose steps are followed side by side, one character of the text after the other,
as Ken Thompson showed (Regular Expression Search Algorithm, 1968). `^` and `$` are ends of the text, which the
compliance tests of JSONPath expect though RFC 9485 does not name them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias, final

from iregexp_check import check

from openresponses_codegen.overlay.draft import LimitError, Meter

MAX_PATTERN: Final = 1000
"""Characters of a pattern."""
_MAX_PROGRAM = 5000
_MAX_PROGRAMS = 64

_NUMBER = re.compile("(?<=[{,])[0-9]+(?=[,}])")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_Test: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Repeated:
    body: _Part
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class _Choice:
    branches: tuple[tuple[_Part, ...], ...]


@dataclass(frozen=True, slots=True)
class _End:
    is_start: bool


@dataclass(frozen=True, slots=True)
class _Split:
    """Go on at each of these places of the program."""

    ways: tuple[int, ...]


_Part: TypeAlias = "_Test | _Repeated | _Choice | _End"
_Step: TypeAlias = "_Test | _Split | _End | None"


@final
class Patterns:
    """The patterns of an overlay's queries, each understood once while it is in use."""

    def __init__(self, meter: Meter) -> None:
        """Take what counts the steps."""
        self._meter: Final = meter
        self._programs: dict[str, _Program | None] = {}

    def fits(self, pattern: str, text: str, *, whole: bool) -> bool:
        """Whether the whole text, or a part of it, is what the pattern describes; never, if it is no I-Regexp.

        Raises LimitError for a pattern that is too large, and when the steps are used up.
        """
        if pattern not in self._programs:
            if len(self._programs) == _MAX_PROGRAMS:
                self._programs.clear()
            self._programs[pattern] = self._understood(pattern)
        program = self._programs[pattern]
        return program is not None and program.runs(text, self._meter, whole=whole)

    def _understood(self, pattern: str) -> _Program | None:
        if len(pattern) > MAX_PATTERN:
            raise LimitError(f"a pattern is longer than {MAX_PATTERN:,} characters", "write a shorter one")
        if not check(_NUMBER.sub("1", pattern)):  # it knows numbers of one digit only
            return None
        program = _Program(_Parser(pattern).choice())
        self._meter.spend(program.effort)
        return program


@final
class _Parser:
    """Reads a pattern that is known to be an I-Regexp."""

    def __init__(self, pattern: str) -> None:
        self._left = list(reversed(pattern))

    def choice(self) -> _Choice:
        branches: list[list[_Part]] = [[]]
        while self._left and self._left[-1] != ")":
            if self._left[-1] == "|":
                self._left.pop()
                branches.append([])
            else:
                branches[-1].append(self._quantified(self._atom()))
        return _Choice(tuple(map(tuple, branches)))

    def _atom(self) -> _Part:
        match character := self._left.pop():
            case "(":
                inner = self.choice()
                self._left.pop()
                return inner
            case "^" | "$":
                return _End(character == "^")
            case ".":
                return lambda found: found not in "\n\r"
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case _:
                return character.__eq__

    def _escape(self) -> _Test:
        character = self._left.pop()
        if character not in "pP":
            return _ESCAPED.get(character, character).__eq__
        self._left.pop()
        category = self._until("}")
        wanted = character == "p"
        return lambda found: unicodedata.category(found).startswith(category) is wanted

    def _until(self, end: str) -> str:
        text = ""
        while (character := self._left.pop()) != end:
            text += character
        return text

    def _class(self) -> _Test:
        negated = self._left[-1] == "^"
        if negated:
            self._left.pop()
        tests: list[_Test] = []
        while (character := self._left.pop()) != "]":
            if character == "\\" and self._left[-1] in "pP":
                tests.append(self._escape())
                continue
            first = self._single(character)
            if self._left[-1] == "-" and self._left[-2] != "]":
                self._left.pop()
                tests.append(_between(first, self._single(self._left.pop())))
            else:
                tests.append(first.__eq__)
        return lambda found: any(test(found) for test in tests) is not negated

    def _single(self, character: str) -> str:
        if character != "\\":
            return character
        escaped = self._left.pop()
        return _ESCAPED.get(escaped, escaped)

    def _quantified(self, part: _Part) -> _Part:
        match self._left[-1] if self._left else "":
            case "*":
                repeated = _Repeated(part, 0, None)
            case "+":
                repeated = _Repeated(part, 1, None)
            case "?":
                repeated = _Repeated(part, 0, 1)
            case "{":
                least, comma, most = self._until("}")[1:].partition(",")
                return _Repeated(part, int(least), int(most) if most else None if comma else int(least))
            case _:
                return part
        self._left.pop()
        return repeated


def _between(first: str, last: str) -> _Test:
    return lambda found: first <= found <= last


@final
class _Program:
    """Steps; None is the end, where the text fits."""

    def __init__(self, pattern: _Choice) -> None:
        self._steps: list[_Step] = []
        self.effort = 0
        self._write(pattern)
        self._steps.append(None)

    def _write(self, part: _Part) -> None:
        self.effort += 1
        if self.effort > _MAX_PROGRAM:
            raise LimitError("a pattern repeats too much", "write smaller numbers in its braces")
        if isinstance(part, _Repeated):
            self._write_repeated(part)
        elif isinstance(part, _Choice):
            self._write_choice(part)
        else:
            self._steps.append(part)

    def _write_choice(self, choice: _Choice) -> None:
        if len(choice.branches) == 1:
            for part in choice.branches[0]:
                self._write(part)
            return
        ways: list[int] = []
        ends: list[int] = []
        split = self._reserve()
        for branch in choice.branches:
            ways.append(len(self._steps))
            for part in branch:
                self._write(part)
            ends.append(self._reserve())
        self._steps[split] = _Split(tuple(ways))
        for end in ends:
            self._steps[end] = _Split((len(self._steps),))

    def _write_repeated(self, repeated: _Repeated) -> None:
        for _ in range(repeated.least):
            self._write(repeated.body)
        if repeated.most is None:
            split = self._reserve()
            self._write(repeated.body)
            self._steps.append(_Split((split,)))
            self._steps[split] = _Split((split + 1, len(self._steps)))
            return
        splits: list[int] = []
        for _ in range(repeated.most - repeated.least):
            splits.append(self._reserve())
            self._write(repeated.body)
        for split in splits:
            self._steps[split] = _Split((split + 1, len(self._steps)))

    def _reserve(self) -> int:
        self._steps.append(None)
        return len(self._steps) - 1

    def runs(self, text: str, meter: Meter, *, whole: bool) -> bool:
        """Whether one way through the steps fits the text."""
        states = self._reached([0], at_start=True, at_end=not text)
        for index, character in enumerate(text):
            if not whole and None in map(self._steps.__getitem__, states):
                return True
            meter.spend(1 + len(states))
            following = [state + 1 for state in states if callable(test := self._steps[state]) and test(character)]
            if not whole:
                following.append(0)
            elif not following:
                return False
            states = self._reached(following, at_start=False, at_end=index + 1 == len(text))
        return None in map(self._steps.__getitem__, states)

    def _reached(self, states: Iterable[int], *, at_start: bool, at_end: bool) -> set[int]:
        """The steps that are come to from here without another character."""
        reached: set[int] = set()
        ahead = list(states)
        while ahead:
            state = ahead.pop()
            if state in reached:
                continue
            reached.add(state)
            step = self._steps[state]
            if isinstance(step, _Split):
                ahead.extend(step.ways)
            elif isinstance(step, _End) and (at_start if step.is_start else at_end):
                ahead.append(state + 1)
        return reached
