"""The input and output of a run: requests over HTTP, each recorded to the byte.

Whatever a server does ends in a recorded `Answer`: time and size are limited, garbage is kept as what it is, and the
key is taken out of everything that comes before anybody can look at it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from openresponses_codegen import __version__
from openresponses_codegen.conform.case import RECORD, Ask
from openresponses_codegen.conform.exchange import Answer, Conversation
from openresponses_codegen.conform.framing import DONE
from openresponses_codegen.conform.outcome import SkipError
from openresponses_codegen.conform.reading import Json
from openresponses_codegen.conform.record import Record
from openresponses_codegen.conform.redaction import Redaction
from openresponses_codegen.conform.schema import schemas
from openresponses_codegen.conform.settings import Settings
from openresponses_codegen.conform.websocket import Socket

T = TypeVar("T")

USER_AGENT = f"openresponses-codegen/{__version__} conform"
_END = f"data: {DONE}".encode()


class Session:
    """A run's connection pool, what it recorded, and what came of its asks."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redaction = Redaction(settings.api_key)
        self.record = Record(schemas(settings.release))
        self.slots = asyncio.Semaphore(settings.parallel)
        self.uses: dict[str, set[str]] = {}
        """For each ask, the asks that it built upon, by name."""
        self._results: dict[Ask[Any], asyncio.Task[Any]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        seconds = self.settings.limits.seconds
        headers = {"accept-encoding": "identity", "user-agent": USER_AGENT}
        client = httpx2.AsyncClient(timeout=httpx2.Timeout(seconds, pool=None), headers=headers)
        self.client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._results.values():
            task.cancel()
        await asyncio.gather(*self._results.values(), return_exceptions=True)
        await self._stack.aclose()

    async def result(self, ask: Ask[T]) -> T:
        """What comes of an ask, which is carried out once."""
        if ask not in self._results:
            self._results[ask] = asyncio.create_task(_carried_out(ask, Probe(self, ask.name)))
        return await asyncio.shield(self._results[ask])

    async def whole_record(self) -> Record:
        """The record, once every other ask that was begun is done."""
        others = [task for ask, task in self._results.items() if ask is not RECORD]
        await asyncio.gather(*others, return_exceptions=True)
        return self.record


async def _carried_out(ask: Ask[T], probe: Probe) -> T:
    return await ask.carry_out(probe)


class Probe:
    """What an ask has in its hands."""

    def __init__(self, session: Session, ask: str) -> None:
        self._session = session
        self._ask = ask
        self.settings: Settings = session.settings
        self.schemas = session.record.schemas

    async def result(self, ask: Ask[T]) -> T:
        """What comes of another ask."""
        self._session.uses.setdefault(self._ask, set()).add(ask.name)
        return await self._session.result(ask)

    async def results(self, *asks: Ask[T]) -> list[T]:
        """What comes of those of the asks that are not skipped."""
        found = await asyncio.gather(*(_listed(self.result(each)) for each in asks))
        return [each for listed in found for each in listed]

    async def whole_record(self) -> Record:
        """Everything that was exchanged."""
        return await self._session.whole_record()

    async def create(self, **fields: Any) -> Answer:
        """`POST {base}/responses` with these fields, and the model."""
        return await self.post("/responses", self.body(fields))

    def body(self, fields: Mapping[str, Any]) -> Json:
        """A request body: the model that was named, and these fields."""
        model = self.settings.model
        return {**({"model": model} if model is not None else {}), **fields}

    async def post(self, path: str, body: Json, headers: Mapping[str, str] | None = None) -> Answer:
        """`POST` of a JSON body."""
        return await self.send("POST", path, json.dumps(body, ensure_ascii=False), headers)

    async def send(
        self,
        method: str,
        path: str,
        content: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        api_key: str | None = "",
    ) -> Answer:
        """A request of any kind; `api_key` replaces that of the settings, or leaves it out where it is None.

        A request that is answered with 429 is sent again, after the time that the server asks for.
        """
        session, limits = self._session, self.settings.limits
        key = self.settings.api_key if api_key == "" else api_key
        given = {
            **({"content-type": "application/json"} if content else {}),
            **({"authorization": f"Bearer {key}"} if key else {}),
            **(headers or {}),
        }
        request = session.client.build_request(
            method, self.settings.url + path, content=content.encode() if content else None, headers=given
        )
        answer = Answer(self._ask, method, path, content)
        for attempt in range(limits.retries + 1):
            answer = Answer(self._ask, method, path, content)
            async with session.slots:
                await _exchange(session, request, answer)
            session.record.answers.append(answer)
            if answer.status != 429 or attempt == limits.retries:
                break
            await asyncio.sleep(min(_seconds(answer.headers.get("retry-after", "")), limits.retry_seconds))
        return answer

    def socket(self, *, api_key: str | None = "") -> Socket:
        """A WebSocket at `{base}/responses`, to be entered; `api_key` as in `send`."""
        key = self.settings.api_key if api_key == "" else api_key
        conversation = Conversation(self._ask)
        self._session.record.conversations.append(conversation)
        return Socket(self.settings, key, conversation, self._session.redaction, self._session.slots)


async def _listed(result: Awaitable[T]) -> list[T]:
    try:
        return [await result]
    except SkipError:
        return []


async def _exchange(session: Session, request: httpx2.Request, answer: Answer) -> None:
    """Send a request and read its answer into the record, whatever happens."""
    limits, redaction = session.settings.limits, session.redaction
    received = bytearray()
    try:
        async with asyncio.timeout(limits.seconds) as clock:
            response = await session.client.send(request, stream=True)
            try:
                answer.status = response.status_code
                answer.headers = {name: redaction.text(value) for name, value in response.headers.items()}
                is_ending = False
                async for piece in response.aiter_raw():
                    received += piece
                    answer.pieces.append(len(received))
                    if len(received) > limits.answer_bytes:
                        answer.problem = f"it went on after {limits.answer_bytes:,} bytes"
                        break
                    if not is_ending and answer.is_streamed and _END in received[-len(piece) - len(_END) :]:
                        is_ending = True
                        clock.reschedule(asyncio.get_running_loop().time() + limits.closing_seconds)
            finally:
                await response.aclose()
    except TimeoutError:
        answer.problem = "it did not end in time"
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        answer.problem = redaction.text(f"{type(error).__name__}: {error}")
    answer.reveals_key = redaction.finds(bytes(received)) or redaction.finds(str(answer.headers).encode())
    answer.body = redaction.data(bytes(received))


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else 1.0
