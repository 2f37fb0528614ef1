"""A headless Chromium for tests of the page, and a server that answers with the bytes of a script."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NARROW = {"width": 360, "height": 740}


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser while entered; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"there is no browser here: none of {', '.join(PROGRAMS)} is installed")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page of the browser, whose complaints and requests are noted."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        # That an answer is an error is no fault of the page.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def open(self) -> Page:
        self.page.goto(self.url)
        self.page.wait_for_selector("html[data-ready=true]")
        return self.page

    def check(self) -> None:
        assert self.complaints == []
        assert [each for each in self.requests if not each.startswith(f"{self.url}/")] == []


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page of a server, opened while entered; at the end it has complained of nothing and asked no other host."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
    try:
        watched = Watched(context.new_page(), url)
        yield watched.open()
        watched.check()
    finally:
        context.close()


def sent(page: Page, *, state: str = "good", **fields: str) -> None:
    """Fill in fields of the form, send, and wait for the end."""
    for name, text in fields.items():
        field = page.locator(f"#{name}")
        if field.evaluate("field => field.closest('details') !== null && !field.closest('details').open"):
            page.click("#more > summary")
        field.fill(text)
    page.click("#send")
    page.wait_for_selector(f"#status[data-state={state}]")


def clipboard(page: Page) -> str:
    """What was copied."""
    text: str = page.evaluate("() => navigator.clipboard.readText()")
    return text


def events(*given: Mapping[str, Any], numbered: bool = True) -> bytes:
    """Events as a stream has them."""
    numbers = [{"sequence_number": at} if numbered else {} for at in range(len(given))]
    whole = [{"type": each["type"], **number, **each} for each, number in zip(given, numbers, strict=True)]
    return b"".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in whole)


def response(status: str, output: Iterable[Mapping[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A response, as far as the page looks at it."""
    return {"id": "resp_1", "object": "response", "status": status, "output": list(output), "usage": None, **more}


class Scripted:
    """Answers every POST with a script of bytes, as an ASGI application.

    A piece that is None waits until the client leaves.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes | None] = []
        self.kind = "text/event-stream"
        self.status = 200
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.left = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        self.bodies.append(json.loads(body or b"null"))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        headers = [(b"content-type", self.kind.encode())]
        if 300 <= self.status < 400:
            headers.append((b"location", b"http://127.0.0.1:1/v1/responses"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.pieces:
            if piece is None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.left.set()
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})
