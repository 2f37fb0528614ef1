"""The configuration of a gateway: where it is wrong, what it never tells, and how far it is read."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from openresponses_kit.gateway.routing.configuration import GatewayConfig
from openresponses_kit.gateway.routing.positions import ConfigError
from openresponses_kit.gateway.routing.reading import parse_config, read_config
from pydantic import BaseModel

HIDDEN = "sk-very-secret"
GOOD = "providers: {near: {base_url: 'http://localhost:1/v1'}}\n"
KEY = base64.b64encode(bytes(range(32))).decode()
ENVIRONMENT = {"HIDDEN": HIDDEN, "EMPTY": "", "PORT": "7"}


def wrong(text: str) -> list[str]:
    """What is told of a file, without its name."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), "r.yaml", ENVIRONMENT)
    told = str(caught.value)
    assert HIDDEN not in told
    return [line.removeprefix("r.yaml:") for line in told.split("\n")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("polcy: first\n" + GOOD, ["1:1: the key 'polcy' is not known; is 'policy' meant?"]),
        ("providers:\n  a: {}\n", ["2:6: the key 'base_url' is missing"]),
        ("providers:\n  a: {base_url: 'http://a', wight: 1}\n", ["2:29: the key 'wight' is not known"]),
        ("providers: {a: {base_url: 'http://k:x@a'}}", ["1:27: it has to be http:// or https://"]),
        ("providers: {'a:b': {base_url: 'http://a'}}", ["1:13: the name of a provider has neither"]),
        ("providers: []", ["1:12: this has to be a mapping of keys to values"]),
        (GOOD + "routes:\n  m: {to: [nea]}\n", ["3:12: there is no such provider; is 'near' meant?"]),
        (GOOD + "routes: {m: {to: [near, {provider: near, modle: x}]}}", ["2:42: the key 'modle'"]),
        (GOOD + "routes: {m: {to: []}}", ["2:18: this is empty"]),
        (GOOD + "policy: cheapest", ["2:9: input should be 'first', 'weighted'"]),
        (GOOD + "default_model: no", ["2:16: this has to be text; put it in quotes"]),
        (GOOD + "aliases: {a: b, b: c}", ["2:14: this is an alias, too"]),
        (GOOD + "aliases: {'x:near': b}", ["2:11: an alias does not end in the name of a provider"]),
        (GOOD + "keys: {a: {key: '${NONE}'}}", ["2:17: the environment variable NONE is not set"]),
        (GOOD + "keys: {a: {key: '${EMPTY}'}}", ["2:17: this is empty"]),
        (GOOD + "keys: {a: {key: '${no name}'}}", ["2:17: `${` has to be followed by the name"]),
        (GOOD + "keys: {a: {key: '${HIDDEN}'}, b: {key: '${HIDDEN}'}}", ["2:40: this is the key of 'a', too"]),
        (GOOD + "keys: {a: {key: 'ü'}}", ["2:17: a key is printable ASCII"]),
        (GOOD + "loop: {max_rounds: '${HIDDEN}'}", ["2:20: input should be a valid integer"]),
        (GOOD + "loop: {max_rounds: 0}", ["2:20: input should be greater than or equal to 1"]),
        (GOOD + "loop: {max_rounds: 0x10}", ["2:20: this is no number; write it in decimal"]),
        (GOOD + "retries: {longest_wait_seconds: .nan}", ["2:33: "]),
        (GOOD + "health: {open_seconds: 50, longest_open_seconds: 5}", ["2:24: it has to be at most"]),
        (GOOD + "reasoning: {keys: {a: '${HIDDEN}'}}", ["2:12: `current` has to be", "2:23: the key 'a' is"]),
        (GOOD + f"reasoning: {{keys: {{a: '{KEY}'}}, current: b}}", ["2:81: `current` has to be"]),
        (GOOD + "tools: {mcp: {a: {}}}", ["2:18: it needs either `command` or `url`"]),
        (GOOD + "listen: localhost", ["2:9: this is not of the form that it has to have"]),
        (GOOD + GOOD, ["2:1: the key 'providers' is there twice"]),
        (GOOD + "tools: !!python/object:os.system {}", ["2:8: "]),
        (GOOD + "prefix: !secret x", ["2:9: a tag of this kind is not read"]),
        (GOOD + "? [a]\n: b", ["2:3: a key has to be a plain text"]),
        (GOOD + "<<: {}", ["2:1: a key has to be a plain text"]),
        (GOOD + f"keys: {{a: {{key: {HIDDEN}", ["2:31: this is no YAML: "]),
        (GOOD + f"keys: {{a: {{key: *{HIDDEN}}}}}", ["2:17: this is no YAML: found undefined alias"]),
        (f"a: 'b\n{HIDDEN}", ["2:15: this is no YAML: "]),
        ("", ["1:1: the key 'providers' is missing"]),
        ("- a", ["1:1: this has to be a mapping"]),
        ("\x00", ["1:1: "]),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_its_value(text: str, told: list[str]) -> None:
    """Line and column point at it, the message says the way out, and no value is shown."""
    found = wrong(text)
    assert len(found) == len(told)
    for line, start in zip(found, told, strict=True):
        assert line.startswith(start)


def test_all_mistakes_are_told_at_once_in_order() -> None:
    """A file is mended in one go."""
    text = "polcy: a\nproviders:\n  a: {base_url: 1, wight: 2}\n  b: {}\nkeys: {c: {key: '${NONE}'}}\n"
    assert [line.rpartition(": ")[0] for line in wrong(text)] != []
    places = [re.match(r"(\d+):(\d+)", line) for line in wrong(text)]
    assert [match and match[0] for match in places] == ["1:1", "3:17", "3:20", "4:6", "5:17"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 30 + "]" * 30, "1:25: it is nested deeper than 24"),
        ("{a: " * 100_000, "1:97: it is nested deeper than 24"),
        ("a: &a x\nb: [" + "*a, " * 300 + "]", "it has more than 200 aliases"),
        ("x" * (1024 * 1024 + 1), "1:1: the file is larger than 1048576 bytes"),
        ("a: &a [*a]", "its aliases stand for too much"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
            "its aliases stand for too much",
        ),
    ],
    ids=["depth", "endless", "aliases", "size", "a loop", "laughs"],
)
def test_a_hostile_file_is_read_within_bounds(text: str, told: str) -> None:
    """Neither depth, nor size, nor what aliases stand for goes beyond a bound."""
    assert any(told in line for line in wrong(text))


