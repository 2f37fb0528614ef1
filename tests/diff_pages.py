"""Pages of the documentation that are made of what `diff` knows."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from openresponses_codegen.diff import Party, Rule, rules

DOCS = Path(__file__).parents[1] / "docs"
RULES = DOCS / "diff-rules.md"
CHANGES = DOCS / "changes-2026-04-24.md"
MARK = "<!-- What follows is made of `generator/openresponses_codegen/diff/rules.toml`; a test compares. -->"


def rule_tables() -> str:
    """The rules, section by section."""
    parts: list[str] = []
    for section, found in groupby(rules().values(), key=lambda rule: rule.section):
        parts.append(f"## {section}\n")
        parts += [described(rule) for rule in found]
    return "\n".join(parts)


def described(rule: Rule) -> str:
    severities = " | ".join(rule.severity[party] for party in Party)
    return (
        f"### {rule.id}\n\n{rule.title}. {rule.meaning} {rule.advice}\n\n"
        f"| {' | '.join(Party)} |\n|{'---|' * len(Party)}\n| {severities} |\n"
    )
