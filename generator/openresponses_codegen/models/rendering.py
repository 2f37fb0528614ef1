"""The run of datamodel-code-generator, and what it gives, definition by definition."""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openresponses_codegen import ir
from openresponses_codegen.collector import collector_paused
from openresponses_codegen.ir import Presence
from openresponses_codegen.models.check import check_definitions
from openresponses_codegen.models.schema import base_class, normalised_schema
from openresponses_codegen.names import sentence
from openresponses_codegen.text import SpecText, docstring, literal

_OPTIONAL = re.compile(r'Optional\["([A-Za-z0-9_]+)"\]')
"""How datamodel-code-generator writes null beside a class that is defined further down."""


def render_models(api: ir.Api, templates: Path) -> tuple[ir.Definition, ...]:
    """Every declaration as Python source, in an order in which each can be executed.

    Raises `ModelError` when what was rendered is not what was asked for.
    """
    with collector_paused():
        context = {each.name: _context(each) for each in api.declarations}
        text = _run(normalised_schema(api), context, templates)
        definitions = tuple(_definitions(text))
        check_definitions(api, {each.name: ast.parse(each.source) for each in definitions})
        return definitions


def _run(schema: dict[str, Any], context: dict[str, dict[str, Any]], templates: Path) -> str:
    # Imported here for they are slow to import, and most commands do without.
    from datamodel_code_generator import generate  # noqa: PLC0415
    from datamodel_code_generator.enums import DataModelType, InputFileType  # noqa: PLC0415
    from datamodel_code_generator.format import PythonVersion  # noqa: PLC0415
    from datamodel_code_generator.parser import LiteralType  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = generate(
            schema,
            input_file_type=InputFileType.OpenAPI,
            output=None,
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            extra_template_data=defaultdict(dict[str, Any], context),
            custom_template_dir=templates / "models",
            custom_class_name_generator=str,
            enum_field_as_literal=LiteralType.All,
            field_constraints=True,
            use_annotated=True,
            use_type_alias=True,
            use_standard_collections=True,
            use_union_operator=True,
            disable_future_imports=True,
            disable_timestamp=True,
            strict_refs=True,
            allow_remote_refs=False,
            formatters=[],  # it would take settings from the folder that it is run in
        )
    if not isinstance(text, str):
        raise TypeError("datamodel-code-generator gave several modules for one document")
    return text


def _definitions(text: str) -> Iterator[ir.Definition]:
    """The classes and aliases of a module; imports and `model_rebuild` calls are not among them."""
    text = _OPTIONAL.sub(r'"\1 | None"', text)
    lines = text.splitlines()
    body = ast.parse(text).body
    for index, node in enumerate(body):
        if isinstance(node, ast.ClassDef):
            name, end = node.name, node.end_lineno
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, end = node.targets[0].id, node.end_lineno
            after = body[index + 1] if index + 1 < len(body) else None
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                end = after.end_lineno
        else:
            continue
        uses = frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name)) - {name}
        yield ir.Definition(name, "\n".join(lines[node.lineno - 1 : end]), uses)


def _context(declaration: ir.Declaration) -> dict[str, Any]:
    """What our templates get beside datamodel-code-generator's own fields: finished source text."""
    match declaration:
        case ir.Model():
            return {
                "base": base_class(declaration),
                "docstring": _docstring(declaration.text, declaration.name, 4),
                "closed": declaration.closed,
                "constants": list(_constants(declaration)),
                "notes": {field.name: _note(field) for field in declaration.fields},
            }
        case ir.TaggedUnion(tag=tag):
            mark = f", Tagged({literal(tag)})]"
            return {
                "before": "Annotated[",
                "after": mark,
                "docstring": _docstring(declaration.text, declaration.name),
            }
        case ir.ShapedUnion():
            docs = _docstring(declaration.text, declaration.name)
            return {"before": "Annotated[", "after": ", Shaped()]", "docstring": docs}
        case ir.Enum():
            return {"before": "", "after": "", "docstring": _enum_docstring(declaration)}
        case ir.Alias():
            return {"before": "", "after": "", "docstring": _docstring(declaration.text, declaration.name)}


def _docstring(text: SpecText | None, name: str, indent: int = 0) -> str:
    return text.docstring(indent) if text is not None else docstring(f"{sentence(name).capitalize()}.", indent)


def _enum_docstring(enum: ir.Enum) -> str:
    described = [value for value in enum.values if value.text is not None]
    if not described:
        return _docstring(enum.text, enum.name)
    text = SpecText(f"{sentence(enum.name).capitalize()}.") if enum.text is None else enum.text
    for value in described:
        text = text.with_item(str(value.value), value.text)
    return text.docstring()


def _constants(model: ir.Model) -> Iterator[str]:
    if model.forbidden:
        names = ", ".join(literal(each.wire_name) for each in model.forbidden)
        text = SpecText("Fields that must be absent.")
        for each in model.forbidden:
            text = text.with_item(each.wire_name, each.text)
        yield f"FORBIDDEN: ClassVar[frozenset[str]] = frozenset({{{names}}})\n    {text.docstring(4)}"
    if model.extensible:
        yield "EXTENSIBLE: ClassVar[bool] = True"
    if model.is_delta:
        yield "is_delta: ClassVar[bool] = True"
    if model.is_terminal:
        yield "is_terminal: ClassVar[bool] = True"


def _note(field: ir.Field) -> Mapping[str, str]:
    """What stands around a field's type: its presence and its default."""
    omittable = field.presence is Presence.OMITTABLE
    default: str | None = None
    if field.default is not None:
        default = literal(field.default.value)
    elif field.presence is not Presence.REQUIRED:
        default = "None"
    if field.name != field.wire_name:
        given = f"default={default}, " if default is not None else ""
        default = f"Field({given}alias={literal(field.wire_name)})"
    return {
        "before": "Omittable[" if omittable else "",
        "after": ("]" if omittable else "") + (f" = {default}" if default is not None else ""),
        "docstring": field.text.docstring(4) if field.text is not None else "",
    }
