"""Items and events of an extension in a whole package: what its writer lets through, what its checkers say of it.

They protect that a vendor's types are held to their own schemas (rules N1, N2, X3), keep all rules of a stream, and
change nothing of the core response (rule N5).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openresponses_codegen import pipeline
from openresponses_codegen.extension import starter
from payloads import NEWEST, RELEASES
from writing import Kit, Program, Recorder, names


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of each release, with the extension that `extension new` begins."""
    folder = tmp_path_factory.mktemp("vendor")
    (folder / "acme.yaml").write_text(starter("acme"))
    for release in RELEASES:
        name = f"acme_{release.replace('-', '_')}"
        spec = pipeline.load_spec(release, extensions=[str(folder / "acme.yaml")])
        for path, text in pipeline.generate(spec, pipeline.Options(package=name)).files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(text.encode())
    return folder


@pytest.fixture(scope="module")
def vendor_kits(folder: Path) -> Mapping[str, Kit]:
    sys.path.insert(0, str(folder))
    try:
        return {
            release: Kit(importlib.import_module(f"acme_{release.replace('-', '_')}"), release) for release in RELEASES
        }
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(params=RELEASES)
def kit(request: pytest.FixtureRequest, vendor_kits: Mapping[str, Kit]) -> Kit:
    return vendor_kits[request.param]


async def _search(out: Any) -> None:
    async with out.acme_search_result(query="x", item_id="s_1") as result:
        await result.status("searching")
        await result.progress(percent=40)
        await result.update(hits=[{"title": "t", "url": "https://a.example"}], total=1)


async def _told_all_at_once(out: Any) -> None:
    await out.acme_heartbeat()
    async with out.message() as message:
        await message.text("Hi")


@pytest.mark.parametrize("program", [_search, _told_all_at_once], ids=lambda each: each.__name__)
def test_n5_a_legal_program_keeps_every_rule_and_reads_the_same_without_the_vendors_events(
    kit: Kit, program: Program
) -> None:
    """`Kit.written` holds the stream against S and L, its fold against L9, and the answer in one piece against it."""
    events = kit.written(program)
    told = [event for event in events if event["type"].startswith("acme:")]
    assert told
    accumulator = kit.package.ResponseAccumulator()
    for event in events:
        if event not in told:
            accumulator.add(kit.package.parse_event(json.dumps(event)))
    assert accumulator.close().model_dump(mode="json") == events[-1]["response"]


def test_l1_an_item_opens_with_zeros_and_closes_with_what_it_was_given(kit: Kit) -> None:
    events = kit.written(_search)
    assert names(events)[2:5] == ["output_item.added", "acme:search_result.progress", "output_item.done"]
    added, progress, done = events[2:5]
    assert added["item"] == {"type": "acme:search_result", "id": "s_1", "status": "in_progress", "query": "x"}
    assert (progress["item_id"], progress["output_index"], progress["percent"]) == ("s_1", 0, 40)
    assert done["item"]["status"] == "completed"
    assert done["item"]["hits"] == [{"title": "t", "url": "https://a.example"}]
    response = kit.package.ResponseResource.model_validate(events[-1]["response"])
    assert [item.total for item in response.acme_search_results] == [1]


async def _event_out_of_its_limits(out: Any) -> None:
    async with out.acme_search_result(query="x") as result:
        await result.progress(percent=400)


async def _field_of_another_type(out: Any) -> None:
    async with out.acme_search_result(query="x") as result:
        await result.update(total="many")


async def _event_after_the_item_closed(out: Any) -> None:
    async with out.acme_search_result(query="x") as result:
        pass
    await result.progress(percent=1)


async def _event_before_the_item_opens(out: Any) -> None:
    await out.acme_search_result(query="x").progress(percent=1)


@pytest.mark.parametrize(
    ("rule", "said", "program"),
    [
        ("N2", "percent", _event_out_of_its_limits),
        ("N2", "total", _field_of_another_type),
        ("L6", "closed", _event_after_the_item_closed),
        ("L1", "not open", _event_before_the_item_opens),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_misuse_is_refused_by_its_rule_and_the_stream_is_legal_all_the_same(
    kit: Kit, rule: str, said: str, program: Program
) -> None:
    sink = Recorder()
    error = asyncio.run(kit.run(kit.out(sink), program))
    assert isinstance(error, kit.errors.WriterError)
    assert error.rule == rule
    assert said in str(error)
    kit.checked(sink.sent)


def test_other_vendors_stay_unknown(kit: Kit) -> None:
    item = {"type": "other:thing", "id": "o_1", "status": "completed", "deep": {"a": [1, None]}}
    events = kit.written(lambda out: out.item(item))
    response = kit.package.ResponseResource.model_validate(events[-1]["response"])
    assert response.acme_search_results == []
    assert [each.model_dump(mode="json") for each in response.output] == [item]


@pytest.mark.parametrize("checker", ["mypy", "pyright", "ruff"])
def test_the_package_passes_strict_checkers(folder: Path, checker: str) -> None:
    """Without a suppression, as the package without extensions does."""
    name = f"acme_{NEWEST.replace('-', '_')}"
    (folder / "pyrightconfig.json").write_text(json.dumps({"include": [name], "typeCheckingMode": "strict"}))
    (folder / "ruff.toml").write_text(f'extend = "{Path(__file__).parents[1] / "generated" / "ruff.toml"}"\n')
    command = {
        "mypy": ["mypy", "--strict", "--no-incremental", name],
        "pyright": ["pyright", "--pythonpath", sys.executable],
        "ruff": ["ruff", "check", "--no-cache", "--ignore", "PLC0415,ARG002", name],
    }[checker]
    run = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
