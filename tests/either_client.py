"""One way to write a test for the synchronous and the asynchronous client: the latter, used as the former is."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Run = Callable[[Any], Any]


class Blocking:
    """An object of the asynchronous client whose methods wait for what they would have to be awaited for."""

    def __init__(self, target: Any, run: Run) -> None:
        self._target = target
        self._run = run

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return self._waiting(found) if inspect.ismethod(found) else self._wrapped(found)

    def __iter__(self) -> Self:
        return self._wrapped(aiter(self._target))

    def __next__(self) -> Any:
        try:
            return self._run(_next(self._target))
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Any:
        return self._wrapped(self._run(self._target.__aenter__()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._target.__aexit__(kind, error, traceback))

    def __repr__(self) -> str:
        return repr(self._target)

    def _waiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = method(*arguments, **named)
            return self._wrapped(self._run(result) if inspect.iscoroutine(result) else result)

        return call

    def _wrapped(self, value: Any) -> Any:
        is_ours = ".aio." in type(value).__module__ or inspect.isasyncgen(value)
        return Blocking(value, self._run) if is_ours else value


async def _next(iterator: Any) -> Any:
    return await anext(iterator)


class Clients:
    """Makes clients of one kind, and closes them in the end."""

    def __init__(self, kit: Any, *, is_async: bool) -> None:
        self.is_async = is_async
        self._class = kit.AsyncOpenResponses if is_async else kit.OpenResponses
        self._runner = asyncio.Runner() if is_async else None
        self._made: list[Any] = []

    def __call__(self, base_url: str | None, **settings: Any) -> Any:
        """A client that does not wait for long."""
        client = self._class(base_url=base_url, **{"timeout": 10.0, **settings})
        if self._runner is not None:
            client = Blocking(client, self._run)
        self._made.append(client)
        return client

    def while_running(self, wait: Callable[[], Any]) -> Any:
        """Wait for something while the loop of the asynchronous client goes on."""
        return wait() if self._runner is None else self._runner.run(asyncio.to_thread(wait))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in self._made:
            each.close()
        if self._runner is not None:
            self._runner.close()

    def _run(self, awaitable: Any) -> Any:
        assert self._runner is not None
        return self._runner.run(awaitable)
