"""Options that commands share, and what they stand for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import candidates
from openresponses_codegen.cli.config import (
    FILE,
    PACKAGINGS,
    Target,
    check_components,
    check_stubs,
    find_config,
    load_config,
)
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.components import COMPONENTS
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, suggest

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
        shell_complete=candidates.extensions,
        help="A vendor's extension: a file, or a bundled one by name [repeatable].",
    )
    return extension(overlay(command))


def spec_argument(command: F) -> F:
    """The document."""
    return click.argument("spec", required=False, shell_complete=candidates.specs)(command)


def target_options(command: F) -> F:
    """The options that say what to generate."""
    options = (
        spec_argument,
        click.option(
            "--output", "-o", metavar="DIR", type=click.Path(path_type=Path), help="The package's own folder."
        ),
        click.option("--package", metavar="NAME", help="Its dotted import name [default: the name of DIR]."),
        click.option(
            "--components",
            metavar="LIST",
            shell_complete=candidates.components,
            help=f"Which parts to generate, separated by commas: {', '.join(COMPONENTS)} [default: all].",
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
            shell_complete=candidates.stubs,
            help=f"A file to begin with, written once: {', '.join(pipeline.STUBS)} [repeatable].",
        ),
        click.option(
            "--packaging",
            type=click.Choice(PACKAGINGS),
            help="A folder in your own code, or a distribution with a pyproject.toml of its own [default: module].",
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
            "--only",
            metavar="NAME",
            multiple=True,
            shell_complete=candidates.packages,
            help="Of the packages in the configuration only this one, by its import name or folder [repeatable].",
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
        raise click.UsageError("--base says what to add to: it goes with --extension-only")
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
        packaging=given["packaging"],
        base=_base(given),
    )
    path: Path | None = given["config"] or (find_config(Path.cwd()) if target.output is None else None)
    if path is None:
        if given["only"]:
            raise click.UsageError(f"--only chooses from the packages in {FILE}, and there is none")
        return (target,)
    configured = _chosen(load_config(path), given["only"], path)
    if len(configured) > 1 and (target.output is not None or target.package is not None):
        raise click.UsageError(f"{path} lists several packages: --output and --package would apply to all of them")
    return _apart(tuple(target.over(each) for each in configured), path)


def _chosen(configured: tuple[Target, ...], names: Sequence[str], path: Path) -> tuple[Target, ...]:
    """The packages of these names, in the order of the configuration; all of them without names."""
    known = {name: each for each in configured for name in _names(each, path)}
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"there are {', '.join(known)}"
            raise click.UsageError(f"--only {name}: {path} has no such package; {hint}")
    wanted = [known[name] for name in names]
    return tuple(each for each in configured if each in wanted or not names)


def _names(target: Target, path: Path) -> tuple[str, ...]:
    """What `--only` may call a package: its import name, or its folder as the configuration has it."""
    if target.output is None:
        return () if target.package is None else (target.package,)
    folder = target.output.relative_to(path.parent) if target.output.is_relative_to(path.parent) else target.output
    return target.package_name(), folder.as_posix()


def _apart(several: tuple[Target, ...], path: Path) -> tuple[Target, ...]:
    """The targets, each of which has to have a folder of its own. Raises `DiagnosticError`."""
    folders = [each.output.absolute() for each in several if each.output is not None]
    for index, folder in enumerate(folders):
        if any(other in {folder, *folder.parents} for other in folders[:index]) or any(
            folder in other.parents for other in folders[:index]
        ):
            message = f"{path}: another package has the folder {folder}, or one around or in it"
            raise DiagnosticError([Diagnostic("shared-output", message, hint="give each package a folder of its own")])
    return several


def for_each(several: Iterable[Target], reporter: Reporter, work: Callable[[Target], dict[str, Any]]) -> Outcome:
    """Do the work for each target; one that fails does not keep the others from theirs."""
    results: list[dict[str, Any]] = []
    failures: list[Diagnostic] = []
    for target in several:
        try:
            results.append(work(target))
        except DiagnosticError as error:
            reporter.diagnostics(error.diagnostics)
            failures += error.diagnostics
            found = [each.as_dict() for each in error.diagnostics]
            results.append({"output": str(target.output) if target.output else None, "diagnostics": found})
    return Outcome(results, tuple(failures))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the targets, in order, and the errors of those that failed."""

    results: list[dict[str, Any]]
    failures: tuple[Diagnostic, ...]

    def end(self, reporter: Reporter) -> None:
        """Print the results for programs, and exit with 2 when something failed."""
        failed = [each.as_dict() for each in self.failures]
        reporter.json({"packages": self.results, **({"diagnostics": failed} if failed else {})})
        if failed:
            sys.exit(BAD_INPUT)


def document_target(given: Mapping[str, Any]) -> Target:
    """The document that the command line names (an argument `spec`, and `layer_options`)."""
    return Target(given["spec"], extensions=given["extensions"] or None, overlays=given["overlays"] or None)


def load(target: Target) -> pipeline.Spec:
    """The document of a target, with what is laid over it: the newest release where it names none."""
    name = target.spec or next(reversed(resources.releases()))
    return pipeline.load_spec(name, extensions=target.extensions or (), overlays=target.overlays or ())
