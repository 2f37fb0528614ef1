"""What changed in a package's Python API, told from its files alone: nothing of a package is run."""

from openresponses_codegen.api_changes.changes import Change, Impact, Report
from openresponses_codegen.api_changes.compare import compare
from openresponses_codegen.api_changes.formats import markdown, summary
from openresponses_codegen.api_changes.surface import UnreadableError, read

__all__ = ["Change", "Impact", "Report", "UnreadableError", "compare", "markdown", "read", "summary"]
