"""`docs/cli.md`: the reference of the command line, made of what the commands say about themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from openresponses_codegen.cli import main

PROGRAM = "openresponses-codegen"


def commands(command: click.Command = main, path: str = PROGRAM) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Each command with the words that call it, a group before what is below it."""
    context = click.Context(command, info_name=path)
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")


def reference() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# The commands"
    yield ""
    yield "What `--help` says, on one page. Made by `pytest tests/test_help.py --update`."
    for path, command, context in commands():
        yield from ("", f"## {path}" if " " in path else f"## {PROGRAM}", "")
        yield from _text(command)
        yield from ("", "```text", _usage(command, context), "```")
        yield from _options(command)
        if command.epilog:
            yield from ("", command.epilog)
    yield ""


def _usage(command: click.Command, context: click.Context) -> str:
    return f"{context.info_name} {' '.join(command.collect_usage_pieces(context))}"


def _text(command: click.Command) -> Iterator[str]:
    """The help, with its examples as a block of code."""
    for index, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if index:
            yield ""
        if not paragraph.startswith("\b"):
            yield paragraph
            continue
        title, *lines = paragraph.removeprefix("\b\n").split("\n")
        yield from (title, "", "```sh", *(line.removeprefix("  ") for line in lines), "```")


def _options(command: click.Command) -> Iterator[str]:
    options = [each for each in command.params if isinstance(each, click.Option) and each.name != "help"]
    if options:
        yield from ("", "| option | what it does |", "|---|---|")
    for each in options:
        record = each.get_help_record(click.Context(command))
        assert record is not None
        names, said = (" ".join(text.split()).replace("|", "\\|") for text in record)
        yield f"| `{names}` | {said} |"
