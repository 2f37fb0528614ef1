"""Regular expressions of JSON Schema, read as languages.

What most patterns are written with is read: classes and escapes, groups, alternatives, counts,
anchors, and lookaheads outside of what is repeated without end. Back references, lookbehinds, word
boundaries and properties of Unicode are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ._languages import END, START, Language, Languages

__all__ = ["UnsupportedPatternError", "language_of"]

_LAST = 0x10FFFF
_MOST_CHARACTERS = 2_000
_MOST_COUNT = 10_000
_MOST_UNROLLED = 20
_DIGITS = [(0x30, 0x39)]
_WORD = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACES = [
    *((9, 13), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
]
_LINE_ENDS = [(10, 10), (13, 13), (0x2028, 0x2029)]

Ranges: TypeAlias = list[tuple[int, int]]
Piece: TypeAlias = Callable[[Language], Language]
"""A part of a pattern: what it is together with what comes after it."""


class UnsupportedPatternError(ValueError):
    """A pattern is none, or is written with something that is not read."""


def language_of(pattern: str, languages: Languages) -> Language:
    """The texts, each with its `END`, that a pattern is found in.

    Raises `UnsupportedPatternError`, and `BudgetSpentError`.
    """
    if len(pattern) > _MOST_CHARACTERS:
        raise UnsupportedPatternError(f"it is longer than {_MOST_CHARACTERS} characters")
    start = languages.one_of([(START, START)])
    end = languages.one_of([(END, END)])
    before = languages.either(languages.empty, languages.then(start, languages.text))
    after = languages.either(languages.empty, languages.then(languages.text, end))
    found = languages.then(before, _Reader(pattern, languages).read()(after))
    whole = languages.sequence((start, languages.text, end))
    return languages.started(languages.both(found, whole))


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str, languages: Languages) -> None:
        self._pattern = pattern
        self._languages = languages
        self._at = 0
        self._depth = 0
        self._looks_ahead = False
        """Whether what was read since this was last unset looks ahead."""

    def read(self) -> Piece:
        piece = self._alternatives()
        if self._at < len(self._pattern):
            raise self._wrong("a parenthesis is closed that was not opened")
        return piece

    def _alternatives(self) -> Piece:
        self._depth += 1
        if self._depth > 50:
            raise self._wrong("it is nested too deeply")
        pieces = [self._sequence()]
        while self._take("|"):
            pieces.append(self._sequence())
        self._depth -= 1
        if len(pieces) == 1:
            return pieces[0]
        return lambda after: self._languages.either(*(piece(after) for piece in pieces))

    def _sequence(self) -> Piece:
        pieces: list[Piece] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            pieces.append(self._counted())

        def piece(after: Language) -> Language:
            for each in reversed(pieces):
                after = each(after)
            return after

        return piece

    def _counted(self) -> Piece:
        looked, self._looks_ahead = self._looks_ahead, False
        piece = self._atom()
        counts = self._counts()
        if counts is None:
            self._looks_ahead |= looked
            return piece
        self._take("?")
        least, most = counts
        if max(least, most or 0) > _MOST_COUNT:
            raise self._wrong(f"something is repeated more than {_MOST_COUNT} times")
        if self._looks_ahead:
            return self._unrolled(piece, least, most)
        self._looks_ahead = looked
        repeated = self._languages.repeated(piece(self._languages.empty), least, most)
        return lambda after: self._languages.then(repeated, after)

    def _unrolled(self, piece: Piece, least: int, most: int | None) -> Piece:
        """What looks ahead sees what comes after it, which differs from one time to the next."""
        if most is None or most > _MOST_UNROLLED:
            raise self._wrong(f"what looks ahead is repeated more than {_MOST_UNROLLED} times")

        def unrolled(after: Language) -> Language:
            found = after
            for _ in range(most - least):
                found = self._languages.either(after, piece(found))
            for _ in range(least):
                found = piece(found)
            return found

        return unrolled

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        closing = self._pattern.find("}", self._at)
        if not self._pattern.startswith("{", self._at) or closing < 0:
            return None
        low, comma, high = self._pattern[self._at + 1 : closing].partition(",")
        if not _is_number(low) or not (high == "" or _is_number(high)) or len(low + high) > 12:
            return None
        self._at = closing + 1
        least = int(low)
        most = int(high) if high else None if comma else least
        if most is not None and most < least:
            raise self._wrong(f"{{{low},{high}}} counts backwards")
        return least, most

    def _atom(self) -> Piece:
        character = self._next()
        languages = self._languages
        if character == "(":
            return self._group()
        if character in "*+?":
            raise self._wrong(f"{character!r} has nothing to repeat")
        if character in "^$":
            marker = START if character == "^" else END
            return self._anchor(languages.one_of([(marker, marker)]))
        if character == "[":
            ranges = self._class()
        elif character == ".":
            ranges = _other(_LINE_ENDS)
        elif character == "\\":
            ranges = self._escape()
        else:
            ranges = [(ord(character), ord(character))]
        one = languages.one_of(ranges)
        return lambda after: languages.then(one, after)

    def _anchor(self, marker: Language) -> Piece:
        # An anchor takes no room, so that one more of its kind changes nothing.
        def piece(after: Language) -> Language:
            is_there = after.kind == "then" and after.parts[0] is marker
            return after if is_there else self._languages.then(marker, after)

        return piece

    def _group(self) -> Piece:
        if not self._take("?"):
            return self._closed(self._alternatives())
        if self._take(":"):
            return self._closed(self._alternatives())
        if self._take("="):
            return self._lookahead(self._closed(self._alternatives()), is_there=True)
        if self._take("!"):
            return self._lookahead(self._closed(self._alternatives()), is_there=False)
        name_end = self._pattern.find(">", self._at)
        if self._take("<") and name_end > 0 and self._pattern[self._at : name_end].isidentifier():
            self._at = name_end + 1
            return self._closed(self._alternatives())
        raise self._wrong("a group of this kind is not supported")

    def _closed(self, piece: Piece) -> Piece:
        if not self._take(")"):
            raise self._wrong("a parenthesis is not closed")
        return piece

    def _lookahead(self, piece: Piece, *, is_there: bool) -> Piece:
        self._looks_ahead = True
        languages = self._languages

        def ahead(after: Language) -> Language:
            found = piece(languages.all)
            return languages.both(found if is_there else languages.other(found), after)

        return ahead

    def _class(self) -> Ranges:
        is_negated = self._take("^")
        ranges: Ranges = []
        while not self._take("]"):
            low = self._member()
            if len(low) != 1 or low[0][0] != low[0][1] or not self._is_range():
                ranges += low
                continue
            self._at += 1
            high = self._member()
            if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                raise self._wrong("a range of characters is out of order")
            ranges.append((low[0][0], high[0][0]))
        return _other(ranges) if is_negated else ranges

    def _is_range(self) -> bool:
        following = self._pattern[self._at : self._at + 2]
        return following.startswith("-") and following != "-]"

    def _member(self) -> Ranges:
        character = self._next()
        if character == "\\":
            return [(8, 8)] if self._take("b") else self._escape()
        return [(ord(character), ord(character))]

    def _escape(self) -> Ranges:
        character = self._next()
        for letter, ranges in (("d", _DIGITS), ("w", _WORD), ("s", _SPACES)):
            if character.lower() == letter:
                return ranges if character == letter else _other(ranges)
        if character in "ntrfv0":
            code = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "0": 0}[character]
        elif character == "x":
            code = self._hexadecimal(2)
        elif character == "u":
            code = self._unicode()
        elif character == "c":
            code = ord(self._next()) % 32
        elif character.isalnum():
            raise self._wrong(f"the escape \\{character} is not supported")
        else:
            code = ord(character)
        return [(code, code)]

    def _unicode(self) -> int:
        if self._take("{"):
            closing = self._pattern.find("}", self._at)
            code = self._hexadecimal(closing - self._at)
            self._at += 1
            return code
        return self._hexadecimal(4)

    def _hexadecimal(self, length: int) -> int:
        digits = self._pattern[self._at : self._at + max(length, 0)]
        if not 1 <= length <= 6 or len(digits) < length or not _is_hexadecimal(digits):
            raise self._wrong("an escape has no hexadecimal number")
        self._at += length
        code = int(digits, 16)
        if code > _LAST:
            raise self._wrong(f"there is no character {digits}")
        return code

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise self._wrong("it ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    def _take(self, character: str) -> bool:
        if not self._pattern.startswith(character, self._at):
            return False
        self._at += 1
        return True

    def _wrong(self, reason: str) -> UnsupportedPatternError:
        return UnsupportedPatternError(f"{reason} (at character {self._at})")


def _other(ranges: Ranges) -> Ranges:
    """All characters that are not in these ranges."""
    found: Ranges = []
    following = 0
    for low, high in sorted(ranges):
        if following < low:
            found.append((following, low - 1))
        following = max(following, high + 1)
    return [*found, (following, _LAST)] if following <= _LAST else found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_hexadecimal(text: str) -> bool:
    return all(each in "0123456789abcdefABCDEF" for each in text)
