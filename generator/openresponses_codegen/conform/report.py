"""The result of a run: finished values, for every format to print."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from openresponses_codegen.conform.case import Case
from openresponses_codegen.conform.outcome import Outcome
from openresponses_codegen.conform.record import Record
from openresponses_codegen.conform.redaction import Redaction
from openresponses_codegen.conform.settings import Settings
from openresponses_codegen.diagnostics import shown

FORMAT_VERSION = 1
"""Of the JSON form; it rises when a field changes its meaning or goes."""
MAX_SHOWN = 4000
"""Characters of one text that a report shows."""
MAX_EXCHANGES = 6
"""So many exchanges are shown of an ask, the latest ones."""


@dataclass(frozen=True)
class ShownExchange:
    """A request, or a frame that was sent, and what came."""

    ask: str
    """What asked for it; with the number of the turn, on a WebSocket."""
    sent: str
    came: str


@dataclass(frozen=True)
class Result:
    """What came of a case."""

    id: str
    rule: str
    section: str
    title: str
    is_advice: bool
    outcome: Outcome
    reason: str | None
    """Why it failed or was skipped."""
    exchanges: tuple[int, ...]
    """What it looked at: places in the report's exchanges."""


@dataclass(frozen=True)
class Report:
    """A whole run."""

    url: str
    release: str
    model: str | None
    tool: str
    seconds: float
    results: tuple[Result, ...]
    exchanges: tuple[ShownExchange, ...]

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many cases ended in which way."""
        counted = Counter(each.outcome for each in self.results)
        return {outcome: counted[outcome] for outcome in Outcome}

    @property
    def has_failures(self) -> bool:
        """Whether the server broke a rule of the standard."""
        return self.counts[Outcome.FAILED] > 0

    def of(self, outcome: Outcome) -> list[Result]:
        """The results that ended in this way."""
        return [each for each in self.results if each.outcome is outcome]

    def shown(self, result: Result) -> list[ShownExchange]:
        """What a case looked at."""
        return [self.exchanges[at] for at in result.exchanges]

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "format_version": FORMAT_VERSION,
            "tool": self.tool,
            "url": self.url,
            "release": self.release,
            "model": self.model,
            "seconds": round(self.seconds, 3),
            "summary": {str(outcome): count for outcome, count in self.counts.items()},
            "cases": [{**asdict(each), "exchanges": list(each.exchanges)} for each in self.results],
            "exchanges": [asdict(each) for each in self.exchanges],
        }


@dataclass(frozen=True)
class Verdict:
    """What the judge of a case came to."""

    case: Case
    outcome: Outcome
    reason: str | None
    asks: frozenset[str]
    """The asks that it looked at, or the one in which it found fault."""


def report_of(settings: Settings, tool: str, seconds: float, verdicts: Iterable[Verdict], record: Record) -> Report:
    """Make a report, out of which the key is taken."""
    redaction = Redaction(settings.api_key)
    given = list(verdicts)
    wanted = {name for each in given if each.outcome in _SHOWN for name in each.asks}
    exchanges = [
        ShownExchange(each.ask, _clipped(redaction, each.sent), _clipped(redaction, each.came))
        for each in _exchanges(record)
        if {each.ask, _ask_of(each)} & wanted
    ]
    places: dict[str, list[int]] = {}
    for at, exchange in enumerate(exchanges):
        for name in {exchange.ask, _ask_of(exchange)}:
            places.setdefault(name, []).append(at)
    return Report(
        redaction.text(settings.url),
        settings.release,
        redaction.text(settings.model) if settings.model is not None else None,
        tool,
        seconds,
        tuple(_result(each, redaction, places) for each in given),
        tuple(exchanges),
    )


def _ask_of(exchange: ShownExchange) -> str:
    """The ask, without the number of a turn."""
    return exchange.ask.partition(", turn ")[0]


_SHOWN = {Outcome.FAILED, Outcome.ADVICE}


def _result(verdict: Verdict, redaction: Redaction, places: Mapping[str, list[int]]) -> Result:
    case = verdict.case
    at = [place for name in sorted(verdict.asks) for place in places.get(name, [])]
    return Result(
        case.id,
        case.rule,
        case.section,
        case.title,
        case.is_advice,
        verdict.outcome,
        redaction.text(verdict.reason) if verdict.reason is not None else None,
        tuple(sorted(at)[-MAX_EXCHANGES:]) if verdict.outcome in _SHOWN else (),
    )


def _exchanges(record: Record) -> Iterator[ShownExchange]:
    for answer in record.answers:
        lines = [f"HTTP {answer.status}"] if answer.status is not None else []
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        text = answer.body.decode("utf-8", "replace")
        end = f"\n({answer.problem})" if answer.problem else ""
        yield ShownExchange(
            answer.ask, f"{answer.method} {answer.path}\n\n{answer.sent}", "\n".join([*lines, "", text]) + end
        )
    for conversation in record.conversations:
        opened = f"handshake: {conversation.status}"
        problem = f"({conversation.problem})" if conversation.problem else ""
        if not conversation.turns:
            yield ShownExchange(conversation.ask, "WebSocket /responses", "\n".join([opened, problem]))
        for turn in conversation.turns:
            came = [each if isinstance(each, str) else json.dumps(repr(each)) for each in turn.messages]
            yield ShownExchange(turn.name, f"WebSocket /responses\n\n{turn.sent}", "\n".join([*came, problem]))


def printable(text: str) -> str:
    """The text with nothing in it that a terminal, XML or a browser could take for more than text."""
    return "\n".join(shown(line, MAX_SHOWN) for line in text.expandtabs(4).splitlines())


def _clipped(redaction: Redaction, text: str) -> str:
    """The text without the key, and without its middle where it is long."""
    clean = redaction.text(text)
    if len(clean) <= MAX_SHOWN:
        return clean
    half = MAX_SHOWN // 2
    return f"{clean[:half]}\n[… {len(clean) - 2 * half:,} characters …]\n{clean[-half:]}"
