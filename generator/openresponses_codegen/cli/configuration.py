"""The commands below `config`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import click

from openresponses_codegen import resources
from openresponses_codegen.cli.config import Target
from openresponses_codegen.cli.options import input_errors, reporting, target_options, targets
from openresponses_codegen.cli.report import Reporter

SCHEMA = Path(__file__).with_name("configuration.schema.json")


@click.group()
def config() -> None:
    """Show what [tool.openresponses-codegen] of pyproject.toml comes to.

    \b
    Examples:
      openresponses-codegen config show
      openresponses-codegen config schema > openresponses-codegen.schema.json
    """


@config.command()
def schema() -> None:
    """Print the JSON Schema of the table, for editors and validators.

    \b
    Example:
      openresponses-codegen config schema > openresponses-codegen.schema.json
    """
    click.echo(SCHEMA.read_text(encoding="utf-8"), nl=False)


@config.command()
@target_options
@reporting
def show(*, quiet: bool, as_json: bool, **given: Any) -> None:
    """Print the packages that `generate` would make here, with every default filled in.

    Takes the arguments of `generate`, so that you see what they change. Nothing is read but the configuration.

    \b
    Examples:
      openresponses-codegen config show
      openresponses-codegen config show --only app.openresponses --json
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        shown = [_resolved(each) for each in targets(given)]
    reporter.json({"packages": shown})
    if not as_json:
        for each in shown:
            reporter.raw("\n".join(_lines(each)))


def _resolved(target: Target) -> dict[str, Any]:
    options = target.options()
    packed = options.distribution
    return {
        "package": options.package,
        "output": str(target.folder()),
        "spec": target.spec or next(reversed(resources.releases())),
        "extensions": list(target.extensions or ()),
        "overlays": list(target.overlays or ()),
        "components": list(options.components),
        "lenient": options.lenient,
        "templates": str(options.templates) if options.templates else None,
        "own": list(options.own),
        "stubs": list(options.stubs),
        "packaging": "module" if packed is None else "distribution",
        "distribution": packed.name if packed else None,
        "revision": packed.revision if packed else None,
        "licence": packed.licence if packed else None,
        "severities": {rule: severity.value for rule, severity in (target.severities or {}).items()},
    }


def _lines(resolved: Mapping[str, Any]) -> list[str]:
    """A package as people read it: what is not set is left out."""
    said = {name: _said(value) for name, value in resolved.items()}
    return [said["package"], *(f"  {name:12}  {text}" for name, text in said.items() if text and name != "package")]


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value)))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in cast("dict[str, object]", value).items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
