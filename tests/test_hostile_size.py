"""Schemas in circles, and schemas too deep, too wide or too often repeated: an answer comes soon, and it is one.

Either a document is accepted, and then the whole way to a working package is open, or it is refused.
"""

from collections.abc import Callable, Mapping

import pytest
from hostile import Json, document
from hostile_outcome import PATIENCE, Package, generated, lowered, refused, refused_or_not, spec, used, within
from openresponses_codegen import ir, pipeline

SCHEMAS = "#/components/schemas/"


# Circles -----------------------------------------------------------------------------------------------------


def ref(name: str) -> Json:
    return {"$ref": f"{SCHEMAS}{name}"}


_PROPERTIES = {"type": "object", "properties": {"x": {"type": "string"}}}
CIRCLES: Mapping[str, tuple[dict[str, Json], bool | None]] = {
    # Whether there is a meaning that has to be found; None when either answer will do.
    "alias": ({"A": ref("A")}, False),
    "two-aliases": ({"A": ref("B"), "B": ref("A")}, False),
    "three-aliases": ({"A": ref("B"), "B": ref("C"), "C": ref("A")}, False),
    "into-aliases": ({"A": ref("B"), "B": ref("C"), "C": ref("B")}, False),
    "nullable": ({"A": {"anyOf": [ref("A"), {"type": "null"}]}}, False),
    "noted": ({"A": {"allOf": [ref("A"), {"description": "x"}]}}, False),
    "one-of-one": ({"A": {"oneOf": [ref("B")]}, "B": {"anyOf": [ref("A")]}}, False),
    "all-of": ({"A": {"allOf": [ref("A"), _PROPERTIES]}}, False),
    "two-all-of": ({"A": {"allOf": [ref("B"), _PROPERTIES]}, "B": {"allOf": [ref("A"), _PROPERTIES]}}, False),
    "into-all-of": (
        {
            "A": {"allOf": [ref("B"), _PROPERTIES]},
            "B": {"allOf": [ref("C"), _PROPERTIES]},
            "C": {"allOf": [ref("B"), _PROPERTIES]},
        },
        False,
    ),
    "alias-all-of": ({"A": {"allOf": [ref("B"), _PROPERTIES]}, "B": ref("A")}, False),
    "properties-beside-all-of": ({"A": {"allOf": [ref("A")], **_PROPERTIES}}, False),
    "union-of-itself": ({"A": {"oneOf": [ref("A"), {"type": "string"}]}}, None),
    "unions": ({"A": {"oneOf": [ref("B"), {"type": "string"}]}, "B": {"oneOf": [ref("A"), {"type": "integer"}]}}, None),
    "tagged-itself": ({"A": {**ref("A"), "discriminator": {"propertyName": "type"}}}, None),
    "tagged-union": ({"A": {"oneOf": [ref("A"), ref("TextPart")], "discriminator": {"propertyName": "type"}}}, None),
    "property": ({"A": {"type": "object", "properties": {"a": ref("A")}}}, True),
    "two-properties": (
        {
            "A": {"type": "object", "properties": {"b": ref("B")}},
            "B": {"type": "object", "properties": {"a": ref("A")}},
        },
        True,
    ),
    "list-property": ({"A": {"type": "object", "properties": {"a": {"type": "array", "items": ref("A")}}}}, True),
    "list": ({"A": {"type": "array", "items": ref("A")}}, None),
    "two-lists": ({"A": {"type": "array", "items": ref("B")}, "B": {"type": "array", "items": ref("A")}}, None),
    "map": ({"A": {"type": "object", "additionalProperties": ref("A")}}, None),
    "json": ({"A": {"oneOf": [{"type": "string"}, {"type": "array", "items": ref("A")}]}}, None),
}


@pytest.mark.parametrize("used_by", [[], ["Thing"], ["Thing", "Answer", "ChangedEvent"]], ids="+".join)
@pytest.mark.parametrize("circle", CIRCLES)
def test_a_circle_is_refused_or_closed(circle, used_by) -> None:
    """Schemas that refer to each other end in code or in a refusal, never in an endless recursion."""
    schemas, is_meant = CIRCLES[circle]
    content = document()
    content["components"]["schemas"] |= schemas
    for owner in used_by:
        content["components"]["schemas"][owner]["properties"]["a"] = ref("A")
    with within(PATIENCE):
        outcome = lowered(content)
        if outcome is None:
            outcome = generated(content)
    refused_or_not(outcome)
    if is_meant is not None:
        assert isinstance(outcome, Package) == is_meant
    if is_meant is False:
        assert "cyclic-reference" in refused(outcome)


