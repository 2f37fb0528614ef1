"""The examples of docs/deployment, as far as they can be tried without a container or a cluster.

Protects: they hold together (names, ports, secrets, times), their commands are those of the package, their checks of
health are right about a real server, and the configuration in them is one.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from chat_model import ChatModel
from openresponses_kit.gateway.routing.positions import ConfigError
from openresponses_kit.gateway.routing.reading import parse_config
from openresponses_kit.gateway.sealing import Sealer, read_keys
from postgres_server import PostgresServer
from running_server import running
from serving_process import GENERATED, PATIENCE, ServingProcess, serving

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "deployment"
PAGE = (DOCS / "deployment.md").read_text()
_REFERENCE = re.compile(r"\$\{(\w+)")


def compose() -> Any:
    return yaml.safe_load((EXAMPLES / "compose.yaml").read_text())


def kubernetes() -> dict[str, Any]:
    """The objects by their kinds."""
    objects = list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text()))
    assert len({each["kind"] for each in objects}) == len(objects)
    return {each["kind"]: each for each in objects}


def pod() -> Any:
    return kubernetes()["Deployment"]["spec"]["template"]["spec"]


def container() -> Any:
    [found] = pod()["containers"]
    return found


def option(arguments: Sequence[str], name: str) -> str:
    [value] = [each.partition("=")[2] for each in arguments if each.startswith(f"--{name}=")]
    return value


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


COMMANDS = {
    "compose": lambda: compose()["services"]["gateway"]["command"],
    "kubernetes": lambda: container()["args"],
    "image": lambda: json.loads(re.findall(r"^CMD (.*)$", (EXAMPLES / "Dockerfile").read_text(), re.MULTILINE)[0]),
}
CONFIGURATIONS = {
    "file": (EXAMPLES / "gateway.yaml").read_text,
    "kubernetes": lambda: kubernetes()["ConfigMap"]["data"]["gateway.yaml"],
}


@pytest.fixture(scope="module")
def help_text() -> str:
    """What `serve --help` says."""
    command = [sys.executable, "-m", "openresponses_kit", "serve", "--help"]
    done = subprocess.run(command, cwd=GENERATED, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    with serving(tmp_path_factory.mktemp("served"), "--store", "memory:", "--api-key", "k") as started:
        yield started


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_options_are_those_of_the_command(command: Any, help_text: str) -> None:
    verb, *arguments = command()
    assert verb == "serve"
    named = {each.partition("=")[0] for each in arguments if each.startswith("--")}
    assert named
    assert named <= set(re.findall(r"--[a-z-]+", help_text))


def test_the_two_ways_are_started_alike() -> None:
    for name in ("host", "port", "config", "grace"):
        assert option(COMMANDS["compose"](), name) == option(COMMANDS["kubernetes"](), name)
    assert (CONFIGURATIONS["file"](), COMMANDS["compose"]()[0]) == (CONFIGURATIONS["kubernetes"](), "serve")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_secret_is_an_argument(command: Any) -> None:
    """Arguments are in the list of processes: what is secret is in the environment, the store's password too."""
    assert not [each for each in command() if "$" in each or "--store" in each or "--api-key" in each]
    assert yaml.safe_load(CONFIGURATIONS["file"]())["store"] == "${STORE_URL}"
    environment = compose()["services"]["gateway"]["environment"]
    user = compose()["services"]["database"]["environment"]["POSTGRES_USER"]
    assert environment["STORE_URL"].startswith(f"postgresql://{user}:${{DATABASE_PASSWORD:?}}@database/")


def secret() -> dict[str, str]:
    values: dict[str, str] = kubernetes()["Secret"]["stringData"]
    return values


def test_every_secret_that_is_named_is_given() -> None:
    """By the environment of both; and nothing is given that nobody asks for."""
    wanted = set(_REFERENCE.findall(CONFIGURATIONS["file"]()))
    assert wanted
    assert set(compose()["services"]["gateway"]["environment"]) == wanted
    assert set(secret()) == wanted
    assert container()["envFrom"] == [{"secretRef": {"name": kubernetes()["Secret"]["metadata"]["name"]}}]


