"""`python -m openresponses_codegen`."""

from openresponses_codegen.cli import main

main()
