"""Reads YAML by the core schema of YAML 1.2.2 (section 10.3), as far as it says what JSON can say.

No tags that build objects, no merge keys, one document. PyYAML is a parser of YAML 1.1, so only its events are
used, and what the two versions read differently is decided or refused here. It is imported when the first YAML
document is read: a JSON document need not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, final

from openresponses_codegen.diagnostics import DiagnosticError, shown
from openresponses_codegen.source.node import Node, Scalar, Text
from openresponses_codegen.source.scalars import DECIMAL, bad_number, lone_surrogate, number_of
from openresponses_codegen.source.tree import Tree

if TYPE_CHECKING:
    from yaml import events

_NOT_YAML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Not printable (YAML 1.2.2, 5.1), or a line break or byte order mark to a parser of YAML 1.1 only."""

_DIRECTIVE = re.compile(r"%(?<![^\r\n]%)(?!YAML[ \t]+1\.2[ \t]*(?:#.*)?(?:[\r\n]|\Z))")
"""A line that begins with `%` and is not `%YAML 1.2`."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TAG_PREFIX = "tag:yaml.org,2002:"
_CORE_SCHEMA = re.compile(
    r"(?P<null>null|Null|NULL|~|)|(?P<bool>true|True|TRUE|false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]++|0o[0-7]++|0x[0-9a-fA-F]++)"
    r"|(?P<float>[-+]?(?:\.[0-9]++|[0-9]++(?:\.[0-9]*+)?)(?:[eE][-+]?[0-9]++)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_BASES: Final = {"0o": 8, "0x": 16}
_QUOTE_IT = "put text that begins with this character in quotes"
_HINTS: Final = {"\t": "indent with spaces; YAML takes no tab here", "@": _QUOTE_IT, "`": _QUOTE_IT}


@final
class YamlReader:
    """Reads one YAML document from the parser's events."""

    def __init__(self, text: Text) -> None:
        """Take the text, which is not blank."""
        self._text = text
        self._tree = Tree(text)
        self._started = False

    def document(self) -> Node:
        """Return the value of the one document; raise DiagnosticError where it is no YAML or more than JSON."""
        self._check_characters()
        kinds = import_module("yaml.events")
        steps: dict[type, Callable[[Any], None]] = {
            kinds.DocumentStartEvent: self._start_document,
            kinds.MappingStartEvent: self._start_mapping,
            kinds.SequenceStartEvent: self._start_sequence,
            kinds.MappingEndEvent: self._end_collection,
            kinds.SequenceEndEvent: self._end_collection,
            kinds.ScalarEvent: self._scalar,
            kinds.AliasEvent: self._alias,
        }
        for event in _events(self._text):
            step = steps.get(type(event))
            if step is not None:
                step(event)
        root = self._tree.document()
        if root is None:
            hint = "write a JSON or YAML document into it"
            raise self._text.refusal("empty", 0, "the document has nothing but comments", hint)
        return root

    def _check_characters(self) -> None:
        found = _NOT_YAML.search(self._text.characters)
        if found is not None:
            message = f"YAML cannot hold the character U+{ord(found[0]):04X} as such"
            hint = "remove it, or write it as an escape in double quotes"
            raise self._text.refusal("bad-yaml", found.start(), message, hint)
        found = _DIRECTIVE.search(self._text.characters)
        if found is not None:
            message = "a line begins with `%`, and no directive but `%YAML 1.2` is read"
            hint = "remove the directive, or indent the line if it is text"
            raise self._text.refusal("yaml-directive", found.start(), message, hint)

    def _start_document(self, event: events.DocumentStartEvent) -> None:
        if self._started:
            message, hint = "a second document begins here", "keep one document to a file"
            raise self._text.refusal("yaml-documents", _offset(event), message, hint)
        self._started = True

    def _start_mapping(self, event: events.MappingStartEvent) -> None:
        self._start_collection(event, "map", {})

    def _start_sequence(self, event: events.SequenceStartEvent) -> None:
        self._start_collection(event, "seq", [])

    def _start_collection(
        self, event: events.CollectionStartEvent, tag: str, children: dict[str, Node] | list[Node]
    ) -> None:
        offset = _offset(event)
        if self._tree.awaits_key:
            raise self._bad_key(offset, "an object or array is no key")
        if event.tag not in (None, "!", _TAG_PREFIX + tag):
            raise self._bad_tag(event.tag, offset)
        self._tree.open(children, offset, event.anchor)

    def _end_collection(self, _: events.CollectionEndEvent) -> None:
        self._tree.close()

    def _scalar(self, event: events.ScalarEvent) -> None:
        offset = _offset(event)
        if not event.value.isascii() and _SURROGATE.search(event.value):
            raise lone_surrogate(self._text, offset)
        if self._tree.awaits_key:
            self._key(event, offset)
            return
        self._tree.scalar(self._resolved(event, offset), offset, event.anchor)

    def _key(self, event: events.ScalarEvent, offset: int) -> None:
        if event.anchor is not None:
            raise self._bad_key(offset, "a key has an anchor")
        if event.tag not in (None, "!", _TAG_PREFIX + "str"):
            raise self._bad_tag(event.tag, offset)
        if event.value == "<<" and not event.style and event.tag is None:
            hint = "write the members out, or `<<` in quotes if that is the name"
            raise self._text.refusal("yaml-merge", offset, "merge keys are not part of YAML 1.2", hint)
        self._tree.key(event.value, offset)

    def _resolved(self, event: events.ScalarEvent, offset: int) -> Scalar:
        """Return the scalar's value by the core schema (YAML 1.2.2, 10.3.2)."""
        text, tag = event.value, event.tag
        if tag in ("!", _TAG_PREFIX + "str") or (tag is None and event.style):
            return text
        found = _CORE_SCHEMA.fullmatch(text)
        kind = found.lastgroup if found else None
        as_float = tag == _TAG_PREFIX + "float" and kind == "int"
        if tag is not None and tag != f"{_TAG_PREFIX}{kind}" and not as_float:
            raise self._bad_tag(tag, offset)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind is None:
            return text
        base = _BASES.get(text[:2], DECIMAL)
        number = number_of(text if base == DECIMAL else text[2:], base)
        if number is None:
            raise bad_number(self._text, offset)
        try:
            return float(number) if as_float else number
        except OverflowError:
            raise bad_number(self._text, offset) from None

    def _alias(self, event: events.AliasEvent) -> None:
        offset = _offset(event)
        if self._tree.awaits_key:
            raise self._bad_key(offset, "an alias is no key")
        self._tree.alias(event.anchor or "", offset)

    def _bad_key(self, offset: int, message: str) -> DiagnosticError:
        return self._text.refusal("yaml-key", offset, message, "write the key as plain or quoted text")

    def _bad_tag(self, tag: str | None, offset: int) -> DiagnosticError:
        message = f"the tag `{shown(tag or '', 80)}` does not fit here, or is not of the core schema"
        hint = "remove it; only !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are read"
        return self._text.refusal("yaml-tag", offset, message, hint)


def _offset(event: events.Event) -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _events(text: Text) -> Iterator[events.Event]:
    """Parse with libyaml where PyYAML was built with it, else in Python; both give the same events."""
    yaml = import_module("yaml")  # only here, since a JSON document need not wait for it
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    last = 0
    try:
        for event in yaml.parse(text.characters, Loader=loader):
            last = _offset(event)
            yield event
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two for characters out of range
        mark = getattr(error, "problem_mark", None)
        offset = last if mark is None else min(mark.index, len(text.characters))
        reason = getattr(error, "problem", None) or "a character or number is out of range"
        context = getattr(error, "context", None)
        hint = _hint(text.characters[offset : offset + 1], reason)
        message = f"this is not YAML: {reason}" + (f" ({context})" if context else "")
        raise text.refusal("bad-yaml", offset, message, hint) from None


def _hint(found: str, reason: str) -> str:
    if found in _HINTS:
        return _HINTS[found]
    if "escape" in reason:
        return r"write the character itself, or `\U` with its eight hexadecimal digits"
    return "check indentation, brackets and quotes here; text with `: ` or ` #` inside needs quotes"
