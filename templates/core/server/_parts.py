"""Parts of messages and of reasoning.

Rules kept here: L2 and L3 (what opens, fills and closes a part), L5 (annotations), L7 (indices),
Z12 (empty values).
"""

from __future__ import annotations

from collections.abc import Sequence

from ._deltas import Family, GrowingText
from ._json import quoted
from ._stream import Stream

__all__ = ["Part"]


class Part:
    """A part that is open: it grows, and then it is closed.

    Args:
        family: By which events it is streamed.
        item_id: Id of the item that holds it.
        output_index: Position of that item.
        index: Position of the part.
        stream: Where the events go; None for an answer in one piece.
        is_held: Whether a context holds it open; otherwise it is closed by what comes after it.
        more: More members of the part, as they stand in it, each after a comma.
    """

    __slots__ = (
        "_annotations",
        "_head",
        "_logprobs",
        "_place",
        "_stream",
        "family",
        "is_closed",
        "is_held",
        "text",
    )

    def __init__(
        self,
        family: Family,
        item_id: str,
        output_index: int,
        index: int,
        stream: Stream | None,
        *,
        is_held: bool,
        more: str = "",
    ) -> None:
        self.family = family
        self.is_held = is_held
        self.is_closed = False
        self._place = (
            f'"item_id":{quoted(item_id)},"output_index":{output_index},"{family.index}":{index}'
        )
        self._head = f'{{"type":"{family.part}"{more}'
        self._stream = stream
        self._annotations: list[str] = []
        self._logprobs: list[str] = []
        self.text = GrowingText(family, self._place, stream)
        if stream is not None:
            stream.put(family.added, f'{self._place},"part":{self.json()}')

    def score(self, delta: str, logprobs: Sequence[str]) -> None:
        """Add to the text, with log probabilities of its tokens, each as JSON."""
        self.text.add_scored(delta, f"[{','.join(logprobs)}]")
        self._logprobs += logprobs

    def annotate(self, annotation: str) -> None:
        """Add an annotation, given as JSON (rule L5)."""
        if self._stream is not None:
            number = len(self._annotations)
            members = f'{self._place},"annotation_index":{number},"annotation":{annotation}'
            self._stream.put("response.output_text.annotation.added", members)
        self._annotations.append(annotation)

    def close(self) -> str:
        """Tell the whole text, and close. Returns the part as JSON."""
        self.is_closed = True
        text = self.text.json()
        part = self.json(text)
        self.text.finish(text, self._scores())
        if self._stream is not None:
            self._stream.put(self.family.closed, f'{self._place},"part":{part}')
        return part

    def json(self, text: str | None = None) -> str:
        """The part as it stands, with its text if that is JSON already."""
        family = self.family
        members = f'{self._head},"{family.field}":{self.text.json() if text is None else text}'
        if family.has_notes:
            members += f',"annotations":[{",".join(self._annotations)}]{self._scores()}'
        return members + "}"

    def _scores(self) -> str:
        return f',"logprobs":[{",".join(self._logprobs)}]' if self.family.has_notes else ""
