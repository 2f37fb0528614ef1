"""The commands that look at documents: `validate`, `dump`, `fingerprint`, `releases`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import candidates
from openresponses_codegen.cli.options import (
    DRIFT,
    document_target,
    input_errors,
    layer_options,
    load,
    reporting,
    spec_argument,
)
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import DiagnosticError, Severity


@click.command()
@spec_argument
@layer_options
@click.option("--lenient/--strict", default=False, help="Take what is not understood as a warning.")
@reporting
def validate(*, lenient: bool, quiet: bool, as_json: bool, **given: Any) -> None:
    """Report everything in SPEC that a package cannot be made of, with its place.

    SPEC is a path, `-` for standard input, or the name of a bundled release (default: the newest). Exits with 1
    when there are errors.

    \b
    Example:
      openresponses-codegen validate my-openapi.yaml
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        document = load(document_target(given))
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


@click.command()
@spec_argument
@layer_options
@click.option(
    "--stage",
    type=click.Choice(["openapi", "ir", "schema"]),
    default="ir",
    show_default=True,
    help="The document as read, the representation, or the schema that models are rendered from.",
)
def dump(*, stage: str, **given: Any) -> None:
    """Print a stage of the pipeline as JSON.

    \b
    Example:
      openresponses-codegen dump 2026-01-15 --stage schema
    """
    from openresponses_codegen.cli.dump import stage_content  # noqa: PLC0415 - used by this command alone

    reporter = Reporter(quiet=False, as_json=False)
    with input_errors(reporter):
        reporter.raw(json.dumps(stage_content(load(document_target(given)), stage), indent=2, ensure_ascii=True))


@click.command()
@click.argument("spec", metavar="FILE", required=False, shell_complete=candidates.specs)
@layer_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fingerprint(*, as_json: bool, **given: Any) -> None:
    """Print a digest of what a document allows, whatever its words, its order and its spelling.

    Compare it with the digests that `releases` prints to know whether a file says what a release says.

    \b
    Example:
      openresponses-codegen fingerprint downloaded-openapi.json
    """
    reporter = Reporter(quiet=False, as_json=as_json)
    with input_errors(reporter):
        document = load(document_target(given))
        digest = pipeline.lower_spec(document).fingerprint
    if as_json:
        reporter.json({"spec": document.name, "fingerprint": digest})
    else:
        reporter.raw(digest)


@click.command()
@reporting
def releases(*, quiet: bool, as_json: bool) -> None:
    """List the bundled releases of the specification, oldest first, with their fingerprints.

    \b
    Example:
      openresponses-codegen releases --json
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
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
