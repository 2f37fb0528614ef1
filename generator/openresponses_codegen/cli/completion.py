"""The command `completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from openresponses_codegen.diagnostics import shown

PROGRAM = "openresponses-codegen"
VARIABLE = "_OPENRESPONSES_CODEGEN_COMPLETE"
"""What click looks for in the environment; the scripts set it."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that lets SHELL complete commands, options, releases, components and files.

    \b
    Examples:
      eval "$(openresponses-codegen completion bash)"                         # in ~/.bashrc
      eval "$(openresponses-codegen completion zsh)"                          # in ~/.zshrc
      openresponses-codegen completion fish > ~/.config/fish/completions/openresponses-codegen.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shown(shell)}")
    script = kind(context.find_root().command, {}, PROGRAM, VARIABLE)
    # Not `source()`: that looks for the bash of this machine, and the script may be meant for another.
    click.echo(script.source_template % script.source_vars())