def test_a_secret_is_in_no_repr() -> None:
    """What the file or the environment holds is not shown by accident."""
    text = (
        f"store: postgresql://u:{HIDDEN}@h/d\nproviders: {{a: {{base_url: 'http://a', api_key: {HIDDEN}, "
        f"headers: {{x: '${{HIDDEN}}'}}}}}}\nkeys: {{k: {{key: {HIDDEN}}}}}\n"
        f"tools: {{mcp: {{m: {{url: 'http://x/{HIDDEN}', headers: {{a: {HIDDEN}}}, env: {{b: {HIDDEN}}}}}}}}}\n"
    )
    config = parse_config(text.encode(), environment=ENVIRONMENT)
    assert HIDDEN not in f"{config!r} {config} {config.model_dump_json()}"
    assert config.providers["a"].headers["x"].get_secret_value() == HIDDEN


def test_references_stand_for_values_wherever_they_are() -> None:
    """A reference may be part of a text, may be a number, and can be written as it is."""
    text = GOOD + "listen: 'localhost:${PORT}'\nloop: {max_rounds: '${PORT}'}\ndefault_model: 'a$${b}$c'\n"
    config = parse_config(text.encode(), environment=ENVIRONMENT)
    assert (config.listen, config.loop.max_rounds, config.default_model) == ("localhost:7", 7, "a${b}$c")


def test_short_forms_stand_for_the_long_ones() -> None:
    """A model is a name, a target a provider, where nothing else is to say."""
    text = "providers: {a: {base_url: 'http://a', models: [m, {name: n, upstream: N}]}}\nroutes: {r: {to: [a]}}\n"
    config = parse_config(text.encode(), environment={})
    assert [(each.name, each.upstream) for each in config.providers["a"].models] == [("m", None), ("n", "N")]
    assert config.routes["r"].to[0].provider == "a"


def test_a_file_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    """It is told by the system, which names it."""
    with pytest.raises(FileNotFoundError, match=r"none\.yaml"):
        read_config(tmp_path / "none.yaml")


def test_every_key_says_what_it_is_for() -> None:
    """The JSON schema, and the messages, have words for each key."""

    def check(section: type[BaseModel]) -> None:
        assert all(field.description for field in section.model_fields.values()), section

    check(GatewayConfig)
    schema = GatewayConfig.model_json_schema()
    for name, definition in schema["$defs"].items():
        whole = definition["anyOf"][1] if "anyOf" in definition else definition
        for key, value in whole.get("properties", {}).items():
            assert value.get("description"), (name, key)
