"""The page in a headless Chromium: what a user sees, presses and copies, and what a hostile server cannot do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from browser import NARROW, Scripted, clipboard, events, launched, opened, response, sent
from openresponses_kit.gateway.page import PageApp
from openresponses_kit.server.app import create_app
from openresponses_kit.server.demonstration import DemonstrationService
from playwright.sync_api import Browser, Page, expect
from running_server import running
from served_process import GENERATED, served

CONFORM = [sys.executable, "-m", "openresponses_codegen"]
HOSTILE = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>'
NASTY = "It's \"quoted\" \\ $HOME `id` ${x} é 雪 \U0001f600 %s {y}\nnext line 'end"
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather at a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def demonstration() -> Iterator[str]:
    """The page around the demonstration."""
    app = create_app(DemonstrationService(), store="memory:")
    with running(PageApp(app, conform_command=CONFORM)) as server:
        yield server.url


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[Scripted, str]]:
    """The page around a server that answers with whatever a test wants."""
    app = Scripted()
    with running(PageApp(app), lifespan="off") as server:
        yield app, server.url


@pytest.fixture
def page(browser: Browser, demonstration: str) -> Iterator[Page]:
    with opened(browser, demonstration) as page:
        yield page


@pytest.fixture
def script(browser: Browser, hostile: tuple[Scripted, str]) -> Iterator[tuple[Page, Scripted]]:
    app, url = hostile
    app.kind, app.status, app.pieces = "text/event-stream", 200, []
    app.left.clear()
    with opened(browser, url) as page:
        yield page, app


def message(text: str, status: str = "completed") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": content}


def told(item: dict[str, Any], *pieces: str) -> list[dict[str, Any]]:
    """The events of a response that is one message."""
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    text = "".join(pieces)
    return [
        {"type": "response.created", "response": response("in_progress")},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "content": [], "status": "in_progress"},
        },
        {"type": "response.content_part.added", **place, "part": {**item["content"][0], "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": piece} for piece in pieces),
        {"type": "response.output_text.done", **place, "text": text},
        {"type": "response.content_part.done", **place, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response("completed", [item])},
    ]


def test_a_request_is_shown_on_the_timeline_by_items_and_folded(page: Page) -> None:
    """Reasoning with a summary, then a message with an annotation, in their order, with counts and statuses."""
    fields = '{"reasoning": {"effort": "high", "summary": "auto"}}'
    sent(page, input="See https://example.com/a please", fields=fields)
    entries = page.locator("#timeline > li")
    titles = [entries.nth(at).locator("strong").first.inner_text() for at in range(entries.count())]
    assert titles == ["response.created", "response.in_progress", "reasoning", "message", "response.completed"]
    reasoning, answer = entries.nth(2), entries.nth(3)
    assert reasoning.locator(".kind").all_inner_texts() == ["summary_text", "reasoning_text"]
    assert answer.locator(".status-chip").all_inner_texts() == ["in_progress", "completed"]
    assert "See https://example.com/a please" in answer.locator(".text").inner_text()
    assert "deltas" in answer.locator(".part-head").inner_text()
    assert answer.locator(".annotations li").all_inner_texts() == ["https://example.com/a"]
    expect(page.locator("#status")).to_contain_text("Response completed")
    page.click("#tab-response")
    expect(page.locator("#verdict")).to_have_text(
        "Folded from the events; its output equals that of the terminal event."
    )
    page.locator("#tree summary", has_text="output:").click()
    expect(page.locator("#tree .inside .inside > details")).to_have_count(2)


def test_the_folded_response_is_the_one_that_the_server_keeps(page: Page, demonstration: str) -> None:
    """L9: what is folded in the browser equals what the terminal event had, which is what is stored."""
    sent(page, input="Give me the weather in Oslo, please.", tools=json.dumps([TOOL]))
    page.click("#tab-response")
    page.click("#copy-response")
    expect(page.locator("#status")).to_have_text("Copied the response.")
    folded = json.loads(clipboard(page))
    assert [each["type"] for each in folded["output"]] == ["function_call"]
    kept = httpx2.get(f"{demonstration}/v1/responses/{folded['id']}", trust_env=False).json()
    assert folded == kept


def test_a_response_in_one_piece_is_shown_as_well(page: Page) -> None:
    page.uncheck("#stream")
    sent(page, input="In one piece")
    assert page.locator("#timeline .item .text").inner_text() == "You said: “In one piece”."
    page.click("#tab-response")
    expect(page.locator("#verdict")).to_have_text("The answer came in one piece.")


def test_a_call_is_answered_and_the_conversation_goes_on(page: Page) -> None:
    """P1: the turn that ended is continued from, by its id."""
    sent(page, input="My name is Ada. What is the weather in Oslo?", tools=json.dumps([TOOL]))
    page.click("text=Answer this call")
    items = json.loads(page.input_value("#input"))
    assert items[0]["type"] == "function_call_output"
    first = page.input_value("#previous")
    assert first.startswith("resp_")
    items[0]["output"] = "It snows."
    sent(page, input=json.dumps(items))
    second = page.input_value("#previous")
    assert second not in {"", first}
    sent(page, input="What is my name?", tools="")
    assert "Ada" in page.locator("#timeline .item .text").inner_text()
    page.select_option("#previous", "")
    sent(page, input="What is my name?")
    assert "Ada" not in page.locator("#timeline .item .text").inner_text()


def test_z16_stop_ends_the_stream_at_once(script: tuple[Page, Scripted]) -> None:
    page, app = script
    app.pieces = [events(*told(message("Hello"), "Hel", "lo")[:5]), None]
    page.fill("#input", "x")
    page.click("#send")
    expect(page.locator("#timeline .item .text")).to_have_text("Hello")
    expect(page.locator("#status")).to_have_text("Streaming.")
    page.click("#stop")
    expect(page.locator("#status")).to_have_text("Stopped after 5 events.")
    assert app.left.wait(20)
    expect(page.locator("#send")).to_be_focused()
    page.click("#tab-response")
    assert "no terminal event" in page.inner_text("#verdict")
    page.click("#copy-response")
    expect(page.locator("#status")).to_have_text("Copied the response.")
    folded = json.loads(clipboard(page))
    assert folded["status"] == "in_progress"
    assert folded["output"] == [message("Hello", "in_progress")]


def test_another_server_is_asked_through_this_one(browser: Browser, tmp_path: Path) -> None:
    """The page itself speaks to its own host alone; the demonstration runs in a process of its own."""
    app = PageApp(create_app(DemonstrationService(), store="memory:"), allow_private=True)
    with (
        served(tmp_path, "--store", "memory:", "--api-key", "theirs") as other,
        running(app) as server,
        opened(browser, server.url) as page,
    ):
        sent(page, state="bad", url=f"{other.url}/v1/", input="hi")
        expect(page.locator("#status")).to_contain_text("HTTP 401: unauthorized")
        sent(page, key="theirs", input="hello there")
        assert "hello there" in page.locator("#timeline .item .text").inner_text()


def test_an_address_that_is_not_public_is_refused_with_the_reason(page: Page) -> None:
    sent(page, state="bad", url="http://10.0.0.1/v1", input="x")
    expect(page.locator("#status")).to_contain_text("no public address")


@pytest.mark.parametrize("stream", [True, False])
def test_the_copied_command_runs(page: Page, tmp_path: Path, stream: bool) -> None:
    """As it stands in a shell, whatever stands in the request; the key is a variable there."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    page.set_checked("#stream", stream)
    page.fill("#key", "secret-of-the-user")
    page.fill("#instructions", NASTY)
    page.fill("#input", NASTY)
    page.click("#copy-curl")
    expect(page.locator("#status")).to_have_text("Copied the command.")
    command = clipboard(page)
    assert "secret-of-the-user" not in command
    assert '"authorization: Bearer $OPENRESPONSES_API_KEY"' in command
    environment = {**os.environ, "OPENRESPONSES_API_KEY": "x", "no_proxy": "*"}
    run = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, cwd=tmp_path, check=True)
    if stream:
        (last,) = [line for line in run.stdout.decode().split("\n") if "response.completed" in line and "data:" in line]
        answered = json.loads(last.removeprefix("data: "))["response"]
    else:
        answered = json.loads(run.stdout)
    assert answered["instructions"] == NASTY
    assert answered["status"] == "completed"


