"""Changes to a document that change what it allows, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from schemas import Document, Schema, document, every_schema

NEW_LIMITS: Mapping[str, tuple[str, float]] = {
    "string": ("maxLength", 77),
    "integer": ("minimum", -77),
    "number": ("maximum", 77.5),
    "array": ("maxItems", 77),
}
OTHER_TYPES = {"string": "boolean", "integer": "number", "number": "integer", "boolean": "string"}
SCALARS = ("string", "integer", "number", "boolean")


Mutable = tuple[str, object, Callable[[Schema], object]]


@dataclass(frozen=True)
class Mutation:
    """A change to the schema at a place. `what` is the property, value or keyword that it is about."""

    kind: str
    what: object
    pointer: str
    change: Callable[[Schema], object]

    def __str__(self) -> str:
        return f"{self.kind} ({self.what}) at {self.pointer}"

    def applied(self, release: str) -> Document:
        content = document(release)
        schema = next(schema for pointer, _, schema in every_schema(content) if pointer == self.pointer)
        self.change(schema)
        return content


def mutations(content: Document) -> Iterator[Mutation]:
    """Every mutation of every schema of a document."""
    names = list(content["components"]["schemas"])
    for pointer, where, schema in every_schema(content):
        for kind, what, change in changes(schema, where, names):
            yield Mutation(kind, what, pointer, change)


def changes(schema: Schema, where: str, names: list[str]) -> Iterator[Mutable]:
    if "x-openresponses-disallowed" in schema:
        return  # it must be absent, whatever else is said about it
    yield from of_objects(schema)
    yield from of_values(schema)
    yield from of_limits(schema)
    yield from of_unions(schema)
    yield from of_references(schema, where, names)
    if where in ("properties", "items") and "$ref" not in schema:
        yield "nullability", "", toggled_null
        yield "anything", "", Schema.clear


def of_objects(schema: Schema) -> Iterator[Mutable]:
    for name, inner in schema.get("properties", {}).items():
        absent = "x-openresponses-disallowed" in inner
        yield "property removed", name, lambda schema, name=name: removed_property(schema, name)
        yield "property renamed", name, lambda schema, name=name: renamed_property(schema, name)
        if not absent:
            yield "required", name, lambda schema, name=name: toggled_required(schema, name)
            yield "forbidden", name, lambda schema, name=name: forbidden_property(schema, name)
    if schema.get("properties"):
        yield "property added", "", lambda schema: schema["properties"].update(brand_new={"type": "string"})
        yield "closed", "", lambda schema: schema.update(additionalProperties=False)
    if schema.get("type") == "object" and not schema.get("properties"):
        yield "values of a map", "", lambda schema: schema.update(additionalProperties={"type": "boolean"})


def of_values(schema: Schema) -> Iterator[Mutable]:
    for index, value in enumerate(schema.get("enum", ())):
        if isinstance(value, str):
            yield "enum value changed", value, lambda schema, index=index: changed_value(schema, index)
    if "enum" in schema:
        yield "enum value added", "", lambda schema: schema["enum"].append("brand_new")
    if len(schema.get("enum", ())) > 2:
        yield "enum value removed", "", lambda schema: (schema["enum"].pop(), schema.pop("default", None))
    if schema.get("type") in SCALARS and "enum" not in schema:
        yield "type", "", changed_type
        yield "enum for type", "", enumerated
        yield "default", "", changed_default
    if "default" in schema and "enum" not in schema:
        yield "default removed", "", lambda schema: schema.pop("default")
    if schema.get("type") == "array":
        yield "items", "", lambda schema: schema.update(items={"type": "boolean"})


def of_limits(schema: Schema) -> Iterator[Mutable]:
    limits = [key for key in schema if key.startswith(("min", "max", "exclusive")) or key in ("pattern", "multipleOf")]
    for key in limits:
        yield "limit removed", key, lambda schema, key=key: schema.pop(key)
        if isinstance(schema[key], int | float):
            yield "limit changed", key, lambda schema, key=key: schema.update({key: schema[key] + 1})
    key, value = NEW_LIMITS.get(schema.get("type", ""), ("", 0))
    if key and key not in schema and "enum" not in schema:
        yield "limit added", key, lambda schema: schema.update({key: value})


def of_unions(schema: Schema) -> Iterator[Mutable]:
    for key in ("oneOf", "anyOf"):
        members = schema.get(key, ())
        for index, member in enumerate(members):
            if len(members) > 2:
                yield "union member removed", index, lambda schema, key=key, index=index: schema[key].pop(index)
            if "$ref" in member:
                change = partial(other_member, key=key, index=index)
                yield "union member changed", index, change
        if members and all(member.get("type") != "boolean" for member in members):
            yield "union member added", "", lambda schema, key=key: schema[key].append({"type": "boolean"})


def of_references(schema: Schema, where: str, names: list[str]) -> Iterator[Mutable]:
    if "$ref" not in schema:
        return
    name = schema["$ref"].rsplit("/", 1)[1]
    other = next(each for each in names if each != name)
    yield "reference", other, lambda schema: schema.update({"$ref": f"#/components/schemas/{other}"})
    if where == "properties":
        yield "default of a reference", "", lambda schema: schema.update(default="brand_new")
    restrictions: dict[str, Any] = {
        "required": ["brand_new"],
        "additionalProperties": False,
        "anyOf": [{"type": "string"}],
        "properties": {"brand_new": {"type": "string"}},
        "enum": ["brand_new"],
        "type": "integer",
        "minProperties": 3,
    }
    for key, value in restrictions.items():
        yield "restriction beside $ref", key, lambda schema, key=key, value=value: schema.update({key: value})
        yield (
            "restriction beside allOf",
            key,
            lambda schema, key=key, value=value: schema.update({"allOf": [{"$ref": schema.pop("$ref")}], key: value}),
        )


def removed_property(schema: Schema, name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [each for each in schema.get("required", ()) if each != name]


def renamed_property(schema: Schema, name: str) -> None:
    schema["properties"]["brand_new"] = schema["properties"].pop(name)
    schema["required"] = ["brand_new" if each == name else each for each in schema.get("required", ())]


def toggled_required(schema: Schema, name: str) -> None:
    required = schema.get("required", [])
    schema["required"] = [each for each in required if each != name] if name in required else [*required, name]


def forbidden_property(schema: Schema, name: str) -> None:
    schema["properties"][name] = {"x-openresponses-disallowed": True}
    schema["required"] = [each for each in schema.get("required", ()) if each != name]


def changed_value(schema: Schema, index: int) -> None:
    schema["enum"][index] += "_new"
    schema.pop("default", None)


def changed_type(schema: Schema) -> None:
    """Another scalar type, without what only the first could have."""
    schema["type"] = OTHER_TYPES[schema["type"]]
    if schema["type"] not in ("integer", "number"):
        for key in [key for key in schema if key.startswith(("min", "max")) or key in ("pattern", "default")]:
            del schema[key]


def enumerated(schema: Schema) -> None:
    values = {"string": ["a", "b"], "integer": [1, 2], "number": [1, 2], "boolean": [True]}
    for key in [key for key in schema if key.startswith(("min", "max")) or key in ("pattern", "default")]:
        del schema[key]
    schema["enum"] = values[schema["type"]]


def changed_default(schema: Schema) -> None:
    others = {"string": "brand_new", "integer": 1234567, "number": 1234.5, "boolean": True}
    value = others[schema["type"]]
    schema["default"] = not schema["default"] if schema.get("default") is True else value


def toggled_null(schema: Schema) -> None:
    """Null where it was not allowed, not null where it was; what is only null may be a string."""
    for key in ("anyOf", "oneOf"):
        members = schema.get(key, [])
        if {"type": "null"} in members:
            members.remove({"type": "null"})
            if not members:
                members.append({"type": "string"})
            return
    content = dict(schema)
    schema.clear()
    schema["anyOf"] = [content, {"type": "null"}]


def other_member(schema: Schema, key: str, index: int) -> None:
    schema[key][index] = {"type": "boolean"}


def of_paths(content: Document) -> Iterator[tuple[str, Document]]:
    """Documents that differ in what is around the schemas."""
    release = content["info"]["version"]

    def changed(kind: str, change: Callable[[Document], object]) -> tuple[str, Document]:
        copy = document(release)
        change(copy)
        return kind, copy

    path = next(iter(content["paths"]))
    yield changed("other path", lambda copy: copy["paths"].update({"/v2": copy["paths"].pop(path)}))
    yield changed("other operation id", lambda copy: copy["paths"][path]["post"].update(operationId="other"))
    yield changed("no body", lambda copy: copy["paths"][path]["post"].pop("requestBody"))
    yield changed("no event stream", lambda copy: answers(copy, path).pop("text/event-stream"))
    yield changed("no answer but events", lambda copy: answers(copy, path).pop("application/json"))
    yield changed("one event less", lambda copy: answers(copy, path)["text/event-stream"]["schema"]["oneOf"].pop())
    yield changed("new component", lambda copy: copy["components"]["schemas"].update(BrandNew={"type": "string"}))
    for index, _ in enumerate(bodies(content)):
        yield changed(f"body {index}", lambda copy, index=index: bodies(copy)[index].update(schema=reference(copy)))
    for key in ("clientMessage", "errorMessage"):
        if "x-openresponses-websocket" in content["paths"][path]:
            yield changed(key, lambda copy, key=key: socket(copy, path).update({key: reference(copy)}))
    if "x-openresponses-websocket" in content["paths"][path]:
        yield changed("no WebSocket", lambda copy: copy["paths"][path].pop("x-openresponses-websocket"))


def bodies(content: Document) -> list[dict[str, Any]]:
    """What operations take as JSON and what they answer; forms are left out on purpose."""
    posts = [item["post"] for item in content["paths"].values()]
    taken = [post["requestBody"]["content"]["application/json"] for post in posts]
    return taken + [media for post in posts for media in post["responses"]["200"]["content"].values()]


def answers(content: Document, path: str) -> dict[str, Any]:
    return content["paths"][path]["post"]["responses"]["200"]["content"]


def socket(content: Document, path: str) -> dict[str, Any]:
    return content["paths"][path]["x-openresponses-websocket"]


def reference(content: Document) -> Any:
    return {"$ref": f"#/components/schemas/{next(iter(content['components']['schemas']))}"}
