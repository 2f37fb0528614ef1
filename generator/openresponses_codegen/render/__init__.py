"""Rendering: finished views into templates, and the check that nothing but known shapes came out."""

from openresponses_codegen.render.addon import Names, render_addon
from openresponses_codegen.render.confined import render_confined
from openresponses_codegen.render.formatting import formatted
from openresponses_codegen.render.package import Sources, render_package
from openresponses_codegen.render.verify import UnsafeSourceError

__all__ = ["Names", "Sources", "UnsafeSourceError", "formatted", "render_addon", "render_confined", "render_package"]