def test_an_event_may_be_used_beside_its_stream(tmp_path) -> None:
    """Modules that need each other are no circle of imports."""
    content = document()
    content["components"]["schemas"]["Answer"]["properties"]["last"] = ref("EndedEvent")
    outcome = generated(content)
    refused_or_not(outcome)
    if isinstance(outcome, Package):
        assert used([outcome], tmp_path) == {}


def test_schemas_of_one_pattern_stay_apart() -> None:
    """However many schemas look alike, and whatever is remembered of each: no schema gets what belongs to another."""
    numbers = range(300)
    schemas = {f"Base{number}": _object(f"base{number}") for number in numbers}
    schemas |= {f"Own{number}": {"allOf": [ref(f"Base{number}")], **_object(f"own{number}")} for number in numbers}
    schemas |= {f"Noted{number}": {"allOf": [{"title": "x"}], **_object(f"noted{number}")} for number in numbers}
    found = {
        each.name: {field.name for field in each.fields}
        for each in pipeline.lower_spec(spec(_components(schemas))).api.declarations
        if isinstance(each, ir.Model)
    }
    for number in numbers:
        assert found[f"Own{number}"] == {f"base{number}", f"own{number}"}
        assert found[f"Noted{number}"] == {f"noted{number}"}


# Size --------------------------------------------------------------------------------------------------------


def put(content: Json, path: tuple[str | int, ...], value: Json) -> Json:
    """The document with another value at a path."""
    holder = content
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return content


def _components(schemas: dict[str, Json]) -> Json:
    content = document()
    content["components"]["schemas"] |= schemas
    return content


def _thing(schema: Json) -> Json:
    return put(document(), ("components", "schemas", "Thing", "properties", "model"), schema)


def _nested(levels: int, around: Callable[[Json], Json]) -> Json:
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = around(schema)
    return schema


def _diamonds(levels: int, keyword: str, bottom: dict[str, Json]) -> dict[str, Json]:
    both = [[ref(f"P{level + 1}"), ref(f"Q{level + 1}")] for level in range(levels)]
    return {
        **{f"{side}{level}": {keyword: both[level]} for level in range(levels) for side in "PQ"},
        f"P{levels}": bottom["P"],
        f"Q{levels}": bottom["Q"],
    }


def _variant(tag: str) -> Json:
    return {"type": "object", "properties": {"type": {"const": tag}}, "required": ["type"]}


def _object(name: str) -> Json:
    return {"type": "object", "properties": {name: {"type": "string"}}}


def _chain(length: int, link: Callable[[int, Json], Json], last: Json) -> Json:
    """Components that each refer to the next, the first of them used by an object."""
    links = {f"C{number}": link(number, ref(f"C{number + 1}")) for number in range(length)}
    used_by = {"Titled": {"type": "object", "properties": {"first": ref("C0")}}}
    return _components({**links, f"C{length}": last, **used_by})


def _described(text: str) -> Json:
    return put(document(), ("components", "schemas", "Thing", "description"), text)


