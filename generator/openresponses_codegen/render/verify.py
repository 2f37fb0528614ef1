"""The last check of rendered source: only shapes that a template means to write stand at module level.

Text of a spec gets into a file as a literal, a docstring or a checked name, and cannot leave that place. Should a
template ever print it bare, what comes out is either no Python or has a shape that is not on this list.
"""

from __future__ import annotations

import ast

_CALLS = frozenset({"TypeAliasType", "TypedDict", "MappingProxyType", "dict"})
_FUNCTIONS = frozenset({"parse_event", "_read_first", "__getattr__", "__dir__"})
_IMPORTS = frozenset(
    "__future__ collections.abc functools importlib types typing pydantic "
    "typing_extensions _base _unions models events params".split()
)
_CLASS_BODY = (ast.AnnAssign, ast.Expr, ast.FunctionDef, ast.Assign, ast.Pass)


class UnsafeSourceError(Exception):
    """Rendered source holds something that no template means to write."""


def verify(name: str, source: str) -> None:
    """Raise `UnsafeSourceError` unless the source is made of known shapes."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UnsafeSourceError(f"{name}: what was rendered is not Python: {error}") from None
    for node in module.body:
        if not _is_known(node):
            raise UnsafeSourceError(f"{name}:{node.lineno}: what was rendered holds a statement of an unknown kind")


def _is_known(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Import():
            return False
        case ast.ImportFrom(module=module, names=names):
            return module in _IMPORTS or (module is None and [each.name for each in names] == ["models"])
        case ast.ClassDef(body=body, decorator_list=[], keywords=keywords):
            return all(isinstance(each, _CLASS_BODY) for each in body) and all(
                keyword.arg == "total" for keyword in keywords
            )
        case ast.FunctionDef(name=name):
            return name in _FUNCTIONS
        case (
            ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
        ):
            return _is_known_value(value)
        case ast.AugAssign(target=ast.Name(id="_origins"), value=value):
            return _is_known_value(value)
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            return all(isinstance(each, ast.ImportFrom) and _is_known(each) for each in body)
        case _:
            return False


def _is_known_value(value: ast.expr) -> bool:
    """A literal, a type, or a call of one of the few functions that make types."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in {*_CALLS, "Field", "Tagged", "Shaped"}
        ):
            is_items = isinstance(node.func, ast.Attribute) and node.func.attr == "fromkeys"
            if not is_items:
                return False
        if isinstance(node, ast.Lambda | ast.Await | ast.Yield | ast.NamedExpr | ast.Starred | ast.JoinedStr):
            return False
    return True
