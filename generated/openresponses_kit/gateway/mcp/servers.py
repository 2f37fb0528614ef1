"""The MCP servers that an operator configures, and what holds for all of them.

Rules kept here: X2 (a server lives elsewhere and is called by the gateway), E3 (headers are shown
to nobody).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = [
    "Approval",
    "HTTPServer",
    "MCPSettings",
    "StdioServer",
    "is_header",
    "is_label",
    "needs_approval",
]

Approval: TypeAlias = Literal["always", "never"] | Mapping[str, Sequence[str]]
"""Which calls need the approval of whoever sent the request: all, none, or by name of the tool
under `always` and `never`. A tool that neither names needs it.
"""
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_RESERVED: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_LABEL: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MCPSettings:
    """What holds for every MCP server, and what requests may do."""

    max_tools: int = 128
    """How many tools of one server may be offered; a request that would need more of one is told so
    in the list of its tools, and goes on without that server.
    """
    max_schema_bytes: int = 65_536
    """Size of the schema and the words of one tool; a larger one is not offered."""
    max_message_bytes: int = 8_388_608
    """Size of one message of a server; a larger one ends the connection."""
    max_output_bytes: int = 1_048_576
    """How much of a result the model is told; text is cut there, and larger parts are left out."""
    max_backoff_seconds: float = 60.0
    """The longest time between two attempts to reach a server that does not answer."""
    allow_request_servers: bool = False
    """Whether a request may name a server by its URL. Such a server is called over HTTP only."""
    allow_private: bool = False
    """Whether such a URL may lead to a private, loopback or link-local address."""
    idle_seconds: float = 300.0
    """How long the connection to such a server is kept while it is not used."""
    max_request_servers: int = 64
    """How many connections to such servers are kept at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """What servers have in common, however they are reached."""

    label: str
    """The name that requests ask for it by: a letter, then up to 63 letters, digits, `_`, `-`."""
    allowed_tools: Sequence[str] | None = None
    """The tools that may be offered; None allows all that the server has."""
    require_approval: Approval = "never"
    """Which calls need approval, also where the request does not ask for it."""
    connect_seconds: float = 30.0
    """How long connecting, and listing the tools, may take."""
    call_seconds: float = 60.0
    """How long a call may take."""

    def __post_init__(self) -> None:
        if not is_label(self.label):
            message = f"{self.label!r}: a label is a letter and up to 63 letters, digits, `_`, `-`"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioServer(_Server):
    """A server that is started as a process of its own, and spoken to through its pipes."""

    command: str
    """The program."""
    args: Sequence[str] = ()
    """Its arguments."""
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Its environment, besides `PATH`, `HOME` and the few others that every process needs."""
    cwd: str | None = None
    """The folder it runs in; None is that of the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPServer(_Server):
    """A server that is spoken to by streamable HTTP."""

    url: str = field(repr=False)
    """Its address. It may hold a secret, so it is not shown."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Headers of every request to it, such as `Authorization`. They are shown to nobody."""

    def __post_init__(self) -> None:
        _Server.__post_init__(self)
        if not all(is_header(name, value) for name, value in self.headers.items()):
            raise ValueError(f"{self.label}: headers: one is no header that may be sent")


def is_label(label: str) -> bool:
    """Whether a label is one that names of tools can be made of."""
    return _LABEL.fullmatch(label) is not None


def is_header(name: str, value: str) -> bool:
    """Whether a header can be sent, and is not one that a request makes by itself."""
    return (
        _HEADER_NAME.fullmatch(name) is not None
        and _HEADER_VALUE.fullmatch(value) is not None
        and name.lower() not in _RESERVED
    )


def needs_approval(approval: Approval, name: str) -> bool:
    """Whether a tool of this name needs approval."""
    if isinstance(approval, str):
        return approval == "always"
    return name in approval.get("always", ()) or name not in approval.get("never", ())
