"""The last check of rendered source: only what a template means to write runs when the module is imported.

Text of a spec gets into a file as a literal, a docstring or a checked name, and cannot leave that place. Should a
template ever print it bare, what comes out is either no Python or has a shape that is not on this list. Bodies of
functions are not looked at: they are the templates' own, and nothing of a spec but names is in them.

Templates of the user's own may write any statement. What they print of a spec was checked by these rules before they
got it, or is text that has no plain form.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable

_CALLS = frozenset("ConfigDict Field MappingProxyType Shaped Tagged TypeAliasType TypedDict dict frozenset".split())
_FUNCTIONS = frozenset({"parse_event", "_read_first", "__getattr__", "__dir__"})
_LIBRARIES = frozenset("__future__ collections.abc functools importlib types typing pydantic typing_extensions".split())
_SIBLINGS = frozenset("_base _tolerance _unions accumulate errors events models params".split())


class UnsafeSourceError(Exception):
    """Rendered source holds something that no template means to write."""


def verify(name: str, source: str, beside: Collection[str] = ()) -> None:
    """Raise `UnsafeSourceError` unless the source is made of known shapes.

    `beside` names modules of another package that it may import from.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UnsafeSourceError(f"{name}: what was rendered is not Python: {error}") from None
    for node in module.body:
        if not _is_known(node) and not _is_beside(node, beside):
            raise UnsafeSourceError(f"{name}:{node.lineno}: what was rendered holds a statement of an unknown kind")


def verify_own(name: str, source: str, defining: Iterable[str] = ()) -> None:
    """Check source that templates of the user's own took part in; what stands in it is theirs to decide.

    Raises `UnsafeSourceError` unless it is Python, imports no name that nobody can see, and has the definitions that
    the rest of the package imports.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UnsafeSourceError(f"{name}: what was rendered is not Python: {error}") from None
    bound: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
            raise UnsafeSourceError(f"{name}: what was rendered imports `*` from {node.module}; name what is imported")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            bound.add(node.name)
    missing = [each for each in defining if each not in bound]
    if missing:
        raise UnsafeSourceError(f"{name}: what was rendered does not define {', '.join(missing[:3])}")


def _is_beside(node: ast.stmt, modules: Collection[str]) -> bool:
    if not isinstance(node, ast.ImportFrom) or node.level:
        return False
    return node.module in modules and all(each.name != "*" for each in node.names)


def _is_known(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom():
            return _is_import(node)
        case ast.ClassDef(body=body, decorator_list=[], bases=bases, keywords=keywords):
            return (
                all(map(_is_member, body))
                and all(isinstance(base, ast.Name) for base in bases)
                and all(each.arg == "total" and isinstance(each.value, ast.Constant) for each in keywords)
            )
        case ast.FunctionDef(name=name, decorator_list=[]):
            return name in _FUNCTIONS and _is_plain(node)
        case ast.AugAssign(target=ast.Name(id="_origins"), value=value):
            return _is_value(value)
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            return all(isinstance(each, ast.ImportFrom) and _is_import(each) for each in body)
        case _:
            return _is_assignment(node)


def _is_member(node: ast.stmt) -> bool:
    """Whether a statement may stand in the body of a class."""
    match node:
        case ast.FunctionDef(decorator_list=decorators):
            names = [each.id if isinstance(each, ast.Name) else "" for each in decorators]
            return names in ([], ["property"]) and _is_plain(node)
        case ast.Pass():
            return True
        case _:
            return _is_assignment(node)


def _is_assignment(node: ast.stmt) -> bool:
    """Whether a statement gives a plain name a value or a type, or is a docstring."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name()], value=value):
            return _is_value(value)
        case ast.AnnAssign(target=ast.Name(), annotation=annotation, value=value):
            return _is_value(annotation) and (value is None or _is_value(value))
        case _:
            return False


def _is_import(node: ast.ImportFrom) -> bool:
    if any(each.name == "*" for each in node.names):
        return False
    if node.level == 0:
        return node.module in _LIBRARIES
    if node.module is None:
        return node.level == 1 and [each.name for each in node.names] == ["models"]
    return node.level == 1 and (node.module in _SIBLINGS or node.module.startswith("client."))


def _is_plain(node: ast.FunctionDef) -> bool:
    """Whether defining a function runs nothing: no defaults but constants, annotations that are types."""
    given = node.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    types = [node.returns, *(each.annotation for each in arguments if each is not None)]
    defaults = [*given.defaults, *given.kw_defaults]
    return all(each is None or _is_value(each) for each in types) and all(
        each is None or isinstance(each, ast.Constant) for each in defaults
    )


def _is_value(value: ast.expr) -> bool:
    """A literal, a type, or a call of one of the few functions that make types."""
    match value:
        case ast.Constant() | ast.Name() | ast.Attribute(value=ast.Name()):
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Subscript(value=of, slice=index):
            return _is_value(of) and _is_value(index)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_value(left) and _is_value(right)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return all(map(_is_value, elements))
        case ast.Dict(keys=keys, values=values):
            return all(isinstance(each, ast.Constant) for each in keys) and all(map(_is_value, values))
        case ast.Call(func=function, args=args, keywords=keywords):
            return (
                _is_called(function)
                and all(map(_is_value, args))
                and all(
                    each.arg is not None and isinstance(each.value, ast.Constant | ast.UnaryOp) for each in keywords
                )
            )
        case _:
            return False


def _is_called(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name):
            return name in _CALLS
        case ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys"):
            return True
        case _:
            return False
