"""A provider's whole story, by the commands that it would type.

It begins an extension, fills it in, generates, serves and streams, and goes on when the specification has changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openresponses_codegen import resources
from openresponses_codegen.cli import main

OLD, *_, NEW = resources.releases()
SERVICE = """\
from kit.models import NimbusHit
from kit.server import ResponsesService


class Assistant(ResponsesService):
    async def respond(self, request, out):
        await out.nimbus_heartbeat()
        async with out.nimbus_forecast(place="Bonn") as forecast:
            await forecast.measuring()
            await forecast.update(hits=[NimbusHit(title="rain", score=0.5)])
        async with out.message() as message:
            await message.text("It will rain.")
"""
TALK = """\
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from kit import OpenResponses
from kit.server import create_app
from running_server import running
from service import Assistant

with running(create_app(Assistant(), store=None)) as server:
    with OpenResponses(base_url=f"{server.url}/v1", api_key="none") as client:
        tools = [{"type": "nimbus:radar", "range": 3}]
        with client.responses.stream(model="m", input="Weather?", tools=tools, nimbus_units="metric") as stream:
            for event in stream:
                print(type(event).__name__)
        response = stream.get_final_response()
        (forecast,) = response.nimbus_forecasts
        print(forecast.type, forecast.status, forecast.hits[0].title, response.tools[0].range)
        again = client.responses.create(model="m", input=[*response.as_input(), {"role": "user", "content": "And?"}])
        print(again.output_text)
"""
EXTENSION = """\
vendor: nimbus
title: Nimbus
items:
  forecast:
    description: What the weather will be.
    statuses:
      measuring: The stations are asked.
    fields:
      place: string
      hits: Hit[]
    required: [place]
    events:
      measuring:
        description: Sent when the stations are asked.
events:
  heartbeat:
    description: Sent while nothing else is.
tools:
  radar:
    description: Looks at the sky.
    item: forecast
    fields:
      range: integer
fields:
  CreateResponseBody:
    nimbus_units:
      type: string
      enum: [metric, imperial]
      description: The units of what is said.
schemas:
  Hit:
    description: One thing that the weather does.
    type: object
    properties:
      title: {type: string, description: What it does.}
      score: {type: number, description: How likely it is.}
    required: [title]
"""
CONFIGURATION = f"""\
[tool.openresponses-codegen]
spec = "{OLD}"
output = "kit"
extensions = ["nimbus.yaml"]
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in the provider's project; it has to succeed."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        assert result.exit_code == 0, result.output
        return result

    return command


def talk(project: Path) -> list[str]:
    """What a client of the project's server prints, in a process of its own."""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    arguments = [sys.executable, "-W", "error", "-c", TALK, str(project)]
    run = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_a_provider_from_the_first_file_to_the_next_release(command: Callable[..., Result], tmp_path: Path) -> None:
    command("extension", "new", "nimbus")
    begun = (tmp_path / "nimbus.yaml").read_text()
    assert begun.startswith("#")
    command("validate", "--extension", "nimbus.yaml")

    (tmp_path / "nimbus.yaml").write_text(EXTENSION)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    (tmp_path / "service.py").write_text(SERVICE)
    command("generate")
    command("check")
    said = talk(tmp_path)
    told = ["NimbusHeartbeatEvent", "NimbusForecastMeasuringEvent"]
    assert [line for line in said if line.startswith("Nimbus")] == told
    assert said[-2:] == ["nimbus:forecast completed rain 3", "It will rain."]

    # The specification moves, and so does the extension: a field that everybody has to give.
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION.replace(OLD, NEW))
    (tmp_path / "nimbus.yaml").write_text(EXTENSION.replace("required: [place]", "required: [place, hits]"))
    drift = CliRunner().invoke(main, ["check", "--json"])
    assert drift.exit_code == 1
    assert "spec changed" in drift.output
    report = json.loads(command("diff", OLD, NEW, "--extension", "nimbus.yaml", "--format", "json").output)
    assert report["reports"][0]["changes"]
    renewed = json.loads(command("generate", "--json", "--api-report", "api.md").output)["packages"][0]
    assert any("NimbusForecast.hits" in json.dumps(change) for change in renewed["api"]["changes"])
    assert "NimbusForecast.hits" in (tmp_path / "api.md").read_text()
    command("check")
    assert talk(tmp_path) == said
    assert (tmp_path / "service.py").read_text() == SERVICE
