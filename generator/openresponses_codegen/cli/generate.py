"""The command `generate`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openresponses_codegen import pipeline
from openresponses_codegen.cli.api import ApiReports, changes_of
from openresponses_codegen.cli.config import Target
from openresponses_codegen.cli.options import for_each, input_errors, load, reporting, target_options, targets
from openresponses_codegen.cli.overridden import outdated_templates
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.output import (
    Edits,
    Manifest,
    Plan,
    changed_below,
    check_folder,
    is_current,
    keep_edits,
    new_stubs,
    plan,
    read_manifest,
    write,
)

if TYPE_CHECKING:
    from openresponses_codegen.api_changes import Report


@dataclass(frozen=True, slots=True)
class How:
    """What the options of `generate` ask for."""

    dry_run: bool = False
    force: bool = False
    keep_edited: bool = False


@click.command(epilog="Exit codes: 0 done, 2 wrong use or bad input; nothing of a package that failed was changed.")
@target_options
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@click.option(
    "--keep-edited",
    is_flag=True,
    help="Leave files that were edited by hand as they are, and write ours beside them as FILE.new.",
)
@click.option(
    "--api-report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what changed in the Python API there, as Markdown.",
)
@reporting
def generate(*, quiet: bool, as_json: bool, api_report: Path | None, **given: Any) -> None:
    """Generate a package from SPEC.

    SPEC is a path, `-` for standard input, or the name of a bundled release (default: the newest). Files that were
    edited by hand are not overwritten; files that are no longer produced are deleted, unless they were edited.
    Without SPEC and --output, all packages in [tool.openresponses-codegen] of pyproject.toml are generated. When a
    package is renewed, the changes of its Python API are listed, breaking ones first.

    \b
    Examples:
      openresponses-codegen generate --output src/app/openresponses
      openresponses-codegen generate --extension-only --extension acme.yaml --output src/acme_openresponses
      openresponses-codegen generate 2026-01-15 --output openresponses_old --components models
      openresponses-codegen generate --dry-run --api-report api-changes.md
      openresponses-codegen generate --output acme-openresponses --packaging distribution
      curl -s https://example.com/openapi.json | openresponses-codegen generate - --output kit --dry-run
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    how = How(*(given.pop(name) for name in ("dry_run", "force", "keep_edited")))
    if how.force and how.keep_edited:
        raise click.UsageError("--force overwrites what --keep-edited keeps: give one of them")
    with input_errors(reporter):
        reports = ApiReports()
        several = targets(given)
        outcome = for_each(several, reporter, lambda target: _generate(target, reporter, how, reports))
        if api_report is not None:
            reports.write(api_report)
        if len(several) > 1:
            failed = sum("diagnostics" in each for each in outcome.results)
            reporter.say(f"{len(several)} packages, {failed} failed", fg="red" if failed else "green")
        outcome.end(reporter)


def _generate(target: Target, reporter: Reporter, how: How, reports: ApiReports) -> dict[str, Any]:
    prepared = prepare(target, load(target), reporter, how)
    if prepared.plan is not None and not how.dry_run:
        write(prepared.plan)
    if prepared.changes is not None:
        reports.add(prepared.options.package, prepared.changes)
    return tell(prepared, reporter, dry_run=how.dry_run)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A package that is ready to be written."""

    folder: Path
    options: pipeline.Options
    manifest: Manifest | None
    """What made the package that is there."""
    templates: list[dict[str, Any]]
    """The user's templates that were made from other ones than ours are now."""
    package: pipeline.Package | None = None
    """None when the package that is there is up to date."""
    plan: Plan | None = None
    edited: tuple[str, ...] = ()
    """Files that were edited by hand, and stay as they are."""
    changes: Report | None = None
    """What it changes in the Python API."""


def prepare(target: Target, spec: pipeline.Spec, reporter: Reporter, how: How) -> Prepared:
    """Render the package of a target from a document, and plan what is to be written; nothing is.

    Raises `DiagnosticError` when it cannot be rendered, or files that were edited by hand are in the way.
    """
    folder, options = target.folder(), target.options()
    check_folder(folder)
    templates = outdated_templates(options, reporter)
    manifest = _manifest(folder, force=how.force)
    prepared = Prepared(folder, options, manifest, templates)
    if manifest is not None and is_current(folder, manifest, pipeline.inputs_of(spec, options)):
        return prepared
    with reporter.progress() as progress:
        package = pipeline.generate(spec, options, progress)
    edits = _edits(folder, package, manifest, how)
    stubs = new_stubs(folder, package.own, options.stub_paths, manifest)
    yours = (*options.own, *options.stub_paths, *edits.kept)
    todo = plan(folder, {**edits.files, **stubs}, edits.then, yours)
    if todo.edited and not how.force:
        raise DiagnosticError(todo.refusals())
    changes = changes_of(folder, package, manifest, edits.kept)
    return replace(prepared, package=package, plan=todo, edited=edits.kept, changes=changes)


def tell(prepared: Prepared, reporter: Reporter, *, dry_run: bool) -> dict[str, Any]:
    """Say what was done, or would be, and return it for JSON output."""
    folder, package, todo = prepared.folder, prepared.package, prepared.plan
    if package is None or todo is None:
        manifest = prepared.manifest
        files = sorted(manifest.files) if manifest is not None else []
        reporter.say(f"{folder}: nothing to do, {len(files)} files are up to date", fg="green")
        release = manifest.release if manifest is not None else None
        return {"output": str(folder), "release": release, "unchanged": files, "templates": prepared.templates}
    reporter.diagnostics(package.warnings)
    changed = changed_below(prepared.manifest, package.manifest)
    for name in changed:
        reporter.say(f"{folder / name}: the file is yours; what the generator would write there changed", fg="yellow")
    reporter.plan(todo)
    reporter.left_out(package.api.left_out)
    for name in prepared.edited:
        reporter.say(f"{folder / name}: kept as it was edited by hand", fg="yellow")
    done = "would be generated" if dry_run else "generated"
    reporter.say(f"{prepared.options.package}: {done} from Open Responses {package.manifest.release}", fg="green")
    if prepared.changes is not None:
        reporter.api_changes(prepared.changes)
    return {
        "output": str(folder),
        "dry_run": dry_run,
        **_done(todo, package),
        "own": sorted(package.own),
        "changed_below": changed,
        "edited": list(prepared.edited),
        "templates": prepared.templates,
        "api": prepared.changes.as_dict() if prepared.changes is not None else None,
    }


def _edits(folder: Path, package: pipeline.Package, manifest: Manifest | None, how: How) -> Edits:
    """Which edited files stay; with `--force` none does."""
    if how.force:
        return Edits(package.files, (), manifest)
    return keep_edits(folder, package.files, package.manifest, manifest, every=how.keep_edited)


def _done(todo: Plan, package: pipeline.Package) -> dict[str, Any]:
    return {
        "release": package.manifest.release,
        "added": todo.added,
        "changed": todo.changed,
        "unchanged": todo.unchanged,
        "deleted": todo.deleted,
        "kept": todo.kept,
        "left_out": [{"what": each.what, "count": each.count, "reason": each.reason} for each in package.api.left_out],
        "warnings": [each.as_dict() for each in package.warnings],
    }


def _manifest(folder: Path, *, force: bool) -> Manifest | None:
    """The manifest of a folder; with `--force`, one that cannot be used counts as none."""
    try:
        return read_manifest(folder)
    except DiagnosticError:
        if force:
            return None
        raise
