"""What a shell may offer in place of an argument or the value of an option."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli.config import find_config, load_config
from openresponses_codegen.components import COMPONENTS
from openresponses_codegen.diagnostics import DiagnosticError

Candidates = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _starting(incomplete: str, values: Iterable[str], said: str | None = None) -> list[CompletionItem]:
    return [CompletionItem(each, help=said) for each in values if each.startswith(incomplete)]


def _or_file(incomplete: str, items: list[CompletionItem]) -> list[CompletionItem]:
    """These, and files. The files come first: in the script for bash they take away what came before them."""
    return [CompletionItem(incomplete, type="file"), *items]


def specs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The bundled releases, newest first, and files."""
    return _or_file(incomplete, _starting(incomplete, reversed(resources.releases()), "a bundled release"))


def releases(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The bundled releases, newest first."""
    return _starting(incomplete, reversed(resources.releases()), "a bundled release")


def extensions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The bundled extensions, and files."""
    return _or_file(incomplete, _starting(incomplete, resources.extensions(), "a bundled extension"))


def components(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The components that are not in the list yet."""
    listed, _, begun = incomplete.rpartition(",")
    before = f"{listed}," if listed else ""
    left = (each for each in COMPONENTS if each not in listed.split(","))
    return [CompletionItem(f"{before}{name}", help=COMPONENTS[name].text) for name in left if name.startswith(begun)]


def stubs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The files to begin with."""
    return _starting(incomplete, pipeline.STUBS)


def packages(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The packages of the configuration."""
    try:
        path: Path | None = context.params.get("config") or find_config(Path.cwd())
        configured = load_config(path) if path is not None else ()
        return _starting(incomplete, (each.package_name() for each in configured))
    except DiagnosticError:
        return []
