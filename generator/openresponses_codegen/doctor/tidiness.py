"""What is of no use, or easily mistaken: parts that nothing uses, names that look alike, constants left open."""

from __future__ import annotations

from openresponses_codegen.diagnostics import Diagnostics
from openresponses_codegen.doctor.schemas import Schemas
from openresponses_codegen.source import Node


def check_tidiness(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """Report what a document would be clearer without.

    Codes: `unreached-component`, `case-collision`, `optional-constant`, `unused-security-scheme`,
    `unknown-security-scheme`.
    """
    _check_reached(schemas, diagnostics)
    _check_names(schemas, diagnostics)
    _check_constants(schemas, diagnostics)
    _check_security(schemas.document.node, diagnostics)


def _check_reached(schemas: Schemas, diagnostics: Diagnostics) -> None:
    if not schemas.bodies and schemas.document.websocket is None:
        return  # a document of schemas alone
    reached = schemas.reached()
    unreached = {name: schema for name, schema in schemas.components.items() if name not in reached}
    users: dict[str, str] = {}
    for user, schema in unreached.items():
        for name in schemas.references(schema):
            if name != user:
                users.setdefault(name, user)
    for name, schema in unreached.items():
        by = f"only by `{users[name]}`, which nothing needs either" if name in users else "by nothing"
        diagnostics.warning(
            "unreached-component",
            f"`{name}` is referred to {by}: it is in no request, no answer and no event",
            at=schema.node,
            hint="refer to it where it is meant, or remove it",
        )


def _check_names(schemas: Schemas, diagnostics: Diagnostics) -> None:
    seen: dict[str, str] = {}
    for name, schema in schemas.components.items():
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            diagnostics.warning(
                "case-collision",
                f"`{name}` and `{first}` differ in capitals only",
                at=schema.node,
                hint=f"rename one of them; the other is at {schemas.components[first].node.position}",
            )


def _check_constants(schemas: Schemas, diagnostics: Diagnostics) -> None:
    """A constant that may be left out tells nobody anything; one that may be null is left out on purpose."""
    for place in schemas.places:
        for name, schema in place.schema.properties.items():
            if name not in place.schema.required and not schema.is_absent and len(schemas.constants(schema)) == 1:
                diagnostics.note(
                    "optional-constant",
                    f"`{name}` has one value only, and may be left out",
                    at=schema.node,
                    hint="add it to `required`",
                )


def _check_security(document: Node, diagnostics: Diagnostics) -> None:
    components = document.get("components")
    declared = components.get("securitySchemes") if components is not None else None
    schemes = declared.value if declared is not None and isinstance(declared.value, dict) else {}
    used: set[str] = set()
    for requirement in _requirements(document):
        for name in requirement.value if isinstance(requirement.value, dict) else ():
            used.add(name)
            if name not in schemes:
                diagnostics.error(
                    "unknown-security-scheme",
                    f"`{name}` is no security scheme of the document",
                    at=requirement.at_key(name),
                    hint="declare it in `components.securitySchemes`, or name one that is there",
                )
    for name in schemes:
        if name not in used and declared is not None:
            diagnostics.warning(
                "unused-security-scheme",
                f"no operation asks for the security scheme `{name}`",
                at=declared.at_key(name),
                hint=f"add `security: [{{{name}: []}}]` to the document, or remove the scheme",
            )


def _requirements(document: Node) -> list[Node]:
    """The entries of every `security`, of the document and of its operations."""
    paths = document.get("paths")
    items = paths.value.values() if paths is not None and isinstance(paths.value, dict) else ()
    holders = [document, *(post for item in items if (post := item.get("post")) is not None)]
    lists = [listed for holder in holders if (listed := holder.get("security")) is not None]
    return [each for listed in lists if isinstance(listed.value, tuple) for each in listed.value]
