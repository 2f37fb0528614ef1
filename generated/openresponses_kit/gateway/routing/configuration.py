"""The configuration of a gateway, as its file says it. What each key means is told in its field.

A secret is shown nowhere: not by `repr`, not in an error.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from .policies import Policy

__all__ = [
    "Calculator",
    "Documents",
    "GatewayConfig",
    "Health",
    "Interpreter",
    "Key",
    "Limited",
    "Loop",
    "MCPServerConfig",
    "ModelOffer",
    "Page",
    "PriceConfig",
    "ProviderConfig",
    "Reasoning",
    "Retries",
    "RouteConfig",
    "RouteTarget",
    "Tools",
]

_Positive: TypeAlias = Annotated[int, Field(ge=1)]
_Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
_Amount: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_Secret: TypeAlias = Annotated[SecretStr, Field(min_length=1)]
_Label: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")


def _url(value: object) -> object:
    if isinstance(value, str) and not _URL.fullmatch(value):
        raise ValueError(
            "it has to be http:// or https://, a host, and a path if need be; "
            "keys go into `api_key` or `headers`"
        )
    return value


def _or_text(key: str, schema: dict[str, Any]) -> None:
    """Says in a JSON schema that a text stands for an object with this key alone."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "title": key}, whole]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Limited(_Section):
    """Limits of a caller or a provider; without one there is none. They hold for each process."""

    requests_per_minute: _Positive | None = Field(
        default=None, description="Most that begin in a minute."
    )
    tokens_per_minute: _Positive | None = Field(
        default=None, description="Tokens in and out, in a minute, after which nothing more begins."
    )
    max_in_flight: _Positive | None = Field(default=None, description="Most requests at once.")


class Key(Limited):
    """A caller, by a name that is not secret."""

    key: _Secret = Field(description="What the caller sends after `Bearer`.")
    models: list[_Name] | None = Field(
        default=None,
        description="The models that it may ask for, by name or pattern; all by default.",
    )


class PriceConfig(_Section):
    """What a million tokens cost."""

    input: _Amount = Field(default=0.0, description="Those that are read.")
    output: _Amount = Field(default=0.0, description="Those that are written.")


class ModelOffer(_Section):
    """A model that a provider serves; a name alone will do."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _or_text("name", schema))

    name: _Name = Field(description="As callers know it; `*` stands for any text.")
    upstream: _Name | None = Field(default=None, description="As the provider knows it.")
    price: PriceConfig | None = Field(
        default=None, description="In place of the price of the provider."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class ProviderConfig(Limited):
    """A server of models."""

    kind: Literal["chat", "responses"] = Field(
        default="chat", description="What it speaks: Chat Completions, or Open Responses."
    )
    base_url: Annotated[str, BeforeValidator(_url)] = Field(
        description="Where its routes begin, such as `http://localhost:11434/v1`."
    )
    api_key: _Secret | None = Field(default=None, description="What it asks for.")
    headers: dict[_Name, SecretStr] = Field(
        default_factory=dict[str, SecretStr], description="More headers of every request to it."
    )
    models: list[ModelOffer] = Field(
        default_factory=list[ModelOffer],
        description="The models that it serves; without any, whatever is asked for.",
    )
    weight: _Amount = Field(default=1.0, description="Its share under the policy `weighted`.")
    price: PriceConfig | None = Field(default=None, description="What it asks.")
    first_event_seconds: _Seconds | None = Field(
        default=None, description="How long it may take to begin; then the next one is tried."
    )
    timeout_seconds: _Seconds | None = Field(
        default=None, description="How long it may be silent in the middle of an answer."
    )


class RouteTarget(_Section):
    """A provider that a route leads to; its name alone will do."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _or_text("provider", schema))

    provider: _Name = Field(description="Its name.")
    model: _Name | None = Field(default=None, description="The model, as the provider knows it.")
    weight: _Amount | None = Field(
        default=None, description="In place of the weight of the provider."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"provider": value} if isinstance(value, str) else value


class RouteConfig(_Section):
    """Where requests for a model go."""

    to: Annotated[list[RouteTarget], Field(min_length=1)] = Field(
        description="The providers, in order of preference."
    )
    policy: Policy | None = Field(
        default=None, description="In place of the policy of the gateway."
    )


class Retries(_Section):
    """How long a request is tried for, before its first event."""

    attempts: _Positive = Field(default=4, description="Most tries, at all providers together.")
    longest_wait_seconds: _Amount = Field(
        default=10.0, description="Longest wait before another try."
    )


class Health(_Section):
    """When a provider counts as failing."""

    failures: _Positive = Field(
        default=5, description="Failures in a row after which it is left alone."
    )
    open_seconds: _Seconds = Field(default=10.0, description="How long, the first time.")
    longest_open_seconds: _Seconds = Field(default=120.0, description="How long at most.")


