"""The command `check`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from openresponses_codegen import pipeline
from openresponses_codegen.cli.annotations import annotations_of
from openresponses_codegen.cli.config import Target
from openresponses_codegen.cli.options import DRIFT, for_each, input_errors, load, reporting, target_options, targets
from openresponses_codegen.cli.overridden import outdated_templates
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.output import check_folder, find_drift, is_current, keep_edits, read_manifest, unmerged


@click.command(epilog="Exit codes: 0 every package is what would be generated, 1 one is not, 2 wrong use or bad input.")
@target_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github"]),
    default="text",
    show_default=True,
    help="Beside the text, annotations that GitHub shows in a pull request.",
)
@reporting
def check(*, form: str, quiet: bool, as_json: bool, **given: Any) -> None:
    """Tell whether a package is what would be generated from SPEC now.

    Prints a unified diff and the cause of each difference, and exits with 1, when it is not: the spec, the
    templates, the generator or the options changed, a file was edited by hand, is missing, or is stale. Files that
    `generate --keep-edited` kept are told, and are no difference until they are edited again.

    \b
    Examples:
      openresponses-codegen check --output src/app/openresponses
      openresponses-codegen check --quiet        # everything that pyproject.toml lists
      openresponses-codegen check --only app.openresponses --format github
    """
    if as_json and form != "text":
        raise click.UsageError("--json prints JSON alone: it cannot be given with --format")
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        try:
            several = targets(given)
        except DiagnosticError as error:
            _annotate(form, [{"diagnostics": [each.as_dict() for each in error.diagnostics]}])
            raise
    outcome = for_each(several, reporter, lambda target: _check(target, reporter))
    _annotate(form, outcome.results)
    differing = sum(bool(result.get("files")) for result in outcome.results)
    if len(several) > 1:
        failed = sum("diagnostics" in each for each in outcome.results)
        said = f"{len(several)} packages, {differing} differ, {failed} failed"
        reporter.say(said, fg="red" if differing or failed else "green")
    outcome.end(reporter)
    if differing:
        sys.exit(DRIFT)


def _annotate(form: str, results: Iterable[Mapping[str, Any]]) -> None:
    if form == "github":
        for line in annotations_of(results):
            click.echo(line)


def _check(target: Target, reporter: Reporter) -> dict[str, Any]:
    folder, options = target.folder(), target.options()
    spec = load(target)
    check_folder(folder)
    result: dict[str, Any] = {"output": str(folder), "templates": outdated_templates(options, reporter)}
    manifest = read_manifest(folder)
    inputs = pipeline.inputs_of(spec, options)
    if manifest is not None and is_current(folder, manifest, inputs):
        kept = tuple(sorted(manifest.edited))
        reporter.kept(folder, kept, unmerged(folder, kept))
        reporter.say(f"{folder}: up to date", fg="green")
        return {**result, "causes": [], "files": [], "edited": list(kept)}
    with reporter.progress() as progress:
        package = pipeline.generate(spec, options, progress)
    edits = keep_edits(folder, package.files, package.manifest, manifest, every=False)
    reporter.kept(folder, edits.kept, unmerged(folder, edits.kept))
    drift = find_drift(folder, edits.files, manifest, inputs, edits.kept)
    reporter.drift(drift)
    if drift.files:
        causes = f" ({', '.join(drift.causes)})" if drift.causes else ""
        reporter.say(f"{folder}: {len(drift.files)} files differ{causes}; run `generate` to renew them", fg="red")
    else:
        reporter.say(f"{folder}: up to date", fg="green")
    files = [{"path": each.path, "causes": list(each.causes), "diff": each.diff} for each in drift.files]
    return {**result, "causes": list(drift.causes), "files": files, "edited": list(edits.kept)}
