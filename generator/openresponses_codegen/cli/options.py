"""Options that commands share, and what they stand for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli.config import Target, check_components, check_stubs, find_config, load_config
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError

DRIFT, BAD_INPUT = 1, 2
BASE = "openresponses_kit"
"""The name that packages of the spec have by default."""
F = TypeVar("F", bound=Callable[..., Any])


def reporting(command: F) -> F:
    """The options that every command has."""
    command = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def layer_options(command: F) -> F:
    """The options that say what is laid over a document."""
    overlay = click.option(
        "--overlay",
        "overlays",
        metavar="FILE",
        multiple=True,
        help="An OpenAPI Overlay to apply to the document, after extensions [repeatable].",
    )
    extension = click.option(
        "--extension",
        "extensions",
        metavar="FILE|NAME",
        multiple=True,
        help="A vendor's extension: a file, or a bundled one by name [repeatable].",
    )
    return extension(overlay(command))


def target_options(command: F) -> F:
    """The options that say what to generate."""
    options = (
        click.argument("spec", required=False),
        click.option(
            "--output", "-o", metavar="DIR", type=click.Path(path_type=Path), help="The package's own folder."
        ),
        click.option("--package", metavar="NAME", help="Its dotted import name [default: the name of DIR]."),
        click.option(
            "--components",
            metavar="LIST",
            help=f"Which parts to generate, separated by commas: {', '.join(pipeline.COMPONENTS)} [default: all].",
        ),
        click.option(
            "--lenient/--strict",
            default=None,
            help="Leave out what is not understood, with a warning, instead of refusing it.",
        ),
        click.option(
            "--templates",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="A folder of templates that replace or extend ours; see `templates --help`.",
        ),
        click.option(
            "--stub",
            "stubs",
            metavar="NAME",
            multiple=True,
            help=f"A file to begin with, written once: {', '.join(pipeline.STUBS)} [repeatable].",
        ),
        click.option(
            "--extension-only",
            is_flag=True,
            help="Generate only what the extensions add, as a package that registers it with --base when imported.",
        ),
        click.option(
            "--base",
            metavar="NAME",
            help=f"The import name of the installed package to add to [default: {BASE}].",
        ),
        click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="A pyproject.toml [default: the nearest one that has our table].",
        ),
    )
    for option in reversed(options[1:]):
        command = option(command)
    return options[0](layer_options(command))


@contextmanager
def input_errors(reporter: Reporter) -> Generator[None]:
    """Bad input is one clear error and exit code 2."""
    try:
        yield
    except DiagnosticError as error:
        reporter.diagnostics(error.diagnostics)
        reporter.json({"diagnostics": [each.as_dict() for each in error.diagnostics]})
        sys.exit(BAD_INPUT)


def _base(given: Mapping[str, Any]) -> str | None:
    """The package to add to; None for a whole package, or for what the configuration says."""
    name: str | None = given["base"]
    if name is not None and not given["extension_only"]:
        hint = "add `--extension-only` to generate what the extensions add, or leave it out"
        raise DiagnosticError([Diagnostic("bad-base", "`--base` says nothing of a whole package", hint=hint)])
    return (name or BASE) if given["extension_only"] else None


def targets(given: Mapping[str, Any]) -> tuple[Target, ...]:
    """What the command line says (the options of `target_options`), over what the configuration says."""
    listed: str | None = given["components"]
    names = [name.strip() for name in listed.split(",") if name.strip()] if listed is not None else None
    target = Target(
        given["spec"],
        given["output"],
        given["package"],
        check_components(names, "--components") if names is not None else None,
        given["lenient"],
        extensions=given["extensions"] or None,
        overlays=given["overlays"] or None,
        templates=given["templates"],
        stubs=check_stubs(list(given["stubs"]), "--stub") or None,
        base=_base(given),
    )
    path: Path | None = given["config"] or (find_config(Path.cwd()) if target.output is None else None)
    if path is None:
        return (target,)
    configured = load_config(path)
    if len(configured) > 1 and (target.output is not None or target.package is not None):
        raise click.UsageError(f"{path} lists several packages: --output and --package would apply to all of them")
    return tuple(target.over(each) for each in configured)


def document_target(given: Mapping[str, Any]) -> Target:
    """The document that the command line names (an argument `spec`, and `layer_options`)."""
    return Target(given["spec"], extensions=given["extensions"] or None, overlays=given["overlays"] or None)


def load(target: Target) -> pipeline.Spec:
    """The document of a target, with what is laid over it: the newest release where it names none."""
    name = target.spec or next(reversed(resources.releases()))
    return pipeline.load_spec(name, extensions=target.extensions or (), overlays=target.overlays or ())
