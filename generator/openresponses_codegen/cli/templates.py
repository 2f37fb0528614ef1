"""The commands below `templates`: our templates, and files of the user's own in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from openresponses_codegen import resources
from openresponses_codegen.cli.config import FILE, TABLE, find_config, load_config
from openresponses_codegen.cli.options import input_errors, reporting
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, suggest
from openresponses_codegen.overrides import (
    NONE,
    Overrides,
    accept,
    catalogue,
    eject,
    find,
    read_overrides,
)

F = TypeVar("F", bound=Callable[..., Any])


def _folder_option(command: F) -> F:
    return click.option(
        "--templates",
        "folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="The folder of your templates [default: that of pyproject.toml].",
    )(command)


@click.group()
def templates() -> None:
    """List, show and replace the templates that a package is rendered from.

    A file of yours, in the folder given by `--templates DIR` or by the key `templates` in pyproject.toml, replaces
    ours of the same name, or extends blocks of it.

    \b
    Examples:
      openresponses-codegen templates eject core/client/shell/client.py.jinja --block OpenResponses_body \\
          --templates templates
      openresponses-codegen generate --output src/app/openresponses --templates templates
    """


@templates.command("list")
@_folder_option
@reporting
def list_templates(*, folder: Path | None, quiet: bool, as_json: bool) -> None:
    """List all templates with their blocks, and say which ones you replaced or extended.

    \b
    Examples:
      openresponses-codegen templates list
      openresponses-codegen templates list --json
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        path = _configured(folder)
        yours = NONE if path is None or not path.exists() else read_overrides(path, resources.templates())
        originals = catalogue(resources.templates())
        names = [*originals, *(name for name in yours.files if name not in originals)]
        rows = {name: list(originals[name].blocks) if name in originals else [] for name in names}
        shown = ((name, ", ".join(blocks), _state(name, yours)) for name, blocks in rows.items())
        if not as_json and not quiet:
            reporter.table("Templates", ("template", "blocks", "yours"), shown)
        reporter.json(
            {"templates": [{"name": each, "blocks": rows[each], "yours": _state(each, yours)} for each in rows]}
        )


def _state(name: str, yours: Overrides) -> str:
    override = yours.files.get(name)
    if override is None:
        return ""
    return f"extends {', '.join(override.blocks)}" if override.extends else "replaces"


@templates.command()
@click.argument("name")
@click.option("--block", metavar="NAME", help="Print what stands in this block only.")
@reporting
def show(*, name: str, block: str | None, quiet: bool, as_json: bool) -> None:
    """Print a template of ours.

    \b
    Examples:
      openresponses-codegen templates show core/errors.py.jinja
      openresponses-codegen templates show core/models.py.jinja --block class_body
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        original = find(resources.templates(), name)
        blocks = original.blocks
        if block is not None and block not in blocks:
            hint = suggest(block, blocks) or f"there are {', '.join(blocks) or 'none'}"
            raise DiagnosticError([Diagnostic("unknown-block", f"{name} has no block `{block}`", hint=hint)])
        text = original.text if block is None else blocks[block]
        if as_json:
            reporter.json({"name": name, "blocks": list(blocks), "text": text})
        else:
            reporter.raw(text)


@templates.command("eject")
@click.argument("name")
@click.option("--block", "blocks", metavar="NAME", multiple=True, help="Extend this block only [repeatable].")
@_folder_option
@reporting
def eject_template(*, name: str, blocks: tuple[str, ...], folder: Path | None, quiet: bool, as_json: bool) -> None:
    """Write a file of your own for a template: a copy of ours, or one that extends some blocks of it.

    What it was made from is kept in DIR/.base, so that `generate` and `check` can show what changes with an upgrade.

    \b
    Examples:
      openresponses-codegen templates eject core/licence.jinja --templates templates
      openresponses-codegen templates eject core/errors.py.jinja --block end --templates templates
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        path = eject(_required(folder), resources.templates(), name, blocks)
        reporter.say(f"{path}: written", fg="green")
        reporter.json({"written": str(path)})


@templates.command("accept")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@_folder_option
@reporting
def accept_templates(*, names: tuple[str, ...], folder: Path | None, quiet: bool, as_json: bool) -> None:
    """Say that your templates fit ours as they are now: all of them, or those of these names.

    \b
    Examples:
      openresponses-codegen templates accept core/errors.py.jinja
      openresponses-codegen templates accept --templates templates
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        yours = read_overrides(_required(folder), resources.templates())
        accepted = accept(yours, resources.templates(), names)
        reporter.diagnostics(yours.findings)
        reporter.say(f"{yours.folder}: {len(accepted)} templates accepted", fg="green")
        reporter.json({"accepted": list(accepted)})


def _configured(folder: Path | None) -> Path | None:
    """The folder that the command line names, or the configuration."""
    if folder is not None:
        return folder
    path = find_config(Path.cwd())
    folders = {each.templates for each in load_config(path)} - {None} if path is not None else set[Path | None]()
    if len(folders) > 1:
        raise DiagnosticError(
            [Diagnostic("no-templates", f"{path} names several folders of templates", hint="give `--templates DIR`")]
        )
    return next(iter(folders), None)


def _required(folder: Path | None) -> Path:
    found = _configured(folder)
    if found is None:
        hint = f"give `--templates DIR`, or set `templates` in [tool.{TABLE}] of {FILE}"
        raise DiagnosticError([Diagnostic("no-templates", "no folder of templates is given", hint=hint)])
    return found
