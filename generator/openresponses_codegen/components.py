"""The parts that a package is made of, and what each needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openresponses_codegen import ir


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a package that can be chosen."""

    text: str
    builds_on: tuple[str, ...] = ()
    """The components that come with it."""
    requires: Mapping[str, str] = field(default_factory=dict[str, str])
    """The distributions that it needs beside those of `models`."""
    extras: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Those that parts of it need which may be left unused, by a name for the part."""


COMPONENTS: Mapping[str, Component] = {
    "models": Component("request and response models"),
    "events": Component("streaming events", ("models",)),
    "params": Component("typed dictionaries for requests", ("models",)),
    "client": Component(
        "the client: HTTP and WebSocket, sync and async",
        ("models", "events", "params"),
        {"httpx2": ">=2.16", "websockets": ">=16.0"},
        {"fast": {"aiohttp": ">=3.13"}, "telemetry": {"opentelemetry-api": ">=1.40"}},
    ),
    "server": Component(
        "the server: HTTP and WebSocket on any ASGI server, FastAPI if wanted, a store, a demonstration",
        ("models", "events"),
        extras={
            "server": {"SQLAlchemy[asyncio]": ">=2.0.50", "aiosqlite": ">=0.21", "uvicorn[standard]": ">=0.54"},
            "fastapi": {"fastapi": ">=0.165"},
            "postgres": {"asyncpg": ">=0.30"},
        },
    ),
    "gateway": Component(
        "the gateway: agentic loop, hosted tools, MCP, upstreams of any kind, router, a page to try it",
        ("models", "events", "params", "client", "server"),
        extras={
            "gateway": {
                "PyYAML": ">=6.0.2",
                "cryptography": ">=46",
                "SQLAlchemy[asyncio]": ">=2.0.50",
                "aiohttp": ">=3.13",
                "aiosqlite": ">=0.21",
                "uvicorn[standard]": ">=0.54",
            },
            "mcp": {"mcp": ">=2.3"},
        },
    ),
}
"""The parts of a package by name. `models` is always among them."""
REQUIRES: Mapping[str, str] = {"python": ">=3.11", "pydantic": ">=2.14.3", "typing-extensions": ">=4.12"}
"""What every generated package needs."""


def with_foundations(names: Iterable[str]) -> tuple[str, ...]:
    """The components of these names, and those that they build on."""
    chosen = {"models", *names}
    for name in reversed(list(COMPONENTS)):  # each builds on earlier ones only
        if name in chosen:
            chosen.update(COMPONENTS[name].builds_on)
    return tuple(name for name in COMPONENTS if name in chosen)


def requires_of(components: Iterable[str], api: ir.Api) -> dict[str, str]:
    """What a package of these components needs."""
    requires = dict(REQUIRES)
    for component in _rendered(components, api):
        requires |= component.requires
    if api.service is None or api.service.websocket is None:
        requires.pop("websockets", None)
    return requires


def extras_of(components: Iterable[str], api: ir.Api) -> dict[str, Mapping[str, str]]:
    """What a package of these components needs for parts that may be left unused, by a name for the part."""
    extras: dict[str, Mapping[str, str]] = {}
    for component in _rendered(components, api):
        extras |= component.extras
    return extras


def _rendered(components: Iterable[str], api: ir.Api) -> Iterable[Component]:
    """The components that are there: client and server come with a service only."""
    return (COMPONENTS[name] for name in components if name in {"models", "events", "params"} or api.service)
