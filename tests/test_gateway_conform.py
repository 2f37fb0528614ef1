"""The acceptance test for servers, through a gateway over Chat Completions in the shape of each server.

Protects: the gateway keeps every rule that can be seen from outside, whatever server it stands in front of. Which cases
say nothing here, and why, is stated in full: one more that is skipped is a failure.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from chat_server import Server, serving
from chat_shapes import SHAPES
from conform_faults import KEY
from conform_host import broken, report_on
from openresponses_codegen.conform.outcome import Outcome
from openresponses_kit.gateway import ChatCompletionsUpstream
from openresponses_kit.gateway.loop import AgenticLoop
from openresponses_kit.gateway.sealing import KEY_BYTES, Sealer
from openresponses_kit.server.app import create_app
from running_server import running

UNSEEN = {
    "S5-error-then-failed": "no stream of the run met an error",
    "L3-summary-deltas-join": "no summary of reasoning was streamed",
    "L3-summary-done": "no summary of reasoning was streamed",
    "L5-annotations": "no annotation was streamed",
    "E2-retry-after": "no request was answered with 429",
    "N1-event-types": "only events of the standard came",
    "N1-item-types": "only items of the standard came",
    "N1-slug": "only types of the standard came",
    "N2-events": "only events of the standard came",
    "N2-items": "only items of the standard came",
}
"""Cases about what no server of Chat Completions gives, or what a sound server need not do."""
UNSEEN_WITHOUT_REASONING = {
    "L7-summary-index": "no reasoning was streamed",
    "R1-parts": "the model did not reason",
    "R2-encrypted-on-request": "the model did not reason",
    "R2-encrypted-content": "the model did not reason",
    "R2-returned": "the model did not reason",
    "Z9-no-status": "the model did not reason",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


@pytest.mark.parametrize("shape", SHAPES)
def test_a_gateway_passes_over_each_shape(server: Server, shape: str) -> None:
    sealer = Sealer({"k1": secrets.token_bytes(KEY_BYTES)}, "k1")
    loop = AgenticLoop(ChatCompletionsUpstream(server.at(shape)), sealer=sealer)
    app = create_app(loop, store="memory:", api_keys=[KEY])
    with running(app, log_level="critical", ws="websockets-sansio") as gateway:
        report = report_on(f"{gateway.url}/v1")
    assert broken(report) == {}
    unseen = UNSEEN if SHAPES[shape].reasoning is not None else UNSEEN | UNSEEN_WITHOUT_REASONING
    assert {each.id: each.reason for each in report.of(Outcome.SKIPPED)} == unseen
