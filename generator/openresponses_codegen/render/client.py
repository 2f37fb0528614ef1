"""The client of a generated package: runtime sources copied as they are, and templates that get names.

What a template of the client gets of a spec are Python names that were decided before, literals and flags, and
nothing else; so nothing of the spec's text can get into code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jinja2

from openresponses_codegen import ir
from openresponses_codegen.render.verify import UnsafeSourceError
from openresponses_codegen.text import literal

_VERBATIM: Mapping[str, tuple[str, ...]] = {
    "models": ("_base.py", "_unions.py", "py.typed"),
    "client": ("_mending.py", "_tolerance.py", "sse.py", "client/*.py"),
}
"""The files that are copied, by component; patterns below `templates/core`."""
_TEMPLATES = (
    "errors.py",
    "accumulate.py",
    "_families.py",
    "_folded.py",
    "_folding.py",
    "_order.py",
    "testing.py",
    "client/*.py",
)
"""The templates that are rendered once; patterns below `templates/core`, without the suffix."""
_SHELLS = "client/shell"
"""The folder of templates that are rendered twice, for synchronous and for asynchronous code."""
_OF_WEBSOCKETS = frozenset(
    {
        "client/conversation.py",
        "client/failures.py",
        "client/handshake.py",
        f"{_SHELLS}/connection.py",
        f"{_SHELLS}/wire.py",
    }
)
"""The templates that a spec without a WebSocket has no use for, as in `_TEMPLATES`."""
_EXPORTING = ("errors.py", "accumulate.py", "client/")
"""Where the names that the package itself offers come from: from these files all that they list."""
_OFFERED: Mapping[str, list[str]] = {"_base": ["Deviation"], "_tolerance": ["DeviationWarning"]}
"""Names that the package offers of modules which list others, too."""


@dataclass(frozen=True, slots=True)
class Client:
    """The files of the client by path, and the names that the package offers, by module."""

    files: Mapping[str, str]
    exports: Mapping[str, list[str]]


def service_view(service: ir.Service) -> Mapping[str, Any]:
    """The names that templates of the client get."""
    return {
        "request": service.create.request,
        "response": service.create.response,
        "path": literal(service.create.path),
        "item": service.item,
        "items": service.items,
        "parts": service.parts,
        "events": service.events,
        "tool": service.tool,
        "compact": _compact(service.compact) if service.compact is not None else None,
        "websocket": _websocket(service.websocket) if service.websocket is not None else None,
    }


def check_names(view: Mapping[str, Any]) -> None:
    """Raise `UnsafeSourceError` unless all that templates get of a spec is names and literals."""
    for value in view.values():
        if isinstance(value, Mapping):
            check_names(cast("Mapping[str, Any]", value))
        elif isinstance(value, str) and not value.isidentifier() and not _is_literal(value):
            raise UnsafeSourceError(f"a template of the client would get {value!r}, which is no name and no literal")


def _is_literal(source: str) -> bool:
    try:
        ast.literal_eval(source)
    except (SyntaxError, ValueError):
        return False
    return True


def verbatim(templates: Path, component: str) -> dict[str, str]:
    """The files of a component that are copied as they are, by path."""
    core = templates / "core"
    paths = (path for pattern in _VERBATIM[component] for path in sorted(core.glob(pattern)))
    return {path.relative_to(core).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def render_client(
    service: ir.Service, package: str, header: str, environment: jinja2.Environment, templates: Path
) -> Client:
    """The files of the client, unformatted.

    Raises `jinja2.TemplateError` for a template that does not work, and what `check_names` raises.
    """
    core = templates / "core"
    names = service_view(service)
    check_names(names)
    view = {"header": header, "package": package, **names}
    files = verbatim(templates, "client")

    def render(path: Path, target: str, **more: Any) -> None:
        name = path.relative_to(core).with_suffix("").as_posix()
        if service.websocket is None and name in _OF_WEBSOCKETS:
            return
        template = environment.get_template(path.relative_to(templates).as_posix())
        files[target] = template.render(**view, **more)

    for pattern in _TEMPLATES:
        for path in sorted(core.glob(f"{pattern}.jinja")):
            render(path, path.relative_to(core).with_suffix("").as_posix())
    for path in sorted((core / _SHELLS).glob("*.jinja")):
        render(path, f"client/sync/{path.stem}", **_words(is_async=False))
        render(path, f"client/aio/{path.stem}", **_words(is_async=True))
    exports = {path.removesuffix(".py").replace("/", "."): names for path, names in _exports(files)}
    return Client(files, {**exports, **_OFFERED})


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


def _exports(files: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """The names in `__all__` of the modules whose names the package offers."""
    for path, text in files.items():
        if not path.startswith(_EXPORTING) or path.endswith("__init__.py"):
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                yield path, ast.literal_eval(node.value)
