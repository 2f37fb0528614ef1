"""A gateway by its configuration, as a process over providers on sockets: fall-back, keys, limits, SIGHUP, secrets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from scripted_provider import PATIENCE, ScriptedProvider, scripted
from served_process import served

HIDDEN = "sk-of-the-provider"
GENERATED = Path(__file__).parents[1] / "generated"


class Running:
    """A gateway that serves."""

    def __init__(self, process: subprocess.Popen[str], url: str, file: Path, log: Path) -> None:
        self.process = process
        self.url = url
        self.file = file
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def ask(self, model: str = "m", key: str = "", **body: Any) -> httpx2.Response:
        with self.asking(model, key, stream=False, **body) as answer:
            answer.read()
            return answer

    @contextmanager
    def asking(self, model: str = "m", key: str = "", **body: Any) -> Iterator[httpx2.Response]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        asked = {"model": model, "input": "hi", "stream": True, **body}
        with (
            httpx2.Client(timeout=PATIENCE) as client,
            client.stream("POST", f"{self.url}/responses", json=asked, headers=headers) as answer,
        ):
            yield answer

    def says(self, model: str = "m", key: str = "", **body: Any) -> str:
        answer = self.ask(model, key, **body)
        assert answer.status_code == 200, answer.text
        text: str = answer.json()["output"][0]["content"][0]["text"]
        return text

    def change(self, text: str, told: str) -> None:
        """Write the file anew, and send SIGHUP; returns when the log tells what it is to tell."""
        seen = len(self.log)
        self.file.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        with httpx2.Client(timeout=PATIENCE) as client:
            while told not in self.log[seen:]:
                # Each answer is a turn of the loop that handles the signal.
                client.get(self.url.removesuffix("/v1") + "/health")


@contextmanager
def running(folder: Path, config: str) -> Iterator[Running]:
    """A gateway by a configuration, while entered."""
    file, log = folder / "router.yaml", folder / "log.txt"
    file.write_text(config)
    paths = [str(GENERATED), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PROVIDER_KEY": HIDDEN}
    command = [sys.executable, "-m", "router_process", str(file), "serve", "--port", "0", "--store", "memory:"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = (re.search(r"http://127\.0\.0\.1:\d+/v1", line) for line in process.stdout)
            url = next((each[0] for each in found if each), None)
            assert url is not None, log.read_text()
            yield Running(process, url, file, log)
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def configured(providers: Sequence[ScriptedProvider], more: str = "", **settings: str) -> str:
    """A configuration with these providers; settings are those of each by its name."""
    lines = [
        f"  {each.name}: {{base_url: '{each.url}', api_key: '${{PROVIDER_KEY}}', {settings.get(each.name, '')}}}"
        for each in providers
    ]
    return "\n".join(["providers:", *lines, more, ""])


@pytest.fixture
def pair() -> Iterator[list[ScriptedProvider]]:
    """Two providers."""
    with scripted("a", "b") as providers:
        yield providers


def test_m3_whatever_fails_before_the_first_event_is_tried_at_the_next(
    tmp_path: Path, pair: list[ScriptedProvider]
) -> None:
    """A refusal, too many requests, a failure, silence, and nobody there: the caller sees the second's answer."""
    health = "health: {failures: 1000}"
    with running(tmp_path, configured(pair, health, a="first_event_seconds: 0.3")) as gateway:
        for does in ("500", "503", "401", "404", "hang"):
            pair[0].does = does
            assert gateway.says() == "b!", does
        pair[0].does, pair[0].retry_after = "429", "1"
        assert gateway.says() == "b!"
    assert len(pair[0].bodies) == 6
    assert HIDDEN not in gateway.log


