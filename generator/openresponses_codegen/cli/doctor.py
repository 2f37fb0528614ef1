"""The command `doctor`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click

from openresponses_codegen import pipeline, resources
from openresponses_codegen.cli import candidates
from openresponses_codegen.cli.config import Target, find_config, load_config
from openresponses_codegen.cli.options import DRIFT, document_target, input_errors, layer_options, load, reporting
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Severity
from openresponses_codegen.doctor import examine_package
from openresponses_codegen.output import Inputs, read_manifest

_SEVERITIES = tuple(Severity)
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Examined:
    """A document or a package, and what was found."""

    kind: Literal["spec", "package"]
    name: str
    findings: tuple[Diagnostic, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(each.severity is severity for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The findings for JSON output."""
        counts = {f"{each.value}s": self.count(each) for each in _SEVERITIES}
        return {self.kind: self.name, **counts, "diagnostics": [each.as_dict() for each in self.findings]}


@click.command()
@click.argument("spec", metavar="[SPEC|PACKAGE]", required=False, shell_complete=candidates.specs)
@layer_options
@click.option(
    "--python",
    metavar="PATH",
    default=sys.executable,
    help="The interpreter that is to import packages [default: the one that runs this].",
)
@click.option("--no-import", is_flag=True, help="Run nothing of a package, and look at no environment.")
@click.option(
    "--fail-on",
    type=click.Choice([*(each.value for each in _SEVERITIES), NEVER]),
    default=Severity.ERROR.value,
    show_default=True,
    help="Exit with 1 from this severity on.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A pyproject.toml [default: the nearest one that has our table].",
)
@reporting
def doctor(*, python: str, no_import: bool, fail_on: str, quiet: bool, as_json: bool, **given: Any) -> None:
    """Find what is wrong with a document or a generated package, and say what to do.

    SPEC is a path, `-` for standard input, or the name of a bundled release; PACKAGE is the folder of a generated
    package. Without either, the packages and documents of the configuration are examined, else the newest release.

    To see whether a package can be imported, it is imported, in a process of its own: its code runs.

    \b
    Examples:
      openresponses-codegen doctor my-openapi.yaml
      openresponses-codegen doctor src/app/openresponses --python .venv/bin/python
      openresponses-codegen doctor --fail-on warning        # everything that pyproject.toml lists
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    interpreter = None if no_import else python
    with input_errors(reporter):
        examined = list(_examined(given, interpreter))
    for each in examined:
        _tell(reporter, each)
    reporter.json({"examined": [each.as_dict() for each in examined]})
    failing = _SEVERITIES[: _SEVERITIES.index(Severity(fail_on)) + 1] if fail_on != NEVER else ()
    if any(each.count(severity) for each in examined for severity in failing):
        sys.exit(DRIFT)


def _examined(given: Mapping[str, Any], python: str | None) -> Iterator[Examined]:
    """What the command line names, else what the configuration lists, else the newest release."""
    configured = _configured(given["config"])
    if given["spec"] is not None and Path(given["spec"]).is_dir():
        yield _package(Path(given["spec"]), configured, python)
    elif given["spec"] is not None or not configured:
        spec = load(document_target(given))
        yield Examined("spec", spec.name, pipeline.examine(spec))
    else:
        for target in configured:
            yield _package(target.folder(), configured, python)
        yield from _documents(configured)


def _configured(path: Path | None) -> Sequence[Target]:
    found = path or find_config(Path.cwd())
    return load_config(found) if found is not None else ()


def _documents(configured: Sequence[Target]) -> Iterator[Examined]:
    """The documents of a configuration that are files of the user's own, each with what is laid over it once."""
    seen: set[tuple[object, ...]] = set()
    for target in configured:
        key = (target.spec, target.extensions, target.overlays)
        if target.spec is not None and target.spec not in resources.releases() and key not in seen:
            seen.add(key)
            try:
                yield Examined("spec", target.spec, pipeline.examine(load(target)))
            except DiagnosticError as error:
                yield Examined("spec", target.spec, error.diagnostics)


def _package(folder: Path, configured: Sequence[Target], python: str | None) -> Examined:
    try:
        now = _inputs(folder, configured)
    except DiagnosticError as error:
        return Examined("package", str(folder), error.diagnostics)
    return Examined("package", str(folder), examine_package(folder, now, tuple(resources.releases()), python))


def _inputs(folder: Path, configured: Sequence[Target]) -> Inputs | None:
    """What a package would be made of now: as the configuration says, else as it was made, with this generator."""
    for target in configured:
        if target.output is not None and target.output.resolve() == folder.resolve():
            return pipeline.inputs_of(load(target), target.options())
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    then = manifest.inputs
    now = pipeline.inputs_of(pipeline.Spec("", b""), pipeline.Options(then.package, then.components, then.lenient))
    templates = (
        then.templates if then.overridden else now.templates
    )  # those of the user's are known to the configuration
    return replace(then, templates=templates, generator=now.generator, version=now.version, tools=now.tools)


def _tell(reporter: Reporter, examined: Examined) -> None:
    reporter.diagnostics(examined.findings)
    counts = [
        f"{count} {severity.value}{'s' if count > 1 else ''}"
        for severity in _SEVERITIES
        if (count := examined.count(severity))
    ]
    colour = "red" if examined.count(Severity.ERROR) else "yellow" if counts else "green"
    reporter.say(f"{examined.name}: {', '.join(counts) or 'healthy'}", fg=colour)
