"""What an extension adds to a spec, apart from the spec: for a package beside the one of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError
from openresponses_codegen.lower.references import references


def addition(base: ir.Api, whole: ir.Api) -> ir.Addition:
    """What `whole` has that `base` has not: the classes that join its unions, and what they are made of.

    Raises `DiagnosticError` when nothing joins, or a class of the base would have to be another one.
    """
    before, after = _declarations(base), _declarations(whole)
    joins, left_out = _joins(before, after)
    if not joins:
        message = "the extensions add no type that could join a union of the base"
        raise DiagnosticError([Diagnostic("nothing-added", message, hint="give `--extension FILE`")])
    reached = _reached([name for names in joins.values() for name in names], before, after)
    _check_sides(before, after, reached)
    names = tuple(name for name in after if name in reached)
    return ir.Addition(base, whole, names, joins, (*left_out, *_changed(before, after)))


def _declarations(api: ir.Api) -> dict[str, ir.Declaration]:
    found = {each.name: each for each in api.declarations}
    return {**found, api.stream.name: api.stream} if api.stream is not None else found


def _joins(
    before: Mapping[str, ir.Declaration], after: Mapping[str, ir.Declaration]
) -> tuple[dict[str, tuple[str, ...]], list[ir.LeftOut]]:
    joins: dict[str, tuple[str, ...]] = {}
    closed: list[ir.LeftOut] = []
    for name, old in before.items():
        new = after.get(name)
        if not isinstance(old, ir.TaggedUnion) or not isinstance(new, ir.TaggedUnion):
            continue
        added = tuple(model for each in new.members if each not in old.members for model in _models(each, after))
        if added and old.unknown is not None:
            joins[name] = added
        elif added:
            closed.append(ir.LeftOut(f"members of `{name}`", len(added), "the union of the base is closed"))
    return joins, closed


def _models(name: str, declarations: Mapping[str, ir.Declaration]) -> Iterator[str]:
    """A model, or the models of a nested union."""
    declaration = declarations[name]
    if isinstance(declaration, ir.TaggedUnion):
        for member in declaration.members:
            yield from _models(member, declarations)
    else:
        yield name


def _reached(
    names: list[str], before: Mapping[str, ir.Declaration], after: Mapping[str, ir.Declaration]
) -> frozenset[str]:
    """The added declarations that classes are made of, these among them."""
    reached: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in reached and name not in before:
            reached.add(name)
            pending += _needed(after[name])
    return frozenset(reached)


def _needed(declaration: ir.Declaration) -> set[str]:
    """The declarations that a declaration cannot be written without."""
    others = (declaration.unknown, declaration.returned) if isinstance(declaration, ir.TaggedUnion) else ()
    return {*references(declaration), *(name for name in others if name is not None)}


def _check_sides(
    before: Mapping[str, ir.Declaration], after: Mapping[str, ir.Declaration], reached: frozenset[str]
) -> None:
    """Raise `DiagnosticError` if an added class needs one of the base on a side on which the base has it not."""
    for name in sorted(reached):
        for other in sorted(_needed(after[name]) & before.keys()):
            if _side(before[other]) is not _side(after[other]):
                message = f"`{name}` needs `{other}` where the base has no class for it"
                hint = "declare a schema of your own, or generate the whole package with the extension"
                raise DiagnosticError([Diagnostic("not-in-base", message, hint=hint)])


def _side(declaration: ir.Declaration) -> ir.Side | None:
    return None if isinstance(declaration, ir.Enum | ir.Alias) else declaration.side


def _changed(before: Mapping[str, ir.Declaration], after: Mapping[str, ir.Declaration]) -> Iterator[ir.LeftOut]:
    """What is added to classes of the base: it stays among the fields and values that they do not know."""
    for name, old in before.items():
        new = after.get(name)
        if isinstance(old, ir.Model) and isinstance(new, ir.Model):
            known = {each.wire_name for each in old.fields}
            for field in new.fields:
                if field.wire_name not in known:
                    reason = "the class is the base's, and keeps it among its `model_extra`"
                    yield ir.LeftOut(f"field `{field.wire_name}` of `{name}`", 1, reason)
        elif isinstance(old, ir.Enum) and isinstance(new, ir.Enum):
            values = {each.value for each in old.values}
            count = sum(each.value not in values for each in new.values)
            if count:
                yield ir.LeftOut(f"values of `{name}`", count, "the values are the base's")
