"""The runtime of a generated package: sources copied as they are, and templates that get names.

What a template of the runtime gets of a spec are Python names that were decided before, literals and flags, and
nothing else; so nothing of the spec's text can get into code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import jinja2

from openresponses_codegen import ir
from openresponses_codegen.overrides import Overrides
from openresponses_codegen.render.order import listed
from openresponses_codegen.render.vendors import vendors_view
from openresponses_codegen.render.verify import UnsafeSourceError, verify_own
from openresponses_codegen.text import literal


@dataclass(frozen=True, slots=True)
class _Sources:
    """The sources of a component, as patterns below `templates/core`."""

    verbatim: tuple[str, ...]
    """Files that are copied."""
    templates: tuple[str, ...] = ()
    """Templates that are rendered once, without the suffix."""
    shells: str | None = None
    """The folder of templates that are rendered twice, for synchronous and for asynchronous code."""
    exporting: tuple[str, ...] = ()
    """Where names that the package itself offers come from: from these files all that they list."""
    offered: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Names that the package offers of modules which list others, too."""


_GATEWAY = ("", "upstreams/", "routing/", "tools/", "mcp/", "page/")
"""The folders of the gateway."""

_SOURCES: Mapping[str, _Sources] = {
    "models": _Sources(("_base.py", "_unions.py", "extending.py", "py.typed")),
    "client": _Sources(
        ("_mending.py", "_places.py", "_tolerance.py", "sse.py", "client/*.py"),
        (
            "errors.py",
            "accumulate.py",
            "_families.py",
            "_folded.py",
            "_folding.py",
            "_order.py",
            "testing.py",
            "client/*.py",
        ),
        "client/shell",
        ("errors.py", "accumulate.py", "client/"),
        {"_base": ["Deviation"], "_tolerance": ["DeviationWarning"]},
    ),
    "server": _Sources(
        ("_places.py", "sse.py", "server/*.py", "server/demonstration/*.py"),
        ("__main__.py", "server/*.py", "server/demonstration/*.py"),
    ),
    "gateway": _Sources(
        (*(f"gateway/{folder}*.py" for folder in _GATEWAY), "gateway/page/assets/*"),
        tuple(f"gateway/{folder}*.py" for folder in _GATEWAY),
    ),
}
RUNTIMES = tuple(name for name in _SOURCES if name != "models")
"""The components that are made of runtime sources, and need a service."""
_OF_WEBSOCKETS = frozenset(
    {
        "client/conversation.py",
        "client/failures.py",
        "client/handshake.py",
        "client/shell/connection.py",
        "client/shell/wire.py",
        "server/_frame_queue.py",
        "server/_recent_responses.py",
        "server/websocket.py",
    }
)
"""The files that a spec without a WebSocket has no use for, by path without the suffix of a template."""

_OF_COMPACTION = frozenset({"gateway/compaction.py"})
"""The files that a spec without compaction has no use for."""

_OF_VENDORS = frozenset({"server/_vendor_writers.py"})
"""The files that a spec without items of vendors has no use for."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The files of a component by path, and the names that the package offers, by module."""

    files: Mapping[str, str]
    exports: Mapping[str, list[str]]


def runtime_view(api: ir.Api, service: ir.Service) -> Mapping[str, Any]:
    """The variables that all templates of the runtime get. Raises what `check_names` raises."""
    names = _names(service)
    check_names(names)
    return {**names, **vendors_view(api, service)}


def _names(service: ir.Service) -> Mapping[str, Any]:
    return {
        "request": service.create.request,
        "response": service.create.response,
        "path": literal(service.create.path),
        "input_item": service.input_item,
        "item": service.item,
        "items": service.items,
        "parts": service.parts,
        "events": service.events,
        "tool": service.tool,
        "annotation": service.annotation,
        "logprob": service.logprob,
        "usage": service.usage,
        "padded": {name: name in service.padded for name in service.events},
        "has_phase": service.has_phase,
        "compact": _compact(service.compact) if service.compact is not None else None,
        "websocket": _websocket(service.websocket) if service.websocket is not None else None,
    }


