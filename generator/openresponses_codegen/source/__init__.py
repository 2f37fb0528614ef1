"""JSON and YAML documents as one kind of tree in which every key and every value knows where it was written.

JSON is read by RFC 8259 to the letter, YAML by the core schema of YAML 1.2.2 (section 10.3) and only as far
as it says what JSON can say: no tags that build objects, no merge keys, one document. Input is untrusted:
size, depth and number of nodes are bounded, and whatever is wrong ends in a `DiagnosticError` with one
diagnostic that gives the place, the reason and the way out.

In order: the file and its format (`loading`), the two readers (`json_reader`, `yaml_reader`) with what they share
(`scalars`), the tree that they build (`tree`), and its nodes (`node`).
"""

from openresponses_codegen.source.loading import MAX_BYTES, load, parse, read
from openresponses_codegen.source.node import Node, Place, Plain, Scalar, Value
from openresponses_codegen.source.scalars import MAX_DIGITS
from openresponses_codegen.source.tree import MAX_DEPTH, MAX_NODES

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_NODES",
    "Node",
    "Place",
    "Plain",
    "Scalar",
    "Value",
    "load",
    "parse",
    "read",
]
