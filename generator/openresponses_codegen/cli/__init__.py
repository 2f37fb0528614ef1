"""The command line.

Exit codes: 0 done, 1 drift or findings, 2 wrong use or bad input.
"""

from openresponses_codegen.cli.commands import main

__all__ = ["main"]