@pytest.mark.parametrize("stream", [True, False])
def test_the_copied_program_runs(page: Page, tmp_path: Path, stream: bool) -> None:
    page.set_checked("#stream", stream)
    page.click("#more > summary")
    page.fill("#key", "secret-of-the-user")
    page.fill("#instructions", NASTY)
    page.fill("#input", "You said nothing")
    page.fill("#tools", json.dumps([{**TOOL, "strict": True, "description": None}]))
    metadata = {"nasty": NASTY, "empty": ""}
    page.fill(
        "#fields", json.dumps({"metadata": metadata, "store": False, "temperature": 0.5, "max_output_tokens": None})
    )
    page.click("#copy-python")
    expect(page.locator("#status")).to_have_text("Copied the program.")
    program = clipboard(page)
    assert "secret-of-the-user" not in program
    (tmp_path / "program.py").write_text(program)
    environment = {**os.environ, "OPENRESPONSES_API_KEY": "x", "PYTHONPATH": str(GENERATED), "NO_PROXY": "*"}
    command = [sys.executable, "-W", "error", "program.py"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stderr
    heard = " ".join(NASTY.split())
    assert f"completed My instructions are: “{heard}”. You said: “You said nothing”." in run.stdout
    assert ("response.output_text.delta" in run.stdout) is stream


def test_what_cannot_be_copied_for_want_of_rights_is_shown(browser: Browser, demonstration: str) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(demonstration)
        page.wait_for_selector("html[data-ready=true]")
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
        page.click("#copy-curl")
        assert page.input_value("#copy-text").startswith("curl -sSN ")
        page.keyboard.press("Escape")
        expect(page.locator("#copy-dialog")).to_be_hidden()
    finally:
        context.close()


def test_the_key_is_kept_in_memory_alone(page: Page) -> None:
    sent(page, key="secret-of-the-user", input="x")
    page.click("#theme")
    stored = page.evaluate(
        "() => [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), document.cookie]"
    )
    assert "secret" not in "".join(stored)
    assert page.context.cookies() == []
    assert "secret" not in page.url
    page.reload()
    page.wait_for_selector("html[data-ready=true]")
    assert page.input_value("#key") == ""


def test_a_run_of_the_cases_is_shown_with_outcomes_rules_and_reasons(page: Page) -> None:
    page.click("#tab-conform")
    page.fill("#rules", "S2, T2")
    page.click("#run")
    expect(page.locator("#conform-status")).to_contain_text("0 failed", timeout=60_000)
    cases = page.locator(".case")
    assert set(cases.locator(".rule").all_inner_texts()) == {"S2", "T2"}
    assert set(cases.locator(".outcome").all_inner_texts()) == {"passed", "skipped"}
    assert "no API key was given" in page.locator('.case[data-outcome="skipped"] .reason').first.inner_text()
    page.locator("#filters button", has_text="passed").click()
    assert page.locator('.case[data-outcome="passed"]:visible').count() == 0
    assert page.locator('.case[data-outcome="skipped"]:visible').count() > 0


def test_a_failed_case_shows_what_was_sent_and_what_came(browser: Browser) -> None:
    """A server whose streams have no [DONE]."""
    app = Scripted()
    app.pieces = [events(*told(message("Hi"), "Hi"))]
    whole = PageApp(app, conform_command=CONFORM)
    with running(whole, lifespan="off") as server, opened(browser, server.url) as page:
        page.click("#tab-conform")
        page.fill("#rules", "S2-done-after-terminal")
        page.click("#run")
        expect(page.locator("#conform-status")).to_contain_text("1 failed", timeout=60_000)
        case = page.locator('.case[data-outcome="failed"]')
        assert "null" in case.locator(".reason").inner_text()
        case.locator("summary").first.click()
        expect(case.locator("pre").first).to_contain_text("POST /responses")


def test_a_run_can_be_stopped(browser: Browser) -> None:
    app = Scripted()
    app.pieces = [None]
    whole = PageApp(app, conform_command=CONFORM)
    with running(whole, lifespan="off") as server, opened(browser, server.url) as page:
        page.click("#tab-conform")
        page.click("#run")
        expect(page.locator("#conform-stop")).to_be_enabled()
        page.keyboard.press("Escape")
        expect(page.locator("#conform-status")).to_have_text("Stopped.")
        expect(page.locator("#run")).to_be_enabled()


def brightness(page: Page) -> int:
    colour: str = page.evaluate("() => getComputedStyle(document.body.parentElement).backgroundColor")
    return sum(int(each) for each in colour.removeprefix("rgb(").removesuffix(")").split(","))


@pytest.mark.parametrize(("scheme", "is_light"), [("light", True), ("dark", False)])
def test_the_page_is_light_or_dark_as_the_system_is_and_can_be_switched(
    browser: Browser,
    demonstration: str,
    scheme: Any,
    is_light: bool,
) -> None:
    with opened(browser, demonstration, color_scheme=scheme) as page:
        assert (brightness(page) > 380) is is_light
        page.click("#theme")
        expect(page.locator("#theme")).to_have_text("Theme: light")
        assert brightness(page) > 380
        page.click("#theme")
        expect(page.locator("#theme")).to_have_text("Theme: dark")
        assert brightness(page) < 380
        page.reload()
        page.wait_for_selector("html[data-ready=true]")
        assert brightness(page) < 380


CONTRAST = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((each) => {
      const part = each / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!colour.includes("0, 0, 0, 0")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const hasText = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    if (!hasText || !node.checkVisibility() || node.disabled) continue;
    const [one, other] = [getComputedStyle(node).color, behind(node)].map(luminance);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) poor.push([node.tagName, node.className, ratio, node.textContent.slice(0, 30)]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(browser: Browser, demonstration: str, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    with opened(browser, demonstration, color_scheme=scheme) as page:
        fields = '{"reasoning": {"effort": "high", "summary": "auto"}}'
        sent(page, input="See https://example.com/a please", fields=fields)
        assert page.evaluate(CONTRAST) == []
        page.click("#tab-response")
        assert page.evaluate(CONTRAST) == []
        sent(page, state="bad", url="http://10.0.0.1/v1")
        page.click("#tab-timeline")
        assert page.evaluate(CONTRAST) == []
        page.click("#tab-conform")
        page.fill("#rules", "S2 T2")
        page.fill("#conform-url", f"{demonstration}/v1")
        page.click("#run")
        expect(page.locator("#conform-status")).to_contain_text("0 failed", timeout=60_000)
        assert page.evaluate(CONTRAST) == []


NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea, summary, [role=tabpanel]")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !each.labels?.length && !each.ariaLabel && !each.getAttribute("aria-labelledby"))
  .filter((each) => !each.innerText?.trim())
  .map((each) => each.outerHTML)"""


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    """Tab reaches every control and leaves it again; the focus is seen; nothing is without a name."""
    assert page.evaluate(NAMELESS) == []
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name == "BODY":
            break
        reached.append(name)
        assert outline != "none", name
    # Of tabs that belong together one is reached by Tab, the others by arrows.
    assert reached[:10] == [
        "tab-request", "theme", "help", "url", "key", "model", "instructions", "input", "previous", "effort",
    ]  # fmt: skip
    assert {"SUMMARY", "stream", "send", "copy-curl", "copy-python", "tab-timeline"} <= set(reached)
    page.locator("#input").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#status[data-state=good]")
    assert "By keyboard" in page.locator("#timeline .item .text").inner_text()
    page.locator("#tab-timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-response")).to_be_focused()
    expect(page.locator("#panel-response")).to_be_visible()
    page.locator("#tree summary").nth(1).focus()
    page.keyboard.press("Enter")
    page.locator("#tab-request").focus()
    page.keyboard.press("End")
    expect(page.locator("#view-conform")).to_be_visible()
    page.locator("#help").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    expect(page.locator("#help")).to_be_focused()


def test_escape_stops_and_a_wrong_field_gets_the_focus(script: tuple[Page, Scripted]) -> None:
    page, app = script
    app.pieces = [events(*told(message("Hello"), "Hel")[:4]), None]
    page.locator("#input").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_have_text("Streaming.")
    page.keyboard.press("Escape")
    expect(page.locator("#status")).to_contain_text("Stopped")
    page.click("#more > summary")
    page.fill("#tools", "{}")
    page.click("#more > summary")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#tools")).to_be_focused()
    expect(page.locator("#form-error")).to_have_text("Tools has to be a JSON array.")
    assert page.get_attribute("#tools", "aria-invalid") == "true"
    page.fill("#tools", "")
    for address in ("nonsense", "ftp://x/", "http://user:pass@x/"):
        page.fill("#url", address)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#url")).to_be_focused()


def test_what_is_live_is_told_to_those_who_do_not_see(page: Page) -> None:
    for name in ("#status", "#conform-status"):
        assert page.get_attribute(name, "aria-live") == "polite"
    assert page.get_attribute("#form-error", "role") == "alert"
    tree = page.locator("body").aria_snapshot()
    for part in ('tab "Request" [selected]', 'textbox "Input"', 'button "Send"', 'tabpanel "Request"', "status"):
        assert part in tree


def test_the_page_fits_a_width_of_360_pixels(browser: Browser, demonstration: str) -> None:
    with opened(browser, demonstration, viewport=NARROW) as page:
        fields = '{"reasoning": {"effort": "high", "summary": "auto"}}'
        sent(page, input="x" * 300, fields=fields, instructions="y" * 400)
        for tab in ("#tab-timeline", "#tab-response", "#tab-conform"):
            page.click(tab)
            if tab == "#tab-response":
                page.locator("#tree summary", has_text="output:").click()
            if tab == "#tab-conform":
                page.fill("#rules", "S2 T2")
                page.click("#run")
                expect(page.locator("#conform-status")).to_contain_text("0 failed", timeout=60_000)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, tab


FRAMES = """() => {
  window.frames_drawn = 0;
  const draw = () => { window.frames_drawn += 1; requestAnimationFrame(draw); };
  draw();
}"""


def test_five_thousand_events_are_shown_by_a_bounded_page(script: tuple[Page, Scripted]) -> None:
    """3,000 deltas of one message, 1,500 events of no item, 100 items with 5 events each."""
    page, app = script
    item = message("ab" * 3000)
    begin = told(item, *["ab"] * 3000)
    free = [{"type": "acme:tick", "count": at} for at in range(1500)]
    items = [{"type": "acme:search_call", "id": f"s_{at}", "status": "completed"} for at in range(1, 101)]
    runs = [
        event
        for at, each in enumerate(items, 1)
        for event in (
            {"type": "response.output_item.added", "output_index": at, "item": {**each, "status": "in_progress"}},
            *({"type": "acme:search_call.searching", "item_id": each["id"], "output_index": at} for _ in range(3)),
            {"type": "response.output_item.done", "output_index": at, "item": each},
        )
    ]
    end = {"type": "response.completed", "response": response("completed", [item, *items])}
    stream = events(*begin[:-1], *free, *runs, end) + b"data: [DONE]\n\n"
    app.pieces = [stream[at : at + 9999] for at in range(0, len(stream), 9999)]
    page.evaluate(FRAMES)
    page.fill("#input", "many")
    page.click("#send")
    expect(page.locator("#status")).to_contain_text("Response completed: 5,007 events", timeout=60_000)
    assert page.evaluate("() => window.frames_drawn") > 1
    assert page.locator("#timeline > li").count() == 400
    assert page.evaluate("() => document.querySelectorAll('*').length") < 12_000
    expect(page.locator("#dropped")).to_contain_text("Earlier entries left out of the page: 1,203.")
    page.click("#tab-response")
    expect(page.locator("#verdict")).to_contain_text("equals that of the terminal event")
    page.locator("#tree summary", has_text="output:").click()
    expect(page.locator("#tree .inside .inside > details")).to_have_count(100)
    page.click("text=Show 1 more of 101")
    expect(page.locator("#tree .inside .inside > details")).to_have_count(101)


def test_a_long_text_is_shown_as_far_as_it_is_bearable(script: tuple[Page, Scripted]) -> None:
    page, app = script
    pieces = ["x" * 1000] * 300
    app.pieces = [events(*told(message("".join(pieces)), *pieces)), b"data: [DONE]\n\n"]
    sent(page, input="long")
    assert len(page.locator("#timeline .text").inner_text()) == 200_000
    assert "300,000 characters · the first 200,000 are shown" in page.locator(".part-head").inner_text()


def test_text_of_a_model_is_never_markup(script: tuple[Page, Scripted]) -> None:
    """Wherever a server may put a text: deltas, types, names, statuses, annotations, errors, ids."""
    page, app = script
    item = message(HOSTILE)
    item["content"][0]["annotations"] = [{"type": "url_citation", "url": "javascript:hack()", "title": HOSTILE}]
    call = {
        "type": "function_call",
        "id": HOSTILE,
        "name": HOSTILE,
        "call_id": HOSTILE,
        "arguments": HOSTILE,
        "status": HOSTILE,
    }
    odd = {"type": HOSTILE, "id": "odd", "status": HOSTILE, HOSTILE: HOSTILE}
    output = [item, call, odd]
    given = [
        *told(item, HOSTILE)[:-1],
        {
            "type": "response.output_text.annotation.added",
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "annotation_index": 0,
            "annotation": item["content"][0]["annotations"][0],
        },
        *({"type": "response.output_item.done", "output_index": at, "item": each} for at, each in enumerate(output)),
        {"type": HOSTILE, "item_id": "odd", "output_index": 2, "status": HOSTILE, HOSTILE: HOSTILE},
        {"type": f"acme:{HOSTILE}", HOSTILE: HOSTILE},
        {"type": "__proto__.delta", "output_index": 0, "delta": HOSTILE},
        {"type": "constructor", "output_index": "__proto__", "item_id": "__proto__"},
        {"type": "error", "error": {"code": HOSTILE, "message": HOSTILE, "param": HOSTILE}},
        {
            "type": "response.failed",
            "response": response("failed", output, error={"code": HOSTILE, "message": HOSTILE}),
        },
    ]
    app.pieces = [events(*given), f"event: {HOSTILE}\ndata: {HOSTILE}\n\ndata: 1\n\ndata: [DONE]\n\n".encode()]
    sent(page, state="bad", input=HOSTILE)
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.click("#tab-response")
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("main img, main script, main a").count() == 0
    assert page.locator("#timeline .text").first.inner_text() == HOSTILE
    app.kind, app.status, app.pieces = "application/json", 500, [json.dumps({"error": {"message": HOSTILE}}).encode()]
    sent(page, state="bad")
    app.kind, app.status, app.pieces = "text/html", 200, [HOSTILE.encode()]
    sent(page, state="bad")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("main img, main script, main a").count() == 0


def test_n3_unknown_events_and_items_are_shown_whole_with_their_statuses(script: tuple[Page, Scripted]) -> None:
    page, app = script
    item = {"type": "acme:interpreter_call", "id": "i_1", "status": "completed", "code": "1 + 1", "result": "2"}
    place = {"item_id": "i_1", "output_index": 0}
    app.pieces = [
        events(
            {"type": "response.created", "response": response("in_progress")},
            {"type": "acme:heartbeat", "beat": {"deep": [1, 2]}},
            {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}},
            {"type": "acme:interpreter_call.interpreting", **place, "status": "interpreting"},
            {"type": "acme:interpreter_call.code.delta", **place, "delta": "1 +"},
            {"type": "response.web_search_call.searching", **place},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response("completed", [item])},
        ),
        b"data: [DONE]\n\n",
    ]
    sent(page, input="x")
    free = page.locator('#timeline > li[data-tone="unknown"]')
    assert json.loads(free.locator("pre").inner_text())["beat"] == {"deep": [1, 2]}
    card = page.locator("#timeline > li.item")
    chips = card.locator(".status-chip").all_inner_texts()
    assert chips == ["in_progress", "interpreting", "searching", "completed"]
    assert card.locator(".receipt").inner_text().split("\n") == ["code", "1 + 1", "result", "2"]
    for summary in card.locator("summary").all():
        summary.click()
    expect(card.locator("pre.code").last).to_contain_text("interpreter_call")
    shown = [json.loads(each) for each in card.locator("pre.code").all_inner_texts()]
    assert {"delta": "1 +", **place}.items() <= shown[1].items()
    assert shown[-1] == item


def test_s7_a_stream_that_is_cut_or_out_of_order_is_told_of(script: tuple[Page, Scripted]) -> None:
    page, app = script
    given = [{**each, "sequence_number": at} for at, each in enumerate(told(message("Hello"), "Hel", "lo"))]
    app.pieces = [events(*given[:3], *given[4:6], given[4])]
    sent(page, state="bad", input="x")
    expect(page.locator("#status")).to_have_text("The stream was cut off after 6 events.")
    tones = page.locator("#timeline .moment").all_inner_texts()
    assert any("sequence_number 4 follows 2" in each for each in tones)
    assert any("sequence_number 4 follows 5 (rule S3)" in each for each in tones)
    assert any("(rule S7)" in each for each in tones)
    app.pieces = [events(*given)]
    sent(page)
    assert "(rule S2)" in page.locator("#timeline").inner_text()


def test_l9_a_terminal_event_that_differs_from_the_items_is_told_of(script: tuple[Page, Scripted]) -> None:
    page, app = script
    given = told(message("Hello"), "Hello")
    given[-1] = {"type": "response.completed", "response": response("completed", [message("Bye")])}
    app.pieces = [events(*given), b"data: [DONE]\n\n"]
    sent(page, input="x")
    page.click("#tab-response")
    expect(page.locator("#verdict")).to_contain_text("differs from that of the terminal event (rule L9)")


STREAM = (
    '\ufeffevent: a\r\ndata: {"text": "é雪\U0001f600"}\r\n\r\n: ping\r\n\r\nevent:b\rdata:1\rdata: 2\r\r'
    "data\nid: 5\nretry: 3\nodd: x\n\nevent: unused\n\ndata:  two spaces\u2028here\n\ndata: [DONE]\n\ndata: never ended"
)
READ = """async ([bytes, size]) => {
  const { EventDecoder } = await import("/assets/page.js");
  const found = [];
  const decoder = new EventDecoder((name, data) => found.push([name, data]));
  const all = new Uint8Array(bytes);
  for (let at = 0; at < all.length; at += size) decoder.feed(all.subarray(at, at + size));
  return found;
}"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_s6_streams_are_read_wherever_they_are_split(page: Page, size: int) -> None:
    found = page.evaluate(READ, [list(STREAM.encode()), size])
    assert found == [
        ["a", '{"text": "é雪\U0001f600"}'],
        ["b", "1\n2"],
        ["message", ""],
        ["message", " two spaces\u2028here"],
        ["message", "[DONE]"],
    ]
