"""Everything that was exchanged in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from openresponses_codegen.conform.exchange import Answer, Conversation
from openresponses_codegen.conform.schema import Finding, Kind, Schemas


@dataclass(frozen=True)
class Deviation:
    """A place where a response object is not as the schema has it."""

    ask: str
    finding: Finding

    @property
    def field(self) -> str:
        """The field of the response that it is in; empty where a field of the response is missing."""
        return self.finding.path.partition(".")[0].partition("[")[0]


@dataclass
class Record:
    """The exchanges, in the order in which they ended, and what the shapes of the answers are."""

    schemas: Schemas
    answers: list[Answer] = field(default_factory=list[Answer])
    conversations: list[Conversation] = field(default_factory=list[Conversation])

    def responses(self) -> list[Answer]:
        """The whole answers that hold a response object."""
        return [
            each
            for each in self.answers
            if each.status == 200 and each.found.get("object") == "response" and not each.is_streamed
        ]

    @cached_property
    def deviations(self) -> list[Deviation]:
        """What is wrong about the shapes of the whole answers. To be asked for when the run is over."""
        return [
            Deviation(answer.ask, finding)
            for answer in self.responses()
            for finding in self.schemas.findings(answer.found, "ResponseResource")
        ]

    def deviating(self, *kinds: Kind) -> Iterator[Deviation]:
        """Deviations of these kinds."""
        return (each for each in self.deviations if each.finding.kind in kinds)
