"""OpenAPI Overlay 1.0 and 1.1: changes to a document, written in a file of their own and applied in order.

In order: what an overlay is (`model`), how it is read and checked (`reading`), the tree that changes are made in
(`draft`), which nodes a JSONPath selects there (`query`, with `pattern`), and the actions (`applying`). An overlay is
as untrusted as a document: the limits of `source` hold for what comes out, and queries are bounded in steps.
"""

from openresponses_codegen.overlay.applying import apply
from openresponses_codegen.overlay.draft import MAX_QUERY_STEPS, MAX_STEPS
from openresponses_codegen.overlay.model import Action, Edition, Overlay, plain
from openresponses_codegen.overlay.pattern import MAX_PATTERN
from openresponses_codegen.overlay.query import MAX_QUERY
from openresponses_codegen.overlay.reading import read

__all__ = [
    "MAX_PATTERN",
    "MAX_QUERY",
    "MAX_QUERY_STEPS",
    "MAX_STEPS",
    "Action",
    "Edition",
    "Overlay",
    "apply",
    "plain",
    "read",
]
