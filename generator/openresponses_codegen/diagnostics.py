"""What the generator has to say about a document: where, what is wrong, and the way out.

The lowest layer: it imports nothing of this package.

Messages quote documents that nobody has vetted, so printed text is shown, never sent as is: whatever could
steer a terminal or split a log line (control characters, bidirectional overrides, line separators, lone
surrogates) appears as its escape, and no single text is longer than `MAX_SHOWN` characters.
"""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Protocol

MAX_SHOWN = 400
"""Characters of one text (file name, message, pointer or hint) that are printed."""

MAX_PER_SEVERITY = 100
"""Diagnostics of one severity that `Diagnostics` keeps; more are counted only."""

_MAX_WORD = 100  # difflib takes quadratic time, and hardly a name in a specification is longer
_MAX_WORDS = 1000


class Severity(StrEnum):
    """How bad it is; only an error stops the generator."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def shown(text: str, limit: int = MAX_SHOWN) -> str:
    """Return `text` as one line that is safe to print and at most `limit` characters long.

    Every character that Python does not count as printable becomes its backslash escape; text that is cut
    ends in an ellipsis. Printable text within the limit comes back unchanged.
    """
    head = text[:limit]
    safe = head if head.isprintable() else "".join(map(_escaped, head))
    if len(text) <= limit and len(safe) <= limit:
        return safe
    return safe[: limit - 1] + "…"


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text file: the file as the user named it, line and column from 1.

    Columns count code points, as RFC 8259 and YAML 1.2.2 define characters.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return `file:line:column`, which editors and CI logs turn into a link."""
        return f"{shown(self.file)}:{self.line}:{self.column}"


class HasPlace(Protocol):
    """Whatever can say where it was written; a node of a document does."""

    @property
    def position(self) -> Position | None:
        """The place in the file."""
        ...

    @property
    def pointer(self) -> str | None:
        """The place in the document: an RFC 6901 pointer as URI fragment."""
        ...


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` names the kind of finding in kebab-case and stays the same between versions; `pointer` is an
    RFC 6901 pointer as URI fragment, such as `#/components/schemas/X`; `hint` is the way out.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    position: Position | None = None
    pointer: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """Return one to three printable lines: the finding, the pointer and the hint."""
        place = f"{self.position}: " if self.position else ""
        lines = [f"{place}{self.severity}: {shown(self.message)} [{self.code}]"]
        if self.pointer is not None:
            lines.append(f"  at {shown(self.pointer)}")
        if self.hint is not None:
            lines.append(f"  hint: {shown(self.hint)}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the finding for JSON output: always the same keys, null where there is nothing to say.

        Texts are made printable here too, since the reader of the JSON is likely to print them.
        """
        position = self.position
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": shown(self.message),
            "file": shown(position.file) if position else None,
            "line": position.line if position else None,
            "column": position.column if position else None,
            "pointer": None if self.pointer is None else shown(self.pointer),
            "hint": None if self.hint is None else shown(self.hint),
        }


class DiagnosticError(Exception):
    """Work cannot go on; `diagnostics` says why, in the order they are to be shown."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take the findings, at least one of them an error."""
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        """Return all findings, each on lines of its own."""
        return "\n".join(map(str, self.diagnostics))


class Diagnostics:
    """Collects findings, so that one run reports all of them.

    Of each severity the first `MAX_PER_SEVERITY` are kept; further ones are only counted, so that a hostile
    document can fill neither the memory nor the screen.
    """

    def __init__(self) -> None:
        """Start with nothing found."""
        self._kept: list[Diagnostic] = []
        self._seen: Counter[Severity] = Counter()

    def error(self, code: str, message: str, *, at: HasPlace | None = None, hint: str | None = None) -> None:
        """Record an error at the place of `at`."""
        self._record(Severity.ERROR, code, message, at, hint)

    def warning(self, code: str, message: str, *, at: HasPlace | None = None, hint: str | None = None) -> None:
        """Record a warning at the place of `at`."""
        self._record(Severity.WARNING, code, message, at, hint)

    def note(self, code: str, message: str, *, at: HasPlace | None = None, hint: str | None = None) -> None:
        """Record a note at the place of `at`."""
        self._record(Severity.NOTE, code, message, at, hint)

    def _record(self, severity: Severity, code: str, message: str, at: HasPlace | None, hint: str | None) -> None:
        self._seen[severity] += 1
        if self._seen[severity] > MAX_PER_SEVERITY:
            return
        position, pointer = (at.position, at.pointer) if at is not None else (None, None)
        self._kept.append(Diagnostic(code, message, severity, position, pointer, hint))

    @property
    def items(self) -> tuple[Diagnostic, ...]:
        """All findings by file, line and column, those without a place last.

        Equal places keep the order of recording. Where findings were only counted, one more item per severity
        (`too-many-errors`, `too-many-warnings`, `too-many-notes`) closes the list and says how many.
        """
        return (*sorted(self._kept, key=_source_order), *self._left_out())

    def _left_out(self) -> Iterable[Diagnostic]:
        for severity in Severity:
            surplus = self._seen[severity] - MAX_PER_SEVERITY
            if surplus > 0:
                what = severity.value if surplus == 1 else f"{severity.value}s"
                yield Diagnostic(f"too-many-{severity.value}s", f"{surplus} more {what} left out", severity)

    @property
    def is_full(self) -> bool:
        """Whether further errors are only counted, so that effort for them is wasted."""
        return self._seen[Severity.ERROR] >= MAX_PER_SEVERITY

    @property
    def has_errors(self) -> bool:
        """Whether an error was recorded."""
        return self._seen[Severity.ERROR] > 0

    def raise_if_errors(self) -> None:
        """Raise `DiagnosticError` if an error was recorded; it carries the warnings and notes, too."""
        if self.has_errors:
            raise DiagnosticError(self.items)


def _source_order(diagnostic: Diagnostic) -> tuple[bool, str, int, int]:
    position = diagnostic.position
    if position is None:
        return (True, "", 0, 0)
    return (False, position.file, position.line, position.column)


def suggest(word: str, possible: Iterable[str]) -> str | None:
    """Return the hint ``did you mean `x`?`` for the closest of the `possible` words, None without one."""
    if len(word) > _MAX_WORD:
        return None
    candidates = [candidate for candidate in islice(possible, _MAX_WORDS) if len(candidate) <= _MAX_WORD]
    closest = difflib.get_close_matches(word, candidates, n=1)
    return f"did you mean `{shown(closest[0])}`?" if closest else None
