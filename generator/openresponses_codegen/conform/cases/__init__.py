"""The cases, a module for each section of the protocol."""

from __future__ import annotations

from openresponses_codegen.conform.case import registered
from openresponses_codegen.conform.cases import (
    compaction,
    errors,
    extensions,
    field,
    http,
    items,
    reasoning,
    sse,
    state,
    tools,
    websocket,
    websocket_errors,
)

MODULES = (
    http,
    sse,
    items,
    reasoning,
    state,
    tools,
    errors,
    websocket,
    websocket_errors,
    compaction,
    extensions,
    field,
)
"""Importing them registers their cases."""
CASES = registered()
"""All cases, in the order of sections and rules."""