SIZES: Mapping[str, Callable[[], Json]] = {
    "alias-chain-1500": lambda: _chain(1500, lambda _, following: following, _object("x")),
    "alias-chain-2000": lambda: _chain(2000, lambda _, following: following, _object("x")),
    "list-chain-1500": lambda: _chain(1500, lambda _, following: {"type": "array", "items": following}, _object("x")),
    "property-chain-1500": lambda: _chain(
        1500, lambda _, following: {"type": "object", "properties": {"x": following}}, _object("x")
    ),
    "union-chain-300": lambda: _chain(
        300, lambda number, following: {"oneOf": [following, _variant(f"v{number}")]}, _variant("x")
    ),
    "all-of-chain-1500": lambda: _chain(
        1500, lambda number, following: {"allOf": [following, _object(f"p{number}")]}, _object("x")
    ),
    "union-diamonds-25": lambda: _components(
        _diamonds(25, "oneOf", {"P": _variant("p"), "Q": _variant("q")})
        | {"Titled": {"type": "object", "properties": {"first": ref("P0")}}}
    ),
    "all-of-diamonds-25": lambda: _components(_diamonds(25, "allOf", {"P": _object("p"), "Q": _object("q")})),
    "wide-union-3000": lambda: _thing({"oneOf": [_variant(f"v{n}") for n in range(3000)]}),
    "wide-plain-union-3000": lambda: _thing({"oneOf": [{"type": "string", "maxLength": n} for n in range(3000)]}),
    "wide-enum-40000": lambda: _thing({"enum": [f"v{n}" for n in range(40_000)]}),
    "wide-object-20000": lambda: _thing(
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(20_000)}}
    ),
    "wide-required-40000": lambda: _thing({"type": "object", "required": [f"p{n}" for n in range(40_000)]}),
    "components-10000": lambda: _components({f"C{n}": {"type": "string"} for n in range(10_000)}),
    "bad-components-10000": lambda: _components({f"C{n}": {"typ": "string"} for n in range(10_000)}),
    "dangling-5000": lambda: _components({f"C{n}": ref(f"D{n}") for n in range(5000)}),
    "paths-1000": lambda: {**document(), "paths": {f"/{n}": document()["paths"]["/things"] for n in range(1000)}},
    "described-members-1000": lambda: _thing(
        {"oneOf": [{**_variant(f"v{n}"), "description": f"Text {n}. " * 20} for n in range(1000)]}
    ),
    "nested-lists": lambda: _thing(_nested(110, lambda inner: {"type": "array", "items": inner})),
    "nested-maps": lambda: _thing(_nested(110, lambda inner: {"type": "object", "additionalProperties": inner})),
    "nested-objects": lambda: _thing(_nested(20, lambda inner: {"type": "object", "properties": {"p": inner}})),
    "nested-unions": lambda: _thing(_nested(58, lambda inner: {"anyOf": [inner, {"type": "null"}]})),
    "nested-all-of": lambda: _thing(_nested(58, lambda inner: {"allOf": [inner, {"description": "x"}]})),
    "nested-object-all-of": lambda: _thing(
        _nested(29, lambda inner: {"allOf": [_object("p"), {"properties": {"q": inner}}]})
    ),
    "lines-500000": lambda: put(document(), ("info", "description"), "a\n" * 500_000),
    "words-500000": lambda: _described("a " * 500_000),
    "paragraphs-200000": lambda: _described("a\n\n" * 200_000),
    "quotes-500000": lambda: _described('"' * 500_000),
    "spaces-1000000": lambda: put(
        document(), ("components", "schemas", "Thing", "description"), f"a\n{' ' * 1_000_000}b"
    ),
    "fences-200000": lambda: _described("```\n" * 200_000),
    "literal-150000": lambda: _thing({"type": "string", "default": "x" * 150_000}),
    "const-150000": lambda: _thing({"type": "string", "const": "x" * 150_000}),
    "pattern-150000": lambda: _thing({"type": "string", "pattern": "x" * 150_000}),
    "pattern-repeat": lambda: _thing({"type": "string", "pattern": "((a{1000}){1000}){1000}"}),
    "digits-4300": lambda: _thing({"type": "integer", "maximum": 10**4299}),
    "digits-default": lambda: _thing({"type": "integer", "default": 10**4299}),
    "digits-release": lambda: put(document(), ("info", "version"), "9" * 5000),
    "big-float": lambda: _thing({"type": "number", "minimum": 1.7e308, "multipleOf": 5e-324}),
    "property-100000": lambda: _thing(_object("x" * 100_000)),
    "component-100000": lambda: _components({"X" * 100_000: _object("x")}),
}


@pytest.mark.parametrize("size", SIZES)
def test_what_is_too_much_is_refused_soon(size) -> None:
    """Depth, width, chains and repetition take seconds at most, and never all of the stack."""
    content = SIZES[size]()
    with within(PATIENCE):
        outcome = lowered(content)
    refused_or_not(outcome)


RENDERED = frozenset(
    "nested literal const pattern digits big property lines words paragraphs quotes spaces fences component".split()
)


@pytest.mark.parametrize("size", [name for name in SIZES if name.split("-")[0] in RENDERED and "chain" not in name])
def test_what_is_accepted_can_be_rendered(size, tmp_path) -> None:
    """What was accepted becomes a package that can be used; there is no second line of refusals behind the first."""
    with within(3 * PATIENCE):
        outcome = generated(SIZES[size]())
    refused_or_not(outcome)
    if isinstance(outcome, Package):
        assert used([outcome], tmp_path) == {}
