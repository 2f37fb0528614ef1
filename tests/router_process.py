"""A gateway by its configuration, in a process of its own: `python -m router_process FILE serve --port 0`."""

from __future__ import annotations

import argparse
import sys

from openresponses_kit.gateway.routing.reloading import Reloading
from openresponses_kit.server.running import Offer, add_options, serve
from openresponses_kit.server.settings import ServerSettings


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_options(parser.add_subparsers(required=True).add_parser("serve"))
    given = parser.parse_args()
    service = Reloading(given.config)
    settings = ServerSettings(shutdown_seconds=given.grace)

    def reload() -> None:
        service.reload()

    return serve(given, Offer(service=service, title="a router", settings=settings, on_hangup=reload))


if __name__ == "__main__":
    sys.exit(main())
