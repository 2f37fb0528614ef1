"""Reads the configuration of a gateway from its file; all that is wrong is told at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path as FilePath
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..sealing import read_keys
from .configuration import GatewayConfig
from .names import Directory, Offer
from .positions import ConfigError, Document, Fault, Path, compose

__all__ = ["parse_config", "read_config"]

_WORDS = {
    "missing": "the key {name!r} is missing",
    "model_type": "this has to be a mapping of keys to values",
    "dict_type": "this has to be a mapping of keys to values",
    "list_type": "this has to be a list",
    "string_pattern_mismatch": "this is not of the form that it has to have",
    "string_too_short": "this is empty",
    "too_short": "this is empty",
    "string_type": "this has to be text; put it in quotes where YAML takes it for something else",
}


def read_config(
    path: str | os.PathLike[str], environment: Mapping[str, str] | None = None
) -> GatewayConfig:
    """Read a configuration.

    Raises `ConfigError` with all that is wrong, each with file, line and column, and `OSError`
    where the file cannot be read.

    Args:
        path: The file, in YAML.
        environment: What `${NAME}` stands for; that of the process by default.
    """
    return parse_config(FilePath(path).read_bytes(), str(path), environment)


def parse_config(
    content: bytes, name: str = "configuration", environment: Mapping[str, str] | None = None
) -> GatewayConfig:
    """Read a configuration that is there already. Raises `ConfigError`.

    Args:
        content: The file, in YAML.
        name: How errors call it.
        environment: As in `read_config`.
    """
    document = compose(content, os.environ if environment is None else environment)
    config: GatewayConfig | None = None
    if document.data is not None or not document.faults:
        try:
            config = GatewayConfig.model_validate({} if document.data is None else document.data)
        except ValidationError as error:
            for each in error.errors(include_input=False, include_url=False):
                _tell(document, each)
        else:
            _check(config, document)
    if config is None or document.faults:
        raise ConfigError(name, document.faults or [Fault(1, 1, "the file is empty")])
    return config


def _tell(document: Document, error: ErrorDetails) -> None:
    """Note what the check of a value says, in words about the file."""
    kind = error["type"]
    path = tuple(each for each in error["loc"] if each != "[key]")
    if kind == "extra_forbidden":
        name = str(path[-1])
        section = _section(_at(path[:-1]))
        known = list(section.model_fields) if section else []
        near = get_close_matches(name, known, 1)
        hint = f"; is {near[0]!r} meant?" if near else f"; there are {', '.join(known)}"
        document.fault(path, f"the key {name[:80]!r} is not known{hint}", at_key=True)
        return
    if kind == "missing":
        document.fault(path[:-1], _WORDS[kind].format(name=path[-1]))
        return
    message = _WORDS.get(kind) or error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    at_key = "[key]" in error["loc"]
    meaning = "" if at_key or kind == "value_error" else _meaning(path)
    document.fault(path, f"{message}: {meaning}" if meaning else message, at_key=at_key)


def _at(path: Path) -> Any:
    """The type of what a path leads to: a section, a mapping or list of them, or anything else."""
    found: Any = GatewayConfig
    for part in path:
        section = _section(found)
        found = section.model_fields[str(part)].annotation if section else get_args(found)[-1]
        while get_origin(found) in {Annotated, UnionType}:
            found = next(each for each in get_args(found) if each is not NoneType)
    return found


def _section(found: Any) -> type[BaseModel] | None:
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _meaning(path: Path) -> str:
    """What the key at the end of a path is for; empty where that is told nowhere."""
    section = _section(_at(path[:-1])) if path else None
    field = section.model_fields.get(str(path[-1])) if section else None
    return (field.description if field else None) or ""


def _check(config: GatewayConfig, document: Document) -> None:
    """Note what only several values together show."""
    _check_names(config, document)
    _check_keys(config, document)
    sealing = config.reasoning
    for key_id, key in sealing.keys.items():
        try:
            read_keys({key_id: key.get_secret_value()})
        except ValueError as error:
            document.fault(("reasoning", "keys", key_id), str(error))
    if sealing.keys and sealing.current not in sealing.keys:
        message = f"`current` has to be the id of one of the keys: {', '.join(sealing.keys)}"
        document.fault(("reasoning", "current"), message)
    if config.health.open_seconds > config.health.longest_open_seconds:
        message = "it has to be at most longest_open_seconds"
        document.fault(("health", "open_seconds"), message)


def _check_names(config: GatewayConfig, document: Document) -> None:
    providers = config.providers
    for name in providers:
        if ":" in name or "*" in name:
            message = "the name of a provider has neither a colon nor a star"
            document.fault(("providers", name), message, at_key=True)
    for name, route in config.routes.items():
        for place, target in enumerate(route.to):
            if target.provider not in providers:
                near = get_close_matches(target.provider, providers, 1)
                hint = f"is {near[0]!r} meant?" if near else f"there are {', '.join(providers)}"
                path: Path = ("routes", name, "to", place)
                document.fault((*path, "provider"), f"there is no such provider; {hint}")
    offers = {
        name: [Offer(offer.name) for offer in provider.models]
        for name, provider in providers.items()
    }
    directory = Directory(offers)
    for alias, meant in config.aliases.items():
        if meant in config.aliases:
            message = "this is an alias, too; name the model that is meant"
            document.fault(("aliases", alias), message)
        elif directory.split(alias)[1] is not None:
            message = "an alias does not end in the name of a provider"
            document.fault(("aliases", alias), message, at_key=True)


def _check_keys(config: GatewayConfig, document: Document) -> None:
    owners: dict[str, str] = {}
    for name, key in config.keys.items():
        secret = key.key.get_secret_value()
        if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            message = "a key is printable ASCII, without space around it"
            document.fault(("keys", name, "key"), message)
        if secret in owners:
            document.fault(("keys", name, "key"), f"this is the key of {owners[secret]!r}, too")
        owners.setdefault(secret, name)
