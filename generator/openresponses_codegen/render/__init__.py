"""Rendering: finished views into templates, and the check that nothing but known shapes came out."""

from openresponses_codegen.render.package import render_package
from openresponses_codegen.render.verify import UnsafeSourceError

__all__ = ["UnsafeSourceError", "render_package"]
