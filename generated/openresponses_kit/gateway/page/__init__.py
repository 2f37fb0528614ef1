"""The page of a running server: a request, its events as they come, and the conformance cases."""

from .app import PageApp

__all__ = ["PageApp"]
