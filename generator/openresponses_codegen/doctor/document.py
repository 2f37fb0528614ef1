"""The examination of a document, check by check."""

from __future__ import annotations

from openresponses_codegen.diagnostics import Diagnostic, Diagnostics
from openresponses_codegen.doctor.examples import check_examples
from openresponses_codegen.doctor.impossible import check_possible
from openresponses_codegen.doctor.prose import check_prose
from openresponses_codegen.doctor.schemas import Schemas
from openresponses_codegen.doctor.tidiness import check_tidiness
from openresponses_codegen.doctor.unions import check_unions
from openresponses_codegen.openapi import Document

CHECKS = (check_examples, check_possible, check_unions, check_prose, check_tidiness)


def examine(document: Document) -> tuple[Diagnostic, ...]:
    """Every defect of a document that a package can be made of, in the order of the file."""
    diagnostics = Diagnostics()
    schemas = Schemas(document)
    for check in CHECKS:
        check(schemas, diagnostics)
    return diagnostics.items
