"""The files of an add-on: a package of what extensions add, beside an installed package of the spec, its base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2

from openresponses_codegen import ir
from openresponses_codegen.ir import Role
from openresponses_codegen.overrides import NONE, environment_of
from openresponses_codegen.render.definitions import definition_views
from openresponses_codegen.render.order import exported, imported
from openresponses_codegen.render.package import header, import_groups
from openresponses_codegen.render.params import Beside, has_params, params_view
from openresponses_codegen.render.runtime import check_names
from openresponses_codegen.render.vendors import vendors_view, writing_imports
from openresponses_codegen.render.verify import verify
from openresponses_codegen.text import literal

_MODELS = """Response classes (what a server sends) are open: unknown enum values and fields are kept. Request
classes (`...Param`, what a client sends) are strict in their values."""
_EVENTS = "The streaming events. They change no response (rule N5)."


@dataclass(frozen=True, slots=True)
class Names:
    """What the packages are called, to import them."""

    package: str
    base: str


def render_addon(
    added: ir.Addition,
    definitions: Iterable[ir.Definition],
    templates: Path,
    names: Names,
    components: frozenset[str],
) -> dict[str, str]:
    """The files of the package by path relative to its folder, unformatted.

    `definitions` are those of the whole spec with the extensions, of which the added ones are taken as they are.
    Raises what `render_package` raises.
    """
    environment = environment_of(templates, NONE)
    beside = [f"{names.base}.{module}" for module in ("extending", "models", "params")]
    common = {"header": header(added.whole), "base": names.base}
    own = {each.name: each for each in definitions if each.name in added.names}
    files: dict[str, str] = {"py.typed": (templates / "core/py.typed").read_text(encoding="utf-8")}
    modules: dict[str, list[str]] = {}
    for name, view in _definition_views(added, own, names.base).items():
        files[f"{name}.py"] = environment.get_template("addon/definitions.py.jinja").render(common, **view)
        modules[name] = view["exports"]
    if "params" in components and has_params(added.whole, added.names):
        view = params_view(added.whole, Beside(frozenset(added.names), names.base))
        files["params.py"] = environment.get_template("core/params.py.jinja").render(common, **view)
    for name, text in files.items():
        if name.endswith(".py"):
            verify(name, text, {*beside, names.base})
    files |= _item_modules(added, environment, common, components, modules)
    release = {"release": literal(added.base.release), "package_literal": literal(names.package)}
    files["_release.py"] = environment.get_template("addon/_release.py.jinja").render(common, **release)
    init = _init_view(added, modules)
    check_names({"joins": {union: union for union in added.joins}})
    files["__init__.py"] = environment.get_template("addon/__init__.py.jinja").render(common, **init)
    return files


def _definition_views(
    added: ir.Addition, own: Mapping[str, ir.Definition], base: str
) -> Mapping[str, Mapping[str, Any]]:
    """The views of `models` and of `events`, where there are any."""
    declared = {each.name: each for each in added.whole.declarations}
    events = {name for name in own if _is_event(declared[name])}
    split = {
        "models": (_MODELS, [each for name, each in own.items() if name not in events]),
        "events": (_EVENTS, [own[name] for name in added.names if name in events]),
    }
    return {
        name: {
            "about": about,
            "imports": _imports(definitions, added, own.keys() - events, base),
            "exports": exported(each.name for each in definitions),
            "definitions": definition_views(added.whole, definitions),
        }
        for name, (about, definitions) in split.items()
        if definitions
    }


def _imports(definitions: Iterable[ir.Definition], added: ir.Addition, models: set[str], base: str) -> str:
    """The import statements of a module with these definitions; `models` are those of this package."""
    names = {each.name for each in definitions}
    uses = frozenset[str]().union(*(each.uses for each in definitions))
    groups = import_groups(uses, f"{base}.extending")
    core = imported(uses & {each.name for each in added.base.declarations})
    if core:
        groups[-1].append(f"from {base}.models import {', '.join(core)}")
    siblings = imported((uses & models) - names)
    if siblings:
        groups.append([f"from .models import {', '.join(siblings)}"])
    return "\n\n".join("\n".join(group) for group in groups if group)


def _is_event(declaration: ir.Declaration) -> bool:
    return isinstance(declaration, ir.Model) and declaration.role is Role.EVENT


def _item_modules(
    added: ir.Addition,
    environment: jinja2.Environment,
    common: Mapping[str, Any],
    components: frozenset[str],
    modules: dict[str, list[str]],
) -> dict[str, str]:
    """What reads the items out of a response, and what writes them."""
    service = _own(added)
    files: dict[str, str] = {}
    if service is None:
        return files
    view = vendors_view(added.whole, service)
    if service.vendor_items:
        models = imported(each.model for each in service.vendor_items)
        names = {"response": service.create.response, "imports": models, "items": view["vendor_items"]}
        files["accessors.py"] = environment.get_template("addon/accessors.py.jinja").render(common, **names)
        modules["accessors"] = [each.accessor for each in service.vendor_items]
    functions = [each.method for each in service.vendor_items]
    functions += [each.method for each in service.vendor_events]
    if "server" in components and functions:
        names = {
            "imports": writing_imports(added.whole, service, common["base"], added.names),
            "exports": exported([*functions, *view["vendor_exports"]]),
        }
        files["writing.py"] = environment.get_template("addon/writing.py.jinja").render(common, **view, **names)
    return files


def _own(added: ir.Addition) -> ir.Service | None:
    """The service with the items and events of vendors that are added."""
    service = added.whole.service
    if service is None:
        return None
    items = tuple(each for each in service.vendor_items if each.model in added.names)
    events = tuple(each for each in service.vendor_events if each.model in added.names)
    return replace(service, vendor_items=items, vendor_events=events)


def _init_view(added: ir.Addition, modules: Mapping[str, list[str]]) -> Mapping[str, Any]:
    names = [name for each in modules.values() for name in each]
    return {
        "modules": [{"name": name, "imports": imported(each)} for name, each in sorted(modules.items())],
        "exports": exported(["BASE_RELEASE", *names]),
        "joins": added.joins,
    }
