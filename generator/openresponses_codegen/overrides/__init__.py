"""Templates of the user's own: what they replace or extend of ours, and the sandbox that they run in."""

from openresponses_codegen.overrides.catalogue import CONTEXT_VERSION, LICENCE, SUFFIX, Original, blocks_of, catalogue
from openresponses_codegen.overrides.environment import environment_of
from openresponses_codegen.overrides.failures import failure_of
from openresponses_codegen.overrides.folder import EXTRA, MACROS, NONE, Override, Overrides, read_overrides
from openresponses_codegen.overrides.snapshots import Outdated, accept, eject, find, outdated

__all__ = [
    "CONTEXT_VERSION",
    "EXTRA",
    "LICENCE",
    "MACROS",
    "NONE",
    "SUFFIX",
    "Original",
    "Outdated",
    "Override",
    "Overrides",
    "accept",
    "blocks_of",
    "catalogue",
    "eject",
    "environment_of",
    "failure_of",
    "find",
    "outdated",
    "read_overrides",
]
