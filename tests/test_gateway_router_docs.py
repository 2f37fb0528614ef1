"""What the page on the router says of the configuration is so: its example is read, and has every key."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from openresponses_kit.gateway.routing.assembly import service_of
from openresponses_kit.gateway.routing.configuration import GatewayConfig
from openresponses_kit.gateway.routing.reading import parse_config

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "router.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
ENVIRONMENT = {name: f"value-of-{name}" for name in re.findall(r"\$\{(\w+)\}", EXAMPLE)} | {
    "SEALING_KEY_1": base64.b64encode(bytes(range(32))).decode(),
    "SEALING_KEY_2": base64.b64encode(bytes(range(1, 33))).decode(),
    "DATABASE_URL": "memory:",
}
SCHEMA = json.loads((DOCS / "router.schema.json").read_text())
KEYS = re.compile(r"^\s*-? *[\"{]?([\w*-]+)\"?:|[{,] *(\w+):", re.MULTILINE)


def test_the_example_is_a_configuration_that_makes_a_service() -> None:
    """It is read, and made into a gateway where all of its parts are there."""
    config = parse_config(EXAMPLE.encode(), environment=ENVIRONMENT)
    assert set(config.providers) == {"near", "far"}
    # The folder of the example is not on this machine.
    changed: dict[str, Any] = {"tools": config.tools.model_copy(update={"documents": None})}
    if find_spec("openresponses_kit.gateway.upstreams.responses") is None:
        far = config.providers["far"].model_copy(update={"kind": "chat"})
        changed["providers"] = {**config.providers, "far": far}
    config = config.model_copy(update=changed)
    asyncio.run(service_of(config).close())


def test_the_example_has_every_key() -> None:
    """Nothing that can be configured is told nowhere."""
    told = {first or second for first, second in KEYS.findall(EXAMPLE)}
    known: set[str] = set()
    for section in (SCHEMA, *SCHEMA["$defs"].values()):
        whole = section["anyOf"][1] if "anyOf" in section else section
        known |= set(whole["properties"])
    assert known <= told


def test_the_schema_is_that_of_the_configuration_and_takes_the_example() -> None:
    """Editors are told what the gateway reads."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    assert {"$schema": draft, **GatewayConfig.model_json_schema()} == SCHEMA
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(EXAMPLE))
    wrong = {"providers": {"a": {"base_url": "http://a", "wight": 1}}}
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