class Loop(_Section):
    """Limits of a response in which tools are run."""

    max_rounds: _Positive = Field(default=64, description="Most samplings in one response.")
    max_tool_calls: _Positive | None = Field(default=None, description="Most runs of hosted tools.")
    max_parallel_tools: _Positive = Field(default=8, description="Most runs at once.")
    tool_seconds: _Seconds = Field(default=300.0, description="Longest run of a tool.")
    max_tool_output_bytes: _Positive = Field(
        default=256 * 1024, description="Most that the model is told."
    )


class Calculator(_Section):
    """A calculator."""

    enabled: bool = Field(default=True, description="Whether it is there.")


class Documents(_Section):
    """A search over the documents of a folder."""

    folder: _Name = Field(description="The folder.")


class Interpreter(_Section):
    """Python code that the model writes, in a process that is locked down. Read its page first."""

    enabled: bool = Field(default=False, description="Whether it is there.")


class MCPServerConfig(_Section):
    """An MCP server: a `command` that is started, or a `url`."""

    command: _Name | None = Field(default=None, description="The program.")
    args: list[str] = Field(default_factory=list[str], description="Its arguments.")
    env: dict[_Name, SecretStr] = Field(
        default_factory=dict[str, SecretStr], description="Its environment."
    )
    cwd: _Name | None = Field(default=None, description="The folder it runs in.")
    url: _Secret | None = Field(default=None, description="Its address, for streamable HTTP.")
    headers: dict[_Name, SecretStr] = Field(
        default_factory=dict[str, SecretStr], description="Headers of every request to it."
    )
    allowed_tools: list[_Name] | None = Field(
        default=None, description="The tools that may be offered."
    )
    require_approval: Literal["always", "never"] = Field(
        default="never", description="Whether the caller has to approve calls."
    )

    @model_validator(mode="after")
    def _is_one_kind(self) -> MCPServerConfig:
        if (self.command is None) == (self.url is None):
            raise ValueError("it needs either `command` or `url`")
        return self


class Tools(_Section):
    """The tools that the gateway runs."""

    calculator: Calculator | None = Field(default=None, description="A calculator.")
    documents: Documents | None = Field(default=None, description="A search over documents.")
    interpreter: Interpreter | None = Field(default=None, description="Runs Python code.")
    mcp: dict[_Label, MCPServerConfig] = Field(
        default_factory=dict[str, MCPServerConfig], description="MCP servers by label."
    )
    always: list[_Name] = Field(
        default_factory=list[str],
        description="Names of tools that are offered whether a request asks for them or not.",
    )


class Reasoning(_Section):
    """What callers see of reasoning, and the keys that seal what they carry."""

    show: Literal["raw", "summary", "hidden"] = Field(default="raw", description="What is shown.")
    keys: dict[_Name, _Secret] = Field(
        default_factory=dict[str, SecretStr],
        description="Keys by id, each of 32 bytes in base64; they seal reasoning and compactions.",
    )
    current: _Name | None = Field(
        default=None, description="Id of the key that seals; the others open."
    )


class Page(_Section):
    """The page at `/`."""

    enabled: bool = Field(default=True, description="Whether it is there.")
    allow_private: bool = Field(
        default=False,
        description="Whether it may have requests sent to addresses that are not public.",
    )


class GatewayConfig(_Section):
    """A gateway."""

    listen: Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[0-9]{1,5}$")] = Field(
        default="127.0.0.1:8000", description="Address and port; it takes effect at the next start."
    )
    prefix: Annotated[str, Field(pattern=r"^(/[^\s/]+)*$")] = Field(
        default="/v1", description="Where the routes begin; it takes effect at the next start."
    )
    store: SecretStr | None = Field(
        default=SecretStr("default"),
        description="URL of the database of responses; null keeps none. At the next start.",
    )
    default_model: _Name = Field(
        default="default", description="The model of a request that names none."
    )
    keys: dict[_Name, Key] = Field(
        default_factory=dict[str, Key],
        description="Callers by name; without any, everybody may call.",
    )
    providers: Annotated[dict[_Name, ProviderConfig], Field(min_length=1)] = Field(
        description="Servers of models by name, in order of preference."
    )
    aliases: dict[_Name, _Name] = Field(
        default_factory=dict[str, str], description="Other names of models."
    )
    routes: dict[_Name, RouteConfig] = Field(
        default_factory=dict[str, RouteConfig],
        description="Where requests go, by name or pattern of the model.",
    )
    policy: Policy = Field(default="first", description="How one of several providers is chosen.")
    retries: Retries = Field(default=Retries(), description="How long a request is tried for.")
    health: Health = Field(default=Health(), description="When a provider counts as failing.")
    loop: Loop = Field(default=Loop(), description="Limits of a response in which tools are run.")
    tools: Tools = Field(default=Tools(), description="The tools that the gateway runs.")
    reasoning: Reasoning = Field(default=Reasoning(), description="What is shown of reasoning.")
    page: Page = Field(default=Page(), description="The page at `/`.")
