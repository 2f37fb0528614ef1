"""Defects that do not stop the generator: of a document, and of a package that lies in somebody's project.

A document first has to be one that a package can be made of; what `validate` refuses is not found here again. Each
finding has a code of its own, says where, and names the way out. An error is what no program can keep to, a warning
misleads whoever reads the document, and a note is untidy.
"""

from openresponses_codegen.doctor.document import examine

__all__ = ["examine"]
