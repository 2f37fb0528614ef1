"""The commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from openresponses_codegen import __version__, pipeline, resources
from openresponses_codegen.cli.config import Target, check_components, find_config, load_config
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import DiagnosticError, Severity
from openresponses_codegen.output import (
    Manifest,
    check_folder,
    find_drift,
    is_current,
    plan,
    read_manifest,
    write,
)

DRIFT, BAD_INPUT = 1, 2
F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 drift or findings, 2 wrong use or bad input.",
)
@click.version_option(__version__, prog_name="openresponses-codegen")
@click.pass_context
def main(context: click.Context) -> None:
    r"""Turn the Open Responses specification into a Python package that you can vendor.

    \b
    Examples:
      openresponses-codegen generate --output src/app/openresponses
      openresponses-codegen check --output src/app/openresponses
      openresponses-codegen validate my-openapi.yaml

    Options of `generate` and `check` may stand in [tool.openresponses-codegen] of your pyproject.toml.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


def _reporting(command: F) -> F:
    """The options that every command has."""
    command = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def _target(command: F) -> F:
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
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="A pyproject.toml [default: the nearest one that has our table].",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def _errors(reporter: Reporter) -> Generator[None]:
    """Bad input is one clear error and exit code 2."""
    try:
        yield
    except DiagnosticError as error:
        reporter.diagnostics(error.diagnostics)
        reporter.json({"diagnostics": [each.as_dict() for each in error.diagnostics]})
        sys.exit(BAD_INPUT)


def _targets(given: Mapping[str, Any]) -> tuple[Target, ...]:
    """What the command line says (the options of `_target`), over what the configuration says."""
    listed: str | None = given["components"]
    names = [name.strip() for name in listed.split(",") if name.strip()] if listed is not None else None
    target = Target(
        given["spec"],
        given["output"],
        given["package"],
        check_components(names, "--components") if names is not None else None,
        given["lenient"],
    )
    path: Path | None = given["config"] or (find_config(Path.cwd()) if target.output is None else None)
    if path is None:
        return (target,)
    configured = load_config(path)
    if len(configured) > 1 and (target.output is not None or target.package is not None):
        raise click.UsageError(f"{path} lists several packages: --output and --package would apply to all of them")
    return tuple(target.over(each) for each in configured)


def _spec(target: Target) -> pipeline.Spec:
    return pipeline.load_spec(target.spec or next(reversed(resources.releases())))


@main.command()
@_target
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@_reporting
def generate(*, dry_run: bool, force: bool, quiet: bool, as_json: bool, **given: Any) -> None:
    r"""Generate a package from SPEC.

    SPEC is a path, `-` for standard input, or the name of a bundled release (default: the newest). Files that were
    edited by hand are not overwritten; files that are no longer produced are deleted, unless they were edited.

    \b
    Examples:
      openresponses-codegen generate --output src/app/openresponses
      openresponses-codegen generate 2026-01-15 --output openresponses_old --components models
      curl -s https://example.com/openapi.json | openresponses-codegen generate - --output kit --dry-run
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with _errors(reporter):
        results = [_generate(target, reporter, dry_run=dry_run, force=force) for target in _targets(given)]
        reporter.json({"packages": results})


def _generate(target: Target, reporter: Reporter, *, dry_run: bool, force: bool) -> dict[str, Any]:
    folder, options = target.folder(), target.options()
    spec = _spec(target)
    check_folder(folder)
    manifest = _manifest(folder, force=force)
    if manifest is not None and is_current(folder, manifest, pipeline.inputs_of(spec, options)):
        reporter.say(f"{folder}: nothing to do, {len(manifest.files)} files are up to date", fg="green")
        return {"output": str(folder), "release": manifest.release, "unchanged": sorted(manifest.files)}
    with reporter.progress() as progress:
        package = pipeline.generate(spec, options, progress)
    todo = plan(folder, package.files, manifest)
    if todo.edited and not force:
        raise DiagnosticError(todo.refusals())
    reporter.diagnostics(package.warnings)
    if not dry_run:
        write(todo)
    reporter.plan(todo)
    reporter.left_out(package.api.left_out)
    done = "would be generated" if dry_run else "generated"
    reporter.say(f"{options.package}: {done} from Open Responses {package.manifest.release}", fg="green")
    return {
        "output": str(folder),
        "release": package.manifest.release,
        "dry_run": dry_run,
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


@main.command()
@_target
@_reporting
def check(*, quiet: bool, as_json: bool, **given: Any) -> None:
    r"""Tell whether a package is what would be generated from SPEC now.

    Prints a unified diff and the cause of each difference, and exits with 1, when it is not: the spec, the
    templates, the generator or the options changed, a file was edited by hand, is missing, or is stale.

    \b
    Examples:
      openresponses-codegen check --output src/app/openresponses
      openresponses-codegen check --quiet        # everything that pyproject.toml lists
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with _errors(reporter):
        results = [_check(target, reporter) for target in _targets(given)]
        reporter.json({"packages": results})
    if any(result["files"] for result in results):
        sys.exit(DRIFT)


