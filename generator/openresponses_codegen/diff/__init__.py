"""The semantic difference of two documents.

In order: what a document allows, as the fingerprint sees it (`edition`), the walk through two of them (`sites`,
`unions`, `documents`), and what was found (`report`) by which rule (`rules`). `text`, `markdown`, `github` and
`plain` show it.
"""

from openresponses_codegen.diff.documents import compare
from openresponses_codegen.diff.edition import Edition
from openresponses_codegen.diff.report import Change, Place, Report
from openresponses_codegen.diff.rules import Party, Rule, Severity, check_severities, rules

__all__ = ["Change", "Edition", "Party", "Place", "Report", "Rule", "Severity", "check_severities", "compare", "rules"]
