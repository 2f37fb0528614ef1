"""The rules of `diff`: what can change, and how bad that is for whom; read from `rules.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position, suggest


class Party(StrEnum):
    """Who is concerned by a change."""

    CLIENT = "client"
    """Calls with the generated client."""
    SERVER = "server"
    """Serves with the generated server."""
    RAW = "raw"
    """Sends requests and reads responses as plain JSON."""
    PYTHON = "python"
    """Uses the classes of the generated package by name and type."""


class Severity(StrEnum):
    """How bad a change is, the worst first."""

    BREAKING = "breaking"
    """Code that worked stops working."""
    RISKY = "risky"
    """Code that worked may stop working, or mean something else."""
    SAFE = "safe"
    """Code that worked goes on working."""
    DOCUMENTATION = "documentation"
    """Nothing changes but words."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]


_RANKS: Mapping[Severity, int] = {each: index for index, each in enumerate(Severity)}


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of some severities, of which there is at least one."""
    return min(severities, key=_RANKS.__getitem__)


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of change."""

    id: str
    """A stable name in kebab-case."""
    section: str
    title: str
    says: str
    """The sentence about one change, as a format of `subject`, `what`, `old` and `new`."""
    meaning: str
    advice: str
    """What to do, in one sentence."""
    severity: Mapping[Party, Severity]

    @property
    def overall(self) -> Severity:
        """The worst severity for any party."""
        return worst(self.severity.values())


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by id, in the order in which they are documented."""
    text = Path(__file__).with_name("rules.toml").read_text(encoding="utf-8")
    found: dict[str, Rule] = {}
    for name, table in tomllib.loads(text).items():
        severity = {party: Severity(table["severity"][party]) for party in Party}
        words = {key: str(table[key]) for key in ("section", "title", "says", "meaning", "advice")}
        found[name] = Rule(name, severity=severity, **words)
    return found


def with_severities(severities: Mapping[str, Severity]) -> Mapping[str, Rule]:
    """All rules, some of them with another severity for every party, by id."""
    return {
        name: replace(rule, severity=dict.fromkeys(Party, severities[name])) if name in severities else rule
        for name, rule in rules().items()
    }


def check_severities(given: Mapping[str, object], where: str, position: Position | None = None) -> dict[str, Severity]:
    """The severities of a configuration, by the id of a rule.

    Raises `DiagnosticError` for every id that no rule has, and for every value that is no severity; `where` says
    in messages where they are given.
    """
    found: dict[str, Severity] = {}
    problems: list[Diagnostic] = []
    for name, value in given.items():
        if name not in rules():
            hint: str | None = suggest(name, rules()) or "docs/diff-rules.md lists the rules"
            message = f"{where}: `{name}` is no rule of `diff`"
            problems.append(Diagnostic("unknown-rule", message, position=position, hint=hint))
        elif not isinstance(value, str) or value not in list(Severity):
            hint = suggest(value, Severity) if isinstance(value, str) else None
            hint = hint or f"the severities are {', '.join(Severity)}"
            message = f"{where}: {value!r} is no severity for `{name}`"
            problems.append(Diagnostic("unknown-severity", message, position=position, hint=hint))
        else:
            found[name] = Severity(value)
    if problems:
        raise DiagnosticError(problems)
    return found
