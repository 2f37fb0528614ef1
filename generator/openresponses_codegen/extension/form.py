"""Access to the values of a form: each is there and of its kind, or there is a diagnostic."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, final

from openresponses_codegen.diagnostics import Diagnostics, HasPlace, shown, suggest
from openresponses_codegen.source import Node

_KINDS: Final = {"object": "write keys and values", "array": "write a list", "string": "write a text"}


def at_key(node: Node) -> Node:
    """The value of a member, said to stand where its key does."""
    return Node(node.value, node.text, node.key_offset, node.key_offset, node.path)


@final
class Form:
    """Reads values, and notes what is wrong with them."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        """Take where to note it."""
        self._diagnostics: Final = diagnostics

    def check_keys(self, node: Node, known: Collection[str]) -> None:
        """Report the keys of an object that are not known; those that begin with `x-` are the user's own."""
        for key in node.value if isinstance(node.value, dict) else ():
            if key not in known and not key.startswith("x-"):
                hint = suggest(key, known) or f"the keys are {listed(known)}"
                self.error("extension-key", f"`{shown(key, 80)}` is no key here", node.at_key(key), hint)

    def child(self, node: Node, key: str, kind: str) -> Node | None:
        """The value of a key, if it is there and of its kind."""
        child = node.get(key)
        return child if child is not None and self.is_kind(child, kind, f"`{key}`") else None

    def is_kind(self, node: Node, kind: str, what: str) -> bool:
        """Whether a value is of a kind; reported when it is not."""
        if node.kind == kind:
            return True
        quoted = kind == "string" and node.kind in ("integer", "number", "boolean")
        hint = "put it in quotes" if quoted else _KINDS[kind]
        self.error("extension-field", f"{what} is {article(kind)}, not {article(node.kind)}", node, hint)
        return False

    def text(self, node: Node, key: str) -> str | None:
        """The text of a key."""
        child = self.child(node, key, "string")
        return child.value if child is not None and isinstance(child.value, str) and child.value.strip() else None

    def members(self, node: Node, key: str) -> Mapping[str, Node]:
        """The members of the object in a key."""
        child = self.child(node, key, "object")
        return child.value if child is not None and isinstance(child.value, dict) else {}

    def strings(self, node: Node, key: str) -> Iterator[tuple[str, Node]]:
        """The strings of the list in a key, none of them twice."""
        child = self.child(node, key, "array")
        seen: dict[str, Node] = {}
        for each in child.value if child is not None and isinstance(child.value, tuple) else ():
            if not self.is_kind(each, "string", f"an entry of `{key}`") or not isinstance(each.value, str):
                continue
            first = seen.setdefault(each.value, each)
            if first is each:
                yield each.value, each
            else:
                message = f"`{shown(each.value, 80)}` stands in `{key}` twice"
                self.error("extension-field", message, each, f"remove one; the first is at {first.position}")

    def texts(self, node: Node, key: str) -> Iterator[tuple[str, Node]]:
        """The names in a key: a list of them, or an object with a description of each."""
        child = node.get(key)
        if child is None or isinstance(child.value, tuple):
            yield from ((name, each.with_value(None)) for name, each in self.strings(node, key))
        elif not isinstance(child.value, dict):
            hint = "write a list, or an object with a description of each"
            self.error("extension-field", f"`{key}` is a list of names, not {article(child.kind)}", child, hint)
        else:
            for name, text in child.value.items():
                if text.value is None or self.is_kind(text, "string", f"the description of `{shown(name, 80)}`"):
                    yield name, at_key(text)

    def is_name(self, name: str, at: HasPlace, pattern: re.Pattern[str], longest: int, hint: str) -> bool:
        """Whether a name has the form that it has to have; reported when it has not."""
        if not pattern.match(name):
            message = f"`{shown(name, 80)}` is no name that can stand here"
        elif len(name) > longest:
            message = f"the name `{shown(name, 40)}` is longer than {longest} characters"
            hint = "shorten it"
        else:
            return True
        self.error("extension-name", message, at, hint)
        return False

    def error(self, code: str, message: str, at: HasPlace, hint: str) -> None:
        """Note an error."""
        self._diagnostics.error(code, message, at=at, hint=hint)


def listed(words: Collection[str]) -> str:
    """Words in a list for a reader."""
    return ", ".join(f"`{word}`" for word in words)


def article(kind: str) -> str:
    """A JSON kind with its article."""
    return kind if kind == "null" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
