"""The extension of a vendor that the tests of typed extensions are about, and a service that writes all of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from openresponses_codegen import pipeline
from payloads import NEWEST

NAME = "acme_typed_kit"
FORM = """\
vendor: acme
title: Acme
items:
  search_result:
    description: What a search found.
    aliases: [acme_search_call]
    fields:
      query: string
      kind: {type: string, enum: [fast, deep]}
      region: {type: string, minLength: 2}
      depth: {type: integer, minimum: 0}
      hits: Hit[]
      note: string?
      total: integer?
      fields: object
    required: [query, kind, region, depth, hits, note]
    statuses: [searching]
    events:
      searching: {aliases: [response.acme_search_call.searching]}
      progress:
        aliases: [response.acme_search_call.progress]
        fields:
          percent: {type: integer, minimum: 0, maximum: 100}
          step: string?
        required: [percent, step]
  # Their fields and events have names that methods use for something else.
  memo:
    fields: {self: string, self_: string, item_id: string, item: string, zeros: string, class: string}
    events:
      update: {fields: {fields: string, self: string}}
      id: {}
      class: {}
events:
  heartbeat: {fields: {fields: string}}
tools:
  search:
    item: search_result
    aliases: [acme_search]
    fields: {limit: {type: integer, minimum: 1}}
    choice: true
parts:
  chart:
    in: [output]
    fields: {values: 'number[]'}
    required: [values]
fields:
  ResponseResource: {acme_cost: number}
  CreateResponseBody: {acme_priority: {type: string, enum: [low, high]}}
schemas:
  Hit:
    fields: {title: string, url: string?}
    required: [title]
"""


def write_kit(folder: Path) -> None:
    """Generate the package with the extension, with everything in it."""
    form = folder / "acme.yaml"
    form.write_text(FORM, encoding="utf-8")
    spec = pipeline.load_spec(NEWEST, extensions=[str(form)])
    for name, text in pipeline.generate(spec, pipeline.Options(package=NAME)).files.items():
        path = folder / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


async def write_everything(kit: ModuleType, out: Any) -> None:
    """Write an item of every kind, every event, and a part of the vendor's."""
    models = import_module(f"{kit.__name__}.models")
    await out.acme_heartbeat()
    async with out.acme_search_result(query="spring", kind="deep", region="eu", depth=0) as result:
        await result.searching()
        await result.progress(percent=40, step=None)
        await out.acme_heartbeat(fields="while a search is under way")
        await result.progress(percent=100, step="ranking")
        await result.update(hits=[models.AcmeHit(title="Spring"), {"title": "In Paris", "url": None}], total=2)
    async with out.acme_memo(self_="3", item_id_="4", item="5", zeros="6", class_="7") as memo:
        await memo.update_event(fields="8", self_="9")
        await memo.id_event()
        await memo.class_()
    async with out.message() as message:
        await message.text("One document ")
        await message.part(models.AcmeChartContent(values=[1.5, 2]))
        await message.text("is about spring.")


def service_of(kit: ModuleType) -> Any:
    """A service that writes everything. It keeps the requests, and what was said before."""
    server = import_module(f"{kit.__name__}.server")

    class Everything(server.ResponsesService):
        models = ("m",)

        def __init__(self) -> None:
            self.requests: list[Any] = []
            self.contexts: list[list[Any]] = []

        async def respond(self, request: Any, out: Any) -> None:
            self.requests.append(request)
            self.contexts.append(list(out.context))
            await write_everything(kit, out)

    return Everything()