def test_the_environment_of_compose_is_in_the_file_to_copy() -> None:
    """Each variable has to be set: compose refuses to start without."""
    text = (EXAMPLES / "compose.yaml").read_text()
    asked = set(_REFERENCE.findall(text))
    lines = (EXAMPLES / "env.example").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines if line and not line.startswith("#")} == asked
    assert all(f"${{{name}:?}}" in text for name in asked)


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_configuration_is_one(text: Any) -> None:
    """With its secrets in the environment it is read; without, every one that is missing is told."""
    given = {
        "GATEWAY_API_KEY": "a-key",
        "UPSTREAM_URL": "http://models.example/v1",
        "UPSTREAM_API_KEY": "another-key",
        "STORE_URL": "postgresql://gateway@database/gateway",
        "SEALING_KEY_2026_11": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    config = parse_config(text().encode(), "gateway.yaml", given)
    assert config.reasoning.current in config.reasoning.keys
    with pytest.raises(ConfigError) as caught:
        parse_config(text().encode(), "gateway.yaml", {})
    assert all(name in str(caught.value) for name in given)


def test_empty_secrets_of_the_example_are_refused() -> None:
    """The manifest cannot be applied as it is."""
    with pytest.raises(ConfigError) as caught:
        parse_config(CONFIGURATIONS["kubernetes"]().encode(), "gateway.yaml", secret())
    assert len(str(caught.value).splitlines()) >= 4


def test_no_secret_is_written_down() -> None:
    assert not any(secret().values())
    keys = yaml.safe_load(CONFIGURATIONS["file"]())["reasoning"]["keys"]
    assert all(_REFERENCE.fullmatch(value.removesuffix("}")) for value in keys.values())


def test_ids_of_sealing_keys_are_what_a_sealer_takes() -> None:
    reasoning = yaml.safe_load(CONFIGURATIONS["file"]())["reasoning"]
    values = {key_id: base64.b64encode(secrets.token_bytes(32)).decode() for key_id in reasoning["keys"]}
    assert Sealer(read_keys(values), reasoning["current"])


def test_s5_a_server_is_killed_only_after_its_streams_had_their_time() -> None:
    """What is left over of the time holds what the server does before and after `--grace`."""
    margin = 10
    gateway = compose()["services"]["gateway"]
    assert seconds(gateway["stop_grace_period"]) >= float(option(gateway["command"], "grace")) + margin
    [pause] = [int(each) for each in container()["lifecycle"]["preStop"]["exec"]["command"] if each.isdigit()]
    grace = float(option(container()["args"], "grace"))
    assert pod()["terminationGracePeriodSeconds"] >= pause + grace + margin


def test_the_check_of_compose_is_right_about_a_server(server: ServingProcess) -> None:
    """It runs as it stands: well while the server serves, and not when nobody does."""
    kind, program, *arguments = compose()["services"]["gateway"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    port = option(COMMANDS["compose"](), "port")
    assert sum(port in each for each in arguments) == 1

    def code(asked: int) -> int:
        command = [sys.executable, *(each.replace(f":{port}/", f":{asked}/") for each in arguments)]
        return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode

    assert code(server.port) == 0
    assert code(1) != 0


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_what_is_there(server: ServingProcess, probe: str) -> None:
    asked = container()[probe]["httpGet"]
    assert asked["port"] in {each["name"] for each in container()["ports"]}
    url = f"http://127.0.0.1:{server.port}{asked['path']}"
    assert httpx2.get(url, timeout=PATIENCE, trust_env=False).status_code == 200


def test_objects_find_each_other() -> None:
    objects = kubernetes()
    deployment, service = objects["Deployment"]["spec"], objects["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    selectors = [
        deployment["selector"]["matchLabels"],
        service["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]),
    ]
    assert all(selector == labels for selector in selectors)
    ports = {each["name"]: each["containerPort"] for each in container()["ports"]}
    assert {each["targetPort"] for each in service["ports"]} <= set(ports)
    assert ports == {"http": int(option(container()["args"], "port"))}
    assert deployment["replicas"] > objects["PodDisruptionBudget"]["spec"]["minAvailable"]
    volumes = {each["name"] for each in pod()["volumes"]}
    assert {each["name"] for each in container()["volumeMounts"]} == volumes


def test_the_configuration_is_mounted_where_it_is_read() -> None:
    path = Path(option(container()["args"], "config"))
    mounts = {each["mountPath"]: each["name"] for each in container()["volumeMounts"]}
    [volume] = [each for each in pod()["volumes"] if each["name"] == mounts[str(path.parent)]]
    config_map = kubernetes()["ConfigMap"]
    assert volume["configMap"]["name"] == config_map["metadata"]["name"]
    assert path.name in config_map["data"]
    source, target, mode = compose()["services"]["gateway"]["volumes"][0].split(":")
    assert (EXAMPLES / source).is_file()
    assert (target, mode) == (str(path), "ro")


def test_what_compose_mounts_and_waits_for_is_there() -> None:
    services = compose()["services"]
    for service in services.values():
        for needed, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[needed]
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (EXAMPLES / source).is_file() if source.startswith("./") else source in compose()["volumes"]
    assert services["gateway"]["deploy"]["replicas"] > 1
    assert not services["gateway"].get("ports"), "two replicas cannot have one port of the machine"


def test_s8_the_proxy_of_the_example_holds_nothing_back() -> None:
    text = re.sub(r"#.*", "", (EXAMPLES / "nginx.conf").read_text())
    assert text.count("{") == text.count("}")
    directives = {words[0]: words[1:] for words in map(str.split, re.findall(r"[^{};]+(?=;)", text)) if words}
    assert directives["proxy_buffering"] == ["off"]
    assert seconds(directives["proxy_read_timeout"][0]) >= 3600
    port = option(COMMANDS["compose"](), "port")
    assert directives["server"] == [f"gateway:{port}", "resolve"]
    published = compose()["services"]["proxy"]["ports"][0]
    assert published.startswith("127.0.0.1:"), "without TLS it is for this machine alone"
    assert published.endswith(f":{directives['listen'][0]}")


def test_the_image_has_what_the_package_needs() -> None:
    """The versions are those that the project states, and the server is started as it is here."""
    text = (EXAMPLES / "Dockerfile").read_text()
    stated: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [*stated["project"]["optional-dependencies"].values(), stated["project"]["dependencies"]]
    known = {each for group in groups for each in group} | {
        each for group in stated.get("dependency-groups", {}).values() for each in group if isinstance(each, str)
    }
    wanted = re.findall(r'"([^"]*>=[^"]*)"', text)
    assert len(wanted) == 9
    assert set(wanted) <= known
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    assert entry == ["python", "-m", "openresponses_kit"]
    user = re.findall(r"^USER (\d+)$", text, re.MULTILINE)
    assert user == [str(pod()["securityContext"]["runAsUser"])]


def test_the_command_that_makes_a_key_makes_one() -> None:
    """As the page and the examples name it."""
    [command] = {line.strip() for line in PAGE.splitlines() if line.startswith("openssl")}
    assert command in (EXAMPLES / "env.example").read_text()
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    assert Sealer(read_keys({"k1": made}), "k1")


def test_the_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALING_KEY_2026_11", base64.b64encode(secrets.token_bytes(32)).decode())
    monkeypatch.setenv("UPSTREAM_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("STORE", "memory:")
    monkeypatch.setenv("GATEWAY_API_KEY", "a-key")
    namespace: dict[str, Any] = {}
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(textwrap.dedent(block), namespace)
    assert isinstance(namespace["sealer"], Sealer)
    assert callable(namespace["app"]())


def test_the_options_of_uvicorn_are_its_own() -> None:
    [line] = [line.strip() for line in PAGE.splitlines() if line.strip().startswith("uvicorn --factory")]
    command = [sys.executable, "-m", "uvicorn", "--help"]
    known = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert set(re.findall(r"--[a-z-]+", line)) <= set(re.findall(r"--[a-z-]+", known))


class Gateways:
    """Processes by the example's configuration, over one model of Chat Completions and one database.

    Args:
        file: The configuration, with all but addresses as it is in the example.
        environment: The secrets of the example, and where things are.
    """

    def __init__(self, file: Path, environment: Mapping[str, str], stack: ExitStack) -> None:
        self.file = file
        self._environment = environment
        self._stack = stack

    def start(self) -> ServingProcess:
        path = os.pathsep.join([str(GENERATED), str(Path(__file__).parent)])
        store = ("--store", self._environment["STORE_URL"])
        started = serving(
            self.file.parent,
            *store,
            environment={**self._environment, "PYTHONPATH": path},
            module="router_process",
            before=[str(self.file)],
        )
        return self._stack.enter_context(started)


def ask(server: ServingProcess, given: Any, *, key: str = "a-key", **members: Any) -> httpx2.Response:
    body = {"model": "m", "input": given, "include": ["reasoning.encrypted_content"], **members}
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{server.url}/responses", json=body, headers=headers, timeout=PATIENCE, trust_env=False)


def sealed(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    [text] = [each["encrypted_content"] for each in response.json()["output"] if each["type"] == "reasoning"]
    return str(text)


@pytest.fixture
def chat() -> ChatModel:
    return ChatModel()


@pytest.fixture
def gateways(postgres: PostgresServer, tmp_path: Path, chat: ChatModel) -> Iterator[Gateways]:
    file = tmp_path / "gateway.yaml"
    file.write_text(CONFIGURATIONS["file"]())
    with running(chat, lifespan="off") as upstream, ExitStack() as stack:
        environment = {
            "GATEWAY_API_KEY": "a-key",
            "UPSTREAM_URL": f"{upstream.url}/v1",
            "UPSTREAM_API_KEY": "none",
            "STORE_URL": f"postgresql://{postgres.empty_database()}",
            "SEALING_KEY_2026_11": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        yield Gateways(file, environment, stack)


def test_p1_two_gateways_of_the_example_are_one(gateways: Gateways, chat: ChatModel) -> None:
    """What one has stored and sealed, the other goes on from; who has no key is turned away by both."""
    first, second = gateways.start(), gateways.start()
    one = ask(first, "Hi")
    assert sealed(one).startswith("gateway.1.2026-11.")
    two = ask(second, "Again", previous_response_id=one.json()["id"])
    assert two.json()["status"] == "completed"
    assert [each["role"] for each in chat.told] == ["user", "assistant", "user"]
    assert {ask(each, "Hi", key="wrong").status_code for each in (first, second)} == {401}


def test_keys_are_rotated_by_signals_while_it_serves(gateways: Gateways) -> None:
    """A new key seals from one answer to the next, and what the old one sealed is opened until it is taken away.

    The caller's key changes, too: with the same name in the configuration it is the same caller.
    """
    server = gateways.start()
    text = gateways.file.read_text()
    old = sealed(ask(server, "Hi"))
    newer = base64.b64encode(secrets.token_bytes(32)).decode()
    both = text.replace('current: "2026-11"', 'current: "2027-11"') + f'    "2027-11": {newer}\n'

    def change(text: str, key: str, new: str) -> str:
        """Have the file read again; returns what is sealed once it is."""
        gateways.file.write_text(text)
        server.stop(signal.SIGHUP)
        for _ in range(1000):
            answer = ask(server, "Hi", key=key)
            if answer.status_code == 200 and sealed(answer).split(".")[2] == new:
                return sealed(answer)
        raise AssertionError("the configuration was not read again")

    def back(text: str, key: str) -> httpx2.Response:
        reasoning = {"type": "reasoning", "summary": [], "encrypted_content": text}
        return ask(server, [reasoning, {"role": "user", "content": "Again"}], key=key)

    new = change(both.replace("${GATEWAY_API_KEY}", "another-key"), "another-key", "2027-11")
    assert [back(each, "another-key").status_code for each in (old, new)] == [200, 200]
    without_old = both.replace('    "2026-11": ${SEALING_KEY_2026_11}\n', "")
    last = change(without_old, "a-key", "2027-11")
    refused = back(old, "a-key")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_encrypted_content")
    assert [back(each, "a-key").status_code for each in (new, last)] == [200, 200]
