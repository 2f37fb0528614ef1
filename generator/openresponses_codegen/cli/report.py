"""What commands say: tables and colours for people, JSON for programs, errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from openresponses_codegen import ir
from openresponses_codegen.diagnostics import Diagnostic, Severity, shown
from openresponses_codegen.output import Drift, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from openresponses_codegen.api_changes import Report
    from openresponses_codegen.overrides import Outdated

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


class Reporter:
    """Says things the way the user asked for."""

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self.quiet = quiet
        self.as_json = as_json

    def say(self, text: str, **style: Any) -> None:
        """A line for people."""
        if not self.quiet and not self.as_json:
            click.secho(shown(text, limit=2000), **style)

    def raw(self, text: str) -> None:
        """The output that a command is called for."""
        click.echo(text, nl=not text.endswith("\n"))

    def json(self, content: Mapping[str, Any]) -> None:
        """The result for programs."""
        if self.as_json:
            click.echo(json.dumps(content, indent=2))

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Findings, on standard error; in JSON they are part of the result."""
        if self.as_json:
            return
        for each in diagnostics:
            first, *rest = str(each).splitlines()
            severity = each.severity.value
            if not self.quiet or severity == "error":
                click.echo(
                    first.replace(f"{severity}:", click.style(f"{severity}:", _COLOURS[severity], bold=True), 1),
                    err=True,
                )
                click.echo("".join(click.style(f"{line}\n", dim=True) for line in rest), err=True, nl=False)

    @contextmanager
    def progress(self) -> Generator[Callable[[str], None]]:
        """Tells what is being done while it is done, where somebody watches."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield lambda _: None
            return
        with _console(stderr=True).status("Starting") as status:
            yield status.update

    def left_out(self, left_out: Iterable[ir.LeftOut]) -> None:
        """What a package does not have of the spec, and why."""
        rows = [(each.what, str(each.count), each.reason) for each in left_out]
        if rows and not self.quiet and not self.as_json:
            self.table("Left out on purpose", ("what", "times", "why"), rows)

    def plan(self, plan: Plan) -> None:
        """What was, or would be, done with each file."""
        states = {
            "added": plan.added,
            "changed": plan.changed,
            "unchanged": plan.unchanged,
            "deleted": plan.deleted,
            "kept, edited by hand": plan.kept,
        }
        rows = [
            (name, str(plan.files[name].count("\n")) if name in plan.files else "", state)
            for state, names in states.items()
            for name in names
        ]
        if not self.quiet and not self.as_json:
            self.table(str(plan.folder), ("file", "lines", "state"), sorted(rows))

    def drift(self, drift: Drift) -> None:
        """Each difference with its causes."""
        if self.as_json:
            return
        for each in drift.files:
            click.secho(f"{each.path}: {', '.join(each.causes)}", bold=True)
            if not self.quiet:
                self._diff(each.diff)

    def outdated(self, outdated: Iterable[Outdated]) -> None:
        """What changed of our templates since the user's were made from them, on standard error."""
        if self.as_json:
            return
        for each in outdated:
            what = f"its blocks {', '.join(each.blocks)}" if each.blocks else "it"
            message = f"ours changed since yours was made: {what}"
            hint = f"take over what you need, then run `openresponses-codegen templates accept {each.name}`"
            self.diagnostics([Diagnostic("template-changed", f"{each.name}: {message}", Severity.WARNING, hint=hint)])
            if not self.quiet:
                self._diff(each.diff, err=True)

    def kept(self, folder: Path, kept: Iterable[str], unmerged: Iterable[str]) -> None:
        """The files that were edited by hand and kept so, and what still lies beside them."""
        for name in kept:
            self.say(f"{folder / name}: kept as it was edited by hand", fg="yellow")
        for name in unmerged:
            self.say(f"{folder / name}: take over what you need, delete it, and run `generate --keep-edited`")

    def api_changes(self, report: Report) -> None:
        """What changed in the Python API, breaking changes first."""
        from openresponses_codegen.api_changes import summary  # noqa: PLC0415 - imports slowly

        self.say(f"Changes of the Python API: {summary(report)}", bold=True)
        for each in report.changes:
            colour = {"breaking": "red", "changed": "yellow"}.get(each.impact.value)
            self.say(f"  {each.impact.value:8}  {each.symbol}: {each.text}", fg=colour)

    def _diff(self, diff: str, *, err: bool = False) -> None:
        for line in diff.splitlines():
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.secho(shown(line, limit=500), fg=colour, err=err)

    def table(self, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
        """A table for people."""
        from rich.markup import escape  # noqa: PLC0415 - imported only where a table is shown
        from rich.table import Table  # noqa: PLC0415

        table = Table(title=escape(shown(title)), title_justify="left", title_style="bold")
        for column in columns:
            table.add_column(column, justify="right" if column in {"lines", "times"} else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(shown(cell)) for cell in row))
        _console().print(table)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console  # noqa: PLC0415 - imported only where it is used

    return Console(stderr=stderr, highlight=False)
