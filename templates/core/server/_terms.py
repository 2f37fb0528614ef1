"""The terms on which a response is written: what is settled before.

Rules kept here: X1 and X5 to X7 (which functions may be called), L10 (padding), R2 (what is shown),
Z3 (names of events).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["CallLimits", "Terms"]


class CallLimits(Protocol):
    """Which functions may be called (rules X1, X5 to X7)."""

    @property
    def required(self) -> bool:
        """Whether there has to be a call."""
        ...

    def check(self, name: str) -> None:
        """Let a function be called once more. Raises `WriterError` when it may not be."""
        ...


@dataclass(slots=True, kw_only=True)
class Terms:
    """How a response is to be written."""

    id: str
    created_at: int
    """In whole seconds of Unix time (rule Z2)."""
    echo: bytes
    """The settings in force, as JSON members without the braces (rules T5, T6)."""
    calls: CallLimits
    encrypted_reasoning: bool = False
    """Whether the request asks for encrypted reasoning (rule R2)."""
    logprobs: bool = False
    """Whether the request asks for log probabilities."""
    padding: bool = True
    """Whether deltas are padded (rule L10)."""
    openai_event_names: bool = False
    """Whether raw reasoning has the events that OpenAI has for it (rule Z3)."""
