"""The typed view of an OpenAPI 3.1 document: what it says, keyword by keyword, each with its place.

Strict: a keyword, media type or shape that is not understood is a diagnostic, never a silent loss.
"""

from openresponses_codegen.openapi.document import Document, Operation, Release, WebSocketRoute, read
from openresponses_codegen.openapi.schema import Schema

__all__ = ["Document", "Operation", "Release", "Schema", "WebSocketRoute", "read"]
