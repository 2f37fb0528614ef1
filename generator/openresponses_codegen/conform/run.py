"""A run: the asks of the chosen cases are carried out, then every case is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from openresponses_codegen.conform.asks import text
from openresponses_codegen.conform.case import RECORD, Ask, Case, registered
from openresponses_codegen.conform.cases import CASES
from openresponses_codegen.conform.exchange import Answer
from openresponses_codegen.conform.outcome import FailureError, Outcome, SkipError
from openresponses_codegen.conform.probe import USER_AGENT, Session
from openresponses_codegen.conform.reading import as_object
from openresponses_codegen.conform.report import Report, Verdict, report_of
from openresponses_codegen.conform.settings import Settings

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much is done, and how much there is."""


class UnreachableError(Exception):
    """There is no server to test, or it lets nobody in; the message says what to do."""


def chosen(rules: Sequence[str], ids: Sequence[str]) -> list[Case]:
    """The cases of these rules or sections, or whose ids match one of these patterns; all, where none are given."""
    if not rules and not ids:
        return list(CASES)
    sections = {rule.upper() for rule in rules}
    return [
        each
        for each in CASES
        if {each.rule, each.section} & sections or any(fnmatchcase(each.id, pattern) for pattern in ids)
    ]


async def run(settings: Settings, cases: Sequence[Case], progress: Progress | None = None) -> Report:
    """Test a server.

    Raises:
        UnreachableError: It cannot be reached, or lets nobody in.
    """
    begun = time.monotonic()
    tell = progress or _silent
    async with Session(settings) as session:
        tell("text", 0, 1)
        _check_reachable(settings, await session.result(text))
        asks = _asks_of(cases)
        results = await _carried_out(session, asks, tell)
    verdicts = [_verdict(each, results, session) for each in cases]
    seconds = time.monotonic() - begun
    return report_of(settings, USER_AGENT, seconds, verdicts, session.record)


def _silent(doing: str, done: int, total: int) -> None:
    """Nobody watches."""


def _asks_of(cases: Iterable[Case]) -> list[Ask[Any]]:
    """What has to be asked. What looks at everything needs everything, and comes last."""
    asks = dict.fromkeys(ask for case in cases for ask in case.asks)
    if RECORD in asks:
        asks = dict.fromkeys(ask for case in registered() for ask in case.asks)
        del asks[RECORD]
        return [*asks, RECORD]
    return list(asks)


async def _carried_out(session: Session, asks: Sequence[Ask[Any]], progress: Progress) -> dict[Ask[Any], Any]:
    """What came of each ask: a value, or the exception that it ended with."""
    results: dict[Ask[Any], Any] = {}

    async def carry_out(ask: Ask[Any]) -> None:
        try:
            results[ask] = await session.result(ask)
        except Exception as error:  # whatever a server made it stumble over ends this ask, not the run
            results[ask] = error
        progress(ask.name, len(results), len(asks))

    await asyncio.gather(*(carry_out(each) for each in asks))
    return results


def _verdict(case: Case, results: dict[Ask[Any], Any], session: Session) -> Verdict:
    """Judge a case."""
    asks = _with_used((each.name for each in case.asks), session.uses)
    try:
        case.judge(*(_came(results[each]) for each in case.asks))
    except SkipError as skipped:
        return Verdict(case, Outcome.SKIPPED, str(skipped), asks)
    except FailureError as failure:
        at = asks if failure.ask is None else frozenset([failure.ask])
        return Verdict(case, _broken(case), str(failure), at)
    except Exception as error:  # an answer that nobody thought of is no reason to lose the report
        reason = f"the answer could not be judged: {type(error).__name__}: {error}"
        return Verdict(case, _broken(case), reason, asks)
    return Verdict(case, Outcome.PASSED, None, asks)


def _came(result: Any) -> Any:
    if isinstance(result, Exception):
        raise result
    return result


def _broken(case: Case) -> Outcome:
    return Outcome.ADVICE if case.is_advice else Outcome.FAILED


def _with_used(names: Iterable[str], uses: dict[str, set[str]]) -> frozenset[str]:
    """These asks, and those that they were built upon."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += uses.get(name, ())
    return frozenset(found)


def _check_reachable(settings: Settings, answer: Answer) -> None:
    """Fail early where nothing else can come but the same error a hundred times."""
    url = f"{settings.url}/responses"
    if answer.status is None:
        raise UnreachableError(f"{url} cannot be reached: {answer.problem}")
    if 300 <= answer.status < 400:
        raise UnreachableError(f"{url} redirects to {answer.headers.get('location')}: give the URL that it leads to")
    said = as_object(as_object(answer.json).get("error")).get("message")
    hints = {
        401: "it wants a key; give it with --api-key or in OPENRESPONSES_API_KEY",
        403: "the key is not allowed to do this",
        404: "give the base URL, to which /responses is added; it often ends in /v1",
        405: "give the base URL, to which /responses is added; it often ends in /v1",
    }
    if answer.status in hints:
        raise UnreachableError(f"{url} answers a plain request with {answer.status}: {hints[answer.status]}")
    if answer.status in {400, 422} and settings.model is None:
        raise UnreachableError(f"{url} refuses a plain request ({said or answer.status}); name a model with --model")
