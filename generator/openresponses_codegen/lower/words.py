"""The curated words of `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Words:
    """Names and facts that a document does not state; see the comments in the file."""

    names: Mapping[str, str]
    unknown: Mapping[str, str]
    returned: Mapping[str, str]
    texts: Mapping[str, str]
    stream: str
    unknown_event: str
    terminal: frozenset[str]
    delta: str


@cache
def words() -> Words:
    """The words, read once."""
    table = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    events = table["events"]
    return Words(
        table["names"],
        table["unknown"],
        table["returned"],
        table["texts"],
        events["stream"],
        events["unknown"],
        frozenset(events["terminal"]),
        events["delta"],
    )
