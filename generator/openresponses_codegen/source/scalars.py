"""What JSON and YAML share in reading a number or a string.

A number is bounded, as RFC 8259 (section 6) lets a reader do, and a string is what UTF-8 can hold (section 8.2).
"""

from __future__ import annotations

from math import isfinite

from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.source.node import Text

MAX_DIGITS = 4300
"""Characters of a number; Python itself refuses to convert longer integers."""

DECIMAL = 10


def number_of(digits: str, base: int = DECIMAL) -> int | float | None:
    """Return the number, or None if it is infinite or longer than Python would read or, later, print."""
    if len(digits) > MAX_DIGITS:
        return None
    try:
        if base == DECIMAL and not digits.lstrip("+-").isdecimal():
            number = float(digits)
            return number if isfinite(number) else None
        whole = int(digits, base)
        str(whole)  # a hexadecimal number may be short enough to read and too long to print
    except ValueError:
        return None
    return whole


def bad_number(text: Text, offset: int) -> DiagnosticError:
    """Return the error for a number at `offset` that is none to `number_of`."""
    message = f"the number is infinite, not a number, or longer than {MAX_DIGITS} digits"
    return text.refusal("bad-number", offset, message, "write a smaller number, or a string")


def lone_surrogate(text: Text, offset: int) -> DiagnosticError:
    """Return the error for half of a surrogate pair at `offset`."""
    message = "half of a surrogate pair is no character and cannot be written as UTF-8"
    return text.refusal("lone-surrogate", offset, message, "write the character itself")
