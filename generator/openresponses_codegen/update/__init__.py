"""Where a newer document comes from, and the lock that says which one a project has.

The network is reached by `fetch` alone, which only the command `update` calls.
"""

from openresponses_codegen.update.addresses import Network, networks
from openresponses_codegen.update.fetching import Limits, fetch
from openresponses_codegen.update.lock import LOCK, Entry, Lock, read_lock

__all__ = ["LOCK", "Entry", "Limits", "Lock", "Network", "fetch", "networks", "read_lock"]
