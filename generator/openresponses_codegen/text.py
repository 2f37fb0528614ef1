"""Untrusted text from a spec, and the only ways in which it may reach an output.

A spec is written by somebody else. `SpecText` has no plain-text form: whoever wants to print one has to say
where it goes, and gets a form that cannot leave that place. Formatting one by accident raises.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import NoReturn

LINE_WIDTH = 100
"""The width of generated lines, in columns."""
LITERAL_LIMIT = 100_000
"""The longest string literal, in characters, that is worth printing; a longer one is a mistake or an attack."""

# Bidirectional controls reorder what a reader of the source sees (CVE-2021-42574); the others hide text.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LIST_ITEM = re.compile(r"[-*+] |\d+\. ")


def visible(text: str) -> str:
    """The text with every control, bidirectional and zero-width character written as an escape."""
    return _INVISIBLE.sub(lambda match: _escape(match.group()), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def literal(value: str | int | float | bool | None) -> str:
    """The Python literal of a JSON scalar. Every string of a spec reaches Python source through here."""
    if not isinstance(value, str):
        return repr(value)
    if len(value) > LITERAL_LIMIT:
        raise ValueError(f"a string of {len(value):,} characters is too long for a literal")
    body = "".join(_literal_character(character) for character in value)
    return f'"{body}"'


def _literal_character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _INVISIBLE.match(character) or unicodedata.category(character) in _UNPRINTABLE:
        return _escape(character)
    return character


def docstring(text: str, indent: int = 0, width: int = LINE_WIDTH) -> str:
    """A docstring literal, wrapped, its continuation lines indented by `indent` columns."""
    body = docstring_body(text, indent, width)
    if "\n" not in body and len(body) + 6 <= width - indent:
        return f'"""{body}"""'
    margin = " " * indent
    return f'"""{textwrap.indent(body, margin).lstrip()}\n{margin}"""'


def docstring_body(text: str, indent: int = 0, width: int = LINE_WIDTH) -> str:
    """What stands between the quotes of a docstring, wrapped.

    Backslashes are doubled and no run of quotes can end it, so that whatever the text says, it stays text.
    """
    escaped = _clean(text).strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    body = "\n".join(_wrapped_lines(escaped, width - indent - 6)).strip()
    backslashes = len(body[:-1]) - len(body[:-1].rstrip("\\"))
    return f'{body[:-1]}\\"' if body.endswith('"') and backslashes % 2 == 0 else body


def _clean(text: str) -> str:
    return visible(unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")))


def _wrapped_lines(text: str, width: int) -> Iterator[str]:
    """The lines of a text: prose filled, list items each on their own, fenced code as it is."""
    paragraph: list[str] = []
    fenced = False
    for line in [*text.split("\n"), ""]:
        stripped = line.strip()
        starts_item = bool(_LIST_ITEM.match(stripped))
        is_fence = stripped.startswith("```")
        if paragraph and (fenced or is_fence or starts_item or not stripped):
            yield from _filled(" ".join(paragraph), width)
            paragraph = []
        if fenced or is_fence:
            yield line.rstrip()
        elif stripped:
            paragraph.append(stripped)
        else:
            yield ""
        fenced ^= is_fence


def _filled(text: str, width: int) -> list[str]:
    margin = "  " if _LIST_ITEM.match(text) else ""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False, subsequent_indent=margin)


class SpecText:
    """Text of a spec (a title, a description): untrusted, and printable in a chosen context only."""

    __slots__ = ("_raw",)

    def __init__(self, raw: str) -> None:
        self._raw = raw

    def docstring(self, indent: int = 0) -> str:
        """As a Python docstring, quotes included."""
        return docstring(self._raw, indent)

    def docstring_body(self, indent: int = 0) -> str:
        """As a part of a Python docstring."""
        return docstring_body(self._raw, indent)

    def literal(self) -> str:
        """As a Python string literal."""
        return literal(self._raw)

    def comment(self) -> str:
        """As Python comment lines, each with its `#`."""
        lines = _clean(self._raw).strip().split("\n")
        return "\n".join(f"# {line}".rstrip() for line in lines)

    def markdown(self) -> str:
        """As Markdown text that brings no HTML, link or heading of its own."""
        return re.sub(r"([\\`*_{}\[\]<>()#+!|~-])", r"\\\1", _clean(self._raw))

    def as_json(self) -> str:
        """As a value for a JSON encoder, which quotes it."""
        return self._raw

    def is_blank(self) -> bool:
        """Whether there is nothing to read in it."""
        return not self._raw.strip()

    def __add__(self, other: SpecText) -> SpecText:
        """Both texts, as two paragraphs; a text that is already there is not repeated."""
        if other._raw.strip() in self._raw:
            return self
        return SpecText(f"{self._raw.rstrip()}\n\n{other._raw.lstrip()}")

    def with_item(self, name: str, text: SpecText | None) -> SpecText:
        """The text with a line of a list at its end: a name, and what is said about it."""
        joint = "\n" if self._raw.rsplit("\n", 1)[-1].startswith("- `") else "\n\n"
        said = " ".join(text.as_json().split()) if text is not None else ""
        return SpecText(f"{self._raw.rstrip()}{joint}- `{name}`: {said}".rstrip(": "))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpecText) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __lt__(self, other: SpecText) -> bool:
        return self._raw < other._raw

    def __repr__(self) -> str:
        return f"SpecText({literal(self._raw[:60])})"

    def __str__(self) -> NoReturn:
        raise TypeError("text of a spec has no plain form: choose .docstring(), .literal(), .comment() or .markdown()")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("text of a spec has no plain form: choose .docstring(), .literal(), .comment() or .markdown()")

    def __html__(self) -> NoReturn:
        raise TypeError("text of a spec has no plain form: choose .docstring(), .literal(), .comment() or .markdown()")
