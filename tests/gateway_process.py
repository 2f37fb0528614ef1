"""A gateway in a process of its own: the agentic loop over a model that remembers, with the options of `serve`.

    python -m gateway_process serve --store URL

Where `SEALING_KEYS` holds keys in base64 by id, as JSON, the first of them seals.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.sealing import Sealer, read_keys
from openresponses_kit.server.running import Offer, add_options, serve
from openresponses_kit.server.settings import ServerSettings
from remembering_model import RememberingModel


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