def check_names(view: Mapping[str, Any]) -> None:
    """Raise `UnsafeSourceError` unless all that templates get of a spec is names and literals."""
    for value in view.values():
        if isinstance(value, Mapping):
            check_names(cast("Mapping[str, Any]", value))
        elif isinstance(value, str) and not value.isidentifier() and not _is_literal(value):
            raise UnsafeSourceError(f"a template of the runtime would get {value!r}, which is no name and no literal")


def _is_literal(source: str) -> bool:
    try:
        ast.literal_eval(source)
    except (SyntaxError, ValueError):
        return False
    return True


def verbatim(templates: Path, component: str, overrides: Overrides) -> dict[str, str]:
    """The files of a component that are copied as they are, by path; those of the user in place of ours."""
    core = templates / "core"
    paths = (path for pattern in _SOURCES[component].verbatim for path in sorted(core.glob(pattern)))
    files: dict[str, str] = {}
    for path in paths:
        name = path.relative_to(core).as_posix()
        if path.name.startswith("."):
            continue
        own = overrides.files.get(f"core/{name}")
        if own is not None and name.endswith(".py"):
            verify_own(own.name, own.text)
        files[name] = path.read_text(encoding="utf-8") if own is None else own.text
    return files


def render_runtime(
    component: str,
    view: Mapping[str, Any],
    environment: jinja2.Environment,
    templates: Path,
    overrides: Overrides,
) -> Runtime:
    """The files of a component, unformatted.

    Raises `jinja2.TemplateError` for a template that does not work.
    """
    core = templates / "core"
    sources = _SOURCES[component]
    left_out = frozenset[str]() if view["websocket"] else _OF_WEBSOCKETS
    left_out = left_out if view["compact"] else left_out | _OF_COMPACTION
    left_out = left_out if view["vendor_items"] else left_out | _OF_VENDORS
    files = {path: text for path, text in verbatim(templates, component, overrides).items() if path not in left_out}

    def render(path: Path, target: str, **more: Any) -> None:
        name = path.relative_to(core).with_suffix("").as_posix()
        if name in left_out:
            return
        template = path.relative_to(templates).as_posix()
        files[target] = environment.get_template(template).render(**view, **more)
        if template in overrides.files:
            verify_own(template, files[target])

    for pattern in sources.templates:
        for path in sorted(core.glob(f"{pattern}.jinja")):
            render(path, path.relative_to(core).with_suffix("").as_posix())
    if sources.shells is not None:
        for path in sorted((core / sources.shells).glob("*.jinja")):
            render(path, f"{component}/sync/{path.stem}", **_words(is_async=False))
            render(path, f"{component}/aio/{path.stem}", **_words(is_async=True))
    exported = _exports(files, sources.exporting)
    exports = {path.removesuffix(".py").replace("/", "."): names for path, names in exported}
    return Runtime(files, {**exports, **sources.offered})


def _compact(operation: ir.Operation) -> Mapping[str, Any]:
    return {"request": operation.request, "response": operation.response, "path": literal(operation.path)}


def _websocket(websocket: ir.WebSocket) -> Mapping[str, Any]:
    return {"path": literal(websocket.path), "request": websocket.client_message, "error": websocket.error_message}


def _words(*, is_async: bool) -> Mapping[str, Any]:
    """What differs between synchronous and asynchronous code: words of the language and names of classes."""
    a = "a" if is_async else ""
    return {
        "is_async": is_async,
        "async": "async " if is_async else "",
        "await": "await " if is_async else "",
        "Async": "Async" if is_async else "",
        "iter": f"__{a}iter__",
        "next": f"__{a}next__",
        "enter": f"__{a}enter__",
        "exit": f"__{a}exit__",
        "Iterator": "AsyncIterator" if is_async else "Iterator",
        "Generator": "AsyncGenerator" if is_async else "Generator",
        "aclose": f"{a}close",
        "stop": "StopAsyncIteration" if is_async else "StopIteration",
    }


def _exports(files: Mapping[str, str], exporting: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The names in `__all__` of the modules whose names the package offers."""
    for path, text in files.items():
        if path.startswith(tuple(exporting)) and not path.endswith("__init__.py"):
            names = listed(text)
            if names:
                yield path, names
