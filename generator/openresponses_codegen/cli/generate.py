"""The commands `generate` and `check`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli.config import Target
from openresponses_codegen.cli.options import DRIFT, input_errors, load, reporting, target_options, targets
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import DiagnosticError
from openresponses_codegen.output import (
    Manifest,
    Plan,
    changed_below,
    check_folder,
    find_drift,
    is_current,
    new_stubs,
    plan,
    read_manifest,
    write,
)


@click.command()
@target_options
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@reporting
def generate(*, dry_run: bool, force: bool, quiet: bool, as_json: bool, **given: Any) -> None:
    """Generate a package from SPEC.

    SPEC is a path, `-` for standard input, or the name of a bundled release (default: the newest). Files that were
    edited by hand are not overwritten; files that are no longer produced are deleted, unless they were edited.

    \b
    Examples:
      openresponses-codegen generate --output src/app/openresponses
      openresponses-codegen generate 2026-01-15 --output openresponses_old --components models
      curl -s https://example.com/openapi.json | openresponses-codegen generate - --output kit --dry-run
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        results = [_generate(target, reporter, dry_run=dry_run, force=force) for target in targets(given)]
        reporter.json({"packages": results})


def _generate(target: Target, reporter: Reporter, *, dry_run: bool, force: bool) -> dict[str, Any]:
    prepared = prepare(target, load(target), reporter, force=force)
    if prepared.plan is not None and not dry_run:
        write(prepared.plan)
    return tell(prepared, reporter, dry_run=dry_run)


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


def prepare(target: Target, spec: pipeline.Spec, reporter: Reporter, *, force: bool) -> Prepared:
    """Render the package of a target from a document, and plan what is to be written; nothing is.

    Raises `DiagnosticError` when it cannot be rendered, or files that were edited by hand are in the way.
    """
    folder, options = target.folder(), target.options()
    check_folder(folder)
    prepared = Prepared(folder, options, _manifest(folder, force=force), _outdated(options, reporter))
    manifest = prepared.manifest
    if manifest is not None and is_current(folder, manifest, pipeline.inputs_of(spec, options)):
        return prepared
    with reporter.progress() as progress:
        package = pipeline.generate(spec, options, progress)
    stubs = new_stubs(folder, package.own, options.stubs, manifest)
    todo = plan(folder, {**package.files, **stubs}, manifest, options.own + options.stubs)
    if todo.edited and not force:
        raise DiagnosticError(todo.refusals())
    return replace(prepared, package=package, plan=todo)


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
    done = "would be generated" if dry_run else "generated"
    reporter.say(f"{prepared.options.package}: {done} from Open Responses {package.manifest.release}", fg="green")
    return {
        "output": str(folder),
        "release": package.manifest.release,
        "dry_run": dry_run,
        "added": todo.added,
        "changed": todo.changed,
        "unchanged": todo.unchanged,
        "deleted": todo.deleted,
        "kept": todo.kept,
        "own": sorted(package.own),
        "changed_below": changed,
        "templates": prepared.templates,
        "left_out": [{"what": each.what, "count": each.count, "reason": each.reason} for each in package.api.left_out],
        "warnings": [each.as_dict() for each in package.warnings],
    }


def _outdated(options: pipeline.Options, reporter: Reporter) -> list[dict[str, Any]]:
    """Say which of the user's templates were made from a version of ours that is not this one."""
    overrides = pipeline.overrides_of(options)
    if overrides is None:
        return []
    from openresponses_codegen.overrides import outdated  # noqa: PLC0415 - most packages have no such templates

    changed, notes = outdated(overrides, resources.templates())
    reporter.diagnostics(notes)
    reporter.outdated(changed)
    return [{"name": each.name, "blocks": list(each.blocks), "diff": each.diff} for each in changed]


def _manifest(folder: Path, *, force: bool) -> Manifest | None:
    """The manifest of a folder; with `--force`, one that cannot be used counts as none."""
    try:
        return read_manifest(folder)
    except DiagnosticError:
        if force:
            return None
        raise


@click.command()
@target_options
@reporting
def check(*, quiet: bool, as_json: bool, **given: Any) -> None:
    """Tell whether a package is what would be generated from SPEC now.

    Prints a unified diff and the cause of each difference, and exits with 1, when it is not: the spec, the
    templates, the generator or the options changed, a file was edited by hand, is missing, or is stale.

    \b
    Examples:
      openresponses-codegen check --output src/app/openresponses
      openresponses-codegen check --quiet        # everything that pyproject.toml lists
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        results = [_check(target, reporter) for target in targets(given)]
        reporter.json({"packages": results})
    if any(result["files"] for result in results):
        sys.exit(DRIFT)


def _check(target: Target, reporter: Reporter) -> dict[str, Any]:
    folder, options = target.folder(), target.options()
    spec = load(target)
    check_folder(folder)
    templates = _outdated(options, reporter)
    manifest = read_manifest(folder)
    inputs = pipeline.inputs_of(spec, options)
    if manifest is not None and is_current(folder, manifest, inputs):
        reporter.say(f"{folder}: up to date", fg="green")
        return {"output": str(folder), "causes": [], "files": [], "templates": templates}
    with reporter.progress() as progress:
        package = pipeline.generate(spec, options, progress)
    drift = find_drift(folder, package.files, manifest, inputs)
    reporter.drift(drift)
    if drift.files:
        causes = f" ({', '.join(drift.causes)})" if drift.causes else ""
        reporter.say(f"{folder}: {len(drift.files)} files differ{causes}; run `generate` to renew them", fg="red")
    else:
        reporter.say(f"{folder}: up to date", fg="green")
    return {
        "output": str(folder),
        "causes": list(drift.causes),
        "templates": templates,
        "files": [{"path": each.path, "causes": list(each.causes), "diff": each.diff} for each in drift.files],
    }
