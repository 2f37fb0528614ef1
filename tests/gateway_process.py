"""A gateway in a process of its own: the agentic loop over a model that remembers, with the options of `serve`.

    python -m gateway_process serve --store URL
    STORE=URL uvicorn --factory gateway_process:app --workers 2

Where `SEALING_KEYS` holds keys in base64 by id, as JSON, the first of them seals. A header of each answer of `app`
tells which process gave it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.sealing import Sealer, read_keys
from openresponses_kit.server.app import create_app
from openresponses_kit.server.running import Offer, add_options, serve
from openresponses_kit.server.settings import ServerSettings
from remembering_model import RememberingModel


def _service() -> AgenticLoop:
    keys = read_keys(json.loads(os.environ.get("SEALING_KEYS", "{}")))
    return AgenticLoop(RememberingModel(), sealer=Sealer(keys, next(iter(keys))) if keys else None)


def app() -> Callable[[Any, Any, Any], Awaitable[None]]:
    """An application for a server of ASGI that starts several of it."""
    served = create_app(_service(), store=os.environ["STORE"], api_keys=[os.environ["OPENRESPONSES_API_KEY"]])
    own = (b"x-process", str(os.getpid()).encode())

    async def marked(scope: Any, receive: Any, send: Any) -> None:
        async def mark(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], own]}
            await send(message)

        await served(scope, receive, mark)

    return marked


def main() -> int:
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(required=True).add_parser("serve")
    add_options(command)
    given = parser.parse_args()
    keys = read_keys(json.loads(os.environ.get("SEALING_KEYS", "{}")))
    sealer = Sealer(keys, next(iter(keys))) if keys else None
    settings = ServerSettings(shutdown_seconds=given.grace)
    return serve(
        given, Offer(service=AgenticLoop(RememberingModel(), sealer=sealer), title="a test", settings=settings)
    )


if __name__ == "__main__":
    sys.exit(main())
