"""Where in a template something failed: one finding with file and line in place of a traceback."""

from __future__ import annotations

import traceback
from pathlib import Path

import jinja2
from jinja2.exceptions import SecurityError

from openresponses_codegen.diagnostics import Diagnostic, Position
from openresponses_codegen.overrides.folder import Overrides


def failure_of(error: Exception, overrides: Overrides) -> Diagnostic | None:
    """The finding about what was raised while rendering; None when no template of the user was involved."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        position = Position(error.filename or overrides.folder, error.lineno, 1)
        return Diagnostic("template-syntax", error.message or "this is no template", position=position)
    folder = Path(overrides.folder)
    frames = traceback.extract_tb(error.__traceback__)
    places = [each for each in frames if Path(each.filename).is_relative_to(folder)]
    if not places:
        return None
    position = Position(places[-1].filename, places[-1].lineno or 1, 1)
    match error:
        case jinja2.UndefinedError():
            hint = "templates/README.md lists what each template gets"
            return Diagnostic("template-undefined", f"{error.message}", position=position, hint=hint)
        case SecurityError():
            return Diagnostic("template-unsafe", f"a template may not do this: {error.message}", position=position)
        case jinja2.TemplateNotFound():
            hint = "a template finds ours by name, and your own files below macros/ and extra/"
            message = f"there is no template `{error.name}`"
            return Diagnostic("template-not-found", message, position=position, hint=hint)
        case MemoryError():
            return Diagnostic("template-too-large", "this takes more memory than it may", position=position)
        case _:
            message = f"this failed: {type(error).__name__}: {error}"
            return Diagnostic("template-failed", message, position=position)
