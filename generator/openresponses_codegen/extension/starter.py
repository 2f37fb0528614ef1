"""The file that a vendor begins with."""

from __future__ import annotations

import re
from pathlib import Path

from openresponses_codegen.names import pascal

VENDOR = "acme"
"""The vendor of the file as it is kept."""


def starter(vendor: str) -> str:
    """A commented, complete and valid extension of a vendor, as YAML; the slug is not checked."""
    text = Path(__file__).with_name("starter.yaml").read_text(encoding="utf-8")
    names = {VENDOR: vendor, pascal(VENDOR): pascal(vendor)}
    return re.sub("|".join(names), lambda found: names[found[0]], text)
