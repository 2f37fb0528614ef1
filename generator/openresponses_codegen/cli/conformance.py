"""The command `conform`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openresponses_codegen import resources
from openresponses_codegen.diagnostics import shown

if TYPE_CHECKING:
    from openresponses_codegen.conform.case import Case
    from openresponses_codegen.conform.report import Report
    from openresponses_codegen.conform.run import Progress
    from openresponses_codegen.conform.settings import Settings

FAILURES, NO_TEST = 1, 2
_EXTRA = {"httpx2", "jsonschema", "websockets"}
_COLOURS = {"passed": "green", "failed": "red", "advice": "yellow", "skipped": "bright_black"}


@click.command(epilog="Exit codes: 0 nothing failed, 1 failures, 2 wrong use or no server to test.")
@click.argument("url", required=False)
@click.option("--api-key", metavar="KEY", envvar="OPENRESPONSES_API_KEY", help="Sent as a bearer token.")
@click.option("--model", metavar="NAME", help="What requests name as model [default: none is named].")
@click.option(
    "--release",
    type=click.Choice(list(resources.releases())),
    default=next(reversed(resources.releases())),
    show_default=True,
    help="The release that the server is held to.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit", "html"]),
    default="text",
    show_default=True,
    help="What the report looks like.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report there [default: standard output].",
)
@click.option(
    "--rule", "rules", metavar="RULE", multiple=True, help="Only cases of a rule, or of a section [repeatable]."
)
@click.option(
    "--case", "ids", metavar="ID", multiple=True, help="Only these cases; * stands for anything [repeatable]."
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0.1),
    default=60.0,
    show_default=True,
    help="For one exchange.",
)
@click.option(
    "--parallel", metavar="N", type=click.IntRange(1, 64), default=4, show_default=True, help="Exchanges at a time."
)
@click.option(
    "--progress",
    type=click.Choice(["auto", "json", "none"]),
    default="auto",
    show_default=True,
    help="On standard error: a bar where somebody watches, or a line of JSON for each request that is done.",
)
@click.option("--list", "lists", is_flag=True, help="Print the cases, and test nothing.")
def conform(*, url: str | None, lists: bool, rules: Sequence[str], ids: Sequence[str], **given: Any) -> None:
    """Test whether the server at URL keeps the rules of Open Responses.

    URL is the base URL, to which /responses is added; it often ends in /v1. Rules that are no part of the standard
    give advice and no failures, and what a server does not offer is skipped, with the reason. Needs the extra
    `conform`: pip install 'openresponses-codegen[conform]'.

    \b
    Examples:
      openresponses-codegen conform http://localhost:8000/v1
      openresponses-codegen conform https://api.example.com/v1 --model small --format html -o report.html
      openresponses-codegen conform http://localhost:8000/v1 --rule S --case 'L9-*'
      openresponses-codegen conform --list
    """
    with _extra():
        from openresponses_codegen.conform.formats import FORMATS, summary_line  # noqa: PLC0415 - needs the extra
        from openresponses_codegen.conform.run import chosen  # noqa: PLC0415
        from openresponses_codegen.conform.settings import Limits, Settings, base_url  # noqa: PLC0415
    cases = chosen(rules, ids)
    if not cases:
        raise click.UsageError("no case is of such a rule or has such an id; see --list")
    if lists:
        _print_cases(cases, as_json=given["form"] == "json")
        return
    if url is None:
        raise click.UsageError("name the server: its base URL")
    try:
        where = base_url(url)
    except ValueError as error:
        raise click.UsageError(shown(str(error))) from None
    settings = Settings(
        where,
        given["release"],
        given["api_key"] or None,
        given["model"],
        given["parallel"],
        Limits(seconds=given["timeout"]),
    )
    report = _report(settings, cases, given["progress"])
    text = FORMATS[given["form"]](report)
    output: Path | None = given["output"]
    if output is None:
        _print(text, in_colour=given["form"] == "text")
    else:
        _write(output, text)
        click.echo(f"{output}: {summary_line(report)}", err=True)
    sys.exit(FAILURES if report.has_failures else 0)


@contextmanager
def _extra() -> Generator[None]:
    """What is not installed is one clear error."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        message = f"conform needs {error.name}, which is not installed: pip install 'openresponses-codegen[conform]'"
        raise click.UsageError(message) from None


def _report(settings: Settings, cases: Sequence[Case], progress_form: str) -> Report:
    from openresponses_codegen.conform.run import UnreachableError, run  # noqa: PLC0415 - needs the extra

    try:
        with _progress(progress_form) as progress:
            return asyncio.run(run(settings, cases, progress))
    except UnreachableError as error:
        click.secho(f"error: {shown(str(error))}", fg="red", err=True)
        sys.exit(NO_TEST)


@contextmanager
def _progress(form: str) -> Generator[Progress | None]:
    """Tells what is being asked: somebody who watches, or a program."""
    if form == "json":
        yield _print_progress
        return
    if form == "none" or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - imported only where it is used
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda doing, done, total: bar.update(task, description=doing, completed=done, total=total)


def _print_progress(doing: str, done: int, total: int) -> None:
    click.echo(json.dumps({"doing": doing, "done": done, "total": total}), err=True)


def _print(text: str, *, in_colour: bool) -> None:
    for line in text.splitlines():
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        click.secho(line, fg=_COLOURS.get(word) if in_colour else None)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{shown(str(path))} cannot be written: {error.strerror}") from None


def _print_cases(cases: Sequence[Case], *, as_json: bool) -> None:
    if as_json:
        listed = [
            {"id": each.id, "rule": each.rule, "title": each.title, "is_advice": each.is_advice} for each in cases
        ]
        click.echo(json.dumps({"cases": listed}, indent=2))
        return
    for each in cases:
        click.echo(f"{each.id}: {each.title}{' (advice)' if each.is_advice else ''}")
