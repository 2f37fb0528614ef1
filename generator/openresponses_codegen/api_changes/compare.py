"""Two surfaces of a package, and what the way from one to the other means to its users."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import griffe

from openresponses_codegen.api_changes.changes import Change, Impact, Report
from openresponses_codegen.api_changes.signatures import signature_changes
from openresponses_codegen.api_changes.surface import Surface
from openresponses_codegen.api_changes.types import Way, way

_ORDER = list(Impact)


def compare(old: Surface, new: Surface) -> Report:
    """What changed from one surface to the other."""
    changes = list(_changes(old, new))
    return Report(tuple(sorted(changes, key=lambda each: (_ORDER.index(each.impact), each.symbol, each.kind))))


def _changes(old: Surface, new: Surface) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change(Impact.BREAKING, "removed", name, f"the {_kind(old[name])} is gone")
        elif name not in old:
            yield Change(Impact.ADDED, "added", name, f"a new {_kind(new[name])}")
        else:
            yield from _object_changes(name, old[name], new[name])


def _object_changes(name: str, old: griffe.Object, new: griffe.Object) -> Iterator[Change]:
    if isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
        yield from _class_changes(name, old, new)
    elif isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
        yield from signature_changes(name, old, new)
    elif isinstance(old, griffe.Attribute) and isinstance(new, griffe.Attribute):
        yield from _value_changes(name, old, new)
    elif old.kind is not new.kind:
        yield Change(Impact.BREAKING, "kind", name, f"the {_kind(old)} is a {_kind(new)} now")


def _class_changes(name: str, old: griffe.Class, new: griffe.Class) -> Iterator[Change]:
    bases, now = [str(each) for each in old.bases], [str(each) for each in new.bases]
    lost = [each for each in bases if each not in now and not each.startswith("_")]
    if lost:
        yield Change(Impact.BREAKING, "base-removed", name, f"it is no longer a `{', '.join(lost)}`")
    inherited, before = _members(new, own=False), _members(old, own=False)
    for member, each in _members(old, own=True).items():
        symbol = f"{name}.{member}"
        if member not in inherited:
            yield Change(Impact.BREAKING, "removed", symbol, f"the {_kind(each)} is gone")
        elif isinstance(each, griffe.Attribute) and isinstance(inherited[member], griffe.Attribute):
            yield from _field_changes(symbol, each, inherited[member])
        else:
            yield from _object_changes(symbol, each, inherited[member])
    for member, each in _members(new, own=True).items():
        if member not in before:
            yield _new_member(f"{name}.{member}", each)


def _members(owner: griffe.Class, *, own: bool) -> dict[str, griffe.Object]:
    found: dict[str, griffe.Object] = {}
    for name, each in (owner.members if own else owner.all_members).items():
        if name.startswith("_") and name != "__init__":
            continue
        try:
            found[name] = each.final_target if isinstance(each, griffe.Alias) else each
        except griffe.AliasResolutionError:
            continue
    return found


def _new_member(symbol: str, new: griffe.Object) -> Change:
    if isinstance(new, griffe.Attribute) and _is_required(new):
        return Change(Impact.BREAKING, "field-required", symbol, "a new field, which has to be given")
    return Change(Impact.ADDED, "added", symbol, f"a new {_kind(new)}")


def _is_required(field: griffe.Attribute) -> bool:
    """Whether an object cannot be made without the field."""
    annotation = str(field.annotation or "")
    if not annotation or "instance-attribute" not in field.labels:
        return False  # a property, or a variable of the class
    owner = field.parent
    if isinstance(owner, griffe.Class) and any(str(base) == "TypedDict" for base in owner.bases):
        is_total = str(owner.keywords.get("total", "True")) == "True"
        return annotation.startswith("Required[") or (is_total and not annotation.startswith("NotRequired["))
    return field.value is None


def _field_changes(symbol: str, old: griffe.Attribute, new: griffe.Object) -> Iterator[Change]:
    if not isinstance(new, griffe.Attribute):
        return
    was, now = _bare(old), _bare(new)
    became = way(was, now)
    if became is not Way.SAME:
        impact = Impact.CHANGED if became is Way.WIDENED else Impact.BREAKING
        yield Change(impact, "type", symbol, f"its type was `{was}`, and is `{now}`")
    if _is_required(new) and not _is_required(old):
        yield Change(Impact.BREAKING, "field-required", symbol, "it has to be given now")
    elif _is_required(old) and not _is_required(new):
        yield Change(Impact.ADDED, "field-optional", symbol, "it may be left out now")
    elif str(old.value) != str(new.value):
        yield Change(Impact.CHANGED, "default", symbol, f"its default was `{old.value}`, and is `{new.value}`")


def _bare(field: griffe.Attribute) -> str:
    """The type alone: whether a key of a typed dictionary is required is told by itself."""
    annotation = str(field.annotation or "")
    return re.sub(r"^(?:Not)?Required\[(.*)\]$", r"\1", annotation, flags=re.DOTALL)


def _value_changes(name: str, old: griffe.Attribute, new: griffe.Attribute) -> Iterator[Change]:
    """Changes of a constant, a table or a type alias: by the names in it, where these tell it."""
    was, now = str(old.value), str(new.value)
    if was == now:
        return
    lost, gained = sorted(_words(was) - _words(now)), sorted(_words(now) - _words(was))
    parts = [f"{said} {', '.join(f'`{each}`' for each in words)}" for said, words in _said(lost, gained) if words]
    is_table = len(was) + len(now) > 80
    text = "; ".join(parts) if is_table and parts else f"it was `{_short(was)}`, and is `{_short(now)}`"
    is_alias = "TypeAliasType" in was or "Literal[" in was
    yield Change(Impact.BREAKING if is_alias and lost else Impact.CHANGED, "value", name, text)


def _said(lost: list[str], gained: list[str]) -> tuple[tuple[str, list[str]], ...]:
    return (("no longer has", lost), ("now also has", gained))


def _words(source: str) -> set[str]:
    """The names and strings in an expression."""
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError:
        return set()
    found = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    return found | {str(each.value) for each in ast.walk(tree) if isinstance(each, ast.Constant)}


def _short(source: str) -> str:
    return source if len(source) <= 60 else f"{source[:59]}…"


def _kind(each: griffe.Object) -> str:
    if isinstance(each, griffe.Function):
        return "method" if isinstance(each.parent, griffe.Class) else "function"
    if isinstance(each, griffe.Attribute):
        if "property" in each.labels:
            return "property"
        return "field" if isinstance(each.parent, griffe.Class) else "name"
    return each.kind.value
