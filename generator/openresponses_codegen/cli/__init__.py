"""The command line.

Exit codes: 0 done, 1 drift, findings or failures, 2 wrong use or bad input.
"""

from openresponses_codegen.cli.commands import main
from openresponses_codegen.cli.conformance import conform

main.add_command(conform)

__all__ = ["main"]