def test_m3_a_provider_that_is_not_there_is_passed_over(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """A connection that is refused is a failure like any other, and after some nobody runs into it again."""
    gone = ScriptedProvider("gone", port=1)
    with running(tmp_path, configured([gone, pair[1]], "health: {failures: 2, open_seconds: 60}")) as gateway:
        assert [gateway.says() for _ in range(4)] == ["b!"] * 4
        assert gateway.log.count("provider gone failed") == 2
        answer = gateway.ask("m:gone")
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_m3_an_answer_that_breaks_off_is_not_begun_anew(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """What was told stays told: the response fails, and nobody else is asked."""
    pair[0].does = "cut"
    with running(tmp_path, configured(pair)) as gateway, gateway.asking() as answer:
        text = answer.read().decode()
    assert "response.failed" in text
    assert text.rstrip().endswith("data: [DONE]")
    assert '"delta":"a"' in text
    assert pair[1].bodies == []


def test_m3_the_caller_is_told_of_the_failure_of_all(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """When nobody serves it, the answer is an error, without key or address."""
    for each in pair:
        each.does = "500"
    with running(tmp_path, configured(pair, "retries: {attempts: 3, longest_wait_seconds: 0.6}")) as gateway:
        answer = gateway.ask()
    assert answer.status_code >= 500
    assert not {HIDDEN, "127.0.0.1"} & set(re.findall(r"[\w.-]+", answer.text))
    assert 2 <= len(pair[0].bodies) + len(pair[1].bodies) <= 3


def test_m1_m2_names_and_options_reach_the_providers(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """Each is asked by its own name for the model, with its own options and its own key."""
    more = "routes: {smart: {to: [{provider: a, model: a/smart}, b]}}\naliases: {best: 'smart:b'}"
    with running(tmp_path, configured(pair, more)) as gateway:
        options = {"a": {"top_k": 1}, "b": {"min_p": 0.5}}
        assert gateway.says("smart", provider_options=options) == "a!"
        assert gateway.says("best", provider_options=options) == "b!"
        assert gateway.says("smart:b") == "b!"
        refused = gateway.ask("smart", provider_options={"a": {"model": "other"}})
        models = httpx2.get(f"{gateway.url}/models").json()["data"]
    assert [(body["model"], body.get("top_k"), body.get("min_p")) for body in pair[0].bodies] == [("a/smart", 1, None)]
    assert [(body["model"], body.get("min_p")) for body in pair[1].bodies] == [("smart", 0.5), ("smart", None)]
    assert "provider_options" not in json.dumps([each.bodies for each in pair])
    assert set(pair[0].keys) == {f"Bearer {HIDDEN}"}
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "provider_options.a.model")
    assert [(each["id"], each["owned_by"]) for each in models] == [("best", "b"), ("smart", "a, b")]


def test_t2_keys_have_their_models_and_their_limits(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """Who has no key is turned away; a key opens its models, as often as it may."""
    more = "keys: {one: {key: k-1, models: ['m*'], requests_per_minute: 1}, two: {key: k-2}}"
    with running(tmp_path, configured(pair, more)) as gateway:
        assert gateway.ask().status_code == 401
        assert gateway.ask(key="k-3").status_code == 401
        other = gateway.ask("other", "k-1")
        assert (other.status_code, other.json()["error"]["code"]) == (404, "model_not_found")
        assert gateway.says("m1", "k-1") == "a!"
        full = gateway.ask("m1", "k-1")
        assert (full.status_code, full.json()["error"]["type"]) == (429, "too_many_requests")
        assert 1 <= int(full.headers["retry-after"]) <= 60
        assert [gateway.says("other", "k-2") for _ in range(2)] == ["a!", "a!"]


def test_p2_a_conversation_goes_on_where_it_was_begun(tmp_path: Path) -> None:
    """Providers that keep their responses: the gateway knows whose they are, and finds out where it does not."""
    folders = [tmp_path / name for name in ("a", "b", "one", "two")]
    for folder in folders:
        folder.mkdir()
    with served(folders[0], "--store", "memory:") as a, served(folders[1], "--store", "memory:") as b:
        config = f"""providers:
  a: {{kind: responses, base_url: '{a.url}/v1'}}
  b: {{kind: responses, base_url: '{b.url}/v1'}}
keys: {{me: {{key: k, requests_per_minute: 3}}}}
"""
        with running(folders[2], config) as gateway:
            begun = gateway.ask("echo:b", "k").json()
            known = gateway.ask("echo", "k", previous_response_id=begun["id"])
            with gateway.asking("echo", "k", previous_response_id=known.json()["id"]) as answer:
                text = answer.read().decode()
        with running(folders[3], config) as gateway:
            found = gateway.ask("echo", "k", previous_response_id=begun["id"])
            nobody = gateway.ask("echo", "k", previous_response_id="resp_nobody")
            gateway.ask("echo", "k")
            gateway.ask("echo", "k")
            full = gateway.ask("echo", "k")
    assert [each.status_code for each in (known, found)] == [200, 200]
    assert text.rstrip().endswith("data: [DONE]")
    assert "response.completed" in text
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (404, "previous_response_not_found")
    assert full.status_code == 429


def test_sighup_changes_what_is_new_and_nothing_that_runs(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """A stream goes on over its old provider; the next request goes to the new one."""
    pair[0].does = "hold"
    with running(tmp_path, configured(pair[:1])) as gateway, gateway.asking() as answer:
        lines = answer.iter_lines()
        assert any('"delta":"a"' in line for line in lines)
        gateway.change(configured(pair[1:]), "was read again")
        assert gateway.says() == "b!"
        pair[0].release.set()
        rest = list(lines)
    assert any("response.completed" in line for line in rest)
    assert any('"delta":"!"' in line for line in rest)


def test_sighup_with_a_faulty_file_changes_nothing(tmp_path: Path, pair: list[ScriptedProvider]) -> None:
    """The mistakes are told with their places, without any value, and the old configuration stays."""
    with running(tmp_path, configured(pair)) as gateway:
        gateway.change("providers: {a: {api_key: '${PROVIDER_KEY}', wight: 1}}\npolcy: first\n", "stays as it was")
        gateway.change("providers: {a: {base_url: 'http://a', api_key: '${NONE}'}}\n", "NONE is not set")
        assert gateway.says() == "a!"
        gateway.file.unlink()
        gateway.process.send_signal(signal.SIGHUP)
        assert gateway.says() == "a!"
    assert "router.yaml:1:45: the key 'wight' is not known; is 'weight' meant?" in gateway.log
    assert "router.yaml:2:1: the key 'polcy' is not known" in gateway.log
    assert HIDDEN not in gateway.log


def test_a_gateway_with_a_faulty_file_does_not_start(tmp_path: Path) -> None:
    """What is wrong is told, and no more is shown than that."""
    with (
        pytest.raises(AssertionError, match=r"router\.yaml:1:1: the key 'base' is not known"),
        running(tmp_path, "base: 1"),
    ):
        pass
