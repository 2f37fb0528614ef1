"""A response as it is being written: what was told of it, and what may come next.

Rules kept here: S4 and S5 (the first events and the last), L1 and L7 (one item after the other,
those of vendors side by side),
L8 (an incomplete item is the last one), X1 (ids of calls), Z2, Z10 and Z11 (dates, errors, usage).

Every step is taken at once, without waiting: the response is whole and legal whenever something is
waited for, and stays so when the waiting is cancelled. Events wait in the stream until they are
flushed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

from ._json import check_vendor_fields, check_vendor_type, encode, quoted, sound, to_text
from .errors import ModelError, ServerError, ServiceError, WriterError

if TYPE_CHECKING:
    from ._items import Item
    from ._stream import Stream
    from ._terms import Terms

__all__ = ["Draft"]


_NUMBERED = frozenset({"type", "sequence_number"})


class Draft:
    """One response.

    Args:
        terms: What is settled before.
        stream: Where its events go; None for an answer in one piece.
    """

    def __init__(self, terms: Terms, stream: Stream | None) -> None:
        self.terms = terms
        self.stream = stream
        self.send = _drop if stream is None else stream.send
        """Sends an event at once. Raises what the sink raises."""
        self.status = "in_progress"
        self.usage = "null"
        self.is_started = False
        self.is_ended = False
        self.error: ServiceError | None = None
        self.is_created = False
        self._ids: dict[str, None] = {}
        self._output: list[str] = []
        self._open: dict[int, Item] = {}
        self._call_ids: set[str] = set()
        self._reason: str | None = None
        self._completed_at: int | None = None
        self._interrupted = ""
        self._is_over = False

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids of the items that were opened, in order."""
        return tuple(self._ids)

    def output(self, start: int, stop: int) -> list[str]:
        """The items from one on to before another, as JSON; empty where one is still open."""
        return self._output[start:stop]

    async def flush(self) -> None:
        """Send the events that wait. Raises what the sink raises."""
        if self.stream is not None:
            await self.stream.flush()

    def sent(self, event: bytes | None) -> Awaitable[None]:
        """Send an event at once; without one, those that wait. Raises what the sink raises."""
        return self.flush() if event is None else self.send(event)

    # What comes first

    def queue(self) -> None:
        """Say that the response waits (rule P5). Raises `WriterError` when it was begun."""
        if self.is_created or self._is_over:
            raise WriterError("the response was begun already", "S4")
        self.status = "queued"
        self._create()
        self._put_response("response.queued", "queued")

    def start(self) -> None:
        """Say that work on the response begins, unless that was said (rule S4)."""
        if not self.is_started:
            self.is_started = True
            if not self._is_over:
                self.status = "in_progress"
            if not self.is_created:
                self._create()
            self._put_response("response.in_progress", "in_progress")

    def _create(self) -> None:
        self.is_created = True
        queued = self.status == "queued"
        self._put_response("response.created", "queued" if queued else "in_progress")

    def _put_response(self, event_type: str, status: str) -> None:
        """Tell the response as it was before anything was written."""
        if self.stream is not None:
            self.stream.put(event_type, f'"response":{self._json(status)}')

    # Items

    def check_writable(self) -> None:
        """Raise `WriterError` when nothing may be written any more."""
        if self._is_over:
            raise WriterError("the response has ended", "S4")
        if self.status == "incomplete":
            raise WriterError("the response is incomplete: nothing may be written after that", "L8")
        if self._interrupted:
            reason = f"{self._interrupted} is incomplete, so nothing may follow but `incomplete`"
            raise WriterError(reason, "L8")

    def check_free(self, item: Item) -> None:
        """Raise `WriterError` unless an item may be opened now.

        One item is open at a time; those of vendors may be open side by side.
        """
        self.check_writable()
        for each in self._open.values():
            if not (item.is_of_vendor and each.is_of_vendor):
                raise WriterError(f"{each.name} is open: leave its context first", "L1")
        if item.id in self._ids:
            raise WriterError(f"there is an item {item.id!r} already", "L1")

    def is_last(self, item: Item) -> bool:
        """Whether no item was opened after it."""
        return item.index == len(self._ids) - 1

    def admit(self, name: str, call_id: str) -> None:
        """Let a function be called. Raises `WriterError` when the request does not allow it."""
        if call_id in self._call_ids:
            raise WriterError(f"there is a call {call_id!r} already", "X1")
        self.terms.calls.check(name)
        self._call_ids.add(call_id)

    def enter(self, item: Item) -> None:
        """Take an item that opens, and give it its place (rule L7)."""
        self.start()
        item.index = len(self._ids)
        self._ids[item.id] = None
        self._output.append("")
        self._open[item.index] = item

    def leave(self, item: Item, final: str) -> None:
        """Take the final shape of an item that closes."""
        self._output[item.index] = final
        del self._open[item.index]

    def interrupt(self, name: str) -> None:
        """Take note that an item closed as incomplete (rule L8)."""
        self._interrupted = name

    def tell(self, event_type: str, fields: Mapping[str, object]) -> None:
        """Tell an event of a vendor's (rules N1, N2, N5). Raises `WriterError`."""
        self.check_writable()
        check_vendor_type(event_type, "event")
        check_vendor_fields(fields, _NUMBERED)
        members = to_text(fields, f"the event {event_type!r}", "N2")
        self.start()
        if self.stream is not None:
            self.stream.put(event_type, members[1:-1])

    def count(self, read: int, written: int, cached: int, reasoned: int) -> None:
        """Take the tokens used so far. Raises `WriterError`."""
        if self._is_over:
            self.check_writable()
        self.usage = (
            f'{{"input_tokens":{read},"output_tokens":{written},"total_tokens":{read + written},'
            f'"input_tokens_details":{{"cached_tokens":{cached}}},'
            f'"output_tokens_details":{{"reasoning_tokens":{reasoned}}}}}'
        )

    # How it ends

    def cut(self, reason: str) -> None:
        """End the response as incomplete (rule L8). Raises `WriterError`."""
        if self.status == "incomplete" or self._is_over:
            self.check_writable()
        self.start()
        self._close_all()
        self.status = "incomplete"
        self._reason = reason

    def complete(self) -> None:
        """End the response, which is completed unless it was cut.

        Raises `WriterError` while something is open, and `ModelError` when a call is missing that
        the request asks for (rule X5).
        """
        if self._is_over:
            self.check_writable()
        self.start()
        if self.status != "incomplete":
            self._check_complete()
            self.status = "completed"
            self._completed_at = max(int(time.time()), self.terms.created_at)
        self._is_over = True

    def _check_complete(self) -> None:
        for item in self._open.values():
            raise WriterError(f"the service returned while {item.name} is open", "L6")
        if self._interrupted:
            reason = f"{self._interrupted} is incomplete: say why by `incomplete`, or raise"
            raise WriterError(reason, "L8")
        if self.terms.calls.required and not self._call_ids:
            raise ModelError("the model made no call, and the request asks for one")

    def fail(self, error: ServiceError | None = None) -> None:
        """End the response as failed, and close what is open, unless its end was told."""
        if self.is_ended:
            return
        self._close_all()
        self.status = "failed"
        self.error = error or self.error or ServerError("the response was not finished")
        self._is_over = True

    def end(self) -> None:
        """Tell how the response ended (rules S4, S5). Raises `WriterError` when it did not."""
        if not self._is_over or self.is_ended:
            reason = "ended before" if self.is_ended else "is not finished"
            raise WriterError(f"the response {reason}", "S4")
        self.is_ended = True
        if self.stream is None:
            return
        self.start()
        if self.error is not None:
            self.stream.put("error", f'"error":{_payload(self.error)}')
        self.stream.put(f"response.{self.status}", f'"response":{self.json()}')

    def _close_all(self) -> None:
        for item in list(self._open.values()):
            item.stop()

    # As JSON

    def json(self) -> str:
        """The response as it stands."""
        output = self._output
        if self._open:
            output = output.copy()
            for index, item in self._open.items():
                output[index] = item.json()
        return self._json(self.status, ",".join(output), self.usage)

    def _json(self, status: str, output: str = "", usage: str = "null") -> str:
        terms, details, error = self.terms, "null", "null"
        completed_at = self._completed_at if status == "completed" else None
        if status == "incomplete" and self._reason is not None:
            details = f'{{"reason":{quoted(self._reason)}}}'
        if status == "failed" and self.error is not None:
            error = _told(code=self.error.code or self.error.type, message=self.error.message)
        return (
            f'{{"id":{quoted(terms.id)},"object":"response","created_at":{terms.created_at},'
            f'"completed_at":{"null" if completed_at is None else completed_at},'
            f'"status":"{status}","incomplete_details":{details},{terms.echo.decode()},'
            f'"output":[{output}],"error":{error},"usage":{usage}}}'
        )


async def _drop(_: bytes) -> None:
    """Send an event of an answer in one piece: nothing."""


def _payload(error: ServiceError) -> str:
    """An error as the `error` event tells it (rule Z10)."""
    headers = {"headers": dict(error.headers)} if error.headers else {}
    return _told(
        type=error.type, code=error.code, message=error.message, param=error.param, **headers
    )


def _told(**members: object) -> str:
    """The members of an error, in one piece whatever text is in them: it has to be told."""
    return sound(encode(members))
