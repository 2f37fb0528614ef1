"""The files of a generated package, before formatting."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2

from openresponses_codegen import ir
from openresponses_codegen.ir import Role
from openresponses_codegen.overrides import NONE, Overrides, environment_of
from openresponses_codegen.render.definitions import definition_views
from openresponses_codegen.render.order import exported, imported, listed
from openresponses_codegen.render.own import name_of, render_own, with_licence
from openresponses_codegen.render.params import has_params, params_view
from openresponses_codegen.render.runtime import RUNTIMES, render_runtime, runtime_view, verbatim
from openresponses_codegen.render.verify import verify, verify_own
from openresponses_codegen.text import docstring, docstring_body, literal

MEMBERS = "core/response_members.py.jinja"
_BASE_NAMES = frozenset(
    "AnswerModel Event Omittable RequestModel ResponseModel UnknownVariant UnknownVariantParam".split()
)
_UNION_NAMES = frozenset({"Shaped", "Tagged"})
_TYPING_NAMES = frozenset("Annotated Any ClassVar Literal Optional Union".split())
_PYDANTIC_NAMES = frozenset("ConfigDict Field".split())


@dataclass(frozen=True, slots=True)
class _Split:
    """The definitions of each module."""

    models: tuple[ir.Definition, ...]
    events: tuple[ir.Definition, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the files of a package are rendered from."""

    templates: Path
    """The folder of our templates."""
    overrides: Overrides = NONE
    """Those of the user's own."""
    stubs: tuple[str, ...] = ()
    """Files to begin with for the user, by name."""
    reserved: tuple[str, ...] = ()
    """Paths in the package that something else is written to."""


def render_package(
    api: ir.Api,
    definitions: Iterable[ir.Definition],
    sources: Sources,
    package: str,
    components: frozenset[str],
) -> dict[str, str]:
    """The files of the package by path relative to its folder, unformatted.

    `definitions` are the rendered models, `package` is the import name. Raises `jinja2.TemplateError` for a template
    that does not work, and `UnsafeSourceError` for a file in which something stands that no template means to write.
    """
    templates, overrides = sources.templates, sources.overrides
    environment = environment_of(templates, overrides)
    split = _split(api, definitions)
    _verify_definitions(split, overrides)
    files = verbatim(templates, "models", overrides)
    exports: dict[str, list[str]] = {}
    models = _with_members(api, split.models, environment)
    for name, variables in _views(api, models, split.events, components).items():
        view = {"header": header(api), **variables()}
        files[f"{name}.py"], exports[name] = _module(name, view, environment, overrides)
    exports.pop("params", None)
    names: Mapping[str, Any] = {
        "package": package,
        "release": literal(api.release),
        "header": header(api),
        "has_gateway": "gateway" in components,
    }
    if api.service is not None:
        names = {**names, **runtime_view(api, api.service)}
    for name in RUNTIMES:
        if api.service is not None and name in components:
            runtime = render_runtime(name, names, environment, templates, overrides)
            files |= runtime.files
            exports |= runtime.exports
    view = {"header": header(api), **_init_view(api, package, exports)}
    files["__init__.py"] = _rendered("core/__init__.py.jinja", view, environment, overrides)
    files |= render_own(environment, overrides, sources.stubs, names, {*files, *sources.reserved})
    return with_licence(environment, overrides, names, files)


def _verify_definitions(split: _Split, overrides: Overrides) -> None:
    """Check what came of the spec by itself: beside templates of the user's own it cannot be told from theirs."""
    if overrides.files:
        verify("models.py", "\n\n".join(each.source for each in (*split.models, *split.events)))


def _views(
    api: ir.Api, models: tuple[ir.Definition, ...], events: tuple[ir.Definition, ...], components: frozenset[str]
) -> Mapping[str, Callable[[], Mapping[str, Any]]]:
    """The modules that are made of the spec, and what makes the variables of their templates."""
    views: dict[str, Callable[[], Mapping[str, Any]]] = {"models": lambda: _models_view(api, models)}
    if api.stream is not None and "events" in components:
        stream = api.stream
        views["events"] = lambda: _events_view(api, stream, events)
    if "params" in components and has_params(api):
        views["params"] = lambda: params_view(api)
    return views


def _module(
    name: str, view: Mapping[str, Any], environment: jinja2.Environment, overrides: Overrides
) -> tuple[str, list[str]]:
    """The source of a module, and the names that it offers."""
    template = f"core/{name}.py.jinja"
    text = _rendered(template, view, environment, overrides)
    if template not in overrides.files:
        return text, list(view["exports"])
    verify_own(template, text, defining=view["exports"])
    return text, listed(text)


def _rendered(template: str, view: Mapping[str, Any], environment: jinja2.Environment, overrides: Overrides) -> str:
    text = environment.get_template(template).render(view)
    members = name_of(template) == "models.py" and MEMBERS in overrides.files
    if template in overrides.files or members:
        verify_own(MEMBERS if members else template, text)
    else:
        verify(name_of(template), text)
    return text


