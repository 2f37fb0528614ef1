"""Diagnostics: what is printed is safe and bounded, and findings come out in the order of the source."""

import copy
import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openresponses_codegen.diagnostics import (
    MAX_PER_SEVERITY,
    MAX_SHOWN,
    Diagnostic,
    DiagnosticError,
    Diagnostics,
    Position,
    Severity,
    shown,
    suggest,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@dataclass(frozen=True)
class Place:
    position: Position | None = None
    pointer: str | None = None


def at(line: int, column: int = 1, file: str = "a.json") -> Place:
    return Place(Position(file, line, column), f"#/{line}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, é 😀", "plain text, é 😀"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x00\x7f\x85\x9b", r"\x00\x7f\x85\x9b"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\ufeff\u200b", r"\ufeff\u200b"),
        ("\ud800 \udfff", r"\ud800 \udfff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_shown_escapes_what_could_steer_a_terminal(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(ANY_TEXT, st.integers(1, 50))
def test_shown_is_printable_bounded_and_encodable(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert result.isprintable()
    assert len(result) <= limit
    result.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * MAX_SHOWN, "x" * MAX_SHOWN),
        ("x" * (MAX_SHOWN + 1), "x" * (MAX_SHOWN - 1) + "…"),
        ("\n" * MAX_SHOWN, (r"\n" * MAX_SHOWN)[: MAX_SHOWN - 1] + "…"),
    ],
)
def test_shown_cuts_only_what_is_too_long(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("diagnostic", "expected"),
    [
        (Diagnostic("no-place", "something"), "error: something [no-place]"),
        (
            Diagnostic("unknown-keyword", "unknown `x`", Severity.WARNING, Position("a b.json", 3, 14)),
            "a b.json:3:14: warning: unknown `x` [unknown-keyword]",
        ),
        (
            Diagnostic("c", "m", Severity.NOTE, Position("f", 1, 2), "#/a", "do this"),
            "f:1:2: note: m [c]\n  at #/a\n  hint: do this",
        ),
        (Diagnostic("c", "m", pointer="#"), "error: m [c]\n  at #"),
    ],
)
def test_a_diagnostic_reads_as_editors_expect(diagnostic: Diagnostic, expected: str) -> None:
    assert str(diagnostic) == expected


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_of_a_document_escapes_its_line(file: str, message: str, pointer: str, hint: str) -> None:
    diagnostic = Diagnostic("c", message, position=Position(file, 1, 1), pointer=pointer, hint=hint)
    lines = str(diagnostic).split("\n")
    assert [line[:5] for line in lines[1:]] == ["  at ", "  hin"]
    assert all(line.isprintable() for line in lines)
    texts = [value for value in diagnostic.as_dict().values() if isinstance(value, str)]
    assert all(text.isprintable() and len(text) <= MAX_SHOWN for text in texts)


def test_json_output_has_the_same_keys_whatever_is_known() -> None:
    full = Diagnostic("c", "m", Severity.WARNING, Position("f\n", 1, 2), "#/a", "h").as_dict()
    assert full == {
        "code": "c",
        "severity": "warning",
        "message": "m",
        "file": r"f\n",
        "line": 1,
        "column": 2,
        "pointer": "#/a",
        "hint": "h",
    }
    bare = Diagnostic("c", "m").as_dict()
    assert list(bare) == list(full)
    assert [bare[key] for key in ("file", "line", "column", "pointer", "hint")] == [None] * 5
    assert json.loads(json.dumps(full)) == full


def test_the_error_shows_and_keeps_all_its_diagnostics() -> None:
    error = DiagnosticError([Diagnostic("a", "first"), Diagnostic("b", "second", hint="x")])
    assert str(error) == "error: first [a]\nerror: second [b]\n  hint: x"
    assert copy.copy(error).diagnostics == error.diagnostics


def test_findings_are_sorted_by_place_and_stay_stable() -> None:
    found = Diagnostics()
    found.error("nowhere", "m")
    found.error("unplaced", "m", at=Place())
    found.note("later-line", "m", at=at(10))
    found.error("later-column", "m", at=at(2, 10))
    found.warning("first-here", "m", at=at(2, 9))
    found.error("second-here", "m", at=at(2, 9))
    found.error("other-file", "m", at=at(1, 1, "b.json"))
    assert [item.code for item in found.items] == [
        "first-here",
        "second-here",
        "later-column",
        "later-line",
        "other-file",
        "nowhere",
        "unplaced",
    ]


def test_a_finding_takes_place_and_hint_along() -> None:
    found = Diagnostics()
    found.warning("c", "m", at=at(7), hint="h")
    assert found.items == (Diagnostic("c", "m", Severity.WARNING, Position("a.json", 7, 1), "#/7", "h"),)


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize(("surplus", "told"), [(0, None), (1, "1 more {0} left out"), (7, "7 more {0}s left out")])
def test_a_flood_is_counted_instead_of_kept(severity: Severity, surplus: int, told: str | None) -> None:
    found = Diagnostics()
    methods = {Severity.ERROR: found.error, Severity.WARNING: found.warning, Severity.NOTE: found.note}
    record = methods[severity]
    for line in range(MAX_PER_SEVERITY + surplus):
        record("c", "m", at=at(line + 1))
    kept, rest = found.items[:MAX_PER_SEVERITY], found.items[MAX_PER_SEVERITY:]
    assert len(kept) == MAX_PER_SEVERITY
    assert {item.code for item in kept} == {"c"}
    assert [item.message for item in rest] == ([] if told is None else [told.format(severity)])
    assert all((item.code, item.severity) == (f"too-many-{severity}s", severity) for item in rest)


def test_a_flood_of_warnings_hides_no_error() -> None:
    found = Diagnostics()
    for _ in range(MAX_PER_SEVERITY + 1):
        found.warning("w", "m")
    found.error("e", "m")
    assert found.has_errors
    assert "e" in {item.code for item in found.items}


def test_only_errors_stop() -> None:
    found = Diagnostics()
    found.raise_if_errors()
    found.warning("w", "m", at=at(1))
    found.note("n", "m", at=at(2))
    found.raise_if_errors()
    assert not found.has_errors
    found.error("e", "m", at=at(3))
    assert found.has_errors
    with pytest.raises(DiagnosticError) as caught:
        found.raise_if_errors()
    assert [item.code for item in caught.value.diagnostics] == ["w", "n", "e"]


@pytest.mark.parametrize(
    ("word", "possible", "expected"),
    [
        ("discription", ["description", "title"], "did you mean `description`?"),
        ("anyof", ["anyOf", "allOf"], "did you mean `anyOf`?"),
        ("zzz", ["description"], None),
        ("x", [], None),
        ("tit\x1ble", ["tit\x1be"], r"did you mean `tit\x1be`?"),
        ("x" * 1_000_000, ["x" * 1_000_000], None),
    ],
)
def test_suggest_names_the_closest_word(word: str, possible: list[str], expected: str | None) -> None:
    assert suggest(word, possible) == expected
