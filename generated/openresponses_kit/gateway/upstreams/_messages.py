"""Items as messages of Chat Completions.

Rules kept here: P1 (the order of what is sampled over), X1 (calls and their outputs belong
together), R2 (reasoning goes back to a model that takes it), N3 (what a vendor added is not lost),
E3 (what cannot be said is refused by its place).

Chat Completions wants the outputs of calls right behind the message that makes them. So what an
assistant said in a row is one message, and the outputs of its calls follow it, wherever they stand
among the items.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeAlias

from pydantic_core import to_json

from ...server.errors import InvalidRequestError

__all__ = ["messages_of"]

Json: TypeAlias = dict[str, Any]

_logger = logging.getLogger(__name__)
_NO_OUTPUT = "There is no output: the call was not answered."


def messages_of(
    items: Sequence[Json],
    *,
    instructions: str | None = None,
    system_role: str = "system",
    reasoning_field: str | None = None,
) -> list[Json]:
    """The messages for items, in their order.

    Raises `InvalidRequestError` for what Chat Completions has no form for.

    Args:
        items: The items as JSON objects.
        instructions: What goes before all of them.
        system_role: The role of messages by developers and systems.
        reasoning_field: The field that carries raw reasoning back; None leaves reasoning out.
    """
    writing = _Messages(items, system_role, reasoning_field)
    if instructions:
        writing.messages.append({"role": system_role, "content": instructions})
    for index, item in enumerate(items):
        writing.add(item, f"input[{index}]")
    writing.end_turn()
    return writing.messages


class _Messages:
    """Messages as they are put together."""

    def __init__(
        self, items: Sequence[Json], system_role: str, reasoning_field: str | None
    ) -> None:
        self.messages: list[Json] = []
        self._system_role = system_role
        self._reasoning_field = reasoning_field
        self._outputs, self._paired = _paired(items)
        self._turn: Json | None = None
        """What the assistant says, until somebody else does."""

    def add(self, item: Json, place: str) -> None:
        """Add an item."""
        kind = item.get("type") or "message"
        adding = _KINDS.get(kind)
        if adding is not None:
            adding(self, item, place)
        else:
            # A vendor's item that nobody here knows: the model is told of it as it is.
            self.end_turn()
            _logger.debug("%s: an item of type %r goes to the model as JSON", place, kind)
            self.messages.append({"role": "user", "content": to_json(item).decode()})

    def message(self, item: Json, place: str) -> None:
        """A message of anybody's."""
        role = item["role"]
        if role == "assistant":
            self._say(item["content"])
            return
        self.end_turn()
        role = self._system_role if role in {"system", "developer"} else role
        content = item["content"]
        if not isinstance(content, str):
            content = _flat(
                [_part(each, f"{place}.content[{n}]") for n, each in enumerate(content)]
            )
        self.messages.append({"role": role, "content": content})

    def reasoning(self, item: Json, _place: str) -> None:
        """What the assistant thought, where the upstream takes it back."""
        text = "".join(each.get("text", "") for each in item.get("content") or ())
        if text and self._reasoning_field is not None:
            turn = self._assistant(is_new="content" in (self._turn or ()))
            turn[self._reasoning_field] = turn.get(self._reasoning_field, "") + text

    def call(self, item: Json, _place: str) -> None:
        """A call of a function."""
        called = {"name": item["name"], "arguments": item["arguments"]}
        calls = self._assistant().setdefault("tool_calls", [])
        calls.append({"id": item["call_id"], "type": "function", "function": called})

    def output(self, item: Json, place: str) -> None:
        """What a call gave; it is told behind the call, unless that is not there."""
        self.end_turn()
        if place not in self._paired:
            text, parts = _told(item["output"], f"{place}.output")
            shown = f"Output of the call {item['call_id']}: {text}"
            self.messages.append({"role": "user", "content": _flat([_text(shown), *parts])})

    def compaction(self, _item: Json, place: str) -> None:
        """A compaction that the gateway did not make."""
        message = f"{place}: this compaction was made by another server, which alone can read it"
        raise InvalidRequestError(message, param=place)

    def _say(self, content: str | list[Json]) -> None:
        if isinstance(content, str):
            texts, refusals = [content], list[str]()
        else:
            texts = [each["text"] for each in content if each["type"] == "output_text"]
            refusals = [each["refusal"] for each in content if each["type"] == "refusal"]
            others = [each for each in content if each["type"] not in {"output_text", "refusal"}]
            texts += [to_json(each).decode() for each in others]
        turn = self._assistant(is_new=bool({"content", "tool_calls"} & (self._turn or {}).keys()))
        turn["content"] = "".join(texts) if texts or not refusals else None
        if refusals:
            turn["refusal"] = "".join(refusals)

    def _assistant(self, *, is_new: bool = False) -> Json:
        if is_new:
            self.end_turn()
        if self._turn is None:
            self._turn = {"role": "assistant"}
        return self._turn

    def end_turn(self) -> None:
        """Write what the assistant said, and behind it the outputs of its calls."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        calls: list[Json] = turn.get("tool_calls", [])
        self.messages.append({"content": None if calls else "", **turn})
        attached: list[Json] = []
        for each in calls:
            outputs = self._outputs.get(each["id"])
            text, parts = _told(*outputs.popleft()) if outputs else (_NO_OUTPUT, [])
            self.messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
            if parts:
                attached += [_text(f"Part of the output of the call {each['id']}:"), *parts]
        if attached:
            self.messages.append({"role": "user", "content": attached})


_KINDS: Mapping[str, Callable[[_Messages, Json, str], None]] = {
    "message": _Messages.message,
    "reasoning": _Messages.reasoning,
    "function_call": _Messages.call,
    "function_call_output": _Messages.output,
    "compaction": _Messages.compaction,
}


def _paired(items: Sequence[Json]) -> tuple[Mapping[str, deque[tuple[Any, str]]], Set[str]]:
    """What belongs to calls: the outputs with their places by the ids of calls, and their items.

    Some servers number the calls of each answer anew: the first output of an id belongs to its
    first call, the second one to the second call.
    """
    calls = Counter(each["call_id"] for each in items if each.get("type") == "function_call")
    outputs: dict[str, deque[tuple[Any, str]]] = {}
    paired: set[str] = set()
    for index, each in enumerate(items):
        if each.get("type") == "function_call_output" and calls[each["call_id"]] > 0:
            calls[each["call_id"]] -= 1
            paired.add(f"input[{index}]")
            waiting = outputs.setdefault(each["call_id"], deque())
            waiting.append((each["output"], f"input[{index}].output"))
    return outputs, paired


def _told(output: str | list[Json], place: str) -> tuple[str, list[Json]]:
    """An output as text, and the parts of it that are none: `tool` messages hold text alone."""
    if isinstance(output, str):
        return output, []
    parts = [_part(each, f"{place}[{index}]") for index, each in enumerate(output)]
    texts = [each["text"] for each in parts if each["type"] == "text"]
    return "\n".join(texts), [each for each in parts if each["type"] != "text"]


def _flat(parts: list[Json]) -> str | list[Json]:
    """Parts, or their text where there is one part of text: not every server takes parts."""
    if not parts:
        return ""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _part(part: Json, place: str) -> Json:
    """A content part. Raises `InvalidRequestError` for one that cannot be said."""
    kind = part["type"]
    if kind in {"input_text", "output_text", "text"}:
        return _text(part["text"])
    if kind == "refusal":
        return _text(part["refusal"])
    if kind == "input_image":
        if not part.get("image_url"):
            raise _unsaid(f"{place}.image_url", "an image needs a URL, or its data as one")
        detail = {"detail": part["detail"]} if part.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    if kind == "input_file":
        if not part.get("file_data"):
            raise _unsaid(f"{place}.file_data", "the upstream takes files by their data alone")
        named = {"filename": part["filename"]} if part.get("filename") else {}
        return {"type": "file", "file": {**named, "file_data": part["file_data"]}}
    if kind == "input_video":
        return {"type": "video_url", "video_url": {"url": part["video_url"]}}
    raise _unsaid(f"{place}.type", f"the upstream has no content of type {kind!r}")


def _unsaid(place: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place}: {reason}", param=place)