def _with_members(
    api: ir.Api, definitions: tuple[ir.Definition, ...], environment: jinja2.Environment
) -> tuple[ir.Definition, ...]:
    """The definitions, with what callers ask of a response added to its class."""
    if api.service is None:
        return definitions
    members = textwrap.indent(environment.get_template(MEMBERS).render(runtime_view(api, api.service)), "    ")
    response = api.service.create.response
    return tuple(
        replace(each, source=f"{each.source}\n{members}") if each.name == response else each for each in definitions
    )


def header(api: ir.Api) -> str:
    """The first line of each file."""
    release = " ".join(docstring_body(api.release).split())  # one line, so that it may stand in a comment, too
    return f"Open Responses {release}, generated by openresponses-codegen; do not edit."


def _split(api: ir.Api, definitions: Iterable[ir.Definition]) -> _Split:
    """Events in the order of their union; everything else as it comes."""
    order = api.stream.members if api.stream else ()
    by_name = {each.name: each for each in definitions}
    events = {each.name for each in api.declarations if isinstance(each, ir.Model) and each.role is Role.EVENT}
    return _Split(
        tuple(each for each in by_name.values() if each.name not in events),
        tuple(by_name[name] for name in order if name in events),
    )


def _models_view(api: ir.Api, definitions: tuple[ir.Definition, ...]) -> Mapping[str, Any]:
    uses = frozenset[str]().union(*(each.uses for each in definitions))
    return {
        "imports": "\n\n".join(group for group in map("\n".join, import_groups(uses)) if group),
        "exports": exported(each.name for each in definitions),
        "definitions": definition_views(api, definitions),
    }


def import_groups(uses: frozenset[str], beside: str = "") -> list[list[str]]:
    """The import statements for the names that definitions use, in groups.

    `beside` is the module of another package that the runtime's names come from; by default they are of this one.
    """
    runtime = (
        ((beside, _BASE_NAMES | _UNION_NAMES),) if beside else (("._base", _BASE_NAMES), ("._unions", _UNION_NAMES))
    )
    libraries = (("pydantic", _PYDANTIC_NAMES), ("typing_extensions", frozenset({"TypeAliasType"})))
    typing = (("typing", _TYPING_NAMES),)
    sources = (typing, (*libraries, *runtime)) if beside else (typing, libraries, runtime)
    return [
        [f"from {module} import {', '.join(imported(uses & names))}" for module, names in group if uses & names]
        for group in sources
    ]


def _events_view(api: ir.Api, stream: ir.TaggedUnion, definitions: tuple[ir.Definition, ...]) -> Mapping[str, Any]:
    uses = frozenset[str]().union(*(each.uses for each in definitions))
    names = {each.name for each in definitions}
    others = imported(uses & {each.name for each in api.declarations} - names)
    typing = imported(uses & _TYPING_NAMES | {"Annotated"})
    pydantic = imported(uses & _PYDANTIC_NAMES | {"TypeAdapter"})
    base = imported(uses & _BASE_NAMES | {"Event", "UnknownVariant"})
    imports = [
        "from collections.abc import Callable, Mapping",
        "from types import MappingProxyType",
        f"from typing import {', '.join(typing)}\n",
        f"from pydantic import {', '.join(pydantic)}",
        "from typing_extensions import TypeAliasType\n",
        f"from ._base import {', '.join(base)}",
        "from ._unions import Tagged",
    ]
    if others:
        imports.append(f"from .models import {', '.join(others)}")
    events = {each.name: each for each in api.declarations if isinstance(each, ir.Model)}
    types = {name: (events[name].event_type, *events[name].aliases) for name in stream.members}
    return {
        "imports": "\n".join(imports),
        "exports": exported([*names, "EVENT_TYPES", "StreamEvent", "UnknownEvent", "parse_event"]),
        "definitions": definition_views(api, definitions),
        "members": list(stream.members),
        "events": [{"type": literal(each), "name": name} for name in stream.members for each in types[name]],
        "union_docstring": stream.text.docstring() if stream.text else docstring("Any streaming event."),
    }


def _init_view(api: ir.Api, package: str, exports: Mapping[str, list[str]]) -> Mapping[str, Any]:
    parts = (part.lstrip("0") or "0" if part.isascii() and part.isdigit() else part for part in api.release.split("-"))
    version = ".".join(parts)
    return {
        "package": package,
        "description": api.text,
        "about": api.text.docstring_body() if api.text is not None else "",
        "example": _example(exports),
        "version": literal(version),
        "release": literal(api.release),
        "modules": [{"name": name, "imports": imported(names)} for name, names in sorted(exports.items())],
        "others": {name: names for name, names in exports.items() if name != "models"},
        "exports": exported(["SPEC_RELEASE", "__version__", *(name for names in exports.values() for name in names)]),
    }


def _example(exports: Mapping[str, list[str]]) -> str:
    """A name to show an import with."""
    if "client.sync.client" in exports:
        return exports["client.sync.client"][0]
    return "parse_event" if "events" in exports else exports["models"][0]
