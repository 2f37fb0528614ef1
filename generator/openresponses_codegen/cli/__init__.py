"""The command line.

Exit codes: 0 done, 1 drift, findings or failures, 2 wrong use or bad input.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module

import click

from openresponses_codegen import __version__

__all__ = ["main"]

_MODULES: Mapping[str, str] = {
    "generate": "generate",
    "check": "check",
    "validate": "documents",
    "dump": "documents",
    "fingerprint": "documents",
    "releases": "documents",
    "diff": "diff",
    "config": "configuration",
    "extension": "extension",
    "templates": "templates",
    "update": "update",
    "doctor": "doctor",
    "conform": "conformance",
    "completion": "completion",
}
"""Each command, and the module that has it; in the order in which help lists them."""
_EXIT_CODES = "Exit codes: 0 done, 1 drift or findings, 2 wrong use or bad input."


class Commands(click.Group):
    """Commands that are imported when they are asked for, so that none waits for another's imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name; None when there is none."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"{__name__}.{_MODULES[cmd_name]}")
        command = getattr(module, cmd_name)
        return _with_exit_codes(command) if isinstance(command, click.Command) else None


def _with_exit_codes(command: click.Command) -> click.Command:
    """The command, with what its exit codes mean at the end of its help, where it does not say so itself."""
    command.epilog = command.epilog or _EXIT_CODES
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _with_exit_codes(each)
    return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(__version__, prog_name="openresponses-codegen")
@click.pass_context
def main(context: click.Context) -> None:
    """Turn the Open Responses specification into a Python package that you can vendor.

    \b
    Examples:
      openresponses-codegen generate --output src/app/openresponses
      openresponses-codegen check --output src/app/openresponses
      openresponses-codegen validate my-openapi.yaml

    Options of `generate` and `check` may stand in [tool.openresponses-codegen] of your pyproject.toml.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
