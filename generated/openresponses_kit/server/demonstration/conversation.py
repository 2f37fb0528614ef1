"""What was said so far, read out of the items to sample over.

Rules kept here: P1 (all of it, in order), X1 (outputs of functions belong to their calls), C2 (what
was compacted counts as said).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from .sealing import unseal

Item: TypeAlias = Mapping[str, Any]

_TEXTS = ("text", "refusal")


@dataclass(frozen=True, slots=True)
class Said:
    """One message, or what a function returned."""

    role: str
    """Who said it; the name of the function."""
    text: str
    things: tuple[str, ...] = ()
    """Images and files in it, in words."""


@dataclass(slots=True)
class Conversation:
    """The items, as the demonstration understands them."""

    said: list[Said] = field(default_factory=list[Said])
    outputs: list[Said] = field(default_factory=list[Said])
    """What functions returned since the user spoke last."""
    items: int = 0
    """How many there are."""

    @property
    def last(self) -> Said:
        """What the user said last; empty when the user said nothing."""
        return next((each for each in reversed(self.said) if each.role == "user"), Said("user", ""))

    @property
    def by_user(self) -> list[str]:
        """What the user said, in order."""
        return [each.text for each in self.said if each.role == "user" and each.text]


class ForeignCompactionError(ValueError):
    """An item of compaction that this service did not make."""

    def __init__(self, index: int) -> None:
        super().__init__("the compaction was not made by this server, or it was damaged")
        self.index = index
        """Where it is among the items."""


def read(items: Sequence[Item]) -> Conversation:
    """The conversation in items. Raises `ForeignCompactionError`."""
    conversation = Conversation(items=len(items))
    functions: dict[str, str] = {}
    for index, item in enumerate(items):
        kind = item.get("type") or "message"
        if kind == "message":
            said = _said(str(item.get("role", "user")), item.get("content"))
            conversation.said.append(said)
            if said.role == "user":
                conversation.outputs.clear()
        elif kind == "function_call":
            functions[str(item.get("call_id"))] = str(item.get("name"))
        elif kind == "function_call_output":
            name = functions.get(str(item.get("call_id")), "the function")
            conversation.outputs.append(_said(name, item.get("output")))
        elif kind == "compaction":
            try:
                conversation.said += [Said("user", text) for text in _compacted(item)]
            except (ValueError, KeyError, TypeError):
                raise ForeignCompactionError(index) from None
    return conversation


def _compacted(item: Item) -> list[str]:
    """What the user had said before a compaction."""
    said: list[object] = unseal(str(item.get("encrypted_content")))["said"]
    return [str(each) for each in said]


def text_of(item: Item) -> str:
    """All words in an item, for counting."""
    fields = ("content", "summary", "output", "arguments", "name", "encrypted_content")
    return " ".join(_text(item[name]) for name in fields if item.get(name))


def _said(role: str, content: Any) -> Said:
    things = (_thing(part) for part in _parts(content))
    return Said(role, _text(content), tuple(each for each in things if each))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    texts = (str(part.get(name) or "") for part in _parts(value) for name in _TEXTS)
    return " ".join(text for text in texts if text)


def _parts(content: Any) -> list[Item]:
    return cast("list[Item]", content) if isinstance(content, list) else []


def _thing(part: Item) -> str:
    """An image, a file or anything else that is no text, in words; empty for text."""
    kind = str(part.get("type"))
    if kind == "input_image":
        detail = part.get("detail") or "auto"
        return f"an image ({_source(part.get('image_url'))}, detail {detail})"
    if kind == "input_file":
        return f"a file ({_file(part)})"
    if kind == "input_video":
        return f"a video ({_source(part.get('video_url'))})"
    return "" if any(name in part for name in _TEXTS) else f"a part of type {kind}"


def _file(part: Item) -> str:
    name, url, data = (part.get(each) for each in ("filename", "file_url", "file_data"))
    if isinstance(data, str) and not data.startswith("data:"):
        source = f"{len(data)} characters"
    else:
        source = _source(data or url) if data or url or not name else ""
    return ", ".join(str(each) for each in (name, source) if each)


def _source(url: object) -> str:
    if not isinstance(url, str) or not url:
        return "without a source"
    if url.startswith("data:"):
        kind = url.removeprefix("data:").partition(",")[0].partition(";")[0] or "data"
        return f"{kind[:80]}, {len(url)} characters"
    return url if len(url) <= 200 else f"{url[:200]}…"
