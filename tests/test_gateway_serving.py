"""The command `serve` of a package with a gateway: in front of one upstream, by a file, or the demonstration."""

from __future__ import annotations

import base64
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from chat_model import ChatModel
from openresponses_kit import AuthenticationError, OpenResponses
from running_server import running
from serving_process import ServingProcess, refusal, serving

SEALING_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def model() -> Iterator[tuple[ChatModel, str]]:
    """A model behind Chat Completions, and where it is."""
    app = ChatModel()
    with running(app) as server:
        yield app, f"{server.url}/v1"


def ask(server: ServingProcess, text: str = "Hi", key: str = "none", **more: object) -> str:
    with OpenResponses(base_url=server.url, api_key=key, max_retries=0) as client:
        return client.responses.create(input=text, **more).output_text  # type: ignore[arg-type]


def test_one_upstream_in_one_line(tmp_path: Path, model: tuple[ChatModel, str]) -> None:
    """Requests go to the upstream as Chat Completions, the answer comes as a response, and there is a page."""
    app, url = model
    environment = {"OPENRESPONSES_UPSTREAM_API_KEY": "sk-upstream"}
    with serving(tmp_path, "--store", "memory:", "--upstream", url, "--model", "m", environment=environment) as server:
        assert server.told[3] == f"Answers come from {url}"
        assert ask(server) == "Hello."
        assert app.bodies[-1]["model"] == "m"
        assert app.told == [{"role": "user", "content": "Hi"}]
        root = server.url.removesuffix("/v1")
        assert "<!doctype html>" in httpx2.get(f"{root}/", trust_env=False).text
        server.stop(signal.SIGTERM)
        assert server.end() == (0, "")


def test_without_a_page_there_is_none(tmp_path: Path, model: tuple[ChatModel, str]) -> None:
    with serving(tmp_path, "--store", "none:", "--upstream", model[1], "--no-page") as server:
        assert server.told[1] == "Responses are not kept"
        assert not any("page" in line for line in server.told)
        assert httpx2.get(f"{server.url.removesuffix('/v1')}/", trust_env=False).status_code == 404
        assert ask(server) == "Hello."


def test_an_upstream_that_speaks_open_responses_answers_itself(tmp_path: Path) -> None:
    """Its response comes as it is, id and all, and it keeps the conversation."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        serving(tmp_path / "a", "--store", "memory:") as upstream,
        serving(
            tmp_path / "b", "--store", "memory:", "--upstream", upstream.url, "--upstream-kind", "responses"
        ) as gateway,
        OpenResponses(base_url=gateway.url, api_key="none") as through,
        OpenResponses(base_url=upstream.url) as direct,  # the gateway has no key either
    ):
        first = through.responses.create(model="m", input="My name is Ada.")
        kept = httpx2.get(f"{upstream.url}/responses/{first.id}", trust_env=False)
        assert kept.json()["output"] == json.loads(first.model_dump_json())["output"]
        after = direct.responses.create(model="m", input="Who am I?", previous_response_id=first.id)
        again = through.responses.create(model="m", input="Who am I?", previous_response_id=first.id)
        assert after.output_text == again.output_text


def test_reasoning_is_sealed_by_the_key_in_the_environment(tmp_path: Path, model: tuple[ChatModel, str]) -> None:
    """With it reasoning comes encrypted, and conversations are compacted; the key is told nowhere."""
    environment = {"OPENRESPONSES_SEALING_KEY": SEALING_KEY}
    arguments = ("--store", "memory:", "--upstream", model[1])
    with (
        serving(tmp_path, *arguments, environment=environment) as server,
        OpenResponses(base_url=server.url, api_key="none") as client,
    ):
        response = client.responses.create(model="m", input="Hi", include=["reasoning.encrypted_content"])
        (thought,) = response.reasoning_items
        assert thought.encrypted_content
        assert client.responses.compact(model="m", input="Hi").output
        server.stop(signal.SIGTERM)
        assert server.end() == (0, "")
    code, output, errors = refusal(
        tmp_path, "serve", *arguments, environment={"OPENRESPONSES_SEALING_KEY": "not-a-key!"}
    )
    assert (code, output) == (2, "")
    assert "not-a-key" not in errors


CONFIG = """\
listen: 127.0.0.1:1
prefix: /api
store: "memory:"
keys:
  ada: {{key: "${{ADA_KEY}}"}}
providers:
  local: {{kind: chat, base_url: {url}, models: [{models}]}}
page: {{enabled: false}}
"""


def test_a_file_says_it_all_and_the_command_line_wins(tmp_path: Path, model: tuple[ChatModel, str]) -> None:
    """Prefix, store, keys and the page are the file's, the port is that of the command; SIGHUP reads it again."""
    file = tmp_path / "gateway.yaml"
    file.write_text(CONFIG.format(url=model[1], models="m"))
    environment = {"ADA_KEY": "key-of-ada"}
    with serving(tmp_path, "--config", str(file), environment=environment) as server:
        assert server.url.endswith("/api")
        assert server.told[1].startswith("Responses are kept in memory")
        assert server.told[2] == "A key is needed"
        assert ask(server, key="key-of-ada", model="m") == "Hello."
        with pytest.raises(AuthenticationError):
            ask(server, key="wrong", model="m")
        listed = httpx2.get(f"{server.url}/models", headers={"authorization": "Bearer key-of-ada"}, trust_env=False)
        assert [each["id"] for each in listed.json()["data"]] == ["m"]
        if sys.platform != "win32":
            file.write_text(CONFIG.format(url=model[1], models="other"))
            server.stop(signal.SIGHUP)
            # The signal is handled before any request that is sent once its effect is to be seen.
            names: list[str] = []
            while names != ["other"]:
                answer = httpx2.get(
                    f"{server.url}/models", headers={"authorization": "Bearer key-of-ada"}, trust_env=False
                )
                names = [each["id"] for each in answer.json()["data"]]
            assert ask(server, key="key-of-ada", model="other") == "Hello."
        server.stop(signal.SIGTERM)
        code, told = server.end()
        assert code == 0
        assert "key-of-ada" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--upstream", "ftp://host"), "ftp://host"),
        (("--upstream", "http://user:secret@host/v1"), "base_url"),
        (("--config", "missing.yaml"), "missing.yaml"),
        (("--config", "faulty.yaml"), "faulty.yaml:1:1"),
        (("--upstream", "http://host/v1", "--config", "faulty.yaml"), "not allowed with"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_served_is_refused_with_a_way_out(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """One error with the place, exit code 2, and nothing is left behind."""
    (tmp_path / "faulty.yaml").write_text("providerz: {}\n")
    before = sorted(tmp_path.iterdir())
    code, output, errors = refusal(tmp_path, "serve", *arguments)
    assert (code, output) == (2, "")
    assert said in errors
    assert "secret@" not in errors
    assert "Traceback" not in errors
    assert sorted(tmp_path.iterdir()) == before
