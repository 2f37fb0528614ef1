"""Which nodes a JSONPath selects: RFC 9535 as `jsonpath-rfc9535` reads it, bounded in length and steps."""

from __future__ import annotations

import re
from typing import Final, final

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.exceptions import JSONPathNameError
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from jsonpath_rfc9535.segments import JSONPathChildSegment
from jsonpath_rfc9535.selectors import NameSelector

from openresponses_codegen.diagnostics import shown, suggest
from openresponses_codegen.overlay.draft import Draft, Location, Members, Meter, Piece
from openresponses_codegen.overlay.pattern import Patterns
from openresponses_codegen.source import MAX_DEPTH

MAX_QUERY: Final = 1000
"""Characters of a JSONPath."""

_CHARACTERS_PER_STEP = 32
_FUNCTIONS = ("length", "count", "match", "search", "value")
_HYPHENATED = re.compile(r"\.[\w]+-\w")
_BROKEN = (JSONPathError, RecursionError, ValueError, ArithmeticError, LookupError, AssertionError)


class QueryError(Exception):
    """A JSONPath that is none; `hint` is the way out."""

    def __init__(self, message: str, hint: str | None) -> None:
        """Take what is wrong, and the way out."""
        super().__init__(message)
        self.hint: Final = hint


@final
class Queries:
    """Understands and evaluates the queries of one overlay."""

    def __init__(self, meter: Meter | None = None) -> None:
        """Take what counts the steps of evaluation."""
        self._meter: Final = meter or Meter()
        self._environment: Final = _Environment(self._meter)

    def check(self, query: str) -> None:
        """Raise QueryError if this is no JSONPath."""
        self._compiled(query)

    def find(self, query: str, draft: Draft) -> list[Location]:
        """Where the nodes are that it selects, each once, in its order.

        Raises QueryError if it is no JSONPath, LimitError if that takes too long.
        """
        compiled = self._compiled(query)
        try:
            with self._meter.query(1 + len(query) // _CHARACTERS_PER_STEP):
                return list({node.location: None for node in compiled.finditer(draft.root)})
        except _BROKEN as error:
            raise QueryError(f"the JSONPath cannot be evaluated: {_reason(error)}", "write a simpler one") from None

    def missing(self, query: str, draft: Draft) -> str | None:
        """Which name of a query that selects nothing is the first that is not there, and what may be meant."""
        return _missing(self._compiled(query), draft.root)

    def _compiled(self, query: str) -> JSONPathQuery:
        if len(query) > MAX_QUERY:
            raise QueryError(f"the JSONPath is longer than {MAX_QUERY:,} characters", "write several actions")
        try:
            return self._environment.compile(query)
        except _BROKEN as error:
            raise QueryError(f"this is no JSONPath: {_reason(error)}", _hint(query, error)) from None


@final
class _Environment(JSONPathEnvironment):
    """The functions of RFC 9535, of which those with patterns are ours; documents are as deep as ours."""

    max_recursion_depth = MAX_DEPTH + 1

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        patterns = Patterns(meter)
        self.function_extensions["match"] = _Pattern(patterns, whole=True)
        self.function_extensions["search"] = _Pattern(patterns, whole=False)


@final
class _Pattern(FilterFunction):
    """`match` or `search` (sections 2.4.6 and 2.4.7): whether an I-Regexp (RFC 9485) fits a string."""

    def __init__(self, patterns: Patterns, *, whole: bool) -> None:
        self._patterns = patterns
        self._whole = whole

    @property
    def arg_types(self) -> list[ExpressionType]:
        """Two values."""
        return [ExpressionType.VALUE, ExpressionType.VALUE]

    @property
    def return_type(self) -> ExpressionType:
        """True or false."""
        return ExpressionType.LOGICAL

    def __call__(self, string: object, pattern: object) -> bool:
        if not isinstance(string, str) or not isinstance(pattern, str):
            return False
        return self._patterns.fits(pattern, string, whole=self._whole)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, JSONPathError):
        return "a part of it cannot be read"
    reason = str(error.args[0]) if error.args else "it cannot be read"
    return f"{shown(reason, 120)} at character {error.token.index + 1}" if error.token else shown(reason, 120)


def _hint(query: str, error: Exception) -> str:
    if not query.startswith("$"):
        return "begin with `$`, which is the document"
    if isinstance(error, JSONPathNameError) and error.token:
        return suggest(error.token.value, _FUNCTIONS) or f"the functions are {', '.join(_FUNCTIONS)}"
    if _HYPHENATED.search(query):
        return "write a name with other characters than letters, digits and `_` in brackets: `['x-name']`"
    return "the syntax is that of RFC 9535"


def _missing(query: JSONPathQuery, piece: Piece) -> str | None:
    place = "$"
    for segment in query.segments:
        selector = segment.selectors[0]
        if not isinstance(segment, JSONPathChildSegment) or len(segment.selectors) > 1:
            return None
        if not isinstance(selector, NameSelector) or not isinstance(piece, Members):
            return None
        if selector.name not in piece:
            meant = suggest(selector.name, piece)
            return f"`{place}` has no `{shown(selector.name, 80)}`" + (f"; {meant}" if meant else "")
        piece = piece[selector.name]
        place += f".{selector.name}"
    return None
