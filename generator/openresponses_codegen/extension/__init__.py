"""A vendor's extension: a short YAML form for items, events, tools and fields, compiled to an OpenAPI Overlay.

In order: what a form says (`model`), how it is read and checked (`reading`, with `fields` for the schemas of its
fields), what two forms or a form and a document cannot both declare (`clashes`), and the overlay (`compiling`). A form
is as untrusted as a document, and does not depend on a release: the lists that it adds to are in all of them.
"""

from openresponses_codegen.extension.clashes import check_against
from openresponses_codegen.extension.compiling import compile_extensions
from openresponses_codegen.extension.model import (
    Annotation,
    Choice,
    Declared,
    Event,
    Extension,
    Item,
    Part,
    Shared,
    Tool,
)
from openresponses_codegen.extension.reading import read
from openresponses_codegen.extension.starter import VENDOR, starter

__all__ = [
    "VENDOR",
    "Annotation",
    "Choice",
    "Declared",
    "Event",
    "Extension",
    "Item",
    "Part",
    "Shared",
    "Tool",
    "check_against",
    "compile_extensions",
    "read",
    "starter",
]
