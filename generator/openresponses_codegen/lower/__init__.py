"""From the typed view of a document to the intermediate representation.

In order: one shape for every spelling (`shapes`), which side uses what (`components`), what tells the members of
a union apart (`unions`), names for the nameless (`naming`), and the declarations (`declare`). What an
extension adds is told by comparing two (`additions`).
"""

from openresponses_codegen.lower.additions import addition
from openresponses_codegen.lower.api import lower
from openresponses_codegen.lower.fingerprint import fingerprint

__all__ = ["addition", "fingerprint", "lower"]
