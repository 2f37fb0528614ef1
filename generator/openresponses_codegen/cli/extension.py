"""The commands below `extension`: a vendor's extensions, begun, compiled and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from openresponses_codegen import pipeline, resources, source
from openresponses_codegen.cli.options import input_errors, reporting
from openresponses_codegen.cli.report import Reporter
from openresponses_codegen.diagnostics import Diagnostic, DiagnosticError, Diagnostics
from openresponses_codegen.extension import read, starter

if TYPE_CHECKING:
    from openresponses_codegen.extension import Extension
    from openresponses_codegen.source import Plain


@click.group()
def extension() -> None:
    """Extend the specification by items, events, tools and fields of a vendor's own.

    An extension is a short YAML file. Every command that takes a document takes `--extension FILE` with it, any number
    of times, or the name of a bundled one.

    \b
    Examples:
      openresponses-codegen extension new acme
      openresponses-codegen generate --extension acme.yaml --output src/app/openresponses
    """


@extension.command("new")
@click.argument("name")
@click.option(
    "--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help="The file to write [default: NAME.yaml]."
)
@reporting
def new_extension(*, name: str, output: Path | None, quiet: bool, as_json: bool) -> None:
    """Write a commented extension of the vendor NAME to begin with; a file that is there is left as it is.

    \b
    Examples:
      openresponses-codegen extension new acme
      openresponses-codegen extension new acme --output spec/acme.yaml
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        text = _started(name)
        path = output if output is not None else Path(f"{name}.yaml")
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            hint = "give another name with `--output FILE`"
            raise DiagnosticError([Diagnostic("exists", f"{path} is there already", hint=hint)]) from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise DiagnosticError([Diagnostic("not-writable", f"{path} cannot be written: {reason}")]) from None
        reporter.say(f"{path}: written", fg="green")
        reporter.say(f"next: openresponses-codegen generate --extension {path} --output my_kit")
        reporter.json({"written": str(path)})


def _started(name: str) -> str:
    """The file that a vendor begins with. Raises `DiagnosticError` when the name cannot be a vendor's."""
    text = starter(name)
    diagnostics = Diagnostics()
    try:
        read(source.parse(text.encode(), "NAME"), diagnostics)
        diagnostics.raise_if_errors()
    except (DiagnosticError, UnicodeEncodeError):
        hint = "begin with a lower case letter; lower case letters, digits and single `_` or `-` follow (rule N1)"
        raise DiagnosticError(
            [Diagnostic("extension-name", f"`{name}` cannot be the name of a vendor", hint=hint)]
        ) from None
    return text


@extension.command("compile")
@click.argument("extensions", metavar="FILE|NAME...", nargs=-1, required=True)
@click.option("--spec", metavar="SPEC", help="The document that they are to fit [default: the newest release].")
@reporting
def compile_command(*, extensions: tuple[str, ...], spec: str | None, quiet: bool, as_json: bool) -> None:
    """Print the OpenAPI Overlay that an extension comes to, as YAML or JSON; several are separated by `---`.

    \b
    Examples:
      openresponses-codegen extension compile acme.yaml > acme.overlay.yaml
      openresponses-codegen extension compile openai --json
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        document = pipeline.load_spec(spec or next(reversed(resources.releases())), extensions=extensions)
        overlays, warnings = pipeline.compile_layers(document)
        reporter.diagnostics(warnings)
        if as_json:
            reporter.json({"overlays": overlays, "diagnostics": [each.as_dict() for each in warnings]})
        else:
            reporter.raw("---\n".join(_yaml(each) for each in overlays))


def _yaml(content: Plain) -> str:
    import yaml  # noqa: PLC0415 - other commands need not wait for it

    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


@extension.command("list")
@reporting
def list_extensions(*, quiet: bool, as_json: bool) -> None:
    """List the extensions that come with this program, for `--extension NAME`.

    \b
    Examples:
      openresponses-codegen extension list
      openresponses-codegen generate --extension openai --output src/app/openresponses
    """
    reporter = Reporter(quiet=quiet, as_json=as_json)
    with input_errors(reporter):
        bundled = {name: read(source.load(path), Diagnostics()) for name, path in resources.extensions().items()}
        if not as_json and not quiet:
            rows = ((name, each.title, _text(each, "description")) for name, each in bundled.items())
            reporter.table("Extensions", ("name", "vendor", "what it adds"), rows)
        reporter.json(
            {
                "extensions": [
                    {
                        "name": name,
                        "title": each.title,
                        "description": _text(each, "description"),
                        "docs": _text(each, "docs"),
                        "types": [declared.type for declared in each.declared],
                    }
                    for name, each in bundled.items()
                ]
            }
        )


def _text(extension: Extension, key: str) -> str:
    node = extension.node.get(key)
    return str(node.value) if node is not None else ""