def _check(target: Target, reporter: Reporter) -> dict[str, Any]:
    folder, options = target.folder(), target.options()
    spec = _spec(target)
    check_folder(folder)
    manifest = read_manifest(folder)
    inputs = pipeline.inputs_of(spec, options)
    if manifest is not None and is_current(folder, manifest, inputs):
        reporter.say(f"{folder}: up to date", fg="green")
        return {"output": str(folder), "causes": [], "files": []}
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
        "files": [{"path": each.path, "causes": list(each.causes), "diff": each.diff} for each in drift.files],
    }


@main.command()
@click.argument("spec", required=False)
@click.option("--lenient/--strict", default=False, help="Take what is not understood as a warning.")
@_reporting
def validate(*, spec: str | None, lenient: bool, quiet: bool, as_json: bool) -> None:
    r"""Report everything in SPEC that a package cannot be made of, with its place.

    SPEC is a path, `-` for standard input, or the name of a bundled release (default: the newest). Exits with 1
    when there are errors.

    \b
    Example:
      openresponses-codegen validate my-openapi.yaml
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with _errors(reporter):
        document = _spec(Target(spec))
    try:
        lowered = pipeline.lower_spec(document, lenient=lenient)
    except DiagnosticError as error:
        found = error.diagnostics
    else:
        found = lowered.warnings
        reporter.left_out(lowered.api.left_out)
    reporter.diagnostics(found)
    errors = [each for each in found if each.severity is Severity.ERROR]
    reporter.json({"spec": document.name, "errors": len(errors), "diagnostics": [each.as_dict() for each in found]})
    if errors:
        reporter.say(f"{document.name}: {len(errors)} errors", fg="red")
        sys.exit(DRIFT)
    reporter.say(f"{document.name}: valid", fg="green")


@main.command()
@click.argument("spec", required=False)
@click.option(
    "--stage",
    type=click.Choice(["openapi", "ir", "schema"]),
    default="ir",
    show_default=True,
    help="The document as read, the representation, or the schema that models are rendered from.",
)
def dump(*, spec: str | None, stage: str) -> None:
    r"""Print a stage of the pipeline as JSON.

    \b
    Example:
      openresponses-codegen dump 2026-01-15 --stage schema
    """
    from openresponses_codegen.cli.dump import stage_content  # noqa: PLC0415 - used by this command alone

    reporter = Reporter(quiet=False, as_json=False)
    with _errors(reporter):
        reporter.raw(json.dumps(stage_content(_spec(Target(spec)), stage), indent=2, ensure_ascii=True))


@main.command()
@click.argument("spec", metavar="FILE", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fingerprint(*, spec: str | None, as_json: bool) -> None:
    r"""Print a digest of what a document allows, whatever its words, its order and its spelling.

    Compare it with the digests that `releases` prints to know whether a file says what a release says.

    \b
    Example:
      openresponses-codegen fingerprint downloaded-openapi.json
    """
    reporter = Reporter(quiet=False, as_json=as_json)
    with _errors(reporter):
        document = _spec(Target(spec))
        digest = pipeline.lower_spec(document).fingerprint
    if as_json:
        reporter.json({"spec": document.name, "fingerprint": digest})
    else:
        reporter.raw(digest)


@main.command()
@_reporting
def releases(*, quiet: bool, as_json: bool) -> None:
    """List the bundled releases of the specification, oldest first, with their fingerprints."""
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with _errors(reporter):
        found = {name: pipeline.lower_spec(pipeline.load_spec(name)) for name in resources.releases()}
    reporter.json(
        {
            "releases": [
                {
                    "release": name,
                    "fingerprint": lowered.fingerprint,
                    "schemas": len(lowered.document.schemas),
                }
                for name, lowered in found.items()
            ]
        }
    )
    if not as_json:
        for name, lowered in found.items():
            reporter.raw(name if quiet else f"{name}  {lowered.fingerprint}  {len(lowered.document.schemas)} schemas")
