"""The normalised schema: the representation as an OpenAPI document of plain shapes.

It is the seam to datamodel-code-generator and is printed by `dump --stage schema`. Every name in it is final,
every field is listed as required (presence is printed by our templates), and it holds none of the spec's text.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from openresponses_codegen import ir
from openresponses_codegen.ir import Role, Side

Json: TypeAlias = dict[str, Any]


def normalised_schema(api: ir.Api) -> Json:
    """The normalised schema of everything that is declared."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Open Responses", "version": api.release},
        "paths": {},
        "components": {"schemas": {each.name: _declaration(each) for each in api.declarations}},
    }


def base_class(model: ir.Model) -> str:
    """The base of a model, by its name in the generated `_base`."""
    if model.role is Role.EVENT:
        return "Event"
    if model.role is Role.ANSWER:
        return "AnswerModel"
    if model.role is Role.UNKNOWN:
        return "UnknownVariantParam" if model.side is Side.REQUEST else "UnknownVariant"
    return "RequestModel" if model.side is Side.REQUEST else "ResponseModel"


def _declaration(declaration: ir.Declaration) -> Json:
    match declaration:
        case ir.Model(fields=fields):
            return {
                "type": "object",
                "properties": {field.name: _type(field.type) for field in fields},
                "required": [field.name for field in fields],
            }
        case ir.TaggedUnion(members=members, unknown=unknown, returned=returned):
            names = [*members, *(name for name in (unknown, returned) if name is not None)]
            return {"anyOf": [_reference(name) for name in names]}
        case ir.ShapedUnion(members=members):
            return {"anyOf": [_type(member) for member in members]}
        case ir.Enum(values=values):
            return {"enum": [value.value for value in values]}
        case ir.Alias(type=kind):
            return _type(kind)


def _type(kind: ir.Type) -> Json:
    match kind:
        case ir.Scalar("any"):
            return {}
        case ir.Scalar(name, limits):
            return {"type": name, **dict(limits)}
        case ir.Fixed() as fixed:
            return {"enum": [*fixed.values]}
        case ir.Reference(name):
            return _reference(name)
        case ir.OpenEnum(name, of):
            return {"anyOf": [_reference(name), {"type": of}]}
        case ir.Array(item, limits):
            return {"type": "array", "items": _type(item), **dict(limits)}
        case ir.Map(value, limits):
            return {"type": "object", "additionalProperties": _type(value), **dict(limits)}
        case ir.Nullable(of):
            return _nullable(_type(of))


def _nullable(schema: Json) -> Json:
    if not schema:
        return schema
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if "type" in schema and schema["type"] not in {"array", "object"}:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
