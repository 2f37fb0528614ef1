"""Defects that do not stop the generator: of a document, and of a package that lies in somebody's project.

A document first has to be one that a package can be made of; what `validate` refuses is not found here again. Each
finding has a code of its own, says where, and names the way out. Of a document, an error is what no program can keep
to; of a package, what keeps it from being imported or renewed. A warning misleads or is out of date, and a note is
worth knowing.
"""

from openresponses_codegen.doctor.document import examine
from openresponses_codegen.doctor.package import examine_package

__all__ = ["examine", "examine_package"]
