"""The connections of a gateway to MCP servers: to those of the operator, and to those of requests.

Rules kept here: T2 (what one caller may reach with a header of its own is not another's).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from .connection import Connection
from .servers import HTTPServer, MCPSettings, StdioServer

__all__ = ["Pool"]


class Pool:
    """Connections by label, and by what requests name.

    Args:
        servers: The servers of the operator.
        settings: Limits.
    """

    def __init__(self, servers: Sequence[StdioServer | HTTPServer], settings: MCPSettings) -> None:
        self._settings = settings
        self._own = {server.label: Connection(server, settings) for server in servers}
        self._of_requests: OrderedDict[bytes, Connection] = OrderedDict()
        self._leaving: set[asyncio.Task[None]] = set()

    def own(self, label: str) -> Connection | None:
        """The connection to a server of the operator; None if there is none of this label."""
        return self._own.get(label)

    def of_request(
        self, caller: str, label: str, url: str, headers: Mapping[str, str]
    ) -> Connection | None:
        """The connection to a server that a request names; None when there are too many in use."""
        key = _key_of(caller, label, url, headers)
        found = self._of_requests.get(key)
        if found is None:
            if not self._has_room():
                return None
            server = HTTPServer(label=label, url=url, headers=dict(headers))
            found = self._of_requests[key] = Connection(
                server,
                self._settings,
                public_only=not self._settings.allow_private,
                idle_seconds=self._settings.idle_seconds,
            )
        self._of_requests.move_to_end(key)
        return found

    async def close(self) -> None:
        """Let go of all of them."""
        connections = [*self._own.values(), *self._of_requests.values()]
        self._of_requests.clear()
        await asyncio.gather(*(each.close() for each in connections), *self._leaving)

    def _has_room(self) -> bool:
        """Make room for one more, by leaving the one that was not used for the longest time."""
        if len(self._of_requests) < self._settings.max_request_servers:
            return True
        for key, connection in self._of_requests.items():
            if not connection.is_busy:
                del self._of_requests[key]
                leaving = asyncio.create_task(connection.close())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
                return True
        return False


def _key_of(caller: str, label: str, url: str, headers: Mapping[str, str]) -> bytes:
    """What tells connections apart; it holds no header."""
    parts: list[Any] = [caller, label, url, *(part for pair in headers.items() for part in pair)]
    digest = sha256()
    for part in parts:
        digest.update(sha256(str(part).encode("utf-8", "surrogatepass")).digest())
    return digest.digest()
