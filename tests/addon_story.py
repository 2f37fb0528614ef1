"""Two add-ons beside the committed package: a service writes with both, a client reads. Prints what came as JSON.

Run as `python addon_story.py FIRST SECOND`, the names of the add-ons in the order in which they are imported.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import openresponses_kit
from openresponses_kit.models import ResponseResource
from openresponses_kit.server.app import create_app
from openresponses_kit.server.errors import WriterError
from openresponses_kit.server.service import ResponsesService
from running_server import running

KEY = "a-key-for-tests"


class Service(ResponsesService):
    """Writes an item and events of each vendor."""

    models = ("kit",)

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refused = ""

    async def respond(self, request: Any, out: Any) -> None:
        given = request.input if isinstance(request.input, list) else []
        self.seen += [type(each).__name__ for each in (*given, *(request.tools or ()))]
        for vendor in ("acme", "zeta"):
            writing, models = (import_module(f"{vendor}_kit.{module}") for module in ("writing", "models"))
            hit = getattr(models, f"{vendor.title()}Hit")(title=vendor)
            write, beat = (getattr(writing, f"{vendor}_{name}") for name in ("search_result", "heartbeat"))
            async with write(out, query=f"{vendor}?") as result:
                await result.progress(percent=40)
                await result.status("searching")
                await result.update(hits=[hit], total=1)
                try:
                    await result.progress(percent=400)
                except WriterError as error:
                    self.refused = str(error)
            await beat(out)


def main(order: list[str]) -> None:
    unknown = openresponses_kit.parse_event(b'{"type": "acme:heartbeat", "sequence_number": 1}')
    addons = {name: import_module(name) for name in order}
    service = Service()
    with (
        running(create_app(service, store="memory:", api_keys=[KEY])) as server,
        openresponses_kit.OpenResponses(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0, strict=True) as client,
    ):
        with client.responses.stream(model="kit", input="hi") as stream:
            events = [type(event).__name__ for event in stream]
            response = stream.get_final_response()
        tools: Any = [{"type": "acme:search", "limit": 3}, {"type": "other:tool"}]
        whole = client.responses.create(model="kit", input=response.output, tools=tools)
    copy = ResponseResource.model_validate_json(response.model_dump_json())
    accessors = {name: getattr(addon, f"{name.removesuffix('_kit')}_search_results") for name, addon in addons.items()}
    found = {name: [item.model_dump() for item in accessor(response)] for name, accessor in accessors.items()}
    told = {
        "unknown": type(unknown).__name__,
        "events": events,
        "output": [type(each).__name__ for each in response.output],
        "whole": [type(each).__name__ for each in whole.output],
        "tools": [type(each).__name__ for each in whole.tools],
        "found": dict(sorted(found.items())),
        "seen": service.seen,
        "refused": service.refused,
        "deviations": len(response.deviations) + len(whole.deviations),
        "same": copy.output == response.output and copy.model_dump_json() == response.model_dump_json(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
