"""Rendering: finished views into templates, and the check that nothing but known shapes came out."""

from openresponses_codegen.render.package import COMPONENTS, render_package

__all__ = ["COMPONENTS", "render_package"]
