"""Changes of functions and methods."""

from __future__ import annotations

from collections.abc import Iterator

import griffe

from openresponses_codegen.api_changes.changes import Change, Impact
from openresponses_codegen.api_changes.types import Way, way

_POSITIONAL = {griffe.ParameterKind.positional_only, griffe.ParameterKind.positional_or_keyword}
_NAMED = {griffe.ParameterKind.keyword_only, griffe.ParameterKind.positional_or_keyword}
_VARIADIC = {griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword}


def signature_changes(name: str, old: griffe.Function, new: griffe.Function) -> Iterator[Change]:
    """What changed for callers of a function."""
    was, now = _parameters(old), _parameters(new)
    for parameter, each in was.items():
        if parameter not in now:
            yield Change(Impact.BREAKING, "parameter-removed", name, f"the parameter `{parameter}` is gone")
        else:
            yield from _parameter_changes(name, each, now[parameter])
    for parameter, each in now.items():
        if parameter not in was:
            yield _new_parameter(name, each)
    yield from _order_changes(name, was, now)
    yield from _return_changes(name, old, new)
    if ("async" in old.labels) != ("async" in new.labels):
        text = "it has to be awaited now" if "async" in new.labels else "it is no longer to be awaited"
        yield Change(Impact.BREAKING, "async", name, text)
    if _overloads(old) != _overloads(new):
        yield Change(Impact.CHANGED, "overloads", name, "its overloads changed")


def _parameters(function: griffe.Function) -> dict[str, griffe.Parameter]:
    return {each.name: each for each in function.parameters if each.name not in {"self", "cls"}}


def _is_required(parameter: griffe.Parameter) -> bool:
    return parameter.kind not in _VARIADIC and parameter.default is None


def _new_parameter(name: str, new: griffe.Parameter) -> Change:
    if _is_required(new):
        text = f"the parameter `{new.name}` is new, and has to be given"
        return Change(Impact.BREAKING, "parameter-required", name, text)
    return Change(Impact.ADDED, "parameter-added", name, f"the parameter `{new.name}` is new")


def _parameter_changes(name: str, old: griffe.Parameter, new: griffe.Parameter) -> Iterator[Change]:
    what = f"the parameter `{old.name}`"
    if _is_required(new) and not _is_required(old):
        yield Change(Impact.BREAKING, "parameter-required", name, f"{what} has to be given now")
    elif _is_required(old) and not _is_required(new):
        yield Change(Impact.ADDED, "parameter-optional", name, f"{what} may be left out now")
    elif str(old.default) != str(new.default):
        text = f"the default of `{old.name}` was `{old.default}`, and is `{new.default}`"
        yield Change(Impact.CHANGED, "parameter-default", name, text)
    if _ways_in(old) - _ways_in(new):
        text = f"{what} was {_said(old)}, and is {_said(new)}"
        yield Change(Impact.BREAKING, "parameter-kind", name, text)
    was, now = str(old.annotation or ""), str(new.annotation or "")
    became = way(was, now)
    if became is not Way.SAME:
        widened = became is Way.WIDENED
        impact, kind = (Impact.ADDED, "parameter-widened") if widened else (Impact.BREAKING, "parameter-type")
        yield Change(impact, kind, name, f"the type of `{old.name}` was `{was}`, and is `{now}`")


def _ways_in(parameter: griffe.Parameter) -> set[str]:
    kinds = {"position": _POSITIONAL, "name": _NAMED, "rest": _VARIADIC}
    return {how for how, these in kinds.items() if parameter.kind in these}


def _said(parameter: griffe.Parameter) -> str:
    return parameter.kind.value if parameter.kind else "given"


def _order_changes(name: str, was: dict[str, griffe.Parameter], now: dict[str, griffe.Parameter]) -> Iterator[Change]:
    before = [each for each, parameter in was.items() if parameter.kind in _POSITIONAL and each in now]
    after = [each for each, parameter in now.items() if parameter.kind in _POSITIONAL]
    if after[: len(before)] != before and set(before) <= set(after):
        text = f"positional parameters were `{', '.join(before)}`, and are `{', '.join(after)}`"
        yield Change(Impact.BREAKING, "parameter-order", name, text)


def _return_changes(name: str, old: griffe.Function, new: griffe.Function) -> Iterator[Change]:
    was, now = str(old.returns or ""), str(new.returns or "")
    match way(was, now):
        case Way.SAME:
            return
        case Way.NARROWED:
            impact = Impact.ADDED
        case Way.WIDENED:
            impact = Impact.CHANGED
        case _:
            impact = Impact.BREAKING
    yield Change(impact, "returns", name, f"it returned `{was}`, and returns `{now}`")


def _overloads(function: griffe.Function) -> list[str]:
    return [_signature(each) for each in function.overloads or ()]


def _signature(function: griffe.Function) -> str:
    parameters = (f"{each.kind} {each.name}: {each.annotation} = {each.default}" for each in function.parameters)
    return f"({', '.join(parameters)}) -> {function.returns}"
