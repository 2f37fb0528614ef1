"""The examples of the documentation run as they stand, against a real server on loopback."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest
from answering_server import answering
from click.testing import CliRunner
from openresponses_codegen.cli import main
from openresponses_kit.server import ServerSettings, create_app
from running_server import running
from served_process import served

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_client_run_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks share one namespace, as a reader has who copies them into one session."""
    with answering() as base_url:
        monkeypatch.setenv("OPENRESPONSES_BASE_URL", base_url)
        run_blocks("client.md")
    said = capsys.readouterr().out
    for expected in ("Hello,\nAda.", "input[0].content: Field required", "name='Paris'", "It is 7."):
        assert expected in said


def run_blocks(name: str, replacing: tuple[str, str] = ("", "")) -> dict[str, Any]:
    """Run the examples of a page in one namespace, and return it."""
    text = (DOCS / name).read_text().replace(*replacing) if any(replacing) else (DOCS / name).read_text()
    namespace: dict[str, Any] = {"__name__": "example"}
    for match in _BLOCK.finditer(text):
        line = text[: match.start(1)].count("\n")
        exec(compile("\n" * line + match.group(1), str(DOCS / name), "exec"), namespace)
    return namespace


def test_the_examples_of_the_server_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every service of the page answers as the page says, streamed and whole."""
    monkeypatch.chdir(tmp_path)
    examples = run_blocks("server.md")

    def answer(service: Any, path: str = "/v1/responses", **body: Any) -> httpx2.Response:
        with running(create_app(service, store=None)) as server:
            return httpx2.post(f"{server.url}{path}", json=body, trust_env=False)

    hello = answer(examples["Assistant"](), input="hi").json()
    assert hello["output"][0]["content"][0]["text"] == "Hello world"
    tools = [{"type": "function", "name": "weather"}]
    include = ["reasoning.encrypted_content"]
    everything = answer(examples["Everything"](), input="hi", tools=tools, include=include)
    kinds = [item["type"] for item in everything.json()["output"]]
    assert kinds == ["reasoning", "message", "acme:lookup", "function_call"]
    assert answer(examples["Everything"](), stream=True).text.endswith("data: [DONE]\n\n")
    assert answer(examples["Guarded"]()).json()["error"]["message"] == "the header x-tenant is missing"
    compacted = answer(examples["Compacting"](), "/v1/responses/compact", model="m", input="hi").json()
    assert compacted["output"][-1]["encrypted_content"] == "1 items"
    with running(examples["application"]) as server:
        for path in ("/v1/responses", "/plain/v1/responses"):
            assert httpx2.post(f"{server.url}{path}", json={}, trust_env=False).json()["status"] == "completed"


def test_the_examples_of_the_gateway_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The model of the page answers, and its tool is run when a request asks for it."""
    monkeypatch.chdir(tmp_path)
    examples = run_blocks("gateway.md")
    with running(examples["app"]) as server:
        said = httpx2.post(f"{server.url}/v1/responses", json={"input": "hi"}, trust_env=False).json()
    assert said["output"][0]["content"][0]["text"] == "You said: hi"
    with running(examples["weather_app"]) as server:
        body = {"input": "hi", "tools": [{"type": "acme:weather"}]}
        told = httpx2.post(f"{server.url}/v1/responses", json=body, trust_env=False).json()
    assert [item["type"] for item in told["output"]] == ["acme:weather_call", "message"]
    assert told["output"][1]["content"][0]["text"] == "I was told: It rains."


def test_the_five_minutes_of_the_start_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What the page has a newcomer type works in an empty folder, the installation aside."""
    commands = re.findall(r"^(?:openresponses-codegen|python -m) .*", (DOCS / "index.md").read_text(), re.MULTILINE)
    generate, serve, check = (shlex.split(each) for each in commands)
    assert serve[:4] == ["python", "-m", "my_kit", "serve"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert CliRunner().invoke(main, generate[1:]).exit_code == 0
    with served(tmp_path, "--store", "memory:", package="my_kit") as server:
        namespace = run_blocks("index.md", replacing=("8765", str(server.port)))
    said = capsys.readouterr().out
    assert "response.output_text.delta" in said
    assert said.rstrip().endswith("completed")
    assert issubclass(namespace["Assistant"], namespace["ResponsesService"])
    assert CliRunner().invoke(main, check[1:]).exit_code == 0


def test_the_five_minutes_of_extensions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The commands and both programs of the page work; with the file as it is begun, and with the page's own."""
    text = (DOCS / "extensions.md").read_text()
    new, generate = (shlex.split(each) for each in re.findall(r"^openresponses-codegen .*", text, re.MULTILINE))
    (form,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    server, client = _BLOCK.findall(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert CliRunner().invoke(main, new[1:]).exit_code == 0
    assert CliRunner().invoke(main, ["validate", *generate[2:4]]).exit_code == 0
    Path("acme.yaml").write_text(form)
    assert (
        CliRunner().invoke(main, [*(each.replace("my_kit", "acme_docs_kit") for each in generate[1:])]).exit_code == 0
    )
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(server.replace("my_kit", "acme_docs_kit"), namespace)
    with running(namespace["app"]) as serving:
        exec(client.replace("my_kit", "acme_docs_kit").replace("http://127.0.0.1:8765", serving.url), namespace)
    assert capsys.readouterr().out == "40 %\nspring -> Spring in Paris\n"


def test_every_setting_of_the_server_is_documented() -> None:
    """The table has a row for each setting, and no other."""
    rows = re.findall(r"^\| `(\w+)` \| ", (DOCS / "server.md").read_text(), re.MULTILINE)
    assert rows == [each.name for each in fields(ServerSettings)]


@pytest.mark.parametrize("name", ["client.md", "from-openai.md"])
def test_names_in_the_documentation_exist(name: str) -> None:
    """What a page calls by a name of the package is there."""
    import openresponses_kit
    from openresponses_kit import testing

    text = (DOCS / name).read_text()
    offered = {*dir(openresponses_kit), *testing.__all__}
    mentioned = set(re.findall(r"`(?:Async)?((?:OpenResponses|API|Stream|Unknown)\w*(?:Error|Item|Event)?)`", text))
    assert mentioned
    assert mentioned <= offered
