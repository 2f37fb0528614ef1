"""Whether the rendered definitions are the ones that were asked for.

datamodel-code-generator ignores a template with a wrong name, and renames what it does not like, without a word.
So every class, field, base, marker and literal that came out is held against the representation.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from openresponses_codegen import ir
from openresponses_codegen.models.schema import base_class


class ModelError(Exception):
    """What datamodel-code-generator gave is not what it was asked for."""


def check_definitions(api: ir.Api, definitions: Mapping[str, ast.Module]) -> None:
    """Raise `ModelError` unless each declaration came out, whole and as declared, and nothing else did."""
    wanted = {each.name: each for each in api.declarations}
    if wanted.keys() != definitions.keys():
        missing, surplus = (
            sorted(wanted.keys() - definitions.keys()),
            sorted(definitions.keys() - wanted.keys()),
        )
        raise ModelError(f"the models differ from the spec: missing {missing}, not asked for {surplus}")
    for name, declaration in wanted.items():
        node = definitions[name].body[0]
        if isinstance(declaration, ir.Model):
            _check_model(declaration, node)
        else:
            _check_alias(declaration, node)


def _check_model(model: ir.Model, node: ast.stmt) -> None:
    if not isinstance(node, ast.ClassDef):
        raise ModelError(f"`{model.name}` came out as something other than a class")
    if [ast.unparse(base) for base in node.bases] != [base_class(model)]:
        raise ModelError(f"`{model.name}` came out with another base")
    annotated = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    fields = {each.target.id: each for each in annotated if isinstance(each.target, ast.Name)}
    names = [name for name, each in fields.items() if not ast.unparse(each.annotation).startswith("ClassVar[")]
    if names != [field.name for field in model.fields]:
        raise ModelError(f"the fields of `{model.name}` are {names}")
    for field in model.fields:
        _check_literals(f"{model.name}.{field.name}", fields[field.name].annotation, _literals(field.type))


def _check_alias(declaration: ir.TaggedUnion | ir.ShapedUnion | ir.Enum | ir.Alias, node: ast.stmt) -> None:
    call = node.value if isinstance(node, ast.Assign) else None
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != "TypeAliasType":
        raise ModelError(f"`{declaration.name}` came out as something other than an alias")
    text = ast.unparse(call.args[1])
    match declaration:
        case ir.TaggedUnion(tag=tag):
            marked = text.endswith(f", Tagged({tag!r})]")
        case ir.ShapedUnion():
            marked = text.endswith(", Shaped()]")
        case ir.Enum(values=values):
            marked = True
            _check_literals(declaration.name, call.args[1], [value.value for value in values])
        case ir.Alias(type=kind):
            marked = True
            _check_literals(declaration.name, call.args[1], _literals(kind))
    if not marked:
        raise ModelError(f"the union `{declaration.name}` came out without its marker")


def _literals(kind: ir.Type) -> list[ir.Constant]:
    match kind:
        case ir.Fixed() as fixed:
            return [*fixed.values]
        case ir.Nullable(of):
            return _literals(of)
        case ir.Array(item):
            return _literals(item)
        case ir.Map(value):
            return _literals(value)
        case _:
            return []


def _check_literals(where: str, annotation: ast.expr, wanted: list[ir.Constant]) -> None:
    """Hold the values of every `Literal[...]` against those of the representation."""
    found: list[object] = []
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            values = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            found += [ast.literal_eval(value) for value in values]
    if [value for value in found if value is not None] != wanted:
        raise ModelError(f"`{where}` has the literals {found}, not {wanted}")
