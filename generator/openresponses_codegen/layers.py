"""What is laid over a document: the extensions and overlays of its user, as overlays in the order they apply in."""

from __future__ import annotations

from collections.abc import Sequence

from openresponses_codegen import extension, overlay
from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.source import Node


def overlays(
    extensions: Sequence[Node], given: Sequence[Node], document: Node, diagnostics: Diagnostics
) -> tuple[overlay.Overlay, ...]:
    """Extensions, compiled, and behind them the overlays that are given as such.

    Raises `DiagnosticError` when one of them is wrong, or an extension does not go with another or with the document.
    """
    forms = [extension.read(node, diagnostics) for node in extensions]
    read = [overlay.read(node, diagnostics) for node in given]
    diagnostics.raise_if_errors()
    extension.check_against(forms, document, diagnostics)
    compiled = extension.compile_extensions(forms, diagnostics)
    diagnostics.raise_if_errors()
    return (*compiled, *read)


def merged(document: Node, applied: Sequence[overlay.Overlay], diagnostics: Diagnostics, *, lenient: bool) -> Node:
    """The document with overlays applied. Raises `DiagnosticError` when one of them does not fit."""
    for each in applied:
        document = overlay.apply(document, each, diagnostics, lenient=lenient)
        diagnostics.raise_if_errors()
    return document
