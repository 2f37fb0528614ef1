"""The command `diff`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from openresponses_codegen import pipeline, source
from openresponses_codegen.cli.config import FILE, TABLE, Target, find_config, load_config
from openresponses_codegen.cli.options import DRIFT, input_errors, layer_options, load
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Position
from openresponses_codegen.diff import Party, Report, Severity

_COLOURS = {"breaking": "red", "risky": "yellow", "safe": "green", "documentation": "cyan"}
_PIPED = 100
"""Columns where there is no terminal."""


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@layer_options
@click.option("--lenient/--strict", default=False, help="Leave out what is not understood, with a warning.")
@click.option(
    "--party",
    "parties",
    type=click.Choice([each.value for each in Party]),
    multiple=True,
    help="For whom to judge: who calls with the generated client, serves with the generated server, talks raw JSON, "
    "or uses the generated Python classes [repeatable; default: all].",
)
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in Severity]),
    help="Exit with 1 when there is a change as bad as that, or worse.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for a changelog, for programs, or as annotations of GitHub Actions.",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A pyproject.toml [default: the nearest one that has our table].",
)
def diff(*, old: str | None, new: str | None, style: str, **given: Any) -> None:
    """Tell what a change from OLD to NEW means, for whom, and what to do.

    OLD and NEW are paths or names of bundled releases; extensions and overlays are applied to both. Without them,
    each configured package is compared with what would be generated now. Equivalent spellings are no difference.

    \b
    Examples:
      openresponses-codegen diff 2026-01-15 2026-04-24
      openresponses-codegen diff 2026-01-15 my-openapi.yaml --party client --fail-on breaking
      openresponses-codegen diff old.json new.json --format markdown --output CHANGES.md
    """
    reporter = Reporter(quiet=False, as_json=style == "json")
    parties = tuple(party for party in Party if party.value in given["parties"]) or tuple(Party)
    with input_errors(reporter):
        path = given["config"] or find_config(Path.cwd())
        targets = load_config(path) if path is not None else ()
        if old is not None and new is not None:
            severities = targets[0].severities if targets else None
            found = [_reported(_given(old, given), _given(new, given), given, severities)]
        elif old is not None:
            raise click.UsageError("one document is given, and two are compared: OLD and NEW")
        else:
            found = [_of_package(target, given) for target in targets]
        if not found:
            raise click.UsageError(f"give OLD and NEW, or list packages in [tool.{TABLE}] of {FILE}")
        reports = [replace(each, parties=parties) for each in found]
        _show(reports, style, given["output"])
    if given["fail_on"] is not None and any(each.at_least(Severity(given["fail_on"])) for each in reports):
        sys.exit(DRIFT)


def _given(name: str, given: dict[str, Any]) -> pipeline.Spec:
    return load(Target(name, extensions=given["extensions"] or None, overlays=given["overlays"] or None))


def _reported(old: pipeline.Spec, new: pipeline.Spec, given: dict[str, Any], severities: Any) -> Report:
    return pipeline.compare(old, new, severities, lenient=given["lenient"])


def _of_package(target: Target, given: dict[str, Any]) -> Report:
    """What changed since a package was generated: from the document in it to the one that is configured."""
    recorded = target.folder() / pipeline.DOCUMENT
    if not recorded.is_file():
        hint = "generate it with the component `server`, which keeps the document, or give OLD and NEW"
        place = Position(str(recorded), 1, 1)
        raise DiagnosticError(
            [Diagnostic("no-document", "the package does not hold its document", position=place, hint=hint)]
        )
    old = pipeline.Spec(str(recorded), source.read(recorded))
    return _reported(old, load(target), given, target.severities)


def _show(reports: list[Report], style: str, output: Path | None) -> None:
    content = rendered(reports, style, colours=output is None)
    if output is None:
        click.echo(content, nl=False)
        return
    try:
        output.write_text(content, encoding="utf-8")
    except OSError as error:
        place = Position(str(output), 1, 1)
        message = f"the file cannot be written: {error.strerror}"
        raise DiagnosticError([Diagnostic("not-writable", message, position=place)]) from None


def rendered(reports: Iterable[Report], style: str, *, colours: bool) -> str:
    """The reports in a format; the module of each is imported when it is asked for."""
    if style == "json":
        from openresponses_codegen.diff.plain import plain  # noqa: PLC0415

        return json.dumps({"reports": [plain(each) for each in reports]}, indent=2) + "\n"
    if style == "markdown":
        from openresponses_codegen.diff.markdown import markdown  # noqa: PLC0415

        return "\n".join(map(markdown, reports))
    if style == "github":
        from openresponses_codegen.diff.github import github  # noqa: PLC0415

        return "".join(map(github, reports))
    from openresponses_codegen.diff.text import text  # noqa: PLC0415

    columns = os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if columns else _PIPED
    return "\n".join(text(each, width, _painted if colours else lambda words, _: words) for each in reports)


def _painted(words: str, style: str) -> str:
    """Coloured text; click takes the colours away where nobody sees them, or NO_COLOR is set."""
    if style == "dim":
        return click.style(words, dim=True)
    return click.style(words, bold=True, fg=_COLOURS.get(style))
