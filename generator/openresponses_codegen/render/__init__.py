"""Rendering: finished views into templates, and the check that nothing but known shapes came out."""

from openresponses_codegen.render.confined import render_confined
from openresponses_codegen.render.formatting import formatted
from openresponses_codegen.render.package import Sources, render_package
from openresponses_codegen.render.verify import UnsafeSourceError

__all__ = ["Sources", "UnsafeSourceError", "formatted", "render_confined", "render_package"]
