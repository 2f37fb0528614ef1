"""What a docstring says of a function and of its parameters.

Read are the sections of Google (`Args:`), those of numpy (`Parameters`, underlined) and the fields
of reST (`:param x: ...`). The description is what stands before the first section about parameters,
results or exceptions.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile

_OF_PARAMETERS = r"(?:Other |Keyword )?(?:Args|Arguments|Params|Parameters)"
_PARAMETERS = re.compile(rf"{_OF_PARAMETERS}:?\s*")
_GOOGLE_SECTION = re.compile(rf"(?:{_OF_PARAMETERS}|Returns?|Yields?|Raises):\s*")
_GOOGLE_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+)\s*(?:\(.*?\))?\s*:(?P<text>.*)")
_NUMPY_RULE = re.compile(r"-{3,}\s*")
_NUMPY_ENTRY = re.compile(r"(?P<names>[\w*]+(?:\s*,\s*[\w*]+)*)\s*(?::.*)?(?P<text>)")
_REST_FIELD = re.compile(r":(?:param|arg|key|type|return|rtype|raise|except|yield)\w*\b[^:]*:.*")
_REST_ENTRY = re.compile(
    r":(?:param|parameter|arg|argument|key|keyword)\s(?:.*\s)??(?P<names>\*{0,2}\w+)\s*:(?P<text>.*)"
)


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a function does, and what each of the parameters is that the docstring speaks of."""

    description: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])


def parse_docstring(text: str | None) -> Docstring:
    """The parts of a docstring; empty ones where there is none."""
    lines = inspect.cleandoc(text or "").splitlines()
    end = len(lines)
    parameters = _entries(lines, _REST_ENTRY)
    for number, line in reversed(list(enumerate(lines))):
        rest = lines[number + 1 :]
        is_numpy = bool(line.strip() and rest and _NUMPY_RULE.fullmatch(rest[0]))
        if is_numpy and _PARAMETERS.fullmatch(line):
            parameters |= _entries(_numpy_section(rest[1:]), _NUMPY_ENTRY)
        elif _PARAMETERS.fullmatch(line) and _GOOGLE_SECTION.fullmatch(line):
            parameters |= _entries(_google_section(rest), _GOOGLE_ENTRY)
        if is_numpy or _GOOGLE_SECTION.fullmatch(line) or _REST_FIELD.fullmatch(line):
            end = number
    return Docstring("\n".join(lines[:end]).strip(), parameters)


def _google_section(rest: list[str]) -> list[str]:
    """The indented lines at the beginning, without their indentation."""
    inside = takewhile(lambda line: not line.strip() or line[0].isspace(), rest)
    return textwrap.dedent("\n".join(inside)).splitlines()


def _numpy_section(rest: list[str]) -> list[str]:
    """The lines before the next underlined heading."""
    end = next((at for at, line in enumerate(rest) if _NUMPY_RULE.fullmatch(line)), len(rest) + 1)
    return rest[: max(end - 1, 0)]


def _entries(lines: Iterable[str], entry: re.Pattern[str]) -> dict[str, str]:
    """The text of each name: what stands on its line, and the indented lines that follow."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        match = entry.fullmatch(line)
        if match:
            names = [name.strip(" *") for name in match["names"].split(",")]
            found |= {name: [match["text"].strip()] for name in names}
        elif line[:1].isspace():
            for name in names:
                found[name].append(line.strip())
        elif line:
            names = []
    texts = {name: " ".join(filter(None, said)) for name, said in found.items()}
    return {name: text for name, text in texts.items() if text}
