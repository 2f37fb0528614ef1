"""Models, rendered by datamodel-code-generator from a normalised schema with our templates.

The normalised schema (`schema`) holds plain shapes under finished names, so that nothing is left to guess; the
text that comes back is checked against the representation it came from, name by name and value by value (`check`).
"""

from openresponses_codegen.models.check import ModelError
from openresponses_codegen.models.rendering import render_models
from openresponses_codegen.models.schema import normalised_schema

__all__ = ["ModelError", "normalised_schema", "render_models"]
